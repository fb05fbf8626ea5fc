//! What a well-formed trace does, and the events that its lines stand for.
//!
//! One line is one event, so that the number of an event is the number of its line. A re-entrant acquisition, which
//! changes nothing, becomes a mark.

use lockscope_trace::{
    Access, Definitions, Event, How, LockId, LockKind, Mode, Nanos, Op, Site, SiteId, StringId, ThreadDef, ThreadId,
    VarDef, VarId,
};
use rustc_hash::FxHashMap;

use super::{
    line::{Line, Verb},
    names::Names,
};

/// A line that breaks a rule: the kind of the error, and a sentence.
pub(super) type Broken = (&'static str, String);

// A broken rule does not stop anything here: the line is believed, and what it contradicts is given up. The caller
// decides whether to go on.

/// Names and holds so far.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub definitions: Definitions,
    pub requests_seen: bool,
    broken: Option<Broken>,
    thread_ids: Names<ThreadId>,
    /// Who acted last: mostly the one who acts next.
    last_thread: Option<(Box<[u8]>, ThreadId)>,
    lock_ids: Names<LockId>,
    var_ids: Names<VarId>,
    condvar_ids: FxHashMap<LockId, LockId>,
    site_ids: FxHashMap<i32, SiteId>,
    /// Those of small locations.
    near_sites: Vec<Option<SiteId>>,
    marks: FxHashMap<&'static str, StringId>,
    threads: Vec<Thread>,
    locks: Vec<Lock>,
}

/// Locations below this are looked up without hashing.
const NEAR: usize = 1 << 16;

#[derive(Clone, Debug, Default)]
struct Thread {
    acted: bool,
    forked_at: Option<u64>,
    joined_at: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct Lock {
    /// Acquisitions that were events.
    count: u64,
    writer: Option<Hold>,
    readers: Vec<Hold>,
    /// Of writers that another one took the lock from, in that order: how often each had it. Only the last release is one.
    lost: Vec<(ThreadId, u64)>,
}

#[derive(Clone, Debug)]
struct Hold {
    thread: ThreadId,
    line: u64,
    /// Acquisitions without their releases.
    depth: u64,
    /// Of those, the ones that were events.
    events: u64,
}

impl Rules {
    /// The event of a line, and what is wrong with it after those before it.
    pub(super) fn event(&mut self, number: u64, line: &Line<'_>) -> (Event, Option<Broken>) {
        let thread = self.thread(line.thread);
        let state = &mut self.threads[thread.0 as usize];
        state.acted = true;
        if let Some(joined) = state.joined_at.take() {
            let name = self.definitions.thread_name(thread);
            self.broken =
                Some(("event-after-join", format!("{name} was joined on line {joined} and cannot act any more")));
        }
        let site = self.site(line.location);
        let op = self.op(number, thread, line);
        (Event { thread, time: Nanos(number), site, stack: None, op }, self.broken.take())
    }

    fn op(&mut self, number: u64, me: ThreadId, line: &Line<'_>) -> Op {
        match line.verb {
            Verb::Read => Op::Read { var: self.var(line.operand) },
            Verb::Write => Op::Write { var: self.var(line.operand) },
            Verb::Acquire => self.acquire(number, me, line),
            Verb::ReadAcquire => self.read_acquire(number, me, line),
            Verb::Release => self.release(me, line),
            Verb::ReadRelease => self.read_release(me, line),
            Verb::Request => self.request(me, line, Mode::Exclusive),
            Verb::ReadRequest => self.request(me, line, Mode::Shared),
            Verb::Fork => self.fork(number, me, line.operand),
            Verb::Join => self.join(number, me, line.operand),
            Verb::Wait => {
                let mutex = self.lock(line.operand);
                Op::CondWait { condvar: self.condvar(mutex), mutex, limited: false, count: 0 }
            }
            Verb::Notify | Verb::NotifyAll => {
                let mutex = self.lock(line.operand);
                Op::Notify { condvar: self.condvar(mutex), all: line.verb == Verb::NotifyAll, woken: None, count: 0 }
            }
            Verb::Begin => Op::RegionBegin { name: None },
            Verb::End => Op::RegionEnd,
            Verb::Dummy => self.mark("dummy"),
        }
    }

    fn acquire(&mut self, number: u64, me: ThreadId, line: &Line<'_>) -> Op {
        let lock = self.lock(line.operand);
        let state = &mut self.locks[lock.0 as usize];
        match &mut state.writer {
            Some(writer) if writer.thread == me => {
                writer.depth += 1;
                return self.mark("acquired again by its holder");
            }
            Some(other) => {
                self.broken.get_or_insert(held(&self.definitions, lock, other));
                state.lost.push((other.thread, other.depth));
            }
            None => {}
        }
        if let Some(reader) = state.readers.iter().find(|reader| reader.thread != me) {
            self.broken.get_or_insert(held(&self.definitions, lock, reader));
            state.readers.retain(|reader| reader.thread == me);
        }
        let how = if state.readers.is_empty() { How::Lock } else { How::Upgrade };
        state.writer = Some(Hold { thread: me, line: number, depth: 1, events: 1 });
        state.count += 1;
        Op::Acquired { lock, mode: Mode::Exclusive, how, count: state.count }
    }

