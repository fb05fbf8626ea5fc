//! Findings as rustc would show them: a title, the lines of code with labels, notes, and what to do.

use std::{
    io::{self, Write},
    rc::Rc,
    sync::Arc,
};

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet, renderer::DecorStyle};
use lockscope_analyzer::finding::{Finding, Participant, Severity};
use lockscope_trace::{Definitions, Site, SiteId, StackId};

use crate::{
    cli::{
        load::Checked,
        report::{Counts, phrase, places, plural, witness},
        rules::Why,
        style::{self, Look},
        table::fit,
    },
    source::{
        SourceFile, Sources,
        frames::{ShownFrame, Symbols},
        short_path, short_site,
    },
};

/// Variants beyond these are counted and not shown.
const MAX_VARIANTS: usize = 3;
/// Events beyond these are not named.
const MAX_EVENTS: usize = 6;
/// Frames of a stack beyond these are counted and not shown.
const MAX_FRAMES: usize = 12;
/// Names of functions beyond this width are cut: generic arguments can be longer than any line.
const MAX_FUNCTION: usize = 80;

/// Writes all findings of one trace, then what is missing from it, then a summary line.
pub fn write(
    checked: &Checked,
    n_allowed: usize,
    sources: &Sources,
    look: &Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let symbols = Symbols::new(&checked.info);
    let report = Report { checked, sources, symbols: &symbols, look };
    let (notes, loud): (Vec<&Finding>, Vec<&Finding>) =
        checked.findings.iter().partition(|finding| finding.severity == Severity::Note && !checked.notes_fail);
    for finding in loud {
        writeln!(out, "{}\n", report.finding(finding))?;
    }
    // What is often harmless is not to stand between a reader and what is not.
    for finding in &notes {
        writeln!(out, "{}", report.in_a_line(finding))?;
    }
    if let Some(first) = notes.first() {
        let hint = format!("notes are often harmless; all of one: -W {}", first.code.as_str());
        writeln!(out, "{}\n", look.paint(style::DIM, &hint))?;
    }
    let (word, style) =
        if checked.completeness.is_complete() { ("note:", style::NOTE) } else { ("incomplete:", style::WARNING) };
    for note in remarks(checked) {
        writeln!(out, "{} {note}", look.paint(style, word))?;
    }
    for limit in &checked.limits {
        writeln!(out, "{} {limit}", look.paint(style::NOTE, "limit:"))?;
    }
    summary(checked, n_allowed, look, out)
}

/// One finding, as text without a line end behind it.
pub fn one(checked: &Checked, finding: &Finding, sources: &Sources, look: &Look) -> String {
    let symbols = Symbols::new(&checked.info);
    Report { checked, sources, symbols: &symbols, look }.finding(finding)
}

/// What is to be known about a recording, above all what is missing from it, a sentence each.
fn remarks(checked: &Checked) -> Vec<String> {
    let completeness = &checked.completeness;
    let mut notes = completeness.notes.clone();
    if notes.is_empty() && !completeness.is_complete() {
        notes.push(format!(
            "{} lost, {} damaged, {} in the order",
            plural(completeness.lost_events, "event"),
            plural(completeness.damaged_bytes, "byte"),
            plural(completeness.gap_count, "gap")
        ));
    }
    notes.into_iter().map(|note| Definitions::clean(&note).to_string()).collect()
}

/// `bank-123.lks: 1 error; 4 threads, 3 locks, 128 events in 12.4 s`
fn summary(checked: &Checked, n_allowed: usize, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let counts = Counts::new(&checked.findings);
    let style = match counts {
        Counts { errors: 1.., .. } => style::ERROR,
        Counts { warnings: 1.., .. } => style::WARNING,
        _ => style::HEADER,
    };
    let n_known = checked.hidden.iter().filter(|hidden| hidden.why == Why::Known).count();
    let others = [
        (n_allowed, "allowed"),
        (n_known, "known"),
        (checked.hidden.len() - n_known, "suppressed"),
        (checked.n_filtered, "filtered out"),
    ];
    let others: Vec<String> = others.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let allowed = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    let time = if checked.info.has_times { format!(" in {}", checked.duration) } else { String::new() };
    writeln!(
        out,
        "{}: {}{allowed}; {}, {}, {}{time}",
        short_path(&checked.info.path.to_string_lossy()),
        look.paint(style, &counts.to_string()),
        plural(checked.defs.program_threads() as u64, "thread"),
        plural(checked.defs.locks.len() as u64, "lock"),
        plural(checked.events, "event"),
    )
}

