//! Everything of parking_lot 0.13, a line for each item: the README's table, and the code that proves it. What needs a feature is
//! compiled with it, as `.ci/run` does.
#![allow(let_underscore_lock, reason = "only types are looked at")]

#[path = "parking_lot.rs"]
mod common;
mod table;

/// The crate that is looked at.
mod locks {
    pub use lockscope_parking_lot::*;
    #[cfg(feature = "serde")]
    pub use serde_core as serde;
}

mod only {
    use crate::locks::*;

    crate::items! {
            "raw access" {
                "`Mutex`: `raw`, `force_unlock`, `force_unlock_fair`, `make_guard_unchecked`" {
                    let _: unsafe fn(&'static Mutex<u8>, _) = Mutex::force_unlock;
    let _: unsafe fn(&'static Mutex<u8>, _) = Mutex::force_unlock_fair;
                    let _: unsafe fn(&'static Mutex<u8>, _) -> MutexGuard<'static, u8> = Mutex::make_guard_unchecked;
                    let _: unsafe fn(&'static Mutex<u8>) -> _ = Mutex::raw;
                }
                "`RwLock`: `raw`, `force_unlock_read`, `_write`, `_fair`, `make_read_guard_unchecked`, `_write_`, `_upgradable_`" {
                    let _: unsafe fn(&'static RwLock<u8>, _) = RwLock::force_unlock_read;
    let _: unsafe fn(&'static RwLock<u8>, _) = RwLock::force_unlock_read_fair;
                    let _: unsafe fn(&'static RwLock<u8>, _) = RwLock::force_unlock_write;
    let _: unsafe fn(&'static RwLock<u8>, _) = RwLock::force_unlock_write_fair;
                    let _: unsafe fn(&'static RwLock<u8>, _) -> RwLockReadGuard<'static, u8> = RwLock::make_read_guard_unchecked;
                    let _: unsafe fn(&'static RwLock<u8>, _) -> RwLockWriteGuard<'static, u8> = RwLock::make_write_guard_unchecked;
                    let _: unsafe fn(&'static RwLock<u8>, _) -> RwLockUpgradableReadGuard<'static, u8> = RwLock::make_upgradable_guard_unchecked;
                    let _: unsafe fn(&'static RwLock<u8>) -> _ = RwLock::raw;
                }
            }
            "only 0.13" {
                "`RecursiveRwLock`" { let r = RecursiveRwLock::new(0); let _ = (r.read(), r.read()); }
                "`RecursiveRwLockReadGuard`, `RecursiveRwLockWriteGuard`, `RecursiveRwLockUpgradableReadGuard`" {
                    let r = RecursiveRwLock::new(0);
                    drop::<RecursiveRwLockReadGuard<'_, u8>>(r.read());
                    drop::<RecursiveRwLockWriteGuard<'_, u8>>(r.write());
                    drop::<RecursiveRwLockUpgradableReadGuard<'_, u8>>(r.upgradable_read());
                }
                "`MappedRecursiveRwLockReadGuard`, `MappedRecursiveRwLockWriteGuard`" {
                    let _ = |g: RecursiveRwLockReadGuard<'static, (u8, u8)>| -> MappedRecursiveRwLockReadGuard<'static, u8> {
                        RecursiveRwLockReadGuard::map(g, |g| &g.0)
                    };
                    let _ = |g: RecursiveRwLockWriteGuard<'static, (u8, u8)>| -> MappedRecursiveRwLockWriteGuard<'static, u8> {
                        RecursiveRwLockWriteGuard::map(g, |g| &mut g.0)
                    };
                }
                "`Once::wait`, `wait_force`, `is_completed`, `new_completed`" {
                    static O: Once = Once::new_completed();
                    O.wait();
                    O.wait_force();
                    let _: bool = O.is_completed();
                }
                "`RawRwLockRecursive`" { let _ = |lock: lock_api::RwLock<RawRwLockRecursive, u8>| drop(lock); }
                "`RawCondvar`" { let _ = |condvar: lock_api::Condvar<RawCondvar>| drop(condvar); }
            }
        }
}

#[test]
fn the_readme_says_so() {
    table::check("parking_lot 0.13", &[common::ITEMS, only::ITEMS].concat());
}
