//! What is measured. Each case runs in a process of its own and prints nanoseconds of processor time per operation.

use std::{hint::black_box, sync::Barrier, thread};

use crate::family::{Mutex, RwLock};

/// A case and the costs that are aimed at, as ratios to the plain lock.
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// What one operation is.
    pub unit: &'static str,
    /// Highest ratio aimed at with detection on.
    pub on: Option<f64>,
    /// Highest ratio aimed at while recording with exact times.
    pub recording: Option<f64>,
    /// The same by the coarse clock.
    pub coarse: Option<f64>,
}

const fn case(name: &'static str, unit: &'static str, on: f64, recording: f64, coarse: Option<f64>) -> Case {
    Case { name, unit, on: Some(on), recording: Some(recording), coarse }
}

const fn without_budget(name: &'static str, unit: &'static str) -> Case {
    Case { name, unit, on: None, recording: None, coarse: None }
}

/// All cases.
pub const CASES: &[Case] = &[
    case("mutex", "lock+unlock", 1.25, 3.0, Some(1.4)),
    case("nested 3", "3 locks", 1.3, 3.2, Some(1.5)),
    case("nested 8", "8 locks", 1.3, 3.2, Some(1.5)),
    case("read", "lock+unlock", 1.3, 3.0, Some(1.4)),
    case("write", "lock+unlock", 1.3, 3.0, Some(1.4)),
    case("two readers", "lock+unlock", 1.4, 3.2, None),
    without_budget("mutex by a wrapper", "lock+unlock"),
    case("two threads, two mutexes", "lock+unlock", 1.3, 3.2, None),
    case("two threads, one mutex", "lock+unlock", 1.5, 3.0, None),
    case("10000 known pairs", "pair", 1.5, 3.2, None),
    without_budget("new pair", "pair"),
    case("create, lock, drop", "lock", 2.0, 4.0, None),
    case("100000 other locks", "lock+unlock", 1.3, 3.0, Some(1.4)),
    without_budget("hand over hand, first", "step"),
    without_budget("hand over hand, last", "step"),
];

/// Runs a case and prints nanoseconds per operation.
pub fn run<M: Mutex, R: RwLock>(case: &str) {
    let nanos = match case {
        "mutex" => {
            let mutex = M::new(0);
            per_operation(1_000_000, |n| (0..n).for_each(|_| *mutex.lock() += 1))
        }
        "mutex by a wrapper" => {
            let mutex = M::new(0);
            per_operation(1_000_000, |n| (0..n).for_each(|_| *taken(&mutex) += 1))
        }
        "nested 3" => {
            let locks: [M; 3] = std::array::from_fn(|_| M::new(0));
            per_operation(300_000, |n| (0..n).for_each(|_| nest(&locks)))
        }
        "nested 8" => {
            let locks: [M; 8] = std::array::from_fn(|_| M::new(0));
            per_operation(120_000, |n| (0..n).for_each(|_| nest(&locks)))
        }
        "read" => {
            let lock = R::new(0);
            per_operation(1_000_000, |n| (0..n).for_each(|_| _ = black_box(lock.read())))
        }
        "write" => {
            let lock = R::new(0);
            per_operation(1_000_000, |n| (0..n).for_each(|_| lock.write()))
        }
        "two readers" => {
            let lock = R::new(0);
            two_threads(500_000, |_, n| (0..n).for_each(|_| _ = black_box(lock.read())))
        }
        "two threads, two mutexes" => {
            let locks = [Apart(M::new(0)), Apart(M::new(0))];
            two_threads(500_000, |thread, n| (0..n).for_each(|_| *locks[thread].0.lock() += 1))
        }
        "two threads, one mutex" => {
            let mutex = M::new(0);
            two_threads(500_000, |_, n| (0..n).for_each(|_| *mutex.lock() += 1))
        }
        "10000 known pairs" => {
            let (locks, pairs) = pairs::<M>();
            let visit = |pairs: &[(usize, usize)]| pairs.iter().for_each(|&pair| take(&locks, pair));
            visit(&pairs);
            visit(&pairs);
            per_operation(pairs.len(), |n| visit(&pairs[..n.min(pairs.len())]))
        }
        "new pair" => {
            let (locks, pairs) = pairs::<M>();
            // Names, stacks and tables are there before.
            take(&[M::new(0), M::new(0)], (0, 1));
            let start = processor_time();
            pairs.iter().for_each(|&pair| take(&locks, pair));
            (processor_time() - start) / pairs.len() as f64
        }
        "create, lock, drop" => per_operation(300_000, |n| (0..n).for_each(|_| *black_box(&M::new(0)).lock() += 1)),
        "100000 other locks" => {
            let others: Vec<M> = (0..100_000).map(M::new).collect();
            others.iter().for_each(|other| *other.lock() += 1);
            let mutex = M::new(0);
            per_operation(1_000_000, |n| (0..n).for_each(|_| *mutex.lock() += 1))
        }
        "hand over hand, first" => hand_over_hand::<M>(10_000, 10_000),
        "hand over hand, last" => hand_over_hand::<M>(100_000, 10_000),
        _ => unreachable!("cases are named by this file"),
    };
    println!("{nanos}");
}

