#!/usr/bin/env bash
# Runs the test suites of the crates that lockscope stands in for against lockscope's facades, as they are published but for the
# names that they import. Each suite is a file beside this one.
#
#   tests/suites/run.sh                    all suites, in all ways
#   tests/suites/run.sh parking_lot_012    one of them
#   tests/suites/run.sh --list             their names
#   WAYS="plain off" tests/suites/run.sh   in some ways only
#   tests/suites/run.sh --fast             without the tests that take seconds each
#
# The ways: `plain` is the crate itself, so that it shows what the suite says of it; `on` is the facade, detecting; `recorded` is the
# same while it records; `off` is the facade switched off; `deps` is the crate itself again, by `lockscope run --deps`. Reports come without stacks: to resolve the first one takes longer than some
# tests wait for a deadlock.
#
# The suites are fetched by cargo into $CARGO_TARGET_DIR/suites (target/suites); nothing of them is kept in the repository. A run
# fails when a test fails, or when there are not as many as the suite says. It takes about ten seconds for each suite and way once
# everything is built, most of which the tests sleep.
#
# A suite is `NAME.suite`, which is sourced and sets
#   crate, version     the package whose tests these are
#   edition            what they are written in
#   facade             the folder of the facade, from the root of the repository
#   plain              the dependency that `plain` tests, as a line of Cargo.toml that calls it `sut`; empty when there is none
#   features           features of the facade for `on`; features_off and features_plain for the others, if they differ
#   dependencies       further lines for Cargo.toml
#   apart              part of the names of tests that run one after the other, before the rest
#   slow, slow_tests   part of the names of tests that take long, and how many these are
#   tests              how many tests there are; tests_off, tests_plain and tests_deps, if they differ
# and a function `make SOURCE DIRECTORY WAY`, which puts the tests into DIRECTORY/src or DIRECTORY/tests, importing from `sut`.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
built=${CARGO_TARGET_DIR:-$root/target}
work=$built/suites
ways=${WAYS:-plain on recorded off deps}
export RUST_BACKTRACE=0 CARGO_TERM_COLOR=never
unset CARGO_TARGET_DIR
mkdir -p "$work"

names() { for file in "$here"/*.suite; do basename "$file" .suite; done; }

fast=
case "${1:-}" in
  --list)
    names
    exit
    ;;
  --fast)
    fast=1
    shift
    ;;
esac

# The folder of a package, as published; cargo fetches it.
published() {
  local fetch=$work/fetch-$1-$2
  mkdir -p "$fetch/src"
  : > "$fetch/src/lib.rs"
  printf '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2024"\n[dependencies]\n%s = "=%s"\n[workspace]\n' "$1" "$2" \
    > "$fetch/Cargo.toml"
  cargo fetch -q --manifest-path "$fetch/Cargo.toml"
  dirname "$(cargo metadata --offline --format-version 1 --manifest-path "$fetch/Cargo.toml" |
    tr ',' '\n' | sed -n "s/.*\"manifest_path\":\"\(.*\/$1-$2\/Cargo.toml\)\".*/\1/p")"
}

# Writes the manifest of the crate of a suite in one way.
manifest() {
  local way=$1 directory=$2 sut=$plain enabled=${features_plain-$features}
  if [ "$way" != plain ] && [ "$way" != deps ]; then
    sut="sut = { package = \"$(sed -n 's/^name = "\(.*\)"/\1/p' "$root/$facade/Cargo.toml" | head -n 1)\", path = \"$root/$facade\" }"
    enabled=$features
  fi
  [ "$way" = off ] && enabled=${features_off-$features}
  {
    printf '[package]\nname = "suite"\nversion = "0.0.0"\nedition = "%s"\n\n' "$edition"
    printf '[features]\ndefault = ['
    for feature in $enabled; do printf '"%s", ' "$feature"; done
    printf ']\n'
    # Every feature that tests may ask for is known, so that the compiler does not warn.
    for feature in $(tr ' ' '\n' <<< "$features ${features_plain-}" | sort -u); do
      case " $enabled " in *" $feature "*) printf '%s = ["sut/%s"]\n' "$feature" "$feature" ;; *) printf '%s = []\n' "$feature" ;; esac
    done
    printf '\n[dependencies]\n%s\n%s\n\n[profile.dev]\ndebug = "line-tables-only"\n\n[workspace]\n' "$sut" "$dependencies"
  } > "$directory/Cargo.toml"
}

