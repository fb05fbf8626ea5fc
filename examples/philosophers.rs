//! Five philosophers at a round table, one fork between each two.
//!
//! Each takes the fork at the left, then the one at the right. Should all have taken the left one, none gets the
//! right one.
//!
//!     cargo run -p lockscope-parking_lot --example philosophers
//!
//! Finding: `lock-order-inversion` around all five forks, on every run, though the philosophers eat one after the
//! other here and nothing hangs. With `--hang [SECONDS]` they eat together: `deadlock` of all five, and the program
//! stays for so many seconds, by default 60, to be looked at.
//!
//! Fix, with `--fixed`: everybody takes the fork with the lower number first. For the last philosopher that is the
//! right one.

use std::{
    process::exit,
    sync::{Arc, Barrier, mpsc},
    time::Duration,
};

use lockscope::thread;
use lockscope_parking_lot::{Mutex, named};

const PHILOSOPHERS: [&str; 5] = ["Thales", "Hypatia", "Plato", "Diotima", "Zeno"];

static FORKS: [Mutex<()>; 5] = [
    named("fork 1").mutex(()),
    named("fork 2").mutex(()),
    named("fork 3").mutex(()),
    named("fork 4").mutex(()),
    named("fork 5").mutex(()),
];

/// Numbers of the forks at the left and at the right.
fn forks_of(seat: usize) -> (usize, usize) {
    (seat, (seat + 1) % FORKS.len())
}

/// Takes two forks. `meanwhile` runs when the first is taken.
fn eat(first: usize, second: usize, meanwhile: impl FnOnce()) {
    let _first = FORKS[first].lock();
    meanwhile();
    let _second = FORKS[second].lock();
}

/// One after the other. A barrier that lockscope does not follow keeps them apart: nothing in the program makes sure
/// that they never eat together.
fn run(fixed: bool) {
    let round_is_over = Arc::new(Barrier::new(FORKS.len()));
    let dine = |seat| {
        let round_is_over = Arc::clone(&round_is_over);
        let (left, right) = forks_of(seat);
        let (first, second) = if fixed { (left.min(right), left.max(right)) } else { (left, right) };
        philosopher(seat, move || {
            for round in 0..FORKS.len() {
                if round == seat {
                    eat(first, second, || ());
                }
                round_is_over.wait();
            }
        })
    };
    let diners: Vec<_> = (0..FORKS.len()).map(dine).collect();
    for diner in diners {
        diner.join().expect("no philosopher panics");
    }
    println!("all have eaten");
}

/// All hold the left fork before any asks for the right one.
fn hang(limit: Duration) {
    let (done, any_has_eaten) = mpsc::channel();
    let all_took_one = Arc::new(Barrier::new(FORKS.len()));
    for seat in 0..FORKS.len() {
        let (done, all_took_one) = (done.clone(), Arc::clone(&all_took_one));
        let (left, right) = forks_of(seat);
        philosopher(seat, move || {
            eat(left, right, || {
                all_took_one.wait();
            });
            done.send(()).expect("main waits");
        });
    }
    println!("process {}: five philosophers wait; the inn closes after {limit:?}", std::process::id());
    match any_has_eaten.recv_timeout(limit) {
        Ok(()) => println!("one of them has eaten"),
        Err(_) => println!("the inn closes with all of them hungry"),
    }
    exit(0);
}

fn philosopher(seat: usize, life: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().name(PHILOSOPHERS[seat].into()).spawn(life).expect("the system has room for five threads")
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run(false),
        ["--fixed"] => run(true),
        ["--hang"] => hang(Duration::from_secs(60)),
        ["--hang", seconds] if seconds.parse::<u32>().is_ok() => {
            hang(Duration::from_secs(seconds.parse().expect("just parsed")));
        }
        _ => {
            eprintln!("usage: philosophers [--fixed | --hang [SECONDS]]");
            exit(2);
        }
    }
}
