//! Somebody cuts the trace off while it is mapped and written: the program runs on. Other faults of that kind go where they went before.

use std::{
    fs::OpenOptions,
    os::{fd::AsRawFd, unix::process::ExitStatusExt},
    path::Path,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
};

use lockscope_trace::{EventSource, format, reader::Reader};

use crate::{
    child::{Case, wait},
    lock::Lock,
    verify,
};

const THREADS: usize = 4;
const PAIRS: usize = 20_000;

/// Environment variable: to how many bytes the trace is cut, a list.
const CUT: &str = "LOCKSCOPE_STRESS_CUT";
/// Environment variable: what the program itself does about `SIGBUS`.
const HANDLER: &str = "LOCKSCOPE_STRESS_HANDLER";

/// Threads that lock, one of which cuts the file off, several times.
pub fn run() {
    let cuts: Vec<u64> = std::env::var(CUT)
        .expect("set by the parent")
        .split(' ')
        .map(|text| text.parse().expect("a number of bytes"))
        .collect();
    let begin = Barrier::new(THREADS);
    let work = |thread: usize| {
        let lock = Lock::mutex("own");
        let once = |_| lock.unlock(lock.lock());
        for &cut in &cuts {
            (0..PAIRS).for_each(once);
            // Each has a chunk in use, and loses it while it writes.
            begin.wait();
            if thread == 0 {
                let trace = OpenOptions::new().write(true).open("trace.lks").expect("it is recorded");
                trace.set_len(cut).expect("it is ours");
            }
        }
        (0..PAIRS).for_each(once);
    };
    std::thread::scope(|scope| {
        (0..THREADS).for_each(|thread| drop(scope.spawn(move || work(thread))));
    });
}

/// Cuts the trace off to so many bytes, one after the other.
fn check(cuts: &[usize], settings: &str) {
    let case = Case::new();
    let mut command = case.command("cut-off", settings);
    command.env(CUT, cuts.iter().map(usize::to_string).collect::<Vec<_>>().join(" "));
    case.run(command);
    let stderr = case.stderr();
    assert_eq!(stderr.lines().count(), 1, "cut to {cuts:?}: {stderr}");
    assert!(stderr.contains("stopped: the file was cut off"), "cut to {cuts:?}: {stderr}");
    let trace = case.path("trace.lks");
    if *cuts.last().expect("at least one") < format::HEADER_SIZE {
        Reader::open(&trace).map(drop).expect_err("its header is incomplete");
        return;
    }
    let (reader, events) = verify::read(&trace);
    verify::check_order("cut off", &events);
    let completeness = reader.completeness();
    assert!(completeness.truncated, "cut to {cuts:?}: {completeness:?}");
    let says = |what: &str| completeness.notes.iter().any(|note| note.contains(what));
    assert!(says("recording stopped") && says("the file was cut off"), "cut to {cuts:?}: {completeness:?}");
}

#[test]
fn a_trace_that_is_cut_off_while_it_is_written_harms_nobody() {
    const CHUNK: usize = format::CHUNK_SIZE;
    check(&[0], "record=trace.lks");
    check(&[format::HEADER_SIZE], "record=trace.lks");
    // In the middle of a chunk, and of a page.
    check(&[format::HEADER_SIZE + 5 * CHUNK + 12_345], "record=trace.lks");
    check(&[format::HEADER_SIZE + 5 * CHUNK, format::HEADER_SIZE + CHUNK, 17], "record=trace.lks");
    check(&[format::HEADER_SIZE + 3 * CHUNK], "record=trace.lks,size=1M");
}

/// Times that the program's own handler was called.
static CALLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn repair(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    CALLED.fetch_add(1, Ordering::Relaxed);
    // SAFETY: replaces the page of the program's own mapping that it has just touched.
    unsafe {
        let page = ((*info).si_addr() as usize & !4095) as *mut libc::c_void;
        let flags = libc::MAP_FIXED | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        libc::mmap(page, 4096, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
    }
}

/// A program that stores into a mapping of its own that is cut off, with or without a handler, before or after it records.
pub fn run_own() {
    let install = || {
        // SAFETY: a zeroed action is valid, and the handler has the signature that the flag promises.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = repair as extern "C" fn(_, *mut libc::siginfo_t, _) as usize;
            action.sa_flags = libc::SA_SIGINFO;
            assert_eq!(libc::sigaction(libc::SIGBUS, &action, std::ptr::null_mut()), 0);
        }
    };
    let handler = std::env::var(HANDLER).expect("set by the parent");
    if handler == "own" {
        install();
    }
    let lock = Lock::mutex("records");
    lock.unlock(lock.lock());
    let file = OpenOptions::new().read(true).write(true).create_new(true).open("own").expect("the folder is ours");
    file.set_len(4096).expect("the folder is ours");
    if handler == "sent" {
        // Twice: std's handler, which is passed the first one, only sees to it that the next one ends the process.
        for _ in 0..2 {
            // SAFETY: what the signal does is what is tested.
            unsafe { libc::raise(libc::SIGBUS) };
        }
        unreachable!("it ends the process");
    }
    // SAFETY: a new mapping, which is used as plain memory; the store faults, which is what is tested.
    unsafe {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let map = libc::mmap(std::ptr::null_mut(), 4096, protection, libc::MAP_SHARED, file.as_raw_fd(), 0);
        assert_ne!(map, libc::MAP_FAILED);
        file.set_len(0).expect("the folder is ours");
        map.cast::<u8>().write_volatile(1);
        assert_eq!(map.cast::<u8>().read_volatile(), 1);
    }
    assert_eq!(CALLED.load(Ordering::Relaxed), 1);
    lock.unlock(lock.lock());
}

#[test]
fn other_faults_go_where_they_went_before() {
    let case = Case::new();
    let mut command = case.command("own-fault", "record=trace.lks");
    command.env(HANDLER, "own");
    case.run(command);
    assert_eq!(case.stderr(), "");
    let (reader, events) = verify::read(Path::new(&case.path("trace.lks")));
    assert!(reader.completeness().is_complete() && events.len() >= 4, "{:?}", reader.completeness());
    for handler in ["none", "sent"] {
        let case = Case::new();
        let mut command = case.command("own-fault", "record=trace.lks");
        command.env(HANDLER, handler);
        let status = wait(command.spawn().expect("this test can run itself")).expect("it does not hang");
        assert_eq!(status.signal(), Some(libc::SIGBUS), "{handler}: {}", case.stderr());
    }
}
