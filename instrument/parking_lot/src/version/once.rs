//! What 0.13's `Once` has beyond 0.12's.

use std::panic::Location;

use lockscope::rt::{self, LockMeta, Site};

use crate::Once;

impl Once {
    /// Makes one of which something has run already.
    #[track_caller]
    #[inline]
    pub const fn new_completed() -> Self {
        Self { meta: LockMeta::new(), plain: parking_lot::Once::new_completed() }
    }

    /// Whether something has run.
    #[track_caller]
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.is_done(Location::caller())
    }

    /// Waits until something has run.
    ///
    /// # Panics
    ///
    /// When what has run panicked.
    #[track_caller]
    #[inline]
    pub fn wait(&self) {
        if !self.is_done(Location::caller()) {
            self.await_other(Location::caller(), || self.plain.wait());
        }
    }

    /// Waits until something has run without a panic.
    #[track_caller]
    #[inline]
    pub fn wait_force(&self) {
        if !self.is_done(Location::caller()) {
            self.await_other(Location::caller(), || self.plain.wait_force());
        }
    }

    fn await_other(&self, site: Site, wait: impl FnOnce()) {
        rt::wait_initialised(self.lock_ref(), site, wait);
        self.is_done(site);
    }
}
