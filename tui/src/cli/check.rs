//! `lockscope check`: findings of recorded traces, and the exit code that CI relies on.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum, ValueHint};
use lockscope_analyzer::{
    Options,
    finding::{Code, Finding, Severity},
};

use crate::{
    cli::{
        Failure, Global,
        engines::EngineArgs,
        exit,
        lint::{Levels, LintArgs},
        load::{self, Checked},
        report::{Counts, human, json},
        style,
    },
    source::Sources,
};

/// Arguments of `check`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockscope check target/lockscope/*.lks\n  lockscope check --format json trace.lks | jq '.traces[].findings[].title'\n  lockscope check -D lock-order-inversion trace.lks",
    after_long_help = "Examples:\n  lockscope check target/lockscope/*.lks\n  lockscope check --format json trace.lks | jq '.traces[].findings[].title'\n  lockscope check -D lock-order-inversion trace.lks\n\nExit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage, 3 unreadable trace, 4 incomplete trace with --strict"
)]
pub struct CheckArgs {
    /// Traces to read; `-` is the standard input
    #[arg(required = true, value_name = "TRACE", value_hint = ValueHint::FilePath)]
    traces: Vec<PathBuf>,
    /// How to write findings
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    verdict: VerdictArgs,
    #[command(flatten)]
    lint: LintArgs,
    #[command(flatten)]
    engines: EngineArgs,
}

/// Options that decide between success and failure.
#[derive(Args, Debug, Clone, Copy)]
#[command(next_help_heading = "Findings")]
pub struct VerdictArgs {
    /// The least severity that makes the exit code 1
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub fail_on: FailOn,
    /// Make an incomplete trace a failure (exit code 4)
    #[arg(long)]
    pub strict: bool,
}

/// Form of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Format {
    /// For people, with source lines
    #[default]
    Human,
    /// For programs; `tui/schema/findings-1.json` in the source describes it
    Json,
}

/// Which findings count as failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum FailOn {
    /// Errors
    #[default]
    Error,
    /// Warnings and errors
    Warning,
    /// Everything
    Note,
    /// Nothing
    Never,
}

impl FailOn {
    /// Whether a finding is one too many.
    pub fn applies(self, finding: &Finding) -> bool {
        match self {
            FailOn::Error => finding.severity >= Severity::Error,
            FailOn::Warning => finding.severity >= Severity::Warning,
            FailOn::Note => true,
            FailOn::Never => false,
        }
    }
}

/// Runs the verb.
///
/// A trace that cannot be read does not hide what others say: it is reported, and decides the exit code.
pub fn run(args: &CheckArgs, levels: &Levels, global: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut results: Vec<(Checked, usize)> = Vec::new();
    let mut unreadable: Option<Failure> = None;
    for path in &args.traces {
        match check(path, levels, &args.engines, global) {
            Ok(result) => {
                if args.format == Format::Human {
                    let sources = Sources::new(&result.0.info, &global.source_map);
                    human::write(&result.0, result.1, &sources, &global.stdout(), out)?;
                }
                results.push(result);
            }
            Err(failure) => {
                if let Some(earlier) = unreadable.replace(failure) {
                    super::report_failure(&earlier, &global.stderr());
                }
            }
        }
    }
    match args.format {
        // A list of every occurrence is long.
        Format::Json if args.engines.all => json::write_compact(&results, out)?,
        Format::Json => json::write(&results, out)?,
        Format::Human => footer(&results, global, out)?,
    }
    match unreadable {
        Some(failure) => Err(failure),
        None => Ok(verdict(&results, args.verdict)),
    }
}

/// Reads one trace and applies lint levels. The second value is how many findings they turned off.
pub fn check(path: &Path, levels: &Levels, engines: &EngineArgs, global: &Global) -> Result<(Checked, usize), Failure> {
    let options = Options { no_timeout: levels.asks_for(Code::NoTimeout), ..Options::default() };
    let mut checked = load::check(path, engines.apply(options), global)?;
    let (mut findings, n_allowed) = levels.apply(std::mem::take(&mut checked.findings));
    if !engines.all {
        // Levels change severities, and the worst comes first.
        load::sort(&mut findings);
    }
    checked.findings = findings;
    Ok((checked, n_allowed))
}

/// The exit code that the findings of several traces ask for.
pub fn verdict(results: &[(Checked, usize)], args: VerdictArgs) -> u8 {
    let has_failed =
        results.iter().flat_map(|(checked, _)| &checked.findings).any(|finding| args.fail_on.applies(finding));
    let is_incomplete = results.iter().any(|(checked, _)| !checked.completeness.is_complete());
    match (has_failed, is_incomplete && args.strict) {
        (true, _) => exit::FINDINGS,
        (false, true) => exit::INCOMPLETE,
        (false, false) => exit::OK,
    }
}

/// A total for several traces, and where to read more.
fn footer(results: &[(Checked, usize)], global: &Global, out: &mut dyn Write) -> Result<(), Failure> {
    let look = global.stdout();
    let findings = || results.iter().flat_map(|(checked, _)| &checked.findings);
    if results.len() > 1 {
        writeln!(out, "{} traces: {}", results.len(), look.paint(style::HEADER, &Counts::new(findings()).to_string()))?;
    }
    if let Some(first) = findings().next()
        && !global.quiet
    {
        let code = first.code.as_str();
        writeln!(out, "{}", look.paint(style::DIM, &format!("for more about a finding: lockscope explain {code}")))?;
    }
    Ok(())
}
