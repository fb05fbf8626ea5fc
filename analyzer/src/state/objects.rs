//! What is done to objects that are not locks: who could end waits for them, and what there is to be had.
//!
//! Counts are those of the events: what gives something is recorded before it is done and what takes it after, so there may be
//! less to be had than is counted here, never more. Nothing that a thread could go on with is overlooked, then.

use std::collections::BTreeMap;

use lockscope_trace::{Event, LockId, Mode, Nanos, Need, Op, Side, SiteId, StackId, ThreadId, format::code};

use super::{State, Wait};
use crate::finding::Target;

/// Permits of a semaphore that a thread took at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Permits {
    /// Of which semaphore.
    pub semaphore: LockId,
    /// How many.
    pub permits: u64,
    /// They cannot leave the thread.
    pub stays: bool,
    /// Where the first of them were taken.
    pub site: Option<SiteId>,
    /// The stack then.
    pub stack: Option<StackId>,
    /// When.
    pub since: Nanos,
    /// Number of that event.
    pub event: u64,
}

/// Handles to one side of a channel that a thread is known to have.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Handle {
    /// How many.
    pub count: u32,
    /// The only one, and used since it could have been given away for the last time: it is where it is said to be.
    pub is_used: bool,
    /// Used by this thread at any time.
    was_used: bool,
}

/// Something that others wait for: a thread's latest of a kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deed {
    /// Who did it.
    pub thread: ThreadId,
    /// What it gives, [`Need::Permits`] of any number alike.
    pub need: Need,
    /// How often the thread did it.
    pub times: u64,
    /// Where it did it last.
    pub site: Option<SiteId>,
    /// When.
    pub time: Nanos,
    /// Number of that event.
    pub event: u64,
}

/// What is known of a channel, a semaphore, a barrier or a condition variable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectState {
    /// Messages that were sent and not received, those that senders wait with for room included.
    pub in_flight: u64,
    /// Number of the event that last received one.
    pub last_received: u64,
    /// Who has handles of the channel: senders, receivers.
    handles: [BTreeMap<ThreadId, Handle>; 2],
    /// Handles of each side were seen.
    has_handles: [bool; 2],
    /// A handle of the side was used by several threads, which may go on to do so.
    is_shared: [bool; 2],
    /// Permits given back and added, less those that were taken: with its capacity, what a semaphore has.
    pub balance: i64,
    /// Permits were added that nobody had: the semaphore counts something, and anybody may add more.
    pub is_fed: bool,
    /// Permits were given back by another thread than the one that took them.
    pub is_passed_on: bool,
    /// Permits that will never come back, by who had taken them; the first few.
    pub forgotten: Vec<(ThreadId, Permits)>,
    /// Threads that arrived at the barrier so far.
    pub arrivals: u64,
    /// Who arrived and has not left, and as the how-manieth.
    pub arrived: Vec<(ThreadId, u64)>,
    /// Waiting threads that were notified and have not said so yet.
    wakeups: u64,
    /// The latest notification, when nobody waited for it.
    pub unheard: Option<Deed>,
    /// Who did what others wait for.
    deeds: Deeds,
}

/// The latest deed of each thread and kind.
pub(super) type Deeds = BTreeMap<(ThreadId, u8), Deed>;

/// From so many deeds on those of threads that have ended are dropped from time to time.
const MANY_DEEDS: usize = 64;
/// Most groups of forgotten permits that are kept of a semaphore.
const MOST_FORGOTTEN: usize = 16;

impl ObjectState {
    /// Whether handles of this side were ever seen. Without, nothing is known of who has any.
    pub fn knows_handles(&self, side: Side) -> bool {
        self.has_handles[side as usize]
    }

    /// Whether all handles of this side are gone.
    pub fn is_closed(&self, side: Side) -> bool {
        self.knows_handles(side) && self.handles[side as usize].is_empty()
    }

    /// Who has handles of this side.
    pub fn handles(&self, side: Side) -> impl Iterator<Item = (ThreadId, Handle)> {
        self.handles[side as usize].iter().map(|(&thread, &handle)| (thread, handle))
    }

    /// Whether threads share a handle of this side, so that more of them have one than are known.
    pub fn is_shared(&self, side: Side) -> bool {
        self.is_shared[side as usize]
    }

