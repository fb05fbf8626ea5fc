//! Lists with columns: only rows that are on the screen are made.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use crate::{
    cli::table::fit,
    dashboard::{
        draw::{empty, theme::Tone},
        screen::{Screen, Table},
        state::State,
        tables::{Cell, Column, List, Row},
    },
};

/// Draws a list with its columns, and a bar that says how much there is above and below.
pub fn list(state: &State, list: List, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    let settings = state.list(list);
    let shape = settings.shape(list, area.width);
    let columns: Vec<&Column> = shape.iter().map(|&idx| &list.columns()[idx]).collect();
    let rows = &state.rows.rows;
    let selected = state.selected();
    let height = usize::from(area.height).saturating_sub(1);
    let first = first_row(selected, rows.len(), height);
    let widths = widths(&columns, area.width);
    let mut table = Table {
        rows: Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area },
        titles: area.y,
        first,
        columns: Vec::new(),
    };
    let mut x = area.x;
    for (&column, &width) in shape.iter().zip(&widths) {
        table.columns.push((x..x + width, column));
        x = x.saturating_add(width + 1);
    }
    let mut lines = vec![titles(state, list, &shape, &columns, &widths)];
    for (idx, &row) in rows.iter().enumerate().skip(first).take(height) {
        let line = match row {
            Row::Group(group) => group_line(state, list, group),
            _ => {
                let cells: Vec<Cell> = shape.iter().map(|&column| list.cell(state, row, column)).collect();
                self::row(state, &columns, &widths, &cells, settings.pinned.contains(&row))
            }
        };
        lines.push(mark(state, line, selected == Some(idx), area.width));
    }
    let n_rows = rows.len();
    frame.render_widget(Paragraph::new(lines), area);
    if n_rows == 0 {
        empty(state, frame, area, none(state, list));
    }
    screen.table = Some(table);
}

/// The first row that is shown: the selected one stays in the middle, except near the ends.
pub fn first_row(selected: Option<usize>, n_rows: usize, height: usize) -> usize {
    selected.unwrap_or(0).saturating_sub(height / 2).min(n_rows.saturating_sub(height))
}

/// What is said of a list without rows.
fn none(state: &State, list: List) -> &'static str {
    if !state.shows_ended && matches!(list, List::Threads | List::Locks) {
        return "everything here has ended; H shows it";
    }
    match list {
        List::Findings if state.model.progress == lockscope_trace::Progress::More => "nothing found so far",
        List::Findings => "no findings",
        List::Threads => "no threads yet at this moment",
        List::Locks => "no locks yet at this moment",
        List::Order => "no lock was taken while another one was held",
        List::HotLocks if !state.model.info.has_waits => "this trace records no waits, so nobody can be seen waiting",
        List::HotLocks | List::Sites | List::Delays | List::Pairs => {
            "nobody had to wait for a lock; only locks that are lockscope's are recorded"
        }
        List::Objects => "no channels, semaphores, condition variables or cells are recorded up to this moment",
        List::Memory => {
            "no memory locations are recorded: use lockscope's atomics, or its cells, to see their accesses"
        }
    }
}

/// The width of every column: those without one share what the others leave.
fn widths(columns: &[&Column], width: u16) -> Vec<u16> {
    let fixed: u16 = columns.iter().map(|column| column.width + 1).sum();
    let n_flexible = columns.iter().filter(|column| column.width == 0).count().max(1) as u16;
    let left = width.saturating_sub(fixed);
    columns.iter().map(|column| if column.width == 0 { left / n_flexible } else { column.width }).collect()
}

fn titles(state: &State, list: List, shape: &[usize], columns: &[&Column], widths: &[u16]) -> Line<'static> {
    let theme = &state.theme;
    let settings = state.list(list);
    let mut spans = Vec::new();
    for (place, ((&idx, column), &width)) in shape.iter().zip(columns).zip(widths).enumerate() {
        let arrow = match (settings.sort, theme.ascii) {
            (Some((by, true)), false) if by == idx => "▲",
            (Some((by, false)), false) if by == idx => "▼",
            (Some((by, true)), true) if by == idx => "^",
            (Some((by, false)), true) if by == idx => "v",
            _ => "",
        };
        // The mark in front of names is above them as well.
        let lead = if place == 0 && matches!(list, List::Threads | List::Locks | List::Objects | List::Findings) {
            "  "
        } else {
            ""
        };
        let title = fit(&format!("{lead}{}{arrow}", column.title), width.into(), theme.ascii);
        let padding = " ".repeat(usize::from(width).saturating_sub(title.width()));
        let style = theme.title();
        let is_cursor = settings.cursor == place && settings.cursor > 0;
        let style = if is_cursor { style.patch(theme.selected()) } else { style };
        let (before, after) = if column.is_number { (padding, String::new()) } else { (String::new(), padding) };
        spans.extend([Span::raw(before), Span::styled(title, style), Span::raw(after), Span::raw(" ")]);
    }
    Line::from(spans)
}

/// A row of cells.
pub fn row(state: &State, columns: &[&Column], widths: &[u16], cells: &[Cell], is_pinned: bool) -> Line<'static> {
    let theme = &state.theme;
    let mut spans = Vec::new();
    for ((column, &width), cell) in columns.iter().zip(widths).zip(cells) {
        let width = usize::from(width);
        let text = fit(&cell.text, width, theme.ascii);
        let padding = " ".repeat(width - text.width().min(width));
        let style = theme.tone(cell.tone);
        let style = if is_pinned && spans.is_empty() { style.patch(theme.tone(Tone::Title)) } else { style };
        match column.is_number {
            true => spans.extend([Span::raw(padding), Span::styled(text, style)]),
            false => spans.extend([Span::styled(text, style), Span::raw(padding)]),
        }
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

fn group_line(state: &State, list: List, group: usize) -> Line<'static> {
    let Some((title, count)) = state.rows.groups.get(group) else { return Line::default() };
    let is_folded = state.list(list).folded.contains(title);
    let mark = match (is_folded, state.theme.ascii) {
        (true, false) => "▸",
        (false, false) => "▾",
        (true, true) => "+",
        (false, true) => "-",
    };
    let title = if title.is_empty() { "(nothing)" } else { title };
    Line::from(vec![
        Span::styled(format!("{mark} {title}"), state.theme.title()),
        Span::styled(format!("  {count}"), state.theme.dim()),
    ])
}

/// The line to its end, in the style of the selection if it is selected.
pub fn mark(state: &State, mut line: Line<'static>, is_selected: bool, width: u16) -> Line<'static> {
    let used = line.width();
    line.spans.push(Span::raw(" ".repeat(usize::from(width).saturating_sub(used))));
    if is_selected { line.patch_style(state.theme.selected()) } else { line }
}
