//! Whether and how to colour: decided once per stream, from the flag, the environment and the terminal.

use std::{ffi::OsString, io::IsTerminal};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

/// The value of `--color`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum ColorChoice {
    /// Colour on terminals, unless the environment says otherwise
    #[default]
    Auto,
    /// Always colour
    Always,
    /// Never colour
    Never,
}

/// How one output stream is to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// Escape sequences for colour are written.
    pub color: bool,
    /// Only ASCII characters are used for lines and marks.
    pub ascii: bool,
    /// Width for wrapping and cutting; `None` when the stream is no terminal, where nothing is cut.
    pub width: Option<usize>,
}

/// Reads an environment variable. A parameter, so that decisions can be tested without a process each.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Look {
    /// For the standard output.
    pub fn stdout(choice: ColorChoice, ascii: bool) -> Look {
        let is_terminal = std::io::stdout().is_terminal();
        let env: Env = &|key| std::env::var_os(key);
        Look {
            color: use_color(choice, env, is_terminal),
            ascii: ascii || !is_utf8(env),
            width: is_terminal.then(|| terminal_width(env)),
        }
    }

    /// For the standard error.
    pub fn stderr(choice: ColorChoice) -> Look {
        let env: Env = &|key| std::env::var_os(key);
        Look { color: use_color(choice, env, std::io::stderr().is_terminal()), ascii: !is_utf8(env), width: None }
    }

    /// The text in a style, or as it is where colours are off.
    pub fn paint(&self, style: Style, text: &str) -> String {
        if self.color && style != Style::new() {
            format!("{}{text}{}", style.render(), style.render_reset())
        } else {
            text.to_owned()
        }
    }
}

/// Errors, and threads that are stuck.
pub const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
/// Warnings.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Notes, and threads.
pub const NOTE: Style = AnsiColor::BrightCyan.on_default();
/// Titles of tables.
pub const HEADER: Style = Style::new().bold();
/// What matters less.
pub const DIM: Style = Style::new().dimmed();
/// Locks.
pub const LOCK: Style = AnsiColor::BrightBlue.on_default();

/// Flag, then `CLICOLOR_FORCE` and `FORCE_COLOR`, then `NO_COLOR`, then `TERM=dumb`, then whether it is a terminal.
pub fn use_color(choice: ColorChoice, env: Env, is_terminal: bool) -> bool {
    let is_set = |key: &str| env(key).is_some_and(|value| !value.is_empty());
    let is_forced = |key: &str| env(key).is_some_and(|value| !value.is_empty() && value != "0");
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if is_forced("CLICOLOR_FORCE") || is_forced("FORCE_COLOR") => true,
        ColorChoice::Auto if is_set("NO_COLOR") => false,
        ColorChoice::Auto if env("TERM").is_some_and(|term| term == "dumb") => false,
        ColorChoice::Auto => is_terminal,
    }
}

/// Whether the locale's encoding is UTF-8: the first that is set of `LC_ALL`, `LC_CTYPE` and `LANG` decides.
///
/// Nothing set counts as UTF-8, as in containers; the C locale spelled out does not.
pub fn is_utf8(env: Env) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|key| env(key).filter(|value| !value.is_empty()));
    let Some(locale) = locale else { return true };
    let locale = locale.to_string_lossy().to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

fn terminal_width(env: Env) -> usize {
    let from_terminal = ratatui::crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns));
    let from_env = || env("COLUMNS").and_then(|value| value.to_str()?.parse().ok());
    from_terminal.filter(|&columns| columns > 0).or_else(from_env).unwrap_or(80)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(choice: ColorChoice, env: &[(&str, &str)], is_terminal: bool, expected: bool) {
        let lookup = |key: &str| env.iter().find(|(name, _)| *name == key).map(|(_, value)| OsString::from(value));
        assert_eq!(use_color(choice, &lookup, is_terminal), expected, "{choice:?} {env:?} terminal: {is_terminal}");
    }

    #[test]
    fn colour_is_decided_in_the_documented_order() {
        use ColorChoice::{Always, Auto, Never};
        for (choice, env, is_terminal, expected) in [
            (Auto, &[][..], true, true),
            (Auto, &[], false, false),
            (Always, &[("NO_COLOR", "1")], false, true),
            (Never, &[("FORCE_COLOR", "1")], true, false),
            (Auto, &[("NO_COLOR", "1")], true, false),
            (Auto, &[("NO_COLOR", "")], true, true),
            (Auto, &[("FORCE_COLOR", "1")], false, true),
            (Auto, &[("FORCE_COLOR", "0")], false, false),
            (Auto, &[("FORCE_COLOR", "")], false, false),
            (Auto, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false, true),
            (Auto, &[("FORCE_COLOR", "3"), ("TERM", "dumb")], false, true),
            (Auto, &[("TERM", "dumb")], true, false),
            (Auto, &[("TERM", "xterm")], true, true),
        ] {
            check(choice, env, is_terminal, expected);
        }
    }

    #[test]
    fn the_first_locale_variable_decides() {
        for (env, expected) in [
            (&[][..], true),
            (&[("LANG", "C.UTF-8")], true),
            (&[("LANG", "en_GB.utf8")], true),
            (&[("LANG", "C")], false),
            (&[("LC_ALL", "C"), ("LANG", "C.UTF-8")], false),
            (&[("LC_ALL", ""), ("LANG", "C.UTF-8")], true),
        ] {
            let lookup = |key: &str| env.iter().find(|(name, _)| *name == key).map(|(_, value)| OsString::from(value));
            assert_eq!(is_utf8(&lookup), expected, "{env:?}");
        }
    }
}
