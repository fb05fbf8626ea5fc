//! One screen that answers "is it stuck, and why": the verdict with both sides, findings, who is blocked, which locks
//! are hot, how many were blocked over time, and how healthy the recording is.

use lockscope_analyzer::state::Activity;
use lockscope_trace::ThreadId;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use crate::{
    cli::{
        report::{phrase, plural},
        table::fit,
    },
    dashboard::{
        draw::{
            findings::finding_line,
            framed, scrolled,
            snippet::wrap,
            theme::Mark,
            threads::{activity, since_text},
            verdict,
        },
        lists,
        screen::Screen,
        state::State,
        tables,
    },
};

/// Findings listed here; the view of findings has all.
const MAX_FINDINGS: usize = 4;

/// Draws the view.
pub fn draw(state: &State, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    let verdict = verdict::lines(state, usize::from(area.width).saturating_sub(2));
    let n_findings = state.model.findings.len();
    let width = usize::from(area.width).saturating_sub(2);
    // The verdict is what one came for; the rest shares what is left.
    let verdict_height = (verdict.len() as u16 + 2).min((area.height * 2 / 3).max(3));
    let rest = area.height.saturating_sub(verdict_height + 2);
    // Whole titles where there is room for them, a line each where there is not.
    let n_shown = n_findings.min(MAX_FINDINGS.max(usize::from(rest / 4)));
    let mut listed = findings_lines(state, n_shown, width, true);
    if listed.len() + 2 > usize::from(rest / 2) {
        listed = findings_lines(state, n_findings.min(MAX_FINDINGS), width, false);
    }
    let findings_height = if n_findings > 0 { listed.len() as u16 + 2 } else { 0 };
    let findings_height = if findings_height + 4 <= rest {
        findings_height
    } else if rest >= 7 {
        rest - 4
    } else {
        0
    };
    let rows = [
        Constraint::Length(verdict_height),
        Constraint::Length(findings_height),
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ];
    let [top, findings, middle, spark, health] = Layout::vertical(rows).areas(area);

    let inner = framed(state, "Verdict", frame, top);
    screen.scroll_limit = scrolled(verdict, state.scroll, frame, inner);
    if findings.height > 2 {
        let inner = framed(state, &plural(n_findings as u64, "finding"), frame, findings);
        frame.render_widget(Paragraph::new(listed), inner);
    }
    // A tall screen has room for the picture as well.
    let picture = if middle.height >= 20 && !state.waits.edges.is_empty() { middle.height - 8 } else { 0 };
    let [middle, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(picture)]).areas(middle);
    if picture > 0 {
        super::waits::draw(state, frame, below, screen);
    }
    if middle.height > 2 {
        let [left, right] = Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(middle);
        blocked(state, frame, left);
        hottest(state, frame, right);
    }
    frame.render_widget(Paragraph::new(sparkline(state, usize::from(spark.width))), spark);
    frame.render_widget(Paragraph::new(self::health(state, usize::from(health.width))), health);
}

/// The worst findings, with titles in full or cut to a line each.
fn findings_lines(state: &State, n_shown: usize, width: usize, is_full: bool) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (idx, finding) in state.model.findings.iter().enumerate().take(n_shown) {
        let line = finding_line(state, idx, finding, width);
        if !is_full {
            lines.push(line);
            continue;
        }
        let head = line.spans.first().cloned().unwrap_or_default();
        let indent = head.width();
        for (idx, text) in wrap(&finding.title, width.saturating_sub(indent)).into_iter().enumerate() {
            let head = if idx == 0 { head.clone() } else { Span::raw(" ".repeat(indent)) };
            lines.push(Line::from(vec![head, Span::raw(text)]));
        }
    }
    lines
}

