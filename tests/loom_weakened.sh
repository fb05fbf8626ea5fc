#!/usr/bin/env bash
# Shows that the models of tests/loom.sh can fail: weakens one ordering, fence or step at a time, in a copy of the sources, and expects
# the model that relies on it to notice.
#
#   tests/loom_weakened.sh        all of them; some minutes
set -euo pipefail
cd "$(dirname "$0")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z | xargs -0 cp -a --parents -t "$copy" 2>/dev/null || true
# What is built of it is not that of an earlier copy, which cargo would take for the same.
find "$copy" -type f -exec touch {} +
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/loom-weakened"
rt=instrument/src/rt
writer=instrument/trace/src/writer
unnoticed=0

# weaken TEST FILE LINE-PATTERN WHAT INSTEAD: in the first line with that pattern.
weaken() {
  local test=$1 file=$2 line=$3 what=$4 instead=$5
  cp "$file" "$copy/$file"
  awk -v line="$line" -v what="$what" -v instead="$instead" '
    !done && index($0, line) { at = index($0, what); if (at) { $0 = substr($0, 1, at - 1) instead substr($0, at + length(what)); done = 1 } }
    { print } END { exit !done }' "$file" >"$copy/$file" || { echo "no such line in $file: $line"; exit 1; }
  local said
  if ! said=$(cd "$copy" && RUSTFLAGS="--cfg loom -Awarnings" cargo test -q --release -p lockscope-trace -p lockscope --test loom --no-run 2>&1); then
    echo "does not compile: $file: $line -> $instead"; printf '%s\n' "$said" | tail -20; exit 1
  fi
  if (cd "$copy" && RUSTFLAGS="--cfg loom -Awarnings" timeout 600 cargo test -q --release -p lockscope-trace -p lockscope --test loom -- "$test") >/dev/null 2>&1; then
    echo "NOT NOTICED by $test: $file: $line: $what -> $instead"
    unnoticed=1
  else
    echo "noticed by $test: $file: $line: $what -> ${instead:-nothing}"
  fi
  cp "$file" "$copy/$file"
}

# Numbers of memory accesses.
weaken numbers_are_exact $rt/turns.rs 'state | TAKEN, Ordering::Acquire' Acquire Relaxed
weaken numbers_are_exact $rt/turns.rs 'fetch_sub(TAKEN, Ordering::Release)' Release Relaxed
weaken numbers_are_exact $rt/turns.rs 'MODIFIED - TAKEN, Ordering::Release' Release Relaxed
# Not that of `fetch_add(OUTSIDER, Ordering::Acquire)`: without it a load could see a store that comes later, which loom does not try.
weaken beside_outsiders $rt/turns.rs 'fetch_sub(OUTSIDER, Ordering::Release)' Release Relaxed
weaken beside_outsiders $rt/turns.rs 'self.began & OUTSIDERS == 0 &&' 'self.began & OUTSIDERS == 0 &&' ''
# The lock order cache.
weaken a_lock_that_ends $rt/order/present.rs 'word.fetch_or(bit, Ordering::Relaxed)' 'word.fetch_or(bit, Ordering::Relaxed)' 'word.store(word.load(Ordering::Relaxed) | bit, Ordering::Relaxed)'
weaken a_lock_that_ends instrument/tests/loom/order.rs 'fetch_sub(1, Ordering::Release)' Release Relaxed
weaken an_inversion $rt/chains.rs 'any(|place| place.get() == chain.0)' 'place.get() == chain.0' 'true'
# Waits and the watch.
weaken the_last_of_two $rt/episode.rs 'fence(Ordering::SeqCst)' SeqCst AcqRel
weaken belongs_together $rt/episode.rs 'fence(Ordering::Acquire)' 'fence(Ordering::Acquire);' ''
weaken belongs_together $rt/episode.rs 'fence(Ordering::Release)' 'fence(Ordering::Release);' ''
weaken belongs_together $rt/episode.rs 'self.0.load(Ordering::Acquire)' Acquire Relaxed
weaken is_heard $rt/bell.rs 'self.state.swap(RUNG, Ordering::AcqRel) == ASLEEP' '== ASLEEP' '== AWAKE'
# Not those of the bell: waits are published with one of their own, which they make visible to who reads them otherwise.
# Chunks.
weaken never_mixes $writer/protocol.rs 'A::fence(Ordering::Release)' 'A::fence(Ordering::Release);' ''
weaken never_mixes $writer/protocol.rs 'bytes.to_le(), Ordering::Release' Release Relaxed
weaken never_mixes $writer/protocol.rs 'claim.to_le(), Ordering::Release' Release Relaxed
weaken a_sealed_chunk $writer/protocol.rs '1u32.to_le(), Ordering::Release' Release Relaxed
# The reader's steps, which the models repeat.
model=instrument/trace/tests/loom/main.rs
weaken a_sealed_chunk $model "fence(Acquire); // What follows is not the last owner's." 'fence(Acquire);' ''
weaken a_sealed_chunk $model 'fence(Acquire); // The length is' 'fence(Acquire);' ''
weaken never_mixes $model 'fence(Acquire); // If any of it' 'fence(Acquire);' ''
# A section that begins before the last one has ended.
weaken a_next_section $model 'chunks[0].fill(1);' 'fill(1)' 'header().begin(1, 1, || {})'
exit $unnoticed
