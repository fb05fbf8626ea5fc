//! Random traces: what a few threads did to locks, memory and each other, in an order that could be.

use lockscope_trace::{
    Access, Definitions, Event, How, LockId, LockKind, Mode, Nanos, Op, ThreadDef, ThreadId, VarDef, VarId,
};

use crate::program::Random;

/// What happens, and where to stop.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub threads: usize,
    pub locks: usize,
    pub vars: usize,
    pub events: usize,
    /// Some holds are shared.
    pub read_locks: bool,
    /// Most accesses are made while some lock is held.
    pub careful: bool,
    /// Mostly locks are taken, one within the other.
    pub nested: bool,
}

/// A trace of so many events or fewer, and what its ids mean.
///
/// The first thread may fork and join the others; those that it never forks are there from the beginning. Locks that are held at the
/// end stay held.
pub fn random(random: &mut Random, shape: Shape) -> (Vec<Event>, Definitions) {
    let mut definitions = Definitions::default();
    for lock in 0..shape.locks {
        let kind = if shape.read_locks { LockKind::RwLock } else { LockKind::Mutex };
        definitions.add_lock(kind, Some(format!("l{lock}").into()), "u8".into(), None, None);
    }
    definitions.threads = vec![ThreadDef::default(); shape.threads];
    for var in 0..shape.vars {
        definitions.vars.push(VarDef { name: format!("v{var}").into(), created: None });
    }
    let is_forked: Vec<bool> = (0..shape.threads).map(|thread| thread > 0 && random.below(3) == 0).collect();
    let mut run = Run {
        shape,
        started: is_forked.iter().map(|forked| !forked).collect(),
        joined: vec![false; shape.threads],
        held: vec![Vec::new(); shape.threads],
        counts: vec![0; shape.locks],
        events: Vec::new(),
    };
    let mut failures = 0;
    while run.events.len() < shape.events && failures < 200 {
        failures = if run.step(random) { 0 } else { failures + 1 };
    }
    (run.events, definitions)
}

struct Run {
    shape: Shape,
    started: Vec<bool>,
    joined: Vec<bool>,
    held: Vec<Vec<(usize, Mode)>>,
    counts: Vec<u64>,
    events: Vec<Event>,
}

impl Run {
    /// Tries to do something. False when it cannot be done now.
    fn step(&mut self, random: &mut Random) -> bool {
        let thread = match self.events.last() {
            // Sections are mostly not interrupted, as in a run in which all went well.
            Some(last) if self.shape.nested && random.below(8) > 0 => last.thread.0 as usize,
            _ => random.below(self.shape.threads),
        };
        if !self.started[thread] || self.joined[thread] {
            return false;
        }
        // Taking, taking or releasing, forking and joining, writing, reading.
        let choice = match (self.shape.nested, self.held[thread].len()) {
            (false, _) => random.below(10),
            (true, 0) => [0, 0, 0, 0, 0, 0, 0, 4, 5, 8][random.below(10)],
            (true, 1) => [0, 0, 0, 0, 0, 0, 2, 2, 5, 8][random.below(10)],
            (true, _) => [0, 2, 2, 2, 2, 2, 2, 2, 5, 8][random.below(10)],
        };
        let op = match choice {
            0 | 1 => {
                let (lock, mode) = (random.below(self.shape.locks), self.mode(random));
                let is_free = |(thread_held, held): (usize, &Vec<(usize, Mode)>)| {
                    held.iter().all(|&(other, its)| other != lock || its.compatible(mode) && thread_held != thread)
                };
                if !self.held.iter().enumerate().all(is_free) {
                    return false;
                }
                self.held[thread].push((lock, mode));
                self.counts[lock] += 1;
                Op::Acquired { lock: LockId(lock as u32), mode, how: How::Lock, count: self.counts[lock] }
            }
            2..4 => {
                let Some((lock, mode)) = self.held[thread].pop() else { return false };
                let owner = ThreadId(thread as u32);
                Op::Released { lock: LockId(lock as u32), owner, mode: Some(mode), access: Access::Unknown }
            }
            4 if thread == 0 => {
                let other = random.below(self.shape.threads);
                let child = ThreadId(other as u32);
                if other == 0 || self.joined[other] {
                    return false;
                }
                if self.started[other] {
                    if !self.held[other].is_empty() {
                        return false;
                    }
                    self.joined[other] = true;
                    Op::Joined { child }
                } else {
                    self.started[other] = true;
                    Op::Spawn { child }
                }
            }
            4 => return false,
            _ if self.shape.careful && self.held[thread].is_empty() && random.below(8) > 0 => return false,
            5..7 => Op::Write { var: VarId(random.below(self.shape.vars) as u32) },
            _ => Op::Read { var: VarId(random.below(self.shape.vars) as u32) },
        };
        let time = Nanos(self.events.len() as u64 + 1);
        self.events.push(Event { thread: ThreadId(thread as u32), time, site: None, stack: None, op });
        true
    }

    fn mode(&self, random: &mut Random) -> Mode {
        if self.shape.read_locks && random.below(2) == 0 { Mode::Shared } else { Mode::Exclusive }
    }
}
