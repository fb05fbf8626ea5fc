//! Actual deadlocks: circles of waits that closed during the run.
//!
//! Searched when a thread begins to wait, from that thread. That suffices: a thread that runs has no outgoing edge, so a
//! circle is closed by the last of its threads that begins to wait, and what each of them holds was acquired before its
//! own wait began. Why every edge must hold, see [`wait_for`].

use lockscope_trace::{Event, LockId, Mode, Need, Op, SiteId, ThreadId};

use super::{
    Context, Detector,
    text::{self, counted},
};
use crate::{
    finding::{Code, Confidence, Evidence, Finding, Participant, Severity, Target, Wanted},
    state::{State, ThreadState},
    wait_for::{self, Why},
};

/// Most deadlocks that are told apart; a program that gets out of that many by time-outs repeats itself.
const MOST: usize = 1000;

type Place = (Option<(LockId, Mode)>, Option<SiteId>);

/// Finds circles of waits.
#[derive(Debug, Default)]
pub struct Deadlock {
    seen: Vec<Circle>,
    /// Circles past the limit.
    dropped: u64,
}

#[derive(Debug)]
struct Circle {
    finding: Finding,
    places: Vec<Place>,
    /// The threads and the waits that make up the circle, while it stands.
    standing: Vec<(ThreadId, u64)>,
    /// How often it was ended by a time limit.
    timed_out: u64,
    /// How often it ended otherwise.
    ended: u64,
}

impl Detector for Deadlock {
    fn after(&mut self, context: &Context<'_>, event: &Event) {
        self.end_circles(context.state, event);
        if !matches!(event.op, Op::Wait { .. } | Op::JoinWait { .. } | Op::Block { need: Need::Init, .. }) {
            return;
        }
        let Some(cycle) = wait_for::shortest_cycle(context.state, event.thread) else { return };
        self.add(context, event, &cycle);
    }

    fn findings(&mut self, _context: &Context<'_>) -> Vec<Finding> {
        let with_notes = |circle: &Circle| {
            let mut finding = circle.finding.clone();
            if circle.timed_out > 0 {
                finding.notes.push(format!(
                    "a time limit ended it{}: without the limit the threads would hang",
                    if finding.count > 1 { format!(", {}", text::times(circle.timed_out)) } else { String::new() }
                ));
            }
            if circle.ended > 0 {
                finding.notes.push(
                    "one of the threads went on later although nobody in the circle gave way: a wait that could be \
                     given up, or events are missing from the trace"
                        .to_owned(),
                );
            }
            finding
        };
        self.seen.iter().map(with_notes).collect()
    }

    fn limits(&self) -> Vec<String> {
        match self.dropped {
            0 => Vec::new(),
            n => vec![format!("{n} more deadlocks over other locks are not listed; the first {MOST} are")],
        }
    }
}

impl Deadlock {
    fn end_circles(&mut self, state: &State, event: &Event) {
        for circle in self.seen.iter_mut().filter(|circle| !circle.standing.is_empty()) {
            let left = |&(thread, wait): &(ThreadId, u64)| {
                thread == event.thread
                    && state.thread(thread).and_then(ThreadState::wait).is_none_or(|standing| standing.event != wait)
            };
            if circle.standing.iter().any(left) {
                circle.standing.clear();
                let timed_out = matches!(event.op, Op::TimedOut { .. });
                circle.timed_out += u64::from(timed_out);
                circle.ended += u64::from(!timed_out);
            }
        }
    }

    fn add(&mut self, context: &Context<'_>, event: &Event, cycle: &[ThreadId]) {
        let state = context.state;
        // Beginning with the lowest thread, so that the same circle reads the same whoever closed it.
        let lowest = (0..cycle.len()).min_by_key(|&index| cycle[index]).expect("a cycle has a thread");
        let mut cycle = cycle.to_vec();
        cycle.rotate_left(lowest);
        let participants: Vec<Participant> = (0..cycle.len()).map(|index| participant(state, &cycle, index)).collect();
        let standing = participants
            .iter()
            .filter_map(|participant| Some((participant.thread, participant.wanted.as_ref()?.event)))
            .collect();
        let places = places(&participants);
        if let Some(circle) = self.seen.iter_mut().find(|circle| circle.places == places) {
            circle.finding.count += 1;
            circle.standing = standing;
            return;
        }
        if self.seen.len() == MOST {
            self.dropped += 1;
            return;
        }
        let finding = finding(context, event, &cycle, participants);
        self.seen.push(Circle { finding, places, standing, timed_out: 0, ended: 0 });
    }
}

/// What was wanted where, whoever wanted it: the same places are the same deadlock.
fn places(participants: &[Participant]) -> Vec<Place> {
    let mut places: Vec<Place> = participants
        .iter()
        .filter_map(|participant| participant.wanted.as_ref())
        .map(|wanted| match wanted.target {
            Target::Lock(lock, mode) => (Some((lock, mode)), wanted.site),
            // Joined threads differ from round to round.
            Target::Thread(_) | Target::Object(..) | Target::Token => (None, wanted.site),
        })
        .collect();
    places.sort_unstable();
    places
}

