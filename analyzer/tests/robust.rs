//! Events in any order, whatever they say: nothing panics, and what was found can be told.

use lockscope_analyzer::{Analysis, EngineId, Options, Timeline, WaitForGraph, order_graph::Grouping};
use lockscope_trace::{
    Access, Definitions, Event, How, LockId, LockKind, MemoryOrder, Mode, Nanos, Need, Op, Side, SiteId, StackId,
    StringId, ThreadDef, ThreadId, VarId,
};

/// Pseudo-random numbers (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % u64::from(limit)) as u32
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u32) as usize]
    }

    /// Something done to an object that is no lock.
    fn object_event(&mut self, object: LockId, owner: ThreadId) -> Op {
        let (count, permits) = (0, self.pick(&[0, 1, 2, u32::MAX]));
        let need = [Need::Notify, Need::Message, Need::Room, Need::Permits(permits), Need::Party, Need::Init];
        let need = self.pick(&need);
        let flag = self.below(2) == 0;
        let side = self.pick(&[Side::Sender, Side::Receiver]);
        match self.below(19) {
            0 | 1 => Op::Block { object, need, limited: flag },
            2 => Op::Unblock { object, timed_out: flag },
            3 => Op::PermitsAcquired { semaphore: object, permits, stays: flag, count },
            4 => Op::PermitsReleased { semaphore: object, permits, owner, count },
            5 => Op::PermitsAdded { semaphore: object, permits, count },
            6 => Op::PermitsForgotten { semaphore: object, permits, owner, count },
            7 => Op::BarrierArrived { barrier: object, count },
            8 => Op::BarrierLeft { barrier: object, leader: flag, count },
            9 => Op::Observed { object, initialised: 0 },
            10 => Op::Sent { channel: object, count },
            11 => Op::SendFailed { channel: object, message: 0 },
            12 => Op::Received { channel: object, message: 1, count },
            13 => Op::HandleAdded { channel: object, side, count },
            14 => Op::HandleDropped { channel: object, side, owner, count },
            15 => Op::Notify { condvar: object, all: flag, woken: flag.then_some(permits), count },
            16 => Op::Park { limited: flag },
            17 => Op::Unpark { thread: owner },
            _ => self.pick(&[Op::Unparked, Op::Sleep, Op::Awake, Op::Start]),
        }
    }

    /// Something done to memory.
    fn memory_event(&mut self) -> Op {
        use MemoryOrder::{AcqRel, Acquire, Relaxed, Release, SeqCst};
        let (var, order) = (VarId(self.below(4)), self.pick(&[Relaxed, Acquire, Release, AcqRel, SeqCst]));
        let number = self.pick(&[0, 1, 2, 3, u64::MAX]);
        match self.below(9) {
            0..3 => Op::Write { var },
            3 | 4 => Op::Read { var },
            5 => Op::AtomicLoad { var, order, read: number, count: 0 },
            6 => Op::AtomicStore { var, order, number, count: 0 },
            7 => Op::AtomicUpdate { var, order, number, count: 0 },
            _ => Op::Fence { order },
        }
    }

    fn event(&mut self) -> Event {
        use How::{CondvarReacquire, Downgrade, Lock, Recursive, RecursiveTimed, Timed, Try, Upgrade};
        let thread = ThreadId(self.below(5));
        let (lock, other) = (LockId(self.below(6)), LockId(self.below(6)));
        let child = ThreadId(self.below(6));
        let mode = self.pick(&[Mode::Exclusive, Mode::Shared, Mode::Upgradable]);
        let how = self.pick(&[Lock, Lock, Try, Timed, Upgrade, Downgrade, CondvarReacquire, Recursive, RecursiveTimed]);
        let text = StringId(self.below(4));
        let op = match self.below(60) {
            30.. => self.object_event(lock, child),
            0..6 => Op::Wait { lock, mode, how },
            6..14 => Op::Acquired { lock, mode, how, count: u64::MAX },
            14..17 => Op::Released { lock, owner: self.pick(&[thread, child]), mode: None, access: Access::Unknown },
            17 => Op::TimedOut { lock, mode },
            18 => Op::CondWait { condvar: lock, mutex: other, limited: false, count: 0 },
            19 => Op::CondWake { condvar: lock, mutex: other, timed_out: false, count: 0 },
            20 => Op::Spawn { child },
            21 => Op::JoinWait { child },
            22 => Op::Joined { child },
            23 => Op::Exit,
            24 => Op::Finding { code: text, text },
            25 => Op::TryFailed { lock, mode },
            26 => Op::Destroyed { lock },
            27 => self.memory_event(),
            28 => Op::Dropped { count: u64::MAX },
            _ => Op::Poisoned { lock },
        };
        let site = SiteId::from_raw(self.below(4));
        let stack = StackId::from_raw(self.below(4));
        // Clocks that jump, to both ends.
        let time = Nanos(self.pick(&[0, 1, 1000, u64::MAX]));
        Event { thread, time, site, stack, op }
    }
}

