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

use lockscope_trace::{Mode, SiteId, ThreadId};

use super::{
    deed::{Done, Target, Targets},
    line::{Deed, Line},
    report::{Case, Cases},
    settled::Settled,
};
use crate::{
    engine::{
        bag::Bag,
        clock::{Epoch, Past},
        holds::Hold,
    },
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

/// One location, or what one lock protects. Two cache lines.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Data {
    /// Locks that were held exclusively at every write so far, and throughout every window. While there is one nothing can be torn, and
    /// nobody has to be looked at.
    gates: Bag,
    /// Whose the first lines are, side by side to be found soon: [`short`].
    whose: [u16; FIRST],
    /// Whose the others are.
    #[expect(clippy::box_collection, reason = "a word instead of three, for what is rare")]
    further: Option<Box<Vec<ThreadId>>>,
    /// Of the latest write of each line what is looked at most.
    ends: Vec<End>,
    lines: Vec<Line>,
    /// Of data that was torn: what needs no telling any more.
    settled: Option<Box<Settled>>,
}

/// Where a write was over, 0 without one; and its place.
#[derive(Clone, Copy, Default, Debug)]
struct End {
    at: u64,
    site: Option<SiteId>,
}

/// Lines that are found without looking at them.
const FIRST: usize = 16;

