//! Races as findings: one for each pair of places, and on request every occurrence.

use std::collections::hash_map::Entry;

use lockscope_trace::{Definitions, SiteId, VarId};
use rustc_hash::FxHashMap;

use super::super::{
    access::{self, Access},
    holds::Holds,
};
use crate::{
    detect::text,
    engine::EngineId,
    finding::{Code, Confidence, Evidence, Finding, Held, Participant, Severity, Touch},
};

/// Two accesses that race, in the order of this run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occurrence {
    pub var: VarId,
    pub earlier: (Access, Touch),
    pub later: (Access, Touch),
}

/// Races so far.
#[derive(Debug)]
pub(super) struct Races {
    all: Option<Vec<Occurrence>>,
    bugs: Vec<Bug>,
    bug_of: FxHashMap<Key, u32>,
    /// Races beyond the bugs that are told apart.
    dropped: u64,
}

/// Races between the same two places.
#[derive(Debug)]
struct Bug {
    first: Occurrence,
    count: u64,
    /// What the threads held at the first one; of the earlier access it may not be known.
    held: [Option<Vec<Held>>; 2],
    /// Locations other than the first one's.
    further_vars: bool,
}

/// Both places, in any order; the location where a place is not known.
type Key = ([(Option<SiteId>, Touch); 2], Option<VarId>);

/// Most bugs that are told apart.
const MOST_BUGS: usize = 1000;

impl Races {
    pub fn new(all: bool) -> Self {
        Races { all: all.then(Vec::new), bugs: Vec::new(), bug_of: FxHashMap::default(), dropped: 0 }
    }

    /// Takes a race in; `holds` is what threads hold at the later access.
    #[cold]
    pub fn add(&mut self, occurrence: Occurrence, holds: &Holds) {
        let Occurrence { var, earlier, later } = occurrence;
        let mut places = [(earlier.0.site, earlier.1), (later.0.site, later.1)];
        places.sort_unstable();
        let is_known = places.iter().all(|(site, _)| site.is_some());
        match self.bug_of.entry((places, (!is_known).then_some(var))) {
            Entry::Occupied(known) => {
                let bug = &mut self.bugs[*known.get() as usize];
                bug.count += 1;
                bug.further_vars |= bug.first.var != var;
            }
            Entry::Vacant(_) if self.bugs.len() == MOST_BUGS => self.dropped += 1,
            Entry::Vacant(place) => {
                place.insert(self.bugs.len() as u32);
                let held = [holds.held_then(earlier.0.chain()), Some(holds.held(later.0.thread()))];
                self.bugs.push(Bug { first: occurrence, count: 1, held, further_vars: false });
            }
        }
        if let Some(all) = &mut self.all {
            all.push(occurrence);
        }
    }

    pub fn findings(&self, definitions: &Definitions, engine: EngineId) -> Vec<Finding> {
        self.bugs.iter().map(|bug| finding(definitions, bug, engine)).collect()
    }

    pub fn occurrences(&self, definitions: &Definitions, engine: EngineId) -> Vec<Finding> {
        let single = |&first: &Occurrence| {
            let bug = Bug { first, count: 1, held: [None, None], further_vars: false };
            let finding = finding(definitions, &bug, engine);
            // What is said for people would be said for each.
            Finding { notes: Vec::new(), help: Vec::new(), ..finding }
        };
        self.all.iter().flatten().map(single).collect()
    }

    pub fn bytes(&self) -> u64 {
        let all = self.all.as_ref().map_or(0, |all| all.capacity() * size_of::<Occurrence>());
        (all + self.bugs.capacity() * (size_of::<Bug>() + size_of::<(Key, u32)>())) as u64
    }

    pub fn limits(&self) -> Vec<String> {
        let text = || {
            format!(
                "{} more data races between other places are not listed; those of the first {MOST_BUGS} are",
                self.dropped
            )
        };
        (self.dropped > 0 && self.all.is_none()).then(text).into_iter().collect()
    }
}

fn finding(definitions: &Definitions, bug: &Bug, engine: EngineId) -> Finding {
    let Occurrence { var, earlier, later } = bug.first;
    let code = Code::DataRace;
    let accesses = [earlier, later].map(|(access, touch)| access.accessed(var, touch));
    let participants: Vec<Participant> = accesses
        .iter()
        .zip(&bug.held)
        .map(|(accessed, held)| Participant {
            thread: accessed.thread,
            held: held.clone().unwrap_or_default(),
            wanted: None,
        })
        .collect();
    let name = definitions.var(var);
    let threads = [&accesses[0], &accesses[1]].map(|accessed| definitions.thread_name(accessed.thread));
    let did = |touch: Touch| if touch == Touch::Read { "reads" } else { "writes" };
    let title = format!(
        "{} {} and {} {} {name}, and nothing orders the two",
        threads[0],
        did(earlier.1),
        threads[1],
        did(later.1)
    );
    let mut locks: Vec<_> = participants.iter().flat_map(|part| part.held.iter().map(|held| held.lock)).collect();
    locks.sort_unstable();
    locks.dedup();
    Finding {
        fingerprint: access::fingerprint(definitions, code, &accesses),
        notes: notes(definitions, bug, &threads),
        help: help(definitions, bug, &name),
        code,
        severity: Severity::Error,
        confidence: Confidence::Actual,
        title,
        participants,
        variants: Vec::new(),
        locks,
        first_seen: later.0.time,
        events: vec![earlier.0.position(), later.0.position()],
        count: bug.count,
        evidence: Evidence { engines: vec![engine], accesses: accesses.to_vec(), witness: None },
    }
}

fn notes(definitions: &Definitions, bug: &Bug, threads: &[String; 2]) -> Vec<String> {
    let mut notes = Vec::new();
    let names = |held: &[Held]| -> Vec<String> { held.iter().map(|held| definitions.lock_name(held.lock)).collect() };
    match &bug.held {
        [Some(earlier), Some(later)] if earlier.is_empty() && later.is_empty() => {
            notes.push(format!("neither {} nor {} holds a lock there", threads[0], threads[1]));
        }
        [Some(earlier), Some(later)] => {
            let says = |held: &[Held], thread: &str| match held {
                [] => format!("{thread} holds none"),
                held => format!("{thread} holds {}", text::list(&names(held))),
            };
            let common = earlier.iter().any(|held| later.iter().any(|other| other.lock == held.lock));
            let why = if common {
                "held for reading, a lock does not order those who hold it"
            } else {
                "no lock is common to both"
            };
            notes.push(format!("{why}: {}, {}", says(earlier, &threads[0]), says(later, &threads[1])));
        }
        _ => {}
    }
    if bug.further_vars {
        notes.push("other locations race between the same places, too".to_owned());
    }
    notes
}

fn help(definitions: &Definitions, bug: &Bug, name: &str) -> Vec<String> {
    let mut help = Vec::new();
    let held = |index: usize| bug.held[index].iter().flatten();
    let protects = held(0).chain(held(1)).next().map(|held| definitions.lock_name(held.lock));
    help.push(match protects {
        Some(lock) => format!("hold {lock} at both accesses, exclusively where {name} is written"),
        None => format!("hold one lock at both accesses, or make {name} an atomic"),
    });
    help.push(
        "or hand it over: a message, a join, a barrier, or a store with Ordering::Release that a load with \
         Ordering::Acquire reads comes between the two"
            .to_owned(),
    );
    help
}
