//! Locks that cannot be followed any more, since their raw lock was handed out.
//!
//! Who has the raw lock can release it without the facade. That is what it is handed out for: a guard is taken apart (its
//! data kept, the guard forgotten, the raw lock unlocked later), or a condition variable of somebody else's releases a
//! mutex while it waits. Then the record of a hold outlasts the hold, though searches and orders rely on that never
//! happening: they would report deadlocks with threads that hold nothing.
//!
//! Nothing tells from outside which holds will end unseen, nor when: the reference may have been kept since long ago. So
//! from the moment that it is handed out the lock is nobody's: the records of its holds end here, and acquisitions are
//! passed through untracked, for good. What is lost are findings about this lock; the alternative is to make some up.
//!
//! One gap is left open: a thread that has acquired the lock at this moment and is about to note it, a few
//! instructions later, does so after all. That record ends with its guard, or, should the guard be forgotten, when its
//! thread asks for this lock again. Closing the gap would take a fence in every acquisition of every lock.

use lockscope_trace::{Access, LockKind};

use super::{
    Hold, LockRef, Site,
    global::{flag, flags},
    held::HeldLock,
    ops::{release_foreign, release_own},
    thread::{self, Entered},
};

/// Follows the lock no more: its raw lock is about to be handed out. Costs a load when that was done before, else a look at
/// what all threads hold.
#[inline]
pub fn unfollow(lock: LockRef<'_>, site: Site) {
    if flags() & flag::TRACK != 0 && lock.unfollowed_id().is_none() {
        unfollow_now(lock, site);
    }
}

#[cold]
fn unfollow_now(lock: LockRef<'_>, site: Site) {
    let entered = thread::enter_or_nested();
    let Some(id) = lock.mark_unfollowed(site) else { return };
    end_own_holds(&entered, id);
    let recording = flags() & flag::RECORD != 0;
    for other in thread::all().filter(|other| other.index != entered.info.index) {
        let held: Vec<_> = other.held.of_lock(id).map(|held| held.mode).collect();
        for mode in held {
            release_foreign(&entered, other, id, &Hold::untracked(mode), recording);
        }
    }
}

/// Ends what this thread is noted to hold of a lock.
pub(super) fn end_own_holds(entered: &Entered, lock: u32) {
    let next = || entered.info.held.of_lock(lock).next();
    let end = |held: HeldLock| match held.kind {
        LockKind::Semaphore => entered.info.held.remove(lock, held.mode, None),
        _ => release_own(entered, lock, &Hold::untracked(held.mode), Access::Unknown),
    };
    while next().is_some_and(end) {}
}

/// Forgets what this thread holds of a lock that is destroyed: its guard was forgotten, and what is gone is not held. The
/// trace has the end of the lock's life.
pub(super) fn forget_own_holds(entered: &Entered, lock: u32) {
    let held = &entered.info.held;
    while held.of_lock(lock).next().is_some_and(|hold| held.remove(lock, hold.mode, None)) {}
}
