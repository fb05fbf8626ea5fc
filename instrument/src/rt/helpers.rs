//! What is known of objects that are not locks: who could end waits at them, and what they have to give.
//!
//! A thread is known to be able to help when it has a reason, counted: it has notified the condition variable before, it has a handle of
//! the channel, it was at the barrier before. This is evidence, not proof: others may do so for the first time. So it serves
//! to keep silent where somebody else is known, and to say *potential* where nobody is (see `knot`).
//!
//! Reasons of threads that have ended are kept as such: what they had may be anybody's by now, and where one thread came and
//! notified, another one may.
//!
//! The table has locks of its own, one for each 16th of the objects, and is used on slow paths only: the notification of a condition
//! variable that this thread has notified before, and that somebody waits for, needs two loads.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use lockscope_trace::{Need, clock};

use super::{
    Site,
    object::Helper,
    reentry,
    thread::{self, Entered},
};

/// A kind of need, without how much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Notify,
    Message,
    Room,
    Permits,
    Party,
    Init,
    Unpark,
}

impl Kind {
    fn of(need: Need) -> Self {
        match need {
            Need::Notify => Kind::Notify,
            Need::Message => Kind::Message,
            Need::Room => Kind::Room,
            Need::Permits(_) => Kind::Permits,
            Need::Party => Kind::Party,
            Need::Init => Kind::Init,
        }
    }
}

/// A notification that nobody could hear.
#[derive(Clone, Debug)]
pub(super) struct Unheard {
    pub site: Site,
    /// In ticks.
    pub at: u64,
    /// Who notified.
    pub thread: String,
}

/// What is known of an object.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    reasons: Vec<(Kind, Helper, i32)>,
    /// What it was made with.
    pub capacity: Option<u64>,
    /// Permits that were added since.
    pub added: u64,
    /// Permits that will never come back.
    pub forgotten: u64,
    /// The latest notification, if nobody waited then.
    pub unheard: Option<Unheard>,
}

impl Known {
    /// Who has a reason to be able to help: threads by id, and whether anyone may.
    pub(super) fn helpers(&self, need: Need) -> impl Iterator<Item = Helper> + '_ {
        self.of_kind(Kind::of(need))
    }

    /// Who has unparked the thread that this is about.
    pub(super) fn unparkers(&self) -> impl Iterator<Item = Helper> + '_ {
        self.of_kind(Kind::Unpark)
    }

    fn of_kind(&self, wanted: Kind) -> impl Iterator<Item = Helper> + '_ {
        self.reasons.iter().filter(move |(kind, _, n)| *kind == wanted && *n > 0).map(|(_, helper, _)| *helper)
    }

    fn add(&mut self, kind: Kind, helper: Helper, by: i32) {
        let has = |helper| self.reasons.iter().any(|&(of, who, n)| (of, who) == (kind, helper) && n > 0);
        let is_merged = |id| !has(helper) && has(Helper::Anyone) && thread::by_id(id).is_none();
        let helper = match helper {
            Helper::Thread(id) if by < 0 && is_merged(id) => Helper::Anyone,
            helper => helper,
        };
        match self.reasons.iter_mut().find(|(of, who, _)| (*of, *who) == (kind, helper)) {
            Some((_, _, n)) => *n = n.saturating_add(by),
            None => {
                if self.reasons.len() >= MANY && self.reasons.len().is_power_of_two() {
                    self.merge_ended();
                }
                self.reasons.push((kind, helper, by));
            }
        }
        self.reasons.retain(|(_, _, n)| *n != 0);
    }

    fn set_unheard(&mut self, condvar: u32, new: Option<Unheard>) {
        match (&self.unheard, &new) {
            (None, Some(_)) => unheard(condvar).fetch_add(1, Ordering::Relaxed),
            (Some(_), None) => unheard(condvar).fetch_sub(1, Ordering::Relaxed),
            _ => 0,
        };
        self.unheard = new;
    }

    /// Forgets which of the threads that have ended had reasons, so that objects that many short-lived threads use stay small.
    fn merge_ended(&mut self) {
        let mut merged: Vec<(Kind, i32)> = Vec::new();
        self.reasons.retain(|&(kind, helper, n)| {
            let Helper::Thread(id) = helper else { return true };
            if thread::by_id(id).is_some() {
                return true;
            }
            match merged.iter_mut().find(|(of, _)| *of == kind) {
                Some((_, sum)) => *sum = sum.saturating_add(n),
                None => merged.push((kind, n)),
            }
            false
        });
        for (kind, n) in merged {
            match self.reasons.iter_mut().find(|(of, who, _)| (*of, *who) == (kind, Helper::Anyone)) {
                Some((_, _, sum)) => *sum = sum.saturating_add(n),
                None => self.reasons.push((kind, Helper::Anyone, n)),
            }
        }
    }
}

