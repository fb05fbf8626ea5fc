//! A source file with what happens on its lines: what is taken there and how often, who waits and holds from there at this moment, and which
//! findings are about it.

use std::collections::BTreeMap;

use lockscope_analyzer::finding::{Finding, Participant};
use lockscope_trace::{Site, SiteId, ThreadId};

use crate::{
    cli::report::{grouped, phrase, plural},
    dashboard::state::State,
    source::short_site,
};

/// Lines above the one that is asked for.
const ABOVE: usize = 8;
/// Threads that are named at a line; others are counted.
const MOST_NAMED: usize = 3;

/// What is said below a line.
#[derive(Default)]
struct Marks {
    findings: Vec<String>,
    waiting: Vec<String>,
    holding: Vec<String>,
    taken: u64,
    waits: u64,
}

/// A file as lines of text, and the first one to be shown.
pub struct Listing {
    /// Its path, and whether it was changed since.
    pub title: String,
    /// Lines, each with its number; below those where something happens, what.
    pub lines: Vec<String>,
    /// The line that was asked for is a few lines below this one.
    pub scroll: usize,
}

/// The file of a site. `None` when it is not there.
pub fn of(state: &State, site: &Site) -> Option<Listing> {
    let file = state.sources.file(&site.file)?;
    let marks = marks(state, site);
    let (mut lines, mut scroll) = (Vec::new(), 0);
    for (number, text) in (1..).zip(file.text.lines()) {
        let marks = marks.get(&number);
        if number == site.line {
            scroll = lines.len().saturating_sub(ABOVE);
        }
        let here = if state.theme.ascii { '>' } else { '▶' };
        let mark = match marks {
            _ if number == site.line => here,
            Some(marks) if !marks.findings.is_empty() => '!',
            Some(_) => '*',
            None => ' ',
        };
        let line = if state.theme.ascii { '|' } else { '│' };
        lines.push(format!("{mark}{number:>5} {line} {}", text.replace('\t', "    ")));
        if let Some(said) = marks.map(Marks::words).filter(|said| !said.is_empty()) {
            let indent: String = text.chars().take_while(|c| c.is_whitespace()).collect();
            lines.push(format!("       {line} {}^ {said}", indent.replace('\t', "    ")));
        }
    }
    let changed = if file.is_newer { ", changed since it was recorded" } else { "" };
    let path = short_site(site);
    let path = path.split(':').next().unwrap_or_default();
    Some(Listing { title: format!("{path}{changed}"), lines, scroll })
}

impl Marks {
    fn words(&self) -> String {
        let named = |who: &[String], does: &str| {
            let n_more = who.len().saturating_sub(MOST_NAMED);
            let more = if n_more > 0 { format!(" and {n_more} more") } else { String::new() };
            let names = who[..who.len() - n_more].join(", ");
            (!who.is_empty()).then(|| format!("{names}{more} {does}"))
        };
        let waits = if self.waits > 0 { format!(", {}", plural(self.waits, "wait")) } else { String::new() };
        let parts = [
            (!self.findings.is_empty()).then(|| self.findings.join(", ")),
            named(&self.waiting, "waiting now"),
            named(&self.holding, "holding now"),
            (self.taken > 0).then(|| format!("taken {}x{waits}", grouped(self.taken))),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

/// What happens on each line of the site's file.
fn marks(state: &State, site: &Site) -> BTreeMap<u32, Marks> {
    let defs = &state.model.defs;
    let mut marks: BTreeMap<u32, Marks> = BTreeMap::new();
    let line = |id: Option<SiteId>| defs.site(id?).filter(|of| of.file == site.file).map(|of| of.line);
    for (idx, finding) in state.model.findings.iter().enumerate() {
        for line in places(finding).filter_map(line) {
            let said = format!("F{} {}", idx + 1, finding.code.as_str());
            let known = &mut marks.entry(line).or_default().findings;
            if !known.contains(&said) {
                known.push(said);
            }
        }
    }
    for (id, thread) in (0..).map(ThreadId).zip(&state.at.threads) {
        let label = || phrase::thread_label(defs, id);
        if let Some(line) = thread.wait().and_then(|wait| line(wait.site)) {
            marks.entry(line).or_default().waiting.push(label());
        }
        let sites = thread.held.iter().map(|held| held.site).chain(thread.permits.iter().map(|permits| permits.site));
        for line in sites.filter_map(line) {
            marks.entry(line).or_default().holding.push(label());
        }
    }
    for (id, numbers) in &state.model.digest.sites {
        if let Some(line) = line(Some(*id)) {
            let marks = marks.entry(line).or_default();
            marks.taken += numbers.acquisitions;
            marks.waits += numbers.contended;
        }
    }
    marks
}

/// Places that a finding is about.
fn places(finding: &Finding) -> impl Iterator<Item = Option<SiteId>> {
    let parts = finding.participants.iter().chain(finding.variants.iter().flatten());
    let of = |part: &Participant| {
        let held: Vec<_> = part.held.iter().map(|held| held.site).collect();
        held.into_iter().chain(part.wanted.as_ref().map(|wanted| wanted.site))
    };
    let accesses = finding.evidence.accesses.iter().map(|access| access.site);
    parts.flat_map(of).chain(accesses)
}
