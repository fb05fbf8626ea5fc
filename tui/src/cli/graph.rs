//! `lockscope graph`: the wait-for graph at any point of a trace, and the order of locks.

use std::{io::Write, path::PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use lockscope_analyzer::order_graph::Grouping;

use crate::{
    cli::{Failure, Global, exit, load, style, style::Look, time::Point},
    graph::{
        Graph, build,
        canvas::{ASCII, Canvas, Role, UNICODE},
        dot,
        layout::{self, Options},
        mermaid, picture,
    },
};

/// Arguments of `graph`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockscope graph trace.lks wait --at 12.4s\n  lockscope graph trace.lks order --by class\n  lockscope graph trace.lks order --format svg > order.svg\n  lockscope graph trace.lks order --format dot | dot -Tpdf > order.pdf"
)]
pub struct GraphArgs {
    /// Trace to read; `-` is the standard input
    #[arg(value_hint = ValueHint::FilePath)]
    trace: PathBuf,
    /// Which graph
    #[arg(value_enum)]
    which: Which,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Show the wait-for graph at this point, or the order up to it: a time (12.4s, 350ms), an event (#1234), or `end`
    #[arg(long, value_name = "POINT", default_value = "end")]
    at: Point,
    /// What a node of the lock order stands for
    #[arg(long, value_enum, default_value_t)]
    by: By,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Which {
    /// Who waits for what, and who holds it
    Wait,
    /// Which locks were taken while which were held
    Order,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum Format {
    /// Drawn with characters
    #[default]
    Text,
    /// Graphviz
    Dot,
    /// For Markdown
    Mermaid,
    /// A picture, laid out here
    Svg,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum By {
    /// One lock
    #[default]
    Instance,
    /// All locks made at one place, with one type and one name
    Class,
}

/// Runs the verb.
pub fn run(args: &GraphArgs, global: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut source = load::open(&args.trace, global)?;
    let look = global.stdout();
    let graph = match args.which {
        Which::Wait => {
            let state = load::state_at(&mut *source, args.at, global)?;
            build::wait_for(&state, source.definitions(), source.info().has_times.then_some(state.time))
        }
        Which::Order => {
            let mut analysis = load::analysis_at(&mut *source, args.at, global)?;
            let grouping = if args.by == By::Class { Grouping::Classes } else { Grouping::Locks };
            let defs = source.definitions();
            // First: it takes in what was asked for and never got.
            let findings = analysis.findings(defs);
            build::order(&analysis.order_graph(defs, grouping), &findings, defs)
        }
    };
    match args.format {
        Format::Dot => write!(out, "{}", dot::write(&graph, if args.which == Which::Wait { "wait" } else { "order" }))?,
        Format::Mermaid => write!(out, "{}", mermaid::write(&graph))?,
        Format::Svg => write!(out, "{}", picture::write(&graph, "graph", true))?,
        Format::Text => text(args.which, &graph, source.info().has_waits, &look, out)?,
    }
    Ok(exit::OK)
}

fn text(which: Which, graph: &Graph, has_waits: bool, look: &Look, out: &mut dyn Write) -> Result<(), Failure> {
    let options = Options { width: look.width.unwrap_or(100), glyphs: if look.ascii { ASCII } else { UNICODE } };
    let (canvas, empty) = match which {
        Which::Wait if has_waits => (layout::wait_for(graph, options), "nobody waits at this point"),
        Which::Wait => (layout::wait_for(graph, options), "this trace records no waits, so nobody can be seen waiting"),
        Which::Order => (layout::order(graph, options), "no lock was taken while another one was held"),
    };
    if canvas.height() == 0 {
        writeln!(out, "{empty}")?;
    }
    print(&canvas, look, out)
}

/// Writes what was drawn.
pub fn print(canvas: &Canvas, look: &Look, out: &mut dyn Write) -> Result<(), Failure> {
    for runs in canvas.runs() {
        let line: String = runs.iter().map(|(text, role)| look.paint(style_of(*role), text)).collect();
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn style_of(role: Role) -> anstyle::Style {
    match role {
        Role::Plain => anstyle::Style::new(),
        Role::Thread => style::NOTE,
        Role::Lock => style::LOCK,
        Role::Cycle => style::ERROR,
        Role::Dim => style::DIM,
        Role::Title => style::HEADER,
    }
}
