//! Words for what a participant of a finding held and wanted, the same in every report and on every screen.
//!
//! They never claim more than the evidence: who *waits* was seen to wait, who *takes* was seen to take, and only in an
//! actual finding does anybody wait.

use lockscope_analyzer::{
    State, ThreadState,
    finding::{Accessed, Code, Confidence, Finding, Held, Participant, Target, Touch, Wanted, What},
    wait_for,
};
use lockscope_trace::{Definitions, LockId, LockKind, Mode, Need, Side, ThreadId};

use crate::{cli::report::plural, source::file_and_line};

/// What is wanted, as an object: `audit`, `a write lock of cache`, `the end of worker-1`.
pub fn target(defs: &Definitions, target: Target) -> String {
    target_named(defs, target, |lock| defs.lock_name(lock))
}

/// The same in a finding: locks of one description, all of which it is about, are told apart by their handles.
fn target_in(defs: &Definitions, finding: &Finding, target: Target) -> String {
    target_named(defs, target, |lock| name_in(defs, finding, lock))
}

fn name_in(defs: &Definitions, finding: &Finding, lock: LockId) -> String {
    let name = defs.lock_name(lock);
    let is_shared = finding.locks.iter().any(|&other| other != lock && defs.lock_name(other) == name);
    if is_shared && name != lock.to_string() { format!("{lock} {name}") } else { name }
}

fn target_named(defs: &Definitions, target: Target, name: impl Fn(LockId) -> String) -> String {
    match target {
        Target::Lock(lock, _) if is_once(defs, lock) => format!("the initialisation of `{}`", name(lock)),
        Target::Lock(lock, mode) => match mode_word(defs, lock, mode) {
            Some(word) => format!("{word} of `{}`", name(lock)),
            None => format!("`{}`", name(lock)),
        },
        Target::Thread(thread) => format!("the end of {}", self::thread(defs, thread)),
        Target::Object(object, need) => format!("{} `{}`", need_words(need), name(object)),
        Target::Token => "somebody to unpark it".to_owned(),
    }
}

