//! Help, made from the table of keys: first what works in this view, then the marks.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::dashboard::{
    draw::{
        scrolled,
        theme::{Mark, Theme},
    },
    keys,
    state::State,
};

/// Draws the help over the view.
pub fn draw(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) -> usize {
    let block = theme.block(&format!("Help: {}", state.view.title()));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    scrolled(lines(state, theme), state.help.unwrap_or(0), frame, inner)
}

fn lines(state: &State, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for binding in keys::TABLE.iter().filter(|binding| keys::applies(binding.place, state.view)) {
        lines.push(Line::from(vec![
            Span::styled(format!(" {:<14}", binding.keys.join(" ")), theme.title()),
            Span::raw(binding.help),
        ]));
    }
    lines.push(Line::default());
    for (mark, meaning) in [
        (Mark::Bad, "deadlocked, or an error"),
        (Mark::Warn, "blocked, or a warning"),
        (Mark::Good, "running, or all is well"),
        (Mark::Quiet, "not started, finished, or a note"),
    ] {
        lines.push(Line::from(vec![
            Span::styled(format!(" {:<14}", theme.glyph(mark)), theme.mark(mark)),
            Span::raw(meaning),
        ]));
    }
    lines.push(Line::default());
    let keys: Vec<&str> = crate::filter::KEYS.iter().map(|key| key.name).collect();
    lines.push(Line::raw(format!(" filter keys: {}", keys.join(" "))));
    lines
}
