//! Critical sections: from an acquisition to its release, or to where its mode changes.

use lockscope_trace::{How, LockId, Mode};
use rustc_hash::FxHashMap;

use super::history::{Point, Thread};

/// One critical section. Its index is its rank in the order of acquisitions over the whole trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    pub lock: LockId,
    pub thread: u32,
    /// Position of the acquisition in its thread.
    pub at: u32,
    /// Position of the release in the thread that releases; 0 when it was never released.
    pub until: u32,
    /// The one that was acquired last of those held around this one; [`NONE`] when there was none.
    pub outer: u32,
    /// How many sections had begun when this one ended; `u32::MAX` while it lasts.
    ended: u32,
    /// How many of the thread's were held around this one.
    depth: u16,
    pub mode: Mode,
    /// Another thread released it.
    pub moved: bool,
}

/// Most sections of which it is known that another thread released them. After any further one its owner depends on the release.
const MOST_MOVED: usize = 1024;

pub(super) const NONE: u32 = u32::MAX;

/// A lock that a thread holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    pub lock: LockId,
    pub mode: Mode,
    pub section: u32,
    /// Acquisitions by the same thread that are not released: more than one of a lock that may be taken again.
    depth: u32,
    /// The row of locks held up to and with this one, for whoever numbers such rows; 0 when it has no number.
    pub set: u32,
}

/// All critical sections.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    all: Vec<Section>,
    /// Who released a section that moved.
    released_by: FxHashMap<u32, u32>,
    /// Where others released what a thread had acquired: it can acquire only after that.
    given_away: FxHashMap<(u32, LockId), Point>,
    /// Sections that another thread released: they can last past what their own thread does after that. The first [`MOST_MOVED`].
    moved: Vec<u32>,
    /// Sections of one lock, thread and mode; made when first asked for, see [`Sections::index`].
    lines: Vec<Line>,
    lines_of: FxHashMap<LockId, Vec<u32>>,
    line_of: FxHashMap<(LockId, u32, Mode), u32>,
    indexed: usize,
}

/// The sections of one lock, thread and mode, in order.
#[derive(Debug)]
pub(crate) struct Line {
    pub thread: u32,
    pub mode: Mode,
    pub sections: Vec<u32>,
}

impl Sections {
    pub(super) fn acquired(&mut self, thread: &mut Thread, at: Point, lock: LockId, mode: Mode, how: How) {
        if matches!(how, How::Upgrade | How::Downgrade) {
            // The hold before ends where the new one begins. It is the strongest other one.
            let strength = |hold: Mode| matches!(hold, Mode::Upgradable) as u8 + 2 * (hold == Mode::Exclusive) as u8;
            let before = (0..thread.held.len())
                .filter(|&index| thread.held[index].lock == lock && thread.held[index].mode != mode)
                .max_by_key(|&index| strength(thread.held[index].mode));
            if let Some(index) = before {
                let hold = thread.held.remove(index);
                self.end(hold.section, at);
                thread.held[index..].iter_mut().for_each(|hold| hold.set = 0);
            }
        } else if let Some(hold) = thread.held.iter_mut().find(|hold| hold.lock == lock && hold.mode == mode) {
            hold.depth = hold.depth.saturating_add(1);
            return;
        }
        // 2^32 - 1 sections are more than memory holds.
        let index = self.all.len() as u32;
        self.all.push(Section {
            lock,
            thread: at.thread,
            at: at.at,
            until: 0,
            outer: thread.held.last().map_or(NONE, |hold| hold.section),
            ended: u32::MAX,
            depth: thread.held.len().min(usize::from(u16::MAX)) as u16,
            mode,
            moved: false,
        });
        thread.sections.push(index);
        thread.held.push(Hold { lock, mode, section: index, depth: 1, set: 0 });
    }

