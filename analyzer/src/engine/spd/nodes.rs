//! Abstract acquisitions: a thread asks for a lock while it holds others, however often.

use lockscope_trace::{Event, LockId, Mode, SiteId};
use rustc_hash::FxHashMap;

use crate::engine::closure::{
    history::Hold,
    sets::{Set, Sets},
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

/// Every abstract acquisition so far.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    pub all: Vec<Node>,
    node_of: FxHashMap<(u32, u32, LockId, Mode), u32>,
    sets: Sets,
    n_instances: usize,
}

impl Instance {
    pub(super) fn event(self) -> u64 {
        u64::from(self.event[0]) | u64::from(self.event[1]) << 32
    }
}

impl Nodes {
    /// Takes in that a thread which holds `held` acquires a lock. O(1) for what is known.
    pub(super) fn add(
        &mut self,
        held: &mut [Hold],
        event: &Event,
        number: u64,
        (lock, mode): (LockId, Mode),
        section: u32,
    ) {
        let thread = event.thread.0;
        let set = self.sets.of(held);
        let node = *self.node_of.entry((thread, set, lock, mode)).or_insert_with(|| {
            self.all.push(Node { thread, lock, mode, set, instances: Vec::new() });
            self.all.len() as u32 - 1
        });
        let instance = Instance { section, event: [number as u32, (number >> 32) as u32], site: event.site };
        self.all[node as usize].instances.push(instance);
        self.n_instances += 1;
    }

    pub(super) fn held(&self, node: &Node) -> &Set {
        self.sets.get(node.set)
    }

    pub(super) fn bytes(&self) -> usize {
        self.all.len() * (size_of::<Node>() + 32) + self.n_instances * 16 + self.sets.bytes()
    }
}
