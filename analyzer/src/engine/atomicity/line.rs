//! What one thread did with some data, as far as others look at it.

use lockscope_trace::{LockId, Mode, Nanos, SiteId, StackId, ThreadId};

use super::{
    deed::{Done, Target},
    windows::Doing,
};
use crate::{
    engine::{clock::Epoch, holds::Hold},
    finding::Touch,
};

/// What one thread did with it, as far as others look at it. Most of this is written far more often than it is read.
/// Three cache lines, of which a read needs the first one only.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Line {
    pub thread: ThreadId,
    /// In which of its lives the thread read.
    pub life: u32,
    /// The thread's time at its latest write, and at the end of its latest window; 0 without one.
    pub write_time: u32,
    pub window_time: u32,
    /// What it read last, and did not write since.
    pub read: Deed,
    pub write: Deed,
    /// Its latest window: the read and the write, and what it held throughout.
    pub window: [Deed; 2],
    pub throughout: Locks,
    /// What it held at its latest write.
    pub held: Locks,
}

/// A [`Done`] of which thread, data and touch are known. Without one, `end` is 0.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Deed {
    pub event: u64,
    pub end: u64,
    pub time: Nanos,
    pub site: Option<SiteId>,
    pub stack: Option<StackId>,
}

/// Locks, each with how it is held.
#[derive(Clone, Default, Debug)]
pub(super) struct Locks {
    /// The first few, each with its mode as [`lock`] puts them together; 0 where there is none.
    few: [u32; FEW],
    /// The others.
    #[expect(clippy::box_collection, reason = "a word instead of three, for what is rare")]
    more: Option<Box<Vec<u32>>>,
}

const FEW: usize = 4;

impl Line {
    /// It did nothing yet.
    pub fn new(thread: ThreadId) -> Line {
        Line {
            thread,
            life: 0,
            write_time: 0,
            window_time: 0,
            read: Deed::default(),
            write: Deed::default(),
            held: Locks::default(),
            window: Default::default(),
            throughout: Locks::default(),
        }
    }

    /// Looks at what a read needs, or at all of it; see [`Windows::touch`](super::windows::Windows::touch).
    #[inline]
    pub fn touch(&self, touch: Touch) -> u64 {
        match touch {
            Touch::Read => self.read.end,
            Touch::Write => self.read.end ^ self.window[0].end ^ u64::from(self.held.few[0]),
        }
    }

    /// Where its latest window begins and ends.
    #[inline]
    pub fn places(&self) -> (Option<SiteId>, Option<SiteId>) {
        (self.window[0].site, self.window[1].site)
    }

    /// Whether its latest write could be within a window that another thread ends.
    pub fn could_tear(&self, read: &Deed, write: &Done, doing: &Doing<'_>) -> bool {
        let is_alike = || self.read_site().is_some() && self.read_site() == read.site && self.write.site == write.site;
        self.write_time != 0
            && (!doing.alike || is_alike())
            && !Epoch::new(self.thread, self.write_time).is_past(doing.past)
            && !self.held.excludes(doing.throughout(read))
    }

    /// Whether another thread's write could be within its latest window.
    pub fn could_be_torn(&self, read: Option<&Deed>, write: &Done, doing: &Doing<'_>) -> bool {
        let [begun, ended] = &self.window;
        let is_alike = || read.is_some_and(|read| read.site == begun.site) && write.site == ended.site;
        self.window_time != 0
            && (!doing.alike || is_alike())
            && !Epoch::new(self.thread, self.window_time).is_past(doing.past)
            && !self.throughout.excludes(doing.held.iter())
    }

    /// Where the read was with which its latest write ends a window.
    fn read_site(&self) -> Option<SiteId> {
        (self.window[1].end == self.write.end).then_some(self.window[0].site).flatten()
    }
}

impl Deed {
    #[inline]
    pub fn of(done: &Done) -> Deed {
        let Done { event, end, time, site, stack, .. } = *done;
        Deed { event, end, time, site, stack }
    }

    pub fn done(&self, thread: ThreadId, target: Target, touch: Touch) -> Done {
        let Deed { event, end, time, site, stack } = *self;
        Done { thread, target, touch, site, stack, time, event, end }
    }
}

impl Locks {
    /// Becomes these. Returns by how many bytes that grew.
    #[inline]
    pub fn set<'a>(&mut self, holds: impl IntoIterator<Item = &'a Hold>) -> u64 {
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
