//! Objects that are not locks: what is done to them, and waits that another thread has to end by doing something.
//!
//! Facades call [`note`] for everything that is done (before it gives something, after it took something), [`block`] around
//! everything that may wait, and [`may_help`] so that searches know which threads could end such a wait.

use std::sync::atomic::Ordering;

use lockscope_trace::{
    Need, Side, clock,
    format::{act, code},
    writer::ObjectEvent,
};

use super::{
    LockRef, Site, deadlock,
    global::{flag, flags, patient_registry, trace},
    held::Fate,
    helpers, knot, record,
    thread::{self, Entered},
    waiting::{self, Released, Target, WaitGuard, Waiting},
};

/// What is done to an object. Gives are noted before they are done, takes afterwards, so that a cause is always counted before
/// its effect.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Permits were taken.
    PermitsAcquired(u32),
    /// Permits are given back that the thread with the given id had acquired.
    PermitsReleased(u32, u32),
    /// Permits are added that nobody had.
    PermitsAdded(u32),
    /// Permits that the thread with the given id had will never come back.
    PermitsForgotten(u32, u32),
    /// Arrives at a barrier.
    BarrierArrived,
    /// Has left a barrier, as its leader or not.
    BarrierLeft(bool),
    /// Found initialised what another thread had initialised, when the object's acquisitions had this count.
    Observed(u32),
    /// Sends a message, which is known by the count of this event.
    Sent,
    /// Has received the message that was sent with this count; 0 when that is not known.
    Received(u32),
    /// A handle to one side of a channel was made by this thread, or has come to it.
    HandleAdded(Side),
    /// A handle that the thread with the given id had is dropped, or has come from it to this one.
    HandleDropped(Side, u32),
    /// The message with this number was not sent after all.
    SendFailed(u32),
    /// Has found that the other side of a channel has no handles left.
    Disconnected,
}

/// Notes that this thread did something to an object. Returns the object's count of this event, 0 when nothing is recorded.
///
/// Costs a load when nothing is recorded, else an atomic addition to the object's [`LockMeta`](super::LockMeta) and four words.
#[inline]
pub fn note(object: LockRef<'_>, act: Act, site: Site) -> u32 {
    let flags = flags();
    if flags & flag::DEADLOCK != 0
        && let Act::PermitsAdded(_) | Act::PermitsForgotten(..) = act
    {
        note_supply(object, act, site);
    }
    if flags & flag::RECORD == 0 { 0 } else { note_recorded(object, act, Some(site)) }
}

/// Notes how many permits there are. Added ones before they can be had, so that there never seem to be less than there are.
fn note_supply(object: LockRef<'_>, act: Act, site: Site) {
    let Some(id) = object.id_at(site) else { return };
    let entered = thread::enter_or_nested();
    match act {
        Act::PermitsAdded(permits) => helpers::supply(id, |known| known.added += u64::from(permits)),
        Act::PermitsForgotten(permits, _) => {
            helpers::supply(id, |known| known.forgotten += u64::from(permits));
            if helpers::is_waited_for(id) {
                knot::help_is_lost();
            }
        }
        _ => {}
    }
    drop(entered);
}

/// [`note`] where nobody knows the place: in `drop`.
pub(super) fn note_unplaced(object: LockRef<'_>, act: Act) {
    if flags() & flag::RECORD != 0 {
        note_recorded(object, act, None);
    }
}

fn note_recorded(object: LockRef<'_>, act: Act, site: Option<Site>) -> u32 {
    thread::enter().map_or(0, |entered| note_entered(&entered, object, act, site))
}

/// [`note`] inside of the runtime, while something is recorded.
pub(super) fn note_entered(entered: &Entered, object: LockRef<'_>, what: Act, site: Option<Site>) -> u32 {
    let (act, detail, a, b) = match what {
        Act::PermitsAcquired(permits) => (act::PERMITS_ACQUIRED, u16::from(object.fate() == Fate::Stays), permits, 0),
        Act::PermitsReleased(permits, owner) => (act::PERMITS_RELEASED, 0, permits, u64::from(owner)),
        Act::PermitsAdded(permits) => (act::PERMITS_ADDED, 0, permits, 0),
        Act::PermitsForgotten(permits, owner) => (act::PERMITS_FORGOTTEN, 0, permits, u64::from(owner)),
        Act::BarrierArrived => (act::BARRIER_ARRIVED, 0, 0, 0),
        Act::BarrierLeft(leader) => (act::BARRIER_LEFT, u16::from(leader), 0, 0),
        Act::Observed(initialised) => (act::OBSERVED, 0, initialised, 0),
        Act::Sent => (act::SENT, 0, 0, 0),
        Act::Received(message) => (act::RECEIVED, 0, message, 0),
        Act::HandleAdded(side) => (act::HANDLE_ADDED, code::side(side), 0, 0),
        Act::HandleDropped(side, owner) => (act::HANDLE_DROPPED, code::side(side), 0, u64::from(owner)),
        Act::SendFailed(message) => (act::SEND_FAILED, 0, message, 0),
        Act::Disconnected => (act::DISCONNECTED, 0, 0, 0),
    };
    let Some(id) = object.id() else { return 0 };
    record::note_stopped();
    // What changes nothing for others needs no place in the order.
    let count = if matches!(what, Act::Observed(_) | Act::SendFailed(_)) { 0 } else { next_count(object) };
    let event = ObjectEvent { act, detail, object: id, count, a, b, ..ObjectEvent::default() };
    match site {
        Some(site) => record::object(entered, event, site),
        None => record::object_unplaced(entered, &event),
    }
    count
}

