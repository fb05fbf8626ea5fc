//! What a thread waits for, published for searches by other threads.
//!
//! A wait is published before the thread blocks and taken back after it was woken, so a thread that was woken and has not run
//! yet still seems to wait. For a lock or the end of a thread that does no harm: what it waits for is not there
//! any more then (see `search`). For what others do to an object nothing of that kind can be looked up, so nothing is concluded from such a
//! wait alone: the watch asks the kernel, which knows who was woken (see `knot`).

use std::{
    panic::Location,
    ptr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering},
    },
};

use lockscope_trace::{LockKind, Mode, Need, format::code};

use super::{
    Site,
    episode::Episodes,
    global::{flag, flags},
    helpers,
    report::LockFacts,
    stack::{CallStack, Stack},
    thread::Entered,
    wrapper,
};

/// For what a thread waits.
#[derive(Clone, Debug)]
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
    /// That another thread does something to one of these objects.
    Objects {
        objects: Vec<(LockFacts, Need)>,
        /// Of a condition variable.
        mutex: Option<Released>,
    },
    /// That another thread unparks it.
    Unpark,
}

/// The mutex that a thread has released to wait on a condition variable, and has to take again, however its wait ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Released {
    pub lock: LockFacts,
    /// The thread had read the data behind it, as one does to see whether to wait.
    pub was_read: bool,
    /// When it had taken it, in ticks; 0 when acquisitions are not timed.
    pub since: u64,
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
    pub stack: Option<Stack>,
}

/// A thread's wait. Fields are written by the owner before `episodes` says that it waits.
#[derive(Debug)]
pub(super) struct Wait {
    episodes: Episodes,
    lock: AtomicU32,
    what: AtomicU32,
    site: AtomicPtr<Location<'static>>,
    created: AtomicPtr<Location<'static>>,
    type_name: AtomicPtr<()>,
    since: AtomicU64,
    owner: AtomicU32,
    lists: Mutex<Lists>,
    /// The thread was not spawned by lockscope, so that it may be joined unseen.
    pub joined_unseen: AtomicBool,
    stack: AtomicPtr<CallStack>,
    /// The backtrace of the wait, by its episode.
    #[cfg(feature = "backtraces")]
    backtrace: Mutex<Option<(u64, backtrace::Backtrace)>>,
}

/// The parts of a target that have no fixed size. Kept from wait to wait, so that they rarely allocate.
#[derive(Debug, Default)]
struct Lists {
    threads: Vec<u32>,
    objects: Vec<(LockFacts, Need)>,
    mutex: Option<Released>,
}

impl Default for Wait {
    fn default() -> Self {
        Self {
            episodes: Episodes::default(),
            lock: AtomicU32::new(0),
            what: AtomicU32::new(0),
            site: AtomicPtr::new(ptr::null_mut()),
            created: AtomicPtr::new(ptr::null_mut()),
            type_name: AtomicPtr::new(ptr::null_mut()),
            since: AtomicU64::new(0),
            owner: AtomicU32::new(NO_OWNER),
            lists: Mutex::default(),
            joined_unseen: AtomicBool::new(false),
            stack: AtomicPtr::new(ptr::null_mut()),
            #[cfg(feature = "backtraces")]
            backtrace: Mutex::new(None),
        }
    }
}

const NO_OWNER: u32 = u32::MAX;
const LIMITED: u32 = 1 << 16;
const UPGRADE: u32 = 1 << 17;
const RECURSIVE: u32 = 1 << 18;
const THREADS: u32 = 1 << 19;
const OBJECTS: u32 = 1 << 20;
const UNPARK: u32 = 1 << 21;
const PERMITS: u32 = 1 << 22;

/// How many threads wait without a limit.
#[derive(Debug)]
pub(super) struct Counts {
    /// For anything.
    pub endless: AtomicU32,
    /// For what another thread does to an object, or to be unparked.
    pub helped: AtomicU32,
    /// For permits.
    pub permits: AtomicU32,
    /// For anything, of those that may be joined unseen.
    pub joined_unseen: AtomicU32,
}

/// How many threads wait without a limit now. Changed before a wait begins and after it has ended, so a published wait is counted.
pub(super) static COUNTS: Counts = Counts {
    endless: AtomicU32::new(0),
    helped: AtomicU32::new(0),
    permits: AtomicU32::new(0),
    joined_unseen: AtomicU32::new(0),
};

/// Ends the wait when dropped, also by panic.
#[derive(Debug)]
pub(super) struct WaitGuard<'a> {
    wait: &'a Wait,
    /// The wait in which this one began: what it waited by runs code of the program's, such as an allocator.
    outer: Option<Box<Waiting>>,
}

impl Drop for WaitGuard<'_> {
    fn drop(&mut self) {
        self.wait.end();
        if let Some(outer) = self.outer.take() {
            self.wait.publish(&outer);
        }
    }
}

/// Publishes a wait of this thread, with its stack where deadlocks are searched for. A search that this thread makes afterwards sees every wait
/// that was published before, or the other thread's search sees this one.
pub(super) fn begin(entered: &Entered, mut waiting: Waiting) -> WaitGuard<'static> {
    if waiting.stack.is_none() && flags() & flag::DEADLOCK != 0 {
        waiting.stack = wrapper::stack_of(entered, waiting.site);
    }
    entered.info.wait.begin(&waiting)
}

