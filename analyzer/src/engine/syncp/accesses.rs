//! What was done to each memory location: by whom, how, while holding what.

use lockscope_trace::{Event, LockId, Mode, SiteId};
use rustc_hash::FxHashMap;

use super::cells::Row;
use crate::{
    engine::{bag::Bag, closure::history::Point},
    finding::Touch,
};

/// The accesses of one thread to one location in one way while it held the same locks.
#[derive(Debug)]
pub(super) struct Group {
    pub thread: u32,
    pub writes: bool,
    /// The number of the set of locks.
    pub set: u32,
    /// Changes with the thread's locks and dependencies. Of accesses between two changes only the last is kept: whatever the
    /// others race with, it races with.
    turn: u32,
    accesses: Vec<Access>,
    /// By thread: how many of the accesses its later ones cannot race with.
    passed: Vec<(u32, u32)>,
}

/// One access.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    /// Its position in its thread.
    pub at: u32,
    /// Which of the trace's events it is: low and high half, so that this takes 16 bytes.
    event: [u32; 2],
    pub site: Option<SiteId>,
}

impl Access {
    fn new(at: u32, number: u64, site: Option<SiteId>) -> Self {
        Access { at, event: [number as u32, (number >> 32) as u32], site }
    }

    pub(super) fn event(self) -> u64 {
        u64::from(self.event[0]) | u64::from(self.event[1]) << 32
    }
}

impl Group {
    fn new(thread: u32, writes: bool, set: u32) -> Self {
        Group { thread, writes, set, turn: 0, accesses: Vec::new(), passed: Vec::new() }
    }

    /// The first access that is not over for `thread`, those at or before `upto` being over from now on.
    pub(super) fn first_after(&mut self, thread: u32, upto: u32) -> Option<Access> {
        // The common case: all are over.
        if self.accesses.last().is_none_or(|last| last.at <= upto) {
            return None;
        }
        let index = match self.passed.iter().position(|&(known, _)| known == thread) {
            Some(index) => index,
            None => {
                self.passed.push((thread, 0));
                self.passed.len() - 1
            }
        };
        let passed = &mut self.passed[index].1;
        let rest = &self.accesses[*passed as usize..];
        // Mostly few are new.
        let n_over = match rest.first() {
            Some(first) if first.at > upto => 0,
            _ => rest.partition_point(|access| access.at <= upto),
        };
        *passed += n_over as u32;
        rest.get(n_over).copied()
    }
}

/// An access to a location that one lock protects, so far: nothing races with it, unless another access is without that lock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Protected {
    pub thread: u32,
    pub writes: bool,
    pub row: Row,
    turn: u32,
    access: Access,
}

/// The accesses to one location.
#[derive(Debug, Default)]
pub(super) struct Location {
    pub groups: Vec<Group>,
    /// By thread, way and set: which group it is.
    group_of: FxHashMap<(u32, bool, u32), u32>,
    /// Locks that were held at every access so far, at writes exclusively. As long as there is one, no two can race.
    common: Bag,
    /// All accesses of that time.
    protected: Vec<Protected>,
}

/// Accesses of which those between two changes of what the thread holds are told apart from others.
const LOOK_BACK: usize = 4;

impl Location {
    /// Takes in what is held at the next access, and returns whether that and all before it hold a common lock.
    #[inline]
    pub(super) fn is_protected(&mut self, held: impl Iterator<Item = (LockId, Mode)> + Clone, writes: bool) -> bool {
        self.common.keep(held, if writes { Touch::Write } else { Touch::Read });
        !self.common.is_empty()
    }

    /// Takes an access in while the location is protected, and returns by how many bytes that grew.
    #[inline]
    pub(super) fn add_protected(
        &mut self,
        point: Point,
        (number, event): (u64, &Event),
        writes: bool,
        row: Row,
        turn: u32,
    ) -> usize {
        let access = Access::new(point.at, number, event.site);
        let new = Protected { thread: point.thread, writes, row, turn, access };
        let first = self.protected.len().saturating_sub(LOOK_BACK);
        let is_same = |of: &&mut Protected| {
            (of.thread, of.writes, of.turn, of.row) == (new.thread, new.writes, new.turn, new.row)
        };
        if let Some(known) = self.protected[first..].iter_mut().rev().find(is_same) {
            known.access = access;
            return 0;
        }
        let before = self.protected.capacity();
        self.protected.push(new);
        (self.protected.capacity() - before) * size_of::<Protected>()
    }

    /// The accesses while it was protected, once that has ended.
    #[inline]
    pub(super) fn take_protected(&mut self) -> Vec<Protected> {
        std::mem::take(&mut self.protected)
    }

    /// Takes in an access that was made while the location was protected, and returns by how many bytes that grew.
    pub(super) fn add_again(&mut self, of: &Protected, set: u32) -> usize {
        self.note(of.thread, of.writes, set, of.turn, of.access)
    }

    /// Takes an access in, and returns by how many bytes that grew.
    pub(super) fn add(
        &mut self,
        point: Point,
        (number, event): (u64, &Event),
        writes: bool,
        set: u32,
        turn: u32,
    ) -> usize {
        self.note(point.thread, writes, set, turn, Access::new(point.at, number, event.site))
    }

    fn note(&mut self, thread: u32, writes: bool, set: u32, turn: u32, access: Access) -> usize {
        let index = *self.group_of.entry((thread, writes, set)).or_insert_with(|| {
            self.groups.push(Group::new(thread, writes, set));
            self.groups.len() as u32 - 1
        }) as usize;
        let group = &mut self.groups[index];
        match group.accesses.last_mut() {
            Some(last) if group.turn == turn => {
                *last = access;
                0
            }
            _ => {
                group.turn = turn;
                let before = group.accesses.capacity();
                group.accesses.push(access);
                (group.accesses.capacity() - before) * size_of::<Access>()
                    + if group.accesses.len() == 1 { size_of::<Group>() } else { 0 }
            }
        }
    }
}
