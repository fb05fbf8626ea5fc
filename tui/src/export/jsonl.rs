//! Every event as a line of JSON, version 1; `tui/schema/events-1.json` describes it.
//!
//! Fields that an event does not have are left out.

use std::io::{self, Write};

use lockscope_analyzer::finding::Target;
use lockscope_trace::{Access, Definitions, Event, How, Op, ThreadId};
use serde::Serialize;

use super::Exporter;
use crate::cli::{report::phrase, show::events};

/// Version of the format.
const VERSION: u32 = 1;

/// Writes the format.
pub struct Jsonl<W> {
    out: W,
    has_times: bool,
}

impl<W: Write> Jsonl<W> {
    /// Begins a file.
    pub fn new(out: W, has_times: bool) -> Jsonl<W> {
        Jsonl { out, has_times }
    }
}

/// A line. The columns of the Parquet file are the same.
#[derive(Serialize, Default, Debug, Clone, PartialEq)]
pub struct Line {
    /// Version of the format.
    pub version: u32,
    /// Number of the event, from 1.
    pub event: u64,
    /// When, in nanoseconds since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_ns: Option<u64>,
    /// Handle of the thread.
    pub thread: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_name: Option<String>,
    /// What it did.
    pub op: &'static str,
    /// The same in words, as `show events` says it.
    pub what: String,
    /// Handle of the lock or other object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_name: Option<String>,
    /// Its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// How a lock is held or wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<&'static str>,
    /// By which kind of call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<&'static str>,
    /// The object's own count of its events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Another thread that it is about: the child, the owner, who is unparked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_thread: Option<String>,
    /// What a critical section did to the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<&'static str>,
    /// Source file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}

impl Line {
    /// The line of an event.
    pub fn new(position: u64, event: &Event, defs: &Definitions, has_times: bool) -> Line {
        let thread = |id: ThreadId| defs.thread(id).and_then(|def| def.name.as_ref()).map(|name| name.to_string());
        let object = event.op.lock();
        let site = event.site.and_then(|site| defs.site(site));
        let known = |n: u32| (n > 0).then_some(n);
        let (mode, how) = match event.op {
            Op::Wait { mode, how, .. } | Op::Acquired { mode, how, .. } => (Some(mode), Some(how)),
            Op::TryFailed { mode, .. } | Op::TimedOut { mode, .. } => (Some(mode), None),
            Op::Released { mode, .. } => (mode, None),
            _ => (None, None),
        };
        let other = match event.op {
            Op::Spawn { child } | Op::JoinWait { child } | Op::Joined { child } => Some(child),
            Op::Unpark { thread } => Some(thread),
            Op::Released { owner, .. } | Op::PermitsReleased { owner, .. } | Op::HandleDropped { owner, .. } => {
                (owner != event.thread).then_some(owner)
            }
            _ => None,
        };
        let access = match event.op {
            Op::Released { access: Access::Nothing, .. } => Some("nothing"),
            Op::Released { access: Access::Read, .. } => Some("read"),
            Op::Released { access: Access::Wrote, .. } => Some("wrote"),
            _ => None,
        };
        Line {
            version: VERSION,
            event: position,
            time_ns: has_times.then_some(event.time.0),
            thread: event.thread.to_string(),
            thread_name: thread(event.thread),
            op: event.op.name(),
            what: words(event, defs),
            object: object.map(|id| id.to_string()),
            object_name: object.map(|id| defs.lock_name(id)),
            kind: object.and_then(|id| defs.lock(id)).map(|def| def.kind.word()),
            mode: mode.map(|mode| mode.word()),
            how: how.map(how_word),
            count: event.op.count(),
            other_thread: other.map(|id| id.to_string()),
            access,
            file: site.map(|site| site.file.to_string()),
            line: site.and_then(|site| known(site.line)),
            column: site.and_then(|site| known(site.column)),
        }
    }
}

fn words(event: &Event, defs: &Definitions) -> String {
    match event.op {
        Op::Wait { lock, mode, .. } => phrase::target_label(defs, Target::Lock(lock, mode)),
        _ => events::what(defs, event),
    }
}

fn how_word(how: How) -> &'static str {
    match how {
        How::Lock => "lock",
        How::Try => "try",
        How::Timed => "timed",
        How::Upgrade => "upgrade",
        How::Downgrade => "downgrade",
        How::CondvarReacquire => "condvar-reacquire",
        How::Recursive => "recursive",
        How::RecursiveTimed => "recursive-timed",
    }
}

impl<W: Write> Exporter for Jsonl<W> {
    fn event(&mut self, position: u64, event: &Event, defs: &Definitions) -> io::Result<()> {
        crate::json::write(&mut self.out, &Line::new(position, event, defs, self.has_times))?;
        self.out.write_all(b"\n")
    }

    fn finish(&mut self, _defs: &Definitions) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}
