//! Hours in minutes: eight threads at ten thousand locks, into a flight recorder of 256 MB, while somebody reads along.
//!
//! `LOCKSCOPE_SOAK=1800 cargo test --release -p lockscope --features force --test stress soak -- --nocapture` runs it for so many seconds; without
//! the variable nothing happens. `LOCKSCOPE_SOAK_TOP=PATH` has the program `lockscope` at that path show the trace meanwhile, in tmux.

use std::{
    collections::HashMap,
    fmt::Write as _,
    process::Command,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use lockscope_trace::{Event, EventSource, LockId, Op, Progress, reader::Reader};
use parking_lot::lock_api::RawMutex as _;

use crate::{child::Case, lock::Lock, verify, work::Random};

const SECONDS: &str = "LOCKSCOPE_SOAK";
const TOP: &str = "LOCKSCOPE_SOAK_TOP";
const THREADS: usize = 8;
const LOCKS: usize = 10_000;
/// From one lock to the next: twenty thousand pairs, which each thread knows before long.
const STRIDES: [usize; 2] = [1, 8];
/// Steps of one kind before those of the other, so that both meet the same load.
const STEPS: usize = 2_000;
/// In less time nothing has settled that could be judged.
const WARM: u64 = 120;
/// Windows that the time is divided into.
const WINDOWS: u64 = 30;

fn seconds() -> Option<u64> {
    std::env::var(SECONDS).ok().map(|text| text.parse().expect("a number of seconds"))
}

/// What the child's threads did in a window: processor time with lockscope's locks and with bare ones, and acquisitions.
#[derive(Default)]
struct Done {
    recorded_nanos: AtomicU64,
    bare_nanos: AtomicU64,
    acquired: AtomicU64,
}

fn cpu_nanos() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// One lock or two, in ascending order.
fn step<H>(random: &mut Random, lock: impl Fn(usize) -> H, mut unlock: impl FnMut(usize, H)) -> u64 {
    let mut held: [Option<(usize, H)>; 2] = [None, None];
    let mut index = random.below(LOCKS as u64) as usize;
    let mut acquired = 0;
    for place in &mut held[..1 + random.below(2) as usize] {
        *place = Some((index, lock(index)));
        acquired += 1;
        index += STRIDES[random.below(STRIDES.len() as u64) as usize];
        if index >= LOCKS {
            break;
        }
    }
    // The last one first.
    held.into_iter().rev().flatten().for_each(|(index, hold)| unlock(index, hold));
    acquired
}

pub fn run() {
    let seconds = seconds().expect("set by the parent");
    let locks: Vec<Lock> = (0..LOCKS).map(|_| Lock::mutex("one of many")).collect();
    let bare: Vec<parking_lot::RawMutex> = (0..LOCKS).map(|_| parking_lot::RawMutex::INIT).collect();
    // In order, so that the lock order graph is made once and not by chance: that is measured elsewhere.
    for (first, second) in (0..LOCKS).flat_map(|first| STRIDES.map(|stride| (first, first + stride))) {
        if second < LOCKS {
            let hold = locks[first].lock();
            locks[second].unlock(locks[second].lock());
            locks[first].unlock(hold);
        }
    }
    let (done, stop) = (Done::default(), AtomicBool::new(false));
    let work = |thread: u64| {
        let mut random = Random(thread * 0x9e37_79b9 + 1);
        while !stop.load(Ordering::Relaxed) {
            let begin = cpu_nanos();
            let acquired: u64 =
                (0..STEPS).map(|_| step(&mut random, |n| locks[n].lock(), |n, hold| locks[n].unlock(hold))).sum();
            let middle = cpu_nanos();
            for _ in 0..STEPS {
                // SAFETY: what is unlocked was locked by the same step.
                step(&mut random, |n| bare[n].lock(), |n, state| unsafe { bare[n].unlock(state) });
            }
            done.recorded_nanos.fetch_add(middle - begin, Ordering::Relaxed);
            done.bare_nanos.fetch_add(cpu_nanos() - middle, Ordering::Relaxed);
            done.acquired.fetch_add(acquired, Ordering::Relaxed);
        }
    };
    let mut log = String::new();
    let mut total = 0;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let work = &work;
            scope.spawn(move || work(thread as u64));
        }
        for _ in 0..WINDOWS {
            std::thread::sleep(Duration::from_secs(seconds) / WINDOWS as u32);
            let take = |from: &AtomicU64| from.swap(0, Ordering::Relaxed);
            let (recorded, plain, acquired) =
                (take(&done.recorded_nanos), take(&done.bare_nanos), take(&done.acquired));
            total += acquired;
            let _ =
                writeln!(log, "{:.3} {} {}", recorded as f64 / plain.max(1) as f64, acquired, anonymous_memory("self"));
        }
        stop.store(true, Ordering::Relaxed);
    });
    total += done.acquired.load(Ordering::Relaxed);
    let _ = writeln!(log, "total {total}");
    std::fs::write("soak.log", log).expect("the folder is ours");
}

