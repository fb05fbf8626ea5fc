//! What can happen to the file while it is written: the program runs on, says so once, and nothing is lost uncounted.

use std::{path::Path, process::Command};

use lockscope_trace::EventSource;

use crate::{child::Case, lock::Lock, verify};

const THREADS: usize = 4;
/// Pairs of lock and unlock that each thread makes: some megabytes of trace in all.
const PAIRS: usize = 100_000;

/// Environment variables: a limit that the child sets, and a file that it removes in the middle.
const LIMIT_FILE: &str = "LOCKSCOPE_STRESS_LIMIT_FILE";
const LIMIT_MEMORY: &str = "LOCKSCOPE_STRESS_LIMIT_MEMORY";
const REMOVE: &str = "LOCKSCOPE_STRESS_REMOVE";
/// Environment variable: a new lock for each pair, so that definitions are lost as well.
const NEW_LOCKS: &str = "LOCKSCOPE_STRESS_NEW_LOCKS";

pub fn run() {
    for (name, resource) in [(LIMIT_FILE, libc::RLIMIT_FSIZE), (LIMIT_MEMORY, libc::RLIMIT_AS)] {
        if let Ok(bytes) = std::env::var(name) {
            let bytes = bytes.parse().expect("a number of bytes");
            let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
            // SAFETY: `limit` is valid.
            assert_eq!(unsafe { libc::setrlimit(resource, &limit) }, 0);
        }
    }
    let new_locks = std::env::var_os(NEW_LOCKS).is_some();
    let locks = move || {
        if new_locks {
            for _ in 0..PAIRS / 10 {
                let lock = Lock::mutex("new");
                lock.unlock(lock.lock());
            }
            return;
        }
        // Nobody else's, so that the number of events is known.
        let lock = Lock::mutex("own");
        let once = |_| lock.unlock(lock.lock());
        (0..PAIRS / 2).for_each(once);
        if let Some(path) = std::env::var_os(REMOVE) {
            // Another thread may have been first.
            let _ = std::fs::remove_file(path);
        }
        (0..PAIRS / 2).for_each(once);
    };
    let threads: Vec<_> = (0..THREADS).map(|_| std::thread::spawn(locks)).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no thread panics"));
}

/// Start, pairs, the lock's end, exit.
const EVENTS: u64 = (THREADS * (2 * PAIRS + 3)) as u64;

/// The recording stopped in the middle: one message, and what is missing is counted.
fn check_stopped(case: &Case, trace: &Path, reason: &str) {
    let stderr = case.stderr();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("stopped") && stderr.contains(reason), "{stderr}");
    let (reader, events) = verify::read(trace);
    verify::check_order(reason, &events);
    let completeness = reader.completeness();
    assert_eq!(events.len() as u64 + completeness.lost_events, EVENTS, "{completeness:?}");
    assert!(!events.is_empty() && completeness.lost_events > 0, "{completeness:?}");
    assert!(completeness.notes.iter().any(|note| note.contains("recording stopped")), "{completeness:?}");
    assert_eq!(completeness.damaged_bytes, 0, "{completeness:?}");
}

fn check_whole(trace: &Path) {
    let (reader, events) = verify::read(trace);
    assert!(reader.completeness().is_complete(), "{:?}", reader.completeness());
    assert_eq!(events.len() as u64, EVENTS);
}

/// A small file system of our own, unmounted when dropped.
pub struct SmallDisk(pub std::path::PathBuf);

impl SmallDisk {
    /// `None` when this user may not mount.
    pub fn mount(path: std::path::PathBuf, bytes: usize) -> Option<Self> {
        std::fs::create_dir(&path).expect("the folder is ours");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "lockscope-test"]).arg(&path);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self(path))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Nothing better can be done about it in a test that is over.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_stops_the_recording_only() {
    let case = Case::new();
    let Some(disk) = SmallDisk::mount(case.path("disk"), 1 << 20) else {
        eprintln!("skipped: mounting a small file system needs more rights; the limit of file sizes is tested instead");
        return;
    };
    let trace = disk.0.join("trace.lks");
    case.run(case.command("faults", &format!("record={}", trace.display())));
    check_stopped(&case, &trace, "No space left on device");
}

