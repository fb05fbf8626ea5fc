//! Thousands of short-lived threads: every event is there, and the trace does not grow by a chunk for each.

use std::panic::Location;

use lockscope::rt::Spawned;
use lockscope_trace::{EventSource, Op};

use crate::{child::Case, lock::Lock, verify};

const THREADS: usize = 5000;
const AT_ONCE: usize = 20;

static SHARED: Lock = Lock::mutex("shared");

fn use_locks() {
    let own = Lock::mutex("own");
    let hold = SHARED.lock();
    own.unlock(own.lock());
    SHARED.unlock(hold);
}

pub fn run() {
    for round in 0..THREADS / AT_ONCE {
        let threads: Vec<_> = (0..AT_ONCE)
            .map(|n| {
                // Half of them are known to lockscope by their locks only.
                let spawned = (n % 2 == 0).then(|| Spawned::new(None, Location::caller()));
                let body = move || match spawned {
                    Some(spawned) => spawned.run(use_locks),
                    None => use_locks(),
                };
                let builder = std::thread::Builder::new().name(format!("t{}", round * AT_ONCE + n));
                (spawned, builder.spawn(body).expect("a thread"))
            })
            .collect();
        for (spawned, thread) in threads {
            match spawned {
                Some(spawned) => spawned.join(Location::caller(), || thread.join()),
                None => thread.join(),
            }
            .expect("no thread panics");
        }
    }
}

#[test]
fn thousands_of_short_threads_are_all_there() {
    let case = Case::new();
    case.run(case.command("threads", "record=trace.lks"));
    assert_eq!(case.stderr(), "");
    let path = case.path("trace.lks");
    let (reader, events) = verify::read(&path);
    assert!(reader.completeness().is_complete(), "{:?}", reader.completeness());
    assert!(!reader.completeness().unclosed);
    verify::check_order("threads", &events);
    let count = |wanted: fn(&Op) -> bool| events.iter().filter(|event| wanted(&event.op)).count();
    // The main thread is one more.
    assert_eq!(count(|op| matches!(op, Op::Start)), THREADS + 1);
    // And one that the test harness may end or not.
    assert!(count(|op| matches!(op, Op::Exit)) >= THREADS);
    assert_eq!(count(|op| matches!(op, Op::Spawn { .. })), THREADS / 2);
    assert_eq!(count(|op| matches!(op, Op::Joined { .. })), THREADS / 2);
    assert_eq!(count(|op| matches!(op, Op::Acquired { .. })), 2 * THREADS);
    assert_eq!(count(|op| matches!(op, Op::Released { .. })), 2 * THREADS);
    assert_eq!(count(|op| matches!(op, Op::Destroyed { .. })), THREADS);
    let bytes = std::fs::metadata(&path).expect("it was read").len();
    assert!(bytes < 8 << 20, "{bytes} bytes for {THREADS} threads");
}
