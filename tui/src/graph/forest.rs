//! Draws who waits behind whom, as trees: whoever is waited for at the root, those who wait for it below.

use std::collections::HashSet;

use crate::graph::{
    Edge, EdgeKind, Graph, NodeKey,
    canvas::{Canvas, Role},
    layout::Options,
};

/// Lines beyond these are counted and not drawn: nobody reads more, and a screen is drawn many times a second.
const MAX_LINES: usize = 1_000;

/// Trees of everything that is connected and not merely a cycle.
pub fn draw(graph: &Graph, options: Options) -> Canvas {
    let mut forest = Forest::new(graph, options);
    // Roots: nodes that lead nowhere, and nodes of cycles that others outside of the cycle lead to.
    let is_root =
        |node: &usize| (!forest.leads_on[*node] || graph.in_cycle(*node)) && !forest.waiting[*node].is_empty();
    let mut roots: Vec<usize> = (0..graph.nodes.len()).filter(is_root).collect();
    // By what they are and not by who came first, so that trees stay in their order while time goes on.
    roots.sort_unstable_by_key(|&node| graph.nodes[node].key);
    roots.into_iter().for_each(|node| forest.root(node));
    if forest.n_more > 0 {
        forest.canvas.line(&[(&format!("+{} more", forest.n_more), Role::Dim)]);
    }
    forest.canvas
}

struct Forest<'a> {
    graph: &'a Graph,
    options: Options,
    canvas: Canvas,
    /// Edges into each node from nodes outside of cycles.
    waiting: Vec<Vec<&'a Edge>>,
    /// Whether a node has an edge to another one.
    leads_on: Vec<bool>,
    drawn: HashSet<usize>,
    n_more: usize,
}

impl<'a> Forest<'a> {
    fn new(graph: &'a Graph, options: Options) -> Forest<'a> {
        let mut waiting = vec![Vec::new(); graph.nodes.len()];
        let mut leads_on = vec![false; graph.nodes.len()];
        for edge in &graph.edges {
            leads_on[edge.from] = true;
            if !graph.in_cycle(edge.from) {
                waiting[edge.to].push(edge);
            }
        }
        Forest { graph, options, canvas: Canvas::default(), waiting, leads_on, drawn: HashSet::new(), n_more: 0 }
    }

    fn line(&mut self, parts: &[(&str, Role)]) {
        if self.canvas.height() < MAX_LINES {
            self.canvas.line(parts);
        } else {
            self.n_more += 1;
        }
    }

    fn root(&mut self, node: usize) {
        let graph = self.graph;
        let place = if graph.in_cycle(node) { "in the cycle" } else { &graph.nodes[node].detail };
        let gap = if place.is_empty() { "" } else { "  " };
        self.line(&[(&graph.nodes[node].label, self.role(node)), (gap, Role::Plain), (place, Role::Dim)]);
        self.below(node);
    }

    /// Everything below `root`, by an explicit stack: a chain of waits can be as long as there are threads.
    fn below(&mut self, root: usize) {
        let [between, last, going_on, double] = self.options.glyphs.tree;
        // Of each open node: itself, how many of those that wait for it were drawn, and what its lines begin with.
        let mut open: Vec<(usize, usize, String)> = vec![(root, 0, String::new())];
        while let Some((node, n_drawn, prefix)) = open.last_mut() {
            let Some(&edge) = self.waiting[*node].get(*n_drawn) else {
                open.pop();
                continue;
            };
            *n_drawn += 1;
            let is_last = *n_drawn == self.waiting[*node].len();
            let prefix = prefix.clone();
            let is_lock = matches!(self.graph.nodes[edge.from].key, NodeKey::Lock(_));
            let branch = match (is_lock, is_last) {
                (true, true) => double,
                (false, true) => last,
                (_, false) => between,
            };
            let is_new = self.drawn.insert(edge.from);
            self.branch(edge, &prefix, branch, is_new);
            if is_new {
                // Deep chains go on without further indentation, or they would leave the screen.
                let indent = if is_last { "   " } else { going_on };
                let deeper = if prefix.len() < 30 { format!("{prefix}{indent}") } else { prefix };
                open.push((edge.from, 0, deeper));
            }
        }
    }

    fn branch(&mut self, edge: &Edge, prefix: &str, branch: &str, is_new: bool) {
        let node = &self.graph.nodes[edge.from];
        let detail = match is_new {
            true if edge.detail.is_empty() => node.detail.clone(),
            true if node.detail.is_empty() => edge.detail.clone(),
            true => format!("{}  {}", node.detail, edge.detail),
            false => "as above".to_owned(),
        };
        let word = match (edge.kind, node.key) {
            (EdgeKind::MayHelp, _) => "may help at ",
            (_, NodeKey::Lock(_)) => "holds ",
            (_, NodeKey::Thread(_)) => "",
        };
        self.line(&[
            (prefix, Role::Dim),
            (branch, Role::Dim),
            (word, Role::Plain),
            (&node.label, self.role(edge.from)),
            ("  ", Role::Plain),
            (&detail, Role::Dim),
        ]);
    }

    fn role(&self, node: usize) -> Role {
        match self.graph.nodes[node].key {
            NodeKey::Thread(_) => Role::Thread,
            NodeKey::Lock(_) => Role::Lock,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{canvas::UNICODE, fixture, layout};
    use lockscope_trace::{LockId, ThreadId};

    fn options() -> Options {
        Options { width: 80, glyphs: UNICODE }
    }

    #[test]
    fn waiters_hang_below_what_they_wait_for() {
        insta::assert_snapshot!(layout::wait_for(&fixture::crowded(), options()).to_string());
    }

    #[test]
    fn a_cycle_alone_has_no_trees() {
        assert_eq!(draw(&fixture::ring(3), options()).height(), 0);
    }

    #[test]
    fn trees_stay_in_their_order_when_somebody_goes() {
        // T1 and T9 wait for L5, T2 for L7; then T1 does not wait any more.
        let of = |waits: &[(u32, u32)]| {
            let mut graph = Graph::default();
            for &(thread, lock) in waits {
                let from = fixture::node(&mut graph, NodeKey::Thread(ThreadId(thread)), &format!("T{thread}"), "");
                let to = fixture::node(&mut graph, NodeKey::Lock(LockId(lock)), &format!("L{lock}"), "");
                fixture::edge(&mut graph, from, to, EdgeKind::Wants, "");
            }
            let drawn = draw(&graph, options()).to_string();
            drawn.lines().filter(|line| line.starts_with('L')).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(of(&[(1, 5), (2, 7), (9, 5)]), ["L5", "L7"]);
        assert_eq!(of(&[(2, 7), (9, 5)]), ["L5", "L7"]);
    }

    #[test]
    fn a_chain_as_long_as_there_are_threads_is_drawn_in_part() {
        let mut graph = Graph::default();
        let mut before = None;
        for id in 0..2_000 {
            let lock = fixture::node(&mut graph, NodeKey::Lock(LockId(id)), &format!("L{id}"), "");
            let thread = fixture::node(&mut graph, NodeKey::Thread(ThreadId(id)), &format!("T{id}"), "");
            fixture::edge(&mut graph, lock, thread, EdgeKind::HeldBy, "");
            if let Some(before) = before.replace(thread) {
                fixture::edge(&mut graph, before, lock, EdgeKind::Wants, "");
            }
        }
        let drawn = draw(&graph, options());
        assert_eq!(drawn.height(), MAX_LINES + 1);
        assert!(drawn.to_string().ends_with("+3000 more\n"));
        assert!(drawn.width() < 80);
    }
}
