//! Draws a state: header, the view, a footer; one file per view. Never changes anything.

mod contention;
mod events;
mod findings;
mod frame;
mod locks;
mod menu;
mod order;
mod overview;
mod schedule;
mod snippet;
mod table;
mod tasks;
pub mod theme;
mod threads;
mod timeline;
mod verdict;
mod waits;

#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;

use std::ops::Range;

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use crate::{
    dashboard::{
        screen::{self, Link, Screen},
        state::{Overlay, State, View},
        tables::List,
    },
    graph::canvas::Canvas,
};

/// Below this nothing can be read, and only a remark is shown.
const MIN_SIZE: (u16, u16) = (20, 5);

/// Draws the whole screen. Returns what is where on it.
pub fn draw(state: &State, frame: &mut Frame) -> Screen {
    let mut screen = Screen::default();
    let area = frame.area();
    if area.width < MIN_SIZE.0 || area.height < MIN_SIZE.1 {
        frame.render_widget(Paragraph::new("too small"), area);
        return screen;
    }
    let rows = [Constraint::Length(2), Constraint::Fill(1), Constraint::Length(1)];
    let [header, body, footer] = Layout::vertical(rows).areas(area);
    frame::header(state, frame, header, &mut screen);
    frame::footer(state, frame, footer);
    screen.body = body;
    match &state.overlay {
        Some(Overlay::Text { title, lines, scroll }) => {
            let inner = framed(state, title, frame, body);
            let lines = lines.iter().map(|line| Line::raw(line.clone())).collect();
            screen.scroll_limit = scrolled(lines, *scroll, frame, inner);
        }
        overlay => {
            view(state, frame, body, &mut screen);
            links(state, frame, body, &mut screen);
            if let Some(Overlay::Menu(menu)) = overlay {
                menu::draw(state, menu, frame, body, &mut screen);
            }
        }
    }
    screen
}

fn view(state: &State, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    // Views with several panes have a line of their titles.
    let panes = state.view.panes();
    let height = u16::from(!panes.is_empty() && area.height >= 6);
    let [titles, area] = Layout::vertical([Constraint::Length(height), Constraint::Fill(1)]).areas(area);
    if height > 0 {
        frame::panes(state, frame, titles, screen);
    }
    match state.view {
        View::Overview => overview::draw(state, frame, area, screen),
        View::Findings => findings::draw(state, frame, area, screen),
        View::Waits => waits::draw(state, frame, area, screen),
        View::Threads => threads::draw(state, frame, area, screen),
        View::Locks => locks::draw(state, frame, area, screen, List::Locks),
        View::Order => order::draw(state, frame, area, screen),
        View::Contention => contention::draw(state, frame, area, screen),
        View::Timeline => timeline::draw(state, frame, area, screen),
        View::Tasks => tasks::draw(state, frame, area),
        View::Primitives if state.pane() == 0 => locks::draw(state, frame, area, screen, List::Objects),
        View::Primitives => table::list(state, List::Memory, frame, area, screen),
        View::Events => events::draw(state, frame, area, screen),
    }
}

/// Finds the handles on the screen, and marks the one under the cursor.
fn links(state: &State, frame: &mut Frame, body: Rect, screen: &mut Screen) {
    // Rows of lists are selected as a whole.
    let rows = screen.table.as_ref().map_or(Rect::ZERO, |table| table.rows);
    let buffer = frame.buffer_mut();
    for y in body.top()..body.bottom() {
        if y >= rows.top() && y < rows.bottom() {
            continue;
        }
        let line: Vec<&str> = (body.left()..body.right()).map(|x| buffer[(x, y)].symbol()).collect();
        for (range, target) in screen::handles(&line) {
            let area = Rect { x: body.x + range.start as u16, y, width: range.len() as u16, height: 1 };
            screen.links.push(Link { area, target });
        }
    }
    if let Some(link) = state.link.and_then(|idx| screen.links.get(idx)) {
        buffer.set_style(link.area, state.theme.selected());
    }
}

/// Shows lines from `scroll` on, and never past the last screenful. Returns how far they can be scrolled.
fn scrolled(lines: Vec<Line<'static>>, scroll: usize, frame: &mut Frame, area: Rect) -> usize {
    let limit = lines.len().saturating_sub(usize::from(area.height));
    let shown: Vec<Line> = lines.into_iter().skip(scroll.min(limit)).take(area.height.into()).collect();
    frame.render_widget(Paragraph::new(shown), area);
    limit
}

/// Draws a frame with a title, and returns what is inside.
fn framed(state: &State, title: &str, frame: &mut Frame, area: Rect) -> Rect {
    let block = state.theme.block(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

/// Some lines of a drawing, as many of them as there are.
fn canvas_lines(state: &State, canvas: &Canvas, rows: Range<usize>) -> Vec<Line<'static>> {
    let span = |(text, role)| Span::styled(text, state.theme.role(role));
    let runs = canvas.runs().skip(rows.start).take(rows.len());
    runs.map(|runs| Line::from(runs.into_iter().map(span).collect::<Vec<_>>())).collect()
}

/// Divides a view between a list and what is said of its selected row. Returns both parts; the second may have no height.
fn split(state: &State, area: Rect, screen: &mut Screen) -> (Rect, Rect) {
    let below = match () {
        () if area.height < 12 => 0,
        () if state.is_zoomed => area.height,
        () => (u32::from(area.height) * u32::from(state.split) / 100).clamp(4, u32::from(area.height) - 4) as u16,
    };
    let [list, detail] = Layout::vertical([Constraint::Fill(1), Constraint::Length(below)]).areas(area);
    if below > 0 && !state.is_zoomed {
        screen.splitter = Some(detail.y);
    }
    (list, detail)
}

/// The lower pane: lines that can be scrolled when it has the whole view.
fn detail(state: &State, title: &str, lines: Vec<Line<'static>>, frame: &mut Frame, area: Rect, screen: &mut Screen) {
    let inner = framed(state, title, frame, area);
    let limit = scrolled(lines, state.scroll, frame, inner);
    screen.scroll_limit = limit;
    let below = limit.saturating_sub(state.scroll);
    if below > 0 {
        more(state, below, frame, area);
    }
}

/// How many lines there are below, in the frame's last line.
fn more(state: &State, below: usize, frame: &mut Frame, area: Rect) {
    let text = format!(" {} ", crate::cli::report::plural(below as u64, "more line"));
    let width = (text.len() as u16).min(area.width);
    let place = Rect { x: area.right() - width, y: area.bottom().saturating_sub(1), width, height: 1 };
    frame.render_widget(Paragraph::new(Line::styled(text, state.theme.dim())), place.intersection(area));
}

/// A remark where there is nothing to show, and what to do about it.
fn empty(state: &State, frame: &mut Frame, area: Rect, text: &str) {
    let filter = state.shown_settings().map_or("", |settings| &settings.text);
    let text =
        if filter.is_empty() { text.to_owned() } else { format!("nothing fits the filter /{filter}; Esc clears it") };
    let below = Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area };
    frame.render_widget(Paragraph::new(format!(" {text}")).style(state.theme.dim()).wrap(Wrap { trim: false }), below);
}
