//! Draws a cycle as a ring: the first half of its nodes in a row from left to right, the second half below from right
//! to left. Where there is no room for that, as a list with a line back.

use unicode_width::UnicodeWidthStr;

use crate::{
    cli::table::fit,
    graph::{
        EdgeKind, Graph, NodeKey,
        canvas::{ASCII, Canvas, Glyphs, Role},
        layout::Options,
    },
};

/// Rows of a box: borders, label, detail.
const BOX_HEIGHT: usize = 4;
/// Rows between the two rows of boxes.
const GAP_HEIGHT: usize = 4;
/// Columns between two boxes: enough for `═ held by ═▶`.
const MIN_GAP: usize = 13;
const MIN_BOX: usize = 12;
/// Boxes beside each other.
const MAX_COLUMNS: usize = 6;

/// Draws one cycle.
pub fn draw(graph: &Graph, cycle: &[usize], options: Options) -> Canvas {
    let n_columns = cycle.len().div_ceil(2);
    let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let natural =
        widest(&mut cycle.iter().map(|&idx| graph.nodes[idx].label.width().max(graph.nodes[idx].detail.width()))) + 4;
    let detail = widest(&mut steps(graph, cycle).map(|step| step.detail.width()));
    // Two nodes need a column each, since both of their edges run between them.
    let n_columns = if cycle.len() == 2 { 2 } else { n_columns };
    let n_gaps = n_columns.saturating_sub(1);
    let gap = |natural: usize| options.width.saturating_sub(n_columns * natural).checked_div(n_gaps).unwrap_or(0);
    let gap_width = gap(natural).clamp(MIN_GAP, (detail + 4).max(MIN_GAP));
    let box_width = natural.min(options.width.saturating_sub(n_gaps * gap_width) / n_columns.max(1));
    // A long ring is read only if nothing of it is cut.
    let is_too_long = n_columns > MAX_COLUMNS || n_columns > 4 && box_width < natural;
    if box_width < MIN_BOX.min(natural) || cycle.len() < 2 || is_too_long {
        return list(graph, cycle, options);
    }
    let mut ring = Ring { canvas: Canvas::default(), glyphs: options.glyphs, box_width, gap_width };
    if cycle.len() == 2 {
        ring.pair(graph, cycle)
    } else {
        ring.rows(graph, cycle, n_columns)
    }
    ring.canvas
}

/// The edge that leaves a node of a cycle.
struct Step {
    word: &'static str,
    detail: String,
    is_double: bool,
}

fn steps<'a>(graph: &'a Graph, cycle: &'a [usize]) -> impl Iterator<Item = Step> {
    (0..cycle.len()).map(move |idx| step(graph, cycle, idx))
}

fn step(graph: &Graph, cycle: &[usize], idx: usize) -> Step {
    let edge = graph.edge(cycle[idx], cycle[(idx + 1) % cycle.len()]);
    let kind = edge.map_or(EdgeKind::Wants, |edge| edge.kind);
    let detail = edge.map_or(String::new(), |edge| edge.detail.clone());
    Step { word: kind.word(), detail, is_double: kind == EdgeKind::HeldBy }
}

struct Ring {
    canvas: Canvas,
    glyphs: Glyphs,
    box_width: usize,
    gap_width: usize,
}

impl Ring {
    fn x(&self, column: usize) -> usize {
        column * (self.box_width + self.gap_width)
    }

    fn rows(&mut self, graph: &Graph, cycle: &[usize], n_columns: usize) {
        let lower = BOX_HEIGHT + GAP_HEIGHT;
        for (idx, &node) in cycle.iter().enumerate() {
            let is_upper = idx < n_columns;
            // A ring of odd length has one box less below; the leftmost place stays free.
            let column = if is_upper { idx } else { n_columns - 1 - (idx - n_columns) };
            let y = if is_upper { 0 } else { lower };
            self.node(graph, node, self.x(column), y);
            let edge = step(graph, cycle, idx);
            if is_upper && idx + 1 < n_columns {
                self.right(self.x(column) + self.box_width, y + 1, &edge);
            } else if is_upper {
                self.down(self.x(column) + self.box_width / 2, BOX_HEIGHT, &edge);
            } else if idx + 1 < cycle.len() {
                self.left(self.x(column - 1) + self.box_width, y + 1, &edge);
            } else if column == 0 {
                self.up(self.box_width / 2, BOX_HEIGHT, GAP_HEIGHT, &edge);
            } else {
                self.around(self.x(column), lower + 1, &edge);
            }
        }
    }

