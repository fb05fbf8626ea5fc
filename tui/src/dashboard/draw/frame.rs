//! Header and footer: where we are, and what can be done.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use crate::{
    cli::{
        report::{grouped, plural},
        table::fit,
    },
    dashboard::{
        draw::theme::{Mark, Theme},
        keys,
        state::{PromptKind, State, View},
    },
    graph::NodeKey,
    source::short_path,
};

/// Two lines: verdict, trace and moment; then the tabs.
pub fn header(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let width = usize::from(area.width);
    let (mark, verdict) = verdict(state);
    let left = format!(" {} {verdict} ", theme.glyph(mark));
    let right = format!(" {} ", moment(state));
    let name = short_path(&state.model.info.path.to_string_lossy());
    let name = name.rsplit('/').next().unwrap_or(&name).to_owned();
    let room = width.saturating_sub(left.width() + right.width());
    let name = fit(&format!(" {name}"), room, theme.ascii);
    let gap = " ".repeat(room.saturating_sub(name.width()));
    let first = Line::from(vec![
        Span::styled(fit(&left, width, theme.ascii), theme.mark(mark)),
        Span::styled(name, theme.dim()),
        Span::raw(gap),
        Span::styled(right, theme.title()),
    ]);
    frame.render_widget(Paragraph::new(vec![first, tabs(state, theme, width)]), area);
}

/// The worst that is true at this moment, in a few words.
pub fn verdict(state: &State) -> (Mark, String) {
    let n_deadlocked = n_deadlocked(state);
    let n_blocked = super::threads::n_blocked(state);
    let n_findings = state.model.findings.len();
    match (n_deadlocked, n_findings, n_blocked) {
        (1.., ..) => (Mark::Bad, format!("deadlock: {}", plural(n_deadlocked as u64, "thread"))),
        (0, 1.., _) => (Mark::Warn, plural(n_findings as u64, "finding")),
        (0, 0, 1..) => (Mark::Good, format!("no findings, {} blocked", plural(n_blocked as u64, "thread"))),
        (0, 0, 0) => (Mark::Good, "no findings".to_owned()),
    }
}

/// Number of threads that are part of a cycle.
pub fn n_deadlocked(state: &State) -> usize {
    let nodes = state.waits.nodes.iter().enumerate();
    nodes.filter(|(idx, node)| matches!(node.key, NodeKey::Thread(_)) && state.waits.in_cycle(*idx)).count()
}

/// `LIVE  #128  12.4 s`, `PAUSED  #64 of 128  6.2 s of 12.4 s`
fn moment(state: &State) -> String {
    let model = &state.model;
    let word = match (model.is_live(), state.follows) {
        _ if model.error.is_some() => "BROKEN".to_owned(),
        _ if model.progress == lockscope_trace::Progress::More => {
            format!("LOADING {:.0}%", model.fraction.clamp(0.0, 1.0) * 100.0)
        }
        (true, true) => "LIVE".to_owned(),
        (true, false) => "PAUSED".to_owned(),
        (false, _) => "REPLAY".to_owned(),
    };
    let at_end = state.position == model.len();
    let event = if at_end {
        format!("#{}", grouped(state.position))
    } else {
        format!("#{} of {}", grouped(state.position), grouped(model.len()))
    };
    let time = match (model.info.has_times, at_end) {
        (false, _) => String::new(),
        (true, true) => format!("  {}", state.time()),
        (true, false) => format!("  {} of {}", state.time(), model.end()),
    };
    format!("{word}  {event}{time}")
}

fn tabs(state: &State, theme: &Theme, width: usize) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    for (view, key) in View::ALL.into_iter().zip(["1", "2", "3", "4", "5", "E"]) {
        let count = match view {
            View::Findings if !state.model.findings.is_empty() => format!(" {}", state.model.findings.len()),
            _ => String::new(),
        };
        // Where all titles have no room, the keys are enough to find one's way.
        let text =
            if width >= 72 || view == state.view { format!("{key} {}{count}", view.title()) } else { key.to_owned() };
        let style = if view == state.view { theme.selected() } else { Style::new() };
        spans.extend([Span::styled(format!(" {text} "), style)]);
    }
    Line::from(spans)
}

