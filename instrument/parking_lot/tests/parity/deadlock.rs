//! `check_deadlock`, on deadlocks whose threads hang until the process ends.

use std::{
    sync::{Arc, Barrier},
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use crate::facade_crate::{FairMutex, Mutex, Once, ReentrantMutex, RwLock, deadlock};

/// Longer than any deadlock takes to close on the slowest machine; only a failure waits for it.
const WATCHDOG: Duration = Duration::from_secs(300);

/// Runs functions in threads of their own, which will hang; each is given a barrier to meet the others at.
fn hang<const N: usize>(functions: [Box<dyn FnOnce(&Barrier) + Send>; N]) -> Vec<ThreadId> {
    let barrier = Arc::new(Barrier::new(N));
    functions
        .map(|f| {
            let barrier = barrier.clone();
            thread::spawn(move || f(&barrier)).thread().id()
        })
        .into()
}

/// The next deadlock: the ids of its threads, sorted, and all backtraces.
fn next() -> (Vec<ThreadId>, String) {
    let started = Instant::now();
    loop {
        let deadlocks = deadlock::check_deadlock();
        if let Some(threads) = deadlocks.first() {
            assert_eq!(deadlocks.len(), 1, "one deadlock at a time");
            let ids = threads.iter().map(|thread| thread.thread_id()).collect();
            let backtraces = threads.iter().map(|thread| format!("{:?}\n", thread.backtrace())).collect();
            return (ids, backtraces);
        }
        assert!(started.elapsed() < WATCHDOG, "no deadlock was found");
        thread::yield_now();
    }
}

fn check(hanging: Vec<ThreadId>, function: &str) {
    let (mut ids, backtraces) = next();
    // Ids have no order; there are few.
    assert_eq!(ids.len(), hanging.len(), "{backtraces}");
    ids.retain(|id| !hanging.contains(id));
    assert!(ids.is_empty(), "other threads than those that hang");
    assert!(backtraces.matches(function).count() >= hanging.len(), "`{function}` is missing in\n{backtraces}");
    assert!(deadlock::check_deadlock().is_empty(), "each deadlock is returned once");
}

fn over_two_mutexes() -> Vec<ThreadId> {
    let a = Arc::new((Mutex::new(()), FairMutex::new(())));
    let b = a.clone();
    hang([
        Box::new(move |barrier| {
            let _first = a.0.lock();
            barrier.wait();
            drop(a.1.lock());
        }),
        Box::new(move |barrier| {
            let _second = b.1.lock();
            barrier.wait();
            drop(b.0.lock());
        }),
    ])
}

fn over_its_own_mutex() -> Vec<ThreadId> {
    hang([Box::new(|_| {
        let mutex = Mutex::new(());
        let _guard = mutex.lock();
        drop(mutex.lock());
    })])
}

fn over_an_initialiser() -> Vec<ThreadId> {
    let a = Arc::new((Once::new(), ReentrantMutex::new(())));
    let b = a.clone();
    hang([
        Box::new(move |barrier| {
            a.0.call_once(|| {
                barrier.wait();
                drop(a.1.lock());
            });
        }),
        Box::new(move |barrier| {
            let _guard = b.1.lock();
            let _again = b.1.lock();
            barrier.wait();
            b.0.call_once(|| unreachable!("the other thread is at it"));
        }),
    ])
}

fn over_a_read_behind_a_writer() -> Vec<ThreadId> {
    let a = Arc::new(RwLock::new(()));
    let b = a.clone();
    hang([
        Box::new(move |barrier| {
            let _reader = a.read();
            barrier.wait();
            // Until the writer waits.
            while a.try_read().is_some() {
                thread::yield_now();
            }
            drop(a.read());
        }),
        Box::new(move |barrier| {
            barrier.wait();
            drop(b.write());
        }),
    ])
}

#[test]
fn deadlocks_are_returned_once() {
    assert!(deadlock::check_deadlock().is_empty());
    check(over_two_mutexes(), "over_two_mutexes");
    check(over_its_own_mutex(), "over_its_own_mutex");
    check(over_an_initialiser(), "over_an_initialiser");
    check(over_a_read_behind_a_writer(), "over_a_read_behind_a_writer");
    // One that will dissolve by itself is none.
    let mutex = Mutex::new(());
    let _guard = mutex.lock();
    assert!(mutex.try_lock_for(Duration::from_millis(1)).is_none());
    assert!(deadlock::check_deadlock().is_empty());
}
