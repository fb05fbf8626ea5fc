//! Functions from before `new` was `const`.

use lock_api::GetThreadId;

use super::RawRwLock;
use crate::{
    FairMutex, Mutex, RawFairMutex, RawMutex, RawThreadId, ReentrantMutex, RwLock,
    instrumented::{mutex, reentrant, rwlock},
};

/// Makes an unlocked mutex, as `Mutex::new`.
#[track_caller]
#[inline]
pub const fn const_mutex<T>(val: T) -> Mutex<T> {
    Mutex::new(val)
}

/// Makes an unlocked fair mutex, as `FairMutex::new`.
#[track_caller]
#[inline]
pub const fn const_fair_mutex<T>(val: T) -> FairMutex<T> {
    FairMutex::new(val)
}

/// Makes an unlocked reentrant mutex, as `ReentrantMutex::new`.
#[track_caller]
#[inline]
pub const fn const_reentrant_mutex<T>(val: T) -> ReentrantMutex<T> {
    ReentrantMutex::from_raw(RawMutex::UNLOCKED, <RawThreadId as GetThreadId>::INIT, val)
}

/// Makes an unlocked read-write lock, as `RwLock::new`.
#[track_caller]
#[inline]
pub const fn const_rwlock<T>(val: T) -> RwLock<T> {
    RwLock::new(val)
}

impl<T> mutex::Mutex<RawMutex, T> {
    /// Makes a mutex from a raw one, as [`from_raw`](Self::from_raw).
    #[track_caller]
    #[inline]
    pub const fn const_new(raw_mutex: RawMutex, val: T) -> Self {
        Self::from_raw(raw_mutex, val)
    }
}

impl<T> mutex::Mutex<RawFairMutex, T> {
    /// Makes a mutex from a raw one, as [`from_raw`](Self::from_raw).
    #[track_caller]
    #[inline]
    pub const fn const_new(raw_mutex: RawFairMutex, val: T) -> Self {
        Self::from_raw(raw_mutex, val)
    }
}

impl<G, T> reentrant::ReentrantMutex<RawMutex, G, T> {
    /// Makes a mutex from a raw one and a helper that tells threads apart, as [`from_raw`](Self::from_raw).
    #[track_caller]
    #[inline]
    pub const fn const_new(raw_mutex: RawMutex, get_thread_id: G, val: T) -> Self {
        Self::from_raw(raw_mutex, get_thread_id, val)
    }
}

impl<T> rwlock::RwLock<RawRwLock, T> {
    /// Makes a lock from a raw one, as [`from_raw`](Self::from_raw).
    #[track_caller]
    #[inline]
    pub const fn const_new(raw_rwlock: RawRwLock, val: T) -> Self {
        Self::from_raw(raw_rwlock, val)
    }
}
