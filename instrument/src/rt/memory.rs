//! Memory: atomics and cells whose accesses are recorded, for the analysis of what is ordered by what.
//!
//! While nothing is recorded, an access costs a load more than it does in std. While something is, accesses to one atomic come
//! one after the other (`turns`): so each knows exactly which modification it read or made, and is
//! counted in that order. That also hides what weakly ordered machines might do: a recording shows orders that the
//! program allows, not all of them.
//!
//! Who does not get its turn for long goes on without: then the modification is not known ([`memory::UNKNOWN`]). What is done inside of
//! the runtime is not recorded, yet counted among the modifications.
//!
//! A thread that spins on a load would fill the recording. Of loads in a row, with nothing else in between, that read the same
//! modification of the same variable at the same place, the first one is recorded.

use std::{
    panic::Location,
    sync::atomic::{self, AtomicU32, AtomicU64, Ordering},
};

use lockscope_trace::{
    MemoryOrder,
    defs::short_type,
    format::{code, memory},
    writer::MemoryEvent,
};

use super::{
    Site,
    global::{flag, flags, patient_registry, trace},
    record, reentry,
    thread::{self, Entered},
    turns::Turns,
};

/// What lockscope keeps of an atomic or a cell: 24 bytes. Without a destructor, so that `into_inner` can be `const`.
///
/// | field | before it was first recorded | after |
/// | --- | --- | --- |
/// | `id` | `UNREGISTERED` | the location's id |
/// | `count`, `state` | 0 | its turns (`turns.rs`); modifications count since recording began |
#[derive(Debug)]
pub struct VarMeta {
    created: Site,
    id: AtomicU32,
    count: AtomicU32,
    state: AtomicU64,
}

// As ARCHITECTURE.md says.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<VarMeta>() == 24);

const UNREGISTERED: u32 = u32::MAX;

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

    fn turns(&self) -> Turns<'_> {
        Turns { state: &self.state, count: &self.count }
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
        let mut registry = patient_registry()?;
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
    let prepared = thread::enter().filter(|entered| reentry::may_allocate(entered.info)).and_then(|entered| {
        record::note_stopped();
        // Defined before the turn begins: that allocates.
        record::site_id(&entered, site);
        var.id().map(|id| (entered, id))
    });
    let turns = var.meta.turns();
    let with_modified = |(result, did): (R, Did)| ((result, did), !matches!(did, Did::Load(_)));
    let Some((entered, id)) = prepared else { return turns.out_of_turn(|| with_modified(op())).0 };
    let turn = turns.take();
    let (result, did) = if turn.is_some() { op() } else { turns.out_of_turn(|| with_modified(op())) };
    let (act, order) = match did {
        Did::Load(order) => (memory::LOAD, order),
        Did::Store(order) => (memory::STORE, order),
        Did::Update(order) => (memory::UPDATE, order),
    };
    let event = MemoryEvent { act, order: code_of(order), var: id, ..MemoryEvent::default() };
    let note = |count, modification: Option<u64>| {
        let event = MemoryEvent { count, modification: modification.unwrap_or(memory::UNKNOWN), ..event };
        record::memory(&entered, event, site);
        event
    };
    let Some(turn) = turn else {
        note(0, None);
        return result;
    };
    if act != memory::LOAD {
        let count = turn.next_count();
        note(count, turn.modified());
        return result;
    }
    let is_repeated = is_repeated(&entered, &MemoryEvent { modification: turn.latest(), ..event }, site);
    let count = if is_repeated { 0 } else { turn.next_count() };
    let modification = turn.read();
    // What looked like the same modification may not have been.
    if !is_repeated || modification.is_none() {
        remember(&entered, &note(count, modification), site);
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
