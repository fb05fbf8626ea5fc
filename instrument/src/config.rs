//! Configuration: by [`builder`] in code and by the environment variable `LOCKSCOPE`, which wins.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use crate::finding::Report;

/// What happens when something is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Policy {
    /// Do not look for it.
    Off,
    /// Print a report and go on.
    #[default]
    Report,
    /// Print a report and panic in the thread that found it (only report while it is panicking already).
    Panic,
    /// Print a report and abort the process.
    Abort,
    /// Print a report and end the process with exit status 66, as ThreadSanitizer does.
    Exit,
}

impl Policy {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "off" => Policy::Off,
            "report" => Policy::Report,
            "panic" => Policy::Panic,
            "abort" => Policy::Abort,
            "exit" => Policy::Exit,
            _ => return None,
        })
    }
}

/// Whether and where to record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Record {
    /// No trace.
    #[default]
    Off,
    /// `lockscope-NAME-PID.lks` in the working directory.
    Auto,
    /// This file. `%p` stands for the process id and `%e` for the program's name; without `%p`, when the file
    /// exists, `-PID` is inserted before the extension. Files are never overwritten.
    Path(PathBuf),
}

/// How events are timed in a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Clock {
    /// The clock is read for every event.
    #[default]
    Exact,
    /// The clock is read for one pair of acquisition and release in 16, for the first acquisition of each thread in a millisecond, for what had to
    /// wait, and for holds of two milliseconds and more. All other events have the time of the last one of their thread that has
    /// one: nothing is known of their duration. Costs a fraction of the exact clock; for soaks and for production.
    Coarse,
}

/// When call stacks are captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stacks {
    /// Never; reports name call sites only.
    Off,
    /// When something is seen for the first time: an order of locks, a wait, a finding. A few µs each.
    #[default]
    New,
    /// For every wait as well.
    All,
}

/// Where reports go.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ReportTo {
    /// Standard error.
    #[default]
    Stderr,
    /// Appended to this file, made for the owner only.
    Path(PathBuf),
}

/// Called with every finding, after it was printed and before the policy is carried out.
pub(crate) type Callback = Arc<dyn Fn(&Report) + Send + Sync>;

/// All settings. See [`Builder`] for their meaning.
#[derive(Clone)]
pub(crate) struct Config {
    pub record: Record,
    pub size: Option<u64>,
    pub clock: Clock,
    pub order: Policy,
    pub deadlock: Policy,
    pub rank: Policy,
    pub misuse: Policy,
    pub timeout: Option<Duration>,
    pub on_timeout: Policy,
    pub hierarchy: Option<PathBuf>,
    pub stacks: Stacks,
    pub report: ReportTo,
    pub callback: Option<Callback>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            record: Record::Off,
            size: None,
            clock: Clock::Exact,
            order: Policy::Report,
            deadlock: Policy::Report,
            rank: Policy::Report,
            misuse: Policy::Report,
            timeout: None,
            on_timeout: Policy::Report,
            hierarchy: None,
            stacks: Stacks::New,
            report: ReportTo::Stderr,
            callback: None,
        }
    }
}

/// Starts a configuration in code. Without [`Builder::install`] nothing changes.
///
/// ```
/// lockscope::builder().timeout(std::time::Duration::from_secs(30)).install();
/// ```
pub fn builder() -> Builder {
    Builder { config: Config::default() }
}

/// Settings under construction.
#[derive(Clone)]
#[must_use = "settings take effect with `install`"]
pub struct Builder {
    config: Config,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

impl Builder {
    /// Records a trace (`record=PATH|auto|off`). Default: off.
    pub fn record(mut self, record: Record) -> Self {
        self.config.record = record;
        self
    }

    /// Limits the trace to so many bytes, at least 1 MiB; the oldest events are overwritten (`size=256M`).
    pub fn size(mut self, bytes: u64) -> Self {
        self.config.size = Some(bytes);
        self
    }

    /// How events are timed (`clock=exact|coarse`). Default: exact.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.config.clock = clock;
        self
    }

    /// What to do when two orders of taking locks can deadlock (`order=`). Default: report.
    pub fn order(mut self, policy: Policy) -> Self {
        self.config.order = policy;
        self
    }