    /// Permits that are free, of a semaphore that was made with so many.
    pub fn permits(&self, capacity: u64) -> u64 {
        let free = i64::try_from(capacity).unwrap_or(i64::MAX).saturating_add(self.balance);
        u64::try_from(free).unwrap_or(0)
    }

    /// Who did what this need asks for, each thread's last time.
    pub fn deeds(&self, need: Need) -> impl Iterator<Item = &Deed> {
        self.deeds.values().filter(move |deed| kind(deed.need) == kind(need))
    }
}

/// A number for each kind of need; numbers of permits do not matter.
pub(super) fn kind(need: Need) -> u8 {
    code::need(need)
}

impl State {
    /// Takes in what the event does to an object, after the thread's wait was ended.
    pub(super) fn after_object(&mut self, event: &Event) {
        let me = event.thread;
        self.note_sending(event);
        match event.op {
            Op::Sent { channel, .. } => {
                self.use_handle(channel, me, Side::Sender);
                self.object_mut(channel).in_flight += 1;
                self.note_deed(channel, Need::Message, event);
            }
            Op::SendFailed { channel, .. } => {
                let object = self.object_mut(channel);
                object.in_flight = object.in_flight.saturating_sub(1);
            }
            Op::Received { channel, .. } => {
                self.use_handle(channel, me, Side::Receiver);
                let position = self.position;
                let object = self.object_mut(channel);
                object.in_flight = object.in_flight.saturating_sub(1);
                object.last_received = position;
                self.note_deed(channel, Need::Room, event);
            }
            Op::HandleAdded { channel, side, .. } => {
                let object = self.object_mut(channel);
                object.has_handles[side as usize] = true;
                let handle = object.handles[side as usize].entry(me).or_default();
                handle.count = handle.count.saturating_add(1);
                handle.is_used = false;
                let channels = &mut self.thread_mut(me).channels;
                if !channels.contains(&channel) {
                    channels.push(channel);
                }
            }
            Op::HandleDropped { channel, side, owner, .. } => self.drop_handle(channel, side, owner, owner != me),
            Op::PermitsAcquired { semaphore, permits, stays, .. } => {
                let object = self.object_mut(semaphore);
                object.balance = object.balance.saturating_sub(permits.into());
                self.take_permits(event, semaphore, permits.into(), stays);
            }
            Op::PermitsReleased { semaphore, permits, owner, .. } => {
                let object = self.object_mut(semaphore);
                object.balance = object.balance.saturating_add(permits.into());
                object.is_passed_on |= owner != me;
                self.return_permits(semaphore, permits.into(), owner, |_| {});
                self.note_deed(semaphore, Need::Permits(0), event);
            }
            Op::PermitsAdded { semaphore, permits, .. } => {
                let object = self.object_mut(semaphore);
                object.balance = object.balance.saturating_add(permits.into());
                object.is_fed = true;
                self.note_deed(semaphore, Need::Permits(0), event);
            }
            Op::PermitsForgotten { semaphore, permits, owner, .. } => {
                let mut forgotten = Vec::new();
                self.return_permits(semaphore, permits.into(), owner, |permits| forgotten.push((owner, permits)));
                let known = &mut self.object_mut(semaphore).forgotten;
                let room = MOST_FORGOTTEN.saturating_sub(known.len());
                known.extend(forgotten.into_iter().take(room));
            }
            Op::BarrierArrived { barrier, .. } => {
                let object = self.object_mut(barrier);
                object.arrivals += 1;
                object.arrived.retain(|(thread, _)| *thread != me);
                object.arrived.push((me, object.arrivals));
                self.note_deed(barrier, Need::Party, event);
            }
            Op::BarrierLeft { barrier, .. } => self.object_mut(barrier).arrived.retain(|(thread, _)| *thread != me),
            Op::Notify { condvar, all, woken, .. } => self.notify(event, condvar, all, woken),
            Op::CondWake { condvar, timed_out: false, .. } => {
                let object = self.object_mut(condvar);
                object.wakeups = object.wakeups.saturating_sub(1);
            }
            Op::Unpark { thread } => {
                let deed = self.deed(Need::Notify, event);
                let target = self.thread_mut(thread);
                target.has_token = true;
                add_deed(&mut target.unparked, deed);
            }
            Op::Unparked => self.thread_mut(me).has_token = false,
            // What it has may have been moved into the new thread.
            Op::Spawn { .. } => {
                for channel in self.thread_mut(me).channels.clone() {
                    let handles = &mut self.object_mut(channel).handles;
                    handles.iter_mut().filter_map(|side| side.get_mut(&me)).for_each(|handle| handle.is_used = false);
                }
            }
            _ => {}
        }
    }

