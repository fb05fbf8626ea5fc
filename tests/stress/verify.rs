//! Checks a trace against the tally: everything is there, in an order that can have been.

use std::{collections::HashMap, path::Path};

use lockscope_trace::{Event, EventSource, How, LockId, Mode, Op, Progress, ThreadId, reader::Reader};

use crate::{
    tally::{Did, Entry, Tally},
    work::{SHORT, SPAWNER, WORKERS},
};

/// Events that an operation may have recorded when it was cut off before its thread could write it down.
const MOST_UNWRITTEN: usize = 4;

/// Reads everything; the process has ended.
pub fn read_all(reader: &mut Reader, events: &mut Vec<Event>) {
    while reader.poll(events).expect("the file is readable") != Progress::Ended {}
}

/// Opens and reads a trace of a process that has ended.
pub fn read(path: &Path) -> (Reader, Vec<Event>) {
    let mut reader = Reader::open(path).unwrap_or_else(|error| panic!("{error}"));
    let mut events = Vec::new();
    read_all(&mut reader, &mut events);
    (reader, events)
}

/// What an event is in the words of the tally; nothing for waits, which depend on others.
fn did(event: &Event) -> Option<(Did, Option<LockId>)> {
    Some(match event.op {
        Op::Acquired { lock, mode, how, .. } => {
            let did = match (how, mode) {
                (How::Upgrade, _) => Did::Upgrade,
                (How::Downgrade, _) => Did::Downgrade,
                (How::CondvarReacquire, _) => Did::Reacquire,
                (How::Try, Mode::Exclusive) => Did::TryLock,
                (How::Try, _) => Did::TryRead,
                (_, Mode::Exclusive) => Did::Lock,
                (_, Mode::Shared) => Did::Read,
                (_, Mode::Upgradable) => Did::Upgradable,
            };
            (did, Some(lock))
        }
        Op::Released { lock, .. } => (Did::Release, Some(lock)),
        Op::TryFailed { lock, .. } => (Did::TryFailed, Some(lock)),
        Op::CondWait { mutex, .. } => (Did::CondWait, Some(mutex)),
        Op::CondWake { mutex, .. } => (Did::CondWake, Some(mutex)),
        Op::Spawn { .. } => (Did::Spawn, None),
        Op::Start => (Did::Start, None),
        Op::Exit => (Did::Exit, None),
        Op::Joined { .. } => (Did::Joined, None),
        Op::Wait { .. } | Op::JoinWait { .. } => return None,
        other => panic!("nothing in the child does {other:?}"),
    })
}

/// Checks events against the tally. `what` says which run it was.
pub fn check(what: &str, reader: &Reader, events: &[Event], tally: &Tally) {
    let completeness = reader.completeness();
    assert!(completeness.is_complete(), "{what}: {completeness:?}");
    assert!(completeness.unclosed, "{what}: nobody closed it");
    check_order(what, events);
    let defs = reader.definitions();
    let mut logs = logs(tally);
    let mut positions = vec![0; defs.threads.len()];
    let mut exclusive: HashMap<LockId, u32> = HashMap::new();
    let mut last_time = vec![0; defs.threads.len()];
    let names: Vec<String> = (0..defs.threads.len() as u32).map(|id| defs.thread_name(ThreadId(id))).collect();
    let missing = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let thread = event.thread.0 as usize;
        assert!(last_time[thread] <= event.time.0, "{what}: event {index}: time of {} runs backwards", names[thread]);
        last_time[thread] = event.time.0;
        let Some((did, lock)) = did(event) else { continue };
        let is_exclusive = matches!(did, Did::Lock | Did::TryLock | Did::Upgrade | Did::Reacquire);
        if is_exclusive && let Some(lock) = lock {
            *exclusive.entry(lock).or_default() += 1;
        }
        let log = logs.get(&names[thread]).unwrap_or(&missing);
        // Workers are not spawned through lockscope: nobody writes down their start.
        if did == Did::Start && !names[thread].starts_with("short") {
            continue;
        }
        let position = positions[thread];
        positions[thread] += 1;
        let Some(entry) = log.get(position) else {
            assert!(position < log.len() + MOST_UNWRITTEN, "{what}: {} did more than it says", names[thread]);
            continue;
        };
        assert_eq!(entry.did, did, "{what}: event {index}, operation {position} of {}", names[thread]);
        if let Some(lock) = lock {
            assert_eq!(entry.lock.to_string(), defs.lock_name(lock), "{what}: event {index}");
            let holds = !matches!(did, Did::Release | Did::TryFailed | Did::CondWait | Did::CondWake);
            if holds {
                let count = exclusive.get(&lock).copied().unwrap_or(0);
                assert_eq!(entry.truth, count, "{what}: event {index}: {did:?} of lock {} is out of order", entry.lock);
            }
        }
    }
    for (thread, name) in names.iter().enumerate() {
        let written = logs.remove(name).map_or(0, |log| log.len());
        assert!(positions[thread] >= written, "{what}: {name} did {written}, {} are in the trace", positions[thread]);
    }
    let unknown: Vec<_> = logs.iter().filter(|(_, log)| !log.is_empty()).map(|(name, _)| name).collect();
    assert!(unknown.is_empty(), "{what}: threads {unknown:?} are not in the trace at all");
}