fn blocked(state: &State, frame: &mut Frame, area: Rect) {
    let (defs, theme) = (&state.model.defs, &state.theme);
    // Who cannot go on first, then who waits longest.
    let mut waiting: Vec<(bool, lockscope_trace::Nanos, ThreadId)> = Vec::new();
    for (idx, thread) in state.at.threads.iter().enumerate() {
        if let Some(wait) = thread.wait() {
            let id = ThreadId(idx as u32);
            waiting.push((!lists::is_deadlocked(state, id), wait.since, id));
        }
    }
    let inner = framed(state, &format!("Blocked now: {}", waiting.len()), frame, area);
    // Only those that are shown need an order.
    let n_shown = usize::from(inner.height).min(waiting.len());
    if n_shown > 0 && n_shown < waiting.len() {
        waiting.select_nth_unstable(n_shown - 1);
    }
    let n_waiting = waiting.len();
    waiting.truncate(n_shown);
    waiting.sort_unstable();
    if n_waiting == 0 {
        let threads = (0..).map(ThreadId).zip(&state.at.threads).filter(|(id, _)| !defs.is_own(*id));
        let live = threads.filter(|(_, thread)| matches!(thread.activity, Activity::Running)).count();
        frame.render_widget(
            Paragraph::new(Line::styled(format!(" nobody; {} running", plural(live as u64, "thread")), theme.dim())),
            inner,
        );
        return;
    }
    let width = usize::from(inner.width);
    let lines: Vec<Line> = waiting
        .into_iter()
        .map(|(_, since, id)| {
            let wanted = state.at.thread(id).map(|thread| phrase::waited_for_short(defs, thread)).unwrap_or_default();
            let mark = state.at.thread(id).map_or(Mark::Warn, |thread| activity(state, id, thread).0);
            let since = since_text(state, since);
            let room = width.saturating_sub(since.width() + 4);
            let thread = fit(&phrase::thread_label(defs, id), room / 2, theme.ascii);
            let wants = fit(&wanted, room.saturating_sub(thread.width() + 7), theme.ascii);
            let used = 3 + thread.width() + 7 + wants.width();
            Line::from(vec![
                Span::styled(format!(" {} {thread}", theme.glyph(mark)), theme.mark(mark)),
                Span::raw(" wants "),
                Span::styled(wants, theme.lock()),
                Span::raw(" ".repeat(width.saturating_sub(used + since.width()))),
                Span::raw(since),
            ])
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

fn hottest(state: &State, frame: &mut Frame, area: Rect) {
    let (defs, theme) = (&state.model.defs, &state.theme);
    let inner = framed(state, "Hottest locks", frame, area);
    let locks = lists::hottest(state, usize::from(inner.height));
    if locks.is_empty() {
        frame.render_widget(Paragraph::new(Line::styled(" no lock had to be waited for", theme.dim())), inner);
        return;
    }
    let width = usize::from(inner.width);
    let mut lines = Vec::new();
    for id in locks {
        let Some(lock) = state.at.lock(id) else { continue };
        let waits = plural(lock.contended + lock.waiters.len() as u64, "wait");
        // How long was waited is what it costs.
        let waited = Some(tables::waited(state, id)).filter(|waited| waited.0 > 0 && state.model.info.has_times);
        let right = match waited {
            Some(waited) => format!("{waited} in {waits} "),
            None => format!("{waits} "),
        };
        let name =
            fit(&format!(" {}", phrase::lock_short(defs, id)), width.saturating_sub(right.width() + 1), theme.ascii);
        let gap = " ".repeat(width.saturating_sub(name.width() + right.width()));
        lines.push(Line::from(vec![
            Span::styled(name, theme.lock()),
            Span::raw(gap),
            Span::styled(right, theme.mark(Mark::Warn)),
        ]));
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

/// Blocked threads over the whole run, with the cursor's column marked.
fn sparkline(state: &State, width: usize) -> Line<'static> {
    let theme = &state.theme;
    let label = " blocked ";
    let columns = width.saturating_sub(label.width() + 10);
    let end = state.model.end();
    let mut values = state.model.blocked.columns(columns, end);
    // Of what was not read yet nothing is known.
    let known = (u128::from(state.model.known_end().0) * columns as u128).div_ceil(u128::from(end.0) + 1);
    values.iter_mut().skip(known as usize + 1).for_each(|value| *value = 0);
    let most = values.iter().copied().max().unwrap_or(0);
    let levels = theme.bars();
    let cursor = (u128::from(state.time().0) * columns as u128 / (u128::from(end.0) + 1)) as usize;
    let mut spans = vec![Span::styled(label, theme.dim())];
    for (column, value) in values.iter().enumerate() {
        let level = if *value == 0 { 0 } else { (value * 8 / most).max(1) as usize };
        let is_cursor = column == cursor.min(columns.saturating_sub(1));
        let style = if is_cursor { theme.selected() } else { theme.mark(Mark::Warn) };
        spans.push(Span::styled(levels[level], style));
    }
    spans.push(Span::styled(format!(" max {most}"), theme.dim()));
    Line::from(spans)
}

/// What the recording is, and what is missing from it.
fn health(state: &State, width: usize) -> Line<'static> {
    let (model, theme) = (&state.model, &state.theme);
    if let Some(error) = &model.error {
        return Line::styled(
            fit(&format!(" {} reading stopped: {error}", theme.glyph(Mark::Bad)), width, theme.ascii),
            theme.mark(Mark::Bad),
        );
    }
    if !model.completeness.is_complete() {
        let notes = model.completeness.notes.join("; ");
        let lost = plural(model.completeness.lost_events, "event");
        let text = if notes.is_empty() { format!("incomplete: {lost} lost") } else { format!("incomplete: {notes}") };
        let text = if model.info.coarse.is_some() { format!("coarse clock; {text}") } else { text };
        return Line::styled(
            fit(&format!(" {} {text}", theme.glyph(Mark::Warn)), width, theme.ascii),
            theme.mark(Mark::Warn),
        );
    }
    let mut facts = vec![
        plural(
            (0..).zip(&state.at.threads).filter(|(id, _)| !model.defs.is_own(ThreadId(*id))).count() as u64,
            "thread",
        ),
        plural(state.at.locks.len() as u64, "lock"),
        "nothing lost".to_owned(),
        model.info.format.clone(),
    ];
    if model.info.pid != 0 {
        facts.insert(0, format!("process {}", model.info.pid));
    }
    facts.extend((!model.info.has_times).then(|| "no times".to_owned()));
    facts.extend(model.info.coarse.map(|by| format!("coarse clock: times may be {by} too early")));
    Line::styled(fit(&format!(" {}", facts.join(", ")), width, theme.ascii), theme.dim())
}
