//! Definitions: what the ids in events stand for.
//!
//! Every text that enters here comes from a file and is not trusted: [`Definitions::clean`] replaces control
//! characters, so that no name can drive a terminal.

use std::{collections::HashMap, sync::Arc};

use crate::ids::{ClassId, LockId, SiteId, StackId, StringId, ThreadId, VarId};

/// Kind of a lock or other synchronisation object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LockKind {
    /// Mutual exclusion.
    Mutex,
    /// Many readers or one writer.
    RwLock,
    /// Condition variable.
    Condvar,
    /// Mutual exclusion in order of arrival.
    FairMutex,
    /// Mutual exclusion of threads: its holder may take it again.
    ReentrantMutex,
    /// Runs something once; held while it runs.
    Once,
    /// A cell that is initialised once.
    OnceLock,
    /// A value that is computed when it is first needed.
    LazyLock,
    /// Lets a number of threads go on together.
    Barrier,
    /// Counts permits.
    Semaphore,
    /// Passes messages.
    Channel,
    /// A kind that this version does not know, by its number in the file.
    Other(u8),
}

impl LockKind {
    /// Lower-case word for tables and filters.
    pub fn word(self) -> &'static str {
        match self {
            LockKind::Mutex => "mutex",
            LockKind::RwLock => "rwlock",
            LockKind::Condvar => "condvar",
            LockKind::FairMutex => "fair-mutex",
            LockKind::ReentrantMutex => "reentrant-mutex",
            LockKind::Once => "once",
            LockKind::OnceLock => "once-lock",
            LockKind::LazyLock => "lazy-lock",
            LockKind::Barrier => "barrier",
            LockKind::Semaphore => "semaphore",
            LockKind::Channel => "channel",
            LockKind::Other(_) => "other",
        }
    }

    /// As the type is called in a program: `Mutex`; `lock` for a kind that is not known.
    pub fn type_word(self) -> &'static str {
        match self {
            LockKind::Mutex => "Mutex",
            LockKind::RwLock => "RwLock",
            LockKind::Condvar => "Condvar",
            LockKind::FairMutex => "FairMutex",
            LockKind::ReentrantMutex => "ReentrantMutex",
            LockKind::Once => "Once",
            LockKind::OnceLock => "OnceLock",
            LockKind::LazyLock => "LazyLock",
            LockKind::Barrier => "Barrier",
            LockKind::Semaphore => "Semaphore",
            LockKind::Channel => "channel",
            LockKind::Other(_) => "lock",
        }
    }

    /// As a report calls one: `Mutex<Account>`, `Once`, and `Mutex` where the type of the data is not known.
    pub fn describe(self, type_name: &str) -> String {
        let has_no_data = matches!(self, LockKind::Condvar | LockKind::Once | LockKind::Barrier | LockKind::Semaphore);
        match short_type(type_name) {
            of if of.is_empty() || of == "()" && has_no_data => self.type_word().to_owned(),
            of => format!("{}<{of}>", self.type_word()),
        }
    }
}

/// A lock or other synchronisation object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LockDef {
    /// What it is.
    pub kind: LockKind,
    /// Name given by the program (`.named("accounts")`), or by a foreign trace.
    pub name: Option<Arc<str>>,
    /// Type of the protected data (`bank::Account`), empty when unknown.
    pub type_name: Arc<str>,
    /// Where it was made.
    pub created: Option<SiteId>,
    /// `created` is where it was first used: of a raw lock that is made from a constant nothing else can be known.
    pub is_first_use: bool,
    /// Rank in the lock hierarchy; higher ranks are taken later.
    pub rank: Option<u32>,
    /// Its class.
    pub class: ClassId,
    /// Which of its class it is, from 1.
    pub ordinal: u32,
    /// What it was made with: permits of a semaphore, bound of a channel (0: rendezvous), threads of a barrier. `None` when that
    /// was not recorded, or there is no bound.
    pub capacity: Option<u64>,
}

/// A memory location whose accesses are recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VarDef {
    /// Its type as the program spells it (`AtomicU64`, `Shared<u32>`), or its name in a foreign trace.
    pub name: Arc<str>,
    /// Where it was made.
    pub created: Option<SiteId>,
}

/// A thread.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ThreadDef {
    /// Its name, when it has one.
    pub name: Option<Arc<str>>,
    /// Who spawned it, when that was seen.
    pub parent: Option<ThreadId>,
    /// The operating system's id, 0 when unknown.
    pub os_id: u32,
}

