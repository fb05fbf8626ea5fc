//! Makes graphs out of what the analyzer knows.

use std::collections::HashSet;

use lockscope_analyzer::{
    OrderGraph, WaitForGraph,
    finding::{Code, Finding, Target},
    state::{Activity, State},
    wait_for,
};
use lockscope_trace::{Definitions, LockId, Nanos, Need, SiteId, ThreadId};

use crate::{
    cli::report::phrase,
    graph::{Edge, EdgeKind, Graph, Node, NodeKey},
    source::file_and_line,
};

/// Who waits for what, and who holds it. Only threads that wait or are waited for are in it.
///
/// `now` is the moment up to which waits have lasted; without it they are not said to have lasted.
pub fn wait_for(state: &State, defs: &Definitions, now: Option<Nanos>) -> Graph {
    of_waits(&WaitForGraph::of(state, defs), None, state, defs, now)
}

/// The same, without threads that only wait behind others: what there is to say of who cannot go on.
pub fn stuck(state: &State, defs: &Definitions, now: Option<Nanos>) -> Graph {
    let waits = WaitForGraph::of(state, defs);
    let threads = stuck_threads(&waits);
    of_waits(&waits, Some(&threads), state, defs, now)
}

/// Threads of circles and knots.
fn stuck_threads(waits: &WaitForGraph) -> HashSet<ThreadId> {
    let members = waits.knots.iter().flat_map(|knot| &knot.members);
    waits.cycles.iter().flatten().chain(members).copied().collect()
}

/// As [`wait_for`], of a state whose past is not known.
pub fn present(state: &State, defs: &Definitions, now: Option<Nanos>) -> Graph {
    of_waits(&WaitForGraph::without_past(state, defs), None, state, defs, now)
}

fn of_waits(
    waits: &WaitForGraph,
    only: Option<&HashSet<ThreadId>>,
    state: &State,
    defs: &Definitions,
    now: Option<Nanos>,
) -> Graph {
    let mut builder = Builder { graph: Graph::default(), state, defs, now };
    let is_wanted = |node: wait_for::Node| match (node, only) {
        (wait_for::Node::Thread(id), Some(only)) => only.contains(&id),
        _ => true,
    };
    for (from, to, edge) in waits.graph.all_edges() {
        if !is_wanted(from) || !is_wanted(to) {
            continue;
        }
        let site = builder.site(from, to, *edge);
        let kind = match edge {
            wait_for::Edge::Wants(_) | wait_for::Edge::Joins | wait_for::Edge::Awaits => EdgeKind::Wants,
            wait_for::Edge::HeldBy(_) => EdgeKind::HeldBy,
            wait_for::Edge::Behind => EdgeKind::Behind,
            wait_for::Edge::MayHelp => EdgeKind::MayHelp,
        };
        let (from, to) = (builder.node(from), builder.node(to));
        let detail = place(defs, site);
        builder.graph.add_edge(Edge { from, to, kind, detail, in_cycle: false });
    }
    for threads in &waits.cycles {
        builder.cycle(threads);
    }
    for knot in waits.knots.iter().filter(|knot| knot.circle.is_empty()) {
        let threads = knot.members.iter().map(|&thread| builder.node(wait_for::Node::Thread(thread))).collect();
        builder.graph.hopeless.push(threads);
    }
    builder.graph.stuck = stuck_threads(waits).into_iter().collect();
    builder.graph.stuck.sort_unstable();
    builder.graph
}

/// Which locks were taken while which were held; the cycles are those that were reported.
pub fn order(order: &OrderGraph, findings: &[Finding], defs: &Definitions) -> Graph {
    let mut graph = Graph::default();
    for node in &order.nodes {
        let mut detail = kind_and_place(defs, node.lock);
        if node.locks > 1 {
            detail.push_str(&format!(", {} locks", node.locks));
        }
        let label = phrase::lock_short(defs, node.lock);
        let key = NodeKey::Lock(node.lock);
        graph.add_node(key, || Node { key, label, detail, level: node.level });
    }
    for edge in &order.edges {
        let site = place(defs, edge.site);
        // Asked for, and never got.
        let times = if edge.count == 0 { "asked".to_owned() } else { format!("{}x", edge.count) };
        let detail = format!("{times} {site}");
        let detail = detail.trim_end().to_owned();
        graph.add_edge(Edge { from: edge.from, to: edge.to, kind: EdgeKind::Order, detail, in_cycle: false });
    }
    let is_circle = |finding: &&Finding| {
        matches!(finding.code, Code::Deadlock | Code::LockOrderInversion | Code::PredictedDeadlock)
    };
    for finding in findings.iter().filter(is_circle) {
        let class = |lock| defs.lock(lock).map(|lock| lock.class);
        let node = |lock| {
            let same = order.nodes.iter().position(|node| node.lock == lock);
            same.or_else(|| order.nodes.iter().position(|node| class(lock) == Some(node.class)))
        };
        let Some(mut cycle) = finding.locks.iter().map(|&lock| node(lock)).collect::<Option<Vec<usize>>>() else {
            continue;
        };
        cycle.dedup();
        // A finding names locks in the order in which threads want them, or in which they hold them: whichever way its
        // edges run is the way of the cycle.
        let has_edges = |cycle: &[usize]| {
            (0..cycle.len()).all(|idx| graph.edge(cycle[idx], cycle[(idx + 1) % cycle.len()]).is_some())
        };
        if !has_edges(&cycle) {
            cycle.reverse();
        }
        if has_edges(&cycle) && !graph.cycles.contains(&cycle) {
            graph.add_cycle(cycle);
        }
    }
    graph
}

