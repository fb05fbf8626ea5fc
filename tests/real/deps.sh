#!/usr/bin/env bash
# Runs the test suites of real crates twice, as they are published and by `lockscope run --deps`, and compares: test results,
# findings, and that no file of the crate is another one afterwards.
#
#   tests/real/deps.sh                all of them; most of the time is building
#   tests/real/deps.sh egui-0.37.0    one
#
# Crates are fetched by cargo into target/real; nothing of them is kept in the repository. In their manifests is added only
# that each is a workspace of its own, before anything is run.
set -euo pipefail

# The crate, what is tested of it, and what it has its locks from.
crates=(
  "egui-0.37.0        --lib --tests             parking_lot 0.12, by epaint; all its locks are taken in one file, a wrapper"
  "governor-0.10.4    --lib --tests             parking_lot 0.12, and lock_api's by dashmap and spinning_top"
  "r2d2-0.8.10        --lib --tests             parking_lot 0.12, and 0.13 by scheduled-thread-pool"
)

root=$(cd "$(dirname "$0")/../.." && pwd)
work=${CARGO_TARGET_DIR:-$root/target}/real
mkdir -p "$work"
unset CARGO_TARGET_DIR
export LOCKSCOPE= RUST_BACKTRACE=0 CARGO_TERM_COLOR=never

say() { printf '\n== %s\n' "$*"; }

# Puts a copy of a crate, as published, into $work/deps/$1.
copy() {
  local name=${1%-*} version=${1##*-} manifest
  mkdir -p "$work/fetch-$1/src"
  : > "$work/fetch-$1/src/lib.rs"
  cat > "$work/fetch-$1/Cargo.toml" << TOML
[package]
name = "fetch"
version = "0.0.0"
edition = "2024"
[dependencies]
$name = "=$version"
[workspace]
TOML
  manifest=$(cargo metadata --format-version 1 --manifest-path "$work/fetch-$1/Cargo.toml" |
    tr ',' '\n' | sed -n "s/.*\"manifest_path\":\"\(.*\/$1\/Cargo.toml\)\".*/\1/p")
  rm -rf "$work/deps/$1"
  mkdir -p "$work/deps"
  cp -r "$(dirname "$manifest")" "$work/deps/$1"
  chmod -R u+w "$work/deps/$1"
  printf '\n[workspace]\n' >> "$work/deps/$1/Cargo.toml"
}

results() {
  awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
    END { printf "%d passed, %d failed, %d ignored", passed, failed, ignored }' "$1"
}

failed() { sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$1" | sort; }

count() { awk '/^test result:/ { n += $4 + $6 + $8 } END { print n + 0 }' "$1"; }

sums() { (cd "$work/deps/$1" && find . -type f | sort | xargs sha256sum); }

cargo build --manifest-path "$root/Cargo.toml" --target-dir "$work/lockscope" -p lockscope-cli
lockscope=$work/lockscope/debug/lockscope

wrong=0
for line in "${crates[@]}"; do
  read -r crate one two from <<< "$line"
  [ $# = 0 ] || [ "$1" = "$crate" ] || continue
  say "$crate: $from"
  copy "$crate"
  cd "$work/deps/$crate"
  tests="$one $two --no-fail-fast --target-dir $work/deps-target"
  cargo test $tests > "$work/$crate.plain.log" 2>&1 || true
  printf 'plain    %s\n' "$(results "$work/$crate.plain.log")"
  before=$(sums "$crate")
  rm -rf "$work/$crate.traces"
  "$lockscope" run --deps -o "$work/$crate.traces/%e-%p.lks" --fail-on never -- cargo test $tests > "$work/$crate.deps.log" 2>&1 || true
  printf -- '--deps   %s\n' "$(results "$work/$crate.deps.log")"
  [ "$before" = "$(sums "$crate")" ] || { echo "files were changed"; wrong=1; }
  [ "$(count "$work/$crate.plain.log")" = "$(count "$work/$crate.deps.log")" ] || { echo "not the same tests"; wrong=1; }
  # Some tests have time limits, which a busy machine exceeds either way.
  failed "$work/$crate.plain.log" > "$work/$crate.plain.failed"
  failed "$work/$crate.deps.log" > "$work/$crate.deps.failed"
  sed 's/^/failed as published: /' "$work/$crate.plain.failed"
  if comm -13 "$work/$crate.plain.failed" "$work/$crate.deps.failed" | sed 's/^/failed with --deps only: /' | grep .; then wrong=1; fi
  echo "findings of the analysis"
  grep -E '^(error|warning|note)\[' "$work/$crate.deps.log" | sort | uniq -c | sort -rn || echo "none"
  grep -E '^(instrumented|out of reach|warning|note):' "$work/$crate.deps.log" | tail -4
  grep -E 'traces? recorded|\.lks: ' "$work/$crate.deps.log" | tail -1
done
exit $wrong
