//! How fast engines are, in million events per second of one core, reading included, and how much memory they and the whole process hold
//! then.
//!
//! ```text
//! cargo bench -p lockscope-analyzer --bench engines -- [--events N] [--threads N] [--locks N] [--depth N] [--contention N]
//!     [--accesses N] [--vars-per-lock N] [--unprotected N] [--seed N] [--rounds N] [--only NAME] [--text]
//! ```
//!
//! Makes a trace by a seeded generator in the memory file system (or the temporary directory) and reads it from there, so that the
//! disk is not measured. `--text` makes RAPID STD text of it, and measures that; `--only` is an engine, `read` or `default`.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use lockscope_analyzer::{Analysis, EngineId, Options, input};
use lockscope_trace::{Error, Event, LockId, Mode, Op, Progress, ThreadId};
use lockscope_trace_bench::Shape;
use rustix::time::{ClockId, clock_gettime};

fn main() -> ExitCode {
    // What cargo adds for benchmarks.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

struct Setup {
    shape: Shape,
    rounds: u32,
    only: Option<String>,
    text: bool,
}

fn run(arguments: &[String]) -> Result<(), String> {
    let shape = Shape { accesses: 2, vars_per_lock: 10, ..Shape::default() };
    let mut setup = Setup { shape, rounds: 3, only: None, text: false };
    let mut arguments = arguments.iter();
    while let Some(name) = arguments.next() {
        if name == "--text" {
            setup.text = true;
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{name} takes a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{name} takes a number, not `{value}`"));
        let shape = &mut setup.shape;
        match name.as_str() {
            "--events" => shape.events = number()?,
            "--threads" => shape.threads = number()?.clamp(1, 10_000) as u32,
            "--locks" => shape.locks = number()?.clamp(1, 1 << 24) as u32,
            "--depth" => shape.depth = number()?.max(1) as usize,
            "--contention" => shape.contention = number()?,
            "--accesses" => shape.accesses = number()? as u32,
            "--vars-per-lock" => shape.vars_per_lock = number()?.clamp(1, 1 << 10) as u32,
            "--unprotected" => shape.unprotected = number()?,
            "--seed" => shape.seed = number()?,
            "--rounds" => setup.rounds = number()?.clamp(1, 100) as u32,
            "--only" => setup.only = Some(value.clone()),
            _ => return Err(format!("unknown option {name}")),
        }
    }
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let path = base.join(format!("lockscope-engines-{}.lks", std::process::id()));
    let text = path.with_extension("std");
    let result = measure(&setup, &path, &text);
    for path in [&path, &text] {
        let _ = fs::remove_file(path);
    }
    result
}

fn measure(setup: &Setup, path: &PathBuf, text: &PathBuf) -> Result<(), String> {
    let events = lockscope_trace_bench::write(path, &setup.shape).map_err(|error| error.to_string())?;
    let path = if setup.text {
        write_text(path, text).map_err(|error| error.to_string())?;
        text
    } else {
        path
    };
    let bytes = fs::metadata(path).map_err(|error| error.to_string())?.len();
    println!("{events} events, {:.1} MB", bytes as f64 / 1e6);
    let mut cases = vec!["read"];
    cases.extend(EngineId::ALL.map(EngineId::as_str));
    cases.push("default");
    for case in cases.into_iter().filter(|case| setup.only.as_deref().is_none_or(|only| only == *case)) {
        let mut best = f64::INFINITY;
        let mut held = String::new();
        for _ in 0..setup.rounds {
            let start = processor_time();
            held = read(path, case, events).map_err(|error| error.to_string())?;
            best = best.min(processor_time() - start);
        }
        let (speed, megabytes) = (events as f64 / best / 1e6, bytes as f64 / best / 1e6);
        println!("{case:12} {speed:8.1} million events/s {megabytes:8.0} MB/s  {held}");
    }
    Ok(())
}

/// Reads the trace through, with the engine, with none or with everything that runs by default. Says what was found and is held.
fn read(path: &Path, case: &str, events: u64) -> Result<String, Error> {
    let mut source = input::open(path)?;
    if case == "read" {
        let (mut batch, mut read) = (Vec::new(), 0);
        while source.poll(&mut batch)? == Progress::More {
            read += batch.len() as u64;
            batch.clear();
        }
        assert_eq!(read + batch.len() as u64, events, "the whole trace was read");
        return Ok(format!("{:.0} MB in all", anonymous_megabytes()));
    }
    let engines = EngineId::parse(case).into_iter().collect();
    let mut analysis = Analysis::new(Options { engines, ..Options::default() });
    analysis.feed_all(&mut *source, |_| {})?;
    let found = analysis.findings(source.definitions()).len();
    let held: Vec<String> = analysis
        .engine_bytes()
        .map(|(engine, bytes)| format!("{} {:.1} MB", engine.as_str(), bytes as f64 / 1e6))
        .collect();
    Ok(format!("{found} findings, {}, {:.0} MB in all", held.join(", "), anonymous_megabytes()))
}

/// Memory of this process that is no part of a file, which the trace is; 0 where the kernel does not tell.
fn anonymous_megabytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.split_whitespace().next()?.parse().ok());
    kilobytes.unwrap_or(0.0) * 1024.0 / 1e6
}

/// The trace as RAPID STD, without what that has no words for.
fn write_text(path: &Path, text: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut source = input::open(path)?;
    let mut out = BufWriter::new(File::create(text)?);
    let mut batch: Vec<Event> = Vec::new();
    // Releases of a read lock have a word of their own.
    let mut reads: HashSet<(ThreadId, LockId)> = HashSet::new();
    loop {
        batch.clear();
        let progress = source.poll(&mut batch)?;
        for event in &batch {
            let site = event.site.map_or(0, |site| site.to_raw());
            let thread = event.thread.0;
            match event.op {
                Op::Acquired { lock, mode: Mode::Exclusive, .. } => writeln!(out, "T{thread}|acq(L{})|{site}", lock.0)?,
                Op::Acquired { lock, .. } => {
                    reads.insert((event.thread, lock));
                    writeln!(out, "T{thread}|racq(L{})|{site}", lock.0)?;
                }
                Op::Released { lock, .. } if reads.remove(&(event.thread, lock)) => {
                    writeln!(out, "T{thread}|rrel(L{})|{site}", lock.0)?;
                }
                Op::Released { lock, .. } => writeln!(out, "T{thread}|rel(L{})|{site}", lock.0)?,
                Op::Read { var } => writeln!(out, "T{thread}|r(V{})|{site}", var.0)?,
                Op::Write { var } => writeln!(out, "T{thread}|w(V{})|{site}", var.0)?,
                Op::Spawn { child } => writeln!(out, "T{thread}|fork(T{})|{site}", child.0)?,
                Op::Joined { child } => writeln!(out, "T{thread}|join(T{})|{site}", child.0)?,
                _ => writeln!(out, "T{thread}|dummy(x)|{site}")?,
            }
        }
        if progress != Progress::More {
            return Ok(out.flush()?);
        }
    }
}

/// Seconds of processor time of this thread, which other programs disturb less than time on the clock.
fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
