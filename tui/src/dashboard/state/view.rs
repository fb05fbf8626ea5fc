//! Pages of the screen, and the panes of each.

use crate::dashboard::tables::List;

/// A page of the screen, in the order in which a person asks questions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum View {
    /// Is it stuck, and why.
    Overview,
    /// What was found.
    Findings,
    /// Threads.
    Threads,
    /// Locks.
    Locks,
    /// Who waits for whom.
    Waits,
    /// Which locks are taken while which are held.
    Order,
    /// What waiting costs.
    Contention,
    /// What happened when.
    Timeline,
    /// Tasks of an executor.
    Tasks,
    /// Channels, semaphores, condition variables and the like, and memory.
    Primitives,
    /// Events.
    Events,
}

impl View {
    /// All views, in the order of their keys.
    pub const ALL: [View; 11] = [
        View::Overview,
        View::Findings,
        View::Threads,
        View::Locks,
        View::Waits,
        View::Order,
        View::Contention,
        View::Timeline,
        View::Tasks,
        View::Primitives,
        View::Events,
    ];

    /// Its name.
    pub fn title(self) -> &'static str {
        match self {
            View::Overview => "Overview",
            View::Findings => "Findings",
            View::Threads => "Threads",
            View::Locks => "Locks",
            View::Waits => "Waits",
            View::Order => "Order",
            View::Contention => "Contention",
            View::Timeline => "Timeline",
            View::Tasks => "Tasks",
            View::Primitives => "Primitives",
            View::Events => "Events",
        }
    }

    /// Its name where there is little room.
    pub fn short(self) -> &'static str {
        match self {
            View::Overview => "Over",
            View::Findings => "Find",
            View::Threads => "Thr",
            View::Locks => "Lock",
            View::Waits => "Wait",
            View::Order => "Order",
            View::Contention => "Cont",
            View::Timeline => "Time",
            View::Tasks => "Task",
            View::Primitives => "Prim",
            View::Events => "Ev",
        }
    }

    /// Titles of its panes, between which Tab switches; empty where there is one.
    pub fn panes(self) -> &'static [&'static str] {
        match self {
            View::Order => &["by level", "pairs", "classes"],
            View::Contention => &["by lock", "by place", "who was in the way", "by thread"],
            View::Timeline => &["threads", "locks"],
            View::Primitives => &["objects", "memory"],
            _ => &[],
        }
    }

    /// The list of a pane, where it is one with columns.
    pub fn list(self, pane: usize) -> Option<List> {
        Some(match (self, pane) {
            (View::Findings, _) => List::Findings,
            (View::Threads, _) => List::Threads,
            (View::Locks, _) => List::Locks,
            (View::Order, 1) => List::Order,
            (View::Contention, 0) => List::HotLocks,
            (View::Contention, 1) => List::Sites,
            (View::Contention, 2) => List::Delays,
            (View::Contention, _) => List::Pairs,
            (View::Timeline, 0) => List::Threads,
            (View::Timeline, _) => List::Locks,
            (View::Primitives, 0) => List::Objects,
            (View::Primitives, _) => List::Memory,
            _ => return None,
        })
    }

    /// Its place among all views.
    pub fn index(self) -> usize {
        View::ALL.iter().position(|&view| view == self).expect("every view is in the list")
    }
}