/// The prompt, or a remark, or what can be done here.
pub fn footer(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let width = usize::from(area.width);
    let line = if let Some(prompt) = &state.prompt {
        let label = match prompt.kind {
            PromptKind::Filter => "/",
            PromptKind::Seek => ":",
        };
        let (style, hint) = match (&prompt.error, prompt.kind) {
            (Some(error), _) => (theme.mark(Mark::Warn), format!("  {error}")),
            (None, PromptKind::Filter) => (Style::new(), format!("  {}", count(state))),
            (None, PromptKind::Seek) => (Style::new(), "  12.4s, 350ms, #1234, end".to_owned()),
        };
        Line::from(vec![
            Span::styled(format!("{label}{}", prompt.text), style),
            Span::styled(" ", theme.selected()),
            Span::styled(fit(&hint, width.saturating_sub(prompt.text.width() + 2), theme.ascii), theme.dim()),
        ])
    } else if let Some(message) = &state.message {
        Line::styled(fit(&format!(" {message}"), width, theme.ascii), theme.mark(Mark::Warn))
    } else {
        hints(state, theme, width)
    };
    frame.render_widget(Paragraph::new(line), area);
}

/// `12 of 480`
pub fn count(state: &State) -> String {
    let total = match state.view {
        View::Findings => state.model.findings.len(),
        View::Threads => state.at.threads.len(),
        View::Locks => state.at.locks.len(),
        View::Overview | View::Waits | View::Events => return String::new(),
    };
    let shown = crate::dashboard::lists::rows(state, state.view).len();
    if shown == total { total.to_string() } else { format!("{shown} of {total}") }
}

/// Hints of a view: the label, and the names of the actions whose keys are shown with it.
type Hint = (&'static str, &'static [&'static str]);

fn hints(state: &State, theme: &Theme, width: usize) -> Line<'static> {
    const STEP: Hint = ("step", &["step-back", "step-forward"]);
    const FINDING: Hint = ("finding", &["previous-finding", "next-finding"]);
    const SEEK: Hint = ("go to", &["seek"]);
    const SCROLL: Hint = ("scroll", &["up", "down"]);
    let mut hints: Vec<Hint> = match (state.help.is_some(), state.view) {
        (true, _) => vec![SCROLL],
        (false, View::Overview) => vec![("findings", &["open"]), STEP, FINDING, SEEK],
        (false, View::Waits) => vec![STEP, FINDING, SEEK, SCROLL],
        (false, View::Findings) if state.is_detail_open => vec![("to that moment", &["open"]), SCROLL],
        (false, View::Findings) => vec![("open", &["open"]), ("filter", &["filter"]), FINDING, STEP],
        (false, View::Events) => vec![("thread", &["open"]), ("filter", &["filter"]), FINDING, SEEK],
        (false, _) => vec![("follow", &["open"]), ("filter", &["filter"]), STEP, SEEK],
    };
    if state.model.is_live() && state.help.is_none() {
        hints.push((if state.follows { "pause" } else { "live" }, &["pause"]));
    }
    let is_open = state.help.is_some() || state.is_detail_open;
    let ends: [Hint; 2] = if is_open {
        [("close", &["clear"]), ("quit", &["force-quit"])]
    } else {
        [("help", &["help"]), ("quit", &["quit"])]
    };

    // How to get help and out is shown first of all, then what there is room for.
    let text = |(label, names): &Hint| {
        let keys: Vec<&str> = names.iter().map(|name| keys::keys_of(name)[0]).collect();
        (keys.join(" "), format!(" {label}  "))
    };
    let mut room = width.saturating_sub(1);
    let mut fits = |hint: &Hint| {
        let (key, label) = text(hint);
        let needed = key.width() + label.width();
        let fits = needed <= room;
        room -= if fits { needed } else { 0 };
        fits
    };
    let ends: Vec<Hint> = ends.into_iter().filter(|hint| fits(hint)).collect();
    let shown: Vec<Hint> = hints.into_iter().filter(|hint| fits(hint)).collect();
    let mut spans = vec![Span::raw(" ")];
    for hint in shown.iter().chain(&ends) {
        let (key, label) = text(hint);
        spans.extend([Span::styled(key, theme.title()), Span::styled(label, theme.dim())]);
    }
    Line::from(spans)
}
