//! Random keys on random runs: whatever a file says and whatever is pressed, nothing panics and the state stays valid.
//!
//! `LOCKSCOPE_TEST_ROUNDS` says how many runs are made; each round's seed is its number, so that a failure can be repeated.

use lockscope_analyzer::{Analysis, Options};
use lockscope_trace::{
    Definitions, Event, How, LockId, LockKind, MemoryOrder, Mode, Nanos, Need, Op, Progress, Side, Site, SiteId,
    ThreadDef, ThreadId, VarDef, VarId,
};

use super::tests::screen;
use crate::dashboard::{
    draw::theme::{Palette, Theme},
    keys::{Keys, TABLE},
    model::Model,
    reader::{self, Batch},
    state::{Input, Mouse, MouseKind, State, tests::press, update},
};
use crate::fixture;

/// A fixed generator, so that a failure can be repeated.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `n`.
    pub fn roll(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }
}

/// Presses keys and moves the mouse at random on screens of any size.
pub fn play(state: &mut State, dice: &mut Dice, n_steps: usize) {
    let bound = TABLE.iter().flat_map(|binding| binding.keys).copied();
    let keys: Vec<&str> = bound
        .filter(|key| !matches!(*key, "ctrl-c" | "q" | "Q"))
        .chain(["a", "z", "4", "-", ":", "\"", "(", "~", "#"])
        .collect();
    let kinds = [MouseKind::Press, MouseKind::DoublePress, MouseKind::Drag, MouseKind::Release, MouseKind::Wheel(1)];
    for step in 0..n_steps {
        if dice.roll(20) == 0 {
            let what = dice.pick(&kinds);
            let (x, y) = (dice.roll(90) as u16, dice.roll(30) as u16);
            update(state, Input::Mouse(Mouse { what, x, y }));
        } else {
            press(state, dice.pick(&keys));
        }
        if step % 10 == 0 {
            let size = if dice.roll(4) == 0 { (dice.roll(140) as u16, dice.roll(45) as u16) } else { (80, 24) };
            screen(state, size);
        }
        if step % 500 == 0 {
            press(state, "esc esc esc");
        }
        update(state, Input::Played(Nanos(7_000_000)));
        assert!(state.position <= state.model.len());
        assert!(state.selection.finding.is_none_or(|idx| idx < state.model.findings.len()));
        state.refresh();
        assert_eq!(state.at.position, state.position);
    }
}

/// Names, of which some are long, wide or missing.
const NAMES: [Option<&str>; 6] = [Some("worker"), None, Some("工作线程"), Some(""), Some("a\u{301} b"), Some(LONG)];
const LONG: &str = "alloc::collections::btree::map::BTreeMap<alloc::string::String, core::option::Option<u64>>";

fn definitions(dice: &mut Dice) -> Definitions {
    let mut defs = Definitions::default();
    for line in 0..5 {
        let file = dice.pick(&["src/bank.rs", "no/such/file.rs", ""]);
        defs.sites.push(Site { file: file.into(), line: line * 7, column: line });
    }
    for id in 0..6 {
        let parent = (id > 0).then(|| ThreadId(dice.roll(id) as u32));
        defs.threads.push(ThreadDef { name: dice.pick(&NAMES).map(Into::into), parent, os_id: 0 });
    }
    let kinds = [
        LockKind::Mutex,
        LockKind::RwLock,
        LockKind::ReentrantMutex,
        LockKind::Condvar,
        LockKind::Semaphore,
        LockKind::Channel,
        LockKind::Barrier,
        LockKind::Once,
    ];
    for kind in kinds {
        let rank = (dice.roll(3) == 0).then(|| dice.roll(9) as u32);
        let name = dice.pick(&NAMES).map(Into::into);
        let lock = defs.add_lock(kind, name, dice.pick(&[LONG, "u8", ""]).into(), site(dice), rank);
        defs.locks[lock.0 as usize].capacity = (dice.roll(2) == 0).then(|| dice.roll(3) as u64);
    }
    for name in ["AtomicU64", ""] {
        defs.vars.push(VarDef { name: name.into(), created: site(dice) });
    }
    defs
}

fn site(dice: &mut Dice) -> Option<SiteId> {
    dice.roll(6).checked_sub(1).and_then(SiteId::from_index)
}