struct Report<'a> {
    checked: &'a Checked,
    sources: &'a Sources,
    symbols: &'a Symbols,
    look: &'a Look,
}

/// A place with what is to be said about it.
struct Mark {
    site: Site,
    label: String,
    is_primary: bool,
}

impl Report<'_> {
    fn finding(&self, finding: &Finding) -> String {
        let level = match finding.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let mut notes: Vec<String> = Vec::new();
        let mut marks = self.marks(finding, &finding.participants, &mut notes);
        marks.extend(self.accesses(finding, &mut notes));
        let snippets = self.snippets(marks, &mut notes);
        let mut group = level.primary_title(finding.title.clone()).id(finding.code.as_str()).elements(snippets);
        notes.extend(finding.notes.iter().cloned());
        notes.extend(self.witness(finding));
        notes.extend(self.seen(finding));
        for stack in self.stacks(finding) {
            notes.push(stack);
        }
        for note in notes {
            group = group.element(Level::NOTE.message(note));
        }
        for help in &finding.help {
            group = group.element(Level::HELP.message(help.clone()));
        }
        let mut groups = vec![group];
        groups.extend(self.variants(finding));
        self.renderer().render(&groups)
    }

    /// `note[check-then-act]: what it is (src/bank.rs:12)`
    fn in_a_line(&self, finding: &Finding) -> String {
        let places = places::all(&self.checked.defs, finding);
        let site = places::primary(&places).and_then(|place| place.site.as_ref());
        let place = site.map_or(String::new(), |site| format!(" ({})", short_site(site)));
        let level = self.look.paint(style::NOTE, &format!("note[{}]:", finding.code.as_str()));
        format!("{level} {}{place}", finding.title)
    }

    /// Further pairs of sites of the same cycle, each as a group of its own.
    fn variants(&self, finding: &Finding) -> Vec<Group<'static>> {
        let mut groups = Vec::new();
        for participants in finding.variants.iter().take(MAX_VARIANTS) {
            let mut notes = Vec::new();
            let marks = self.marks(finding, participants, &mut notes);
            let mut group = Level::NOTE
                .secondary_title("the same cycle, at other places")
                .elements(self.snippets(marks, &mut notes));
            for note in notes {
                group = group.element(Level::NOTE.message(note));
            }
            groups.push(group);
        }
        if let Some(rest) = finding.variants.len().checked_sub(MAX_VARIANTS).filter(|&rest| rest > 0) {
            groups.push(Group::with_title(
                Level::NOTE.secondary_title(format!("and {} more; see --format json", plural(rest as u64, "pair"))),
            ));
        }
        groups
    }

    fn renderer(&self) -> Renderer {
        let renderer = if self.look.color { Renderer::styled() } else { Renderer::plain() };
        let decor = if self.look.ascii { DecorStyle::Ascii } else { DecorStyle::Unicode };
        renderer.decor_style(decor).term_width(self.look.width.unwrap_or(120))
    }

    /// Marks for all places of the participants. What has no place becomes a note.
    fn marks(&self, finding: &Finding, participants: &[Participant], notes: &mut Vec<String>) -> Vec<Mark> {
        let defs = &self.checked.defs;
        let mut marks = Vec::new();
        for participant in participants {
            let mut add = |site: Option<SiteId>, label: String, is_primary| match site.and_then(|site| defs.site(site))
            {
                Some(site) => marks.push(Mark { site: site.clone(), label, is_primary }),
                // Where nothing is known of the place, "here" would point nowhere.
                None => notes.push(label.strip_suffix(" here").map_or(label.clone(), str::to_owned)),
            };
            for held in &participant.held {
                add(held.site, phrase::took(defs, finding, participant, held), false);
            }
            if let Some(wanted) = &participant.wanted {
                add(wanted.site, phrase::wants(defs, finding, participant, wanted), true);
            }
        }
        marks
    }

    /// Marks for the places of accesses to memory.
    fn accesses(&self, finding: &Finding, notes: &mut Vec<String>) -> Vec<Mark> {
        let defs = &self.checked.defs;
        let mut marks: Vec<Mark> = Vec::new();
        for accessed in &finding.evidence.accesses {
            let label = phrase::accesses(defs, accessed);
            match accessed.site.and_then(|site| defs.site(site)) {
                Some(site) => marks.push(Mark { site: site.clone(), label, is_primary: true }),
                None => notes.push(label.strip_suffix(" here").map_or(label.clone(), str::to_owned)),
            }
        }
        marks
    }

    /// One snippet for each file with all its marks. Places whose source is not there are named alone.
    fn snippets(&self, marks: Vec<Mark>, notes: &mut Vec<String>) -> Vec<Element<'static>> {
        let mut files: Vec<(Arc<str>, Vec<Mark>)> = Vec::new();
        for mark in marks {
            match files.iter_mut().find(|(file, _)| *file == mark.site.file) {
                Some((_, marks)) => marks.push(mark),
                None => files.push((mark.site.file.clone(), vec![mark])),
            }
        }
        let mut elements = Vec::new();
        for (path, marks) in files {
            match self.sources.file(&path) {
                Some(file) => self.snippet(&path, &file, marks, notes, &mut elements),
                None => marks.iter().for_each(|mark| elements.extend(origin(mark))),
            }
        }
        elements
    }

    fn snippet(
        &self,
        path: &str,
        file: &Rc<SourceFile>,
        marks: Vec<Mark>,
        notes: &mut Vec<String>,
        elements: &mut Vec<Element<'static>>,
    ) {
        let (found, lost): (Vec<Mark>, Vec<Mark>) = marks.into_iter().partition(|mark| file.span(&mark.site).is_some());
        if !found.is_empty() {
            let mut snippet = Snippet::source(file.text.clone()).path(short_path(path));
            for mark in found {
                let kind = if mark.is_primary { AnnotationKind::Primary } else { AnnotationKind::Context };
                let span = file.span(&mark.site).expect("only marks with a span are here");
                snippet = snippet.annotation(kind.span(span).label(mark.label));
            }
            elements.push(snippet.into());
        }
        lost.iter().for_each(|mark| elements.extend(origin(mark)));
        if file.is_newer || !lost.is_empty() {
            notes.push(format!("{} was changed after the recording, so lines may not match", short_path(path)));
        }
    }

    /// The run that proves a prediction.
    fn witness(&self, finding: &Finding) -> Option<String> {
        let witness = finding.evidence.witness.as_deref()?;
        let lines = witness::columns(&self.checked.defs, witness, self.look);
        Some(format!("the run that leads there:\n{}", lines.join("\n")))
    }

    /// How often, when and where in the trace.
    fn seen(&self, finding: &Finding) -> Option<String> {
        let shown = finding.events.iter().take(MAX_EVENTS).map(|event| format!("#{event}"));
        let events = format!(
            "{} {}",
            if finding.events.len() == 1 { "event" } else { "events" },
            shown.collect::<Vec<_>>().join(" ")
        );
        let time = if self.checked.info.has_times { format!(" at {}", finding.first_seen) } else { String::new() };
        let events = (!finding.events.is_empty()).then_some(events);
        let seen = match finding.count {
            0 | 1 => format!("seen{time}"),
            count => format!("seen {}, first{time}", plural(count, "time")),
        };
        // Without times "seen" alone says nothing.
        let seen =
            (finding.count > 1 || self.checked.info.has_times).then_some(seen.trim_end_matches(", first").to_owned());
        let parts: Vec<String> = seen.into_iter().chain(events).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Stacks of what was wanted and held, where they were captured; stacks that are alike are shown once.
    fn stacks(&self, finding: &Finding) -> Vec<String> {
        let defs = &self.checked.defs;
        let mut known: Vec<StackId> = Vec::new();
        let mut shown: Vec<(Vec<ShownFrame>, Vec<String>)> = Vec::new();
        let mut all = Vec::new();
        for participant in &finding.participants {
            let wanted = participant
                .wanted
                .iter()
                .map(|wanted| (wanted.stack, wanted.site, phrase::wants(defs, finding, participant, wanted)));
            let held = participant
                .held
                .iter()
                .map(|held| (held.stack, held.site, phrase::took(defs, finding, participant, held)));
            all.extend(held.chain(wanted));
        }
        let accesses = finding.evidence.accesses.iter();
        all.extend(accesses.map(|accessed| (accessed.stack, accessed.site, phrase::accesses(defs, accessed))));
        for (stack, site, label) in all {
            let Some(stack) = stack.filter(|stack| !known.contains(stack)) else { continue };
            known.push(stack);
            let frames = self.symbols.folded_stack(defs, stack, site);
            let label = label.strip_suffix(" here").unwrap_or(&label).to_owned();
            match shown.iter_mut().find(|(same, _)| *same == frames) {
                Some((_, labels)) => labels.push(label),
                // The first frame is the place that the snippet shows; alone it adds nothing.
                None if frames.len() < 2 => {}
                None => shown.push((frames, vec![label])),
            }
        }
        shown.iter().map(|(frames, labels)| self.stack(frames, labels)).collect()
    }

    fn stack(&self, frames: &[ShownFrame], labels: &[String]) -> String {
        let mut text = match labels {
            [one] => format!("{one}:"),
            [one, other] => format!("{one}, and {other}:"),
            [one, rest @ ..] => format!("{one}, and {} more in the same way:", rest.len()),
            [] => String::new(),
        };
        for frame in frames.iter().take(MAX_FRAMES) {
            let site = frame.site.as_ref().map_or(String::new(), |site| format!(" at {}", short_site(site)));
            text.push_str(&format!("\n  {}{site}", fit(&frame.function, MAX_FUNCTION, self.look.ascii)));
        }
        if frames.len() > MAX_FRAMES {
            text.push_str(&format!("\n  and {} more", plural((frames.len() - MAX_FRAMES) as u64, "frame")));
        }
        text
    }
}

