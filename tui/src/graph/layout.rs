//! Places a graph on a canvas: every cycle as a ring of boxes, everything else as trees or levels below.

use crate::graph::{
    Graph, NodeKey,
    canvas::{Canvas, Glyphs, Role},
    forest, levels, ring,
};

/// Room and characters for a drawing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Columns that may be used.
    pub width: usize,
    /// Characters for lines.
    pub glyphs: Glyphs,
}

/// Cycles beyond these are counted and not drawn: nobody reads a hundred rings.
const MAX_RINGS: usize = 8;

/// The wait-for graph: cycles as rings, then who waits behind whom as trees.
pub fn wait_for(graph: &Graph, options: Options) -> Canvas {
    let mut canvas = rings(graph, options);
    let trees = forest::draw(graph, options);
    if trees.height() > 0 {
        if canvas.height() > 0 {
            canvas.line(&[]);
            canvas.line(&[("waiting behind", Role::Title)]);
        }
        canvas.append(trees);
    }
    canvas
}

/// The lock-order graph: cycles as rings, then all locks by level, those taken first at the top.
pub fn order(graph: &Graph, options: Options) -> Canvas {
    let mut canvas = rings(graph, options);
    if canvas.height() > 0 {
        canvas.line(&[]);
    }
    canvas.append(levels::draw(graph, options));
    canvas
}

fn rings(graph: &Graph, options: Options) -> Canvas {
    let mut canvas = Canvas::default();
    for cycle in graph.cycles.iter().take(MAX_RINGS) {
        if canvas.height() > 0 {
            canvas.line(&[]);
        }
        let threads = cycle.iter().filter(|&&node| matches!(graph.nodes[node].key, NodeKey::Thread(_))).count();
        let title = match threads {
            0 => format!("cycle of {} locks", cycle.len()),
            1 => "1 thread waits for itself".to_owned(),
            n => format!("cycle of {n} threads"),
        };
        canvas.line(&[(&format!("{} {title}", options.glyphs.mark), Role::Cycle)]);
        canvas.append(ring::draw(graph, cycle, options));
    }
    if graph.cycles.len() > MAX_RINGS {
        canvas.line(&[(&format!("+{} more cycles", graph.cycles.len() - MAX_RINGS), Role::Dim)]);
    }
    canvas
}