    /// `mode` as in [`Released`](lockscope_trace::Op::Released). A release of what is not held is passed over.
    pub(super) fn released(&mut self, thread: &mut Thread, at: Point, lock: LockId, owner: u32, mode: Option<Mode>) {
        let order = [Mode::Exclusive, Mode::Shared, Mode::Upgradable];
        let is_meant = |wanted: Mode| mode.is_none_or(|mode| mode == wanted);
        let found = order
            .into_iter()
            .filter(|&wanted| is_meant(wanted))
            .find_map(|wanted| thread.held.iter().rposition(|hold| hold.lock == lock && hold.mode == wanted));
        let Some(index) = found else { return };
        let hold = &mut thread.held[index];
        hold.depth -= 1;
        if hold.depth > 0 {
            return;
        }
        let section = hold.section;
        thread.held.remove(index);
        thread.held[index..].iter_mut().for_each(|hold| hold.set = 0);
        self.end(section, at);
        if at.thread != owner {
            self.all[section as usize].moved = true;
            self.released_by.insert(section, at.thread);
            self.given_away.insert((owner, lock), at);
            if self.moved.len() < MOST_MOVED {
                self.moved.push(section);
            } else {
                thread.released_for.push(at);
            }
        }
    }

    fn end(&mut self, section: u32, at: Point) {
        let n_begun = self.all.len() as u32;
        let section = &mut self.all[section as usize];
        (section.until, section.ended) = (at.at, n_begun);
    }

    /// Where another thread released the lock that this one had acquired.
    pub(super) fn given_away(&self, thread: u32, lock: LockId) -> Option<Point> {
        if self.given_away.is_empty() { None } else { self.given_away.get(&(thread, lock)).copied() }
    }

    pub(crate) fn get(&self, section: u32) -> &Section {
        &self.all[section as usize]
    }

    /// Number of sections so far.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn begin(&self, section: u32) -> Point {
        let section = self.get(section);
        Point { thread: section.thread, at: section.at }
    }

    /// Where the section was released; `None` when it never was.
    pub(super) fn end_of(&self, index: u32) -> Option<Point> {
        let section = self.get(index);
        let thread = if section.moved { self.released_by.get(&index).copied()? } else { section.thread };
        (section.until != 0).then_some(Point { thread, at: section.until })
    }

    /// Calls `each` with every section of the thread that was held right after the last acquisition in its first `upto`
    /// events, that one included; until it returns false.
    pub(super) fn held_at(&self, thread: &Thread, upto: u32, mut each: impl FnMut(u32) -> bool) {
        let n_begun = thread.sections.partition_point(|&section| self.get(section).at <= upto);
        let Some(&last) = n_begun.checked_sub(1).and_then(|index| thread.sections.get(index)) else { return };
        let mut left = self.get(last).depth;
        if !each(last) {
            return;
        }
        let mut next = self.get(last).outer;
        // What was held around it is among the outer ones of the outer one, and so on; those that ended between are passed.
        while left > 0 && next != NONE {
            let section = self.get(next);
            if section.ended > last {
                left -= 1;
                if !each(next) {
                    return;
                }
            }
            next = section.outer;
        }
    }

    /// Sections that another thread than their own released.
    pub(super) fn moved(&self) -> &[u32] {
        &self.moved
    }

    /// Takes all sections so far into the index by lock, thread and mode. O(1) for each that is new.
    pub(crate) fn index(&mut self) {
        for index in self.indexed..self.all.len() {
            let Section { lock, thread, mode, .. } = self.all[index];
            let line = *self.line_of.entry((lock, thread, mode)).or_insert_with(|| {
                self.lines.push(Line { thread, mode, sections: Vec::new() });
                let line = self.lines.len() as u32 - 1;
                self.lines_of.entry(lock).or_default().push(line);
                line
            });
            self.lines[line as usize].sections.push(index as u32);
        }
        self.indexed = self.all.len();
    }

    /// The sections of a lock that are in the index.
    pub(super) fn lines(&self, lock: LockId) -> impl Iterator<Item = &Line> {
        let lines = self.lines_of.get(&lock).map_or(&[][..], Vec::as_slice);
        lines.iter().map(|&line| &self.lines[line as usize])
    }

    pub(super) fn bytes(&self) -> usize {
        self.all.capacity() * size_of::<Section>() + self.indexed * 4 + self.lines.len() * (size_of::<Line>() + 32)
    }
}
