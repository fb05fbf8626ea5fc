//! The command line as a script sees it: exit codes, streams, formats, help.

mod color;
mod exit_codes;
mod help;
mod json;
mod run;
mod show;
mod support;
