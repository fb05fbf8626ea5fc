//! What threads take with them when they end: locks that they hold, permits of semaphores.
//!
//! Only what is not given back to the end of the recording counts: thread-local destructors and other threads may still do so. Whether
//! others wait for it is [`stuck`](super::stuck)'s to find; then that is the finding.

use lockscope_trace::{Event, LockId, SiteId, ThreadId};

use super::{
    Context, Detector,
    collected::{self, Collected},
    stuck::permits,
    text::{self, Class},
};
use crate::{
    analysis::Ending,
    finding::{Code, Confidence, Evidence, Finding, Held, Participant, Severity},
    state::ThreadState,
};

/// Finds guards and permits that threads took with them.
#[derive(Debug, Default)]
pub struct Leak;

impl Detector for Leak {
    fn after(&mut self, _context: &Context<'_>, _event: &Event) {}

    fn findings(&mut self, context: &Context<'_>) -> Vec<Finding> {
        let state = context.state;
        // Until the end somebody may come and give back what was left in a place that others can reach.
        if context.ending == Ending::Open || context.incomplete {
            return Vec::new();
        }
        let mut found = Collected::<(Code, Class, Option<SiteId>)>::default();
        for (index, thread) in state.threads.iter().enumerate() {
            let id = ThreadId(index as u32);
            // The first thread ends with the process, and what it holds then is in nobody's way.
            if index == 0 || !state.is_finished(id) {
                continue;
            }
            for held in taken_along(context, thread) {
                let is_semaphore = thread.permits.iter().any(|permits| permits.semaphore == held.lock);
                let code = if is_semaphore { Code::SemaphoreLeak } else { Code::GuardLeak };
                let key = (code, text::class(context.definitions, held.lock), held.site);
                let participant = Participant { thread: id, held: vec![held], wanted: None };
                found.add(key, vec![participant], |participants| finding(context, code, participants));
            }
        }
        found.findings().cloned().collect()
    }
}

/// What the thread held when it ended and nobody has released for it, but for objects whose life is over and for what is passed on
/// between threads as a matter of course.
fn taken_along(context: &Context<'_>, thread: &ThreadState) -> Vec<Held> {
    let state = context.state;
    let is_left = |lock: LockId| {
        let Some(lock) = state.lock(lock) else { return false };
        let is_passed_on = lock.is_passed_on || lock.object.as_ref().is_some_and(|object| object.is_passed_on);
        !(lock.destroyed || is_passed_on && context.ending == Ending::CutOff)
    };
    let locks = thread.held.iter().filter(|held| is_left(held.lock)).cloned();
    locks.chain(permits(&thread.permits, is_left)).collect()
}

fn finding(context: &Context<'_>, code: Code, participants: Vec<Participant>) -> Finding {
    let definitions = context.definitions;
    let [Participant { thread, held, .. }] = &participants[..] else { unreachable!("made of one thread") };
    let (who, lock) = (definitions.thread_name(*thread), held[0].lock);
    let name = definitions.lock_name(lock);
    let locks = vec![lock];
    let (title, note, help) = match code {
        Code::SemaphoreLeak => (
            format!("{who} ended without giving its permits of {name} back"),
            "the permits are lost: those who come later find fewer",
            "let permits go out of scope; `forget` is for those that are never to be given out again",
        ),
        _ => (
            format!("{who} ended while it held {name}"),
            "nobody waited for it in this run; whoever does waits for ever",
            "let guards go out of scope instead of forgetting or leaking them",
        ),
    };
    Finding {
        evidence: Evidence::default(),
        code,
        severity: Severity::Warning,
        confidence: Confidence::Actual,
        title,
        fingerprint: text::fingerprint(definitions, code, &locks, &participants),
        variants: Vec::new(),
        first_seen: collected::time(&participants),
        events: collected::events(&participants),
        count: 1,
        notes: vec![note.to_owned()],
        help: vec![help.to_owned()],
        participants,
        locks,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, findings};

    #[test]
    fn guards() {
        check("M: spawn A; A: lock a, exit; ended", &["guard-leak a"]);
        check("M: spawn A; A: lock a, unlock a, exit; ended", &[]);
        // It lives, or nothing is known of the end.
        check("M: spawn A; A: lock a; ended", &[]);
        check("M: spawn A; A: lock a, exit", &[]);
        // Released by a destructor, or by another thread.
        check("M: spawn A; A: lock a, exit, unlock a; ended", &[]);
        check("M: spawn A; A: lock a, exit; M: unlock a wrote A; ended", &[]);
        // The whole process ends.
        check("M: lock a, exit; ended", &[]);
        check("M: spawn A; A: lock a, exit; M: destroy a; ended", &[]);
    }

    #[test]
    fn permits() {
        check("M: spawn A; A: permit s[2], exit; ended", &["semaphore-leak s"]);
        check("M: spawn A; A: permit s[2], permitback s, exit; ended", &[]);
        check("M: spawn A; A: permit s[2], forget s, exit; ended", &[]);
        check("M: spawn A; A: permit s[2], exit; M: permitback s 1 A; ended", &[]);
        // Passed on now and then: whoever has it now was killed with it.
        let passed = "M: spawn A, spawn B; A: permit s[2]; M: permitback s 1 A; A: permit s, exit;";
        check(&format!("{passed} killed"), &[]);
        check(&format!("{passed} ended"), &["semaphore-leak s"]);
    }

    #[test]
    fn once_for_a_place() {
        let rounds: String = (0..1000).map(|n| format!("M: spawn T{n}; T{n}: lock acc.{n} #7, exit;")).collect();
        let found = findings(&format!("{rounds} ended"));
        assert_eq!((found.len(), found[0].count, found[0].variants.len()), (1, 1000, 0));
    }
}
