//! Header and footer: where we are, and what can be done.

use lockscope_analyzer::finding::Severity;
use lockscope_trace::{Completeness, Nanos, TraceInfo};
use ratatui::{
    Frame,
    layout::Rect,
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
        draw::theme::Mark,
        screen::Screen,
        state::{Overlay, Pending, State, View},
        tables,
    },
    source::short_path,
};

/// Two lines: verdict, trace and moment; then the tabs.
pub fn header(state: &State, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    let theme = &state.theme;
    let width = usize::from(area.width);
    let (mark, verdict) = verdict(state);
    let left = format!(" {} {verdict} ", theme.glyph(mark));
    let rate = rate(state).filter(|_| width >= 100).map_or(String::new(), |rate| format!("  {rate}"));
    let right = format!(" {}{rate} ", moment(state));
    let name = short_path(&state.model.info.path.to_string_lossy());
    let mut name = name.rsplit('/').next().unwrap_or(&name).to_owned();
    if let Some(missing) = missing(&state.model.completeness) {
        name = format!("{missing}  {name}");
    }
    let room = width.saturating_sub(left.width() + right.width());
    let name = fit(&format!(" {name}"), room, theme.ascii);
    let gap = " ".repeat(room.saturating_sub(name.width()));
    let first = Line::from(vec![
        Span::styled(fit(&left, width, theme.ascii), theme.mark(mark)),
        Span::styled(name, theme.dim()),
        Span::raw(gap),
        Span::styled(right, theme.title()),
    ]);
    let tabs = tabs(state, area, screen);
    frame.render_widget(Paragraph::new(vec![first, tabs]), area);
}

/// What is missing from the recording, in a few words; the overview has the sentences.
fn missing(completeness: &Completeness) -> Option<String> {
    let stopped =
        completeness.notes.iter().find_map(|note| note.strip_prefix("recording stopped before the program ended: "));
    Some(match completeness {
        complete if complete.is_complete() => return None,
        _ if let Some(reason) = stopped => format!("recording stopped: {reason}"),
        Completeness { lost_events: 1.., .. } => format!("{} lost", plural(completeness.lost_events, "event")),
        Completeness { complete_from: from, .. } if *from > Nanos(0) => format!("complete from {from} on"),
        _ => "incomplete".to_owned(),
    })
}

/// The worst that is true at this moment, in a few words.
pub fn verdict(state: &State) -> (Mark, String) {
    let n_deadlocked = n_deadlocked(state);
    let n_blocked = super::threads::n_blocked(state);
    let n_findings = state.model.findings.len();
    match (n_deadlocked, n_findings, n_blocked) {
        (1.., ..) => {
            let word = if state.waits.cycles.is_empty() { "stuck" } else { "deadlock" };
            (Mark::Bad, format!("{word}: {}", plural(n_deadlocked as u64, "thread")))
        }
        (0, 1.., _) => (worst(state), by_severity(state)),
        (0, 0, 1..) => (Mark::Good, format!("no findings, {} blocked", plural(n_blocked as u64, "thread"))),
        (0, 0, 0) => (Mark::Good, "no findings".to_owned()),
    }
}

/// The mark of the worst finding.
fn worst(state: &State) -> Mark {
    let worst = state.model.findings.iter().map(|finding| finding.severity).max();
    worst.map_or(Mark::Good, tables::severity_mark)
}

/// `1 error, 2 warnings`
fn by_severity(state: &State) -> String {
    let count = |severity| state.model.findings.iter().filter(|finding| finding.severity == severity).count() as u64;
    let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| (severity, count(severity)));
    let some = counts.into_iter().filter(|(_, n)| *n > 0);
    some.map(|(severity, n)| plural(n, severity.as_str())).collect::<Vec<_>>().join(", ")
}

/// Number of threads that cannot go on any more.
pub fn n_deadlocked(state: &State) -> usize {
    state.stuck.len()
}

/// `LIVE  #128  12.4 s`, `PAUSED  #64 of 128  6.2 s of 12.4 s`, `PLAY x2  #64 of 128  ...`
fn moment(state: &State) -> String {
    let model = &state.model;
    let word = match (model.is_live(), state.follows) {
        _ if model.error.is_some() => "BROKEN".to_owned(),
        _ if state.is_ahead() => if state.follows { "LIVE" } else { "PAUSED" }.to_owned(),
        _ if model.progress == lockscope_trace::Progress::More => format!("LOADING {}", percent(model.fraction)),
        _ if state.plays => format!("PLAY {}", state.speed_text()),
        (true, true) => "LIVE".to_owned(),
        (true, false) => "PAUSED".to_owned(),
        (false, _) => "REPLAY".to_owned(),
    };
    let at_end = state.position == model.len();
    let event = if state.is_ahead() {
        format!("past {}", percent(model.fraction))
    } else if at_end {
        format!("#{}", grouped(state.position))
    } else {
        format!("#{} of {}", grouped(state.position), grouped(model.len()))
    };
    let about = about(&model.info);
    let time = match (model.info.has_times, at_end) {
        (false, _) => String::new(),
        (true, true) => format!("  {about}{}", state.time()),
        (true, false) => format!("  {about}{} of {}", state.time(), model.end()),
    };
    format!("{word}  {event}{time}")
}