    /// What to do when threads are deadlocked, or wait for what will never come (`deadlock=`). Default: report.
    ///
    /// A deadlock over locks, joins and permits is found by the thread that completes it, before it blocks. One that takes anything
    /// else (condition variables, channels, barriers, parking) is found by a thread of lockscope's own, within some
    /// 20 ms to a second. That one cannot panic in a thread that sleeps: where that is asked for it ends the process, as `exit` does. What
    /// is only *potential* is reported, whatever the policy.
    pub fn deadlock(mut self, policy: Policy) -> Self {
        self.config.deadlock = policy;
        self
    }

    /// What to do when a rank is not above the highest rank held (`rank=`). Default: report.
    pub fn rank(mut self, policy: Policy) -> Self {
        self.config.rank = policy;
        self
    }

    /// What to do about misuse of locks and condition variables: spinning on a try, wake-ups that check nothing, poisoned locks,
    /// guards and permits that are leaked (`misuse=`). Default: report.
    pub fn misuse(mut self, policy: Policy) -> Self {
        self.config.misuse = policy;
        self
    }

    /// Reports waits for a lock that take longer, once each (`timeout=30s`). Default: no limit.
    ///
    /// Limits cost a clock reading per acquisition, so that the report can say since when the lock is held.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.config.timeout = Some(limit);
        self
    }

    /// What to do when the limit is exceeded (`on-timeout=`). Default: report, and go on waiting.
    pub fn on_timeout(mut self, policy: Policy) -> Self {
        self.config.on_timeout = policy;
        self
    }

    /// When to capture call stacks (`stacks=off|new|all`). Default: new.
    pub fn stacks(mut self, stacks: Stacks) -> Self {
        self.config.stacks = stacks;
        self
    }

    /// Where reports go (`report=stderr|PATH`). Default: standard error.
    pub fn report(mut self, to: ReportTo) -> Self {
        self.config.report = to;
        self
    }

    /// Ranks from a file (`hierarchy=FILE`): as `lockscope hierarchy` writes it, or one lock a line, outermost first, by its name or by
    /// `FILE:LINE` of its creation; `#` begins a comment. Ranks given in code win.
    pub fn hierarchy(mut self, file: PathBuf) -> Self {
        self.config.hierarchy = Some(file);
        self
    }

    /// Calls back with every finding. Locks that the callback takes are not checked or recorded.
    pub fn on_finding(mut self, callback: impl Fn(&Report) + Send + Sync + 'static) -> Self {
        self.config.callback = Some(Arc::new(callback));
        self
    }

    /// Puts the settings into force; what `LOCKSCOPE` says wins over them. Call it first in `main`: locks used before are
    /// known to a trace by number only.
    ///
    /// In builds where lockscope is off this does nothing.
    pub fn install(self) {
        if crate::IS_ON {
            crate::rt::install(self.config);
        }
    }
}

/// Settings from the text of `LOCKSCOPE`, on top of `config`; every complaint is a sentence, and leaves that key as it was.
pub(crate) fn apply_environment(text: &str, config: &mut Config) -> Vec<String> {
    let mut complaints = Vec::new();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        if item == "off" {
            config.record = Record::Off;
            [config.order, config.deadlock, config.rank, config.misuse] = [Policy::Off; 4];
            config.timeout = None;
            continue;
        }
        let Some((key, value)) = item.split_once('=') else {
            complaints.push(format!("`{item}` is not a setting; expected key=value (keys: {KEYS})"));
            continue;
        };
        if let Err(expected) = set(config, key, value) {
            complaints.push(match expected {
                Some(expected) => format!("`{value}` is not a value for `{key}`; expected {expected}"),
                None => format!("there is no key `{key}`; keys are {KEYS}"),
            });
        }
    }
    complaints
}

const KEYS: &str = "record, size, clock, order, deadlock, rank, misuse, timeout, on-timeout, hierarchy, stacks, report";

