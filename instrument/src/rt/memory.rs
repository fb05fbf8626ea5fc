//! Memory: atomics and cells whose accesses are recorded, for the analysis of what is ordered by what.
//!
//! While nothing is recorded, an access costs a load more than it does in std. While something is, accesses to one atomic come
//! one after the other, by a small lock of its own: so each knows exactly which modification it read or made, and is
//! counted in that order. That also hides what weakly ordered machines might do: a recording shows orders that the
//! program allows, not all of them.
//!
//! The lock is held for a few instructions, in which nothing is called but the wrapped operation. Who does not get it for long, since its
//! holder was interrupted, goes on without: then the modification is not known ([`memory::UNKNOWN`]). The same goes for what is done inside of
//! the runtime, which is not recorded, yet counted among the modifications.
//!
//! A thread that spins on a load would fill the recording. Of loads in a row, with nothing else in between, that read the same
//! modification of the same variable at the same place, the first one is recorded.

use std::{
    hint,
    panic::Location,
    sync::atomic::{self, AtomicU32, AtomicU64, Ordering},
    thread::yield_now,
};

use lockscope_trace::{
    MemoryOrder,
    defs::short_type,
    format::{code, memory},
    writer::MemoryEvent,
};

use super::{
    Site,
    global::{flag, flags, registry, trace},
    record,
    thread::{self, Entered},
};

/// What lockscope keeps of an atomic or a cell: 24 bytes. Without a destructor, so that `into_inner` can be `const`.
///
/// | field | before it was first recorded | after |
/// | --- | --- | --- |
/// | `id` | `UNREGISTERED` | the location's id |
/// | `count` | 0 | count of its latest event, changed by who has the lock |
/// | `state` | twice the number of modifications since recording began; odd while somebody has the lock | the same |
#[derive(Debug)]
pub struct VarMeta {
    created: Site,
    id: AtomicU32,
    count: AtomicU32,
    state: AtomicU64,
}

const UNREGISTERED: u32 = u32::MAX;
const LOCKED: u64 = 1;
const MODIFIED: u64 = 2;

impl VarMeta {
    /// A location made by the caller's caller.
    #[track_caller]
    #[inline]
    #[expect(clippy::new_without_default, reason = "a default would have the place of `Default`, not of its user")]
    pub const fn new() -> Self {
        Self {
            created: Location::caller(),
            id: AtomicU32::new(UNREGISTERED),
            count: AtomicU32::new(0),
            state: AtomicU64::new(0),
        }
    }

    /// Takes the lock, unless its holder keeps it for too long.
    fn lock(&self) -> Option<Locked<'_>> {
        (0..SPINS + YIELDS).find_map(|n| {
            let state = self.state.load(Ordering::Relaxed);
            let is_mine = state & LOCKED == 0
                && self
                    .state
                    .compare_exchange_weak(state, state | LOCKED, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok();
            if is_mine {
                return Some(Locked { var: self, number: state / MODIFIED });
            }
            if n < SPINS {
                hint::spin_loop()
            } else {
                yield_now()
            }
            None
        })
    }
}

/// How often the lock is asked for: without giving up the processor, and then with.
const SPINS: u32 = 200;
const YIELDS: u32 = 50;

/// The lock of a variable, given back when dropped.
struct Locked<'a> {
    var: &'a VarMeta,
    /// Its latest modification.
    number: u64,
}

impl Locked<'_> {
    /// The next event's count. 0 is left out when it wraps, since it means "not counted".
    fn next_count(&self) -> u32 {
        let count = self.var.count.load(Ordering::Relaxed).checked_add(1).unwrap_or(1);
        self.var.count.store(count, Ordering::Relaxed);
        count
    }

    /// Gives the lock back after a modification, and returns its number.
    fn modified(self) -> u64 {
        // Others may have counted modifications meanwhile without the lock.
        let state = self.var.state.fetch_add(MODIFIED - LOCKED, Ordering::Release);
        std::mem::forget(self);
        state / MODIFIED + 1
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.var.state.fetch_sub(LOCKED, Ordering::Release);
    }
}

