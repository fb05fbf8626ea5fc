//! Threads that wait by themselves: parked until another one unparks them, or asleep.
//!
//! A thread that unparks says so before it does, one that was parked after it, so that a recording has the cause first.

use std::sync::atomic::Ordering;

use lockscope_trace::{clock, format::act, writer::ObjectEvent};

use super::{
    Site, deadlock,
    global::{flag, flags},
    helpers, record, thread,
    waiting::{self, Target, WaitGuard, Waiting},
};

/// Parks this thread by `wait`; `limited` says that it ends by itself some time.
///
/// # Panics
///
/// When the wait closes a deadlock that is certain, and the policy is to panic. `wait` has not been called then.
pub fn park(limited: bool, site: Site, wait: impl FnOnce()) {
    note(act::PARK, u16::from(limited), 0, site);
    {
        let _waiting = publish(limited, site);
        wait();
    }
    note(act::UNPARKED, 0, 0, site);
}

/// Publishes that this thread waits to be unparked, unless it was already. `None` while no deadlocks are searched for.
fn publish(limited: bool, site: Site) -> Option<WaitGuard<'static>> {
    if flags() & flag::DEADLOCK == 0 {
        return None;
    }
    let entered = thread::enter()?;
    let waiting = Waiting {
        episode: 0,
        target: Target::Unpark,
        site,
        created: site,
        type_name: std::any::type_name::<()>,
        since: clock::ticks(),
        limited,
        owner: None,
        stack: None,
    };
    let guard = waiting::begin(&entered, waiting);
    deadlock::search_and_report(&entered, true);
    Some(guard)
}

/// Notes that the thread with this id is about to be unparked.
pub fn unpark(id: u32, site: Site) {
    if flags() & flag::DEADLOCK != 0
        && let Some(entered) = thread::enter()
    {
        helpers::unparks(&entered, id);
    }
    note(act::UNPARK, 0, id, site);
}

/// Sleeps by `wait`.
pub fn sleep(site: Site, wait: impl FnOnce()) {
    note(act::SLEEP, 0, 0, site);
    wait();
    note(act::AWAKE, 0, 0, site);
}

/// Id of this thread; `None` while nothing is followed, and inside of the runtime.
pub fn current_thread() -> Option<u32> {
    let is_followed = flags() & flag::TRACK != 0;
    is_followed.then(thread::enter).flatten().map(|entered| entered.info.id.load(Ordering::Relaxed))
}

fn note(act: u8, detail: u16, object: u32, site: Site) {
    if flags() & flag::RECORD != 0
        && let Some(entered) = thread::enter()
    {
        record::note_stopped();
        record::object(&entered, ObjectEvent { act, detail, object, ..ObjectEvent::default() }, site);
    }
}
