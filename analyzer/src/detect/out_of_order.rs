//! Locks that are released while one that was taken after them is held on.
//!
//! That is no error: locks may be released in any order. It is worth knowing, since what was checked under the first lock need not
//! hold any more while the second one is held. Locks of one class are left out: walking a list hand over hand is a pattern
//! of its own; so is a mutex that a wait on a condition variable gives up.

use lockscope_trace::{Event, Need, Op};

use super::{
    Context, Detector,
    collected::{self, Collected},
    text::{self, Class},
};
use crate::finding::{Code, Confidence, Evidence, Finding, Participant, Severity, Target};

/// Finds locks that were released out of order.
#[derive(Debug, Default)]
pub struct OutOfOrder {
    /// By the classes of the lock released and the lock held on.
    found: Collected<(Class, Class)>,
}

impl Detector for OutOfOrder {
    fn before(&mut self, context: &Context<'_>, event: &Event) {
        let Op::Released { lock, owner, mode, .. } = event.op else { return };
        let Context { definitions, state, .. } = *context;
        let Some(thread) = state.thread(owner).filter(|thread| thread.held.len() > 1 && owner == event.thread) else {
            return;
        };
        let waits = thread.wait().is_some_and(|wait| matches!(wait.target, Target::Object(_, Need::Notify)));
        let released =
            thread.held.iter().rposition(|held| held.lock == lock && mode.is_none_or(|mode| mode == held.mode));
        let Some(released) = released.filter(|_| !waits) else { return };
        let class = text::class(definitions, lock);
        let later = &thread.held[released + 1..];
        let Some(kept) = later.iter().find(|held| text::class(definitions, held.lock) != class) else { return };
        let first = thread.held[released].clone();
        let key = (class, text::class(definitions, kept.lock));
        let participant = Participant { thread: owner, held: vec![first, kept.clone()], wanted: None };
        let locks = vec![lock, kept.lock];
        self.found.add(key, vec![participant], |participants| {
            let code = Code::OutOfOrderRelease;
            let (released, kept) = (definitions.lock_name(locks[0]), definitions.lock_name(locks[1]));
            Finding {
                evidence: Evidence::default(),
                code,
                severity: Severity::Note,
                confidence: Confidence::Actual,
                title: format!("{released} is released while {kept}, which was taken after it, is held"),
                fingerprint: text::fingerprint(definitions, code, &locks, &participants),
                variants: Vec::new(),
                first_seen: event.time,
                events: collected::events(&participants),
                count: 1,
                notes: vec![format!("what was seen under {released} may have changed while {kept} is held")],
                help: vec![format!("release {kept} first, or take it only after {released} is released")],
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
    use crate::testing::findings_and_notes;

    fn check(trace: &str, expected: &[&str]) {
        let found = findings_and_notes(trace);
        assert!(found.iter().all(|finding| finding.code.as_str() == "out-of-order-release"), "{found:?}");
        assert_eq!(found.iter().map(|finding| finding.title.as_str()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_first_is_released_first() {
        check("A: lock a, lock b, unlock a, unlock b", &["a is released while b, which was taken after it, is held"]);
        check("A: lock a, lock b, unlock b, unlock a", &[]);
        check("A: read a, lock b, unlock a", &["a is released while b, which was taken after it, is held"]);
    }

    #[test]
    fn hand_over_hand_is_a_pattern() {
        check("A: lock acc.1, lock acc.2, unlock acc.1, lock acc.3, unlock acc.2, unlock acc.3", &[]);
    }

    #[test]
    fn a_wait_gives_up_its_mutex() {
        check("A: lock m, lock b, condwait c m, unlock m", &[]);
    }

    #[test]
    fn once_for_a_pair() {
        let found = findings_and_notes(&"A: lock a #1, lock b #2, unlock a, unlock b;".repeat(1000));
        assert_eq!((found.len(), found[0].count), (1, 1000));
    }
}
