//! Lint levels as in rustc: `-A`, `-W` and `-D` decide what a finding counts as; of several, the last one wins.

use clap::{ArgMatches, Args, builder::PossibleValuesParser};
use lockscope_analyzer::finding::{Code, Finding, Severity};

use crate::config::Config;

/// Options that change what findings count as.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Findings")]
pub struct LintArgs {
    /// Do not report findings of CODE (see `explain --list`), or of `all`; several levels may be given, the last wins
    ///
    /// `all` are the codes that are on by default.
    #[arg(short = 'A', long, value_name = "CODE", value_delimiter = ',', value_parser = codes(), hide_possible_values = true)]
    pub allow: Vec<String>,
    /// Report findings of CODE as warnings
    #[arg(short = 'W', long, value_name = "CODE", value_delimiter = ',', value_parser = codes(), hide_possible_values = true)]
    pub warn: Vec<String>,
    /// Report findings of CODE as errors
    #[arg(short = 'D', long, value_name = "CODE", value_delimiter = ',', value_parser = codes(), hide_possible_values = true)]
    pub deny: Vec<String>,
}

/// Word for all codes.
const ALL: &str = "all";

fn codes() -> PossibleValuesParser {
    PossibleValuesParser::new(Code::ALL.map(Code::as_str).into_iter().chain([ALL]))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Level {
    Allow,
    Warn,
    Deny,
}

/// The levels of a command line, in its order.
#[derive(Clone, Debug, Default)]
pub struct Levels(Vec<(Option<Code>, Level)>);

impl Levels {
    /// Collects the levels of a verb's arguments. The order is what derived structs do not keep.
    ///
    /// Those of the configuration come first, so that any flag wins; of these `all` comes first.
    pub fn new(matches: &ArgMatches, config: &Config) -> Levels {
        let mut levels = Vec::new();
        for setting in config.section("lints") {
            let level = match setting.value.text() {
                Some("allow") => Level::Allow,
                Some("warn") => Level::Warn,
                Some("deny") => Level::Deny,
                _ => continue,
            };
            match Code::parse(&setting.key) {
                None => levels.insert(0, (None, level)),
                code => levels.push((code, level)),
            }
        }
        let mut found: Vec<(usize, Option<Code>, Level)> = Vec::new();
        for (name, level) in [("allow", Level::Allow), ("warn", Level::Warn), ("deny", Level::Deny)] {
            let indices = matches.indices_of(name).into_iter().flatten();
            let codes = matches.get_many::<String>(name).into_iter().flatten();
            found.extend(indices.zip(codes).map(|(idx, code)| (idx, Code::parse(code), level)));
        }
        found.sort_by_key(|(idx, ..)| *idx);
        levels.extend(found.into_iter().map(|(_, code, level)| (code, level)));
        Levels(levels)
    }

    /// Applies the levels. Returns the findings to report and how many were allowed.
    pub fn apply(&self, findings: Vec<Finding>) -> (Vec<Finding>, usize) {
        let before = findings.len();
        let kept: Vec<Finding> = findings.into_iter().filter_map(|finding| self.apply_to(finding)).collect();
        let n_allowed = before - kept.len();
        (kept, n_allowed)
    }

    /// Whether findings of this code are wanted that are made only when they are asked for.
    pub fn asks_for(&self, code: Code) -> bool {
        matches!(self.level(code), Some(Level::Warn | Level::Deny))
    }

    fn level(&self, code: Code) -> Option<Level> {
        let applies = |of: &Option<Code>| of.map_or(!code.is_opt_in(), |of| of == code);
        self.0.iter().rev().find(|(of, _)| applies(of)).map(|(_, level)| *level)
    }

    fn apply_to(&self, mut finding: Finding) -> Option<Finding> {
        match self.level(finding.code) {
            Some(Level::Allow) => return None,
            Some(Level::Warn) => finding.severity = Severity::Warning,
            Some(Level::Deny) => finding.severity = Severity::Error,
            None => {}
        }
        Some(finding)
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command};
    use lockscope_analyzer::finding::{Confidence, Evidence};
    use lockscope_trace::Nanos;

    use super::*;

    fn check(arguments: &[&str], code: Code, expected: Option<Severity>) {
        let command = LintArgs::augment_args(Command::new("check"));
        let matches = command.get_matches_from(std::iter::once("check").chain(arguments.iter().copied()));
        let finding = Finding {
            evidence: Evidence::default(),
            code,
            severity: Severity::Note,
            confidence: Confidence::Potential,
            title: String::new(),
            participants: Vec::new(),
            variants: Vec::new(),
            locks: Vec::new(),
            first_seen: Nanos(0),
            events: Vec::new(),
            count: 1,
            fingerprint: String::new(),
            notes: Vec::new(),
            help: Vec::new(),
        };
        let severity = Levels::new(&matches, &Config::default()).apply_to(finding).map(|finding| finding.severity);
        assert_eq!(severity, expected, "{arguments:?}");
    }

    #[test]
    fn the_last_level_wins() {
        use Code::{Deadlock, LockTimeout};
        check(&[], Deadlock, Some(Severity::Note));
        check(&["-A", "deadlock"], Deadlock, None);
        check(&["-A", "deadlock"], LockTimeout, Some(Severity::Note));
        check(&["-A", "all", "-D", "deadlock"], Deadlock, Some(Severity::Error));
        check(&["-D", "deadlock", "-A", "all"], Deadlock, None);
        check(&["-D", "lock-timeout,deadlock", "-W", "deadlock"], Deadlock, Some(Severity::Warning));
        check(&["--deny=lock-timeout", "--warn", "deadlock"], LockTimeout, Some(Severity::Error));
    }

    #[test]
    fn flags_win_over_the_configuration() {
        let text = "[lints]\ndeadlock = \"warn\"\nall = \"allow\"\nno-timeout = \"default\"";
        let config = Config::parse(std::path::Path::new("x"), text).expect("a valid file");
        for (arguments, code, expected) in [
            (&[][..], Code::Deadlock, Some(Level::Warn)),
            (&[], Code::LockTimeout, Some(Level::Allow)),
            (&[], Code::NoTimeout, None),
            (&["-D", "all"], Code::Deadlock, Some(Level::Deny)),
            (&["-D", "lock-timeout"], Code::LockTimeout, Some(Level::Deny)),
        ] {
            let command = LintArgs::augment_args(Command::new("check"));
            let matches = command.get_matches_from(std::iter::once("check").chain(arguments.iter().copied()));
            assert_eq!(Levels::new(&matches, &config).level(code), expected, "{arguments:?} {code:?}");
        }
    }

    #[test]
    fn what_is_off_by_default_has_to_be_named() {
        for (arguments, expected) in [
            (&[][..], false),
            (&["-W", "all"], false),
            (&["-W", "no-timeout"], true),
            (&["-D", "no-timeout", "-A", "all"], true),
            (&["-D", "no-timeout", "-A", "no-timeout"], false),
        ] {
            let command = LintArgs::augment_args(Command::new("check"));
            let matches = command.get_matches_from(std::iter::once("check").chain(arguments.iter().copied()));
            assert_eq!(Levels::new(&matches, &Config::default()).asks_for(Code::NoTimeout), expected, "{arguments:?}");
        }
    }
}
