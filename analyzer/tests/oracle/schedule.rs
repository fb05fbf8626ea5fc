//! Runs programs: at random, or in every way there is.
//!
//! Locks are fair to writers: no reader passes a writer that waits. A writer may pass others.

use std::collections::HashSet;

use lockscope_trace::{Access, Event, How, LockId, Mode, Nanos, Op, ThreadId};

use crate::program::{LOCKS, Program, Random, Step};

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Ended,
    Stuck,
}

/// Where a run is.
#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    /// Next step of each thread.
    next: Vec<usize>,
    started: Vec<bool>,
    holders: [Vec<(usize, Mode)>; LOCKS],
    /// Waiting threads in order of arrival.
    queues: [Vec<(usize, Mode)>; LOCKS],
}

/// What a thread can do now.
enum Move {
    Nothing,
    /// Begins to wait for the lock.
    Wait(usize, Mode),
    Step(Step),
}

impl State {
    fn new(program: &Program) -> Self {
        let mut started = vec![false; program.threads.len()];
        started[0] = true;
        State { next: vec![0; program.threads.len()], started, holders: Default::default(), queues: Default::default() }
    }

    fn ended(&self, program: &Program, thread: usize) -> bool {
        self.next[thread] == program.threads[thread].len()
    }

    fn possible(&self, program: &Program, thread: usize) -> Move {
        if !self.started[thread] || self.ended(program, thread) {
            return Move::Nothing;
        }
        let step = program.threads[thread][self.next[thread]];
        let (lock, mode) = match step {
            Step::Acquire(lock, mode) => (lock, mode),
            Step::Upgrade(lock) => (lock, Mode::Exclusive),
            Step::Join(child) if !self.ended(program, child) => return Move::Nothing,
            _ => return Move::Step(step),
        };
        let place = self.queues[lock].iter().position(|&(waiter, _)| waiter == thread);
        let before = &self.queues[lock][..place.unwrap_or(self.queues[lock].len())];
        let passes = mode == Mode::Exclusive || before.iter().all(|&(_, mode)| mode != Mode::Exclusive);
        let free = self.holders[lock].iter().all(|&(holder, held)| holder == thread || held.compatible(mode));
        match (passes && free, place) {
            (true, _) => Move::Step(step),
            (false, None) => Move::Wait(lock, mode),
            (false, Some(_)) => Move::Nothing,
        }
    }

    fn make(&mut self, thread: usize, movement: &Move) {
        let step = match *movement {
            Move::Nothing => return,
            Move::Wait(lock, mode) => return self.queues[lock].push((thread, mode)),
            Move::Step(step) => step,
        };
        self.next[thread] += 1;
        match step {
            Step::Acquire(lock, mode) => {
                self.queues[lock].retain(|&(waiter, _)| waiter != thread);
                self.holders[lock].push((thread, mode));
                self.holders[lock].sort_unstable();
            }
            Step::Upgrade(lock) => {
                self.queues[lock].retain(|&(waiter, _)| waiter != thread);
                self.holders[lock].retain(|&(holder, _)| holder != thread);
                self.holders[lock].push((thread, Mode::Exclusive));
            }
            Step::Release(lock) => self.holders[lock].retain(|&(holder, _)| holder != thread),
            Step::Fork(child) => self.started[child] = true,
            Step::Join(_) => {}
        }
    }
}

/// Whether some schedule gets stuck.
pub fn can_deadlock(program: &Program) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![State::new(program)];
    while let Some(state) = open.pop() {
        let mut moved = false;
        for thread in 0..program.threads.len() {
            let movement = state.possible(program, thread);
            if matches!(movement, Move::Nothing) {
                continue;
            }
            moved = true;
            let mut next = state.clone();
            next.make(thread, &movement);
            if !seen.contains(&next) {
                seen.insert(next.clone());
                open.push(next);
            }
        }
        if !moved && (0..program.threads.len()).any(|thread| !state.ended(program, thread)) {
            return true;
        }
    }
    false
}

/// One run at random, with its events.
pub fn random_run(program: &Program, random: &mut Random) -> (Vec<Event>, Outcome) {
    let mut state = State::new(program);
    let mut events = Vec::new();
    loop {
        let able: Vec<usize> = (0..program.threads.len())
            .filter(|&thread| !matches!(state.possible(program, thread), Move::Nothing))
            .collect();
        if able.is_empty() {
            let ended = (0..program.threads.len()).all(|thread| state.ended(program, thread));
            if !ended {
                // Threads that wait to join say so. The order of events is of no account here: they are all stuck.
                for thread in (0..program.threads.len()).filter(|&thread| state.started[thread]) {
                    if let Some(&Step::Join(child)) = program.threads[thread].get(state.next[thread]) {
                        events.push(event(&events, thread, Op::JoinWait { child: ThreadId(child as u32) }));
                    }
                }
            }
            return (events, if ended { Outcome::Ended } else { Outcome::Stuck });
        }
        let thread = able[random.below(able.len())];
        let movement = state.possible(program, thread);
        let op = match movement {
            Move::Wait(lock, mode) => Op::Wait { lock: LockId(lock as u32), mode, how: How::Lock },
            Move::Step(step) => op(thread, step),
            Move::Nothing => unreachable!("filtered above"),
        };
        events.push(event(&events, thread, op));
        state.make(thread, &movement);
    }
}

fn event(before: &[Event], thread: usize, op: Op) -> Event {
    Event { thread: ThreadId(thread as u32), time: Nanos(before.len() as u64 + 1), site: None, stack: None, op }
}

fn op(thread: usize, step: Step) -> Op {
    let acquired = |lock: usize, mode, how| Op::Acquired { lock: LockId(lock as u32), mode, how, count: 0 };
    match step {
        Step::Acquire(lock, mode) => acquired(lock, mode, How::Lock),
        Step::Upgrade(lock) => acquired(lock, Mode::Exclusive, How::Upgrade),
        Step::Release(lock) => Op::Released {
            lock: LockId(lock as u32),
            owner: ThreadId(thread as u32),
            mode: None,
            access: Access::Unknown,
        },
        Step::Fork(child) => Op::Spawn { child: ThreadId(child as u32) },
        Step::Join(child) => Op::Joined { child: ThreadId(child as u32) },
    }
}
