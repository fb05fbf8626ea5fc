//! Everything stable of std::sync 1.95, a line for each item: the README's table, and the code that proves it.

#![allow(let_underscore_lock, reason = "only types are looked at")]

mod table;

use std::{ops::DerefMut, panic::UnwindSafe, time::Duration};

use lockscope::sync::{
    Arc, Barrier, BarrierWaitResult, Condvar, LazyLock, LockResult, Mutex, MutexGuard, Once, OnceLock, OnceState,
    PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, TryLockResult, WaitTimeoutResult, Weak,
    atomic, mpsc,
};

fn is<T: ?Sized>() {}
fn unwind_safe<T: UnwindSafe + ?Sized>() {}
fn guard<T: DerefMut + std::fmt::Debug + std::fmt::Display + Sync>() {}
fn error<T: std::error::Error>() {}

crate::items! {
    "`Mutex`" {
        "`new` (const)" { static _M: Mutex<u8> = Mutex::new(0); }
        "`lock`" { let _: LockResult<MutexGuard<'_, u8>> = Mutex::new(0).lock(); }
        "`try_lock`" { let _: TryLockResult<MutexGuard<'_, u8>> = Mutex::new(0).try_lock(); }
        "`is_poisoned`" { let _: bool = Mutex::new(0).is_poisoned(); }
        "`clear_poison`" { Mutex::new(0).clear_poison(); }
        "`into_inner`" { let _: LockResult<u8> = Mutex::new(0).into_inner(); }
        "`get_mut`" { let _: LockResult<&mut u8> = Mutex::new(0).get_mut(); }
        "`?Sized`, `Default`, `From`, `Debug`, `UnwindSafe`" {
            is::<Mutex<dyn Send>>();
            unwind_safe::<Mutex<std::cell::Cell<u8>>>();
            let _ = format!("{:?} {:?}", Mutex::<u8>::default(), Mutex::from(0));
        }
        "`MutexGuard`" { guard::<MutexGuard<'_, u8>>(); }
    }
    "`RwLock`" {
        "`new` (const)" { static _R: RwLock<u8> = RwLock::new(0); }
        "`read`" { let _: LockResult<RwLockReadGuard<'_, u8>> = RwLock::new(0).read(); }
        "`write`" { let _: LockResult<RwLockWriteGuard<'_, u8>> = RwLock::new(0).write(); }
        "`try_read`" { let _: TryLockResult<RwLockReadGuard<'_, u8>> = RwLock::new(0).try_read(); }
        "`try_write`" { let _: TryLockResult<RwLockWriteGuard<'_, u8>> = RwLock::new(0).try_write(); }
        "`is_poisoned`" { let _: bool = RwLock::new(0).is_poisoned(); }
        "`clear_poison`" { RwLock::new(0).clear_poison(); }
        "`into_inner`" { let _: LockResult<u8> = RwLock::new(0).into_inner(); }
        "`get_mut`" { let _: LockResult<&mut u8> = RwLock::new(0).get_mut(); }
        "`?Sized`, `Default`, `From`, `Debug`, `UnwindSafe`" {
            is::<RwLock<dyn Send>>();
            unwind_safe::<RwLock<std::cell::Cell<u8>>>();
            let _ = format!("{:?} {:?}", RwLock::<u8>::default(), RwLock::from(0));
        }
        "`RwLockReadGuard`" { let _ = |guard: RwLockReadGuard<'_, u8>| format!("{} {guard:?} {guard}", *guard); }
        "`RwLockWriteGuard`" { guard::<RwLockWriteGuard<'_, u8>>(); }
        "`RwLockWriteGuard::downgrade`" {
            let _: fn(RwLockWriteGuard<'static, u8>) -> RwLockReadGuard<'static, u8> = RwLockWriteGuard::downgrade;
        }
    }
    "`Condvar`" {
        "`new` (const), `Default`, `Debug`" { static _C: Condvar = Condvar::new(); let _ = format!("{:?}", Condvar::default()); }
        "`wait`" { let _ = |c: &Condvar, m: &Mutex<u8>| drop(c.wait(m.lock().unwrap())); }
        "`wait_while`" { let _ = |c: &Condvar, m: &Mutex<u8>| drop(c.wait_while(m.lock().unwrap(), |n| *n == 0)); }
        "`wait_timeout`" { let _ = |c: &Condvar, m: &Mutex<u8>| drop(c.wait_timeout(m.lock().unwrap(), Duration::ZERO)); }
        "`wait_timeout_while`" {
            let _ = |c: &Condvar, m: &Mutex<u8>| {
                drop(c.wait_timeout_while(m.lock().unwrap(), Duration::ZERO, |n| *n == 0));
            };
        }
        #[expect(deprecated, reason = "std has it")]
        "`wait_timeout_ms`" { let _ = |c: &Condvar, m: &Mutex<u8>| drop(c.wait_timeout_ms(m.lock().unwrap(), 0)); }
        "`notify_one`, `notify_all`" { Condvar::new().notify_one(); Condvar::new().notify_all(); }
        "`WaitTimeoutResult`" { let _: fn(&WaitTimeoutResult) -> bool = WaitTimeoutResult::timed_out; }
    }
    "`Once`" {
        "`new` (const), `call_once`, `is_completed`" { static O: Once = Once::new(); O.call_once(|| ()); let _: bool = O.is_completed(); }
        "`call_once_force`, `OnceState`" { Once::new().call_once_force(|state: &OnceState| _ = state.is_poisoned()); }
        "`wait`, `wait_force`" { let _ = |once: &Once| { once.wait(); once.wait_force(); }; }
    }
    "`OnceLock`" {
        "`new` (const), `get`, `set`, `get_or_init`" {
            static O: OnceLock<u8> = OnceLock::new();
            let _: (Option<&u8>, Result<(), u8>, &u8) = (O.get(), O.set(1), O.get_or_init(|| 2));
        }
        "`get_mut`, `take`, `into_inner`" {
            let mut once = OnceLock::from(1);
            let _ = (once.get_mut().copied(), once.take(), once.into_inner());
        }
        "`wait`" { let _: fn(&'static OnceLock<u8>) -> &'static u8 = OnceLock::wait; }
    }
    "`LazyLock`" {
        "`new` (const), `force`, `Deref`" { static L: LazyLock<u8> = LazyLock::new(|| 1); let _ = *L + *LazyLock::force(&L); }
        "`force_mut`, `DerefMut`" { let mut l = LazyLock::new(|| 1); *LazyLock::force_mut(&mut l) += 1; *l += 1; }
        "`get`, `get_mut`" { let mut l = LazyLock::new(|| 1); let _ = LazyLock::get(&l).is_some(); LazyLock::get_mut(&mut l); }
    }
    "`Barrier`" {
        "`new` (const), `wait`, `BarrierWaitResult`" { let result: BarrierWaitResult = Barrier::new(1).wait(); let _: bool = result.is_leader(); }
    }
    "`mpsc`" {
        "`channel`, `Sender`, `Receiver`" {
            let (sender, receiver): (mpsc::Sender<u8>, mpsc::Receiver<u8>) = mpsc::channel();
            let _ = (sender.clone().send(1), receiver.recv(), receiver.try_recv(), receiver.recv_timeout(Duration::ZERO));
        }
        "`sync_channel`, `SyncSender`" { let (sender, _receiver) = mpsc::sync_channel(1); let _ = (sender.send(1), sender.try_send(2)); }
        "`Iter`, `TryIter`, `IntoIter`, errors" {
            let (_, receiver) = mpsc::channel::<u8>();
            let _: (mpsc::Iter<'_, u8>, mpsc::TryIter<'_, u8>) = (receiver.iter(), receiver.try_iter());
            let _: mpsc::IntoIter<u8> = receiver.into_iter();
            error::<mpsc::SendError<u8>>();
            error::<mpsc::TrySendError<u8>>();
            error::<mpsc::RecvError>();
            error::<mpsc::TryRecvError>();
            error::<mpsc::RecvTimeoutError>();
        }
    }
    "the rest" {
        "`PoisonError`, `TryLockError`, `LockResult`, `TryLockResult`" {
            let _: fn(PoisonError<u8>) -> u8 = PoisonError::into_inner;
            error::<TryLockError<u8>>();
        }
        "`Arc`, `Weak`" { let _: Weak<u8> = Arc::downgrade(&Arc::new(0)); }
        "`atomic`" { atomic::AtomicU64::new(0).fetch_add(1, atomic::Ordering::SeqCst); atomic::fence(atomic::Ordering::SeqCst); }
    }
}

#[test]
fn the_readme_says_so() {
    table::check("`std::sync` 1.95", ITEMS);
}
