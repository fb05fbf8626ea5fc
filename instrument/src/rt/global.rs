//! State of the whole process: what is switched on, the configuration, the trace, the registry of definitions.

use std::{
    cell::Cell,
    collections::HashMap,
    ops::Range,
    panic::Location,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicPtr, AtomicU8, AtomicU32, Ordering},
    },
};

use lockscope_trace::{
    LockKind, clock,
    writer::{DefinitionWriter, Options, TraceWriter},
};

use super::{
    Site,
    hierarchy::Hierarchy,
    reentry, report,
    session::{self, SessionLocks},
    stack::Stack,
};
use crate::config::{Clock, Config, Policy, Record, apply_environment};

/// What is switched on, in one word that fast paths load once. 0 until the first use of any lock.
static FLAGS: AtomicU32 = AtomicU32::new(0);

/// Flags of [`flags`].
pub(super) mod flag {
    /// Initialised.
    pub const READY: u32 = 1;
    /// Locks held are followed; everything else needs it.
    pub const TRACK: u32 = 2;
    /// Orders and ranks are checked.
    pub const ORDER: u32 = 4;
    /// Waits are searched for cycles.
    pub const DEADLOCK: u32 = 8;
    /// Events are recorded.
    pub const RECORD: u32 = 16;
    /// Acquisitions are timed.
    pub const TIMES: u32 = 32;
    /// This is the child of a fork: off for good, and nothing of the runtime's may be locked.
    pub const FORKED: u32 = 64;
    /// There is a file of ranks, so that any lock may have one.
    pub const HIERARCHY: u32 = 256;
    /// Events are timed by the coarse clock; only with `RECORD`.
    pub const COARSE: u32 = 512;
}

#[inline]
pub(super) fn flags() -> u32 {
    let flags = FLAGS.load(Ordering::Acquire);
    if flags == 0 { initialise() } else { flags }
}

/// Whether anything is switched on. While nothing is, facades do what the wrapped types do.
#[inline]
pub fn is_tracking() -> bool {
    flags() & flag::TRACK != 0
}

/// Flags without initialising: for destructors.
#[inline]
pub(super) fn flags_if_ready() -> u32 {
    FLAGS.load(Ordering::Acquire)
}

static CONFIG: AtomicPtr<Config> = AtomicPtr::new(std::ptr::null_mut());
static TRACE: OnceLock<TraceWriter> = OnceLock::new();

/// 0: nobody initialises; 1: somebody does.
static INITIALISING: AtomicU8 = AtomicU8::new(0);

thread_local! {
    /// This thread is initialising: locks that its allocator or the like take meanwhile are not followed.
    static IS_INITIALISING: Cell<bool> = const { Cell::new(false) };
}

/// The configuration in force.
pub(super) fn config() -> &'static Config {
    let config = CONFIG.load(Ordering::Acquire);
    // SAFETY: null or leaked by `set_config`.
    unsafe { config.as_ref() }.unwrap_or_else(|| {
        static DEFAULT: OnceLock<Config> = OnceLock::new();
        DEFAULT.get_or_init(Config::default)
    })
}

/// The trace, when one is or was recorded.
pub(super) fn trace() -> Option<&'static TraceWriter> {
    TRACE.get()
}

#[cold]
fn initialise() -> u32 {
    set_up(Config::default(), false)
}

/// Puts a configuration made in code into force.
pub(crate) fn install(config: Config) {
    set_up(config, true);
}

/// The first to come sets everything up while others wait; `force` does it again.
fn set_up(mut config: Config, force: bool) -> u32 {
    if IS_INITIALISING.get() {
        return 0;
    }
    let flags = FLAGS.load(Ordering::Acquire);
    if flags & flag::FORKED != 0 {
        return flags;
    }
    IS_INITIALISING.set(true);
    while INITIALISING.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
        std::thread::yield_now();
    }
    let mut flags = FLAGS.load(Ordering::Acquire);
    if super::process::is_building() {
        flags = flag::READY;
        FLAGS.store(flags, Ordering::Release);
    } else if flags == 0 || force {
        let text = std::env::var_os("LOCKSCOPE").unwrap_or_default();
        for complaint in apply_environment(&text.to_string_lossy(), &mut config) {
            report::say(&format!("lockscope: LOCKSCOPE: {complaint}\n"));
        }
        flags = set_config(config);
        FLAGS.store(flags, Ordering::Release);
    }
    INITIALISING.store(0, Ordering::Release);
    IS_INITIALISING.set(false);
    flags
}

