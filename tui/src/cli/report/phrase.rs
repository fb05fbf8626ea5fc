//! Words for what a participant of a finding held and wanted, the same in every report and on every screen.
//!
//! They never claim more than the evidence: who *waits* was seen to wait, who *takes* was seen to take, and only in an
//! actual finding does anybody wait.

use lockscope_analyzer::finding::{Code, Confidence, Finding, Held, Participant, Target, Wanted};
use lockscope_trace::{Definitions, LockId, LockKind, Mode, Need, ThreadId};

use crate::source::file_and_line;

/// What is wanted, as an object: `audit`, `a write lock of cache`, `the end of worker-1`.
pub fn target(defs: &Definitions, target: Target) -> String {
    match target {
        Target::Lock(lock, mode) => match mode_word(defs, lock, mode) {
            Some(word) => format!("{word} of `{}`", defs.lock_name(lock)),
            None => format!("`{}`", defs.lock_name(lock)),
        },
        Target::Thread(thread) => format!("the end of {}", self::thread(defs, thread)),
        Target::Object(object, need) => format!("{} `{}`", need_words(need), defs.lock_name(object)),
        Target::Token => "somebody to unpark it".to_owned(),
    }
}

/// What is held, as an object: `audit`, `a read lock of cache`.
pub fn held(defs: &Definitions, held: &Held) -> String {
    target(defs, Target::Lock(held.lock, held.mode))
}

/// The thread in back quotes.
pub fn thread(defs: &Definitions, thread: ThreadId) -> String {
    format!("`{}`", defs.thread_name(thread))
}

/// `T3 teller-1`, or `T3` for a thread without a name.
pub fn thread_label(defs: &Definitions, id: ThreadId) -> String {
    match defs.thread(id).and_then(|thread| thread.name.as_ref()) {
        Some(name) if **name != id.to_string() => format!("{id} {name}"),
        _ => id.to_string(),
    }
}

/// `L7 audit`, or `L7 Mutex<u32> (src/bank.rs:12)` for a lock without a name.
pub fn lock_label(defs: &Definitions, id: LockId) -> String {
    let name = defs.lock_name(id);
    if name == id.to_string() { name } else { format!("{id} {name}") }
}

/// `L7 audit`, or `L7 Mutex<u32>` for a lock without a name: where there is no room for the place of its creation.
pub fn lock_short(defs: &Definitions, id: LockId) -> String {
    let Some(def) = defs.lock(id) else { return id.to_string() };
    match (&def.name, def.type_name.is_empty(), def.created.and_then(|site| defs.site(site))) {
        (Some(name), ..) => format!("{id} {name}"),
        (None, false, _) => {
            let full = defs.lock_name(id);
            // The place follows the type in brackets of its own.
            let without_place = full.rsplit_once(" (").map_or(full.as_str(), |(name, _)| name);
            format!("{id} {without_place}")
        }
        (None, true, Some(site)) => format!("{id} {}", file_and_line(site)),
        (None, true, None) => id.to_string(),
    }
}

/// `L7 audit (exclusive)`, `end of T3 worker`, `notification of L9`.
pub fn target_label(defs: &Definitions, target: Target) -> String {
    target_by(defs, target, lock_label)
}

/// The same with [`lock_short`].
pub fn target_short(defs: &Definitions, target: Target) -> String {
    target_by(defs, target, lock_short)
}

fn target_by(defs: &Definitions, target: Target, label: fn(&Definitions, LockId) -> String) -> String {
    match target {
        Target::Lock(lock, mode) => {
            let mode = mode_word(defs, lock, mode).map_or(String::new(), |_| format!(" ({})", mode.word()));
            format!("{}{mode}", label(defs, lock))
        }
        Target::Thread(thread) => format!("end of {}", thread_label(defs, thread)),
        Target::Object(object, need) => format!("{} {}", need_words(need), label(defs, object)),
        Target::Token => "unpark".to_owned(),
    }
}

/// What is needed of an object, up to the object's name: `a message of`.
fn need_words(need: Need) -> String {
    match need {
        Need::Notify => "a notification of".to_owned(),
        Need::Message => "a message from".to_owned(),
        Need::Room => "room in".to_owned(),
        Need::Permits(1) => "a permit of".to_owned(),
        Need::Permits(permits) => format!("{permits} permits of"),
        Need::Party => "more threads at".to_owned(),
        Need::Init => "the initialisation of".to_owned(),
    }
}

/// The mode in words where it says something: of a read-write lock.
pub fn mode_word(defs: &Definitions, lock: LockId, mode: Mode) -> Option<&'static str> {
    let is_rwlock = defs.lock(lock).is_some_and(|lock| lock.kind == LockKind::RwLock);
    match mode {
        Mode::Exclusive => is_rwlock.then_some("a write lock"),
        Mode::Shared => Some("a read lock"),
        Mode::Upgradable => Some("an upgradable lock"),
    }
}

/// Label for the place where something was taken.
pub fn took(defs: &Definitions, participant: &Participant, held_lock: &Held) -> String {
    format!("{} took {} here", thread(defs, participant.thread), held(defs, held_lock))
}

/// Label for the place where something was wanted.
pub fn wants(defs: &Definitions, finding: &Finding, participant: &Participant, wanted: &Wanted) -> String {
    let (thread, target) = (thread(defs, participant.thread), target(defs, wanted.target));
    format!("{thread} {} {target} here", wants_verb(finding, participant))
}

/// What a participant did to what it wanted. Only where threads were seen to be stuck does anybody wait.
pub fn wants_verb(finding: &Finding, participant: &Participant) -> &'static str {
    let is_stuck = match finding.code {
        Code::Deadlock | Code::SelfDeadlock | Code::RecursiveRead | Code::LockTimeout => true,
        Code::LockOrderInversion | Code::HierarchyViolation => false,
    };
    match (finding.confidence, participant.held.is_empty()) {
        (Confidence::Actual, _) if is_stuck => "waits for",
        (_, true) => "takes",
        (_, false) => "then takes",
    }
}
