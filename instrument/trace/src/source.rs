//! Where events come from: a recorded file, a growing file, or a foreign trace, all behind one interface.

use std::{fmt, io, path::PathBuf, time::Duration};

use crate::{
    defs::Definitions,
    event::Event,
    ids::{Nanos, ThreadId},
};

/// How far a source has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// There is more; call again.
    More,
    /// Everything written so far was delivered; the writer is alive and may write more.
    CaughtUp,
    /// Everything was delivered and nothing more will come.
    Ended,
}

/// What produces events in one order that respects every thread and every lock.
pub trait EventSource {
    /// Facts about the trace as a whole.
    fn info(&self) -> &TraceInfo;

    /// What ids mean. Complete for every event delivered so far.
    fn definitions(&self) -> &Definitions;

    /// Appends the next events to `out`, at most a few ten thousand a call, so that callers can show progress.
    fn poll(&mut self, out: &mut Vec<Event>) -> Result<Progress, Error>;

    /// Share of the input that was read, 0.0 to 1.0, for progress bars.
    fn fraction_read(&self) -> f64;

    /// What is missing from the events delivered so far.
    fn completeness(&self) -> &Completeness;
}

/// Facts about a trace as a whole. Texts are free of control characters.
#[derive(Clone, Debug, Default)]
pub struct TraceInfo {
    /// Where it was read from, as given.
    pub path: PathBuf,
    /// `lockscope trace, version 1.0`, `RAPID STD`.
    pub format: String,
    /// Process id, 0 when unknown.
    pub pid: u32,
    /// Executable of the traced process, empty when unknown.
    pub executable: String,
    /// Command line of the traced process.
    pub command: Vec<String>,
    /// Start of the recording, since the Unix epoch.
    pub started: Duration,
    /// The clock that times were read from: `tsc`, `monotonic`, or `none` (times are event numbers).
    pub clock: &'static str,
    /// When the clock was not read for every event: by how much the time of one may be too early at most, as long as the recorder gets
    /// its turn.
    pub coarse: Option<Nanos>,
    /// Size of the input in bytes.
    pub bytes: u64,
    /// Whether events carry times.
    pub has_times: bool,
    /// Whether waits are recorded, so that blocked threads can be told from running ones.
    pub has_waits: bool,
}

impl TraceInfo {
    /// What is to be known about times that are not exact, in a sentence.
    pub fn about_times(&self) -> Option<String> {
        let coarse = self.coarse?;
        Some(format!(
            "recorded by the coarse clock: waits and long holds are exact, of all others one in 16; other times may be {coarse} too early"
        ))
    }
}

/// What a reader could not deliver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completeness {
    /// Events that the recorder counted as lost.
    pub lost_events: u64,
    /// Bytes that could not be decoded.
    pub damaged_bytes: u64,
    /// Places where the order had to be taken from clocks because events of a lock are missing.
    pub gaps: Vec<Gap>,
    /// How many gaps there were; `gaps` holds the first hundred.
    pub gap_count: u64,
    /// First time from which everything is there; 0 when nothing was overwritten.
    pub complete_from: Nanos,
    /// Sentences for people: what is missing and why.
    pub notes: Vec<String>,
    /// The end is missing: the file was cut off, or recording stopped before the program ended.
    pub truncated: bool,
    /// The writing process ended without closing the trace (killed, or still running).
    pub unclosed: bool,
}

impl Completeness {
    /// Whether events are known to be missing. A trace of a killed process is complete up to its last event.
    pub fn is_complete(&self) -> bool {
        !self.truncated
            && self.lost_events == 0
            && self.damaged_bytes == 0
            && self.gap_count == 0
            && self.complete_from == Nanos(0)
    }
}

/// A place where events are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Position in the merged order, from 1.
    pub event: u64,
    /// The thread whose event was delivered without its predecessors.
    pub thread: ThreadId,
    /// What is missing, in words.
    pub what: String,
}

/// Why a trace could not be read.
#[derive(Debug)]
pub enum Error {
    /// The operating system refused.
    Io {
        /// File.
        path: PathBuf,
        /// Its error.
        source: io::Error,
    },
    /// The content is not a trace, or not one that this version can read.
    Format {
        /// File.
        path: PathBuf,
        /// Byte offset, or line from 1 for text.
        place: Place,
        /// Stable kebab-case kind: `empty`, `foreign`, `newer-version`, `truncated`, `syntax`, ...
        kind: &'static str,
        /// What is wrong.
        message: String,
        /// What to try.
        help: String,
    },
}

/// A place in an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Offset in bytes.
    Byte(u64),
    /// Line from 1.
    Line(u64),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { path, source } => write!(f, "cannot read {}: {source}", path.display()),
            Error::Format { path, place, message, .. } => match place {
                Place::Byte(offset) => write!(f, "{}: byte {offset}: {message}", path.display()),
                Place::Line(line) => write!(f, "{}:{line}: {message}", path.display()),
            },
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            Error::Format { .. } => None,
        }
    }
}

impl Error {
    /// What to try, empty when there is no advice.
    pub fn help(&self) -> &str {
        match self {
            Error::Io { .. } => "",
            Error::Format { help, .. } => help,
        }
    }
}
