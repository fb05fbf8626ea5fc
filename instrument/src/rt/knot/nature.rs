//! What kind of knot it is.

use lockscope_trace::LockKind;

use super::{
    Case, Verdict,
    graph::{Node, Who, Why},
};

/// What kind of knot it is, and whom it shows by.
pub(super) enum Nature {
    Deadlock,
    SelfDeadlock,
    LostWakeup(String),
    SemaphoreLeak(String),
    GuardLeak(String),
}

impl Nature {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Nature::Deadlock => "deadlock",
            Nature::SelfDeadlock => "self-deadlock",
            Nature::LostWakeup(_) => "lost-wakeup",
            Nature::SemaphoreLeak(_) => "semaphore-leak",
            Nature::GuardLeak(_) => "guard-leak",
        }
    }

    pub(super) fn help(&self) -> &'static str {
        match self {
            Nature::Deadlock => "release what others need before waiting for them, and end their waits before leaving",
            Nature::SelfDeadlock => "give back what is held before waiting for more of it",
            Nature::LostWakeup(_) => {
                "change the condition under the mutex before notifying, and check it under the mutex before waiting"
            }
            Nature::SemaphoreLeak(_) => "let permits go out of scope, or add new ones for those that are forgotten",
            Nature::GuardLeak(_) => "let guards go out of scope; do not forget or leak those of locks that others use",
        }
    }
}

impl Case {
    /// What kind of knot this one is.
    pub(super) fn nature(&self, knot: &[usize]) -> Nature {
        let nodes = || knot.iter().map(|&index| &self.graph.nodes[index]);
        if let Some(waiter) = nodes().find(|node| node.unheard().is_some()) {
            return Nature::LostWakeup(waiter.name());
        }
        let stuck = || self.graph.nodes.iter().zip(&self.stuck).filter(|(_, stuck)| **stuck).map(|(node, _)| node);
        let has_leak = |node: &&Node| node.some.as_ref().is_some_and(|some| some.is_leak);
        if let Some(waiter) = stuck().find(|node| self.waits_for_ended(node, true)).or_else(|| nodes().find(has_leak)) {
            return Nature::SemaphoreLeak(waiter.name());
        }
        if knot.iter().any(|&index| matches!(self.graph.nodes[index].who, Who::Ended(_)))
            && let Some(waiter) = stuck().find(|node| self.waits_for_ended(node, false))
        {
            return Nature::GuardLeak(waiter.name());
        }
        if let [only] = knot
            && self.verdict == Verdict::Proof
            && self.graph.nodes[*only].relations().any(|relation| relation.to == *only && relation.why.is_held())
        {
            return Nature::SelfDeadlock;
        }
        Nature::Deadlock
    }

    /// Whether a thread waits for permits, or a lock, of one that has ended.
    fn waits_for_ended(&self, node: &Node, permits: bool) -> bool {
        node.relations().any(|relation| {
            matches!(self.graph.nodes[relation.to].who, Who::Ended(_))
                && matches!(&relation.why, Why::Holds(held) if (held.kind == LockKind::Semaphore) == permits)
        })
    }
}
