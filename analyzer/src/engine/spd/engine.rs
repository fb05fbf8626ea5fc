//! Chooses which of the deadlocks are claimed.

use std::hint::black_box;

use lockscope_trace::Definitions;
use rustc_hash::FxHashMap;

use super::{Deadlock, Predicted, Spd};
use crate::{
    analysis::Options,
    detect::text::{self, Class},
    engine::{Alone, Batch, Claim, End, Engine, EngineId, Order, witness},
    finding::Finding,
};

/// The engine `spd`.
#[derive(Debug)]
pub(in crate::engine) struct SpdEngine {
    spd: Spd,
    budget: u64,
    all: bool,
    n_events: u64,
    /// What a search found, and after how many events that was.
    found: Option<(u64, Predicted)>,
    /// Some deadlocks that were found are not claimed, since there are too many.
    left_out: usize,
}

/// Most combinations of places that are claimed for locks of the same classes.
const MOST_PLACES: usize = 16;
/// Most claims in all.
const MOST_CLAIMS: usize = 256;

impl SpdEngine {
    pub(in crate::engine) fn new(options: &Options) -> Self {
        SpdEngine {
            spd: Spd::default(),
            budget: options.cycle_budget,
            all: options.all,
            n_events: 0,
            found: None,
            left_out: 0,
        }
    }

    fn search(&mut self) -> &Predicted {
        if self.found.as_ref().is_none_or(|(after, _)| *after != self.n_events) {
            self.found = Some((self.n_events, self.spd.search(self.budget)));
        }
        &self.found.as_ref().expect("just made").1
    }
}

impl Alone for SpdEngine {
    fn feed(&mut self, batch: Batch<'_>) {
        for batch in batch.parts() {
            black_box(self.spd.touch(batch.events));
            for (number, event) in batch.numbered() {
                self.spd.feed(number, event, batch.definitions);
            }
        }
        self.n_events += batch.events.len() as u64;
    }
}

impl Engine for SpdEngine {
    /// Nothing is concluded before it is proved.
    fn findings(&mut self, _definitions: &Definitions) -> Vec<Finding> {
        Vec::new()
    }

    fn occurrences(&mut self, definitions: &Definitions) -> Vec<Finding> {
        let mut found: Vec<Finding> =
            self.search().deadlocks.iter().map(|deadlock| witness::unproved(definitions, &claim(deadlock))).collect();
        found.sort_by_key(|finding| finding.events.last().copied());
        found
    }

    fn claims(&mut self, definitions: &Definitions) -> Vec<Claim> {
        let all = self.all;
        let deadlocks = &self.search().deadlocks;
        let mut places = FxHashMap::<Vec<Class>, Vec<Vec<_>>>::default();
        let mut claims = Vec::new();
        for deadlock in deadlocks {
            let known = places.entry(classes(definitions, deadlock)).or_default();
            let mut sites: Vec<_> = deadlock.requests.iter().map(|request| request.site).collect();
            sites.sort_unstable();
            let is_new = known.len() < MOST_PLACES && !known.contains(&sites);
            if is_new {
                known.push(sites);
            }
            if (is_new || all) && claims.len() < MOST_CLAIMS {
                claims.push(claim(deadlock));
            }
        }
        self.left_out = if all { deadlocks.len() - claims.len() } else { 0 };
        claims
    }

    fn bytes(&self) -> u64 {
        self.spd.bytes() as u64
    }

    fn limits(&self) -> Vec<String> {
        let mut limits = Vec::new();
        if let Some(length) = self.found.as_ref().and_then(|(_, found)| found.cut_at) {
            limits.push(format!(
                "spd: the search for deadlocks of {length} and more threads was cut off: there are too many lock-order circles"
            ));
        }
        if self.left_out > 0 {
            limits.push(format!("spd: {} deadlocks were not checked: only the first {MOST_CLAIMS} are", self.left_out));
        }
        limits
    }
}

/// Each class once: whether two or five locks of a class are taken in a circle is the same mistake.
fn classes(definitions: &Definitions, deadlock: &Deadlock) -> Vec<Class> {
    let mut classes: Vec<Class> =
        deadlock.requests.iter().map(|request| text::class(definitions, request.lock)).collect();
    classes.sort_unstable();
    classes.dedup();
    classes
}

fn claim(deadlock: &Deadlock) -> Claim {
    let requests = deadlock.requests.iter().map(|request| (request.thread, request.lock, request.event)).collect();
    Claim {
        engine: EngineId::Spd,
        prefixes: deadlock.prefixes.clone(),
        order: Order::Trace,
        end: End::Deadlock(requests),
    }
}
