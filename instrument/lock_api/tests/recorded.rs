//! What the facade tells the runtime, as read back from a trace. Locks are told apart by the type of their data.
#![cfg(all(
    not(lockscope_off),
    any(debug_assertions, feature = "force"),
    feature = "atomic_usize",
    feature = "arc_lock"
))]

use std::{sync::Arc, thread, time::Duration};

use lockscope_lock_api::{self as lock_api, RawMutex as _};
use parking_lot_0_12::{RawMutex, RawRwLock, RawThreadId};

use recording::Scenario;

#[path = "../../tests/support/recording.rs"]
mod recording;

type Mutex<T> = lock_api::Mutex<RawMutex, T>;
type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
type ArcMutexGuard<T> = lock_api::ArcMutexGuard<RawMutex, T>;
type ReentrantMutex<T> = lock_api::ReentrantMutex<RawMutex, RawThreadId, T>;
type RwLock<T> = lock_api::RwLock<RawRwLock, T>;
type Write<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;
type Upgradable<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;

const LIMIT: Duration = Duration::from_millis(1);

/// Types of data, one for each scenario.
macro_rules! data {
    ($($name:ident)+) => { $( #[derive(Default)] struct $name(#[allow(dead_code, reason = "not used by each")] u8); )+ };
}

data! { Plain Timed Narrowed Unlocked Shared Again Readers Upgrades Forgotten Detached Gone }

/// A raw read-write lock that lets readers in while a writer waits, as dashmap's and spin's do. Never contended here.
struct Lenient(RawRwLock);

// SAFETY: parking_lot's.
unsafe impl lock_api::RawRwLock for Lenient {
    #[allow(clippy::declare_interior_mutable_const)]
    const INIT: Self = Self(<RawRwLock as lock_api::RawRwLock>::INIT);
    type GuardMarker = lock_api::GuardNoSend;
    fn lock_shared(&self) {
        self.0.lock_shared();
    }
    fn try_lock_shared(&self) -> bool {
        self.0.try_lock_shared()
    }
    unsafe fn unlock_shared(&self) {
        // SAFETY: this function's contract.
        unsafe { self.0.unlock_shared() }
    }
    fn lock_exclusive(&self) {
        self.0.lock_exclusive();
    }
    fn try_lock_exclusive(&self) -> bool {
        self.0.try_lock_exclusive()
    }
    unsafe fn unlock_exclusive(&self) {
        // SAFETY: this function's contract.
        unsafe { self.0.unlock_exclusive() }
    }
}

struct LenientReaders;

const LOCKS: &[Scenario] = &[
    (
        "Plain",
        |_| {
            let mutex = Mutex::new(Plain(0));
            mutex.lock().0 += 1;
            assert_eq!(mutex.try_lock().unwrap().0, 1);
            let _guard = mutex.lock();
            assert!(mutex.try_lock().is_none());
        },
        "exclusive by lock; released wrote; exclusive by try; released read; exclusive by lock; try-failed;
         released nothing; destroyed",
    ),
    (
        "Timed",
        |_| {
            let mutex = Mutex::<Timed>::default();
            let _guard = mutex.try_lock_for(LIMIT).unwrap();
            thread::scope(|scope| scope.spawn(|| assert!(mutex.try_lock_for(LIMIT).is_none())).join().unwrap());
        },
        "exclusive by timed; wait; timed-out; released nothing; destroyed",
    ),
    (
        "Narrowed",
        |_| {
            let mutex = Mutex::new(Narrowed(0));
            *MutexGuard::map(mutex.lock(), |data| &mut data.0) += 1;
        },
        "exclusive by lock; released wrote; destroyed",
    ),
    (
        "Unlocked",
        |_| {
            let mutex = Mutex::new(Unlocked(0));
            let mut guard = mutex.lock();
            MutexGuard::unlocked(&mut guard, || ());
            MutexGuard::bump(&mut guard);
            MutexGuard::unlock_fair(guard);
        },
        "exclusive by lock; released nothing; exclusive by lock; released nothing; exclusive by lock; released nothing;
         destroyed",
    ),
    (
        "Shared",
        |_| {
            let mutex = Arc::new(Mutex::new(Shared(0)));
            mutex.lock_arc().0 += 1;
            drop(ArcMutexGuard::into_arc(mutex.try_lock_arc().unwrap()));
        },
        "exclusive by lock; released wrote; exclusive by try; released nothing; destroyed",
    ),
    (
        "Again",
        |_| {
            let mutex = ReentrantMutex::new(Again(0));
            let guard = mutex.lock();
            let again = (mutex.lock(), mutex.try_lock_for(LIMIT));
            drop(guard);
            assert_eq!(again.0.0, 0);
        },
        "exclusive by lock; released nothing; destroyed",
    ),
    (
        "Readers",
        |_| {
            let lock = RwLock::new(Readers(0));
            drop((lock.read(), lock.read_recursive(), lock.try_read(), lock.try_read_recursive_for(LIMIT)));
            lock.write().0 += 1;
        },
        "shared by lock; shared by recursive; shared by try; shared by recursivetimed; released nothing; released nothing;
         released nothing; released nothing; exclusive by lock; released wrote; destroyed",
    ),
    (
        "LenientReaders",
        |_| drop(lock_api::RwLock::<Lenient, _>::new(LenientReaders).read()),
        "shared by recursive; released nothing; destroyed",
    ),
    (
        "Upgrades",
        |_| {
            let lock = RwLock::new(Upgrades(0));
            let guard = Write::downgrade_to_upgradable(Upgradable::upgrade(lock.upgradable_read()));
            let mut guard = Write::downgrade_to_upgradable(Upgradable::try_upgrade_for(guard, LIMIT).ok().unwrap());
            guard.with_upgraded(|data| data.0 += 1);
            drop(Upgradable::downgrade(guard));
        },
        "upgradable by lock; exclusive by upgrade; upgradable by downgrade; exclusive by upgrade; upgradable by downgrade;
         exclusive by upgrade; upgradable by downgrade; shared by downgrade; released wrote; destroyed",
    ),
    (
        "Forgotten",
        |_| {
            let mutex = Mutex::new(Forgotten(0));
            std::mem::forget(mutex.lock());
            // SAFETY: its guard was forgotten, each time.
            unsafe {
                mutex.force_unlock();
                std::mem::forget(mutex.lock());
                drop(mutex.make_guard_unchecked());
            }
        },
        "exclusive by lock; released unknown; exclusive by lock; released unknown; destroyed",
    ),
    (
        "Detached",
        |_| {
            let mutex = Mutex::new(Detached(0));
            drop(mutex.lock());
            std::mem::forget(mutex.lock());
            // SAFETY: its guard was forgotten.
            unsafe { mutex.raw().unlock() };
            // From here on nothing is certain, so nothing is said.
            assert_eq!(mutex.lock().0, 0);
            assert!(mutex.try_lock().is_some());
        },
        "exclusive by lock; released nothing; exclusive by lock; released unknown; destroyed",
    ),
    (
        "Gone",
        |_| std::mem::forget(Mutex::new(Gone(0)).lock()),
        "exclusive by lock; destroyed",
    ),
];

#[test]
fn recorded() {
    recording::check("recorded", "recorded.rs", LOCKS);
}
