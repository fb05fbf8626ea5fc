//! Graphs as SVG, without a program that lays them out.
//!
//! Cycles are rings, each beside the other; what waits behind them hangs below in rows by distance. A lock order is rows by level. The
//! same graph gives the same picture. Colours follow the reader's theme, and no meaning rests on them: edges of a cycle are thick, and
//! threads are round.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use crate::graph::{EdgeKind, Graph, NodeKey};

/// Nodes beyond these are not drawn: nobody could read the picture.
const MAX_NODES: usize = 200;
/// Columns of a label beyond these are cut.
const MAX_LABEL: usize = 36;
const CHAR: f64 = 7.8;
const HEIGHT: f64 = 44.0;
const GAP_X: f64 = 150.0;
const GAP_Y: f64 = 96.0;
const MARGIN: f64 = 24.0;

/// Style sheet of the pictures; a page with several of them needs it once.
pub const STYLE: &str = "\
.graph{font:13px ui-monospace,monospace;color:#1f2328;background:transparent}\
.graph .node rect{fill:#fff;stroke:#57606a}\
.graph .cycle>rect{stroke:#cf222e;stroke-width:2.5}\
.graph text{fill:currentColor}.graph .detail{fill:#57606a;font-size:11px}\
.graph .edge path{fill:none;stroke:#57606a}.graph .head{fill:#57606a}.graph .head.cycle{fill:#cf222e}\
.graph .edge.held path{stroke-width:2}.graph .edge.may path{stroke-dasharray:5 4}\
.graph .edge.cycle path{stroke:#cf222e;stroke-width:2.5}\
.graph .label{font-size:11px;text-anchor:middle;paint-order:stroke;stroke:#fff;stroke-width:4px}\
@media(prefers-color-scheme:dark){.graph{color:#e6edf3}.graph .node rect{fill:#161b22;stroke:#8b949e}\
.graph .cycle>rect,.graph .edge.cycle path{stroke:#ff7b72}.graph .edge path{stroke:#8b949e}.graph .head{fill:#8b949e}.graph .head.cycle{fill:#ff7b72}.graph .detail{fill:#8b949e}\
.graph .label{stroke:#0d1117}}";

#[derive(Clone, Copy, Default)]
struct Place {
    x: f64,
    y: f64,
    width: f64,
}

/// The picture. `id` tells the arrow heads of several pictures of one page apart; with `style` it stands alone.
pub fn write(graph: &Graph, id: &str, style: bool) -> String {
    let n_drawn = graph.nodes.len().min(MAX_NODES);
    let places = layout(graph, n_drawn);
    let right = places.iter().map(|place| place.x + place.width / 2.0).fold(0.0, f64::max) + MARGIN;
    let bottom = places.iter().map(|place| place.y + HEIGHT / 2.0).fold(0.0, f64::max) + MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"graph\" viewBox=\"0 0 {right:.0} {bottom:.0}\" \
         width=\"{right:.0}\" height=\"{bottom:.0}\" role=\"img\">\n"
    );
    if style {
        let _ = writeln!(out, "<style>{STYLE}</style>");
    }
    let _ = writeln!(
        out,
        "<defs><marker id=\"{id}-head\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto-start-reverse\"><path class=\"head\" d=\"M0 0L10 5L0 10z\"/></marker>\
         <marker id=\"{id}-cycle\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"5\" markerHeight=\"5\" \
         orient=\"auto-start-reverse\"><path class=\"head cycle\" d=\"M0 0L10 5L0 10z\"/></marker></defs>"
    );
    for edge in graph.edges.iter().filter(|edge| edge.from < n_drawn && edge.to < n_drawn) {
        let class = match (edge.in_cycle, edge.kind) {
            (true, _) => " cycle",
            (false, EdgeKind::HeldBy) => " held",
            (false, EdgeKind::MayHelp) => " may",
            (false, _) => "",
        };
        let head = if edge.in_cycle { "cycle" } else { "head" };
        let has_way_back = graph.edge(edge.to, edge.from).is_some();
        let (path, label_x, label_y) = path(places[edge.from], places[edge.to], has_way_back, edge.from == edge.to);
        let word = if edge.kind == EdgeKind::Order { "" } else { edge.kind.word() };
        let label =
            [word, edge.detail.as_str()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ");
        let _ = writeln!(
            out,
            "<g class=\"edge{class}\"><path d=\"{path}\" marker-end=\"url(#{id}-{head})\"/>\
             <text class=\"label\" x=\"{label_x:.0}\" y=\"{label_y:.0}\">{}</text></g>",
            escape(&label)
        );
    }
    for (idx, (node, place)) in graph.nodes.iter().zip(&places).enumerate() {
        let class = if graph.in_cycle(idx) { " cycle" } else { "" };
        let (left, top) = (place.x - place.width / 2.0, place.y - HEIGHT / 2.0);
        let round = if matches!(node.key, NodeKey::Thread(_)) { 20 } else { 3 };
        let _ = writeln!(
            out,
            "<g class=\"node{class}\"><title>{0}</title><rect x=\"{left:.0}\" y=\"{top:.0}\" width=\"{1:.0}\" height=\"{HEIGHT}\" \
             rx=\"{round}\"/><text x=\"{2:.0}\" y=\"{3:.0}\">{4}</text><text class=\"detail\" x=\"{2:.0}\" y=\"{5:.0}\">{6}</text></g>",
            escape(&node.label),
            place.width,
            left + 12.0,
            place.y - 3.0,
            escape(&cut(&node.label)),
            place.y + 14.0,
            escape(&cut(&node.detail)),
        );
    }
    if graph.nodes.len() > n_drawn {
        let _ = writeln!(out, "<text x=\"{MARGIN}\" y=\"14\">+{} more, not drawn</text>", graph.nodes.len() - n_drawn);
    }
    out.push_str("</svg>\n");
    out
}