impl ThreadDef {
    /// Whether the thread is lockscope's own, which watches the others from inside of the process.
    pub fn is_own(&self) -> bool {
        self.parent.is_none() && self.name.as_deref() == Some("lockscope-watch")
    }
}

/// A place in the source.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Site {
    /// Path as the compiler recorded it.
    pub file: Arc<str>,
    /// Line, from 1; 0 when unknown.
    pub line: u32,
    /// Column, from 1; 0 when unknown.
    pub column: u32,
}

/// As people want to read it; see [`short_paths`].
impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = short_paths(&self.file);
        match (self.line, self.column) {
            (0, _) => write!(f, "{file}"),
            (line, 0) => write!(f, "{file}:{line}"),
            (line, column) => write!(f, "{file}:{line}:{column}"),
        }
    }
}

/// One frame of a stack: an instruction address and, when the recorder resolved it, its symbol.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frame {
    /// Address in the traced process.
    pub address: u64,
    /// Function, demangled.
    pub function: Option<Arc<str>>,
    /// Place in the source.
    pub site: Option<Site>,
}

/// A mapped executable file of the traced process, to resolve addresses later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Module {
    /// First mapped address.
    pub start: u64,
    /// One past the last mapped address.
    pub end: u64,
    /// Offset of `start` in the file.
    pub offset: u64,
    /// Its path.
    pub path: Arc<str>,
}

/// Everything that ids stand for. Grows while a live trace is read; an id once defined keeps its meaning.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    /// Threads by [`ThreadId`].
    pub threads: Vec<ThreadDef>,
    /// Locks by [`LockId`].
    pub locks: Vec<LockDef>,
    /// Sites by [`SiteId::index`].
    pub sites: Vec<Site>,
    /// Stacks by [`StackId::index`], innermost frame first.
    pub stacks: Vec<Vec<Frame>>,
    /// Memory locations by [`VarId`].
    pub vars: Vec<VarDef>,
    /// A representative lock of each class, by [`ClassId`].
    pub classes: Vec<LockId>,
    /// How many locks there are in each class.
    class_sizes: Vec<u32>,
    /// Executable files of the traced process.
    pub modules: Vec<Module>,
    strings: Vec<Arc<str>>,
    /// Locks by their ids in the file, where these are not the same: of a flight recorder many may be missing.
    lock_ids: Option<HashMap<u32, LockId>>,
    class_of: HashMap<ClassKey, ClassId>,
}

/// Creation site, type, name.
type ClassKey = (Option<SiteId>, Arc<str>, Option<Arc<str>>);

