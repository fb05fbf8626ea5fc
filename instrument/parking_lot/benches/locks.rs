//! What a lock costs: plain parking_lot and std beside lockscope's facades, switched off, on, and recording.
//!
//! ```text
//! cargo bench -p lockscope-parking_lot --features force --bench locks [-- --quick]
//! ```
//!
//! What is switched on is decided once per process, so this program runs itself once for each setting, the plain locks
//! in each of these runs, and prints a table of medians and of ratios to the plain lock of the same run. Without the feature
//! `force` a release build has plain locks everywhere, and every ratio is about 1.

use std::{
    hint::black_box,
    path::{Path, PathBuf},
    process::Command,
    sync::Barrier,
    time::{Duration, Instant},
};

use criterion::{Bencher, Criterion};

/// The variable that tells a child process which of [`SETTINGS`] it measures.
const SETTING: &str = "LOCKSCOPE_BENCH_SETTING";

/// Name and `LOCKSCOPE` of each setting; `DIR` is replaced.
const SETTINGS: [(&str, &str); 4] = [
    ("off", "off"),
    ("on", ""),
    ("recording", "record=DIR/%p.lks"),
    ("recording, 64 MiB ring", "record=DIR/%p.lks,size=64M"),
];

const CASES: [&str; 6] = [
    "uncontended mutex",
    "three nested mutexes",
    "uncontended read",
    "uncontended write",
    "two threads, one mutex",
    "two threads, two mutexes",
];

fn main() {
    match std::env::var(SETTING) {
        Ok(setting) => measure(&setting),
        Err(_) => compare(),
    }
}

/// Runs every setting and prints the table.
fn compare() {
    let results = tempfile::tempdir().expect("a temporary directory");
    for (setting, lockscope) in SETTINGS {
        let traces = tempfile::tempdir().expect("a temporary directory");
        let status = Command::new(std::env::current_exe().expect("this program"))
            .args(std::env::args_os().skip(1))
            .env(SETTING, setting)
            .env("LOCKSCOPE", lockscope.replace("DIR", &traces.path().to_string_lossy()))
            .env("CRITERION_HOME", results.path())
            .status()
            .expect("this program can be run");
        assert!(status.success(), "measuring `{setting}` failed: {status}");
    }
    if !lockscope::IS_ON {
        println!("note: built without the feature `force`, so lockscope is off in all of this");
    }
    println!("\nmedian ns per operation, and how many times the plain lock of the same run\n");
    println!(
        "{:<26}{:<24}{:>12}{:>8}{:>16}{:>7}{:>16}{:>7}",
        "case", "setting", "parking_lot", "std", "lockscope (pl)", "ratio", "lockscope (std)", "ratio"
    );
    for case in CASES {
        for (setting, _) in SETTINGS {
            let median = |lock: &str| median(results.path(), setting, case, lock);
            let [plain, std, ours, ours_std] = ["parking_lot", "std", "lockscope_pl", "lockscope_std"].map(median);
            let cell = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
            let ratio = |ours: Option<f64>, plain: Option<f64>| {
                ours.zip(plain).map_or("-".to_owned(), |(ours, plain)| format!("{:.2}", ours / plain))
            };
            println!(
                "{case:<26}{setting:<24}{:>12}{:>8}{:>16}{:>7}{:>16}{:>7}",
                cell(plain),
                cell(std),
                cell(ours),
                ratio(ours, plain),
                cell(ours_std),
                ratio(ours_std, std)
            );
        }
    }
}

/// The median that criterion wrote.
fn median(results: &Path, setting: &str, case: &str, lock: &str) -> Option<f64> {
    let path: PathBuf = [&group(setting, case), lock, "new", "estimates.json"].iter().collect();
    let text = std::fs::read_to_string(results.join(path)).ok()?;
    let estimates: serde_json::Value = serde_json::from_str(&text).ok()?;
    estimates["median"]["point_estimate"].as_f64()
}

