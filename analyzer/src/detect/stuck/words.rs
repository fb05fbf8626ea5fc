//! What is said of groups of stuck threads: titles, notes, advice.

use lockscope_trace::{LockId, Need, Side, ThreadId};

use super::report::{Leaves, held, missed, wanted_locks};
use crate::{
    detect::{
        Context,
        text::{self, counted, list, times},
    },
    finding::{Code, Target},
    state::{Deed, State},
    wait_for::{self, Knot, Needs, Others, needs_of, target},
};

pub(super) fn title(
    context: &Context<'_>,
    code: Code,
    knot: &Knot,
    order: &[ThreadId],
    leaves: Option<&Leaves>,
) -> String {
    let Context { definitions, state, .. } = *context;
    let me = definitions.thread_name(order[0]);
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
    let (verb, who) = match order {
        [_] => ("waits", me.clone()),
        _ => ("wait", counted(order.len(), "thread")),
    };
    let nobody = if knot.certain { "nobody is left" } else { "nobody is known" };
    let is_alike = |target: &Target| order.iter().all(|&thread| wait_for::target(state, thread) == Some(*target));
    match first.filter(is_alike) {
        _ if order.len() > 1 && (knot.holds || !knot.circle.is_empty()) && !names.is_empty() => {
            let are = if knot.certain { "are" } else { "may be" };
            format!("{who} {are} deadlocked over {}", list(&names))
        }
        Some(Target::Object(object, need)) => {
            let name = definitions.lock_name(object);
            match need {
                Need::Notify => format!("{who} {verb} for a notification of {name}, and {nobody} who could notify it"),
                Need::Message if !knot.circle.is_empty() => {
                    format!("{who} waits for a message from {name}, to which only {me} itself could send")
                }
                Need::Room if !knot.circle.is_empty() => {
                    format!("{who} waits for room in {name}, from which only {me} itself could receive")
                }
                Need::Permits(_) if !knot.circle.is_empty() => {
                    format!("{who} waits for permits of {name} that it holds itself")
                }
                Need::Party => format!("{who} {verb} at {name} for threads that do not come"),
                need => format!("{who} {verb} for {} {name}, and {nobody} who could help", need_words(need)),
            }
        }
        Some(Target::Token) if order.len() == 1 => format!("{me} is parked, and {nobody} who could unpark it"),
        _ => {
            let may = if knot.certain { "" } else { "may " };
            format!("{who} {may}{verb} for ever: {nobody} who could wake them")
        }
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

pub(super) fn notes(context: &Context<'_>, knot: &Knot, order: &[ThreadId], is_leak: bool) -> Vec<String> {
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

pub(super) fn missed_note(context: &Context<'_>, thread: ThreadId, condvar: LockId, deed: &Deed) -> String {
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

pub(super) fn leaves_note(context: &Context<'_>, leaves: &Leaves) -> String {
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

pub(super) fn help(context: &Context<'_>, code: Code, order: &[ThreadId]) -> Vec<String> {
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
                help.push(format!(
                    "take all permits of `{name}` at once, or give back those that are held before asking for more"
                ));
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
