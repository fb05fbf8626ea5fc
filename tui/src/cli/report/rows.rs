//! What a filter sees of a finding.

use lockscope_analyzer::finding::Finding;
use lockscope_trace::{Definitions, Nanos};

use crate::{
    cli::report::{phrase, places},
    filter::{Quantity, Row},
    source::short_site,
};

/// Keys of the list of findings.
pub const FINDING_KEYS: &[&str] = &["code", "title", "sev", "conf", "thread", "lock", "site", "count"];

/// What a filter sees of a finding. `now` is until when its age counts; without it it has none.
pub fn finding(defs: &Definitions, finding: &Finding, now: Option<Nanos>) -> Row {
    let mut row = Row::default();
    row.add("code", finding.code.as_str());
    row.add("sev", finding.severity.as_str());
    row.add("conf", finding.confidence.as_str());
    row.add("title", &finding.title);
    for &lock in &finding.locks {
        row.add("lock", &phrase::lock_label(defs, lock));
    }
    for participants in std::iter::once(&finding.participants).chain(&finding.variants) {
        for participant in participants {
            row.add("thread", &phrase::thread_label(defs, participant.thread));
        }
    }
    let variants = finding.variants.iter().flat_map(|participants| places::of(defs, finding, participants));
    for site in places::all(defs, finding).into_iter().chain(variants).filter_map(|place| place.site) {
        row.add("site", &short_site(&site));
    }
    for accessed in &finding.evidence.accesses {
        row.add("thread", &phrase::thread_label(defs, accessed.thread));
        row.add("lock", &accessed.what.name(defs));
    }
    row.set("count", Quantity::Count(finding.count));
    if let Some(now) = now {
        row.set("age", Quantity::Time(now.since(finding.first_seen)));
    }
    row
}
