//! The lock order as data, for tables and drawings.

use lockscope_trace::{ClassId, LockId, Mode, SiteId, ThreadId};

/// What a node of the lock order stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Grouping {
    /// One lock.
    #[default]
    Locks,
    /// All locks of a class.
    Classes,
}

/// Which locks were taken while which were held.
#[derive(Clone, Debug, Default)]
pub struct OrderGraph {
    /// Locks (or classes) that were nested with others, by level, then by id.
    pub nodes: Vec<OrderNode>,
    /// Pairs of nodes, by [`OrderEdge::from`], then [`OrderEdge::to`].
    pub edges: Vec<OrderEdge>,
}

/// A lock or class in the lock order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderNode {
    /// The lock, or the first lock seen of the class.
    pub lock: LockId,
    /// Its class.
    pub class: ClassId,
    /// How many locks it stands for.
    pub locks: u32,
    /// Length of the longest path that leads here; nodes of a cycle share their level.
    pub level: u32,
}

/// An order between two nodes: `to` was taken while `from` was held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderEdge {
    /// Index of the node that was held.
    pub from: usize,
    /// Index of the node that was taken.
    pub to: usize,
    /// How often.
    pub count: u64,
    /// Who did it first.
    pub thread: ThreadId,
    /// How `from` was held then.
    pub held_mode: Mode,
    /// Where `from` had been taken then.
    pub held_site: Option<SiteId>,
    /// How `to` was taken then.
    pub mode: Mode,
    /// Where `to` was taken then.
    pub site: Option<SiteId>,
    /// Number of the event then.
    pub event: u64,
    /// Whether there is also a way back from `to` to `from`: no order of locks agrees with all edges.
    pub inverted: bool,
}
