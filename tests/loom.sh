#!/bin/sh
# Explores the protocols of lockscope's own lock-free code with loom: every interleaving of a few threads, and every reordering of
# their loads and stores that the memory model allows.
#
#   tests/loom.sh            all models
#   tests/loom.sh NAME       those with NAME in their name
#
# LOOM_MAX_PREEMPTIONS=N bounds the search; without it, it is complete.
set -eu
cd "$(dirname "$0")/.."
export RUSTFLAGS="${RUSTFLAGS:-} --cfg loom"
# A folder of its own, so that other builds are not thrown away for another set of flags.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom"
exec cargo test --release --package lockscope-trace --package lockscope --test loom -- "$@"
