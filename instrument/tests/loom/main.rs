//! How waits are published and searched, how the watch is called, how accesses to memory are numbered, and how lock orders are remembered,
//! under loom: every interleaving, and every reordering that the memory model allows.
//!
//! `tests/loom.sh` runs it. The files included are the runtime's own; `model` takes the place of the one that gives them std's atomics.
#![cfg(loom)]

mod model {
    pub(super) use loom::{
        hint::spin_loop,
        sync::atomic::{AtomicU32, AtomicU64, fence},
        thread::yield_now,
    };
    pub(super) use std::sync::atomic::Ordering;

    /// Asked once, so that going on without a turn is explored as well.
    pub(super) const SPINS: u32 = 0;
    pub(super) const YIELDS: u32 = 1;
}

mod memory;
mod order;

#[path = "../../src/rt/bell.rs"]
mod bell;
#[path = "../../src/rt/episode.rs"]
mod episode;

use bell::Bell;
use episode::Episodes;
use loom::{
    sync::{Arc, atomic::AtomicU32},
    thread,
};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// What searches read of a thread.
#[derive(Default)]
struct Thread {
    /// A lock that it holds, noted as in `held`.
    held: AtomicU32,
    episodes: Episodes,
    /// Two fields of its wait.
    what: [AtomicU32; 2],
}

impl Thread {
    fn wait(&self, what: u32) {
        self.episodes.prepare();
        self.what.iter().for_each(|field| field.store(what, Relaxed));
        self.episodes.begin();
    }

    /// A wait as searches read it: its number and what it is for.
    fn read(&self) -> Option<(u64, [u32; 2])> {
        let episode = self.episodes.current()?;
        let what = [0, 1].map(|field| self.what[field].load(Relaxed));
        self.episodes.is_still(episode).then_some((episode, what))
    }
}

/// Each of `N` threads takes a lock, publishes its wait, and looks for the others. One of them must see all of it.
fn one_sees_all<const N: usize>() {
    let threads: Arc<[Thread; N]> = Arc::new(std::array::from_fn(|_| Thread::default()));
    let run = |me: usize| {
        let threads = Arc::clone(&threads);
        move || {
            threads[me].held.store(1, Release);
            threads[me].wait(1);
            let sees = |other: &Thread| other.read().is_some() && other.held.load(Acquire) == 1;
            threads.iter().all(sees)
        }
    };
    let others: Vec<_> = (1..N).map(|me| thread::spawn(run(me))).collect();
    let mut is_found = run(0)();
    for other in others {
        is_found |= other.join().unwrap();
    }
    assert!(is_found, "each thread missed another one");
}

#[test]
fn the_last_of_two_to_wait_sees_both() {
    loom::model(one_sees_all::<2>);
}

#[test]
fn the_last_of_three_to_wait_sees_all() {
    loom::model(one_sees_all::<3>);
}

#[test]
fn what_is_read_of_a_wait_belongs_together() {
    loom::model(|| {
        let one = Arc::new(Thread::default());
        let owner = Arc::clone(&one);
        let owner = thread::spawn(move || {
            for what in [1, 2] {
                owner.wait(what);
                owner.episodes.end();
            }
        });
        if let Some((episode, [first, second])) = one.read() {
            assert_eq!((u64::from(first), u64::from(second)), (episode.div_ceil(2), episode.div_ceil(2)));
        }
        owner.join().unwrap();
    });
}

/// A thread waits while it holds a lock, releases the lock, and waits again. Nobody must take it for one that holds the lock in its second
/// wait: that would make up a cycle.
#[test]
fn what_a_waiting_thread_holds_is_of_that_time() {
    loom::model(|| {
        let one = Arc::new(Thread::default());
        let owner = Arc::clone(&one);
        let owner = thread::spawn(move || {
            owner.held.store(1, Release);
            owner.wait(1);
            owner.episodes.end();
            owner.held.store(0, Release);
            owner.wait(2);
        });
        if let Some((episode, what)) = one.read() {
            let held = one.held.load(Acquire);
            if one.episodes.is_still(episode) {
                assert_eq!(held, u32::from(what == [1, 1]), "episode {episode}");
            }
        }
        owner.join().unwrap();
    });
}

/// `N` threads publish their waits and call the watch, which must see each of them, whether it was parked or about to.
fn watch_sees<const N: usize>() {
    struct Shared<const N: usize> {
        threads: [Thread; N],
        bell: Bell,
    }
    let shared: Arc<Shared<N>> =
        Arc::new(Shared { threads: std::array::from_fn(|_| Thread::default()), bell: Bell::default() });
    let watch = thread::current();
    let callers: Vec<_> = (0..N)
        .map(|me| {
            let (shared, watch) = (Arc::clone(&shared), watch.clone());
            thread::spawn(move || {
                shared.threads[me].wait(1);
                // Who rings has not to do so if somebody else has.
                if !shared.bell.is_rung() && shared.bell.ring() {
                    watch.unpark();
                }
            })
        })
        .collect();
    loop {
        shared.bell.answer();
        if shared.threads.iter().all(|thread| thread.episodes.current().is_some()) {
            break;
        }
        // Loom fails when it parks for ever.
        if shared.bell.lie_down() {
            thread::park();
        }
    }
    callers.into_iter().for_each(|caller| caller.join().unwrap());
}

#[test]
fn a_call_is_heard() {
    loom::model(watch_sees::<1>);
}

#[test]
fn two_calls_are_heard() {
    let mut model = loom::model::Builder::new();
    // With 5 it takes half a minute, without a bound longer than anybody has waited.
    model.preemption_bound = model.preemption_bound.or(Some(4));
    model.check(watch_sees::<2>);
}
