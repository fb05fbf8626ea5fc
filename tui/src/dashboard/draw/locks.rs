//! Locks and other objects: the list, and the selected one in full: who holds it, who waits, what that has cost.

use lockscope_trace::{LockId, Mode, Nanos, ThreadId};
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    cli::report::{grouped, phrase, plural},
    dashboard::{
        draw::{
            detail, split, table,
            threads::{since_text, site_lines},
        },
        screen::Screen,
        state::State,
        tables::{List, Row},
    },
};

/// Holders and waiters that are shown of a lock: nobody reads thousands, and each costs.
const MOST_PARTIES: usize = 50;

/// Draws the list and the detail.
pub fn draw(state: &State, frame: &mut Frame, area: Rect, screen: &mut Screen, list: List) {
    let (above, below) = split(state, area, screen);
    table::list(state, list, frame, above, screen);
    if let (Some(Row::Lock(id)), true) = (state.selected_row(), below.height > 0) {
        let title = phrase::lock_label(&state.model.defs, id);
        detail(state, &title, detail_lines(state, id), frame, below, screen);
    }
}

/// What it has cost in the whole run.
fn numbers(state: &State, id: LockId) -> Vec<Line<'static>> {
    let Some(numbers) = state.model.digest.lock(id).filter(|numbers| numbers.acquisitions > 0) else {
        return Vec::new();
    };
    let theme = &state.theme;
    let mut lines = vec![Line::styled(
        format!(
            "whole run: taken {}, {} with a wait",
            plural(numbers.acquisitions, "time"),
            if numbers.contended == 0 { "never".to_owned() } else { grouped(numbers.contended) }
        ),
        theme.dim(),
    )];
    if state.model.info.has_times {
        let part = |what: &str, total: Nanos, [half, most, all]: [Nanos; 3]| {
            Line::styled(format!("  {what} {total} in all, p50 {half}, p99 {most}, max {all}"), theme.dim())
        };
        if numbers.waited.0 > 0 {
            lines.push(part("waited", numbers.waited, numbers.wait));
        }
        // A lock that was never released has no holds to speak of.
        if numbers.longest.is_some() {
            lines.push(part("held", numbers.held, numbers.hold));
        }
    }
    if let Some(longest) = numbers.longest {
        let thread = phrase::thread_label(&state.model.defs, longest.thread);
        let duration = if state.model.info.has_times { format!("{} ", longest.duration) } else { String::new() };
        lines.push(Line::styled(format!("  longest {duration}by {thread}, taken at #{}", longest.event), theme.dim()));
        lines.extend(site_lines(state, longest.site));
    }
    lines
}

/// What there is to say of a lock at this moment, and of the whole run.
pub fn detail_lines(state: &State, id: LockId) -> Vec<Line<'static>> {
    let (defs, theme) = (&state.model.defs, &state.theme);
    let Some(lock) = state.at.lock(id) else { return Vec::new() };
    let mut lines = Vec::new();
    let who = |verb: &str, (thread, mode, since): &(ThreadId, Mode, Nanos)| {
        let mode = phrase::in_mode(defs, id, *mode);
        let since = since_text(state, *since);
        Line::from(vec![
            Span::styled(phrase::thread_label(defs, *thread), theme.thread()),
            Span::raw(format!(" {verb}{mode}")),
            Span::styled(if since.is_empty() { String::new() } else { format!("  {since}") }, theme.dim()),
        ])
    };
    for holder in lock.holders.iter().take(MOST_PARTIES) {
        lines.push(who("holds", holder));
        let held = state.at.thread(holder.0).and_then(|thread| thread.held.iter().rev().find(|held| held.lock == id));
        lines.extend(held.map(|held| site_lines(state, held.site)).unwrap_or_default());
    }
    for waiter in lock.waiters.iter().take(MOST_PARTIES) {
        lines.push(who("waits", waiter));
        if let Some(wait) = state.at.thread(waiter.0).and_then(|thread| thread.wait()) {
            lines.extend(site_lines(state, wait.site));
        }
    }
    let n_more = lock.waiters.len().saturating_sub(MOST_PARTIES) + lock.holders.len().saturating_sub(MOST_PARTIES);
    if n_more > 0 {
        lines.push(Line::styled(format!("and {n_more} more threads"), theme.dim()));
    }
    match phrase::object_state(defs, &state.at, id) {
        Some(object) => lines.push(Line::raw(object)),
        None if lines.is_empty() => lines.push(Line::raw("free")),
        None => {}
    }
    lines.extend(numbers(state, id));
    if let Some(def) = defs.lock(id) {
        let mut facts = vec![def.kind.word().to_owned()];
        facts.extend(def.rank.map(|rank| format!("rank {rank}")));
        facts.extend((!def.type_name.is_empty()).then(|| lockscope_trace::defs::short_type(&def.type_name)));
        facts.extend(lock.poisoned.then(|| "poisoned".to_owned()));
        facts.extend(lock.destroyed.then(|| "destroyed".to_owned()));
        lines.push(Line::styled(facts.join(", "), theme.dim()));
        if def.created.is_some() {
            lines.push(Line::raw(if def.is_first_use { "first used at" } else { "made at" }));
            lines.extend(site_lines(state, def.created));
        }
    }
    lines
}
