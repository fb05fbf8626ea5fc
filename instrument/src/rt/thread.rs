//! One record per thread: what it holds, what it waits for.
//!
//! Written by its thread on the fast path without locks; read by other threads when they search for a cycle. Records are
//! never freed, so that readers need no protection; a thread that ends leaves its record to the next one.

use std::{
    cell::{Cell, UnsafeCell},
    ops::{Deref, Range},
    ptr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering, compiler_fence},
    },
};

use lockscope_trace::{
    LockKind, clock,
    format::kind,
    writer::{Environment, HeldAtStart, ThreadWriter, TraceWriter},
};

use super::{
    chains::{Chain, Chains, Known},
    global::{self, LockClasses, flag, registry},
    held::{HeldSet, Owner},
    helpers::Notified,
    memory::LatestLoad,
    misuse::Tries,
    once::Observed,
    session,
    waiting::Wait,
    wrapper::{FirstUses, Probes, Seen},
};

/// A thread's record.
#[derive(Debug)]
pub(super) struct ThreadInfo {
    /// Place in the table; the same for every thread that uses this record.
    pub index: u32,
    /// Id of the thread that uses the record now, in reports and traces.
    pub id: AtomicU32,
    /// Its number in the system.
    pub os_id: AtomicU32,
    /// The session that it is in; 0 for none.
    pub session: AtomicU32,
    /// Whether a thread uses the record, or has left locks held in it.
    pub alive: AtomicBool,
    /// Whether the thread has ended, and left locks held.
    pub ended: AtomicBool,
    /// Locks it holds.
    pub held: HeldSet,
    /// What it waits for.
    pub wait: Wait,
    /// Its name, for reports.
    pub name: Mutex<Option<String>>,
    /// What std calls it.
    pub std_id: Mutex<Option<std::thread::ThreadId>>,
    local: UnsafeCell<Local>,
}

// SAFETY: `local` is touched by the thread that owns the record only (see `current`); the rest is atomics and locks.
unsafe impl Sync for ThreadInfo {}
// SAFETY: nothing in it is tied to a thread.
unsafe impl Send for ThreadInfo {}

/// The part that only the owning thread touches.
#[derive(Debug, Default)]
pub(super) struct Local {
    pub chains: Chains,
    pub writer: Option<ThreadWriter>,
    pub exit_recorded: bool,
    pub tries: Tries,
    pub notified: Notified,
    /// Stacks it has seen.
    pub seen: Seen,
    /// Acquisitions of which it is seen whether they outlive their functions.
    pub probes: Probes,
    /// Ids of places in the trace.
    pub sites: Sites,
    /// What this thread has loaded last.
    pub latest_load: LatestLoad,
    /// What this thread has found initialised.
    pub observed: Observed,
    /// A stack, by its id in the trace, to attach to the next event.
    pub pending_stack: Option<u32>,
    /// Ids that it has for locks.
    pub lock_ids: Range<u32>,
    /// Where it has used locks first.
    pub first_uses: FirstUses,
    /// What it has said in the trace of locks that are alike.
    pub classes: LockClasses,
    /// Locks that it has destroyed, of which the registry does not know yet.
    pub ended: EndedLocks,
}

/// Some ids of locks.
#[derive(Debug, Default)]
pub(super) struct EndedLocks {
    n: usize,
    ids: [u32; 32],
}

impl EndedLocks {
    pub(super) fn is_empty(&self) -> bool {
        self.n == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.n == self.ids.len()
    }

    /// Only while it is not full.
    pub(super) fn push(&mut self, id: u32) {
        self.ids[self.n] = id;
        self.n += 1;
    }

    pub(super) fn take(&mut self, each: impl FnMut(u32)) {
        self.ids[..std::mem::take(&mut self.n)].iter().copied().for_each(each);
    }
}

/// Ids of places in the trace, as far as this small direct-mapped cache remembers. 4 KiB.
#[derive(Debug)]
pub(super) struct Sites([Cell<(usize, u32)>; 256]);

impl Default for Sites {
    fn default() -> Self {
        Self([const { Cell::new((0, 0)) }; 256])
    }
}

impl Sites {
    /// The id of the place at an address, when it is remembered.
    #[inline]
    pub(super) fn known(&self, address: usize) -> Option<u32> {
        let (known, id) = self.0[(address >> 3) % self.0.len()].get();
        (known == address).then_some(id)
    }

