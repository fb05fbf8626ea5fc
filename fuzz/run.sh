#!/usr/bin/env bash
# Fuzzes one target with libFuzzer; needs a C++ compiler for that, and no nightly toolchain.
#
#   fuzz/run.sh TARGET [SECONDS] [LIBFUZZER OPTIONS…]     reader, text, settings or filter; an hour if not said otherwise
#
# The corpus in fuzz/corpus/TARGET is only read: what is found on the way goes to fuzz/found/TARGET, what fails to fuzz/failed.
set -euo pipefail
cd "$(dirname "$0")"
target=${1:?reader, text, settings or filter}
seconds=${2:-3600}
shift $(($# < 2 ? $# : 2))
host=$(rustc -vV | sed -n 's/^host: //p')
coverage=(-Cpasses=sancov-module)
for argument in level=4 inline-8bit-counters pc-table trace-compares; do
  coverage+=("-Cllvm-args=-sanitizer-coverage-$argument")
done
# For a target, so that build scripts and macros are built without.
RUSTFLAGS="${coverage[*]} -Ccodegen-units=1 --cfg fuzzing" cargo build --release --target "$host" --bin "$target"
mkdir -p "found/$target" failed
exec nice "${CARGO_TARGET_DIR:-target}/$host/release/$target" "found/$target" "corpus/$target" -max_total_time="$seconds" -timeout=20 \
  -rss_limit_mb=1024 -max_len=100000 -artifact_prefix="failed/$target-" -print_final_stats=1 "$@"
