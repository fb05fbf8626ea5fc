//! Windows: from a thread's read of some data to its next write of the same data, during which it goes on what it read.
//!
//! A write by another thread within a window is lost, or what was decided on the value that was read does not hold any more. AVIO (Lu,
//! Tucek, Qin, Zhou, ASPLOS 2006) calls this the unserialisable interleaving read, remote write, write; Artho, Havelund and Biere (2004) a
//! stale value. The other unserialisable interleavings are what correct programs do all day (two reads of a queue's length), so
//! they are looked for only in regions that the program marks; see [`regions`](super::regions).
//!
//! - It *happened* when the write was there in this run.
//! - It *could* happen when the write came before or after the window, and nothing that every schedule keeps says that it must: no spawn,
//!   join, message and the like, and no lock that the one thread holds throughout and the other one at its write.
//!
//! Memory: a line for each location or lock and thread that uses it.

use lockscope_trace::{LockId, Mode, SiteId, ThreadId};

use super::deed::{Done, Target, Targets};
use crate::engine::clock::Epoch;

/// What is known of the windows of all data.
#[derive(Debug, Default)]
pub(super) struct Windows {
    targets: Targets<Data>,
    /// By thread, how often it began anew.
    lives: Vec<u32>,
    /// Lines of all targets.
    lines: u64,
}

/// One location, or what one lock protects.
#[derive(Debug, Default)]
struct Data {
    lines: Vec<Line>,
    /// Locks that were held exclusively at every write so far, and throughout every window. While there is one nothing can be torn, and
    /// nobody has to be looked at.
    gates: Option<Vec<LockId>>,
    /// Where the latest write was over.
    latest: u64,
}

/// What one thread did with it, as far as others look at it.
#[derive(Debug)]
struct Line {
    thread: ThreadId,
    /// Where its latest write was over, and when that was; [`Epoch::NEVER`] without one.
    write_end: u64,
    write_epoch: Epoch,
    /// When its latest window ended; [`Epoch::NEVER`] without one.
    window_epoch: Epoch,
    rest: Box<Rest>,
}

/// The rest of it.
#[derive(Debug, Default)]
struct Rest {
    /// What it read last, and did not write since; and in which of its lives.
    read: Option<(Done, u32)>,
    write: Option<Done>,
    /// What it held at its latest write.
    held: Locks,
    /// Where the read was that it ended a window with.
    read_site: Option<SiteId>,
    /// Its latest window, and what it held throughout.
    window: Option<[Done; 2]>,
    throughout: Locks,
}

/// Locks, each with how it is held.
pub(super) type Locks = Vec<(LockId, Mode)>;

/// What a thread is up to while it writes.
#[derive(Debug)]
pub(super) struct Doing<'a> {
    pub epoch: Epoch,
    /// What is past for it in every schedule.
    pub past: &'a [u32],
    /// What it holds, each with the position at which it was taken.
    pub held: &'a [(LockId, Mode, u64)],
    /// Ask for the same two places in both threads before saying that something could happen: of memory that threads hand each
    /// other flags in, only that is a sign that they do not.
    pub alike: bool,
}

/// A window, and another thread's write that was or could be within.
#[derive(Clone, Copy, Debug)]
pub(super) struct Torn {
    pub read: Done,
    pub other: Done,
    pub write: Done,
    pub happened: bool,
}

/// Most lines of one target. Threads beyond them are not looked at: memory and time are bounded where each of a million threads takes
/// the same lock once.
const MOST_LINES: usize = 256;

impl Windows {
    /// The thread reads.
    pub fn read(&mut self, done: Done) {
        let life = self.life(done.thread);
        if let Some(line) = self.line(done.target, done.thread) {
            line.rest.read = Some((done, life));
        }
    }

    /// What the thread read so far has nothing to do with what it does from now on.
    pub fn begin_anew(&mut self, thread: ThreadId) {
        let index = thread.0 as usize;
        if index >= self.lives.len() {
            self.lives.resize(index + 1, 0);
        }
        self.lives[index] = self.lives[index].wrapping_add(1);
    }

    fn life(&self, thread: ThreadId) -> u32 {
        self.lives.get(thread.0 as usize).copied().unwrap_or(0)
    }

    /// The thread makes sure: what it read before does not matter any more.
    pub fn forget(&mut self, target: Target, thread: ThreadId) {
        if let Some(line) = self.targets.of(target).lines.iter_mut().find(|line| line.thread == thread) {
            line.rest.read = None;
        }
    }

