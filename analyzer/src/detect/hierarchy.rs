//! Lock hierarchy: a thread takes ranked locks in rising order of rank only.
//!
//! Broken by a request for a rank not above the highest rank held. Locks without a rank are not looked at. A try cannot
//! wait and so breaks nothing; what it got counts as held. The order of releases does not matter.

use lockscope_trace::{Definitions, Event, LockId, Op};

use super::{
    Context, Detector,
    collected::{self, Collected},
    request::Request,
    text::{self, Class},
};
use crate::finding::{Code, Confidence, Evidence, Finding, Participant, Severity};

/// Finds violations of the lock hierarchy.
#[derive(Debug, Default)]
pub struct Hierarchy {
    /// By the classes of the lock held and the lock wanted.
    found: Collected<(Class, Class)>,
}

impl Detector for Hierarchy {
    fn before(&mut self, context: &Context<'_>, event: &Event) {
        if is_of_rank(context.definitions, event)
            && let Some(request) = self.found.ended(event, context.state)
        {
            self.check(context, &request);
        }
    }

    fn after(&mut self, context: &Context<'_>, event: &Event) {
        if is_of_rank(context.definitions, event)
            && let Some(request) = self.found.begun(event, context.state)
        {
            self.check(context, &request);
        }
    }

    fn findings(&mut self, _context: &Context<'_>) -> Vec<Finding> {
        self.found.findings().cloned().collect()
    }

    fn limits(&self) -> Vec<String> {
        self.found.limits()
    }
}

/// Whether the event is about a lock that has a rank.
#[inline]
fn is_of_rank(definitions: &Definitions, event: &Event) -> bool {
    let (Op::Acquired { lock, .. } | Op::TimedOut { lock, .. } | Op::Wait { lock, .. }) = event.op else {
        return false;
    };
    definitions.lock(lock).is_some_and(|lock| lock.rank.is_some())
}

impl Hierarchy {
    fn check(&mut self, context: &Context<'_>, request: &Request<'_>) {
        let definitions = context.definitions;
        let rank_of = |lock: LockId| definitions.lock(lock).and_then(|lock| lock.rank);
        let Some(rank) = rank_of(request.lock) else { return };
        // What is held of the same lock is a matter of its modes.
        let others = request.held.iter().filter(|held| held.lock != request.lock);
        let Some((highest, held)) =
            others.filter_map(|held| Some((rank_of(held.lock)?, held))).max_by_key(|&(rank, held)| (rank, held.event))
        else {
            return;
        };
        if rank > highest {
            return;
        }
        let participant =
            Participant { thread: request.thread, held: vec![held.clone()], wanted: Some(request.wanted()) };
        let key = (text::class(definitions, held.lock), text::class(definitions, request.lock));
        let locks = vec![held.lock, request.lock];
        self.found.add(key, vec![participant], |participants| {
            let code = Code::HierarchyViolation;
            let (wanted, held) = (definitions.lock_name(locks[1]), definitions.lock_name(locks[0]));
            Finding {
                evidence: Evidence::default(),
                code,
                severity: Severity::Error,
                confidence: Confidence::Actual,
                title: format!("{wanted} (rank {rank}) is taken while {held} (rank {highest}) is held"),
                fingerprint: text::fingerprint(definitions, code, &locks, &participants),
                variants: Vec::new(),
                first_seen: collected::time(&participants),
                events: collected::events(&participants),
                count: 1,
                notes: vec!["ranks have to rise: a lock is taken only while lower ranks are held".to_owned()],
                help: vec![format!("take `{wanted}` before `{held}`, or give it a rank above {highest}")],
                participants,
                locks,
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, findings};

    #[test]
    fn ranks_rise() {
        check("A: lock a^1, lock b^2", &[]);
        check("A: lock b^2, lock a^1", &["hierarchy-violation a b"]);
        check("A: lock a^1, lock b^1", &["hierarchy-violation a b"]);
        // Released before.
        check("A: lock b^2, unlock b, lock a^1", &[]);
    }

    #[test]
    fn the_highest_rank_held_counts() {
        check("A: lock a^1, lock c^3, lock b^2", &["hierarchy-violation b c"]);
        // Out of order of release, only the lower one is left.
        check("A: lock a^1, lock c^3, unlock c, lock b^2", &[]);
        check("A: lock a^1, lock c^3, unlock a, lock b^2", &["hierarchy-violation b c"]);
    }

    #[test]
    fn locks_without_rank_do_not_count() {
        check("A: lock b^2, lock x, lock c^3", &[]);
        check("A: lock x, lock a^1", &[]);
    }

    #[test]
    fn tries_break_nothing_but_hold() {
        check("A: lock b^2, try a^1", &[]);
        check("A: try b^2, lock a^1", &["hierarchy-violation a b"]);
        check("A: lock b^2, timed a^1", &["hierarchy-violation a b"]);
    }

    #[test]
    fn a_wait_is_enough_and_counts_once() {
        check("A: lock b^2, wait a^1", &["hierarchy-violation a b"]);
        let found = findings("A: lock b^2, wait a^1, lock a, unlock a, lock a");
        assert_eq!((found.len(), found[0].count, found[0].variants.len()), (1, 2, 1));
        let found = findings("A: lock b^2, wait a^1 #1, lock a #1, unlock a, lock a #1");
        assert_eq!((found.len(), found[0].count, found[0].variants.len()), (1, 2, 0));
    }

    #[test]
    fn the_same_lock_is_a_matter_of_modes() {
        check("A: upread a^1, upgrade a", &[]);
        check("A: upread a^1, lock b^2, upgrade a", &["hierarchy-violation a b"]);
    }

    #[test]
    fn ranks_within_a_class() {
        check("A: lock acc.1^1, lock acc.2^1", &["hierarchy-violation Mutex<u8> (acc:1) #1 Mutex<u8> (acc:1) #2"]);
    }
}