    /// From the leftmost box of the lower row, past the free place to its left, up to the first box.
    fn around(&mut self, x: usize, y: usize, edge: &Step) {
        let [horizontal, _] = if edge.is_double { self.glyphs.double } else { self.glyphs.line };
        let corner = if edge.is_double { self.glyphs.double_corner } else { self.glyphs.lock[2] };
        let from = self.box_width / 2;
        let row: String =
            std::iter::once(corner).chain(std::iter::repeat_n(horizontal, (x - from).saturating_sub(1))).collect();
        self.canvas.put(from, y, &row, Role::Cycle);
        let word = format!(" {} ", edge.word);
        let middle = (from + x).saturating_sub(word.width()) / 2;
        self.canvas.put(middle, y, &word, Role::Cycle);
        self.canvas.put(middle, y + 1, &fit(&edge.detail, x - middle, self.glyphs == ASCII), Role::Dim);
        self.up(from, BOX_HEIGHT, y - BOX_HEIGHT, &Step { word: "", detail: String::new(), ..*edge });
    }

    /// Two nodes side by side, with one edge above the other.
    fn pair(&mut self, graph: &Graph, cycle: &[usize]) {
        self.node(graph, cycle[0], 0, 0);
        self.node(graph, cycle[1], self.x(1), 0);
        let (there, back) = (step(graph, cycle, 0), step(graph, cycle, 1));
        self.detail(self.box_width, 0, &there.detail);
        self.right(self.box_width, 1, &Step { detail: String::new(), ..there });
        self.left(self.box_width, 2, &back);
    }

    fn node(&mut self, graph: &Graph, node: usize, x: usize, y: usize) {
        let node = &graph.nodes[node];
        let is_thread = matches!(node.key, NodeKey::Thread(_));
        let [top_left, top_right, bottom_left, bottom_right] =
            if is_thread { self.glyphs.thread } else { self.glyphs.lock };
        let [horizontal, vertical] = self.glyphs.line;
        let inner = self.box_width - 2;
        let bar: String = std::iter::repeat_n(horizontal, inner).collect();
        self.canvas.put(x, y, &format!("{top_left}{bar}{top_right}"), Role::Cycle);
        self.canvas.put(x, y + 3, &format!("{bottom_left}{bar}{bottom_right}"), Role::Cycle);
        let role = if is_thread { Role::Thread } else { Role::Lock };
        for (row, (text, role)) in [(&node.label, role), (&node.detail, Role::Dim)].into_iter().enumerate() {
            self.canvas.put(x, y + 1 + row, &vertical.to_string(), Role::Cycle);
            self.canvas.put(x + 2, y + 1 + row, &fit(text, inner.saturating_sub(2), self.glyphs == ASCII), role);
            self.canvas.put(x + self.box_width - 1, y + 1 + row, &vertical.to_string(), Role::Cycle);
        }
    }

    fn right(&mut self, x: usize, y: usize, edge: &Step) {
        let line = self.horizontal(edge, self.gap_width - 1);
        self.canvas.put(x, y, &format!("{line}{}", self.glyphs.heads[0]), Role::Cycle);
        self.detail(x, y + 1, &edge.detail);
    }

    fn left(&mut self, x: usize, y: usize, edge: &Step) {
        let line = self.horizontal(edge, self.gap_width - 1);
        self.canvas.put(x, y, &format!("{}{line}", self.glyphs.heads[1]), Role::Cycle);
        self.detail(x, y + 1, &edge.detail);
    }

    fn detail(&mut self, x: usize, y: usize, detail: &str) {
        let text = fit(detail, self.gap_width - 2, self.glyphs == ASCII);
        let indent = (self.gap_width - text.width()) / 2;
        self.canvas.put(x + indent, y, &text, Role::Dim);
    }

    /// `── wants ──`, centred.
    fn horizontal(&self, edge: &Step, width: usize) -> String {
        let [horizontal, _] = if edge.is_double { self.glyphs.double } else { self.glyphs.line };
        let free = width.saturating_sub(edge.word.width() + 2);
        let dashes = |n: usize| std::iter::repeat_n(horizontal, n).collect::<String>();
        format!("{} {} {}", dashes(free / 2), edge.word, dashes(free - free / 2))
    }

    fn down(&mut self, x: usize, y: usize, edge: &Step) {
        let [_, vertical] = if edge.is_double { self.glyphs.double } else { self.glyphs.line };
        for row in 0..GAP_HEIGHT {
            let c = if row + 1 == GAP_HEIGHT { self.glyphs.heads[2] } else { vertical };
            self.canvas.put(x, y + row, &c.to_string(), Role::Cycle);
        }
        // To the left of the line: to its right there may be no room.
        for (row, (text, role)) in [(edge.word, Role::Cycle), (edge.detail.as_str(), Role::Dim)].into_iter().enumerate()
        {
            let text = fit(text, x.saturating_sub(2), self.glyphs == ASCII);
            self.canvas.put(x - 1 - text.width(), y + 1 + row, &text, role);
        }
    }

    fn up(&mut self, x: usize, y: usize, height: usize, edge: &Step) {
        let [_, vertical] = if edge.is_double { self.glyphs.double } else { self.glyphs.line };
        for row in 0..height {
            let c = if row == 0 { self.glyphs.heads[3] } else { vertical };
            self.canvas.put(x, y + row, &c.to_string(), Role::Cycle);
        }
        self.canvas.put(x + 2, y + 1, edge.word, Role::Cycle);
        self.canvas.put(
            x + 2,
            y + 2,
            &fit(&edge.detail, self.box_width + self.gap_width / 2, self.glyphs == ASCII),
            Role::Dim,
        );
    }
}

