//! Makes graphs out of what the analyzer knows.

use lockscope_analyzer::{
    OrderGraph, WaitForGraph,
    finding::{Code, Finding, Target},
    state::{Activity, State},
};
use lockscope_trace::{Definitions, LockId, Nanos, SiteId, ThreadId};

use crate::{
    cli::report::phrase,
    graph::{Edge, EdgeKind, Graph, Node, NodeKey},
    source::file_and_line,
};

/// Who waits for what, and who holds it. Only threads that wait or are waited for are in it.
///
/// `now` is the moment up to which waits have lasted; without it they are not said to have lasted.
pub fn wait_for(state: &State, defs: &Definitions, now: Option<Nanos>) -> Graph {
    let mut builder = Builder { graph: Graph::default(), state, defs, now };
    for (idx, thread) in state.threads.iter().enumerate() {
        let Activity::Blocked { target, site, .. } = thread.activity else { continue };
        let from = builder.thread(ThreadId(idx as u32));
        let to = match target {
            Target::Lock(lock, _) | Target::Condvar(lock) => builder.lock(lock),
            Target::Thread(thread) => builder.thread(thread),
        };
        builder.edge(from, to, EdgeKind::Wants, site);
        if let Target::Lock(lock, _) = target {
            builder.holders(to, lock);
        }
    }
    builder.cycles();
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
        graph.nodes.push(Node { key: NodeKey::Lock(node.lock), label, detail, level: node.level });
    }
    for edge in &order.edges {
        let site = place(defs, edge.site);
        let detail = format!("{}x {site}", edge.count);
        let detail = detail.trim_end().to_owned();
        graph.edges.push(Edge { from: edge.from, to: edge.to, kind: EdgeKind::Order, detail, in_cycle: false });
    }
    for finding in findings.iter().filter(|finding| finding.code == Code::LockOrderInversion) {
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
    fn node(&mut self, key: NodeKey, label: String, detail: String) -> usize {
        if let Some(known) = self.graph.nodes.iter().position(|node| node.key == key) {
            return known;
        }
        self.graph.nodes.push(Node { key, label, detail, level: 0 });
        self.graph.nodes.len() - 1
    }

    fn thread(&mut self, id: ThreadId) -> usize {
        let activity = self.state.thread(id).map_or(Activity::NotStarted, |thread| thread.activity);
        let detail = match (activity, self.now) {
            (Activity::Blocked { since, .. }, Some(now)) => format!("waits {}", now.since(since)),
            (Activity::Blocked { .. }, None) => "waits".to_owned(),
            (Activity::Running, _) => "running".to_owned(),
            (Activity::Finished, _) => "finished".to_owned(),
            (Activity::NotStarted, _) => "not started".to_owned(),
        };
        self.node(NodeKey::Thread(id), phrase::thread_label(self.defs, id), detail)
    }

    fn lock(&mut self, id: LockId) -> usize {
        self.node(NodeKey::Lock(id), phrase::lock_short(self.defs, id), kind_and_place(self.defs, id))
    }

    fn holders(&mut self, node: usize, lock: LockId) {
        for (holder, ..) in self.state.lock(lock).map(|lock| lock.holders.clone()).unwrap_or_default() {
            let taken =
                self.state.thread(holder).and_then(|thread| thread.held.iter().rev().find(|held| held.lock == lock));
            let site = taken.and_then(|held| held.site);
            let to = self.thread(holder);
            if self.graph.edge(node, to).is_none() {
                self.edge(node, to, EdgeKind::HeldBy, site);
            }
        }
    }

    fn edge(&mut self, from: usize, to: usize, kind: EdgeKind, site: Option<SiteId>) {
        self.graph.edges.push(Edge { from, to, kind, detail: place(self.defs, site), in_cycle: false });
    }

    fn cycles(&mut self) {
        for threads in WaitForGraph::of(self.state).cycles {
            let mut cycle = Vec::new();
            for (idx, &thread) in threads.iter().enumerate() {
                cycle.push(self.thread(thread));
                let next = self.thread(threads[(idx + 1) % threads.len()]);
                let from = *cycle.last().expect("pushed above");
                // From a thread to the next either directly, by a join, or over the lock that the next one holds.
                let over =
                    self.graph.edges.iter().filter(|edge| edge.from == from && edge.to != next).map(|edge| edge.to);
                cycle.extend(over.into_iter().find(|&lock| self.graph.edge(lock, next).is_some()));
            }
            self.graph.add_cycle(cycle);
        }
    }
}
