#!/usr/bin/env bash
# Runs crossbeam-channel's own test suite, as published, against the facade, and compares with the real crate.
#
#   tests/suites/crossbeam.sh          all of: real, off, on, recorded; about ten minutes and the time to build
#   tests/suites/crossbeam.sh on       one of them (with real, to compare)
#
# The package is fetched by cargo into target/suites; nothing of it is kept in the repository, and its tests are not changed. Exits
# with 1 when a test passes with the real crate and fails with the facade.
set -euo pipefail

version=0.5.17

root=$(cd "$(dirname "$0")/../.." && pwd)
work=${CARGO_TARGET_DIR:-$root/target}/suites/crossbeam
mkdir -p "$work"
export LOCKSCOPE= RUST_BACKTRACE=0 CARGO_TERM_COLOR=never RUSTFLAGS=

say() { printf '\n== %s\n' "$*"; }

# Where cargo keeps the package.
fetch() {
  mkdir -p "$work/fetch/src"
  : > "$work/fetch/src/lib.rs"
  cat > "$work/fetch/Cargo.toml" << TOML
[package]
name = "fetch"
version = "0.0.0"
edition = "2021"
[dependencies]
crossbeam-channel = "=$version"
[workspace]
TOML
  cargo fetch -q --manifest-path "$work/fetch/Cargo.toml"
  dirname "$(cargo metadata --offline --format-version 1 --manifest-path "$work/fetch/Cargo.toml" |
    tr ',' '\n' | sed -n "s/.*\"manifest_path\":\"\(.*\/crossbeam-channel-$version\/Cargo.toml\)\".*/\1/p")"
}

# A package that consists of the suite, and depends on crossbeam-channel as the line says.
suite() {
  local name=$1 dependency=$2
  mkdir -p "$work/$name/src"
  rm -rf "$work/$name/tests"
  cp -r "$package/tests" "$work/$name/"
  : > "$work/$name/src/lib.rs"
  cat > "$work/$name/Cargo.toml" << TOML
[package]
name = "suite"
version = "0.0.0"
edition = "2021"
[dependencies]
crossbeam-channel = $dependency
crossbeam-utils = "0.8"
[dev-dependencies]
num_cpus = "1.13.0"
rand = "0.8"
signal-hook = "0.3"
[workspace]
TOML
}

# Runs the suite of package $1 as $2, in the environment given. Results go to $work/$2.results, a line for each test.
run() {
  local name=$1 as=$2
  shift 2
  say "$as"
  if ! (cd "$work/$name" && env "$@" cargo test -q --target-dir "$work/target-$name" --tests --no-run) 2> "$work/$as.log"; then
    grep -A 8 '^error' "$work/$as.log" | head -n 60
    say "the suite does not compile"
    exit 1
  fi
  (cd "$work/$name" && env "$@" cargo test --no-fail-fast --target-dir "$work/target-$name" --tests) > "$work/$as.log" 2>&1 || true
  # The same name is used in several files.
  awk '/Running tests/ { file = $2 } /^test .* \.\.\. / { print file, $2, $NF }' "$work/$as.log" | sort > "$work/$as.results"
  awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
    END { printf "tests    %d passed, %d failed, %d ignored\n", passed, failed, ignored }' "$work/$as.log"
  sed -n 's/^\(lockscope: [a-z]*\[[a-z-]*\]\).*/\1/p' "$work/$as.log" | sort | uniq -c
}

package=$(fetch)
suite real "\"=$version\""
suite facade "{ package = \"lockscope-crossbeam-channel\", path = \"$root/instrument/crossbeam_channel\" }"

run real real
worse=0
for as in ${1:-off on recorded}; do
  case $as in
    off) run facade off RUSTFLAGS="--cfg lockscope_off" ;;
    on) run facade on ;;
    recorded)
      rm -rf "$work/traces"
      mkdir "$work/traces"
      run facade recorded LOCKSCOPE="record=$work/traces/%e-%p.lks"
      du -sh "$work/traces" | sed 's/\t.*/ of traces/'
      # Complete, and in an order that every count agrees with.
      cargo build -q --manifest-path "$root/Cargo.toml" -p lockscope-cli
      "${CARGO_TARGET_DIR:-$root/target}/debug/lockscope" check --strict "$work"/traces/*.lks || worse=1
      ;;
    *) echo "usage: crossbeam.sh [off | on | recorded]" >&2; exit 2 ;;
  esac
  if ! diff <(grep ' ok$' "$work/real.results") <(grep ' ok$' "$work/$as.results") > "$work/$as.diff"; then
    grep '^[<>]' "$work/$as.diff" | sed 's/^</passes with the real crate only:/; s/^>/passes with the facade only:/'
    ! grep -q '^<' "$work/$as.diff" || worse=1
  fi
done
exit $worse
