//! The places of a finding, in the order in which the run came to them: what every report shows, each in its way.

use lockscope_analyzer::finding::{Finding, Participant};
use lockscope_trace::{Definitions, Nanos, Site, SiteId, StackId, ThreadId};

use crate::cli::report::phrase;

/// A place, with what a thread did there.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Who.
    pub thread: ThreadId,
    /// Where; `None` where that was not recorded.
    pub site: Option<Site>,
    /// Its id.
    pub site_id: Option<SiteId>,
    /// What: `teller` took `audit` here.
    pub label: String,
    /// The thread asked for something here, which is where it gets stuck.
    pub is_primary: bool,
    /// The stack then.
    pub stack: Option<StackId>,
    /// Number of the event, from 1; 0 where there is none.
    pub event: u64,
    /// When.
    pub time: Nanos,
}

/// All places of a finding: those of its participants, then the accesses to memory that clash.
pub fn all(defs: &Definitions, finding: &Finding) -> Vec<Place> {
    let mut places = of(defs, finding, &finding.participants);
    for accessed in &finding.evidence.accesses {
        places.push(Place {
            thread: accessed.thread,
            site: accessed.site.and_then(|site| defs.site(site)).cloned(),
            site_id: accessed.site,
            label: phrase::accesses(defs, accessed),
            is_primary: true,
            stack: accessed.stack,
            event: accessed.event,
            time: accessed.time,
        });
    }
    places
}

/// All places of a set of participants: participant by participant, what each held, then what it wanted.
pub fn of(defs: &Definitions, finding: &Finding, participants: &[Participant]) -> Vec<Place> {
    let mut places = Vec::new();
    for participant in participants {
        let mut add = |site_id: Option<SiteId>, label: String, is_primary, stack, event, time| {
            let site = site_id.and_then(|site| defs.site(site)).cloned();
            places.push(Place { thread: participant.thread, site, site_id, label, is_primary, stack, event, time });
        };
        for held in &participant.held {
            let label = phrase::took(defs, finding, participant, held);
            add(held.site, label, false, held.stack, held.event, held.since);
        }
        if let Some(wanted) = &participant.wanted {
            let label = phrase::wants(defs, finding, participant, wanted);
            add(wanted.site, label, true, wanted.stack, wanted.event, wanted.since);
        }
    }
    places
}

/// The place that stands for the whole finding: where the first participant asked, else the first that is known.
pub fn primary(places: &[Place]) -> Option<&Place> {
    let known = || places.iter().filter(|place| place.site.is_some());
    known().find(|place| place.is_primary).or_else(|| known().next())
}

/// The label without what points at a place, for where none is shown.
pub fn plain(label: &str) -> &str {
    label.strip_suffix(" here").unwrap_or(label)
}
