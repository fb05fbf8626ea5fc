//! Runs several engines over one stream of events, within a limit of memory.

use lockscope_trace::{Definitions, Event};

use super::{Alone, Batch, Claim, Engine, EngineId, Outcome, beside::Beside, witness::Proofs};
use crate::{analysis::Options, finding::Finding};

/// The engines that run, and what those left that had to end.
#[derive(Debug)]
pub struct Engines {
    alone: Vec<Running>,
    beside: Beside,
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
    engine: Box<dyn Alone>,
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
            beside: Beside::new(&wanted, options),
            alone: wanted.into_iter().filter_map(|id| Some(Running { id, engine: id.start(options)? })).collect(),
            ended: Vec::new(),
            all: options.all,
            memory_limit: options.memory_limit,
            position: 0,
            look_at: LOOK_EVERY,
            proofs: Proofs::default(),
        }
    }

    /// No engines at all, not even the default ones.
    pub(crate) fn none() -> Self {
        Engines {
            beside: Beside::new(&[], &Options::default()),
            alone: Vec::new(),
            ended: Vec::new(),
            all: false,
            memory_limit: None,
            position: 0,
            look_at: u64::MAX,
            proofs: Proofs::default(),
        }
    }

    /// Takes in the next events.
    pub fn feed(&mut self, events: &[Event], definitions: &Definitions) {
        let batch = Batch { first: self.position + 1, events, definitions };
        for running in &mut self.alone {
            running.engine.feed(batch);
        }
        self.beside.feed(batch);
        self.position += events.len() as u64;
        if self.position >= self.look_at {
            self.look_at = self.position + LOOK_EVERY;
            self.keep_within(definitions);
        }
    }

    /// What was found, by all of them.
    pub fn findings(&mut self, definitions: &Definitions) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.ended.iter().flat_map(|ended| ended.findings.iter().cloned()).collect();
        for (id, engine) in self.running_mut() {
            findings.extend(engine.findings(definitions).into_iter().map(|finding| by(id, finding)));
        }
        findings.extend(self.proofs.findings(definitions));
        findings
    }

    /// What engines predict and nobody has checked; see [`Claims`](super::Claims).
    pub fn claims(&mut self, definitions: &Definitions) -> Vec<Claim> {
        let ended = self.ended.iter().flat_map(|ended| ended.claims.iter().cloned());
        let mut claims: Vec<Claim> = ended.collect();
        claims.extend(self.running_mut().flat_map(|(_, engine)| engine.claims(definitions)));
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
        for (id, engine) in self.running_mut() {
            found.extend(engine.occurrences(definitions).into_iter().map(|finding| (id, finding)));
        }
        found.into_iter().map(|(id, finding)| by(id, self.proofs.of(id, finding))).collect()
    }

    /// Bounds that were hit, in sentences.
    pub fn limits(&self) -> Vec<String> {
        let ended = self.ended.iter().flat_map(|ended| ended.limits.iter().cloned());
        ended.chain(self.running().flat_map(|(_, engine)| engine.limits())).chain(self.proofs.limits()).collect()
    }

    /// The engines that still run, and how many bytes each holds. What several have in common is counted for the first of them.
    pub fn bytes(&self) -> impl Iterator<Item = (EngineId, u64)> {
        let first = self.beside.engines().next().map(|(id, _)| id);
        self.running().map(move |(id, engine)| {
            let in_common = if first == Some(id) { self.beside.bytes_in_common() } else { 0 };
            (id, engine.bytes() + in_common)
        })
    }

    fn running(&self) -> impl Iterator<Item = (EngineId, &dyn Engine)> {
        let alone = self.alone.iter().map(|running| (running.id, &*running.engine as &dyn Engine));
        let mut all: Vec<_> = alone.chain(self.beside.engines()).collect();
        all.sort_by_key(|(id, _)| *id);
        all.into_iter()
    }

    fn running_mut(&mut self) -> impl Iterator<Item = (EngineId, &mut dyn Engine)> {
        let alone = self.alone.iter_mut().map(|running| (running.id, &mut *running.engine as &mut dyn Engine));
        let mut all: Vec<_> = alone.chain(self.beside.engines_mut()).collect();
        all.sort_by_key(|(id, _)| *id);
        all.into_iter()
    }

    fn remove(&mut self, id: EngineId) -> Option<Box<dyn Engine>> {
        match self.alone.iter().position(|running| running.id == id) {
            Some(index) => Some(self.alone.remove(index).engine),
            None => self.beside.remove(id),
        }
    }

    /// Ends the engines that hold the most, until the others are within the limit. What they found stays.
    fn keep_within(&mut self, definitions: &Definitions) {
        let Some(limit) = self.memory_limit else { return };
        while self.bytes().map(|(_, bytes)| bytes).sum::<u64>() > limit {
            let Some((id, _)) = self.bytes().max_by_key(|(_, bytes)| *bytes) else { return };
            let Some(mut engine) = self.remove(id) else { return };
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