impl Definitions {
    /// The text with control characters replaced by U+FFFD.
    pub fn clean(text: &str) -> Arc<str> {
        // Line separators end a line in places, and bidirectional overrides are as good as control characters for making a name look like another.
        let harmful = |c: char| {
            c.is_control()
                || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        if text.chars().any(harmful) {
            text.chars().map(|c| if harmful(c) { '\u{fffd}' } else { c }).collect::<String>().into()
        } else {
            text.into()
        }
    }

    /// Adds a text, cleaned.
    pub fn add_string(&mut self, text: &str) -> StringId {
        self.strings.push(Self::clean(text));
        StringId(self.strings.len() as u32 - 1)
    }

    /// Adds a text of several lines: each line is cleaned, line ends are kept.
    pub fn add_text(&mut self, text: &str) -> StringId {
        let cleaned = text.lines().map(Self::clean).collect::<Vec<_>>().join("\n");
        self.strings.push(cleaned.into());
        StringId(self.strings.len() as u32 - 1)
    }

    /// The text of an id.
    pub fn string(&self, id: StringId) -> Option<&Arc<str>> {
        self.strings.get(id.0 as usize)
    }

    /// How many texts there are.
    pub fn string_count(&self) -> usize {
        self.strings.len()
    }

    /// The lock with an id of the file.
    #[inline]
    pub(crate) fn lock_of_file(&self, id: u32) -> Option<LockId> {
        match &self.lock_ids {
            None => ((id as usize) < self.locks.len()).then_some(LockId(id)),
            Some(ids) => ids.get(&id).copied(),
        }
    }

    /// Whether locks have the ids that the file gives them.
    pub(crate) fn has_file_ids(&self) -> bool {
        self.lock_ids.is_none()
    }

    /// Gives the lock that is added next this id of the file. False when that lock is known.
    pub(crate) fn begin_lock(&mut self, id: u32) -> bool {
        if self.lock_of_file(id).is_some() {
            return false;
        }
        let next = LockId(self.locks.len() as u32);
        if id != next.0 || self.lock_ids.is_some() {
            let ids = self.lock_ids.get_or_insert_with(|| (0..next.0).map(|id| (id, LockId(id))).collect());
            ids.insert(id, next);
        }
        true
    }

    /// Adds a lock with the next [`LockId`] and assigns its class.
    pub fn add_lock(
        &mut self,
        kind: LockKind,
        name: Option<Arc<str>>,
        type_name: Arc<str>,
        created: Option<SiteId>,
        rank: Option<u32>,
    ) -> LockId {
        let id = LockId(self.locks.len() as u32);
        // Without a creation site or a name nothing is known to be common, so such a lock is its own class.
        let class = if created.is_none() && name.is_none() {
            self.new_class(id)
        } else {
            let key = (created, type_name.clone(), name.clone());
            match self.class_of.get(&key) {
                Some(&class) => class,
                None => {
                    let class = self.new_class(id);
                    self.class_of.insert(key, class);
                    class
                }
            }
        };
        let size = &mut self.class_sizes[class.0 as usize];
        *size += 1;
        let ordinal = *size;
        self.locks.push(LockDef {
            kind,
            name,
            type_name,
            created,
            rank,
            class,
            ordinal,
            is_first_use: false,
            capacity: None,
        });
        id
    }

    fn new_class(&mut self, representative: LockId) -> ClassId {
        self.classes.push(representative);
        self.class_sizes.push(0);
        ClassId(self.classes.len() as u32 - 1)
    }

    /// How many locks there are in a class; 0 for one that the trace does not define.
    pub fn class_size(&self, class: ClassId) -> u32 {
        self.class_sizes.get(class.0 as usize).copied().unwrap_or(0)
    }

    /// The lock's definition; `None` for an id that the trace does not define.
    pub fn lock(&self, id: LockId) -> Option<&LockDef> {
        self.locks.get(id.0 as usize)
    }

    /// The thread's definition.
    pub fn thread(&self, id: ThreadId) -> Option<&ThreadDef> {
        self.threads.get(id.0 as usize)
    }

    /// The site's definition.
    pub fn site(&self, id: SiteId) -> Option<&Site> {
        self.sites.get(id.index())
    }

    /// Whether the thread is lockscope's own and not one of the program's.
    pub fn is_own(&self, id: ThreadId) -> bool {
        self.thread(id).is_some_and(ThreadDef::is_own)
    }

    /// How many threads the program has that are known.
    pub fn program_threads(&self) -> usize {
        self.threads.iter().filter(|thread| !thread.is_own()).count()
    }

    /// The stack, innermost frame first.
    pub fn stack(&self, id: StackId) -> Option<&[Frame]> {
        self.stacks.get(id.index()).map(Vec::as_slice)
    }

    /// How a report calls a memory location: `AtomicU64 (src/main.rs:3)`, `x`, or `?` for one that is not defined.
    pub fn var(&self, id: VarId) -> String {
        let Some(var) = self.vars.get(id.0 as usize) else { return "?".to_owned() };
        match var.created.and_then(|site| self.site(site)) {
            Some(site) => format!("{} ({}:{})", short_type(&var.name), site.file, site.line),
            None => var.name.to_string(),
        }
    }

    /// How a report calls the lock: its name, else kind, type and creation site; with a number where its class has several.
    ///
    /// `accounts`, or `Mutex<u32> (src/bank.rs:12) #3`, or `L7` when nothing is known.
    pub fn lock_name(&self, id: LockId) -> String {
        let name = self.class_name(id);
        match self.lock(id) {
            Some(lock) if self.class_sizes[lock.class.0 as usize] > 1 => format!("{name} #{}", lock.ordinal),
            _ => name,
        }
    }

    /// What the locks of this one's class have in common: [`lock_name`](Self::lock_name) without the number.
    pub fn class_name(&self, id: LockId) -> String {
        let Some(lock) = self.lock(id) else { return id.to_string() };
        if let Some(name) = &lock.name {
            return name.to_string();
        }
        match lock.created.and_then(|site| self.site(site)) {
            Some(site) => {
                format!("{} ({}:{})", lock.kind.describe(&lock.type_name), short_paths(&site.file), site.line)
            }
            None => id.to_string(),
        }
    }

    /// How a report calls the thread: its name in quotes, else its handle.
    pub fn thread_name(&self, id: ThreadId) -> String {
        match self.thread(id).and_then(|thread| thread.name.as_ref()) {
            Some(name) => name.to_string(),
            None => id.to_string(),
        }
    }
}

/// Paths in a text without detours: `crates/a/../../examples/b.rs` as `examples/b.rs`. Such paths come from targets that a
/// manifest names by path; symbolic links in them are not followed.
pub fn without_detours(text: &str) -> String {
    let mut text = text.to_owned();
    let mut from = 0;
    while let Some(found) = text[from..].find("/../") {
        let end = from + found;
        let start = text[..end].rfind(|c: char| c == '/' || c.is_whitespace()).map_or(0, |at| at + 1);
        if start == end || &text[start..end] == ".." {
            from = end + 3;
        } else {
            text.replace_range(start..end + 4, "");
            from = 0;
        }
    }
    text
}

/// Paths in a text as people want to read them: without detours, and sources of crates from a registry without the folder
/// where cargo keeps them, as `dashmap-6.2.1/src/lib.rs`.
pub fn short_paths(text: &str) -> String {
    let mut text = without_detours(text);
    let mut from = 0;
    while let Some(found) = text[from..].find(REGISTRY) {
        let at = from + found;
        let start = text[..at].rfind(|c: char| c.is_whitespace() || "(`\"".contains(c)).map_or(0, |at| at + 1);
        // One more part: the registry's name.
        let end = text[at + REGISTRY.len()..].find('/').map_or(text.len(), |end| at + REGISTRY.len() + end + 1);
        // Text is shortened only where that part is one.
        if text[start..end].contains(char::is_whitespace) {
            from = at + REGISTRY.len();
        } else {
            text.replace_range(start..end, "");
            from = start;
        }
    }
    text
}

const REGISTRY: &str = "/registry/src/";

/// `alloc::vec::Vec<bank::Account>` as `Vec<Account>`.
pub fn short_type(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut segment = 0;
    for c in path.chars() {
        out.push(c);
        if !(c.is_alphanumeric() || c == '_' || c == ':') {
            segment = out.len();
        } else if out.ends_with("::") {
            out.truncate(segment);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_get_in() {
        assert_eq!(&*Definitions::clean("ok \u{1b}[2Jname\n\u{202e}x"), "ok \u{fffd}[2Jname\u{fffd}\u{fffd}x");
        assert_eq!(&*Definitions::clean("grüße"), "grüße");
    }

    #[test]
    fn detours_are_left_out() {
        for (path, short) in [
            ("instrument/parking_lot/../../examples/bank.rs", "examples/bank.rs"),
            ("at a/../b.rs:1 and c/d/../e.rs", "at b.rs:1 and c/e.rs"),
            ("../x/../../y.rs", "../../y.rs"),
            ("/../a", "/../a"),
            ("plain.rs", "plain.rs"),
        ] {
            assert_eq!(without_detours(path), short);
        }
    }

    #[test]
    fn registries_are_left_out() {
        for (text, short) in [
            ("at /home/me/.cargo/registry/src/index-1949/a-1.0/src/lib.rs:1", "at a-1.0/src/lib.rs:1"),
            ("(/c/registry/src/i/a-1.0/b.rs:1) and /c/registry/src/i/c-1.0/d.rs:2", "(a-1.0/b.rs:1) and c-1.0/d.rs:2"),
            ("/c/registry/src/ and a/b", "/c/registry/src/ and a/b"),
            ("/c/registry/src/i/a/../b.rs", "b.rs"),
            ("src/registry/src.rs", "src/registry/src.rs"),
        ] {
            assert_eq!(short_paths(text), short);
        }
    }

    #[test]
    fn types_are_shortened() {
        assert_eq!(short_type("alloc::vec::Vec<bank::Account>"), "Vec<Account>");
        assert_eq!(short_type("(core::cell::Cell<u8>, &str)"), "(Cell<u8>, &str)");
    }

    #[test]
    fn locks_of_one_site_type_and_name_are_one_class() {
        let mut defs = Definitions::default();
        let site = SiteId::from_index(0);
        let [a, b, c, d] = [(site, "u8"), (site, "u8"), (site, "u16"), (None, "u8")]
            .map(|(site, ty)| defs.add_lock(LockKind::Mutex, None, ty.into(), site, None));
        let class = |id| defs.lock(id).expect("just added").class;
        assert_eq!(class(a), class(b));
        assert_ne!(class(a), class(c));
        assert_ne!(class(a), class(d));
    }
}
