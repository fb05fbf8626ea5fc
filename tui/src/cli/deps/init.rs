//! `lockscope init`: instrumented dependencies for good, without editing a file of the project.
//!
//! The packages go into a folder of the workspace, and the lines that make cargo use them are printed, for whoever
//! keeps the project to put where they belong.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, ValueHint};

use super::{
    Cargo, ask,
    embedded::When,
    stand_ins::{self, LeftAlone, Runtime},
};
use crate::cli::{Failure, Global, exit, style};

/// Arguments of `init`.
#[derive(Args, Debug)]
#[command(
    arg_required_else_help = true,
    after_help = "Example:\n  lockscope init --patch",
    after_long_help = "Example:\n  lockscope init --patch\n\nFor a single run, `lockscope run --deps -- cargo test` does the same and leaves nothing behind."
)]
pub struct InitArgs {
    /// Make packages that stand in for parking_lot and lock_api in all dependencies, and print the lines for Cargo.toml
    ///
    /// The packages have the versions that Cargo.lock says; do it again when those change, since cargo ignores a patch of another
    /// version. They are instrumented in builds with debug assertions; in others nothing is left of lockscope in them.
    #[arg(long, required = true)]
    patch: bool,
    /// The folder for them, in the workspace
    #[arg(long, value_name = "FOLDER", default_value = "lockscope-patch", value_hint = ValueHint::DirPath)]
    dir: PathBuf,
    /// Cargo.toml of the workspace or one of its packages [default: the one here]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    manifest_path: Option<PathBuf>,
}

/// First line of every manifest that is made.
const MARK: &str = "# Made by lockscope";

/// Runs the verb.
pub fn run(args: &InitArgs, global: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut command: Vec<OsString> = vec!["cargo".into(), "metadata".into()];
    if let Some(manifest) = &args.manifest_path {
        command.extend(["--manifest-path".into(), manifest.into()]);
    }
    let metadata = ask(&Cargo::parse(&command)?, &["--all-features"], &["--all-features".into()])?;
    let (chosen, left_alone) = stand_ins::choose(&metadata);
    if chosen.is_empty() {
        let message =
            "there is nothing to instrument: no dependency uses parking_lot 0.11 to 0.13 or lock_api 0.4 or 0.5";
        return Err(Failure::usage(message, ""));
    }
    let folder = metadata.workspace_root.join(&args.dir);
    let runtime = Runtime::find();
    for stand_in in &chosen {
        refuse_foreign(&folder.join(stand_in.folder()))?;
        stand_in.write(&folder, &runtime, When::Debug)?;
    }

    let mut err = io::stderr().lock();
    let look = global.stderr();
    let note = |text: &str| format!("{} {text}", look.paint(style::NOTE, "note:"));
    for LeftAlone { package, reason } in &left_alone {
        writeln!(err, "{} {package} is left as it is: it {reason}", look.paint(style::WARNING, "warning:"))?;
    }
    if !global.quiet {
        let root = metadata.workspace_root.join("Cargo.toml");
        writeln!(err, "{}", note(&format!("made {}; put these lines into {}:", folder.display(), root.display())))?;
    }
    out.write_all(stand_ins::patch_table(&chosen, &args.dir).as_bytes())?;
    out.flush()?;
    if !global.quiet {
        let name = &chosen[0].real.name;
        writeln!(err, "{}", note(&format!("`cargo tree -i {name}` shows the folder when cargo took them")))?;
        if runtime != Runtime::Registry {
            writeln!(err, "{}", note("they use the crate `lockscope` in the folder that this program was built from"))?;
        }
    }
    Ok(exit::OK)
}

/// Fails when a folder is there that was not made by this verb.
fn refuse_foreign(folder: &Path) -> Result<(), Failure> {
    let manifest = folder.join("Cargo.toml");
    match fs::read(&manifest) {
        Ok(text) if !text.starts_with(MARK.as_bytes()) => Err(Failure::usage(
            format!("{} is there already and was not made by lockscope", folder.display()),
            "choose another folder with --dir",
        )),
        _ => Ok(()),
    }
}
