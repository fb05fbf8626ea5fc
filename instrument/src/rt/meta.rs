//! What lockscope keeps inside each lock: 24 bytes.

use std::{
    panic::Location,
    ptr,
    sync::atomic::{AtomicPtr, AtomicU32, Ordering},
};

use lockscope_trace::{LockKind, Mode, format::code};

use super::{
    Site,
    global::{self, Named, flag, patient_registry},
    held::Fate,
    helpers, order, reentry,
    report::LockFacts,
    slots::{KIND_SHIFT, STAYS},
    thread::{self, ThreadInfo},
    wrapper,
};

/// Identity of a lock: where it was made, its name and rank, and once it has been used its id.
///
/// | field | before first use | after |
/// | --- | --- | --- |
/// | `id` | bit 31 set; bits 16–30 length of the name; bits 0–15 rank + 1, 0 for none | the lock's id; bit 31 clear; bit 30: named or ranked; bit 29: a read-write lock that the order check knows to be written; bit 28: not followed any more, see `unfollow`; bit 27: taken by wrappers, so that it matters who calls them, see `wrapper` |
/// | `aux` | the name's first byte, or null | thread that last held it exclusively, a hint |
/// | `created` | where it was made, or null | where it was made or, where that is not known, first used |
///
/// Registration copies name and rank to the registry, under the registry's lock; whoever sees bit 31 clear
/// (acquire) no longer reads `aux` as a name. A lock without both gets its id without the registry while nothing is recorded.
#[derive(Debug)]
pub struct LockMeta {
    created: AtomicPtr<Location<'static>>,
    pub(crate) aux: AtomicPtr<u8>,
    pub(crate) id: AtomicU32,
    /// Acquisitions while recording; written only by holders, see `record`.
    pub(crate) count: AtomicU32,
}

// What each lock and guard costs in memory, as ARCHITECTURE.md says.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<LockMeta>() == 24 && size_of::<super::Hold>() == 8);

pub(crate) const UNREGISTERED: u32 = 1 << 31;
/// The registry has an entry for the lock.
const NAMED: u32 = 1 << 30;
/// The order check knows that somebody asks for the read-write lock exclusively.
const WRITTEN: u32 = 1 << 29;
/// The lock is not followed any more.
const UNFOLLOWED: u32 = 1 << 28;
/// The lock is taken at wrappers' places: not by the fast path.
const WRAPPED: u32 = 1 << 27;
/// Ids are below 2^27, 130 million locks in the life of a process; after that locks are not followed.
const ID_MASK: u32 = WRAPPED - 1;
const NAME_SHIFT: u32 = 16;
const NAME_MAX: usize = (1 << 15) - 1;

impl LockMeta {
    /// A lock made by the caller's caller.
    #[track_caller]
    #[inline]
    #[expect(clippy::new_without_default, reason = "a default would have the place of `Default`, not of its user")]
    pub const fn new() -> Self {
        let mut meta = Self::unplaced();
        meta.set_created();
        meta
    }

    /// A lock that is made from a constant, so that the place is not known: that of its first use stands for it.
    #[inline]
    pub const fn unplaced() -> Self {
        Self {
            created: AtomicPtr::new(ptr::null_mut()),
            aux: AtomicPtr::new(ptr::null_mut()),
            id: AtomicU32::new(UNREGISTERED),
            count: AtomicU32::new(0),
        }
    }

    /// Makes the caller's caller the place where the lock was made, unless a place is known.
    #[track_caller]
    #[inline]
    pub const fn set_created(&mut self) {
        let created = self.created.as_ptr();
        // SAFETY: `&mut self` is exclusive; `get_mut` is not const yet.
        unsafe {
            if (*created).is_null() {
                *created = ptr::from_ref(Location::caller()).cast_mut();
            }
        }
    }

    /// Sets the name that reports use. Only before first use; at most 32767 bytes, longer names are cut at a
    /// character boundary.
    pub const fn set_name(&mut self, name: &'static str) {
        let mut len = name.len();
        if len > NAME_MAX {
            len = name.floor_char_boundary(NAME_MAX);
        }
        self.aux = AtomicPtr::new(name.as_ptr().cast_mut());
        let id = self.id.as_ptr();
        // SAFETY: `&mut self` is exclusive; `get_mut` is not const yet.
        unsafe { *id = UNREGISTERED | ((len as u32) << NAME_SHIFT) | (*id & 0xffff) };
    }

    /// Sets the rank: locks must be taken in ascending order of rank. Only before first use.
    ///
    /// # Panics
    ///
    /// When `rank` is `u16::MAX`, at compile time in a `const` or `static`.
    pub const fn set_rank(&mut self, rank: u16) {
        assert!(rank < u16::MAX, "ranks go from 0 to 65534");
        let id = self.id.as_ptr();
        // SAFETY: as in `set_name`.
        unsafe { *id = (*id & !0xffff) | (rank as u32 + 1) };
    }

