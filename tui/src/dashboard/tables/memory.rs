//! The list of memory locations: atomics, and cells whose accesses are recorded.

use lockscope_trace::VarId;

use super::{Cell, Column, number, text};
use crate::{
    cli::report::phrase,
    dashboard::{
        draw::theme::{Mark, Tone},
        memory::{self, Access},
        state::State,
    },
    source::file_and_line,
};

pub(super) const COLUMNS: &[Column] = &[
    text("location", 0, 0, "its type and where it was made, or its name"),
    number("reads", 9, 0, "accesses that only read"),
    number("writes", 9, 0, "accesses that changed it"),
    text("last access", 24, 0, "the latest access"),
    text("conflicts with", 24, 90, "the latest access of another thread, where one of the two changed the value"),
];

pub(super) fn cell(state: &State, var: VarId, column: &str) -> Option<Cell> {
    let defs = &state.model.defs;
    let uses = state.model.digest.memory.get(var.0 as usize);
    let access = |access: &Access| {
        let place = access.site.and_then(|site| defs.site(site)).map(file_and_line).unwrap_or_default();
        let what = if access.writes { "writes" } else { "reads" };
        format!("{} {what} #{} {place}", phrase::thread_label(defs, access.thread), access.event)
    };
    Some(match column {
        "location" => Cell::new(defs.var(var), Tone::Lock),
        "reads" => Cell::count(uses.map_or(0, |uses| uses.reads), Tone::Plain),
        "writes" => Cell::count(uses.map_or(0, |uses| uses.writes), Tone::Plain),
        "last access" => {
            Cell::new(uses.and_then(|uses| uses.latest.first()).map(access).unwrap_or_default(), Tone::Thread)
        }
        "conflicts with" => {
            let conflict = uses.and_then(memory::conflict).map(|(_, other)| access(&other));
            Cell::new(conflict.unwrap_or_default(), Tone::Mark(Mark::Warn))
        }
        _ => return None,
    })
}
