//! Mermaid flowcharts, as GitHub shows them in Markdown.

use std::fmt::Write;

use crate::graph::{EdgeKind, Graph, NodeKey};

/// The graph as a flowchart.
pub fn write(graph: &Graph) -> String {
    let mut out = "flowchart LR\n".to_owned();
    for (idx, node) in graph.nodes.iter().enumerate() {
        let detail = if node.detail.is_empty() { String::new() } else { format!("\n{}", node.detail) };
        let label = escape(&format!("{}{detail}", node.label));
        let shape = match node.key {
            NodeKey::Thread(_) => format!("([\"{label}\"])"),
            NodeKey::Lock(_) => format!("[\"{label}\"]"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  n{idx}{shape}");
    }
    for edge in &graph.edges {
        let arrow = if edge.kind == EdgeKind::HeldBy { "==>" } else { "-->" };
        let word = if edge.kind == EdgeKind::Order { "" } else { edge.kind.word() };
        let label = [word, &edge.detail]
            .iter()
            .filter(|text| !text.is_empty())
            .map(|text| escape(text))
            .collect::<Vec<_>>()
            .join("<br>");
        let label = if label.is_empty() { String::new() } else { format!("|\"{label}\"|") };
        let _ = writeln!(out, "  n{} {arrow}{label} n{}", edge.from, edge.to);
    }
    let red: Vec<String> =
        (0..graph.edges.len()).filter(|&idx| graph.edges[idx].in_cycle).map(|idx| idx.to_string()).collect();
    if !red.is_empty() {
        let _ = writeln!(out, "  linkStyle {} stroke:#c00,stroke-width:2px", red.join(","));
    }
    out
}

/// Quotes and angle brackets are entities in a Mermaid label; `#` begins an entity.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '#' => out.push_str("#35;"),
            '\n' => out.push_str("<br>"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::fixture;

    #[test]
    fn a_deadlock_as_a_flowchart() {
        insta::assert_snapshot!(write(&fixture::ring(2)));
    }

    #[test]
    fn labels_cannot_end_their_quotes() {
        assert_eq!(escape("Mutex<u8> \"#1\""), "Mutex#lt;u8#gt; #quot;#35;1#quot;");
    }
}
