//! What the child does until it is killed: threads that use a few locks in every way that there is, and write down in the tally
//! what they did after each operation has returned.

use std::{
    cell::RefCell,
    panic::Location,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use lockscope::rt::{Hold, Mode, Spawned};

use crate::{
    lock::Lock,
    tally::{Did, Entry, Tally},
};

/// Threads that work until they are killed.
pub const WORKERS: usize = 8;
/// Log of the thread that spawns short-lived ones.
pub const SPAWNER: usize = WORKERS;
/// Log of the short-lived threads, one after the other.
pub const SHORT: usize = WORKERS + 1;

/// Environment variables: where the tally is, and what the random numbers begin with.
pub const TALLY: &str = "LOCKSCOPE_STRESS_TALLY";
pub const SEED: &str = "LOCKSCOPE_STRESS_SEED";

/// Taken in this order only, so that nothing deadlocks and nothing is to be reported.
static LOCKS: [Lock; 6] =
    [Lock::mutex("0"), Lock::rwlock("1"), Lock::mutex("2"), Lock::rwlock("3"), Lock::mutex("4"), Lock::rwlock("5")];
static CONDVAR: Lock = Lock::condvar("condvar");

/// How often each lock was held exclusively. Written under it only, with plain moves: so it shows who was first.
static TRUTH: [AtomicU32; LOCKS.len()] = [const { AtomicU32::new(0) }; LOCKS.len()];

pub fn is_rwlock(lock: usize) -> bool {
    lock % 2 == 1
}

/// A generator that is the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

pub fn run() {
    let variable = |name| std::env::var(name).expect("set by the parent");
    let tally = Arc::new(Tally::open(Path::new(&variable(TALLY))));
    let seed: u64 = variable(SEED).parse().expect("a number");
    let mut threads = Vec::new();
    for slot in 0..WORKERS {
        let tally = tally.clone();
        let work = move || {
            let worker =
                Worker { tally: &tally, slot, thread: 0, random: RefCell::new(Random((seed << 8) + slot as u64 + 1)) };
            while worker.step() {}
        };
        threads.push(std::thread::Builder::new().name(format!("worker-{slot}")).spawn(work).expect("a thread"));
    }
    let spawner = move || while let Some(true) = spawn_short(&tally, seed) {};
    threads.push(std::thread::Builder::new().name("spawner".to_owned()).spawn(spawner).expect("a thread"));
    threads.into_iter().for_each(|thread| thread.join().expect("no thread panics"));
}

/// Spawns a short-lived thread and joins it.
fn spawn_short(tally: &Arc<Tally>, seed: u64) -> Option<bool> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let thread = u16::try_from(NEXT.fetch_add(1, Ordering::Relaxed)).ok()?;
    let name = format!("short-{thread}");
    let spawned = Spawned::new(Some(&name), Location::caller());
    let log = |did| tally.push(SPAWNER, Entry { did, lock: 0, thread, truth: 0 });
    log(Did::Spawn);
    let inner = tally.clone();
    let body = move || {
        spawned.run(|| {
            let random = RefCell::new(Random((seed << 32) + (u64::from(thread) << 8) + 0xff));
            let worker = Worker { tally: &inner, slot: SHORT, thread, random };
            worker.log(Did::Start, 0);
            for _ in 0..20 {
                worker.step();
            }
        });
        inner.push(SHORT, Entry { did: Did::Exit, lock: 0, thread, truth: 0 });
    };
    let child = std::thread::Builder::new().name(name).spawn(body).expect("a thread");
    spawned.join(Location::caller(), || child.join()).expect("no thread panics");
    Some(log(Did::Joined))
}

struct Worker<'a> {
    tally: &'a Tally,
    slot: usize,
    thread: u16,
    random: RefCell<Random>,
}

impl Worker<'_> {
    fn below(&self, n: u64) -> u64 {
        self.random.borrow_mut().below(n)
    }

    fn log(&self, did: Did, lock: usize) -> bool {
        let truth = TRUTH[lock].load(Ordering::Relaxed);
        self.tally.push(self.slot, Entry { did, lock: lock as u8, thread: self.thread, truth })
    }

    /// Counts an exclusive acquisition under the lock, then logs it.
    fn log_exclusive(&self, did: Did, lock: usize) {
        let truth = TRUTH[lock].load(Ordering::Relaxed) + 1;
        TRUTH[lock].store(truth, Ordering::Relaxed);
        self.log(did, lock);
    }

    /// Takes up to three locks in ascending order and releases them in any order. False when the log is full.
    fn step(&self) -> bool {
        let mut holds: Vec<(usize, Hold)> = Vec::new();
        let mut lock = self.below(LOCKS.len() as u64) as usize;
        while lock < LOCKS.len() && holds.len() < 3 {
            if let Some(hold) = self.take(lock) {
                holds.push((lock, hold));
            }
            lock += 1 + self.below(4) as usize;
        }
        let mut is_room = true;
        while !holds.is_empty() {
            let (lock, hold) = holds.swap_remove(self.below(holds.len() as u64) as usize);
            let hold = self.downgrade(lock, hold);
            LOCKS[lock].unlock(hold);
            is_room = self.log(Did::Release, lock);
        }
        is_room
    }

    fn take(&self, index: usize) -> Option<Hold> {
        let lock = &LOCKS[index];
        match (is_rwlock(index), self.below(10)) {
            (false, 0) | (true, 0) => match lock.try_lock() {
                Some(hold) => {
                    self.log_exclusive(Did::TryLock, index);
                    return Some(hold);
                }
                None => {
                    self.log(Did::TryFailed, index);
                    return None;
                }
            },
            (false, 1) => {
                let mut hold = lock.lock();
                self.log_exclusive(Did::Lock, index);
                lock.spurious_wait(&CONDVAR, &mut hold);
                self.log(Did::CondWait, index);
                self.log(Did::Release, index);
                self.log_exclusive(Did::Reacquire, index);
                self.log(Did::CondWake, index);
                return Some(hold);
            }
            (true, 1..=4) => {
                let hold = lock.read();
                self.log(Did::Read, index);
                return Some(hold);
            }
            (true, 5) => {
                let hold = lock.try_read();
                self.log(if hold.is_some() { Did::TryRead } else { Did::TryFailed }, index);
                return hold;
            }
            (true, 6..=7) => {
                let mut hold = lock.upgradable();
                self.log(Did::Upgradable, index);
                if self.below(2) == 0 {
                    lock.upgrade(&mut hold);
                    self.log_exclusive(Did::Upgrade, index);
                }
                return Some(hold);
            }
            _ => {}
        }
        let hold = lock.lock();
        self.log_exclusive(Did::Lock, index);
        Some(hold)
    }

    /// Makes some holds shared before they end.
    fn downgrade(&self, index: usize, mut hold: Hold) -> Hold {
        if is_rwlock(index) && hold.mode() != Mode::Shared && self.below(3) == 0 {
            LOCKS[index].downgrade(&mut hold);
            self.log(Did::Downgrade, index);
        }
        hold
    }
}