fn set_config(config: Config) -> u32 {
    static HOOKS: OnceLock<()> = OnceLock::new();
    HOOKS.get_or_init(super::process::install_hooks);
    clock::kind();
    if let Some(file) = &config.hierarchy {
        match Hierarchy::read(file) {
            Ok(hierarchy) => registry().hierarchy = hierarchy,
            Err(complaint) => report::say(&format!("lockscope: {complaint}\n")),
        }
    }
    let mut flags = flag::READY;
    if !registry().hierarchy.is_empty() {
        flags |= flag::HIERARCHY;
    }
    if [config.order, config.rank].iter().any(|&policy| policy != Policy::Off) {
        flags |= flag::TRACK | flag::ORDER;
    }
    if config.misuse != Policy::Off {
        flags |= flag::TRACK;
    }
    if config.deadlock != Policy::Off {
        flags |= flag::TRACK | flag::DEADLOCK;
    }
    if config.timeout.is_some() {
        flags |= flag::TRACK | flag::TIMES;
    }
    if TRACE.get().is_some() || start_recording(&config) {
        flags |= flag::TRACK | flag::RECORD | flag::TIMES;
        // Asked of the trace, whose header says so: another configuration does not change it.
        if TRACE.get().is_some_and(TraceWriter::is_coarse) {
            flags |= flag::COARSE;
        }
    }
    // Leaked: other threads may be reading the previous one. Happens once or twice in a process.
    CONFIG.store(Box::into_raw(Box::new(config)), Ordering::Release);
    flags
}

/// Opens the trace; when that fails the program runs on without, with one message.
fn start_recording(config: &Config) -> bool {
    let executable = std::env::current_exe().unwrap_or_default();
    let wanted = match &config.record {
        Record::Off => return false,
        Record::Auto => PathBuf::from("lockscope-%e-%p.lks"),
        Record::Path(path) => path.clone(),
    };
    let path = expand(&wanted, &executable);
    let command = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    // Set by `lockscope run`, which is to know its traces from those of others.
    let run = std::env::var("LOCKSCOPE_RUN").ok().and_then(|run| run.parse().ok()).unwrap_or(0);
    let options = Options { size: config.size, executable, command, coarse: config.clock == Clock::Coarse, run };
    let created = TraceWriter::create(&path, &options).or_else(|error| {
        // Several processes of one command, each with a trace of its own.
        let retry = error.kind() == std::io::ErrorKind::AlreadyExists;
        if retry { TraceWriter::create(&with_pid(&path), &options) } else { Err(error) }
    });
    match created {
        Ok(writer) => {
            let mut registry = registry();
            registry.define_known(&writer);
            TRACE.set(writer).is_ok()
        }
        Err(error) => {
            report::say(&format!(
                "lockscope: cannot record to {}: {error}; the program runs on without a recording\n",
                path.display()
            ));
            false
        }
    }
}

fn expand(path: &Path, executable: &Path) -> PathBuf {
    let name = executable.file_stem().unwrap_or_default().to_string_lossy();
    path.to_string_lossy().replace("%p", &std::process::id().to_string()).replace("%e", &name).into()
}

fn with_pid(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map_or(String::new(), |extension| format!(".{}", extension.to_string_lossy()));
    path.with_file_name(format!("{stem}-{}{extension}", std::process::id()))
}

/// Recording stopped: says so once.
pub(super) fn note_stopped(writer: &TraceWriter) {
    static SAID: AtomicU8 = AtomicU8::new(0);
    if SAID.load(Ordering::Relaxed) == 0
        && let Some(error) = writer.stopped()
        && SAID.swap(1, Ordering::Relaxed) == 0
    {
        let reason = match error.raw_os_error() {
            Some(libc::EFBIG) => "the size limit is reached (`size=` makes a flight recorder)".to_owned(),
            errno => lockscope_trace::stopped::reason(errno.unwrap_or(libc::EIO)),
        };
        report::say(&format!(
            "lockscope: recording to {} stopped: {reason}; the program runs on, what was recorded is kept\n",
            writer.path().display()
        ));
    }
}

/// Turns everything off for good: in a forked child, whose other threads are gone.
pub(super) fn turn_off() {
    FLAGS.store(flag::READY | flag::FORKED, Ordering::Release);
}

