//! Distinct requests: each kept once, however often it is made.

use std::hash::{Hash, Hasher};

use lockscope_trace::{Definitions, LockId, LockKind, Mode, Nanos, SiteId, ThreadId};
use rustc_hash::{FxHashMap, FxHasher};

use super::happens_before::Moment;
use crate::{
    detect::request::Request,
    finding::{Held, Wanted},
};

/// Requests that differ in thread and place only: which lock is wanted while which are held.
#[derive(Debug)]
pub struct Group {
    /// What is held, by lock; each lock once, in its strongest mode.
    pub held: Vec<(LockId, Mode)>,
    /// What is wanted.
    pub lock: LockId,
    /// How.
    pub mode: Mode,
    /// By a call that passes waiting writers.
    pub recursive: bool,
    /// How often, by all threads.
    pub count: u64,
    /// Indices of the distinct requests, in order of appearance.
    pub(super) members: Vec<u32>,
    /// The first of them.
    pub first: Instance,
}

/// A request of one thread at one place, in one segment of its life.
#[derive(Clone, Debug)]
pub struct Instance {
    pub(super) moment: Moment,
    /// What the thread held when it first asked, outermost first.
    pub held: Vec<Held>,
    /// What it asked for then.
    pub wanted: Wanted,
    /// Number of the event that ended the request then; 0 for one that never ended.
    pub ended: u64,
    /// Made with a time limit.
    pub timed: bool,
    recursive: bool,
}

/// A thread that asks for exclusive access. Readers queue behind it.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    pub held: Vec<(LockId, Mode)>,
    pub instance: Instance,
}

/// Held, wanted, how.
type Key = (Vec<(LockId, Mode)>, LockId, Mode, bool);

/// Most places and threads that are told apart for one group.
const MOST_MEMBERS: usize = 4096;

/// Most writers that are told apart for one lock. More than a circle has members, so that one of them is free.
const MOST_WRITERS: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Requests {
    groups: Vec<Group>,
    group_of: FxHashMap<Key, u32>,
    instances: Vec<(u32, Instance)>,
    /// By hash; the next free or equal one after it is the one. Compared in full, so that equal hashes do no harm.
    instance_of: FxHashMap<u64, u32>,
    writers: FxHashMap<LockId, Vec<Writer>>,
    crowded: u64,
}

impl Requests {
    /// Takes a request in, `times` times.
    pub(super) fn add(&mut self, definitions: &Definitions, request: &Request<'_>, moment: Moment, times: u64) {
        self.add_writer(definitions, request, moment);
        if !is_order(request) {
            return;
        }
        let mut key = hash(request, moment, request.site);
        let instance = loop {
            match self.instance_of.get(&key) {
                None => break None,
                Some(&index) if same(&self.instances[index as usize].1, request, moment) => break Some(index),
                Some(_) => key = key.wrapping_add(1),
            }
        };
        if let Some(index) = instance {
            let group = self.instances[index as usize].0;
            self.groups[group as usize].count += times;
            return;
        }
        let group = self.group(request, moment);
        let members = &mut self.groups[group as usize].members;
        if members.len() == MOST_MEMBERS {
            self.crowded += times;
        } else {
            let index = self.instances.len() as u32;
            members.push(index);
            self.instances.push((group, Instance::of(request, moment)));
            self.instance_of.insert(key, index);
        }
        self.groups[group as usize].count += times;
    }

    fn group(&mut self, request: &Request<'_>, moment: Moment) -> u32 {
        let held = set(request.held);
        let key = (held, request.lock, request.mode, request.recursive);
        if let Some(&group) = self.group_of.get(&key) {
            return group;
        }
        let group = self.groups.len() as u32;
        self.groups.push(Group {
            held: key.0.clone(),
            lock: request.lock,
            mode: request.mode,
            recursive: request.recursive,
            count: 0,
            members: Vec::new(),
            first: Instance::of(request, moment),
        });
        self.group_of.insert(key, group);
        group
    }

