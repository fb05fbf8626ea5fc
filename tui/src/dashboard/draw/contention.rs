//! What waiting costs: a list, and below it who waits where for whom, with the lines of source.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    cli::report::{phrase, plural},
    dashboard::{
        draw::{
            detail, split, table,
            theme::Mark,
            threads::{since_text, site_lines},
        },
        screen::Screen,
        state::{State, View},
        tables::Row,
    },
    source::file_and_line,
};
use lockscope_analyzer::contention::{Cost, Delay};
use lockscope_trace::LockId;

/// Places that are shown of a lock.
const MOST_PLACES: usize = 12;

/// Draws the view.
pub fn draw(state: &State, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    let Some(list) = View::Contention.list(state.pane()) else { return };
    let (above, below) = split(state, area, screen);
    table::list(state, list, frame, above, screen);
    let digest = &state.model.digest;
    let Some(row) = state.selected_row().filter(|_| below.height > 0) else { return };
    let (title, lines) = match row {
        Row::Lock(id) => {
            let delays: Vec<&(Delay, Cost)> = digest.delays_of(id).take(MOST_PLACES).collect();
            let mut lines = open_waits(state, id);
            if lines.is_empty() || !delays.is_empty() {
                lines.extend(places(state, &delays));
            }
            (format!("Where {} is waited for", phrase::lock_label(&state.model.defs, id)), lines)
        }
        Row::Site(site) => {
            let of_site = digest.delays.iter().filter(|(delay, _)| delay.waiter == Some(site));
            let delays: Vec<&(Delay, Cost)> = of_site.take(MOST_PLACES).collect();
            ("What this place waits for".to_owned(), places(state, &delays))
        }
        Row::Delay(idx) => {
            let delays: Vec<&(Delay, Cost)> = digest.delays.get(idx).into_iter().collect();
            ("The wait".to_owned(), places(state, &delays))
        }
        Row::Pair(idx) => ("The pair".to_owned(), pair(state, idx)),
        _ => return,
    };
    detail(state, &title, lines, frame, below, screen);
}

/// Who waits for a lock at this moment, and who is in the way.
fn open_waits(state: &State, id: LockId) -> Vec<Line<'static>> {
    let (defs, theme) = (&state.model.defs, &state.theme);
    let Some(lock) = state.at.lock(id) else { return Vec::new() };
    let mut lines = Vec::new();
    for (thread, _, since) in lock.waiters.iter().take(MOST_PLACES) {
        lines.push(Line::from(vec![
            Span::styled(phrase::thread_label(defs, *thread), theme.thread()),
            Span::styled(format!(" waits now  {}", since_text(state, *since)), theme.mark(Mark::Warn)),
        ]));
        lines.extend(site_lines(state, state.at.thread(*thread).and_then(|thread| thread.wait()?.site)));
    }
    for (thread, ..) in lock.holders.iter().take(if lines.is_empty() { 0 } else { MOST_PLACES }) {
        lines.push(Line::from(vec![
            Span::raw("held by "),
            Span::styled(phrase::thread_label(defs, *thread), theme.thread()),
        ]));
        let held = state.at.thread(*thread).and_then(|thread| thread.held.iter().rev().find(|held| held.lock == id));
        lines.extend(site_lines(state, held.and_then(|held| held.site)));
    }
    lines
}

/// Waits with the two places of each: the one that waits, and the one that is in the way.
fn places(state: &State, delays: &[&(Delay, Cost)]) -> Vec<Line<'static>> {
    let theme = &state.theme;
    let mut lines = Vec::new();
    for (delay, cost) in delays {
        let waited = if state.model.info.has_times { format!("{} in ", cost.time) } else { String::new() };
        lines.push(Line::from(vec![
            Span::styled(format!("{waited}{}", plural(cost.count, "wait")), theme.mark(Mark::Warn)),
            Span::raw("  for "),
            Span::styled(phrase::lock_short(&state.model.defs, delay.lock), theme.lock()),
            Span::styled(format!("  longest ends at #{}", cost.event), theme.dim()),
        ]));
        let labelled = |label: &str, site| -> Vec<Line<'static>> {
            let mut lines = site_lines(state, site);
            if let Some(first) = lines.first_mut() {
                first.spans.insert(0, Span::raw(format!("  {label}")));
            }
            lines
        };
        lines.extend(labelled("waits", delay.waiter));
        match delay.holder {
            Some(site) => lines.extend(labelled("held from", Some(site))),
            None => lines.push(Line::styled("  whoever held it had gone by then", theme.dim())),
        }
    }
    if lines.is_empty() {
        lines.push(Line::styled("no wait has ended yet", theme.dim()));
    }
    lines
}

/// Where one thread waited for another: by the locks that both use.
fn pair(state: &State, idx: usize) -> Vec<Line<'static>> {
    let Some(((holder, waiter), cost)) = state.model.digest.pairs.get(idx) else { return Vec::new() };
    let (defs, theme) = (&state.model.defs, &state.theme);
    let mut lines = vec![Line::from(vec![
        Span::styled(phrase::thread_label(defs, *waiter), theme.thread()),
        Span::raw(format!(" waited {} for what ", cost.time)),
        Span::styled(phrase::thread_label(defs, *holder), theme.thread()),
        Span::raw(" held, the longest time until "),
        Span::styled(format!("#{}", cost.event), theme.title()),
    ])];
    if let Some(event) = state.model.timeline.event(cost.event) {
        let lock = event.op.lock().map_or(String::new(), |lock| phrase::lock_label(defs, lock));
        let place = event.site.and_then(|site| defs.site(site)).map(file_and_line).unwrap_or_default();
        lines.push(Line::from(vec![
            Span::raw("  for "),
            Span::styled(lock, theme.lock()),
            Span::styled(format!("  {place}"), theme.dim()),
        ]));
        lines.extend(site_lines(state, event.site));
    }
    lines
}