/// Checks what a flight recorder has kept: of every worker what it did last, without a hole. `None` when nothing was
/// overwritten.
pub fn check_window(what: &str, reader: &Reader, events: &[Event], tally: &Tally) -> Option<()> {
    if !reader.completeness().notes.iter().any(|note| note.contains("overwritten")) {
        return None;
    }
    let defs = reader.definitions();
    let logs = logs(tally);
    for id in (0..defs.threads.len() as u32).map(ThreadId).filter(|&id| defs.thread_name(id).starts_with("worker")) {
        let name = defs.thread_name(id);
        // What it held when its first section began is told again, without a number.
        let told_again = |event: &Event| matches!(event.op, Op::Acquired { count: 0, .. });
        let own = events.iter().filter(|event| event.thread == id && !told_again(event));
        let own: Vec<_> = own.filter_map(did).filter(|&(did, _)| did != Did::Start).collect();
        let own: Vec<_> = own.iter().map(|&(did, lock)| (did, lock.map(|lock| defs.lock_name(lock)))).collect();
        let log: Vec<_> = logs[&name].iter().map(|entry| (entry.did, Some(entry.lock.to_string()))).collect();
        let fits = (0..=MOST_UNWRITTEN).any(|unwritten| {
            let written = own.len().saturating_sub(unwritten);
            written <= log.len() && own[..written] == log[log.len() - written..]
        });
        assert!(fits && !own.is_empty(), "{what}: {name} ended otherwise than with these {} events", own.len());
    }
    Some(())
}

/// What each thread says it did, by its name.
fn logs(tally: &Tally) -> HashMap<String, Vec<Entry>> {
    let mut logs: HashMap<String, Vec<Entry>> =
        (0..WORKERS).map(|slot| (format!("worker-{slot}"), tally.entries(slot))).collect();
    logs.insert("spawner".to_owned(), tally.entries(SPAWNER));
    for entry in tally.entries(SHORT) {
        logs.entry(format!("short-{}", entry.thread)).or_default().push(entry);
    }
    logs
}

#[derive(Default)]
struct Held {
    exclusive: Option<ThreadId>,
    upgradable: Option<ThreadId>,
    shared: Vec<ThreadId>,
}

/// No two threads hold a lock in modes that exclude each other, nobody releases what it does not hold, and starts and
/// joins are where they can be.
pub fn check_order(what: &str, events: &[Event]) {
    let mut locks: HashMap<LockId, Held> = HashMap::new();
    let mut spawned = HashMap::new();
    for (index, event) in events.iter().enumerate() {
        let thread = event.thread;
        match event.op {
            Op::Acquired { lock, mode, how, .. } => {
                let held = locks.entry(lock).or_default();
                if matches!(how, How::Upgrade | How::Downgrade) {
                    assert!(held.remove(thread), "{what}: event {index}: {thread} changes a hold of {lock} it has not");
                }
                let free = match mode {
                    Mode::Exclusive => held.exclusive.is_none() && held.upgradable.is_none() && held.shared.is_empty(),
                    Mode::Upgradable => held.exclusive.is_none() && held.upgradable.is_none(),
                    Mode::Shared => held.exclusive.is_none(),
                };
                assert!(free, "{what}: event {index}: {thread} acquires {lock}, which is held");
                match mode {
                    Mode::Exclusive => held.exclusive = Some(thread),
                    Mode::Upgradable => held.upgradable = Some(thread),
                    Mode::Shared => held.shared.push(thread),
                }
            }
            Op::Released { lock, owner, .. } => {
                let held = locks.entry(lock).or_default();
                assert!(held.remove(owner), "{what}: event {index}: {owner} releases {lock}, which it does not hold");
            }
            Op::Spawn { child } => assert_eq!(spawned.insert(child, false), None, "{what}: {child} is spawned twice"),
            Op::Exit => drop(spawned.insert(thread, true)),
            Op::Joined { child } => assert_eq!(spawned.get(&child), Some(&true), "{what}: {child} was joined alive"),
            _ => {}
        }
    }
}

impl Held {
    fn remove(&mut self, thread: ThreadId) -> bool {
        if self.exclusive.take_if(|holder| *holder == thread).is_some() {
            return true;
        }
        if let Some(index) = self.shared.iter().position(|&reader| reader == thread) {
            self.shared.swap_remove(index);
            return true;
        }
        self.upgradable.take_if(|holder| *holder == thread).is_some()
    }
}
