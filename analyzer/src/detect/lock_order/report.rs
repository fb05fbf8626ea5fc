//! Makes findings of circles: one for each circle of classes, with every combination of places.

use lockscope_trace::{Definitions, LockId, Mode, Nanos, SiteId};
use rustc_hash::FxHashMap;

use super::{
    assign::{Part, Variant, Variants},
    cycles::Cycle,
    happens_before::{HappensBefore, MOST_EXTRA},
    requests::{Group, Requests},
};
use crate::{
    detect::text::{self, Class, counted, times},
    finding::{Code, Confidence, Evidence, Finding, Participant, Severity, Target},
};

/// Circles so far, those of equal classes together.
#[derive(Debug, Default)]
pub(super) struct Circles {
    circles: Vec<Circle>,
    circle_of: FxHashMap<Key, usize>,
}

/// Classes of the locks of a circle; an undefined lock stands for itself. One class alone when all are equal: whether
/// two or five locks of a class are taken in a circle is the same mistake.
type Key = Vec<Class>;

#[derive(Debug)]
struct Circle {
    /// By what is asked where, each once; the earliest first when reported.
    variants: Vec<(Vec<Place>, Variant)>,
    /// Distinct circles of locks, each in the order of the circle.
    locks: Vec<Vec<LockId>>,
    more_variants: bool,
    more_locks: bool,
    /// Of the variants that something kept apart in this run: what it was.
    apart_by: Vec<LockId>,
}

type Place = (Option<SiteId>, Option<SiteId>, Mode);

/// Most variants of one finding, and most circles of locks that are counted for it.
const MOST_VARIANTS: usize = 16;
const MOST_LOCKS: usize = 1000;

impl Circles {
    /// Takes the variants of a circle in.
    pub(super) fn add(
        &mut self,
        definitions: &Definitions,
        groups: &[Group],
        cycle: &Cycle,
        found: Variants,
        lives: &HappensBefore,
    ) {
        if found.variants.is_empty() {
            return;
        }
        let locks = first_rotation(cycle.members.iter().map(|&member| groups[member as usize].lock).collect());
        let mut key: Key = first_rotation(locks.iter().map(|&lock| text::class(definitions, lock)).collect());
        if key.iter().all(|class| *class == key[0]) {
            key.truncate(1);
        }
        let index = *self.circle_of.entry(key).or_insert_with(|| {
            self.circles.push(Circle {
                variants: Vec::new(),
                locks: Vec::new(),
                more_variants: false,
                more_locks: false,
                apart_by: Vec::new(),
            });
            self.circles.len() - 1
        });
        let circle = &mut self.circles[index];
        circle.more_variants |= found.more;
        if !circle.locks.contains(&locks) {
            if circle.locks.len() < MOST_LOCKS {
                circle.locks.push(locks);
            } else {
                circle.more_locks = true;
            }
        }
        for variant in found.variants {
            if circle.apart_by.is_empty() {
                circle.apart_by = variant.apart_by(lives);
            }
            let places = first_rotation(variant.parts.iter().map(place).collect());
            match circle.variants.iter().position(|(known, _)| *known == places) {
                Some(index) if circle.variants[index].1.rank() <= variant.rank() => {}
                Some(index) => circle.variants[index].1 = variant,
                None if circle.variants.len() < MOST_VARIANTS => circle.variants.push((places, variant)),
                None => circle.more_variants = true,
            }
        }
    }

    /// The findings, with counts as they are now.
    pub(super) fn findings(&self, definitions: &Definitions, requests: &Requests) -> Vec<Finding> {
        if self.circles.is_empty() {
            return Vec::new();
        }
        let mut orders = FxHashMap::<(LockId, LockId), u64>::default();
        for group in requests.groups() {
            for &(held, _) in &group.held {
                *orders.entry((held, group.lock)).or_default() += group.count;
            }
        }
        self.circles.iter().map(|circle| finding(definitions, circle, &orders)).collect()
    }
}

