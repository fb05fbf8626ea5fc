//! A program that takes locks at a given rate, to see what watching it costs: `busy RATE SECONDS`.
//!
//! Two threads share the rate; each takes a few locks of its own and now and then one that both use. Prints what it did and the
//! processor time of an acquisition. `tests/live/side_by_side.sh` runs it with and without a dashboard.

use std::{
    thread,
    time::{Duration, Instant},
};

use lockscope_parking_lot::Mutex;

const THREADS: u64 = 2;
/// Acquisitions between two looks at the clock.
const BATCH: u64 = 500;
/// Of so many acquisitions one is of the lock that both threads use.
const SHARED: u64 = 64;

static COMMON: Mutex<u64> = Mutex::new(0);

fn main() {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse().expect("a number"));
    let (rate, seconds): (u64, u64) = (numbers.next().unwrap_or(500_000), numbers.next().unwrap_or(5));
    let before = processor_time();
    let began = Instant::now();
    let total: u64 = thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(move || work(began, rate / THREADS, seconds))).collect();
        workers.into_iter().map(|worker| worker.join().expect("it only counts")).sum()
    });
    let (took, spent) = (began.elapsed().as_secs_f64(), processor_time() - before);
    println!("{:.0} {:.1}", total as f64 / took, spent.as_nanos() as f64 / total as f64);
}

/// Takes locks at a rate for some seconds; returns how often.
fn work(began: Instant, rate: u64, seconds: u64) -> u64 {
    let own: [Mutex<u64>; 4] = Default::default();
    let mut done = 0;
    while done < rate * seconds {
        for _ in 0..BATCH {
            let lock = if done % SHARED == 0 { &COMMON } else { &own[(done % 4) as usize] };
            *lock.lock() += 1;
            done += 1;
        }
        let due = Duration::from_secs_f64(done as f64 / rate as f64);
        thread::sleep(due.saturating_sub(began.elapsed()));
        if began.elapsed() > Duration::from_secs(2 * seconds) {
            break;
        }
    }
    done
}

/// Processor time of this process, in steps of ten milliseconds.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells");
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}