    /// The id of the place at an address, from `define` when it is not remembered.
    #[inline]
    pub(super) fn id(&self, address: usize, define: impl FnOnce() -> u32) -> u32 {
        let entry = &self.0[(address >> 3) % self.0.len()];
        let (known, id) = entry.get();
        if known == address {
            return id;
        }
        let id = define();
        // 0 is nothing to remember: the next time it may be defined.
        if id != 0 {
            entry.set((address, id));
        }
        id
    }
}

thread_local! {
    // Without a destructor, so that it works in every thread-local destructor; `ThreadInfo`s are handed on by a pthread key's
    // destructor, which runs after those.
    static CURRENT: Current = const {
        Current {
            owner: Owner::new(),
            chains: Known::new(),
            info: Cell::new(ptr::null()),
            busy: Cell::new(false),
        }
    };
}

/// The runtime at work in this thread, until dropped.
#[derive(Debug)]
pub(super) struct Entered {
    pub info: &'static ThreadInfo,
    /// It was at work before, and stays so.
    nested: bool,
}

/// What the fast path needs, each a single load away, and the way to the rest.
#[derive(Debug)]
pub(super) struct Current {
    pub owner: Owner,
    pub chains: Known,
    info: Cell<*const ThreadInfo>,
    /// The runtime is at work in this thread: locks taken meanwhile, by its allocator or a callback, are not followed.
    busy: Cell<bool>,
}

impl Current {
    #[inline]
    fn set_busy(&self, busy: bool) {
        self.busy.set(busy);
        if busy { self.owner.suspend() } else { self.owner.resume() }
    }

    /// Marks the runtime as busy; whether it was before.
    #[inline]
    fn begin(&self) -> bool {
        let was_busy = self.busy.replace(true);
        self.owner.suspend();
        was_busy
    }

    /// An event is being written: a signal handler that takes locks must not write into it. Only where [`current`] has found that the
    /// runtime is not at work in this thread.
    #[inline(always)]
    pub(super) fn set_writing(&self, writing: bool) {
        compiler_fence(Ordering::SeqCst);
        self.busy.set(writing);
        compiler_fence(Ordering::SeqCst);
    }

    /// The same for a hint.
    #[inline]
    pub(super) fn info_ptr(&self) -> *const ThreadInfo {
        self.info.get()
    }

    /// This thread has a record no longer.
    fn forget(&self) {
        self.info.set(ptr::null());
        self.owner.detach();
        self.chains.look_at_none();
    }

    /// This thread's record, while it has one.
    #[inline]
    pub(super) fn info(&self) -> Option<&'static ThreadInfo> {
        // SAFETY: set by `register` to a record that is never freed.
        unsafe { self.info.get().as_ref() }
    }
}

/// This thread's. Not a closure's argument: closures here would not be inlined.
#[derive(Clone, Copy, Debug)]
pub(super) struct This(*const Current);

impl Deref for This {
    type Target = Current;

    #[inline(always)]
    fn deref(&self) -> &Current {
        // SAFETY: it has no destructor, so it lives as long as its thread, which `This` cannot leave.
        unsafe { &*self.0 }
    }
}

/// What this thread has at hand. For steps that neither allocate nor call anything: those need not enter the runtime.
#[inline(always)]
pub(super) fn this() -> This {
    This(CURRENT.with(ptr::from_ref))
}

/// Enters the runtime; `None` when this thread is in it already, or in the child of a fork.
#[inline]
pub(super) fn enter() -> Option<Entered> {
    let current = this();
    if current.begin() {
        return None;
    }
    match current.info() {
        Some(info) => Some(Entered { info, nested: false }),
        None => enter_first(&current),
    }
}

/// Enters for the first time in this thread. The child of a fork has forgotten its record and must not get another: the
/// locks that this takes may have been held by a thread that is gone.
#[cold]
fn enter_first(current: &Current) -> Option<Entered> {
    if global::flags_if_ready() & flag::FORKED != 0 {
        current.set_busy(false);
        return None;
    }
    Some(Entered { info: register(None), nested: false })
}

/// Whether this thread is known to have locks of the program.
pub(super) fn holds_locks() -> bool {
    this().info().is_some_and(|info| !info.held.is_empty())
}

