//! What became of the claims: findings for those that were proved.

use lockscope_trace::{Definitions, Nanos};
use rustc_hash::FxHashMap;

use super::{Claim, End, Outcome};
use crate::{
    detect::text::{self, Class},
    engine::EngineId,
    finding::{Code, Confidence, Evidence, Finding, Participant, Severity},
};

/// The outcomes of all claims that were checked.
#[derive(Debug, Default)]
pub(in crate::engine) struct Proofs {
    proved: Vec<Finding>,
    /// Why the others prove nothing, by engine.
    refuted: Vec<(EngineId, String)>,
}

impl Proofs {
    pub(in crate::engine) fn new(outcomes: Vec<Outcome>) -> Self {
        let mut proofs = Proofs::default();
        for outcome in outcomes {
            match outcome.proof {
                Ok(finding) => proofs.proved.push(*finding),
                Err(why) => proofs.refuted.push((outcome.claim.engine, why)),
            }
        }
        proofs
    }

    /// One finding for all deadlocks over locks of the same classes, one for each pair of places that races.
    pub(in crate::engine) fn findings(&self, definitions: &Definitions) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        let mut known = FxHashMap::<Vec<Class>, usize>::default();
        for finding in &self.proved {
            if finding.code == Code::PredictedDeadlock {
                let mut classes: Vec<Class> =
                    finding.locks.iter().map(|&lock| text::class(definitions, lock)).collect();
                classes.sort_unstable();
                classes.dedup();
                if let Some(&first) = known.get(&classes) {
                    add_variant(&mut findings[first], finding);
                    continue;
                }
                known.insert(classes, findings.len());
            }
            findings.push(finding.clone());
        }
        findings
    }

    /// The occurrence with its proof, if it was proved.
    pub(in crate::engine) fn of(&self, engine: EngineId, occurrence: Finding) -> Finding {
        let is_it = |proved: &&Finding| proved.evidence.engines == [engine] && proved.events == occurrence.events;
        self.proved.iter().find(is_it).cloned().unwrap_or(occurrence)
    }

    /// What was claimed and not proved, a sentence for each engine.
    pub(in crate::engine) fn limits(&self) -> Vec<String> {
        let mut limits = Vec::new();
        for engine in EngineId::ALL {
            let mut why: Vec<&str> =
                self.refuted.iter().filter(|(of, _)| *of == engine).map(|(_, why)| why.as_str()).collect();
            let n_refuted = why.len();
            why.sort_unstable();
            why.dedup();
            if n_refuted > 0 {
                limits.push(format!(
                    "{}: {} could not be proved ({})",
                    engine.as_str(),
                    text::counted(n_refuted, "prediction"),
                    why.join("; ")
                ));
            }
        }
        limits
    }
}

/// Another combination of places.
fn add_variant(finding: &mut Finding, other: &Finding) {
    let places = |participants: &[Participant]| {
        let mut places: Vec<_> = participants
            .iter()
            .map(|part| (part.held.first().map(|held| held.site), part.wanted.as_ref().map(|wanted| wanted.site)))
            .collect();
        places.sort_unstable();
        places
    };
    let new = places(&other.participants);
    finding.count += other.count;
    let known = std::iter::once(&finding.participants).chain(&finding.variants);
    if known.into_iter().all(|known| places(known) != new) {
        finding.variants.push(other.participants.clone());
    }
}

/// The finding of a claim that was not checked, or not proved.
pub(in crate::engine) fn unproved(definitions: &Definitions, claim: &Claim) -> Finding {
    let next = claim.end.threads();
    let mut events: Vec<u64> = next.iter().map(|&(_, event)| event).collect();
    events.sort_unstable();
    let (code, title, locks) = match &claim.end {
        End::Deadlock(requests) => {
            let locks: Vec<_> = requests.iter().map(|&(_, lock, _)| lock).collect();
            let mut names: Vec<String> = locks.iter().map(|&lock| definitions.class_name(lock)).collect();
            names.sort_unstable();
            names.dedup();
            let title =
                format!("{} may deadlock over {}", text::counted(locks.len(), "thread"), text::list_locks(&names));
            (Code::PredictedDeadlock, title, locks)
        }
        End::Race(var, _) => {
            let title = format!("{} may be accessed by two threads at once", definitions.var(*var));
            (Code::PredictedDataRace, title, Vec::new())
        }
    };
    Finding {
        code,
        severity: Severity::Warning,
        confidence: Confidence::Potential,
        title,
        participants: Vec::new(),
        variants: Vec::new(),
        first_seen: Nanos(0),
        fingerprint: text::fingerprint_of_text(code, &format!("{locks:?}")),
        locks,
        events,
        count: 1,
        notes: vec!["not proved: no witness was checked".to_owned()],
        help: Vec::new(),
        evidence: Evidence::default(),
    }
}
