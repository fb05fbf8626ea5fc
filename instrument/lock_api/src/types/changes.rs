//! From one way of holding a read-write lock to another, without releasing it.

use std::{cell::Cell, marker::PhantomData, mem::ManuallyDrop, panic::Location, ptr, time::Instant};

use super::{
    held::{AbortOnUnwind, Held, Lock, poll},
    way::{Read, Upgradable, Way, Write},
};
use crate::{
    follow::{self, Hold, LockRef, Mode},
    raw::{RawRwLockDowngrade, RawRwLockUpgrade, RawRwLockUpgradeDowngrade},
    version::{AfterPanic, ExclusiveToken, SharedToken, UpgradableToken, changed, perhaps_changed},
};

type Site = &'static Location<'static>;
type Reader<L> = Held<L, Read, SharedToken<<L as Lock>::Raw>>;
type Writer<L> = Held<L, Write, ExclusiveToken<<L as Lock>::Raw>>;
type Upgrader<L> = Held<L, Upgradable, UpgradableToken<<L as Lock>::Raw>>;
/// The token afterwards, or the one before if nothing was changed.
type Upgraded<R> = Result<ExclusiveToken<R>, UpgradableToken<R>>;

/// An acquisition whose token is used to change it. Dropping it, which a panic does, releases what is left of it.
struct Changing<L: Lock, W: Way<L::Raw, Token = K>, K: AfterPanic> {
    lock: L,
    hold: Hold,
    /// `None` while, and after, the raw lock has it.
    token: Cell<Option<K>>,
    way: PhantomData<fn() -> W>,
}

impl<L: Lock, W: Way<L::Raw, Token = K>, K: AfterPanic> Changing<L, W, K> {
    fn begin(held: Held<L, W, K>) -> Self {
        let (lock, hold, token) = held.into_parts();
        Self { lock, hold, token: Cell::new(Some(token)), way: PhantomData }
    }

    /// It is held in the way `V`, by the acquisition that `token` comes from.
    fn end<V: Way<L::Raw, Token = N>, N>(self, token: N) -> Held<L, V, N> {
        let this = ManuallyDrop::new(self);
        // SAFETY: both are read once; `ManuallyDrop` keeps `Drop` from using them again. The token is with the raw lock.
        let (lock, hold) = unsafe { (ptr::read(&this.lock), ptr::read(&this.hold)) };
        Held::new(lock, hold, token)
    }

    /// Nothing was changed.
    fn take_back(self) -> Held<L, W, K> {
        let token = take(&self.token);
        self.end(token)
    }
}

impl<L: Lock, W: Way<L::Raw, Token = K>, K: AfterPanic> Drop for Changing<L, W, K> {
    fn drop(&mut self) {
        follow::release(self.lock.lock_ref(), &mut self.hold);
        if let Some(token) = self.token.take().or_else(K::left) {
            // SAFETY: it is held by this acquisition still, and nobody else has it.
            unsafe { W::unlock(self.lock.raw_lock(), token) };
        }
    }
}

/// The token for the raw lock.
fn take<K>(token: &Cell<Option<K>>) -> K {
    token.take().expect("an acquisition that is not changed has its token")
}

impl<L: Lock<Raw: RawRwLockDowngrade>> Writer<L> {
    pub(crate) fn downgrade(self, site: Site) -> Reader<L> {
        let mut changing = Changing::begin(self);
        follow::downgrade(changing.lock.lock_ref(), &mut changing.hold, Mode::Shared, site);
        let (raw, token) = (changing.lock.raw_lock(), take(&changing.token));
        // SAFETY: held for writing; held for reading afterwards.
        let token = unsafe { changed!(raw.downgrade(token)) };
        changing.end(token)
    }
}

impl<L: Lock<Raw: RawRwLockUpgradeDowngrade>> Writer<L> {
    pub(crate) fn downgrade_to_upgradable(self, site: Site) -> Upgrader<L> {
        let mut changing = Changing::begin(self);
        follow::downgrade(changing.lock.lock_ref(), &mut changing.hold, Mode::Upgradable, site);
        let (raw, token) = (changing.lock.raw_lock(), take(&changing.token));
        // SAFETY: held for writing; held upgradable afterwards.
        let token = unsafe { changed!(raw.downgrade_to_upgradable(token)) };
        changing.end(token)
    }
}