fn participant(state: &State, cycle: &[ThreadId], index: usize) -> Participant {
    let thread = cycle[index];
    let previous = cycle[(index + cycle.len() - 1) % cycle.len()];
    let thread_state = state.thread(thread);
    let wanted = wanted(state, thread);
    // Usually what the previous one waits for. All of it when that is held more than once.
    let held = match self::wanted(state, previous).map(|wanted| wanted.target) {
        Some(Target::Lock(lock, _)) => {
            thread_state.iter().flat_map(|thread| &thread.held).filter(|held| held.lock == lock).cloned().collect()
        }
        _ => thread_state.map_or_else(Vec::new, |thread| thread.held.clone()),
    };
    Participant { thread, held, wanted }
}

fn wanted(state: &State, thread: ThreadId) -> Option<Wanted> {
    let wait = state.thread(thread)?.wait()?;
    Some(Wanted { target: wait_for::target(state, thread)?, ..wait.wanted() })
}

fn finding(context: &Context<'_>, event: &Event, cycle: &[ThreadId], participants: Vec<Participant>) -> Finding {
    let definitions = context.definitions;
    // The lock that each one holds and the one before it wants.
    let mut locks: Vec<LockId> = Vec::new();
    for index in 0..participants.len() {
        let previous = &participants[(index + participants.len() - 1) % participants.len()];
        if let Some(Target::Lock(lock, _)) = previous.wanted.as_ref().map(|wanted| wanted.target)
            && !locks.contains(&lock)
        {
            locks.push(lock);
        }
    }
    let names: Vec<String> = locks.iter().map(|&lock| definitions.class_name(lock)).collect();
    let first = definitions.thread_name(cycle[0]);
    let (code, title) = match (cycle.len(), names.as_slice()) {
        (1, []) => (Code::SelfDeadlock, format!("{first} waits for its own end")),
        (1, _) => (Code::SelfDeadlock, format!("{first} waits for {} that it holds itself", names[0])),
        (n, []) => (Code::Deadlock, format!("{} are deadlocked: each waits for the next to end", counted(n, "thread"))),
        (n, _) => {
            (Code::Deadlock, format!("{} are deadlocked over {}", counted(n, "thread"), text::list_locks(&names)))
        }
    };
    let mut events: Vec<u64> = participants
        .iter()
        .flat_map(|p| p.held.iter().map(|held| held.event).chain(p.wanted.as_ref().map(|wanted| wanted.event)))
        .collect();
    events.sort_unstable();
    events.dedup();
    let (notes, help) = explain(context, cycle, &participants, &locks, &names);
    Finding {
        evidence: Evidence::default(),
        code,
        severity: Severity::Error,
        confidence: Confidence::Actual,
        title,
        fingerprint: text::fingerprint(definitions, code, &locks, &participants),
        participants,
        variants: Vec::new(),
        locks,
        first_seen: event.time,
        events,
        count: 1,
        notes,
        help,
    }
}

