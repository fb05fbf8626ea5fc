//! Does a lock outlive the function that took it?
//!
//! The first acquisitions at a place note the frame of the function with that place: where its return address lies, and which it is. When
//! the lock is released, or this thread comes by the slow path while it holds it, the stack is walked again: when that return address is
//! not in its place any more, the function has returned, and the lock is its caller's.
//!
//! Which of the frames is that function's is told by its code: the address of the place, which is a constant of it, is loaded just before the
//! call. So the bytes before each return address are searched for that address, as x86-64 has it: relative to the
//! next instruction, or as it is. Elsewhere no frame is found, and nothing is looked at.

use crate::rt::{
    Site,
    held::SlotPtr,
    reentry,
    stack::{self, Return},
    thread::Entered,
};

use super::{Asked, is_wrapper, note_wrapper};

/// A function's frame: its return address, and where that lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame(Return);

/// An acquisition that is looked at.
#[derive(Debug)]
struct Probe {
    slot: SlotPtr,
    lock: u32,
    site: Site,
    frame: Frame,
    /// How often it was looked at before its release.
    looks: u32,
}

/// Acquisitions of this thread that are looked at.
#[derive(Debug, Default)]
pub(in crate::rt) struct Probes(Vec<Probe>);

/// At most so many at a time.
const MOST: usize = 16;
/// As often one is looked at before its release. A lock may be held for long, and the stack be walked for nothing.
const LOOKS: u32 = 2;

impl Probes {
    /// For the next thread.
    pub(in crate::rt) fn clear(&mut self) {
        self.0.clear();
    }

    /// Notes an acquisition, for which [`begin`] has made room.
    pub(super) fn open(&mut self, slot: SlotPtr, lock: u32, site: Site, frame: Frame) -> bool {
        let has_room = self.0.len() < self.0.capacity();
        if has_room {
            self.0.push(Probe { slot, lock, site, frame, looks: 0 });
        }
        has_room
    }
}

impl Probe {
    /// Whether the function has returned; then its place is a wrapper's. Who has the allocator's lock looks at no stack: that takes a lock of the
    /// unwinder's, whose holder may be waiting for memory.
    fn look(&mut self, may_allocate: bool) -> bool {
        self.looks += 1;
        let outlives = is_wrapper(self.site) || may_allocate && stack::is_live(self.frame.0) == Some(false);
        if outlives {
            note_wrapper(self.site);
        }
        outlives
    }
}

/// Begins to look at an acquisition, which is about to be made. The caller is known then.
pub(super) fn begin(entered: &Entered, site: Site) -> Option<Asked> {
    let probes = &mut entered.local().probes.0;
    // A guard that was given to another thread is released there.
    probes.retain(|probe| probe.slot.has(probe.lock));
    if probes.len() >= MOST {
        return None;
    }
    probes.reserve_exact(MOST - probes.len());
    let (stack, frame) = stack::capture_function(site)?;
    Some(Asked { stack, frame: Some(Frame(frame)) })
}

/// Looks at the acquisitions that are on: the thread is about to do something else, which may be told together with them.
pub(super) fn look(entered: &Entered) {
    if entered.local().probes.0.is_empty() {
        return;
    }
    let may_allocate = reentry::may_allocate(entered.info);
    let is_due = |probe: &&mut Probe| probe.looks < LOOKS && probe.slot.has(probe.lock);
    entered.local().probes.0.iter_mut().filter(is_due).for_each(|probe| {
        probe.look(may_allocate);
    });
}

/// Looks at an acquisition for the last time. Whether it was a wrapper's.
pub(super) fn close(entered: &Entered, slot: SlotPtr, lock: u32) -> bool {
    let probes = &mut entered.local().probes.0;
    let Some(index) = probes.iter().position(|probe| probe.slot == slot && probe.lock == lock) else { return false };
    probes.swap_remove(index).look(reentry::may_allocate(entered.info))
}
