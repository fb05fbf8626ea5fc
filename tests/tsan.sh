#!/usr/bin/env bash
# Runs the recorder's and the runtime's tests under ThreadSanitizer.
#
# std is not built with the sanitizer, so races that it sees inside of std are suppressed; everything of ours counts.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(rustc -vV | sed -n 's/^host: //p')
suppressions=$(mktemp)
trap 'rm -f "$suppressions"' EXIT
printf 'race:%s\n' std::thread std::sys std::sync alloc::sync::Arc 'drop_in_place<alloc::sync::Arc' >"$suppressions"
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer"
# lockscope's own word for it is 66 as well; here a race ends with 65.
export TSAN_OPTIONS="suppressions=$suppressions exitcode=65 report_mutex_bugs=0 detect_deadlocks=0"
cargo test --target-dir target/tsan --target "$target" -p lockscope-trace --test format
# Thousands of locks held at once take minutes here, and add nothing.
cargo test --target-dir target/tsan --target "$target" -p lockscope --test runtime -- --skip a_million_forgotten --skip a_thousand_held
