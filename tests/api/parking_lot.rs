//! What parking_lot 0.12 and 0.13 have in common, a line for each item.

use std::{
    ops::{Deref, DerefMut},
    time::{Duration, Instant},
};

use crate::locks::{lock_api, *};

fn is<T: ?Sized>() {}
fn reads<T: Deref + std::fmt::Debug + std::fmt::Display>() {}
fn writes<T: DerefMut + std::fmt::Debug + std::fmt::Display>() {}
#[cfg(feature = "serde")]
fn serde_both<T: crate::locks::serde::Serialize + for<'a> crate::locks::serde::Deserialize<'a>>() {}

const NOW: Duration = Duration::ZERO;

crate::items! {
    "`Mutex`" {
        "`new` (const)" { static _M: Mutex<u8> = Mutex::new(0); }
        "`lock`, `try_lock`" {
            let m = Mutex::new(0);
            let _: fn(&'static Mutex<u8>) -> MutexGuard<'static, u8> = Mutex::lock;
            let _: bool = m.try_lock().is_some();
        }
        "`try_lock_for`, `try_lock_until`" {
            let m = Mutex::new(0);
            drop(m.try_lock_for(NOW));
            drop(m.try_lock_until(Instant::now()));
        }
        "`is_locked`, `get_mut`, `into_inner`, `data_ptr`" {
            let mut m = Mutex::new(0);
            let _: (bool, *mut u8) = (m.is_locked(), m.data_ptr());
            *m.get_mut() += 1;
            let _: u8 = m.into_inner();
        }
        #[cfg(feature = "arc_lock")]
        "`lock_arc`, `try_lock_arc`, `_for`, `_until`, `ArcMutexGuard`" {
            let m = std::sync::Arc::new(Mutex::new(0));
            drop(m.lock_arc());
            drop((m.try_lock_arc(), m.try_lock_arc_for(NOW), m.try_lock_arc_until(Instant::now())));
        }
        "`?Sized`, `Default`, `From`, `Debug`" {
            is::<Mutex<dyn Send>>();
            let _ = format!("{:?} {:?}", Mutex::<u8>::default(), Mutex::from(0));
        }
        #[cfg(feature = "serde")]
        "`Serialize`, `Deserialize`" { serde_both::<Mutex<u8>>(); }
        "`MutexGuard`: `map`, `try_map`, `try_map_or_err`; `MappedMutexGuard`" {
            writes::<MutexGuard<'_, u8>>();
            let _ = |g: MutexGuard<'static, (u8, u8)>| -> MappedMutexGuard<'static, u8> { MutexGuard::map(g, |g| &mut g.0) };
            let _ = |g: MutexGuard<'static, (u8, u8)>| MutexGuard::try_map(g, |g| Some(&mut g.0)).is_ok();
            let _ = |g: MutexGuard<'static, (u8, u8)>| MutexGuard::try_map_or_err(g, |g| Ok::<_, ()>(&mut g.0)).is_ok();
            let _ = |g: MappedMutexGuard<'static, (u8, u8)>| MappedMutexGuard::map(g, |g| &mut g.0);
        }
        "`MutexGuard`: `unlocked`, `unlocked_fair`, `unlock_fair`, `bump`, `leak`" {
            let m = Mutex::new(0);
            let mut g = m.lock();
            MutexGuard::unlocked(&mut g, || ());
            MutexGuard::unlocked_fair(&mut g, || ());
            MutexGuard::bump(&mut g);
            MutexGuard::unlock_fair(g);
            let _ = |g: MutexGuard<'static, u8>| -> &'static mut u8 { MutexGuard::leak(g) };
        }
    }
    "`FairMutex`" {
        "as `Mutex`" {
            static F: FairMutex<u8> = FairMutex::new(0);
            drop(F.lock());
            drop((F.try_lock(), F.is_locked()));
        }
        "`FairMutexGuard`, `MappedFairMutexGuard`" {
            writes::<FairMutexGuard<'_, u8>>();
            let _ = |g: FairMutexGuard<'static, (u8, u8)>| -> MappedFairMutexGuard<'static, u8> {
                FairMutexGuard::map(g, |g| &mut g.0)
            };
        }
    }
    "`ReentrantMutex`" {
        "as `Mutex`, `is_owned_by_current_thread`" {
            static R: ReentrantMutex<u8> = ReentrantMutex::new(0);
            let (once, again) = (R.lock(), R.try_lock());
            let _: bool = R.is_owned_by_current_thread() && R.is_locked();
            drop((once, again));
        }
        "`ReentrantMutexGuard`, `MappedReentrantMutexGuard`" {
            reads::<ReentrantMutexGuard<'_, u8>>();
            let _ = |g: ReentrantMutexGuard<'static, (u8, u8)>| -> MappedReentrantMutexGuard<'static, u8> {
                ReentrantMutexGuard::map(g, |g| &g.0)
            };
        }
        #[cfg(feature = "arc_lock")]
        "`ArcReentrantMutexGuard`" { drop(std::sync::Arc::new(ReentrantMutex::new(0)).lock_arc()); }
    }
    "`RwLock`" {
        "`new` (const), `read`, `write`, `try_read`, `try_write`" {
            static R: RwLock<u8> = RwLock::new(0);
            drop(R.read());
            drop(R.write());
            drop(R.try_read());
            drop(R.try_write());
        }
        "`try_read_for`, `try_write_for`, `_until`" {
            let r = RwLock::new(0);
            drop(r.try_read_for(NOW));
            drop(r.try_write_for(NOW));
            drop(r.try_read_until(Instant::now()));
            drop(r.try_write_until(Instant::now()));
        }
        "`upgradable_read`, `try_upgradable_read`, `_for`, `_until`" {
            let r = RwLock::new(0);
            drop(r.upgradable_read());
            drop(r.try_upgradable_read());
            drop(r.try_upgradable_read_for(NOW));
            drop(r.try_upgradable_read_until(Instant::now()));
        }
        "`is_locked`, `is_locked_exclusive`, `get_mut`, `into_inner`, `data_ptr`" {
            let mut r = RwLock::new(0);
            let _: (bool, bool, *mut u8) = (r.is_locked(), r.is_locked_exclusive(), r.data_ptr());
            *r.get_mut() += 1;
            let _: u8 = r.into_inner();
        }
        #[cfg(feature = "arc_lock")]
        "`read_arc`, `write_arc`, `upgradable_read_arc` and their tries; `ArcRwLockReadGuard`, `ArcRwLockWriteGuard`, `ArcRwLockUpgradableReadGuard`" {
            let r = std::sync::Arc::new(RwLock::new(0));
            drop(r.read_arc());
            drop(r.write_arc());
            drop(r.upgradable_read_arc());
            drop((r.try_read_arc(), r.try_read_arc_for(NOW)));
            drop((r.try_write_arc(), r.try_upgradable_read_arc()));
        }
        "`?Sized`, `Default`, `From`, `Debug`" {
            is::<RwLock<dyn Send>>();
            let _ = format!("{:?} {:?}", RwLock::<u8>::default(), RwLock::from(0));
        }
        #[cfg(feature = "serde")]
        "`Serialize`, `Deserialize`" { serde_both::<RwLock<u8>>(); }
        "`RwLockReadGuard`: `map`, `try_map`, `unlocked`, `unlocked_fair`, `unlock_fair`, `bump`" {
            reads::<RwLockReadGuard<'_, u8>>();
            let _ = |g: RwLockReadGuard<'static, (u8, u8)>| -> MappedRwLockReadGuard<'static, u8> {
                RwLockReadGuard::map(g, |g| &g.0)
            };
            let r = RwLock::new(0);
            let mut g = r.read();
            RwLockReadGuard::unlocked(&mut g, || ());
            RwLockReadGuard::unlocked_fair(&mut g, || ());
            RwLockReadGuard::bump(&mut g);
            RwLockReadGuard::unlock_fair(g);
        }
        "`RwLockWriteGuard`: the same, `downgrade`, `downgrade_to_upgradable`" {
            writes::<RwLockWriteGuard<'_, u8>>();
            let _ = |g: RwLockWriteGuard<'static, (u8, u8)>| -> MappedRwLockWriteGuard<'static, u8> {
                RwLockWriteGuard::map(g, |g| &mut g.0)
            };
            let _: fn(RwLockWriteGuard<'static, u8>) -> RwLockReadGuard<'static, u8> = RwLockWriteGuard::downgrade;
            let _: fn(RwLockWriteGuard<'static, u8>) -> RwLockUpgradableReadGuard<'static, u8> =
                RwLockWriteGuard::downgrade_to_upgradable;
        }
        "`RwLockUpgradableReadGuard`: `upgrade`, `try_upgrade`, `_for`, `_until`" {
            type Upgradable = RwLockUpgradableReadGuard<'static, u8>;
            let _: fn(Upgradable) -> RwLockWriteGuard<'static, u8> = Upgradable::upgrade;
            let _ = |g: Upgradable| Upgradable::try_upgrade(g).is_ok();
            let _ = |g: Upgradable| Upgradable::try_upgrade_for(g, NOW).is_ok();
            let _ = |g: Upgradable| Upgradable::try_upgrade_until(g, Instant::now()).is_ok();
        }
        "`RwLockUpgradableReadGuard`: `downgrade`, `with_upgraded`, `try_with_upgraded`, `_for`, `_until`" {
            type Upgradable = RwLockUpgradableReadGuard<'static, u8>;
            let _: fn(Upgradable) -> RwLockReadGuard<'static, u8> = Upgradable::downgrade;
            let _ = |mut g: Upgradable| {
                g.with_upgraded(|n| *n += 1);
                g.try_with_upgraded(|n| *n += 1);
                g.try_with_upgraded_for(NOW, |n| *n += 1);
                g.try_with_upgraded_until(Instant::now(), |n| *n += 1);
            };
        }
    }
    "`Condvar`" {
        "`new` (const), `notify_one`, `notify_all`" {
            static C: Condvar = Condvar::new();
            let _: (bool, usize) = (C.notify_one(), C.notify_all());
        }
        "`wait`, `wait_for`, `wait_until`, `WaitTimeoutResult`" {
            let _ = |c: &Condvar, g: &mut MutexGuard<'_, u8>| {
                c.wait(g);
                let _: WaitTimeoutResult = c.wait_for(g, NOW);
                c.wait_until(g, Instant::now()).timed_out()
            };
        }
        "`wait_while`, `wait_while_for`, `wait_while_until`" {
            let _ = |c: &Condvar, g: &mut MutexGuard<'_, u8>| {
                c.wait_while(g, |n| *n == 0);
                c.wait_while_for(g, |n| *n == 0, NOW);
                c.wait_while_until(g, |n| *n == 0, Instant::now());
            };
        }
    }
    "`Once`" {
        "`new` (const), `state`, `call_once`" { static O: Once = Once::new(); let _: OnceState = O.state(); O.call_once(|| ()); }
        "`call_once_force`, `OnceState`" { Once::new().call_once_force(|state| _ = state.poisoned() || state.done()); }
    }
    "raw locks" {
        "`RawMutex`" { is::<lock_api::Mutex<RawMutex, u8>>(); }
        "`RawFairMutex`" { is::<lock_api::Mutex<RawFairMutex, u8>>(); }
        "`RawRwLock`" { is::<lock_api::RwLock<RawRwLock, u8>>(); }
        "`RawThreadId`" { is::<lock_api::ReentrantMutex<RawMutex, RawThreadId, u8>>(); }
    }
    "modules" {
        "`lock_api`" { is::<lock_api::GuardNoSend>(); }
        #[cfg(feature = "deadlock_detection")]
        "`deadlock`: `check_deadlock`, `DeadlockedThread`" {
            let _: Vec<Vec<crate::locks::deadlock::DeadlockedThread>> = crate::locks::deadlock::check_deadlock();
        }
    }
}