    /// The thread writes. `is_blind`: without looking again at what it read before. Calls `torn` for windows that this tears.
    pub fn write(&mut self, done: Done, is_blind: bool, doing: &Doing<'_>, mut torn: impl FnMut(Torn)) {
        let me = done.thread;
        let now = self.life(me);
        let Some(line) = self.line(done.target, me) else { return };
        let read = line.rest.read.take().filter(|&(_, life)| is_blind && life == now).map(|(read, _)| read);
        let data = self.targets.of(done.target);
        if !data.is_behind_gates(read.as_ref(), doing) {
            data.look(&done, read.as_ref(), doing, &mut torn);
        }
        data.latest = done.end;
        let line = data.lines.iter_mut().find(|line| line.thread == me).expect("it was made above");
        (line.write_end, line.write_epoch) = (done.end, doing.epoch);
        let rest = &mut *line.rest;
        rest.write = Some(done);
        rest.read_site = read.and_then(|read| read.site);
        rest.held.clear();
        rest.held.extend(doing.held.iter().map(|&(lock, mode, _)| (lock, mode)));
        if let Some(read) = read {
            line.window_epoch = doing.epoch;
            rest.window = Some([read, done]);
            rest.throughout.clear();
            rest.throughout.extend(doing.throughout(&read));
        }
    }

    /// Bytes that are held.
    pub fn bytes(&self) -> u64 {
        self.targets.bytes() + self.lines * (size_of::<Line>() + size_of::<Rest>()) as u64
    }

    fn line(&mut self, target: Target, thread: ThreadId) -> Option<&mut Line> {
        let data = self.targets.of(target);
        match data.lines.iter().position(|line| line.thread == thread) {
            Some(index) => Some(&mut data.lines[index]),
            None if data.lines.len() == MOST_LINES => None,
            None => {
                self.lines += 1;
                let (write_epoch, window_epoch, rest) = (Epoch::NEVER, Epoch::NEVER, Box::default());
                data.lines.push(Line { thread, write_end: 0, write_epoch, window_epoch, rest });
                data.lines.last_mut()
            }
        }
    }
}

impl Doing<'_> {
    /// What is held since before a read.
    fn throughout(&self, read: &Done) -> impl Iterator<Item = (LockId, Mode)> {
        let before = read.event;
        self.held.iter().filter(move |(_, _, taken)| *taken < before).map(|&(lock, mode, _)| (lock, mode))
    }
}

impl Data {
    /// Whether a lock that was held at every write and throughout every window is so for this one, too.
    fn is_behind_gates(&mut self, read: Option<&Done>, doing: &Doing<'_>) -> bool {
        let since = read.map_or(u64::MAX, |read| read.event);
        let is_held = |gate: LockId| {
            doing.held.iter().any(|&(lock, mode, taken)| lock == gate && mode == Mode::Exclusive && taken < since)
        };
        match &mut self.gates {
            Some(gates) => gates.retain(|&gate| is_held(gate)),
            none => *none = Some(doing.held.iter().map(|&(lock, ..)| lock).filter(|&lock| is_held(lock)).collect()),
        }
        self.gates.as_ref().is_some_and(|gates| !gates.is_empty())
    }

    /// Looks for windows that this write tears, and for writes that tear the window which it ends.
    fn look(&self, done: &Done, read: Option<&Done>, doing: &Doing<'_>, torn: &mut impl FnMut(Torn)) {
        if let Some(read) = read {
            let throughout: Locks = doing.throughout(read).collect();
            if let Some((other, happened)) = self.within(read, done, &throughout, doing) {
                torn(Torn { read: *read, other, write: *done, happened });
            }
        }
        // Windows of others, which it could be within.
        let read_site = read.and_then(|read| read.site);
        let others = self.lines.iter().filter(|line| line.thread != done.thread);
        for line in others.filter(|line| !line.window_epoch.is_past(doing.past)) {
            let Some([begun, ended]) = line.rest.window else { continue };
            let is_apart = excludes(&line.rest.throughout, doing.held.iter().map(|&(lock, mode, _)| (lock, mode)));
            let is_alike = !doing.alike || read.is_some() && read_site == begun.site && done.site == ended.site;
            if !is_apart && is_alike {
                torn(Torn { read: begun, other: *done, write: ended, happened: false });
            }
        }
    }

    /// Another thread's write that was within the window, or else one that could be.
    fn within(&self, read: &Done, write: &Done, throughout: &Locks, doing: &Doing<'_>) -> Option<(Done, bool)> {
        let others = || self.lines.iter().filter(|line| line.thread != read.thread);
        if self.latest > read.end
            && let Some(first) = others().filter(|line| line.write_end > read.end).min_by_key(|line| line.write_end)
        {
            return first.rest.write.map(|write| (write, true));
        }
        let could = others().filter(|line| !line.write_epoch.is_past(doing.past)).find(|line| {
            let rest = &line.rest;
            let is_apart = excludes(throughout, rest.held.iter().copied());
            let site = rest.write.and_then(|write| write.site);
            let is_alike =
                !doing.alike || rest.read_site.is_some() && rest.read_site == read.site && site == write.site;
            !is_apart && is_alike
        });
        could.and_then(|line| line.rest.write).map(|write| (write, false))
    }
}

/// Whether who holds the ones waits for who holds the others.
fn excludes(held: &Locks, others: impl IntoIterator<Item = (LockId, Mode)>) -> bool {
    others
        .into_iter()
        .any(|(other, as_mode)| held.iter().any(|(lock, mode)| *lock == other && !mode.compatible(as_mode)))
}
