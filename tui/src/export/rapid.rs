//! The text format of RAPID and other tools of the field: `thread|operation(operand)|location`, a line for each event.
//!
//! It knows locks, reads, writes, forks and joins. What it does not know is written as what it means to those tools, so that they see no
//! less order between threads than there was: anything else that synchronises (atomics, messages, permits, barriers,
//! initialisers, notifications, unparking) is an acquisition and release of a lock that stands for the object. Read locks are left
//! out, unless [`Rapid::extended`]: then they are `racq` and `rrel`, and requests are `req` and `rreq`, which lockscope reads.
//!
//! Locations are numbers of places; nothing else is kept of a place. The output is always well formed: an acquisition of a lock that
//! is still held, as where events are missing, is preceded by the release that is not there.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io::{self, Write},
};

use lockscope_trace::{Definitions, Event, How, LockId, Mode, Op, ThreadId};

use super::Exporter;

/// Writes the format.
pub struct Rapid<W> {
    out: W,
    /// Requests and read locks are written.
    pub extended: bool,
    writers: HashMap<LockId, ThreadId>,
    readers: HashMap<LockId, Vec<ThreadId>>,
    acted: HashSet<ThreadId>,
    joined: HashSet<ThreadId>,
    remarks: BTreeMap<&'static str, u64>,
}

impl<W: Write> Rapid<W> {
    /// Begins a file.
    pub fn new(out: W, extended: bool) -> Rapid<W> {
        Rapid {
            out,
            extended,
            writers: HashMap::new(),
            readers: HashMap::new(),
            acted: HashSet::new(),
            joined: HashSet::new(),
            remarks: BTreeMap::new(),
        }
    }

    fn remark(&mut self, what: &'static str) {
        *self.remarks.entry(what).or_default() += 1;
    }

    fn line(
        &mut self,
        thread: ThreadId,
        operation: &str,
        operand: impl std::fmt::Display,
        place: i32,
    ) -> io::Result<()> {
        self.acted.insert(thread);
        writeln!(self.out, "{thread}|{operation}({operand})|{place}")
    }

    /// Order between whoever did something to an object: as if it were under a lock.
    fn meet(&mut self, thread: ThreadId, object: impl std::fmt::Display, place: i32) -> io::Result<()> {
        self.line(thread, "acq", &object, place)?;
        self.line(thread, "rel", &object, place)
    }

    /// Ends what must have ended, when events are missing.
    fn make_free(&mut self, lock: LockId, me: ThreadId, is_read: bool, place: i32) -> io::Result<()> {
        if let Some(writer) = self.writers.get(&lock).copied().filter(|writer| *writer != me) {
            self.remark("missing releases were put in");
            self.writers.remove(&lock);
            self.line(writer, "rel", lock, place)?;
        }
        let others: Vec<ThreadId> =
            self.readers.get(&lock).into_iter().flatten().copied().filter(|t| *t != me).collect();
        if !is_read && !others.is_empty() {
            self.readers.entry(lock).or_default().retain(|thread| *thread == me);
            for reader in others {
                self.remark("missing releases were put in");
                self.line(reader, "rrel", lock, place)?;
            }
        }
        Ok(())
    }

    fn acquired(&mut self, me: ThreadId, lock: LockId, mode: Mode, how: How, place: i32) -> io::Result<()> {
        if how == How::Try {
            self.remark("acquisitions by try are written as any other");
        }
        if mode == Mode::Exclusive {
            if how == How::Upgrade && !self.extended {
                self.remark("read locks are left out (--extended writes them)");
            }
            self.make_free(lock, me, false, place)?;
            self.writers.insert(lock, me);
            return self.line(me, "acq", lock, place);
        }
        if self.writers.get(&lock) == Some(&me) {
            // A weaker hold takes the place of the strong one.
            self.writers.remove(&lock);
            self.line(me, "rel", lock, place)?;
            if self.readers.get(&lock).is_some_and(|readers| readers.contains(&me)) {
                return Ok(());
            }
        }
        if !self.extended {
            self.remark("read locks are left out (--extended writes them)");
            return Ok(());
        }
        self.make_free(lock, me, true, place)?;
        self.readers.entry(lock).or_default().push(me);
        self.line(me, "racq", lock, place)
    }