    /// The record index of the thread that last took the lock exclusively.
    #[inline]
    pub(super) fn owner_hint(&self) -> Option<u32> {
        let owner: *const ThreadInfo = self.aux.load(Ordering::Relaxed).cast();
        // SAFETY: after registration `aux` is null or a record, and records are never freed.
        unsafe { owner.as_ref() }.map(|info| info.index)
    }

    /// The id of a lock that has one, followed or not.
    #[inline(always)]
    pub(super) fn last_id(&self) -> u32 {
        self.id.load(Ordering::Relaxed) & ID_MASK
    }

    /// Notes who took the lock exclusively.
    #[inline]
    pub(super) fn set_owner_hint(&self, info: *const ThreadInfo) {
        self.aux.store(info.cast_mut().cast(), Ordering::Relaxed);
    }

    /// Name and rank of a lock that is not registered yet.
    ///
    /// # Safety
    ///
    /// The caller holds the registry's lock and has seen `id` with bit 31 set while holding it.
    unsafe fn name_and_rank(&self) -> (Option<&'static str>, Option<u16>) {
        let id = self.id.load(Ordering::Relaxed);
        let len = ((id & !UNREGISTERED) >> NAME_SHIFT) as usize;
        let start = self.aux.load(Ordering::Relaxed);
        let name = (!start.is_null()).then(|| {
            // SAFETY: before registration `aux` and the length in `id` come from one `&'static str`, cut at a
            // character boundary, in `set_name`.
            unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(start, len)) }
        });
        (name, (id & 0xffff).checked_sub(1).map(|rank| rank as u16))
    }
}

/// The end of a lock's life: its name is forgotten, its node in the order graph goes when nothing needs it, the trace notes it.
impl Drop for LockMeta {
    #[inline]
    fn drop(&mut self) {
        let id = *self.id.get_mut();
        if id & UNREGISTERED == 0 && global::flags_if_ready() & flag::TRACK != 0 {
            end_of_life(id);
        }
    }
}

/// Most locks leave nothing behind: never nested, never waited for by a condition variable, without a name. Their end costs four loads, and
/// an event.
#[inline(never)]
fn end_of_life(id: u32) {
    let lock = id & ID_MASK;
    let leaves_nothing =
        id & NAMED == 0 && !order::may_have(lock) && !helpers::may_know(lock) && thread::this().owner.is_empty();
    let flags = global::flags_if_ready();
    if leaves_nothing && (flags & flag::RECORD == 0 || super::record::destroyed_at_once(lock, flags)) {
        return;
    }
    end_of_known(id, lock);
}

#[cold]
fn end_of_known(id: u32, lock: u32) {
    let Some(entered) = thread::enter() else { return };
    if !reentry::may_allocate(entered.info) {
        return;
    }
    super::unfollow::forget_own_holds(&entered, lock);
    order::forget_lock(lock);
    helpers::forget(lock);
    if id & NAMED != 0
        && let Some(mut registry) = patient_registry()
    {
        registry.forget(lock);
    }
    super::record::destroyed(&entered, lock);
}

/// A lock as the runtime sees it: its [`LockMeta`] and what the facade knows of its type.
#[derive(Clone, Copy, Debug)]
pub struct LockRef<'a> {
    pub(super) meta: &'a LockMeta,
    pub(super) type_name: fn() -> &'static str,
    // Kind and whether guards stay, where a slot has them, and `RECURSIVE`. A whole word: with a byte the compiler copies this struct by
    // overlapping moves, which stall on the fast path.
    kind: u32,
}

/// What is asked for passes waiting writers. No slot has it.
const RECURSIVE: u32 = 1 << 31;

impl<'a> LockRef<'a> {
    /// A lock of `kind` that protects a `T`.
    #[inline]
    pub fn new<T: ?Sized>(meta: &'a LockMeta, kind: LockKind) -> Self {
        Self { meta, type_name: std::any::type_name::<T>, kind: u32::from(code::lock_kind(kind)) << KIND_SHIFT }
    }

    /// The same for a type whose name is asked for later.
    #[inline]
    pub(super) fn of_type(meta: &'a LockMeta, kind: LockKind, type_name: fn() -> &'static str) -> Self {
        Self { meta, type_name, kind: u32::from(code::lock_kind(kind)) << KIND_SHIFT }
    }

    /// The lock that was taken apart: kind and flags as by `kind_and_flags`.
    #[inline]
    pub(super) fn from_parts(meta: &'a LockMeta, type_name: fn() -> &'static str, kind: u32) -> Self {
        Self { meta, type_name, kind }
    }

    #[inline]
    pub(super) fn kind_and_flags(self) -> u32 {
        self.kind
    }

