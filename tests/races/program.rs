//! Accesses to memory that race, and their twins that something orders: what threads can synchronise with, once right and once wrong.
//!
//! Each line of `main` that makes a cell says what `check` must find of it. What races by its orderings only does not in any schedule of the
//! same events, since the one thread reads what the other one wrote. Threads also meet at std's barriers, which lockscope
//! does not see: so the accesses come in the same order in every run, and only what lockscope sees orders them.

use std::sync::{Barrier as Meeting, Mutex as Unseen};

use lockscope::{
    cell::{CellExt as _, Shared, UnsafeCell},
    sync::{
        Barrier, Condvar, Mutex, OnceLock, RwLock, Semaphore,
        atomic::{AtomicU32, Ordering, fence},
        mpsc,
    },
    thread,
};

type Cell = Shared<u32>;

fn main() {
    by_nothing(&Shared::new(0)); // races
    by_mutex(&Shared::new(0), &[&Mutex::new(0), &Mutex::new(0)]); // races
    let one = Mutex::new(0);
    by_mutex(&Shared::new(0), &[&one, &one]); // ordered
    by_rwlock(&Shared::new(0), false); // races
    by_rwlock(&Shared::new(0), true); // ordered
    by_message(&Shared::new(0), false); // races
    by_message(&Shared::new(0), true); // ordered
    by_room(&Shared::new(0), 1); // races
    by_room(&Shared::new(0), 2); // ordered
    by_barrier(&Shared::new(0), false); // races
    by_barrier(&Shared::new(0), true); // ordered
    by_initialiser(&Shared::new(0), false); // races
    by_initialiser(&Shared::new(0), true); // ordered
    by_atomic(&Shared::new(0), [Ordering::Relaxed, Ordering::Acquire]); // races by its orderings
    by_atomic(&Shared::new(0), [Ordering::Release, Ordering::Relaxed]); // races by its orderings
    by_atomic(&Shared::new(0), [Ordering::Release, Ordering::Acquire]); // ordered
    by_fence(&Shared::new(0), false); // races by its orderings
    by_fence(&Shared::new(0), true); // ordered
    by_join(&Shared::new(0), false); // races
    by_join(&Shared::new(0), true); // ordered
    by_token(&Shared::new(0), false); // races
    by_token(&Shared::new(0), true); // ordered
    by_permits(&Shared::new(0), &Semaphore::new(2)); // races
    by_permits(&Shared::new(0), &Semaphore::new(1)); // ordered
    by_notification(&Shared::new(0), false); // races
    by_notification(&Shared::new(0), true); // ordered
    by_what_is_not_seen(&Unseen::new(UnsafeCell::new(0))); // races
    by_what_is_seen(&Unseen::new(UnsafeCell::new(0)), &Mutex::new(0)); // ordered
    let plain = Shared::new(0); // races
    by_version(|| _ = plain.get(), || plain.set(1));
    let atomic = AtomicU32::new(0); // ordered
    by_version(|| _ = atomic.load(Ordering::Relaxed), || atomic.store(1, Ordering::Relaxed));
}

/// Runs both at the same time.
fn together(one: impl FnOnce() + Send, other: impl FnOnce() + Send) {
    thread::scope(|scope| {
        scope.spawn(one);
        scope.spawn(other);
    });
}

/// Runs the one, then the other, in threads that nothing orders.
fn in_turn(one: impl FnOnce() + Send, other: impl FnOnce() + Send) {
    let meeting = Meeting::new(2);
    together(
        || {
            one();
            meeting.wait();
        },
        || {
            meeting.wait();
            other();
        },
    );
}

fn by_nothing(cell: &Cell) {
    in_turn(|| cell.set(1), || cell.set(2));
}

fn by_mutex(cell: &Cell, locks: &[&Mutex<u32>; 2]) {
    let add = |lock: &Mutex<u32>| {
        let _guard = lock.lock().unwrap();
        cell.update(|n| n + 1);
    };
    in_turn(|| add(locks[0]), || add(locks[1]));
}

fn by_rwlock(cell: &Cell, exclusive: bool) {
    let lock = RwLock::new(0);
    let add = || {
        if exclusive {
            let _guard = lock.write().unwrap();
            cell.update(|n| n + 1);
        } else {
            let _guard = lock.read().unwrap();
            cell.update(|n| n + 1);
        }
    };
    in_turn(add, add);
}

fn by_message(cell: &Cell, before: bool) {
    let (sender, receiver) = mpsc::channel();
    let meeting = &Meeting::new(2);
    together(
        move || {
            if before {
                cell.set(1);
            }
            sender.send(()).unwrap();
            if !before {
                cell.set(1);
            }
            meeting.wait();
        },
        move || {
            meeting.wait();
            receiver.recv().unwrap();
            cell.get();
        },
    );
}