    /// Keeps in mind that the thread has said that it sends, up to its next event that is not the wait for room.
    fn note_sending(&mut self, event: &Event) {
        match event.op {
            Op::Sent { channel, .. } => self.thread_mut(event.thread).sending = Some(channel),
            Op::Finding { .. } | Op::Mark { .. } => {}
            Op::Block { object, need: Need::Room, .. } if self.thread_mut(event.thread).sending == Some(object) => {}
            _ => self.thread_mut(event.thread).sending = None,
        }
    }

    fn use_handle(&mut self, channel: LockId, thread: ThreadId, side: Side) {
        let object = self.object_mut(channel);
        match object.handles[side as usize].get_mut(&thread) {
            Some(handle) => {
                handle.was_used = true;
                handle.is_used = handle.count == 1;
            }
            None => object.is_shared[side as usize] |= object.has_handles[side as usize],
        }
    }

    fn drop_handle(&mut self, channel: LockId, side: Side, owner: ThreadId, by_other: bool) {
        let object = self.object_mut(channel);
        object.has_handles[side as usize] = true;
        // Whoever used it may go on to borrow it.
        let was_used = object.handles[side as usize].get(&owner).is_some_and(|handle| handle.was_used);
        object.is_shared[side as usize] |= by_other && was_used;
        let handles = &mut object.handles[side as usize];
        if let Some(handle) = handles.get_mut(&owner) {
            handle.count -= 1;
            // Which one is left is not known.
            handle.is_used = false;
            if handle.count == 0 {
                handles.remove(&owner);
            }
        }
        if !object.handles.iter().any(|side| side.contains_key(&owner)) {
            self.thread_mut(owner).channels.retain(|known| *known != channel);
        }
    }

    /// Permits taken at one place by one thread are kept together: a semaphore that only counts may be taken for ever.
    fn take_permits(&mut self, event: &Event, semaphore: LockId, permits: u64, stays: bool) {
        let taken = Permits {
            semaphore,
            permits,
            stays,
            site: event.site,
            stack: event.stack,
            since: event.time,
            event: self.position,
        };
        let known = &mut self.thread_mut(event.thread).permits;
        match known.iter_mut().find(|known| (known.semaphore, known.site) == (semaphore, event.site)) {
            Some(known) => {
                known.permits = known.permits.saturating_add(permits);
                known.stays &= stays;
            }
            None => known.push(taken),
        }
        let holders = &mut self.lock_mut(semaphore).holders;
        if !holders.iter().any(|(holder, ..)| *holder == event.thread) {
            holders.push((event.thread, Mode::Shared, event.time));
        }
        self.lock_mut(semaphore).acquisitions += 1;
    }

    /// Takes permits from the thread, the latest first, and calls `each` with every group of them.
    fn return_permits(&mut self, semaphore: LockId, permits: u64, owner: ThreadId, mut each: impl FnMut(Permits)) {
        let known = &mut self.thread_mut(owner).permits;
        let mut left = permits;
        // Several of one size most likely are those that were taken together.
        let exact = known.iter().rposition(|known| known.semaphore == semaphore && known.permits == permits);
        if let Some(index) = exact {
            each(known.remove(index));
            left = 0;
        }
        for known in known.iter_mut().rev().filter(|known| known.semaphore == semaphore) {
            let taken = known.permits.min(left);
            if taken > 0 {
                each(Permits { permits: taken, ..*known });
            }
            known.permits -= taken;
            left -= taken;
        }
        known.retain(|known| known.permits > 0);
        if !known.iter().any(|known| known.semaphore == semaphore) {
            self.lock_mut(semaphore).holders.retain(|(holder, ..)| *holder != owner);
        }
    }

    /// Nothing is known any more of permits that the thread has.
    pub(super) fn forget_permits(&mut self, thread: ThreadId) {
        for permits in std::mem::take(&mut self.thread_mut(thread).permits) {
            self.lock_mut(permits.semaphore).holders.retain(|(holder, ..)| *holder != thread);
        }
    }

