#!/usr/bin/env bash
# Runs the test suite of fd (a program that searches for files, 6 300 lines, its threads joined by a bounded crossbeam channel), as it is
# published and with lockscope's channels, locks and threads, and compares: test results, findings, time. Then has both search a
# large tree whose reader is slow, so that the channel is full most of the time.
#
#   tests/real/channels.sh           the comparison; about two minutes and the time to build
#   tests/real/channels.sh --seed    the same program with a fault put in, which must be found
#
# fd is fetched by cargo into target/real; nothing of it is kept in the repository. What is changed: in its Cargo.toml the dependency
# on crossbeam-channel is renamed, and in one file `std::sync` and `std::thread` become `lockscope::sync` and `lockscope::thread`.
set -euo pipefail

crate=fd-find
version=10.5.0

root=$(cd "$(dirname "$0")/../.." && pwd)
work=${CARGO_TARGET_DIR:-$root/target}/real
mkdir -p "$work"
export LOCKSCOPE= RUST_BACKTRACE=0 CARGO_TERM_COLOR=never

say() { printf '\n== %s\n' "$*"; }

# Puts a copy of the program, as published, into $work/$1.
copy() {
  # It has no library, so it cannot be a dependency and be found by `cargo metadata`.
  mkdir -p "$work/fetch-$crate/src"
  : > "$work/fetch-$crate/src/lib.rs"
  printf '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2024"\n[dependencies]\n%s = "=%s"\n[workspace]\n' \
    $crate $version > "$work/fetch-$crate/Cargo.toml"
  cargo fetch -q --manifest-path "$work/fetch-$crate/Cargo.toml"
  rm -rf "${work:?}/$1"
  cp -r "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/$crate-$version "$work/$1"
  chmod -R u+w "$work/$1"
  # Not a member of the workspace that it lies in.
  printf '\n[workspace]\n' >> "$work/$1/Cargo.toml"
}

# Gives the copy lockscope's channels, locks and threads.
instrument() {
  local facade="package = \"lockscope-crossbeam-channel\"\npath = \"$root/instrument/crossbeam_channel\""
  sed -i "/^\[dependencies.crossbeam-channel\]/,/^\$/{s|^version.*|$facade|}" "$work/$1/Cargo.toml"
  sed -i "s|^\[dependencies.crossbeam-channel\]|[dependencies.lockscope]\npath = \"$root/instrument\"\n\n&|" "$work/$1/Cargo.toml"
  sed -i -e 's/^use std::sync::{Arc, Mutex, MutexGuard};/use lockscope::sync::{Arc, Mutex, MutexGuard};/' \
    -e 's/^use std::thread;/use lockscope::thread;/' "$work/$1/src/walk.rs"
  [ "$(grep -c lockscope:: "$work/$1/src/walk.rs")" = 2 ] && grep -q lockscope-crossbeam-channel "$work/$1/Cargo.toml"
}

build() { (cd "$work/$1" && cargo test -q --target-dir "$work/target-$1" --no-run); }

# Runs a copy's tests by the given command; their output goes to $work/$2.log.
measure() {
  local copy=$1 name=$2
  shift 2
  say "$name"
  TIMEFORMAT='time     %R s; %U s of processor time for the programs, %S s for the system'
  time (cd "$work/$copy" && "$@" cargo test --no-fail-fast --target-dir "$work/target-$copy") > "$work/$name.log" 2>&1 || true
  awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
    END { printf "tests    %d passed, %d failed, %d ignored\n", passed, failed, ignored }' "$work/$name.log"
}

results() { sed -n 's/^test \(.*\) \.\.\. \(ok\|FAILED\|ignored\).*/\1 \2/p' "$work/$1.log" | sort; }

# Searches the tree with a copy's program, by eight threads, while nobody reads for a while; prints what was found, sorted.
search() {
  local copy=$1
  shift
  (cd "$work/tree" && env "$@" "$work/target-$copy/debug/fd" --threads 8 --max-buffer-time 0 . 2> "$work/search.err") |
    { sleep 2; sort; }
}

cargo build -q --manifest-path "$root/Cargo.toml" -p lockscope-cli
lockscope=${CARGO_TARGET_DIR:-$root/target}/debug/lockscope

# 40 000 files in 400 folders.
if [ ! -d "$work/tree" ]; then
  mkdir -p "$work/tree.new"
  (cd "$work/tree.new" && mkdir -p $(seq -f 'folder-%g' 400) &&
    for folder in *; do (cd "$folder" && touch $(seq -f 'a-file-with-a-long-name-%g' 100)); done)
  mv "$work/tree.new" "$work/tree"
fi

if [ "${1:-}" = --seed ]; then
  copy fd-seeded
  instrument fd-seeded
  # The receiver has a lock while it waits for a message, and whoever sends needs it first.
  sed -i -e 's/^\/\/\/ Wrapper that sends batches/static SEED: lockscope::sync::Mutex<()> = lockscope::named("seed").mutex(());\n\n&/' \
    -e 's/^    fn send(&mut self, item: WorkerResult).*/&\n        let _seed = SEED.lock().unwrap();/' \
    -e 's/^    fn recv(&self) -> Result<Batch.*/&\n        let _seed = SEED.lock().unwrap();/' "$work/fd-seeded/src/walk.rs"
  [ "$(grep -c SEED "$work/fd-seeded/src/walk.rs")" = 3 ]
  build fd-seeded
  # With luck nobody is in the other's way; so a few times.
  for _ in 1 2 3 4 5; do
    search fd-seeded LOCKSCOPE=deadlock=exit > "$work/seeded.found" || true
    if grep -q '^lockscope: .*\[deadlock\]' "$work/search.err"; then
      cat "$work/search.err"
      say "the fault was found"
      exit 0
    fi
  done
  say "the fault was not found"
  exit 1
fi

copy fd-plain
copy fd-instrumented
instrument fd-instrumented
say "build"
build fd-plain
build fd-instrumented
rm -rf "$work/fd-traces"
mkdir "$work/fd-traces"

measure fd-plain fd-plain
measure fd-instrumented fd-checked env LOCKSCOPE=record=off
measure fd-instrumented fd-recorded "$lockscope" run -o "$work/fd-traces/%p.lks" --

worse=0
say "tests that did not end as in the plain program"
for name in fd-checked fd-recorded; do
  diff <(results fd-plain) <(results $name) > "$work/fd.diff" || { sed "s/^/$name: /" "$work/fd.diff"; worse=1; }
done
[ $worse = 1 ] || echo none

say "findings in the processes, checked and recorded"
grep -h '^lockscope: ' "$work/fd-checked.log" "$work/fd-recorded.log" | grep -v '^lockscope: .*: no findings' | head -n 20 || echo none

say "a large tree, read slowly"
search fd-plain > "$work/plain.found"
search fd-instrumented LOCKSCOPE=record=off > "$work/checked.found"
grep '^lockscope' "$work/search.err" || true
search fd-instrumented LOCKSCOPE="record=$work/fd-traces/tree.lks" > "$work/recorded.found"
grep '^lockscope' "$work/search.err" || true
for found in checked recorded; do cmp "$work/plain.found" "$work/$found.found" || worse=1; done
echo "$(wc -l < "$work/plain.found") paths found by each"

say "lockscope check"
"$lockscope" check --strict "$work"/fd-traces/*.lks | tail -n 40 || worse=1
"$lockscope" show "$work/fd-traces/tree.lks" stats
du -sh "$work/fd-traces" | sed 's/\t.*/ of traces/'
exit $worse
