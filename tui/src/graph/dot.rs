//! Graphviz DOT.

use std::fmt::Write;

use crate::graph::{EdgeKind, Graph, NodeKey};

/// The graph in DOT. Cycles are red, so that they are seen in any picture made of it.
pub fn write(graph: &Graph, name: &str) -> String {
    let mut out =
        format!("digraph {} {{\n  node [fontname=\"monospace\"];\n  edge [fontname=\"monospace\"];\n", quote(name));
    for (idx, node) in graph.nodes.iter().enumerate() {
        let shape = match node.key {
            NodeKey::Thread(_) => "ellipse",
            NodeKey::Lock(_) => "box",
        };
        let color = if graph.in_cycle(idx) { ", color=red" } else { "" };
        let detail = if node.detail.is_empty() { String::new() } else { format!("\n{}", node.detail) };
        let label = quote(&format!("{}{detail}", node.label));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  n{idx} [label={label}, shape={shape}{color}];");
    }
    for edge in &graph.edges {
        let style = if edge.kind == EdgeKind::HeldBy { ", style=bold" } else { "" };
        let color = if edge.in_cycle { ", color=red" } else { "" };
        let word = if edge.kind == EdgeKind::Order { "" } else { edge.kind.word() };
        let label = quote(
            [word, &edge.detail]
                .iter()
                .filter(|text| !text.is_empty())
                .copied()
                .collect::<Vec<_>>()
                .join("\n")
                .as_str(),
        );
        let _ = writeln!(out, "  n{} -> n{} [label={label}{style}{color}];", edge.from, edge.to);
    }
    out.push_str("}\n");
    out
}

/// A quoted DOT string. Backslashes begin escapes there, so they are doubled, and line ends are written as one.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::fixture;

    #[test]
    fn a_deadlock_as_dot() {
        insta::assert_snapshot!(write(&fixture::ring(2), "wait"));
    }

    #[test]
    fn labels_cannot_end_their_quotes() {
        assert_eq!(quote("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
    }
}
