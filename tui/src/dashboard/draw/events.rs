//! Events around the cursor; the cursor's row is the moment that all views show.

use ratatui::{Frame, layout::Rect, widgets::Paragraph};

use crate::{
    cli::{
        report::{grouped, phrase},
        show::events::what,
    },
    dashboard::{
        draw::{
            empty,
            table::{mark, row},
            theme::Tone,
        },
        lists,
        screen::{Screen, Table},
        state::State,
        tables::{Cell, Column},
    },
    source::{file_and_line, short_site},
};

const fn column(title: &'static str, width: u16, is_number: bool) -> Column {
    Column { title, width, is_number, from: 0, help: "" }
}

/// Draws the list.
pub fn draw(state: &State, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    let height = usize::from(area.height).saturating_sub(1);
    let positions = lists::events_around(state, height);
    // The path where there is room for it, else the file's name alone.
    let is_wide = area.width >= 110;
    let mut columns = vec![column("event", 10, true)];
    if state.model.info.has_times {
        columns.push(column("time", if is_wide { 15 } else { 9 }, true));
    }
    columns.extend([column("thread", 14, false), column("op", 10, false), column("what", 0, false)]);
    if area.width >= 70 {
        columns.push(column("where", if is_wide { 40 } else { 16 }, false));
    }
    let columns: Vec<&Column> = columns.iter().collect();
    let fixed: u16 = columns.iter().map(|column| column.width + 1).sum();
    let left = area.width.saturating_sub(fixed);
    let widths: Vec<u16> = columns.iter().map(|column| if column.width == 0 { left } else { column.width }).collect();
    let titles: Vec<Cell> =
        columns.iter().map(|column| Cell { text: column.title.to_owned(), tone: Tone::Title, rank: None }).collect();
    let mut lines = vec![row(state, &columns, &widths, &titles, false)];
    for &position in &positions {
        let line = row(state, &columns, &widths, &cells(state, position, columns.len(), is_wide), false);
        lines.push(mark(state, line, position == state.position, area.width));
    }
    let is_empty = positions.is_empty();
    frame.render_widget(Paragraph::new(lines), area);
    screen.table = Some(Table {
        rows: Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area },
        titles: area.y,
        first: 0,
        columns: Vec::new(),
    });
    if is_empty {
        let text = if state.model.len() == 0 { "no events yet" } else { "no event near this moment" };
        empty(state, frame, area, text);
    }
}

fn cells(state: &State, position: u64, n_columns: usize, is_wide: bool) -> Vec<Cell> {
    let defs = &state.model.defs;
    let Some(event) = state.model.timeline.event(position) else { return Vec::new() };
    let cell = |text: String, tone: Tone| Cell { text, tone, rank: None };
    let mut cells = vec![cell(format!("#{}", grouped(position)), Tone::Dim)];
    if state.model.info.has_times {
        cells.push(cell(state.when(event.time), Tone::Plain));
    }
    cells.extend([
        cell(phrase::thread_label(defs, event.thread), Tone::Thread),
        cell(event.op.name().to_owned(), Tone::Plain),
        cell(what(defs, &event), Tone::Lock),
    ]);
    if cells.len() < n_columns {
        let site = event.site.and_then(|site| defs.site(site));
        let site = site.map(|site| if is_wide { short_site(site) } else { file_and_line(site) }).unwrap_or_default();
        cells.push(cell(site, Tone::Dim));
    }
    cells
}