    fn released(&mut self, me: ThreadId, owner: ThreadId, lock: LockId, place: i32) -> io::Result<()> {
        if owner != me {
            self.remark("releases by another thread are written as the holder's own");
        }
        if self.writers.get(&lock) == Some(&owner) {
            self.writers.remove(&lock);
            self.line(owner, "rel", lock, place)?;
            // The hold that was upgraded ends with it.
            return self.end_read(owner, lock, place).map(|_| ());
        }
        if !self.end_read(owner, lock, place)? && self.extended {
            self.remark("releases of what is not known to be held are left out");
        }
        Ok(())
    }

    fn end_read(&mut self, thread: ThreadId, lock: LockId, place: i32) -> io::Result<bool> {
        let readers = self.readers.entry(lock).or_default();
        let Some(idx) = readers.iter().position(|reader| *reader == thread) else { return Ok(false) };
        readers.remove(idx);
        self.line(thread, "rrel", lock, place)?;
        Ok(true)
    }
}

impl<W: Write> Exporter for Rapid<W> {
    fn event(&mut self, _position: u64, event: &Event, _defs: &Definitions) -> io::Result<()> {
        let me = event.thread;
        let place = event.site.map_or(0, |site| i32::try_from(site.index() + 1).unwrap_or(i32::MAX));
        if self.joined.contains(&me) {
            self.remark("events of threads that were joined are left out");
            return Ok(());
        }
        match event.op {
            Op::Wait { lock, mode, .. } if self.extended => {
                let holds_it = self.writers.get(&lock) == Some(&me);
                let operation = if mode == Mode::Exclusive { "req" } else { "rreq" };
                if holds_it { Ok(()) } else { self.line(me, operation, lock, place) }
            }
            Op::Acquired { lock, mode, how, .. } => self.acquired(me, lock, mode, how, place),
            Op::Released { lock, owner, .. } => self.released(me, owner, lock, place),
            Op::Read { var } => self.line(me, "r", format_args!("V{}", var.0), place),
            Op::Write { var } => self.line(me, "w", format_args!("V{}", var.0), place),
            Op::AtomicLoad { var, .. } | Op::AtomicStore { var, .. } | Op::AtomicUpdate { var, .. } => {
                self.remark("atomics are written as locks of their own");
                self.meet(me, format_args!("A{}", var.0), place)
            }
            Op::Spawn { child } if self.acted.contains(&child) || self.joined.contains(&child) => {
                self.remark("forks of threads that had acted before are left out");
                Ok(())
            }
            Op::Spawn { child } => self.line(me, "fork", child, place),
            Op::Joined { child } if child != me => {
                self.joined.insert(child);
                self.line(me, "join", child, place)
            }
            Op::Notify { .. }
            | Op::CondWake { .. }
            | Op::PermitsAcquired { .. }
            | Op::PermitsReleased { .. }
            | Op::PermitsAdded { .. }
            | Op::BarrierArrived { .. }
            | Op::BarrierLeft { .. }
            | Op::Observed { .. }
            | Op::Sent { .. }
            | Op::Received { .. }
            | Op::HandleDropped { .. }
            | Op::Disconnected { .. } => {
                self.remark("objects that are no locks are written as locks of their own");
                let object = event.op.lock().expect("all of these are about an object");
                self.meet(me, format_args!("O{}", object.0), place)
            }
            Op::Unpark { thread } => self.meet(me, format_args!("P{}", thread.0), place),
            Op::Unparked => self.meet(me, format_args!("P{}", me.0), place),
            Op::RegionBegin { .. } => writeln!(self.out, "{me}|begin(0)|{place}"),
            Op::RegionEnd => writeln!(self.out, "{me}|end(0)|{place}"),
            _ => Ok(()),
        }
    }

    fn finish(&mut self, _defs: &Definitions) -> io::Result<Vec<String>> {
        Ok(self.remarks.iter().map(|(what, count)| format!("{what}: {count}")).collect())
    }
}
