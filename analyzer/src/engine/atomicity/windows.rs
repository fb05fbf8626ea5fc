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

use lockscope_trace::{LockId, Mode, Nanos, SiteId, StackId, ThreadId};

use super::deed::{Done, Target, Targets};
use crate::{
    engine::{bag::Bag, clock::Epoch, holds::Hold},
    finding::Touch,
};

/// What is known of the windows of all data.
#[derive(Debug, Default)]
pub(super) struct Windows {
    targets: Targets<Data>,
    /// By thread, how often it began anew.
    lives: Vec<u32>,
    /// Lines of all targets, and bytes that they hold besides themselves.
    lines: u64,
    bytes: u64,
}

/// One location, or what one lock protects.
#[derive(Debug, Default)]
struct Data {
    /// Locks that were held exclusively at every write so far, and throughout every window. While there is one nothing can be torn, and
    /// nobody has to be looked at.
    gates: Bag,
    /// Where the latest write was over.
    latest: u64,
    /// Whose the first lines are, side by side to be found soon: [`short`].
    whose: [u16; FIRST],
    /// Whose the others are.
    further: Vec<ThreadId>,
    lines: Vec<Line>,
}

/// Lines that are found without looking at them.
const FIRST: usize = 16;

/// What one thread did with it, as far as others look at it. Most of this is written far more often than it is read.
#[derive(Debug)]
struct Line {
    thread: ThreadId,
    /// In which of its lives the thread read.
    life: u32,
    /// The thread's time at its latest write, and at the end of its latest window; 0 without one.
    write_time: u32,
    window_time: u32,
    /// What it read last, and did not write since.
    read: Deed,
    write: Deed,
    /// What it held at its latest write.
    held: Locks,
    /// Its latest window: the read and the write, and what it held throughout.
    window: [Deed; 2],
    throughout: Locks,
}

/// A [`Done`] of which thread, data and touch are known. Without one, `end` is 0.
#[derive(Clone, Copy, Default, Debug)]
struct Deed {
    event: u64,
    end: u64,
    time: Nanos,
    site: Option<SiteId>,
    stack: Option<StackId>,
}

/// Locks, each with how it is held.
#[derive(Clone, Default, Debug)]
struct Locks {
    /// The first few, each with its mode as [`lock`] puts them together; 0 where there is none.
    few: [u32; FEW],
    /// The others.
    more: Option<Box<Vec<u32>>>,
}

const FEW: usize = 4;

/// What a thread is up to while it writes.
#[derive(Debug)]
pub(super) struct Doing<'a> {
    pub epoch: Epoch,
    /// What is past for it in every schedule.
    pub past: &'a [u32],
    /// What it holds.
    pub held: &'a [Hold],
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
    #[inline]
    pub fn read(&mut self, done: Done) {
        let life = self.life(done.thread);
        if let Some(line) = self.line(done.target, done.thread) {
            (line.read, line.life) = (Deed::of(&done), life);
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
        let data = self.targets.of(target);
        if let Some(index) = data.find(thread) {
            data.lines[index].read = Deed::default();
        }
    }

    /// The thread writes. `is_blind`: without looking again at what it read before. Calls `torn` for windows that this tears.
    #[inline]
    pub fn write(&mut self, done: Done, is_blind: bool, doing: &Doing<'_>, mut torn: impl FnMut(Torn)) {
        let me = done.thread;
        let now = self.life(me);
        let Some(line) = self.line(done.target, me) else { return };
        let read = std::mem::take(&mut line.read);
        let read = (is_blind && line.life == now && read.end != 0).then_some(read);
        let data = self.targets.of(done.target);
        let since = read.map_or(u64::MAX, |read| read.event);
        data.gates.keep_those(doing.held, |hold| hold.mode == Mode::Exclusive && hold.event < since);
        if data.gates.is_empty() {
            data.look(&done, read.as_ref(), doing, &mut torn);
        }
        data.latest = done.end;
        let index = data.find(me).expect("it was made above");
        let line = &mut data.lines[index];
        let time = doing.epoch.time();
        (line.write, line.write_time) = (Deed::of(&done), time);
        let mut grown = line.held.set(doing.held);
        if let Some(read) = read {
            (line.window, line.window_time) = ([read, Deed::of(&done)], time);
            // What is held was taken in turn, but for what was upgraded meanwhile.
            grown += line.throughout.set(doing.held.iter().filter(|hold| hold.event < read.event));
        }
        self.bytes += grown;
    }

    /// Bytes that are held.
    pub fn bytes(&self) -> u64 {
        self.targets.bytes() + self.lines * (size_of::<Line>() + size_of::<ThreadId>()) as u64 + self.bytes
    }

    #[inline]
    fn line(&mut self, target: Target, thread: ThreadId) -> Option<&mut Line> {
        let data = self.targets.of(target);
        let index = match data.find(thread) {
            Some(index) => index,
            None => {
                data.begin(thread)?;
                self.lines += 1;
                data.lines.len() - 1
            }
        };
        Some(&mut data.lines[index])
    }
}

impl Data {
    /// Which line is the thread's.
    #[inline]
    fn find(&self, thread: ThreadId) -> Option<usize> {
        let short = short(thread);
        let first = self.whose.iter().position(|&whose| whose == short);
        match first {
            Some(index) if short != 0 => Some(index),
            _ => self.find_slowly(thread),
        }
    }

    #[cold]
    fn find_slowly(&self, thread: ThreadId) -> Option<usize> {
        // Threads of high numbers are among the first lines without being known by their short numbers.
        let first = self.lines.iter().take(FIRST).filter(|_| short(thread) == 0).position(|line| line.thread == thread);
        first.or_else(|| self.further.iter().position(|&further| further == thread).map(|index| FIRST + index))
    }

