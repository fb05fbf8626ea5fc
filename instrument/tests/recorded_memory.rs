//! What atomics and cells tell the runtime, as read back from a trace.
#![cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::Barrier,
    thread::{Builder, scope},
};

use lockscope::{
    cell::{CellExt as _, Shared, UnsafeCell},
    sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
        fence,
    },
};
use lockscope_trace::{Definitions, Event, Op, ThreadId, VarId};

#[allow(dead_code, reason = "not every test needs all of the support")]
#[path = "support/recording.rs"]
mod recording;

/// What was done to memory, in order.
fn accesses(events: &[Event], defs: &Definitions) -> String {
    let var = |id: VarId| {
        let def = &defs.vars[id.0 as usize];
        let made = defs.site(def.created.expect("it knows where it was made")).expect("a defined site");
        assert!(made.file.ends_with("recorded_memory.rs"), "{made}");
        def.name.clone()
    };
    let text = |event: &Event| match event.op {
        Op::AtomicLoad { var: id, order, read, .. } => Some(format!("{} load {} {read}", var(id), order.word())),
        Op::AtomicStore { var: id, order, number, .. } => Some(format!("{} store {} {number}", var(id), order.word())),
        Op::AtomicUpdate { var: id, order, number, .. } => {
            Some(format!("{} update {} {number}", var(id), order.word()))
        }
        Op::Fence { order } => Some(format!("fence {}", order.word())),
        Op::Read { var: id } => Some(format!("{} read", var(id))),
        Op::Write { var: id } => Some(format!("{} write", var(id))),
        _ => None,
    };
    for event in events.iter().filter(|event| text(event).is_some()) {
        let site = defs.site(event.site.expect("it is known where")).expect("a defined site");
        assert!(site.file.ends_with("recorded_memory.rs"), "{site}");
    }
    events.iter().filter_map(text).collect::<Vec<_>>().join("; ")
}

#[test]
fn recorded_operations() {
    let recorded = recording::record_events("recorded_operations", || {
        let one = AtomicU8::new(0);
        one.load(Acquire);
        one.store(1, Release);
        one.swap(2, AcqRel);
        one.fetch_add(1, SeqCst);
        one.load(Relaxed);
        let two = AtomicU16::new(0);
        assert!(two.compare_exchange(0, 1, AcqRel, Acquire).is_ok());
        assert!(two.compare_exchange(0, 1, AcqRel, Acquire).is_err());
        let three = AtomicPtr::new(&mut 0u8);
        assert!(three.fetch_update(Release, Relaxed, |_| None).is_err());
        fence(SeqCst);
        assert!(!AtomicBool::new(false).load(SeqCst));
    });
    let Some((events, defs)) = recorded else { return };
    assert_eq!(
        accesses(&events, &defs),
        "AtomicU8 load Acquire 0; AtomicU8 store Release 1; AtomicU8 update AcqRel 2; AtomicU8 update SeqCst 3; \
         AtomicU8 load Relaxed 3; AtomicU16 update AcqRel 1; AtomicU16 load Acquire 1; AtomicPtr<u8> load Relaxed 0; \
         fence SeqCst; AtomicBool load SeqCst 0"
    );
}

#[test]
fn recorded_cells() {
    let recorded = recording::record_events("recorded_cells", || {
        let cell = UnsafeCell::new(1u8);
        cell.with_mut(|_| ());
        cell.with(|_| ());
        let shared = Shared::new(1u16);
        shared.get();
        shared.set(2);
        shared.update(|n| n + 1);
        shared.replace(1);
        shared.with(|_| ());
        shared.with_mut(|_| ());
        shared.into_inner();
    });
    let Some((events, defs)) = recorded else { return };
    assert_eq!(
        accesses(&events, &defs),
        "UnsafeCell<u8> write; UnsafeCell<u8> read; Shared<u16> read; Shared<u16> write; Shared<u16> read; Shared<u16> write; \
         Shared<u16> write; Shared<u16> read; Shared<u16> write"
    );
}