/// Only letters, digits and `_`: criterion replaces some others in file names.
fn group(setting: &str, case: &str) -> String {
    format!("{case} {setting}").replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

fn measure(setting: &str) {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(1200))
        .sample_size(30)
        .configure_from_args();
    // The same body for each kind of lock, whose module it knows as `lib`.
    macro_rules! case {
        ($case:expr, |$bencher:ident, $lib:ident| $body:block) => {{
            let mut group = criterion.benchmark_group(group(setting, $case));
            case!(group, "parking_lot", plain, |$bencher, $lib| $body);
            case!(group, "std", plain_std, |$bencher, $lib| $body);
            case!(group, "lockscope_pl", ours, |$bencher, $lib| $body);
            case!(group, "lockscope_std", ours_std, |$bencher, $lib| $body);
            group.finish();
        }};
        ($group:ident, $name:literal, $locks:ident, |$bencher:ident, $lib:ident| $body:block) => {
            $group.bench_function($name, |$bencher: &mut Bencher| {
                use $locks as $lib;
                $body
            });
        };
    }
    case!(CASES[0], |bencher, lib| {
        let mutex = lib::mutex();
        bencher.iter(|| *lib::lock(black_box(&mutex)) += 1);
    });
    case!(CASES[1], |bencher, lib| {
        let mutexes = [lib::mutex(), lib::mutex(), lib::mutex()];
        bencher.iter(|| {
            let [a, b, c] = black_box(&mutexes);
            let (_a, _b, mut c) = (lib::lock(a), lib::lock(b), lib::lock(c));
            *c += 1;
        });
    });
    case!(CASES[2], |bencher, lib| {
        let rwlock = lib::rwlock();
        bencher.iter(|| *lib::read(black_box(&rwlock)));
    });
    case!(CASES[3], |bencher, lib| {
        let rwlock = lib::rwlock();
        bencher.iter(|| *lib::write(black_box(&rwlock)) += 1);
    });
    case!(CASES[4], |bencher, lib| {
        let mutex = lib::mutex();
        bencher.iter_custom(|n| two_threads(n, |_| *lib::lock(&mutex) += 1));
    });
    case!(CASES[5], |bencher, lib| {
        let mutexes = [lib::mutex(), lib::mutex()].map(Padded);
        bencher.iter_custom(|n| two_threads(n, |thread| *lib::lock(&mutexes[thread].0) += 1));
    });
}

/// Two mutexes of two threads do not share a cache line.
#[repr(align(128))]
struct Padded<T>(T);

/// Time in which two threads do `n` operations together.
fn two_threads(n: u64, operation: impl Fn(usize) + Sync) -> Duration {
    let barrier = Barrier::new(3);
    let (barrier, operation) = (&barrier, &operation);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|thread| {
                scope.spawn(move || {
                    barrier.wait();
                    (0..n.div_ceil(2)).for_each(|_| operation(thread));
                })
            })
            .collect();
        barrier.wait();
        let start = Instant::now();
        threads.into_iter().for_each(|thread| thread.join().expect("locking does not panic"));
        start.elapsed()
    })
}

macro_rules! parking_lot_shaped {
    ($name:ident, $krate:ident) => {
        mod $name {
            use $krate::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
            pub fn mutex() -> Mutex<u64> {
                Mutex::new(0)
            }
            pub fn rwlock() -> RwLock<u64> {
                RwLock::new(0)
            }
            #[inline]
            #[track_caller]
            pub fn lock(mutex: &Mutex<u64>) -> MutexGuard<'_, u64> {
                mutex.lock()
            }
            #[inline]
            #[track_caller]
            pub fn read(rwlock: &RwLock<u64>) -> RwLockReadGuard<'_, u64> {
                rwlock.read()
            }
            #[inline]
            #[track_caller]
            pub fn write(rwlock: &RwLock<u64>) -> RwLockWriteGuard<'_, u64> {
                rwlock.write()
            }
        }
    };
}

macro_rules! std_shaped {
    ($name:ident, $($path:tt)*) => {
        mod $name {
            use $($path)*::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
            pub fn mutex() -> Mutex<u64> {
                Mutex::new(0)
            }
            pub fn rwlock() -> RwLock<u64> {
                RwLock::new(0)
            }
            #[inline]
            #[track_caller]
            pub fn lock(mutex: &Mutex<u64>) -> MutexGuard<'_, u64> {
                mutex.lock().expect("nobody panics")
            }
            #[inline]
            #[track_caller]
            pub fn read(rwlock: &RwLock<u64>) -> RwLockReadGuard<'_, u64> {
                rwlock.read().expect("nobody panics")
            }
            #[inline]
            #[track_caller]
            pub fn write(rwlock: &RwLock<u64>) -> RwLockWriteGuard<'_, u64> {
                rwlock.write().expect("nobody panics")
            }
        }
    };
}

parking_lot_shaped!(plain, parking_lot);
parking_lot_shaped!(ours, lockscope_parking_lot);
std_shaped!(plain_std, std::sync);
std_shaped!(ours_std, lockscope::sync);
