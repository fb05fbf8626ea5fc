//! Locks: who holds and who wants each; below, the selected one in full.

use lockscope_trace::{LockId, Mode, Nanos, ThreadId};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
};

use crate::{
    cli::report::{grouped, phrase},
    dashboard::{
        draw::{
            scrolled, table,
            theme::{Mark, Theme},
            threads::{since_text, site_lines},
        },
        lists,
        state::{State, View},
    },
};

/// Draws the list and the detail.
pub fn draw(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let rows = lists::rows(state, View::Locks);
    let selected = lists::selected(state, &rows);
    let detail = if area.height >= 14 { area.height * 2 / 5 } else { 0 };
    let [list, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(detail)]).areas(area);
    let columns = [
        table::text("  lock", 0),
        table::text("kind", 7),
        table::text("held by", 16),
        table::number("waiting", 7),
        table::number("taken", 9),
        table::number("had to wait", 11),
    ];
    table::draw(theme, frame, list, &columns, rows.len(), selected, |idx| match lists::lock(rows[idx]) {
        Some(id) => row(state, theme, id),
        None => Vec::new(),
    });
    if rows.is_empty() {
        super::events::empty(state, theme, frame, list, "no locks yet at this moment");
    }
    let lock = selected.and_then(|idx| lists::lock(rows[idx]));
    if let Some(id) = lock.filter(|_| detail > 0) {
        let block = theme.block(&phrase::lock_label(&state.model.defs, id));
        let inner = block.inner(below);
        frame.render_widget(block, below);
        scrolled(detail_lines(state, theme, id), 0, frame, inner);
    }
}

fn row(state: &State, theme: &Theme, id: LockId) -> Vec<(String, Style)> {
    let defs = &state.model.defs;
    let Some(lock) = state.at.lock(id) else { return Vec::new() };
    let mark = match (lock.waiters.is_empty(), lock.holders.is_empty()) {
        (false, _) => Mark::Warn,
        (true, false) => Mark::Good,
        (true, true) => Mark::Quiet,
    };
    let holder = match lock.holders.as_slice() {
        [] => String::new(),
        [(thread, ..)] => phrase::thread_label(defs, *thread),
        [(thread, ..), rest @ ..] => format!("{} +{}", phrase::thread_label(defs, *thread), rest.len()),
    };
    let waiting = if lock.waiters.is_empty() { String::new() } else { grouped(lock.waiters.len() as u64) };
    let contended = if lock.contended == 0 { String::new() } else { grouped(lock.contended) };
    vec![
        (format!("{} {}", theme.glyph(mark), phrase::lock_label(defs, id)), theme.mark(mark)),
        (defs.lock(id).map_or("", |lock| lock.kind.word()).to_owned(), theme.dim()),
        (holder, theme.thread()),
        (waiting, theme.mark(Mark::Warn)),
        (grouped(lock.acquisitions), Style::new()),
        (contended, Style::new()),
    ]
}

fn detail_lines(state: &State, theme: &Theme, id: LockId) -> Vec<Line<'static>> {
    let defs = &state.model.defs;
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
    for holder in &lock.holders {
        lines.push(who("holds", holder));
        let held = state.at.thread(holder.0).and_then(|thread| thread.held.iter().rev().find(|held| held.lock == id));
        lines.extend(held.map(|held| site_lines(state, theme, held.site)).unwrap_or_default());
    }
    for waiter in &lock.waiters {
        lines.push(who("waits", waiter));
        if let Some(wait) = state.at.thread(waiter.0).and_then(|thread| thread.wait()) {
            lines.extend(site_lines(state, theme, wait.site));
        }
    }
    match phrase::object_state(defs, &state.at, id) {
        Some(object) => lines.push(Line::raw(object)),
        None if lines.is_empty() => lines.push(Line::raw("free")),
        None => {}
    }
    if let Some(def) = defs.lock(id) {
        let mut facts = vec![def.kind.word().to_owned()];
        facts.extend(def.rank.map(|rank| format!("rank {rank}")));
        facts.extend((!def.type_name.is_empty()).then(|| lockscope_trace::defs::short_type(&def.type_name)));
        facts.extend(lock.poisoned.then(|| "poisoned".to_owned()));
        facts.extend(lock.destroyed.then(|| "destroyed".to_owned()));
        lines.push(Line::styled(facts.join(", "), theme.dim()));
        if def.created.is_some() {
            lines.push(Line::raw(if def.is_first_use { "first used at" } else { "made at" }));
            lines.extend(site_lines(state, theme, def.created));
        }
    }
    lines
}
