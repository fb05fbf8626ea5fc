//! Instrumented dependencies: `lockscope run --deps` and `lockscope init --patch`.
//!
//! Cargo can be told to use other packages in the place of some (`[patch]`), for a whole dependency tree and without a file of
//! the project's being edited. So, in the order of what happens:
//! - `cargo`: the command line is understood, as far as needed;
//! - `metadata`: cargo tells which versions of what are locked;
//! - `stand_ins`: packages are made for those that have one, of `embedded` sources and a `manifest`;
//! - `resolve`: cargo resolves the graph with them, with newer versions than locked where lockscope needs them;
//! - `lockfile`: Cargo.lock, which cargo is going to change, is put aside and afterwards back;
//! - `summary`: what became instrumented is found out from what cargo resolved, since it ignores a patch that does not fit
//!   silently, and what cannot be.
//!
//! `init` writes the same for good.

mod cargo;
mod embedded;
pub mod init;
mod lockfile;
mod manifest;
mod metadata;
mod resolve;
mod stand_ins;
mod summary;

use std::{
    ffi::OsString,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use signal_hook::iterator::Signals;

use self::{
    cargo::Cargo,
    embedded::When,
    lockfile::{Found, SavedLock, Turn},
    metadata::Metadata,
    stand_ins::Runtime,
    summary::Summary,
};
use crate::cli::{
    Failure, exit,
    run::child,
    style::{self, Look},
};

/// A command that runs with instrumented dependencies. Dropping it puts Cargo.lock back.
#[derive(Debug)]
pub struct Session {
    /// The command, with what it has to be told.
    pub command: Vec<OsString>,
    /// Where cargo builds.
    pub target: PathBuf,
    lock: SavedLock,
    summary: Summary,
    // From here on the usual signals end the command and not this program, which has something to put back.
    _signals: Signals,
}

impl Session {
    /// Makes the packages and has cargo resolve them. Remarks go to `err`.
    pub fn begin(command: &[OsString], look: &Look, err: &mut dyn Write) -> Result<Session, Failure> {
        let cargo = Cargo::parse(command)?;
        let mut signals = child::watch()?;
        let mut say = |kind: &str, text: &str| {
            // Nobody is left to be told that the standard error cannot be written.
            let _ = writeln!(err, "{} {text}", look.paint(style::NOTE, &format!("{kind}:")));
        };
        // Without dependencies, so that cargo does not look at Cargo.lock yet.
        let mut workspace = ask(&cargo, &[], &["--no-deps".into()])?;
        // `cargo metadata` has no such option.
        if let Some(target) = cargo.option("--target-dir") {
            workspace.target_directory = std::path::absolute(&target)
                .map_err(|error| Failure::input(format!("there is no folder {}: {error}", target.display()), ""))?;
        }
        let folder = folder(&workspace);
        let path = workspace.workspace_root.join("Cargo.lock");
        let wait = |other: Option<u32>| {
            let other = other.map_or(String::new(), |pid| format!(" (process {pid})"));
            say("note", &format!("waiting for another run with --deps in this workspace{other}"));
        };
        let (turn, recovered) = Turn::take(&path.canonicalize().unwrap_or(path), &folder, wait)?;
        if let Some(found) = recovered {
            say("note", "an earlier run was killed; Cargo.lock was put back as it was before it");
            if let Found::Other(kept) = found {
                say("note", &format!("what was there instead is kept as {}", kept.display()));
            }
        }
        // Makes Cargo.lock where there is none, as every command does.
        let locked = ask(&cargo, &["--all-features"], &[])?;
        let lock = turn.save()?;
        interrupted(&mut signals)?;

        let (stand_ins, left_alone) = stand_ins::choose(&locked);
        let runtime = Runtime::find();
        for stand_in in &stand_ins {
            stand_in.write(&folder, &runtime, When::Always)?;
        }
        let config = folder.join("config.toml");
        stand_ins::write_unless_same(&config, &stand_ins::patch_table(&stand_ins, &folder))
            .map_err(|error| Failure::write(&config, &error))?;

        let features = ["--features", "-F", "--all-features", "--no-default-features"];
        let platform = cargo.option("--target").or_else(|| host(&cargo));
        let platform = platform.map(|platform| vec![OsString::from("--filter-platform"), platform]);
        let config_argument = vec![OsString::from("--config"), config.clone().into()];
        let further = [config_argument, platform.unwrap_or_default()].concat();
        let build = resolve::resolve(&cargo, &config, || ask(&cargo, &features, &further))?;
        interrupted(&mut signals)?;
        let (before, after) = (metadata::locked(&lock.original()), metadata::locked(&lock.note_patched()?));
        let summary = summary::summarise(&stand_ins, left_alone, &build, &before, &after);
        let target = workspace.target_directory;
        Ok(Session { command: cargo.with_config(&config), target, lock, summary, _signals: signals })
    }

    /// Puts Cargo.lock back; returns what was instrumented.
    pub fn end(self, look: &Look, err: &mut dyn Write) -> Result<Summary, Failure> {
        if let Found::Other(kept) = self.lock.restore()? {
            let text = format!(
                "{} Cargo.lock was written while the command ran, perhaps by a cargo that was not told of the instrumented \
                 packages; it was put back as it was before, and what was there is kept as {}",
                look.paint(style::NOTE, "note:"),
                kept.display()
            );
            writeln!(err, "{text}")?;
        }
        Ok(self.summary)
    }
}

/// Writes what is instrumented and what is not.
pub fn write_summary(summary: &Summary, look: &Look, err: &mut dyn Write) -> Result<(), Failure> {
    for (kind, text) in summary.lines() {
        let style = if kind == "warning" { style::WARNING } else { style::NOTE };
        writeln!(err, "{} {text}", look.paint(style, &format!("{kind}:")))?;
    }
    Ok(())
}

/// Where the packages are made: in the target folder, and where that is shared by workspaces, in a folder of this one's own.
fn folder(metadata: &Metadata) -> PathBuf {
    let folder = metadata.target_directory.join("lockscope").join("patch");
    if metadata.target_directory.starts_with(&metadata.workspace_root) {
        return folder;
    }
    let mut hasher = DefaultHasher::new();
    metadata.workspace_root.hash(&mut hasher);
    let name = metadata.workspace_root.file_name().unwrap_or_default().to_string_lossy();
    folder.join(format!("{name}-{:016x}", hasher.finish()))
}

/// Asks `cargo metadata`.
fn ask(cargo: &Cargo, options: &[&str], further: &[OsString]) -> Result<Metadata, Failure> {
    let mut command = cargo.metadata(options);
    command.args(further);
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        let name = command.get_program().to_string_lossy().into_owned();
        Failure::Message {
            exit: exit::NOT_FOUND,
            message: format!("cannot start {name}: {error}"),
            help: String::new(),
        }
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::input(format!("cargo cannot resolve this workspace:\n{}", said.trim()), ""));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::input(format!("cargo metadata says what cannot be understood: {error}"), ""))
}

/// The platform that cargo builds for when it is not told another one.
fn host(cargo: &Cargo) -> Option<OsString> {
    let mut command: Command = cargo.plain();
    let output = command.arg("-vV").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(Into::into)
}

/// Fails when a signal came that asks to end.
fn interrupted(signals: &mut Signals) -> Result<(), Failure> {
    match signals.pending().next() {
        None => Ok(()),
        Some(signal) => {
            let message = "interrupted before the command was started".to_owned();
            Err(Failure::Message { exit: exit::signal(signal), message, help: String::new() })
        }
    }
}
