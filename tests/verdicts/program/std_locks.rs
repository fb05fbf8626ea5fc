//! The programs with std's locks, as lockscope has them.

mod locks {
    pub use lockscope::sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

    // The few differences between the two families, so that the programs read alike.

    #[track_caller]
    pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap()
    }

    #[track_caller]
    pub fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
        mutex.try_lock().ok()
    }

    #[track_caller]
    pub fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
        lock.read().unwrap()
    }

    #[track_caller]
    pub fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
        lock.write().unwrap()
    }

    #[track_caller]
    pub fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        condvar.wait(guard).unwrap()
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
