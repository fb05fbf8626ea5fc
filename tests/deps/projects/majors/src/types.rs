//! parking_lot's types are lock_api's over its raw locks, in both majors, and each line says so in both directions.

/// The same type by two names: there is a function from one to the other that does nothing.
macro_rules! same {
    ($($one:ty = $other:ty),+ $(,)?) => { $(
        const _: (fn($one) -> $other, fn($other) -> $one) = (|it| it, |it| it);
    )+ };
}

type Guarded = Vec<u8>;

mod thirteen {
    use lock_api_05 as lock_api;
    use parking_lot_13 as parking_lot;

    use super::Guarded;

    same!(
        parking_lot::Mutex<Guarded> = lock_api::Mutex<parking_lot::RawMutex, Guarded>,
        parking_lot::MutexGuard<'static, Guarded> = lock_api::MutexGuard<'static, parking_lot::RawMutex, Guarded>,
        parking_lot::MappedMutexGuard<'static, Guarded> = lock_api::MappedMutexGuard<'static, parking_lot::RawMutex, Guarded>,
        parking_lot::ArcMutexGuard<parking_lot::RawMutex, Guarded> = lock_api::ArcMutexGuard<parking_lot::RawMutex, Guarded>,
        parking_lot::FairMutex<Guarded> = lock_api::Mutex<parking_lot::RawFairMutex, Guarded>,
        parking_lot::FairMutexGuard<'static, Guarded> = lock_api::MutexGuard<'static, parking_lot::RawFairMutex, Guarded>,
        parking_lot::MappedFairMutexGuard<'static, Guarded> =
            lock_api::MappedMutexGuard<'static, parking_lot::RawFairMutex, Guarded>,
        parking_lot::ReentrantMutex<Guarded> =
            lock_api::ReentrantMutex<parking_lot::RawMutex, parking_lot::RawThreadId, Guarded>,
        parking_lot::ReentrantMutexGuard<'static, Guarded> =
            lock_api::ReentrantMutexGuard<'static, parking_lot::RawMutex, parking_lot::RawThreadId, Guarded>,
        parking_lot::MappedReentrantMutexGuard<'static, Guarded> =
            lock_api::MappedReentrantMutexGuard<'static, parking_lot::RawMutex, parking_lot::RawThreadId, Guarded>,
        parking_lot::ArcReentrantMutexGuard<parking_lot::RawMutex, parking_lot::RawThreadId, Guarded> =
            lock_api::ArcReentrantMutexGuard<parking_lot::RawMutex, parking_lot::RawThreadId, Guarded>,
        parking_lot::RwLock<Guarded> = lock_api::RwLock<parking_lot::RawRwLock, Guarded>,
        parking_lot::RwLockReadGuard<'static, Guarded> = lock_api::RwLockReadGuard<'static, parking_lot::RawRwLock, Guarded>,
        parking_lot::RwLockWriteGuard<'static, Guarded> = lock_api::RwLockWriteGuard<'static, parking_lot::RawRwLock, Guarded>,
        parking_lot::RwLockUpgradableReadGuard<'static, Guarded> =
            lock_api::RwLockUpgradableReadGuard<'static, parking_lot::RawRwLock, Guarded>,
        parking_lot::MappedRwLockReadGuard<'static, Guarded> =
            lock_api::MappedRwLockReadGuard<'static, parking_lot::RawRwLock, Guarded>,
        parking_lot::MappedRwLockWriteGuard<'static, Guarded> =
            lock_api::MappedRwLockWriteGuard<'static, parking_lot::RawRwLock, Guarded>,
        parking_lot::ArcRwLockReadGuard<parking_lot::RawRwLock, Guarded> =
            lock_api::ArcRwLockReadGuard<parking_lot::RawRwLock, Guarded>,
        parking_lot::ArcRwLockWriteGuard<parking_lot::RawRwLock, Guarded> =
            lock_api::ArcRwLockWriteGuard<parking_lot::RawRwLock, Guarded>,
        parking_lot::ArcRwLockUpgradableReadGuard<parking_lot::RawRwLock, Guarded> =
            lock_api::ArcRwLockUpgradableReadGuard<parking_lot::RawRwLock, Guarded>,
        parking_lot::RecursiveRwLock<Guarded> = lock_api::RwLock<parking_lot::RawRwLockRecursive, Guarded>,
        parking_lot::RecursiveRwLockReadGuard<'static, Guarded> =
            lock_api::RwLockReadGuard<'static, parking_lot::RawRwLockRecursive, Guarded>,
        parking_lot::RecursiveRwLockWriteGuard<'static, Guarded> =
            lock_api::RwLockWriteGuard<'static, parking_lot::RawRwLockRecursive, Guarded>,
        parking_lot::RecursiveRwLockUpgradableReadGuard<'static, Guarded> =
            lock_api::RwLockUpgradableReadGuard<'static, parking_lot::RawRwLockRecursive, Guarded>,
        parking_lot::MappedRecursiveRwLockReadGuard<'static, Guarded> =
            lock_api::MappedRwLockReadGuard<'static, parking_lot::RawRwLockRecursive, Guarded>,
        parking_lot::MappedRecursiveRwLockWriteGuard<'static, Guarded> =
            lock_api::MappedRwLockWriteGuard<'static, parking_lot::RawRwLockRecursive, Guarded>,
        parking_lot::Condvar = lock_api::Condvar<parking_lot::RawCondvar>,
        parking_lot::WaitTimeoutResult = lock_api::WaitTimeoutResult,
    );
}

mod twelve {
    use lock_api_04 as lock_api;
    use parking_lot_12 as parking_lot;

    use super::Guarded;

    same!(
        parking_lot::Mutex<Guarded> = lock_api::Mutex<parking_lot::RawMutex, Guarded>,
        parking_lot::MutexGuard<'static, Guarded> = lock_api::MutexGuard<'static, parking_lot::RawMutex, Guarded>,
        parking_lot::FairMutex<Guarded> = lock_api::Mutex<parking_lot::RawFairMutex, Guarded>,
        parking_lot::ReentrantMutex<Guarded> =
            lock_api::ReentrantMutex<parking_lot::RawMutex, parking_lot::RawThreadId, Guarded>,
        parking_lot::RwLock<Guarded> = lock_api::RwLock<parking_lot::RawRwLock, Guarded>,
        parking_lot::RwLockReadGuard<'static, Guarded> = lock_api::RwLockReadGuard<'static, parking_lot::RawRwLock, Guarded>,
        parking_lot::MappedRwLockWriteGuard<'static, Guarded> =
            lock_api::MappedRwLockWriteGuard<'static, parking_lot::RawRwLock, Guarded>,
        parking_lot::ArcRwLockUpgradableReadGuard<parking_lot::RawRwLock, Guarded> =
            lock_api::ArcRwLockUpgradableReadGuard<parking_lot::RawRwLock, Guarded>,
    );
}
