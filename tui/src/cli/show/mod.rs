//! `lockscope show`: tables of what a trace says, at any point of it.

pub mod contention;
pub mod events;
mod json;
pub mod locks;
pub mod order;
mod stats;
pub mod threads;

use std::{io::Write, path::PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use lockscope_analyzer::state::State;
use lockscope_trace::{Definitions, EventSource, SiteId};

use crate::{
    cli::{Failure, Global, exit, load, style::Look, time::Point},
    filter::{self, Filter},
    source::short_site,
};

/// Arguments of `show`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockscope show trace.lks threads\n  lockscope show trace.lks locks --at 12.4s\n  lockscope show trace.lks contention\n  lockscope show trace.lks events --filter 'teller-1 -released'\n  lockscope show trace.lks locks --filter 'contended > 10% or wait > 5ms'"
)]
pub struct ShowArgs {
    /// Trace to read; `-` is the standard input
    #[arg(value_hint = ValueHint::FilePath)]
    trace: PathBuf,
    /// What to show
    #[arg(value_enum, default_value_t)]
    what: What,
    /// Show the state at this point: a time (12.4s, 350ms), an event (#1234), or `end`
    #[arg(long, value_name = "POINT", default_value = "end")]
    at: Point,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Show only rows that fit: words, -word, key:value, key > number; `show --help` tells more
    ///
    /// Words next to each other must all be there; `or`, `-` and brackets are understood, "..." is a text as it is and ~/.../ a regular
    /// expression. key:value looks into one column, as state:blocked, wants:L7, site:bank.rs, code:lock-*; numbers are compared, as
    /// wait > 5ms, contended > 10%, count = 3; after:12.4s and before:#1234 are places of the trace.
    #[arg(long, value_name = "FILTER", default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    filter: Filter,
}

/// What can be shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum What {
    /// Every thread: what it does, holds and wants
    #[default]
    Threads,
    /// Every lock: who holds it, who waits, how often and how long
    Locks,
    /// Which locks were taken while which were held
    Order,
    /// Which locks, and which places, were waited for longest
    Contention,
    /// Every event up to the point
    Events,
    /// The trace as a whole
    Stats,
}

impl What {
    /// Keys that its filter may have.
    fn keys(self) -> &'static [&'static str] {
        match self {
            What::Threads => threads::KEYS,
            What::Locks => locks::KEYS,
            What::Order => order::KEYS,
            What::Contention => contention::KEYS,
            What::Events => events::KEYS,
            What::Stats => &[],
        }
    }
}

/// Form of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum Format {
    /// Tables
    #[default]
    Human,
    /// For programs: threads, locks, order and contention; `tui/schema/show-1.json` in the source describes it
    Json,
}

/// Runs the verb.
pub fn run(args: &ShowArgs, global: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    if args.format == Format::Json && matches!(args.what, What::Events | What::Stats) {
        let help =
            "threads, locks, order and contention can be written as JSON, and so can findings, by `lockscope check`";
        return Err(Failure::usage("events and statistics have no JSON form", help));
    }
    // A key that the list does not have would keep nothing, or everything, and look like an answer.
    filter::parse_for(&args.filter.to_string(), args.what.keys())
        .map_err(|error| Failure::usage(format!("--filter: {error}"), ""))?;
    let look = global.stdout();
    if args.what == What::Contention {
        let costs = contention::costs(&args.trace, args.at, global)?;
        match args.format {
            Format::Human => contention::write(&costs, &args.filter, &look, out)?,
            Format::Json => json::contention(&costs, &args.filter, out)?,
        }
        return Ok(exit::OK);
    }
    let mut source = load::open(&args.trace, global)?;
    if args.what == What::Events {
        let filter = with_findings(args, global)?;
        events::write(&mut *source, args.at, &filter, global, out)?;
        return Ok(exit::OK);
    }
    if args.what == What::Threads {
        let state = load::state_at(&mut *source, args.at, global)?;
        match args.format {
            Format::Human => threads::write(&*source, &state, &args.filter, &look, out)?,
            Format::Json => json::threads(&*source, &state, &args.filter, out)?,
        }
        return Ok(exit::OK);
    }
    let analysis = load::analysis_at(&mut *source, args.at, global)?;
    match (args.what, args.format) {
        (What::Locks, Format::Human) => locks::write(&*source, &analysis, &args.filter, &look, out)?,
        (What::Locks, Format::Json) => json::locks(&*source, &analysis, &args.filter, out)?,
        (What::Order, Format::Human) => order::write(&*source, &analysis, &args.filter, &look, out)?,
        (What::Order, Format::Json) => json::order(&*source, &analysis, &args.filter, out)?,
        (What::Stats | What::Threads | What::Contention | What::Events, _) => {
            stats::write(&*source, &analysis, &look, out)?
        }
    }
    Ok(exit::OK)
}

/// The filter with the findings that it names replaced by their first events. That takes a reading of its own.
fn with_findings(args: &ShowArgs, global: &Global) -> Result<Filter, Failure> {
    let mut filter = args.filter.clone();
    if filter.resolve(&|_| None).is_ok() {
        return Ok(filter);
    }
    if args.trace.as_os_str() == "-" {
        let help = "save the trace to a file, since it has to be read twice";
        return Err(Failure::usage("--filter: findings of the standard input cannot be named", help));
    }
    let findings = load::check(&args.trace, lockscope_analyzer::Options::default(), global)?.findings;
    let event_of = |number: u64| {
        let finding = findings.get(usize::try_from(number.checked_sub(1)?).ok()?)?;
        finding.events.first().copied()
    };
    filter.resolve(&event_of).map_err(|number| {
        let help = format!("lockscope check {} numbers them from F1", args.trace.display());
        Failure::usage(format!("--filter: there is no finding F{number} in this trace"), help)
    })?;
    Ok(filter)
}

/// The line above a state: which trace, at which point.
fn heading(source: &dyn EventSource, state: &State, look: &Look, out: &mut dyn Write) -> Result<(), Failure> {
    let info = source.info();
    let time = if info.has_times { format!(", {}", state.time) } else { String::new() };
    let text = format!("{} after event #{}{time}", info.path.display(), state.position);
    writeln!(out, "{}\n", look.paint(super::style::DIM, &Definitions::clean(&text)))?;
    Ok(())
}

/// A site for a table; `-` where none is known.
fn site(defs: &Definitions, site: Option<SiteId>) -> String {
    site.and_then(|site| defs.site(site)).map_or_else(|| "-".to_owned(), short_site)
}