/// One line per node with what follows it, and a line back along the left side.
fn list(graph: &Graph, cycle: &[usize], options: Options) -> Canvas {
    let glyphs = options.glyphs;
    let mut canvas = Canvas::default();
    let [horizontal, vertical] = glyphs.line;
    let [corner, _, last_corner, _] = glyphs.lock;
    let widest = cycle.iter().map(|&node| graph.nodes[node].label.width()).max().unwrap_or(0);
    let words = (0..cycle.len()).map(|idx| step(graph, cycle, idx).word.width()).max().unwrap_or(0);
    // Two labels, the word between them and the line back; what is left is for the place.
    let fixed = 4 + words + 4;
    let label_width = widest.min(options.width.saturating_sub(fixed) / 2);
    let detail_width = options.width.saturating_sub(fixed + 2 * label_width);
    let padded = |text: &str, width: usize| {
        let text = fit(text, width, glyphs == ASCII);
        let padding = " ".repeat(width.saturating_sub(text.width()));
        text + &padding
    };
    for (idx, &node) in cycle.iter().enumerate() {
        let is_last = idx + 1 == cycle.len();
        let (corner, bar, head) = match idx {
            0 => (corner, horizontal, glyphs.heads[0]),
            _ if is_last => (last_corner, horizontal, horizontal),
            _ => (vertical, ' ', ' '),
        };
        let edge = step(graph, cycle, idx);
        let next = cycle[(idx + 1) % cycle.len()];
        canvas.line(&[
            (&fit(&format!("{corner}{bar}{head} "), options.width, glyphs == ASCII), Role::Cycle),
            (&padded(&graph.nodes[node].label, label_width), role(graph, node)),
            (
                &fit(
                    &format!("  {:<words$}  ", edge.word),
                    options.width.saturating_sub(4 + label_width),
                    glyphs == ASCII,
                ),
                Role::Cycle,
            ),
            (&padded(&graph.nodes[next].label, label_width), role(graph, next)),
            (&fit(&format!("  {}", edge.detail), detail_width, glyphs == ASCII), Role::Dim),
        ]);
    }
    canvas
}

fn role(graph: &Graph, node: usize) -> Role {
    match graph.nodes[node].key {
        NodeKey::Thread(_) => Role::Thread,
        NodeKey::Lock(_) => Role::Lock,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{canvas::UNICODE, fixture};

    fn ring(n: u32, width: usize, glyphs: Glyphs) -> String {
        let graph = fixture::ring(n);
        draw(&graph, &graph.cycles[0], Options { width, glyphs }).to_string()
    }

    #[test]
    fn two_threads_make_a_square() {
        insta::assert_snapshot!(ring(2, 80, UNICODE));
    }

    #[test]
    fn ascii_draws_the_same() {
        insta::assert_snapshot!(ring(2, 80, ASCII));
    }

    #[test]
    fn a_thread_that_waits_for_itself_is_a_pair() {
        insta::assert_snapshot!(ring(1, 80, UNICODE));
    }

    #[test]
    fn three_threads_make_two_rows() {
        insta::assert_snapshot!(ring(3, 80, UNICODE));
    }

    #[test]
    fn an_odd_ring_goes_around_the_free_place() {
        // The second thread waits for the end of the first.
        let mut graph = Graph::default();
        for from in 0..3 {
            let node = fixture::ring(2).nodes.swap_remove(from);
            graph.add_node(node.key, || node.clone());
        }
        fixture::edge(&mut graph, 0, 1, EdgeKind::Wants, "bank.rs:40");
        fixture::edge(&mut graph, 1, 2, EdgeKind::HeldBy, "bank.rs:41");
        fixture::edge(&mut graph, 2, 0, EdgeKind::Wants, "bank.rs:42");
        graph.add_cycle(vec![0, 1, 2]);
        insta::assert_snapshot!(draw(&graph, &graph.cycles[0], Options { width: 80, glyphs: UNICODE }).to_string());
    }

    #[test]
    fn many_threads_make_a_list() {
        insta::assert_snapshot!(ring(6, 60, UNICODE));
    }

    #[test]
    fn nothing_is_wider_than_allowed() {
        for n in 1..12 {
            for width in 20..130 {
                let drawn = ring(n, width, UNICODE);
                let widest = drawn.lines().map(UnicodeWidthStr::width).max().unwrap_or(0);
                assert!(widest <= width, "{n} threads in {width} columns take {widest}:\n{drawn}");
            }
        }
    }

    #[test]
    fn nothing_panics_without_room() {
        for n in 1..6 {
            for width in 0..20 {
                ring(n, width, ASCII);
            }
        }
    }
}
