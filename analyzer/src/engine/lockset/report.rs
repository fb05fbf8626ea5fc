//! Inconsistent locking as findings: one for each location, and on request every occurrence.

use lockscope_trace::{Definitions, VarId};
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

/// An access without a common lock, and the last one of another thread before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub var: VarId,
    pub earlier: (Access, Touch),
    pub later: (Access, Touch),
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Inconsistencies {
    /// By the location's place of creation, since those made at one place are alike; by itself where none is known.
    bugs: Vec<Bug>,
    bug_of: FxHashMap<VarId, Option<u32>>,
    all: Vec<Pair>,
    dropped: u64,
}

#[derive(Debug)]
struct Bug {
    first: Pair,
    count: u64,
    held: [Option<Vec<Held>>; 2],
}

/// Most locations that are told of.
const MOST_BUGS: usize = 1000;

impl Inconsistencies {
    /// Takes an access in; `holds` is what threads hold then.
    #[cold]
    pub fn add(&mut self, pair: Pair, holds: &Holds) {
        match self.bug_of.get(&pair.var) {
            Some(&Some(bug)) => self.bugs[bug as usize].count += 1,
            Some(None) => {}
            None if self.bugs.len() == MOST_BUGS => {
                self.dropped += 1;
                self.bug_of.insert(pair.var, None);
            }
            None => {
                self.bug_of.insert(pair.var, Some(self.bugs.len() as u32));
                let held = [holds.held_then(pair.earlier.0.chain()), Some(holds.held(pair.later.0.thread()))];
                self.bugs.push(Bug { first: pair, count: 1, held });
            }
        }
    }

    /// Notes an occurrence.
    pub fn note(&mut self, pair: Pair) {
        self.all.push(pair);
    }

    pub fn findings(&self, definitions: &Definitions) -> Vec<Finding> {
        // All elements of an array are made at one place, and one is enough to tell of them.
        let mut made_at = FxHashMap::default();
        let mut findings: Vec<Finding> = Vec::new();
        for bug in &self.bugs {
            let def = definitions.vars.get(bug.first.var.0 as usize);
            let made = def.and_then(|def| Some((def.created?, def.name.clone())));
            match made.and_then(|made| made_at.insert(made, findings.len())) {
                Some(index) => {
                    let known: &mut Finding = &mut findings[index];
                    known.count += bug.count;
                }
                None => findings.push(finding(definitions, bug)),
            }
        }
        findings
    }

    pub fn occurrences(&self, definitions: &Definitions) -> Vec<Finding> {
        let single = |&first: &Pair| {
            let finding = finding(definitions, &Bug { first, count: 1, held: [None, None] });
            Finding { notes: Vec::new(), help: Vec::new(), ..finding }
        };
        self.all.iter().map(single).collect()
    }

    pub fn bytes(&self) -> u64 {
        (self.bugs.capacity() * size_of::<Bug>()
            + self.bug_of.capacity() * size_of::<(VarId, Option<u32>)>()
            + self.all.capacity() * size_of::<Pair>()) as u64
    }

    pub fn limits(&self) -> Vec<String> {
        let text = || {
            format!("{} more locations without a common lock are not listed; the first {MOST_BUGS} are", self.dropped)
        };
        (self.dropped > 0 && self.all.is_empty()).then(text).into_iter().collect()
    }
}

fn finding(definitions: &Definitions, bug: &Bug) -> Finding {
    let Pair { var, earlier, later } = bug.first;
    let code = Code::InconsistentLocking;
    let accesses = [earlier, later].map(|(access, touch)| access.accessed(var, touch));
    let name = definitions.var(var);
    let participants: Vec<Participant> = accesses
        .iter()
        .zip(&bug.held)
        .map(|(accessed, held)| Participant {
            thread: accessed.thread,
            held: held.clone().unwrap_or_default(),
            wanted: None,
        })
        .collect();
    let mut locks: Vec<_> = participants.iter().flat_map(|part| part.held.iter().map(|held| held.lock)).collect();
    locks.sort_unstable();
    locks.dedup();
    let mut notes = vec!["no lock was held at every access since threads began to share it".to_owned()];
    for (accessed, held) in accesses.iter().zip(&bug.held) {
        let Some(held) = held else { continue };
        let names: Vec<String> = held.iter().map(|held| definitions.lock_name(held.lock)).collect();
        let thread = definitions.thread_name(accessed.thread);
        notes.push(match names.as_slice() {
            [] => format!("{thread} holds no lock where it {}s it", accessed.touch.as_str()),
            names => format!("{thread} holds {} where it {}s it", text::list(names), accessed.touch.as_str()),
        });
    }
    Finding {
        fingerprint: access::fingerprint(definitions, code, &accesses),
        notes,
        help: vec![format!("choose the lock that protects {name}, and hold it at every access")],
        code,
        severity: Severity::Warning,
        confidence: Confidence::Potential,
        title: format!("no common lock protects {name}, which several threads access and some write"),
        participants,
        variants: Vec::new(),
        locks,
        first_seen: later.0.time,
        events: vec![earlier.0.position(), later.0.position()],
        count: bug.count,
        evidence: Evidence { engines: vec![EngineId::Lockset], accesses: accesses.to_vec(), witness: None },
    }
}