    /// The lock, to be read by a call that no waiting writer stops, so that its readers may read again.
    #[inline]
    pub fn recursively(self) -> Self {
        Self { kind: self.kind | RECURSIVE, ..self }
    }

    /// The lock, whose guards do not go to other threads: their types are not `Send`. What such a guard holds is its thread's for sure.
    #[inline]
    pub fn staying(self) -> Self {
        Self { kind: self.kind | STAYS, ..self }
    }

    #[inline]
    pub(super) fn fate(self) -> Fate {
        if self.kind & STAYS != 0 { Fate::Stays } else { Fate::Moves }
    }

    #[inline]
    pub(super) fn is_recursive(self) -> bool {
        self.kind & RECURSIVE != 0
    }

    #[inline]
    pub(super) fn kind(self) -> LockKind {
        code::parse_lock_kind(self.kind_code())
    }

    /// What a slot has of it, and of the mode as [`code::mode_how`] has it.
    #[inline(always)]
    pub(super) fn in_slot(self, mode: u8) -> u32 {
        self.kind & !RECURSIVE | u32::from(mode)
    }

    /// The same as [`code::lock_kind`] has it.
    #[inline(always)]
    pub(super) fn kind_code(self) -> u8 {
        (self.kind >> KIND_SHIFT) as u8
    }

    /// The lock's id, when it has one and is followed.
    #[inline]
    pub(super) fn known_id(self) -> Option<u32> {
        let id = self.meta.id.load(Ordering::Acquire);
        (id & (UNREGISTERED | UNFOLLOWED) == 0).then_some(id & ID_MASK)
    }

    /// The lock's id, when it has one, is followed, and asking for it in this mode is nothing that the order check has to know.
    #[inline(always)]
    pub(super) fn checked_id(self, mode: Mode) -> Option<u32> {
        let id = self.meta.id.load(Ordering::Acquire);
        let is_write = self.kind_code() == const { code::lock_kind(LockKind::RwLock) } && mode == Mode::Exclusive;
        let needed = if is_write { WRITTEN } else { 0 };
        let mask = UNREGISTERED | UNFOLLOWED | WRAPPED | needed;
        (id & mask == needed).then_some(id & ID_MASK)
    }

    /// The id of a lock that has one, followed or not.
    #[inline(always)]
    pub(super) fn last_id(self) -> u32 {
        self.meta.last_id()
    }

    /// Where the lock was made, or first used. Only of a lock that has an id, or whose place is known.
    #[inline]
    pub(super) fn created(self) -> Site {
        let created = self.meta.created.load(Ordering::Relaxed);
        debug_assert!(!created.is_null(), "registered without a place");
        // SAFETY: not null once the lock is registered, which the caller has seen, or has seen itself; then a `Location`, which lives for ever.
        unsafe { &*created }
    }

    /// The lock's id; gives it one, at its first use at `site`. `None` when there are no more ids, or it is not followed any
    /// more.
    #[inline]
    pub(super) fn id_at(self, site: Site) -> Option<u32> {
        self.known_id().or_else(|| self.register(Some(site)))
    }

    /// The lock's id; gives it one at its first use. `None` when there are no more ids, it is not known from where it
    /// comes, or it is not followed any more.
    #[inline]
    pub(super) fn id(self) -> Option<u32> {
        self.known_id().or_else(|| self.register(None))
    }

    /// The id of a lock that is not followed any more.
    #[inline]
    pub(super) fn unfollowed_id(self) -> Option<u32> {
        let id = self.meta.id.load(Ordering::Acquire);
        (id & (UNREGISTERED | UNFOLLOWED) == UNFOLLOWED).then_some(id & ID_MASK)
    }

    /// Follows the lock no more; returns its id when it was followed until now.
    pub(super) fn mark_unfollowed(self, site: Site) -> Option<u32> {
        let id = self.id_at(site)?;
        let before = self.meta.id.fetch_or(UNFOLLOWED, Ordering::AcqRel);
        (before & UNFOLLOWED == 0).then_some(id)
    }

    /// From now on it is taken by the slow path, which keeps who asks. It has an id.
    pub(super) fn mark_wrapped(self) {
        if self.meta.id.load(Ordering::Relaxed) & WRAPPED == 0 {
            self.meta.id.fetch_or(WRAPPED, Ordering::Relaxed);
        }
    }

    /// Where the lock was made, as far as it is known.
    pub(super) fn made(self) -> Option<Site> {
        // SAFETY: null or a `Location`, which lives for ever.
        unsafe { self.meta.created.load(Ordering::Relaxed).as_ref() }
    }

