//! Findings: the list, and the selected one in full with all sides next to each other.

use lockscope_analyzer::finding::{Accessed, Finding, Participant, Target};
use lockscope_trace::{Nanos, SiteId, StackId};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{
    cli::{
        report::{phrase, plural},
        table::fit,
    },
    dashboard::{
        draw::{
            overview::{finding_line, severity_mark},
            scrolled,
            theme::Theme,
        },
        lists::{self, Id},
        state::{State, View},
    },
    source::{file_and_line, short_site},
};

/// Lines of source around the one that matters.
const CONTEXT: u32 = 1;
/// Frames of a stack that are shown.
const MAX_FRAMES: usize = 6;

/// Draws list and detail.
pub fn draw(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) -> usize {
    let rows = lists::rows(state, View::Findings);
    let Some(selected) = lists::selected(state, &rows) else {
        let text = if state.model.progress == lockscope_trace::Progress::More {
            "nothing found so far"
        } else {
            "no findings"
        };
        super::events::empty(state, theme, frame, area, text);
        return 0;
    };
    let list_height = if state.is_detail_open { 0 } else { (rows.len() as u16).min(area.height / 3).max(1) };
    let [list, detail] = Layout::vertical([Constraint::Length(list_height), Constraint::Fill(1)]).areas(area);
    let height = usize::from(list.height);
    let first = selected.saturating_sub(height / 2).min(rows.len().saturating_sub(height));
    let width = usize::from(list.width);
    let mut lines = Vec::new();
    for (idx, row) in rows.iter().enumerate().skip(first).take(height) {
        let Id::Finding(finding) = *row else { continue };
        let line = finding_line(theme, &state.model.findings[finding], width);
        let padding = Span::raw(" ".repeat(width.saturating_sub(line.width())));
        let line = Line::from([line.spans, vec![padding]].concat());
        lines.push(if idx == selected { line.patch_style(theme.selected()) } else { line });
    }
    frame.render_widget(Paragraph::new(lines), list);
    match rows[selected] {
        Id::Finding(idx) => self::detail(state, theme, idx, frame, detail),
        _ => 0,
    }
}

fn detail(state: &State, theme: &Theme, idx: usize, frame: &mut Frame, area: Rect) -> usize {
    let finding = &state.model.findings[idx];
    let block = theme.block(&format!("F{} {} {}", idx + 1, finding.severity.as_str(), finding.code.as_str()));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let width = usize::from(inner.width);
    let mut lines = Vec::new();
    for line in wrap(&format!("{}: {}", finding.confidence.as_str(), finding.title), width.saturating_sub(1)) {
        lines.push(Line::styled(format!(" {line}"), theme.mark(severity_mark(finding.severity))));
    }
    lines.extend(sides(state, theme, &finding.participants, finding, width));
    for variant in &finding.variants {
        lines.push(Line::styled(" the same cycle, at other places:", theme.title()));
        lines.extend(sides(state, theme, variant, finding, width));
    }
    lines.push(Line::styled(format!(" {}", seen(state, finding)), theme.dim()));
    for (label, texts) in [("note", &finding.notes), ("help", &finding.help)] {
        for text in texts {
            for (idx, line) in wrap(text, width.saturating_sub(8)).into_iter().enumerate() {
                let label = if idx == 0 { format!(" {label}: ") } else { " ".repeat(label.len() + 3) };
                lines.push(Line::from(vec![Span::styled(label, theme.title()), Span::raw(line)]));
            }
        }
    }
    let limit = scrolled(lines, state.scroll, frame, inner);
    let below = limit.saturating_sub(state.scroll);
    if below > 0 {
        let text = format!(" {} ", plural(below as u64, "more line"));
        let width = (text.width() as u16).min(area.width);
        let place = Rect { x: area.right() - width, y: area.bottom().saturating_sub(1), width, height: 1 };
        frame.render_widget(Paragraph::new(Line::styled(text, theme.dim())), place.intersection(area));
    }
    limit
}

fn seen(state: &State, finding: &Finding) -> String {
    let mut parts = vec![format!("seen {}", plural(finding.count.max(1), "time"))];
    if state.model.info.has_times {
        parts.push(format!("first at {}", finding.first_seen));
    }
    let events: Vec<String> = finding.events.iter().take(6).map(|event| format!("#{event}")).collect();
    if !events.is_empty() {
        parts.push(format!("events {}", events.join(" ")));
    }
    parts.join(", ")
}

/// All participants: next to each other where there is room, else one below the other.
fn sides(
    state: &State,
    theme: &Theme,
    participants: &[Participant],
    finding: &Finding,
    width: usize,
) -> Vec<Line<'static>> {
    let n_columns = (width / 36).clamp(1, participants.len().max(1));
    let column_width = width / n_columns;
    let mut lines = Vec::new();
    for group in participants.chunks(n_columns) {
        let columns: Vec<Vec<Line>> = group
            .iter()
            .map(|participant| side(state, theme, participant, finding, column_width.saturating_sub(3)))
            .collect();
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
fn side(
    state: &State,
    theme: &Theme,
    participant: &Participant,
    finding: &Finding,
    width: usize,
) -> Vec<Line<'static>> {
    let defs = &state.model.defs;
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
        let since = if state.model.info.has_times { format!("at {since}") } else { String::new() };
        lines.extend(place(state, theme, site, &since, width));
        lines.extend(self::stack(state, theme, stack, site, width));
    };
    for held in &participant.held {
        part("took", Target::Lock(held.lock, held.mode), held.since, held.site, held.stack);
    }
    if let Some(wanted) = &participant.wanted {
        let verb = phrase::wants_verb(finding, participant);
        part(verb, wanted.target, wanted.since, wanted.site, wanted.stack);
    }
    let its = finding.evidence.accesses.iter().filter(|accessed| accessed.thread == participant.thread);
    for Accessed { var, touch, site, stack, time, .. } in its {
        let label = format!("{} {}", touch.as_str(), defs.var(*var));
        lines.push(Line::styled(fit(&label, width, theme.ascii), theme.lock()));
        let since = if state.model.info.has_times { format!("at {time}") } else { String::new() };
        lines.extend(place(state, theme, *site, &since, width));
        lines.extend(self::stack(state, theme, *stack, *site, width));
    }
    lines
}

