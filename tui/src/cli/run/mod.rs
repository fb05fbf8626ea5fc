//! `lockscope run`: runs a program with recording on, then checks every trace that appeared.
//!
//! One command can make many traces: `cargo test` runs a process for each test binary. The program's standard output
//! stays the program's own; what lockscope has to say goes to the standard error.

pub mod child;
pub mod environment;
pub mod traces;

use std::{
    ffi::OsString,
    io::{self, Write},
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use clap::{ArgMatches, Args, ValueEnum, ValueHint};
use lockscope_analyzer::Analysis;
use lockscope_trace::{Definitions, Event, EventSource, Nanos};

use crate::{
    cli::{
        Failure, Global, check,
        deps::{self, Session},
        engines::EngineArgs,
        exit, graph,
        lint::LintArgs,
        load::Checked,
        report::{Counts, human, plural},
        rules::{Rules, VerdictArgs},
        run::{environment::Recording, traces::Pattern},
        style::{self, Look},
        top,
    },
    config::Config,
    graph::{
        Graph, build,
        canvas::{ASCII, UNICODE},
        layout::{self, Options},
    },
    source::short_path,
};

/// Arguments of `run`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockscope run -- cargo test\n  lockscope run --deps -- cargo test\n  lockscope run -o bank.lks -- target/debug/bank\n  lockscope run --top -- target/debug/server",
    after_long_help = "Examples:\n  lockscope run -- cargo test\n  lockscope run --deps -- cargo test\n  lockscope run -o bank.lks -- target/debug/bank\n  lockscope run --top -- target/debug/server\n\nThe program is configured through the environment variable LOCKSCOPE, a comma-separated list of key=value; keys: record, size, clock, order, deadlock, rank, timeout, on-timeout, hierarchy, stacks, report. What is already set there is kept unless an option of this command says otherwise.\n\nExit codes: the program's own, unless there are findings at or above --fail-on, then 1; 128+n when signal n ended the program; 126 and 127 when it could not be started"
)]
pub struct RunArgs {
    /// Where to record; `%p` becomes the process id, `%e` the program's name
    ///
    /// The default is target/lockscope/%e-%p.lks where there is a directory `target`, else ./%e-%p.lks; with --deps it is in cargo's
    /// own target directory. A further
    /// process that would record to the same file adds its id to the name.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Record at most about this much per process, as in 256M, and reuse the oldest part
    #[arg(long, value_name = "SIZE")]
    size: Option<String>,
    /// How events are timed [default: exact]
    ///
    /// `coarse` reads the clock for one acquisition and release in 16, for what had to wait, and for what was held for two milliseconds
    /// and more; nothing is known of how long all others took. Recording costs a fraction then.
    #[arg(long, value_enum, value_name = "HOW")]
    clock: Option<ClockMode>,
    /// What the program does when it finds itself in a deadlock [default: exit, or report with --top]
    #[arg(long, value_enum, value_name = "ACTION")]
    on_deadlock: Option<OnDeadlock>,
    /// Which exit code to pass on
    #[arg(long, value_enum, default_value_t, value_name = "WHOSE")]
    exit_code: WhoseExitCode,
    /// Instrument the dependencies too: parking_lot 0.11 to 0.13, and everything that is built on lock_api 0.4 or 0.5
    ///
    /// For a cargo command. Packages that stand in for them are made in target/lockscope/patch, with the versions that
    /// Cargo.lock says, and cargo is told to use them; no file of the project is edited, and Cargo.lock is put back as it was.
    /// They are instrumented in release builds too.
    #[arg(long)]
    deps: bool,
    /// Watch the program in the dashboard while it runs; its output goes to a file beside the trace
    #[arg(long)]
    top: bool,
    #[command(flatten)]
    verdict: VerdictArgs,
    #[command(flatten)]
    lint: LintArgs,
    /// The program and its arguments
    #[arg(help_heading = "Arguments", required = true, trailing_var_arg = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

/// How events are timed, as `LOCKSCOPE=clock=` understands it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum ClockMode {
    /// Every event
    Exact,
    /// Some of them
    Coarse,
}

