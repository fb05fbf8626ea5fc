//! Waits without a time limit: a lint for programs in which every wait has to have one. Off unless it is asked for.
//!
//! Only places where a thread really had to wait are told. A join has no form with a limit, and a read-write lock's upgrade is asked
//! for where the lock was; both are left out.

use lockscope_trace::{Event, LockId, SiteId};

use super::{
    Context, Detector,
    collected::{self, Collected},
    text::{self, Class},
};
use crate::finding::{Code, Confidence, Evidence, Finding, Participant, Severity, Target};

/// Finds waits without a time limit.
#[derive(Debug, Default)]
pub struct NoTimeout {
    /// By what was waited for and where.
    found: Collected<(Option<Class>, Option<SiteId>)>,
}

impl Detector for NoTimeout {
    fn after(&mut self, context: &Context<'_>, event: &Event) {
        let Context { definitions, state, .. } = *context;
        let wait = state.thread(event.thread).and_then(|thread| thread.wait());
        let Some(wait) = wait.filter(|wait| wait.event == state.position && !wait.limited) else { return };
        let lock: Option<LockId> = match wait.target {
            Target::Lock(lock, _) | Target::Object(lock, _) => Some(lock),
            Target::Token => None,
            Target::Thread(_) => return,
        };
        let participant = Participant { thread: event.thread, held: Vec::new(), wanted: Some(wait.wanted()) };
        let key = (lock.map(|lock| text::class(definitions, lock)), wait.site);
        self.found.add(key, vec![participant], |participants| {
            let code = Code::NoTimeout;
            let who = definitions.thread_name(event.thread);
            let locks: Vec<LockId> = lock.into_iter().collect();
            let title = match lock {
                Some(lock) => format!("{who} waits for {} without a time limit", definitions.class_name(lock)),
                None => format!("{who} parks without a time limit"),
            };
            Finding {
                evidence: Evidence::default(),
                code,
                severity: Severity::Warning,
                confidence: Confidence::Actual,
                title,
                fingerprint: text::fingerprint(definitions, code, &locks, &participants),
                variants: Vec::new(),
                first_seen: event.time,
                events: collected::events(&participants),
                count: 1,
                notes: Vec::new(),
                help: vec![
                    "wait with a time limit (`try_lock_for`, `wait_timeout`, `recv_timeout`, ...) and handle its end"
                        .to_owned(),
                ],
                participants,
                locks,
            }
        });
    }

    fn findings(&mut self, _context: &Context<'_>) -> Vec<Finding> {
        self.found.findings().cloned().collect()
    }

    fn limits(&self) -> Vec<String> {
        self.found.limits()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Analysis, Options, testing::parse};

    fn found(trace: &str, no_timeout: bool) -> Vec<(String, u64)> {
        let (events, definitions) = parse(trace);
        let mut analysis = Analysis::new(Options { no_timeout, ..Options::default() });
        events.iter().for_each(|event| analysis.feed(event, &definitions));
        let findings = analysis.findings(&definitions);
        findings.into_iter().map(|finding| (finding.title, finding.count)).collect()
    }

    #[test]
    fn only_when_asked_for() {
        let trace = "M: lock a; A: wait a; M: unlock a; A: lock a, park";
        assert_eq!(found(trace, false), []);
        assert_eq!(
            found(trace, true),
            [("A waits for a without a time limit".to_owned(), 1), ("A parks without a time limit".to_owned(), 1)]
        );
    }

    #[test]
    fn limits_joins_and_locks_that_were_free_are_fine() {
        let trace = "M: spawn A, lock a, unlock a; A: condwait c m limited, park limited, await d message limited; M: joinwait A";
        assert_eq!(found(trace, true), []);
    }

    #[test]
    fn once_for_a_place() {
        let trace = "A: await d message #7, got d, recv d;".repeat(1000);
        assert_eq!(found(&trace, true), [("A waits for d without a time limit".to_owned(), 1000)]);
    }
}
