//! Simulated threads that write what they do.

use lockscope_trace::{
    Access, How, LockKind, Mode, clock,
    format::{code, kind, memory},
    writer::{DefinitionWriter, Environment, HeldAtStart, MemoryEvent, ThreadWriter, TraceWriter},
};

use crate::{Random, Shape};

/// Places in the source that locks are taken at.
const SITES: u32 = 64;
/// Locks that contended acquisitions ask for.
const HOT: u64 = 4;

struct Lock {
    count: u32,
    is_rwlock: bool,
    writer: bool,
    readers: u32,
}

struct Thread {
    writer: ThreadWriter,
    held: Vec<HeldAtStart>,
    /// What it waits for.
    wanted: Option<(u32, Mode, u32)>,
}

/// What a thread's slow paths ask for.
struct Env<'a> {
    writer: &'a TraceWriter,
    held: &'a [HeldAtStart],
}

impl Environment for Env<'_> {
    fn writer(&self) -> &TraceWriter {
        self.writer
    }

    fn held(&self, each: &mut dyn FnMut(HeldAtStart)) {
        self.held.iter().copied().for_each(each);
    }
}

pub(crate) struct Simulation<'a> {
    writer: &'a TraceWriter,
    shape: &'a Shape,
    threads: Vec<Thread>,
    locks: Vec<Lock>,
    random: Random,
    ticks: u64,
    events: u64,
}

impl<'a> Simulation<'a> {
    pub(crate) fn new(writer: &'a TraceWriter, shape: &'a Shape) -> Self {
        let mut defs = DefinitionWriter::default();
        let file = defs.string(writer, "src/generated.rs");
        let type_name = defs.string(writer, "u64");
        (1..=SITES).for_each(|line| _ = defs.site(writer, file, line, 1));
        let locks = (0..shape.locks).map(|index| {
            let is_rwlock = index % 8 == 7;
            let lock_kind = if is_rwlock { LockKind::RwLock } else { LockKind::Mutex };
            defs.lock(writer, lock_kind, type_name, 0, 1 + index % SITES, None);
            defs.var(writer, type_name, 1 + index % SITES);
            Lock { count: 0, is_rwlock, writer: false, readers: 0 }
        });
        let locks = locks.collect();
        for index in shape.locks..shape.locks * shape.vars_per_lock {
            defs.var(writer, type_name, 1 + index % SITES);
        }
        let threads = (0..=shape.threads).map(|index| {
            let id = defs.thread(writer, (index > 0).then_some(0), 0, 1000 + index);
            Thread { writer: ThreadWriter::new(id, 1000 + index), held: Vec::new(), wanted: None }
        });
        let threads = threads.collect();
        let random = Random::new(shape.seed);
        Self { writer, shape, threads, locks, random, ticks: clock::ticks(), events: 0 }
    }

    /// Runs until there are enough events and all threads have ended. Returns the number of events.
    pub(crate) fn run(mut self) -> u64 {
        self.record(0, |writer, env, ticks| writer.plain(env, kind::START, ticks));
        for child in 1..=self.shape.threads {
            self.record(0, |writer, env, ticks| writer.event(env, kind::SPAWN, child, 1, ticks));
            self.record(child, |writer, env, ticks| writer.plain(env, kind::START, ticks));
        }
        while self.events < self.shape.events {
            // A thread runs for a while, as threads do.
            let thread = 1 + self.random.below(u64::from(self.shape.threads)) as u32;
            for _ in 0..1 + self.random.below(32) {
                if !self.step(thread) {
                    break;
                }
            }
        }
        self.end();
        self.events
    }

    /// Every thread ends what it has begun.
    fn end(&mut self) {
        while self.threads.iter().any(|thread| !thread.held.is_empty() || thread.wanted.is_some()) {
            for thread in 1..=self.shape.threads {
                self.get_wanted(thread);
                if self.threads[thread as usize].wanted.is_none() && !self.threads[thread as usize].held.is_empty() {
                    self.release(thread);
                }
            }
        }
        for child in 1..=self.shape.threads {
            self.record(child, |writer, env, ticks| writer.plain(env, kind::EXIT, ticks));
            self.threads[child as usize].writer.end(self.writer);
            self.record(0, |writer, env, ticks| writer.event(env, kind::JOINED, child, 1, ticks));
        }
        self.record(0, |writer, env, ticks| writer.plain(env, kind::EXIT, ticks));
        self.threads[0].writer.end(self.writer);
    }

