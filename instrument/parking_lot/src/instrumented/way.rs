//! Raw locks, and the ways in which they are held.
//!
//! The traits are implemented in `version`, since the traits of parking_lot's raw locks differ from version to version. They are
//! public only because they bound public types' parameters; nobody outside can name them.

use std::{
    marker::PhantomData,
    time::{Duration, Instant},
};

use lockscope::rt::{LockKind, LockMeta, Mode};

/// A raw lock of this crate: one of parking_lot's, and what the runtime keeps of it.
pub trait Followed {
    /// What it is.
    const KIND: LockKind;
    /// Its name is what reports say when there is no data with a type of its own.
    type Name: ?Sized;

    /// What the runtime keeps.
    fn meta(&self) -> &LockMeta;
    /// What the runtime keeps, before the lock's first use.
    fn meta_mut(&mut self) -> &mut LockMeta;
}

/// A way in which a raw lock is held; the operations are the wrapped lock's own, of which the runtime learns nothing.
pub trait Way {
    /// The lock.
    type Raw: Followed;
    /// As what the runtime knows the way.
    const MODE: Mode;
    /// Passes waiting writers.
    const RECURSIVE: bool = false;

    /// Waits for as long as it takes.
    fn lock(raw: &Self::Raw);
    /// Does not wait.
    fn try_lock(raw: &Self::Raw) -> bool;
    /// Waits for `limit` at most.
    fn try_lock_for(raw: &Self::Raw, limit: Duration) -> bool;
    /// Waits until `deadline` at most.
    fn try_lock_until(raw: &Self::Raw, deadline: Instant) -> bool;

    /// # Safety
    ///
    /// The caller holds `raw` in this way, and holds it no longer afterwards.
    unsafe fn unlock(raw: &Self::Raw);

    /// # Safety
    ///
    /// As [`unlock`](Self::unlock).
    unsafe fn unlock_fair(raw: &Self::Raw);
}

/// A mutex, locked.
#[derive(Debug)]
pub struct Locked<R>(PhantomData<R>);

/// A read-write lock, held by a reader.
#[derive(Debug)]
pub struct Read<R>(PhantomData<R>);

/// A read-write lock, held by its writer.
#[derive(Debug)]
pub struct Write<R>(PhantomData<R>);

/// A read-write lock, held by the one reader that may become its writer.
#[derive(Debug)]
pub struct Upgradable<R>(PhantomData<R>);

/// A raw mutex.
pub trait MutexRaw: Followed + lock_api::RawMutex + Sized {
    /// The only way to hold it.
    type Locked: Way<Raw = Self>;
}

/// A raw read-write lock. The operations are the wrapped lock's own; those that take more or less time return whether they succeeded.
pub trait RwLockRaw: Followed + lock_api::RawRwLock + Sized {
    /// As a reader.
    type Read: Way<Raw = Self>;
    /// As the writer.
    type Write: Way<Raw = Self>;
    /// As the upgradable reader.
    type Upgradable: Way<Raw = Self>;

    /// # Safety
    ///
    /// The caller holds the lock for writing; afterwards it holds it for reading.
    unsafe fn write_to_read(&self);

    /// # Safety
    ///
    /// The caller holds the lock for writing; afterwards it holds it upgradable.
    unsafe fn write_to_upgradable(&self);

    /// # Safety
    ///
    /// The caller holds the lock upgradable; afterwards it holds it for reading.
    unsafe fn upgradable_to_read(&self);

    /// # Safety
    ///
    /// The caller holds the lock upgradable; afterwards it holds it for writing.
    unsafe fn upgradable_to_write(&self);

    /// # Safety
    ///
    /// The caller holds the lock upgradable; after success it holds it for writing.
    unsafe fn try_upgradable_to_write(&self) -> bool;

    /// # Safety
    ///
    /// As [`try_upgradable_to_write`](Self::try_upgradable_to_write).
    unsafe fn try_upgradable_to_write_for(&self, limit: Duration) -> bool;

    /// # Safety
    ///
    /// As [`try_upgradable_to_write`](Self::try_upgradable_to_write).
    unsafe fn try_upgradable_to_write_until(&self, deadline: Instant) -> bool;
}
