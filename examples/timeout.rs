//! A lock that is held for too long.
//!
//! Nothing is deadlocked, but a request waits for half a second because a report is printed under the lock that it
//! needs. A time limit on waits says who holds the lock, since when, and where it was taken; the wait goes on.
//!
//!     cargo run -p lockscope-parking_lot --example timeout
//!
//! Finding: `lock-timeout`, `request` waits for `orders`, which `report` holds.
//!
//! Fix, with `--fixed`: the report is made from a copy.

use std::{process::exit, sync::mpsc, time::Duration};

use lockscope::thread;
use lockscope_parking_lot::{Mutex, named};

static ORDERS: Mutex<Vec<u32>> = named("orders").mutex(Vec::new());

/// Time is the subject here: a wait must be longer than the limit to be found.
const LIMIT: Duration = Duration::from_millis(100);
const PRINTING: Duration = Duration::from_millis(500);

/// Prints under the lock. `meanwhile` is called when printing begins.
fn report(meanwhile: impl FnOnce()) {
    let orders = ORDERS.lock();
    meanwhile();
    print_slowly(&orders);
}

fn report_fixed(meanwhile: impl FnOnce()) {
    let orders = ORDERS.lock().clone();
    meanwhile();
    print_slowly(&orders);
}

fn print_slowly(orders: &[u32]) {
    std::thread::sleep(PRINTING);
    println!("{} orders", orders.len());
}

fn run(fixed: bool) {
    let (prints, printing) = mpsc::channel();
    let meanwhile = move || prints.send(()).expect("the request waits");
    let reporter = spawn("report", move || if fixed { report_fixed(meanwhile) } else { report(meanwhile) });
    let request = spawn("request", move || {
        printing.recv().expect("the report says when");
        ORDERS.lock().push(1);
    });
    request.join().expect("the request does not panic");
    reporter.join().expect("the report does not panic");
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().name(name.into()).spawn(work).expect("the system has room for two threads")
}

fn main() {
    lockscope::builder().timeout(LIMIT).install();
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run(false),
        ["--fixed"] => run(true),
        _ => {
            eprintln!("usage: timeout [--fixed]");
            exit(2);
        }
    }
}