    fn read_acquire(&mut self, number: u64, me: ThreadId, line: &Line<'_>) -> Op {
        let lock = self.lock(line.operand);
        self.definitions.locks[lock.0 as usize].kind = LockKind::RwLock;
        let state = &mut self.locks[lock.0 as usize];
        if let Some(other) = state.writer.as_ref().filter(|writer| writer.thread != me) {
            self.broken.get_or_insert(held(&self.definitions, lock, other));
            state.writer = None;
        }
        // A reader that reads again holds twice, and can get stuck behind a writer: not a re-entrant no-op.
        let events = u64::from(state.writer.is_none());
        match state.readers.iter_mut().find(|reader| reader.thread == me) {
            Some(reader) => {
                reader.depth += 1;
                reader.events += events;
            }
            None => state.readers.push(Hold { thread: me, line: number, depth: 1, events }),
        }
        if state.writer.is_some() {
            return self.mark("read by its writer");
        }
        state.count += 1;
        Op::Acquired { lock, mode: Mode::Shared, how: How::Lock, count: state.count }
    }

    fn release(&mut self, me: ThreadId, line: &Line<'_>) -> Op {
        let lock = self.lock(line.operand);
        let state = &mut self.locks[lock.0 as usize];
        match &mut state.writer {
            Some(writer) if writer.thread == me => {
                writer.depth -= 1;
                if writer.depth > 0 {
                    return self.mark("released, still held from an outer acquisition");
                }
            }
            other => {
                self.broken.get_or_insert(unheld(&self.definitions, lock, me, other.as_ref(), ""));
                if let Some(index) = state.lost.iter().rposition(|&(thread, _)| thread == me) {
                    if state.lost[index].1 > 1 {
                        state.lost[index].1 -= 1;
                        return self.mark("released, still held from an outer acquisition");
                    }
                    state.lost.remove(index);
                }
                return Op::Released { lock, owner: me, mode: None, access: Access::Unknown };
            }
        }
        state.writer = None;
        // Only its own reads can be there: the writer goes back to reading.
        let Some(reader) = state.readers.first_mut() else {
            return Op::Released { lock, owner: me, mode: None, access: Access::Unknown };
        };
        reader.events = reader.events.max(1);
        state.count += 1;
        Op::Acquired { lock, mode: Mode::Shared, how: How::Downgrade, count: state.count }
    }

    fn read_release(&mut self, me: ThreadId, line: &Line<'_>) -> Op {
        let lock = self.lock(line.operand);
        let state = &mut self.locks[lock.0 as usize];
        let Some(index) = state.readers.iter().position(|reader| reader.thread == me) else {
            let holder = state.writer.as_ref().or(state.readers.first());
            self.broken.get_or_insert(unheld(&self.definitions, lock, me, holder, " for reading"));
            return Op::Released { lock, owner: me, mode: None, access: Access::Unknown };
        };
        let reader = &mut state.readers[index];
        reader.depth -= 1;
        let is_event = state.writer.is_none() && reader.events > reader.depth;
        reader.events -= u64::from(is_event);
        if reader.depth == 0 {
            state.readers.remove(index);
        }
        if !is_event {
            return self.mark("read ended, still held");
        }
        Op::Released { lock, owner: me, mode: None, access: Access::Unknown }
    }

    fn request(&mut self, me: ThreadId, line: &Line<'_>, mode: Mode) -> Op {
        let lock = self.lock(line.operand);
        self.requests_seen = true;
        if self.locks[lock.0 as usize].writer.as_ref().is_some_and(|writer| writer.thread == me) {
            return self.mark("requested by its holder");
        }
        Op::Wait { lock, mode, how: How::Lock }
    }

    fn fork(&mut self, number: u64, me: ThreadId, operand: &[u8]) -> Op {
        let child = self.named_thread(me, operand);
        let state = &mut self.threads[child.0 as usize];
        let since = match (state.forked_at, state.joined_at) {
            (Some(line), _) => format!("was forked on line {line}"),
            (None, Some(line)) => format!("was joined on line {line}"),
            (None, None) if state.acted => "has acted already".to_owned(),
            (None, None) => {
                state.forked_at = Some(number);
                self.definitions.threads[child.0 as usize].parent = Some(me);
                return Op::Spawn { child };
            }
        };
        let name = self.definitions.thread_name(child);
        self.broken.get_or_insert(("fork-existing", format!("{name} cannot be forked: it {since}")));
        Op::Spawn { child }
    }

    fn join(&mut self, number: u64, me: ThreadId, operand: &[u8]) -> Op {
        let child = self.named_thread(me, operand);
        if child == me {
            self.broken.get_or_insert(("join-self", format!("{} joins itself", self.definitions.thread_name(me))));
            return self.mark("joins itself");
        }
        self.threads[child.0 as usize].joined_at.get_or_insert(number);
        Op::Joined { child }
    }

