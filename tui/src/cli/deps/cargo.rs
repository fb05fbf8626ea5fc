//! A cargo command line, as far as it has to be understood: where its workspace is, and where `--config` goes.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    process::Command,
};

use crate::cli::Failure;

/// A call of cargo that builds something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cargo {
    program: OsString,
    /// As in `+nightly`.
    toolchain: Option<OsString>,
    /// The subcommand and what follows.
    rest: Vec<OsString>,
}

/// Subcommands that are programs of their own and take cargo's `--config` behind their own subcommand.
const WITH_OWN_CONFIG: [&str; 1] = ["nextest"];

impl Cargo {
    /// Understands a command, or says why it cannot be run with instrumented dependencies.
    pub fn parse(command: &[OsString]) -> Result<Cargo, Failure> {
        let help = "as in `lockscope run --deps -- cargo test`";
        let (program, rest) = command.split_first().ok_or_else(|| Failure::usage("there is no command", help))?;
        if Path::new(program).file_stem() != Some(OsStr::new("cargo")) {
            let message = format!("--deps needs a cargo command, not {}", program.display());
            return Err(Failure::usage(message, help));
        }
        let toolchain = rest.first().filter(|argument| argument.as_encoded_bytes().starts_with(b"+")).cloned();
        let rest = rest[usize::from(toolchain.is_some())..].to_vec();
        if rest.is_empty() {
            return Err(Failure::usage("the cargo command has no subcommand", help));
        }
        let cargo = Cargo { program: program.clone(), toolchain, rest };
        for refused in ["--locked", "--frozen"] {
            if cargo.own().any(|argument| argument == refused) {
                let message =
                    format!("{refused} and --deps exclude each other: instrumented dependencies change Cargo.lock");
                return Err(Failure::usage(message, "leave it out; Cargo.lock is put back afterwards, as it was"));
            }
        }
        Ok(cargo)
    }

    /// The same command with one more configuration file.
    pub fn with_config(&self, config: &Path) -> Vec<OsString> {
        let before = self.rest.iter().position(|argument| WITH_OWN_CONFIG.iter().any(|name| argument == name));
        // Cargo does not pass its own options on to programs that are subcommands.
        let at = before.map_or(0, |at| (at + 2).min(self.rest.len()));
        let mut command = vec![self.program.clone()];
        command.extend(self.toolchain.clone());
        command.extend_from_slice(&self.rest[..at]);
        command.extend(["--config".into(), config.into()]);
        command.extend_from_slice(&self.rest[at..]);
        command
    }

    /// `cargo metadata` of the same workspace; `options` says what else the call is to have in common with the command.
    pub fn metadata(&self, options: &[&str]) -> Command {
        let mut command = self.plain();
        command.args(["metadata", "--format-version", "1"]).args(self.options(&["--manifest-path", "--config"]));
        command.args(self.flags(&["--offline"])).args(self.options(options)).args(self.flags(options));
        command
    }

    /// `cargo update` of some packages of the same workspace, given as `name@version`.
    pub fn update(&self, packages: &[String]) -> Command {
        let mut command = self.plain();
        command.arg("update").args(self.options(&["--manifest-path", "--config"])).args(self.flags(&["--offline"]));
        command.args(packages);
        command
    }

    /// Cargo itself, of the same toolchain.
    pub fn plain(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.toolchain);
        command
    }

    /// The value of an option, the last one if there are several.
    pub fn option(&self, name: &str) -> Option<OsString> {
        self.options(&[name]).pop().map(|last| match split(&last) {
            Some((_, value)) => value.to_owned(),
            None => last,
        })
    }

    /// Arguments of cargo and its subcommand, not those of the program that it runs.
    fn own(&self) -> impl Iterator<Item = &OsString> {
        self.rest.iter().take_while(|argument| *argument != "--")
    }

    /// Options with a value, as `--name value` or `--name=value`, all that there are.
    fn options(&self, names: &[&str]) -> Vec<OsString> {
        let mut found = Vec::new();
        let mut arguments = self.own();
        while let Some(argument) = arguments.next() {
            if HAS_VALUE.contains(&&*argument.to_string_lossy()) && names.iter().any(|name| argument == name) {
                found.push(argument.clone());
                found.extend(arguments.next().cloned());
            } else if split(argument).is_some_and(|(name, _)| names.iter().any(|known| *name == **known)) {
                found.push(argument.clone());
            }
        }
        found
    }

    /// Options without a value that are given.
    fn flags(&self, names: &[&str]) -> Vec<OsString> {
        let is_flag = |argument: &&OsString| {
            names.iter().any(|name| *argument == name) && !HAS_VALUE.contains(&&*argument.to_string_lossy())
        };
        self.own().filter(is_flag).cloned().collect()
    }
}

