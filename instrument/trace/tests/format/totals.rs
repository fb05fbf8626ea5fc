//! What is added up chunk by chunk is what the merged events say.

use std::collections::HashMap;

use lockscope_trace::{
    Access, How, Mode, Op, ThreadId,
    format::{code, kind},
    reader::{Reader, totals},
    writer::{Environment, HeldAtStart, TraceWriter},
};

use crate::support::{Random, Recorder, drain};

/// A thread's view of a recorder: with what it holds.
struct Env<'a>(&'a Recorder, Vec<HeldAtStart>);

impl Environment for Env<'_> {
    fn writer(&self) -> &TraceWriter {
        self.0.writer()
    }

    fn held(&self, each: &mut dyn FnMut(HeldAtStart)) {
        self.1.iter().copied().for_each(each);
    }
}

#[test]
fn sums_are_those_of_the_merged_events() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = Recorder::new(&path, None, 5);
    let mut writers: Vec<_> = (0..3).map(|_| recorder.thread(None).1).collect();
    let mut counts = [0; 5];
    let mut random = Random(5);
    let mut ticks = 1000;
    // Whole chunks of nested holds, some waited for; nobody holds anything when the next one takes it.
    for n in 0..30_000 {
        let writer = &mut writers[n % 3];
        let mut env = Env(&recorder, Vec::new());
        let (outer, inner) = (random.below(2) as u32, 2 + random.below(3) as u32);
        for lock in [outer, inner] {
            ticks += 2 + 2 * random.below(50);
            if random.below(10) == 0 {
                let asked = code::mode_how(Mode::Exclusive, How::Lock);
                writer.lock_event(&env, kind::WAIT, lock, asked, 1, ticks);
                ticks += 2 * random.below(5000);
            }
            counts[lock as usize] += 1;
            writer.acquired(&env, lock, Mode::Exclusive, How::Lock, 1, counts[lock as usize], ticks);
            env.1.push(HeldAtStart { lock, mode: Mode::Exclusive, site: 1, since: ticks, permits: 0 });
        }
        for lock in [inner, outer] {
            ticks += 2 + 2 * random.below(500);
            writer.released(&env, lock, Mode::Exclusive, Access::Wrote, ticks);
            env.1.pop();
        }
    }
    let mut reader = Reader::open(&path).unwrap();
    let mut events = Vec::new();
    drain(&mut reader, &mut events);
    let (mut acquired, mut waits, mut holds) = ([0u64; 5], [0u64; 5], [0u64; 5]);
    let mut waiting: HashMap<ThreadId, bool> = HashMap::new();
    for event in &events {
        match event.op {
            Op::Wait { .. } => _ = waiting.insert(event.thread, true),
            Op::Acquired { lock, .. } => {
                acquired[lock.0 as usize] += 1;
                waits[lock.0 as usize] += u64::from(waiting.remove(&event.thread).is_some());
            }
            Op::Released { lock, .. } => holds[lock.0 as usize] += 1,
            _ => {}
        }
    }
    let totals = totals(&path).unwrap();
    assert_eq!((totals.events, totals.lost, totals.damaged_bytes), (events.len() as u64, 0, 0));
    for lock in 0..5 {
        let sums = &totals.locks[lock];
        // Of locks that are held when a section begins the hold is timed too.
        let found = (sums.acquisitions, sums.shared, sums.wait.count, sums.hold.count);
        assert_eq!(found, (acquired[lock], 0, waits[lock], holds[lock]), "lock {lock}");
    }
}