/// This thread's record, for steps that neither allocate nor call anything: those need not enter the runtime. `None` when the
/// runtime is at work in this thread, or does not know it yet.
#[inline]
pub(super) fn current() -> Option<&'static ThreadInfo> {
    let current = this();
    current.info().filter(|_| !current.busy.get())
}

/// The runtime as busy for a moment, until dropped: a signal handler that takes locks must not write into an event.
#[derive(Debug)]
pub(super) struct Busy;

impl Busy {
    /// Only where [`current`] has found that the runtime is not at work in this thread.
    #[inline(always)]
    pub(super) fn begin() -> Self {
        this().busy.set(true);
        compiler_fence(Ordering::SeqCst);
        Busy
    }
}

impl Drop for Busy {
    #[inline(always)]
    fn drop(&mut self) {
        compiler_fence(Ordering::SeqCst);
        this().busy.set(false);
    }
}

/// Enters the runtime also where this thread is in it already: in a callback, between two steps of the runtime.
/// Not in the child of a fork.
#[inline]
pub(super) fn enter_or_nested() -> Entered {
    let current = this();
    let nested = current.begin();
    // There is none only while this thread is being registered, which drops no guards.
    Entered { info: current.info().unwrap_or_else(|| register(None)), nested }
}

/// Gives this thread the id that its parent assigned when it spawned it, and its parent's session.
pub(super) fn register_spawned(id: u32, session: u32) {
    let current = this();
    if current.info.get().is_null() && !current.begin() {
        register(Some((id, session)));
        current.set_busy(false);
    }
}

impl ThreadInfo {
    /// Owner only: the thread's end of the trace, when the next event is a handful of stores there.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "one at a time, see the safety comment")]
    pub(super) fn ready_writer(&self) -> Option<&mut ThreadWriter> {
        // SAFETY: called by the owner while nobody in this thread has a reference into `local` (see `Entered::local`); callers keep
        // the reference for one statement at a time.
        let local = unsafe { &mut *self.local.get() };
        local.writer.as_mut().filter(|writer| writer.has_room() && local.pending_stack.is_none())
    }

    /// Owner only: what it has destroyed.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "one at a time, see the safety comment")]
    pub(super) fn ended_locks(&self) -> &mut EndedLocks {
        // SAFETY: as in `ready_writer`.
        unsafe { &mut (*self.local.get()).ended }
    }

    /// Owner only: the id of a place in the trace, when it is remembered.
    #[inline(always)]
    pub(super) fn known_site(&self, address: usize) -> Option<u32> {
        // SAFETY: as in `ready_writer`.
        unsafe { &*self.local.get() }.sites.known(address)
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        this().set_busy(self.nested);
    }
}

impl Entered {
    /// Notes that a chain was checked. May allocate.
    pub(super) fn remember(&self, chain: Chain) {
        let chains = &mut self.local().chains;
        chains.insert(chain);
        this().chains.look_at(chains);
    }

    /// The owner's part.
    #[inline]
    #[expect(clippy::mut_from_ref, reason = "one at a time, see the safety comment")]
    pub(super) fn local(&self) -> &mut Local {
        // SAFETY: an `Entered` exists once per thread (`busy`), of the thread that owns the record; callers keep the
        // reference for one statement at a time.
        unsafe { &mut *self.info.local.get() }
    }
}

/// Makes this thread at work in the runtime for ever, with a record that searches do not see.
pub(super) fn enter_for_good(info: &'static ThreadInfo) -> Entered {
    info.os_id.store(os_id(), Ordering::Relaxed);
    let current = this();
    current.set_busy(true);
    current.info.set(info);
    Entered { info, nested: true }
}

/// Forgets this thread's record: in a forked child.
pub(super) fn forget_current() {
    this().forget();
}

const BLOCK: usize = 1024;
type Block = [AtomicPtr<ThreadInfo>; BLOCK];

/// All records by index: at most a million, in blocks.
static TABLE: [AtomicPtr<Block>; BLOCK] = [const { AtomicPtr::new(ptr::null_mut()) }; BLOCK];
static USED: AtomicU32 = AtomicU32::new(0);
static FREE: Mutex<Vec<&'static ThreadInfo>> = Mutex::new(Vec::new());

/// Every record in use.
pub(super) fn all() -> impl Iterator<Item = &'static ThreadInfo> {
    (0..USED.load(Ordering::Acquire)).filter_map(by_index).filter(|info| info.alive.load(Ordering::Acquire))
}

