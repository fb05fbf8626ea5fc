//! `lockscope config`: which settings are in force, where they come from, and a file to begin with.

use std::{io::Write, path::PathBuf};

use clap::{Args, Subcommand};

use crate::{
    cli::{Failure, Global, exit, style},
    config,
    source::short_path,
};

/// Arguments of `config`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockscope config show\n  lockscope config example > lockscope.toml\n\nFiles: ~/.config/lockscope/config.toml, then lockscope.toml in the working directory or above it. Flags win."
)]
pub struct ConfigArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Print the settings that differ from the defaults, and the file and line of each
    Show,
    /// Print which files are read, and where the user's own would be
    Path,
    /// Print a file with every key, its help and its default
    Example,
}

/// Runs the verb.
pub fn run(args: &ConfigArgs, global: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    let look = global.stdout();
    match args.what {
        What::Show => {
            for setting in &global.config()?.settings {
                let origin = format!("{}:{}", short_path(&setting.file.to_string_lossy()), setting.line);
                let line = format!("{}.{} = {}", setting.section, setting.key, setting.value);
                writeln!(out, "{line}  {}", look.paint(style::DIM, &format!("# {origin}")))?;
            }
        }
        What::Path => {
            let env = |key: &str| std::env::var_os(key);
            let dir = std::env::current_dir().unwrap_or_default();
            let sources = config::sources(global.config.as_deref(), &env, &dir);
            let read: Vec<PathBuf> = sources.into_iter().map(|source| source.path).collect();
            for path in &read {
                writeln!(out, "{}", path.display())?;
            }
            if let Some(own) = config::user_file(&env).filter(|own| !read.contains(own)) {
                writeln!(out, "{}  {}", own.display(), look.paint(style::DIM, "# not there"))?;
            }
        }
        What::Example => write!(out, "{}", config::example())?,
    }
    Ok(exit::OK)
}
