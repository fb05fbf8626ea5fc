//! `lockscope doctor`: what a bug report should say of the surroundings, and what will not work in them.

use std::{io::IsTerminal, io::Write, path::Path, process::Command};

use clap::Args;

use crate::cli::{
    Failure, Global, exit,
    style::{self, Look},
};

/// Arguments of `doctor`.
#[derive(Args, Debug)]
pub struct DoctorArgs {}

/// Runs the verb. Nothing here is an error: a missing tool is told.
pub fn run(_: &DoctorArgs, global: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    let look = global.stdout();
    let env = |key: &str| std::env::var(key).ok().filter(|value| !value.is_empty());
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "not set".to_owned());
    let mut facts: Vec<(&str, String)> = vec![
        ("lockscope", env!("CARGO_PKG_VERSION").to_owned()),
        ("system", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
        ("kernel", read("/proc/sys/kernel/osrelease").unwrap_or_else(|| "unknown".to_owned())),
        ("cargo", version("cargo")),
        ("rustc", version("rustc")),
        ("LOCKSCOPE", or_none(env("LOCKSCOPE"))),
        ("terminal", terminal(&look)),
        ("TERM", or_none(env("TERM"))),
        ("locale", or_none(["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(env))),
        ("EDITOR", or_none(env("VISUAL").or_else(|| env("EDITOR")))),
    ];
    match global.config() {
        Ok(config) => {
            facts.push(("settings", format!("{}, see lockscope config show", config.settings.len())));
        }
        Err(Failure::Message { message, .. }) => facts.push(("settings", format!("wrong: {message}"))),
        Err(Failure::BrokenPipe) => {}
    }
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in &facts {
        let value = lockscope_trace::Definitions::clean(value);
        writeln!(out, "{}  {value}", look.paint(style::HEADER, &format!("{name:<width$}")))?;
    }
    for remark in remarks() {
        writeln!(out, "{} {remark}", look.paint(style::NOTE, "note:"))?;
    }
    Ok(exit::OK)
}

fn terminal(look: &Look) -> String {
    let is = |is_terminal: bool| if is_terminal { "a terminal" } else { "no terminal" };
    let size = ratatui::crossterm::terminal::size().map(|(columns, rows)| format!(", {columns}x{rows}"));
    format!(
        "input {}, output {}{}; colour {}, {}",
        is(std::io::stdin().is_terminal()),
        is(std::io::stdout().is_terminal()),
        size.unwrap_or_default(),
        if look.color { "on" } else { "off" },
        if look.ascii { "ASCII" } else { "Unicode" }
    )
}

/// What does not work here.
fn remarks() -> Vec<String> {
    let mut remarks = Vec::new();
    if cfg!(not(target_os = "linux")) {
        remarks.push("recording and `top PID` are for Linux; traces can be read anywhere".to_owned());
    } else if !Path::new("/proc/self/maps").exists() {
        remarks.push("/proc is not mounted: `top PID` cannot find what a process records".to_owned());
    }
    if version("cargo") == "not found" {
        remarks.push("cargo is not in PATH: `run --deps` and `init` need it".to_owned());
    }
    remarks
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// First line of `TOOL --version`.
fn version(tool: &str) -> String {
    let output = Command::new(tool).arg("--version").output().ok().filter(|output| output.status.success());
    let text = output.and_then(|output| String::from_utf8(output.stdout).ok());
    text.and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or_else(|| "not found".to_owned())
}
