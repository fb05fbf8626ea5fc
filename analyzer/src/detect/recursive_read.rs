//! Recursive reads: a thread reads a lock that it holds for reading already, by a call that can wait.
//!
//! A writer that comes in between waits for the first read, and fair locks let no reader pass it: then both hang. That
//! is [`deadlock`](super::deadlock)'s to report when it happens; here it is *potential*.

use lockscope_trace::{Event, Mode, Op};

use super::{
    Context, Detector,
    collected::{self, Collected},
    request::Request,
    text::{self, Class},
};
use crate::finding::{Code, Confidence, Evidence, Finding, Participant, Severity};

/// Finds recursive reads.
#[derive(Debug, Default)]
pub struct RecursiveRead {
    found: Collected<Class>,
    /// By [`LockId`]: exclusive access was asked for.
    written: Vec<bool>,
}

impl Detector for RecursiveRead {
    fn before(&mut self, context: &Context<'_>, event: &Event) {
        if let Op::Acquired { lock, mode: Mode::Exclusive, .. } | Op::Wait { lock, mode: Mode::Exclusive, .. } =
            event.op
        {
            let index = lock.0 as usize;
            if index >= self.written.len() {
                self.written.resize(index + 1, false);
            }
            self.written[index] = true;
        }
        if is_read(event)
            && let Some(request) = self.found.ended(event, context.state)
        {
            self.check(context, &request);
        }
    }

    fn after(&mut self, context: &Context<'_>, event: &Event) {
        if is_read(event)
            && let Some(request) = self.found.begun(event, context.state)
        {
            self.check(context, &request);
        }
    }

    fn findings(&mut self, context: &Context<'_>) -> Vec<Finding> {
        let with_writer = |finding: &Finding| {
            let mut finding = finding.clone();
            let lock = finding.locks[0];
            let name = context.definitions.lock_name(lock);
            finding.notes.push(if self.written.get(lock.0 as usize).is_some_and(|&written| written) {
                format!("{name} is also written in this run; a writer that waits between the two reads makes both hang")
            } else {
                format!("no writer of {name} was seen in this run; without one the second read cannot hang")
            });
            finding
        };
        self.found.findings().map(with_writer).collect()
    }

    fn limits(&self) -> Vec<String> {
        self.found.limits()
    }
}

/// Whether the event is about a read of a lock.
#[inline]
fn is_read(event: &Event) -> bool {
    matches!(
        event.op,
        Op::Acquired { mode: Mode::Shared, .. }
            | Op::TimedOut { mode: Mode::Shared, .. }
            | Op::Wait { mode: Mode::Shared, .. }
    )
}

impl RecursiveRead {
    fn check(&mut self, context: &Context<'_>, request: &Request<'_>) {
        let Some(held) = request.held.iter().find(|held| held.lock == request.lock) else { return };
        if request.mode != Mode::Shared || request.recursive || held.mode == Mode::Exclusive {
            return;
        }
        let definitions = context.definitions;
        let participant =
            Participant { thread: request.thread, held: vec![held.clone()], wanted: Some(request.wanted()) };
        let lock = request.lock;
        self.found.add(text::class(definitions, lock), vec![participant], |participants| {
            let code = Code::RecursiveRead;
            let name = definitions.lock_name(lock);
            Finding {
                evidence: Evidence::default(),
                code,
                severity: Severity::Warning,
                confidence: Confidence::Potential,
                title: format!("{name} is read again by a thread that reads it already"),
                fingerprint: text::fingerprint(definitions, code, &[lock], &participants),
                variants: Vec::new(),
                locks: vec![lock],
                first_seen: collected::time(&participants),
                events: collected::events(&participants),
                count: 1,
                notes: Vec::new(),
                help: vec![format!("pass the first guard of {name} on instead of reading again, or release it before")],
                participants,
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, findings};

    #[test]
    fn reading_again() {
        check("A: read a, read a", &["recursive-read a"]);
        check("A: read a, unlock a, read a", &[]);
        check("A: read a; B: read a", &[]);
        check("A: read a, read b", &[]);
        check("A: upread a, read a", &["recursive-read a"]);
        check("A: read a, tryread a", &[]);
        check("A: tryread a, read a", &["recursive-read a"]);
        check("A: read a, readagain a", &[]);
        check("A: read a, waitreadagain a", &[]);
        check("A: readagain a, read a", &["recursive-read a"]);
    }

    #[test]
    fn the_writer_is_told() {
        let note = |trace| findings(trace)[0].notes.join(" ");
        assert!(note("A: read a, read a, unlock a, unlock a; B: lock a").contains("also written"));
        assert!(note("A: read a, read a, unlock a, unlock a; B: lock b").contains("no writer of a was seen"));
    }

    #[test]
    fn once_for_a_lock_with_all_places() {
        let found = findings("A: read a #1, read a #2, unlock a, read a #2, unlock a, read a #3");
        assert_eq!((found.len(), found[0].count, found[0].variants.len()), (1, 3, 1));
    }
}
