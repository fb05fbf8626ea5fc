//! Locks that were found poisoned: a thread panicked while it held them for writing.
//!
//! Whoever takes a poisoned lock finds it poisoned, so the one that held it exclusively before the first who found it is the one
//! that panicked.

use lockscope_trace::{Event, LockId, Mode, Op, ThreadId};

use super::{
    Context, Detector,
    collected::{self, Collected},
    text::{self, Class},
};
use crate::finding::{Code, Confidence, Evidence, Finding, Held, Participant, Severity};

/// Finds poisoned locks.
#[derive(Debug, Default)]
pub struct Poisoned {
    found: Collected<Class>,
    /// Who last held each lock exclusively, by [`LockId`].
    last: Vec<Option<(ThreadId, Held)>>,
}

impl Detector for Poisoned {
    fn before(&mut self, context: &Context<'_>, event: &Event) {
        let Op::Released { lock, owner, .. } = event.op else { return };
        let held = context.state.thread(owner).and_then(|owner| owner.held.iter().rev().find(|held| held.lock == lock));
        if let Some(held) = held.filter(|held| held.mode == Mode::Exclusive) {
            let index = lock.0 as usize;
            if index >= self.last.len() {
                self.last.resize(index + 1, None);
            }
            self.last[index] = Some((owner, held.clone()));
        }
    }

    fn after(&mut self, context: &Context<'_>, event: &Event) {
        let Op::Poisoned { lock } = event.op else { return };
        let Context { definitions, state, .. } = *context;
        let held =
            state.thread(event.thread).and_then(|thread| thread.held.iter().rev().find(|held| held.lock == lock));
        let mut participants =
            vec![Participant { thread: event.thread, held: held.into_iter().cloned().collect(), wanted: None }];
        // Of those who come after the first one each finds it poisoned as well.
        let panicked = self.last.get(lock.0 as usize).and_then(Option::as_ref);
        let panicked = panicked.filter(|(_, last)| held.is_none_or(|held| last.event < held.event));
        participants.extend(panicked.map(|(thread, held)| Participant {
            thread: *thread,
            held: vec![held.clone()],
            wanted: None,
        }));
        self.found.add(text::class(definitions, lock), participants, |participants| {
            finding(context, event, lock, participants)
        });
    }

    fn findings(&mut self, _context: &Context<'_>) -> Vec<Finding> {
        self.found.findings().cloned().collect()
    }

    fn limits(&self) -> Vec<String> {
        self.found.limits()
    }
}

fn finding(context: &Context<'_>, event: &Event, lock: LockId, participants: Vec<Participant>) -> Finding {
    let definitions = context.definitions;
    let name = definitions.lock_name(lock);
    let locks = vec![lock];
    let code = Code::Poisoned;
    let mut notes = Vec::new();
    if let [_, Participant { thread, held, .. }] = &participants[..] {
        notes.push(format!(
            "{} held it last before that, taken at {}, and so is the one that panicked",
            definitions.thread_name(*thread),
            text::place(definitions, held[0].site)
        ));
    }
    Finding {
        evidence: Evidence::default(),
        code,
        severity: Severity::Warning,
        confidence: Confidence::Actual,
        title: format!("{} finds {name} poisoned", definitions.thread_name(event.thread)),
        fingerprint: text::fingerprint(definitions, code, &locks, &participants),
        variants: Vec::new(),
        first_seen: event.time,
        events: collected::events(&participants),
        count: 1,
        notes,
        help: vec![
            "find out why it panicked; recover with `into_inner` and `clear_poison` only if the data is known to be good"
                .to_owned(),
        ],
        participants,
        locks,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, findings};

    #[test]
    fn who_finds_it_and_who_panicked() {
        let trace = "A: lock a, unlock a; B: lock a, unlock a; C: lock a, poisoned a";
        check(trace, &["poisoned a"]);
        let found = &findings(trace)[0];
        assert!(found.notes[0].starts_with("B held it last"), "{:?}", found.notes);
        check("A: lock a, unlock a; C: lock a", &[]);
        check("C: poisoned a", &["poisoned a"]);
    }

    #[test]
    fn once_for_a_class() {
        let finds = "C: lock a #7, poisoned a, unlock a;".repeat(1000);
        let found = findings(&format!("A: lock a, unlock a; {finds}"));
        assert_eq!((found.len(), found[0].count), (1, 1000));
        assert!(found[0].variants.len() <= 1, "the second who found it is not who panicked: {found:?}");
    }
}
