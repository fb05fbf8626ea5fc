//! Threads: the list, and the selected one in full: what it wants and holds, with the lines of source.

use lockscope_analyzer::{
    finding::Target,
    state::{ThreadState, Wait},
};
use lockscope_trace::{SiteId, ThreadId};
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    cli::report::{phrase, plural},
    dashboard::{
        draw::{detail, split, table, theme::Mark},
        screen::Screen,
        state::State,
        tables::{self, List, Row},
    },
    source::short_site,
};

/// Draws the list and the detail.
pub fn draw(state: &State, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    let (list, below) = split(state, area, screen);
    table::list(state, List::Threads, frame, list, screen);
    if let (Some(Row::Thread(id)), true) = (state.selected_row(), below.height > 0) {
        let title = phrase::thread_label(&state.model.defs, id);
        detail(state, &title, detail_lines(state, id), frame, below, screen);
    }
}

/// Number of blocked threads at this moment.
pub fn n_blocked(state: &State) -> usize {
    state.at.threads.iter().filter(|thread| thread.wait().is_some()).count()
}

/// The mark and the word for what a thread does.
pub fn activity(state: &State, id: ThreadId, thread: &ThreadState) -> (Mark, &'static str) {
    tables::activity(state, id, thread)
}

/// Time since, where the trace has times.
pub fn since_text(state: &State, since: lockscope_trace::Nanos) -> String {
    if state.model.info.has_times { state.time().since(since).to_string() } else { String::new() }
}

/// What a thread wants and holds at this moment, with the places.
pub fn detail_lines(state: &State, id: ThreadId) -> Vec<Line<'static>> {
    let (defs, theme) = (&state.model.defs, &state.theme);
    let Some(thread) = state.at.thread(id) else { return Vec::new() };
    let mut lines = Vec::new();
    if let Some(&Wait { target, site, since, .. }) = thread.wait() {
        let waited = since_text(state, since);
        lines.push(Line::from(vec![
            Span::raw("wants "),
            Span::styled(phrase::waited_for(defs, thread), theme.lock()),
            Span::styled(if waited.is_empty() { String::new() } else { format!("  {waited}") }, theme.dim()),
        ]));
        lines.extend(site_lines(state, site));
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
        lines.extend(site_lines(state, permits.site));
    }
    for held in thread.held.iter().rev() {
        let label = phrase::target_label(defs, Target::Lock(held.lock, held.mode));
        let since = since_text(state, held.since);
        lines.push(Line::from(vec![
            Span::raw("holds "),
            Span::styled(label, theme.lock()),
            Span::styled(if since.is_empty() { String::new() } else { format!("  {since}") }, theme.dim()),
        ]));
        lines.extend(site_lines(state, held.site));
    }
    if lines.is_empty() {
        let (_, word) = activity(state, id, thread);
        lines.push(Line::raw(format!("{word}, holds nothing")));
        lines.extend(thread.last_site.map(|site| site_lines(state, Some(site))).unwrap_or_default());
    }
    lines
}

/// A place and its line of source.
pub fn site_lines(state: &State, site: Option<SiteId>) -> Vec<Line<'static>> {
    let theme = &state.theme;
    let Some(site) = site.and_then(|site| state.model.defs.site(site)) else { return Vec::new() };
    let mut spans = vec![Span::styled(format!("  {}  ", short_site(site)), theme.dim())];
    spans.extend(state.sources.line(site).map(|line| Span::raw(line.trim().to_owned())));
    vec![Line::from(spans)]
}
