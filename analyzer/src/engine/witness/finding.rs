//! The finding that a proved claim is.

use lockscope_trace::{Definitions, Event, LockId, Nanos, Op, SiteId, defs::short_paths};

use super::{
    Claim, End, Witness,
    check::Fact,
    world::{Hold, World},
};
use crate::{
    detect::text,
    finding::{
        Accessed, Code, Confidence, Evidence, Finding, Held, Participant, Severity, Target, Touch, Wanted, What,
    },
};

/// The prediction. `next` are the events that the threads would do next, in the order of the claim.
pub(super) fn of(definitions: &Definitions, claim: &Claim, world: &World, next: &[Fact], witness: Witness) -> Finding {
    let length = witness.length;
    let mut finding = match &claim.end {
        End::Deadlock(requests) => {
            let locks: Vec<LockId> = requests.iter().map(|&(_, lock, _)| lock).collect();
            deadlock(definitions, &locks, world, next)
        }
        End::Race(..) => race(definitions, next),
    };
    let length = text::counted(usize::try_from(length).unwrap_or(usize::MAX), "recorded event");
    finding.notes.insert(0, format!("proved by a run of {length} that leads there, checked event by event"));
    finding.evidence.engines = vec![claim.engine];
    finding.evidence.witness = Some(Box::new(witness));
    finding
}

/// `requested[n]` is what thread n asks for.
fn deadlock(definitions: &Definitions, requested: &[LockId], world: &World, next: &[Fact]) -> Finding {
    let code = Code::PredictedDeadlock;
    let n_threads = next.len();
    // What a thread holds that matters is what the one before it asks for.
    let participants: Vec<Participant> = (0..n_threads)
        .map(|index| {
            let held = requested[(index + n_threads - 1) % n_threads];
            let thread = next[index].event.thread;
            let hold = world.held(held).iter().find(|hold| hold.owner == thread);
            Participant {
                thread,
                held: hold.map(|hold| holds(held, hold)).into_iter().collect(),
                wanted: wanted(next[index].position, &next[index].event),
            }
        })
        .collect();
    let locks: Vec<LockId> = (0..n_threads).map(|index| requested[(index + n_threads - 1) % n_threads]).collect();
    let names: Vec<String> = locks.iter().map(|&lock| definitions.class_name(lock)).collect();
    let places: Vec<_> = next.iter().map(|fact| fact.event.site).collect();
    let mut kinds = names.clone();
    kinds.sort_unstable();
    kinds.dedup();
    Finding {
        code,
        severity: Severity::Error,
        confidence: Confidence::Predicted,
        title: format!("{} can deadlock over {}", text::counted(n_threads, "thread"), text::list(&kinds)),
        fingerprint: text::fingerprint(definitions, code, &locks, &participants),
        variants: Vec::new(),
        first_seen: last(next),
        events: events(next),
        count: 1,
        notes: Vec::new(),
        help: vec![
            text::initialise_first(definitions, &locks)
                .unwrap_or_else(|| text::one_order(definitions, &names, &places)),
            "or release the held lock before asking for the other, or hold one common lock around all of it".to_owned(),
        ],
        participants,
        locks,
        evidence: Evidence::default(),
    }
}

fn race(definitions: &Definitions, next: &[Fact]) -> Finding {
    let code = Code::PredictedDataRace;
    let accesses: Vec<Accessed> = next.iter().filter_map(|fact| accessed(fact.position, &fact.event)).collect();
    let name = accesses.first().map_or_else(String::new, |access| access.what.name(definitions));
    let file = |site: Option<SiteId>| {
        site.and_then(|site| definitions.site(site)).map_or_else(String::new, |site| short_paths(&site.file))
    };
    let var = accesses.first().map(|access| access.what);
    let mut lines: Vec<String> =
        accesses.iter().map(|access| format!("{} {}", access.touch.as_str(), file(access.site))).collect();
    lines.sort_unstable();
    lines.extend(var.map(|var| format!("{} {}", var.type_name(definitions), file(var.created(definitions)))));
    Finding {
        code,
        severity: Severity::Error,
        confidence: Confidence::Predicted,
        title: format!("{name} is accessed by two threads that another schedule does not order"),
        fingerprint: text::fingerprint_of_text(code, &lines.join("\n")),
        participants: Vec::new(),
        variants: Vec::new(),
        locks: Vec::new(),
        first_seen: last(next),
        events: events(next),
        count: 1,
        notes: vec!["what ordered the two accesses in this run does not order them in every run".to_owned()],
        help: vec!["hold one lock around both accesses, or make the value atomic".to_owned()],
        evidence: Evidence { accesses, ..Evidence::default() },
    }
}

fn holds(lock: LockId, hold: &Hold) -> Held {
    let Event { site, stack, time, .. } = hold.taken;
    Held { lock, mode: hold.mode, site, stack, since: time, event: hold.position }
}

fn wanted(position: u64, event: &Event) -> Option<Wanted> {
    let Op::Acquired { lock, mode, .. } = event.op else { return None };
    let &Event { site, stack, time, .. } = event;
    Some(Wanted { target: Target::Lock(lock, mode), site, stack, since: time, event: position })
}

fn accessed(position: u64, event: &Event) -> Option<Accessed> {
    let (var, touch) = match event.op {
        Op::Read { var } => (var, Touch::Read),
        Op::Write { var } => (var, Touch::Write),
        _ => return None,
    };
    let &Event { thread, site, stack, time, .. } = event;
    Some(Accessed { thread, what: What::Var(var), touch, site, stack, time, event: position })
}

fn last(next: &[Fact]) -> Nanos {
    next.iter().map(|fact| fact.event.time).max().unwrap_or_default()
}

fn events(next: &[Fact]) -> Vec<u64> {
    let mut events: Vec<u64> = next.iter().map(|fact| fact.position).collect();
    events.sort_unstable();
    events
}
