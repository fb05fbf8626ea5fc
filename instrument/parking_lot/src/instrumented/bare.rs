//! Raw locks that are used by themselves, through the traits of `lock_api`: acquisitions that nobody keeps.
//!
//! Who releases a raw lock has nothing in hand that says by which acquisition it is held. So a release looks for it: among
//! what its thread holds, else, of a guard that was sent to another thread, among what others hold. That is exact as long as only
//! one hold can be meant. Of several readers whose guards were sent around it may be the wrong one that is noted to have
//! left.

use std::{
    panic::Location,
    time::{Duration, Instant},
};

use super::{
    changes::Limit,
    held::Held,
    way::{RwLockRaw, Way},
};

/// Waits for as long as it takes.
#[track_caller]
#[inline]
pub(crate) fn lock<W: Way>(raw: &W::Raw) {
    Held::<_, W>::acquire(raw).leave();
}

/// Does not wait.
#[track_caller]
#[inline]
pub(crate) fn try_lock<W: Way>(raw: &W::Raw) -> bool {
    Held::<_, W>::try_acquire(raw).map(Held::leave).is_some()
}

/// Waits for `limit` at most.
#[track_caller]
#[inline]
pub(crate) fn try_lock_for<W: Way>(raw: &W::Raw, limit: Duration) -> bool {
    Held::<_, W>::acquire_for(raw, limit).map(Held::leave).is_some()
}

/// Waits until `deadline` at most.
#[track_caller]
#[inline]
pub(crate) fn try_lock_until<W: Way>(raw: &W::Raw, deadline: Instant) -> bool {
    Held::<_, W>::acquire_until(raw, deadline).map(Held::leave).is_some()
}

/// # Safety
///
/// The current context holds `raw` in the way `W`, and holds it no longer afterwards.
#[inline]
pub(crate) unsafe fn unlock<W: Way>(raw: &W::Raw) {
    // SAFETY: this function's contract.
    drop(unsafe { Held::<_, W>::adopt(raw) });
}

/// # Safety
///
/// As [`unlock`].
#[inline]
pub(crate) unsafe fn unlock_fair<W: Way>(raw: &W::Raw) {
    // SAFETY: this function's contract.
    unsafe { Held::<_, W>::adopt(raw) }.release_fair();
}

/// Lets a waiting thread have the lock, and acquires again.
///
/// # Safety
///
/// The current context holds `raw` in the way `W`.
#[track_caller]
#[inline]
pub(crate) unsafe fn bump<W: Way>(raw: &W::Raw) {
    // SAFETY: this function's contract.
    let mut held = unsafe { Held::<_, W>::adopt(raw) };
    held.bump();
    held.leave();
}

/// # Safety
///
/// The current context holds `raw` for writing; afterwards it holds it for reading.
#[track_caller]
#[inline]
pub(crate) unsafe fn downgrade<R: RwLockRaw>(raw: &R) {
    // SAFETY: this function's contract.
    unsafe { Held::<_, R::Write>::adopt(raw) }.write_to_read(Location::caller()).leave();
}

/// # Safety
///
/// The current context holds `raw` for writing; afterwards it holds it upgradable.
#[track_caller]
#[inline]
pub(crate) unsafe fn downgrade_to_upgradable<R: RwLockRaw>(raw: &R) {
    // SAFETY: this function's contract.
    unsafe { Held::<_, R::Write>::adopt(raw) }.write_to_upgradable(Location::caller()).leave();
}

/// # Safety
///
/// The current context holds `raw` upgradable; afterwards it holds it for reading.
#[track_caller]
#[inline]
pub(crate) unsafe fn downgrade_upgradable<R: RwLockRaw>(raw: &R) {
    // SAFETY: this function's contract.
    unsafe { Held::<_, R::Upgradable>::adopt(raw) }.upgradable_to_read(Location::caller()).leave();
}

/// Waits for other readers to leave.
///
/// # Safety
///
/// The current context holds `raw` upgradable; afterwards it holds it for writing.
#[track_caller]
#[inline]
pub(crate) unsafe fn upgrade<R: RwLockRaw>(raw: &R) {
    // SAFETY: this function's contract.
    unsafe { Held::<_, R::Upgradable>::adopt(raw) }.upgrade(Location::caller()).leave();
}

/// Returns whether it succeeded.
///
/// # Safety
///
/// The current context holds `raw` upgradable; after success it holds it for writing.
#[track_caller]
#[inline]
pub(crate) unsafe fn try_upgrade<R: RwLockRaw>(raw: &R, limit: Limit) -> bool {
    // SAFETY: this function's contract.
    let upgraded = unsafe { Held::<_, R::Upgradable>::adopt(raw) }.try_upgrade(limit, Location::caller());
    upgraded.map(Held::leave).map_err(Held::leave).is_ok()
}