/// Fewer definitions than the events refer to.
fn definitions() -> Definitions {
    let mut definitions = Definitions::default();
    definitions.threads = vec![ThreadDef::default(); 3];
    for rank in [None, Some(1), Some(2), Some(1)] {
        definitions.add_lock(LockKind::RwLock, None, "u8".into(), SiteId::from_index(0), rank);
    }
    definitions.locks[1].capacity = Some(0);
    definitions.locks[2].capacity = Some(3);
    definitions.locks[3].capacity = Some(u64::MAX);
    definitions.add_string("lock-timeout");
    definitions
}

#[test]
fn nonsense_is_survived() {
    let definitions = definitions();
    for seed in 1..100 {
        let mut random = Random(seed);
        let mut analysis = Analysis::default();
        let mut timeline = Timeline::default();
        for step in 0..200 {
            let event = random.event();
            analysis.feed(&event, &definitions);
            timeline.push(event);
            if step % 50 == 0 {
                let findings = analysis.findings(&definitions);
                assert!(findings.iter().all(|finding| finding.fingerprint.len() == 16 && finding.count > 0));
            }
        }
        analysis.findings(&definitions);
        analysis.order_graph(&definitions, Grouping::Classes);
        analysis.order_graph(&definitions, Grouping::Locks);
        analysis.stats().classes(&definitions);
        let graph = WaitForGraph::of(analysis.state(), &definitions);
        assert!(graph.knots.iter().all(|knot| !knot.members.is_empty()));
        assert_eq!(format!("{:?}", timeline.latest()), format!("{:?}", analysis.state()));
        assert_eq!(timeline.state_at(100).position, 100);
    }
}

#[test]
fn engines_survive_nonsense() {
    let definitions = definitions();
    for seed in 1..100 {
        let mut random = Random(seed);
        let events: Vec<Event> = (0..400)
            .map(
                |step| {
                    if step % 3 == 0 { Event { op: random.memory_event(), ..random.event() } } else { random.event() }
                },
            )
            .collect();
        for memory_limit in [None, Some(1)] {
            let options = Options { engines: EngineId::ALL.to_vec(), all: true, memory_limit, ..Options::default() };
            let mut analysis = Analysis::new(options);
            for batch in events.chunks(7) {
                analysis.feed_batch(batch, &definitions);
            }
            for finding in analysis.findings(&definitions).into_iter().chain(analysis.occurrences(&definitions)) {
                assert!(finding.fingerprint.len() == 16 && finding.count > 0 && !finding.evidence.engines.is_empty());
                assert!(finding.events.is_sorted() && finding.events.last().is_some_and(|&last| last <= 400));
            }
        }
    }
}

/// The same by other threads.
fn moved(event: &Event, by: u32) -> Event {
    let to = |thread: ThreadId| ThreadId(thread.0 + by);
    let mut moved = Event { thread: to(event.thread), ..*event };
    match &mut moved.op {
        Op::Spawn { child } | Op::JoinWait { child } | Op::Joined { child } => *child = to(*child),
        Op::Unpark { thread } => *thread = to(*thread),
        Op::Released { owner, .. }
        | Op::PermitsReleased { owner, .. }
        | Op::PermitsForgotten { owner, .. }
        | Op::HandleDropped { owner, .. } => *owner = to(*owner),
        _ => {}
    }
    moved
}

