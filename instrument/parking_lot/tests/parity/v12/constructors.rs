use std::cell::Cell;

use super::super::subject::{
    FairMutex, Mutex, RawFairMutex, RawMutex, RawRwLock, RawThreadId, ReentrantMutex, RwLock, const_fair_mutex,
    const_mutex, const_reentrant_mutex, const_rwlock,
    lock_api::{GetThreadId as _, RawMutex as _, RawRwLock as _},
};

static MUTEX: Mutex<u8> = const_mutex(1);
static FAIR: FairMutex<u8> = const_fair_mutex(2);
static REENTRANT: ReentrantMutex<Cell<u8>> = const_reentrant_mutex(Cell::new(3));
static RWLOCK: RwLock<u8> = const_rwlock(4);
static OF_RAW: (Mutex<u8>, FairMutex<u8>, RwLock<u8>) = (
    Mutex::const_new(RawMutex::INIT, 5),
    FairMutex::const_new(RawFairMutex::INIT, 6),
    RwLock::const_new(RawRwLock::INIT, 7),
);
static REENTRANT_OF_RAW: ReentrantMutex<u8> = ReentrantMutex::const_new(RawMutex::INIT, RawThreadId::INIT, 8);

#[test]
fn constructors() {
    assert_eq!((*MUTEX.lock(), *FAIR.lock(), REENTRANT.lock().get(), *RWLOCK.read()), (1, 2, 3, 4));
    assert_eq!((*OF_RAW.0.lock(), *OF_RAW.1.lock(), *OF_RAW.2.read(), *REENTRANT_OF_RAW.lock()), (5, 6, 7, 8));
}
