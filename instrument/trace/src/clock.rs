//! The recorder's clock: an invariant time stamp counter where there is one, CLOCK_MONOTONIC otherwise.
//!
//! Times measure; they do not order. Reading the counter costs about 9 ns,
//! `clock_gettime` about 23 ns, and the reader converts ticks to nanoseconds from pairs in the file.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use crate::format::{CLOCK_MONOTONIC, CLOCK_TSC};

const UNKNOWN: u32 = u32::MAX;
static KIND: AtomicU32 = AtomicU32::new(UNKNOWN);

/// Which clock [`ticks`] reads: [`CLOCK_TSC`] or [`CLOCK_MONOTONIC`].
pub fn kind() -> u32 {
    match KIND.load(Ordering::Relaxed) {
        UNKNOWN => {
            let kind = if has_invariant_counter() { CLOCK_TSC } else { CLOCK_MONOTONIC };
            KIND.store(kind, Ordering::Relaxed);
            kind
        }
        kind => kind,
    }
}

/// Current time in ticks of the chosen clock, an even number. Call [`kind`] once before, so that the choice is made.
#[inline(always)]
pub fn ticks() -> u64 {
    Counter::get().map_or_else(|| monotonic() & !1, Counter::ticks)
}

/// The processor's time stamp counter, where it is the chosen clock: [`ticks`] without a call.
#[derive(Clone, Copy, Debug)]
pub struct Counter(());

impl Counter {
    /// `None` where another clock is in use.
    #[inline(always)]
    pub fn get() -> Option<Self> {
        (cfg!(target_arch = "x86_64") && KIND.load(Ordering::Relaxed) == CLOCK_TSC).then_some(Self(()))
    }

    /// As [`ticks`].
    #[inline(always)]
    pub fn ticks(self) -> u64 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every x86-64 has the instruction; it touches nothing but registers.
        return unsafe { std::arch::x86_64::_rdtsc() } & !1;
        #[cfg(not(target_arch = "x86_64"))]
        unreachable!("`get` has made none")
    }
}

/// How often the coarse clock moves on, as long as its thread gets its turn.
pub const TICK: Duration = Duration::from_millis(1);
/// After so many ticks that nobody has looked at the coarse clock stands still.
const PATIENCE: u32 = 64;

/// The coarse clock: a time in ticks at which it moved on, plus 1 so that it is odd; 0 while it stands still. On a cache line that is written once in
/// a tick and read by all threads.
static COARSE: Alone<AtomicU64> = Alone(AtomicU64::new(0));
/// Somebody has seen the coarse clock move. Written by each thread once in a tick at most.
static LOOKED_AT: Alone<AtomicBool> = Alone(AtomicBool::new(false));
/// Ticks in two moves of the coarse clock.
static LONG: AtomicU64 = AtomicU64::new(u64::MAX);

#[repr(align(128))]
struct Alone<T>(T);

/// The coarse clock, an odd number, or 0 while it stands still. One load.
#[inline(always)]
pub fn coarse() -> u64 {
    COARSE.0.load(Ordering::Relaxed)
}

/// Whether the coarse clock moves.
pub fn is_ticking() -> bool {
    coarse() != 0
}

/// Notes that somebody uses the coarse clock.
#[inline]
pub(crate) fn look_at_coarse() {
    if !LOOKED_AT.0.load(Ordering::Relaxed) {
        LOOKED_AT.0.store(true, Ordering::Relaxed);
    }
}

/// Moves the coarse clock on. Returns when to do so again; `None` when nobody uses it, and it stands still.
pub(crate) fn tick(idle: &mut u32) -> Option<Duration> {
    if LOOKED_AT.0.swap(false, Ordering::Relaxed) {
        *idle = 0;
    } else {
        *idle += 1;
    }
    if *idle > PATIENCE {
        *idle = 0;
        stop_ticking();
        return None;
    }
    COARSE.0.store(ticks() | 1, Ordering::Relaxed);
    Some(TICK)
}

/// Stops the coarse clock: from now on everything is timed exactly.
pub(crate) fn stop_ticking() {
    COARSE.0.store(0, Ordering::Relaxed);
}

/// Says how many ticks a second has.
pub(crate) fn set_rate(rate: u64) {
    LONG.store((rate / 1000 * TICK.as_millis() as u64).saturating_mul(2), Ordering::Relaxed);
}

/// Whether so many ticks are more than the coarse clock can be behind by.
pub(crate) fn is_long(ticks: u64) -> bool {
    ticks >= LONG.load(Ordering::Relaxed)
}

/// The latest time that is meant by ticks of an acquisition: themselves, or two moves later where the coarse clock was looked at.
pub fn at_latest(ticks: u64) -> u64 {
    if ticks & 1 == 0 { ticks } else { ticks.saturating_add(LONG.load(Ordering::Relaxed)) }
}

/// CLOCK_MONOTONIC in nanoseconds.
pub fn monotonic() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// Nanoseconds since the Unix epoch.
pub fn unix() -> u64 {
    read(libc::CLOCK_REALTIME)
}

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result; both clocks exist on every Unix.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// A tick and a nanosecond reading of one moment: of several tries the one read in the shortest time.
pub fn pair() -> (u64, u64) {
    kind();
    (0..4)
        .map(|_| {
            let before = ticks();
            let nanos = monotonic();
            let after = ticks();
            (after.wrapping_sub(before), (before.wrapping_add(after.wrapping_sub(before) / 2), nanos))
        })
        .min()
        .expect("four tries were made")
        .1
}

/// Ticks per second, estimated over about 50 µs: good to some parts in a thousand, until better pairs are known.
pub fn estimate_rate() -> u64 {
    if kind() == CLOCK_MONOTONIC {
        return 1_000_000_000;
    }
    let (ticks_0, nanos_0) = pair();
    loop {
        let (ticks_1, nanos_1) = pair();
        if nanos_1 - nanos_0 >= 50_000 {
            return rate((ticks_0, nanos_0), (ticks_1, nanos_1)).unwrap_or(1_000_000_000);
        }
    }
}

/// Ticks per second between two pairs; `None` when they are out of order.
pub fn rate(from: (u64, u64), to: (u64, u64)) -> Option<u64> {
    let ticks = to.0.checked_sub(from.0)?;
    let nanos = to.1.checked_sub(from.1).filter(|&nanos| nanos > 0)?;
    u64::try_from(u128::from(ticks) * 1_000_000_000 / u128::from(nanos)).ok().filter(|&rate| rate > 0)
}

#[cfg(target_arch = "x86_64")]
fn has_invariant_counter() -> bool {
    use std::arch::x86_64::__cpuid;
    // Leaf 0x8000_0007, EDX bit 8: the counter runs at a constant rate in all power states.
    __cpuid(0x8000_0000).eax >= 0x8000_0007 && __cpuid(0x8000_0007).edx & (1 << 8) != 0
}

#[cfg(not(target_arch = "x86_64"))]
fn has_invariant_counter() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        assert_eq!(rate((0, 0), (3_000_000, 1_000_000)), Some(3_000_000_000));
        assert_eq!(rate((5, 5), (5, 5)), None);
        assert_eq!(rate((5, 5), (4, 6)), None);
    }
}