/// So many reasons make it worth to look which threads have ended.
const MANY: usize = 32;

/// Ids are given in sequence: they spread well as they are.
#[derive(Default)]
struct ById(u64);

impl Hasher for ById {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are u32");
    }

    fn write_u32(&mut self, id: u32) {
        self.0 = u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

type Table = HashMap<u32, Known, BuildHasherDefault<ById>>;

const SHARDS: usize = 16;
static SHARD: [Mutex<Option<Table>>; SHARDS] = [const { Mutex::new(None) }; SHARDS];

/// How many threads wait at an object, by the id modulo; objects that share a number are taken for one another.
static WAITERS: [AtomicU32; 1024] = [const { AtomicU32::new(0) }; 1024];

/// How many condition variables have a latest notification that nobody heard, likewise.
static UNHEARD: [AtomicU32; 1024] = [const { AtomicU32::new(0) }; 1024];

/// One bit per id (modulo) that may be in the table, so that the end of a lock's life rarely looks there.
static IN_TABLE: [AtomicU64; 1024] = [const { AtomicU64::new(0) }; 1024];

/// Condition variables and threads that a thread is known to have notified or unparked, as far as this small direct-mapped cache remembers.
#[derive(Debug, Default)]
pub(super) struct Notified([u32; 16]);

impl Notified {
    /// Whether it was remembered; it is from now on.
    fn insert(&mut self, object: u32) -> bool {
        let entry = &mut self.0[object as usize % 16];
        // 0 is an empty entry.
        let marked = object.wrapping_add(1);
        std::mem::replace(entry, marked) == marked
    }

    /// For the next thread that uses the record.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn shard(object: u32) -> MutexGuard<'static, Option<Table>> {
    SHARD[object as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
}

fn change(object: u32, f: impl FnOnce(&mut Known)) {
    let (word, bit) = bit(object);
    word.fetch_or(bit, Ordering::Relaxed);
    f(shard(object).get_or_insert_default().entry(object).or_default());
}

fn bit(object: u32) -> (&'static AtomicU64, u64) {
    (&IN_TABLE[object as usize / 64 % IN_TABLE.len()], 1 << (object % 64))
}

fn waiters(object: u32) -> &'static AtomicU32 {
    &WAITERS[object as usize % WAITERS.len()]
}

fn unheard(object: u32) -> &'static AtomicU32 {
    &UNHEARD[object as usize % UNHEARD.len()]
}

/// A thread begins to wait at an object.
pub(super) fn wait_begins(object: u32) {
    waiters(object).fetch_add(1, Ordering::Relaxed);
}

/// A thread waits at an object no longer.
pub(super) fn wait_ends(object: u32) {
    waiters(object).fetch_sub(1, Ordering::Relaxed);
}

/// Whether somebody may be waiting at an object.
pub(super) fn is_waited_for(object: u32) -> bool {
    waiters(object).load(Ordering::Relaxed) != 0
}

