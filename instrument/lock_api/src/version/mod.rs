//! What is lock_api 0.4's own: an acquisition of a raw lock leaves nothing behind, any read-write lock may have recursive reads, and
//! some functions that 0.5 has no more. The rest of the sources is 0.5's as well (`lockscope-lock_api_05`).

mod auto_traits;
mod forced;
mod recursive;
#[doc(hidden)]
pub mod stand_in;

use std::marker::PhantomData;

use crate::{
    raw::{GuardNoSend, GuardSend, RawMutex, RawRwLock},
    types::MappedRwLockReadGuard,
};

/// Says whether guards of a mutex may leave their threads.
pub(crate) type MutexMarker<R> = <R as RawMutex>::GuardMarker;
/// Says whether guards of a read-write lock may leave their threads.
pub(crate) type RwLockMarker<R> = <R as RawRwLock>::GuardMarker;

/// Stands for an acquisition: empty, and as `Send` as guards may be.
#[derive(Debug)]
pub struct Token<M>(PhantomData<M>);

/// Of a mutex.
pub type MutexToken<R> = Token<<R as RawMutex>::GuardMarker>;
/// Of a reader.
pub type SharedToken<R> = Token<<R as RawRwLock>::GuardMarker>;
/// Of a writer.
pub type ExclusiveToken<R> = SharedToken<R>;
/// Of an upgradable reader.
pub type UpgradableToken<R> = SharedToken<R>;

impl<M> Token<M> {
    /// Of an acquisition that was made elsewhere.
    #[inline]
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

/// What a raw lock's `lock` returns, as a token.
#[inline]
pub(crate) fn locked<M>((): ()) -> Token<M> {
    Token::new()
}

/// What a raw lock's `try_lock` returns, as a token.
#[inline]
pub(crate) fn tried<M>(succeeded: bool) -> Option<Token<M>> {
    succeeded.then_some(Token::new())
}

/// Calls what releases a raw lock.
macro_rules! released {
    ($raw:ident.$unlock:ident($token:ident)) => {{
        let _ = $token;
        $raw.$unlock()
    }};
}

/// Calls what changes the way in which a raw lock is held, and is the new token.
macro_rules! changed {
    ($raw:ident.$change:ident($token:ident)) => {{
        let _ = $token;
        $raw.$change();
        $crate::version::Token::new()
    }};
}

/// As `changed`, of what may not succeed: is the new token or the old one.
macro_rules! perhaps_changed {
    ($raw:ident.$change:ident($token:ident $(, $limit:ident)?)) => {
        if $raw.$change($($limit)?) { Ok($crate::version::Token::new()) } else { Err($token) }
    };
}

pub(crate) use {changed, perhaps_changed, released};

/// What is left of an acquisition when the raw lock panics while it changes it.
pub trait AfterPanic: Sized {
    /// The token of what is still held.
    fn left() -> Option<Self>;
}

impl<M> AfterPanic for Token<M> {
    /// Nothing was said about it, so it is taken not to have happened.
    fn left() -> Option<Self> {
        Some(Token::new())
    }
}

/// What a reentrant mutex over this raw mutex keeps of its acquisition: nothing.
#[cfg(feature = "atomic_usize")]
pub trait Keeps {
    /// It.
    type Kept;
}

#[cfg(feature = "atomic_usize")]
impl<R> Keeps for R {
    type Kept = Nothing;
}

/// What a reentrant mutex keeps of its acquisition.
#[cfg(feature = "atomic_usize")]
#[derive(Debug)]
pub struct Nothing;

#[cfg(feature = "atomic_usize")]
#[inline]
pub(crate) fn keep<R: RawMutex>(_: MutexToken<R>) -> Nothing {
    Nothing
}

#[cfg(feature = "atomic_usize")]
#[inline]
pub(crate) fn kept<R: RawMutex>(Nothing: Nothing) -> MutexToken<R> {
    Token::new()
}

/// Beside the lock, in a guard that shares a reentrant mutex.
#[cfg(all(feature = "arc_lock", feature = "atomic_usize"))]
pub(crate) type ArcReentrantMarker<T> = PhantomData<(GuardNoSend, fn(&T))>;

/// Beside the pointer, in a guard of a part of the data that nobody else reaches.
pub(crate) type ExclusiveMarker<'a, T> = PhantomData<&'a mut T>;

/// Whether guards that are marked so stay with their threads. Generic code cannot ask whether a type is `Send`, but the two that there
/// are differ in size.
#[inline]
pub(crate) fn keeps_guards_here<M>() -> bool {
    const { assert!(size_of::<GuardSend>() == 0 && size_of::<GuardNoSend>() != 0) };
    size_of::<M>() == size_of::<GuardNoSend>()
}

/// The raw read-write lock whose readers wait behind writers that wait.
pub(crate) const WRITERS_FIRST: &str = "parking_lot::raw_rwlock::RawRwLock";

/// Whether a raw lock that is handed out is told to the runtime all the same.
pub(crate) use self::stand_in::is_known;

impl<'a, R: RawRwLock + 'a, T: ?Sized + 'a> MappedRwLockReadGuard<'a, R, T> {
    /// [`try_map_or_err`](Self::try_map_or_err), as this guard has it in 0.4.
    #[inline]
    pub fn try_map_or_else<U: ?Sized, F, E>(s: Self, f: F) -> Result<MappedRwLockReadGuard<'a, R, U>, (Self, E)>
    where
        F: FnOnce(&T) -> Result<&U, E>,
    {
        Self::try_map_or_err(s, f)
    }
}

#[cfg(all(test, not(lockscope_off), any(debug_assertions, feature = "force")))]
mod tests {
    use std::any::type_name;

    use crate::types::way::readers_queue_behind_writers;

    #[test]
    fn parking_lots_raw_locks_are_known_by_their_names() {
        let names = [
            type_name::<parking_lot_0_12::RawMutex>(),
            type_name::<parking_lot_0_12::RawFairMutex>(),
            type_name::<parking_lot_0_12::RawRwLock>(),
        ];
        assert!(names.iter().all(|name| name.starts_with("parking_lot::raw_")), "{names:?}");
    }

    #[test]
    fn parking_lots_readers_queue_behind_writers() {
        assert!(readers_queue_behind_writers::<parking_lot_0_12::RawRwLock>());
        assert!(!readers_queue_behind_writers::<parking_lot_0_12::RawMutex>());
    }
}
