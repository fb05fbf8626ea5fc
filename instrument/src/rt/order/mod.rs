//! Checks an acquisition against the orders and ranks seen so far.
//!
//! Called when a set of held locks and a lock asked for come together for the first time in a thread (see
//! `chains`), before the thread waits, so that an inversion is reported even if it deadlocks at once.

mod cycles;
mod graph;
mod present;
mod reported;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use lockscope_trace::{LockKind, Mode};

use self::{
    cycles::Step,
    graph::{Graph, HeldLocks, Occurrence, Told},
    present::Present,
};
use super::{
    Site,
    counts::{self, Count},
    global::{self, patient_registry},
    held::HeldLock,
    reentry,
    report::{Draft, LockFacts, describe_all, is_first, mode_words, thread_name},
    session,
    stack::{self, Stack},
    thread::{self, Entered},
    wrapper,
};
use crate::config::Policy;

static GRAPH: Mutex<Option<Graph>> = Mutex::new(None);

static PRESENT: Present<1024> = Present { words: [const { AtomicU64::new(0) }; 1024] };

/// An acquisition that is about to be tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub lock: LockFacts,
    pub mode: Mode,
    /// Passes waiting writers.
    pub recursive: bool,
    pub site: Site,
    /// The stack, when a wrapper asks.
    pub stack: Option<Stack>,
}

/// What a check leaves behind.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// The stack that was captured, if the request adds anything new.
    pub stack: Option<Stack>,
    /// It is part of something that was reported: check it again next time, to count it.
    pub counts: bool,
}

/// Checks ranks and orders of a request while locks are held.
///
/// # Panics
///
/// When a violation is found and its policy is to panic.
pub(super) fn check(entered: &Entered, request: &Request) -> Checked {
    // Permits can be given back by anyone, so that to hold some is no order.
    let counts = |held: &HeldLock| held.lock != request.lock.lock && held.kind != LockKind::Semaphore;
    let held: Vec<HeldLock> = entered.info.held.iter().filter(counts).collect();
    if held.is_empty() {
        return Checked::default();
    }
    check_rank(entered, request, &held);
    if global::config().order == Policy::Off { Checked::default() } else { check_order(entered, request, &held) }
}

fn check_rank(entered: &Entered, request: &Request, held: &[HeldLock]) {
    let policy = global::config().rank;
    let (rank, highest) = {
        let Some(registry) = patient_registry() else { return };
        let Some(rank) = registry.named(request.lock.lock).rank else { return };
        let ranked = held.iter().filter_map(|held| Some((registry.named(held.lock).rank?, held)));
        (rank, ranked.max_by_key(|(rank, _)| *rank).map(|(rank, held)| (rank, *held)))
    };
    let Some((held_rank, held)) = highest.filter(|&(held_rank, _)| held_rank >= rank) else { return };
    let mut key = DefaultHasher::new();
    ("rank", held.site.to_string(), request.site.to_string()).hash(&mut key);
    if policy == Policy::Off || (policy == Policy::Report && !is_first(key.finish())) {
        return;
    }
    let (wanted_name, held_name) = (request.lock.describe(), facts(&held).describe());
    let title = format!("{wanted_name} (rank {rank}) is taken while {held_name} (rank {held_rank}) is held");
    let mut draft = Draft::new("hierarchy-violation", "error", "actual", title);
    draft
        .about_lock(request.lock.lock)
        .line(&format!("{} took {held_name} at {}", thread_name(entered.info), held.site))
        .line(&format!("and asks for {wanted_name} at {}", request.site))
        .stack("stack of the request:", stack::capture(), request.site)
        .line("help: take locks in ascending order of rank, or rank them differently");
    draft.publish(entered, policy);
}

