//! What is done in several steps, torn and whole: small programs by name. `tests/atomicity/main.rs` says what is to be found in each.
//!
//! Threads meet at std's barriers, which lockscope does not see: they make sure that what is to happen does.

use std::{collections::HashMap, sync::Barrier, thread::scope};

use lockscope::{
    atomic_region,
    sync::atomic::{
        AtomicBool, AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, SeqCst},
    },
};
use lockscope_parking_lot::{Mutex, RwLock};

/// Runs `first`, the other thread's `other`, and `second`, one after the other.
fn between(first: impl FnOnce(), other: impl FnOnce() + Send, second: impl FnOnce()) {
    let met = Barrier::new(2);
    scope(|scope| {
        scope.spawn(|| {
            met.wait();
            other();
            met.wait();
        });
        first();
        met.wait();
        met.wait();
        second();
    });
}

/// Runs the one thread, and then the other.
fn in_turn(one: impl FnOnce() + Send, other: impl FnOnce() + Send) {
    let met = Barrier::new(2);
    scope(|scope| {
        scope.spawn(|| {
            one();
            met.wait();
        });
        scope.spawn(|| {
            met.wait();
            other();
        });
    });
}

fn counter_torn() {
    let hits = AtomicU64::new(0);
    let mut seen = 0;
    between(
        || seen = hits.load(SeqCst),                  // the counter is read
        || hits.store(hits.load(SeqCst) + 1, SeqCst), // the update that is lost
        || hits.store(1, SeqCst),                     // the counter is overwritten
    );
    assert_eq!((seen, hits.load(SeqCst)), (0, 1));
}

fn counter_whole() {
    let hits = AtomicU64::new(0);
    between(|| _ = hits.load(SeqCst), || _ = hits.fetch_add(1, SeqCst), || _ = hits.fetch_add(1, SeqCst));
}

fn counter_compared() {
    let hits = AtomicU64::new(0);
    let add = || while hits.compare_exchange(hits.load(Relaxed), hits.load(Relaxed) + 1, AcqRel, Relaxed).is_err() {};
    between(add, add, add);
}

fn counter_in_turn() {
    let hits = AtomicU64::new(0);
    let add = || {
        let seen = hits.load(Acquire);
        hits.store(seen + 1, SeqCst);
    };
    in_turn(add, add);
}

fn balance_torn() {
    let account = Mutex::new(10u64);
    let mut seen = 0;
    between(
        || seen = *account.lock(), // the balance is read
        || *account.lock() += 5,   // the deposit that is lost
        || *account.lock() = 11,   // the balance is overwritten
    );
    assert_eq!(seen, 10);
}

fn balance_whole() {
    let account = Mutex::new(10u64);
    between(|| *account.lock() += 1, || *account.lock() += 5, || *account.lock() += 1);
}

fn balance_in_turn() {
    let account = Mutex::new(10u64);
    let deposit = |amount| {
        let seen = *account.lock();
        *account.lock() = seen + amount;
    };
    in_turn(|| deposit(1), || deposit(5));
}

fn balance_behind_a_gate() {
    let (account, gate) = (Mutex::new(10u64), Mutex::new(()));
    let deposit = |amount| {
        let _gate = gate.lock();
        let seen = *account.lock();
        *account.lock() = seen + amount;
    };
    in_turn(|| deposit(1), || deposit(5));
}

fn cache_torn() {
    let cache = RwLock::new(HashMap::new());
    let mut is_missing = false;
    between(
        || is_missing = !cache.read().contains_key(&1), // the check
        || _ = cache.write().insert(1, "theirs"),       // what makes it wrong
        || _ = cache.write().insert(1, "mine"),         // the act
    );
    assert!(is_missing);
}

#[expect(clippy::map_entry, reason = "looking again is what this shows")]
fn cache_looked_again() {
    let cache = RwLock::new(HashMap::new());
    between(
        || assert!(!cache.read().contains_key(&1)),
        || _ = cache.write().insert(1, "theirs"),
        || {
            let mut cache = cache.write();
            if !cache.contains_key(&1) {
                cache.insert(1, "mine");
            }
        },
    );
}

fn flag_torn() {
    let started = AtomicBool::new(false);
    between(|| assert!(!started.load(SeqCst)), || started.store(true, SeqCst), || started.store(true, SeqCst));
}

fn flag_swapped() {
    let started = AtomicBool::new(false);
    between(|| assert!(!started.load(SeqCst)), || _ = started.swap(true, SeqCst), || _ = started.swap(true, SeqCst));
}

fn region_torn() {
    let (from, to) = (Mutex::new(10u64), Mutex::new(0u64));
    let mut region = None;
    between(
        || {
            region = Some(atomic_region("transfer"));
            *from.lock() -= 5;
        },
        || assert_eq!(*from.lock() + *to.lock(), 5, "money is nowhere"),
        || *to.lock() += 5,
    );
    drop(region);
}

fn region_whole() {
    let (bank, from, to) = (Mutex::new(()), Mutex::new(10u64), Mutex::new(0u64));
    in_turn(
        || {
            let _region = atomic_region("transfer");
            let _bank = bank.lock();
            *from.lock() -= 5;
            *to.lock() += 5;
        },
        || {
            let _bank = bank.lock();
            assert_eq!(*from.lock() + *to.lock(), 10);
        },
    );
}

macro_rules! scenarios {
    ($($name:ident)*) => { &[$((stringify!($name), $name as fn())),*] };
}

const SCENARIOS: &[(&str, fn())] = scenarios! {
    counter_torn counter_whole counter_compared counter_in_turn balance_torn balance_whole balance_in_turn balance_behind_a_gate
    cache_torn cache_looked_again flag_torn flag_swapped region_torn region_whole
};

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    match SCENARIOS.iter().find(|(known, _)| *known == name) {
        Some((_, scenario)) => scenario(),
        None => SCENARIOS.iter().for_each(|(name, _)| println!("{name}")),
    }
}
