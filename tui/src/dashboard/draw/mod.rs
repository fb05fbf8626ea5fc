//! Draws a state: header, the view, a footer; one file per view. Never changes anything.

mod events;
mod findings;
mod frame;
mod help;
mod locks;
mod overview;
mod table;
pub mod theme;
mod threads;
mod waits;

#[cfg(test)]
mod tests;

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::Line,
    widgets::Paragraph,
};

use crate::dashboard::{
    draw::theme::Theme,
    state::{State, View},
};

/// Below this nothing can be read, and only a remark is shown.
const MIN_SIZE: (u16, u16) = (20, 5);

/// Draws the whole screen. Returns how far what can be scrolled can be scrolled.
pub fn draw(state: &State, theme: &Theme, frame: &mut Frame) -> usize {
    let area = frame.area();
    if area.width < MIN_SIZE.0 || area.height < MIN_SIZE.1 {
        frame.render_widget(Paragraph::new("too small"), area);
        return 0;
    }
    let rows = [Constraint::Length(2), Constraint::Fill(1), Constraint::Length(1)];
    let [header, body, footer] = Layout::vertical(rows).areas(area);
    frame::header(state, theme, frame, header);
    frame::footer(state, theme, frame, footer);
    if state.help.is_some() {
        return help::draw(state, theme, frame, body);
    }
    match state.view {
        View::Overview => return overview::draw(state, theme, frame, body),
        View::Findings => return findings::draw(state, theme, frame, body),
        View::Waits => return waits::draw(state, theme, frame, body),
        View::Threads => threads::draw(state, theme, frame, body),
        View::Locks => locks::draw(state, theme, frame, body),
        View::Events => events::draw(state, theme, frame, body),
    }
    0
}

/// Shows lines from `scroll` on, and never past the last screenful. Returns how far they can be scrolled.
fn scrolled(lines: Vec<Line<'static>>, scroll: usize, frame: &mut Frame, area: Rect) -> usize {
    let limit = lines.len().saturating_sub(usize::from(area.height));
    let shown: Vec<Line> = lines.into_iter().skip(scroll.min(limit)).take(area.height.into()).collect();
    frame.render_widget(Paragraph::new(shown), area);
    limit
}
