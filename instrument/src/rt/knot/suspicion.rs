//! When threads that nobody is known to be able to help are worth a word.

use std::time::Duration;

use lockscope_trace::Need;

use super::graph::{Graph, Relation, Why};

/// What makes threads that nobody is known to be able to help a finding, and for how long they must have slept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Suspicion {
    pub grace: Duration,
    /// Only if nothing can come from outside of the process, such as input.
    pub only_if_quiet: bool,
}

impl Suspicion {
    /// A knot is suspicious when
    /// - its threads wait in a circle, and one of them has what another one waits for: a lock, permits, all handles of that
    ///   side of a channel. After 1 s; with a channel in it after 5 s, since a handle may have been given away, or be borrowed,
    ///   and a thread that has it not have used it so far;
    /// - it holds a lock or permits that another stuck thread waits for (which may be the one that would help, for the first time), or
    ///   waits for permits that were forgotten. After 5 s;
    /// - its threads wait in a circle in which one joins another. After 5 s, and only if all other threads of the process wait
    ///   for one another too, perhaps for a limited time: that somebody joins threads which wait for work is how servers are
    ///   written, and what they wait for comes from outside.
    ///
    /// Threads that wait for notifications, at barriers, or to be unparked, and hold nothing that anybody wants, are idle.
    pub(super) fn of(graph: &Graph, stuck: &[bool], knot: &[usize]) -> Option<Self> {
        const CIRCLE: Duration = Duration::from_secs(1);
        const CHAIN: Duration = Duration::from_secs(5);
        let is_member = |relation: &&Relation| knot.contains(&relation.to);
        let within = || knot.iter().flat_map(|&index| graph.nodes[index].relations()).filter(is_member);
        if within().any(|relation| relation.why.is_held()) {
            let is_by_channel = within().any(|relation| matches!(relation.why, Why::Able(Need::Message | Need::Room)));
            return Some(Self { grace: if is_by_channel { CHAIN } else { CIRCLE }, only_if_quiet: false });
        }
        let from_outside = graph.nodes.iter().zip(stuck).filter(|(_, stuck)| **stuck).flat_map(|(node, _)| &node.all);
        let is_wanted = from_outside.filter(is_member).any(|relation| !matches!(relation.why, Why::Lives));
        if is_wanted || knot.iter().any(|&index| graph.nodes[index].some.as_ref().is_some_and(|some| some.is_leak)) {
            return Some(Self { grace: CHAIN, only_if_quiet: false });
        }
        let is_circle = knot.len() > 1 && within().any(|relation| matches!(relation.why, Why::Lives));
        is_circle.then_some(Self { grace: CHAIN, only_if_quiet: true })
    }
}
