//! RAPID STD: a text trace, one event per line, `thread|op(operand)|loc`.
//!
//! [`line`] is the grammar, as RAPID reads it, with `req`, `wait` and `notify` as other recorders write them, and
//! `rreq`, `racq`, `rrel` for read-write locks. [`rules`] is what a well-formed trace does. Times are event numbers.

mod line;
mod names;
mod rules;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use lockscope_trace::{
    Completeness, Definitions, Error, Event, EventSource, Gap, Progress, ThreadId, TraceInfo, source::Place,
};

use self::rules::Rules;
use super::{
    Options,
    lines::{Lines, Next},
};

/// Most events delivered by one poll.
const BATCH: usize = 1 << 14;

/// A trace in RAPID's text format.
pub(super) struct Rapid {
    lines: Lines,
    rules: Rules,
    info: TraceInfo,
    completeness: Completeness,
    lenient: bool,
    /// Bytes of the file that were read, before decompression.
    consumed: Arc<AtomicU64>,
}

impl Rapid {
    pub(super) fn new(
        path: &Path,
        lines: Lines,
        bytes: u64,
        compressed: bool,
        consumed: Arc<AtomicU64>,
        options: &Options,
    ) -> Self {
        let info = TraceInfo {
            path: path.to_path_buf(),
            format: if compressed { "RAPID STD, gzipped" } else { "RAPID STD" }.to_owned(),
            pid: 0,
            executable: String::new(),
            command: Vec::new(),
            started: Duration::ZERO,
            clock: "none",
            coarse: None,
            bytes,
            has_times: false,
            has_waits: false,
        };
        Rapid {
            lines,
            rules: Rules::default(),
            info,
            completeness: Completeness::default(),
            lenient: options.lenient,
            consumed,
        }
    }

    /// Passes over a broken rule: something must be missing from the recording.
    fn note(&mut self, thread: ThreadId, what: String) {
        const MOST_GAPS: usize = 100;
        self.completeness.gap_count += 1;
        if self.completeness.gaps.len() < MOST_GAPS {
            self.completeness.gaps.push(Gap { event: self.lines.number(), thread, what });
        }
        let count = self.completeness.gap_count;
        let lines = if count == 1 { "line contradicts" } else { "lines contradict" };
        self.completeness.notes = vec![format!("{count} {lines} what came before; events must be missing")];
    }

    fn error(&self, kind: &'static str, message: String) -> Error {
        let help = match kind {
            "syntax" => "a line is `thread|operation(operand)|location`, with a whole number as location",
            "lock-held" => {
                "a lock is acquired again only after its release: the recording is wrong or lines are missing"
            }
            "release-unheld" => "a lock is released by the thread that acquired it: the acquisition is missing above",
            "fork-existing" => "a thread is forked once, before its first event",
            "event-after-join" | "join-self" => "a join comes after the last event of the thread that it names",
            _ => "",
        };
        Error::Format {
            path: self.info.path.clone(),
            place: Place::Line(self.lines.number()),
            kind,
            message,
            help: help.to_owned(),
        }
    }
}

impl EventSource for Rapid {
    fn info(&self) -> &TraceInfo {
        &self.info
    }

    fn definitions(&self) -> &Definitions {
        &self.rules.definitions
    }

    fn poll(&mut self, out: &mut Vec<Event>) -> Result<Progress, Error> {
        for _ in 0..BATCH {
            let next =
                self.lines.next().map_err(|error| super::read_error(&self.info.path, error, self.lines.number()))?;
            let (start, end) = match next {
                Next::Line(start, end) => (start, end),
                Next::TooLong => return Err(self.error("syntax", "the line is too long for an event".to_owned())),
                Next::End => return Ok(Progress::Ended),
            };
            let line = match line::parse(self.lines.line(start, end)) {
                Ok(line) => line,
                Err(message) => return Err(self.error("syntax", message)),
            };
            let (event, broken) = self.rules.event(self.lines.number(), &line);
            match broken {
                Some((kind, message)) if !self.lenient => return Err(self.error(kind, message)),
                Some((_, message)) => self.note(event.thread, message),
                None => {}
            }
            out.push(event);
            self.info.has_waits = self.rules.requests_seen;
        }
        Ok(Progress::More)
    }

    fn fraction_read(&self) -> f64 {
        if self.info.bytes == 0 { 1.0 } else { (self.consumed.load(Relaxed) as f64 / self.info.bytes as f64).min(1.0) }
    }

    fn completeness(&self) -> &Completeness {
        &self.completeness
    }
}
