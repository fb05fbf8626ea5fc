//! The list of findings.

use super::{Cell, Column, Grouping, Row, number, text};
use crate::{
    cli::report::phrase,
    dashboard::{
        draw::theme::{Mark, Tone},
        state::State,
    },
    filter::Quantity,
};
use lockscope_analyzer::finding::Severity;

pub(super) const KEYS: &[&str] = &["code", "sev", "conf", "title", "thread", "lock", "site", "age", "count", "event"];

pub(super) const COLUMNS: &[Column] = &[
    text("id", 5, 0, "its handle; worst first"),
    text("code", 22, 0, "what it is; `i` explains"),
    text("confidence", 10, 0, "actual: it happened; predicted: proved possible; potential: suspicious"),
    text("title", 0, 0, "what was found"),
    number("seen", 6, 90, "how often"),
    number("first", 8, 100, "when first"),
    text("threads", 20, 140, "who takes part"),
    text("severity", 8, u16::MAX, "how bad it is"),
];

pub(super) const GROUPINGS: &[Grouping] = &[
    ("code", |state, row| of(state, row, "code")),
    ("confidence", |state, row| of(state, row, "confidence")),
    ("severity", |state, row| of(state, row, "severity")),
];

fn of(state: &State, row: Row, column: &str) -> String {
    if let Row::Finding(idx) = row { cell(state, idx, column).unwrap_or_default().text } else { String::new() }
}

/// The mark of a severity.
pub fn severity_mark(severity: Severity) -> Mark {
    match severity {
        Severity::Error => Mark::Bad,
        Severity::Warning => Mark::Warn,
        Severity::Note => Mark::Quiet,
    }
}

pub(super) fn cell(state: &State, idx: usize, column: &str) -> Option<Cell> {
    let finding = state.model.findings.get(idx)?;
    let mark = severity_mark(finding.severity);
    Some(match column {
        "id" => Cell::ranked(idx as u64, format!("{} F{}", state.theme.glyph(mark), idx + 1), Tone::Mark(mark)),
        "code" => Cell::new(finding.code.as_str(), Tone::Mark(mark)),
        "confidence" => Cell::ranked(3 - finding.confidence as u64, finding.confidence.as_str(), Tone::Plain),
        "title" => Cell::new(finding.title.clone(), Tone::Plain),
        "seen" => Cell::count(finding.count.max(1), Tone::Plain),
        "first" => {
            let text = if state.model.info.has_times { state.when(finding.first_seen) } else { String::new() };
            Cell::ranked(finding.first_seen.0, text, Tone::Dim)
        }
        "threads" => {
            let threads: Vec<String> = finding.participants.iter().map(|part| part.thread.to_string()).collect();
            Cell::new(threads.join(" "), Tone::Thread)
        }
        "severity" => Cell::ranked(3 - finding.severity as u64, finding.severity.as_str(), Tone::Mark(mark)),
        _ => return None,
    })
}

pub(super) fn any_text(state: &State, idx: usize, key: Option<&str>, visit: &mut dyn FnMut(&str) -> bool) -> bool {
    let Some(finding) = state.model.findings.get(idx) else { return false };
    let defs = &state.model.defs;
    let is_asked = |name| key.is_none_or(|key| key == name);
    let sites = || {
        let parts = finding.participants.iter();
        let sites = parts.flat_map(|part| {
            part.held.iter().map(|held| held.site).chain(part.wanted.iter().map(|wanted| wanted.site))
        });
        sites.flatten().filter_map(|site| defs.site(site)).map(crate::source::short_site)
    };
    (is_asked("code") && visit(finding.code.as_str()))
        || (is_asked("sev") && visit(finding.severity.as_str()))
        || (is_asked("conf") && visit(finding.confidence.as_str()))
        || (is_asked("title") && visit(&finding.title))
        || (is_asked("thread")
            && finding.participants.iter().any(|part| visit(&phrase::thread_label(defs, part.thread))))
        || (is_asked("lock") && finding.locks.iter().any(|lock| visit(&phrase::lock_label(defs, *lock))))
        || (is_asked("site") && sites().any(|site| visit(&site)))
}

pub(super) fn quantity(state: &State, idx: usize, key: &str) -> Option<Quantity> {
    let finding = state.model.findings.get(idx)?;
    match key {
        "count" => Some(Quantity::Count(finding.count)),
        "event" => finding.events.first().copied().map(Quantity::Count),
        "time" => Some(Quantity::Time(finding.first_seen)),
        "age" => state.model.info.has_times.then(|| Quantity::Time(state.time().since(finding.first_seen))),
        _ => None,
    }
}
