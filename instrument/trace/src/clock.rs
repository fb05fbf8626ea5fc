//! The recorder's clock: an invariant time stamp counter where there is one, CLOCK_MONOTONIC otherwise.
//!
//! Times measure; they do not order. Reading the counter costs about 9 ns,
//! `clock_gettime` about 23 ns, and the reader converts ticks to nanoseconds from pairs in the file.

use std::sync::atomic::{AtomicU32, Ordering};

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
    #[cfg(target_arch = "x86_64")]
    if KIND.load(Ordering::Relaxed) == CLOCK_TSC {
        // SAFETY: every x86-64 has the instruction; it touches nothing but registers.
        return unsafe { std::arch::x86_64::_rdtsc() } & !1;
    }
    monotonic() & !1
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
