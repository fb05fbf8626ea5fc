//! What somebody who watches costs the traced program.
//!
//! ```text
//! cargo run --release -p lockscope-trace-bench --bin watched -- [WINDOWS]
//! ```
//!
//! One thread works and records into a flight recorder; another follows the trace as the dashboard does, sixty times a second, in every other
//! window of time. What counts is the processor time that the first one takes for a step: it neither waits for the follower nor wakes it, so all that
//! remains is what they share, which is the file's pages and the processor's caches. At most 2 % is the budget.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use lockscope_trace::{
    Access, EventSource, How, LockKind, Mode, Progress, clock,
    reader::Reader,
    writer::{DefinitionWriter, Environment, HeldAtStart, Options, ThreadWriter, TraceWriter},
};

/// Steps of the worker in a window: a tenth of a second or so.
const STEPS: u64 = 400_000;
/// Locks that it takes one after the other.
const LOCKS: u32 = 64;
/// Time between two looks of the follower.
const FRAME: Duration = Duration::from_nanos(16_666_667);

struct Env<'a>(&'a TraceWriter);

impl Environment for Env<'_> {
    fn writer(&self) -> &TraceWriter {
        self.0
    }

    fn held(&self, _: &mut dyn FnMut(HeldAtStart)) {}
}

fn main() -> ExitCode {
    let n_windows = std::env::args().nth(1).map_or(Ok(60), |text| text.parse::<usize>());
    match n_windows
        .map_err(|error| error.to_string())
        .and_then(|windows| run(windows.max(2)).map_err(|e| e.to_string()))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(n_windows: usize) -> std::io::Result<()> {
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let path = base.join(format!("lockscope-watched-{}.lks", std::process::id()));
    let options = Options {
        size: Some(32 << 20),
        executable: PathBuf::from("watched"),
        command: vec!["watched".to_owned()],
        run: 0,
        coarse: false,
    };
    let writer = TraceWriter::create(&path, &options)?;
    let mut reader = Reader::open(&path).map_err(std::io::Error::other)?;
    let (is_watched, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
    let times = std::thread::scope(|scope| {
        let follower = scope.spawn(|| {
            let (mut batch, mut seen) = (Vec::new(), 0u64);
            while !is_over.load(Ordering::Relaxed) {
                std::thread::sleep(FRAME);
                if is_watched.load(Ordering::Relaxed) {
                    batch.clear();
                    while reader.poll(&mut batch).map_err(std::io::Error::other)? == Progress::More
                        && batch.len() < 1 << 18
                    {}
                    seen += batch.len() as u64;
                }
            }
            Ok::<u64, std::io::Error>(seen)
        });
        let times = work(&writer, n_windows, &is_watched);
        is_over.store(true, Ordering::Relaxed);
        let seen = follower.join().expect("the follower does not panic")?;
        println!("{seen} events were followed");
        Ok::<_, std::io::Error>(times)
    });
    let _ = std::fs::remove_file(&path);
    let [alone, watched] = times?.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    println!(
        "alone   {alone:.2} ns of processor time a step\nwatched {watched:.2} ns, {:+.1} %",
        (watched / alone - 1.0) * 100.0
    );
    Ok(())
}

/// Works in windows, watched and not by turns; returns what a step took in each of them.
fn work(writer: &TraceWriter, n_windows: usize, is_watched: &AtomicBool) -> [Vec<f64>; 2] {
    let mut defs = DefinitionWriter::default();
    let file = defs.string(writer, "src/watched.rs");
    let type_name = defs.string(writer, "u64");
    let site = defs.site(writer, file, 1, 1);
    (0..LOCKS).for_each(|_| _ = defs.lock(writer, LockKind::Mutex, type_name, 0, site, None));
    let id = defs.thread(writer, None, 0, std::process::id());
    let (mut thread, env) = (ThreadWriter::new(id, std::process::id()), Env(writer));
    let (mut times, mut n, mut state) = ([Vec::new(), Vec::new()], 0u32, 1u64);
    for window in 0..n_windows {
        let watched = window % 2 == 1;
        is_watched.store(watched, Ordering::Relaxed);
        let start = processor_time();
        for _ in 0..STEPS {
            let (lock, count) = (n % LOCKS, n / LOCKS + 1);
            thread.acquired(&env, lock, Mode::Exclusive, How::Lock, site, count, clock::ticks());
            // The work that the lock is for.
            for _ in 0..64 {
                state = std::hint::black_box(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
            }
            thread.released(&env, lock, Mode::Exclusive, Access::Wrote, clock::ticks());
            n += 1;
        }
        times[usize::from(watched)].push((processor_time() - start) * 1e9 / STEPS as f64);
    }
    thread.end(writer);
    writer.close();
    times
}

/// Seconds of processor time of this thread.
fn processor_time() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
