//! Waits that took longer than the limit that the program set. The process notices them and records it; who held the
//! lock is taken from the state at that moment.

use lockscope_trace::{Definitions, Event, LockId, Op, SiteId, ThreadId};

use super::{
    Context, Detector,
    collected::{self, Collected},
    text::{self, Class},
};
use crate::{
    finding::{Code, Confidence, Evidence, Finding, Participant, Severity, Target, Wanted},
    state::{State, ThreadState, Wait},
};

/// Collects waits over the limit.
#[derive(Debug, Default)]
pub struct Timeout {
    /// By what was waited for and where.
    found: Collected<(Option<Class>, Option<SiteId>)>,
}

impl Detector for Timeout {
    fn after(&mut self, context: &Context<'_>, event: &Event) {
        let Op::Finding { code, text } = event.op else { return };
        let Context { definitions, state, .. } = *context;
        if definitions.string(code).is_none_or(|code| **code != *Code::LockTimeout.as_str()) {
            return;
        }
        let waiter = participant(state, event.thread, None);
        let lock = match waiter.wanted.as_ref().map(|wanted| wanted.target) {
            Some(Target::Lock(lock, _)) => Some(lock),
            _ => None,
        };
        let site = waiter.wanted.as_ref().map_or(event.site, |wanted| wanted.site);
        let mut participants = vec![waiter];
        if let Some(lock) = lock
            && let Some(lock_state) = state.lock(lock)
        {
            for &(holder, ..) in lock_state.holders.iter().filter(|(holder, ..)| *holder != event.thread) {
                if participants.iter().all(|participant| participant.thread != holder) {
                    participants.push(participant(state, holder, Some(lock)));
                }
            }
        }
        let key = (lock.map(|lock| text::class(definitions, lock)), site);
        self.found.add(key, participants, |participants| {
            let said = definitions.string(text).map(|text| &**text).unwrap_or_default();
            finding(definitions, event, lock, participants, said)
        });
    }

    fn findings(&mut self, _context: &Context<'_>) -> Vec<Finding> {
        self.found.findings().cloned().collect()
    }

    fn limits(&self) -> Vec<String> {
        self.found.limits()
    }
}

/// The thread with what it holds of `lock` (all that it holds when `None`), and what it waits for.
fn participant(state: &State, thread: ThreadId, lock: Option<LockId>) -> Participant {
    let thread_state = state.thread(thread);
    let held = thread_state.iter().flat_map(|thread| &thread.held);
    let held = held.filter(|held| lock.is_none_or(|lock| held.lock == lock)).cloned().collect();
    let wanted = thread_state.and_then(ThreadState::wait).map(Wait::wanted);
    Participant { thread, held, wanted }
}

fn finding(
    definitions: &Definitions,
    event: &Event,
    lock: Option<LockId>,
    participants: Vec<Participant>,
    said: &str,
) -> Finding {
    let code = Code::LockTimeout;
    let waiter = definitions.thread_name(event.thread);
    let name = lock.map_or_else(|| "a lock".to_owned(), |lock| definitions.lock_name(lock));
    let mut notes = Vec::new();
    let holders = &participants[1..];
    if lock.is_none() {
        notes.push("the wait itself is missing from the trace; the process reported:".to_owned());
        notes.extend(said.lines().next().map(str::to_owned));
    } else if holders.is_empty() {
        notes.push(format!("nobody is known to hold {name} at that moment"));
    }
    for holder in holders {
        let who = definitions.thread_name(holder.thread);
        if let Some(held) = holder.held.first() {
            notes.push(format!("{who} had held {name} for {} by then", event.time.since(held.since)));
        }
        if let Some(Wanted { target: Target::Lock(other, _), .. }) = holder.wanted {
            notes.push(format!("{who} itself waited for {}", definitions.lock_name(other)));
        }
    }
    let locks: Vec<LockId> = lock.into_iter().collect();
    let mut events = collected::events(&participants);
    events.retain(|&event| event > 0);
    Finding {
        evidence: Evidence::default(),
        code,
        severity: Severity::Error,
        confidence: Confidence::Actual,
        title: format!("{waiter} waits for {name} for longer than the time limit"),
        fingerprint: text::fingerprint(definitions, code, &locks, &participants),
        variants: Vec::new(),
        locks,
        first_seen: event.time,
        events,
        count: 1,
        notes,
        help: vec![format!("hold {name} for less time, or raise the limit")],
        participants,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check, findings};

    #[test]
    fn the_holder_is_taken_from_the_state() {
        let found = findings("A: lock m @10, wait x @15; B: wait m @20, finding lock-timeout @80");
        assert_eq!((found.len(), found[0].code, found[0].confidence), (1, Code::LockTimeout, Confidence::Actual));
        let [waiter, holder] = &found[0].participants[..] else { panic!("{found:?}") };
        assert_eq!(waiter.wanted.as_ref().map(|wanted| wanted.since.0), Some(20));
        assert_eq!((holder.thread, holder.held[0].since.0), (ThreadId(0), 10));
        assert_eq!(found[0].notes, ["A had held m for 70 ns by then", "A itself waited for x"]);
        assert_eq!(found[0].events, [1, 2, 3]);
    }

    #[test]
    fn readers_are_all_named() {
        let found = findings("A: read m; B: read m; C: wait m, finding lock-timeout");
        assert_eq!(found[0].participants.len(), 3);
    }

    #[test]
    fn what_is_missing_is_said() {
        let note = |trace| findings(trace)[0].notes.join(" ");
        assert!(note("B: wait m, finding lock-timeout").contains("nobody is known to hold m"));
        assert!(note("B: finding lock-timeout").contains("as reported by the process"));
    }

    #[test]
    fn other_findings_of_the_process_are_found_anew() {
        check("B: finding deadlock, finding lock-order-inversion, finding hierarchy-violation, finding made-up", &[]);
    }

    #[test]
    fn once_for_a_lock_and_place() {
        check(
            "A: lock m; B: wait m #1, finding lock-timeout, finding lock-timeout; C: wait m #2, finding lock-timeout",
            &["lock-timeout m", "lock-timeout m"],
        );
    }
}