    fn add_writer(&mut self, definitions: &Definitions, request: &Request<'_>, moment: Moment) {
        if !is_writer(definitions, request) {
            return;
        }
        let writers = self.writers.entry(request.lock).or_default();
        // A writer that holds some of what another one holds, and no more, is in the way wherever that one is.
        let covered = |writer: &Writer| {
            writer.instance.moment == moment
                && writer.held.iter().all(|&(lock, mode)| request.held.iter().any(|h| (h.lock, h.mode) == (lock, mode)))
        };
        let is_new = writers.len() < MOST_WRITERS && !writers.iter().any(covered);
        if is_new {
            writers.push(Writer { held: set(request.held), instance: Instance::of(request, moment) });
        }
    }

    /// The distinct requests.
    pub(super) fn into_groups(self) -> Vec<Group> {
        self.groups
    }

    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    pub(super) fn instance(&self, index: u32) -> &Instance {
        &self.instances[index as usize].1
    }

    pub(super) fn writers(&self, lock: LockId) -> &[Writer] {
        self.writers.get(&lock).map_or(&[], Vec::as_slice)
    }

    pub(super) fn limits(&self) -> Option<String> {
        (self.crowded > 0).then(|| {
            format!(
                "{} requests were counted without their place: of each lock order the first {MOST_MEMBERS} places and \
                 threads are kept",
                self.crowded
            )
        })
    }
}

impl Instance {
    fn of(request: &Request<'_>, moment: Moment) -> Self {
        Instance {
            moment,
            held: request.held.to_vec(),
            wanted: request.wanted(),
            ended: request.ended,
            timed: request.timed,
            recursive: request.recursive,
        }
    }

    /// Who asked.
    pub fn thread(&self) -> ThreadId {
        self.moment.thread
    }

    /// When it could be known of.
    pub(super) fn first_seen(&self) -> (u64, Nanos) {
        (self.wanted.event, self.wanted.since)
    }
}

/// Each lock once, in its strongest mode, sorted.
fn set(held: &[Held]) -> Vec<(LockId, Mode)> {
    let strength = |mode: Mode| match mode {
        Mode::Exclusive => 2,
        Mode::Upgradable => 1,
        Mode::Shared => 0,
    };
    let mut set: Vec<_> = held.iter().map(|held| (held.lock, held.mode)).collect();
    set.sort_by_key(|&(lock, mode)| (lock, std::cmp::Reverse(strength(mode))));
    set.dedup_by_key(|&mut (lock, _)| lock);
    set
}

/// Whether the request is part of an order of locks.
pub(super) fn is_order(request: &Request<'_>) -> bool {
    // To ask again for what one holds is no matter of order, but of modes: the thread alone is at fault. Except
    // where it depends on other threads whether it is granted.
    let own = request.held.iter().find(|held| held.lock == request.lock).map(|held| held.mode);
    let is_own_fault =
        own.is_some_and(|own| !(request.upgrade || request.mode == Mode::Upgradable && own.compatible(request.mode)));
    !request.held.is_empty() && !is_own_fault
}

/// Whether readers may queue behind the thread that asks.
pub(super) fn is_writer(definitions: &Definitions, request: &Request<'_>) -> bool {
    // A mutex has no readers. That a lock of a foreign trace has some may show later only.
    let is_mutex = |lock: LockId| {
        definitions.lock(lock).is_some_and(|def| def.kind == LockKind::Mutex && !def.type_name.is_empty())
    };
    request.mode == Mode::Exclusive && !is_mutex(request.lock)
}

/// Hash over what tells requests apart, with the place as given.
pub(super) fn hash(request: &Request<'_>, moment: Moment, site: Option<SiteId>) -> u64 {
    let mut hasher = FxHasher::default();
    (moment, request.lock, request.mode, request.recursive, site).hash(&mut hasher);
    for held in request.held {
        (held.lock, held.mode, held.site).hash(&mut hasher);
    }
    hasher.finish()
}

fn same(instance: &Instance, request: &Request<'_>, moment: Moment) -> bool {
    let wanted = &instance.wanted;
    instance.moment == moment
        && instance.recursive == request.recursive
        && wanted.site == request.site
        && wanted.target == crate::finding::Target::Lock(request.lock, request.mode)
        && instance.held.len() == request.held.len()
        && std::iter::zip(&instance.held, request.held)
            .all(|(mine, theirs)| (mine.lock, mine.mode, mine.site) == (theirs.lock, theirs.mode, theirs.site))
}