/// Counts an event of an object. 0 is left out when the count wraps, since it means "not counted".
pub(super) fn next_count(object: LockRef<'_>) -> u32 {
    loop {
        let count = object.meta.count.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if count != 0 {
            return count;
        }
    }
}

/// Runs `wait`, in which this thread waits until another one does something to one of the objects; `limited` says that the wait
/// ends by itself some time. `timed_out` tells from the result whether it did.
///
/// Call it only when the operation could not be done at once.
///
/// # Panics
///
/// When the wait closes a deadlock that is certain, and the policy is to panic. `wait` has not been called then.
pub fn block<R>(
    objects: &[(LockRef<'_>, Need)],
    limited: bool,
    site: Site,
    wait: impl FnOnce() -> R,
    timed_out: impl FnOnce(&R) -> bool,
) -> R {
    let flags = flags();
    if flags & flag::TRACK == 0 {
        return wait();
    }
    if flags & flag::RECORD != 0
        && let Some(entered) = thread::enter()
    {
        for &(object, need) in objects {
            let permits = if let Need::Permits(permits) = need { permits } else { 0 };
            let detail = u16::from(code::need(need)) | u16::from(limited) << 8;
            if let Some(id) = object.id() {
                let event = ObjectEvent { act: act::BLOCK, detail, object: id, a: permits, ..ObjectEvent::default() };
                record::object(&entered, event, site);
            }
        }
    }
    let result = {
        let _waiting = publish(objects, None, limited, site);
        wait()
    };
    if flags & flag::RECORD != 0
        && let (Some(entered), Some(id)) = (thread::enter(), objects.first().and_then(|(object, _)| object.id()))
    {
        let detail = u16::from(timed_out(&result));
        let event = ObjectEvent { act: act::UNBLOCK, detail, object: id, ..ObjectEvent::default() };
        record::object(&entered, event, site);
    }
    result
}

/// Publishes a wait for objects and looks whether that is a deadlock. Of a condition variable with its mutex, whether that was read,
/// and since when it was held. `None` when this thread is in the runtime already.
pub(super) fn publish(
    objects: &[(LockRef<'_>, Need)],
    mutex: Option<(LockRef<'_>, bool, u64)>,
    limited: bool,
    site: Site,
) -> Option<WaitGuard<'static>> {
    let entered = thread::enter()?;
    let facts = |object: LockRef<'_>| Some(object.facts(object.id_at(site)?));
    // An object that is not followed may be what ends the wait.
    let followed = objects.iter().map(|&(object, need)| Some((facts(object)?, need)));
    let objects: Vec<_> = followed.collect::<Option<_>>()?;
    let released = |(mutex, was_read, since)| Some(Released { lock: facts(mutex)?, was_read, since });
    let mutex = mutex.and_then(released);
    let waiting = Waiting {
        episode: 0,
        target: Target::Objects { objects, mutex },
        site,
        created: site,
        type_name: std::any::type_name::<()>,
        since: clock::ticks(),
        limited,
        owner: None,
        stack: None,
    };
    let guard = waiting::begin(&entered, waiting);
    if flags() & flag::DEADLOCK != 0 {
        if mutex.is_some() {
            // No cycle goes through this wait yet: the mutex to be taken at its end is this thread's still.
            knot::wait_begins(&entered, true);
        } else {
            deadlock::search_and_report(&entered, true);
        }
    }
    Some(guard)
}

/// Who could end a wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Helper {
    /// The thread with this id; when that has ended, what it had may be anybody's.
    Thread(u32),
    /// Any thread, also one that lockscope has never seen. A handle that was made and not used since may have been given to
    /// anyone, and one that several threads use has no owner. While there is such a reason, a wait is hopeless only when no thread of the
    /// process could do anything.
    Anyone,
}

/// Says that this thread could end waits for `need` at the object (`by` positive: it has a sender, it has notified before), or one reason
/// less for it (`by` negative). Searches for threads that are stuck count on it.
pub fn may_help(object: LockRef<'_>, need: Need, by: i32) {
    if flags() & flag::DEADLOCK == 0 {
        return;
    }
    let entered = thread::enter_or_nested();
    let own = Helper::Thread(entered.info.id.load(Ordering::Relaxed));
    drop(entered);
    may_help_as(own, object, need, by);
}

/// [`may_help`] of somebody else than this thread.
pub fn may_help_as(helper: Helper, object: LockRef<'_>, need: Need, by: i32) {
    if flags() & flag::DEADLOCK == 0 {
        return;
    }
    let entered = thread::enter_or_nested();
    let Some(id) = object.id() else { return };
    helpers::add(id, need, helper, by);
    if by < 0 && helpers::is_waited_for(id) {
        knot::help_is_lost();
    }
    drop(entered);
}

/// Says what an object was made with: permits of a semaphore, bound of a channel, threads of a barrier. Once, at its first use.
pub fn capacity(object: LockRef<'_>, capacity: u64) {
    if flags() & flag::DEADLOCK != 0
        && let Some(id) = object.id()
    {
        let _entered = thread::enter_or_nested();
        helpers::supply(id, |known| known.capacity = Some(capacity));
    }
    if flags() & flag::RECORD != 0
        && let (Some(id), Some(entered)) = (object.id(), thread::enter())
    {
        if let Some(writer) = trace()
            && let Some(mut registry) = patient_registry()
        {
            registry.capacity(writer, id, capacity);
        }
        drop(entered);
    }
}
