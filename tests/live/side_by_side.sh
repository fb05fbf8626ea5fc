#!/usr/bin/env bash
# A program at a million events a second, with and without a dashboard on it, in turn: does the program notice, and does the
# dashboard keep up? Needs tmux. Usage: tests/live/side_by_side.sh [ROUNDS] [ACQUISITIONS_PER_SECOND] [SECONDS]
#
# An acquisition and its release are two events. Of the program: acquisitions a second, and processor time of one. Of the
# dashboard: how many events it was behind when the program ended (or how much of the past it had read, if it showed the present by
# itself meanwhile), how long until it had them, and its own processor time.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-5} rate=${2:-500000} seconds=${3:-5}
cargo build --quiet --release -p lockscope-cli
cargo build --quiet --release -p lockscope-overhead --features force --bin busy
target=${CARGO_TARGET_DIR:-target}
target=$(cd "$target" && pwd)
dir=$(mktemp -d)
server=lockscope-side-by-side-$$
tmux() { command tmux -L "$server" -f /dev/null -u "$@"; }
trap 'tmux kill-server 2>/dev/null || true; rm -rf "$dir"' EXIT

# The event that the header shows: `#1 234 567`.
shown() { tmux capture-pane -p | sed -n '1s/.*#\([0-9 ]*[0-9]\)  .*/\1/p' | tr -d ' '; }
# How much of the past was read, while that is behind: `past 34%`.
past() { tmux capture-pane -p | sed -n '1s/.*\(past [0-9]*%\).*/\1/p'; }
# Clock ticks that a process has used.
ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }

printf '%-9s %14s %14s %12s %12s %14s\n' '' 'taken/s' 'ns of one' 'behind' 'caught up' 'dashboard cpu'
for round in $(seq "$rounds"); do
  for mode in alone watched; do
    trace=$dir/$mode-$round.lks
    LOCKSCOPE=record=$trace "$target/release/busy" "$rate" "$seconds" >"$dir/out" 2>/dev/null &
    busy=$!
    until [ -s "$trace" ]; do sleep 0.01; done
    if [ "$mode" = watched ]; then
      tmux new-session -d -x 200 -y 60 "exec $target/release/lockscope top $trace"
      top=$(tmux display-message -p '#{pane_pid}')
      before=$(ticks "$top")
    fi
    wait "$busy"
    read -r speed cost <"$dir/out"
    if [ "$mode" = alone ]; then
      printf '%-9s %14s %14s\n' "$mode" "$speed" "$cost"
      continue
    fi
    behind=$(shown) past=$(past) ended=$(date +%s%N)
    spent=$(($(ticks "$top") - before))
    total=$("$target/release/lockscope" show "$trace" stats | sed -n 's/^events *\([0-9 ]*\).*/\1/p' | tr -d ' ')
    until [ "$(shown)" = "$total" ]; do sleep 0.02; done
    caught_up=$((($(date +%s%N) - ended) / 1000000))
    printf '%-9s %14s %14s %12s %9s ms %11s %%\n' "$mode" "$speed" "$cost" "${past:-$((total - ${behind:-0}))}" "$caught_up" "$((spent / seconds))"
    tmux kill-server
  done
  rm -f "$dir"/*.lks
done