/// Anything at all, in no sensible order: a file may say so.
fn event(dice: &mut Dice, time: &mut u64) -> Event {
    *time += dice.pick(&[0, 0, 1, 900, 1_000_000, 5_000_000_000]);
    let lock = LockId(dice.roll(8) as u32);
    let other = LockId(dice.roll(8) as u32);
    let thread = ThreadId(dice.roll(6) as u32);
    let owner = ThreadId(dice.roll(6) as u32);
    let var = VarId(dice.roll(2) as u32);
    let mode = dice.pick(&[Mode::Exclusive, Mode::Shared, Mode::Upgradable]);
    let how = dice.pick(&[How::Lock, How::Try, How::Timed]);
    let (count, permits) = (dice.roll(5) as u64, dice.roll(3) as u32);
    let (yes, limited) = (dice.roll(2) == 0, dice.roll(3) == 0);
    let need = dice.pick(&[Need::Message, Need::Room, Need::Notify, Need::Party, Need::Permits(2)]);
    let side = dice.pick(&[Side::Sender, Side::Receiver]);
    let order = MemoryOrder::AcqRel;
    let op = match dice.roll(40) {
        0..6 => Op::Acquired { lock, mode, how, count },
        6..10 => Op::Wait { lock, mode, how },
        10..14 => Op::Released { lock, owner, mode: yes.then_some(mode), access: Default::default() },
        14 => Op::TryFailed { lock, mode },
        15 => Op::TimedOut { lock, mode },
        16 => Op::Poisoned { lock },
        17 => Op::Destroyed { lock },
        18 => Op::CondWait { condvar: lock, mutex: other, limited, count },
        19 => Op::CondWake { condvar: lock, mutex: other, timed_out: yes, count },
        20 => Op::Notify { condvar: lock, all: yes, woken: limited.then_some(permits), count },
        21 => Op::Block { object: lock, need, limited },
        22 => Op::Unblock { object: lock, timed_out: yes },
        23 => Op::PermitsAcquired { semaphore: lock, permits, stays: yes, count },
        24 => Op::PermitsReleased { semaphore: lock, permits, owner, count },
        25 => Op::PermitsForgotten { semaphore: lock, permits, owner, count },
        26 => Op::BarrierArrived { barrier: lock, count },
        27 => Op::Sent { channel: lock, count },
        28 => Op::Received { channel: lock, message: count, count: count + 1 },
        29 => Op::HandleAdded { channel: lock, side, count },
        30 => Op::HandleDropped { channel: lock, side, owner, count },
        31 => Op::Park { limited },
        32 => Op::Unpark { thread: owner },
        33 => Op::Spawn { child: owner },
        34 => dice.pick(&[Op::Start, Op::Exit, Op::Sleep, Op::Awake, Op::Unparked]),
        35 => Op::JoinWait { child: owner },
        36 => Op::Joined { child: owner },
        37 => Op::Write { var },
        38 => Op::AtomicLoad { var, order, read: count, count },
        _ => Op::Dropped { count },
    };
    Event { thread, time: Nanos(*time), site: site(dice), stack: None, op }
}

fn random_state(dice: &mut Dice) -> State {
    let defs = definitions(dice);
    let mut time = 0;
    let n_events = dice.pick(&[0, 1, 40, 400]);
    let events: Vec<Event> = (0..n_events).map(|_| event(dice, &mut time)).collect();
    let mut analysis = Analysis::new(Options::default());
    events.iter().for_each(|event| analysis.feed(event, &defs));
    let mut info = fixture::info();
    (info.has_times, info.has_waits) = (dice.roll(4) > 0, dice.roll(4) > 0);
    let theme = Theme::new(dice.pick(&Palette::ALL), dice.roll(3) == 0);
    let mut state = State::new(Model::new(info.clone()), fixture::sources(), theme, Keys::default());
    let batch = Batch {
        info,
        findings: Some(analysis.findings(&defs)),
        digest: Some(reader::digest_of(&events, &defs).into()),
        defs: Some(defs.into()),
        events,
        completeness: Default::default(),
        progress: dice.pick(&[Progress::More, Progress::CaughtUp, Progress::Ended]),
        fraction: 0.5,
    };
    update(&mut state, Input::Batch(Box::new(batch)));
    state.refresh();
    state
}

#[test]
fn any_keys_on_any_run_keep_the_state_valid() {
    let rounds = std::env::var("LOCKSCOPE_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(12);
    for round in 1..=rounds {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (round << 32 | round));
        let mut state = random_state(&mut dice);
        // Said if it fails, and only then.
        println!("round {round}");
        play(&mut state, &mut dice, 150);
    }
}
