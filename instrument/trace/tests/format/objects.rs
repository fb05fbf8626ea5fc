//! Objects that are not locks, and memory: every record comes back as it was written.

use std::path::Path;

use lockscope_trace::{
    Event, EventSource, LockId, LockKind, MemoryOrder, Need, Op, Progress, Side, ThreadId, VarId, clock,
    format::{self, act, code, kind, memory},
    reader::Reader,
    writer::{CondEvent, MemoryEvent, ObjectEvent},
};

use crate::support::{Random, Recorder, drain};

/// The lock that [`Recorder::new`] makes first; a channel and a memory location are made beside it.
pub const LOCK: u32 = 0;
pub const OBJECT: u32 = 1;
pub const VAR: u32 = 0;
pub const SITE: u32 = 1;

pub fn recorder(path: &Path, size: Option<u64>) -> Recorder {
    let recorder = Recorder::new(path, size, 1);
    let mut defs = recorder.defs.lock().unwrap();
    let type_name = defs.string(&recorder.writer, "AtomicU64");
    assert_eq!(defs.lock(&recorder.writer, LockKind::Channel, 0, 0, SITE, None), OBJECT);
    defs.capacity(&recorder.writer, OBJECT, 0);
    assert_eq!(defs.var(&recorder.writer, type_name, SITE), VAR);
    drop(defs);
    recorder
}

/// The trace at `path` as one of the past: of a process that has ended, in an orderly way or not.
pub fn read_ended(path: &Path, edit: impl FnOnce(&mut Vec<u8>)) -> (Vec<Event>, Reader) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[format::header::PID..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
    edit(&mut bytes);
    let mut reader = Reader::from_bytes(bytes, path).unwrap();
    let mut events = Vec::new();
    while reader.poll(&mut events).unwrap() != Progress::Ended {}
    (events, reader)
}

pub fn object(act: u8) -> ObjectEvent {
    ObjectEvent { act, object: OBJECT, site: SITE, ..ObjectEvent::default() }
}

pub fn access(act: u8) -> MemoryEvent {
    MemoryEvent { act, var: VAR, site: SITE, ..MemoryEvent::default() }
}

/// What a record is read as, given its count.
type Counted = fn(u64) -> Op;