/// Sets one key. The error is what was expected, `None` for an unknown key.
fn set(config: &mut Config, key: &str, value: &str) -> Result<(), Option<&'static str>> {
    const POLICIES: Option<&str> = Some("off, report, panic, abort or exit");
    let policy = || Policy::parse(value).ok_or(POLICIES);
    match key {
        "record" => {
            config.record = match value {
                "off" => Record::Off,
                "auto" => Record::Auto,
                "" => return Err(Some("a path, auto or off")),
                path => Record::Path(path.into()),
            }
        }
        "size" => config.size = Some(parse_size(value).ok_or(Some("bytes with K, M or G, such as 256M"))?),
        "clock" => {
            config.clock = match value {
                "exact" => Clock::Exact,
                "coarse" => Clock::Coarse,
                _ => return Err(Some("exact or coarse")),
            }
        }
        "order" => config.order = policy()?,
        "deadlock" => config.deadlock = policy()?,
        "rank" => config.rank = policy()?,
        "misuse" => config.misuse = policy()?,
        "on-timeout" => config.on_timeout = policy()?,
        "timeout" if value == "off" => config.timeout = None,
        "timeout" => config.timeout = Some(parse_duration(value).ok_or(Some("a time such as 30s or 500ms, or off"))?),
        "hierarchy" => config.hierarchy = Some(value.into()),
        "stacks" => {
            config.stacks = match value {
                "off" => Stacks::Off,
                "new" => Stacks::New,
                "all" => Stacks::All,
                _ => return Err(Some("off, new or all")),
            }
        }
        "report" => {
            config.report = match value {
                "stderr" => ReportTo::Stderr,
                "" => return Err(Some("stderr or a path")),
                path => ReportTo::Path(path.into()),
            }
        }
        _ => return Err(None),
    }
    Ok(())
}

/// `30s`, `1.5s`, `500ms`, `20us`, `2m`; above zero.
fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, unit) = text.split_at(digits);
    let scale = match unit.trim() {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        _ => return None,
    };
    let duration = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * scale).ok()?;
    (!duration.is_zero()).then_some(duration)
}

/// `4096`, `64K`, `256M`, `1G`, with an optional `B` or `iB`; above zero.
fn parse_size(text: &str) -> Option<u64> {
    let upper = text.trim().to_ascii_uppercase();
    let text = upper.strip_suffix("IB").or_else(|| upper.strip_suffix('B')).unwrap_or(&upper);
    let (number, shift) = match text.as_bytes().last()? {
        b'K' => (&text[..text.len() - 1], 10),
        b'M' => (&text[..text.len() - 1], 20),
        b'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift).filter(|&bytes| bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, complaint: &str) -> Config {
        let mut config = Config::default();
        let complaints = apply_environment(text, &mut config);
        assert_eq!(complaints.join("; "), complaint);
        config
    }

    #[test]
    fn good_values_are_taken() {
        let config = check(
            "record=auto, size=256M,clock=coarse,order=panic,deadlock=exit,timeout=1.5s,stacks=all,report=/tmp/r",
            "",
        );
        assert_eq!(config.record, Record::Auto);
        assert_eq!(config.size, Some(256 << 20));
        assert_eq!(config.clock, Clock::Coarse);
        assert_eq!((config.order, config.deadlock, config.rank), (Policy::Panic, Policy::Exit, Policy::Report));
        assert_eq!(config.timeout, Some(Duration::from_millis(1500)));
        assert_eq!(config.stacks, Stacks::All);
        assert_eq!(config.report, ReportTo::Path("/tmp/r".into()));
        assert_eq!(check("off", "").order, Policy::Off);
    }

    #[test]
    fn bad_values_are_named_and_leave_the_default() {
        let config =
            check("order=maybe", "`maybe` is not a value for `order`; expected off, report, panic, abort or exit");
        assert_eq!(config.order, Policy::Report);
        check("timeout=30", "`30` is not a value for `timeout`; expected a time such as 30s or 500ms, or off");
        check("timeout=0s", "`0s` is not a value for `timeout`; expected a time such as 30s or 500ms, or off");
        check("size=12Q", "`12Q` is not a value for `size`; expected bytes with K, M or G, such as 256M");
        check("colour=red", &format!("there is no key `colour`; keys are {KEYS}"));
        check("verbose", &format!("`verbose` is not a setting; expected key=value (keys: {KEYS})"));
    }
}
