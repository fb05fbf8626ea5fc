//! Counting acquisitions while others hold the lock as well: readers beside a thread whose hold becomes a shared one.

use lockscope_trace::{EventSource, Op};

use crate::{child::Case, lock::Lock, verify};

const ROUNDS: usize = 30_000;
const READERS: usize = 3;

static LOCK: Lock = Lock::rwlock("lock");

pub fn run() {
    let downgrade = || {
        for _ in 0..ROUNDS {
            let mut hold = LOCK.upgradable();
            LOCK.downgrade(&mut hold);
            LOCK.unlock(hold);
        }
    };
    let read = || (0..ROUNDS).for_each(|_| LOCK.unlock(LOCK.read()));
    let mut threads = vec![std::thread::spawn(downgrade)];
    threads.extend((0..READERS).map(|_| std::thread::spawn(read)));
    threads.into_iter().for_each(|thread| thread.join().expect("no thread panics"));
}

/// One thread with two holds of one lock, ended in both orders.
pub fn run_twice_held() {
    for _ in 0..3 {
        let (shared, upgradable) = (LOCK.read(), LOCK.upgradable());
        LOCK.unlock(upgradable);
        let upgradable = LOCK.upgradable();
        LOCK.unlock(shared);
        let shared = LOCK.read();
        LOCK.unlock(upgradable);
        LOCK.unlock(LOCK.upgradable());
        LOCK.unlock(shared);
    }
}

/// A release that does not say which of two holds it ends left the reader with the wrong one, and so with a gap.
#[test]
fn a_release_ends_the_hold_that_it_means() {
    let case = Case::new();
    case.run(case.command("twice-held", "record=trace.lks"));
    let (reader, events) = verify::read(&case.path("trace.lks"));
    assert!(reader.completeness().is_complete(), "{:?}", reader.completeness());
    let releases = events.iter().filter(|event| matches!(event.op, Op::Released { .. })).count();
    assert_eq!(releases, 3 * 5);
}

/// The downgrade of an upgradable hold was counted as if its thread were alone; with readers beside it, two acquisitions
/// got one number.
#[test]
fn readers_beside_a_downgrade_have_numbers_of_their_own() {
    let case = Case::new();
    case.run(case.command("downgrade", "record=trace.lks"));
    assert_eq!(case.stderr(), "");
    let (reader, events) = verify::read(&case.path("trace.lks"));
    let mut counts: Vec<u64> = events
        .iter()
        .filter_map(|event| match event.op {
            Op::Acquired { count, .. } => Some(count),
            _ => None,
        })
        .collect();
    counts.sort_unstable();
    assert!(counts.into_iter().eq(1..=((2 + READERS) * ROUNDS) as u64), "each number once");
    assert!(reader.completeness().is_complete(), "{:?}", reader.completeness());
    verify::check_order("downgrade", &events);
}
