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
struct Data(Vec<Line>);

/// What one thread did with it.
#[derive(Debug)]
struct Line {
    thread: ThreadId,
    /// What it read last, and did not write since; and in which of its lives.
    read: Option<(Done, u32)>,
    write: Option<Write>,
    window: Option<Window>,
}

/// The latest write.
#[derive(Debug)]
struct Write {
    done: Done,
    epoch: Epoch,
    held: Locks,
    /// Where the read was that it ended a window with.
    read: Option<SiteId>,
}

/// The latest window.
#[derive(Debug)]
struct Window {
    read: Done,
    write: Done,
    /// When it ended.
    epoch: Epoch,
    /// What was held throughout.
    held: Locks,
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
            line.read = Some((done, life));
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
        if let Some(line) = self.targets.of(target).0.iter_mut().find(|line| line.thread == thread) {
            line.read = None;
        }
    }

    /// The thread writes. `is_blind`: without looking again at what it read before. Calls `torn` for windows that this tears.
    pub fn write(&mut self, done: Done, is_blind: bool, doing: &Doing<'_>, mut torn: impl FnMut(Torn)) {
        let me = done.thread;
        let now = self.life(me);
        let Some(line) = self.line(done.target, me) else { return };
        let read = line.read.take().filter(|&(_, life)| is_blind && life == now);
        let data = self.targets.of(done.target);
        let held: Locks = doing.held.iter().map(|&(lock, mode, _)| (lock, mode)).collect();
        let mut window = None;
        if let Some((read, _)) = read {
            let throughout = doing.held.iter().filter(|(_, _, taken)| *taken < read.event);
            let throughout: Locks = throughout.map(|&(lock, mode, _)| (lock, mode)).collect();
            let found = data.within(&read, &done, &throughout, doing);
            if let Some((other, happened)) = found {
                torn(Torn { read, other, write: done, happened });
            }
            window = Some(Window { read, write: done, epoch: doing.epoch, held: throughout });
        }
        let read_site = window.as_ref().and_then(|window| window.read.site);
        // Windows of others, which it could be within.
        for line in data.0.iter().filter(|line| line.thread != me) {
            let Some(window) = &line.window else { continue };
            let is_apart = window.epoch.is_past(doing.past) || excludes(&window.held, &held);
            let is_alike = !doing.alike || read_site == window.read.site && done.site == window.write.site;
            if !is_apart && is_alike {
                torn(Torn { read: window.read, other: done, write: window.write, happened: false });
            }
        }
        let line = data.0.iter_mut().find(|line| line.thread == me).expect("it was made above");
        line.write = Some(Write { done, epoch: doing.epoch, held, read: read_site });
        line.window = window.or(line.window.take());
    }

    /// Bytes that are held.
    pub fn bytes(&self) -> u64 {
        self.targets.bytes() + self.lines * size_of::<Line>() as u64
    }

    fn line(&mut self, target: Target, thread: ThreadId) -> Option<&mut Line> {
        let data = self.targets.of(target);
        match data.0.iter().position(|line| line.thread == thread) {
            Some(index) => Some(&mut data.0[index]),
            None if data.0.len() == MOST_LINES => None,
            None => {
                self.lines += 1;
                data.0.push(Line { thread, read: None, write: None, window: None });
                data.0.last_mut()
            }
        }
    }
}

impl Data {
    /// Another thread's write that was within the window, or else one that could be.
    fn within(&self, read: &Done, write: &Done, throughout: &Locks, doing: &Doing<'_>) -> Option<(Done, bool)> {
        let others = || {
            let others = self.0.iter().filter(|line| line.thread != read.thread);
            others.filter_map(|line| line.write.as_ref())
        };
        if let Some(other) = others().filter(|other| other.done.end > read.end).min_by_key(|other| other.done.end) {
            return Some((other.done, true));
        }
        let could = others().find(|other| {
            let is_apart = other.epoch.is_past(doing.past) || excludes(throughout, &other.held);
            let is_alike =
                !doing.alike || other.read.is_some() && other.read == read.site && other.done.site == write.site;
            !is_apart && is_alike
        });
        could.map(|other| (other.done, false))
    }
}

/// Whether who holds the ones waits for who holds the others.
fn excludes(held: &Locks, others: &Locks) -> bool {
    held.iter().any(|(lock, mode)| others.iter().any(|(other, as_mode)| lock == other && !mode.compatible(*as_mode)))
}
