//! The `lockscope` program: command line and dashboard.
//!
//! Reading order: [`cli`] holds one file per verb and everything that decides exit codes; [`source`] finds source
//! files and stack frames; [`graph`] lays out graphs as text; [`dashboard`] is `lockscope top`. How findings are
//! computed is none of this program's business; see `lockscope_analyzer`.

mod cli;
mod config;
mod dashboard;
mod export;
mod filter;
#[cfg(test)]
mod fixture;
mod graph;
mod hierarchy;
mod json;
mod source;

fn main() -> std::process::ExitCode {
    cli::main()
}
