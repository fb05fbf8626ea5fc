//! How often findings that are reported once were seen; said at the end of the process.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use lockscope_trace::defs::short_paths;

use super::{reentry, report::write_report};

/// Counting stops here, so that a fault in a busy place does not slow the program down for ever.
const MOST: u64 = 10_000;

/// How often one finding was seen.
#[derive(Debug)]
pub(super) struct Count {
    title: String,
    seen: AtomicU64,
}

impl Count {
    /// Notes that it was seen again; true while that is worth knowing.
    pub(super) fn again(&self) -> bool {
        self.seen.fetch_add(1, Ordering::Relaxed) < MOST
    }
}

static COUNTS: Mutex<Vec<&'static Count>> = Mutex::new(Vec::new());

/// Begins to count a finding that has just been seen for the first time. Findings are few, so it is never freed.
pub(super) fn begin(title: String) -> &'static Count {
    let title = short_paths(&title);
    let count: &'static Count = Box::leak(Box::new(Count { title, seen: AtomicU64::new(1) }));
    if let Some(mut counts) = reentry::lock(&COUNTS) {
        counts.push(count);
    }
    count
}

/// Says how often each finding was seen, those that were seen once left out. At the end of the process, when other threads may still
/// run; so nothing is waited for.
pub(super) fn say_all() {
    let Ok(counts) = COUNTS.try_lock() else { return };
    for count in counts.iter() {
        let seen = count.seen.load(Ordering::Relaxed);
        let at_least = if seen > MOST { "at least " } else { "" };
        if seen > 1 {
            write_report(&format!("lockscope: seen {at_least}{} times: {}\n", seen.min(MOST), count.title));
        }
    }
}