/// The second message needs the room of the first one, which is received after the write.
fn by_room(cell: &Cell, messages: u32) {
    let (sender, receiver) = mpsc::sync_channel(1);
    let meeting = &Meeting::new(2);
    together(
        move || {
            (0..messages).for_each(|n| sender.send(n).unwrap());
            meeting.wait();
            cell.get();
        },
        move || {
            cell.set(1);
            receiver.recv().unwrap();
            meeting.wait();
        },
    );
}

fn by_barrier(cell: &Cell, before: bool) {
    let barrier = Barrier::new(2);
    let meeting = Meeting::new(2);
    together(
        || {
            if before {
                cell.set(1);
            }
            barrier.wait();
            if !before {
                cell.set(1);
            }
            meeting.wait();
        },
        || {
            barrier.wait();
            meeting.wait();
            cell.get();
        },
    );
}

fn by_initialiser(cell: &Cell, inside: bool) {
    let once = OnceLock::new();
    in_turn(
        || {
            once.get_or_init(|| {
                if inside {
                    cell.set(1);
                }
            });
            if !inside {
                cell.set(1);
            }
        },
        || {
            once.get_or_init(|| ());
            cell.get();
        },
    );
}

fn by_atomic(cell: &Cell, [store, load]: [Ordering; 2]) {
    let flag = AtomicU32::new(0);
    in_turn(
        || {
            cell.set(1);
            flag.store(1, store);
        },
        || {
            assert_eq!(flag.load(load), 1);
            cell.get();
        },
    );
}

fn by_fence(cell: &Cell, acquire: bool) {
    let flag = AtomicU32::new(0);
    in_turn(
        || {
            cell.set(1);
            fence(Ordering::Release);
            flag.store(1, Ordering::Relaxed);
        },
        || {
            assert_eq!(flag.load(Ordering::Relaxed), 1);
            if acquire {
                fence(Ordering::Acquire);
            }
            cell.get();
        },
    );
}

fn by_join(cell: &Cell, before: bool) {
    let meeting = Meeting::new(2);
    thread::scope(|scope| {
        let child = scope.spawn(|| {
            cell.set(1);
            meeting.wait();
        });
        meeting.wait();
        if before {
            child.join().unwrap();
            cell.get();
        } else {
            cell.get();
            child.join().unwrap();
        }
    });
}

fn by_token(cell: &Cell, before: bool) {
    let meeting = &Meeting::new(2);
    thread::scope(|scope| {
        let parked = scope.spawn(|| {
            meeting.wait();
            thread::park();
            cell.get();
        });
        let parked = parked.thread().clone();
        scope.spawn(move || {
            if before {
                cell.set(1);
            }
            parked.unpark();
            if !before {
                cell.set(1);
            }
            meeting.wait();
        });
    });
}

fn by_permits(cell: &Cell, semaphore: &Semaphore) {
    let add = || {
        let _permit = semaphore.acquire();
        cell.update(|n| n + 1);
    };
    in_turn(add, add);
}

fn by_notification(cell: &Cell, before: bool) {
    let (ready, changed) = (Mutex::new(false), Condvar::new());
    let meeting = Meeting::new(2);
    together(
        || {
            if before {
                cell.set(1);
            }
            *ready.lock().unwrap() = true;
            changed.notify_one();
            if !before {
                cell.set(1);
            }
            meeting.wait();
        },
        || {
            drop(changed.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap());
            meeting.wait();
            cell.get();
        },
    );
}

/// std's mutex makes it safe, and lockscope does not know of that.
fn by_what_is_not_seen(cell: &Unseen<UnsafeCell<u32>>) {
    let write = || {
        let cell = cell.lock().unwrap();
        cell.with_mut(|_| ());
    };
    let read = || {
        let cell = cell.lock().unwrap();
        cell.with(|_| ());
    };
    in_turn(write, read);
}

fn by_what_is_seen(cell: &Unseen<UnsafeCell<u32>>, lock: &Mutex<u32>) {
    let write = || {
        let _guard = lock.lock().unwrap();
        cell.lock().unwrap().with_mut(|_| ());
    };
    let read = || {
        let _guard = lock.lock().unwrap();
        cell.lock().unwrap().with(|_| ());
    };
    in_turn(write, read);
}

/// A sequence lock: who reads looks whether somebody wrote meanwhile, which is too late for anything but atomics.
fn by_version(read: impl Fn() + Sync, write: impl Fn() + Sync) {
    let version = AtomicU32::new(0);
    let read = || {
        let before = version.load(Ordering::Acquire);
        read();
        fence(Ordering::Acquire);
        assert_eq!(version.load(Ordering::Relaxed), before);
    };
    let write = || {
        version.fetch_add(1, Ordering::AcqRel);
        write();
        version.fetch_add(1, Ordering::Release);
    };
    in_turn(read, write);
}
