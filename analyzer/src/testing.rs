//! Traces in words, for tests: `T1: lock a, lock b, unlock b; T2: wait b`.
//!
//! Threads and locks are what is named. `a^3` gives the lock rank 3 where it is first named, `acc.1` and `acc.2` are
//! unnamed locks of one class. `#7` after an operation sets its line, else that is the number of the event; `@90` sets
//! the time, which stays until it is set again.

use std::collections::HashMap;

use lockscope_trace::{
    Access, Definitions, Event, How, LockId, LockKind, Mode, Nanos, Op, Site, SiteId, ThreadDef, ThreadId,
};

use crate::{Analysis, Finding, Options};

/// Runs the analysis over a trace.
pub fn run(trace: &str) -> (Analysis, Definitions) {
    let (events, definitions) = parse(trace);
    let mut analysis = Analysis::new(Options::default());
    events.iter().for_each(|event| analysis.feed(event, &definitions));
    (analysis, definitions)
}

/// Findings of a trace.
pub fn findings(trace: &str) -> Vec<Finding> {
    let (mut analysis, definitions) = run(trace);
    analysis.findings(&definitions)
}

/// Checks that exactly these findings are made, each as its code and the names of its locks in order of name.
#[track_caller]
pub fn check(trace: &str, expected: &[&str]) {
    let (mut analysis, definitions) = run(trace);
    let found: Vec<String> = analysis
        .findings(&definitions)
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
    for part in trace.split(';').map(str::trim).filter(|part| !part.is_empty()) {
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
    counts: HashMap<LockId, u64>,
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
        for word in text.split_whitespace() {
            if let Some(time) = word.strip_prefix('@') {
                self.now = Some(time.parse().expect("a time"));
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
            "unlock" => Op::Released { lock: self.lock(first), owner: thread, mode: None, access: Access::Unknown },
            "tryfail" => Op::TryFailed { lock: self.lock(first), mode: Mode::Exclusive },
            "timeout" => Op::TimedOut { lock: self.lock(first), mode: Mode::Exclusive },
            "condwait" => {
                Op::CondWait { condvar: self.lock(first), mutex: self.lock(second), limited: false, count: 0 }
            }
            "condwake" => {
                Op::CondWake { condvar: self.lock(first), mutex: self.lock(second), timed_out: false, count: 0 }
            }
            "spawn" => Op::Spawn { child: self.thread(first) },
            "start" => Op::Start,
            "exit" => Op::Exit,
            "joinwait" => Op::JoinWait { child: self.thread(first) },
            "join" => Op::Joined { child: self.thread(first) },
            "finding" => Op::Finding {
                code: self.definitions.add_string(first),
                text: self.definitions.add_string("as reported by the process"),
            },
            other => panic!("unknown verb {other}"),
        };
        let site = self.site("test.rs", line);
        self.events.push(Event { thread, time: Nanos(self.now.unwrap_or(number)), site, stack: None, op });
    }

    fn acquired(&mut self, lock: &str, mode: Mode, how: How) -> Op {
        let lock = self.lock(lock);
        let count = self.counts.entry(lock).or_default();
        *count += 1;
        Op::Acquired { lock, mode, how, count: *count }
    }

    fn thread(&mut self, name: &str) -> ThreadId {
        *self.threads.entry(name.to_owned()).or_insert_with(|| {
            self.definitions.threads.push(ThreadDef { name: Some(name.into()), ..ThreadDef::default() });
            ThreadId(self.definitions.threads.len() as u32 - 1)
        })
    }

    fn lock(&mut self, text: &str) -> LockId {
        let (name, rank) = match text.split_once('^') {
            Some((name, rank)) => (name, Some(rank.parse().expect("a rank"))),
            None => (text, None),
        };
        if let Some(&id) = self.locks.get(name) {
            return id;
        }
        let kind = if self.read { LockKind::RwLock } else { LockKind::Mutex };
        let id = match name.split_once('.') {
            Some((class, _)) => {
                let created = self.site(class, 1);
                self.definitions.add_lock(kind, None, "u8".into(), created, rank)
            }
            None => self.definitions.add_lock(kind, Some(name.into()), "u8".into(), None, rank),
        };
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
