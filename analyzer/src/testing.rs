//! Traces in words, for tests: `T1: lock a, lock b, unlock b; T2: wait b`.
//!
//! Threads and locks are what is named. `a^3` gives the lock rank 3 where it is first named, `acc.1` and `acc.2` are
//! unnamed locks of one class, `jobs[2]` is a channel with a bound of 2 or a semaphore of 2 permits. `#7` after an
//! operation sets its line, else that is the number of the event; `@90` sets the time in nanoseconds, `@2s` in seconds,
//! which stays until it is set again. `limited` after an operation is a time limit.
//!
//! `killed` and `ended` as the last part say how the recording ended; without, it goes on.

use std::collections::{HashMap, VecDeque};

use lockscope_trace::{
    Access, Definitions, Event, How, LockId, LockKind, MemoryOrder, Mode, Nanos, Need, Op, Side, Site, SiteId,
    ThreadDef, ThreadId, VarDef, VarId,
};

use crate::{Analysis, Ending, Finding, Options, Severity};

/// Runs the analysis over a trace.
pub fn run(trace: &str) -> (Analysis, Definitions) {
    let (events, definitions) = parse(trace);
    let mut analysis = Analysis::new(Options::default());
    events.iter().for_each(|event| analysis.feed(event, &definitions));
    analysis.set_ending(match trace.trim_end().rsplit(';').next().map(str::trim) {
        Some("killed") => Ending::CutOff,
        Some("ended") => Ending::Orderly,
        _ => Ending::Open,
    });
    (analysis, definitions)
}

/// Findings of a trace, but for notes.
pub fn findings(trace: &str) -> Vec<Finding> {
    let mut found = findings_and_notes(trace);
    found.retain(|finding| finding.severity > Severity::Note);
    found
}

/// Findings of a trace.
pub fn findings_and_notes(trace: &str) -> Vec<Finding> {
    let (mut analysis, definitions) = run(trace);
    analysis.findings(&definitions)
}

/// Checks that exactly these findings are made besides notes, each as its code and the names of its locks in order of name.
#[track_caller]
pub fn check(trace: &str, expected: &[&str]) {
    let definitions = parse(trace).1;
    let found: Vec<String> = findings(trace)
        .iter()
        .map(|finding| {
            let mut names: Vec<String> = finding.locks.iter().map(|&lock| definitions.lock_name(lock)).collect();
            names.sort();
            names.insert(0, finding.code.as_str().to_owned());
            names.join(" ")
        })
        .collect();
    assert_eq!(found, expected, "{trace}");
}

/// The events of a trace and what their ids mean.
pub fn parse(trace: &str) -> (Vec<Event>, Definitions) {
    let mut parser = Parser { read: trace.contains("read"), ..Parser::default() };
    let parts = trace.split(';').map(str::trim);
    for part in parts.filter(|part| !matches!(*part, "" | "killed" | "ended")) {
        let (thread, ops) = part.split_once(':').expect("thread: operations");
        for op in ops.split(',') {
            parser.op(thread.trim(), op.trim());
        }
    }
    (parser.events, parser.definitions)
}

#[derive(Default)]
struct Parser {
    definitions: Definitions,
    events: Vec<Event>,
    threads: HashMap<String, ThreadId>,
    locks: HashMap<String, LockId>,
    vars: HashMap<String, VarId>,
    counts: HashMap<LockId, u64>,
    /// Messages that were not received.
    sent: HashMap<LockId, VecDeque<u64>>,
    now: Option<u64>,
    /// Some lock is read; then all are read-write locks.
    read: bool,
}

