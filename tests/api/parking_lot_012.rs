//! Everything of parking_lot 0.12, a line for each item: the README's table, and the code that proves it. What needs a feature is
//! compiled with it, as `.ci/run` does.
#![allow(let_underscore_lock, reason = "only types are looked at")]

#[path = "parking_lot.rs"]
mod common;
mod table;

/// The crate that is looked at.
mod locks {
    pub use lockscope_parking_lot_012::*;
    #[cfg(feature = "serde")]
    pub use serde_lean as serde;
}

mod only {
    use std::time::{Duration, Instant};

    use crate::locks::*;

    crate::items! {
            "raw access" {
                "`Mutex`: `raw`, `force_unlock`, `force_unlock_fair`, `make_guard_unchecked`" {
                    let _: unsafe fn(&'static Mutex<u8>) = Mutex::force_unlock;
    let _: unsafe fn(&'static Mutex<u8>) = Mutex::force_unlock_fair;
                    let _: unsafe fn(&'static Mutex<u8>) -> MutexGuard<'static, u8> = Mutex::make_guard_unchecked;
                    let _: unsafe fn(&'static Mutex<u8>) -> _ = Mutex::raw;
                }
                "`RwLock`: `raw`, `force_unlock_read`, `_write`, `_fair`, `make_read_guard_unchecked`, `_write_`, `_upgradable_`" {
                    let _: unsafe fn(&'static RwLock<u8>) = RwLock::force_unlock_read;
    let _: unsafe fn(&'static RwLock<u8>) = RwLock::force_unlock_read_fair;
    let _: unsafe fn(&'static RwLock<u8>) = RwLock::force_unlock_write;
    let _: unsafe fn(&'static RwLock<u8>) = RwLock::force_unlock_write_fair;
                    let _: unsafe fn(&'static RwLock<u8>) -> RwLockReadGuard<'static, u8> = RwLock::make_read_guard_unchecked;
                    let _: unsafe fn(&'static RwLock<u8>) -> RwLockWriteGuard<'static, u8> = RwLock::make_write_guard_unchecked;
                    let _: unsafe fn(&'static RwLock<u8>) -> RwLockUpgradableReadGuard<'static, u8> = RwLock::make_upgradable_guard_unchecked;
                    let _: unsafe fn(&'static RwLock<u8>) -> _ = RwLock::raw;
                }
            }
            "only 0.12" {
                "`const_mutex`" { static _M: Mutex<u8> = const_mutex(0); }
                "`const_fair_mutex`" { static _M: FairMutex<u8> = const_fair_mutex(0); }
                "`const_reentrant_mutex`" { static _M: ReentrantMutex<u8> = const_reentrant_mutex(0); }
                "`const_rwlock`" { static _R: RwLock<u8> = const_rwlock(0); }
                "`RwLock::read_recursive`" { let r = RwLock::new(0); let _ = (r.read_recursive(), r.read_recursive()); }
                "`try_read_recursive`, `_for`, `_until`" {
                    let r = RwLock::new(0);
                    drop(r.try_read_recursive());
                    drop(r.try_read_recursive_for(Duration::ZERO));
                    drop(r.try_read_recursive_until(Instant::now()));
                }
            }
        }
}

#[test]
fn the_readme_says_so() {
    table::check("parking_lot 0.12", &[common::ITEMS, only::ITEMS].concat());
}
