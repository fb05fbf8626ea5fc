#!/usr/bin/env bash
# Runs the test suite of a real crate as it is published and with lockscope's locks, and compares: test results, findings, time.
#
#   tests/real/run.sh [CRATE]        moka or rayon-core; about two minutes and the time to build, most of them the tests' own sleeping
#   tests/real/run.sh moka --seed    the same crate with a fault put in, which must be found
#
# moka is a concurrent cache of 37 000 lines with parking_lot inside; its dependency on parking_lot is renamed. rayon-core is a
# work-stealing thread pool on std's locks; its imports are changed. Crates are fetched by cargo into target/real; nothing of them is
# kept in the repository.
set -euo pipefail

crate=${1:-moka}
case $crate in
  moka)
    version=0.12.16
    features='features = ["sync"]'
    tests="--features sync,future --lib --test entry_api_sync --test eviction_stall_sync --test timer_wheel_panic_test
      --test and_compute_with_race --test eviction_stall_future --test runtime_tokio"
    ;;
  rayon-core)
    version=1.13.0
    features=
    tests="--lib --tests"
    ;;
  *)
    echo "error: $crate is neither moka nor rayon-core" >&2
    exit 2
    ;;
esac

root=$(cd "$(dirname "$0")/../.." && pwd)
work=${CARGO_TARGET_DIR:-$root/target}/real/$crate
mkdir -p "$work"
export LOCKSCOPE= RUST_BACKTRACE=0 CARGO_TERM_COLOR=never

say() { printf '\n== %s\n' "$*"; }

# Puts a copy of the crate, as published, into $work/$1.
copy() {
  mkdir -p "$work/fetch/src"
  : > "$work/fetch/src/lib.rs"
  cat > "$work/fetch/Cargo.toml" << TOML
[package]
name = "fetch"
version = "0.0.0"
edition = "2024"
[dependencies]
$crate = { version = "=$version"${features:+, $features} }
[workspace]
TOML
  local manifest
  cargo fetch --manifest-path "$work/fetch/Cargo.toml"
  manifest=$(cargo metadata --offline --format-version 1 --manifest-path "$work/fetch/Cargo.toml" |
    tr ',' '\n' | sed -n "s/.*\"manifest_path\":\"\(.*\/$crate-$version\/Cargo.toml\)\".*/\1/p")
  rm -rf "${work:?}/$1"
  cp -r "$(dirname "$manifest")" "$work/$1"
  chmod -R u+w "$work/$1"
  # Dependencies of tests that are not run here.
  sed -i -e '/^\[dev-dependencies.reqwest\]/,/^$/d' -e '/^\[dev-dependencies.actix-rt\]/,/^$/d' "$work/$1/Cargo.toml"
  # Not a member of the workspace that it lies in.
  printf '\n[workspace]\n' >> "$work/$1/Cargo.toml"
}

# Gives the copy lockscope's locks.
instrument() {
  case $crate in
    moka)
      sed -i "s|^\[dependencies.parking_lot\]\$|&\npackage = \"lockscope-parking_lot\"\npath = \"$root/instrument/parking_lot\"|" \
        "$work/$1/Cargo.toml"
      sed -i '/^\[dependencies.parking_lot\]/,/^$/{/^version/d}' "$work/$1/Cargo.toml"
      grep -q lockscope-parking_lot "$work/$1/Cargo.toml"
      ;;
    rayon-core)
      (cd "$work/$1" && grep -rlE 'std::(sync|thread)' src tests | xargs sed -i -E 's/\bstd::(sync|thread)\b/lockscope::\1/g')
      printf '\n[dependencies.lockscope]\npath = "%s/instrument"\n' "$root" >> "$work/$1/Cargo.toml"
      ;;
  esac
}

# Builds the copy's tests.
build() {
  (cd "$work/$1" && cargo test --target-dir "$work/target-$1" $tests --no-run)
}

# Runs a copy's tests by the given command; their output goes to $work/$2.log, times to $work/$2.time.
measure() {
  local copy=$1 name=$2
  shift 2
  say "$name"
  TIMEFORMAT='%R s; %U s of processor time for the programs, %S s for the system'
  {
    time {
      (cd "$work/$copy" && "$@" cargo test --no-fail-fast --target-dir "$work/target-$copy" $tests) > "$work/$name.log" 2>&1
    }
  } 2> "$work/$name.time" || true
  awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
    END { printf "tests    %d passed, %d failed, %d ignored\n", passed, failed, ignored }' "$work/$name.log"
  printf 'time     %s\n' "$(cat "$work/$name.time")"
}

failed() { sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$work/$1.log" | sort; }

cargo build --manifest-path "$root/Cargo.toml" -p lockscope-cli
lockscope=${CARGO_TARGET_DIR:-$root/target}/debug/lockscope

if [ "${2:-}" = --seed ]; then
  if [ "$crate" != moka ]; then
    echo "error: there is no fault to put into $crate" >&2
    exit 2
  fi
  copy seeded
  instrument seeded
  # An insertion takes the two locks that housekeeping takes, in the other order.
  sed -i '/fn do_insert_with_hash/,/let weight/s/let weight/let _wheel = self.inner.timer_wheel.lock();\
        drop(self.inner.deques.lock());\
        drop(_wheel);\
        &/' "$work/seeded/src/sync/base_cache.rs"
  tests="--features sync --test eviction_stall_sync"
  build seeded
  rm -rf "$work/seeded-traces"
  cd "$work/seeded"
  "$lockscope" run -o "$work/seeded-traces/%p.lks" -- cargo test --target-dir "$work/target-seeded" $tests 2>&1 | tee "$work/seeded.log" || true
  # With luck the threads meet, and the process says that it is deadlocked as well.
  if grep -q '^lockscope: warning\[lock-order-inversion\]' "$work/seeded.log"; then
    say "the fault was found"
    exit 0
  fi
  say "the fault was not found"
  exit 1
fi

copy plain
copy instrumented
instrument instrumented
say "build"
build plain
build instrumented
rm -rf "$work/traces"

measure plain plain
measure instrumented checked env LOCKSCOPE=record=off
measure instrumented recorded "$lockscope" run -o "$work/traces/%p.lks" --

say "findings in the processes, checked and recorded"
grep -h '^lockscope: ' "$work/checked.log" "$work/recorded.log" | grep -v '^lockscope: .*: no findings' || echo none

say "lockscope check"
TIMEFORMAT='%R s'
time "$lockscope" check "$work"/traces/*.lks || true
du -sh "$work/traces" | sed 's/\t.*/ of traces/'

say "tests that failed in one run only"
# Some of moka's tests sleep for 50 ms to be after another task; on a busy machine they fail by themselves.
differ=0
for name in $(failed plain; failed checked; failed recorded); do echo "$name"; done | sort | uniq -c | sort -rn > "$work/failed"
[ -s "$work/failed" ] || echo none
while read -r count name; do
  [ "$count" = 3 ] && continue
  alone=failed
  (cd "$work/instrumented" && LOCKSCOPE=record=off cargo test --target-dir "$work/target-instrumented" $tests -- --exact "$name") \
    > "$work/alone.log" 2>&1 && alone=passed
  echo "$name: $alone when run alone with lockscope's locks"
  [ $alone = passed ] || differ=1
done < "$work/failed"
exit $differ
