//! A subscriber of `tracing` that takes instrumented locks, in a program that logs while it holds some, and from the callback for findings: no
//! recursion, no deadlock of lockscope's own making, and what is found is the program's.
#![cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]

use std::{
    env,
    fmt::{self, Write as _},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use lockscope::sync::{Mutex, RwLock};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// What a subscriber that writes to a file has: names of spans behind one lock, and what is written behind another.
#[derive(Default)]
struct Log {
    spans: RwLock<Vec<&'static str>>,
    lines: Mutex<Vec<String>>,
    entered: AtomicU64,
}

static LOG: std::sync::LazyLock<Log> = std::sync::LazyLock::new(Log::default);

struct Writing;

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

impl Subscriber for Writing {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut spans = LOG.spans.write().unwrap();
        spans.push(span.metadata().name());
        span::Id::from_u64(spans.len() as u64)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let spans = LOG.spans.read().unwrap();
        let mut text = Text(format!("{} after {} spans: ", event.metadata().target(), spans.len()));
        event.record(&mut text);
        LOG.lines.lock().unwrap().push(text.0);
    }

    fn enter(&self, _: &span::Id) {
        LOG.entered.fetch_add(1, Ordering::Relaxed);
    }

    fn exit(&self, _: &span::Id) {
        let _spans = LOG.spans.read().unwrap();
    }
}

/// Says to a test that it is the child.
const CHILD: &str = "LOCKSCOPE_TEST_CHILD";
const THREADS: usize = 4;
const ROUNDS: usize = 500;

fn child() {
    tracing::subscriber::set_global_default(Writing).expect("the first one");
    // Called back with lockscope's own work under way.
    lockscope::builder().on_finding(|report| tracing::error!(code = %report.code, "found")).install();
    let work = || {
        for n in 0..ROUNDS {
            let (one, other) = (Mutex::new(n), Mutex::new(n));
            let span = tracing::info_span!("round", n);
            let _entered = span.enter();
            let held = one.lock().unwrap();
            tracing::info!(held = *held, "holds one");
            let both = other.lock().unwrap();
            tracing::info!(both = *both, "holds both");
            drop((both, held));
            if n % 100 == 0 {
                // The other order, in another thread: a finding.
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        let _held = other.lock().unwrap();
                        let _too = one.lock().unwrap();
                    });
                });
            }
        }
    };
    let threads: Vec<_> = (0..THREADS).map(|_| std::thread::spawn(work)).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let lines = LOG.lines.lock().unwrap();
    let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    assert_eq!((count("holds one"), count("holds both")), (THREADS * ROUNDS, THREADS * ROUNDS));
    assert!(count("lock-order-inversion") > 0, "the callback was logged");
    assert_eq!(LOG.entered.load(Ordering::Relaxed), (THREADS * ROUNDS) as u64);
}

/// Only a failure waits for it.
const WATCHDOG: Duration = Duration::from_secs(180);

fn has_succeeded(child: &mut Child) -> bool {
    let deadline = Instant::now() + WATCHDOG;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("our child") {
            return status.success();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("our child");
    child.wait().expect("our child");
    false
}

#[test]
fn a_subscriber_may_take_locks() {
    if env::var_os(CHILD).is_some() {
        return child();
    }
    let dir = tempfile::tempdir().unwrap();
    for settings in ["report=reports", "report=reports,record=a.lks"] {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "a_subscriber_may_take_locks", "--nocapture"])
            .env(CHILD, "1")
            .env("LOCKSCOPE", settings)
            .env_remove("RUST_BACKTRACE")
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("it can be run");
        assert!(has_succeeded(&mut child), "{settings}: it hung or failed");
        let reports = std::fs::read_to_string(dir.path().join("reports")).expect("there are findings");
        assert!(!reports.contains("deadlock["), "{settings}: a deadlock that is none of the program's: {reports}");
    }
}
