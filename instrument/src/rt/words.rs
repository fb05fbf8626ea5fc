//! How reports call what a thread waits for.

use lockscope_trace::{LockKind, Need};

use super::{
    report::{LockFacts, mode_words, thread_name},
    thread,
    waiting::{Target, Waiting},
};

/// What a thread waits for, to follow "waits for".
pub(super) fn target_name(waiting: &Waiting) -> String {
    match &waiting.target {
        &Target::Lock { lock, kind, .. } => {
            LockFacts { lock, kind, created: waiting.created, type_name: waiting.type_name }.describe()
        }
        Target::Threads(threads) => {
            let names: Vec<String> = threads
                .iter()
                .map(|&id| thread::by_id(id).map_or_else(|| format!("thread T{id}"), thread_name))
                .collect();
            format!("the end of {}", join(&names))
        }
        Target::Objects { objects, .. } => {
            let names: Vec<String> = objects.iter().map(|(object, need)| need_name(object, *need)).collect();
            names.join(" or ")
        }
        Target::Unpark => "another thread to unpark it".to_owned(),
    }
}

/// What a thread needs of an object.
pub(super) fn need_name(object: &LockFacts, need: Need) -> String {
    let name = object.describe();
    match need {
        Need::Notify => format!("a notification of {name}"),
        Need::Message => format!("a message in {name}"),
        Need::Room => format!("room in {name}"),
        Need::Permits(1) => format!("a permit of {name}"),
        Need::Permits(n) => format!("{n} permits of {name}"),
        Need::Party => format!("more threads at {name}"),
        Need::Init => format!("the initialisation of {name}"),
    }
}

/// In which way a thread waits for a lock.
pub(super) fn wanted_words(waiting: &Waiting) -> &'static str {
    match waiting.target {
        Target::Lock { upgrade: true, .. } => " to upgrade it",
        Target::Lock { kind: LockKind::RwLock, mode, .. } => mode_words(LockKind::RwLock, mode),
        _ => "",
    }
}

/// `a, b and c`.
pub(super) fn join(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
