//! What a wait needs to end: progress of certain threads, all of them, or something that one of several can give.

use lockscope_trace::{Definitions, LockId, Need, Side, ThreadId};

use super::blockers::{self, Blocker};
use crate::{
    finding::Target,
    state::{ObjectState, State},
};

/// What one of the things that a thread waits for needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Needs {
    /// Nothing more: others have done their part. Also where too little is known to say anything.
    Nothing,
    /// All of these have to make progress.
    All(Vec<Blocker>),
    /// Somebody has to give something.
    Help(Help),
}

/// Something that others can give.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Help {
    /// How much has to be given: permits, arrivals; else 1.
    pub amount: u64,
    /// Threads that are known to be able to give it, and how much; at most once each.
    pub known: Vec<(ThreadId, u64)>,
    /// Whether others might.
    pub others: Others,
    /// How much each of those could.
    pub others_give: u64,
    /// The known ones hold what is needed, as a lock is held.
    pub is_held: bool,
}

/// Whether a thread of which that is not known might be able to help.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Others {
    /// None can.
    No,
    /// Each could, for all that is known, but none did so before.
    Possible,
    /// One of them may have what it takes: a handle that was given away and not used since, a permit that was passed on.
    Likely,
}

impl Help {
    fn one(known: impl IntoIterator<Item = ThreadId>, others: Others) -> Needs {
        let known = known.into_iter().map(|thread| (thread, 1)).collect();
        Needs::Help(Help { amount: 1, known, others, others_give: 1, is_held: false })
    }
}

/// Whether every thread that waits for this needs the same: with many threads at many handles that is most of the work.
pub(super) fn is_same_for_all(state: &State, definitions: &Definitions, target: Target) -> bool {
    match target {
        Target::Object(condvar, Need::Notify) => !state.are_all_notified(condvar),
        Target::Object(_, Need::Message | Need::Permits(_)) => true,
        Target::Object(channel, Need::Room) => definitions.lock(channel).is_some_and(|def| def.capacity.is_some()),
        Target::Object(_, Need::Party | Need::Init) | Target::Lock(..) | Target::Thread(_) | Target::Token => false,
    }
}

/// What the thread needs of one of the things that it waits for.
pub(crate) fn of(state: &State, definitions: &Definitions, thread: ThreadId, target: Target) -> Needs {
    match target {
        Target::Lock(..) | Target::Thread(_) => match blockers::blockers(state, thread) {
            none if none.is_empty() => Needs::Nothing,
            all => Needs::All(all),
        },
        Target::Token => {
            let Some(parked) = state.thread(thread).filter(|parked| !parked.has_token) else { return Needs::Nothing };
            Help::one(parked.unparked().map(|deed| deed.thread), Others::Possible)
        }
        Target::Object(object, need) => {
            if let Some(all) = blockers::at_object(state, thread, object, need) {
                return if all.is_empty() { Needs::Nothing } else { Needs::All(all) };
            }
            let capacity = definitions.lock(object).and_then(|object| object.capacity);
            let Some(of) = state.object(object) else { return unknown(need, capacity) };
            match need {
                Need::Notify if state.is_somebody_notified(object) => Needs::Nothing,
                Need::Notify | Need::Init => Help::one(of.deeds(need).map(|deed| deed.thread), Others::Possible),
                Need::Message if of.in_flight > 0 => Needs::Nothing,
                Need::Message => from_side(state, of, Side::Sender, need),
                Need::Room if has_room(state, thread, object, of, capacity) => Needs::Nothing,
                Need::Room => from_side(state, of, Side::Receiver, need),
                Need::Permits(wanted) => permits(state, object, of, capacity, wanted.into()),
                Need::Party => party(of, thread, capacity),
            }
        }
    }
}

/// Of an object to which nothing was done yet.
fn unknown(need: Need, capacity: Option<u64>) -> Needs {
    match need {
        Need::Notify => Help::one([], Others::Possible),
        Need::Permits(wanted) if capacity.is_some_and(|capacity| capacity < wanted.into()) => {
            Help::one([], Others::Possible)
        }
        _ => Needs::Nothing,
    }
}

