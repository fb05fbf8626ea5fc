//! What a verb returns when it cannot do its job: a message, advice, and the exit code.

use std::{fmt, io, path::Path};

use lockscope_trace::Definitions;

use crate::cli::exit;

/// Why a verb ended early.
#[derive(Debug)]
pub enum Failure {
    /// Something to tell the user.
    Message {
        /// Exit code of the program.
        exit: u8,
        /// What failed, lower case, no full stop.
        message: String,
        /// What to try; empty when there is no advice.
        help: String,
    },
    /// Whoever read our output had enough of it, which is success.
    BrokenPipe,
}

impl Failure {
    /// Wrong usage.
    pub fn usage(message: impl Into<String>, help: impl Into<String>) -> Failure {
        Failure::Message { exit: exit::USAGE, message: message.into(), help: help.into() }
    }

    /// Something could not be read or written.
    pub fn input(message: impl Into<String>, help: impl Into<String>) -> Failure {
        Failure::Message { exit: exit::INPUT, message: message.into(), help: help.into() }
    }

    /// A file that the user named could not be written.
    pub fn write(path: &Path, error: &io::Error) -> Failure {
        Failure::input(format!("cannot write {}: {error}", path.display()), "")
    }

    /// Exit code of the program.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Message { exit, .. } => *exit,
            Failure::BrokenPipe => exit::OK,
        }
    }
}

/// An error while writing the output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::BrokenPipe,
            _ => Failure::input(format!("cannot write the output: {error}"), ""),
        }
    }
}

impl From<lockscope_trace::Error> for Failure {
    fn from(error: lockscope_trace::Error) -> Failure {
        let not_found =
            matches!(&error, lockscope_trace::Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound);
        let help = if not_found { "record one with `lockscope run -- PROGRAM`" } else { error.help() };
        Failure::input(error.to_string(), help)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure::Message { message, help, .. } = self else { return Ok(()) };
        // File names and messages can quote input, and this goes to a terminal.
        write!(f, "error: {}", clean_lines(message))?;
        if !help.is_empty() {
            write!(f, "\nhelp: {}", clean_lines(help))?;
        }
        Ok(())
    }
}

/// The text with control characters replaced, line ends kept.
pub fn clean_lines(text: &str) -> String {
    text.lines().map(Definitions::clean).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_cannot_drive_a_terminal() {
        let failure = Failure::input("cannot read a\u{1b}[2Jb: no", "try c\u{7}");
        assert_eq!(failure.to_string(), "error: cannot read a\u{fffd}[2Jb: no\nhelp: try c\u{fffd}");
    }

    #[test]
    fn a_broken_pipe_is_success() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.exit_code(), exit::OK);
        assert_eq!(Failure::from(io::Error::from(io::ErrorKind::StorageFull)).exit_code(), exit::INPUT);
    }
}