# Runs the tests of the suite in hand that the arguments select.
test_suite() {
  (cd "$directory" && LOCKSCOPE=$settings RUSTFLAGS=$flags $by cargo test --target-dir "$target" --no-fail-fast -- "$@") \
    >> "$log" 2>&1
}

# Runs a suite in one way and says how it went; its output goes to $work/NAME-WAY.log.
run() {
  local name=$1 way=$2 directory=$work/$1-$2 log=$work/$1-$2.log target=$work/target-$2 flags= settings=stacks=off expected=$tests by=
  case $way in
    plain) expected=${tests_plain-$tests} ;;
    recorded) settings="stacks=off,record=$work/$name-%p.lks" target=$work/target-on ;;
    off) flags="--cfg lockscope_off" expected=${tests_off-$tests} ;;
    deps)
      # Without `deadlock=report` the first of the deadlocks that some suites make on purpose ends the process.
      settings=stacks=off,record=off,deadlock=report expected=${tests_deps-$tests}
      by="$built/debug/lockscope run --deps --fail-on never --"
      ;;
  esac
  rm -rf "$directory"
  mkdir -p "$directory/src"
  make "$source" "$directory" "$way"
  manifest "$way" "$directory"
  rm -f "$work/$name"-*.lks
  (cd "$directory" && RUSTFLAGS=$flags LOCKSCOPE=$settings $by cargo test -q --target-dir "$target" --no-run) > "$log" 2>&1 || {
    tail -n 40 "$log"
    printf '%-20s %-10s does not compile\n' "$name" "$way"
    return 1
  }
  local begun=$SECONDS status=0 passed failed ignored reports
  local skip=
  if [ -n "$fast" ] && [ -n "$slow" ]; then
    skip="--skip $slow" expected=$((expected - slow_tests))
  fi
  # What is measured in milliseconds of sleep has the machine for itself.
  : > "$log"
  [ -z "$apart" ] || test_suite "$apart" --test-threads=1 || status=$?
  test_suite ${apart:+--skip "$apart"} $skip || status=$?
  read -r passed failed ignored < <(awk '/^test result:/ { p += $4; f += $6; i += $8 } END { print p + 0, f + 0, i + 0 }' "$log")
  reports=$(grep -c '^lockscope: \(error\|warning\)\[' "$log" || true)
  printf '%-20s %-10s %4d passed, %d failed, %d ignored of %d; %d s; %d reports\n' \
    "$name" "$way" "$passed" "$failed" "$ignored" "$expected" $((SECONDS - begun)) "$reports"
  if [ "$status" != 0 ] || [ "$passed" != "$expected" ]; then
    grep -E '^test .* FAILED$|panicked at|^error' "$log" | head -n 20 || true
    echo "see $log"
    return 1
  fi
}

case " $ways " in
  *" deps "*) cargo build -q --manifest-path "$root/Cargo.toml" --target-dir "$built" -p lockscope-cli ;;
esac

wrong=0
for name in ${*:-$(names)}; do
  # What the previous suite has set must not remain.
  unset features_off features_plain tests_off tests_plain tests_deps
  crate='' version='' edition='' facade='' plain='' features='' dependencies='' apart='' slow='' slow_tests=0 tests=0
  # shellcheck source=/dev/null
  source "$here/$name.suite"
  source=$(published "$crate" "$version")
  for way in $ways; do
    [ -z "$plain" ] && [[ $way == plain || $way == deps ]] && continue
    run "$name" "$way" || wrong=1
  done
done
exit $wrong