/// Options whose next argument is their value.
const HAS_VALUE: [&str; 6] = ["--manifest-path", "--config", "--features", "-F", "--target", "--target-dir"];

/// `--name=value`.
fn split(argument: &OsStr) -> Option<(&OsStr, &OsStr)> {
    let bytes = argument.as_encoded_bytes();
    let at = bytes.iter().position(|&byte| byte == b'=').filter(|_| bytes.starts_with(b"--"))?;
    // Both come from cutting at an ASCII character, so they are valid where the whole is.
    let (name, value) = (&argument.to_str()?[..at], &argument.to_str()?[at + 1..]);
    Some((OsStr::new(name), OsStr::new(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(command: &str) -> Result<Cargo, Failure> {
        Cargo::parse(&command.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    fn text(command: &[OsString]) -> String {
        command.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    fn metadata(command: &str) -> String {
        let command = parse(command).expect("a good command").metadata(&["--features", "--all-features"]);
        text(&command.get_args().map(OsStr::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_configuration_goes_where_cargo_reads_it() {
        for (command, expected) in [
            ("cargo test", "cargo --config /c test"),
            ("/bin/cargo +nightly test -- x", "/bin/cargo +nightly --config /c test -- x"),
            ("cargo --offline run --config a=1", "cargo --config /c --offline run --config a=1"),
            ("cargo nextest run --all", "cargo nextest run --config /c --all"),
        ] {
            let cargo = parse(command).expect("a good command");
            assert_eq!(text(&cargo.with_config(Path::new("/c"))), expected, "{command}");
        }
    }

    #[test]
    fn the_same_workspace_is_asked_for() {
        for (command, expected) in [
            ("cargo test", "metadata --format-version 1"),
            ("cargo +1.95 test", "+1.95 metadata --format-version 1"),
            ("cargo test --manifest-path a/Cargo.toml", "metadata --format-version 1 --manifest-path a/Cargo.toml"),
            ("cargo test --manifest-path=a/Cargo.toml", "metadata --format-version 1 --manifest-path=a/Cargo.toml"),
            ("cargo test --offline --features a,b", "metadata --format-version 1 --offline --features a,b"),
            ("cargo test --all-features --release", "metadata --format-version 1 --all-features"),
            ("cargo run -- --offline --manifest-path x", "metadata --format-version 1"),
        ] {
            assert_eq!(metadata(command), expected, "{command}");
        }
    }

    #[test]
    fn options_have_values() {
        let target = |command| parse(command).expect("a good command").option("--target");
        assert_eq!(target("cargo test --target a --target=b"), Some("b".into()));
        assert_eq!(target("cargo test --target a"), Some("a".into()));
        assert_eq!(target("cargo test -- --target a"), None);
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        for (command, message) in [
            ("make test", "--deps needs a cargo command, not make"),
            ("cargo", "has no subcommand"),
            ("cargo +nightly", "has no subcommand"),
            ("cargo test --locked", "--locked and --deps exclude each other"),
            ("cargo --frozen test", "--frozen and --deps exclude each other"),
        ] {
            let failure = parse(command).expect_err(command).to_string();
            assert!(failure.contains(message), "{command}: {failure}");
        }
        assert!(parse("cargo test -- --locked").is_ok());
    }
}
