#!/bin/sh
# Measures lockscope and other tools side by side and prints a table in Markdown: run.sh [ROUNDS [CASE]].
#
# Built twice: parking_lot's detection is a feature of parking_lot, which other tools use too.
set -eu
cd "$(dirname "$0")"
target="${CARGO_TARGET_DIR:-target}"
program="$target/release/lockscope-overhead-peers"
cargo build --release --locked --features deadlock_detection --target-dir "$target"
cp "$program" "$program-detection"
cargo build --release --locked --target-dir "$target"
exec "$program" "$program-detection" "$@"
