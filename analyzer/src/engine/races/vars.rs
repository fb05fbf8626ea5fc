//! The last accesses of each location: as few as can race with what comes.

use lockscope_trace::VarId;

use super::super::{access::Access, clock::Epoch};
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
    /// When, by thread; 0 for never.
    times: Vec<u32>,
    accesses: Vec<Access>,
}

impl Vars {
    /// Looks at a location, to have it near; the result means nothing.
    #[inline]
    pub fn touch(&self, var: VarId) -> u64 {
        self.vars.get(var.0 as usize).map_or(0, |var| var.write.position() ^ var.read.position())
    }

    /// Notes a read. Returns the latest write that it races with.
    #[inline]
    pub fn read(&mut self, var: VarId, access: &Access, past: &[u32]) -> Option<(Access, Touch)> {
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
            self.bytes += self.several[reads].note(access);
        } else if known.read.epoch != access.epoch {
            // The first one of a time stands for all of that time.
            if known.read.epoch.is_past(past) {
                known.read = *access;
            } else {
                self.share(index, Touch::Read, access);
            }
        }
        raced.map(|write| (write, Touch::Write))
    }

    /// Notes a write. Returns the latest access that it races with.
    #[inline]
    pub fn write(&mut self, var: VarId, access: &Access, past: &[u32]) -> Option<(Access, Touch)> {
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

    fn write_slowly(&mut self, index: usize, access: &Access, past: &[u32]) -> Option<(Access, Touch)> {
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
            (Some(_), Some(several)) => self.bytes += self.several[several].note(access),
            (Some(_), None) => self.share(index, Touch::Write, access),
        }
        let touched = |access: Option<Access>, touch| access.map(|access| (access, touch));
        let both = [touched(raced_write, Touch::Write), touched(raced_read, Touch::Read)];
        both.into_iter().flatten().max_by_key(|(access, _)| access.position())
    }

    /// Keeps another access beside the one that is there.
    #[cold]
    fn share(&mut self, index: usize, touch: Touch, access: &Access) {
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
        self.bytes += several.note(known) + several.note(access);
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
    fn note(&mut self, access: &Access) -> u64 {
        let thread = access.thread().0 as usize;
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

    /// The latest that is not past.
    #[inline]
    fn racing(&self, past: &[u32]) -> Option<Access> {
        // Threads that are not in `past` are later ones, of which nothing is.
        let known = self.times.len().min(past.len());
        let is_any = self.times[..known].iter().zip(past).fold(false, |any, (time, past)| any | (time > past));
        if !is_any && known == self.times.len() {
            return None;
        }
        let racing = (0..self.times.len())
            .filter(|&thread| self.times[thread] > past.get(thread).copied().unwrap_or(0))
            .map(|thread| self.accesses[thread]);
        racing.max_by_key(Access::position)
    }
}
