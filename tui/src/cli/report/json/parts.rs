//! What machine output of every kind is made of: threads, locks, places.

use lockscope_analyzer::{
    finding::{Accessed, Held, Target, Wanted, What},
    state::{ObjectState, Permits},
};
use lockscope_trace::{Definitions, Event, LockId, LockKind, Nanos, Need, Side, SiteId, StackId, ThreadId, TraceInfo};
use serde::Serialize;

use crate::{cli::show::events::what, source::frames::Symbols};

/// A thread.
#[derive(Serialize)]
pub struct Thread {
    id: String,
    name: Option<String>,
    os_id: Option<u32>,
}

/// A lock.
#[derive(Serialize)]
pub struct Lock {
    id: String,
    name: String,
    kind: &'static str,
    created: Option<Site>,
    rank: Option<u32>,
}

/// A lock that is held.
#[derive(Serialize)]
pub struct HeldLock {
    lock: Lock,
    mode: &'static str,
    #[serde(flatten)]
    place: Place,
}

/// What is wanted.
#[derive(Serialize)]
pub struct WantedTarget {
    kind: &'static str,
    lock: Option<Lock>,
    mode: Option<&'static str>,
    thread: Option<Thread>,
    #[serde(flatten)]
    place: Place,
}

/// An access to memory.
#[derive(Serialize)]
pub struct MemoryAccess {
    thread: Thread,
    variable: Variable,
    access: &'static str,
    #[serde(flatten)]
    place: Place,
}

/// A memory location, or by the id and name of a lock what that protects.
#[derive(Serialize)]
pub struct Variable {
    id: String,
    name: String,
    created: Option<Site>,
}

/// Permits that a thread holds.
#[derive(Serialize)]
pub struct HeldPermits {
    lock: Lock,
    permits: u64,
    #[serde(flatten)]
    place: Place,
}

/// What an object that is no lock has to give.
#[derive(Serialize)]
pub struct Object {
    /// What it was made with: permits, bound, threads.
    capacity: Option<u64>,
    messages: u64,
    senders: Vec<Thread>,
    receivers: Vec<Thread>,
    free_permits: Option<u64>,
    arrived: Vec<Thread>,
}

/// Where, with which stack, since when.
#[derive(Serialize)]
pub struct Place {
    site: Option<Site>,
    stack: Vec<Frame>,
    since_ns: Option<u64>,
    event: u64,
}

/// A place in the source.
#[derive(Serialize)]
pub struct Site {
    file: String,
    line: Option<u32>,
    column: Option<u32>,
}

/// A frame of a stack.
#[derive(Serialize)]
pub struct Frame {
    function: String,
    site: Option<Site>,
}

/// Makes parts from what the ids of a trace mean.
pub struct Converter<'a> {
    defs: &'a Definitions,
    has_times: bool,
    symbols: Symbols,
}

impl<'a> Converter<'a> {
    /// For a trace.
    pub fn new(defs: &'a Definitions, info: &TraceInfo) -> Converter<'a> {
        Converter { defs, has_times: info.has_times, symbols: Symbols::new(info) }
    }

    /// Times of a trace without times are event numbers and would be misread.
    pub fn time(&self, nanos: Nanos) -> Option<u64> {
        self.has_times.then_some(nanos.0)
    }

    /// A lock that a thread holds.
    pub fn held(&self, held: &Held) -> HeldLock {
        let place = self.place(held.site, held.stack, held.since, held.event);
        HeldLock { lock: self.lock(held.lock), mode: held.mode.word(), place }
    }

    /// What a thread wants.
    pub fn wanted(&self, wanted: &Wanted) -> WantedTarget {
        let (kind, lock, mode, thread) = match wanted.target {
            Target::Lock(lock, mode) => ("lock", Some(self.lock(lock)), Some(mode.word()), None),
            Target::Thread(thread) => ("thread", None, None, Some(self.thread(thread))),
            Target::Object(lock, Need::Notify) => ("condvar", Some(self.lock(lock)), None, None),
            Target::Object(lock, need) => (need.word(), Some(self.lock(lock)), None, None),
            Target::Token => ("token", None, None, None),
        };
        let place = self.place(wanted.site, wanted.stack, wanted.since, wanted.event);
        WantedTarget { kind, lock, mode, thread, place }
    }

    /// What an event is about, in words.
    pub fn what(&self, event: &Event) -> String {
        what(self.defs, event)
    }

    /// An access to memory.
    pub fn accessed(&self, accessed: &Accessed) -> MemoryAccess {
        let what = accessed.what;
        let (id, name) = match what {
            What::Var(var) => (format!("V{}", var.0), what.type_name(self.defs).to_owned()),
            What::Data(lock) => (format!("L{}", lock.0), self.defs.lock_name(lock)),
        };
        MemoryAccess {
            thread: self.thread(accessed.thread),
            variable: Variable { id, name, created: self.site(what.created(self.defs)) },
            access: accessed.touch.as_str(),
            place: self.place(accessed.site, accessed.stack, accessed.time, accessed.event),
        }
    }

    /// Permits that a thread holds.
    pub fn permits(&self, permits: &Permits) -> HeldPermits {
        let place = self.place(permits.site, permits.stack, permits.since, permits.event);
        HeldPermits { lock: self.lock(permits.semaphore), permits: permits.permits, place }
    }

    /// An object that is no lock.
    pub fn object(&self, id: LockId, object: &ObjectState) -> Object {
        let def = self.defs.lock(id);
        let capacity = def.and_then(|def| def.capacity);
        let is_semaphore = def.is_some_and(|def| def.kind == LockKind::Semaphore);
        let handles = |side| object.handles(side).map(|(thread, _)| self.thread(thread)).collect();
        Object {
            capacity,
            messages: object.in_flight,
            senders: handles(Side::Sender),
            receivers: handles(Side::Receiver),
            free_permits: capacity.filter(|_| is_semaphore).map(|capacity| object.permits(capacity)),
            arrived: object.arrived.iter().map(|(thread, _)| self.thread(*thread)).collect(),
        }
    }

    /// A place, when the trace has it.
    pub fn site(&self, site: Option<SiteId>) -> Option<Site> {
        site.and_then(|site| self.defs.site(site)).map(json_site)
    }

    fn place(&self, site: Option<SiteId>, stack: Option<StackId>, since: Nanos, event: u64) -> Place {
        let frames = stack.map(|stack| self.symbols.stack(self.defs, stack)).unwrap_or_default();
        Place {
            site: self.site(site),
            stack: frames
                .into_iter()
                .map(|frame| Frame { site: frame.site.as_ref().map(json_site), function: frame.function })
                .collect(),
            since_ns: self.time(since),
            event,
        }
    }

    /// A thread.
    pub fn thread(&self, id: ThreadId) -> Thread {
        let def = self.defs.thread(id);
        Thread {
            id: id.to_string(),
            name: def.and_then(|def| def.name.as_ref()).map(|name| name.to_string()),
            os_id: def.map(|def| def.os_id).filter(|&os_id| os_id != 0),
        }
    }

    /// A lock.
    pub fn lock(&self, id: LockId) -> Lock {
        let def = self.defs.lock(id);
        Lock {
            id: id.to_string(),
            name: self.defs.lock_name(id),
            kind: def.map_or("other", |def| def.kind.word()),
            created: self.site(def.and_then(|def| def.created)),
            rank: def.and_then(|def| def.rank),
        }
    }
}

fn json_site(site: &lockscope_trace::Site) -> Site {
    let known = |n: u32| (n > 0).then_some(n);
    Site { file: site.file.to_string(), line: known(site.line), column: known(site.column) }
}