/// Whether a sender can go on: the buffer has room, or a receiver is there already.
fn has_room(state: &State, thread: ThreadId, channel: LockId, of: &ObjectState, capacity: Option<u64>) -> bool {
    let is_received = state.lock(channel).is_some_and(|lock| {
        lock.waiters.iter().any(|&(waiter, ..)| state.waits_at(waiter, channel, Need::Message).is_some())
    });
    let has_space = match capacity {
        Some(capacity) => state.buffered(channel) < capacity,
        // A receipt since may have made some.
        None => state.waits_at(thread, channel, Need::Room).is_none_or(|wait| of.last_received > wait.event),
    };
    is_received || has_space
}

/// From whoever has a handle of this side.
fn from_side(state: &State, of: &ObjectState, side: Side, need: Need) -> Needs {
    if of.is_closed(side) {
        return Needs::Nothing;
    }
    if !of.knows_handles(side) {
        return Help::one(of.deeds(need).map(|deed| deed.thread), Others::Possible);
    }
    let is_there = |(thread, handle): (ThreadId, crate::state::Handle)| handle.is_used && !state.is_finished(thread);
    let is_known = !of.is_shared(side) && of.handles(side).all(is_there);
    // Even so one may have been given away just now.
    let others = if is_known { Others::Possible } else { Others::Likely };
    Help::one(of.handles(side).map(|(thread, _)| thread), others)
}

fn permits(state: &State, semaphore: LockId, of: &ObjectState, capacity: Option<u64>, wanted: u64) -> Needs {
    let Some(free) = capacity.map(|capacity| of.permits(capacity)).filter(|&free| free < wanted) else {
        return Needs::Nothing;
    };
    let holders = state.lock(semaphore).map_or(&[][..], |lock| &lock.holders);
    let held_by = |thread: ThreadId| {
        let permits = state.thread(thread).into_iter().flat_map(|thread| &thread.permits);
        permits.filter(|permits| permits.semaphore == semaphore).fold(0u64, |sum, of| sum.saturating_add(of.permits))
    };
    let mut known: Vec<(ThreadId, u64)> = holders.iter().map(|&(holder, ..)| (holder, held_by(holder))).collect();
    let mut others = Others::No;
    if of.is_fed {
        // Who gave before can give any number again.
        for deed in of.deeds(Need::Permits(0)) {
            match known.iter_mut().find(|(thread, _)| *thread == deed.thread) {
                Some((_, amount)) => *amount = wanted,
                None => known.push((deed.thread, wanted)),
            }
        }
        others = Others::Possible;
    }
    let may_move = holders.iter().any(|&(holder, ..)| {
        let permits = state.thread(holder).into_iter().flat_map(|thread| &thread.permits);
        permits.into_iter().any(|permits| permits.semaphore == semaphore && !permits.stays)
    });
    if of.is_passed_on || may_move {
        others = Others::Likely;
    }
    let amount = wanted - free;
    Needs::Help(Help { amount, known, others, others_give: amount, is_held: true })
}

fn party(of: &ObjectState, thread: ThreadId, capacity: Option<u64>) -> Needs {
    let number = of.arrived.iter().find(|(arrived, _)| *arrived == thread).map(|(_, number)| *number);
    let (Some(parties), Some(number)) = (capacity.filter(|&parties| parties > 0), number) else {
        return Needs::Nothing;
    };
    if of.arrivals / parties > (number - 1) / parties {
        return Needs::Nothing;
    }
    let is_there = |thread: ThreadId| of.arrived.iter().any(|(arrived, _)| *arrived == thread);
    let known = of.deeds(Need::Party).filter(|deed| !is_there(deed.thread)).map(|deed| (deed.thread, 1)).collect();
    let amount = parties - of.arrivals % parties;
    // As long as fewer have come than there are to be, others are expected.
    let others = if of.arrivals < parties { Others::Likely } else { Others::Possible };
    Needs::Help(Help { amount, known, others, others_give: 1, is_held: false })
}
