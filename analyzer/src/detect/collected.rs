//! Findings of rules that concern one thread: those of equal key are one finding, with every combination of places.

use std::hash::Hash;

use lockscope_trace::{Event, Mode, Nanos, SiteId, ThreadId};
use rustc_hash::FxHashMap;

use super::request::Request;
use crate::{
    finding::{Finding, Participant, Target},
    state::State,
};

/// Findings by key.
#[derive(Debug)]
pub struct Collected<K> {
    findings: Vec<(Finding, Vec<Places>)>,
    finding_of: FxHashMap<K, usize>,
    /// The last request of each thread that was looked at: a request is seen when it waits and when it is granted.
    last: FxHashMap<ThreadId, u64>,
    /// How often something was found past the limit.
    dropped: u64,
}

type Places = Vec<(Option<SiteId>, Option<Mode>)>;

/// Most combinations of places that are reported of one finding.
const MOST_VARIANTS: usize = 16;
/// Most findings that are told apart.
const MOST_FINDINGS: usize = 1000;

impl<K> Default for Collected<K> {
    fn default() -> Self {
        Collected { findings: Vec::new(), finding_of: FxHashMap::default(), last: FxHashMap::default(), dropped: 0 }
    }
}

impl<K: Hash + Eq> Collected<K> {
    /// The request that the event ends, unless it was handed out when its wait began. For [`Detector::before`].
    ///
    /// [`Detector::before`]: super::Detector::before
    pub fn ended<'a>(&mut self, event: &Event, before: &'a State) -> Option<Request<'a>> {
        self.once(Request::ended_by(event, before)?)
    }

    /// The request whose wait begins with the event. For [`Detector::after`](super::Detector::after).
    pub fn begun<'a>(&mut self, event: &Event, after: &'a State) -> Option<Request<'a>> {
        self.once(Request::begun_by(event, after)?)
    }

    fn once<'a>(&mut self, request: Request<'a>) -> Option<Request<'a>> {
        (self.last.insert(request.thread, request.asked) != Some(request.asked)).then_some(request)
    }

    /// Counts what was found once more, and keeps its places when they are new.
    pub fn add(&mut self, key: K, participants: Vec<Participant>, make: impl FnOnce(Vec<Participant>) -> Finding) {
        let places: Places = participants.iter().flat_map(places).collect();
        match self.finding_of.get(&key) {
            None if self.findings.len() == MOST_FINDINGS => self.dropped += 1,
            None => {
                self.finding_of.insert(key, self.findings.len());
                self.findings.push((make(participants), vec![places]));
            }
            Some(&index) => {
                let (finding, known) = &mut self.findings[index];
                finding.count += 1;
                if !known.contains(&places) && known.len() < MOST_VARIANTS {
                    known.push(places);
                    finding.variants.push(participants);
                }
            }
        }
    }

    /// What was left out, as a sentence.
    pub fn limits(&self) -> Vec<String> {
        let code = self.findings.first().map(|(finding, _)| finding.code.as_str());
        code.filter(|_| self.dropped > 0)
            .map(|code| {
                format!("{} more findings of {code} are not listed; the first {MOST_FINDINGS} are", self.dropped)
            })
            .into_iter()
            .collect()
    }

    /// What was found so far.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().map(|(finding, _)| finding)
    }
}

fn places(participant: &Participant) -> impl Iterator<Item = (Option<SiteId>, Option<Mode>)> {
    let held = participant.held.iter().map(|held| (held.site, Some(held.mode)));
    let wanted = participant.wanted.iter().map(|wanted| match wanted.target {
        Target::Lock(_, mode) => (wanted.site, Some(mode)),
        Target::Thread(_) | Target::Object(..) | Target::Token => (wanted.site, None),
    });
    held.chain(wanted)
}

/// The events that participants point at, in order.
pub fn events(participants: &[Participant]) -> Vec<u64> {
    let mut events: Vec<u64> = participants
        .iter()
        .flat_map(|p| p.held.iter().map(|held| held.event).chain(p.wanted.iter().map(|wanted| wanted.event)))
        .collect();
    events.sort_unstable();
    events.dedup();
    events
}

/// When the last of the participants got to where it is.
pub fn time(participants: &[Participant]) -> Nanos {
    let times = participants
        .iter()
        .flat_map(|p| p.held.iter().map(|held| held.since).chain(p.wanted.iter().map(|wanted| wanted.since)));
    times.max().unwrap_or_default()
}