fn check_order(entered: &Entered, request: &Request, held: &[HeldLock]) -> Checked {
    let policy = global::config().order;
    let mut new_stack = None;
    let mut counts = false;
    let mut found = Vec::new();
    let held_key = entered.info.held.recount();
    let locks = || held.iter().map(|held| (held.lock, held.mode)).collect();
    let held_set = (held.len() > 1).then(|| Arc::new(HeldLocks { locks: locks(), key: held_key }));
    // Made when first needed: most acquisitions that come here turn out to be known.
    let mut name: Option<Arc<str>> = None;
    {
        // Not checked this time; so not remembered either, but checked again the next time.
        let Some(mut guard) = reentry::lock(&GRAPH) else { return Checked { stack: None, counts: true } };
        let graph = guard.get_or_insert_default();
        for from in held {
            let occurrence = Occurrence {
                thread: entered.info.id.load(Ordering::Relaxed),
                session: session::of(entered.info),
                held_mode: from.mode,
                wanted_mode: request.mode,
                recursive: request.recursive,
                held_site: from.site,
                wanted_site: request.site,
                held: held_set.clone(),
                told: None,
            };
            for lock in [from.lock, request.lock.lock] {
                PRESENT.note(lock);
            }
            let from_facts = facts(from);
            let edge = (from.lock, request.lock.lock);
            if graph.is_covered(edge.0, edge.1, &occurrence) {
                counts |= graph.finding(edge, from.site, request.site).is_some_and(Count::again);
                continue;
            }
            let capture = || request.stack.or_else(stack::capture);
            let stack = *new_stack.get_or_insert_with(capture);
            let held_stack = wrapper::held_from(from);
            let thread_name = name.get_or_insert_with(|| thread::describe(entered.info).into()).clone();
            graph.add(from_facts, request.lock, occurrence, Told { thread_name, stack, held_stack });
            let repeat = |circle: &[Step<'_>]| policy == Policy::Report && !is_first_circle(circle);
            if let Some(cycle) = cycles::through(graph, from.lock, request.lock.lock, repeat) {
                graph.set_finding(edge, from.site, request.site, counts::begin(cycle.title()));
                counts = true;
                found.push(cycle);
            }
        }
    }
    // Outside of the graph's lock: a callback may do anything.
    for cycle in found {
        cycle.report(entered, policy);
    }
    Checked { stack: new_stack.flatten(), counts }
}

fn facts(held: &HeldLock) -> LockFacts {
    LockFacts { lock: held.lock, kind: held.kind, created: held.created, type_name: held.type_name }
}

/// Somebody asks for a read-write lock exclusively for the first time: from now on its readers wait for writers that wait for
/// readers, so a circle of readers, harmless so far, can deadlock.
///
/// # Panics
///
/// As [`check`].
pub(super) fn note_written(entered: &Entered, lock: u32, site: Site) {
    let policy = global::config().order;
    if policy == Policy::Off {
        return;
    }
    PRESENT.note(lock);
    let found = {
        let Some(mut guard) = reentry::lock(&GRAPH) else { return };
        let graph = guard.get_or_insert_default();
        let repeat = |circle: &[Step<'_>]| policy == Policy::Report && !is_first_circle(circle);
        if graph.note_written(lock) { cycles::of_readers(graph, lock, repeat) } else { None }
    };
    if let Some(mut cycle) = found {
        cycle.writer =
            Some(format!("{} now asks to write at {site}, which makes these readers wait", thread_name(entered.info)));
        cycle.report(entered, policy);
    }
}

/// Whether a lock may be in the graph. At the end of its life.
#[inline]
pub(super) fn may_have(lock: u32) -> bool {
    PRESENT.may_have(lock)
}

/// A lock came to the end of its life.
pub(super) fn forget_lock(lock: u32) {
    if !PRESENT.may_have(lock) {
        return;
    }
    if let Some(mut guard) = reentry::lock(&GRAPH)
        && let Some(graph) = &mut *guard
    {
        graph.kill(lock);
    }
}

/// A session has ended, but for threads that live on, which are in none now.
pub(super) fn session_ends(session: u32, stay: &[u32]) {
    if let Some(mut guard) = reentry::lock(&GRAPH)
        && let Some(graph) = &mut *guard
    {
        graph.forget_session(session, stay);
    }
}

fn is_first_circle(circle: &[Step<'_>]) -> bool {
    reported::is_first(circle.iter().map(|&(.., occurrence)| occurrence))
}

/// One thread's part in a cycle of orders, detached from the graph.
#[derive(Debug)]
struct Side {
    held: LockFacts,
    wanted: LockFacts,
    occurrence: Occurrence,
}

impl Side {
    fn thread_name(&self) -> &str {
        self.occurrence.told.as_ref().map_or("?", |told| &told.thread_name)
    }
}

/// A cycle of orders.
#[derive(Debug)]
struct Cycle {
    sides: Vec<Side>,
    /// Who made the circle a danger, when that is none of its sides.
    writer: Option<String>,
}

impl Cycle {
    fn names(&self) -> Vec<String> {
        describe_all(&self.sides.iter().map(|side| side.held).collect::<Vec<_>>())
    }

    fn title(&self) -> String {
        match self.names().as_slice() {
            [one, other] => format!("{one} and {other} are taken in both orders"),
            names => format!("{} locks are taken in a circle: {} → {}", names.len(), names.join(" → "), names[0]),
        }
    }

    fn report(self, entered: &Entered, policy: Policy) {
        let names = self.names();
        let mut draft = Draft::new("lock-order-inversion", "warning", "potential", self.title());
        // With a writer from outside all sides are in the past.
        let now = if self.writer.is_some() { usize::MAX } else { self.sides.len() - 1 };
        for (index, side) in self.sides.iter().enumerate() {
            let occurrence = &side.occurrence;
            let verb = if index == now { "and now asks" } else { "and then asked" };
            let thread = side.thread_name();
            draft
                .line(&format!(
                    "thread {thread} took {}{} at {}",
                    names[index],
                    mode_words(side.held.kind, occurrence.held_mode),
                    occurrence.held_site
                ))
                .line(&format!(
                    "  {verb} for {}{} at {}",
                    names[(index + 1) % names.len()],
                    mode_words(side.wanted.kind, occurrence.wanted_mode),
                    occurrence.wanted_site
                ));
        }
        if let Some(writer) = &self.writer {
            draft.line(writer);
        }
        for (index, side) in self.sides.iter().enumerate() {
            let when = if index == now { "now" } else { "then, when this order was first seen" };
            let (thread, told) = (side.thread_name(), side.occurrence.told.as_deref());
            let heading = format!("stack of thread {thread} {when}:");
            draft.stack(&heading, told.and_then(|told| told.stack), side.occurrence.wanted_site);
            let heading = format!("stack of thread {thread} when it took {}:", names[index]);
            draft.stack(&heading, told.and_then(|told| told.held_stack), side.occurrence.held_site);
        }
        draft.line(
            "note: a join or a message may keep these threads apart; the process does not see that, `lockscope check` of a recording does",
        );
        draft.line(&format!("help: take these locks in one order everywhere, for example {}", names.join(" before ")));
        let threads: Vec<u32> = self.sides.iter().map(|side| side.occurrence.session).collect();
        let locks: Vec<u32> = self.sides.iter().map(|side| side.held.lock).collect();
        draft.concerns(session::concerned_by_orders(&threads, &locks));
        draft.publish(entered, policy);
    }
}
