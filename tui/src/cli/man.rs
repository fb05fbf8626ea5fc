//! `lockscope man`: man pages, made from the same source as `--help`.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::{Args, CommandFactory, ValueHint};
use clap_mangen::Man;

use crate::cli::{Cli, Failure, Global, exit};

/// Arguments of `man`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockscope man | man -l -\n  lockscope man check | man -l -\n  lockscope man --dir ~/.local/share/man/man1"
)]
pub struct ManArgs {
    /// The verb to print the page of; without it, the page of the program
    verb: Option<String>,
    /// Write the pages of the program and of all verbs into this directory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "verb")]
    dir: Option<PathBuf>,
}

/// Runs the verb.
pub fn run(args: &ManArgs, _: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut command = Cli::command();
    command.build();
    if let Some(dir) = &args.dir {
        std::fs::create_dir_all(dir).map_err(|error| Failure::write(dir, &error))?;
        write(dir, "lockscope", command.clone())?;
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let name = format!("lockscope-{}", verb.get_name());
            write(dir, &name, verb.clone())?;
        }
        return Ok(exit::OK);
    }
    let page = match &args.verb {
        None => command,
        Some(verb) => {
            let found = command.find_subcommand(verb).cloned();
            found.ok_or_else(|| Failure::usage(format!("there is no verb `{verb}`"), "lockscope --help lists them"))?
        }
    };
    // Into memory: a closed pipe is not this program's fault.
    let mut text = Vec::new();
    Man::new(page).render(&mut text)?;
    out.write_all(&text)?;
    Ok(exit::OK)
}

fn write(dir: &Path, name: &str, command: clap::Command) -> Result<(), Failure> {
    let mut text = Vec::new();
    Man::new(command).render(&mut text)?;
    let path = dir.join(format!("{name}.1"));
    std::fs::write(&path, text).map_err(|error| Failure::write(&path, &error))
}
