//! What counts as a finding too many: lint levels, what is suppressed, what is known, and from which severity on it is a failure.
//!
//! Flags win over the configuration files, which win over the defaults.

use std::path::PathBuf;

use clap::{ArgMatches, Args, ValueEnum, ValueHint};
use lockscope_analyzer::finding::{Finding, Severity};
use lockscope_trace::Definitions;

use crate::{
    cli::{
        Failure,
        baseline::Baseline,
        lint::Levels,
        report::rows::{self, FINDING_KEYS},
        suppress::Suppressions,
    },
    config::Config,
    filter::{self, Filter},
};

/// Options that decide between success and failure.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Findings")]
pub struct VerdictArgs {
    /// The least severity that makes the exit code 1: error, warning, note or never [default: error]
    #[arg(long, value_enum, value_name = "SEVERITY", hide_possible_values = true)]
    pub fail_on: Option<FailOn>,
    /// Make an incomplete trace a failure (exit code 4)
    #[arg(long)]
    pub strict: bool,
    /// Do not report findings that this file knows
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,
    /// Write all findings to the baseline, and report those that are new to it
    #[arg(long)]
    pub update_baseline: bool,
    /// Do not report findings that an entry of this file fits; entries that fit none are named
    ///
    /// A TOML file of [[suppress]] tables, each with `reason`, and `match` (a filter as in `show --filter`, with the keys code, title,
    /// sev, conf, thread, lock, site and count) or `fingerprint` or both.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub suppressions: Option<PathBuf>,
    /// Report only findings that fit, as code:deadlock, lock:audit, sev>=warning; only these decide the exit code
    ///
    /// The language of `show --filter`, with the keys code, title, sev, conf, thread, lock, site and count. How many do not fit is
    /// said in the summary.
    #[arg(long, value_name = "FILTER", default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    pub filter: Filter,
}

/// Which findings count as failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum FailOn {
    /// Errors
    #[default]
    Error,
    /// Warnings and errors
    Warning,
    /// Everything
    Note,
    /// Nothing
    Never,
}

impl FailOn {
    /// Whether a finding is one too many.
    pub fn applies(self, finding: &Finding) -> bool {
        match self {
            FailOn::Error => finding.severity >= Severity::Error,
            FailOn::Warning => finding.severity >= Severity::Warning,
            FailOn::Note => true,
            FailOn::Never => false,
        }
    }
}

/// A finding that is not reported as one.
#[derive(Clone, Debug, PartialEq)]
pub struct Hidden {
    /// It.
    pub finding: Finding,
    /// Who said so, and why.
    pub why: Why,
}

/// Why a finding is hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The baseline knows it.
    Known,
    /// A suppression fits, which gives this reason.
    Suppressed(String),
}

/// All rules that apply to a run of the program.
#[derive(Debug, Default)]
pub struct Rules {
    /// Lint levels.
    pub levels: Levels,
    /// What counts as failure.
    pub fail_on: FailOn,
    /// An incomplete trace is a failure.
    pub strict: bool,
    suppressions: Suppressions,
    baseline: Option<Baseline>,
    filter: Filter,
}

impl Rules {
    /// The rules of arguments and configuration.
    pub fn new(args: &VerdictArgs, matches: &ArgMatches, config: &Config) -> Result<Rules, Failure> {
        // A key that findings do not have would keep nothing, and look like a good result.
        filter::parse_for(&args.filter.to_string(), FINDING_KEYS)
            .map_err(|error| Failure::usage(format!("--filter: {error}"), ""))?;
        let from_config = config.text("check", "fail-on").and_then(|word| FailOn::from_str(word, false).ok());
        let named = |flag: &Option<PathBuf>, key: &str| {
            let set = config.text("check", key).is_some_and(|path| !path.is_empty());
            flag.clone().or_else(|| config.path("check", key).filter(|_| set))
        };
        let suppressions = match named(&args.suppressions, "suppressions") {
            Some(path) => Suppressions::read(&path)?,
            None => Suppressions::default(),
        };
        let baseline = match named(&args.baseline, "baseline") {
            Some(path) => Some(Baseline::read(&path, args.update_baseline)?),
            None if args.update_baseline => {
                let help = "--baseline FILE names it, and so does `baseline` in [check] of lockscope.toml";
                return Err(Failure::usage("--update-baseline needs a file", help));
            }
            None => None,
        };
        Ok(Rules {
            levels: Levels::new(matches, config),
            fail_on: args.fail_on.or(from_config).unwrap_or_default(),
            strict: args.strict || config.flag("check", "strict").unwrap_or(false),
            suppressions,
            baseline,
            filter: args.filter.clone(),
        })
    }

    /// Applies them: findings to report, findings that are hidden, and how many lint levels turned off.
    pub fn apply(&self, defs: &Definitions, findings: Vec<Finding>) -> (Vec<Finding>, Vec<Hidden>, usize) {
        let (findings, n_allowed) = self.levels.apply(findings);
        let (mut kept, mut hidden) = (Vec::new(), Vec::new());
        for finding in findings {
            let why = self.suppressions.reason(defs, &finding).map(Why::Suppressed);
            let is_known = || self.baseline.as_ref().is_some_and(|baseline| baseline.knows(&finding));
            match why.or_else(|| is_known().then_some(Why::Known)) {
                Some(why) => hidden.push(Hidden { finding, why }),
                None => kept.push(finding),
            }
        }
        (kept, hidden, n_allowed)
    }

    /// Takes away findings that the filter does not keep, which count for nothing; how many.
    pub fn filter(&self, defs: &Definitions, findings: &mut Vec<Finding>) -> usize {
        let n_before = findings.len();
        if !self.filter.is_empty() {
            findings.retain(|finding| self.filter.keeps(&rows::finding(defs, finding, None)));
        }
        n_before - findings.len()
    }

    /// Once all traces were checked: writes the baseline where that is asked for, and says what is to be said of suppressions and
    /// known findings that fit nothing any more.
    pub fn finish(&self) -> Result<Vec<String>, Failure> {
        let mut remarks = self.suppressions.unused();
        if let Some(baseline) = &self.baseline {
            remarks.extend(baseline.finish()?);
        }
        Ok(remarks)
    }
}