impl Wait {
    /// Owner only.
    fn begin(&self, waiting: &Waiting) -> WaitGuard<'_> {
        let outer = self.read().map(Box::new);
        if outer.is_some() {
            self.end();
        }
        #[cfg(feature = "backtraces")]
        self.publish_with_backtrace(waiting);
        #[cfg(not(feature = "backtraces"))]
        self.publish(waiting);
        WaitGuard { wait: self, outer }
    }

    /// Whoever sees the wait and asks for its backtrace gets it.
    #[cfg(feature = "backtraces")]
    fn publish_with_backtrace(&self, waiting: &Waiting) {
        if waiting.limited {
            return self.publish(waiting);
        }
        let backtrace = backtrace::Backtrace::new_unresolved();
        let mut kept = self.backtrace.lock().unwrap_or_else(PoisonError::into_inner);
        self.publish(waiting);
        *kept = self.episode().map(|episode| (episode, backtrace));
    }

    /// The backtrace of a wait; none is kept without the feature `backtraces`.
    #[cfg(not(feature = "backtraces"))]
    pub(super) fn backtrace(&self, _episode: u64) -> Option<backtrace::Backtrace> {
        None
    }

    /// The backtrace of a wait; none is kept without the feature `backtraces`.
    #[cfg(feature = "backtraces")]
    pub(super) fn backtrace(&self, episode: u64) -> Option<backtrace::Backtrace> {
        let kept = self.backtrace.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(of, _)| *of == episode).map(|(_, backtrace)| backtrace.clone())
    }

    fn publish(&self, waiting: &Waiting) {
        self.episodes.prepare();
        let mut what = if waiting.limited { LIMITED } else { 0 };
        match &waiting.target {
            Target::Lock { lock, mode, kind, upgrade, recursive } => {
                self.lock.store(*lock, Ordering::Relaxed);
                what |= u32::from(code::mode_how(*mode, lockscope_trace::How::Lock))
                    | u32::from(code::lock_kind(*kind)) << 8;
                what |= if *upgrade { UPGRADE } else { 0 } | if *recursive { RECURSIVE } else { 0 };
            }
            Target::Threads(threads) => {
                self.lists().threads.clone_from(threads);
                what |= THREADS;
            }
            Target::Objects { objects, mutex } => {
                let mut lists = self.lists();
                lists.objects.clone_from(objects);
                lists.mutex = *mutex;
                let is_for_permits = objects.iter().any(|(_, need)| matches!(need, Need::Permits(_)));
                what |= OBJECTS | if is_for_permits { PERMITS } else { 0 };
                objects.iter().for_each(|(object, _)| helpers::wait_begins(object.lock));
            }
            Target::Unpark => what |= UNPARK,
        }
        self.what.store(what, Ordering::Relaxed);
        self.site.store(ptr::from_ref(waiting.site).cast_mut(), Ordering::Relaxed);
        self.created.store(ptr::from_ref(waiting.created).cast_mut(), Ordering::Relaxed);
        self.type_name.store(waiting.type_name as *mut (), Ordering::Relaxed);
        self.since.store(waiting.since, Ordering::Relaxed);
        self.owner.store(waiting.owner.unwrap_or(NO_OWNER), Ordering::Relaxed);
        self.stack
            .store(waiting.stack.map_or(ptr::null_mut(), |stack| ptr::from_ref(stack).cast_mut()), Ordering::Relaxed);
        self.count(what, |count| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        self.episodes.begin();
    }

    fn end(&self) {
        self.episodes.end();
        let what = self.what.load(Ordering::Relaxed);
        if what & OBJECTS != 0 {
            self.lists().objects.iter().for_each(|(object, _)| helpers::wait_ends(object.lock));
        }
        self.count(what, |count| {
            count.fetch_sub(1, Ordering::Relaxed);
        });
    }

    fn count(&self, what: u32, change: impl Fn(&AtomicU32)) {
        if what & LIMITED != 0 {
            return;
        }
        change(&COUNTS.endless);
        if what & (OBJECTS | UNPARK) != 0 {
            change(&COUNTS.helped);
        }
        if what & PERMITS != 0 {
            change(&COUNTS.permits);
        }
        if self.joined_unseen.load(Ordering::Relaxed) {
            change(&COUNTS.joined_unseen);
        }
    }

    fn lists(&self) -> std::sync::MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of the current wait; `None` when the thread does not wait.
    pub(super) fn episode(&self) -> Option<u64> {
        self.episodes.current()
    }

    /// Owner only: whether the current wait has no limit.
    pub(super) fn is_endless(&self) -> bool {
        self.episode().is_some() && self.what.load(Ordering::Relaxed) & LIMITED == 0
    }

    /// The current wait when it has no limit, if its fields could be read while it lasted.
    pub(super) fn endless(&self) -> Option<Waiting> {
        // Most threads do not wait, or wait for a limited time: both show without reading the rest.
        self.episode()?;
        if self.what.load(Ordering::Relaxed) & LIMITED != 0 { None } else { self.read().filter(|read| !read.limited) }
    }

    /// The current wait, if its fields could be read while it lasted.
    pub(super) fn read(&self) -> Option<Waiting> {
        let episode = self.episode()?;
        let what = self.what.load(Ordering::Relaxed);
        let target = if what & THREADS != 0 {
            Target::Threads(self.lists().threads.clone())
        } else if what & OBJECTS != 0 {
            let lists = self.lists();
            Target::Objects { objects: lists.objects.clone(), mutex: lists.mutex }
        } else if what & UNPARK != 0 {
            Target::Unpark
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
        let stack = self.stack.load(Ordering::Relaxed);
        if !self.episodes.is_still(episode) {
            return None;
        }
        // SAFETY: stored by `publish` before the episode began; valid for ever.
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
                stack: stack.as_ref(),
            })
        }
    }
}