/// The record at an index.
pub(super) fn by_index(index: u32) -> Option<&'static ThreadInfo> {
    let block = TABLE.get(index as usize / BLOCK)?.load(Ordering::Acquire);
    // SAFETY: blocks and records are leaked by `new_info`.
    unsafe { block.as_ref()?[index as usize % BLOCK].load(Ordering::Acquire).as_ref() }
}

/// The record of the thread with an id, while it lives.
pub(super) fn by_id(id: u32) -> Option<&'static ThreadInfo> {
    living().find(|info| info.id.load(Ordering::Relaxed) == id)
}

/// The records of threads that have not ended.
pub(super) fn living() -> impl Iterator<Item = &'static ThreadInfo> {
    all().filter(|info| !info.ended.load(Ordering::Acquire))
}

/// How many threads have a record and have not ended.
pub(super) fn n_living() -> u32 {
    LIVING.load(Ordering::Relaxed)
}

static LIVING: AtomicU32 = AtomicU32::new(0);

/// Gives this thread a record. `spawned`: the id that the parent assigned when it spawned it through lockscope, and the session.
#[cold]
fn register(spawned: Option<(u32, u32)>) -> &'static ThreadInfo {
    super::reentry::probe();
    let name = current_name();
    let os_id = os_id();
    let was_spawned_unseen = spawned.is_none() && os_id != std::process::id();
    let (id, session) =
        spawned.unwrap_or_else(|| (registry().new_thread(None, name.as_deref(), os_id), session::of_unseen_thread()));
    LIVING.fetch_add(1, Ordering::Relaxed);
    let recycled = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let info = recycled.unwrap_or_else(new_info);
    info.id.store(id, Ordering::Relaxed);
    info.os_id.store(os_id, Ordering::Relaxed);
    info.session.store(session, Ordering::Release);
    info.wait.joined_unseen.store(was_spawned_unseen, Ordering::Relaxed);
    *info.name.lock().unwrap_or_else(PoisonError::into_inner) = name;
    *info.std_id.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::thread::current().id());
    // SAFETY: the record has no owner but this thread from here on.
    let local = unsafe { &mut *info.local.get() };
    local.chains.clear();
    local.notified.clear();
    local.seen.clear();
    local.probes.clear();
    local.exit_recorded = false;
    local.observed.clear();
    local.latest_load = LatestLoad::default();
    local.pending_stack = None;
    // Those that are left over may be of a session.
    local.lock_ids = 0..0;
    info.alive.store(true, Ordering::Release);
    let current = this();
    current.chains.look_at(&local.chains);
    info.held.attach(&current.owner);
    current.info.set(info);
    exit_hook::arm(info);
    if global::flags() & flag::RECORD != 0
        && let Some(writer) = global::trace()
    {
        let mut thread_writer = ThreadWriter::new(id, os_id);
        thread_writer.plain(&Env { writer, info }, kind::START, clock::ticks());
        local.writer = Some(thread_writer);
    }
    info
}

impl ThreadInfo {
    pub(super) fn new(index: u32) -> Self {
        Self {
            index,
            id: AtomicU32::new(0),
            os_id: AtomicU32::new(0),
            session: AtomicU32::new(session::NONE),
            alive: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            held: HeldSet::new(index),
            wait: Wait::default(),
            name: Mutex::new(None),
            std_id: Mutex::new(None),
            local: UnsafeCell::default(),
        }
    }
}

fn new_info() -> &'static ThreadInfo {
    let index = USED.fetch_add(1, Ordering::AcqRel);
    let info: &'static ThreadInfo = Box::leak(Box::new(ThreadInfo::new(index)));
    let place = &TABLE[(index as usize / BLOCK).min(BLOCK - 1)];
    if place.load(Ordering::Acquire).is_null() {
        let block: Box<Block> = Box::new([const { AtomicPtr::new(ptr::null_mut()) }; BLOCK]);
        let block = Box::into_raw(block);
        if place.compare_exchange(ptr::null_mut(), block, Ordering::AcqRel, Ordering::Acquire).is_err() {
            // SAFETY: made above and not published.
            drop(unsafe { Box::from_raw(block) });
        }
    }
    // SAFETY: a published block lives for ever.
    let block = unsafe { &*place.load(Ordering::Acquire) };
    block[index as usize % BLOCK].store(ptr::from_ref(info).cast_mut(), Ordering::Release);
    info
}

