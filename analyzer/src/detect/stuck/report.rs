//! Makes findings of groups of stuck threads.

use lockscope_trace::{Access, Event, LockId, Mode, Need, SiteId, ThreadId};

use super::{Group, Place, Said, words};
use crate::{
    detect::{Context, collected, text},
    finding::{Code, Confidence, Evidence, Finding, Held, Participant, Severity, Target, Wanted},
    state::{Deed, State},
    wait_for::{Knot, Why, blockers, target},
};

/// What a thread that has ended took with it, and others wait for.
pub(super) struct Leaves {
    pub thread: ThreadId,
    pub lock: LockId,
    pub is_semaphore: bool,
}

/// What the members wait for in vain since the thread that had it has ended, or gave it up for good.
pub(super) fn leaves(state: &State, knot: &Knot) -> Option<Leaves> {
    knot.members.iter().find_map(|&thread| match target(state, thread)? {
        Target::Lock(lock, _) => {
            let gone =
                |blocker: &crate::wait_for::Blocker| blocker.why == Why::Holds && state.is_finished(blocker.thread);
            let blocker = blockers(state, thread).into_iter().find(gone)?;
            Some(Leaves { thread: blocker.thread, lock, is_semaphore: false })
        }
        Target::Object(lock, Need::Permits(_)) => {
            let holders = &state.lock(lock)?.holders;
            let gone = holders.iter().map(|&(holder, ..)| holder).find(|&holder| state.is_finished(holder));
            let forgotten = || state.object(lock)?.forgotten.first().map(|(thread, _)| *thread);
            Some(Leaves { thread: gone.or_else(forgotten)?, lock, is_semaphore: true })
        }
        _ => None,
    })
}

/// The notification of a condition variable that a stuck thread missed: nobody waited when it came, and then the thread waited without
/// having looked whether what it waits for is there already.
pub(super) fn missed(state: &State, thread: ThreadId) -> Option<(LockId, Deed)> {
    let waiting = state.thread(thread)?;
    let Target::Object(condvar, Need::Notify) = waiting.wait()?.target else { return None };
    let deed = state.object(condvar)?.unheard?;
    let given_up = waiting.given_up?;
    // It came while the thread was about to wait, or the thread has not looked at the data since.
    let in_between = deed.event > given_up.acquired && given_up.acquired > 0;
    (in_between || given_up.access == Access::Nothing).then_some((condvar, deed))
}

/// Whether the trace shows why each of the members is stuck: no lock or thread that one waits for is with a thread that goes on as far
/// as the trace tells.
pub(super) fn is_whole(state: &State, knot: &Knot) -> bool {
    knot.members.iter().all(|&thread| {
        let blockers = blockers(state, thread);
        let is_known = |thread: ThreadId| knot.members.contains(&thread) || state.is_finished(thread);
        blockers.is_empty() || blockers.iter().any(|blocker| is_known(blocker.thread))
    })
}

pub(super) fn group(context: &Context<'_>, knot: &Knot) -> Group {
    let state = context.state;
    let order = order(knot);
    let wanted = wanted_locks(state, &order);
    let mut participants: Vec<Participant> = order.iter().map(|&thread| participant(state, thread, &wanted)).collect();
    let places = {
        let mut places: Vec<Place> = order.iter().filter_map(|&thread| place(state, thread)).collect();
        places.sort_unstable();
        places
    };
    let waits = participants.iter().filter_map(|participant| Some(participant.wanted.as_ref()?.event)).collect();
    let missed: Vec<(ThreadId, LockId, Deed)> = order
        .iter()
        .filter_map(|&thread| missed(state, thread).map(|(condvar, deed)| (thread, condvar, deed)))
        .collect();
    let leaves = leaves(state, knot);
    let code = match &leaves {
        Some(leaves) if leaves.is_semaphore => Code::SemaphoreLeak,
        Some(_) => Code::GuardLeak,
        None if !missed.is_empty() && !knot.holds => Code::LostWakeup,
        None if order.len() == 1 && knot.circle.len() == 1 => Code::SelfDeadlock,
        None => Code::Deadlock,
    };
    if let Some(leaves) = &leaves {
        participants.insert(0, owner(state, leaves));
    }
    let mut notes = words::notes(context, knot, &order, leaves.is_some());
    notes.extend(missed.iter().map(|(thread, condvar, deed)| words::missed_note(context, *thread, *condvar, deed)));
    if let Some(leaves) = &leaves {
        notes.insert(0, words::leaves_note(context, leaves));
    }
    let locks = locks(&participants);
    let finding = Finding {
        evidence: Evidence::default(),
        code,
        severity: if knot.certain { Severity::Error } else { Severity::Warning },
        confidence: if knot.certain { Confidence::Actual } else { Confidence::Potential },
        title: words::title(context, code, knot, &order, leaves.as_ref()),
        fingerprint: text::fingerprint(context.definitions, code, &locks, &participants),
        variants: Vec::new(),
        first_seen: collected::time(&participants),
        events: collected::events(&participants),
        count: 1,
        notes,
        help: words::help(context, code, &order),
        participants,
        locks,
    };
    Group { finding, places, waits }
}