impl Parser {
    fn op(&mut self, thread: &str, text: &str) {
        let thread = self.thread(thread);
        let number = self.events.len() as u64 + 1;
        let mut line = number as u32;
        let mut words = Vec::new();
        let mut limited = false;
        for word in text.split_whitespace() {
            if let Some(time) = word.strip_prefix('@') {
                let (time, unit) = time.strip_suffix('s').map_or((time, 1), |seconds| (seconds, 1_000_000_000));
                self.now = Some(time.parse::<u64>().expect("a time") * unit);
            } else if word == "limited" {
                limited = true;
            } else if let Some(given) = word.strip_prefix('#') {
                line = given.parse().expect("a line");
            } else {
                words.push(word);
            }
        }
        let (verb, first, second) =
            (words[0], words.get(1).copied().unwrap_or_default(), words.get(2).copied().unwrap_or_default());
        let op = match verb {
            "wait" => Op::Wait { lock: self.lock(first), mode: Mode::Exclusive, how: How::Lock },
            "waitread" => Op::Wait { lock: self.lock(first), mode: Mode::Shared, how: How::Lock },
            "waitreadagain" => Op::Wait { lock: self.lock(first), mode: Mode::Shared, how: How::Recursive },
            "waitup" => Op::Wait { lock: self.lock(first), mode: Mode::Upgradable, how: How::Lock },
            "lock" => self.acquired(first, Mode::Exclusive, How::Lock),
            "read" => self.acquired(first, Mode::Shared, How::Lock),
            "readagain" => self.acquired(first, Mode::Shared, How::Recursive),
            "upread" => self.acquired(first, Mode::Upgradable, How::Lock),
            "try" => self.acquired(first, Mode::Exclusive, How::Try),
            "tryread" => self.acquired(first, Mode::Shared, How::Try),
            "timed" => self.acquired(first, Mode::Exclusive, How::Timed),
            "upgrade" => self.acquired(first, Mode::Exclusive, How::Upgrade),
            "downgrade" => self.acquired(first, Mode::Shared, How::Downgrade),
            "reget" => self.acquired(first, Mode::Exclusive, How::CondvarReacquire),
            "unlock" => {
                let owner = if words.len() > 3 { self.thread(words[3]) } else { thread };
                let access = match second {
                    "nothing" => Access::Nothing,
                    "read" => Access::Read,
                    "wrote" => Access::Wrote,
                    "rewrote" => Access::ReadThenWrote,
                    _ => Access::Unknown,
                };
                Op::Released { lock: self.lock(first), owner, mode: None, access }
            }
            "tryfail" => Op::TryFailed { lock: self.lock(first), mode: Mode::Exclusive },
            "timeout" => Op::TimedOut { lock: self.lock(first), mode: Mode::Exclusive },
            "poisoned" => Op::Poisoned { lock: self.lock(first) },
            "destroy" => Op::Destroyed { lock: self.lock(first) },
            "condwait" => {
                let condvar = self.object(first, LockKind::Condvar);
                Op::CondWait { condvar, mutex: self.lock(second), limited, count: 0 }
            }
            "condwake" | "condtimeout" => {
                let condvar = self.object(first, LockKind::Condvar);
                Op::CondWake { condvar, mutex: self.lock(second), timed_out: verb == "condtimeout", count: 0 }
            }
            "notify" | "notifyall" => {
                let woken = (!second.is_empty()).then(|| second.parse().expect("a number of threads"));
                Op::Notify { condvar: self.object(first, LockKind::Condvar), all: verb == "notifyall", woken, count: 0 }
            }
            "await" => {
                let (need, kind) = match second.split_once(':').unwrap_or((second, "1")) {
                    ("message", _) => (Need::Message, LockKind::Channel),
                    ("room", _) => (Need::Room, LockKind::Channel),
                    ("permits", n) => (Need::Permits(n.parse().expect("a number")), LockKind::Semaphore),
                    ("party", _) => (Need::Party, LockKind::Barrier),
                    ("init", _) => (Need::Init, LockKind::Once),
                    (other, _) => panic!("unknown need {other}"),
                };
                Op::Block { object: self.object(first, kind), need, limited }
            }
            "got" => Op::Unblock { object: self.lock(first), timed_out: false },
            "gaveup" => Op::Unblock { object: self.lock(first), timed_out: true },
            "send" => {
                let channel = self.object(first, LockKind::Channel);
                let count = self.count(channel);
                self.sent.entry(channel).or_default().push_back(count);
                Op::Sent { channel, count }
            }
            "sendfail" => Op::SendFailed { channel: self.object(first, LockKind::Channel), message: 0 },
            "recv" => {
                let channel = self.object(first, LockKind::Channel);
                let message = self.sent.get_mut(&channel).and_then(VecDeque::pop_front).unwrap_or(0);
                Op::Received { channel, message, count: self.count(channel) }
            }
            "once" => {
                self.object(first, LockKind::Once);
                self.acquired(first, Mode::Exclusive, How::Lock)
            }
            "sender" | "receiver" => {
                let channel = self.object(first, LockKind::Channel);
                Op::HandleAdded { channel, side: side(verb), count: 0 }
            }
            "dropsender" | "dropreceiver" => {
                let channel = self.object(first, LockKind::Channel);
                let owner = if second.is_empty() { thread } else { self.thread(second) };
                Op::HandleDropped { channel, side: side(&verb[4..]), owner, count: 0 }
            }
            "permit" | "ownedpermit" | "permitback" | "addpermit" | "forget" => {
                let semaphore = self.object(first, LockKind::Semaphore);
                let permits = second.parse().unwrap_or(1);
                let owner = if words.len() > 3 { self.thread(words[3]) } else { thread };
                match verb {
                    "permit" | "ownedpermit" => {
                        Op::PermitsAcquired { semaphore, permits, stays: verb == "permit", count: 0 }
                    }
                    "permitback" => Op::PermitsReleased { semaphore, permits, owner, count: 0 },
                    "addpermit" => Op::PermitsAdded { semaphore, permits, count: 0 },
                    _ => Op::PermitsForgotten { semaphore, permits, owner, count: 0 },
                }
            }
            "arrive" => Op::BarrierArrived { barrier: self.object(first, LockKind::Barrier), count: 0 },
            "leave" => Op::BarrierLeft { barrier: self.object(first, LockKind::Barrier), leader: false, count: 0 },
            "observe" => Op::Observed { object: self.object(first, LockKind::Once), initialised: 0 },
            "park" => Op::Park { limited },
            "unparked" => Op::Unparked,
            "unpark" => Op::Unpark { thread: self.thread(first) },
            "get" => Op::Read { var: self.var(first) },
            "set" => Op::Write { var: self.var(first) },
            "load" => Op::AtomicLoad { var: self.var(first), order: MemoryOrder::Relaxed, read: u64::MAX, count: 0 },
            "store" => {
                Op::AtomicStore { var: self.var(first), order: MemoryOrder::Relaxed, number: u64::MAX, count: 0 }
            }
            "update" => {
                Op::AtomicUpdate { var: self.var(first), order: MemoryOrder::Relaxed, number: u64::MAX, count: 0 }
            }
            "begin" => Op::RegionBegin { name: Some(self.definitions.add_string(first)) },
            "end" => Op::RegionEnd,
            "sleep" => Op::Sleep,
            "awake" => Op::Awake,
            "spawn" => {
                let child = self.thread(first);
                self.definitions.threads[child.0 as usize].parent = Some(thread);
                Op::Spawn { child }
            }
            "start" => Op::Start,
            "exit" => Op::Exit,
            "joinwait" => Op::JoinWait { child: self.thread(first) },
            "join" => Op::Joined { child: self.thread(first) },
            "finding" => {
                let text = match second {
                    "" => "as reported by the process".to_owned(),
                    confidence => {
                        let lines = words[3..].iter().map(|place| format!("\n  somebody waits at {place}, 3 s"));
                        let lines: String = lines.collect();
                        format!("lockscope: error[{first}]: as it said ({confidence}){lines}")
                    }
                };
                Op::Finding { code: self.definitions.add_string(first), text: self.definitions.add_text(&text) }
            }
            other => panic!("unknown verb {other}"),
        };
        let site = self.site("test.rs", line);
        self.events.push(Event { thread, time: Nanos(self.now.unwrap_or(number)), site, stack: None, op });
    }