/// A place without source: the path, and the label below.
fn origin(mark: &Mark) -> [Element<'static>; 2] {
    let mut origin = Origin::path(short_path(&mark.site.file));
    if mark.site.line > 0 {
        origin = origin.line(mark.site.line as usize);
        if mark.site.column > 0 {
            origin = origin.char_column(mark.site.column as usize);
        }
    }
    [origin.into(), Level::NOTE.no_name().message(mark.label.clone()).into()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn report(checked: &Checked, sources: &Sources, ascii: bool) -> String {
        let mut out = Vec::new();
        let look = Look { color: false, ascii, width: Some(100) };
        write(checked, 0, sources, &look, &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("only texts were written")
    }

    #[test]
    fn findings_are_shown_in_their_source() {
        insta::assert_snapshot!(report(&fixture::checked(), &fixture::sources(), false));
    }

    #[test]
    fn notes_take_a_line_unless_they_count() {
        let mut checked = fixture::checked();
        checked.findings[1].severity = Severity::Note;
        let short = report(&checked, &fixture::sources(), false);
        let line = "\nnote[lock-order-inversion]: accounts and audit are taken in both orders (src/";
        assert!(short.contains(line) && short.contains("all of one: -W lock-order-inversion"), "{short}");
        assert!(!short.contains("no gate lock is common"), "{short}");
        checked.notes_fail = true;
        let full = report(&checked, &fixture::sources(), false);
        assert!(full.contains("no gate lock is common") && !full.contains("all of one:"), "{full}");
    }

    #[test]
    fn findings_are_shown_without_source() {
        let none = Sources::new(&fixture::info(), &[("src/".to_owned(), "/nowhere/".to_owned())]);
        insta::assert_snapshot!(report(&fixture::checked(), &none, true));
    }

    #[test]
    fn what_is_missing_is_said() {
        let mut checked = fixture::checked();
        checked.findings.clear();
        checked.completeness.lost_events = 3;
        insta::assert_snapshot!(report(&checked, &fixture::sources(), false));
    }

    #[test]
    fn nothing_drives_the_terminal() {
        let mut checked = fixture::checked();
        checked.defs.sites[0].file = "src/\u{1b}[2J.rs".into();
        checked.completeness.notes.push("a\u{1b}[2Jb".to_owned());
        let report = report(&checked, &fixture::sources(), false);
        assert!(!report.contains('\u{1b}'), "{report}");
    }
}
