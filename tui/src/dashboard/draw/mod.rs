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

/// Draws the whole screen.
pub fn draw(state: &State, theme: &Theme, frame: &mut Frame) {
    let area = frame.area();
    if area.width < MIN_SIZE.0 || area.height < MIN_SIZE.1 {
        frame.render_widget(Paragraph::new("too small"), area);
        return;
    }
    let rows = [Constraint::Length(2), Constraint::Fill(1), Constraint::Length(1)];
    let [header, body, footer] = Layout::vertical(rows).areas(area);
    frame::header(state, theme, frame, header);
    frame::footer(state, theme, frame, footer);
    if state.help.is_some() {
        help::draw(state, theme, frame, body);
        return;
    }
    match state.view {
        View::Overview => overview::draw(state, theme, frame, body),
        View::Findings => findings::draw(state, theme, frame, body),
        View::Threads => threads::draw(state, theme, frame, body),
        View::Locks => locks::draw(state, theme, frame, body),
        View::Waits => waits::draw(state, theme, frame, body),
        View::Events => events::draw(state, theme, frame, body),
    }
}

/// Shows lines from `scroll` on, and never past the last screenful. Returns how many lines are below.
fn scrolled(lines: Vec<Line<'static>>, scroll: usize, frame: &mut Frame, area: Rect) -> usize {
    let height = usize::from(area.height);
    let first = scroll.min(lines.len().saturating_sub(height));
    let below = lines.len().saturating_sub(first + height);
    let shown: Vec<Line> = lines.into_iter().skip(first).take(height).collect();
    frame.render_widget(Paragraph::new(shown), area);
    below
}
