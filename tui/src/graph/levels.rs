//! Draws a lock order as a list by level: a lock's level is the longest way to it from a lock that is taken first.

use unicode_width::UnicodeWidthStr;

use crate::graph::{
    Graph,
    canvas::{Canvas, Role},
    layout::Options,
};

/// All nodes by level, each with the nodes that are taken while it is held.
pub fn draw(graph: &Graph, options: Options) -> Canvas {
    let mut order: Vec<usize> = (0..graph.nodes.len()).collect();
    order.sort_by_key(|&node| (graph.nodes[node].level, graph.nodes[node].key));
    let width = graph.nodes.iter().map(|node| node.label.width()).max().unwrap_or(0).min(options.width / 2);
    let mut canvas = Canvas::default();
    if !order.is_empty() {
        canvas.line(&[("level  lock, and what is taken while it is held", Role::Title)]);
    }
    let mut leaving = vec![Vec::new(); graph.nodes.len()];
    graph.edges.iter().for_each(|edge| leaving[edge.from].push(edge));
    for node in order {
        let mark = if graph.in_cycle(node) { format!("  {} in a cycle", options.glyphs.mark) } else { String::new() };
        canvas.line(&[
            (&format!("{:>5}  ", graph.nodes[node].level), Role::Dim),
            (&graph.nodes[node].label, Role::Lock),
            (if graph.nodes[node].detail.is_empty() { "" } else { "  " }, Role::Plain),
            (&graph.nodes[node].detail, Role::Dim),
            (&mark, Role::Cycle),
        ]);
        for edge in &leaving[node] {
            let to = &graph.nodes[edge.to];
            let padding = " ".repeat(width.saturating_sub(to.label.width()));
            let role = if edge.in_cycle { Role::Cycle } else { Role::Plain };
            let [arrow_line, _] = options.glyphs.line;
            canvas.line(&[
                (&format!("         {arrow_line}{} ", options.glyphs.heads[0]), role),
                (&to.label, Role::Lock),
                (&format!("{padding}  "), Role::Plain),
                (&edge.detail, Role::Dim),
            ]);
        }
    }
    canvas
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{EdgeKind, Node, NodeKey, canvas::UNICODE, fixture, layout};
    use lockscope_trace::LockId;

    fn graph(edges: &[(usize, usize)], cycles: &[&[usize]]) -> Graph {
        let n = edges.iter().map(|&(from, to)| from.max(to) + 1).max().unwrap_or(0);
        let mut graph = Graph::default();
        for idx in 0..n {
            let key = NodeKey::Lock(LockId(idx as u32));
            let label = format!("L{idx} {}", ["config", "accounts", "audit", "log"][idx % 4]);
            graph.add_node(key, || Node { key, label, detail: String::new(), level: [0, 1, 1, 2][idx % 4] });
        }
        for &(from, to) in edges {
            fixture::edge(&mut graph, from, to, EdgeKind::Order, &format!("{}x bank.rs:{to}", from + 1));
        }
        cycles.iter().for_each(|cycle| graph.add_cycle(cycle.to_vec()));
        graph
    }

    #[test]
    fn the_order_is_listed_by_level() {
        let graph = graph(&[(0, 1), (1, 2), (2, 1), (2, 3)], &[&[1, 2]]);
        insta::assert_snapshot!(layout::order(&graph, Options { width: 80, glyphs: UNICODE }).to_string());
    }
}