/// What is known of an object.
pub(super) fn known(object: u32) -> Known {
    shard(object).as_ref().and_then(|table| table.get(&object)).cloned().unwrap_or_default()
}

/// The entry of a thread, as an object whose unparking others wait for. Ids of locks are smaller.
pub(super) fn thread_object(id: u32) -> u32 {
    1 << 31 | id
}

/// Ids of the threads among these helpers; `None` when anyone is.
pub(super) fn threads(helpers: impl Iterator<Item = Helper>) -> Option<Vec<u32>> {
    let thread = |helper| match helper {
        Helper::Thread(id) => Some(id),
        Helper::Anyone => None,
    };
    helpers.map(thread).collect()
}

/// This thread unparks the one with this id.
pub(super) fn unparks(entered: &Entered, id: u32) {
    let object = thread_object(id);
    if !entered.local().notified.insert(object) {
        let me = Helper::Thread(entered.info.id.load(Ordering::Relaxed));
        change(object, |known| {
            if !known.unparkers().any(|helper| helper == me) {
                known.add(Kind::Unpark, me, 1);
            }
        });
    }
}

/// Changes what the object has to give.
pub(super) fn supply(object: u32, change: impl FnOnce(&mut Known)) {
    self::change(object, change);
}

/// One reason more or less for a helper.
pub(super) fn add(object: u32, need: Need, helper: Helper, by: i32) {
    change(object, |known| known.add(Kind::of(need), helper, by));
}

/// This thread notifies a condition variable.
pub(super) fn notified(entered: &Entered, condvar: u32, site: Site) {
    let is_heard = is_waited_for(condvar);
    if entered.local().notified.insert(condvar) && is_heard && unheard(condvar).load(Ordering::Relaxed) == 0 {
        return;
    }
    let id = entered.info.id.load(Ordering::Relaxed);
    // Named now: the thread may have ended when it matters.
    let name = (!is_heard).then(|| super::report::thread_name(entered.info));
    change(condvar, |known| {
        if !known.helpers(Need::Notify).any(|helper| helper == Helper::Thread(id)) {
            known.add(Kind::Notify, Helper::Thread(id), 1);
        }
        known.set_unheard(condvar, name.map(|thread| Unheard { site, at: clock::ticks(), thread }));
    });
}

/// Whether anything may be known of an object. At the end of its life.
#[inline]
pub(super) fn may_know(object: u32) -> bool {
    // Whoever added it had a reference to it, so that happened before its end.
    let (word, bit) = bit(object);
    word.load(Ordering::Relaxed) & bit != 0
}

/// The object is gone.
pub(super) fn forget(object: u32) {
    if !may_know(object) {
        return;
    }
    if let Some(mut shard) = reentry::lock(&SHARD[object as usize % SHARDS])
        && let Some(table) = &mut *shard
        && let Some(mut known) = table.remove(&object)
    {
        known.set_unheard(object, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted() {
        let mut known = Known::default();
        let helpers = |known: &Known, need| known.helpers(need).collect::<Vec<_>>();
        known.add(Kind::Message, Helper::Anyone, 1);
        known.add(Kind::Message, Helper::Thread(7), 2);
        known.add(Kind::Room, Helper::Thread(8), 1);
        assert_eq!(helpers(&known, Need::Message), [Helper::Anyone, Helper::Thread(7)]);
        known.add(Kind::Message, Helper::Anyone, -1);
        known.add(Kind::Message, Helper::Thread(7), -1);
        assert_eq!(helpers(&known, Need::Message), [Helper::Thread(7)]);
        // One that goes before it comes is no reason, and none is left when it has come.
        known.add(Kind::Room, Helper::Anyone, -1);
        assert_eq!(helpers(&known, Need::Room), [Helper::Thread(8)]);
        known.add(Kind::Room, Helper::Anyone, 1);
        assert_eq!(helpers(&known, Need::Room), [Helper::Thread(8)]);
    }
}
