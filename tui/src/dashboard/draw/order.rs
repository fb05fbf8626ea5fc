//! The order of locks: cycles as rings, then all locks by level; or a list of pairs; and what would put it right.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use crate::{
    cli::report::{phrase, plural},
    dashboard::{
        draw::{canvas_lines, detail, empty, framed, more, scrolled, split, table, theme::Mark, threads::site_lines},
        order::OrderPicture,
        screen::Screen,
        state::State,
        tables::{List, Row},
    },
    graph::layout::{self, Options},
};

/// Draws the view.
pub fn draw(state: &State, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    if state.pane() == 1 {
        return pairs(state, frame, area, screen);
    }
    let title = if state.pane() == 2 { "Order of classes of locks" } else { "Order of locks" };
    let picture = state.order_picture();
    let advice = advice(state, &picture);
    let height = if area.height >= 14 { (advice.len() as u16).min(5) } else { 0 };
    let [below, area] = Layout::vertical([Constraint::Length(height), Constraint::Fill(1)]).areas(area);
    if height > 0 {
        scrolled(advice, 0, frame, below);
    }
    let inner = framed(state, title, frame, area);
    if picture.graph.nodes.is_empty() {
        return empty(state, frame, inner, "no lock was taken while another one was held");
    }
    let options = Options { width: usize::from(inner.width), glyphs: state.theme.glyphs() };
    let canvas = layout::order(&picture.graph, options);
    let mut lines = canvas_lines(state, &canvas, 0..canvas.height());
    if picture.n_more > 0 {
        let text = format!(
            "and {}; the list of pairs has all, and can be filtered",
            plural(picture.n_more as u64, "more lock")
        );
        lines.push(Line::styled(text, state.theme.dim()));
    }
    screen.scroll_limit = scrolled(lines, state.scroll, frame, inner);
    if screen.scroll_limit > state.scroll {
        more(state, screen.scroll_limit - state.scroll, frame, area);
    }
}

/// Which of the pairs that contradict each other would have to go for there to be one order: those that were seen least.
fn advice(state: &State, picture: &OrderPicture) -> Vec<Line<'static>> {
    let (defs, theme) = (&state.model.defs, &state.theme);
    let (order, against) = (state.shown_order(), &picture.against);
    if against.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::styled(
        format!(
            " {} all locks would have one order if {} taken the other way around:",
            theme.glyph(Mark::Warn),
            if against.len() == 1 { "this were" } else { "these were" }
        ),
        theme.mark(Mark::Warn),
    )];
    for idx in against.iter().take(4) {
        let edge = &order.edges[*idx];
        let name = |node: usize| phrase::lock_short(defs, order.nodes[node].lock);
        let place = edge.site.and_then(|site| defs.site(site)).map(crate::source::file_and_line).unwrap_or_default();
        lines.push(Line::from(vec![
            Span::styled(format!("   {}", name(edge.to)), theme.lock()),
            Span::raw(" while holding "),
            Span::styled(name(edge.from), theme.lock()),
            Span::styled(format!("  {}x {place}", edge.count.max(1)), theme.dim()),
        ]));
    }
    if against.len() > 4 {
        lines.pop();
        lines.push(Line::styled(format!("   and {} more", against.len() - 3), theme.dim()));
    }
    lines
}

fn pairs(state: &State, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    let (list, below) = split(state, area, screen);
    table::list(state, List::Order, frame, list, screen);
    let (defs, order) = (&state.model.defs, &state.model.digest.order);
    let Some(Row::Edge(idx)) = state.selected_row().filter(|_| below.height > 0) else { return };
    let Some(edge) = order.edges.get(idx) else { return };
    let theme = &state.theme;
    let name = |node: usize| phrase::lock_label(defs, order.nodes[node].lock);
    let mut lines = Vec::new();
    let part = |verb: &str, node: usize, site, lines: &mut Vec<Line<'static>>| {
        lines.push(Line::from(vec![Span::raw(format!("{verb} ")), Span::styled(name(node), theme.lock())]));
        lines.extend(site_lines(state, site));
    };
    let thread = phrase::thread_label(defs, edge.thread);
    part(&format!("{thread} took"), edge.from, edge.held_site, &mut lines);
    part("and while holding it", edge.to, edge.site, &mut lines);
    lines.push(Line::styled(format!("first at #{}, {} times in all", edge.event, edge.count), theme.dim()));
    if edge.inverted {
        let text = "there is a way back from the second to the first: no order of locks agrees with all pairs";
        lines.push(Line::styled(text, theme.mark(Mark::Warn)));
    }
    detail(state, &format!("{} then {}", name(edge.from), name(edge.to)), lines, frame, below, screen);
}