/// Whether it is held only while it is initialised.
fn is_once(defs: &Definitions, lock: LockId) -> bool {
    let kind = defs.lock(lock).map(|lock| lock.kind);
    matches!(kind, Some(LockKind::Once | LockKind::OnceLock | LockKind::LazyLock))
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
            format!("{}{}", label(defs, lock), in_mode(defs, lock, mode))
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

/// ` (shared)` and the like, where it says something.
pub fn in_mode(defs: &Definitions, lock: LockId, mode: Mode) -> String {
    match mode_word(defs, lock, mode) {
        Some("a permit") => " (permit)".to_owned(),
        Some(_) => format!(" ({})", mode.word()),
        None => String::new(),
    }
}

/// Everything that a thread waits for: `L7 audit`, `a message from L3 jobs or L4 stop`, `end of T3 and T4`.
pub fn waited_for(defs: &Definitions, thread: &ThreadState) -> String {
    list_targets(thread, |target| target_label(defs, target))
}

/// The same with short labels.
pub fn waited_for_short(defs: &Definitions, thread: &ThreadState) -> String {
    list_targets(thread, |target| target_short(defs, target))
}

fn list_targets(thread: &ThreadState, label: impl Fn(Target) -> String) -> String {
    let all = thread.targets().any(|target| matches!(target, Target::Thread(_)));
    let labels: Vec<String> = thread.targets().take(MAX_TARGETS).map(label).collect();
    let mut text = labels.join(if all { " and " } else { " or " });
    let n_more = thread.targets().count().saturating_sub(MAX_TARGETS);
    if n_more > 0 {
        text.push_str(&format!(" {} {n_more} more", if all { "and" } else { "or" }));
    }
    text
}

/// Things that one wait is for beyond these are counted.
const MAX_TARGETS: usize = 4;

/// What an object that is no lock has to give: `2 messages, senders: T1 reader`, `1 of 4 permits free`, `2 of 3 arrived`.
pub fn object_state(defs: &Definitions, state: &State, id: LockId) -> Option<String> {
    let (object, def) = (state.object(id)?, defs.lock(id)?);
    let holders = |side: Side| -> Vec<String> {
        object.handles(side).take(MAX_TARGETS).map(|(thread, _)| thread_label(defs, thread)).collect()
    };
    match def.kind {
        LockKind::Channel => {
            let mut parts = vec![plural(object.in_flight, "message")];
            for side in [Side::Sender, Side::Receiver].into_iter().filter(|side| object.knows_handles(*side)) {
                let names = holders(side);
                let n_more = object.handles(side).count() - names.len();
                parts.push(match (names.is_empty(), n_more) {
                    (true, _) => format!("no {} left", side.word()),
                    (false, 0) => format!("{}s: {}", side.word(), names.join(", ")),
                    (false, n) => format!("{}s: {} and {n} more", side.word(), names.join(", ")),
                });
            }
            Some(parts.join("; "))
        }
        LockKind::Semaphore => {
            let capacity = def.capacity?;
            Some(format!("{} of {} free", object.permits(capacity), plural(capacity, "permit")))
        }
        LockKind::Barrier => {
            let arrived = object.arrived.len() as u64;
            Some(def.capacity.map_or(format!("{arrived} arrived"), |parties| format!("{arrived} of {parties} arrived")))
        }
        _ => None,
    }
}

/// Who could end a wait, by what is known: `T3 feeder, T4`; empty where nobody is known or the wait is for a lock.
pub fn helpers(defs: &Definitions, state: &State, id: ThreadId) -> Vec<ThreadId> {
    let mut threads: Vec<ThreadId> = state
        .thread(id)
        .into_iter()
        .flat_map(|thread| thread.targets())
        .flat_map(|target| wait_for::helpers(state, defs, id, target))
        .collect();
    threads.sort_unstable();
    threads.dedup();
    threads
}

/// The mode in words where it says something: of a read-write lock.
pub fn mode_word(defs: &Definitions, lock: LockId, mode: Mode) -> Option<&'static str> {
    let kind = defs.lock(lock).map(|lock| lock.kind);
    match (kind, mode) {
        (Some(LockKind::Semaphore), _) => Some("a permit"),
        _ if is_once(defs, lock) => None,
        (kind, Mode::Exclusive) => (kind == Some(LockKind::RwLock)).then_some("a write lock"),
        (_, Mode::Shared) => Some("a read lock"),
        (_, Mode::Upgradable) => Some("an upgradable lock"),
    }
}

/// Label for the place where something was taken.
pub fn took(defs: &Definitions, finding: &Finding, participant: &Participant, held: &Held) -> String {
    let thread = thread(defs, participant.thread);
    if is_once(defs, held.lock) {
        return format!("{thread} initialises `{}` here", name_in(defs, finding, held.lock));
    }
    format!("{thread} took {} here", target_in(defs, finding, Target::Lock(held.lock, held.mode)))
}

/// Label for the place where something was wanted.
pub fn wants(defs: &Definitions, finding: &Finding, participant: &Participant, wanted: &Wanted) -> String {
    let (thread, verb) = (thread(defs, participant.thread), wants_verb(finding, participant));
    match wanted.target {
        // Nobody waits: what is taken is the right to initialise.
        Target::Lock(lock, _) if is_once(defs, lock) && verb.ends_with("takes") => {
            format!("{thread} {}initialises `{}` here", verb.trim_end_matches("takes"), name_in(defs, finding, lock))
        }
        target => format!("{thread} {verb} {} here", target_in(defs, finding, target)),
    }
}

