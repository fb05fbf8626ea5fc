//! Chooses which of the races are claimed.

use std::sync::Arc;

use lockscope_trace::{Definitions, SiteId};
use rustc_hash::FxHashSet;

use super::{Race, SyncP};
use crate::{
    analysis::Options,
    engine::{Alone, Batch, Claim, End, Engine, EngineId, Order, witness},
    finding::Finding,
};

/// The engine `syncp`.
#[derive(Debug)]
pub(in crate::engine) struct SyncPEngine {
    syncp: SyncP,
    all: bool,
    races: Vec<Race>,
    /// Places of which a race is known, with what is made there.
    places: FxHashSet<Places>,
    /// Races that were found and not kept.
    left_out: u64,
    bytes: usize,
}

type Places = (Option<SiteId>, Arc<str>, [Option<SiteId>; 2]);

/// Most races that are claimed.
const MOST_CLAIMS: usize = 256;

impl SyncPEngine {
    pub(in crate::engine) fn new(options: &Options) -> Self {
        SyncPEngine {
            syncp: SyncP::default(),
            all: options.all,
            races: Vec::new(),
            places: FxHashSet::default(),
            left_out: 0,
            bytes: 0,
        }
    }

    /// Keeps the race if it is to be told: each pair of places once, unless all are wanted.
    fn keep(&mut self, definitions: &Definitions, race: Race) {
        let mut is_kept = self.all;
        if !is_kept && self.places.len() < MOST_CLAIMS {
            let var = definitions.vars.get(race.var.0 as usize);
            let (made, name) = var.map_or((None, "".into()), |var| (var.created, var.name.clone()));
            let mut sites = race.sites;
            sites.sort_unstable();
            is_kept = self.places.insert((made, name, sites));
        } else if !is_kept {
            self.left_out += 1;
        }
        if is_kept {
            self.bytes += size_of::<Race>() + race.prefixes.capacity() * 16;
            self.races.push(race);
        }
    }
}

impl Alone for SyncPEngine {
    fn feed(&mut self, batch: Batch<'_>) {
        for (number, event) in batch.numbered() {
            if let Some(race) = self.syncp.feed(number, event, batch.definitions) {
                self.keep(batch.definitions, race);
            }
        }
    }
}

impl Engine for SyncPEngine {
    /// Nothing is concluded before it is proved.
    fn findings(&mut self, _definitions: &Definitions) -> Vec<Finding> {
        Vec::new()
    }

    fn occurrences(&mut self, definitions: &Definitions) -> Vec<Finding> {
        if self.syncp.is_incomplete() {
            return Vec::new();
        }
        self.races.iter().map(|race| witness::unproved(definitions, &claim(race))).collect()
    }

    fn claims(&mut self, _definitions: &Definitions) -> Vec<Claim> {
        if self.syncp.is_incomplete() {
            return Vec::new();
        }
        self.races.iter().take(MOST_CLAIMS).map(claim).collect()
    }

    fn bytes(&self) -> u64 {
        (self.syncp.bytes() + self.bytes) as u64
    }

    fn limits(&self) -> Vec<String> {
        let mut limits = Vec::new();
        let n_unchecked = self.races.len().saturating_sub(MOST_CLAIMS);
        if n_unchecked > 0 {
            limits.push(format!("syncp: {n_unchecked} races were not checked: only the first {MOST_CLAIMS} are"));
        }
        if self.left_out > 0 {
            limits.push(format!("syncp: races at more than {MOST_CLAIMS} pairs of places; only those are told"));
        }
        limits
    }
}

fn claim(race: &Race) -> Claim {
    Claim {
        engine: EngineId::SyncP,
        prefixes: race.prefixes.clone(),
        order: Order::Trace,
        end: End::Race(race.var, race.accesses),
    }
}
