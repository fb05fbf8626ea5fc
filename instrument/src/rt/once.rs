//! What is initialised once: `Once` and the like.
//!
//! Whoever runs the initialiser holds the object exclusively, like a mutex. Who comes meanwhile waits to share it, and does
//! so for a moment when the initialiser is done. After that facades do not come here any more: what is initialised is
//! no lock, and takes no part in orders. In a recording, a thread that finds it initialised says so once ([`observed`]).
//!
//! Whether a call runs the initialiser or waits shows only while it is made. So a wait is published before it, in either case,
//! and ends when the initialiser begins. One that was none does no harm: it is in conflict with an exclusive holder only, and as
//! long as there is none it leads nowhere.

use std::{
    cell::{Cell, RefCell},
    sync::atomic::Ordering,
};

use lockscope_trace::How;

use super::{
    Act, Hold, LockRef, Mode, Need, Site,
    global::{flag, flags},
    object::{block, note},
    op::Op,
    ops::release,
    thread,
    waiting::WaitGuard,
};

/// Notes that this thread found `once` initialised: what follows comes after the initialiser. Costs a load while nothing is recorded;
/// else it is recorded once for each thread and object, as far as a small cache remembers.
#[inline]
pub fn observed(once: LockRef<'_>, site: Site) {
    if flags() & flag::RECORD != 0 {
        observed_recorded(once, site);
    }
}

fn observed_recorded(once: LockRef<'_>, site: Site) {
    // Every initialisation is an acquisition that is counted, unless it was made before anybody recorded or as the object was made.
    let initialised = once.meta.count.load(Ordering::Relaxed);
    let Some(id) = once.known_id().filter(|_| initialised != 0) else { return };
    let is_news = thread::enter().is_some_and(|entered| entered.local().observed.insert(id, initialised));
    if is_news {
        note(once, Act::Observed(initialised), site);
    }
}

/// What a thread has said to have found initialised, as far as this small direct-mapped cache remembers. 512 bytes.
#[derive(Debug)]
pub(super) struct Observed([(u32, u32); 64]);

impl Default for Observed {
    fn default() -> Self {
        Self([(0, 0); 64])
    }
}

impl Observed {
    /// Whether this object with this count is not remembered; from now on it is.
    fn insert(&mut self, id: u32, count: u32) -> bool {
        let entry = &mut self.0[id as usize % 64];
        std::mem::replace(entry, (id, count)) != (id, count)
    }

    /// For the next thread that uses the record.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Makes sure that `once` is initialised: `call` runs the initialiser by [`Turn::run`] if it is this thread's turn, else it
/// waits until another thread has done so. `only_waits` says that it never runs it.
///
/// Call it only when the object was not found initialised.
///
/// # Panics
///
/// When something is found whose policy is to panic. `call` has not been called then.
pub fn initialise<R>(once: LockRef<'_>, site: Site, only_waits: bool, call: impl FnOnce(&Turn<'_>) -> R) -> R {
    if flags() & flag::TRACK == 0 {
        return call(&Turn::unfollowed(once, site));
    }
    let turn = Turn::ask(once, site, only_waits);
    let result = call(&turn);
    turn.pass();
    result
}

/// Waits by `wait` until somebody has initialised `once`; [`observed`] is for the caller to call then.
///
/// Call it only when the object was not found initialised.
///
/// # Panics
///
/// When something is found whose policy is to panic. `wait` has not been called then.
pub fn wait_initialised<R>(once: LockRef<'_>, site: Site, wait: impl FnOnce() -> R) -> R {
    // What the initialiser takes must not be held meanwhile, as when this thread asked to initialise.
    if let Some(op) = Op::begin(once, Mode::Exclusive, How::Lock, site) {
        op.check_order();
    }
    block(&[(once, Need::Init)], false, site, wait, |_| false)
}

/// A call that initialises, or waits until that is done.
#[derive(Debug)]
pub struct Turn<'a> {
    once: LockRef<'a>,
    site: Site,
    followed: bool,
    /// A wait was recorded and has not ended.
    waits: Cell<bool>,
    /// This thread has run the initialiser, or refused to.
    ran: Cell<bool>,
    wait: RefCell<Option<WaitGuard<'static>>>,
}

impl<'a> Turn<'a> {
    fn unfollowed(once: LockRef<'a>, site: Site) -> Self {
        let (waits, ran, wait) = Default::default();
        Turn { once, site, followed: false, waits, ran, wait }
    }

    fn ask(once: LockRef<'a>, site: Site, only_waits: bool) -> Self {
        let turn = Turn::unfollowed(once, site);
        let Some(op) = Op::begin(once, Mode::Exclusive, How::Lock, site) else { return turn };
        op.check_order();
        let waits = only_waits || op.is_held_exclusively();
        let wait = op.announce(waits);
        Turn { followed: true, waits: Cell::new(waits), wait: RefCell::new(Some(wait)), ..turn }
    }

    /// Runs the initialiser, also when it panics: this thread holds the object meanwhile.
    pub fn run<R>(&self, initialiser: impl FnOnce() -> R) -> R {
        if !self.followed {
            return initialiser();
        }
        self.wait.take();
        self.waits.set(false);
        self.ran.set(true);
        let begun = Op::begin(self.once, Mode::Exclusive, How::Lock, self.site);
        let _release = begun.map(|op| Release(self.once, op.acquired()));
        initialiser()
    }

    /// Does not run the initialiser although it is this thread's turn: one that ran before has panicked.
    pub fn refuse(&self) {
        self.ran.set(true);
    }

    /// The object is initialised. A thread that waited for that takes it and lets go of it: that ends the wait in the trace,
    /// and orders what follows after the initialiser.
    fn pass(&self) {
        self.wait.take();
        if flags() & flag::RECORD == 0 {
            return;
        }
        let once = self.once.recursively();
        if !self.waits.take() {
            // Another thread was faster.
            if !self.ran.get() {
                observed(once, self.site);
            }
        } else if let Some(op) = Op::begin(once, Mode::Shared, How::Lock, self.site) {
            let mut hold = op.acquired();
            drop(op);
            release(once, &mut hold);
        }
    }
}

/// An initialiser that runs.
struct Release<'a>(LockRef<'a>, Hold);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        release(self.0, &mut self.1);
        // It need not say that it found what it has made.
        if flags() & flag::RECORD != 0
            && let (Some(id), Some(entered)) = (self.0.known_id(), thread::enter())
        {
            entered.local().observed.insert(id, self.0.meta.count.load(Ordering::Relaxed));
        }
    }
}