/// The time, the place and its lines of source, the one that matters marked.
fn place(state: &State, theme: &Theme, site: Option<SiteId>, since: &str, width: usize) -> Vec<Line<'static>> {
    let site = site.and_then(|site| state.model.defs.site(site));
    let where_and_when: Vec<String> = site.map(short_site).into_iter().chain([since.to_owned()]).collect();
    let first = format!("  {}", where_and_when.join("  "));
    let mut lines = vec![Line::styled(fit(first.trim_end(), width, theme.ascii), theme.dim())];
    let Some(site) = site else { return lines };
    let Some(file) = state.sources.file(&site.file) else { return lines };
    if file.line(site.line).is_none() {
        return lines;
    }
    let range = site.line.saturating_sub(CONTEXT).max(1)..=site.line.saturating_add(CONTEXT);
    let shown: Vec<(u32, String)> =
        range.filter_map(|number| Some((number, file.line(number)?.trim_end().replace('\t', "    ")))).collect();
    // Common indentation says nothing and takes room.
    let indent = shown
        .iter()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(_, line)| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let digits = shown.last().map_or(1, |(number, _)| number.to_string().len());
    let bar = if theme.ascii { "|" } else { "│" };
    for (number, line) in shown {
        let is_it = number == site.line;
        let pointer = if is_it { if theme.ascii { ">" } else { "▶" } } else { " " };
        let text = line.get(indent..).unwrap_or("");
        let room = width.saturating_sub(digits + 4);
        if !is_it {
            lines.push(Line::styled(
                format!(" {pointer}{number:>digits$}{bar} {}", fit(text, room, theme.ascii)),
                theme.dim(),
            ));
            continue;
        }
        // The line that matters is never cut.
        for (idx, part) in chunks(text, room.max(8)).into_iter().enumerate() {
            let gutter = if idx == 0 {
                format!(" {pointer}{number:>digits$}{bar} ")
            } else {
                format!("  {:>digits$}{bar}   ", "")
            };
            lines.push(Line::from(vec![Span::styled(gutter, theme.dim()), Span::styled(part, theme.title())]));
        }
    }
    lines
}

/// The text in pieces: the first of `width` columns, the further ones two narrower, since they are indented. Pieces
/// begin where a word or a call does, unless one alone is too long.
fn chunks(text: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let room = if pieces.is_empty() { width } else { width.saturating_sub(2) }.max(2);
        let mut used = 0;
        let overflow = rest.char_indices().find(|(_, c)| {
            used += c.width().unwrap_or(0);
            used > room
        });
        let Some((end, _)) = overflow else { break };
        let begin = rest[..end].rfind([' ', '.']).map(|at| if rest[at..].starts_with(' ') { at + 1 } else { at });
        // A break within the indentation would leave a piece of nothing.
        let indent = rest.len() - rest.trim_start().len();
        let (piece, further) = rest.split_at(begin.filter(|&begin| begin > indent).unwrap_or(end));
        pieces.push(piece.to_owned());
        rest = further;
    }
    pieces.push(rest.to_owned());
    pieces
}

fn stack(
    state: &State,
    theme: &Theme,
    stack: Option<StackId>,
    site: Option<SiteId>,
    width: usize,
) -> Vec<Line<'static>> {
    let Some(stack) = stack else { return Vec::new() };
    let frames = state.symbols.folded_stack(&state.model.defs, stack, site);
    // The first frame is the place above; alone it adds nothing.
    if frames.len() < 2 {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for frame in frames.iter().take(MAX_FRAMES) {
        let site = frame.site.as_ref().map_or(String::new(), |site| format!("{} ", file_and_line(site)));
        lines.push(Line::styled(fit(&format!("   {site}in {}", frame.function), width, theme.ascii), theme.dim()));
    }
    lines
}

/// Lines of at most `width` columns, broken between words.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_matter_are_never_cut() {
        assert_eq!(chunks("let a = self.a.lock();", 12), ["let a = ", "self.a", ".lock();"]);
        assert_eq!(chunks("    let a_long_name = 1;", 10), ["    let ", "a_long_n", "ame = 1;"]);
        assert_eq!(chunks("", 12), [""]);
    }

    #[test]
    fn texts_are_broken_between_words() {
        assert_eq!(wrap("no gate lock is common", 9), ["no gate", "lock is", "common"]);
        assert_eq!(wrap("", 9), [""]);
        assert_eq!(wrap("unbreakable word", 3), ["unbreakable", "word"]);
    }
}
