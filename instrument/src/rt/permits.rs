//! Permits of semaphores: who has them.
//!
//! Each guard's permits are a hold in the set of the thread that acquired them, of kind [`LockKind::Semaphore`]. So searches for
//! threads that are stuck, reports and recordings know who has them and since when. They take no part in lock order: to hold permits is to hold up
//! nobody as long as there are others, and anyone may add some.
//!
//! As with locks, a hold lies within the real one: noted after the permits were taken, ended before they are given back.
//! Semaphores themselves are the facades' (`sync::Semaphore`); they wait by [`block`](super::block).

use std::sync::atomic::Ordering;

use lockscope_trace::{LockKind, clock};

use super::{
    Act, Hold, LockRef, Mode, Site,
    global::{flag, flags},
    held::HeldLock,
    object::{note, note_entered},
    thread::{self, Entered},
};

/// Notes that this thread has taken permits.
pub fn permits_acquired(semaphore: LockRef<'_>, permits: u32, site: Site) -> Hold {
    let untracked = Hold::untracked(Mode::Shared);
    if flags() & flag::TRACK == 0 {
        return untracked;
    }
    let (Some(entered), Some(id)) = (thread::enter(), semaphore.id_at(site)) else { return untracked };
    if flags() & flag::RECORD != 0 {
        note_entered(&entered, semaphore, Act::PermitsAcquired(permits), Some(site));
    }
    fill(&entered, semaphore, id, permits, site)
}

/// Notes that permits are about to be given back.
pub fn permits_released(semaphore: LockRef<'_>, permits: u32, hold: &Hold) {
    let Some((entered, id)) = enter(semaphore, hold) else { return };
    if flags() & flag::RECORD != 0
        && let Some(owner) = owner_id(hold)
    {
        // Recorded while it is in the set: a section that begins with this event lists what is held before it.
        note_entered(&entered, semaphore, Act::PermitsReleased(permits, owner), None);
    }
    remove(&entered, id, hold);
}

/// Notes that permits will never be given back.
pub fn permits_forgotten(semaphore: LockRef<'_>, permits: u32, hold: &Hold, site: Site) {
    if let Some(owner) = owner_id(hold) {
        note(semaphore, Act::PermitsForgotten(permits, owner), site);
    }
    if let Some((entered, id)) = enter(semaphore, hold) {
        remove(&entered, id, hold);
    }
}

/// Notes that permits that were held together are held apart from now on: `left` of them by `hold`, `right` by what is returned.
pub fn permits_split(semaphore: LockRef<'_>, hold: &mut Hold, left: u32, right: u32, site: Site) -> Hold {
    take_over(semaphore, hold, left + right, site);
    let Some((entered, id)) = enter(semaphore, hold) else { return Hold::untracked(Mode::Shared) };
    entered.info.held.change_permits(id, hold.slot(), left);
    fill(&entered, semaphore, id, right, site)
}

/// Notes that permits that were held apart, each so many, are held together by the first from now on.
pub fn permits_merged(semaphore: LockRef<'_>, hold: (&mut Hold, u32), other: (&mut Hold, u32), site: Site) {
    let ((hold, n), (other, n_other)) = (hold, other);
    take_over(semaphore, hold, n, site);
    take_over(semaphore, other, n_other, site);
    if hold.slot().is_none() {
        std::mem::swap(hold, other);
    } else if let Some((entered, id)) = enter(semaphore, other) {
        remove(&entered, id, other);
        entered.info.held.change_permits(id, hold.slot(), n + n_other);
    }
}

/// Makes permits this thread's that another one acquired: their guard was sent here.
fn take_over(semaphore: LockRef<'_>, hold: &mut Hold, permits: u32, site: Site) {
    let is_anothers = enter(semaphore, hold).is_some_and(|(entered, _)| hold.owner() != Some(entered.info.index));
    if is_anothers {
        permits_released(semaphore, permits, hold);
        *hold = permits_acquired(semaphore, permits, site);
    }
}

/// Id of the thread that acquired. As long as it holds anything, the record is that thread's.
fn owner_id(hold: &Hold) -> Option<u32> {
    hold.owner().and_then(thread::by_index).map(|owner| owner.id.load(Ordering::Relaxed))
}

fn remove(entered: &Entered, id: u32, hold: &Hold) {
    match hold.owner().and_then(thread::by_index) {
        Some(owner) if owner.index == entered.info.index => owner.held.remove(id, Mode::Shared, hold.slot()),
        Some(owner) => owner.held.remove_foreign(id, Mode::Shared, hold.slot()),
        None => false,
    };
}

/// Enters the runtime, also in a callback, to change a hold; `None` when it is not followed.
fn enter(semaphore: LockRef<'_>, hold: &Hold) -> Option<(Entered, u32)> {
    let is_followed = hold.slot().is_some() && flags() & flag::FORKED == 0;
    let id = semaphore.known_id().filter(|_| is_followed)?;
    Some((thread::enter_or_nested(), id))
}

fn fill(entered: &Entered, semaphore: LockRef<'_>, id: u32, permits: u32, site: Site) -> Hold {
    let held = HeldLock {
        lock: id,
        mode: Mode::Shared,
        kind: LockKind::Semaphore,
        site,
        created: semaphore.created(),
        type_name: semaphore.type_name,
        since: if flags() & flag::TIMES != 0 { clock::ticks() } else { 0 },
        fate: semaphore.fate(),
        from: None,
        permits,
    };
    let Some(free) = entered.info.held.reserve() else { return Hold::untracked(Mode::Shared) };
    entered.info.held.fill(free, &held);
    Hold::new(free, Mode::Shared)
}
