//! Functions that take locks for others: `fn lock(&self)` of a wrapper type. A report that says where a lock was taken would name
//! the same line for every lock of the program, so here it matters who called.
//!
//! A place is known for a helper's once locks over data of different types were taken there: that is generic code. A function that takes
//! locks over data of one type only, or one lock, is not known: what tells it from a loop over locks, or from a function that
//! is called from several places and releases what it takes, is that the lock is still held when it has returned, and to see that
//! every acquisition would have to note where on the stack it was made. A report of two orders shows who called such a function all
//! the same, since each side has the stack of its second lock; a report of a deadlock has the places, and the stack of who closed it.
//!
//! From then on what is taken at a helper's place takes the slow path and keeps its stack. Unwinding takes a microsecond and more, so
//! each thread remembers the stacks that it has seen, together with where on the stack the return addresses lie. When all of these are
//! there again, it is the same stack: a return address tells the function and the place in it, hence the size of its frame, hence
//! where the next one lies. Reading goes from frame to frame and stops where something else is found, so it never leaves the frames that
//! there are. Then an acquisition costs some tens of loads more than any other on the slow path.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    Site, global,
    held::{HeldLock, SlotPtr},
    record, reentry,
    stack::{self, Stack},
    thread::{Entered, ThreadInfo},
};

/// Places of helpers, by address; a table with open addressing that is never emptied. More helpers than fit are treated as what
/// they are not.
static HELPERS: [AtomicUsize; SIZE] = [const { AtomicUsize::new(0) }; SIZE];
const SIZE: usize = 256;
/// Places to look at for one address.
const PROBES: usize = 8;

/// Names of types by the place where locks over them were taken first.
static TYPES: Mutex<Option<HashMap<usize, &'static str>>> = Mutex::new(None);

fn places(address: usize) -> impl Iterator<Item = &'static AtomicUsize> {
    // Places are 24 bytes, beside each other.
    let first = (address / 8).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - 8);
    (first..first + PROBES).map(|index| &HELPERS[index % SIZE])
}

/// Whether a place is known to be a helper's.
pub(super) fn is_helper(site: Site) -> bool {
    let address = std::ptr::from_ref(site) as usize;
    places(address).any(|place| place.load(Ordering::Relaxed) == address)
}

/// Notes that a lock over data of a type was used first at a place.
pub(super) fn note_first_use(site: Site, type_name: &'static str) {
    let address = std::ptr::from_ref(site) as usize;
    let Some(mut types) = reentry::lock(&TYPES) else { return };
    let known = *types.get_or_insert_default().entry(address).or_insert(type_name);
    if known != type_name && !is_helper(site) {
        let claim =
            |place: &AtomicUsize| place.compare_exchange(0, address, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if places(address).any(claim) {
            global::note_helpers();
        }
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
        let now = (std::ptr::from_ref(site) as usize, type_name as usize);
        let entry = &mut self.0[(now.0 >> 3) % 64];
        std::mem::replace(entry, now) != now
    }
}

/// A stack that this thread has seen.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub stack: Stack,
    /// Its id in the trace, 0 when nothing is recorded.
    id: u32,
}

/// Stacks that a thread has seen at helpers' places, as far as this cache remembers: of as many as `WAYS` that call from one depth.
#[derive(Debug, Default)]
pub(super) struct Seen {
    known: Vec<Option<Known>>,
    /// How many stacks were captured.
    captured: u32,
}

#[derive(Debug)]
struct Known {
    site: Site,
    /// Where a variable of the comparing function lay: where it does again, its return address is in the same place too.
    here: usize,
    /// From the innermost frame that is compared: where its return address lies, and which it is.
    returns: Vec<(usize, usize)>,
    caller: Caller,
}

const SETS: usize = 32;
const WAYS: usize = 8;
/// Stacks that one thread captures: programs that call helpers at ever other depths of their stacks pay for each.
const MOST: u32 = 10_000;
/// With fewer frames that can be compared, stacks are not told apart by what is around them.
const FEWEST: usize = 4;

impl Seen {
    /// For the next thread, whose stack may lie in the same place.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.captured = 0;
    }
}

/// The stack of an operation at a helper's place; `None` elsewhere, and when stacks are off.
pub(super) fn caller(entered: &Entered, site: Site) -> Option<Caller> {
    if is_helper(site) { caller_of_helper(entered, site) } else { None }
}