impl<L: Lock<Raw: RawRwLockUpgrade>> Upgrader<L> {
    pub(crate) fn upgrade(self, site: Site) -> Writer<L> {
        let mut changing = Changing::begin(self);
        let Changing { lock, hold, token, .. } = &mut changing;
        let token = make_exclusive(lock.lock_ref(), lock.raw_lock(), hold, token, site);
        changing.end(token)
    }

    pub(crate) fn try_upgrade(self, site: Site) -> Result<Writer<L>, Self> {
        let mut changing = Changing::begin(self);
        let Changing { lock, hold, token, .. } = &mut changing;
        match try_make_exclusive(lock.lock_ref(), lock.raw_lock(), hold, token, site) {
            Some(token) => Ok(changing.end(token)),
            None => Err(changing.take_back()),
        }
    }

    /// Waits by `wait`.
    ///
    /// # Safety
    ///
    /// `wait` makes the raw lock, which is held upgradable, one held for writing, or says that it has not.
    pub(crate) unsafe fn upgrade_by(
        self,
        site: Site,
        wait: impl FnOnce(&L::Raw, UpgradableToken<L::Raw>) -> Upgraded<L::Raw>,
    ) -> Result<Writer<L>, Self> {
        let mut changing = Changing::begin(self);
        let Changing { lock, hold, token, .. } = &mut changing;
        // SAFETY: this function's contract.
        match unsafe { make_exclusive_by(lock.lock_ref(), lock.raw_lock(), hold, token, site, wait) } {
            Some(token) => Ok(changing.end(token)),
            None => Err(changing.take_back()),
        }
    }
}

/// The lock that `token` stands for is held upgradable.
fn make_exclusive<R: RawRwLockUpgrade>(
    lock: LockRef<'_>,
    raw: &R,
    hold: &mut Hold,
    token: &Cell<Option<UpgradableToken<R>>>,
    site: Site,
) -> ExclusiveToken<R> {
    let wait = |limit| match limit {
        None => {
            let token = take(token);
            // SAFETY: held upgradable until this returns.
            Some(unsafe { changed!(raw.upgrade(token)) })
        }
        Some(limit) => poll(limit, || try_now(raw, token)),
    };
    follow::upgrade(lock, hold, site, || try_now(raw, token), wait)
}

/// As `make_exclusive`, if that is possible without waiting.
fn try_make_exclusive<R: RawRwLockUpgrade>(
    lock: LockRef<'_>,
    raw: &R,
    hold: &mut Hold,
    token: &Cell<Option<UpgradableToken<R>>>,
    site: Site,
) -> Option<ExclusiveToken<R>> {
    follow::try_upgrade(lock, hold, site, None, |_| try_now(raw, token))
}

/// As `make_exclusive`, waiting by `wait`.
///
/// # Safety
///
/// As for [`Held::upgrade_by`].
unsafe fn make_exclusive_by<R: RawRwLockUpgrade>(
    lock: LockRef<'_>,
    raw: &R,
    hold: &mut Hold,
    token: &Cell<Option<UpgradableToken<R>>>,
    site: Site,
    wait: impl FnOnce(&R, UpgradableToken<R>) -> Upgraded<R>,
) -> Option<ExclusiveToken<R>> {
    let mut wait = Some(wait);
    let try_until = |until: Option<Instant>| match until {
        None => try_now(raw, token),
        Some(_) => or_keep(wait.take()?(raw, take(token)), token),
    };
    follow::try_upgrade(lock, hold, site, Some(Instant::now()), try_until)
}

/// The lock is held upgradable, unless the token is gone.
fn try_now<R: RawRwLockUpgrade>(raw: &R, token: &Cell<Option<UpgradableToken<R>>>) -> Option<ExclusiveToken<R>> {
    let mine = take(token);
    // SAFETY: only called above, with a lock that is held upgradable until this returns a token.
    or_keep(unsafe { perhaps_changed!(raw.try_upgrade(mine)) }, token)
}

fn or_keep<N, K>(changed: Result<N, K>, token: &Cell<Option<K>>) -> Option<N> {
    changed.map_err(|unchanged| token.set(Some(unchanged))).ok()
}

impl<L: Lock<Raw: RawRwLockUpgradeDowngrade>> Upgrader<L> {
    pub(crate) fn downgrade(self, site: Site) -> Reader<L> {
        let mut changing = Changing::begin(self);
        follow::downgrade(changing.lock.lock_ref(), &mut changing.hold, Mode::Shared, site);
        let (raw, token) = (changing.lock.raw_lock(), take(&changing.token));
        // SAFETY: held upgradable; held for reading afterwards.
        let token = unsafe { changed!(raw.downgrade_upgradable(token)) };
        changing.end(token)
    }