    /// One step of a thread; false when it waits.
    fn step(&mut self, thread: u32) -> bool {
        if !self.get_wanted(thread) {
            return false;
        }
        let held = self.threads[thread as usize].held.len();
        // Once there is one, half of the time it goes deeper.
        if held == 0 || held < self.shape.depth && self.random.below(2) == 0 {
            self.acquire(thread);
        } else {
            self.release(thread);
        }
        true
    }

    fn acquire(&mut self, thread: u32) {
        let above = self.threads[thread as usize].held.last().map_or(0, |held| held.lock + 1);
        if above == self.shape.locks {
            return self.release(thread);
        }
        let hot = above == 0 && self.random.below(100) < self.shape.contention;
        let range = if hot { HOT.min(u64::from(self.shape.locks)) } else { u64::from(self.shape.locks - above) };
        let lock = above + self.random.below(range) as u32;
        let mode = match self.locks[lock as usize].is_rwlock && self.random.below(4) != 0 {
            true => Mode::Shared,
            false => Mode::Exclusive,
        };
        // Each lock is taken at two places.
        let site = 1 + (lock * 2 + self.random.below(2) as u32) % SITES;
        self.threads[thread as usize].wanted = Some((lock, mode, site));
        if !self.get_wanted(thread) {
            self.record(thread, |writer, env, ticks| {
                writer.lock_event(env, kind::WAIT, lock, code::mode_how(mode, How::Lock), site, ticks);
            });
        }
    }

    /// Takes what the thread wants when it is free. False while it is not.
    fn get_wanted(&mut self, thread: u32) -> bool {
        let Some((lock, mode, site)) = self.threads[thread as usize].wanted else { return true };
        let state = &mut self.locks[lock as usize];
        if state.writer || mode == Mode::Exclusive && state.readers > 0 {
            return false;
        }
        state.count += 1;
        state.writer = mode == Mode::Exclusive;
        state.readers += u32::from(mode == Mode::Shared);
        let count = state.count;
        self.threads[thread as usize].wanted = None;
        self.record(thread, |writer, env, ticks| writer.acquired(env, lock, mode, How::Lock, site, count, ticks));
        let since = self.ticks;
        self.threads[thread as usize].held.push(HeldAtStart { lock, mode, site, since, permits: 0 });
        true
    }

    fn release(&mut self, thread: u32) {
        let held = *self.threads[thread as usize].held.last().expect("callers have looked");
        for _ in 0..self.shape.accesses {
            self.access(thread, held);
        }
        let access = if held.mode == Mode::Exclusive { Access::Wrote } else { Access::Read };
        self.record(thread, |writer, env, ticks| writer.released(env, held.lock, held.mode, access, ticks));
        self.threads[thread as usize].held.pop();
        let state = &mut self.locks[held.lock as usize];
        match held.mode {
            Mode::Exclusive => state.writer = false,
            _ => state.readers -= 1,
        }
    }

    fn access(&mut self, thread: u32, held: HeldAtStart) {
        let is_protected = self.random.below(1000) >= self.shape.unprotected;
        let lock = if is_protected { held.lock } else { self.random.below(u64::from(self.shape.locks)) as u32 };
        let of_lock = match self.shape.vars_per_lock {
            0 | 1 => 0,
            vars => self.random.below(u64::from(vars)) as u32,
        };
        let var = lock + self.shape.locks * of_lock;
        let writes = held.mode == Mode::Exclusive && self.random.below(2) == 0;
        let act = if writes { memory::WRITE } else { memory::READ };
        let event = MemoryEvent { act, var, site: held.site, ..MemoryEvent::default() };
        self.record(thread, |writer, env, ticks| writer.memory(env, &event, ticks));
    }

    fn record(&mut self, thread: u32, f: impl FnOnce(&mut ThreadWriter, &Env, u64)) {
        self.ticks += 40 + self.random.below(400);
        self.events += 1;
        let Thread { writer, held, .. } = &mut self.threads[thread as usize];
        f(writer, &Env { writer: self.writer, held }, self.ticks);
    }
}