/// How much of a file was read.
fn percent(fraction: f64) -> String {
    format!("{:.0}%", fraction.clamp(0.0, 1.0) * 100.0)
}

/// What is written before a time that is not exact.
fn about(info: &TraceInfo) -> &'static str {
    if info.coarse.is_some() { "~" } else { "" }
}

/// How many events came in the last second of a live trace that is followed.
fn rate(state: &State) -> Option<String> {
    let model = &state.model;
    if !model.is_live() || state.is_ahead() || !state.follows || !model.info.has_times {
        return None;
    }
    let second_ago = Nanos(model.end().0.saturating_sub(1_000_000_000));
    let n_events = model.len() - model.timeline.position_at(second_ago);
    Some(format!("{}/s", plural(n_events, "event")))
}

fn tabs(state: &State, area: Rect, screen: &mut Screen) -> Line<'static> {
    let key = |view: View| state.keys.of(&view.title().to_lowercase()).first().cloned().unwrap_or_default();
    let count = |view: View| match view {
        View::Findings if !state.model.findings.is_empty() => format!(" {}", state.model.findings.len()),
        _ => String::new(),
    };
    let full = |view: View| format!("{} {}{}", key(view), view.title(), count(view));
    let short = |view: View| {
        let key = key(view);
        let gap = if key.ends_with(|c: char| c.is_ascii_digit()) { "" } else { " " };
        format!("{key}{gap}{}{}", view.short(), count(view))
    };
    let width_of =
        |text: &dyn Fn(View) -> String| View::ALL.iter().map(|view| text(*view).width() + 2).sum::<usize>() + 1;
    // Where titles have no room, the keys are enough to find one's way.
    let width = usize::from(area.width);
    let (is_full, is_short) = (width_of(&full) <= width, width_of(&short) <= width);
    let mut spans = vec![Span::raw(" ")];
    let mut x = area.x + 1;
    for view in View::ALL {
        let text = match () {
            () if is_full => full(view),
            () if is_short => short(view),
            () if view == state.view => full(view),
            () => key(view),
        };
        let text = format!(" {text} ");
        let tab = Rect { x, y: area.y + 1, width: text.width() as u16, height: 1 };
        screen.tabs.push((tab.intersection(area), view));
        x = x.saturating_add(tab.width);
        let style = if view == state.view { state.theme.selected() } else { Default::default() };
        spans.push(Span::styled(text, style));
    }
    Line::from(spans)
}

