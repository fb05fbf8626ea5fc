//! The wait-for graph at this moment: cycles as rings, then who waits behind them; or the same as a list of edges.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    dashboard::{
        draw::{canvas_lines, empty, framed, more, scrolled, theme::Mark},
        screen::Screen,
        state::{State, View},
    },
    graph::{NodeKey, layout::Options},
};

/// Draws the graph.
pub fn draw(state: &State, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    let inner = framed(state, "Who waits for whom", frame, area);
    if state.waits.edges.is_empty() {
        let text = match state.model.info.has_waits {
            true => "nobody waits at this moment; [ goes to the wait before",
            false => "this trace records no waits, so nobody can be seen waiting",
        };
        return empty(state, frame, inner, text);
    }
    // Elsewhere the picture is part of another view, and scrolling is that view's.
    let is_own = state.view == View::Waits;
    let scroll = if is_own { state.scroll } else { 0 };
    let limit = if state.shows_lists {
        scrolled(edges(state), scroll, frame, inner)
    } else {
        let picture = state.waits_picture(Options { width: usize::from(inner.width), glyphs: state.theme.glyphs() });
        let limit = picture.height().saturating_sub(usize::from(inner.height));
        let first = scroll.min(limit);
        let lines = canvas_lines(state, &picture, first..first + usize::from(inner.height));
        scrolled(lines, 0, frame, inner);
        limit
    };
    if is_own {
        screen.scroll_limit = limit;
        if limit > scroll {
            more(state, limit - scroll, frame, area);
        }
    }
}

/// One edge a line, those of cycles first.
fn edges(state: &State) -> Vec<Line<'static>> {
    let (graph, theme) = (&state.waits, &state.theme);
    let mut edges: Vec<usize> = (0..graph.edges.len()).collect();
    edges.sort_by_key(|&idx| !graph.edges[idx].in_cycle);
    let name = |node: usize| {
        let style = match graph.nodes[node].key {
            NodeKey::Thread(_) => theme.thread(),
            NodeKey::Lock(_) => theme.lock(),
        };
        Span::styled(graph.nodes[node].label.clone(), style)
    };
    let line = |idx: usize| {
        let edge = &graph.edges[idx];
        let mark = if edge.in_cycle { Mark::Bad } else { Mark::Quiet };
        Line::from(vec![
            Span::styled(format!(" {} ", theme.glyph(mark)), theme.mark(mark)),
            name(edge.from),
            Span::raw(format!(" {} ", edge.kind.word())),
            name(edge.to),
            Span::styled(format!("  {}", edge.detail), theme.dim()),
        ])
    };
    edges.into_iter().map(line).collect()
}
