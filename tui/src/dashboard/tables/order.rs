//! The list of pairs of locks: which was taken while which was held.

use super::{Cell, Column, Grouping, Row, number, text};
use crate::{
    cli::report::phrase,
    dashboard::{
        draw::theme::{Mark, Tone},
        state::State,
    },
    filter::Quantity,
    source::file_and_line,
};
use lockscope_trace::SiteId;

pub(super) const COLUMNS: &[Column] = &[
    text("held", 0, 0, "the lock that was held"),
    text("then taken", 0, 0, "the lock that was taken then"),
    number("times", 8, 0, "how often"),
    text("both ways", 9, 0, "whether there is a way back: no order of locks agrees with all pairs"),
    text("first by", 16, 90, "who did it first"),
    text("held since", 18, 120, "where the first one had been taken then"),
    text("taken at", 18, 80, "where the second one was taken then"),
    number("event", 9, 140, "number of that event"),
];

pub(super) const GROUPINGS: &[Grouping] =
    &[("held", |state, row| of(state, row, "held")), ("then taken", |state, row| of(state, row, "then taken"))];

fn of(state: &State, row: Row, column: &str) -> String {
    if let Row::Edge(idx) = row { cell(state, idx, column).unwrap_or_default().text } else { String::new() }
}

/// Those that contradict each other first, then the most frequent.
pub(super) fn rows(state: &State) -> Vec<Row> {
    let edges = &state.model.digest.order.edges;
    let mut rows: Vec<usize> = (0..edges.len()).collect();
    rows.sort_by_key(|&idx| (!edges[idx].inverted, std::cmp::Reverse(edges[idx].count), idx));
    rows.into_iter().map(Row::Edge).collect()
}

pub(super) fn cell(state: &State, idx: usize, column: &str) -> Option<Cell> {
    let (defs, order) = (&state.model.defs, &state.model.digest.order);
    let edge = order.edges.get(idx)?;
    let lock = |node: usize| order.nodes.get(node).map_or(String::new(), |node| phrase::lock_short(defs, node.lock));
    let place = |site: Option<SiteId>| site.and_then(|site| defs.site(site)).map(file_and_line).unwrap_or_default();
    let tone = if edge.inverted { Tone::Mark(Mark::Bad) } else { Tone::Lock };
    Some(match column {
        "held" => Cell::new(lock(edge.from), tone),
        "then taken" => Cell::new(lock(edge.to), tone),
        "times" => Cell::count(edge.count, Tone::Plain),
        "both ways" => {
            let text = if edge.inverted { format!("{} inverted", state.theme.glyph(Mark::Bad)) } else { String::new() };
            Cell::ranked(u64::from(!edge.inverted), text, tone)
        }
        "first by" => Cell::new(phrase::thread_label(defs, edge.thread), Tone::Thread),
        "held since" => Cell::new(place(edge.held_site), Tone::Dim),
        "taken at" => Cell::new(place(edge.site), Tone::Dim),
        "event" => Cell::ranked(edge.event, format!("#{}", edge.event), Tone::Dim),
        _ => return None,
    })
}

pub(super) fn quantity(state: &State, idx: usize, key: &str) -> Option<Quantity> {
    let edge = state.model.digest.order.edges.get(idx)?;
    match key {
        "count" => Some(Quantity::Count(edge.count)),
        "event" => Some(Quantity::Count(edge.event)),
        _ => None,
    }
}
