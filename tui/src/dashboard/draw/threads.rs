//! Threads: what each does, holds and wants; below, the selected one in full.

use lockscope_analyzer::{
    finding::Target,
    state::{Activity, ThreadState, Wait},
};
use lockscope_trace::{SiteId, ThreadId};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
};

use crate::{
    cli::{
        report::{phrase, plural},
        show::threads::state_word,
    },
    dashboard::{
        draw::{
            scrolled, table,
            theme::{Mark, Theme},
        },
        lists,
        state::{State, View},
    },
    source::short_site,
};

/// Draws the list and the detail.
pub fn draw(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let rows = lists::rows(state, View::Threads);
    let selected = lists::selected(state, &rows);
    let detail = if area.height >= 14 { area.height * 2 / 5 } else { 0 };
    let [list, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(detail)]).areas(area);
    let columns = [
        table::text("  thread", 20),
        table::text("state", 13),
        table::number("for", 8),
        table::text("wants", 0),
        table::text("holds", 0),
    ];
    table::draw(theme, frame, list, &columns, rows.len(), selected, |idx| match lists::thread(rows[idx]) {
        Some(id) => row(state, theme, id),
        None => Vec::new(),
    });
    if rows.is_empty() {
        super::events::empty(state, theme, frame, list, "no threads yet at this moment");
    }
    let thread = selected.and_then(|idx| lists::thread(rows[idx]));
    if let Some(id) = thread.filter(|_| detail > 0) {
        let block = theme.block(&phrase::thread_label(&state.model.defs, id));
        let inner = block.inner(below);
        frame.render_widget(block, below);
        scrolled(detail_lines(state, theme, id), 0, frame, inner);
    }
}

/// Number of blocked threads at this moment.
pub fn n_blocked(state: &State) -> usize {
    state.at.threads.iter().filter(|thread| thread.wait().is_some()).count()
}

/// The mark and the word for what a thread does.
pub fn activity(state: &State, id: ThreadId, thread: &ThreadState) -> (Mark, &'static str) {
    match thread.activity {
        Activity::Blocked(_) if lists::is_deadlocked(state, id) => (Mark::Bad, "deadlocked"),
        Activity::Blocked(_) => (Mark::Warn, "blocked"),
        Activity::Sleeping { .. } => (Mark::Quiet, "sleeping"),
        Activity::Running => (Mark::Good, "running"),
        Activity::NotStarted | Activity::Finished => (Mark::Quiet, state_word(&thread.activity)),
    }
}

fn row(state: &State, theme: &Theme, id: ThreadId) -> Vec<(String, Style)> {
    let defs = &state.model.defs;
    let Some(thread) = state.at.thread(id) else { return Vec::new() };
    let (mark, word) = activity(state, id, thread);
    let (wants, waited) = match thread.activity {
        Activity::Blocked(wait) => (phrase::waited_for_short(defs, thread), since_text(state, wait.since)),
        Activity::Sleeping { since, .. } => (String::new(), since_text(state, since)),
        _ => (String::new(), String::new()),
    };
    let holds: Vec<String> =
        thread.held.iter().map(|held| phrase::target_short(defs, Target::Lock(held.lock, held.mode))).collect();
    vec![
        (format!("{} {}", theme.glyph(mark), phrase::thread_label(defs, id)), theme.mark(mark)),
        (word.to_owned(), theme.mark(mark)),
        (waited, Style::new()),
        (wants, theme.lock()),
        (holds.join(", "), theme.lock()),
    ]
}

/// Time since, where the trace has times.
pub fn since_text(state: &State, since: lockscope_trace::Nanos) -> String {
    if state.model.info.has_times { state.time().since(since).to_string() } else { String::new() }
}

fn detail_lines(state: &State, theme: &Theme, id: ThreadId) -> Vec<Line<'static>> {
    let defs = &state.model.defs;
    let Some(thread) = state.at.thread(id) else { return Vec::new() };
    let mut lines = Vec::new();
    if let Some(&Wait { target, site, since, .. }) = thread.wait() {
        let waited = since_text(state, since);
        lines.push(Line::from(vec![
            Span::raw("wants "),
            Span::styled(phrase::waited_for(defs, thread), theme.lock()),
            Span::styled(if waited.is_empty() { String::new() } else { format!("  {waited}") }, theme.dim()),
        ]));
        lines.extend(site_lines(state, theme, site));
        if let Target::Lock(lock, _) = target {
            let holders = state.at.lock(lock).map(|lock| lock.holders.as_slice()).unwrap_or_default();
            for (holder, ..) in holders {
                lines.push(Line::from(vec![
                    Span::raw("  held by "),
                    Span::styled(phrase::thread_label(defs, *holder), theme.thread()),
                ]));
            }
        }
    }
    let helpers: Vec<String> =
        phrase::helpers(defs, &state.at, id).into_iter().map(|thread| phrase::thread_label(defs, thread)).collect();
    if !helpers.is_empty() {
        lines.push(Line::from(vec![
            Span::raw("  could be ended by "),
            Span::styled(helpers.join(", "), theme.thread()),
        ]));
    }
    for permits in thread.permits.iter().rev() {
        lines.push(Line::from(vec![
            Span::raw(format!("holds {} of ", plural(permits.permits, "permit"))),
            Span::styled(phrase::lock_label(defs, permits.semaphore), theme.lock()),
            Span::styled(format!("  {}", since_text(state, permits.since)), theme.dim()),
        ]));
        lines.extend(site_lines(state, theme, permits.site));
    }
    for held in thread.held.iter().rev() {
        let label = phrase::target_label(defs, Target::Lock(held.lock, held.mode));
        let since = since_text(state, held.since);
        lines.push(Line::from(vec![
            Span::raw("holds "),
            Span::styled(label, theme.lock()),
            Span::styled(if since.is_empty() { String::new() } else { format!("  {since}") }, theme.dim()),
        ]));
        lines.extend(site_lines(state, theme, held.site));
    }
    if lines.is_empty() {
        let (_, word) = activity(state, id, thread);
        lines.push(Line::raw(format!("{word}, holds nothing")));
        lines.extend(thread.last_site.map(|site| site_lines(state, theme, Some(site))).unwrap_or_default());
    }
    lines
}

/// A place and its line of source.
pub fn site_lines(state: &State, theme: &Theme, site: Option<SiteId>) -> Vec<Line<'static>> {
    let Some(site) = site.and_then(|site| state.model.defs.site(site)) else { return Vec::new() };
    let mut spans = vec![Span::styled(format!("  {}  ", short_site(site)), theme.dim())];
    spans.extend(state.sources.line(site).map(|line| Span::raw(line.trim().to_owned())));
    vec![Line::from(spans)]
}