/// Reaction to a deadlock, as `LOCKSCOPE=deadlock=` understands it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum OnDeadlock {
    /// Report it and stay deadlocked
    Report,
    /// Report it and panic in the thread that closed the cycle
    Panic,
    /// Report it and abort the process
    Abort,
    /// Report it and exit with status 66
    Exit,
}

/// Whose exit code `run` passes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum WhoseExitCode {
    /// The program's, unless there are findings
    #[default]
    Both,
    /// The program's, whatever was found
    Child,
    /// 0 or 1 by findings, whatever the program did
    Findings,
}

/// Runs the verb.
pub fn run(args: &RunArgs, matches: &ArgMatches, global: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    // Before the program runs: a mistake in a file is told at once.
    let config = global.config()?;
    let rules = Rules::new(&args.verdict, matches, &config)?;
    if args.top {
        top::require_terminal()?;
    }
    // First, since it knows the target folder, where traces go.
    let session = args.deps.then(|| Session::begin(&args.command, &global.stderr(), &mut io::stderr())).transpose()?;
    let recording = Recording::new(args, session.as_ref().map(|session| session.target.as_path()))?;
    let command = session.as_ref().map_or(&args.command, |session| &session.command);
    let before = Pattern::new(&recording.path).existing();
    let status = if args.top { top::run_child(command, &recording, global)? } else { child::run(command, &recording)? };
    let ended = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let code = child::exit_code(status);
    let summary = session.map(|session| session.end(&global.stderr(), &mut io::stderr())).transpose()?;
    out.flush()?;

    let traces = Pattern::new(&recording.path).appeared_since(&before, recording.run);
    let mut err = io::stderr().lock();
    let look = Look { width: global.stdout().width, ..global.stderr() };
    let report = Report { args, global, config: &config, rules: &rules, look, err: &mut err };
    let killed = status.signal().is_some().then_some(ended);
    let code = report.write(&traces, &recording, code, killed)?;
    for remark in rules.finish()? {
        writeln!(err, "{} {remark}", look.paint(style::NOTE, "note:"))?;
    }
    if let Some(summary) = summary.filter(|_| !global.quiet) {
        writeln!(err)?;
        deps::write_summary(&summary, &look, &mut err)?;
    }
    Ok(code)
}

struct Report<'a> {
    args: &'a RunArgs,
    global: &'a Global,
    config: &'a Config,
    rules: &'a Rules,
    look: Look,
    err: &'a mut dyn Write,
}

