//! Reads a `.lks` file, finished or still being written, into one order.
//!
//! `file` copies newly committed records out of the file; `stream` turns the records of one thread into events;
//! `merge` interleaves the threads. The same steps serve a file at rest and one that grows: polling copies what has been
//! committed since, and an event whose predecessor is not there yet waits for the next poll.
//!
//! Nothing in the file is trusted: lengths are checked against what was read, and ids against what was defined. Records are copied as the
//! merge gets there, so memory is bounded by the definitions and, for each thread, two chunks or so; from a flight recorder also what all
//! threads write in a twentieth of a second. Where a file is damaged, what waits for what is missing stays in memory: at most the file.

mod adder;
mod definitions;
mod file;
mod head;
mod header;
mod input;
mod lock_state;
mod merge;
mod objects;
mod scan;
mod scout;
mod slots;
mod stream;
mod totals;
mod winners;

use std::{fs::File, path::Path};

use crate::{Completeness, Definitions, Error, Event, EventSource, Nanos, Progress, TraceInfo};

use self::{
    file::{ChunkFile, Start},
    header::Header,
    input::Input,
    merge::Merge,
    scan::Scan,
};

pub use self::{
    header::run_of,
    totals::{LockTotals, SiteTotals, Totals, totals},
};

/// Most events delivered by one [`EventSource::poll`]. So many that what a call costs does not count, and so few that the caller finds them
/// in its processor's cache.
const BATCH: usize = 1 << 12;

/// Most words of a flight recorder that may wait for others, before these are given up for lost: 32 MiB.
const MOST_WAITING: u64 = 4 << 20;

/// How much earlier than it was an event's time may be, where clocks of processors differ, or a thread was interrupted between looking at the
/// clock and taking a chunk.
const SLACK: Nanos = Nanos(1_000_000);
/// The same before something is said to be lost.
const SLACK_BEFORE_LOSS: Nanos = Nanos(50_000_000);

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
        Self::open_from(path, Start::Everything)
    }

    /// Opens a trace to see what is going on now, and what will: of what there is already only what each thread has written last is read, some
    /// thousand events of each, whatever the size of the file. Otherwise this is as with a flight recorder that has overwritten the rest: what a
    /// thread held before comes as acquisitions with a count of 0, and counts go on from where they are.
    ///
    /// # Errors
    ///
    /// As [`Reader::open`].
    pub fn open_at_end(path: &Path) -> Result<Self, Error> {
        Self::open_from(path, Start::Latest { is_begun: false })
    }

    fn open_from(path: &Path, start: Start) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.is_dir() {
            return Err(io(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
        }
        Self::new(Input::File(file), path, start)
    }

    /// Reads a trace that is in memory; `path` is what errors call it.
    ///
    /// # Errors
    ///
    /// As [`Reader::open`].
    pub fn from_bytes(bytes: Vec<u8>, path: &Path) -> Result<Self, Error> {
        Self::new(Input::Bytes(bytes), path, Start::Everything)
    }

    fn new(input: Input, path: &Path, start: Start) -> Result<Self, Error> {
        let header = Header::read(&input, path)?;
        let info = header.info(path, input.len());
        let file = ChunkFile::new(input, info.pid, start);
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

    /// Bytes of records that were copied out of the file and are not delivered yet.
    pub fn waiting_bytes(&self) -> u64 {
        self.merge.waiting_words() * 8
    }

    /// Looks at what was committed since the last time.
    fn look(&mut self) -> Result<(), Error> {
        // Asked before the file: whatever an ended process has written is then seen below.
        let alive = self.header.writer_is_alive();
        let scan = self
            .file
            .begin_round(&mut self.defs, &mut self.merge, alive)
            .map_err(|source| Error::Io { path: self.info.path.clone(), source })?;
        self.info.bytes = scan.bytes;
        self.header.improve_clock(scan.clock_pair, alive);
        let slack = if self.merge.is_overwritten() { SLACK_BEFORE_LOSS } else { SLACK };
        self.merge.set_clock(self.header.clock(), self.header.ticks(slack));
        self.merge.note_stopped(scan.stopped != 0);
        self.ended = !alive;
        self.completeness.unclosed = !scan.closed;
        self.scan = scan;
        Ok(())
    }

    fn copy_next(&mut self) -> Result<bool, Error> {
        let copied = self.file.copy_next(&mut self.defs, &mut self.merge);
        copied.map_err(|source| Error::Io { path: self.info.path.clone(), source })
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
        let consumed = self.merge.consumed_words();
        match consumed + self.merge.waiting_words() + self.file.words_to_copy() {
            0 => 0.0,
            all => consumed as f64 / all as f64,
        }
    }

    fn completeness(&self) -> &Completeness {
        &self.completeness
    }
}

impl Reader {
    fn deliver(&mut self, out: &mut Vec<Event>, limit: usize) -> Result<Progress, Error> {
        let before = out.len();
        let mut n_looks = 0;
        loop {
            self.merge.run(&self.defs, out, limit, self.file.horizon());
            if out.len() >= limit {
                return Ok(Progress::More);
            }
            // What is damaged would keep all that waits for it.
            let has_too_much = || self.merge.is_overwritten() && self.merge.waiting_words() > MOST_WAITING;
            if self.merge.is_stalled() && has_too_much() && self.merge.release_one_parked() || self.copy_next()? {
                continue;
            }
            // All that the last look had found was copied.
            if out.len() > before {
                return Ok(Progress::More);
            }
            if self.ended {
                self.merge.note_nothing_follows();
                self.merge.run(&self.defs, out, limit, u64::MAX);
                return Ok(if out.len() > before { Progress::More } else { Progress::Ended });
            }
            // Only the second look shows that what something waits for was overwritten.
            let waits = self.merge.is_overwritten() && self.merge.waiting_words() > 0;
            if n_looks > u32::from(waits) {
                return Ok(Progress::CaughtUp);
            }
            self.look()?;
            n_looks += 1;
        }
    }

    fn update_completeness(&mut self) {
        self.completeness.gaps.clone_from(&self.merge.gaps.first);
        self.completeness.gap_count = self.merge.gaps.count;
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
