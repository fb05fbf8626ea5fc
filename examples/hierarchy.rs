//! Locks with ranks, taken in the wrong order.
//!
//! A rank declares where a lock stands: while it is held, only locks of a higher rank may be taken. One thread and
//! one wrong turn are enough to find out, no second thread with the opposite order is needed.
//!
//!     cargo run -p lockscope-parking_lot --example hierarchy
//!
//! Finding: `hierarchy-violation`, `catalogue` (rank 1) taken while `shelf` (rank 2) is held.
//!
//! Fix, with `--fixed`: what is wanted from the catalogue is read before the shelf is locked.

use std::process::exit;

use lockscope::{
    named,
    sync::{Mutex, PoisonError},
};

static CATALOGUE: Mutex<Vec<&str>> = named("catalogue").ranked(1).mutex(Vec::new());
static SHELF: Mutex<Vec<&str>> = named("shelf").ranked(2).mutex(Vec::new());

/// Puts a book on the shelf and into the catalogue, in the order of ranks.
fn add(title: &'static str) {
    let mut catalogue = CATALOGUE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
    catalogue.push(title);
    shelf.push(title);
}

/// Counts the books that are not in the catalogue, against the order of ranks.
fn count_strays() -> usize {
    let shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
    let catalogue = CATALOGUE.lock().unwrap_or_else(PoisonError::into_inner);
    shelf.iter().filter(|title| !catalogue.contains(title)).count()
}

fn count_strays_fixed() -> usize {
    let catalogue = CATALOGUE.lock().unwrap_or_else(PoisonError::into_inner);
    let shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
    shelf.iter().filter(|title| !catalogue.contains(title)).count()
}

fn run(count_strays: fn() -> usize) {
    add("The Art of Multiprocessor Programming");
    println!("{} books are not in the catalogue", count_strays());
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run(count_strays),
        ["--fixed"] => run(count_strays_fixed),
        _ => {
            eprintln!("usage: hierarchy [--fixed]");
            exit(2);
        }
    }
}
