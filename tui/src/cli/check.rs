//! `lockscope check`: findings of recorded traces, and the exit code that CI relies on.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::{ArgMatches, Args, ValueEnum, ValueHint};
use lockscope_analyzer::{Options, finding::Code};

use crate::{
    cli::{
        Failure, Global,
        engines::EngineArgs,
        exit,
        lint::LintArgs,
        load::{self, AtEnd, Checked, EachBatch},
        report::{Counts, html, human, json, junit, lines, markdown, sarif},
        rules::{FailOn, Rules, VerdictArgs},
        style,
    },
    config::Config,
};

/// Arguments of `check`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockscope check target/lockscope/*.lks\n  lockscope check --format json trace.lks | jq '.traces[].findings[].title'\n  lockscope check -D lock-order-inversion trace.lks\n  lockscope check --filter 'code:deadlock or site:bank.rs' trace.lks\n  lockscope check --format sarif target/lockscope/*.lks > lockscope.sarif\n  lockscope check --format html target/lockscope/*.lks > lockscope.html\n  lockscope check --baseline known.json --update-baseline target/lockscope/*.lks",
    after_long_help = "Examples:\n  lockscope check target/lockscope/*.lks\n  lockscope check --format json trace.lks | jq '.traces[].findings[].title'\n  lockscope check -D lock-order-inversion trace.lks\n  lockscope check --filter 'code:deadlock or site:bank.rs' trace.lks\n  lockscope check --format sarif target/lockscope/*.lks > lockscope.sarif\n  lockscope check --format html target/lockscope/*.lks > lockscope.html\n  lockscope check --baseline known.json --update-baseline target/lockscope/*.lks\n\nExit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage, 3 unreadable trace, 4 incomplete trace with --strict"
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

/// Form of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Format {
    /// For people, with source lines
    #[default]
    Human,
    /// One line for each finding, as compilers write them
    Short,
    /// For programs; `tui/schema/findings-1.json` in the source describes it
    Json,
    /// The same with a line for each trace and each finding
    Jsonl,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, for CI
    Junit,
    /// Annotations of GitHub Actions
    Github,
    /// For summaries of CI jobs and for issues
    Markdown,
    /// A page that needs nothing else: findings with sources, graphs, costs, a timeline
    Html,
}

impl Format {
    /// Whether each trace is written as soon as it was read; others make one document of all.
    fn is_streamed(self) -> bool {
        matches!(self, Format::Human | Format::Short | Format::Jsonl | Format::Github)
    }
}

