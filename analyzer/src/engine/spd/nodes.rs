//! Abstract acquisitions: a thread asks for a lock while it holds others, however often.
//!
//! Most programs take locks in one order, and so does most of any program. So of each request only its section is noted, which tells
//! by itself what was held around it; acquisitions are told apart when a search knows which locks are in circles, and only those.

use lockscope_trace::{Event, LockId, Mode, SiteId};
use rustc_hash::FxHashMap;

use crate::{
    engine::closure::{
        History,
        history::Hold,
        sets::{Set, Sets},
    },
    lock_pairs::{Components, LockPairs},
};

/// All acquisitions of one lock in one mode by one thread that holds the same locks in the same modes.
#[derive(Debug)]
pub(super) struct Node {
    pub thread: u32,
    pub lock: LockId,
    pub mode: Mode,
    set: u32,
    /// In the order of the trace.
    pub instances: Vec<Instance>,
}

/// One acquisition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instance {
    /// Its critical section.
    pub section: u32,
    /// Which of the trace's events it is: low and high half, so that this takes 16 bytes.
    event: [u32; 2],
    pub site: Option<SiteId>,
}

/// Every request so far that is made while locks are held.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// In the order of the trace.
    all: Vec<Instance>,
    /// What was held when a section began that another one became by an upgrade.
    upgraded: FxHashMap<u32, Box<Set>>,
    /// Of so many of them the pairs were taken in.
    n_paired: usize,
    pairs: LockPairs,
}

/// Abstract acquisitions that can be part of a circle, in the order of their first instances.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    pub all: Vec<Node>,
    node_of: FxHashMap<(u32, u32, LockId, Mode), u32>,
    sets: Sets,
    /// The locks that are in circles, each with the number of its component.
    pub inside: Components,
}

impl Instance {
    pub(super) fn event(self) -> u64 {
        u64::from(self.event[0]) | u64::from(self.event[1]) << 32
    }
}

impl Requests {
    /// Takes in that a thread which holds some locks acquires another one in that section.
    #[inline]
    pub(super) fn add(&mut self, event: &Event, number: u64, section: u32) {
        self.all.push(Instance { section, event: [number as u32, (number >> 32) as u32], site: event.site });
    }

    /// Notes what is held when one section becomes another one.
    #[cold]
    pub(super) fn add_upgrade(&mut self, section: u32, held: &[Hold]) {
        self.upgraded.insert(section, held.iter().map(|hold| (hold.lock, hold.mode)).collect());
    }

    /// The acquisitions that can be part of circles. O(what is new since the last time, and requests within circles of locks).
    pub(super) fn nodes(&mut self, history: &History) -> Nodes {
        for index in self.n_paired..self.all.len() {
            let section = self.all[index].section;
            let lock = history.section(section).lock;
            let mut pairs = std::mem::take(&mut self.pairs);
            self.held(history, section, |held, _| pairs.insert(held, lock));
            self.pairs = pairs;
        }
        self.n_paired = self.all.len();
        let mut nodes = Nodes { inside: self.pairs.components(), ..Nodes::default() };
        if nodes.inside.is_empty() {
            return nodes;
        }
        let mut around = Vec::new();
        for instance in &self.all {
            let section = *history.section(instance.section);
            let Some(home) = nodes.inside.get(&section.lock) else { continue };
            around.clear();
            self.held(history, instance.section, |lock, mode| around.push((lock, mode)));
            if around.iter().any(|(held, _)| nodes.inside.get(held) == Some(home)) {
                nodes.add(&around, (section.thread, section.lock, section.mode), *instance);
            }
        }
        nodes
    }

    /// Calls `each` with what was held when a section began.
    fn held(&self, history: &History, section: u32, mut each: impl FnMut(LockId, Mode)) {
        match self.upgraded.get(&section) {
            Some(held) => held.iter().for_each(|&(lock, mode)| each(lock, mode)),
            None => history.held_around(section, |held| {
                let held = history.section(held);
                each(held.lock, held.mode);
            }),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.all.capacity() * size_of::<Instance>() + self.upgraded.capacity() * 32 + self.pairs.bytes() as usize
    }
}

impl Nodes {
    fn add(&mut self, held: &[(LockId, Mode)], (thread, lock, mode): (u32, LockId, Mode), instance: Instance) {
        let set = self.sets.of_locks(held);
        let node = *self.node_of.entry((thread, set, lock, mode)).or_insert_with(|| {
            self.all.push(Node { thread, lock, mode, set, instances: Vec::new() });
            self.all.len() as u32 - 1
        });
        self.all[node as usize].instances.push(instance);
    }

    pub(super) fn held(&self, node: &Node) -> &Set {
        self.sets.get(node.set)
    }
}