    /// Gives the lock an id if it has none, no name and no rank. Takes no lock, but once in 64 times; while something is recorded the
    /// registry's, for a moment. True when it has got one.
    #[inline]
    pub(super) fn register_quietly(self, site: Site, flags: u32) -> bool {
        // Exactly so: no name and no rank.
        self.meta.id.load(Ordering::Relaxed) == UNREGISTERED
            && flags & flag::HIERARCHY == 0
            && !self.meta.created.load(Ordering::Relaxed).is_null()
            && Self::register_quietly_now(self.meta, self.type_name, self.kind, site, flags)
    }

    /// In parts, so that the lock need not be put together in memory; see `ops::acquire_otherwise`.
    #[inline(never)]
    fn register_quietly_now(
        meta: &LockMeta,
        type_name: fn() -> &'static str,
        kind: u32,
        site: Site,
        flags: u32,
    ) -> bool {
        let lock = LockRef::from_parts(meta, type_name, kind);
        // A signal handler that takes locks in between must not get the same id.
        let Some(entered) = thread::enter() else { return false };
        if !reentry::may_allocate(entered.info) {
            return false;
        }
        if entered.local().first_uses.is_news(site, type_name) {
            wrapper::note_first_use(site, type_name());
            // By the slow path, which looks at who asks.
            return false;
        }
        if wrapper::is_wrapper(site) {
            return false;
        }
        if flags & flag::RECORD != 0 {
            return lock.register_recorded(&entered);
        }
        if entered.local().lock_ids.is_empty() {
            let Some(mut registry) = patient_registry() else { return false };
            entered.local().lock_ids = registry.lock_ids();
        }
        let Some(id) = entered.local().lock_ids.next().filter(|&id| id <= ID_MASK) else { return false };
        meta.id.compare_exchange(UNREGISTERED, id, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Gives the lock an id and defines it in the trace, like others that were made at its place.
    fn register_recorded(self, entered: &thread::Entered) -> bool {
        let Some(writer) = global::trace() else { return false };
        let place = self.created();
        let known = entered.local().classes.get(place, self.type_name);
        let Some(mut registry) = patient_registry() else { return false };
        let class = known.unwrap_or_else(|| {
            let class = registry.class(writer, (self.type_name)(), place);
            entered.local().classes.put(place, self.type_name, class);
            class
        });
        // Who gives it an id while something is recorded has the registry.
        if self.meta.id.load(Ordering::Acquire) != UNREGISTERED {
            return false;
        }
        let id = registry.new_lock_of(writer, self.kind(), class);
        if id > ID_MASK {
            return false;
        }
        // Who began before the recording does so without the registry. Then this id is no lock's.
        let is_taken = self.meta.id.compare_exchange(UNREGISTERED, id, Ordering::AcqRel, Ordering::Relaxed).is_err();
        if is_taken {
            registry.lock_ended(writer, id);
        }
        !is_taken
    }

    #[cold]
    fn register(self, site: Option<Site>) -> Option<u32> {
        if self.unfollowed_id().is_some() {
            return None;
        }
        let mut registry = patient_registry()?;
        let before = self.meta.id.load(Ordering::Acquire);
        if before & UNREGISTERED == 0 {
            return (before & UNFOLLOWED == 0).then_some(before & ID_MASK);
        }
        // SAFETY: the registry's lock is held and bit 31 was seen.
        let (name, rank) = unsafe { self.meta.name_and_rank() };
        let made = self.made();
        let created = made.or(site)?;
        if let Some(site) = site {
            wrapper::note_first_use(site, (self.type_name)());
        }
        let named = Named { name, rank, first_use: made.is_none() };
        let id = registry.new_lock(self.kind(), (self.type_name)(), created, named);
        if id > ID_MASK {
            return None;
        }
        self.meta.created.store(ptr::from_ref(created).cast_mut(), Ordering::Relaxed);
        let named = if registry.is_named(id) { NAMED } else { 0 };
        // From here on `aux` is the owner.
        self.meta.aux.store(std::ptr::null_mut(), Ordering::Relaxed);
        match self.meta.id.compare_exchange(before, id | named, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Some(id),
            // By another thread, which does without the registry (`register_quietly`). This id is no lock's.
            Err(id) => Some(id & ID_MASK),
        }
    }

    /// Whether this is a read-write lock that nobody was seen to ask for exclusively so far.
    #[inline]
    pub(super) fn is_first_write(self, mode: Mode) -> bool {
        mode == Mode::Exclusive
            && self.kind() == LockKind::RwLock
            && self.meta.id.load(Ordering::Relaxed) & WRITTEN == 0
    }

    /// Notes that somebody asks for the read-write lock exclusively. True for the first one to say so.
    pub(super) fn note_written(self) -> bool {
        self.meta.id.fetch_or(WRITTEN, Ordering::Relaxed) & WRITTEN == 0
    }

    pub(super) fn facts(self, lock: u32) -> LockFacts {
        LockFacts { lock, kind: self.kind(), created: self.created(), type_name: self.type_name }
    }
}
