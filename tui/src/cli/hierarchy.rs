//! `lockscope hierarchy`: the lock order that a program follows, as a file to check in, and whether code and file agree.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use clap::{Args, ValueHint};
use lockscope_analyzer::order_graph::Grouping;
use lockscope_trace::Definitions;

use crate::{
    cli::{Failure, Global, exit, load, report::plural, style, time::Point},
    hierarchy::{File as Hierarchy, Key, Order},
};

/// Arguments of `hierarchy`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockscope hierarchy target/lockscope/*.lks -o lockscope-hierarchy.toml\n  LOCKSCOPE=hierarchy=$PWD/lockscope-hierarchy.toml cargo test\n  lockscope hierarchy --check lockscope-hierarchy.toml target/lockscope/*.lks\n\nExit codes of --check: 0 the traces keep to the file, 1 they do not, 2 the file is no hierarchy, 3 unreadable trace"
)]
pub struct HierarchyArgs {
    /// Traces to read; `-` is the standard input
    #[arg(required = true, value_name = "TRACE", value_hint = ValueHint::FilePath)]
    traces: Vec<PathBuf>,
    /// Compare this file with what the traces do, instead of writing one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "output")]
    check: Option<PathBuf>,
    /// Where to write; the default is the standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

/// Runs the verb.
pub fn run(args: &HierarchyArgs, global: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    // First, since a file that cannot be read makes the rest useless.
    let file = args.check.as_deref().map(read).transpose()?;
    let mut order = Order::default();
    let mut names = Vec::new();
    for path in &args.traces {
        let mut source = load::open(path, global)?;
        let analysis = load::analysis_at(&mut *source, Point::End, global)?;
        let defs = source.definitions();
        order.add(&analysis.order_graph(defs, Grouping::Classes), defs);
        let executable = source.info().executable.rsplit('/').next().unwrap_or_default().to_owned();
        if !executable.is_empty() && !names.contains(&executable) {
            names.push(executable);
        }
    }
    match (args.check.as_deref(), file) {
        (Some(path), Some(file)) => compare(path, &file, &order, global, out),
        _ => {
            let text = order.toml(&names);
            match &args.output {
                Some(path) => File::create(path)
                    .and_then(|mut file| file.write_all(text.as_bytes()))
                    .map_err(|error| Failure::write(path, &error))?,
                None => out.write_all(text.as_bytes())?,
            }
            Ok(exit::OK)
        }
    }
}

fn read(path: &Path) -> Result<Hierarchy, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::input(format!("cannot read the hierarchy {}: {error}", path.display()), ""))?;
    Hierarchy::parse(&text).map_err(|(line, message)| {
        Failure::usage(format!("{}:{line}: {message}", path.display()), "lockscope hierarchy TRACE writes such files")
    })
}

/// Says where the traces do not keep to the file.
fn compare(path: &Path, file: &Hierarchy, order: &Order, global: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    let look = global.stdout();
    let error = look.paint(style::ERROR, "error:");
    let mut n_wrong = 0;
    let mut unranked: Vec<&Key> = Vec::new();
    for (held, taken, proof) in order.edges() {
        match (file.rank(held), file.rank(taken)) {
            (Some(low), Some(high)) if low < high => {}
            (Some(low), Some(high)) => {
                n_wrong += 1;
                let text = format!(
                    "{}: {taken} (rank {high}) is taken while {held} (rank {low}) is held, {}\n  held since {}",
                    proof.taken_at,
                    plural(proof.count, "time"),
                    proof.held_at
                );
                writeln!(out, "{error} {}", clean(&text))?;
            }
            (held_rank, taken_rank) => {
                let missing = [(held, held_rank), (taken, taken_rank)];
                let missing = missing.into_iter().filter(|(key, rank)| rank.is_none() && !file.lists(key));
                for (key, _) in missing {
                    if !unranked.contains(&key) {
                        unranked.push(key);
                        n_wrong += 1;
                        let text = format!("{}: {key} is nested with other locks and not in the file", proof.taken_at);
                        writeln!(out, "{error} {}", clean(&text))?;
                    }
                }
            }
        }
    }
    for key in file.keys().filter(|key| !order.has(key)).filter(|_| !global.quiet) {
        let text = format!("{key} of the file is not nested with other locks in these traces");
        writeln!(out, "{} {}", look.paint(style::NOTE, "note:"), clean(&text))?;
    }
    if n_wrong > 0 {
        let help = format!("lockscope hierarchy TRACE... -o {} writes what the program does now", path.display());
        writeln!(out, "{} {}", look.paint(style::NOTE, "help:"), clean(&help))?;
        return Ok(exit::FINDINGS);
    }
    if !global.quiet {
        let n_edges = order.edges().count() as u64;
        writeln!(out, "{} keeps to {}", plural(n_edges, "nesting"), clean(&path.display().to_string()))?;
    }
    Ok(exit::OK)
}

/// Text of several lines for a terminal.
fn clean(text: &str) -> String {
    text.lines().map(Definitions::clean).collect::<Vec<_>>().join("\n")
}
