//! A progress bar for long work: on the standard error, only on a terminal, not before half a second, gone at the end.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work shorter than this shows nothing.
const DELAY: Duration = Duration::from_millis(500);

/// Progress of reading one trace.
pub struct Progress {
    started: Instant,
    what: String,
    is_wanted: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Progress of `what`; `is_quiet` shows none.
    pub fn new(what: String, is_quiet: bool) -> Progress {
        let is_wanted = !is_quiet && std::io::stderr().is_terminal();
        Progress { started: Instant::now(), what, is_wanted, bar: None }
    }

    /// Share of the work that is done, 0.0 to 1.0, and events so far.
    pub fn update(&mut self, fraction: f64, events: u64) {
        if !self.is_wanted || self.started.elapsed() < DELAY {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr_with_hz(10));
            let style = ProgressStyle::with_template("{prefix} [{bar:30}] {percent:>3}% {msg} {eta}");
            bar.set_style(style.expect("the template is valid").progress_chars("=> "));
            bar.set_prefix(self.what.clone());
            bar
        });
        bar.set_position((fraction.clamp(0.0, 1.0) * 1000.0) as u64);
        bar.set_message(format!("{events} events"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
