//! What other tools cost, in the same run as lockscope and plain parking_lot: a table in Markdown.
//!
//! ```text
//! cd instrument/overhead/peers
//! ./run.sh [ROUNDS [CASE]]
//! ```
//!
//! Cases and measuring are those of `instrument/overhead`: each configuration in processes of its own, in every round one after the other.

#[path = "../../src/cases.rs"]
#[allow(dead_code, reason = "budgets are lockscope's")]
mod cases;
mod family;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// What is compared.
struct Peer {
    name: &'static str,
    family: &'static str,
    /// For the tool itself.
    settings: &'static str,
    /// Value of `LOCKSCOPE`; what ends with `=` is followed by a path.
    lockscope: &'static str,
    /// Does what others do so many times less often.
    share: &'static str,
    /// Whether it is in the other program, which is built with parking_lot's detection.
    with_detection: bool,
}

const fn peer(name: &'static str, family: &'static str, settings: &'static str) -> Peer {
    Peer { name, family, settings, lockscope: "", share: "1", with_detection: false }
}

const PEERS: &[Peer] = &[
    peer("parking_lot 0.13", "parking_lot", ""),
    peer("lockscope", "lockscope", ""),
    Peer { lockscope: "size=16M,record=", ..peer("lockscope, recording", "lockscope", "") },
    Peer { lockscope: "size=16M,clock=coarse,record=", ..peer("lockscope, recording, coarse clock", "lockscope", "") },
    Peer { with_detection: true, ..peer("parking_lot 0.12, deadlock_detection", "parking_lot 0.12", "") },
    peer("tracing-mutex 0.3.3", "tracing-mutex", ""),
    peer("deloxide 1.1.0", "deloxide", ""),
    Peer { share: "10", ..peer("deloxide, order graph", "deloxide", "order") },
    Peer { share: "30", ..peer("deloxide, log", "deloxide", "log") },
    Peer { share: "300", ..peer("no_deadlocks 1.3.2", "no_deadlocks", "") },
];

/// Cases that all of them get through.
const CASES: &[&str] = &[
    "mutex",
    "nested 3",
    "nested 8",
    "read",
    "write",
    "two readers",
    "two threads, two mutexes",
    "two threads, one mutex",
    "10000 known pairs",
    "new pair",
    "create, lock, drop",
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--child", family, settings, case] => {
            family::run(family, settings, case);
            Ok(())
        }
        [with_detection] => table(Path::new(with_detection), 9, ""),
        [with_detection, rounds] => rounds_of(rounds).and_then(|rounds| table(Path::new(with_detection), rounds, "")),
        [with_detection, rounds, case] => {
            rounds_of(rounds).and_then(|rounds| table(Path::new(with_detection), rounds, case))
        }
        [] => Err("use run.sh, which builds what this needs".to_owned()),
        _ => Err("too many arguments".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn rounds_of(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&rounds| rounds > 0).ok_or_else(|| format!("`{text}` is no number of rounds"))
}

fn table(with_detection: &Path, rounds: usize, only: &str) -> Result<(), String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let trace = memory().join(format!("lockscope-peers-{}.lks", std::process::id()));
    println!("| medians of {rounds} | {} |", PEERS.iter().map(|peer| peer.name).collect::<Vec<_>>().join(" | "));
    println!("| --- |{}", " ---: |".repeat(PEERS.len()));
    for case in CASES.iter().filter(|case| case.contains(only)) {
        let mut times = vec![Vec::new(); PEERS.len()];
        for _ in 0..rounds {
            for (peer, times) in PEERS.iter().zip(&mut times) {
                let program = if peer.with_detection { with_detection } else { &own };
                times.push(measure(program, peer, case, &trace)?);
            }
        }
        let medians: Vec<f64> = times.into_iter().map(median).collect();
        print!("| {case} | {:.1} ns |", medians[0]);
        for time in &medians[1..] {
            let ratio = time / medians[0];
            print!(" {ratio:.*}x |", if ratio < 10.0 { 2 } else { 0 });
        }
        println!();
    }
    Ok(())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// A memory file system, where there is one: a disk would be measured otherwise.
fn memory() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

fn measure(program: &Path, peer: &Peer, case: &str, trace: &Path) -> Result<f64, String> {
    let lockscope = match peer.lockscope.strip_suffix('=') {
        Some(_) => format!("{}{}", peer.lockscope, trace.display()),
        None => peer.lockscope.to_owned(),
    };
    let output = Command::new(program)
        .args(["--child", peer.family, peer.settings, case])
        .env("LOCKSCOPE", lockscope)
        .env("LOCKSCOPE_OVERHEAD_SHARE", peer.share)
        .env("TMPDIR", memory())
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let _ = std::fs::remove_file(trace);
    remove_logs();
    let said = String::from_utf8_lossy(&output.stdout);
    let number = said.lines().rev().find_map(|line| line.trim().parse().ok());
    number.filter(|_| output.status.success()).ok_or_else(|| {
        format!("{} with {case}: {}: {}", peer.name, output.status, String::from_utf8_lossy(&output.stderr))
    })
}

/// Logs of a gigabyte each should not pile up.
fn remove_logs() {
    let Ok(entries) = std::fs::read_dir(memory()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("deloxide-") && name.to_string_lossy().ends_with(".log") {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
