//! Exit codes. They are part of the interface: scripts and CI rely on them, so they never change meaning.

/// Done; no finding at or above `--fail-on`.
pub const OK: u8 = 0;
/// There are findings at or above `--fail-on`.
pub const FINDINGS: u8 = 1;
/// Wrong usage, or no terminal where one is needed.
pub const USAGE: u8 = 2;
/// A trace could not be read or a report not be written.
pub const INPUT: u8 = 3;
/// A trace is incomplete and `--strict` was given.
pub const INCOMPLETE: u8 = 4;
/// A program that `lockscope run` was to start could not be started, as shells say it.
pub const NOT_EXECUTABLE: u8 = 126;
/// A program that `lockscope run` was to start does not exist, as shells say it.
pub const NOT_FOUND: u8 = 127;

/// A process that signal `number` ended, as shells say it.
pub fn signal(number: i32) -> u8 {
    u8::try_from(128 + number).unwrap_or(u8::MAX)
}

/// The table for `--help`.
pub const HELP: &str = "\
Exit codes:
  0        done, no finding at or above --fail-on (default: error)
  1        findings at or above --fail-on
  2        wrong usage, or no terminal where one is needed
  3        a trace could not be read, or output not be written
  4        a trace is incomplete and --strict was given
  126 127  `run`: the program could not be started, or was not found
  128+n    ended by signal n";