/// Middle and width of each box.
fn layout(graph: &Graph, n: usize) -> Vec<Place> {
    let width = |idx: usize| {
        let node = &graph.nodes[idx];
        let columns = cut(&node.label).width().max(cut(&node.detail).width()) as f64;
        (columns * CHAR + 24.0).max(80.0)
    };
    let mut places: Vec<Option<Place>> = vec![None; n];
    let is_order = graph.edges.iter().any(|edge| edge.kind == EdgeKind::Order);
    let mut bottom = MARGIN;
    if !is_order {
        bottom = rings(graph, n, &width, &mut places);
    }
    // Rows: of a lock order by level, else by how far a node is from what is placed.
    let mut rows: Vec<Vec<usize>> = Vec::new();
    if is_order {
        for idx in 0..n {
            let level = (graph.nodes[idx].level as usize).min(n);
            rows.resize(rows.len().max(level + 1), Vec::new());
            rows[level].push(idx);
        }
    } else {
        let mut is_placed: Vec<bool> = places.iter().map(Option::is_some).collect();
        while is_placed.contains(&false) {
            let reaches = |idx: usize| {
                graph.edges.iter().any(|edge| edge.from == idx && edge.to < n && edge.to != idx && is_placed[edge.to])
            };
            let mut row: Vec<usize> = (0..n).filter(|&idx| !is_placed[idx] && reaches(idx)).collect();
            if row.is_empty() {
                // What leads to nothing that is placed: first those that lead nowhere, else whatever is left.
                let leads =
                    |idx: usize| graph.edges.iter().any(|edge| edge.from == idx && edge.to < n && edge.to != idx);
                row = (0..n).filter(|&idx| !is_placed[idx] && !leads(idx)).collect();
                if row.is_empty() {
                    row.extend((0..n).find(|&idx| !is_placed[idx]));
                }
            }
            row.iter().for_each(|&idx| is_placed[idx] = true);
            rows.push(row);
        }
    }
    for row in rows.iter().filter(|row| !row.is_empty()) {
        // Long rows are broken.
        for part in row.chunks(6) {
            let mut x = MARGIN;
            for &idx in part {
                let width = width(idx);
                places[idx] = Some(Place { x: x + width / 2.0, y: bottom + HEIGHT / 2.0, width });
                x += width + GAP_X;
            }
            bottom += GAP_Y;
        }
    }
    places.into_iter().map(Option::unwrap_or_default).collect()
}