/// What the process said, where the trace shows no more of it than that these threads wait.
pub(super) fn said(context: &Context<'_>, event: &Event, said: &Said, threads: Vec<ThreadId>) -> Finding {
    let Context { definitions, state, .. } = *context;
    let participants: Vec<Participant> = threads.into_iter().map(|thread| participant(state, thread, &[])).collect();
    let locks = locks(&participants);
    let mut events = collected::events(&participants);
    events.push(state.position);
    let mut notes = vec!["reported by the process itself; the recording shows less of it:".to_owned()];
    notes.extend(said.lines.iter().filter(|line| !line.starts_with("help: ")).cloned());
    let help = said.lines.iter().filter_map(|line| line.strip_prefix("help: ")).map(str::to_owned).collect();
    Finding {
        evidence: Evidence::default(),
        code: said.code,
        severity: if said.confidence == Confidence::Actual { Severity::Error } else { Severity::Warning },
        confidence: said.confidence,
        title: said.title.clone(),
        fingerprint: match participants.as_slice() {
            [] => text::fingerprint_of_text(said.code, &said.title),
            _ => text::fingerprint(definitions, said.code, &locks, &participants),
        },
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

/// The members, those of the circle first and in its order.
fn order(knot: &Knot) -> Vec<ThreadId> {
    let rest = knot.members.iter().filter(|thread| !knot.circle.contains(thread));
    knot.circle.iter().chain(rest).copied().collect()
}

/// Everything that one of the threads waits for.
pub(super) fn wanted_locks(state: &State, threads: &[ThreadId]) -> Vec<LockId> {
    let mut locks = Vec::new();
    for &thread in threads {
        let more = state.thread(thread).into_iter().flat_map(|thread| thread.more.iter().copied());
        for target in target(state, thread).into_iter().chain(more) {
            if let Target::Lock(lock, _) | Target::Object(lock, _) = target
                && !locks.contains(&lock)
            {
                locks.push(lock);
            }
        }
    }
    locks
}

fn participant(state: &State, thread: ThreadId, wanted: &[LockId]) -> Participant {
    let target = target(state, thread);
    let wait = state.thread(thread).and_then(|thread| thread.wait());
    let held = held(state, thread, |lock| wanted.contains(&lock));
    Participant { thread, held, wanted: wait.zip(target).map(|(wait, target)| Wanted { target, ..wait.wanted() }) }
}

/// Locks and permits that the thread holds.
pub(super) fn held(state: &State, thread: ThreadId, which: impl Fn(LockId) -> bool) -> Vec<Held> {
    let Some(thread) = state.thread(thread) else { return Vec::new() };
    let locks = thread.held.iter().filter(|held| which(held.lock)).cloned();
    locks.chain(permits(&thread.permits, &which)).collect()
}

/// Permits as if they were a lock that is shared.
pub(in crate::detect) fn permits<'a>(
    permits: &'a [crate::state::Permits],
    which: impl Fn(LockId) -> bool + 'a,
) -> impl Iterator<Item = Held> + 'a {
    permits.iter().filter(move |permits| which(permits.semaphore)).map(|permits| Held {
        lock: permits.semaphore,
        mode: Mode::Shared,
        site: permits.site,
        stack: permits.stack,
        since: permits.since,
        event: permits.event,
    })
}

/// Who took what is missing, and where.
fn owner(state: &State, leaves: &Leaves) -> Participant {
    let forgotten = state.object(leaves.lock).map_or(&[][..], |object| &object.forgotten);
    let forgotten = forgotten.iter().filter(|(thread, _)| *thread == leaves.thread).map(|(_, permits)| *permits);
    let forgotten: Vec<_> = forgotten.collect();
    let mut all = held(state, leaves.thread, |lock| lock == leaves.lock);
    all.extend(permits(&forgotten, |_| true));
    Participant { thread: leaves.thread, held: all, wanted: None }
}

fn place(state: &State, thread: ThreadId) -> Option<Place> {
    let site: Option<SiteId> = state.thread(thread)?.wait()?.site;
    Some(match target(state, thread)? {
        Target::Lock(lock, _) => (0, Some(lock), site),
        Target::Object(object, _) => (1, Some(object), site),
        // Joined threads differ from round to round.
        Target::Thread(_) => (2, None, site),
        Target::Token => (3, None, site),
    })
}

/// Locks and objects of the participants, each once: what is wanted first, in the order of the circle.
fn locks(participants: &[Participant]) -> Vec<LockId> {
    let wanted = participants.iter().filter_map(|participant| match participant.wanted.as_ref()?.target {
        Target::Lock(lock, _) | Target::Object(lock, _) => Some(lock),
        Target::Thread(_) | Target::Token => None,
    });
    let held = participants.iter().flat_map(|participant| participant.held.iter().map(|held| held.lock));
    let mut locks = Vec::new();
    for lock in wanted.chain(held) {
        if !locks.contains(&lock) {
            locks.push(lock);
        }
    }
    locks
}