/// Names and ranks, ids of places and texts, and the stream of definitions.
#[derive(Default)]
pub(super) struct Registry {
    next_lock: u32,
    next_thread: u32,
    named: HashMap<u32, Named>,
    sites: HashMap<(&'static str, u32, u32), u32>,
    site_addresses: HashMap<usize, u32>,
    strings: HashMap<String, u32>,
    defs: DefinitionWriter,
    modules_defined: bool,
    hierarchy: Hierarchy,
    /// Whose locks are whose, see `session`.
    pub session_locks: SessionLocks,
}

/// What a trace says of all locks of one type that were made at one place: ids in the trace.
#[derive(Clone, Copy, Debug)]
pub(super) struct LockClass {
    type_name: u32,
    site: u32,
}

/// Classes of locks that a thread has made, as far as this small direct-mapped cache remembers. 2 KiB.
#[derive(Debug)]
pub(super) struct LockClasses([Option<KnownClass>; 64]);

type KnownClass = (Site, fn() -> &'static str, LockClass);

impl Default for LockClasses {
    fn default() -> Self {
        Self([None; 64])
    }
}

impl LockClasses {
    pub(super) fn get(&self, created: Site, type_name: fn() -> &'static str) -> Option<LockClass> {
        let (place, name, class) = self.0[Self::index(created)]?;
        (std::ptr::eq(place, created) && std::ptr::fn_addr_eq(name, type_name)).then_some(class)
    }

    pub(super) fn put(&mut self, created: Site, type_name: fn() -> &'static str, class: LockClass) {
        self.0[Self::index(created)] = Some((created, type_name, class));
    }

    fn index(created: Site) -> usize {
        (std::ptr::from_ref(created).addr() >> 3) % 64
    }
}

/// What only some locks have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Named {
    pub name: Option<&'static str>,
    pub rank: Option<u16>,
    /// Its place is that of its first use.
    pub first_use: bool,
}

/// Ids that a thread takes at a time.
const LOCK_IDS: u32 = 64;

static REGISTRY: Mutex<Option<Registry>> = Mutex::new(None);

/// The registry under its lock. Taken on slow paths only; nothing that is done in it takes another lock but the
/// trace's pool.
pub(super) fn registry() -> RegistryGuard {
    let mut guard = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
    guard.get_or_insert_default();
    RegistryGuard(guard)
}

/// The registry under its lock, for a thread that may have locks of the program; see `reentry`.
pub(super) fn patient_registry() -> Option<RegistryGuard> {
    reentry::lock(&REGISTRY).map(|mut guard| {
        guard.get_or_insert_default();
        RegistryGuard(guard)
    })
}

/// The registry, unless another thread has it.
pub(super) fn try_registry() -> Option<RegistryGuard> {
    REGISTRY.try_lock().ok().filter(|registry| registry.is_some()).map(RegistryGuard)
}

pub(super) struct RegistryGuard(MutexGuard<'static, Option<Registry>>);

impl std::ops::Deref for RegistryGuard {
    type Target = Registry;
    fn deref(&self) -> &Registry {
        self.0.as_ref().expect("`registry` has filled it")
    }
}

impl std::ops::DerefMut for RegistryGuard {
    fn deref_mut(&mut self) -> &mut Registry {
        self.0.as_mut().expect("`registry` has filled it")
    }
}

impl Registry {
    /// Ids for locks to come, of which nothing will be known here. None while something is recorded: then every lock is defined.
    pub fn lock_ids(&mut self) -> Range<u32> {
        if trace().is_some() {
            return 0..0;
        }
        let first = self.next_lock;
        self.next_lock += LOCK_IDS;
        self.session_locks.note(first..self.next_lock, session::current());
        first..self.next_lock
    }

    /// Gives a lock its id. The caller has checked under this lock that it has none.
    pub fn new_lock(&mut self, kind: LockKind, type_name: &'static str, created: Site, named: Named) -> u32 {
        let id = self.next_lock;
        self.next_lock += 1;
        self.session_locks.note(id..id + 1, session::current());
        let rank = named.rank.or_else(|| self.hierarchy.rank_of(named.name, created));
        let named = Named { rank, ..named };
        if let Some(writer) = trace() {
            let type_name = self.string(writer, type_name);
            let name = named.name.map_or(0, |name| self.string(writer, name));
            let site = self.site(writer, created);
            self.defs.lock(writer, kind, type_name, name, site, rank);
            if named.first_use {
                self.defs.first_use(writer, id);
            }
        }
        if named.name.is_some() || named.rank.is_some() || named.first_use {
            self.named.insert(id, named);
        }
        id
    }

    /// What locks have in common that were made at a place.
    pub fn class(&mut self, writer: &TraceWriter, type_name: &'static str, created: Site) -> LockClass {
        LockClass { type_name: self.string(writer, type_name), site: self.site(writer, created) }
    }

    /// The same as [`new_lock`](Self::new_lock) for a lock without name and rank, by what is known already.
    pub fn new_lock_of(&mut self, writer: &TraceWriter, kind: LockKind, class: LockClass) -> u32 {
        let id = self.next_lock;
        self.next_lock += 1;
        self.defs.lock(writer, kind, class.type_name, 0, class.site, None);
        id
    }

    /// Says what an object was made with.
    pub fn capacity(&mut self, writer: &TraceWriter, id: u32, capacity: u64) {
        self.defs.capacity(writer, id, capacity);
    }

    /// Gives a memory location its id. The caller has checked under this lock that it has none.
    pub fn new_var(&mut self, writer: &TraceWriter, type_name: &str, created: Site) -> u32 {
        let type_name = self.string(writer, type_name);
        let site = self.site(writer, created);
        self.defs.var(writer, type_name, site)
    }

    /// Whether a lock has an entry with name or rank.
    pub fn is_named(&self, id: u32) -> bool {
        self.named.contains_key(&id)
    }

    /// Name and rank of a lock.
    pub fn named(&self, id: u32) -> Named {
        self.named.get(&id).copied().unwrap_or_default()
    }

    /// A lock is gone, and all its events were recorded.
    pub fn lock_ended(&mut self, writer: &TraceWriter, id: u32) {
        self.defs.lock_ended(writer, id);
    }

    /// Forgets a lock's name at the end of its life.
    pub fn forget(&mut self, id: u32) {
        self.named.remove(&id);
    }

    /// Gives a thread its id.
    pub fn new_thread(&mut self, parent: Option<u32>, name: Option<&str>, os_id: u32) -> u32 {
        let id = self.next_thread;
        self.next_thread += 1;
        if let Some(writer) = trace() {
            let name = name.map_or(0, |name| self.string(writer, name));
            self.defs.thread(writer, parent, name, os_id);
        }
        id
    }

    /// The id of a place, by the address of its `Location`.
    pub fn site_of_address(&mut self, writer: &TraceWriter, address: usize) -> u32 {
        if let Some(&id) = self.site_addresses.get(&address) {
            return id;
        }
        if address == 0 {
            return 0;
        }
        // SAFETY: addresses come from `Site`s that callers passed in, which live for ever.
        let site: Site = unsafe { &*(address as *const Location<'static>) };
        self.site(writer, site)
    }

    /// The id of a place that was defined before, else 0. Allocates nothing.
    pub fn known_site(&self, address: usize) -> u32 {
        self.site_addresses.get(&address).copied().unwrap_or(0)
    }

    fn site(&mut self, writer: &TraceWriter, site: Site) -> u32 {
        let key = (site.file(), site.line(), site.column());
        let id = match self.sites.get(&key) {
            Some(&id) => id,
            None => {
                let file = self.string(writer, key.0);
                let id = self.defs.site(writer, file, key.1, key.2);
                self.sites.insert(key, id);
                id
            }
        };
        self.site_addresses.insert(std::ptr::from_ref(site) as usize, id);
        id
    }

    /// The id of a text that recurs.
    pub fn string(&mut self, writer: &TraceWriter, text: &str) -> u32 {
        if let Some(&id) = self.strings.get(text) {
            return id;
        }
        let id = self.defs.string(writer, text);
        self.strings.insert(text.to_owned(), id);
        id
    }

    /// The id of a text that does not recur.
    pub fn long_string(&mut self, writer: &TraceWriter, text: &str) -> u32 {
        self.defs.string(writer, text)
    }

    /// Gives a stack an id, if it has none; defines the executable files first if that was not done.
    pub fn define_stack(&mut self, writer: &TraceWriter, stack: Stack) {
        if stack.id.load(Ordering::Relaxed) != 0 {
            return;
        }
        if !std::mem::replace(&mut self.modules_defined, true) {
            for module in super::process::modules() {
                let path = self.defs.string(writer, &module.path);
                self.defs.module(writer, module.start, module.end, module.offset, path);
            }
        }
        let addresses: Vec<u64> = stack.addresses.iter().map(|&address| address as u64).collect();
        stack.id.store(self.defs.stack(writer, &addresses), Ordering::Relaxed);
    }

    /// Defines what got its id before the recording began, by number only.
    fn define_known(&mut self, writer: &TraceWriter) {
        for id in 0..self.next_lock {
            let named = self.named(id);
            let name = named.name.map_or(0, |name| self.string(writer, name));
            self.defs.lock(writer, LockKind::Other(0), 0, name, 0, named.rank);
        }
        for _ in 0..self.next_thread {
            self.defs.thread(writer, None, 0, 0);
        }
    }
}