impl Variant {
    /// Through which objects the order went that kept its threads apart in this run.
    fn apart_by(&self, lives: &HappensBefore) -> Vec<LockId> {
        let moments = || self.parts.iter().map(|part| part.instance.moment).filter(|_| self.apart);
        let pairs = moments().flat_map(|a| moments().map(move |b| (a, b)));
        let ordered = pairs.filter(|&(a, b)| a.thread != b.thread && lives.ordered_here(a, b));
        let mut objects: Vec<LockId> = ordered.flat_map(|(a, b)| lives.through(a, b)).collect();
        objects.sort_unstable();
        objects.dedup();
        objects
    }

    /// What can meet as far as this run tells comes before what was kept apart.
    fn rank(&self) -> (bool, (u64, Nanos)) {
        (self.apart, self.seen())
    }

    /// When the last of its requests was made for the first time.
    fn seen(&self) -> (u64, Nanos) {
        self.parts.iter().map(|part| part.instance.first_seen()).max().expect("a circle has members")
    }
}

fn finding(definitions: &Definitions, circle: &Circle, orders: &FxHashMap<(LockId, LockId), u64>) -> Finding {
    let code = Code::LockOrderInversion;
    let mut variants: Vec<&Variant> = circle.variants.iter().map(|(_, variant)| variant).collect();
    variants.sort_by_key(|variant| variant.rank());
    let mut first = variants[0].clone();
    let seen = |part: &Part| {
        let Target::Lock(wanted, _) = part.instance.wanted.target else { return 0 };
        // A request that still waits is not counted yet.
        part.holds.map_or(0, |held| orders.get(&(held, wanted)).copied().unwrap_or(0).max(1))
    };
    // The rarest order last: it is the one that the advice is to change.
    let rarest = (0..first.parts.len())
        .filter(|&index| first.parts[index].holds.is_some())
        .min_by_key(|&index| (seen(&first.parts[index]), std::cmp::Reverse(first.parts[index].instance.first_seen())))
        .expect("a circle has members that hold");
    first.parts.rotate_left(rarest + 1);
    if first.parts.first().is_some_and(|part| part.holds.is_none()) {
        // The writer behind the rarest stays with it.
        first.parts.rotate_left(1);
    }
    let locks: Vec<LockId> = first.parts.iter().filter_map(|part| part.holds).collect();
    let names: Vec<String> = locks.iter().map(|&lock| definitions.class_name(lock)).collect();
    let participants: Vec<Participant> = first.parts.iter().map(participant).collect();
    let places: Vec<_> =
        first.parts.iter().filter(|part| part.holds.is_some()).map(|part| part.instance.wanted.site).collect();
    Finding {
        evidence: Evidence::default(),
        code,
        severity: Severity::Warning,
        confidence: Confidence::Potential,
        title: title(definitions, &locks, &names),
        fingerprint: text::fingerprint(definitions, code, &locks, &participants),
        variants: variants[1..].iter().map(|variant| variant.parts.iter().map(participant).collect()).collect(),
        first_seen: first.seen().1,
        events: events(&first),
        count: circle.locks.iter().map(|locks| rarest_count(locks, orders)).sum(),
        notes: notes(definitions, circle, &first, seen),
        help: vec![
            text::initialise_first(definitions, &locks)
                .unwrap_or_else(|| text::one_order(definitions, &names, &places)),
            "or release the held lock before asking for the other, or hold one common lock around all of it".to_owned(),
        ],
        participants,
        locks,
    }
}

fn title(definitions: &Definitions, locks: &[LockId], names: &[String]) -> String {
    let same_class = locks.iter().all(|&lock| text::class(definitions, lock) == text::class(definitions, locks[0]));
    match (locks, names) {
        ([a, b], _) if a == b => format!("{} is upgraded by two threads at once", names[0]),
        ([_, _], [name, _]) if same_class => format!("two locks of {name} are taken in both orders"),
        ([_, _], [one, other]) => format!("{one} and {other} are taken in both orders"),
        _ if same_class => format!("{} of {} are taken in a circle", counted(locks.len(), "lock"), names[0]),
        _ => {
            let mut around = names.to_vec();
            around.push(names[0].clone());
            format!("{} are taken in a circle: {}", counted(locks.len(), "lock"), around.join(" → "))
        }
    }
}