/// What is special about this circle, and what to do about it.
fn explain(
    context: &Context<'_>,
    cycle: &[ThreadId],
    participants: &[Participant],
    locks: &[LockId],
    names: &[String],
) -> (Vec<String>, Vec<String>) {
    let Context { definitions, state, .. } = *context;
    let (mut notes, mut help) = (Vec::new(), Vec::new());
    for (index, participant) in participants.iter().enumerate() {
        let next = cycle[(index + 1) % cycle.len()];
        let me = definitions.thread_name(participant.thread);
        let other = definitions.thread_name(next);
        let Some(wanted) = &participant.wanted else { continue };
        match wanted.target {
            Target::Thread(_) => {
                help.push(format!("release what {me} holds before it waits for {other} to end"));
            }
            Target::Lock(lock, mode) => {
                let name = definitions.lock_name(lock);
                let behind = !wait_for::blockers(state, participant.thread)
                    .iter()
                    .any(|blocker| blocker.thread == next && blocker.why == Why::Holds);
                if behind {
                    notes.push(format!("{me} waits behind {other}, which asked to write {name} first"));
                }
                let own = state
                    .thread(participant.thread)
                    .and_then(|thread| thread.held.iter().find(|held| held.lock == lock).map(|held| held.mode));
                match own {
                    Some(_) if behind => help.push(format!(
                        "end the first read of {name} before {me} reads it again, or pass the first guard on"
                    )),
                    Some(held) if cycle.len() > 1 || held != mode => {
                        notes.push(format!("{me} holds {name} {} and asks {} it", text::held(held), text::asked(mode)));
                        help.push(format!("release {name} before asking for it in another mode"));
                    }
                    _ => {}
                }
            }
            Target::Object(..) | Target::Token => {}
        }
    }
    if let ([participant], [name]) = (participants, names)
        && help.is_empty()
    {
        let first = participant.held.first().map(|held| text::place(definitions, held.site)).unwrap_or_default();
        help.push(format!("pass on the guard of {name} that was taken at {first}, or release it before"));
    }
    if names.len() > 1 {
        let holding = participants.iter().filter(|participant| !participant.held.is_empty());
        let places: Vec<_> = holding.filter_map(|participant| Some(participant.wanted.as_ref()?.site)).collect();
        let initialise = text::initialise_first(definitions, locks);
        help.push(initialise.unwrap_or_else(|| text::one_order(definitions, names, &places)));
    }
    help.dedup();
    (notes, help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check, findings};

    #[test]
    fn opposite_orders() {
        check("A: lock a; B: lock b; A: wait b; B: wait a", &["deadlock a b"]);
        // The holder runs.
        check("A: lock a; B: lock b; A: wait b", &[]);
    }

    #[test]
    fn longer_circles() {
        check("A: lock a; B: lock b; C: lock c; A: wait b; B: wait c; C: wait a", &["deadlock a b c"]);
        check("A: lock a; B: lock b; C: lock c; A: wait b; B: wait c; C: wait d", &[]);
    }

    #[test]
    fn self_deadlock() {
        check("A: lock a, wait a", &["self-deadlock a"]);
        check("A: lock a, unlock a, wait a", &[]);
        check("A: read a, wait a", &["self-deadlock a"]);
        check("A: lock a, waitread a", &["self-deadlock a"]);
        check("A: upread a, waitup a", &["self-deadlock a"]);
    }

    #[test]
    fn a_writer_waits_for_every_reader() {
        // A is stuck, too, but not part of the reason.
        check("A: read a; B: read a, lock b; A: wait b; B: wait a", &["self-deadlock a"]);
        check("C: lock b; A: read a; B: lock c, wait a; C: read a, wait c", &["deadlock a c"]);
        // The reader in the circle has left; the one that stays runs.
        check("C: lock b; A: read a; B: lock c, wait a; C: read a, unlock a, wait c", &[]);
    }

    #[test]
    fn a_reader_waits_behind_a_writer_that_came_first() {
        check("A: read a; B: wait a; A: waitread a", &["deadlock a"]);
        // The writer comes after the reader asked: the reader may be on its way in.
        check("A: read a, waitread a; B: wait a", &["recursive-read a"]);
        check("A: read a; B: wait a; A: waitup a", &["deadlock a"]);
    }

    #[test]
    fn upgrades_wait_for_the_other_readers() {
        check("A: upread a; B: read a, lock b; A: wait a; B: wait c", &[]);
        check("A: upread a, lock b; B: read a; A: wait a; B: wait b", &["deadlock a b"]);
        // Its own upgradable hold is no obstacle.
        check("A: upread a, wait a", &[]);
        check("A: upread a; B: read a; A: wait a; B: waitup a", &["deadlock a"]);
    }

    #[test]
    fn joins() {
        check("A: spawn B, lock a; B: wait a; A: joinwait B", &["deadlock a"]);
        check("A: spawn B, lock a; B: wait a; A: unlock a, joinwait B", &[]);
        check("A: joinwait B; B: joinwait A", &["deadlock"]);
        check("A: joinwait A", &["self-deadlock"]);
    }

    #[test]
    fn condition_variables_are_no_edges() {
        check("A: lock m, condwait c m, unlock m; B: lock m, joinwait A", &[]);
        // The wait has ended; taking the mutex back is a wait like any other.
        check("A: lock a, lock m, condwait c m, unlock m; B: lock m; A: wait m; B: wait a", &["deadlock a m"]);
    }

    #[test]
    fn a_time_limit_that_ends_it_is_told() {
        let found = findings("A: lock a; B: lock b; A: wait b; B: wait a; A: timeout b, unlock a; B: lock a");
        assert_eq!((found[0].code, found[0].confidence), (Code::Deadlock, Confidence::Actual));
        assert!(found[0].notes.iter().any(|note| note.starts_with("a time limit ended it")), "{:?}", found[0].notes);
        let found = findings("A: lock a; B: lock b; A: wait b; B: wait a");
        assert!(!found[0].notes.iter().any(|note| note.contains("ended")), "{:?}", found[0].notes);
    }

    #[test]
    fn the_same_places_are_the_same_deadlock() {
        let round = |a, b| {
            format!(
                "{a}: lock a #1; {b}: lock b #2; {a}: wait b #3; {b}: wait a #4; {a}: timeout b, unlock a; {b}: lock a #4, unlock a, unlock b;"
            )
        };
        let found = findings(&[round("A", "B"), round("C", "D")].concat());
        assert_eq!((found.len(), found[0].count), (1, 2));
    }

    #[test]
    fn each_wants_what_the_next_holds() {
        let found = findings("B: lock b; C: lock c; A: lock a; B: wait c; C: wait a; A: wait b");
        let participants = &found[0].participants;
        assert_eq!(found[0].events, [1, 2, 3, 4, 5, 6]);
        for (index, participant) in participants.iter().enumerate() {
            let next = &participants[(index + 1) % participants.len()];
            let wanted = participant.wanted.as_ref().expect("all wait").target;
            assert_eq!(wanted, Target::Lock(next.held[0].lock, Mode::Exclusive));
        }
        assert_eq!(participants[0].thread, ThreadId(0));
    }
}