/// Takes locks for others.
#[inline(never)]
fn taken<M: Mutex>(mutex: &M) -> impl std::ops::DerefMut<Target = u64> + '_ {
    mutex.lock()
}

/// A lock on cache lines of its own.
#[repr(align(128))]
struct Apart<T>(T);

fn nest<M: Mutex>(locks: &[M]) {
    // Recursion keeps the guards alive; it costs the same with every family.
    if let [first, rest @ ..] = locks {
        let mut guard = first.lock();
        *guard += 1;
        nest(rest);
    }
}

fn take<M: Mutex>(locks: &[M], (first, second): (usize, usize)) {
    let _first = locks[first].lock();
    *locks[second].lock() += 1;
}

/// A thousand locks, and ten thousand pairs of them in ascending order.
fn pairs<M: Mutex>() -> (Vec<M>, Vec<(usize, usize)>) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % below
    };
    let mut seen = std::collections::HashSet::new();
    let mut pairs = Vec::new();
    while pairs.len() < 10_000 {
        let (a, b) = (random(1000), random(1000));
        let pair = (a.min(b), a.max(b));
        if a != b && seen.insert(pair) {
            pairs.push(pair);
        }
    }
    ((0..1000).map(M::new).collect(), pairs)
}

/// The last steps along a list that was built back to front: each new pair lies before all that are known.
fn hand_over_hand<M: Mutex>(length: usize, last: usize) -> f64 {
    let list: Vec<M> = (0..=length as u64).map(M::new).collect();
    let mut start = processor_time();
    for at in (0..length).rev() {
        if at + 1 == last {
            start = processor_time();
        }
        take(&list, (at, at + 1));
    }
    (processor_time() - start) / last as f64
}

/// Median over some runs, after one that is not counted. That one fills a ring.
fn per_operation(n: usize, run: impl Fn(usize)) -> f64 {
    let n = share(n);
    run(n * 2);
    let mut times: Vec<f64> = (0..5)
        .map(|_| {
            let start = processor_time();
            run(n);
            (processor_time() - start) / n as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The same for two threads at once; time of both together for an operation of either.
fn two_threads(n: usize, run: impl Fn(usize, usize) + Sync) -> f64 {
    let n = share(n);
    let once = |n: usize| {
        let barrier = Barrier::new(2);
        let times: Vec<f64> = thread::scope(|scope| {
            let threads = [0, 1].map(|index| {
                let (barrier, run) = (&barrier, &run);
                scope.spawn(move || {
                    barrier.wait();
                    let start = thread_time();
                    run(index, n);
                    thread_time() - start
                })
            });
            threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
        });
        times.iter().sum::<f64>() / (2 * n) as f64
    };
    once(n * 2);
    let mut times: Vec<f64> = (0..5).map(|_| once(n)).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// How often to do what others do `n` times: locks that cost a thousand times as much would take all day.
fn share(n: usize) -> usize {
    let share = std::env::var("LOCKSCOPE_OVERHEAD_SHARE").ok().and_then(|share| share.parse().ok()).unwrap_or(1);
    (n / share).max(1)
}

/// Nanoseconds of processor time of this process.
fn processor_time() -> f64 {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// Nanoseconds of processor time of this thread.
fn thread_time() -> f64 {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn clock(id: libc::clockid_t) -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result.
    let result = unsafe { libc::clock_gettime(id, &mut time) };
    assert_eq!(result, 0, "Linux has these clocks");
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
