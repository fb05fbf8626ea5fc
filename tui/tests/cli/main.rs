//! The command line as a script sees it: exit codes, streams, formats, help.

mod color;
mod config;
mod exit_codes;
mod export;
mod filter;
mod formats;
mod help;
mod hierarchy;
mod hostile;
mod html;
mod json;
mod junit;
mod run;
mod service;
mod show;
mod support;
