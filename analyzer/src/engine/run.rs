//! Runs several engines over one stream of events, within a limit of memory.

use lockscope_trace::{Definitions, Event};

use super::{Batch, Claim, Engine, EngineId, Outcome, witness::Proofs};
use crate::{analysis::Options, finding::Finding};

/// The engines that run, and what those left that had to end.
#[derive(Debug)]
pub struct Engines {
    running: Vec<Running>,
    ended: Vec<Ended>,
    all: bool,
    memory_limit: Option<u64>,
    /// Position of the last event.
    position: u64,
    /// The position at which to look again how much memory is held.
    look_at: u64,
    /// What became of the claims, once they were checked.
    proofs: Proofs,
}

#[derive(Debug)]
struct Running {
    id: EngineId,
    engine: Box<dyn Engine>,
}

/// What is left of an engine that held too much.
#[derive(Debug)]
struct Ended {
    findings: Vec<Finding>,
    occurrences: Vec<(EngineId, Finding)>,
    claims: Vec<Claim>,
    limits: Vec<String>,
}

/// Events between two looks at how much memory is held.
const LOOK_EVERY: u64 = 1 << 14;

impl Engines {
    /// Starts the engines that the options name; without names, the default ones.
    pub fn new(options: &Options) -> Self {
        let mut wanted: Vec<EngineId> = match options.engines.as_slice() {
            [] => EngineId::ALL.into_iter().filter(|engine| engine.is_default()).collect(),
            named => named.to_vec(),
        };
        wanted.sort_unstable();
        wanted.dedup();
        Engines {
            running: wanted.into_iter().map(|id| Running { id, engine: id.start(options) }).collect(),
            ended: Vec::new(),
            all: options.all,
            memory_limit: options.memory_limit,
            position: 0,
            look_at: LOOK_EVERY,
            proofs: Proofs::default(),
        }
    }

    /// Takes in the next events.
    pub fn feed(&mut self, events: &[Event], definitions: &Definitions) {
        let batch = Batch { first: self.position + 1, events, definitions };
        for running in &mut self.running {
            running.engine.feed(batch);
        }
        self.position += events.len() as u64;
        if self.position >= self.look_at {
            self.look_at = self.position + LOOK_EVERY;
            self.keep_within(definitions);
        }
    }

    /// What was found, by all of them.
    pub fn findings(&mut self, definitions: &Definitions) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.ended.iter().flat_map(|ended| ended.findings.iter().cloned()).collect();
        for Running { id, engine } in &mut self.running {
            findings.extend(engine.findings(definitions).into_iter().map(|finding| by(*id, finding)));
        }
        findings.extend(self.proofs.findings(definitions));
        findings
    }

    /// What engines predict and nobody has checked; see [`Claims`](super::Claims).
    pub fn claims(&mut self, definitions: &Definitions) -> Vec<Claim> {
        let ended = self.ended.iter().flat_map(|ended| ended.claims.iter().cloned());
        let mut claims: Vec<Claim> = ended.collect();
        claims.extend(self.running.iter_mut().flat_map(|running| running.engine.claims(definitions)));
        claims
    }

    /// Takes in what became of the claims. What was proved is a finding from now on.
    pub fn settle(&mut self, outcomes: Vec<Outcome>) {
        self.proofs = Proofs::new(outcomes);
    }

    /// Every occurrence, unmerged, engine by engine. Only with [`Options::all`].
    pub fn occurrences(&mut self, definitions: &Definitions) -> Vec<Finding> {
        let mut found: Vec<(EngineId, Finding)> =
            self.ended.iter().flat_map(|ended| ended.occurrences.iter().cloned()).collect();
        for Running { id, engine } in &mut self.running {
            found.extend(engine.occurrences(definitions).into_iter().map(|finding| (*id, finding)));
        }
        found.into_iter().map(|(id, finding)| by(id, self.proofs.of(id, finding))).collect()
    }

    /// Bounds that were hit, in sentences.
    pub fn limits(&self) -> Vec<String> {
        let ended = self.ended.iter().flat_map(|ended| ended.limits.iter().cloned());
        ended
            .chain(self.running.iter().flat_map(|running| running.engine.limits()))
            .chain(self.proofs.limits())
            .collect()
    }

    /// The engines that still run, and how many bytes each holds.
    pub fn bytes(&self) -> impl Iterator<Item = (EngineId, u64)> {
        self.running.iter().map(|running| (running.id, running.engine.bytes()))
    }

    /// Ends the engines that hold the most, until the others are within the limit. What they found stays.
    fn keep_within(&mut self, definitions: &Definitions) {
        let Some(limit) = self.memory_limit else { return };
        while self.bytes().map(|(_, bytes)| bytes).sum::<u64>() > limit {
            let Some(largest) = (0..self.running.len()).max_by_key(|&index| self.running[index].engine.bytes()) else {
                return;
            };
            let Running { id, mut engine } = self.running.remove(largest);
            let mut limits = engine.limits();
            limits.push(format!(
                "{} was ended after {} events: it held {}, and all engines together may hold {} (--memory-limit); what it \
                 had found by then is reported",
                id.as_str(),
                self.position,
                megabytes(engine.bytes()),
                megabytes(limit),
            ));
            let findings = engine.findings(definitions).into_iter().map(|finding| by(id, finding)).collect();
            let occurrences = if self.all { engine.occurrences(definitions) } else { Vec::new() };
            let occurrences = occurrences.into_iter().map(|finding| (id, finding)).collect();
            let claims = engine.claims(definitions);
            self.ended.push(Ended { findings, occurrences, claims, limits });
        }
    }
}

fn by(id: EngineId, mut finding: Finding) -> Finding {
    if finding.evidence.engines.is_empty() {
        finding.evidence.engines.push(id);
    }
    finding
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