/// Every act with every detail that it may have, and what it is read as. Counts are filled in by the test.
fn objects() -> Vec<(ObjectEvent, Counted)> {
    const CHANNEL: LockId = LockId(OBJECT);
    vec![
        (ObjectEvent { detail: u16::from(code::need(Need::Notify)), ..object(act::BLOCK) }, |_| Op::Block {
            object: CHANNEL,
            need: Need::Notify,
            limited: false,
        }),
        (ObjectEvent { detail: u16::from(code::need(Need::Message)) | 0x100, ..object(act::BLOCK) }, |_| Op::Block {
            object: CHANNEL,
            need: Need::Message,
            limited: true,
        }),
        (ObjectEvent { detail: u16::from(code::need(Need::Room)), ..object(act::BLOCK) }, |_| Op::Block {
            object: CHANNEL,
            need: Need::Room,
            limited: false,
        }),
        (ObjectEvent { detail: u16::from(code::need(Need::Permits(3))), a: 3, ..object(act::BLOCK) }, |_| Op::Block {
            object: CHANNEL,
            need: Need::Permits(3),
            limited: false,
        }),
        (ObjectEvent { detail: u16::from(code::need(Need::Party)), ..object(act::BLOCK) }, |_| Op::Block {
            object: CHANNEL,
            need: Need::Party,
            limited: false,
        }),
        (ObjectEvent { detail: u16::from(code::need(Need::Init)), ..object(act::BLOCK) }, |_| Op::Block {
            object: CHANNEL,
            need: Need::Init,
            limited: false,
        }),
        (object(act::UNBLOCK), |_| Op::Unblock { object: CHANNEL, timed_out: false }),
        (ObjectEvent { detail: 1, ..object(act::UNBLOCK) }, |_| Op::Unblock { object: CHANNEL, timed_out: true }),
        (ObjectEvent { a: u32::MAX, ..object(act::PERMITS_ACQUIRED) }, |count| Op::PermitsAcquired {
            semaphore: CHANNEL,
            permits: u32::MAX,
            stays: false,
            count,
        }),
        (ObjectEvent { detail: 1, a: 3, ..object(act::PERMITS_ACQUIRED) }, |count| Op::PermitsAcquired {
            semaphore: CHANNEL,
            permits: 3,
            stays: true,
            count,
        }),
        (ObjectEvent { a: 2, b: 1, ..object(act::PERMITS_RELEASED) }, |count| Op::PermitsReleased {
            semaphore: CHANNEL,
            permits: 2,
            owner: ThreadId(1),
            count,
        }),
        (ObjectEvent { a: 7, ..object(act::PERMITS_ADDED) }, |count| Op::PermitsAdded {
            semaphore: CHANNEL,
            permits: 7,
            count,
        }),
        (ObjectEvent { a: 2, b: 0, ..object(act::PERMITS_FORGOTTEN) }, |count| Op::PermitsForgotten {
            semaphore: CHANNEL,
            permits: 2,
            owner: ThreadId(0),
            count,
        }),
        (object(act::BARRIER_ARRIVED), |count| Op::BarrierArrived { barrier: CHANNEL, count }),
        (object(act::BARRIER_LEFT), |count| Op::BarrierLeft { barrier: CHANNEL, leader: false, count }),
        (ObjectEvent { detail: 1, ..object(act::BARRIER_LEFT) }, |count| Op::BarrierLeft {
            barrier: CHANNEL,
            leader: true,
            count,
        }),
        (object(act::OBSERVED), |_| Op::Observed { object: CHANNEL, initialised: 0 }),
        (object(act::SENT), |count| Op::Sent { channel: CHANNEL, count }),
        (ObjectEvent { a: 5, ..object(act::RECEIVED) }, |count| Op::Received { channel: CHANNEL, message: 5, count }),
        (object(act::RECEIVED), |count| Op::Received { channel: CHANNEL, message: 0, count }),
        (object(act::HANDLE_ADDED), |count| Op::HandleAdded { channel: CHANNEL, side: Side::Sender, count }),
        (ObjectEvent { detail: code::side(Side::Receiver), b: 1, ..object(act::HANDLE_DROPPED) }, |count| {
            Op::HandleDropped { channel: CHANNEL, side: Side::Receiver, owner: ThreadId(1), count }
        }),
        (object(act::DISCONNECTED), |count| Op::Disconnected { channel: CHANNEL, count }),
        (ObjectEvent { a: 5, ..object(act::SEND_FAILED) }, |_| Op::SendFailed { channel: CHANNEL, message: 5 }),
        (object(act::NOTIFY), |count| Op::Notify { condvar: CHANNEL, all: false, woken: None, count }),
        (ObjectEvent { detail: 3, a: 9, ..object(act::NOTIFY) }, |count| Op::Notify {
            condvar: CHANNEL,
            all: true,
            woken: Some(9),
            count,
        }),
        (ObjectEvent { detail: 2, a: 0, ..object(act::NOTIFY) }, |count| Op::Notify {
            condvar: CHANNEL,
            all: false,
            woken: Some(0),
            count,
        }),
        (ObjectEvent { object: 0, ..object(act::PARK) }, |_| Op::Park { limited: false }),
        (ObjectEvent { object: 0, detail: 1, ..object(act::PARK) }, |_| Op::Park { limited: true }),
        (ObjectEvent { object: 0, ..object(act::UNPARKED) }, |_| Op::Unparked),
        (ObjectEvent { object: 1, ..object(act::UNPARK) }, |_| Op::Unpark { thread: ThreadId(1) }),
        (ObjectEvent { object: 0, ..object(act::SLEEP) }, |_| Op::Sleep),
        (ObjectEvent { object: 0, ..object(act::AWAKE) }, |_| Op::Awake),
    ]
}

