//! Events around the cursor; the cursor's row is the moment that all views show.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    widgets::{Paragraph, Wrap},
};

use crate::{
    cli::{report::phrase, show::events::what},
    dashboard::{
        draw::{table, theme::Theme},
        lists,
        state::State,
    },
    source::{file_and_line, short_site},
};

/// Draws the list.
pub fn draw(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let height = usize::from(area.height).saturating_sub(1);
    let positions = lists::events_around(state, height);
    let selected = positions.iter().position(|&position| position == state.position);
    let time_width = if state.model.info.has_times { 8 } else { 0 };
    let mut columns = vec![table::number("event", 8)];
    columns.extend((time_width > 0).then(|| table::number("time", time_width)));
    columns.extend([table::text("thread", 14), table::text("op", 10), table::text("what", 0)]);
    // The path where there is room for it, else the file's name alone.
    let is_wide = area.width >= 110;
    columns.extend((area.width >= 70).then(|| table::text("where", if is_wide { 40 } else { 16 })));
    table::draw(theme, frame, area, &columns, positions.len(), selected, |idx| {
        row(state, theme, positions[idx], &columns, is_wide)
    });
    if positions.is_empty() {
        let text = if state.model.len() == 0 { "no events yet" } else { "no event near this moment fits the filter" };
        empty(state, theme, frame, area, text);
    }
}

fn row(state: &State, theme: &Theme, position: u64, columns: &[table::Column], is_wide: bool) -> Vec<(String, Style)> {
    let defs = &state.model.defs;
    let Some(event) = state.model.timeline.event(position) else { return Vec::new() };
    let mut cells = vec![(format!("#{position}"), theme.dim())];
    if state.model.info.has_times {
        cells.push((event.time.to_string(), Style::new()));
    }
    cells.extend([
        (phrase::thread_label(defs, event.thread), theme.thread()),
        (event.op.name().to_owned(), Style::new()),
        (what(defs, &event), theme.lock()),
    ]);
    if cells.len() < columns.len() {
        let site = event.site.and_then(|site| defs.site(site));
        let site = site.map(|site| if is_wide { short_site(site) } else { file_and_line(site) }).unwrap_or_default();
        cells.push((site, theme.dim()));
    }
    cells
}

/// A remark where there is nothing to show, and what to do about it.
pub fn empty(state: &State, theme: &Theme, frame: &mut Frame, area: Rect, text: &str) {
    let (filter, _) = state.filter(state.view);
    let text =
        if filter.is_empty() { text.to_owned() } else { format!("nothing fits the filter /{filter}; Esc clears it") };
    let below = Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area };
    frame.render_widget(Paragraph::new(format!(" {text}")).style(theme.dim()).wrap(Wrap { trim: false }), below);
}
