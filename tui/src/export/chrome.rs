//! The JSON trace format of Chrome, which `chrome://tracing`, Perfetto and Speedscope read.
//!
//! Threads are one process and locks another, so that they can be folded apart. Times are microseconds with three decimals, written as
//! integers of nanoseconds are, so that nothing is rounded.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use lockscope_trace::{Nanos, TraceInfo};
use serde_json::{Map, Value, json};

use super::{Arrow, Sink, Slice, Track};

const THREADS: u32 = 1;
const LOCKS: u32 = 2;

/// Writes the format.
pub struct Chrome<W> {
    out: W,
    /// Rows by track: Chrome calls them threads.
    rows: HashMap<Track, u32>,
    is_first: bool,
}

impl<W: Write> Chrome<W> {
    /// Begins a file.
    pub fn new(mut out: W, info: &TraceInfo) -> io::Result<Chrome<W>> {
        let other = json!({ "tool": "lockscope", "version": env!("CARGO_PKG_VERSION"), "executable": info.executable });
        write!(out, "{{\"displayTimeUnit\":\"ns\",\"otherData\":{other},\"traceEvents\":[")?;
        let mut chrome = Chrome { out, rows: HashMap::new(), is_first: true };
        for (pid, name) in [(THREADS, "threads"), (LOCKS, "locks")] {
            chrome.write(&json!({ "ph": "M", "pid": pid, "name": "process_name", "args": { "name": name } }))?;
            chrome.write(
                &json!({ "ph": "M", "pid": pid, "name": "process_sort_index", "args": { "sort_index": pid } }),
            )?;
        }
        Ok(chrome)
    }

    fn write(&mut self, event: &Value) -> io::Result<()> {
        self.out.write_all(if std::mem::take(&mut self.is_first) { b"\n" } else { b",\n" })?;
        crate::json::write(&mut self.out, event)?;
        Ok(())
    }

    fn row(&self, track: Track) -> u32 {
        self.rows.get(&track).copied().unwrap_or(0)
    }

    /// What all events of a track have. The time is put in by hand: a number of JSON would be rounded.
    fn event(&mut self, phase: &str, track: Track, name: &str, at: Nanos, rest: Value) -> io::Result<()> {
        self.out.write_all(if std::mem::take(&mut self.is_first) { b"\n" } else { b",\n" })?;
        let name = Value::from(name);
        write!(
            self.out,
            "{{\"ph\":\"{phase}\",\"pid\":{},\"tid\":{},\"ts\":{},\"name\":{name}",
            process(track),
            self.row(track),
            micros(at)
        )?;
        let Value::Object(rest) = rest else { return self.out.write_all(b"}") };
        for (key, value) in rest {
            match (key.as_str(), value.as_u64()) {
                ("dur", Some(nanos)) => write!(self.out, ",\"dur\":{}", micros(Nanos(nanos)))?,
                _ => write!(self.out, ",{}:{value}", Value::from(key))?,
            }
        }
        self.out.write_all(b"}")
    }
}

impl<W: Write> Sink for Chrome<W> {
    fn track(&mut self, track: Track, name: &str) -> io::Result<()> {
        let row = self.rows.len() as u32 + 1;
        self.rows.insert(track, row);
        let order = match track {
            Track::Thread(thread) => u64::from(thread.0) << 16,
            Track::Holds(thread, row) => u64::from(thread.0) << 16 | (u64::from(row) + 1).min(0xffff),
            Track::Lock(lock, row) => u64::from(lock.0) << 16 | u64::from(row).min(0xffff),
        };
        let pid = process(track);
        self.write(&json!({ "ph": "M", "pid": pid, "tid": row, "name": "thread_name", "args": { "name": name } }))?;
        let args = json!({ "sort_index": order });
        self.write(&json!({ "ph": "M", "pid": pid, "tid": row, "name": "thread_sort_index", "args": args }))
    }

    fn slice(&mut self, slice: &Slice, arrow: Option<Arrow>) -> io::Result<()> {
        let facts: Map<String, Value> =
            slice.facts.iter().map(|(key, value)| ((*key).to_owned(), value.as_str().into())).collect();
        let rest = json!({ "dur": slice.end.since(slice.start).0, "cat": slice.category, "args": facts });
        self.event("X", slice.track, &slice.name, slice.start, rest)?;
        let Some(arrow) = arrow else { return Ok(()) };
        // An arrow hangs on the slice around its ends, so both are just inside.
        let inside = |end: Nanos| Nanos(end.0.saturating_sub(1));
        let common = json!({ "id": arrow.id, "cat": "handover" });
        self.event("s", arrow.from, "handover", inside(arrow.start), common)?;
        let end = json!({ "id": arrow.id, "cat": "handover", "bp": "e" });
        self.event("f", slice.track, "handover", inside(slice.end).max(slice.start), end)
    }

    fn instant(&mut self, track: Track, name: &str, at: Nanos) -> io::Result<()> {
        self.event("i", track, name, at, json!({ "s": "t" }))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n]}\n")
    }
}

fn process(track: Track) -> u32 {
    match track {
        Track::Thread(_) | Track::Holds(..) => THREADS,
        Track::Lock(..) => LOCKS,
    }
}

/// Microseconds, exactly.
fn micros(time: Nanos) -> String {
    format!("{}.{:03}", time.0 / 1_000, time.0 % 1_000)
}