/// What a lock is and, where its label has no name, where it was made.
fn kind_and_place(defs: &Definitions, id: LockId) -> String {
    let Some(def) = defs.lock(id) else { return String::new() };
    let made = if def.name.is_none() { place(defs, def.created) } else { String::new() };
    if made.is_empty() { def.kind.word().to_owned() } else { format!("{} of {made}", def.kind.word()) }
}

fn place(defs: &Definitions, site: Option<SiteId>) -> String {
    site.and_then(|site| defs.site(site)).map(file_and_line).unwrap_or_default()
}

struct Builder<'a> {
    graph: Graph,
    state: &'a State,
    defs: &'a Definitions,
    now: Option<Nanos>,
}

impl Builder<'_> {
    fn node(&mut self, node: wait_for::Node) -> usize {
        let (state, defs, now) = (self.state, self.defs, self.now);
        match node {
            wait_for::Node::Thread(id) => {
                let key = NodeKey::Thread(id);
                let label = || phrase::thread_label(defs, id);
                self.graph.add_node(key, || Node { key, label: label(), detail: activity(state, id, now), level: 0 })
            }
            wait_for::Node::Lock(id) | wait_for::Node::Object(id) => {
                let key = NodeKey::Lock(id);
                let label = || phrase::lock_short(defs, id);
                self.graph.add_node(key, || Node { key, label: label(), detail: kind_and_place(defs, id), level: 0 })
            }
        }
    }

    /// Where the thread of an edge asked, or took what it holds.
    fn site(&self, from: wait_for::Node, to: wait_for::Node, edge: wait_for::Edge) -> Option<SiteId> {
        match (from, to, edge) {
            // The wait for the lock, which is an edge of its own, has the place.
            (_, _, wait_for::Edge::Behind) => None,
            (wait_for::Node::Object(object), wait_for::Node::Thread(thread), _) => self.deed_site(object, thread),
            (wait_for::Node::Lock(lock), wait_for::Node::Thread(holder), _) => {
                self.state.thread(holder)?.held.iter().rev().find(|held| held.lock == lock)?.site
            }
            (wait_for::Node::Thread(thread), ..) => self.state.thread(thread)?.wait()?.site,
            _ => None,
        }
    }

    /// Where the thread took permits of the object, or last did what others wait for.
    fn deed_site(&self, object: LockId, thread: ThreadId) -> Option<SiteId> {
        let permits = self.state.thread(thread)?.permits.iter().rev().find(|permits| permits.semaphore == object);
        let last = || {
            let deeds = [Need::Notify, Need::Message, Need::Room, Need::Party].into_iter();
            let deeds = deeds.flat_map(|need| self.state.object(object).into_iter().flat_map(move |of| of.deeds(need)));
            deeds.filter(|deed| deed.thread == thread).max_by_key(|deed| deed.event)
        };
        permits.map_or_else(|| last()?.site, |permits| permits.site)
    }

    /// Adds a circle of threads, with the locks between them.
    fn cycle(&mut self, threads: &[ThreadId]) {
        let mut cycle = Vec::new();
        for (idx, &thread) in threads.iter().enumerate() {
            let here = self.node(wait_for::Node::Thread(thread));
            let next = self.node(wait_for::Node::Thread(threads[(idx + 1) % threads.len()]));
            cycle.push(here);
            // From one thread to the next over the lock that the next one holds, or else directly.
            let given_up = self.state.thread(thread).and_then(|thread| thread.given_up).map(|given_up| given_up.mutex);
            let wanted = self.state.thread(thread).into_iter().flat_map(|thread| thread.targets());
            let wanted = wanted.filter_map(|target| match target {
                Target::Lock(lock, _) | Target::Object(lock, _) => Some(lock),
                _ => None,
            });
            let between = wanted.chain(given_up).filter_map(|lock| self.graph.node(NodeKey::Lock(lock)));
            cycle.extend(between.into_iter().find(|&lock| self.graph.edge(lock, next).is_some()));
        }
        self.graph.add_cycle(cycle);
    }
}

