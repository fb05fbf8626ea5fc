//! Sessions: what is found while a piece of code runs.

use crate::{Report, rt};

/// Runs `f` and says what lockscope found meanwhile, for tests:
///
/// ```
/// use std::sync::Arc;
///
/// use lockscope::{sync::Mutex, thread};
///
/// let total = lockscope::session(|| {
///     let total = Arc::new(Mutex::new(0));
///     let adds = { let total = Arc::clone(&total); thread::spawn(move || *total.lock().unwrap() += 1) };
///     adds.join().unwrap();
///     *total.lock().unwrap()
/// })
/// .assert_clean();
/// assert_eq!(total, 1);
/// ```
///
/// # What is a session's
///
/// Other tests run at the same time in the same process. A finding is this session's
///
/// - when one of the threads that it is about is in the session: this one, and those that were begun in it, directly or not, by
///   [`thread`](crate::thread) or, on Linux, by anything else (std, rayon, an async runtime);
/// - when a thread of no session, such as one of a pool that there was before, does something to a lock that a thread of the session
///   was the first to use.
///
/// A lock-order inversion is a session's only if all that takes part is: orders of two sessions make none together, and what another
/// test does to a `static` is no fault of this one. Nor does it matter what ran before: a session tells again what others have told.
/// Under cargo-nextest, which starts a process for each test, everything in the process is the session's.
///
/// What threads do that outlive the session is not in it any more; join them.
///
/// # Deadlocks
///
/// A thread that is deadlocked would never end the session. So `deadlock=report`, the default, means to panic here, in the thread that
/// completes the deadlock; where no thread can, as where all wait for notifications, the process ends with status 66 (under libtest that may take a
/// minute: its own thread waits with a time limit for so long, and could do something yet). `deadlock=panic`, `abort`
/// and `exit` do what they say.
///
/// When `f` panics, so does this; reports are on the standard error in any case. When lockscope is off, `f` is run and nothing is found.
pub fn session<R>(f: impl FnOnce() -> R) -> Outcome<R> {
    let running = Running::begin();
    let value = f();
    Outcome { value, findings: running.end() }
}

/// What came of a [`session`].
#[derive(Debug)]
#[must_use = "findings are of no use if nobody looks; see `assert_clean`"]
pub struct Outcome<R> {
    /// What the code returned.
    pub value: R,
    /// What was found, in order of time. At most a hundred are kept.
    pub findings: Vec<Report>,
}

impl<R> Outcome<R> {
    /// Leaves out findings of these codes, such as `busy-wait`.
    pub fn allow(mut self, codes: &[&str]) -> Self {
        self.findings.retain(|finding| !codes.contains(&finding.code));
        self
    }

    /// What the code returned, if nothing was found.
    ///
    /// # Panics
    ///
    /// When something was found, with the reports but for their stacks.
    #[track_caller]
    pub fn assert_clean(self) -> R {
        if !self.findings.is_empty() {
            panic!("{}", describe(&self.findings, "session"));
        }
        self.value
    }
}

/// Says what was found, in something called so.
pub(crate) fn describe(findings: &[Report], whole: &str) -> String {
    let n = findings.len();
    let mut text = format!("lockscope: {n} finding{} in this {whole}", if n == 1 { "" } else { "s" });
    for finding in findings {
        let brief = finding.text.get(..finding.brief).unwrap_or(&finding.text);
        text.push_str("\n\n");
        text.push_str(brief.trim_end());
    }
    text
}

/// A session that ends when this is dropped, or by [`Running::end`].
#[derive(Debug)]
pub(crate) struct Running(Option<rt::Session>);

impl Running {
    pub(crate) fn begin() -> Self {
        Self(if crate::IS_ON { rt::Session::begin() } else { None })
    }

    /// What was found.
    pub(crate) fn end(mut self) -> Vec<Report> {
        self.0.take().map_or_else(Vec::new, rt::Session::end)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(session) = self.0.take() {
            drop(session.end());
        }
    }
}