/// A memory location as the runtime sees it: its [`VarMeta`] and its type.
#[derive(Clone, Copy, Debug)]
pub struct VarRef<'a> {
    meta: &'a VarMeta,
    type_name: fn() -> &'static str,
}

impl<'a> VarRef<'a> {
    /// A location of type `T`.
    #[inline]
    pub fn new<T: ?Sized>(meta: &'a VarMeta) -> Self {
        Self { meta, type_name: std::any::type_name::<T> }
    }

    /// Its id; `None` when nothing can be recorded.
    #[inline]
    fn id(self) -> Option<u32> {
        match self.meta.id.load(Ordering::Acquire) {
            UNREGISTERED => self.register(),
            id => Some(id),
        }
    }

    #[cold]
    fn register(self) -> Option<u32> {
        let writer = trace()?;
        let mut registry = registry();
        if self.meta.id.load(Ordering::Relaxed) == UNREGISTERED {
            let id = registry.new_var(writer, &short_type((self.type_name)()), self.meta.created);
            self.meta.id.store(id, Ordering::Release);
        }
        Some(self.meta.id.load(Ordering::Relaxed))
    }
}

/// What an atomic operation turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Did {
    Load(atomic::Ordering),
    Store(atomic::Ordering),
    Update(atomic::Ordering),
}

/// Loads by `op`.
#[inline]
pub fn load<R>(var: VarRef<'_>, order: Ordering, site: Site, op: impl FnOnce() -> R) -> R {
    if flags() & flag::RECORD == 0 { op() } else { recorded(var, site, || (op(), Did::Load(order))) }
}

/// Stores by `op`.
#[inline]
pub fn store(var: VarRef<'_>, order: Ordering, site: Site, op: impl FnOnce()) {
    if flags() & flag::RECORD == 0 { op() } else { recorded(var, site, || (op(), Did::Store(order))) }
}

/// Reads and stores by `op`, in one step.
#[inline]
pub fn update<R>(var: VarRef<'_>, order: Ordering, site: Site, op: impl FnOnce() -> R) -> R {
    if flags() & flag::RECORD == 0 { op() } else { recorded(var, site, || (op(), Did::Update(order))) }
}

/// Compares and, when that is `Ok`, stores by `op`, in one step.
#[inline]
pub fn exchange<T>(
    var: VarRef<'_>,
    (success, failure): (Ordering, Ordering),
    site: Site,
    op: impl FnOnce() -> Result<T, T>,
) -> Result<T, T> {
    if flags() & flag::RECORD == 0 {
        return op();
    }
    recorded(var, site, || {
        let result = op();
        let did = if result.is_ok() { Did::Update(success) } else { Did::Load(failure) };
        (result, did)
    })
}

/// Notes a fence.
#[inline]
pub fn fence(order: Ordering, site: Site) {
    if flags() & flag::RECORD != 0
        && let Some(entered) = thread::enter()
    {
        let event = MemoryEvent { act: memory::FENCE, order: code_of(order), ..MemoryEvent::default() };
        record::memory(&entered, event, site);
    }
}

/// Notes a plain read.
#[inline]
pub fn read(var: VarRef<'_>, site: Site) {
    plain(var, memory::READ, site);
}

/// Notes a plain write.
#[inline]
pub fn write(var: VarRef<'_>, site: Site) {
    plain(var, memory::WRITE, site);
}

#[inline]
fn plain(var: VarRef<'_>, act: u8, site: Site) {
    if flags() & flag::RECORD != 0
        && let Some(entered) = thread::enter()
        && let Some(id) = var.id()
    {
        record::memory(&entered, MemoryEvent { act, var: id, ..MemoryEvent::default() }, site);
    }
}

