//! What is initialised once: `Once` and the like.
//!
//! Whoever runs the initialiser holds the object exclusively, like a mutex. Who comes meanwhile waits to share it, and does
//! so for a moment when the initialiser is done. After that facades do not come here any more: what is initialised is
//! no lock, and takes no part in orders.
//!
//! Whether a call runs the initialiser or waits shows only while it is made. So a wait is published before it, in either case,
//! and ends when the initialiser begins. One that was none does no harm: it is in conflict with an exclusive holder only, and as
//! long as there is none it leads nowhere.

use std::cell::{Cell, RefCell};

use lockscope_trace::How;

use super::{
    Hold, LockRef, Mode, Site,
    global::{flag, flags},
    op::Op,
    ops::release,
    waiting::WaitGuard,
};

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
        return call(&Turn { once, site, followed: false, waits: Cell::new(false), wait: RefCell::new(None) });
    }
    let turn = Turn::ask(once, site, only_waits);
    let result = call(&turn);
    turn.pass();
    result
}

/// A call that initialises, or waits until that is done.
#[derive(Debug)]
pub struct Turn<'a> {
    once: LockRef<'a>,
    site: Site,
    followed: bool,
    /// A wait was recorded and has not ended.
    waits: Cell<bool>,
    wait: RefCell<Option<WaitGuard<'static>>>,
}

impl<'a> Turn<'a> {
    fn ask(once: LockRef<'a>, site: Site, only_waits: bool) -> Self {
        let turn = Turn { once, site, followed: false, waits: Cell::new(false), wait: RefCell::new(None) };
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
        let begun = Op::begin(self.once, Mode::Exclusive, How::Lock, self.site);
        let _release = begun.map(|op| Release(self.once, op.acquired()));
        initialiser()
    }

    /// The object is initialised. A thread that waited for that takes it and lets go of it: that ends the wait in the trace,
    /// and orders what follows after the initialiser.
    fn pass(&self) {
        self.wait.take();
        let once = self.once.recursively();
        if self.waits.take()
            && flags() & flag::RECORD != 0
            && let Some(op) = Op::begin(once, Mode::Shared, How::Lock, self.site)
        {
            let hold = op.acquired();
            drop(op);
            release(once, &hold);
        }
    }
}

/// An initialiser that runs.
struct Release<'a>(LockRef<'a>, Hold);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        release(self.0, &self.1);
    }
}
