//! Writes findings and carries out what the configuration asks for.

use std::{collections::HashSet, fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, sync::Mutex};

use lockscope_trace::{LockKind, Mode, Nanos, clock, defs::short_paths, format::kind};

use super::{
    Site,
    global::{self, Named, patient_registry},
    reentry, session,
    stack::{self, Stack},
    thread::{self, Env, ThreadInfo},
};
use crate::{
    config::{Policy, ReportTo},
    finding::Report,
};

/// Exit status of `exit` policies, as ThreadSanitizer's.
const EXIT_STATUS: i32 = 66;

/// A report under construction.
#[derive(Debug)]
pub(super) struct Draft {
    code: &'static str,
    severity: &'static str,
    confidence: &'static str,
    title: String,
    body: String,
    stacks: Vec<(String, Stack, Site)>,
    /// Sessions of the threads that it is about, besides the one that found it.
    sessions: Vec<u32>,
    locks: Vec<u32>,
    /// Whose it is, when that is known and not to be worked out.
    concerned: Option<Vec<u32>>,
}

impl Draft {
    pub(super) fn new(code: &'static str, severity: &'static str, confidence: &'static str, title: String) -> Self {
        Self {
            code,
            severity,
            confidence,
            title,
            body: String::new(),
            stacks: Vec::new(),
            sessions: Vec::new(),
            locks: Vec::new(),
            concerned: None,
        }
    }

    /// It is about this thread, beside the one that finds it.
    pub(super) fn about_thread(&mut self, info: &ThreadInfo) {
        self.sessions.push(session::of(info));
    }

    /// It is about this lock.
    pub(super) fn about_lock(&mut self, lock: u32) -> &mut Self {
        self.locks.push(lock);
        self
    }

    /// It is these sessions'.
    pub(super) fn concerns(&mut self, sessions: Vec<u32>) -> &mut Self {
        self.concerned = Some(sessions);
        self
    }

    /// Whether it is a session's.
    pub(super) fn is_in_session(&self, entered: &thread::Entered) -> bool {
        !self.concerned(entered).is_empty()
    }

    fn concerned(&self, entered: &thread::Entered) -> Vec<u32> {
        let threads = self.sessions.iter().copied().chain([session::of(entered.info)]);
        self.concerned.clone().unwrap_or_else(|| session::concerned(threads, &self.locks))
    }

    /// What to do about threads that wait for ever: in a session to go on would be to hang, so those that report only panic. `can_panic`:
    /// whether there is a thread that could, and would end something by it; else the process ends, and the report says why.
    pub(super) fn deadlock_policy(&mut self, entered: &thread::Entered, can_panic: bool) -> Policy {
        let is_in_session = self.is_in_session(entered);
        let policy = match global::config().deadlock {
            Policy::Report if is_in_session => Policy::Panic,
            policy => policy,
        };
        let reason = match policy {
            Policy::Panic if entered.is_observer() => "no thread that could panic is running",
            Policy::Panic if !can_panic => "a panic could not get out of here before other threads end",
            Policy::Panic if is_in_session && std::thread::panicking() => "the thread is panicking already",
            _ => return policy,
        };
        self.line(&format!("note: {reason}, so the process ends, with status 66"));
        Policy::Exit
    }

    /// Adds a line.
    pub(super) fn line(&mut self, text: &str) -> &mut Self {
        self.body.push_str("  ");
        self.body.push_str(text);
        self.body.push('\n');
        self
    }

    /// Adds a stack, captured in an operation at `site`, under a heading after all lines.
    pub(super) fn stack(&mut self, heading: &str, stack: Option<Stack>, site: Site) -> &mut Self {
        self.stacks.extend(stack.map(|stack| (heading.to_owned(), stack, site)));
        self
    }

    /// Prints, records, calls back, and carries out the policy. Returns only when the program is to go on.
    ///
    /// # Panics
    ///
    /// When the policy is to panic and the thread is not panicking already.
    pub(super) fn publish(mut self, entered: &thread::Entered, policy: Policy) {
        self.title = short_paths(&self.title);
        let body = short_paths(&self.body);
        let mut text =
            format!("lockscope: {}[{}]: {} ({})\n{}", self.severity, self.code, self.title, self.confidence, body);
        // What matters goes out at once: resolving the first stack of a process takes some tenths of a second.
        // So does the event, which the analysis reads together with the state of that moment.
        write_report(&text);
        self.record(entered, &text);
        let stacks = self.resolved_stacks();
        write_report(&stacks);
        let concerned = self.concerned(entered);
        let brief = text.len();
        text.push_str(&stacks);
        let report = Report { code: self.code, confidence: self.confidence, title: self.title, text, brief };
        session::keep(&report, &concerned);
        if let Some(callback) = &global::config().callback {
            reentry::callback(|| callback(&report));
        }
        match policy {
            Policy::Panic if !std::thread::panicking() => {
                reentry::callback(|| panic!("lockscope: {}: {}", report.code, report.title))
            }
            Policy::Off | Policy::Report | Policy::Panic => {}
            Policy::Abort => std::process::abort(),
            Policy::Exit => {
                if let Some(writer) = global::trace() {
                    writer.close();
                }
                // SAFETY: ends the process without destructors or `atexit`, which could wait for the locks in question.
                unsafe { libc::_exit(EXIT_STATUS) }
            }
        }
    }