/// What a thread does, in words.
fn activity(state: &State, id: ThreadId, now: Option<Nanos>) -> String {
    let activity = state.thread(id).map_or(Activity::NotStarted, |thread| thread.activity);
    match (activity, now) {
        (Activity::Blocked(wait), Some(now)) => format!("waits {}", now.since(wait.since)),
        (Activity::Blocked(_), None) => "waits".to_owned(),
        (Activity::Sleeping { since, .. }, Some(now)) => format!("sleeps {}", now.since(since)),
        (Activity::Sleeping { .. }, None) => "sleeps".to_owned(),
        (Activity::Running, _) => "running".to_owned(),
        (Activity::Finished, _) => "finished".to_owned(),
        (Activity::NotStarted, _) => "not started".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use lockscope_analyzer::state::State;
    use lockscope_trace::{Event, How, LockKind, Mode, Op, Side, ThreadDef};

    use super::*;
    use crate::graph::{canvas::UNICODE, layout};

    /// Permits and messages: a circle with edges through objects, and one that waits behind it.
    #[test]
    fn waits_for_objects_are_a_ring_too() {
        let mut defs = Definitions::default();
        for (name, parent) in [("main", None), ("worker", Some(0)), ("logger", Some(0))] {
            defs.threads.push(ThreadDef { name: Some(name.into()), parent: parent.map(ThreadId), os_id: 0 });
        }
        let [jobs, slots] = [(LockKind::Channel, "jobs"), (LockKind::Semaphore, "slots")]
            .map(|(kind, name)| defs.add_lock(kind, Some(name.into()), "".into(), None, None));
        defs.locks[slots.0 as usize].capacity = Some(1);
        let mut state = State::default();
        let block = |object, need| Op::Block { object, need, limited: false };
        for (thread, op) in [
            (1, Op::HandleAdded { channel: jobs, side: Side::Sender, count: 1 }),
            (1, Op::Sent { channel: jobs, count: 2 }),
            (0, Op::Received { channel: jobs, message: 2, count: 3 }),
            (0, Op::PermitsAcquired { semaphore: slots, permits: 1, stays: true, count: 1 }),
            (0, block(jobs, Need::Message)),
            (1, block(slots, Need::Permits(1))),
            (2, block(slots, Need::Permits(1))),
        ] {
            state.apply(&Event { thread: ThreadId(thread), time: Nanos(0), site: None, stack: None, op });
        }
        let graph = wait_for(&state, &defs, None);
        insta::assert_snapshot!(layout::wait_for(&graph, layout::Options { width: 80, glyphs: UNICODE }).to_string());
    }

    /// Without those that only wait behind others, what is said of who cannot go on is the same.
    #[test]
    fn who_is_stuck_is_the_same_without_the_others() {
        let mut state = State::default();
        crate::fixture::events().iter().for_each(|event| state.apply(event));
        let defs = crate::fixture::defs();
        let (all, stuck) = (wait_for(&state, &defs, None), super::stuck(&state, &defs, None));
        let labels = |graph: &Graph| -> Vec<String> {
            graph.cycles.iter().flatten().map(|&node| graph.nodes[node].label.clone()).collect()
        };
        assert_eq!(labels(&all), labels(&stuck));
        assert!(!labels(&all).is_empty() && stuck.nodes.len() < all.nodes.len());
    }

    /// A reader that asks again behind a waiting writer: a circle with an edge from thread to thread.
    #[test]
    fn a_reader_behind_a_writer_is_a_ring_of_three() {
        let mut defs = Definitions::default();
        for name in ["reader", "writer"] {
            defs.threads.push(ThreadDef { name: Some(name.into()), ..ThreadDef::default() });
        }
        let lock = defs.add_lock(LockKind::RwLock, Some("cache".into()), "".into(), None, None);
        let mut state = State::default();
        for (thread, op) in [
            (0, Op::Acquired { lock, mode: Mode::Shared, how: How::Lock, count: 1 }),
            (1, Op::Wait { lock, mode: Mode::Exclusive, how: How::Lock }),
            (0, Op::Wait { lock, mode: Mode::Shared, how: How::Lock }),
        ] {
            state.apply(&Event { thread: ThreadId(thread), time: Nanos(0), site: None, stack: None, op });
        }
        let graph = wait_for(&state, &defs, None);
        insta::assert_snapshot!(layout::wait_for(&graph, layout::Options { width: 80, glyphs: UNICODE }).to_string());
    }
}
