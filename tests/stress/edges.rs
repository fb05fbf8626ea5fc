//! What a process may be short of, and what may happen in the middle of it: no descriptors, no `/dev/shm`, a file system that cannot be
//! written, another program started, a thousand threads at one lock, signals.

use std::{
    fs::File,
    os::{fd::AsRawFd, unix::thread::JoinHandleExt},
    process::{Command, Stdio},
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use lockscope_trace::{EventSource, Op};

use crate::{
    child::Case,
    faults::{SmallDisk, check_no_recording},
    lock::Lock,
    verify,
};

/// Environment variable: when the child runs out of descriptors.
const WHEN: &str = "LOCKSCOPE_STRESS_WHEN";

static LOCK: Lock = Lock::mutex("lock");
const PAIRS: usize = 10_000;

fn use_lock() {
    (0..PAIRS).for_each(|_| LOCK.unlock(LOCK.lock()));
}

/// Opens files until there are no descriptors left.
fn exhaust_descriptors() -> Vec<File> {
    let limit = libc::rlimit { rlim_cur: 64, rlim_max: 64 };
    // SAFETY: `limit` is valid.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

pub fn run_without_descriptors() {
    let late = std::env::var(WHEN).as_deref() == Ok("late");
    if late {
        use_lock();
    }
    let files = exhaust_descriptors();
    assert!(!files.is_empty() && files.iter().all(|file| file.as_raw_fd() < 64));
    // Chunks are taken, threads and places are defined, without a descriptor.
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(use_lock)).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no thread panics"));
}

#[test]
fn descriptors_that_run_out_prevent_the_recording_only() {
    let case = Case::new();
    case.run(case.command("no-descriptors", "record=trace.lks"));
    check_no_recording(&case, "Too many open files");
}

#[test]
fn a_recording_needs_no_more_descriptors() {
    let case = Case::new();
    let mut command = case.command("no-descriptors", "record=trace.lks");
    command.env(WHEN, "late");
    case.run(command);
    assert_eq!(case.stderr(), "");
    let (reader, events) = verify::read(&case.path("trace.lks"));
    assert!(reader.completeness().is_complete(), "{:?}", reader.completeness());
    let acquired = events.iter().filter(|event| matches!(event.op, Op::Acquired { .. })).count();
    assert_eq!(acquired, 5 * PAIRS);
}

#[test]
fn a_file_system_that_cannot_be_written_prevents_the_recording_only() {
    let case = Case::new();
    let Some(disk) = SmallDisk::mount(case.path("disk"), 1 << 20) else {
        eprintln!("skipped: mounting a small file system needs more rights");
        return;
    };
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(&disk.0).status();
    assert!(remounted.is_ok_and(|status| status.success()));
    case.run(case.command("late-lock", &format!("record={}", disk.0.join("trace.lks").display())));
    check_no_recording(&case, "Read-only file system");
}

/// A process without `/dev/shm`, where that can be had: in a space of mounts of its own.
pub fn run_without_shm() {
    // SAFETY: system calls with constant texts.
    let hidden = unsafe {
        libc::unshare(libc::CLONE_NEWNS) == 0
            && libc::mount(
                c"none".as_ptr(),
                c"/".as_ptr(),
                std::ptr::null(),
                libc::MS_REC | libc::MS_PRIVATE,
                std::ptr::null(),
            ) == 0
            && libc::umount2(c"/dev/shm".as_ptr(), libc::MNT_DETACH) == 0
            && libc::mount(c"none".as_ptr(), c"/dev/shm".as_ptr(), c"tmpfs".as_ptr(), libc::MS_RDONLY, std::ptr::null())
                == 0
    };
    if !hidden {
        eprintln!("skipped");
    }
    use_lock();
}

#[test]
fn a_recording_does_without_shared_memory() {
    let case = Case::new();
    case.run(case.command("no-shm", "record=trace.lks"));
    assert!(["", "skipped\n"].contains(&&*case.stderr()), "{}", case.stderr());
    assert!(verify::read(&case.path("trace.lks")).0.completeness().is_complete());
}

pub fn run_once() {
    use_lock();
}

/// Starts another program, which records as well, between its own events.
pub fn run_starting() {
    let hold = LOCK.lock();
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command
        .args(["child_process", "--exact", "--test-threads=1"])
        .env(crate::child::ROLE, "late-lock")
        .stdout(Stdio::null());
    assert!(command.status().expect("it can be started").success());
    LOCK.unlock(hold);
    use_lock();
}

#[test]
fn a_program_that_is_started_has_a_trace_of_its_own() {
    let case = Case::new();
    case.run(case.command("starting", "record=trace.lks"));
    assert_eq!(case.stderr(), "");
    let traces = case.traces();
    assert_eq!(traces.len(), 2, "{traces:?}");
    for trace in traces {
        let (reader, events) = verify::read(&trace);
        assert!(reader.completeness().is_complete(), "{:?}", reader.completeness());
        let acquired = events.iter().filter(|event| matches!(event.op, Op::Acquired { .. })).count();
        assert_eq!(acquired, PAIRS + usize::from(trace.ends_with("trace.lks")));
    }
}

const CROWD: usize = 1000;

/// All at one lock, at once.
pub fn run_crowd() {
    let begin = Barrier::new(CROWD);
    let work = || {
        begin.wait();
        for _ in 0..5 {
            let hold = LOCK.lock();
            std::thread::yield_now();
            LOCK.unlock(hold);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..CROWD {
            let builder = std::thread::Builder::new().stack_size(64 << 10);
            builder.spawn_scoped(scope, work).expect("a thread");
        }
    });
}

#[test]
fn a_thousand_threads_at_one_lock_are_all_there() {
    let case = Case::new();
    case.run(case.command("crowd", "record=trace.lks"));
    assert_eq!(case.stderr(), "");
    let (reader, events) = verify::read(&case.path("trace.lks"));
    assert!(reader.completeness().is_complete(), "{:?}", reader.completeness());
    verify::check_order("crowd", &events);
    let acquired = events.iter().filter(|event| matches!(event.op, Op::Acquired { .. })).count();
    assert_eq!(acquired, 5 * CROWD);
}

static IN_HANDLER: Lock = Lock::mutex("of the handler");
static SIGNALS: AtomicU32 = AtomicU32::new(0);
static INNER: Lock = Lock::mutex("inner");
static IS_READY: AtomicBool = AtomicBool::new(false);
static STOP: AtomicBool = AtomicBool::new(false);

extern "C" fn on_signal(_: libc::c_int) {
    SIGNALS.fetch_add(1, Ordering::Relaxed);
    // Only its thread uses the lock, so that it is always free.
    if let Some(hold) = IN_HANDLER.try_lock() {
        IN_HANDLER.unlock(hold);
    }
}

/// Signals in the middle of lock operations, with a handler that takes a lock itself. That is the program's business, but what is recorded must
/// stay readable.
pub fn run_signals() {
    // SAFETY: a zeroed action is valid; the handler allocates nothing once its lock is known, and its thread does nothing but to lock.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_signal as extern "C" fn(_) as usize;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()), 0);
    }
    let interrupted = std::thread::spawn(|| {
        // What has to be defined is, before the first signal.
        on_signal(0);
        take_both();
        IS_READY.store(true, Ordering::Release);
        while !STOP.load(Ordering::Relaxed) {
            take_both();
        }
        // However long ago the last of the others was, a flight recorder has these.
        for _ in 0..3 {
            // SAFETY: the handler is this program's own.
            assert_eq!(unsafe { libc::raise(libc::SIGUSR1) }, 0);
            take_both();
        }
    });
    while !IS_READY.load(Ordering::Acquire) {
        std::thread::yield_now();
    }
    // One after the other: of several that are sent before the first one is handled one remains.
    for sent in 2..300 {
        // SAFETY: the thread lives until it is told to stop.
        assert_eq!(unsafe { libc::pthread_kill(interrupted.as_pthread_t(), libc::SIGUSR1) }, 0);
        while SIGNALS.load(Ordering::Relaxed) < sent {
            std::thread::yield_now();
        }
    }
    STOP.store(true, Ordering::Relaxed);
    interrupted.join().expect("no thread panics");
}

fn take_both() {
    let hold = LOCK.lock();
    INNER.unlock(INNER.lock());
    LOCK.unlock(hold);
}

#[test]
fn signals_in_the_middle_of_an_operation_leave_the_trace_whole() {
    for settings in ["record=trace.lks", "record=trace.lks,size=1M"] {
        let case = Case::new();
        case.run(case.command("signals", settings));
        assert_eq!(case.stderr(), "", "{settings}");
        let (reader, events) = verify::read(&case.path("trace.lks"));
        let completeness = reader.completeness();
        assert_eq!((completeness.damaged_bytes, completeness.lost_events), (0, 0), "{settings}: {completeness:?}");
        verify::check_order(settings, &events);
        let defs = reader.definitions();
        let in_handler = |op: &Op| op.lock().is_some_and(|lock| defs.lock_name(lock) == "of the handler");
        let handled = events.iter().filter(|event| in_handler(&event.op)).count();
        assert!(handled > 2, "{settings}: the handler was never recorded");
    }
}
