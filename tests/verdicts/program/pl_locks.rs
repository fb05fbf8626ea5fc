//! The programs with parking_lot's locks.

mod locks {
    pub use lockscope_parking_lot::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

    // The few differences between the two families, so that the programs read alike.

    #[track_caller]
    pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock()
    }

    #[track_caller]
    pub fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
        mutex.try_lock()
    }

    #[track_caller]
    pub fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
        lock.read()
    }

    #[track_caller]
    pub fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
        lock.write()
    }

    #[track_caller]
    pub fn wait<'a, T>(condvar: &Condvar, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        condvar.wait(&mut guard);
        guard
    }
}

#[path = "condvars.rs"]
pub mod condvars;
#[path = "misuse.rs"]
pub mod misuse;
#[path = "orders.rs"]
pub mod orders;
#[path = "quiet.rs"]
pub mod quiet;
#[path = "waits.rs"]
pub mod waits;
