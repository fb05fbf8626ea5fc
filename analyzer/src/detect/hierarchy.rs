//! Lock hierarchy: a thread takes ranked locks in rising order of rank only.
//!
//! Broken by a request for a rank not above the highest rank held. Locks without a rank are not looked at. A try cannot
//! wait and so breaks nothing; what it got counts as held. The order of releases does not matter.

use lockscope_trace::{Event, LockId};

use super::{
    Context, Detector,
    collected::{self, Collected},
    request::Request,
    text::{self, Class},
};
use crate::finding::{Code, Confidence, Finding, Participant, Severity};

/// Finds violations of the lock hierarchy.
#[derive(Debug, Default)]
pub struct Hierarchy {
    /// By the classes of the lock held and the lock wanted.
    found: Collected<(Class, Class)>,
}

impl Detector for Hierarchy {
    fn before(&mut self, context: &Context<'_>, event: &Event) {
        if let Some(request) = self.found.ended(event, context.state) {
            self.check(context, &request);
        }
    }

    fn after(&mut self, context: &Context<'_>, event: &Event) {
        if let Some(request) = self.found.begun(event, context.state) {
            self.check(context, &request);
        }
    }

    fn findings(&mut self, _context: &Context<'_>) -> Vec<Finding> {
        self.found.findings().cloned().collect()
    }
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