    /// Runs `f` with the lock held for writing; afterwards, also when `f` panics, it is held upgradable again.
    pub(crate) fn as_writer<T>(&mut self, site: Site, f: impl FnOnce() -> T) -> T {
        let token = self.lend(|lock, raw, hold, token| Some(make_exclusive(lock, raw, hold, token, site)));
        self.exclusively(token.expect("a wait without a limit ends with the lock"), site, f)
    }

    /// [`as_writer`](Self::as_writer) if there are no readers.
    pub(crate) fn try_as_writer<T>(&mut self, site: Site, f: impl FnOnce() -> T) -> Option<T> {
        let token = self.lend(|lock, raw, hold, token| try_make_exclusive(lock, raw, hold, token, site))?;
        Some(self.exclusively(token, site, f))
    }

    /// [`as_writer`](Self::as_writer), waiting by `wait`.
    ///
    /// # Safety
    ///
    /// As for [`upgrade_by`](Self::upgrade_by).
    pub(crate) unsafe fn as_writer_by<T>(
        &mut self,
        site: Site,
        wait: impl FnOnce(&L::Raw, UpgradableToken<L::Raw>) -> Upgraded<L::Raw>,
        f: impl FnOnce() -> T,
    ) -> Option<T> {
        // SAFETY: this function's contract.
        let upgrade = |lock: LockRef<'_>, raw: &_, hold: &mut _, token: &_| unsafe {
            make_exclusive_by(lock, raw, hold, token, site, wait)
        };
        let token = self.lend(upgrade)?;
        Some(self.exclusively(token, site, f))
    }

    /// Has `upgrade` use the token; when it does not succeed, the token is here again. When it returns another one, it is up to
    /// the caller to put an upgradable one back.
    fn lend<N>(
        &mut self,
        upgrade: impl FnOnce(LockRef<'_>, &L::Raw, &mut Hold, &Cell<Option<UpgradableToken<L::Raw>>>) -> Option<N>,
    ) -> Option<N> {
        /// Puts the token back, of which there is one unless the lock was upgraded, or the raw lock panicked while it had it: a guard
        /// without its lock must not reach the caller.
        struct PutBack<'h, K: AfterPanic>(&'h mut ManuallyDrop<K>, Cell<Option<K>>);

        impl<K: AfterPanic> Drop for PutBack<'_, K> {
            fn drop(&mut self) {
                match self.1.take().or_else(K::left) {
                    Some(token) => *self.0 = ManuallyDrop::new(token),
                    None => drop(AbortOnUnwind),
                }
            }
        }

        let (lock, raw, hold, token) = self.parts();
        // SAFETY: put back, or the caller puts in another one.
        let mine = unsafe { ManuallyDrop::take(token) };
        let lent = PutBack(token, Cell::new(Some(mine)));
        let upgraded = upgrade(lock, raw, hold, &lent.1)?;
        std::mem::forget(lent);
        Some(upgraded)
    }

    /// The raw lock is held for writing, by one of the functions above; the upgradable token is used up.
    fn exclusively<T>(&mut self, token: ExclusiveToken<L::Raw>, site: Site, f: impl FnOnce() -> T) -> T {
        /// Stands for a lock that is held for writing, though `Held` says upgradable.
        struct Downgrade<'h, L: Lock<Raw: RawRwLockUpgradeDowngrade>> {
            held: &'h mut Upgrader<L>,
            token: ManuallyDrop<ExclusiveToken<L::Raw>>,
            site: Site,
        }

        impl<L: Lock<Raw: RawRwLockUpgradeDowngrade>> Drop for Downgrade<'_, L> {
            fn drop(&mut self) {
                // A guard that says upgradable of a lock that is held for writing must not reach the caller.
                let bomb = AbortOnUnwind;
                let (lock, raw, hold, upgradable) = self.held.parts();
                follow::downgrade(lock, hold, Mode::Upgradable, self.site);
                // SAFETY: held for writing since it was made exclusive; the token is not used again.
                *upgradable = unsafe {
                    let token = ManuallyDrop::take(&mut self.token);
                    ManuallyDrop::new(changed!(raw.downgrade_to_upgradable(token)))
                };
                std::mem::forget(bomb);
            }
        }

        self.hold.note_write();
        let _downgrade = Downgrade { held: self, token: ManuallyDrop::new(token), site };
        f()
    }
}
