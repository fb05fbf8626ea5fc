//! What lockscope keeps in memory, and how long its start takes. Memory is what the C library's allocator has given out.

use std::{hint::black_box, path::Path, process::ExitCode, thread, time::Instant};

use lockscope_parking_lot::Mutex;

/// Bytes aimed at for a live lock without edges, what is inside of it included.
const PER_LOCK: f64 = 64.0;
/// Bytes aimed at for an edge with its two places.
const PER_EDGE: f64 = 128.0;
/// Milliseconds aimed at for the start of a process.
const START: f64 = 2.0;

/// What is measured in a process of its own.
pub const CASES: &[&str] =
    &["live locks", "edges", "locks come and go", "nested locks come and go", "threads come and go", "start"];

/// Measures all; prints a line for each.
pub fn measure_and_print() -> ExitCode {
    let Ok(me) = std::env::current_exe() else { return ExitCode::FAILURE };
    for case in CASES {
        // Stacks are kept apart from edges: once for each place, not for each edge.
        let child = |case: &str| {
            std::process::Command::new(&me).args(["--child-memory", case]).env("LOCKSCOPE", "stacks=off").status()
        };
        match child(case) {
            Ok(status) if status.success() => {}
            other => {
                eprintln!("error: {case}: {other:?}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Runs a case and prints what it found.
pub fn run(case: &str) {
    // One arena for all threads: the counts are of the first one.
    // SAFETY: changes how the allocator works, before there are other threads.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
    // What is needed once, however many locks and threads there are.
    nest(&Mutex::new(0), &Mutex::new(0));
    thread::spawn(|| nest(&Mutex::new(0), &Mutex::new(0))).join().expect("it does not panic");
    match case {
        "live locks" => {
            let n = 1_000_000;
            let locks: Vec<Mutex<u64>> = (0..n).map(Mutex::new).collect();
            let outside = grown(|| locks.iter().for_each(|lock| *lock.lock() += 1)) / n as f64;
            let inside = (size_of::<Mutex<u64>>() - size_of::<parking_lot::Mutex<u64>>()) as f64;
            say("a live lock without edges, bytes", inside + outside, PER_LOCK);
            drop(locks);
        }
        "edges" => {
            // From each lock to the 10 that follow.
            let n = 10_000;
            let locks: Vec<Mutex<u64>> = (0..n).map(Mutex::new).collect();
            locks.iter().for_each(|lock| *lock.lock() += 1);
            let pairs =
                (0..locks.len()).flat_map(|from| (from + 1..locks.len().min(from + 11)).map(move |to| (from, to)));
            let edges = pairs.clone().count() as f64;
            let bytes = grown(|| pairs.for_each(|(from, to)| nest(&locks[from], &locks[to])));
            say("an edge with its two places, bytes", bytes / edges, PER_EDGE);
            let left = grown(|| drop(locks)) + bytes;
            say("of that left when all locks are gone, bytes", left / edges, 8.0);
        }
        "locks come and go" => {
            let bytes = grown(|| (0..1_000_000).for_each(|_| *black_box(&Mutex::new(0)).lock() += 1));
            say("left of a lock that came and went, bytes", bytes / 1e6, 0.1);
        }
        "nested locks come and go" => {
            let outer = Mutex::new(0);
            // Twice: the first time what is known grows to its size.
            (0..100_000).for_each(|_| nest(&outer, &Mutex::new(0)));
            let bytes = grown(|| (0..100_000).for_each(|_| nest(&outer, &Mutex::new(0))));
            say("left of a nested lock that came and went, bytes", bytes / 1e5, 0.1);
        }
        "threads come and go" => {
            let (first, second) = (Mutex::new(0), Mutex::new(0));
            let threads = |n: usize| {
                (0..n).for_each(|_| thread::scope(|scope| drop(scope.spawn(|| nest(&first, &second)).join())));
            };
            threads(100);
            say("left of a thread that came and went, bytes", grown(|| threads(10_000)) / 1e4, 1.0);
        }
        _ => start(),
    }
}

/// Compares processes that lock once with ones that do the same with the plain lock, one after the other.
fn start() {
    let Ok(me) = std::env::current_exe() else { return };
    let once = |family: &str| {
        let start = Instant::now();
        run_once(&me, family);
        start.elapsed().as_secs_f64() * 1e3
    };
    let mut times: Vec<f64> = (0..41).map(|_| once("facade") - once("plain")).collect();
    times.sort_by(f64::total_cmp);
    say("start of a process, milliseconds more", times[times.len() / 2], START);
}

fn run_once(me: &Path, family: &str) {
    let status = std::process::Command::new(me).args(["--child-start", family]).env("LOCKSCOPE", "").status();
    assert!(status.is_ok_and(|status| status.success()), "a process that locks once ends well");
}

/// Locks once, and that is all.
pub fn lock_once(family: &str) {
    if family == "facade" {
        *black_box(&Mutex::new(0)).lock() += 1;
    } else {
        *black_box(&parking_lot::Mutex::new(0)).lock() += 1;
    }
}

fn nest(first: &Mutex<u64>, second: &Mutex<u64>) {
    let _first = first.lock();
    *second.lock() += 1;
}

fn say(what: &str, measured: f64, aim: f64) {
    let verdict = if measured <= aim { "ok" } else { "OVER" };
    println!("{what:50}{measured:>10.1}   at most {aim:<6} {verdict}");
}

/// Bytes by which the memory in use has grown.
fn grown(f: impl FnOnce()) -> f64 {
    let before = in_use();
    f();
    in_use() - before
}

fn in_use() -> f64 {
    // SAFETY: takes nothing; reads the allocator's own counts.
    let info = unsafe { libc::mallinfo2() };
    (info.uordblks + info.hblkhd) as f64
}