    fn notify(&mut self, event: &Event, condvar: LockId, all: bool, woken: Option<u32>) {
        let waiting = self.lock(condvar).map_or(0, |condvar| condvar.waiters.len()) as u64;
        let deed = self.deed(Need::Notify, event);
        let object = self.object_mut(condvar);
        let added = match woken {
            Some(woken) => woken.into(),
            None if all => waiting,
            None => 1,
        };
        object.wakeups = object.wakeups.saturating_add(added).min(waiting);
        object.unheard = (waiting == 0 || woken == Some(0)).then_some(deed);
        self.keep_deed(condvar, deed);
    }

    fn deed(&self, need: Need, event: &Event) -> Deed {
        Deed { thread: event.thread, need, times: 1, site: event.site, time: event.time, event: self.position }
    }

    fn note_deed(&mut self, object: LockId, need: Need, event: &Event) {
        let deed = self.deed(need, event);
        self.keep_deed(object, deed);
    }

    fn keep_deed(&mut self, object: LockId, deed: Deed) {
        let is_new = add_deed(&mut self.object_mut(object).deeds, deed);
        let n_deeds = self.object_mut(object).deeds.len();
        if !is_new || n_deeds < MANY_DEEDS || !n_deeds.is_power_of_two() {
            return;
        }
        // Threads come and go; what those did that are gone says nothing of who can help.
        let mut deeds = std::mem::take(&mut self.object_mut(object).deeds);
        deeds.retain(|&(thread, _), _| !self.is_finished(thread));
        self.object_mut(object).deeds = deeds;
    }

    /// Whether the thread has ended.
    pub fn is_finished(&self, thread: ThreadId) -> bool {
        self.thread(thread).is_some_and(|thread| thread.activity == super::Activity::Finished)
    }

    /// Whether everybody who waits on the condition variable was notified and only has to take its mutex again.
    pub(crate) fn are_all_notified(&self, condvar: LockId) -> bool {
        let Some(lock) = self.lock(condvar) else { return false };
        lock.object.as_ref().is_some_and(|object| object.wakeups >= lock.waiters.len() as u64 && object.wakeups > 0)
    }

    /// Whether somebody who waits on the condition variable was notified and has not said so yet.
    pub(crate) fn is_somebody_notified(&self, condvar: LockId) -> bool {
        self.object(condvar).is_some_and(|object| object.wakeups > 0)
    }

    /// Messages in the channel's buffer: those in flight less those that senders wait with.
    pub(crate) fn buffered(&self, channel: LockId) -> u64 {
        let Some(lock) = self.lock(channel) else { return 0 };
        let in_flight = lock.object.as_ref().map_or(0, |object| object.in_flight);
        let waits_with = |thread: ThreadId| {
            self.thread(thread).is_some_and(|state| {
                state.sending == Some(channel)
                    && state.targets().any(|target| target == Target::Object(channel, Need::Room))
            })
        };
        in_flight.saturating_sub(lock.waiters.iter().filter(|&&(thread, ..)| waits_with(thread)).count() as u64)
    }

    /// The wait of `thread` for this object, if it waits for it.
    pub(crate) fn waits_at(&self, thread: ThreadId, object: LockId, need: Need) -> Option<&Wait> {
        let state = self.thread(thread)?;
        let is_it = |target| matches!(target, Target::Object(waited, for_what) if waited == object && kind(for_what) == kind(need));
        state.targets().any(is_it).then_some(state.wait()).flatten()
    }

    /// What is known of an object that is no lock.
    pub fn object(&self, id: LockId) -> Option<&ObjectState> {
        self.lock(id)?.object.as_deref()
    }

    fn object_mut(&mut self, id: LockId) -> &mut ObjectState {
        self.lock_mut(id).object.get_or_insert_default()
    }
}

/// Whether it is the first one of its thread and kind.
fn add_deed(deeds: &mut Deeds, deed: Deed) -> bool {
    let mut is_new = false;
    let known = deeds.entry((deed.thread, kind(deed.need))).or_insert_with(|| {
        is_new = true;
        Deed { times: 0, ..deed }
    });
    *known = Deed { times: known.times + 1, ..deed };
    is_new
}