/// Places the cycles, one beside the other; returns where the next row begins.
fn rings(graph: &Graph, n: usize, width: &dyn Fn(usize) -> f64, places: &mut [Option<Place>]) -> f64 {
    let mut left = MARGIN;
    let mut bottom = MARGIN;
    for cycle in &graph.cycles {
        let members: Vec<usize> = cycle.iter().copied().filter(|&idx| idx < n && places[idx].is_none()).collect();
        if members.is_empty() {
            continue;
        }
        let widest = members.iter().map(|&idx| width(idx)).fold(0.0, f64::max);
        let count = members.len() as f64;
        let radius_y = (count * 24.0).max(if members.len() > 2 { 84.0 } else { 60.0 });
        // Between neighbours there is room for the label of the edge.
        let radius_x = ((widest + GAP_X) / (2.0 * (std::f64::consts::PI / count.max(2.0)).sin())).min(900.0);
        let (middle_x, middle_y) = (left + radius_x + widest / 2.0, MARGIN + radius_y + HEIGHT / 2.0);
        for (nth, &idx) in members.iter().enumerate() {
            // From the upper left corner, so that four nodes make a square rather than stand on a tip.
            let angle = std::f64::consts::TAU * (nth as f64 / count) - std::f64::consts::FRAC_PI_4 * 3.0;
            let (x, y) = (middle_x + radius_x * angle.cos(), middle_y + radius_y * angle.sin());
            places[idx] = Some(Place { x, y, width: width(idx) });
        }
        left = middle_x + radius_x + widest / 2.0 + GAP_X;
        bottom = f64::max(bottom, middle_y + radius_y + HEIGHT / 2.0 + GAP_Y / 2.0);
    }
    bottom
}

/// A curve from border to border, and where its label stands.
fn path(from: Place, to: Place, has_way_back: bool, is_loop: bool) -> (String, f64, f64) {
    if is_loop {
        let (x, y) = (from.x + from.width / 2.0, from.y);
        let path = format!(
            "M{x:.0} {:.0}C{1:.0} {2:.0} {1:.0} {3:.0} {x:.0} {4:.0}",
            y - 8.0,
            x + 50.0,
            y - 30.0,
            y + 30.0,
            y + 8.0
        );
        return (path, x + 40.0, y - 24.0);
    }
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx.hypot(dy).max(1.0);
    // To one side of the straight line, so that an edge and its way back are two lines.
    let bend = if has_way_back { 28.0 } else { 10.0 };
    let (middle_x, middle_y) =
        (f64::midpoint(from.x, to.x) - dy / length * bend, f64::midpoint(from.y, to.y) + dx / length * bend);
    let (start_x, start_y) = border(from, middle_x, middle_y);
    let (end_x, end_y) = border(to, middle_x, middle_y);
    (format!("M{start_x:.1} {start_y:.1}Q{middle_x:.1} {middle_y:.1} {end_x:.1} {end_y:.1}"), middle_x, middle_y)
}

/// Where the line from the middle of a box to a point leaves the box.
fn border(place: Place, x: f64, y: f64) -> (f64, f64) {
    let (dx, dy) = (x - place.x, y - place.y);
    let scale_x = if dx == 0.0 { f64::INFINITY } else { place.width / 2.0 / dx.abs() };
    let scale_y = if dy == 0.0 { f64::INFINITY } else { HEIGHT / 2.0 / dy.abs() };
    let scale = scale_x.min(scale_y).min(1.0);
    (place.x + dx * scale, place.y + dy * scale)
}

fn cut(text: &str) -> String {
    crate::cli::table::fit(text, MAX_LABEL, false)
}

/// Text for XML and HTML.
pub fn escape(text: &str) -> String {
    crate::cli::report::junit::escape(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::fixture;

    #[test]
    fn pictures_are_well_formed_and_the_same_each_time() {
        for graph in [fixture::ring(1), fixture::ring(2), fixture::ring(7), fixture::crowded(), Graph::default()] {
            let svg = write(&graph, "g", true);
            assert_eq!(svg, write(&graph, "g", true));
            let document = roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
            let count = |class: &str| {
                document
                    .descendants()
                    .filter(|node| node.attribute("class").is_some_and(|c| c.starts_with(class)))
                    .count()
            };
            assert_eq!((count("node"), count("edge")), (graph.nodes.len(), graph.edges.len()));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn boxes_do_not_cover_each_other() {
        for graph in [fixture::ring(2), fixture::ring(3), fixture::ring(6), fixture::crowded()] {
            let places = layout(&graph, graph.nodes.len());
            for (idx, a) in places.iter().enumerate() {
                for b in &places[..idx] {
                    let apart = (a.x - b.x).abs() >= f64::midpoint(a.width, b.width) || (a.y - b.y).abs() >= HEIGHT;
                    assert!(apart, "{} nodes: {} {} and {} {}", places.len(), a.x, a.y, b.x, b.y);
                }
            }
        }
    }
}