impl Report<'_> {
    /// `killed`: when the program was, since the Unix epoch.
    fn write(
        mut self,
        traces: &[PathBuf],
        recording: &Recording,
        child: u8,
        killed: Option<Duration>,
    ) -> Result<u8, Failure> {
        if traces.is_empty() {
            self.nothing_recorded(recording)?;
            return Ok(child);
        }
        let mut results: Vec<(Checked, usize)> = Vec::new();
        let mut has_unreadable = false;
        for path in traces {
            let mut waits = Graph::default();
            let mut at_end = |analysis: &mut Analysis, source: &dyn EventSource| {
                let state = analysis.state();
                // Who waits does nothing that would be recorded, and waited until the end.
                let started = source.info().started;
                let end = killed.and_then(|killed| u64::try_from(killed.checked_sub(started)?.as_nanos()).ok());
                let now = source.info().has_times.then_some(state.time.max(Nanos(end.unwrap_or(0))));
                waits = build::wait_for(state, source.definitions(), now);
            };
            let (engines, ignore) = (EngineArgs::default(), &mut |_: u64, _: &[Event], _: &Definitions| {});
            match check::check_with(path, self.rules, &engines, self.global, ignore, &mut at_end) {
                Ok(result) => {
                    self.trace(&result, traces.len())?;
                    if killed.is_some() {
                        self.waits(&waits)?;
                    }
                    results.push(result);
                }
                Err(failure) => {
                    has_unreadable = true;
                    super::report_failure(&failure, &self.look);
                }
            }
        }
        self.footer(traces, &results)?;
        let verdict = check::verdict(&results, self.rules);
        let unreadable = if has_unreadable { exit::INPUT } else { exit::OK };
        Ok(match self.args.exit_code {
            WhoseExitCode::Child => child,
            WhoseExitCode::Findings => {
                [verdict, unreadable].into_iter().find(|&code| code != exit::OK).unwrap_or(exit::OK)
            }
            WhoseExitCode::Both => {
                [verdict, child, unreadable].into_iter().find(|&code| code != exit::OK).unwrap_or(exit::OK)
            }
        })
    }

    /// Findings of one trace. Of many traces, those without findings only count.
    fn trace(&mut self, (checked, n_allowed): &(Checked, usize), n_traces: usize) -> Result<(), Failure> {
        let is_silent = checked.findings.is_empty() && checked.completeness.is_complete();
        if is_silent && (n_traces > 1 || self.global.quiet) {
            return Ok(());
        }
        if n_traces > 1 {
            let executable = short_path(&checked.info.executable);
            let title = format!("{executable} (process {})", checked.info.pid);
            writeln!(self.err, "\n{}", self.look.paint(style::HEADER, &title))?;
        } else {
            writeln!(self.err)?;
        }
        let sources = self.global.sources(&checked.info, self.config);
        human::write(checked, *n_allowed, &sources, &self.look, self.err)?;
        Ok(())
    }

    /// Who waited for what when the program was killed: a test that hangs without a deadlock leaves at least this.
    fn waits(&mut self, waits: &Graph) -> Result<(), Failure> {
        if waits.edges.is_empty() {
            return Ok(());
        }
        writeln!(self.err, "\n{}", self.look.paint(style::HEADER, "when it was killed:"))?;
        let glyphs = if self.look.ascii { ASCII } else { UNICODE };
        let canvas = layout::wait_for(waits, Options { width: self.look.width.unwrap_or(100), glyphs });
        graph::print(&canvas, &self.look, self.err)
    }

    fn footer(&mut self, traces: &[PathBuf], results: &[(Checked, usize)]) -> Result<(), Failure> {
        if self.global.quiet {
            return Ok(());
        }
        let findings = || results.iter().flat_map(|(checked, _)| &checked.findings);
        if traces.len() > 1 {
            let n_with = results.iter().filter(|(checked, _)| !checked.findings.is_empty()).count();
            let counts = Counts::new(findings()).to_string();
            let total = format!("{} recorded, {n_with} with findings: {counts}", plural(traces.len() as u64, "trace"));
            writeln!(self.err, "\n{}", self.look.paint(style::HEADER, &total))?;
        }
        // The trace worth a look is the one with the worst finding.
        let worst =
            results.iter().rev().max_by_key(|(checked, _)| checked.findings.first().map(|finding| finding.severity));
        let worst = worst.map_or(&traces[0], |(checked, _)| &checked.info.path);
        let path = shell_word(&short_path(&worst.to_string_lossy()));
        let mut hints = vec![format!("look closer: lockscope top {path}")];
        if let Some(finding) = findings().next() {
            hints.push(format!("explain:     lockscope explain {}", finding.code.as_str()));
        }
        for hint in hints {
            writeln!(self.err, "{}", self.look.paint(style::DIM, &hint))?;
        }
        Ok(())
    }

    fn nothing_recorded(&mut self, recording: &Recording) -> Result<(), Failure> {
        let text = if recording.is_off {
            "note: nothing was recorded, as LOCKSCOPE=record=off asks"
        } else {
            "note: the program recorded nothing\n\
             A program records when it takes a lock that is lockscope's. Perhaps\n\
             - it was built without debug assertions (`--release`) and without the feature `force`,\n\
             - it uses no lock of lockscope or lockscope-parking_lot yet (see the README for the line of Cargo.toml), or\n\
             - it ended before it took one"
        };
        let (note, rest) = text.split_once(": ").expect("the text begins with `note: `");
        writeln!(self.err, "{} {rest}", self.look.paint(style::NOTE, &format!("{note}:")))?;
        Ok(())
    }
}

/// A word that a shell takes as it is.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_can_be_pasted() {
        for (text, expected) in
            [("target/a-1.lks", "target/a-1.lks"), ("my trace.lks", "'my trace.lks'"), ("a'b", r"'a'\''b'")]
        {
            assert_eq!(shell_word(text), expected);
        }
    }
}
