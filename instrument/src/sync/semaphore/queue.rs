//! Permits, and the line of those who wait for them.
//!
//! Permits that come back are given to the first in line, under the lock, so that nobody can take them in between; whoever
//! asks while others are in line has to join it. A request for many permits is thus not passed by small ones for ever.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

#[derive(Debug)]
pub(super) struct Queue(Mutex<State>);

#[derive(Debug)]
struct State {
    available: usize,
    waiting: VecDeque<Arc<Waiter>>,
}

/// One who waits. With a condition variable of its own, so that nobody is woken in vain.
#[derive(Debug)]
struct Waiter {
    needed: usize,
    /// It has its permits. Changed under the queue's lock.
    is_served: AtomicBool,
    woken: Condvar,
}

impl Queue {
    pub(super) const fn new(permits: usize) -> Self {
        Self(Mutex::new(State { available: permits, waiting: VecDeque::new() }))
    }

    /// Takes permits if that is possible without waiting.
    pub(super) fn try_take(&self, n: usize) -> bool {
        self.lock().try_take(n)
    }

    /// Takes permits, waiting until `deadline` at most. False when time ran out.
    pub(super) fn take(&self, n: usize, deadline: Option<Instant>) -> bool {
        let mut state = self.lock();
        if state.try_take(n) {
            return true;
        }
        let waiter = Arc::new(Waiter { needed: n, is_served: AtomicBool::new(false), woken: Condvar::new() });
        state.waiting.push_back(Arc::clone(&waiter));
        loop {
            state = match deadline {
                None => waiter.woken.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let rest = deadline.saturating_duration_since(Instant::now());
                    waiter.woken.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0
                }
            };
            if waiter.is_served.load(Ordering::Relaxed) {
                return true;
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                state.waiting.retain(|other| !Arc::ptr_eq(other, &waiter));
                // It may have been the only one for whom there were too few.
                state.serve();
                return false;
            }
        }
    }

    /// Adds permits, or gives them back.
    pub(super) fn give(&self, n: usize) {
        let mut state = self.lock();
        state.available = state.available.saturating_add(n);
        state.serve();
    }

    /// Takes as many permits as there are, at most `n`, past those who wait.
    pub(super) fn take_up_to(&self, n: usize) -> usize {
        let mut state = self.lock();
        let taken = n.min(state.available);
        state.available -= taken;
        taken
    }

    pub(super) fn available(&self) -> usize {
        self.lock().available
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn try_take(&mut self, n: usize) -> bool {
        let is_possible = n == 0 || (self.waiting.is_empty() && n <= self.available);
        if is_possible {
            self.available -= n;
        }
        is_possible
    }

    /// Gives permits to those in line for whom there are enough.
    fn serve(&mut self) {
        while let Some(first) = self.waiting.front().filter(|first| first.needed <= self.available) {
            self.available -= first.needed;
            first.is_served.store(true, Ordering::Relaxed);
            first.woken.notify_one();
            self.waiting.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_passes_the_line() {
        let mut state = State { available: 3, waiting: VecDeque::new() };
        assert!(state.try_take(1) && !state.try_take(3));
        let waiter = |needed| Arc::new(Waiter { needed, is_served: AtomicBool::new(false), woken: Condvar::new() });
        let (many, one) = (waiter(3), waiter(1));
        state.waiting.extend([Arc::clone(&many), Arc::clone(&one)]);
        // There are two, but somebody waits for three.
        assert!(!state.try_take(1));
        assert!(state.try_take(0));
        state.serve();
        let served = |waiter: &Waiter| waiter.is_served.load(Ordering::Relaxed);
        assert!(!served(&many) && !served(&one));
        state.available += 1;
        state.serve();
        assert!(served(&many) && !served(&one));
        state.available += 1;
        state.serve();
        assert!(served(&one) && state.waiting.is_empty());
        assert_eq!(state.available, 0);
    }

    #[test]
    fn one_who_gives_up_does_not_hold_up_others() {
        let queue = Queue::new(1);
        let too_late = Instant::now();
        std::thread::scope(|scope| {
            let gives_up = scope.spawn(|| queue.take(2, Some(too_late)));
            let waits = scope.spawn(|| queue.take(1, None));
            assert!(!gives_up.join().unwrap() && waits.join().unwrap());
        });
        assert_eq!(queue.available(), 0);
    }

    #[test]
    fn takes_what_there_is() {
        let queue = Queue::new(5);
        queue.give(1);
        assert_eq!((queue.take_up_to(4), queue.take_up_to(4), queue.available()), (4, 2, 0));
    }
}