fn accesses() -> Vec<(MemoryEvent, Counted)> {
    const HERE: VarId = VarId(VAR);
    vec![
        (access(memory::READ), |_| Op::Read { var: HERE }),
        (access(memory::WRITE), |_| Op::Write { var: HERE }),
        (
            MemoryEvent { order: code::order(MemoryOrder::Acquire), modification: 1 << 40, ..access(memory::LOAD) },
            |count| Op::AtomicLoad { var: HERE, order: MemoryOrder::Acquire, read: 1 << 40, count },
        ),
        (MemoryEvent { order: code::order(MemoryOrder::Relaxed), ..access(memory::LOAD) }, |count| Op::AtomicLoad {
            var: HERE,
            order: MemoryOrder::Relaxed,
            read: 0,
            count,
        }),
        (MemoryEvent { order: code::order(MemoryOrder::Release), modification: 1, ..access(memory::STORE) }, |count| {
            Op::AtomicStore { var: HERE, order: MemoryOrder::Release, number: 1, count }
        }),
        (
            MemoryEvent { order: code::order(MemoryOrder::AcqRel), modification: u64::MAX, ..access(memory::UPDATE) },
            |count| Op::AtomicUpdate { var: HERE, order: MemoryOrder::AcqRel, number: u64::MAX, count },
        ),
        (MemoryEvent { var: 0, order: code::order(MemoryOrder::SeqCst), ..access(memory::FENCE) }, |_| Op::Fence {
            order: MemoryOrder::SeqCst,
        }),
    ]
}

#[test]
fn every_record_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = recorder(&path, None);
    let (_, mut writer) = recorder.thread(None);
    let (_, _other) = recorder.thread(None);
    let mut expected = Vec::new();
    let mut counts = [0; 2];
    let mut next = |of: usize, is_counted: bool| {
        counts[of] += u32::from(is_counted);
        if is_counted { counts[of] } else { 0 }
    };
    for (event, op) in objects() {
        let count = next(0, op(1).count().is_some());
        writer.object(&recorder, &ObjectEvent { count, ..event }, clock::ticks());
        expected.push(op(u64::from(count)));
    }
    for (event, op) in accesses() {
        let count = next(1, op(1).count().is_some());
        writer.memory(&recorder, &MemoryEvent { count, ..event }, clock::ticks());
        expected.push(op(u64::from(count)));
    }
    for (kind, flag) in
        [(kind::COND_WAIT, false), (kind::COND_WAIT, true), (kind::COND_WAKE, false), (kind::COND_WAKE, true)]
    {
        let count = next(0, true);
        let (condvar, mutex) = (LockId(OBJECT), LockId(LOCK));
        let event = CondEvent { condvar: OBJECT, mutex: LOCK, site: SITE, count };
        writer.cond_event(&recorder, kind, flag, &event, clock::ticks());
        let count = u64::from(count);
        expected.push(match kind {
            kind::COND_WAIT => Op::CondWait { condvar, mutex, limited: flag, count },
            _ => Op::CondWake { condvar, mutex, timed_out: flag, count },
        });
    }
    let mut reader = Reader::open(&path).unwrap();
    let mut events = Vec::new();
    drain(&mut reader, &mut events);
    assert_eq!(events.iter().map(|event| event.op).collect::<Vec<_>>(), expected);
    let defs = reader.definitions();
    for event in &events {
        assert_eq!(event.site.and_then(|site| defs.site(site)).map(|site| site.line), Some(7), "{event:?}");
    }
    assert_eq!(defs.locks[OBJECT as usize].capacity, Some(0));
    assert_eq!(defs.var(VarId(VAR)), "AtomicU64 (src/a.rs:7)");
    assert!(reader.completeness().is_complete(), "{:?}", reader.completeness());
}

