//! The command line: one file per verb, and what verbs have in common.
//!
//! Conventions: data goes to the standard output, everything else to the standard error; a reader that closes the pipe
//! has had enough, which is success; exit codes are those of [`exit`]; errors say what failed on which file and what to
//! try. Doc comments of arguments are their help.

mod baseline;
mod cargo;
mod check;
#[cfg(test)]
mod commands;
mod completions;
mod config;
mod deps;
mod diff;
mod doctor;
mod engines;
pub mod exit;
pub mod explain;
mod export;
mod failure;
mod graph;
mod hierarchy;
mod lint;
pub mod load;
mod man;
mod progress;
pub mod report;
pub mod rules;
pub mod run;
pub mod show;
pub mod style;
mod suppress;
pub mod table;
pub mod time;
mod top;

use std::{
    ffi::OsString,
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};
use lockscope_analyzer::input::Options as InputOptions;
use lockscope_trace::TraceInfo;

pub use crate::cli::failure::Failure;
use crate::{
    cli::style::{ColorChoice, Look},
    config::{Config, VARIABLE},
    source::Sources,
};

/// Finds deadlocks in Rust programs: before they happen, while they happen, and from a recording
///
/// Programs record when their locks are lockscope's; see the README for the one line of Cargo.toml. A trace is a `.lks`
/// file that such a program wrote, or a RAPID STD text trace, plain or gzipped; the kind is recognised by content.
#[derive(Parser, Debug)]
#[command(
    name = "lockscope",
    version,
    max_term_width = 100,
    after_help = "Start with:  lockscope run -- cargo test",
    after_long_help = exit::HELP,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// Options that every verb understands.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "General options")]
pub struct Global {
    /// When to use colours: auto, always or never
    ///
    /// `auto` asks, in this order: CLICOLOR_FORCE and FORCE_COLOR (not empty, not 0) for yes, NO_COLOR (not empty) and
    /// TERM=dumb for no, and else whether the output is a terminal.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t, hide_possible_values = true)]
    pub color: ColorChoice,
    /// Draw with ASCII characters only, as is done where the locale is not UTF-8
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Show no progress and no remarks, only results and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Go on after lines of a text trace that contradict earlier ones, and count them as missing events
    #[arg(long, global = true)]
    pub lenient: bool,
    /// Look for source files under TO where a trace says FROM
    #[arg(long, global = true, value_name = "FROM=TO", value_parser = parse_source_map)]
    pub source_map: Vec<(String, String)>,
    /// Read this configuration file and no other; see `lockscope config`
    #[arg(long, global = true, value_name = "FILE", env = VARIABLE, hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

impl Global {
    /// How traces are to be read.
    pub fn input(&self) -> InputOptions {
        InputOptions { lenient: self.lenient }
    }

    /// The settings of configuration files.
    pub fn config(&self) -> Result<Config, Failure> {
        let help = "lockscope config example prints a file with every key";
        Config::load(self.config.as_deref()).map_err(|message| Failure::usage(message, help))
    }

    /// Where sources are, by flags first, then by the configuration.
    pub fn sources(&self, info: &TraceInfo, config: &Config) -> Sources {
        let further = config.section("source-map");
        let further = further.map(|setting| (setting.key.clone(), setting.value.text().unwrap_or_default().to_owned()));
        let maps: Vec<_> = self.source_map.iter().cloned().chain(further).collect();
        Sources::new(info, &maps)
    }

    /// How the standard output is to look.
    pub fn stdout(&self) -> Look {
        Look::stdout(self.color, self.ascii)
    }

