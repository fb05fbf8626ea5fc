//! A recorded run for tests: a bank whose two threads deadlock over two locks, with three more threads around them.
//!
//! Written down as data, so that a test of a screen or a report does not depend on how findings are computed.

use std::{path::PathBuf, time::Duration};

use lockscope_analyzer::finding::{Code, Confidence, Evidence, Finding, Held, Participant, Severity, Target, Wanted};
use lockscope_trace::{
    Completeness, Definitions, Event, How, LockId, LockKind, Mode, Nanos, Op, Site, SiteId, ThreadDef, ThreadId,
    TraceInfo,
};

use crate::{cli::load::Checked, source::Sources};

const ACCOUNTS: LockId = LockId(0);
const AUDIT: LockId = LockId(1);
const CACHE: LockId = LockId(2);
const FILE: &str = "src/bank.rs";
/// One millisecond.
const MS: u64 = 1_000_000;

/// Facts about the run.
pub fn info() -> TraceInfo {
    TraceInfo {
        path: PathBuf::from("target/lockscope/bank-4711.lks"),
        format: "lockscope trace, version 1.0".to_owned(),
        pid: 4711,
        executable: "target/debug/bank".to_owned(),
        command: vec!["target/debug/bank".to_owned(), "--hang".to_owned()],
        // Long after the fixture's source was written.
        started: Duration::from_secs(40_000_000_000),
        clock: "monotonic",
        coarse: None,
        bytes: 65_536,
        has_times: true,
        has_waits: true,
    }
}

/// Where the fixture's source is.
pub fn sources() -> Sources {
    Sources::new(
        &info(),
        &[("src/".to_owned(), concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bank/src/").to_owned())],
    )
}

/// What the run's ids mean.
pub fn defs() -> Definitions {
    let mut defs = Definitions::default();
    for (line, column) in [(11, 42), (13, 36), (19, 32), (21, 38), (4, 5), (5, 5), (10, 5)] {
        defs.sites.push(Site { file: FILE.into(), line, column });
    }
    for (name, parent) in
        [("main", None), ("teller", Some(0)), ("auditor", Some(0)), ("clerk-1", Some(0)), ("clerk-2", Some(0))]
    {
        defs.threads.push(ThreadDef { name: Some(name.into()), parent: parent.map(ThreadId), os_id: 4711 });
    }
    defs.add_lock(LockKind::Mutex, Some("accounts".into()), "bank::Accounts".into(), site(5), None);
    defs.add_lock(LockKind::Mutex, Some("audit".into()), "bank::Audit".into(), site(6), None);
    defs.add_lock(LockKind::RwLock, None, "bank::Cache".into(), site(5), Some(3));
    defs
}

fn site(number: usize) -> Option<SiteId> {
    SiteId::from_index(number - 1)
}

/// The run: first all goes well, then teller and auditor meet, then the others pile up.
pub fn events() -> Vec<Event> {
    use ThreadId as T;
    let exclusive = Mode::Exclusive;
    let wait = |lock| Op::Wait { lock, mode: Mode::Exclusive, how: How::Lock };
    let take = |lock, mode, count| Op::Acquired { lock, mode, how: How::Lock, count };
    let release = |lock, owner| Op::Released { lock, owner: T(owner), mode: None, access: Default::default() };
    let list = [
        (0, 0, 0, Op::Start),
        (0, 1, 0, Op::Spawn { child: T(1) }),
        (0, 1, 0, Op::Spawn { child: T(2) }),
        (1, 2, 0, Op::Start),
        (1, 3, 1, take(ACCOUNTS, exclusive, 1)),
        (1, 4, 2, take(AUDIT, exclusive, 1)),
        (1, 5, 0, release(AUDIT, 1)),
        (1, 6, 0, release(ACCOUNTS, 1)),
        (2, 40, 0, Op::Start),
        (0, 41, 0, Op::Spawn { child: T(3) }),
        (0, 41, 0, Op::Spawn { child: T(4) }),
        (3, 42, 0, Op::Start),
        (3, 43, 7, take(CACHE, Mode::Shared, 1)),
        (4, 44, 0, Op::Start),
        (4, 45, 7, take(CACHE, Mode::Shared, 2)),
        (1, 100, 1, take(ACCOUNTS, exclusive, 2)),
        (2, 101, 3, take(AUDIT, exclusive, 2)),
        (1, 102, 2, wait(AUDIT)),
        (2, 103, 4, wait(ACCOUNTS)),
        (4, 110, 0, release(CACHE, 4)),
        (4, 120, 1, wait(ACCOUNTS)),
        (0, 130, 0, Op::JoinWait { child: T(1) }),
        (3, 140, 0, release(CACHE, 3)),
        (3, 150, 0, Op::Exit),
    ];
    let event = |(thread, ms, place, op): (u32, u64, usize, Op)| Event {
        thread: T(thread),
        time: Nanos(ms * MS),
        site: if place == 0 { None } else { site(place) },
        stack: None,
        op,
    };
    list.into_iter().map(event).collect()
}

/// What is to be said about the run.
pub fn findings() -> Vec<Finding> {
    let part = |thread: u32, [taken, wanted]: [(LockId, usize, u64, u64); 2]| Participant {
        thread: ThreadId(thread),
        held: vec![Held {
            lock: taken.0,
            mode: Mode::Exclusive,
            site: site(taken.1),
            stack: None,
            since: Nanos(taken.2 * MS),
            event: taken.3,
        }],
        wanted: Some(Wanted {
            target: Target::Lock(wanted.0, Mode::Exclusive),
            site: site(wanted.1),
            stack: None,
            since: Nanos(wanted.2 * MS),
            event: wanted.3,
        }),
    };
    let finding = |code, confidence, title: &str, events: &[u64], notes: &[&str], help: &str| Finding {
        evidence: Evidence::default(),
        code,
        severity: if confidence == Confidence::Actual { Severity::Error } else { Severity::Warning },
        confidence,
        title: title.to_owned(),
        participants: vec![
            part(1, [(ACCOUNTS, 1, 100, 16), (AUDIT, 2, 102, 18)]),
            part(2, [(AUDIT, 3, 101, 17), (ACCOUNTS, 4, 103, 19)]),
        ],
        variants: Vec::new(),
        locks: vec![ACCOUNTS, AUDIT],
        first_seen: Nanos(103 * MS),
        events: events.to_vec(),
        count: 1,
        fingerprint: "00c0ffee00c0ffee".to_owned(),
        notes: notes.iter().map(|&note| note.to_owned()).collect(),
        help: vec![help.to_owned()],
    };
    vec![
        finding(
            Code::Deadlock,
            Confidence::Actual,
            "2 threads are deadlocked over accounts and audit",
            &[16, 17, 18, 19],
            &[],
            "take accounts before audit everywhere",
        ),
        finding(
            Code::LockOrderInversion,
            Confidence::Potential,
            "accounts and audit are taken in both orders",
            &[16, 17, 18, 19],
            &["no gate lock is common to both sides"],
            "take accounts before audit everywhere, or hold one at a time",
        ),
    ]
}

/// The run, analysed.
pub fn checked() -> Checked {
    let events = events();
    Checked {
        info: info(),
        defs: defs(),
        completeness: Completeness::default(),
        limits: Vec::new(),
        engines: Vec::new(),
        findings: findings(),
        hidden: Vec::new(),
        notes_fail: false,
        n_filtered: 0,
        events: events.len() as u64,
        duration: events.last().map_or(Nanos(0), |event| event.time),
    }
}