/// Bytes of a trace with one record of the kind after a plain start, as an edit of its first word's second byte.
fn with_act(record_kind: u8, act: u8, detail: Option<u8>) -> (Vec<Event>, Reader) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = recorder(&path, None);
    let (_, mut writer) = recorder.thread(None);
    writer.plain(&recorder, kind::START, clock::ticks());
    match record_kind {
        kind::OBJECT => writer.object(&recorder, &ObjectEvent { count: 0, ..object(0xee) }, clock::ticks()),
        _ => writer.memory(&recorder, &access(0xee), clock::ticks()),
    }
    writer.plain(&recorder, kind::EXIT, clock::ticks());
    read_ended(&path, |bytes| {
        let at = bytes.windows(2).rposition(|pair| pair == [record_kind, 0xee]).expect("the record is there");
        bytes[at + 1] = act;
        bytes[at + 2] = detail.unwrap_or(0);
    })
}

#[test]
fn acts_of_a_newer_version_are_skipped_and_no_damage() {
    for (record_kind, act, detail) in [
        (kind::OBJECT, act::DISCONNECTED + 1, None),
        (kind::OBJECT, 0xff, None),
        (kind::OBJECT, 0, None),
        // A wait for something that this version does not know.
        (kind::OBJECT, act::BLOCK, Some(99)),
        (kind::MEMORY, 7, None),
        (kind::MEMORY, 0xff, None),
    ] {
        let (events, reader) = with_act(record_kind, act, detail);
        assert_eq!(events.iter().map(|event| event.op).collect::<Vec<_>>(), [Op::Start, Op::Exit], "act {act}");
        assert!(reader.completeness().is_complete(), "{:?}", reader.completeness());
    }
    // What this version knows is read.
    assert_eq!(with_act(kind::OBJECT, act::SENT, None).0.len(), 3);
    assert_eq!(with_act(kind::MEMORY, memory::WRITE, None).0.len(), 3);
}

#[test]
fn records_that_name_what_is_not_defined_are_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = recorder(&path, None);
    let (_, mut writer) = recorder.thread(None);
    let undefined = [
        ObjectEvent { object: 99, ..object(act::SENT) },
        ObjectEvent { b: 99, ..object(act::PERMITS_RELEASED) },
        ObjectEvent { object: 99, ..object(act::UNPARK) },
    ];
    for event in &undefined {
        writer.object(&recorder, event, clock::ticks());
    }
    writer.memory(&recorder, &MemoryEvent { var: 99, ..access(memory::READ) }, clock::ticks());
    let (events, reader) = read_ended(&path, |_| {});
    assert_eq!(events, []);
    assert_eq!(reader.completeness().damaged_bytes, 3 * 32 + 16);
}

#[test]
fn no_damage_makes_the_reader_panic() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = recorder(&path, None);
    let (_, mut writer) = recorder.thread(None);
    recorder.thread(None);
    let mut count = 0;
    for _ in 0..20 {
        for (event, op) in objects() {
            count += u32::from(op(1).count().is_some());
            writer.object(&recorder, &ObjectEvent { count, ..event }, clock::ticks());
        }
        for (event, _) in accesses() {
            writer.memory(&recorder, &event, clock::ticks());
        }
    }
    let mut random = Random(7);
    for _ in 0..300 {
        let (events, _) = read_ended(&path, |bytes| {
            for _ in 0..1 + random.below(20) {
                // In the records of definitions and of events.
                let chunk = format::HEADER_SIZE + random.below(2) as usize * format::CHUNK_SIZE;
                let at = chunk + format::CHUNK_HEADER_SIZE + random.below(2048) as usize;
                bytes[at] = random.below(256) as u8;
            }
        });
        assert!(events.len() < 10_000, "damage multiplied the events");
    }
}
