//! Makes findings of groups of stuck threads.

use lockscope_trace::{Access, Event, LockId, Mode, Need, Side, SiteId, ThreadId};

use super::{Group, Place, Said};
use crate::{
    detect::{
        Context, collected,
        text::{self, counted, list, times},
    },
    finding::{Code, Confidence, Finding, Held, Participant, Severity, Target, Wanted},
    state::{Deed, State},
    wait_for::{Knot, Needs, Others, Why, blockers, needs_of, target},
};

/// What a thread that has ended took with it, and others wait for.
pub(super) struct Leaves {
    thread: ThreadId,
    lock: LockId,
    is_semaphore: bool,
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
    let mut notes = notes(context, knot, &order, leaves.is_some());
    notes.extend(missed.iter().map(|(thread, condvar, deed)| missed_note(context, *thread, *condvar, deed)));
    if let Some(leaves) = &leaves {
        notes.insert(0, leaves_note(context, leaves));
    }
    let locks = locks(&participants);
    let finding = Finding {
        code,
        severity: if knot.certain { Severity::Error } else { Severity::Warning },
        confidence: if knot.certain { Confidence::Actual } else { Confidence::Potential },
        title: title(context, code, knot, &order, leaves.as_ref()),
        fingerprint: text::fingerprint(context.definitions, code, &locks, &participants),
        variants: Vec::new(),
        first_seen: collected::time(&participants),
        events: collected::events(&participants),
        count: 1,
        notes,
        help: help(context, code, &order),
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
fn wanted_locks(state: &State, threads: &[ThreadId]) -> Vec<LockId> {
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
fn held(state: &State, thread: ThreadId, which: impl Fn(LockId) -> bool) -> Vec<Held> {
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

fn title(context: &Context<'_>, code: Code, knot: &Knot, order: &[ThreadId], leaves: Option<&Leaves>) -> String {
    let Context { definitions, state, .. } = *context;
    let me = definitions.thread_name(order[0]);
    let may = if knot.certain { "" } else { "may " };
    if let Some(leaves) = leaves {
        let owner = definitions.thread_name(leaves.thread);
        let name = definitions.lock_name(leaves.lock);
        let who =
            if order.len() == 1 { format!("{me} waits") } else { format!("{} wait", counted(order.len(), "thread")) };
        return match leaves.is_semaphore {
            true => format!("{who} for permits of {name} that {owner} never gave back"),
            false => format!("{who} for {name}, which {owner} held when it ended"),
        };
    }
    let names: Vec<String> = wanted_locks(state, order).into_iter().map(|lock| definitions.class_name(lock)).collect();
    let first = state.thread(order[0]).and_then(|thread| thread.wait()).map(|wait| wait.target);
    if code == Code::LostWakeup {
        let lost = order.iter().find_map(|&thread| Some((thread, missed(state, thread)?.0)));
        let (thread, condvar) = lost.expect("the code says that a notification was missed");
        let (who, name) = (definitions.thread_name(thread), definitions.lock_name(condvar));
        return format!("{who} waits for a notification of {name} that came before it waited");
    }
    match (order, first) {
        ([_], Some(Target::Object(object, need))) => {
            let name = definitions.lock_name(object);
            let nobody = if knot.certain { "nobody is left" } else { "nobody is known" };
            match need {
                Need::Notify => format!("{me} waits for a notification of {name}, and {nobody} who could notify it"),
                Need::Message if !knot.circle.is_empty() => {
                    format!("{me} waits for a message from {name}, to which only {me} itself could send")
                }
                Need::Room if !knot.circle.is_empty() => {
                    format!("{me} waits for room in {name}, from which only {me} itself could receive")
                }
                Need::Permits(_) if !knot.circle.is_empty() => {
                    format!("{me} waits for permits of {name} that it holds itself")
                }
                Need::Party => format!("{me} waits at {name} for threads that do not come"),
                need => format!("{me} waits for {} {name}, and {nobody} who could help", need_words(need)),
            }
        }
        ([_], Some(Target::Token)) => format!("{me} is parked, and nobody is left who could unpark it"),
        _ if !names.is_empty() && (knot.holds || !knot.circle.is_empty()) => {
            let are = if knot.certain { "are" } else { "may be" };
            format!("{} {are} deadlocked over {}", counted(order.len(), "thread"), list(&names))
        }
        _ => format!("{} {may}wait for ever: nobody is left who could wake them", counted(order.len(), "thread")),
    }
}

/// Up to the object's name.
fn need_words(need: Need) -> &'static str {
    match need {
        Need::Notify => "a notification of",
        Need::Message => "a message from",
        Need::Room => "room in",
        Need::Permits(1) => "a permit of",
        Need::Permits(_) => "permits of",
        Need::Party => "more threads at",
        Need::Init => "the initialisation of",
    }
}

fn notes(context: &Context<'_>, knot: &Knot, order: &[ThreadId], is_leak: bool) -> Vec<String> {
    let Context { definitions, state, .. } = *context;
    let mut notes = Vec::new();
    for &thread in order {
        let more: Vec<String> = state
            .thread(thread)
            .into_iter()
            .flat_map(|thread| &thread.more)
            .filter_map(|target| match *target {
                Target::Object(object, need) => Some(format!("{} {}", need_words(need), definitions.lock_name(object))),
                Target::Thread(child) => Some(format!("the end of {}", definitions.thread_name(child))),
                _ => None,
            })
            .collect();
        let me = definitions.thread_name(thread);
        if !more.is_empty() {
            let all = state.thread(thread).is_some_and(|thread| matches!(thread.more[0], Target::Thread(_)));
            notes.push(format!(
                "{me} also waits for {}: {}",
                list(&more),
                if all { "for all of it" } else { "either would do" }
            ));
        }
        for target in state.thread(thread).into_iter().flat_map(|thread| thread.targets()) {
            notes.extend(helpers_note(context, thread, target).filter(|_| !is_leak));
        }
    }
    if knot.everybody {
        notes.push("every thread that lives waits, so nobody is left to help".to_owned());
    } else if !knot.certain {
        notes.push("nobody else is known who could help; lockscope cannot know who else might".to_owned());
    }
    let behind: Vec<String> = knot.behind.iter().take(4).map(|&thread| definitions.thread_name(thread)).collect();
    match knot.behind.len() {
        0 => {}
        n if n > behind.len() => {
            notes.push(format!("{} more threads wait behind: {} and {} more", n, behind.join(", "), n - behind.len()));
        }
        n => notes.push(format!(
            "{} behind: {}",
            if n == 1 { "one more thread waits" } else { "more threads wait" },
            list(&behind)
        )),
    }
    notes.dedup();
    notes
}

/// Who could end a wait at an object, if they did not wait themselves.
fn helpers_note(context: &Context<'_>, thread: ThreadId, target: Target) -> Option<String> {
    let Context { definitions, state, .. } = *context;
    let Target::Object(object, need) = target else { return None };
    let Needs::Help(help) = needs_of(state, definitions, thread, target) else { return None };
    let name = definitions.lock_name(object);
    let known: Vec<ThreadId> = help.known.iter().map(|(thread, _)| *thread).collect();
    let who = |threads: &[ThreadId]| {
        let names: Vec<String> = threads.iter().take(4).map(|&thread| definitions.thread_name(thread)).collect();
        if threads.len() > names.len() { format!("{} and others", names.join(", ")) } else { list(&names) }
    };
    Some(match need {
        Need::Message | Need::Room => {
            let side = if need == Need::Message { Side::Sender } else { Side::Receiver };
            match known.as_slice() {
                [] => format!("no thread is known to have a {} of {name}", side.word()),
                known if help.others == Others::Likely => {
                    format!("{}s of {name} were made by {}, and may be with any thread", side.word(), who(known))
                }
                known => format!("{}s of {name} are with {}", side.word(), who(known)),
            }
        }
        Need::Permits(_) if !known.is_empty() => format!("permits of {name} are held by {}", who(&known)),
        Need::Notify => {
            match state.object(object).and_then(|object| object.deeds(need).max_by_key(|deed| deed.event)) {
                None => format!("nobody ever notified {name} in this run"),
                Some(last) => format!(
                    "{name} was notified by {} before, last by {} at {}",
                    who(&known),
                    definitions.thread_name(last.thread),
                    text::place(definitions, last.site)
                ),
            }
        }
        Need::Party => format!("{name} waits for {} more", counted(help.amount as usize, "thread")),
        Need::Permits(_) | Need::Init => return None,
    })
}

fn missed_note(context: &Context<'_>, thread: ThreadId, condvar: LockId, deed: &Deed) -> String {
    let Context { definitions, state, .. } = *context;
    let waited = state.thread(thread).and_then(|thread| thread.wait()).map_or(deed.time, |wait| wait.since);
    format!(
        "{} notified {} at {} when nobody waited, {} before {} did",
        definitions.thread_name(deed.thread),
        definitions.lock_name(condvar),
        text::place(definitions, deed.site),
        waited.since(deed.time),
        definitions.thread_name(thread)
    )
}

fn leaves_note(context: &Context<'_>, leaves: &Leaves) -> String {
    let Context { definitions, state, .. } = *context;
    let (owner, name) = (definitions.thread_name(leaves.thread), definitions.lock_name(leaves.lock));
    match (leaves.is_semaphore, state.is_finished(leaves.thread)) {
        (true, true) => format!("{owner} has ended without giving its permits of {name} back"),
        (true, false) => {
            let forgotten = state.object(leaves.lock).map_or(0, |object| object.forgotten.len());
            format!(
                "permits of {name} were forgotten {}: there are fewer now than are asked for",
                times(forgotten as u64)
            )
        }
        (false, _) => {
            format!("{owner} has ended without releasing {name}: its guard was leaked, or lies somewhere unused")
        }
    }
}

fn help(context: &Context<'_>, code: Code, order: &[ThreadId]) -> Vec<String> {
    let Context { definitions, state, .. } = *context;
    let mut help = Vec::new();
    match code {
        Code::GuardLeak => help.push("let guards go out of scope, also where a thread ends early".to_owned()),
        Code::SemaphoreLeak => {
            help.push(
                "let permits go out of scope, and forget only those that are never to be given out again".to_owned(),
            );
        }
        Code::LostWakeup => help.push(
            "change what is waited for while holding the mutex, and wait in a loop that looks at it first \
             (`wait_while`): then it does not matter who comes first"
                .to_owned(),
        ),
        _ => {}
    }
    let wanted = wanted_locks(state, order);
    let advised = !help.is_empty();
    for &thread in order.iter().filter(|_| !advised) {
        let me = definitions.thread_name(thread);
        let Some(Target::Object(object, need)) = target(state, thread) else { continue };
        let name = definitions.lock_name(object);
        let held: Vec<String> = held(state, thread, |lock| wanted.contains(&lock) && lock != object)
            .iter()
            .map(|held| format!("`{}`", definitions.lock_name(held.lock)))
            .collect();
        let own = held_permits(state, thread, object);
        match need {
            Need::Permits(_) if own => {
                help.push(format!("{me} should take all permits of {name} at once, or give back what it has first"))
            }
            _ if !held.is_empty() => {
                help.push(format!("release {} before waiting for {} `{name}`", list(&held), need_words(need)))
            }
            Need::Message if order.len() == 1 => {
                help.push(format!("drop the senders of `{name}` that {me} keeps before it receives"));
            }
            _ => {}
        }
    }
    if help.is_empty() {
        help.push("see to it that whoever waits is woken before the last thread that could do so waits or ends, or wait with a time limit".to_owned());
    }
    help.dedup();
    help
}

fn held_permits(state: &State, thread: ThreadId, semaphore: LockId) -> bool {
    state.thread(thread).is_some_and(|thread| thread.permits.iter().any(|permits| permits.semaphore == semaphore))
}