/// Label for the place of an access: ``T1` writes `x` here`.
pub fn accesses(defs: &Definitions, accessed: &Accessed) -> String {
    let verb = match accessed.touch {
        Touch::Read => "reads",
        Touch::Write => "writes",
    };
    let thread = thread(defs, accessed.thread);
    match accessed.what {
        What::Var(var) => format!("{thread} {verb} `{}` here", defs.var(var)),
        What::Data(lock) => format!("{thread} takes `{}` and {verb} here", lock_label(defs, lock)),
    }
}

/// What a participant did to what it wanted. Only where threads were seen to be stuck does anybody wait.
pub fn wants_verb(finding: &Finding, participant: &Participant) -> &'static str {
    let is_stuck = match finding.code {
        Code::Deadlock
        | Code::SelfDeadlock
        | Code::LostWakeup
        | Code::SemaphoreLeak
        | Code::GuardLeak
        | Code::NoTimeout => return "waits for",
        Code::BusyWait => return "tries to take",
        Code::UncheckedWakeup => return "waited for",
        Code::RecursiveRead | Code::LockTimeout => true,
        Code::LockOrderInversion
        | Code::PredictedDeadlock
        | Code::HierarchyViolation
        | Code::Poisoned
        | Code::OutOfOrderRelease
        | Code::DataRace
        | Code::PredictedDataRace
        | Code::InconsistentLocking
        | Code::LostUpdate
        | Code::CheckThenAct
        | Code::AtomicityViolation => false,
    };
    match (finding.confidence, participant.held.is_empty()) {
        (Confidence::Actual, _) if is_stuck => "waits for",
        (_, true) => "takes",
        (_, false) => "then takes",
    }
}

#[cfg(test)]
mod tests {
    use lockscope_trace::{Event, Nanos, Op, ThreadDef};

    use super::*;

    #[test]
    fn waits_for_objects_are_said_in_words() {
        let mut defs = Definitions::default();
        for name in ["main", "feeder"] {
            defs.threads.push(ThreadDef { name: Some(name.into()), ..ThreadDef::default() });
        }
        let [channel, semaphore, barrier] =
            [(LockKind::Channel, "jobs"), (LockKind::Semaphore, "slots"), (LockKind::Barrier, "start")]
                .map(|(kind, name)| defs.add_lock(kind, Some(name.into()), "u8".into(), None, None));
        defs.locks[semaphore.0 as usize].capacity = Some(4);
        defs.locks[barrier.0 as usize].capacity = Some(3);
        let mut state = State::default();
        let need = Need::Permits(2);
        for (thread, op) in [
            (1, Op::HandleAdded { channel, side: Side::Sender, count: 1 }),
            (1, Op::HandleAdded { channel, side: Side::Receiver, count: 2 }),
            (1, Op::HandleDropped { channel, side: Side::Receiver, owner: ThreadId(1), count: 3 }),
            (1, Op::Sent { channel, count: 4 }),
            (1, Op::PermitsAcquired { semaphore, permits: 3, stays: true, count: 1 }),
            (1, Op::BarrierArrived { barrier, count: 1 }),
            (0, Op::Block { object: channel, need: Need::Message, limited: false }),
            (0, Op::Block { object: semaphore, need, limited: false }),
        ] {
            state.apply(&Event { thread: ThreadId(thread), time: Nanos(0), site: None, stack: None, op });
        }
        let main = state.thread(ThreadId(0)).expect("it waits");
        assert_eq!(waited_for(&defs, main), "a message from L0 jobs or 2 permits of L1 slots");
        assert_eq!(helpers(&defs, &state, ThreadId(0)), [ThreadId(1)]);
        let object = |id| object_state(&defs, &state, id).expect("it was used");
        assert_eq!(object(channel), "1 message; senders: T1 feeder; no receiver left");
        assert_eq!(object(semaphore), "1 of 4 permits free");
        assert_eq!(object(barrier), "1 of 3 arrived");
        assert_eq!(target(&defs, Target::Object(channel, Need::Room)), "room in `jobs`");
        assert_eq!(target(&defs, Target::Lock(semaphore, Mode::Shared)), "a permit of `slots`");
    }
}
