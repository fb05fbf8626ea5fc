//! Lists with columns: only rows that are on the screen are made.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use crate::{cli::table::fit, dashboard::draw::theme::Theme};

/// A column: its title, its width (0 takes what is left), and whether it is a number.
#[derive(Clone, Copy)]
pub struct Column {
    /// Title.
    pub title: &'static str,
    /// Width.
    pub width: usize,
    /// Numbers are moved to the right.
    pub is_number: bool,
}

/// A column of texts.
pub const fn text(title: &'static str, width: usize) -> Column {
    Column { title, width, is_number: false }
}

/// A column of numbers.
pub const fn number(title: &'static str, width: usize) -> Column {
    Column { title, width, is_number: true }
}

/// Draws a list. `row` makes the cells of a row by its index.
pub fn draw(
    theme: &Theme,
    frame: &mut Frame,
    area: Rect,
    columns: &[Column],
    n_rows: usize,
    selected: Option<usize>,
    row: impl Fn(usize) -> Vec<(String, Style)>,
) {
    let width = usize::from(area.width);
    let height = usize::from(area.height).saturating_sub(1);
    let titles = columns.iter().map(|column| (column.title.to_owned(), theme.title())).collect();
    let mut lines = vec![line(columns, titles, width, theme)];
    // The selected row stays in the middle, except near the ends.
    let first = selected.unwrap_or(0).saturating_sub(height / 2).min(n_rows.saturating_sub(height));
    for idx in first..n_rows.min(first + height) {
        let line = line(columns, row(idx), width, theme);
        lines.push(if selected == Some(idx) { line.patch_style(theme.selected()) } else { line });
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn line(columns: &[Column], cells: Vec<(String, Style)>, width: usize, theme: &Theme) -> Line<'static> {
    let fixed: usize = columns.iter().map(|column| column.width + 1).sum();
    let n_flexible = columns.iter().filter(|column| column.width == 0).count().max(1);
    let flexible = width.saturating_sub(fixed) / n_flexible;
    let mut spans = Vec::new();
    for (column, (text, style)) in columns.iter().zip(cells) {
        let room = if column.width == 0 { flexible } else { column.width };
        let text = fit(&text, room, theme.ascii);
        let padding = " ".repeat(room - text.width().min(room));
        match column.is_number {
            true => spans.extend([Span::raw(padding), Span::styled(text, style)]),
            false => spans.extend([Span::styled(text, style), Span::raw(padding)]),
        }
        spans.push(Span::raw(" "));
    }
    let used: usize = spans.iter().map(Span::width).sum();
    spans.push(Span::raw(" ".repeat(width.saturating_sub(used))));
    Line::from(spans)
}
