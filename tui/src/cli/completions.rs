//! `lockscope completions SHELL`.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::{Cli, Failure, Global, exit};

/// Arguments of `completions`.
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell to write a script for
    shell: Shell,
}

/// Runs the verb.
pub fn run(args: &CompletionsArgs, _: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    // The generator panics when it cannot write, as to a closed pipe; memory takes everything.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "lockscope", &mut script);
    out.write_all(&script)?;
    Ok(exit::OK)
}
