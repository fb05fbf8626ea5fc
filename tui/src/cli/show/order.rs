//! `show order`: which locks were taken while which were held, as a table of pairs.

use std::io::Write;

use lockscope_analyzer::{Analysis, order_graph::Grouping};
use lockscope_trace::EventSource;

use crate::{
    cli::{
        Failure,
        report::{grouped, phrase},
        show::{heading, site},
        style::{self, Look},
        table::{Align, Cell, Table},
    },
    filter::{Filter, Row},
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
        let mut row = Row::default();
        for (key, text) in
            [("holds", &held), ("wants", &taken), ("thread", &thread), ("site", &held_site), ("site", &taken_site)]
        {
            row.add(key, text);
        }
        if !filter.keeps(&row) {
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
