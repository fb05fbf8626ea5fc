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
# Not those with thousands of locks held at once, which take minutes here and add nothing; nor those whose verdict is that no thread of the
# process is left to help, since the sanitizer has a thread of its own, which lockscope rightly does not know.
cargo test --target-dir target/tsan --target "$target" -p lockscope --test runtime -- two_ three_ one_order deadlock recursive_read \
  upgrade timed_wait self_deadlock ranks held_too held_briefly held_after hand_over released taken_again guard_outlives locks_in_ \
  names_that bad_settings forked builder token_is monitor_not_nested wakeup_remembered permits_are join_after barrier_is
cargo test --target-dir target/tsan --target "$target" -p lockscope --test recorded_memory --test recorded_objects --test semaphore \
  --test cells --test early_and_late