#[test]
fn loads_of_the_same_are_recorded_once() {
    let recorded = recording::record_events("loads_of_the_same_are_recorded_once", || {
        let (flag, other) = (AtomicBool::new(false), AtomicU8::new(0));
        // A thread that spins.
        for _ in 0..1000 {
            assert!(!flag.load(Acquire));
        }
        for n in 0..3 {
            flag.load(Acquire);
            other.load(Relaxed);
            if n == 1 {
                other.store(0, Relaxed);
            }
        }
    });
    let Some((events, defs)) = recorded else { return };
    assert_eq!(
        accesses(&events, &defs),
        "AtomicBool load Acquire 0; \
         AtomicBool load Acquire 0; AtomicU8 load Relaxed 0; \
         AtomicBool load Acquire 0; AtomicU8 load Relaxed 0; AtomicU8 store Relaxed 1; \
         AtomicBool load Acquire 0; AtomicU8 load Relaxed 1"
    );
}

const THREADS: u64 = 4;
const ROUNDS: u64 = 2000;

/// Where the child says what it loaded: beside the trace.
fn values_file(thread: u64) -> PathBuf {
    let settings = std::env::var("LOCKSCOPE").expect("the child is told where to record");
    PathBuf::from(settings.strip_prefix("record=").expect("nothing but that")).with_extension(thread.to_string())
}

/// What is recorded as read is what was read: every modification adds one, so each value is the number of the one that stored it.
#[test]
fn what_was_read_is_exact() {
    let dir = tempfile::tempdir().unwrap();
    let recorded = recording::record_events_in(dir.path(), "what_was_read_is_exact", || {
        let (number, other, together) = (AtomicU64::new(0), AtomicU32::new(0), Barrier::new(THREADS as usize));
        scope(|scope| {
            for thread in 0..THREADS {
                let (number, other, together) = (&number, &other, &together);
                let spawned = Builder::new().name(thread.to_string()).spawn_scoped(scope, move || {
                    let mut seen = Vec::new();
                    together.wait();
                    for round in 0..ROUNDS {
                        match (round + thread) % 3 {
                            0 => seen.push(number.fetch_add(1, Relaxed) + 1),
                            1 => match number.compare_exchange(round, round + 1, AcqRel, Relaxed) {
                                Ok(before) => seen.push(before + 1),
                                Err(before) => seen.push(before),
                            },
                            _ => seen.push(number.load(Relaxed)),
                        }
                        // Keeps loads apart that read the same.
                        other.fetch_add(1, Relaxed);
                    }
                    let lines: Vec<String> = seen.iter().map(u64::to_string).collect();
                    std::fs::write(values_file(thread), lines.join("\n")).unwrap();
                });
                spawned.unwrap();
            }
        });
    });
    let Some((events, defs)) = recorded else { return };
    let mut of_thread: HashMap<ThreadId, Vec<u64>> = HashMap::new();
    let mut latest = 0;
    for event in &events {
        let is_it = |var: VarId| &*defs.vars[var.0 as usize].name == "AtomicU64";
        let number = match event.op {
            Op::AtomicLoad { var, read, .. } if is_it(var) => {
                assert_eq!(read, latest, "the merge has the accesses of a variable in order");
                read
            }
            Op::AtomicUpdate { var, number, .. } if is_it(var) => {
                assert_eq!(number, latest + 1, "modifications are numbered without gaps");
                latest = number;
                number
            }
            _ => continue,
        };
        of_thread.entry(event.thread).or_default().push(number);
    }
    assert_eq!(of_thread.len() as u64, THREADS);
    for (thread, numbers) in of_thread {
        let name = defs.thread_name(thread);
        let said = std::fs::read_to_string(dir.path().join("trace").with_extension(&name)).unwrap();
        let said: Vec<u64> = said.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(numbers, said, "thread {name}");
    }
}
