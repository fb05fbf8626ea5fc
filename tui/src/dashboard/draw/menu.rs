//! Menus over the view: a line in which to search, and what is found.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::{Clear, Paragraph},
};
use unicode_width::UnicodeWidthStr;

use crate::{
    cli::table::fit,
    dashboard::{
        draw::{framed, table},
        screen::Screen,
        state::{
            State,
            menu::{Menu, MenuKind},
        },
    },
};

/// Draws the menu.
pub fn draw(state: &State, menu: &Menu, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    let items = menu.items(state);
    // Help takes the whole view, others what they need.
    let needed = (items.len() as u16).saturating_add(3);
    let height = if menu.kind == MenuKind::Help { area.height } else { needed.clamp(4, 16).min(area.height) };
    let place = Rect { height, ..area };
    frame.render_widget(Clear, place);
    let inner = framed(state, &menu.title(state), frame, place);
    let [search, list] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
    let theme = &state.theme;
    let hint = if menu.text.is_empty() { " type to search, Enter to do, Esc to close" } else { "" };
    let line = Line::from(vec![
        Span::raw(format!(" {}", menu.text)),
        Span::styled(" ", theme.selected()),
        Span::styled(hint, theme.dim()),
    ]);
    frame.render_widget(Paragraph::new(line), search);

    let width = usize::from(list.width);
    let keys_width = items.iter().map(|item| item.keys.width()).max().unwrap_or(0).min(width / 4);
    let label_width = items.iter().map(|item| item.label.width()).max().unwrap_or(0).min(width / 3);
    let first = table::first_row(Some(menu.selected), items.len(), list.height.into());
    let mut lines = Vec::new();
    for (idx, item) in items.iter().enumerate().skip(first).take(list.height.into()) {
        let padded = |text: &str, width: usize| {
            let text = fit(text, width, theme.ascii);
            let padding = " ".repeat(width.saturating_sub(text.width()));
            text + &padding
        };
        let used = keys_width + label_width + 5;
        let line = Line::from(vec![
            Span::styled(format!(" {}", padded(&item.keys, keys_width)), theme.title()),
            Span::raw(format!("  {}  ", padded(&item.label, label_width))),
            Span::styled(fit(&item.detail, width.saturating_sub(used), theme.ascii), theme.dim()),
        ]);
        lines.push(table::mark(state, line, idx == menu.selected, list.width));
    }
    if items.is_empty() {
        lines.push(Line::styled(" nothing is called that", theme.dim()));
    }
    frame.render_widget(Paragraph::new(lines), list);
    screen.menu = Some((list, first));
    // What is below cannot be pointed at.
    screen.links.clear();
    screen.table = None;
}
