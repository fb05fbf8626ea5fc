//! Stacks of waits: of the first one at each place, since nobody can capture the stack of a thread that sleeps.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::rt::{
    Site, reentry,
    stack::{self, Stack},
    thread::Entered,
};

static FIRST: Mutex<Option<HashMap<usize, Stack>>> = Mutex::new(None);

/// Places where a thread has waited before, as far as this small direct-mapped cache remembers. 512 bytes.
#[derive(Debug)]
pub(in crate::rt) struct Places([usize; 64]);

impl Default for Places {
    fn default() -> Self {
        Self([0; 64])
    }
}

/// This thread waits at a place: captures its stack if nobody has waited there before.
pub(super) fn note(entered: &Entered, site: Site) {
    let address = std::ptr::from_ref(site).addr();
    let entry = &mut entered.local().places.0[(address >> 3) % 64];
    if std::mem::replace(entry, address) == address {
        return;
    }
    let Some(mut first) = reentry::lock(&FIRST) else { return };
    let first = first.get_or_insert_default();
    if !first.contains_key(&address) {
        first.extend(stack::capture().map(|stack| (address, stack)));
    }
}

/// The stack of the first wait at a place.
pub(super) fn first(site: Site) -> Option<Stack> {
    let first = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
    first.as_ref()?.get(&std::ptr::from_ref(site).addr()).cloned()
}
