//! A flight recorder of a program that makes and destroys locks without end: the file stays as it is, the window moves on, and every lock in
//! it is known, those that are as old as the program as well.

use std::sync::atomic::{AtomicU32, Ordering};

use lockscope_trace::{EventSource, Op};

use crate::{child::Case, lock::Lock, verify};

const THREADS: usize = 3;
/// Locks that each thread makes: several times as many as there is room for in the file.
const LOCKS: usize = 60_000;
const SIZE: u64 = 2 << 20;

static OLD: Lock = Lock::mutex("as old as the program");
static MADE: AtomicU32 = AtomicU32::new(0);

pub fn run() {
    // Kept for long, in chunks whose other locks go.
    let work = || {
        let mut kept = Vec::new();
        for n in 0..LOCKS {
            let lock = Lock::mutex("new");
            lock.unlock(lock.lock());
            if n % 1000 == 0 {
                OLD.unlock(OLD.lock());
                kept.push(lock);
            }
            MADE.fetch_add(1, Ordering::Relaxed);
        }
        for lock in &kept {
            lock.unlock(lock.lock());
        }
        OLD.unlock(OLD.lock());
    };
    let threads: Vec<_> = (0..THREADS).map(|_| std::thread::spawn(work)).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no thread panics"));
    assert_eq!(MADE.load(Ordering::Relaxed) as usize, THREADS * LOCKS);
}

#[test]
fn locks_that_come_and_go_do_not_fill_a_flight_recorder() {
    let case = Case::new();
    case.run(case.command("churn", &format!("record=trace.lks,size={SIZE}")));
    assert_eq!(case.stderr(), "");
    let trace = case.path("trace.lks");
    assert!(std::fs::metadata(&trace).expect("it was recorded").len() <= SIZE);
    let (reader, events) = verify::read(&trace);
    let completeness = reader.completeness();
    assert_eq!((completeness.lost_events, completeness.damaged_bytes), (0, 0), "{completeness:?}");
    assert!(!completeness.truncated, "{completeness:?}");
    let defs = reader.definitions();
    assert!(defs.locks.len() < THREADS * LOCKS / 2, "{} locks are defined", defs.locks.len());
    // What was made first and used last is known by its name, and so are all that were kept.
    let names: Vec<String> = events
        .iter()
        .filter(|event| matches!(event.op, Op::Acquired { .. }))
        .filter_map(|event| event.op.lock())
        .map(|lock| defs.lock_name(lock))
        .collect();
    let count = |name: &str| names.iter().filter(|known| known.starts_with(name)).count();
    assert!(count("as old") >= THREADS, "{} of {}", count("as old"), names.len());
    assert!(count("new") >= THREADS * LOCKS / 1000, "{} of {}", count("new"), names.len());
    assert_eq!(count("as old") + count("new"), names.len());
}
