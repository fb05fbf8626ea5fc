//! What the tests do: two locks and the orders of taking them.

use std::sync::Arc;

use lockscope::{sync::Mutex, thread};

pub type Pair = (Mutex<i32>, Mutex<i32>);

pub fn pair() -> Arc<Pair> {
    Arc::new((Mutex::new(1), Mutex::new(2)))
}

pub fn one_order(pair: &Pair) {
    let first = pair.0.lock().unwrap();
    *pair.1.lock().unwrap() += *first;
}

pub fn other_order(pair: &Pair) {
    let second = pair.1.lock().unwrap();
    *pair.0.lock().unwrap() += *second;
}

/// Both, one after the other, by two threads.
pub fn both_orders(pair: &Arc<Pair>) {
    for order in [one_order, other_order] {
        let pair = Arc::clone(pair);
        thread::spawn(move || order(&pair)).join().unwrap();
    }
}

/// Both by threads of std's.
pub fn both_orders_by_std(pair: &Arc<Pair>) {
    for order in [one_order, other_order] {
        let pair = Arc::clone(pair);
        std::thread::spawn(move || order(&pair)).join().unwrap();
    }
}

/// Whether the kernel is one that hands on what sessions are known by.
pub fn are_threads_known_by_their_parent() -> bool {
    // SAFETY: takes nothing but numbers.
    unsafe { libc::prctl(libc::PR_GET_TIMERSLACK, 0, 0, 0, 0) > 0 }
}
