//! One finding for one bug, whatever number of engines see it: the strongest evidence stays, and says who else saw it.

use std::{
    cmp::Reverse,
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use lockscope_trace::{Definitions, SiteId};

use crate::{
    detect::text::{self, Class},
    finding::{Code, Finding, Participant, Touch, What},
};

/// What makes two findings one bug.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Bug {
    /// Accesses at these places, of locations that are made at one place.
    Race(Var, [(Touch, Option<SiteId>); 2]),
    /// Something is wrong with how locations made at one place are accessed.
    Var(Var),
    /// Locks of these classes, each named once: whether two or five locks of a class are taken in a circle is the same mistake.
    Deadlock(Vec<Class>),
}

/// Where a location was made, and its type or name. All that are made at one place are alike.
type Var = (Option<SiteId>, Arc<str>);

/// Merges what engines found. Other findings pass through, in their order and before these.
pub fn merge(definitions: &Definitions, findings: Vec<Finding>) -> Vec<Finding> {
    let (mut predictions, mut merged): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| bug(definitions, finding).is_some());
    predictions.sort_by_key(|finding| (Reverse(finding.confidence), finding.evidence.engines.first().copied()));
    let mut known: HashMap<Bug, usize> = HashMap::new();
    for finding in predictions {
        let bug = bug(definitions, &finding).expect("only findings of bugs are here");
        match known.entry(bug.clone()) {
            // Inversions that the detector tells apart are apart.
            Entry::Occupied(place) if matches!(bug, Bug::Deadlock(..)) && merged[*place.get()].code == finding.code => {
                merged.push(finding);
            }
            Entry::Occupied(place) => absorb(definitions, &mut merged[*place.get()], finding),
            Entry::Vacant(place) => {
                place.insert(merged.len());
                if let Bug::Race(var, _) = bug {
                    // Accesses that race are not locked alike: that needs no finding of its own.
                    known.entry(Bug::Var(var)).or_insert(merged.len());
                }
                merged.push(finding);
            }
        }
    }
    merged
}

/// Notes in the stronger finding what the weaker one says.
fn absorb(definitions: &Definitions, stronger: &mut Finding, weaker: Finding) {
    for &engine in &weaker.evidence.engines {
        if !stronger.evidence.engines.contains(&engine) {
            stronger.evidence.engines.push(engine);
        }
    }
    if weaker.code == Code::LockOrderInversion && stronger.code != weaker.code {
        absorb_inversion(definitions, stronger, &weaker);
    }
    if stronger.code == weaker.code {
        stronger.count = stronger.count.max(weaker.count);
    }
    if weaker.code == Code::InconsistentLocking && stronger.code != weaker.code {
        stronger
            .notes
            .extend(weaker.notes.into_iter().filter(|note| !stronger.notes.contains(note)).collect::<Vec<_>>());
    }
}

/// A proved deadlock says how often its orders were seen, and at which other places the same orders are taken.
fn absorb_inversion(definitions: &Definitions, deadlock: &mut Finding, inversion: &Finding) {
    deadlock.count = deadlock.count.max(inversion.count);
    deadlock.first_seen = deadlock.first_seen.min(inversion.first_seen);
    deadlock.notes.extend(inversion.notes.iter().filter(|note| note.starts_with("seen: ")).cloned());
    let asked = |participants: &[Participant]| {
        let mut places: Vec<_> =
            participants.iter().map(|part| part.wanted.as_ref().and_then(|wanted| wanted.site)).collect();
        places.sort_unstable();
        places
    };
    let proved: Vec<_> = std::iter::once(&deadlock.participants)
        .chain(&deadlock.variants)
        .map(|participants| asked(participants))
        .collect();
    let others = std::iter::once(&inversion.participants).chain(&inversion.variants);
    let unproved: Vec<_> =
        others.map(|participants| asked(participants)).filter(|places| !proved.contains(places)).collect();
    let shown = unproved.iter().take(MOST_PLACES).map(|places| {
        let places: Vec<String> = places.iter().map(|&site| text::place(definitions, site)).collect();
        format!("not proved, but alike: the same locks are asked for in a circle at {}", text::list(&places))
    });
    deadlock.notes.extend(shown);
    if unproved.len() > MOST_PLACES {
        deadlock.notes.push(format!("and at {} more combinations of places", unproved.len() - MOST_PLACES));
    }
}

/// Most combinations of places that are named without being proved.
const MOST_PLACES: usize = 3;

fn bug(definitions: &Definitions, finding: &Finding) -> Option<Bug> {
    match finding.code {
        Code::DataRace | Code::PredictedDataRace => {
            let [first, second] = finding.evidence.accesses.as_slice() else { return None };
            let mut places = [(first.touch, first.site), (second.touch, second.site)];
            places.sort_unstable();
            Some(Bug::Race(class(definitions, first.what), places))
        }
        Code::InconsistentLocking => Some(Bug::Var(class(definitions, finding.evidence.accesses.first()?.what))),
        Code::PredictedDeadlock | Code::LockOrderInversion => {
            let mut classes: Vec<Class> = finding.locks.iter().map(|&lock| text::class(definitions, lock)).collect();
            classes.sort_unstable();
            classes.dedup();
            Some(Bug::Deadlock(classes))
        }
        _ => None,
    }
}

fn class(definitions: &Definitions, what: What) -> Var {
    match what.type_name(definitions) {
        "" => (None, format!("{what:?}").into()),
        name => (what.created(definitions), name.into()),
    }
}
