//! Traces in the formats of other tools.
//!
//! [`spans`] turns events into slices of time: waits and holds of each thread, holders of each lock, and the arrows from a release to the
//! wait that it ended. [`chrome`] and [`perfetto`] write these. [`folded`] adds up waits by stack, [`rapid`] writes the text
//! format of the research tools, [`jsonl`] every event as it is, and so does `parquet`, with the feature of that name.
//!
//! All of them stream: memory is bounded by threads, locks and distinct stacks, not by events.

pub mod chrome;
pub mod folded;
pub mod jsonl;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod perfetto;
pub mod rapid;
pub mod spans;
#[cfg(test)]
mod tests;

use std::io;

use lockscope_trace::{Definitions, Event, LockId, Nanos, ThreadId};

/// Where a slice is drawn. Slices of one track never overlap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Track {
    /// A thread and what it waits for.
    Thread(ThreadId),
    /// What a thread holds: a track for each hold that it has at the same time.
    Holds(ThreadId, u32),
    /// Who holds a lock: a track for each reader at the same time.
    Lock(LockId, u32),
}

/// A span of time on a track.
#[derive(Clone, PartialEq, Debug)]
pub struct Slice {
    /// Where it is drawn.
    pub track: Track,
    /// `wait` or `hold`.
    pub category: &'static str,
    /// What it says.
    pub name: String,
    /// From.
    pub start: Nanos,
    /// To; not before `start`.
    pub end: Nanos,
    /// Further facts, by name.
    pub facts: Vec<(&'static str, String)>,
    /// An arrow may begin at its end: the number of the event that released the lock.
    pub arrow_from: Option<u64>,
}

/// An arrow from the end of one slice to another.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Arrow {
    /// What [`Slice::arrow_from`] said.
    pub id: u64,
    /// The track of the slice where it begins.
    pub from: Track,
    /// When that one ended.
    pub start: Nanos,
}

/// A format that is made of slices.
pub trait Sink {
    /// Calls a track by a name. Comes before anything is on it, once.
    fn track(&mut self, track: Track, name: &str) -> io::Result<()>;

    /// A slice, complete; `arrow` ends at it.
    fn slice(&mut self, slice: &Slice, arrow: Option<Arrow>) -> io::Result<()>;

    /// Something that has no duration.
    fn instant(&mut self, track: Track, name: &str, at: Nanos) -> io::Result<()>;

    /// After the last one.
    fn finish(&mut self) -> io::Result<()>;
}

/// A format that takes events as they come.
pub trait Exporter {
    /// The next event, by number from 1.
    fn event(&mut self, position: u64, event: &Event, defs: &Definitions) -> io::Result<()>;

    /// After the last one. Returns what could not be written, a sentence each.
    fn finish(&mut self, defs: &Definitions) -> io::Result<Vec<String>>;
}
