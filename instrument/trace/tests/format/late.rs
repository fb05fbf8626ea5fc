//! Reading from the end: what is going on now, whatever came before.

use lockscope_trace::{
    Access, Event, How, LockId, Mode, Op, Progress, ThreadId, clock,
    format::{code, kind},
    reader::Reader,
    writer::{Environment, HeldAtStart, TraceWriter},
};

use crate::support::{Recorder, check_order, drain};

const HELD: u32 = 0;
const WANTED: u32 = 1;
/// Fills some chunks of each thread.
const PAIRS: u64 = 40_000;

/// Threads that hold a lock wherever their sections begin.
struct Holder<'a>(&'a Recorder);

impl Environment for Holder<'_> {
    fn writer(&self) -> &TraceWriter {
        &self.0.writer
    }

    fn held(&self, each: &mut dyn FnMut(HeldAtStart)) {
        each(HeldAtStart { lock: HELD, mode: Mode::Exclusive, site: 1, since: 1, permits: 0 });
    }
}

fn is_of(thread: u32) -> impl Fn(&&Event) -> bool {
    move |event| event.thread == ThreadId(thread)
}

#[test]
fn the_present_is_seen_without_the_past() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = Recorder::new(&path, None, 3);
    let holder = Holder(&recorder);
    let (holding, mut first) = recorder.thread(None);
    let (waiting, mut second) = recorder.thread(None);
    first.acquired(&holder, HELD, Mode::Exclusive, How::Lock, 1, 1, clock::ticks());
    for count in 1..PAIRS as u32 {
        first.acquired(&holder, 2, Mode::Exclusive, How::Lock, 1, count, clock::ticks());
        first.released(&holder, 2, Mode::Exclusive, Access::Wrote, clock::ticks());
        recorder.lock(&mut second, WANTED);
    }
    let asked = code::mode_how(Mode::Exclusive, How::Lock);
    second.lock_event(&recorder, kind::WAIT, HELD, asked, 1, clock::ticks());

    let mut reader = Reader::open_at_end(&path).unwrap();
    let mut events = Vec::new();
    assert_eq!(drain(&mut reader, &mut events), Progress::CaughtUp);
    assert!(events.len() < PAIRS as usize, "{} of {} events", events.len(), 4 * PAIRS);
    let held = Op::Acquired { lock: LockId(HELD), mode: Mode::Exclusive, how: How::Lock, count: 0 };
    assert_eq!(events.iter().find(is_of(holding)).map(|event| event.op), Some(held), "it is said what was held");
    let last = events.iter().rfind(is_of(waiting)).map(|event| event.op);
    assert!(matches!(last, Some(Op::Wait { lock: LockId(HELD), .. })), "{last:?}");

    // What comes after is all there.
    let before = events.len();
    for count in PAIRS as u32..2 * PAIRS as u32 {
        first.acquired(&holder, 2, Mode::Exclusive, How::Lock, 1, count, clock::ticks());
        first.released(&holder, 2, Mode::Exclusive, Access::Wrote, clock::ticks());
    }
    assert_eq!(drain(&mut reader, &mut events), Progress::CaughtUp);
    assert_eq!(events.len() - before, 2 * PAIRS as usize);
    check_order(&events[before..]);
}

#[test]
fn of_a_short_trace_all_is_the_present() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = Recorder::new(&path, None, 1);
    let (_, mut thread) = recorder.thread(None);
    for _ in 0..100 {
        recorder.lock(&mut thread, 0);
    }
    let [mut late, mut whole] = [Reader::open_at_end(&path).unwrap(), Reader::open(&path).unwrap()];
    let (mut events, mut expected) = (Vec::new(), Vec::new());
    assert_eq!(drain(&mut late, &mut events), Progress::CaughtUp);
    assert_eq!(drain(&mut whole, &mut expected), Progress::CaughtUp);
    assert_eq!((events.len(), &events), (200, &expected));
}