    #[cold]
    fn begin(&mut self, thread: ThreadId) -> Option<()> {
        let index = self.lines.len();
        if index == MOST_LINES {
            return None;
        }
        match self.whose.get_mut(index) {
            Some(whose) => *whose = short(thread),
            None => self.further.push(thread),
        }
        self.lines.push(Line {
            thread,
            life: 0,
            write_time: 0,
            window_time: 0,
            read: Deed::default(),
            write: Deed::default(),
            held: Locks::default(),
            window: Default::default(),
            throughout: Locks::default(),
        });
        Some(())
    }

    /// Looks for windows that this write tears, and for writes that tear the window which it ends.
    fn look(&self, done: &Done, read: Option<&Deed>, doing: &Doing<'_>, torn: &mut impl FnMut(Torn)) {
        let whole = |deed: &Deed, thread, touch| deed.done(thread, done.target, touch);
        if let Some(read) = read
            && let Some((other, thread, happened)) = self.within(read, done, doing)
        {
            let (read, other) = (whole(read, done.thread, Touch::Read), whole(&other, thread, Touch::Write));
            torn(Torn { read, other, write: *done, happened });
        }
        // Windows of others, which it could be within.
        let read_site = read.and_then(|read| read.site);
        for line in self.lines.iter().filter(|line| line.thread != done.thread && line.window_time != 0) {
            let [begun, ended] = &line.window;
            let is_alike = !doing.alike || read.is_some() && read_site == begun.site && done.site == ended.site;
            if is_alike
                && !Epoch::new(line.thread, line.window_time).is_past(doing.past)
                && !line.throughout.excludes(doing.held.iter())
            {
                let (read, write) = (whole(begun, line.thread, Touch::Read), whole(ended, line.thread, Touch::Write));
                torn(Torn { read, other: *done, write, happened: false });
            }
        }
    }

    /// Another thread's write that was within the window, or else one that could be.
    fn within(&self, read: &Deed, write: &Done, doing: &Doing<'_>) -> Option<(Deed, ThreadId, bool)> {
        let others = || self.lines.iter().filter(|line| line.thread != write.thread && line.write_time != 0);
        if self.latest > read.end
            && let Some(first) = others().filter(|line| line.write.end > read.end).min_by_key(|line| line.write.end)
        {
            return Some((first.write, first.thread, true));
        }
        let could = others().find(|line| {
            let is_alike =
                || line.read_site().is_some() && line.read_site() == read.site && line.write.site == write.site;
            (!doing.alike || is_alike())
                && !Epoch::new(line.thread, line.write_time).is_past(doing.past)
                && !line.held.excludes(doing.throughout(read))
        });
        could.map(|line| (line.write, line.thread, false))
    }
}

impl Line {
    /// Where the read was with which its latest write ends a window.
    fn read_site(&self) -> Option<SiteId> {
        (self.window[1].end == self.write.end).then_some(self.window[0].site).flatten()
    }
}

impl Doing<'_> {
    /// What is held since before a read.
    fn throughout(&self, read: &Deed) -> impl Iterator<Item = &Hold> {
        let before = read.event;
        self.held.iter().filter(move |hold| hold.event < before)
    }
}

impl Deed {
    #[inline]
    fn of(done: &Done) -> Deed {
        let Done { event, end, time, site, stack, .. } = *done;
        Deed { event, end, time, site, stack }
    }

    fn done(&self, thread: ThreadId, target: Target, touch: Touch) -> Done {
        let Deed { event, end, time, site, stack } = *self;
        Done { thread, target, touch, site, stack, time, event, end }
    }
}

impl Locks {
    /// Becomes these. Returns by how many bytes that grew.
    #[inline]
    fn set<'a>(&mut self, holds: impl IntoIterator<Item = &'a Hold>) -> u64 {
        let mut holds = holds.into_iter();
        for few in &mut self.few {
            *few = holds.next().map_or(0, |hold| lock(hold.lock, hold.mode));
        }
        match (holds.next(), &mut self.more) {
            (None, None) => 0,
            (next, more) => {
                let is_new = more.is_none();
                let more = more.get_or_insert_default();
                let before = more.capacity();
                more.clear();
                more.extend(next.into_iter().chain(holds).map(|hold| lock(hold.lock, hold.mode)));
                let boxed = if is_new { size_of::<Vec<u32>>() } else { 0 };
                ((more.capacity() - before) * size_of::<u32>() + boxed) as u64
            }
        }
    }

    /// Whether who holds these waits for who holds the others.
    fn excludes<'a>(&self, others: impl Iterator<Item = &'a Hold>) -> bool {
        let mut others = others;
        others.any(|hold| {
            let mine = self.few.iter().chain(self.more.iter().flat_map(|more| more.iter()));
            let excluding = |mode: &Mode| !mode.compatible(hold.mode);
            let mut modes = [Mode::Exclusive, Mode::Upgradable, Mode::Shared].into_iter().filter(excluding);
            modes.any(|mode| mine.clone().any(|&mine| mine == lock(hold.lock, mode)))
        })
    }
}

/// A lock and a mode in a number other than 0. Locks beyond the thousandth million, more than memory has room for, are not told apart
/// from others.
#[inline]
fn lock(lock: LockId, mode: Mode) -> u32 {
    let mode = match mode {
        Mode::Exclusive => 1,
        Mode::Upgradable => 2,
        Mode::Shared => 3,
    };
    lock.0 << 2 | mode
}

/// A thread in fewer bits, other than 0 if it can be known by these.
#[inline]
fn short(thread: ThreadId) -> u16 {
    u16::try_from(thread.0).unwrap_or(u16::MAX).wrapping_add(1)
}