/// What a thread is up to while it writes.
#[derive(Debug)]
pub(super) struct Doing<'a> {
    pub epoch: Epoch,
    /// What is past for it in every schedule.
    pub past: Past<'a>,
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
    #[inline(always)]
    pub fn read(&mut self, done: &Done) {
        let life = self.life(done.thread);
        if let Some((data, index)) = self.line(done.target, done.thread) {
            let line = &mut data.lines[index];
            (line.read, line.life) = (Deed::of(done), life);
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

    /// The thread writes. `is_blind`: without looking again at what it read before. What this tears is a case.
    #[inline(always)]
    pub fn write(&mut self, done: &Done, is_blind: bool, doing: &Doing<'_>, cases: &mut Cases) {
        let me = done.thread;
        let now = self.life(me);
        let Some((data, index)) = self.line(done.target, me) else { return };
        let line = &mut data.lines[index];
        let read = std::mem::take(&mut line.read);
        let read = (is_blind && line.life == now && read.end != 0).then_some(read);
        let since = read.map_or(u64::MAX, |read| read.event);
        let throughout = doing.held.iter().filter(|hold| hold.mode == Mode::Exclusive && hold.event < since);
        data.gates.keep_those(throughout.map(|hold| hold.lock));
        let mut grown = 0;
        if data.gates.is_empty() {
            grown += data.look(done, index, read.as_ref(), doing, cases);
        }
        data.ends[index] = End { at: done.end, site: done.site };
        let line = &mut data.lines[index];
        let time = doing.epoch.time();
        (line.write, line.write_time) = (Deed::of(done), time);
        grown += line.held.set(doing.held);
        if let Some(read) = read {
            (line.window, line.window_time) = ([read, Deed::of(done)], time);
            grown += line.throughout.set(doing.throughout(&read));
        }
        self.bytes += grown;
    }

    /// Looks at what is known of some data and at a thread's line of it, for no other reason than to have them near when they are
    /// needed. What is looked at in a row is waited for together.
    #[inline]
    pub fn touch(&self, target: Target, thread: ThreadId, touch: Touch) -> u64 {
        let Some(data) = self.targets.get(target) else { return 0 };
        let line = data.find(thread).map_or(0, |index| data.lines[index].touch(touch));
        if touch == Touch::Read || !data.gates.is_empty() {
            return line;
        }
        let ends = data.ends.iter().step_by(4).fold(line, |all, end| all ^ end.at);
        data.settled.as_ref().map_or(ends, |settled| ends ^ settled.touch())
    }

    /// The same without the line, to be done before.
    #[inline]
    pub fn touch_data(&self, target: Target) -> u64 {
        self.targets
            .get(target)
            .map_or(0, |data| u64::from(data.whose[0]) ^ data.lines.len() as u64 ^ u64::from(data.gates.is_empty()))
    }

    /// Bytes that are held.
    pub fn bytes(&self) -> u64 {
        self.targets.bytes() + self.lines * (size_of::<Line>() + size_of::<(ThreadId, End)>()) as u64 + self.bytes
    }

    #[inline]
    fn line(&mut self, target: Target, thread: ThreadId) -> Option<(&mut Data, usize)> {
        let data = self.targets.of(target);
        let index = match data.find(thread) {
            Some(index) => index,
            None => {
                data.begin(thread)?;
                self.lines += 1;
                data.lines.len() - 1
            }
        };
        Some((data, index))
    }
}

impl Data {
    /// Which line is the thread's.
    #[inline]
    fn find(&self, thread: ThreadId) -> Option<usize> {
        let short = short(thread);
        // All at once: which one it is, no processor foresees.
        let places = self.whose.iter().enumerate();
        let found = places.fold(0_u32, |found, (index, &whose)| found | u32::from(whose == short) << index);
        match found {
            0 if short != 0 && self.lines.len() <= FIRST => None,
            1.. if short != 0 => Some(found.trailing_zeros() as usize),
            _ => self.find_slowly(thread),
        }
    }

    #[cold]
    fn find_slowly(&self, thread: ThreadId) -> Option<usize> {
        // Threads of high numbers are among the first lines without being known by their short numbers.
        let first = self.lines.iter().take(FIRST).filter(|_| short(thread) == 0).position(|line| line.thread == thread);
        first
            .or_else(|| self.further.as_ref()?.iter().position(|&further| further == thread).map(|index| FIRST + index))
    }

    #[cold]
    fn begin(&mut self, thread: ThreadId) -> Option<()> {
        let index = self.lines.len();
        if index == MOST_LINES {
            return None;
        }
        match self.whose.get_mut(index) {
            Some(whose) => *whose = short(thread),
            None => self.further.get_or_insert_default().push(thread),
        }
        self.ends.push(End::default());
        self.lines.push(Line::new(thread));
        Some(())
    }

    /// Looks for windows that this write tears, and for writes that tear the window which it ends. `mine` is the line of the thread.
    /// Returns by how many bytes this grew.
    fn look(&mut self, done: &Done, mine: usize, read: Option<&Deed>, doing: &Doing<'_>, cases: &mut Cases) -> u64 {
        let Data { settled, lines, ends, .. } = self;
        let grown = if settled.is_none() { size_of::<Settled>() as u64 } else { 0 };
        let settled = settled.get_or_insert_with(|| Box::new(Settled::new(lines)));
        let me = done.thread;
        let whole = |deed: &Deed, thread, touch| deed.done(thread, done.target, touch);
        if let Some(read) = read {
            let mut tear = |other: &Line, happened| -> Option<u32> {
                let other = whole(&other.write, other.thread, Touch::Write);
                cases.add(Case::Torn(Torn { read: whole(read, me, Touch::Read), other, write: *done, happened }))
            };
            let later = |&(index, end): &(usize, &End)| index != mine && end.at > read.end;
            let first = ends.iter().enumerate().filter(later).min_by_key(|&(_, end)| end.at);
            let window = (read.site, done.site);
            if let Some((first, end)) = first {
                match settled.bug(window, end.site) {
                    Some(bug) => cases.again(bug),
                    None => {
                        if let Some(bug) = tear(&lines[first], true) {
                            settled.settle(window, end.site, bug);
                        }
                    }
                }
            } else if !settled.is_by_all(window)
                && let Some(other) = lines.iter().find(|line| line.thread != me && line.could_tear(read, done, doing))
                && let Some(bug) = tear(other, false)
            {
                settled.settle(window, other.write.site, bug);
            }
        }
        // Windows of others, which it could be within.
        if !settled.is_in_all(done.site) {
            for line in lines.iter().filter(|line| line.thread != me && line.could_be_torn(read, done, doing)) {
                if settled.is_settled(line.places(), done.site) {
                    continue;
                }
                let [begun, ended] = &line.window;
                let (read, write) = (whole(begun, line.thread, Touch::Read), whole(ended, line.thread, Touch::Write));
                if let Some(bug) = cases.add(Case::Torn(Torn { read, other: *done, write, happened: false })) {
                    settled.settle(line.places(), done.site, bug);
                }
            }
        }
        settled.note_write(done.site);
        if let Some(read) = read {
            settled.note_window((read.site, done.site));
        }
        grown
    }
}

impl Doing<'_> {
    /// What is held since before a read.
    pub fn throughout(&self, read: &Deed) -> impl Iterator<Item = &Hold> {
        let before = read.event;
        self.held.iter().filter(move |hold| hold.event < before)
    }
}

/// A thread in fewer bits, other than 0 if it can be known by these.
#[inline]
fn short(thread: ThreadId) -> u16 {
    u16::try_from(thread.0).unwrap_or(u16::MAX).wrapping_add(1)
}