fn notes(definitions: &Definitions, circle: &Circle, first: &Variant, seen: impl Fn(&Part) -> u64) -> Vec<String> {
    let mut notes = vec![kept_apart(definitions, circle, first)];
    let mut orders = Vec::new();
    for (index, part) in first.parts.iter().enumerate() {
        let me = definitions.thread_name(part.instance.moment.thread);
        let Some(wanted) = wanted(part) else { continue };
        let name = definitions.lock_name(wanted);
        match part.holds {
            Some(held) => orders.push(format!("{} then {name} {}", definitions.lock_name(held), times(seen(part)))),
            None => {
                let before = &first.parts[(index + first.parts.len() - 1) % first.parts.len()];
                notes.push(format!(
                    "the circle closes when {me} waits to write {name} before {} reads it: fair read-write locks let no \
                     reader pass a waiting writer",
                    definitions.thread_name(before.instance.moment.thread)
                ));
            }
        }
        if part.instance.timed {
            notes.push(format!("{me} asks for {name} with a time limit, which would end the deadlock"));
        }
    }
    notes.push(format!("seen: {}", orders.join(", ")));
    if circle.locks.len() > 1 {
        let some = if circle.more_locks { "more than " } else { "" };
        notes.push(format!(
            "the same happens with {some}{} different sets of locks of these classes",
            circle.locks.len()
        ));
    }
    if circle.more_variants {
        notes.push("more combinations of places than the ones listed may exist".to_owned());
    }
    notes
}

/// What keeps the threads apart, or that nothing does.
fn kept_apart(definitions: &Definitions, circle: &Circle, first: &Variant) -> String {
    if !first.apart {
        let nothing =
            "nothing that was recorded keeps the threads apart: no common gate lock, no fork or join between them";
        let limit =
            format!("; of messages and the like only the first {MOST_EXTRA} turns of each thread were followed");
        return format!("{nothing}{}", if first.followed { "" } else { &limit });
    }
    let names: Vec<String> = circle.apart_by.iter().map(|&object| definitions.lock_name(object)).collect();
    let by = if names.is_empty() { String::new() } else { format!(" by {}", text::list(&names)) };
    format!("in this run the threads were kept apart{by}; if that is so in every run they cannot meet")
}

fn participant(part: &Part) -> Participant {
    let held = part.instance.held.iter().filter(|held| Some(held.lock) == part.holds).cloned().collect();
    Participant { thread: part.instance.moment.thread, held, wanted: Some(part.instance.wanted.clone()) }
}

fn events(variant: &Variant) -> Vec<u64> {
    let mut events: Vec<u64> = variant
        .parts
        .iter()
        .flat_map(|part| {
            let held = part.instance.held.iter().filter(|held| Some(held.lock) == part.holds).map(|held| held.event);
            held.chain([part.instance.wanted.event, part.instance.ended])
        })
        .filter(|&event| event > 0)
        .collect();
    events.sort_unstable();
    events.dedup();
    events
}

fn wanted(part: &Part) -> Option<LockId> {
    match part.instance.wanted.target {
        Target::Lock(lock, _) => Some(lock),
        Target::Thread(_) | Target::Object(..) | Target::Token => None,
    }
}

fn place(part: &Part) -> Place {
    let held = part.instance.held.iter().find(|held| Some(held.lock) == part.holds).and_then(|held| held.site);
    let mode = match part.instance.wanted.target {
        Target::Lock(_, mode) => mode,
        Target::Thread(_) | Target::Object(..) | Target::Token => Mode::Exclusive,
    };
    (held, part.instance.wanted.site, mode)
}

/// How often the rarest of the orders of a circle was seen.
fn rarest_count(locks: &[LockId], orders: &FxHashMap<(LockId, LockId), u64>) -> u64 {
    (0..locks.len())
        .map(|index| {
            let held = locks[(index + locks.len() - 1) % locks.len()];
            orders.get(&(held, locks[index])).copied().unwrap_or(0).max(1)
        })
        .min()
        .unwrap_or(0)
}

/// The rotation that is lowest, so that circles that begin elsewhere are equal.
fn first_rotation<T: Ord + Clone>(mut circle: Vec<T>) -> Vec<T> {
    let lowest = (0..circle.len()).min_by(|&a, &b| {
        let from = |start: usize| circle[start..].iter().chain(&circle[..start]);
        from(a).cmp(from(b))
    });
    circle.rotate_left(lowest.unwrap_or(0));
    circle
}