/// Runs the verb.
///
/// A trace that cannot be read does not hide what others say: it is reported, and decides the exit code.
pub fn run(args: &CheckArgs, matches: &ArgMatches, global: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    let config = global.config()?;
    let rules = Rules::new(&args.verdict, matches, &config)?;
    let mut results: Vec<(Checked, usize)> = Vec::new();
    let mut collectors: Vec<html::Collector> = Vec::new();
    let mut unreadable: Option<Failure> = None;
    for path in &args.traces {
        let checked = match args.format {
            Format::Html => check_and_collect(path, &rules, &args.engines, global, &mut collectors),
            _ => check(path, &rules, &args.engines, global),
        };
        match checked {
            Ok(result) => {
                if args.format.is_streamed() {
                    one(args.format, &result, &config, global, out)?;
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
        Format::Html => {
            let traces = results.iter().zip(&collectors);
            let traces: Vec<_> = traces
                .map(|((checked, _), collector)| (checked, global.sources(&checked.info, &config), collector))
                .collect();
            html::write(&traces, out)?;
        }
        _ => all(args, &results, &rules, &config, global, out)?,
    }
    let remarks = rules.finish()?;
    for remark in remarks.iter().filter(|_| !global.quiet) {
        let look = global.stderr();
        writeln!(std::io::stderr(), "{} {remark}", look.paint(style::NOTE, "note:"))?;
    }
    match unreadable {
        Some(failure) => Err(failure),
        None => Ok(verdict(&results, &rules)),
    }
}

/// Writes one trace in a form that is streamed.
fn one(
    format: Format,
    (checked, n_allowed): &(Checked, usize),
    config: &Config,
    global: &Global,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    match format {
        Format::Human => {
            let sources = global.sources(&checked.info, config);
            human::write(checked, *n_allowed, &sources, &global.stdout(), out)?;
        }
        Format::Short => lines::short(checked, out)?,
        Format::Github => lines::github(checked, out)?,
        Format::Jsonl => json::write_lines(checked, *n_allowed, out)?,
        Format::Json | Format::Sarif | Format::Junit | Format::Markdown | Format::Html => {}
    }
    Ok(())
}

/// Writes all traces in a form that is one document, or what follows the last one.
fn all(
    args: &CheckArgs,
    results: &[(Checked, usize)],
    rules: &Rules,
    config: &Config,
    global: &Global,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let with_sources =
        || results.iter().map(|(checked, _)| (checked, global.sources(&checked.info, config))).collect::<Vec<_>>();
    match args.format {
        Format::Human => footer(results, global, out)?,
        Format::Short | Format::Github | Format::Jsonl | Format::Html => {}
        // A list of every occurrence is long.
        Format::Json if args.engines.all => json::write_compact(results, out)?,
        Format::Json => json::write(results, out)?,
        Format::Sarif => sarif::write(&results.iter().map(|(checked, _)| checked).collect::<Vec<_>>(), out)?,
        Format::Junit => junit::write(&with_sources(), rules.fail_on, out)?,
        Format::Markdown => markdown::write(&with_sources(), out)?,
    }
    Ok(())
}

/// Reads one trace and applies the rules. The second value is how many findings lint levels turned off.
pub fn check(path: &Path, rules: &Rules, engines: &EngineArgs, global: &Global) -> Result<(Checked, usize), Failure> {
    check_with(path, rules, engines, global, &mut |_, _, _| {}, &mut |_, _| {})
}

/// The same, for who wants more than findings; see [`load::check_with`].
pub fn check_with(
    path: &Path,
    rules: &Rules,
    engines: &EngineArgs,
    global: &Global,
    each: EachBatch<'_>,
    at_end: AtEnd<'_>,
) -> Result<(Checked, usize), Failure> {
    let options = Options { no_timeout: rules.levels.asks_for(Code::NoTimeout), ..Options::default() };
    let mut checked = load::check_with(path, engines.apply(options), global, each, at_end)?;
    let (mut findings, hidden, n_allowed) = rules.apply(&checked.defs, std::mem::take(&mut checked.findings));
    if !engines.all {
        // Levels change severities, and the worst comes first.
        load::sort(&mut findings);
    }
    checked.notes_fail = rules.fail_on == FailOn::Note;
    checked.n_filtered = rules.filter(&checked.defs, &mut findings);
    (checked.findings, checked.hidden) = (findings, hidden);
    Ok((checked, n_allowed))
}

/// The same, with what a page shows beside findings, which is added to `collectors` when the trace could be read.
fn check_and_collect(
    path: &Path,
    rules: &Rules,
    engines: &EngineArgs,
    global: &Global,
    collectors: &mut Vec<html::Collector>,
) -> Result<(Checked, usize), Failure> {
    let collector = std::cell::RefCell::new(html::Collector::default());
    let checked = check_with(
        path,
        rules,
        engines,
        global,
        &mut |first, events, defs| collector.borrow_mut().events(first, events, defs),
        &mut |analysis, source| collector.borrow_mut().end(analysis, source),
    )?;
    collectors.push(collector.into_inner());
    Ok(checked)
}

/// The exit code that the findings of several traces ask for.
pub fn verdict(results: &[(Checked, usize)], rules: &Rules) -> u8 {
    let has_failed =
        results.iter().flat_map(|(checked, _)| &checked.findings).any(|finding| rules.fail_on.applies(finding));
    let is_incomplete = results.iter().any(|(checked, _)| !checked.completeness.is_complete());
    match (has_failed, is_incomplete && rules.strict) {
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