    /// How the standard error is to look.
    pub fn stderr(&self) -> Look {
        let look = Look::stderr(self.color);
        Look { ascii: look.ascii || self.ascii, ..look }
    }
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Run a program with recording on, then check what it recorded
    Run(run::RunArgs),
    /// Set up a project: instrument its dependencies for good
    Init(deps::init::InitArgs),
    /// Report findings of recorded traces; decides the exit code
    Check(check::CheckArgs),
    /// Watch a running process, or replay a trace, in the terminal
    Top(top::TopArgs),
    /// Print threads, locks, lock order, events or statistics of a trace
    Show(show::ShowArgs),
    /// Draw the wait-for graph or the lock order of a trace
    Graph(graph::GraphArgs),
    /// Write the lock order that a program follows, as a file to check in and enforce
    Hierarchy(hierarchy::HierarchyArgs),
    /// Write a trace in the format of another tool: Perfetto, Chrome, RAPID, JSON lines, flame graphs
    Export(export::ExportArgs),
    /// Compare two traces: new, fixed and changed findings, and waits for locks
    Diff(diff::DiffArgs),
    /// Explain a kind of finding: what it means, how it is found, what to do
    Explain(explain::ExplainArgs),
    /// Print settings, where they come from, or a file to begin with
    Config(config::ConfigArgs),
    /// Print a script that teaches a shell to complete lockscope's arguments
    Completions(completions::CompletionsArgs),
    /// Print man pages
    Man(man::ManArgs),
    /// Print what a bug report should say of the surroundings
    Doctor(doctor::DoctorArgs),
}

/// Parses the arguments, runs the verb, reports what went wrong.
pub fn main() -> ExitCode {
    let arguments = cargo::arguments(std::env::args_os().collect());
    let matches = Cli::command().try_get_matches_from(&arguments).unwrap_or_else(|error| refuse(&error, &arguments));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| refuse(&error, &arguments));
    // Not locked for good: the dashboard restores the terminal from another thread when a signal ends it.
    let mut out = BufWriter::new(io::stdout());
    let result = verb(&cli, &matches, &mut out).and_then(|code| {
        out.flush()?;
        Ok(code)
    });
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            // What was already found is shown before what went wrong afterwards.
            let _ = out.flush();
            report_failure(&failure, &cli.global.stderr());
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Says what is wrong with the arguments, or the help that they ask for. Of arguments that command terminals clap leaves out some parts only,
/// so then the whole message is cleaned, and goes without colours.
fn refuse(error: &clap::Error, arguments: &[OsString]) -> ! {
    let text = |argument: &OsString| argument.to_string_lossy().into_owned();
    if arguments.iter().map(text).all(|text| failure::clean_lines(&text) == text) {
        error.exit();
    }
    let message = failure::clean_lines(&error.render().to_string());
    // Nobody is left to be told that this cannot be written.
    let _ = if error.use_stderr() { writeln!(io::stderr(), "{message}") } else { writeln!(io::stdout(), "{message}") };
    std::process::exit(error.exit_code())
}

fn verb(cli: &Cli, matches: &ArgMatches, out: &mut dyn Write) -> Result<u8, Failure> {
    let sub_matches = matches.subcommand().expect("a verb is required").1;
    match &cli.verb {
        Verb::Run(args) => run::run(args, sub_matches, &cli.global, out),
        Verb::Init(args) => deps::init::run(args, &cli.global, out),
        Verb::Check(args) => check::run(args, sub_matches, &cli.global, out),
        Verb::Top(args) => top::run(args, &cli.global),
        Verb::Show(args) => show::run(args, &cli.global, out),
        Verb::Graph(args) => graph::run(args, &cli.global, out),
        Verb::Hierarchy(args) => hierarchy::run(args, &cli.global, out),
        Verb::Export(args) => export::run(args, &cli.global, out),
        Verb::Diff(args) => diff::run(args, sub_matches, &cli.global, out),
        Verb::Explain(args) => explain::run(args, &cli.global, out),
        Verb::Config(args) => config::run(args, &cli.global, out),
        Verb::Man(args) => man::run(args, &cli.global, out),
        Verb::Doctor(args) => doctor::run(args, &cli.global, out),
        Verb::Completions(args) => completions::run(args, &cli.global, out),
    }
}

/// Writes a failure to the standard error.
fn report_failure(failure: &Failure, look: &Look) {
    let text = failure.to_string();
    if text.is_empty() {
        return;
    }
    let (message, help) = text.split_once("\nhelp: ").unwrap_or((&text, ""));
    let message = message.strip_prefix("error: ").unwrap_or(message);
    // Nobody is left to be told that the standard error cannot be written.
    let _ = writeln!(io::stderr(), "{} {message}", look.paint(style::ERROR, "error:"));
    if !help.is_empty() {
        let _ = writeln!(io::stderr(), "{} {help}", look.paint(style::NOTE, "help:"));
    }
}

fn parse_source_map(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((from, to)) if !from.is_empty() => Ok((from.to_owned(), to.to_owned())),
        _ => Err("expected FROM=TO, as in /build/src=src".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_consistent() {
        Cli::command().debug_assert();
    }
}
