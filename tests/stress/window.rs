//! The start of a flight recorder's window: what a thread held there is listed once, neither with the acquisition that begins it
//! nor without the release that does.

use std::collections::HashMap;

use lockscope_trace::{EventSource, LockId, Op, ThreadId};

use crate::{child::Case, lock::Lock, verify};

static LOCKS: [Lock; 4] =
    [Lock::mutex("outer 1"), Lock::mutex("inner 1"), Lock::mutex("outer 2"), Lock::mutex("inner 2")];

pub fn run() {
    let work = |outer: &'static Lock, inner: &'static Lock| {
        move || {
            // A length that moves the chunk's end over every kind of event from one chunk to the next.
            for round in 0..200_000u32 {
                let hold = outer.lock();
                for _ in 0..round % 3 {
                    inner.unlock(inner.lock());
                }
                outer.unlock(hold);
            }
        }
    };
    let threads = [work(&LOCKS[0], &LOCKS[1]), work(&LOCKS[2], &LOCKS[3])].map(std::thread::spawn);
    threads.into_iter().for_each(|thread| thread.join().expect("no thread panics"));
}

#[test]
fn what_is_held_where_the_window_begins_is_listed_once() {
    for size in ["1M", "1200K", "1700K", "2M"] {
        let case = Case::new();
        case.run(case.command("window", &format!("record=trace.lks,size={size}")));
        let (reader, events) = verify::read(&case.path("trace.lks"));
        assert!(
            reader.completeness().notes.iter().any(|note| note.contains("overwritten")),
            "{size}: nothing was lost"
        );
        let mut held: HashMap<(ThreadId, LockId), u32> = HashMap::new();
        for event in &events {
            match event.op {
                Op::Acquired { lock, .. } => {
                    let n = held.entry((event.thread, lock)).or_default();
                    *n += 1;
                    assert_eq!(*n, 1, "{size}: {} holds {lock} twice at {event:?}", event.thread);
                }
                Op::Released { lock, owner, .. } => {
                    let n = held.insert((owner, lock), 0);
                    assert_eq!(n, Some(1), "{size}: {owner} releases {lock} that it does not hold at {event:?}");
                }
                _ => {}
            }
        }
        assert!(held.values().all(|&n| n == 0), "{size}: held at the end: {held:?}");
    }
}
