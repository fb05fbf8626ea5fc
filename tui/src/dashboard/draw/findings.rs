//! Findings: the list, and the selected one in full with all sides next to each other.

use lockscope_analyzer::finding::{Accessed, Finding, Participant, Target};
use lockscope_trace::{Nanos, SiteId, StackId};
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};
use unicode_width::UnicodeWidthStr;

use crate::{
    cli::{
        report::{phrase, plural},
        table::fit,
    },
    dashboard::{
        draw::{
            schedule,
            snippet::{self, wrap},
            split, table,
        },
        screen::Screen,
        state::State,
        tables::{self, List, Row},
    },
};

/// Draws list and detail.
pub fn draw(state: &State, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    let finding = match state.selected_row() {
        Some(Row::Finding(idx)) => Some(idx),
        _ => state.selection.finding.filter(|idx| *idx < state.model.findings.len()),
    };
    if state.is_detail_open
        && let Some(idx) = finding
    {
        return detail(state, idx, frame, area, screen);
    }
    let (mut list, mut below) = split(state, area, screen);
    if below.height > 0 && !state.is_zoomed {
        // The list needs no more room than it has rows.
        let needed = (state.rows.rows.len() as u16 + 1).clamp(2, list.height);
        let spare = list.height - needed;
        list.height = needed;
        below = Rect { y: below.y - spare, height: below.height + spare, ..below };
        screen.splitter = Some(below.y);
    }
    table::list(state, List::Findings, frame, list, screen);
    if let (Some(Row::Finding(idx)), true) = (state.selected_row(), below.height > 0) {
        detail(state, idx, frame, below, screen);
    }
}

/// Handle, code, confidence and title of a finding.
pub fn finding_line(state: &State, idx: usize, finding: &Finding, width: usize) -> Line<'static> {
    let theme = &state.theme;
    let mark = tables::severity_mark(finding.severity);
    let (code, confidence) = (finding.code.as_str(), finding.confidence.as_str());
    let head = format!(" {} {:<3} {code:<20} {confidence:<9} ", theme.glyph(mark), format!("F{}", idx + 1));
    let title = fit(&finding.title, width.saturating_sub(head.width()), theme.ascii);
    Line::from(vec![Span::styled(head, theme.mark(mark)), Span::raw(title)])
}

fn detail(state: &State, idx: usize, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    let Some(finding) = state.model.findings.get(idx) else { return };
    let theme = &state.theme;
    let title = format!("F{} {} {}", idx + 1, finding.severity.as_str(), finding.code.as_str());
    let width = usize::from(area.width).saturating_sub(2);
    let mut lines = Vec::new();
    for line in wrap(&format!("{}: {}", finding.confidence.as_str(), finding.title), width.saturating_sub(1)) {
        lines.push(Line::styled(format!(" {line}"), theme.mark(tables::severity_mark(finding.severity))));
    }
    lines.extend(sides(state, &finding.participants, finding, width));
    for variant in &finding.variants {
        lines.push(Line::styled(" the same cycle, at other places:", theme.title()));
        lines.extend(sides(state, variant, finding, width));
    }
    lines.extend(schedule::lines(state, finding, width));
    lines.push(Line::styled(format!(" {}", seen(state, finding)), theme.dim()));
    for (label, texts) in [("note", &finding.notes), ("help", &finding.help)] {
        for text in texts {
            for (idx, line) in wrap(text, width.saturating_sub(8)).into_iter().enumerate() {
                let label = if idx == 0 { format!(" {label}: ") } else { " ".repeat(label.len() + 3) };
                lines.push(Line::from(vec![Span::styled(label, theme.title()), Span::raw(line)]));
            }
        }
    }
    super::detail(state, &title, lines, frame, area, screen);
}

fn seen(state: &State, finding: &Finding) -> String {
    let mut parts = vec![format!("seen {}", plural(finding.count.max(1), "time"))];
    if state.model.info.has_times {
        parts.push(format!("first at {}", state.when(finding.first_seen)));
    }
    let events: Vec<String> = finding.events.iter().take(6).map(|event| format!("#{event}")).collect();
    if !events.is_empty() {
        parts.push(format!("events {}", events.join(" ")));
    }
    parts.join(", ")
}

/// All participants: next to each other where there is room, else one below the other.
fn sides(state: &State, participants: &[Participant], finding: &Finding, width: usize) -> Vec<Line<'static>> {
    let theme = &state.theme;
    let n_columns = (width / 36).clamp(1, participants.len().max(1));
    let column_width = width / n_columns;
    let mut lines = Vec::new();
    for group in participants.chunks(n_columns) {
        let columns: Vec<Vec<Line>> =
            group.iter().map(|participant| side(state, participant, finding, column_width.saturating_sub(3))).collect();
        let height = columns.iter().map(Vec::len).max().unwrap_or(0);
        for row in 0..height {
            let mut spans = Vec::new();
            for (idx, column) in columns.iter().enumerate() {
                let line = column.get(row).cloned().unwrap_or_default();
                let used = line.width();
                let divider = if theme.ascii { "| " } else { "│ " };
                spans.push(if idx == 0 { Span::raw(" ") } else { Span::styled(divider, theme.dim()) });
                spans.extend(line.spans);
                let margin = if idx == 0 { 1 } else { 2 };
                spans.push(Span::raw(" ".repeat((column_width - margin).saturating_sub(used))));
            }
            lines.push(Line::from(spans));
        }
    }
    lines
}

/// One participant: what it held and wanted, each with its place in the source.
fn side(state: &State, participant: &Participant, finding: &Finding, width: usize) -> Vec<Line<'static>> {
    let (defs, theme) = (&state.model.defs, &state.theme);
    let mut lines = vec![Line::styled(
        fit(&phrase::thread_label(defs, participant.thread), width, theme.ascii),
        theme.thread().patch(theme.title()),
    )];
    let mut part = |verb: &str, target: Target, since: Nanos, site: Option<SiteId>, stack: Option<StackId>| {
        let room = width.saturating_sub(verb.len() + 1);
        let full = phrase::target_label(defs, target);
        let label =
            if full.width() <= room { full } else { fit(&phrase::target_short(defs, target), room, theme.ascii) };
        lines.push(Line::from(vec![Span::raw(format!("{verb} ")), Span::styled(label, theme.lock())]));
        let since = if state.model.info.has_times { format!("at {}", state.when(since)) } else { String::new() };
        lines.extend(snippet::place(state, site, &since, width));
        lines.extend(snippet::stack(state, stack, site, width));
    };
    for held in &participant.held {
        part("took", Target::Lock(held.lock, held.mode), held.since, held.site, held.stack);
    }
    if let Some(wanted) = &participant.wanted {
        let verb = phrase::wants_verb(finding, participant);
        part(verb, wanted.target, wanted.since, wanted.site, wanted.stack);
    }
    let its = finding.evidence.accesses.iter().filter(|accessed| accessed.thread == participant.thread);
    for Accessed { what, touch, site, stack, time, .. } in its {
        let label = format!("{} {}", touch.as_str(), what.name(defs));
        lines.push(Line::styled(fit(&label, width, theme.ascii), theme.lock()));
        let since = if state.model.info.has_times { format!("at {}", state.when(*time)) } else { String::new() };
        lines.extend(snippet::place(state, *site, &since, width));
        lines.extend(snippet::stack(state, *stack, *site, width));
    }
    lines
}
