//! Who held and waited when: a lane for each thread or lock, with the findings above and how much happened below.

use lockscope_analyzer::timeline::{Lane, Shown};
use lockscope_trace::Nanos;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use crate::{
    cli::{report::phrase, table::fit},
    dashboard::{
        draw::{
            empty, framed, locks, scrolled,
            table::first_row,
            theme::{Mark, Theme, Tone},
            threads,
        },
        screen::{Screen, Table},
        state::State,
    },
};

/// How a part of a lane is drawn: what it is, its characters, its tone, and its words for threads and for locks. Lanes of a kind without a
/// word for it do not have it.
type Look = (Shown, [char; 2], Tone, [&'static str; 2]);

/// What a column of a lane looks like: what matters most of all that was seen in it.
const LOOKS: &[Look] = &[
    // Who waits and keeps others waiting is a link of a chain, and maybe of a circle.
    (Shown(Shown::CONTENDED.0 | Shown::WAITING.0), ['▓', '@'], Tone::Mark(Mark::Bad), ["& waits", ""]),
    (Shown::CONTENDED, ['█', '#'], Tone::Mark(Mark::Bad), ["blocks others", "held, others wait"]),
    (Shown(Shown::HELD.0 | Shown::WAITING.0), ['▒', '%'], Tone::Mark(Mark::Warn), ["holds, waits", ""]),
    (Shown::HELD, ['═', '='], Tone::Mark(Mark::Good), ["holds", "held"]),
    (Shown::WAITING, ['░', 'w'], Tone::Mark(Mark::Warn), ["waits", "handed over"]),
    (Shown::RUNNING, ['─', '-'], Tone::Dim, ["runs", ""]),
    (Shown::SLEEPING, ['~', '~'], Tone::Dim, ["sleeps", ""]),
    (Shown::ENDED, ['·', '.'], Tone::Dim, ["ended", "gone"]),
];
/// The order in which looks are explained: the plain one before the one that is more of it.
const LEGEND: [usize; 8] = [1, 0, 2, 3, 4, 5, 6, 7];
/// Rows below the lanes that are worth saying there what the selected one does.
const LEAST_DETAIL: u16 = 5;

/// Draws the view.
pub fn draw(state: &State, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    if !state.model.info.has_times {
        return empty(
            state,
            frame,
            area,
            "this trace has no times, so there is no picture of them; E lists the events",
        );
    }
    let lanes = state.lanes();
    let labels_width = (area.width / 4).clamp(8, 28);
    let [ruler, flags, body, density, legend] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(u16::from(area.height >= 8)),
    ])
    .areas(area);
    // What is left below the lanes says what the selected one does at this moment.
    let n_rows = u16::try_from(lanes.len()).unwrap_or(u16::MAX).max(1);
    let spare = body.height.saturating_sub(n_rows.saturating_add(1));
    let below = if spare >= LEAST_DETAIL && !lanes.is_empty() { spare } else { 0 };
    let [body, _, below] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(below.min(1)), Constraint::Length(below)])
            .areas(body);
    let right = |row: Rect| Rect { x: row.x + labels_width, width: row.width.saturating_sub(labels_width), ..row };
    let n_columns = usize::from(right(body).width);
    if n_columns == 0 {
        return;
    }
    screen.lanes = Some(right(body));
    let window = state.shown_window();
    ruler_line(state, frame, ruler, labels_width, window);
    flag_line(state, frame, flags, labels_width, window);

    let selected = state.selected();
    let first = first_row(selected, lanes.len(), body.height.into());
    let shown = &lanes[first.min(lanes.len())..lanes.len().min(first + usize::from(body.height))];
    let pictures = state.picture(n_columns, shown);
    let cursor = cursor(state, n_columns);
    let lines: Vec<Line> = shown
        .iter()
        .zip(pictures.iter())
        .enumerate()
        .map(|(idx, (lane, picture))| {
            lane_line(state, *lane, picture, labels_width.into(), cursor, selected == Some(first + idx))
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), body);
    screen.table =
        Some(Table { rows: Rect { width: labels_width, ..body }, titles: u16::MAX, first, columns: Vec::new() });
    if lanes.is_empty() {
        empty(state, frame, body, "nothing to show here up to this moment");
    }
    if let Some(lane) = selected.and_then(|idx| lanes.get(idx)).filter(|_| below.height > 0) {
        let lines = match *lane {
            Lane::Thread(id) => threads::detail_lines(state, id),
            Lane::Lock(id) => locks::detail_lines(state, id),
        };
        let needed = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(below.height);
        let below = Rect { height: needed, ..below };
        let inner = framed(state, &format!("{} at {}", label(state, *lane), state.when(state.time())), frame, below);
        scrolled(lines, 0, frame, inner);
    }
    density_line(state, frame, density, labels_width, window);
    legend_line(state, frame, legend);
}

