//! Draws who waits behind whom, as trees: whoever is waited for at the root, those who wait for it below.

use std::collections::HashSet;

use crate::graph::{
    Edge, Graph, NodeKey,
    canvas::{Canvas, Role},
    layout::Options,
};

/// Trees of everything that is connected and not merely a cycle.
pub fn draw(graph: &Graph, options: Options) -> Canvas {
    let mut forest = Forest { graph, options, canvas: Canvas::default(), drawn: HashSet::new() };
    // Roots: nodes that lead nowhere, and nodes of cycles that others outside of the cycle lead to.
    for node in 0..graph.nodes.len() {
        let leads_nowhere = !graph.edges.iter().any(|edge| edge.from == node);
        if (leads_nowhere || graph.in_cycle(node)) && forest.children(node).next().is_some() {
            forest.root(node);
        }
    }
    forest.canvas
}

struct Forest<'a> {
    graph: &'a Graph,
    options: Options,
    canvas: Canvas,
    drawn: HashSet<usize>,
}

impl<'a> Forest<'a> {
    /// Edges from nodes outside of cycles into `node`.
    fn children(&self, node: usize) -> impl Iterator<Item = &'a Edge> + use<'a> {
        let graph = self.graph;
        graph.edges.iter().filter(move |edge| edge.to == node && !graph.in_cycle(edge.from))
    }

    fn root(&mut self, node: usize) {
        let place = if self.graph.in_cycle(node) { "in the cycle" } else { &self.graph.nodes[node].detail };
        let label = &self.graph.nodes[node].label;
        self.canvas.line(&[
            (label, self.role(node)),
            (if place.is_empty() { "" } else { "  " }, Role::Plain),
            (place, Role::Dim),
        ]);
        self.below(node);
    }

    /// Everything below `root`, by an explicit stack: a chain of waits can be as long as there are threads.
    fn below(&mut self, root: usize) {
        let [between, last, going_on, double] = self.options.glyphs.tree;
        let mut open: Vec<(Vec<&'a Edge>, String)> = vec![(self.children(root).collect(), String::new())];
        while let Some((edges, prefix)) = open.last_mut() {
            if edges.is_empty() {
                open.pop();
                continue;
            }
            let edge = edges.remove(0);
            let is_last = edges.is_empty();
            let is_lock = matches!(self.graph.nodes[edge.from].key, NodeKey::Lock(_));
            let branch = match (is_lock, is_last) {
                (true, true) => double,
                (false, true) => last,
                (_, false) => between,
            };
            let prefix = prefix.clone();
            let node = &self.graph.nodes[edge.from];
            let word = if is_lock { "holds " } else { "" };
            let mut parts = vec![(prefix.as_str(), Role::Dim), (branch, Role::Dim), (word, Role::Plain)];
            parts.push((&node.label, self.role(edge.from)));
            let is_new = self.drawn.insert(edge.from);
            let detail = match is_new {
                true if edge.detail.is_empty() => node.detail.clone(),
                true if node.detail.is_empty() => edge.detail.clone(),
                true => format!("{}  {}", node.detail, edge.detail),
                false => "as above".to_owned(),
            };
            parts.extend([("  ", Role::Plain), (&detail, Role::Dim)]);
            self.canvas.line(&parts);
            if is_new {
                // Deep chains go on without further indentation, or they would leave the screen.
                let indent = if is_last { "   " } else { going_on };
                let deeper = if prefix.len() < 30 { format!("{prefix}{indent}") } else { prefix };
                open.push((self.children(edge.from).collect(), deeper));
            }
        }
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
    use crate::graph::{EdgeKind, Node, canvas::UNICODE, fixture, layout};
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
    fn a_chain_as_long_as_there_are_threads_is_drawn() {
        let mut graph = Graph::default();
        for id in 0..2_000 {
            let (thread, lock) = (NodeKey::Thread(ThreadId(id)), NodeKey::Lock(LockId(id)));
            graph.nodes.push(Node { key: lock, label: format!("L{id}"), detail: String::new(), level: 0 });
            graph.nodes.push(Node { key: thread, label: format!("T{id}"), detail: String::new(), level: 0 });
            let node = graph.nodes.len() - 1;
            let edge = |from, to, kind| Edge { from, to, kind, detail: String::new(), in_cycle: false };
            graph.edges.push(edge(node - 1, node, EdgeKind::HeldBy));
            if id > 0 {
                graph.edges.push(edge(node - 2, node - 1, EdgeKind::Wants));
            }
        }
        let drawn = draw(&graph, options());
        assert_eq!(drawn.height(), 4_000);
        assert!(drawn.width() < 80);
    }
}
