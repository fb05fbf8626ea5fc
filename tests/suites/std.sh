#!/usr/bin/env bash
# Runs std's own tests of std::sync, its atomics and std::thread against lockscope's: off, on, and on while recording.
#
#   tests/suites/std.sh            all three; about two minutes and the time to build
#   tests/suites/std.sh on         only one of: off, on, recording
#   tests/suites/std.sh on mutex   tests with `mutex` in their name
#
# The tests are those of library/std/tests/sync, coretests/tests/atomic.rs and std's threads of rustc 1.96, from Debian's package
# rust-web-src (fetched by apt-get, or named by STD_SOURCE=path/of/library/std). Nothing of them is kept in the repository.
#
# Left out are tests of what is unstable in std, which a stable crate cannot offer: mapped guards, value accessors of locks
# (get_cloned, set, replace), get_or_try_init, send_timeout, the locks without poison, mpmc, oneshot, ReentrantLock. The script
# says how many. So are, except with lockscope off, the test that forgets a thousand million read guards, each of which costs some
# 100 ns here, and the test of the size of atomics, which are larger.
# What uses unstable features otherwise needs RUSTC_BOOTSTRAP=1.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
work=${CARGO_TARGET_DIR:-$root/target}/suites/std
mkdir -p "$work"
export RUST_BACKTRACE=0 CARGO_TERM_COLOR=never RUSTC_BOOTSTRAP=1

source_of_std() {
  if [ -n "${STD_SOURCE:-}" ]; then
    echo "$STD_SOURCE"
    return
  fi
  if ! compgen -G "$work/deb/usr/src/rustc-*/library/std" > /dev/null; then
    (cd "$work" && rm -rf deb ./*.deb && apt-get download rust-web-src && dpkg-deb -x rust-web-src_*.deb deb && rm ./*.deb) > "$work/fetch.log" 2>&1 || {
      echo "error: std's tests cannot be had: Debian's package rust-web-src was not found, see $work/fetch.log" >&2
      echo "help: name a copy of rustc's library/std by STD_SOURCE" >&2
      exit 2
    }
  fi
  compgen -G "$work/deb/usr/src/rustc-*/library/std" | head -1
}

std=$(source_of_std)
if [ ! -d "$std/tests/sync" ]; then
  echo "error: $std has no tests/sync; it takes library/std of rustc 1.90 or later" >&2
  exit 2
fi

# Prints a file of tests without those whose text matches; counts them in $work/left-out.
without() {
  awk -v pattern="$1" -v count="$work/left-out" '
    !inside && /^(#\[|nonpoison_and_poison)/ { inside = 1; item = "" }
    !inside { print; next }
    { item = item $0 "\n" }
    /^}/ || /^[^ #].*;$/ {
      is_test = item ~ /#\[test\]|nonpoison_and_poison_unwrap_test!/
      if (is_test && item ~ pattern) print "x" >> count
      else printf "%s", item
      inside = 0
    }' "$2"
}

rm -rf "$work/crate" "$work/left-out"
mkdir -p "$work/crate/src" "$work/crate/tests/sync"
cp -r "$std/tests/common" "$work/crate/tests/"
: > "$work/crate/src/lib.rs"
: > "$work/left-out"
for file in barrier condvar lazy_lock lib mpsc mpsc_sync mutex once once_lock rwlock; do
  case $file in
    mutex | rwlock) pattern='get_cloned|\.set\(|\.replace\(|Guard::(map|filter_map)|Mapped' ;;
    once_lock) pattern='get_or_try_init|get_mut_or_init|try_insert' ;;
    mpsc_sync) pattern='send_timeout' ;;
    *) pattern='there is nothing like this' ;;
  esac
  without "$pattern" "$std/tests/sync/$file.rs" |
    sed -E -e 's/(::)?std::sync::poison\b/crate::sut/g' \
      -e 's/\bstd::sync::(\{|Mutex|RwLock|Condvar|Once|OnceLock|LazyLock|Barrier|mpsc)/crate::sut::\1/g' \
      > "$work/crate/tests/sync/$file.rs"
done
# Whole files about what is unstable.
sed -i -E '/^mod (mpmc|oneshot|reentrant_lock);/d' "$work/crate/tests/sync/lib.rs"
sed -i '1i #![feature(sync_poison_mod)]\n#![allow(unused_imports, dead_code, unused_features, stable_features)]' "$work/crate/tests/sync/lib.rs"
# The attributes before the removed modules must not fall on what follows.
awk '/^#\[cfg\(not\(any/ { held = $0; next } /^mod / { if (held) print held; held = ""; print; next } { held = ""; print }' \
  "$work/crate/tests/sync/lib.rs" > "$work/lib.rs" && mv "$work/lib.rs" "$work/crate/tests/sync/lib.rs"
cat >> "$work/crate/tests/sync/lib.rs" << 'RUST'

mod sut {
    pub use lockscope::sync::*;
}
RUST
# Threads and atomics. Other parts of std that the tests use stay std's.
library=$(dirname "$std")
without 'current_os_id' "$std/src/thread/tests.rs" |
  sed -E -e 's/\bcrate::(thread|sync)\b/lockscope::\1/g' -e 's/\bcrate::/std::/g' -e 's/\bsuper::sleep\b/lockscope::thread::sleep/' \
    > "$work/crate/tests/thread.rs"
sed -E 's/\bstd::(thread|sync)\b/lockscope::\1/g' "$std/tests/thread.rs" > "$work/crate/tests/thread_local.rs"
sed -E 's/\bcore::sync::atomic\b/lockscope::sync::atomic/g' "$library/coretests/tests/atomic.rs" > "$work/crate/tests/atomic.rs"
sed -i '1i #![feature(thread_id_value)]\n#![allow(unused_features, stable_features)]' "$work/crate/tests/thread.rs"
cat > "$work/crate/Cargo.toml" << TOML
[package]
name = "std-suite"
version = "0.0.0"
edition = "2024"
autotests = false
[[test]]
name = "sync"
path = "tests/sync/lib.rs"
[[test]]
name = "thread"
[[test]]
name = "thread_local"
[[test]]
name = "atomic"
[dev-dependencies]
libc = "0.2"
lockscope = { path = "$root/instrument" }
rand = { version = "0.9", default-features = false, features = ["alloc"] }
rand_xorshift = "0.4"
[workspace]
TOML

wanted=${1:-off on recording}
shift || true
echo "$(wc -l < "$work/left-out") tests or pairs of tests of unstable items are left out"
failed=0
for mode in $wanted; do
  flags="" settings=off
  case $mode in
    off) flags="--cfg lockscope_off" ;;
    on) settings= ;;
    recording) settings="record=$work/%p.lks" ;;
    *) echo "error: $mode is none of off, on, recording" >&2; exit 2 ;;
  esac
  skip=()
  [ "$mode" = off ] || skip=(--skip max_readers --skip atomic_alignment)
  target=$work/target-$([ "$mode" = off ] && echo off || echo on)
  if (cd "$work/crate" && LOCKSCOPE=$settings RUSTFLAGS="$flags" cargo test --target-dir "$target" --tests --no-fail-fast -- "${skip[@]}" "$@") > "$work/$mode.log" 2>&1; then
    result=passed
  else
    result=FAILED failed=1
  fi
  awk -v mode="$mode" -v result="$result" '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
    END { printf "%-10s %s: %d tests passed, %d failed, %d ignored\n", mode, result, passed, failed, ignored }' "$work/$mode.log"
  grep -E '^test .* FAILED|^error' "$work/$mode.log" || true
  rm -f "$work"/*.lks
done
exit $failed