/// Clocks of many threads are kept otherwise than those of few; what they say is the same.
#[test]
fn engines_say_the_same_of_threads_with_high_numbers() {
    let definitions = definitions();
    let mut n_found = 0;
    for seed in 1..40 {
        let mut random = Random(seed);
        let events: Vec<Event> = (0..400)
            .map(|step| {
                let mut event = random.event();
                if step % 2 == 0 {
                    event.op = random.memory_event();
                } else if matches!(event.op, Op::Dropped { .. }) {
                    event.op = Op::Start;
                }
                event
            })
            .collect();
        let found = |by: u32| -> Vec<_> {
            let options = Options { engines: EngineId::ALL.to_vec(), all: true, ..Options::default() };
            let mut analysis = Analysis::new(options);
            let events: Vec<Event> = events.iter().map(|event| moved(event, by)).collect();
            analysis.feed_batch(&events, &definitions);
            let found = analysis.occurrences(&definitions).into_iter();
            found.map(|finding| (finding.evidence.engines, finding.code, finding.events, finding.count)).collect()
        };
        let expected = found(0);
        n_found += expected.len();
        for by in [28, 125, 1000, 40_000] {
            assert_eq!(found(by), expected, "seed {seed}, {by} threads more");
        }
    }
    assert!(n_found > 1_000, "{n_found}");
}

#[test]
fn an_engine_that_holds_too_much_is_ended() {
    let definitions = definitions();
    let write = |thread, position: u64| Event {
        thread: ThreadId(thread),
        time: Nanos(position),
        site: None,
        stack: None,
        op: Op::Write { var: VarId(0) },
    };
    let events: Vec<Event> = (0..100_000).map(|position| write((position % 2) as u32, position)).collect();
    for (memory_limit, is_ended) in [(1 << 20, true), (1 << 30, false)] {
        let options =
            Options { engines: vec![EngineId::Hb], all: true, memory_limit: Some(memory_limit), ..Options::default() };
        let mut analysis = Analysis::new(options);
        events.chunks(1000).for_each(|events| analysis.feed_batch(events, &definitions));
        let found = analysis.occurrences(&definitions);
        assert_eq!(found.len() < events.len() - 1, is_ended, "what was found by then is there");
        assert!(found.len() > 1000);
        assert_eq!(analysis.limits().iter().any(|limit| limit.contains("hb was ended")), is_ended);
    }
}

#[test]
fn asking_often_changes_nothing() {
    let definitions = definitions();
    for seed in 1..30 {
        let mut random = Random(seed);
        let events: Vec<Event> = (0..150).map(|_| random.event()).collect();
        let [mut once, mut often] = [Analysis::default(), Analysis::default()];
        for event in &events {
            once.feed(event, &definitions);
            often.feed(event, &definitions);
            often.findings(&definitions);
        }
        let codes = |analysis: &mut Analysis| {
            analysis
                .findings(&definitions)
                .into_iter()
                .map(|finding| (finding.code, finding.fingerprint))
                .collect::<std::collections::BTreeSet<_>>()
        };
        // Waits that were pending when asked may add orders that the end of the run no longer shows, never fewer.
        assert!(codes(&mut often).is_superset(&codes(&mut once)), "seed {seed}");
    }
}

#[test]
fn batches_change_nothing() {
    let definitions = definitions();
    for seed in 1..60 {
        let mut random = Random(seed);
        let events: Vec<Event> = (0..300).map(|_| random.event()).collect();
        let found = |size: usize| {
            let mut analysis = Analysis::default();
            events.chunks(size).for_each(|events| analysis.feed_batch(events, &definitions));
            let graph = analysis.order_graph(&definitions, Grouping::Locks);
            (format!("{:?} {graph:?}", analysis.findings(&definitions)), analysis.limits())
        };
        let expected = found(1);
        for size in [7, 50, 300] {
            assert_eq!(found(size), expected, "seed {seed}, batches of {size}");
        }
    }
}

#[test]
fn a_second_thread_changes_nothing() {
    let definitions = definitions();
    for seed in 1..3 {
        let mut random = Random(seed);
        let mut events: Vec<Event> = (0..4500).map(|_| random.event()).collect();
        // After one of these nothing is predicted.
        events.retain(|event| !matches!(event.op, Op::Dropped { .. }));
        let found = |second_thread: bool, size: usize| {
            let mut analysis = Analysis::new(Options { second_thread, ..Options::default() });
            events.chunks(size).for_each(|events| analysis.feed_batch(events, &definitions));
            let claims = analysis.claims(&definitions);
            let engines: Vec<_> = analysis.engine_bytes().map(|(engine, _)| engine).collect();
            let found = analysis.findings(&definitions);
            (format!("{found:?} {claims:?}"), engines, analysis.limits())
        };
        let expected = found(false, 2100);
        for size in [2100, 4500] {
            assert_eq!(found(true, size), expected, "seed {seed}, batches of {size}");
        }
    }
}
