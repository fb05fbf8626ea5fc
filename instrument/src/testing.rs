//! What `#[lockscope::test]` makes of a test. Not a public interface: code that the attribute writes uses it, nobody else should.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind},
    pin::pin,
    process::Termination,
    sync::Mutex,
    task::Poll,
    thread,
};

pub use lockscope_macros::body;

use crate::{
    Report, rt,
    session::{Running, describe},
};

/// A test, as the attribute found it.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    /// Its path, without the crate.
    pub name: &'static str,
    /// Codes of findings that do not make it fail.
    pub allow: &'static [&'static str],
}

type Panicked = Box<dyn Any + Send>;

impl Test {
    /// By its path, with the crate's name.
    pub fn new(path: &'static str, allow: &'static [&'static str]) -> Self {
        Self { name: path.split_once("::").map_or(path, |(_, name)| name), allow }
    }

    /// Runs it.
    ///
    /// # Panics
    ///
    /// When the body does, and when something was found.
    #[track_caller]
    pub fn run<T: Termination>(self, body: fn() -> T) -> T {
        let running = self.begin();
        let result = catch_unwind(body);
        self.result(result, running)
    }

    /// Runs a test that is to panic. It returns when something was found: to have panicked would be to have passed.
    ///
    /// # Panics
    ///
    /// When the body does, and nothing was found.
    #[track_caller]
    pub fn run_to_panic(self, body: fn()) {
        let running = self.begin();
        let result = catch_unwind(body);
        self.panicked(result, running);
    }

    /// Runs one that is a future.
    ///
    /// # Panics
    ///
    /// As [`Test::run`].
    pub async fn run_future<T: Termination>(self, body: impl Future<Output = T>) -> T {
        let running = self.begin();
        let result = catch(body).await;
        self.result(result, running)
    }

    /// Runs one that is a future and is to panic.
    ///
    /// # Panics
    ///
    /// As [`Test::run_to_panic`].
    pub async fn run_future_to_panic(self, body: impl Future<Output = ()>) {
        let running = self.begin();
        let result = catch(body).await;
        self.panicked(result, running);
    }

    #[track_caller]
    fn begin(self) -> Running {
        if crate::IS_ON {
            self.refuse_second_start();
            rt::region::mark(&format!("test {}", self.name), Location::caller());
        }
        Running::begin()
    }

    #[track_caller]
    fn result<T: Termination>(self, result: Result<T, Panicked>, running: Running) -> T {
        let findings = self.end(running);
        match result {
            Ok(value) if findings.is_empty() => value,
            Ok(value) => {
                // Says what the error is, if it is one.
                let _ = value.report();
                panic!("{}", describe(&findings, "test"));
            }
            Err(panicked) => {
                if !findings.is_empty() {
                    eprintln!("{}", describe(&findings, "test"));
                }
                resume_unwind(panicked)
            }
        }
    }

    fn panicked(self, result: Result<(), Panicked>, running: Running) {
        let findings = self.end(running);
        match result {
            _ if !findings.is_empty() => eprintln!("{}", describe(&findings, "test")),
            Ok(()) => {}
            Err(panicked) => resume_unwind(panicked),
        }
    }

    fn end(self, running: Running) -> Vec<Report> {
        let mut findings = running.end();
        findings.retain(|finding| !self.allow.contains(&finding.code));
        findings
    }

    /// `#[test]` above the attribute has made a test of the function before the attribute saw it, and left no mark.
    #[track_caller]
    fn refuse_second_start(self) {
        static STARTED: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
        // Other tests may call it.
        if thread::current().name() != Some(self.name) {
            return;
        }
        let mut started = STARTED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_second = started.contains(&self.name);
        started.push(self.name);
        drop(started);
        assert!(
            !is_second,
            "`{}` is a test twice: leave out `#[test]` above `#[lockscope::test]`, which makes it one",
            self.name
        );
    }
}

/// Panics of a future.
async fn catch<T>(future: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(panicked) => Poll::Ready(Err(panicked)),
    })
    .await
}
