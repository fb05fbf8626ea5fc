//! `lockscope export`: a trace in the format of another tool.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal, Write},
    ops::ControlFlow,
    path::PathBuf,
};

use clap::{Args, ValueEnum, ValueHint};

use crate::{
    cli::{Failure, Global, exit, load, style},
    export::{Exporter, chrome::Chrome, folded::Folded, jsonl::Jsonl, perfetto::Perfetto, rapid::Rapid, spans::Spans},
};

/// Arguments of `export`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockscope export trace.lks --to perfetto -o trace.pftrace   # ui.perfetto.dev reads it\n  lockscope export trace.lks --to folded | inferno-flamegraph > waits.svg\n  lockscope export trace.lks --to std | rapid ..."
)]
pub struct ExportArgs {
    /// Trace to read; `-` is the standard input
    #[arg(value_hint = ValueHint::FilePath)]
    trace: PathBuf,
    /// Which format
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: To,
    /// Where to write; the default is the standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// With `std`: write requests and read locks as well, which lockscope reads and RAPID does not
    #[arg(long)]
    extended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum To {
    /// Perfetto's own format: waits and holds of each thread, a track for each lock, arrows from release to acquisition
    Perfetto,
    /// The same as JSON, for chrome://tracing and other viewers
    Chrome,
    /// RAPID STD text, for other tools of the field
    Std,
    /// Every event as a line of JSON; `tui/schema/events-1.json` in the source describes it
    Jsonl,
    /// Time waited as folded stacks, for flame graphs
    Folded,
    /// Every event as a row of a Parquet file
    #[cfg(feature = "parquet")]
    Parquet,
}

/// Runs the verb.
pub fn run(args: &ExportArgs, global: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    if args.extended && args.to != To::Std {
        return Err(Failure::usage("--extended is for --to std", ""));
    }
    if args.to == To::Perfetto && args.output.is_none() && io::stdout().is_terminal() {
        return Err(Failure::usage("this format is no text for a terminal", "name a file with -o"));
    }
    #[cfg(feature = "parquet")]
    if args.to == To::Parquet && args.output.is_none() {
        return Err(Failure::usage("this format needs a file", "name one with -o"));
    }
    let mut source = load::open(&args.trace, global)?;
    let mut file = match &args.output {
        // Its writer makes the file itself.
        #[cfg(feature = "parquet")]
        Some(_) if args.to == To::Parquet => None,
        Some(path) => Some(BufWriter::new(File::create(path).map_err(|error| Failure::write(path, &error))?)),
        None => None,
    };
    let out: &mut dyn Write = match &mut file {
        Some(file) => file,
        None => out,
    };
    let info = source.info().clone();
    let mut exporter: Box<dyn Exporter + '_> = match args.to {
        #[cfg(feature = "parquet")]
        To::Parquet => {
            let path = args.output.as_deref().expect("it was asked for above");
            let file = File::create(path).map_err(|error| Failure::write(path, &error))?;
            Box::new(crate::export::parquet::Parquet::new(file, info.has_times)?)
        }
        To::Perfetto => Box::new(Spans::new(Perfetto::new(&mut *out, &info)?, info.has_times)),
        To::Chrome => Box::new(Spans::new(Chrome::new(&mut *out, &info)?, info.has_times)),
        To::Std => Box::new(Rapid::new(&mut *out, args.extended)),
        To::Jsonl => Box::new(Jsonl::new(&mut *out, info.has_times)),
        To::Folded => Box::new(Folded::new(&mut *out, &info)),
    };
    let mut written: io::Result<()> = Ok(());
    load::for_each(&mut *source, global, |position, event, defs| {
        written = exporter.event(position, event, defs);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let finished = written.and_then(|()| exporter.finish(source.definitions()));
    drop(exporter);
    let finished = finished.and_then(|remarks| out.flush().map(|()| remarks));
    let remarks = finished.map_err(|error| match &args.output {
        Some(path) => Failure::write(path, &error),
        None => Failure::from(error),
    })?;
    let look = global.stderr();
    for remark in remarks.iter().filter(|_| !global.quiet) {
        writeln!(io::stderr(), "{} {remark}", look.paint(style::NOTE, "note:"))?;
    }
    Ok(exit::OK)
}