/// Records this thread's end, once. Called by the wrapper around a spawned thread's function, else at its very end.
pub(super) fn record_exit(entered: &Entered) {
    let local = entered.local();
    if !std::mem::replace(&mut local.exit_recorded, true)
        && let (Some(thread_writer), Some(writer)) = (&mut local.writer, global::trace())
    {
        thread_writer.plain(&Env { writer, info: entered.info }, kind::EXIT, clock::ticks());
    }
}

/// Gives the record back at the thread's end.
fn release_current(info: &'static ThreadInfo) {
    let Some(entered) = enter() else { return };
    if global::flags_if_ready() & flag::TRACK != 0 && !info.held.is_empty() {
        super::leak::thread_ends(&entered);
    }
    record_exit(&entered);
    super::record::tell_ended(&entered);
    if let (Some(mut thread_writer), Some(writer)) = (entered.local().writer.take(), global::trace()) {
        thread_writer.end(writer);
    }
    super::helpers::forget(super::helpers::thread_object(info.id.load(Ordering::Relaxed)));
    this().forget();
    LIVING.fetch_sub(1, Ordering::Relaxed);
    // Locks that are still held (leaked guards, or guards given to others) keep their owner known.
    if !info.held.is_empty() {
        info.ended.store(true, Ordering::Release);
    } else {
        info.alive.store(false, Ordering::Release);
        FREE.lock().unwrap_or_else(PoisonError::into_inner).push(info);
    }
    super::knot::help_is_lost();
}

mod exit_hook {
    use std::{
        ffi::c_void,
        sync::atomic::{AtomicU32, Ordering},
    };

    use super::ThreadInfo;

    /// The pthread key + 1, 0 while there is none.
    static KEY: AtomicU32 = AtomicU32::new(0);

    pub(super) fn arm(info: &'static ThreadInfo) {
        let mut key = KEY.load(Ordering::Acquire);
        if key == 0 {
            let mut new = 0;
            // SAFETY: `new` is a valid place; `at_exit` lives as long as the program.
            if unsafe { libc::pthread_key_create(&mut new, Some(at_exit)) } != 0 {
                return;
            }
            match KEY.compare_exchange(0, new + 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => key = new + 1,
                Err(other) => {
                    // SAFETY: made above, used nowhere.
                    unsafe { libc::pthread_key_delete(new) };
                    key = other;
                }
            }
        }
        // SAFETY: the key exists.
        unsafe { libc::pthread_setspecific(key - 1, std::ptr::from_ref(info).cast()) };
    }

    extern "C" fn at_exit(info: *mut c_void) {
        // SAFETY: set by `arm` to a record that is never freed.
        super::release_current(unsafe { &*info.cast::<ThreadInfo>() });
    }
}

/// What the recorder's slow paths need.
#[derive(Clone, Copy)]
pub(super) struct Env {
    pub writer: &'static TraceWriter,
    pub info: &'static ThreadInfo,
}

impl Environment for Env {
    fn writer(&self) -> &TraceWriter {
        self.writer
    }

    fn held(&self, each: &mut dyn FnMut(HeldAtStart)) {
        // Called with the program's locks held, one of which whoever has the registry may wait for (the allocator's). So
        // this does not wait; then the places of these locks are unknown to a reader that does not have the acquisitions.
        let mut registry = global::try_registry();
        for held in self.info.held.iter() {
            let address = std::ptr::from_ref(held.site) as usize;
            let site = registry.as_mut().map_or(0, |registry| registry.known_site(address));
            let permits = if held.kind == LockKind::Semaphore { held.permits } else { 0 };
            each(HeldAtStart { lock: held.lock, mode: held.mode, site, since: held.since, permits });
        }
    }
}

fn current_name() -> Option<String> {
    std::thread::current().name().map(str::to_owned)
}

fn os_id() -> u32 {
    // SAFETY: takes nothing, touches nothing.
    unsafe { libc::gettid() as u32 }
}

/// How reports call a thread: its name in quotes, or its number.
pub(super) fn describe(info: &ThreadInfo) -> String {
    let id = info.id.load(Ordering::Relaxed);
    match &*info.name.lock().unwrap_or_else(PoisonError::into_inner) {
        // Reports go to terminals; names may hold anything.
        Some(name) => format!("\"{}\"", lockscope_trace::Definitions::clean(name)),
        None => format!("T{id}"),
    }
}