    fn mark(&mut self, text: &'static str) -> Op {
        Op::Mark { text: *self.marks.entry(text).or_insert_with(|| self.definitions.add_string(text)) }
    }

    #[inline]
    fn thread(&mut self, name: &[u8]) -> ThreadId {
        match &self.last_thread {
            Some((last, id)) if **last == *name => *id,
            _ => self.another_thread(name),
        }
    }

    fn another_thread(&mut self, name: &[u8]) -> ThreadId {
        if let Some(id) = self.thread_ids.get(name) {
            match &mut self.last_thread {
                Some((last, last_id)) if last.len() == name.len() => {
                    last.copy_from_slice(name);
                    *last_id = id;
                }
                last => *last = Some((name.into(), id)),
            }
            return id;
        }
        let id = ThreadId(self.threads.len() as u32);
        self.threads.push(Thread::default());
        let name_shown = Some(Definitions::clean(&String::from_utf8_lossy(name)));
        self.definitions.threads.push(ThreadDef { name: name_shown, ..ThreadDef::default() });
        self.thread_ids.insert(name, id);
        id
    }

    /// The thread of a fork or join. Some recorders write `12` there for the thread that they call `T12`.
    fn named_thread(&mut self, me: ThreadId, operand: &[u8]) -> ThreadId {
        let name = self.definitions.threads[me.0 as usize].name.clone().unwrap_or_default();
        let numbered = name.strip_prefix('T').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        if numbered && operand.iter().all(u8::is_ascii_digit) && self.thread_ids.get(operand).is_none() {
            self.thread(&[b"T", operand].concat())
        } else {
            self.thread(operand)
        }
    }

    fn lock(&mut self, name: &[u8]) -> LockId {
        if let Some(id) = self.lock_ids.get(name) {
            return id;
        }
        let id = self.add_lock(LockKind::Mutex, &String::from_utf8_lossy(name));
        self.lock_ids.insert(name, id);
        id
    }

    /// The condition variable that goes with a monitor.
    fn condvar(&mut self, mutex: LockId) -> LockId {
        if let Some(&id) = self.condvar_ids.get(&mutex) {
            return id;
        }
        let name = format!("condition of {}", self.definitions.lock_name(mutex));
        let id = self.add_lock(LockKind::Condvar, &name);
        self.condvar_ids.insert(mutex, id);
        id
    }

    fn add_lock(&mut self, kind: LockKind, name: &str) -> LockId {
        self.locks.push(Lock::default());
        self.definitions.add_lock(kind, Some(Definitions::clean(name)), "".into(), None, None)
    }

    fn var(&mut self, name: &[u8]) -> VarId {
        if let Some(id) = self.var_ids.get(name) {
            return id;
        }
        let id = VarId(self.definitions.vars.len() as u32);
        let cleaned = Definitions::clean(&String::from_utf8_lossy(name));
        self.definitions.vars.push(VarDef { name: cleaned, created: None });
        self.var_ids.insert(name, id);
        id
    }

    /// The location as a site: `loc:17`. It stands for a place in a program that is not at hand, and must not look like a
    /// line of the trace; that is what the number of the event is for.
    #[inline]
    fn site(&mut self, location: i32) -> Option<SiteId> {
        match self.near_sites.get(location as usize) {
            Some(&Some(id)) if location >= 0 => Some(id),
            _ => self.another_site(location),
        }
    }

    fn another_site(&mut self, location: i32) -> Option<SiteId> {
        let id = self.any_site(location)?;
        if let Ok(near @ 0..NEAR) = usize::try_from(location) {
            if near >= self.near_sites.len() {
                self.near_sites.resize(near + 1, None);
            }
            self.near_sites[near] = Some(id);
        }
        Some(id)
    }

    fn any_site(&mut self, location: i32) -> Option<SiteId> {
        if let Some(&id) = self.site_ids.get(&location) {
            return Some(id);
        }
        let site = match u32::try_from(location) {
            Ok(line @ 1..) => Site { file: "loc".into(), line, column: 0 },
            _ => Site { file: format!("loc:{location}").into(), line: 0, column: 0 },
        };
        let id = SiteId::from_index(self.definitions.sites.len())?;
        self.definitions.sites.push(site);
        self.site_ids.insert(location, id);
        Some(id)
    }
}

fn held(definitions: &Definitions, lock: LockId, by: &Hold) -> Broken {
    let (lock, thread) = (definitions.lock_name(lock), definitions.thread_name(by.thread));
    ("lock-held", format!("{lock} is held by {thread} since line {}", by.line))
}

fn unheld(definitions: &Definitions, lock: LockId, me: ThreadId, holder: Option<&Hold>, how: &str) -> Broken {
    let (lock, thread) = (definitions.lock_name(lock), definitions.thread_name(me));
    let holder = match holder {
        Some(hold) => {
            format!("; {} holds it since line {}", definitions.thread_name(hold.thread), hold.line)
        }
        None => String::new(),
    };
    ("release-unheld", format!("{thread} releases {lock} without holding it{how}{holder}"))
}