/// The column of the moment that is shown.
fn cursor(state: &State, n_columns: usize) -> Option<usize> {
    let (from, to) = state.shown_window();
    let time = state.time();
    let inside = (from.0..to.0).contains(&time.0);
    inside.then(|| (u128::from(time.since(from).0) * n_columns as u128 / u128::from(to.since(from).0.max(1))) as usize)
}

fn label(state: &State, lane: Lane) -> String {
    let defs = &state.model.defs;
    match lane {
        Lane::Thread(id) => phrase::thread_label(defs, id),
        Lane::Lock(id) => phrase::lock_short(defs, id),
    }
}

fn lane_line(
    state: &State,
    lane: Lane,
    picture: &[Shown],
    labels_width: usize,
    cursor: Option<usize>,
    is_selected: bool,
) -> Line<'static> {
    let theme = &state.theme;
    let name = fit(&label(state, lane), labels_width.saturating_sub(2), theme.ascii);
    let padding = " ".repeat(labels_width.saturating_sub(name.width() + 1));
    let tone = if matches!(lane, Lane::Thread(_)) { theme.thread() } else { theme.lock() };
    let label = Span::styled(format!(" {name}{padding}"), tone);
    let mut spans = vec![if is_selected { label.patch_style(theme.selected()) } else { label }];
    for (column, &shown) in picture.iter().enumerate() {
        let (c, style) = look(theme, shown, matches!(lane, Lane::Lock(_)));
        let style = if cursor == Some(column) { style.patch(theme.tone(Tone::Cursor)) } else { style };
        match spans.last_mut() {
            // One span for all columns of one look.
            Some(last) if last.style == style && column > 0 => last.content.to_mut().push(c),
            _ => spans.push(Span::styled(c.to_string(), style)),
        }
    }
    Line::from(spans)
}

fn look(theme: &Theme, shown: Shown, is_lock: bool) -> (char, Style) {
    let found = LOOKS.iter().find(|(what, .., words)| shown.has(*what) && !words[usize::from(is_lock)].is_empty());
    found.map_or((' ', Style::new()), |(_, glyphs, tone, _)| (glyphs[usize::from(theme.ascii)], theme.tone(*tone)))
}

/// Times of columns at round distances, and how much time a column stands for.
fn ruler_line(state: &State, frame: &mut Frame, area: Rect, labels_width: u16, window: (Nanos, Nanos)) {
    let theme = &state.theme;
    let n_columns = usize::from(area.width.saturating_sub(labels_width));
    let width = window.1.since(window.0).0;
    let per_column = Nanos(width.div_ceil(n_columns.max(1) as u64));
    let mut text = format!(" {:<1$}", format!("{per_column}/col"), usize::from(labels_width).saturating_sub(1));
    text = fit(&text, labels_width.into(), theme.ascii);
    // A label about every sixteen columns, at a time that is easily said.
    let wanted = (u128::from(width) * 16 / n_columns.max(1) as u128).max(1) as u64;
    let magnitude = 10_u64.saturating_pow(wanted.ilog10());
    let step = [1, 2, 5, 10].into_iter().map(|by| magnitude.saturating_mul(by)).find(|step| *step >= wanted);
    let step = step.unwrap_or(wanted).max(1);
    let mut line = vec![' '; n_columns];
    let mut time = window.0.0.div_ceil(step).saturating_mul(step);
    while time < window.1.0 {
        let column = (u128::from(time - window.0.0) * n_columns as u128 / u128::from(width.max(1))) as usize;
        let label = ruler_label(state, Nanos(time), step);
        if column + label.chars().count() < n_columns
            && line[column..column + label.chars().count()].iter().all(|c| *c == ' ')
        {
            for (idx, c) in std::iter::once(if theme.ascii { '|' } else { '╵' }).chain(label.chars()).enumerate() {
                if let Some(cell) = line.get_mut(column + idx) {
                    *cell = c;
                }
            }
        }
        let Some(next) = time.checked_add(step) else { break };
        time = next;
    }
    let line = Line::from(vec![
        Span::styled(text, theme.title()),
        Span::styled(line.into_iter().collect::<String>(), theme.dim()),
    ]);
    frame.render_widget(Paragraph::new(line), area);
}

