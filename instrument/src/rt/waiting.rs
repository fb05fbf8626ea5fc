//! What a thread waits for, published for searches by other threads.

use std::{
    panic::Location,
    ptr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering, fence},
    },
};

use lockscope_trace::{LockKind, Mode, format::code};

use super::Site;

/// For what a thread waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A lock, to hold it in a mode.
    Lock {
        lock: u32,
        mode: Mode,
        kind: LockKind,
        /// The mode in which the waiting thread holds the lock already and that is to be replaced.
        upgrade: bool,
        /// No waiting writer is in the way.
        recursive: bool,
    },
    /// The end of all these threads.
    Threads(Vec<u32>),
}

/// A wait, as read.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// Number of this wait among the thread's; the same number later means that it has been waiting all the time.
    pub episode: u64,
    pub target: Target,
    pub site: Site,
    /// Of the lock.
    pub created: Site,
    pub type_name: fn() -> &'static str,
    /// In ticks.
    pub since: u64,
    /// The wait ends by itself at some time.
    pub limited: bool,
    /// Who held the lock exclusively when the wait began, by index of the record; a hint.
    pub owner: Option<u32>,
}

/// A thread's wait. Fields are written by the owner before `episode` says that it waits.
#[derive(Debug)]
pub(super) struct Wait {
    /// Twice the number of waits so far, plus 1 while one is on.
    episode: AtomicU64,
    lock: AtomicU32,
    what: AtomicU32,
    site: AtomicPtr<Location<'static>>,
    created: AtomicPtr<Location<'static>>,
    type_name: AtomicPtr<()>,
    since: AtomicU64,
    owner: AtomicU32,
    threads: Mutex<Vec<u32>>,
}

impl Default for Wait {
    fn default() -> Self {
        Self {
            episode: AtomicU64::new(0),
            lock: AtomicU32::new(0),
            what: AtomicU32::new(0),
            site: AtomicPtr::new(ptr::null_mut()),
            created: AtomicPtr::new(ptr::null_mut()),
            type_name: AtomicPtr::new(ptr::null_mut()),
            since: AtomicU64::new(0),
            owner: AtomicU32::new(NO_OWNER),
            threads: Mutex::new(Vec::new()),
        }
    }
}

const NO_OWNER: u32 = u32::MAX;
const LIMITED: u32 = 1 << 16;
const UPGRADE: u32 = 1 << 17;
const THREADS: u32 = 1 << 18;
const RECURSIVE: u32 = 1 << 19;

/// Ends the wait when dropped, also by panic.
#[derive(Debug)]
pub(super) struct WaitGuard<'a>(&'a Wait);

impl Drop for WaitGuard<'_> {
    fn drop(&mut self) {
        self.0.episode.fetch_add(1, Ordering::Release);
    }
}

impl Wait {
    /// Owner only: publishes a wait. A search that this thread makes afterwards sees every wait that was published before, or the
    /// other thread's search sees this one: that is what the fence is for.
    pub(super) fn begin(&self, waiting: &Waiting) -> WaitGuard<'_> {
        let mut what = if waiting.limited { LIMITED } else { 0 };
        match &waiting.target {
            Target::Lock { lock, mode, kind, upgrade, recursive } => {
                self.lock.store(*lock, Ordering::Relaxed);
                what |= u32::from(code::mode_how(*mode, lockscope_trace::How::Lock))
                    | u32::from(code::lock_kind(*kind)) << 8;
                what |= if *upgrade { UPGRADE } else { 0 } | if *recursive { RECURSIVE } else { 0 };
            }
            Target::Threads(threads) => {
                self.threads.lock().unwrap_or_else(PoisonError::into_inner).clone_from(threads);
                what |= THREADS;
            }
        }
        self.what.store(what, Ordering::Relaxed);
        self.site.store(ptr::from_ref(waiting.site).cast_mut(), Ordering::Relaxed);
        self.created.store(ptr::from_ref(waiting.created).cast_mut(), Ordering::Relaxed);
        self.type_name.store(waiting.type_name as *mut (), Ordering::Relaxed);
        self.since.store(waiting.since, Ordering::Relaxed);
        self.owner.store(waiting.owner.unwrap_or(NO_OWNER), Ordering::Relaxed);
        self.episode.fetch_add(1, Ordering::Release);
        fence(Ordering::SeqCst);
        WaitGuard(self)
    }

    /// Number of the current wait; `None` when the thread does not wait.
    pub(super) fn episode(&self) -> Option<u64> {
        let episode = self.episode.load(Ordering::Acquire);
        (episode % 2 == 1).then_some(episode)
    }

    /// The current wait, if its fields could be read while it lasted.
    pub(super) fn read(&self) -> Option<Waiting> {
        let episode = self.episode()?;
        let what = self.what.load(Ordering::Relaxed);
        let target = if what & THREADS != 0 {
            Target::Threads(self.threads.lock().unwrap_or_else(PoisonError::into_inner).clone())
        } else {
            Target::Lock {
                lock: self.lock.load(Ordering::Relaxed),
                mode: code::parse_mode_how(what as u8).0,
                kind: code::parse_lock_kind((what >> 8) as u8),
                upgrade: what & UPGRADE != 0,
                recursive: what & RECURSIVE != 0,
            }
        };
        let (site, created) = (self.site.load(Ordering::Relaxed), self.created.load(Ordering::Relaxed));
        let type_name = self.type_name.load(Ordering::Relaxed);
        let since = self.since.load(Ordering::Relaxed);
        let owner = self.owner.load(Ordering::Relaxed);
        // The loads above must not move below the check that the wait was still the same.
        fence(Ordering::Acquire);
        if self.episode.load(Ordering::Relaxed) != episode {
            return None;
        }
        // SAFETY: stored by `begin` before the episode began; valid for ever.
        unsafe {
            Some(Waiting {
                episode,
                target,
                site: &*site,
                created: &*created,
                type_name: std::mem::transmute::<*mut (), fn() -> &'static str>(type_name),
                since,
                limited: what & LIMITED != 0,
                owner: (owner != NO_OWNER).then_some(owner),
            })
        }
    }
}