/// Memory of a process that is no file's, in KiB.
fn anonymous_memory(pid: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// The dashboard in a terminal of its own, ended when dropped.
struct Top(String);

impl Top {
    fn start(trace: &std::path::Path) -> Option<Self> {
        let program = std::env::var(TOP).ok()?;
        let session = format!("lockscope-soak-{}", std::process::id());
        let mut tmux = Command::new("tmux");
        tmux.args(["-L", &session, "new-session", "-d", "-x", "160", "-y", "50", &program, "top"]).arg(trace);
        assert!(tmux.status().expect("tmux is there").success());
        Some(Self(session))
    }

    fn screen(&self) -> String {
        let output = Command::new("tmux").args(["-L", &self.0, "capture-pane", "-p"]).output();
        output.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Top {
    fn drop(&mut self) {
        let _ = Command::new("tmux").args(["-L", &self.0, "kill-server"]).status();
    }
}

#[test]
fn soak() {
    let Some(seconds) = seconds() else { return };
    let case = Case::new();
    let trace = case.path("trace.lks");
    let mut child = case.command("soak", "record=trace.lks,size=256M").spawn().expect("this test can run itself");
    let begin = Instant::now();
    let (mut reader, mut top) = (None, None);
    let mut batch: Vec<Event> = Vec::new();
    let (mut followed, mut overtaken, mut most_memory) = (0u64, 0u64, 0);
    let status = loop {
        if let Some(status) = child.try_wait().expect("our child") {
            break status;
        }
        assert!(begin.elapsed() < Duration::from_secs(seconds * 3 + 120), "it hangs");
        match &mut reader {
            None => {
                reader = Reader::open(&trace).ok();
                top = reader.as_ref().and_then(|_| Top::start(&trace));
            }
            Some(reader) => {
                batch.clear();
                while reader.poll(&mut batch).expect("the file is readable") == Progress::More && batch.len() < 1 << 18
                {
                }
                followed += batch.len() as u64;
                overtaken += batch.iter().filter(|event| matches!(event.op, Op::Dropped { .. })).count() as u64;
            }
        }
        most_memory = most_memory.max(anonymous_memory("self"));
        std::thread::sleep(Duration::from_millis(16));
    };
    assert!(status.success(), "{status:?}: {}", case.stderr());
    assert_eq!(case.stderr(), "");
    let screen = top.as_ref().map(Top::screen);
    drop((top, reader));
    let log = std::fs::read_to_string(case.path("soak.log")).expect("written at its end");
    let windows: Vec<Vec<f64>> = log
        .lines()
        .filter(|line| !line.starts_with("total"))
        .map(|line| line.split(' ').map(|number| number.parse().expect("a number")).collect())
        .collect();
    let acquired: u64 = log
        .lines()
        .last()
        .and_then(|line| line.strip_prefix("total "))
        .and_then(|n| n.parse().ok())
        .expect("the total");
    let mean = |part: &[Vec<f64>], column: usize| part.iter().map(|line| line[column]).sum::<f64>() / part.len() as f64;
    let third = windows.len() / 3;
    // The first third fills the file, and warms up what there is to know of 10,000 locks.
    let (early, late) = (&windows[third..2 * third], &windows[2 * third..]);
    let ratios = [mean(early, 0), mean(late, 0)];
    let memory = [mean(early, 2), mean(late, 2)];
    eprintln!(
        "{seconds} s: {acquired} acquisitions; recorded/bare {:.2} then {:.2}; memory {:.0} then {:.0} KiB; followed {followed} events, overtaken {overtaken} times, reader's memory at most {most_memory} KiB",
        ratios[0], ratios[1], memory[0], memory[1]
    );
    if let Some(screen) = screen {
        eprintln!("{}", screen.lines().take(3).collect::<Vec<_>>().join("\n"));
        assert!(screen.contains("trace.lks") || screen.contains("lockscope"), "{screen}");
    }
    let bytes = std::fs::metadata(&trace).expect("it was recorded").len();
    assert!(bytes <= 256 << 20, "{bytes} bytes");
    check_end(&trace, acquired);
    if seconds < WARM {
        return;
    }
    assert!(memory[1] < memory[0] * 1.1 + 4096.0, "memory grows: {memory:?} KiB");
    assert!(ratios[1] < ratios[0] * 1.5, "it gets slower: {ratios:?}");
}

/// What is left is whole, and what is not was counted.
fn check_end(trace: &std::path::Path, acquired: u64) {
    let (reader, events) = verify::read(trace);
    let completeness = reader.completeness();
    assert_eq!((completeness.lost_events, completeness.damaged_bytes), (0, 0), "{completeness:?}");
    assert!(!completeness.truncated, "{completeness:?}");
    // From where everything is there on, each lock's acquisitions follow one another.
    let mut counts: HashMap<LockId, u64> = HashMap::new();
    let mut n_checked = 0;
    for event in events.iter().filter(|event| event.time > completeness.complete_from) {
        if let Op::Acquired { lock, count: count @ 1.., .. } = event.op {
            let before = counts.insert(lock, count);
            assert!(before.is_none_or(|before| before + 1 == count), "{lock}: {count} after {before:?}");
            n_checked += 1;
        }
    }
    assert!(n_checked > 0, "{completeness:?}");
    let overwritten: u64 = completeness
        .notes
        .iter()
        .find_map(|note| note.split_once(" older events were overwritten")?.0.parse().ok())
        .unwrap_or(0);
    let made_up =
        events.iter().filter(|event| matches!(event.op, Op::Dropped { .. } | Op::Acquired { count: 0, .. })).count();
    let in_all = overwritten + (events.len() - made_up) as u64;
    // Two for each acquisition, one more for each that had to wait, and starts and ends.
    assert!((2 * acquired..=3 * acquired + 100).contains(&in_all), "{in_all} events of {acquired} acquisitions");
}