/// As many decimals as neighbours on the ruler differ by.
fn ruler_label(state: &State, time: Nanos, step: u64) -> String {
    if state.times != Default::default() {
        return state.when(time);
    }
    let (unit, word) = match step {
        1_000_000_000.. => (1_000_000_000, "s"),
        1_000_000.. => (1_000_000, "ms"),
        1_000.. => (1_000, "µs"),
        _ => (1, "ns"),
    };
    let word = if state.theme.ascii && word == "µs" { "us" } else { word };
    format!("{}{word}", time.0 / unit)
}

/// A flag above every finding's last event, and above marks.
fn flag_line(state: &State, frame: &mut Frame, area: Rect, labels_width: u16, window: (Nanos, Nanos)) {
    let theme = &state.theme;
    let n_columns = usize::from(area.width.saturating_sub(labels_width));
    let width = u128::from(window.1.since(window.0).0.max(1));
    let mut cells: Vec<(char, Style)> = vec![(' ', Style::new()); n_columns];
    let column = |time: Nanos| {
        let is_inside = (window.0.0..window.1.0).contains(&time.0);
        is_inside.then(|| (u128::from(time.since(window.0).0) * n_columns as u128 / width) as usize)
    };
    for finding in state.model.findings.iter().rev() {
        let time = finding.events.last().map_or(finding.first_seen, |&event| state.model.timeline.time_at(event));
        let mark = crate::dashboard::tables::severity_mark(finding.severity);
        if let Some(cell) = column(time).and_then(|column| cells.get_mut(column)) {
            *cell = (if theme.ascii { 'F' } else { '⚑' }, theme.mark(mark));
        }
    }
    for (letter, (_, time)) in &state.marks {
        if let Some(cell) = column(*time).and_then(|column| cells.get_mut(column)) {
            *cell = (*letter, theme.title());
        }
    }
    let at_cursor = cursor(state, n_columns).and_then(|column| cells.get_mut(column));
    if let Some(cell) = at_cursor.filter(|cell| cell.0 == ' ') {
        *cell = (if theme.ascii { 'v' } else { '▼' }, theme.title());
    }
    let mut spans = vec![Span::styled(
        fit(&format!(" {}", state.when(state.time())), labels_width.into(), theme.ascii),
        theme.title(),
    )];
    let used = spans[0].width();
    spans.push(Span::raw(" ".repeat(usize::from(labels_width).saturating_sub(used))));
    spans.extend(cells.into_iter().map(|(c, style)| Span::styled(c.to_string(), style)));
    if let (Some((from, to)), Some(first)) = (state.drag, spans.len().checked_sub(n_columns)) {
        let lanes_x = area.x + labels_width;
        for x in from.min(to)..=from.max(to) {
            if let Some(span) = x.checked_sub(lanes_x).and_then(|column| spans.get_mut(first + usize::from(column))) {
                *span = span.clone().patch_style(theme.selected());
            }
        }
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// How many events there are in each column.
fn density_line(state: &State, frame: &mut Frame, area: Rect, labels_width: u16, window: (Nanos, Nanos)) {
    let theme = &state.theme;
    let n_columns = usize::from(area.width.saturating_sub(labels_width));
    let counts = state.model.timeline.density(window, n_columns);
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bars = theme.bars();
    let height = |count: u64| if count == 0 { 0 } else { (count * 8 / most).max(1) as usize };
    let bars: String = counts.iter().map(|&count| bars[height(count)]).collect();
    let label = fit(
        &format!(" events {}", crate::cli::report::grouped(counts.iter().sum())),
        usize::from(labels_width),
        theme.ascii,
    );
    let padding = " ".repeat(usize::from(labels_width).saturating_sub(label.width()));
    let line = Line::from(vec![Span::styled(label, theme.dim()), Span::raw(padding), Span::styled(bars, theme.dim())]);
    frame.render_widget(Paragraph::new(line), area);
}

fn legend_line(state: &State, frame: &mut Frame, area: Rect) {
    let theme = &state.theme;
    let mut spans = vec![Span::raw(" ")];
    let mut room = usize::from(area.width).saturating_sub(1);
    let is_locks = usize::from(state.pane() == 1);
    for idx in LEGEND {
        let (_, glyphs, tone, words) = LOOKS[idx];
        if words[is_locks].is_empty() {
            continue;
        }
        let text = format!(" {}  ", words[is_locks]);
        if text.trim_end().width() + 1 > room {
            break;
        }
        room = room.saturating_sub(text.width() + 1);
        spans.push(Span::styled(glyphs[usize::from(theme.ascii)].to_string(), theme.tone(tone)));
        spans.push(Span::styled(text, theme.dim()));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}
