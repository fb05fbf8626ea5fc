//! Locks from constants: as parking_lot makes them, but made where the function is called.

use lock_api::GetThreadId;
use real::{FairMutex, Mutex, RawFairMutex, RawMutex, RawRwLock, RawThreadId, ReentrantMutex, RwLock};

/// Makes an unlocked mutex.
#[track_caller]
#[inline]
pub const fn const_mutex<T>(val: T) -> Mutex<T> {
    Mutex::from_raw(<RawMutex as lock_api::RawMutex>::INIT, val)
}

/// Makes an unlocked fair mutex.
#[track_caller]
#[inline]
pub const fn const_fair_mutex<T>(val: T) -> FairMutex<T> {
    FairMutex::from_raw(<RawFairMutex as lock_api::RawMutex>::INIT, val)
}

/// Makes an unlocked reentrant mutex.
#[track_caller]
#[inline]
pub const fn const_reentrant_mutex<T>(val: T) -> ReentrantMutex<T> {
    ReentrantMutex::from_raw(<RawMutex as lock_api::RawMutex>::INIT, <RawThreadId as GetThreadId>::INIT, val)
}

/// Makes an unlocked read-write lock.
#[track_caller]
#[inline]
pub const fn const_rwlock<T>(val: T) -> RwLock<T> {
    RwLock::from_raw(<RawRwLock as lock_api::RawRwLock>::INIT, val)
}
