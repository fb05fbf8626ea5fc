//! Reads a `.lks` file, finished or still being written, into one order.
//!
//! `file` copies newly committed records out of the file; `stream` turns the records of one thread into events;
//! `merge` interleaves the threads. The same steps serve a file at rest and one that grows: polling copies what has been
//! committed since, and an event whose predecessor is not there yet waits for the next poll.
//!
//! Nothing in the file is trusted: lengths are checked against what was read, ids against what was defined, and memory is
//! bounded by the size of the file.

mod definitions;
mod file;
mod head;
mod header;
mod lock_state;
mod merge;
mod objects;
mod stream;
mod totals;
mod winners;

use std::{fs::File, path::Path};

use crate::{Completeness, Definitions, Error, Event, EventSource, Nanos, Progress, TraceInfo};

use self::{
    file::{ChunkFile, Input, Scan},
    header::Header,
    merge::{Merge, Missing},
};

pub use self::{
    header::run_of,
    totals::{LockTotals, Totals, totals},
};

/// Most events delivered by one [`EventSource::poll`]. So many that what a call costs does not count, and so few that the caller finds them
/// in its processor's cache.
const BATCH: usize = 1 << 12;

/// Most words that may wait for others that can still come, before these are given up for lost: 32 MiB.
const MOST_WAITING: u64 = 4 << 20;

/// A trace in the format of this crate.
#[derive(Debug)]
pub struct Reader {
    file: ChunkFile,
    header: Header,
    info: TraceInfo,
    defs: Definitions,
    merge: Merge,
    completeness: Completeness,
    /// What the last look at the file found.
    scan: Scan,
    ended: bool,
}

impl Reader {
    /// Opens a trace.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be read; [`Error::Format`] when it is not a trace of this format (`foreign`), is
    /// empty (`empty`), ends within its header (`truncated`), has a newer major version (`newer-version`), or was
    /// created but never begun (`unfinished`).
    pub fn open(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.is_dir() {
            return Err(io(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
        }
        Self::new(Input::File(file), path)
    }

    /// Reads a trace that is in memory; `path` is what errors call it.
    ///
    /// # Errors
    ///
    /// As [`Reader::open`].
    pub fn from_bytes(bytes: Vec<u8>, path: &Path) -> Result<Self, Error> {
        Self::new(Input::Bytes(bytes), path)
    }

    fn new(input: Input, path: &Path) -> Result<Self, Error> {
        let header = Header::read(&input, path)?;
        let info = header.info(path, input.len());
        let file = ChunkFile::new(input, info.pid);
        Ok(Self {
            file,
            header,
            info,
            defs: Definitions::default(),
            merge: Merge::default(),
            completeness: Completeness::default(),
            scan: Scan::default(),
            ended: false,
        })
    }

    /// Copies what was committed since the last time. Returns whether there was anything.
    fn refill(&mut self) -> Result<bool, Error> {
        // Looked at before the file: whatever an ended process has written is then seen below.
        let alive = self.header.writer_is_alive();
        let scan = self
            .file
            .scan(&mut self.defs, &mut self.merge)
            .map_err(|source| Error::Io { path: self.info.path.clone(), source })?;
        self.info.bytes = scan.bytes;
        self.header.improve_clock(scan.clock_pair, alive);
        self.merge.set_clock(self.header.clock());
        self.merge.note_stopped(scan.stopped != 0);
        self.ended = !alive;
        self.completeness.unclosed = !scan.closed;
        self.merge.note_overwritten(scan.overwritten > 0);
        let new_data = scan.new_data;
        self.scan = scan;
        Ok(new_data)
    }
}

impl EventSource for Reader {
    fn info(&self) -> &TraceInfo {
        &self.info
    }

    fn definitions(&self) -> &Definitions {
        &self.defs
    }

    fn poll(&mut self, out: &mut Vec<Event>) -> Result<Progress, Error> {
        let limit = out.len() + BATCH;
        let progress = self.deliver(out, limit)?;
        self.update_completeness();
        Ok(progress)
    }

    fn fraction_read(&self) -> f64 {
        self.merge.fraction_delivered()
    }

    fn completeness(&self) -> &Completeness {
        &self.completeness
    }
}

impl Reader {
    fn deliver(&mut self, out: &mut Vec<Event>, limit: usize) -> Result<Progress, Error> {
        let before = out.len();
        self.merge.run(&self.defs, out, limit, Missing::MayCome);
        // Who cannot follow a flight recorder would keep all that waits for what was overwritten meanwhile.
        if out.len() == before && self.merge.is_overwritten() && self.merge.waiting_words() > MOST_WAITING {
            self.merge.run(&self.defs, out, limit, Missing::IsLost);
        }
        if out.len() == before && !self.ended {
            self.refill()?;
            self.merge.run(&self.defs, out, limit, Missing::MayCome);
            // In a flight recorder predecessors were overwritten, and waiting for them would be for ever.
            if out.len() == before && self.merge.is_overwritten() {
                self.merge.run(&self.defs, out, limit, Missing::IsLost);
            }
            if out.len() == before && !self.ended {
                return Ok(Progress::CaughtUp);
            }
        }
        if out.len() == before {
            self.merge.run(&self.defs, out, limit, Missing::AndNothingFollows);
        }
        Ok(if out.len() > before { Progress::More } else { Progress::Ended })
    }

    fn update_completeness(&mut self) {
        self.completeness.gaps.clone_from(&self.merge.gaps);
        self.completeness.gap_count = self.merge.gap_count;
        // In a flight recorder what names a lock that is not defined any more is older than what it keeps.
        let outdated = if self.scan.overwritten > 0 { self.merge.undefined_events } else { 0 };
        self.completeness.lost_events = self.scan.lost + self.merge.undefined_events - outdated;
        self.completeness.truncated = self.scan.is_truncated();
        self.completeness.complete_from = self.merge.complete_from.unwrap_or(Nanos(0));
        self.completeness.damaged_bytes = self.file.damaged() + self.merge.damaged_bytes;
        self.scan.outdated = outdated;
        self.completeness.notes = self.scan.notes(&self.info, !self.ended, &self.completeness);
    }
}
