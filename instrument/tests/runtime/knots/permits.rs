//! Permits of semaphores.

use std::time::Duration;

use lockscope::{named, sync::Semaphore};

use super::busy;
use crate::scenarios::plain;

fn semaphore(name: &'static str, permits: usize) -> &'static Semaphore {
    Box::leak(Box::new(named(name).semaphore(permits)))
}

/// Two threads that have one permit of each of two semaphores and want one of the other's.
pub fn permits_held_by_waiters() {
    let (one, two) = (semaphore("one", 1), semaphore("two", 1));
    static BOTH: std::sync::Barrier = std::sync::Barrier::new(2);
    let cross = |name, first: &'static Semaphore, second: &'static Semaphore| {
        plain(name, move || {
            let permit = first.acquire();
            BOTH.wait();
            drop(second.acquire());
            drop(permit);
        })
    };
    let threads = [cross("first", one, two), cross("second", two, one)];
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

pub fn permits_held_by_waiters_panic() {
    permits_held_by_waiters();
}

/// Each wants a second permit of one semaphore that has two.
pub fn permits_of_one_semaphore() {
    let semaphore = semaphore("two", 2);
    static BOTH: std::sync::Barrier = std::sync::Barrier::new(2);
    let twice = |name| {
        plain(name, || {
            let permit = semaphore.acquire();
            BOTH.wait();
            drop(semaphore.acquire());
            drop(permit);
        })
    };
    let threads = [twice("first"), twice("second")];
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// The same with a third permit, with a thread that gives it back some time.
pub fn a_permit_is_elsewhere() {
    let semaphore = semaphore("three", 3);
    static ALL: std::sync::Barrier = std::sync::Barrier::new(3);
    let twice = |name| {
        plain(name, || {
            let permit = semaphore.acquire();
            ALL.wait();
            drop(semaphore.acquire());
            drop(permit);
        })
    };
    let threads = [twice("first"), twice("second")];
    let permit = semaphore.acquire();
    ALL.wait();
    std::thread::sleep(Duration::from_millis(2500));
    drop(permit);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Takes a permit for each job and sends it along. By the records it has them all when it wants the next one.
pub fn permits_that_may_be_elsewhere() {
    let slots = std::sync::Arc::new(named("slots").semaphore(2));
    let jobs: Vec<_> = (0..4)
        .map(|_| {
            let permit = slots.acquire_owned();
            plain("job", move || {
                // Longer than anything that is merely suspicious lasts.
                std::thread::sleep(Duration::from_millis(5500));
                drop(permit);
            })
        })
        .collect();
    jobs.into_iter().for_each(|job| job.join().unwrap());
}

/// The same, but it has kept them, and nobody else runs.
pub fn permits_that_are_not_elsewhere() {
    let slots = std::sync::Arc::new(named("slots").semaphore(2));
    let _permits: Vec<_> = (0..3).map(|_| slots.acquire_owned()).collect();
}

/// The same with permits that cannot be elsewhere: certain at once.
pub fn permits_of_one_thread() {
    busy();
    let slots = semaphore("slots", 2);
    let _permits: Vec<_> = (0..3).map(|_| slots.acquire()).collect();
}

/// Permits that were forgotten are not there for those who wait.
pub fn permits_forgotten() {
    let semaphore = semaphore("pool", 2);
    semaphore.acquire().forget();
    semaphore.acquire().forget();
    let waits = plain("waits", || drop(semaphore.acquire()));
    waits.join().unwrap();
}

pub fn permits_forgotten_among_others() {
    busy();
    permits_forgotten();
}

pub fn permits_forgotten_and_added() {
    let semaphore = semaphore("pool", 2);
    semaphore.acquire().forget();
    semaphore.acquire().forget();
    let waits = plain("waits", || drop(semaphore.acquire()));
    std::thread::sleep(Duration::from_millis(300));
    semaphore.add_permits(1);
    waits.join().unwrap();
}
