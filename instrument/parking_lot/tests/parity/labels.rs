//! Names and ranks: the same source in builds with lockscope and without.

use crate::facade_crate::{Condvar, FairMutex, Label, Mutex, Once, ReentrantMutex, RwLock, named, ranked};

static ACCOUNTS: Mutex<Vec<u64>> = named("accounts").ranked(1).mutex(Vec::new());
static RATES: RwLock<f64> = ranked(2).named("rates").rwlock(1.5);
static CHANGED: Condvar = named("changed").condvar();
static QUEUE: FairMutex<u8> = named("queue").fair_mutex(3);
static TREE: ReentrantMutex<u8> = named("tree").reentrant_mutex(4);
static START: Once = named("start").once();
const LABEL: Label = named("from a constant");

struct Fields {
    first: Mutex<u8>,
    second: RwLock<String>,
}

#[test]
fn labelled_locks_are_locks() {
    ACCOUNTS.lock().push(1);
    assert_eq!(*RATES.read(), 1.5);
    assert!(!CHANGED.notify_one());
    assert_eq!((*QUEUE.lock(), *TREE.lock()), (3, 4));
    START.call_once(|| ());
    let fields = Fields { first: LABEL.mutex(1), second: ranked(65534).rwlock("text".into()) };
    assert_eq!((fields.first.into_inner(), fields.second.into_inner().as_str()), (1, "text"));
}

#[test]
fn the_last_rank_is_reserved() {
    assert!(std::panic::catch_unwind(|| ranked(u16::MAX)).is_err());
}
