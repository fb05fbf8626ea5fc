//! The wait-for graph at this moment: cycles as rings, then who waits behind them.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    dashboard::{
        draw::{scrolled, theme::Theme},
        state::{State, View},
    },
    graph::layout::{self, Options},
};

/// Draws the graph.
pub fn draw(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) -> usize {
    let block = theme.block("Who waits for whom");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if state.waits.edges.is_empty() {
        let text = match state.model.info.has_waits {
            true => "nobody waits at this moment",
            false => "this trace records no waits, so nobody can be seen waiting",
        };
        super::events::empty(state, theme, frame, inner, text);
        return 0;
    }
    let canvas = layout::wait_for(&state.waits, Options { width: usize::from(inner.width), glyphs: theme.glyphs() });
    let lines: Vec<Line> = canvas
        .runs()
        .map(|runs| {
            Line::from(runs.into_iter().map(|(text, role)| Span::styled(text, theme.role(role))).collect::<Vec<_>>())
        })
        .collect();
    // Elsewhere the picture is part of another view, and scrolling is that view's.
    let scroll = if state.view == View::Waits { state.scroll } else { 0 };
    scrolled(lines, scroll, frame, inner)
}
