//! What each lock was used for, and at each place, in sums that do not depend on the order between threads: from one chunk after the other,
//! without merging them.
//!
//! A section says what its thread held when it began, so each chunk is understood on its own (`adder`). Only a wait may end in another chunk than it
//! began in; those ends are put together afterwards. A guard that another thread releases has a hold that is not timed here.

use std::{path::Path, sync::atomic::Ordering};

use super::{
    adder::Adder,
    file::{ChunkFile, Start},
    header::Header,
    input::Input,
};
use crate::{Completeness, Definitions, Error, Histogram, Nanos, TraceInfo};

/// The numbers of one lock. Durations that were not timed are not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockTotals {
    /// Acquisitions.
    pub acquisitions: u64,
    /// Of those, shared ones.
    pub shared: u64,
    /// Times between asking and getting, of acquisitions that had to wait.
    pub wait: Histogram,
    /// Times between getting and releasing.
    pub hold: Histogram,
}

/// The numbers of one place in the source, of whatever locks were taken there. Durations that were not timed are not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteTotals {
    /// Acquisitions.
    pub acquisitions: u64,
    /// Times between asking and getting, of acquisitions that had to wait.
    pub wait: Histogram,
    /// How long what was taken here was held, all together.
    pub hold: Nanos,
    /// The longest hold.
    pub longest_hold: Nanos,
}

/// The numbers of a trace. Memory is bounded by its locks and definitions.
#[derive(Debug)]
pub struct Totals {
    /// Facts about the trace.
    pub info: TraceInfo,
    /// What ids mean.
    pub definitions: Definitions,
    /// By [`LockId`](crate::LockId).
    pub locks: Vec<LockTotals>,
    /// By the index of [`SiteId`](crate::SiteId).
    pub sites: Vec<SiteTotals>,
    /// Events.
    pub events: u64,
    /// Events that the recorder has lost or overwritten.
    pub lost: u64,
    /// Bytes that could not be decoded.
    pub damaged_bytes: u64,
    /// Sentences about what is missing.
    pub notes: Vec<String>,
}

/// Adds up a trace, some hundred million events a second. Of one that is being written, what is there now.
///
/// # Errors
///
/// As [`Reader::open`](super::Reader::open).
pub fn totals(path: &Path) -> Result<Totals, Error> {
    let io = |source| Error::Io { path: path.to_path_buf(), source };
    let file = std::fs::File::open(path).map_err(io)?;
    if file.metadata().map_err(io)?.is_dir() {
        return Err(io(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
    }
    let input = Input::File(file);
    let mut header = Header::read(&input, path)?;
    let mut info = header.info(path, input.len());
    let is_alive = header.writer_is_alive();
    let mut file = ChunkFile::new(input, info.pid, Start::Everything);
    let mut definitions = Definitions::default();
    let (scan, chunks) = file.look(&mut definitions).map_err(io)?;
    info.bytes = scan.bytes;
    header.improve_clock(scan.clock_pair, is_alive);
    let mut adder = Adder::new(&definitions, header.clock());
    for chunk in chunks {
        std::sync::atomic::fence(Ordering::Acquire);
        if let Some(words) = file.read_whole(&chunk).map_err(io)? {
            adder.chunk(words);
        }
    }
    let damaged_bytes = file.damaged() + adder.damaged_words * 8;
    let events = adder.events;
    let (locks, sites) = adder.finish();
    let completeness = Completeness { damaged_bytes, lost_events: scan.lost, ..Completeness::default() };
    let notes = scan.notes(&info, is_alive, &completeness);
    Ok(Totals { info, definitions, locks, sites, events, lost: scan.lost + scan.overwritten, damaged_bytes, notes })
}
