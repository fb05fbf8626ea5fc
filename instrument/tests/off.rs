//! Off is nothing: the facade's types are std's own.
//!
//! Runs in release builds without the feature `force`, and with `RUSTFLAGS="--cfg lockscope_off"`.
#![cfg(any(lockscope_off, not(any(debug_assertions, feature = "force"))))]

use std::any::TypeId;

#[path = "support/same_code.rs"]
mod same_code;

same_code::same_code! {
    mutexes: plain_mutex as "plain_mutex", off_mutex as "off_mutex";
    lock => if let Ok(mut data) = lock.lock() { *data = data.wrapping_add(1) };
    std::sync::Mutex<u64>, lockscope::sync::Mutex<u64>
}

same_code::same_code! {
    rwlocks: plain_rwlock as "plain_rwlock", off_rwlock as "off_rwlock";
    lock => if let Ok(mut data) = lock.write() { *data = data.wrapping_add(1) };
    std::sync::RwLock<u64>, lockscope::sync::RwLock<u64>
}

same_code::same_code! {
    others: plain_long as "plain_long", plain_short as "plain_short";
    lock => if let Ok(mut data) = lock.lock() { *data = data.wrapping_add(1) };
    std::sync::Mutex<u64>, std::sync::Mutex<u32>
}

#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[should_panic]
fn other_code() {
    others();
}

#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn same_code() {
    mutexes();
    rwlocks();
}

macro_rules! same {
    ($($($part:ident)::+ $(<$($arg:ty),+>)?),+ $(,)?) => { $(
        assert_eq!(
            TypeId::of::<lockscope::$($part)::+ $(<$($arg),+>)?>(),
            TypeId::of::<std::$($part)::+ $(<$($arg),+>)?>(),
            stringify!($($part)::+),
        );
    )+ };
}

#[test]
fn same_types() {
    same!(sync::Mutex<u8>, sync::RwLock<u8>, sync::Condvar, sync::WaitTimeoutResult);
    same!(sync::Once, sync::OnceState, sync::OnceLock<u8>, sync::LazyLock<u8>, sync::Barrier, sync::BarrierWaitResult);
    same!(sync::atomic::AtomicBool, sync::atomic::AtomicPtr<u8>, sync::atomic::Ordering);
    same!(sync::atomic::AtomicI8, sync::atomic::AtomicI16, sync::atomic::AtomicI32, sync::atomic::AtomicI64);
    same!(sync::atomic::AtomicU8, sync::atomic::AtomicU16, sync::atomic::AtomicU32, sync::atomic::AtomicU64);
    same!(sync::atomic::AtomicIsize, sync::atomic::AtomicUsize, cell::UnsafeCell<u8>, cell::Cell<u8>);
    same!(sync::mpsc::Sender<u8>, sync::mpsc::SyncSender<u8>, sync::mpsc::Receiver<u8>, sync::mpsc::IntoIter<u8>);
    same!(thread::Builder, thread::JoinHandle<u8>, thread::Thread, thread::ThreadId);
}

#[test]
fn same_types_with_lifetimes() {
    let (mutex, rwlock) = (lockscope::sync::Mutex::new(1), lockscope::sync::RwLock::new(2));
    let _locked: std::sync::MutexGuard<'_, u8> = mutex.lock().unwrap();
    let read: std::sync::RwLockReadGuard<'_, u8> = rwlock.read().unwrap();
    drop(read);
    let _written: std::sync::RwLockWriteGuard<'_, u8> = rwlock.write().unwrap();
    let (sender, receiver) = lockscope::sync::mpsc::channel::<u8>();
    let _some: std::sync::mpsc::TryIter<'_, u8> = receiver.try_iter();
    drop(sender);
    let _all: std::sync::mpsc::Iter<'_, u8> = receiver.iter();
    lockscope::thread::scope(|scope| {
        let scope: &std::thread::Scope<'_, '_> = scope;
        let _: std::thread::ScopedJoinHandle<'_, ()> = scope.spawn(|| ());
    });
}

#[test]
fn labelled_locks_are_plain_locks() {
    let mutex: std::sync::Mutex<u8> = lockscope::named("accounts").ranked(1).mutex(1);
    assert_eq!(mutex.into_inner().unwrap(), 1);
    let _: std::sync::Once = lockscope::named("start").once();
    let _: std::sync::OnceLock<u8> = lockscope::named("cell").once_lock();
    let _: std::sync::LazyLock<u8> = lockscope::named("lazy").lazy_lock(|| 1);
    let _: std::sync::Barrier = lockscope::named("barrier").barrier(2);
    let _: (std::sync::mpsc::Sender<u8>, std::sync::mpsc::Receiver<u8>) = lockscope::named("jobs").channel();
    let _: (std::sync::mpsc::SyncSender<u8>, _) = lockscope::named("jobs").sync_channel(1);
}

#[lockscope::test]
fn a_test_is_its_body() -> Result<(), std::num::ParseIntError> {
    let outcome = lockscope::session(|| "7".parse::<u32>());
    assert!(outcome.findings.is_empty());
    outcome.assert_clean().map(|seven| assert_eq!(seven, 7))
}

#[lockscope::test]
#[should_panic(expected = "on purpose")]
fn a_panic_is_a_panic() {
    panic!("on purpose");
}
