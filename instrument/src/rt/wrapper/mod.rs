//! Functions that take locks for others: `fn lock(&self) -> Guard` of a type that wraps a lock. A report that says where a lock was taken
//! would name the same line for every lock of the program, so here it matters who called.
//!
//! A place is known for a wrapper's
//!
//! - once a lock that was taken there was still held when the function with that place had returned (`probe`), or
//! - once locks over data of different types were taken there: that is generic code, also where it calls back with the lock held.
//!
//! From then on a lock that is taken at such a place is marked, and a marked lock takes the slow path, which keeps the stack of each
//! acquisition at a wrapper's place (`seen`). Other locks cost what they did before. A function that the compiler
//! has put into its callers is none any more, and not seen for one; what waits is shown with its stack all the same.

mod probe;
mod seen;

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

use lockscope_trace::How;

use super::{
    LockRef, Site,
    held::{HeldLock, SlotPtr},
    reentry,
    stack::Stack,
    thread::Entered,
};

use self::probe::Frame;
pub(super) use self::{
    probe::Probes,
    seen::{Seen, stack_of},
};

/// What is known of a place.
struct Place {
    /// Of the place, 0 while there is none.
    address: AtomicUsize,
    /// How often it was looked at, and `WRAPS`.
    state: AtomicU32,
}

/// The place is a wrapper's.
const WRAPS: u32 = 1 << 31;
/// So many acquisitions at a place are looked at. One may end early where the others do not: in a function that gives the guard back on one of
/// its ways only.
const LOOKS: u32 = 16;

/// A table with open addressing that is never emptied, 16 KiB. Places that find no room in it are not looked at.
static PLACES: [Place; SIZE] = [const { Place { address: AtomicUsize::new(0), state: AtomicU32::new(0) } }; SIZE];
const SIZE: usize = 1024;
/// Places to look at for one address.
const PROBES: usize = 8;

/// Names of types by the place where locks over them were taken first.
static TYPES: Mutex<Option<HashMap<usize, &'static str>>> = Mutex::new(None);

fn address_of(site: Site) -> usize {
    std::ptr::from_ref(site).addr()
}

fn places(address: usize) -> impl Iterator<Item = &'static Place> {
    // Places are 24 bytes, beside each other.
    let first = (address / 8).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - SIZE.ilog2());
    (first..first + PROBES).map(|index| &PLACES[index % SIZE])
}

/// What is known of a place; from now on something is.
fn place(site: Site) -> Option<&'static Place> {
    let address = address_of(site);
    places(address).find(|place| match place.address.load(Ordering::Relaxed) {
        0 => match place.address.compare_exchange(0, address, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => true,
            Err(other) => other == address,
        },
        other => other == address,
    })
}

/// Whether a place is known to be a wrapper's.
pub(super) fn is_wrapper(site: Site) -> bool {
    let address = address_of(site);
    // Places are taken in order, so there is nothing behind a free one.
    let mut taken = places(address).take_while(|place| place.address.load(Ordering::Relaxed) != 0);
    let place = taken.find(|place| place.address.load(Ordering::Relaxed) == address);
    place.is_some_and(|place| place.state.load(Ordering::Relaxed) & WRAPS != 0)
}

fn note_wrapper(site: Site) {
    if let Some(place) = place(site) {
        place.state.fetch_or(WRAPS, Ordering::Relaxed);
    }
}

/// Whether an acquisition at a place is to be looked at, being one of the first.
fn is_to_look_at(site: Site) -> bool {
    place(site).is_some_and(|place| {
        place.state.load(Ordering::Relaxed) < LOOKS && place.state.fetch_add(1, Ordering::Relaxed) < LOOKS
    })
}

/// Notes that a lock over data of a type was used first at a place.
pub(super) fn note_first_use(site: Site, type_name: &'static str) {
    let Some(mut types) = reentry::lock(&TYPES) else { return };
    let known = *types.get_or_insert_default().entry(address_of(site)).or_insert(type_name);
    if known != type_name {
        note_wrapper(site);
    }
}

/// Places where this thread has used locks first, and over which types; as far as this small direct-mapped cache remembers. 1 KiB.
#[derive(Debug)]
pub(super) struct FirstUses([(usize, usize); 64]);

impl Default for FirstUses {
    fn default() -> Self {
        Self([(0, 0); 64])
    }
}

impl FirstUses {
    /// Whether these are not remembered; from now on they are.
    pub(super) fn is_news(&mut self, site: Site, type_name: fn() -> &'static str) -> bool {
        let now = (address_of(site), type_name as usize);
        let entry = &mut self.0[(now.0 >> 3) % 64];
        std::mem::replace(entry, now) != now
    }
}

/// Who asks for a lock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub stack: Stack,
    /// The function with the place, when it is to be seen whether the lock outlives it.
    frame: Option<Frame>,
}

/// Who asks for a lock, where that matters or may come to matter. `None` elsewhere, and when stacks are off.
///
/// Costs some tens of loads for the callers that were seen before, one to six microseconds for others. May allocate.
pub(super) fn ask(entered: &Entered, lock: LockRef<'_>, how: How, site: Site) -> Option<Asked> {
    probe::look(entered);
    if is_wrapper(site) {
        lock.mark_wrapped();
        return Some(Asked { stack: stack_of(entered, site)?, frame: None });
    }
    // Tries that fail would use up the looks.
    let is_request = matches!(how, How::Lock | How::Recursive | How::Timed | How::RecursiveTimed);
    if is_request && is_to_look_at(site) { probe::begin(entered, site) } else { None }
}

impl Asked {
    /// Notes that the lock was taken, in a slot; true when [`released`] is to be called for it. Allocates nothing.
    pub(super) fn acquired(&self, entered: &Entered, slot: SlotPtr, lock: u32, site: Site) -> bool {
        self.frame.is_some_and(|frame| entered.local().probes.open(slot, lock, site, frame))
    }
}

/// From where a lock that is held was taken, when a wrapper took it.
pub(super) fn held_from(held: &HeldLock) -> Option<Stack> {
    held.from.filter(|_| is_wrapper(held.site))
}

/// A lock is about to be released for which [`Asked::acquired`] was true.
pub(super) fn released(entered: &Entered, lock: LockRef<'_>, slot: SlotPtr) {
    if probe::close(entered, slot, lock.last_id()) {
        lock.mark_wrapped();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_wrappers_when_they_take_locks_of_two_types() {
        let site = std::panic::Location::caller();
        note_first_use(site, "u8");
        note_first_use(site, "u8");
        assert!(!is_wrapper(site));
        note_first_use(site, "u16");
        assert!(is_wrapper(site));
    }

    #[test]
    fn a_place_is_looked_at_a_few_times() {
        let site = std::panic::Location::caller();
        assert_eq!((0..2 * LOOKS).filter(|_| is_to_look_at(site)).count(), LOOKS as usize);
        note_wrapper(site);
        assert!(is_wrapper(site) && !is_to_look_at(site));
    }
}