    fn acquired(&mut self, lock: &str, mode: Mode, how: How) -> Op {
        let lock = self.lock(lock);
        Op::Acquired { lock, mode, how, count: self.count(lock) }
    }

    fn count(&mut self, lock: LockId) -> u64 {
        let count = self.counts.entry(lock).or_default();
        *count += 1;
        *count
    }

    fn thread(&mut self, name: &str) -> ThreadId {
        *self.threads.entry(name.to_owned()).or_insert_with(|| {
            self.definitions.threads.push(ThreadDef { name: Some(name.into()), ..ThreadDef::default() });
            ThreadId(self.definitions.threads.len() as u32 - 1)
        })
    }

    fn var(&mut self, name: &str) -> VarId {
        *self.vars.entry(name.to_owned()).or_insert_with(|| {
            // `n.AtomicU64` has that type, and no name.
            let name = name.split_once('.').map_or(name, |(_, type_name)| type_name);
            self.definitions.vars.push(VarDef { name: name.into(), created: None });
            VarId(self.definitions.vars.len() as u32 - 1)
        })
    }

    fn lock(&mut self, text: &str) -> LockId {
        let kind = if self.read { LockKind::RwLock } else { LockKind::Mutex };
        self.object(text, kind)
    }

    fn object(&mut self, text: &str, kind: LockKind) -> LockId {
        let (text, capacity) = match text.split_once('[') {
            Some((name, capacity)) => (name, Some(capacity.trim_end_matches(']').parse().expect("a number"))),
            None => (text, None),
        };
        let (name, rank) = match text.split_once('^') {
            Some((name, rank)) => (name, Some(rank.parse().expect("a rank"))),
            None => (text, None),
        };
        if let Some(&id) = self.locks.get(name) {
            return id;
        }
        let id = match name.split_once('.') {
            Some((class, _)) => {
                let created = self.site(class, 1);
                self.definitions.add_lock(kind, None, "u8".into(), created, rank)
            }
            None => self.definitions.add_lock(kind, Some(name.into()), "u8".into(), None, rank),
        };
        self.definitions.locks[id.0 as usize].capacity = capacity;
        self.locks.insert(name.to_owned(), id);
        id
    }

    fn site(&mut self, file: &str, line: u32) -> Option<SiteId> {
        let site = Site { file: file.into(), line, column: 0 };
        let sites = &mut self.definitions.sites;
        let index = sites.iter().position(|known| *known == site).unwrap_or_else(|| {
            sites.push(site);
            sites.len() - 1
        });
        SiteId::from_index(index)
    }
}

fn side(word: &str) -> Side {
    if word == "sender" { Side::Sender } else { Side::Receiver }
}
