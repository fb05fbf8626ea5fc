//! Perfetto's protobuf format: packets with track descriptors and track events.
//!
//! The few messages that are needed are encoded by hand; a test reads them back with another decoder. Field numbers are those of
//! `protos/perfetto/trace` in Perfetto's source (`trace_packet.proto`, `track_event/track_event.proto`, `track_descriptor.proto`,
//! `debug_annotation.proto`). Packets need not be in order of time, Perfetto sorts them.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use lockscope_trace::{Nanos, TraceInfo};

use super::{Arrow, Sink, Slice, Track};

/// All packets come from one writer.
const SEQUENCE: u64 = 1;
/// Ids of the tracks that hold all threads and all locks.
const THREADS: u64 = 1;
const LOCKS: u64 = 2;
const SLICE_BEGIN: u64 = 1;
const SLICE_END: u64 = 2;
const INSTANT: u64 = 3;
/// Children are ordered by rank.
const EXPLICIT: u64 = 3;
/// Tracks of one name are not put together.
const NO_MERGE: u64 = 2;

/// Writes the format.
pub struct Perfetto<W> {
    out: W,
    ids: HashMap<Track, u64>,
}

impl<W: Write> Perfetto<W> {
    /// Begins a file.
    pub fn new(out: W, info: &TraceInfo) -> io::Result<Perfetto<W>> {
        let mut perfetto = Perfetto { out, ids: HashMap::new() };
        let name = info.executable.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("program");
        for (id, what) in [(THREADS, "threads"), (LOCKS, "locks")] {
            let mut track = Message::default();
            track.number(1, id);
            track.text(2, &format!("{what} of {name}"));
            track.number(11, EXPLICIT);
            perfetto.packet(None, |packet| packet.message(60, &track))?;
        }
        Ok(perfetto)
    }

    fn packet(&mut self, at: Option<Nanos>, fill: impl FnOnce(&mut Message)) -> io::Result<()> {
        let mut packet = Message::default();
        if let Some(at) = at {
            packet.number(8, at.0);
        }
        packet.number(10, SEQUENCE);
        fill(&mut packet);
        let mut trace = Message::default();
        trace.message(1, &packet);
        self.out.write_all(&trace.0)
    }

    fn event(&mut self, track: Track, kind: u64, at: Nanos, fill: impl FnOnce(&mut Message)) -> io::Result<()> {
        let mut event = Message::default();
        event.number(9, kind);
        event.number(11, self.ids.get(&track).copied().unwrap_or(0));
        fill(&mut event);
        self.packet(Some(at), |packet| packet.message(11, &event))
    }
}

impl<W: Write> Sink for Perfetto<W> {
    fn track(&mut self, track: Track, name: &str) -> io::Result<()> {
        let id = LOCKS + 1 + self.ids.len() as u64;
        self.ids.insert(track, id);
        let (parent, rank) = match track {
            Track::Thread(thread) => (THREADS, u64::from(thread.0) << 8),
            Track::Holds(thread, row) => (THREADS, u64::from(thread.0) << 8 | (u64::from(row) + 1).min(0xff)),
            Track::Lock(lock, row) => (LOCKS, u64::from(lock.0) << 8 | u64::from(row).min(0xff)),
        };
        let mut descriptor = Message::default();
        descriptor.number(1, id);
        descriptor.text(2, name);
        descriptor.number(5, parent);
        descriptor.number(12, rank & 0x7fff_ffff);
        descriptor.number(15, NO_MERGE);
        self.packet(None, |packet| packet.message(60, &descriptor))
    }

    fn slice(&mut self, slice: &Slice, arrow: Option<Arrow>) -> io::Result<()> {
        self.event(slice.track, SLICE_BEGIN, slice.start, |event| {
            event.text(22, slice.category);
            event.text(23, &slice.name);
            for (name, value) in &slice.facts {
                let mut fact = Message::default();
                fact.text(10, name);
                fact.text(6, value);
                event.message(4, &fact);
            }
            if let Some(id) = slice.arrow_from {
                event.fixed(47, id);
            }
            if let Some(arrow) = arrow {
                event.fixed(48, arrow.id);
            }
        })?;
        self.event(slice.track, SLICE_END, slice.end, |_| {})
    }

    fn instant(&mut self, track: Track, name: &str, at: Nanos) -> io::Result<()> {
        self.event(track, INSTANT, at, |event| event.text(23, name))
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A protobuf message under construction: <https://protobuf.dev/programming-guides/encoding>.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn fixed(&mut self, field: u64, value: u64) {
        self.varint(field << 3 | 1);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, message: &Message) {
        self.bytes(field, &message.0);
    }
}
