//! The last accesses of each location: as few as can race with what comes.

use lockscope_trace::{ThreadId, VarId};

use super::super::{
    access::Access,
    clock::{Epoch, MOST_DENSE, Past},
};
use crate::finding::Touch;

/// Accesses of one location.
#[derive(Clone, Copy, Debug)]
struct Var {
    /// The last write, after all others; or where they are.
    write: Access,
    /// The last read, after all others since that write; or where they are.
    read: Access,
}

/// All locations.
#[derive(Debug, Default)]
pub(super) struct Vars {
    vars: Vec<Var>,
    /// Accesses of locations where no single one is after the others.
    several: Vec<Several>,
    /// Those that are not in use.
    free: Vec<u32>,
    bytes: u64,
}

/// The last access of each thread.
#[derive(Debug, Default)]
struct Several {
    /// When, by thread, of the first threads; 0 for never.
    times: Vec<u32>,
    accesses: Vec<Access>,
    /// Those of other threads, as many as nothing orders.
    further: Vec<Access>,
    /// With so many of them it is time to look for those that something orders.
    sift_at: usize,
}

/// So many accesses are not worth looking for those that can be left out.
const FEW: usize = 32;

impl Vars {
    /// Looks at a location, to have it near; the result means nothing.
    #[inline]
    pub fn touch(&self, var: VarId) -> u64 {
        self.vars.get(var.0 as usize).map_or(0, |var| var.write.position() ^ var.read.position())
    }

    /// Notes a read. Returns the latest write that it races with.
    #[inline]
    pub fn read(&mut self, var: VarId, access: &Access, past: Past<'_>) -> Option<(Access, Touch)> {
        let index = self.index(var);
        let known = &mut self.vars[index];
        let raced = if let Some(writes) = known.write.index() {
            self.several[writes].racing(past)
        } else if known.write.epoch.is_past(past) {
            None
        } else {
            Some(known.write)
        };
        if let Some(reads) = known.read.index() {
            self.bytes += self.several[reads].note(access, past);
        } else if known.read.epoch != access.epoch {
            // The first one of a time stands for all of that time.
            if known.read.epoch.is_past(past) {
                known.read = *access;
            } else {
                self.share(index, Touch::Read, access, past);
            }
        }
        raced.map(|write| (write, Touch::Write))
    }

    /// Notes a write. Returns the latest access that it races with.
    #[inline]
    pub fn write(&mut self, var: VarId, access: &Access, past: Past<'_>) -> Option<(Access, Touch)> {
        let index = self.index(var);
        let known = &mut self.vars[index];
        let is_plain = known.write.epoch != Epoch::SEVERAL && known.read.epoch != Epoch::SEVERAL;
        if is_plain && known.write.epoch.is_past(past) && known.read.epoch.is_past(past) {
            if known.write.epoch != access.epoch {
                known.write = *access;
            }
            known.read = Access::NONE;
            return None;
        }
        self.write_slowly(index, access, past)
    }

    fn write_slowly(&mut self, index: usize, access: &Access, past: Past<'_>) -> Option<(Access, Touch)> {
        let racing = |of: &Access| match of.index() {
            Some(several) => self.several[several].racing(past),
            None => Some(*of).filter(|of| !of.epoch.is_past(past)),
        };
        let Var { write, read } = self.vars[index];
        let (raced_write, raced_read) = (racing(&write), racing(&read));
        // Reads before this write are before whatever is after it. Where one races, all are kept.
        if raced_read.is_none() {
            self.forget(&read);
            self.vars[index].read = Access::NONE;
        }
        match (raced_write, write.index()) {
            (None, _) => {
                self.forget(&write);
                self.vars[index].write = *access;
            }
            (Some(_), Some(several)) => self.bytes += self.several[several].note(access, past),
            (Some(_), None) => self.share(index, Touch::Write, access, past),
        }
        let touched = |access: Option<Access>, touch| access.map(|access| (access, touch));
        let both = [touched(raced_write, Touch::Write), touched(raced_read, Touch::Read)];
        both.into_iter().flatten().max_by_key(|(access, _)| access.position())
    }

    /// Keeps another access beside the one that is there.
    #[cold]
    fn share(&mut self, index: usize, touch: Touch, access: &Access, past: Past<'_>) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.several.push(Several::default());
            self.bytes += size_of::<Several>() as u64;
            self.several.len() as u32 - 1
        });
        let var = &mut self.vars[index];
        let known = match touch {
            Touch::Read => &mut var.read,
            Touch::Write => &mut var.write,
        };
        let several = &mut self.several[place as usize];
        several.times.fill(0);
        several.further.clear();
        self.bytes += several.note(known, Past::NOTHING) + several.note(access, past);
        *known = Access::several(place);
    }

    fn forget(&mut self, access: &Access) {
        self.free.extend(access.index().map(|index| index as u32));
    }

    #[inline]
    fn index(&mut self, var: VarId) -> usize {
        let index = var.0 as usize;
        if index >= self.vars.len() {
            self.vars.resize(index + 1, Var { write: Access::NONE, read: Access::NONE });
        }
        index
    }

    pub fn bytes(&self) -> u64 {
        self.bytes + (self.vars.capacity() * size_of::<Var>() + self.free.capacity() * size_of::<u32>()) as u64
    }
}

impl Several {
    /// Notes an access, unless one of the same time is there. Returns by how many bytes this grew.
    fn note(&mut self, access: &Access, past: Past<'_>) -> u64 {
        let thread = access.thread().0 as usize;
        if thread >= MOST_DENSE {
            return self.note_further(access, past);
        }
        let mut grown = 0;
        if thread >= self.times.len() {
            let before = self.accesses.capacity();
            self.times.resize(thread + 1, 0);
            self.accesses.resize(thread + 1, Access::NONE);
            grown = (self.accesses.capacity() - before) * (size_of::<u32>() + size_of::<Access>());
        }
        if self.times[thread] != access.epoch.time() {
            self.times[thread] = access.epoch.time();
            self.accesses[thread] = *access;
        }
        grown as u64
    }

    #[cold]
    fn note_further(&mut self, access: &Access, past: Past<'_>) -> u64 {
        if let Some(known) = self.further.iter_mut().find(|known| known.thread() == access.thread()) {
            if known.epoch != access.epoch {
                *known = *access;
            }
            return 0;
        }
        if self.further.len() >= self.sift_at.max(FEW) {
            // Whatever races with one of those that are past races with this one, too, which is later.
            self.further.retain(|known| !known.epoch.is_past(past));
            self.sift_at = self.further.len() * 2;
        }
        let before = self.further.capacity();
        self.further.push(*access);
        ((self.further.capacity() - before) * size_of::<Access>()) as u64
    }

    /// The latest that is not past.
    #[inline]
    fn racing(&self, past: Past<'_>) -> Option<Access> {
        // Threads that are not in `past` are later ones, of which nothing is, or it is a tree.
        let times = past.times();
        let known = self.times.len().min(times.len());
        let is_any = self.times[..known].iter().zip(times).fold(false, |any, (time, past)| any | (time > past));
        if !is_any && known == self.times.len() && self.further.is_empty() {
            return None;
        }
        let first = (0..).zip(&self.times).filter(|&(thread, time)| *time > past.time(ThreadId(thread)));
        let first = first.map(|(thread, _)| self.accesses[thread as usize]);
        let further = self.further.iter().filter(|access| !access.epoch.is_past(past)).copied();
        first.chain(further).max_by_key(Access::position)
    }
}