/// Threads that still had room went on to record events of locks that could not be defined any more, which a reader takes
/// for damage.
#[test]
fn nothing_that_cannot_be_defined_is_recorded() {
    let case = Case::new();
    let mut command = case.command("faults", "record=trace.lks");
    command.env(NEW_LOCKS, "1").env(LIMIT_FILE, (1 << 20).to_string());
    case.run(command);
    let (reader, events) = verify::read(&case.path("trace.lks"));
    let completeness = reader.completeness();
    assert_eq!(completeness.damaged_bytes, 0, "{completeness:?}");
    let expected = (THREADS * (3 * PAIRS / 10 + 2)) as u64;
    assert_eq!(events.len() as u64 + completeness.lost_events, expected, "{completeness:?}");
}

#[test]
fn a_disk_that_is_full_at_once_prevents_the_recording_only() {
    let case = Case::new();
    let Some(disk) = SmallDisk::mount(case.path("disk"), 64 << 10) else {
        eprintln!("skipped: mounting a small file system needs more rights");
        return;
    };
    case.run(case.command("faults", &format!("record={}", disk.0.join("trace.lks").display())));
    check_no_recording(&case, "No space left on device");
    assert_eq!(std::fs::read_dir(&disk.0).expect("it is mounted").count(), 0, "an empty file was left");
}

#[test]
fn a_limit_of_file_sizes_stops_the_recording_only() {
    let case = Case::new();
    let mut command = case.command("faults", "record=trace.lks");
    command.env(LIMIT_FILE, (1 << 20).to_string());
    case.run(command);
    check_stopped(&case, &case.path("trace.lks"), "");
}

#[test]
fn a_small_limit_of_file_sizes_prevents_the_recording_only() {
    let case = Case::new();
    let mut command = case.command("faults", "record=trace.lks");
    command.env(LIMIT_FILE, "4096");
    case.run(command);
    check_no_recording(&case, "too large");
}

#[test]
fn a_limit_of_memory_leaves_room_to_record() {
    let case = Case::new();
    let mut command = case.command("faults", "record=trace.lks");
    command.env(LIMIT_MEMORY, (1u64 << 30).to_string());
    case.run(command);
    assert_eq!(case.stderr(), "");
    check_whole(&case.path("trace.lks"));
}

#[test]
fn a_trace_that_is_deleted_while_it_is_written_harms_nobody() {
    let case = Case::new();
    let mut command = case.command("faults", "record=trace.lks");
    command.env(REMOVE, case.path("trace.lks"));
    case.run(command);
    let stderr = case.stderr();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("stopped: the file was deleted"), "{stderr}");
    assert!(case.traces().is_empty());
}

#[test]
fn a_place_that_cannot_be_written_prevents_the_recording_only() {
    let case = Case::new();
    std::fs::write(case.path("file"), "").expect("the folder is ours");
    case.run(case.command("faults", "record=file/trace.lks"));
    check_no_recording(&case, "Not a directory");
    case.run(case.command("faults", "record=missing/trace.lks"));
    check_no_recording(&case, "No such file or directory");
}

#[test]
fn a_link_is_not_followed() {
    let case = Case::new();
    std::fs::write(case.path("precious"), "precious").expect("the folder is ours");
    std::os::unix::fs::symlink(case.path("precious"), case.path("trace.lks")).expect("the folder is ours");
    case.run(case.command("faults", "record=trace.lks"));
    assert_eq!(std::fs::read_to_string(case.path("precious")).expect("made above"), "precious");
    // The trace has the process id in its name instead.
    let own: Vec<_> = case.traces().into_iter().filter(|path| !path.is_symlink()).collect();
    assert_eq!(own.len(), 1);
    check_whole(&own[0]);
}

pub fn check_no_recording(case: &Case, reason: &str) {
    let stderr = case.stderr();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("cannot record to") && stderr.contains(reason), "{stderr}");
    assert!(case.traces().is_empty());
}
