//! Transfers between two accounts, in opposite directions.
//!
//! Each transfer locks the account that it takes from, then the one that it gives to. One teller moves money from
//! alice to bob, the other from bob to alice: should both have taken their first lock, neither gets the second.
//!
//!     cargo run -p lockscope-parking_lot --example bank
//!
//! Finding: `lock-order-inversion` between `alice` and `bob`, on every run, though the tellers work one after the
//! other here and nothing hangs. With `--hang [SECONDS]` they really meet: `deadlock`, and the program stays for so
//! many seconds, by default 60, to be looked at.
//!
//! Fix, with `--fixed`: both tellers lock the accounts in the same order, that of their numbers.

use std::{
    process::exit,
    sync::{Arc, Barrier, mpsc},
    time::Duration,
};

use lockscope::thread;
use lockscope_parking_lot::{Mutex, named};

struct Account {
    number: u32,
    balance: Mutex<i64>,
}

static ALICE: Account = Account { number: 1, balance: named("alice").mutex(100) };
static BOB: Account = Account { number: 2, balance: named("bob").mutex(100) };

/// Moves money. `meanwhile` runs between the two locks.
fn transfer(from: &Account, to: &Account, amount: i64, meanwhile: impl FnOnce()) {
    let mut source = from.balance.lock();
    meanwhile();
    let mut target = to.balance.lock();
    *source -= amount;
    *target += amount;
}

fn transfer_in_order(from: &Account, to: &Account, amount: i64) {
    let (first, second) = if from.number < to.number { (from, to) } else { (to, from) };
    let mut first_balance = first.balance.lock();
    let mut second_balance = second.balance.lock();
    let sign = if from.number < to.number { 1 } else { -1 };
    *first_balance -= sign * amount;
    *second_balance += sign * amount;
}

/// Two tellers work one after the other. A channel that lockscope does not follow keeps them apart: nothing in the
/// program makes sure that they never meet.
fn run(transfer: fn(&Account, &Account, i64)) {
    let (done, first_is_done) = mpsc::channel();
    let first = teller("teller 1", move || {
        transfer(&ALICE, &BOB, 10);
        done.send(()).expect("teller 2 waits");
    });
    let second = teller("teller 2", move || {
        first_is_done.recv().expect("teller 1 says when");
        transfer(&BOB, &ALICE, 5);
    });
    first.join().expect("teller 1 does not panic");
    second.join().expect("teller 2 does not panic");
    // One after the other: in one `println!` both would be locked at once, alice first.
    println!("alice has {}", ALICE.balance.lock());
    println!("bob has {}", BOB.balance.lock());
}

/// Both tellers hold their first lock before either asks for the second.
fn hang(limit: Duration) {
    let (done, any_is_done) = mpsc::channel();
    let meet = Arc::new(Barrier::new(2));
    for (name, from, to) in [("teller 1", &ALICE, &BOB), ("teller 2", &BOB, &ALICE)] {
        let (done, meet) = (done.clone(), Arc::clone(&meet));
        teller(name, move || {
            transfer(from, to, 10, || {
                meet.wait();
            });
            done.send(()).expect("main waits");
        });
    }
    println!("process {}: two tellers wait for each other; the bank closes after {limit:?}", std::process::id());
    match any_is_done.recv_timeout(limit) {
        Ok(()) => println!("one of them got through"),
        Err(_) => println!("the bank closes with both still waiting"),
    }
    exit(0);
}

fn teller(name: &str, work: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().name(name.into()).spawn(work).expect("the system has room for two threads")
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run(|from, to, amount| transfer(from, to, amount, || ())),
        ["--fixed"] => run(transfer_in_order),
        ["--hang"] => hang(Duration::from_secs(60)),
        ["--hang", seconds] if seconds.parse::<u32>().is_ok() => {
            hang(Duration::from_secs(seconds.parse().expect("just parsed")));
        }
        _ => {
            eprintln!("usage: bank [--fixed | --hang [SECONDS]]");
            exit(2);
        }
    }
}