#[inline(never)]
fn caller_of_helper(entered: &Entered, site: Site) -> Option<Caller> {
    let here = 0u8;
    let here = std::hint::black_box(std::ptr::from_ref(&here)) as usize;
    let seen = &mut entered.local().seen;
    if seen.known.is_empty() {
        seen.known.resize_with(SETS * WAYS, || None);
    }
    let key = (std::ptr::from_ref(site) as usize ^ here).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - 5);
    let ways = key * WAYS..(key + 1) * WAYS;
    let is_same = |known: &&Known| {
        std::ptr::eq(known.site, site)
            && known.here == here
            && known.returns.iter().all(|&(place, address)| stack::word_at(place) == address)
    };
    if let Some(known) = seen.known[ways.clone()].iter().flatten().find(is_same) {
        return Some(known.caller.clone());
    }
    if seen.captured == MOST {
        return None;
    }
    seen.captured += 1;
    let (stack, returns) = stack::capture_with_returns(here)?;
    let caller = Caller { id: record::stack_id(&stack), stack };
    if returns.len() >= FEWEST {
        seen.known[ways.start + seen.captured as usize % WAYS] =
            Some(Known { site, here, returns, caller: caller.clone() });
    }
    Some(caller)
}

/// Where the locks that a thread holds were taken from, by slot: only of those taken by helpers. For reports by any thread.
#[derive(Debug, Default)]
pub(super) struct HeldFrom(Mutex<Vec<(SlotPtr, Option<TakenFrom>)>>);

/// A lock, where it was taken, and from where.
type TakenFrom = (u32, Site, Stack);

impl HeldFrom {
    /// Makes room for a slot, which is about to be filled: that must not allocate.
    pub(super) fn prepare(&self, slot: SlotPtr) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.iter_mut().find(|(of, _)| *of == slot) {
            Some((_, entry)) => *entry = None,
            None => slots.push((slot, None)),
        }
    }

    /// Notes from where the lock in a slot was taken. The slot was prepared.
    pub(super) fn set(&self, slot: SlotPtr, lock: u32, site: Site, stack: &Stack) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, entry @ None)) = slots.iter_mut().find(|(of, _)| *of == slot) {
            *entry = Some((lock, site, stack.clone()));
        }
    }
}

/// From where a thread took a lock that it holds, when a helper took it.
pub(super) fn held_from(info: &ThreadInfo, held: &HeldLock) -> Option<Stack> {
    // A lock taken elsewhere leaves what was there in its slot.
    if !is_helper(held.site) {
        return None;
    }
    let slots = info.held_from.0.lock().unwrap_or_else(PoisonError::into_inner);
    let is_it = |entry: &&TakenFrom| entry.0 == held.lock && std::ptr::eq(entry.1, held.site);
    slots.iter().filter_map(|(_, entry)| entry.as_ref()).find(is_it).map(|(.., stack)| stack.clone())
}

impl Caller {
    /// Attaches the stack to the next event of this thread.
    pub(super) fn attach(&self, entered: &Entered) {
        if self.id != 0 {
            entered.local().pending_stack = Some(self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::rt::thread;

    #[inline(never)]
    fn ask(entered: &Entered, site: Site) -> Caller {
        caller_of_helper(entered, site).expect("stacks are on")
    }

    /// Two callers at the same depth of the stack.
    fn ask_twice(entered: &Entered, site: Site) -> [Caller; 2] {
        [ask(entered, site), ask(entered, site)]
    }

    #[inline(never)]
    fn deeper(entered: &Entered, site: Site) -> [Caller; 2] {
        ask_twice(entered, site)
    }

    #[inline(never)]
    fn ask_everywhere(entered: &Entered, site: Site) -> Vec<Caller> {
        [ask_twice(entered, site), deeper(entered, site)].concat()
    }

    #[test]
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    fn stacks_are_captured_once_and_told_apart() {
        let entered = thread::enter().expect("this thread is not in the runtime");
        let site = std::panic::Location::caller();
        let rounds: Vec<_> = (0..100).map(|_| ask_everywhere(&entered, site)).collect();
        let first = &rounds[0];
        for (index, one) in first.iter().enumerate() {
            assert!(first[..index].iter().all(|other| one.stack != other.stack), "{index}");
        }
        for round in &rounds {
            assert!(round.iter().zip(first).all(|(now, then)| Arc::ptr_eq(&now.stack, &then.stack)));
        }
        assert_eq!(entered.local().seen.captured, 4);
    }

    #[test]
    fn places_are_helpers_when_they_take_locks_of_two_types() {
        let site = std::panic::Location::caller();
        note_first_use(site, "u8");
        note_first_use(site, "u8");
        assert!(!is_helper(site));
        note_first_use(site, "u16");
        assert!(is_helper(site));
    }
}
