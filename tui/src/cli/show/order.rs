//! `show order`: which locks were taken while which were held, as a table of pairs.

use std::io::Write;

use lockscope_analyzer::{
    Analysis,
    order_graph::{Grouping, OrderEdge, OrderGraph},
};
use lockscope_trace::{Definitions, EventSource};

use crate::{
    cli::{
        Failure,
        report::{grouped, phrase},
        show::{heading, site},
        style::{self, Look},
        table::{Align, Cell, Table},
    },
    filter::{Filter, Quantity, Row},
};

/// Writes all pairs that the filter keeps.
pub fn write(
    source: &dyn EventSource,
    analysis: &Analysis,
    filter: &Filter,
    look: &Look,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let defs = source.definitions();
    heading(source, analysis.state(), look, out)?;
    let graph = analysis.order_graph(defs, Grouping::Locks);
    let mut table = Table::new(&[
        ("held", Align::Left),
        ("then taken", Align::Left),
        ("times", Align::Right),
        ("both ways", Align::Left),
        ("first by", Align::Left),
        ("held since", Align::Left),
        ("taken at", Align::Left),
    ]);
    for edge in &graph.edges {
        let label = |node: usize| phrase::lock_label(defs, graph.nodes[node].lock);
        let (held, taken, thread) = (label(edge.from), label(edge.to), phrase::thread_label(defs, edge.thread));
        let (held_site, taken_site) = (site(defs, edge.held_site), site(defs, edge.site));
        if !filter.keeps(&row(defs, &graph, edge)) {
            continue;
        }
        table.row([
            Cell::styled(held, style::LOCK),
            Cell::styled(taken, style::LOCK),
            grouped(edge.count).into(),
            Cell::styled(if edge.inverted { "yes" } else { "" }, style::WARNING),
            Cell::styled(thread, style::NOTE),
            held_site.into(),
            taken_site.into(),
        ]);
    }
    if graph.edges.is_empty() {
        writeln!(out, "no lock was taken while another one was held")?;
        return Ok(());
    }
    table.write(out, look)?;
    Ok(())
}

/// Keys of the list of pairs.
pub const KEYS: &[&str] = &["holds", "wants", "thread", "site", "state", "count", "event"];

/// What a filter sees of a pair.
pub fn row(defs: &Definitions, graph: &OrderGraph, edge: &OrderEdge) -> Row {
    let label = |node: usize| phrase::lock_label(defs, graph.nodes[node].lock);
    let mut row = Row::default();
    for (key, text) in [
        ("holds", label(edge.from)),
        ("wants", label(edge.to)),
        ("thread", phrase::thread_label(defs, edge.thread)),
        ("site", site(defs, edge.held_site)),
        ("site", site(defs, edge.site)),
    ] {
        row.add(key, &text);
    }
    if edge.inverted {
        row.add("state", "inverted");
    }
    row.set("count", Quantity::Count(edge.count));
    row.set("event", Quantity::Count(edge.event));
    row
}
