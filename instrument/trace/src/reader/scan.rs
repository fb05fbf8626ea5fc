//! What the file as a whole says of what is there and what is not.

use crate::{Completeness, TraceInfo, stopped};

/// What a look found out about the file as a whole.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) bytes: u64,
    pub(super) lost: u64,
    pub(super) overwritten: u64,
    /// Events of locks whose definitions were overwritten.
    pub(super) outdated: u64,
    pub(super) closed: bool,
    pub(super) clock_pair: Option<(u64, u64)>,
    /// The error that stopped the recording, 0 for none.
    pub(super) stopped: u32,
    pub(super) missing_chunks: u64,
}

impl Scan {
    /// Whether the end is missing.
    pub(super) fn is_truncated(&self) -> bool {
        self.stopped != 0 || self.missing_chunks > 0
    }

    /// What is missing, for people.
    pub(super) fn notes(&self, info: &TraceInfo, alive: bool, completeness: &Completeness) -> Vec<String> {
        let mut notes = Vec::new();
        if self.stopped != 0 {
            let reason = stopped::reason(self.stopped as i32);
            notes.push(format!("recording stopped before the program ended: {reason}"));
        }
        if completeness.lost_events > 0 {
            notes.push(format!("{} events could not be recorded", completeness.lost_events));
        }
        if self.overwritten > 0 {
            notes.push(format!("{} older events were overwritten by newer ones (flight recorder)", self.overwritten));
        }
        if self.outdated > 0 {
            notes.push(format!("{} events from before that are of locks that are not known any more", self.outdated));
        }
        if self.missing_chunks > 0 {
            notes.push(format!("the file is cut off: {} of its chunks are missing", self.missing_chunks));
        }
        if completeness.damaged_bytes > 0 {
            notes.push(format!("{} bytes are damaged and were skipped", completeness.damaged_bytes));
        }
        if !self.closed {
            notes.push(if alive {
                format!("process {} is still writing this trace", info.pid)
            } else {
                "the program did not end in an orderly way; everything it had committed is here".to_owned()
            });
        }
        notes
    }
}
