//! The order of locks: cycles as rings, then all locks by level; or a list of pairs; and what would put it right.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use crate::{
    cli::report::phrase,
    dashboard::{
        draw::{canvas_lines, detail, empty, framed, more, scrolled, split, table, theme::Mark, threads::site_lines},
        export,
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
    let advice = advice(state);
    let height = if area.height >= 14 { (advice.len() as u16).min(5) } else { 0 };
    let [below, area] = Layout::vertical([Constraint::Length(height), Constraint::Fill(1)]).areas(area);
    if height > 0 {
        scrolled(advice, 0, frame, below);
    }
    let inner = framed(state, title, frame, area);
    let graph = export::order_graph(state);
    if graph.nodes.is_empty() {
        return empty(state, frame, inner, "no lock was taken while another one was held");
    }
    let options = Options { width: usize::from(inner.width), glyphs: state.theme.glyphs() };
    let lines = canvas_lines(state, &layout::order(&graph, options));
    screen.scroll_limit = scrolled(lines, state.scroll, frame, inner);
    if screen.scroll_limit > state.scroll {
        more(state, screen.scroll_limit - state.scroll, frame, area);
    }
}

/// Which of the pairs that contradict each other would have to go for there to be one order: those that were seen least.
fn advice(state: &State) -> Vec<Line<'static>> {
    let (defs, theme) = (&state.model.defs, &state.theme);
    let order = if state.pane() == 2 { &state.model.digest.classes } else { &state.model.digest.order };
    let against = feedback(
        order.nodes.len(),
        &order.edges.iter().map(|edge| (edge.from, edge.to, edge.count)).collect::<Vec<_>>(),
    );
    if against.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::styled(
        format!(
            " {} there would be one order for all locks if these were taken the other way around:",
            theme.glyph(Mark::Warn)
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

/// Edges that are against an order of all nodes in which the rarest are: Eades, Lin and Smyth, 1993, with weights. In the
/// order of the edges; deterministic. O(nodes squared), so of large graphs only what is on circles should be given.
fn feedback(n_nodes: usize, edges: &[(usize, usize, u64)]) -> Vec<usize> {
    // Nodes beyond these are more than anybody puts in order by hand.
    const MOST_NODES: usize = 500;
    if n_nodes > MOST_NODES {
        return Vec::new();
    }
    let mut left: Vec<usize> = (0..n_nodes).collect();
    let (mut front, mut back) = (Vec::new(), Vec::new());
    let weight = |node: usize, left: &[usize], is_out: bool| -> u64 {
        let is_of = |&&(from, to, _): &&(usize, usize, u64)| {
            from != to && if is_out { from == node && left.contains(&to) } else { to == node && left.contains(&from) }
        };
        edges.iter().filter(is_of).map(|(.., count)| *count).sum()
    };
    while !left.is_empty() {
        if let Some(at) = left.iter().position(|&node| weight(node, &left, true) == 0) {
            back.push(left.remove(at));
        } else if let Some(at) = left.iter().position(|&node| weight(node, &left, false) == 0) {
            front.push(left.remove(at));
        } else {
            let best = (0..left.len())
                .max_by_key(|&at| {
                    let node = left[at];
                    let gain = i128::from(weight(node, &left, true)) - i128::from(weight(node, &left, false));
                    (gain, std::cmp::Reverse(node))
                })
                .expect("there is one left");
            front.push(left.remove(best));
        }
    }
    front.extend(back.into_iter().rev());
    let mut rank = vec![0; n_nodes];
    front.iter().enumerate().for_each(|(at, &node)| rank[node] = at);
    let is_against = |(_, (from, to, _)): &(usize, &(usize, usize, u64))| rank[*from] > rank[*to];
    edges.iter().enumerate().filter(is_against).map(|(idx, _)| idx).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_way_around_is_against_the_order() {
        assert_eq!(feedback(2, &[(0, 1, 10), (1, 0, 1)]), [1]);
        assert_eq!(feedback(2, &[(0, 1, 1), (1, 0, 10)]), [0]);
        assert_eq!(feedback(3, &[(0, 1, 5), (1, 2, 5), (2, 0, 1)]), [2]);
        assert!(feedback(3, &[(0, 1, 5), (0, 2, 5), (1, 2, 5), (1, 1, 3)]).is_empty());
        assert!(feedback(0, &[]).is_empty());
    }
}
