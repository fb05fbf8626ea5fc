//! Where held locks were taken from.

use std::sync::{Mutex, PoisonError};

use crate::rt::{
    Site,
    held::{HeldLock, SlotPtr},
    stack::Stack,
    thread::ThreadInfo,
};

use super::is_wrapper;

/// Where the locks that a thread holds were taken from, by slot: only of those that `ask` has told. For reports by any thread.
#[derive(Debug, Default)]
pub(in crate::rt) struct HeldFrom(Mutex<Vec<(SlotPtr, Option<TakenFrom>)>>);

/// A lock, where it was taken, and from where.
type TakenFrom = (u32, Site, Stack);

impl HeldFrom {
    /// Makes room for a slot, which is about to be filled: that must not allocate.
    pub(in crate::rt) fn prepare(&self, slot: SlotPtr) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.iter_mut().find(|(of, _)| *of == slot) {
            Some((_, entry)) => *entry = None,
            None => slots.push((slot, None)),
        }
    }

    /// Notes from where the lock in a slot was taken. The slot was prepared.
    pub(in crate::rt) fn set(&self, slot: SlotPtr, lock: u32, site: Site, stack: &Stack) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, entry @ None)) = slots.iter_mut().find(|(of, _)| *of == slot) {
            *entry = Some((lock, site, stack.clone()));
        }
    }
}

/// From where a thread took a lock that it holds, when a wrapper took it.
pub(in crate::rt) fn held_from(info: &ThreadInfo, held: &HeldLock) -> Option<Stack> {
    // A lock taken elsewhere leaves what was there in its slot.
    if !is_wrapper(held.site) {
        return None;
    }
    let slots = info.held_from.0.lock().unwrap_or_else(PoisonError::into_inner);
    let is_it = |entry: &&TakenFrom| entry.0 == held.lock && std::ptr::eq(entry.1, held.site);
    slots.iter().filter_map(|(_, entry)| entry.as_ref()).find(is_it).map(|(.., stack)| stack.clone())
}