#[inline(never)]
fn recorded<R>(var: VarRef<'_>, site: Site, op: impl FnOnce() -> (R, Did)) -> R {
    let prepared = thread::enter().and_then(|entered| {
        record::note_stopped();
        // Defined before the lock is taken: that allocates.
        record::site_id(&entered, site);
        var.id().map(|id| (entered, id))
    });
    let Some((entered, id)) = prepared else {
        let (result, did) = op();
        if !matches!(did, Did::Load(_)) {
            var.meta.state.fetch_add(MODIFIED, Ordering::Relaxed);
        }
        return result;
    };
    let locked = var.meta.lock();
    let (result, did) = op();
    let (act, order) = match did {
        Did::Load(order) => (memory::LOAD, order),
        Did::Store(order) => (memory::STORE, order),
        Did::Update(order) => (memory::UPDATE, order),
    };
    let event = MemoryEvent { act, order: code_of(order), var: id, ..MemoryEvent::default() };
    let Some(locked) = locked else {
        if act != memory::LOAD {
            var.meta.state.fetch_add(MODIFIED, Ordering::Relaxed);
        }
        record::memory(&entered, MemoryEvent { modification: memory::UNKNOWN, ..event }, site);
        return result;
    };
    if act == memory::LOAD {
        let event = MemoryEvent { modification: locked.number, ..event };
        if is_repeated(&entered, &event, site) {
            return result;
        }
        let count = locked.next_count();
        drop(locked);
        record::memory(&entered, MemoryEvent { count, ..event }, site);
        remember(&entered, &event, site);
    } else {
        let count = locked.next_count();
        let modification = locked.modified();
        record::memory(&entered, MemoryEvent { count, modification, ..event }, site);
    }
    result
}

/// The latest load that a thread has recorded.
#[derive(Debug, Default)]
pub(super) struct LatestLoad {
    var: u32,
    order: u16,
    modification: u64,
    site: usize,
    /// Where the thread's end of the trace was afterwards.
    position: usize,
}

fn is_repeated(entered: &Entered, event: &MemoryEvent, site: Site) -> bool {
    let local = entered.local();
    let (latest, writer) = (&local.latest_load, &local.writer);
    let here = writer.as_ref().map_or(0, |writer| writer.position());
    latest.position == here
        && (latest.var, latest.order, latest.modification) == (event.var, event.order, event.modification)
        && latest.site == std::ptr::from_ref(site) as usize
}

fn remember(entered: &Entered, event: &MemoryEvent, site: Site) {
    let local = entered.local();
    let position = local.writer.as_ref().map_or(usize::MAX, |writer| writer.position());
    let &MemoryEvent { var, order, modification, .. } = event;
    local.latest_load = LatestLoad { var, order, modification, site: std::ptr::from_ref(site) as usize, position };
}

fn code_of(order: Ordering) -> u16 {
    code::order(match order {
        Ordering::Relaxed => MemoryOrder::Relaxed,
        Ordering::Acquire => MemoryOrder::Acquire,
        Ordering::Release => MemoryOrder::Release,
        Ordering::AcqRel => MemoryOrder::AcqRel,
        _ => MemoryOrder::SeqCst,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_get_the_lock_goes_on() {
        let var = VarMeta::new();
        let held = var.lock().expect("nobody has it");
        assert!(var.lock().is_none());
        // Counted without the lock meanwhile.
        var.state.fetch_add(MODIFIED, Ordering::Relaxed);
        assert_eq!((held.number, held.next_count(), held.modified()), (0, 1, 2));
        let held = var.lock().expect("it was given back");
        assert_eq!((held.number, held.next_count()), (2, 2));
        drop(held);
        assert_eq!(var.lock().expect("it was given back").number, 2);
    }

    #[test]
    fn a_count_of_0_is_left_out() {
        let var = VarMeta::new();
        var.count.store(u32::MAX, Ordering::Relaxed);
        assert_eq!(var.lock().expect("nobody has it").next_count(), 1);
    }
}