/// Titles of the panes of the view.
pub fn panes(state: &State, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    let theme = &state.theme;
    let mut spans = vec![Span::raw(" ")];
    let mut x = area.x + 1;
    for (idx, title) in state.view.panes().iter().enumerate() {
        let text = format!(" {title} ");
        let tab = Rect { x, y: area.y, width: text.width() as u16, height: 1 };
        screen.panes.push((tab.intersection(area), idx));
        x = x.saturating_add(tab.width);
        spans.push(Span::styled(text, if idx == state.pane() { theme.selected() } else { theme.dim() }));
    }
    let key = state.keys.of("next-pane").first().cloned().unwrap_or_default();
    spans.push(Span::styled(format!(" {key}"), theme.dim()));
    if let Some(list) = state.shown_list() {
        let group = state.list(list).group.and_then(|idx| list.groupings().get(idx));
        spans.extend(group.map(|(name, _)| Span::styled(format!("  grouped by {name}"), theme.dim())));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// The prompt, or a remark, or what can be done here.
pub fn footer(state: &State, frame: &mut Frame, area: Rect) {
    let theme = &state.theme;
    let width = usize::from(area.width);
    let line = if let Some(prompt) = &state.prompt {
        prompt_line(state, prompt, width)
    } else if let Some(pending) = state.pending {
        let text = match pending {
            Pending::Mark => " a letter for the mark, Esc for none".to_owned(),
            Pending::Jump => {
                let letters: Vec<String> = state.marks.keys().map(char::to_string).collect();
                format!(
                    " a mark to go to: {}",
                    if letters.is_empty() { "none yet, m makes one".to_owned() } else { letters.join(" ") }
                )
            }
        };
        Line::styled(fit(&text, width, theme.ascii), theme.title())
    } else if let Some(message) = &state.message {
        Line::styled(fit(&format!(" {message}"), width, theme.ascii), theme.mark(Mark::Warn))
    } else {
        hints(state, width)
    };
    frame.render_widget(Paragraph::new(line), area);
}

/// The filter as it is typed, what is wrong underlined, and how many rows it keeps.
fn prompt_line(state: &State, prompt: &crate::dashboard::state::Prompt, width: usize) -> Line<'static> {
    let theme = &state.theme;
    let mut spans = vec![Span::raw("/")];
    let wrong = prompt.error.as_ref().map(|(_, columns)| columns.clone()).unwrap_or(0..0);
    let mut column = 0;
    for c in prompt.text.chars() {
        let is_wrong = wrong.contains(&column);
        let style = if is_wrong { theme.mark(Mark::Bad) } else { Default::default() };
        spans.push(Span::styled(c.to_string(), style));
        column += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
    }
    spans.push(Span::styled(" ", theme.selected()));
    let hint = match &prompt.error {
        Some((error, _)) => format!("  {error}"),
        None => format!("  {}", count(state)),
    };
    let room = width.saturating_sub(column + 2);
    spans.push(Span::styled(fit(&hint, room, theme.ascii), theme.dim()));
    Line::from(spans)
}

/// `12 of 480`
pub fn count(state: &State) -> String {
    let rows = &state.rows;
    match state.shown_list() {
        Some(_) if rows.kept == rows.total => grouped(rows.total as u64),
        Some(_) => format!("{} of {}", grouped(rows.kept as u64), grouped(rows.total as u64)),
        None => String::new(),
    }
}

/// Hints of a view: the label, and the names of the actions whose keys are shown with it.
type Hint = (&'static str, &'static [&'static str]);

fn hints(state: &State, width: usize) -> Line<'static> {
    const STEP: Hint = ("step", &["step-back", "step-forward"]);
    const FINDING: Hint = ("finding", &["previous-finding", "next-finding"]);
    const FILTER: Hint = ("filter", &["filter"]);
    const WAIT: Hint = ("wait", &["previous-blocking", "next-blocking"]);
    const SORT: Hint = ("sort", &["sort"]);
    const GO: Hint = ("go to", &["palette"]);
    const LINK: Hint = ("handle", &["up", "down"]);
    let theme = &state.theme;
    let mut hints: Vec<Hint> = match (&state.overlay, state.view) {
        (Some(Overlay::Menu(_)), _) => vec![("do", &["open"]), LINK],
        (Some(_), _) => vec![("scroll", &["up", "down"])],
        (None, View::Overview) => vec![("findings", &["open"]), LINK, STEP, FINDING, GO],
        (None, View::Waits) => vec![LINK, STEP, WAIT, FINDING, GO],
        (None, View::Findings) if state.is_detail_open => {
            vec![("to that moment", &["open"]), LINK, ("edit", &["edit"]), ("copy", &["copy"])]
        }
        (None, View::Findings) => vec![("open", &["open"]), FILTER, FINDING, ("explain", &["explain"]), STEP],
        (None, View::Events) => vec![("thread", &["open"]), FILTER, WAIT, FINDING, GO],
        (None, View::Timeline) => {
            vec![
                ("zoom", &["zoom-in", "zoom-out"]),
                ("pan", &["pan-left", "pan-right"]),
                ("moment", &["left", "right"]),
                WAIT,
                ("fit", &["fit"]),
            ]
        }
        (None, View::Tasks) => vec![GO],
        (None, View::Order) if state.shown_list().is_none() => vec![LINK, ("list", &["next-pane"]), GO],
        (None, _) => vec![("follow", &["open"]), FILTER, SORT, WAIT, STEP, GO],
    };
    if state.overlay.is_none() {
        let is_live = state.model.is_live();
        hints.push((
            if is_live && state.follows {
                "pause"
            } else if is_live {
                "live"
            } else {
                "play"
            },
            &["pause"],
        ));
    }
    let is_open = state.overlay.is_some() || state.is_detail_open;
    let ends: [Hint; 2] = if is_open {
        [("close", &["clear"]), ("quit", &["force-quit"])]
    } else {
        [("help", &["help"]), ("quit", &["quit"])]
    };

    // How to get help and out is shown first of all, then what there is room for.
    let text = |(label, names): &Hint| {
        let keys: Vec<String> = names.iter().filter_map(|name| state.keys.of(name).first().cloned()).collect();
        (keys.join(" "), format!(" {label}  "))
    };
    let mut room = width.saturating_sub(1);
    let mut fits = |hint: &Hint| {
        let (key, label) = text(hint);
        let needed = key.width() + label.width();
        let fits = needed <= room && !key.is_empty();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(completeness: Completeness, expected: Option<&str>) {
        assert_eq!(missing(&completeness).as_deref(), expected);
    }

    #[test]
    fn the_header_says_what_is_missing() {
        check(Completeness::default(), None);
        check(Completeness { unclosed: true, ..Completeness::default() }, None);
        let notes = vec!["recording stopped before the program ended: the file was deleted".to_owned()];
        let stopped = Completeness { truncated: true, lost_events: 7, notes, ..Completeness::default() };
        check(stopped, Some("recording stopped: the file was deleted"));
        check(Completeness { lost_events: 7, ..Completeness::default() }, Some("7 events lost"));
        let window = Completeness { complete_from: Nanos(1_500_000_000), ..Completeness::default() };
        check(window, Some("complete from 1.50 s on"));
        check(Completeness { gap_count: 1, ..Completeness::default() }, Some("incomplete"));
    }
}
