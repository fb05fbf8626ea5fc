//! How fast traces are read, in million events per second of one core.
//!
//! ```text
//! cargo run --release -p lockscope-trace-bench -- [--events N] [--threads N] [--locks N] [--depth N] [--seed N] [--keep PATH]
//! ```
//!
//! Makes a trace in the memory file system (or the temporary directory) and reads it from there, so that the disk is not measured.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use lockscope_trace::{EventSource, Progress, reader::Reader};
use lockscope_trace_bench::Shape;

/// Times that each way of reading is measured.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let mut shape = Shape::default();
    let mut keep = None;
    for option in arguments.chunks(2) {
        let [name, value] = option else { return Err(format!("{} takes a value", option[0])) };
        let number = || value.parse::<u64>().map_err(|_| format!("{name} takes a number, not `{value}`"));
        match name.as_str() {
            "--events" => shape.events = number()?,
            "--threads" => shape.threads = number()?.clamp(1, 10_000) as u32,
            "--locks" => shape.locks = number()?.clamp(1, 1 << 24) as u32,
            "--depth" => shape.depth = number()?.max(1) as usize,
            "--contention" => shape.contention = number()?,
            "--accesses" => shape.accesses = number()? as u32,
            "--seed" => shape.seed = number()?,
            "--keep" => keep = Some(PathBuf::from(value)),
            _ => return Err(format!("unknown option {name}")),
        }
    }
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let path = keep.clone().unwrap_or_else(|| base.join(format!("lockscope-reading-{}.lks", std::process::id())));
    let start = Instant::now();
    let events = lockscope_trace_bench::write(&path, &shape).map_err(|error| format!("{}: {error}", path.display()))?;
    println!(
        "made {events} events in {:.1} s, {:.2} bytes each",
        start.elapsed().as_secs_f64(),
        bytes(&path) as f64 / events as f64
    );
    let result = measure(&path, events);
    if keep.is_none() {
        let _ = std::fs::remove_file(&path);
    }
    result
}

fn bytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn measure(path: &Path, events: u64) -> Result<(), String> {
    report("added up for each lock", events, || added_up(path))?;
    report("merged into one order", events, || merged(path))
}

/// The best of some rounds: other programs only make it slower.
fn report(what: &str, expected: u64, read: impl Fn() -> Result<u64, String>) -> Result<(), String> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = processor_time();
        let events = read()?;
        best = best.min(processor_time() - start);
        if events != expected {
            return Err(format!("{what}: {events} events instead of {expected}"));
        }
    }
    println!("{what:40} {:8.1} million events/s", expected as f64 / best / 1e6);
    Ok(())
}

fn added_up(path: &Path) -> Result<u64, String> {
    let totals = lockscope_trace::reader::totals(path).map_err(|error| error.to_string())?;
    if totals.lost + totals.damaged_bytes > 0 {
        return Err("the trace is not complete".to_owned());
    }
    Ok(totals.events)
}

fn merged(path: &Path) -> Result<u64, String> {
    let mut reader = Reader::open(path).map_err(|error| error.to_string())?;
    let (mut batch, mut events) = (Vec::new(), 0);
    // The generator's process lives, so more could come for all that the reader knows.
    while reader.poll(&mut batch).map_err(|error| error.to_string())? == Progress::More {
        events += batch.len() as u64;
        batch.clear();
    }
    if !reader.completeness().is_complete() {
        return Err(format!("the trace is not complete: {:?}", reader.completeness()));
    }
    Ok(events)
}

/// Seconds of processor time of this thread, which other programs disturb less than time on the clock.
fn processor_time() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