    /// The stacks, and the empty line that ends a report.
    fn resolved_stacks(&self) -> String {
        let mut text = String::new();
        for (heading, addresses, site) in &self.stacks {
            let frames = stack::describe(addresses, site);
            if !frames.is_empty() {
                text.push_str(&format!("  {}\n", short_paths(heading)));
                text.extend(frames.iter().enumerate().map(|(index, frame)| format!("    {index:2}: {frame}\n")));
            }
        }
        text.push('\n');
        text
    }

    fn record(&self, entered: &thread::Entered, text: &str) {
        let Some(writer) = global::trace() else { return };
        let (code, text) = {
            let Some(mut registry) = patient_registry() else { return };
            (registry.string(writer, self.code), registry.long_string(writer, text))
        };
        if let Some(thread_writer) = &mut entered.local().writer {
            thread_writer.event(&Env { writer, info: entered.info }, kind::FINDING, code, text, clock::ticks());
        }
    }
}

/// Writes a part of a report to where reports go.
pub(super) fn write_report(text: &str) {
    match &global::config().report {
        ReportTo::Stderr => say(text),
        ReportTo::Path(path) => {
            let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
            if let Err(error) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
                say(&format!("lockscope: cannot write to {}: {error}\n{text}", path.display()));
            }
        }
    }
}

/// Writes to standard error without taking its lock, which the threads in question may hold.
pub(super) fn say(text: &str) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        // SAFETY: writes from a live slice.
        match unsafe { libc::write(libc::STDERR_FILENO, rest.as_ptr().cast(), rest.len()) } {
            written @ 1.. => rest = &rest[written as usize..],
            _ if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

/// Whether this is the first finding with that key in this thread's session; later ones are not reported again, nor are those that are not known to be first.
pub(super) fn is_first(key: u64) -> bool {
    let key = key ^ u64::from(session::current()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    static SEEN: Mutex<Option<HashSet<u64>>> = Mutex::new(None);
    reentry::lock(&SEEN).is_some_and(|mut seen| seen.get_or_insert_default().insert(key))
}

/// What a report says of a lock.
#[derive(Clone, Copy, Debug)]
pub(super) struct LockFacts {
    pub lock: u32,
    pub kind: LockKind,
    pub created: Site,
    pub type_name: fn() -> &'static str,
}

impl LockFacts {
    /// The lock's name in backquotes, else its kind, type and place of creation.
    pub(super) fn describe(&self) -> String {
        let named = patient_registry().map_or_else(Named::default, |registry| registry.named(self.lock));
        if let Some(name) = named.name {
            return format!("`{}`", lockscope_trace::Definitions::clean(name));
        }
        let what = self.kind.describe((self.type_name)());
        let (file, line) = (self.created.file(), self.created.line());
        let place = if named.first_use { "first used" } else { "made" };
        format!("`{what}` {place} at {file}:{line}")
    }
}

/// What a report calls several locks: different locks of one description get a number each, in order of appearance.
pub(super) fn describe_all(locks: &[LockFacts]) -> Vec<String> {
    let names: Vec<String> = locks.iter().map(LockFacts::describe).collect();
    let ids: Vec<u32> = locks.iter().map(|lock| lock.lock).collect();
    number(&ids, names)
}

/// Names of things: those of one name that are different things get a number each, in order of appearance.
pub(super) fn number(ids: &[u32], names: Vec<String>) -> Vec<String> {
    let of_name = |name: &String| {
        let mut found: Vec<u32> = Vec::new();
        for (&id, _) in ids.iter().zip(&names).filter(|(_, other)| *other == name) {
            if !found.contains(&id) {
                found.push(id);
            }
        }
        found
    };
    let numbered = |(id, name): (&u32, &String)| {
        let of_name = of_name(name);
        match of_name.iter().position(|other| other == id) {
            Some(index) if of_name.len() > 1 => format!("{name} #{}", index + 1),
            _ => name.clone(),
        }
    };
    ids.iter().zip(&names).map(numbered).collect()
}

/// ` for reading` and the like, for read-write locks.
pub(super) fn mode_words(kind: LockKind, mode: Mode) -> &'static str {
    match (kind, mode) {
        (LockKind::RwLock, Mode::Exclusive) => " for writing",
        (LockKind::RwLock, Mode::Shared) => " for reading",
        (LockKind::RwLock, Mode::Upgradable) => " for upgradable reading",
        _ => "",
    }
}

/// `, held for 1.23 s` when acquisitions are timed.
pub(super) fn held_for(since: u64) -> String {
    if since == 0 { String::new() } else { format!(", held for {}", elapsed(since)) }
}

/// Time since some ticks ago.
pub(super) fn elapsed(since: u64) -> Nanos {
    use std::sync::OnceLock;
    static RATE: OnceLock<u64> = OnceLock::new();
    let rate = *RATE.get_or_init(clock::estimate_rate);
    let ticks = clock::ticks().saturating_sub(since);
    Nanos((u128::from(ticks) * 1_000_000_000 / u128::from(rate)) as u64)
}

/// Names a thread.
pub(super) fn thread_name(info: &ThreadInfo) -> String {
    format!("thread {}", thread::describe(info))
}
