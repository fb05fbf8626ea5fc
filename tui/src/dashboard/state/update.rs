//! The one function that changes a state: no terminal, no clock, no file.

use lockscope_analyzer::finding::Finding;
use lockscope_trace::Nanos;

use crate::{
    cli::time::Point,
    dashboard::{
        lists::{self, Id},
        state::{Action, Effect, Input, Prompt, PromptKind, State, View},
    },
    filter::Filter,
};

/// Changes the state by what came from outside, and says what is to be done.
pub fn update(state: &mut State, input: Input) -> Effect {
    match input {
        Input::Batch(batch) => {
            state.model.receive(*batch);
            if state.follows {
                state.follow();
            }
            // The first finding is what one came for.
            if state.selection.finding.is_none() && !state.model.findings.is_empty() {
                state.selection.finding = Some(0);
            }
        }
        Input::Failed(error) => state.model.error = Some(error),
        Input::Clock(now) => {
            if !state.model.is_live() || now <= state.model.now {
                return Effect::Nothing;
            }
            state.model.now = now;
            if state.follows {
                state.follow();
            }
        }
        Input::Resize(columns, rows) => state.size = (columns, rows),
        Input::Drawn(limit) => {
            // Without this, scrolling past the end would have to be scrolled back unseen.
            let scroll = state.help.as_mut().unwrap_or(&mut state.scroll);
            *scroll = (*scroll).min(limit);
            return Effect::Nothing;
        }
        Input::Type(c) => edit(state, |text| text.push(c)),
        Input::Erase => edit(state, |text| {
            text.pop();
        }),
        Input::Accept => accept(state),
        Input::Action(action) => {
            state.message = None;
            return act(state, action);
        }
    }
    Effect::Redraw
}

fn act(state: &mut State, action: Action) -> Effect {
    if let Some(scroll) = state.help {
        match action {
            Action::ForceQuit => return Effect::Quit,
            Action::Move(by) => state.help = Some(scroll.saturating_add_signed(by as isize)),
            Action::Page(by) | Action::Leap(by) => {
                state.help = Some(scroll.saturating_add_signed(by as isize * state.page() as isize));
            }
            Action::Top | Action::Begin => state.help = Some(0),
            Action::Help | Action::Escape | Action::Quit | Action::Back => state.help = None,
            _ => {}
        }
        return Effect::Redraw;
    }
    match action {
        Action::ForceQuit => return Effect::Quit,
        Action::Quit => {
            if state.prompt.is_none() && !state.is_detail_open {
                return Effect::Quit;
            }
            state.prompt = None;
            state.is_detail_open = false;
        }
        Action::Escape => escape(state),
        Action::Help => state.help = Some(0),
        Action::Show(view) => show(state, view),
        Action::NextView => show(state, View::ALL[(state.view.index() + 1) % View::ALL.len()]),
        Action::PreviousView => show(state, View::ALL[(state.view.index() + View::ALL.len() - 1) % View::ALL.len()]),
        Action::Back if state.is_detail_open => state.is_detail_open = false,
        Action::Back => {
            if let Some(view) = state.history.pop() {
                state.view = view;
                state.scroll = 0;
            }
        }
        Action::Move(by) => move_by(state, by),
        Action::Page(by) => move_by(state, by * state.page() as i64),
        Action::Top => move_by(state, i64::MIN),
        Action::Bottom => move_by(state, i64::MAX),
        Action::Open => open(state),
        Action::OpenFilter => {
            let text = state.filter(state.view).0.clone();
            state.prompt = Some(Prompt { kind: PromptKind::Filter, text, error: None });
        }
        Action::OpenSeek => state.prompt = Some(Prompt { kind: PromptKind::Seek, text: String::new(), error: None }),
        Action::TogglePause if state.follows => state.seek(state.position),
        Action::TogglePause | Action::Live => state.follow(),
        Action::Step(by) => state.seek(state.position.saturating_add_signed(by)),
        Action::Leap(by) => leap(state, by),
        Action::Begin => state.seek(0),
        Action::Finding(by) => to_finding(state, by),
    }
    Effect::Redraw
}

fn show(state: &mut State, view: View) {
    state.is_detail_open = false;
    state.scroll = 0;
    if state.view != view {
        state.history.push(state.view);
        state.history.drain(..state.history.len().saturating_sub(100));
        state.view = view;
    }
}

fn escape(state: &mut State) {
    if state.prompt.take().is_some() {
    } else if state.is_detail_open {
        state.is_detail_open = false;
    } else {
        state.filters[state.view.index()] = Default::default();
    }
}

/// Moves the selection in lists, the cursor in events, the picture elsewhere.
fn move_by(state: &mut State, by: i64) {
    match state.view {
        View::Findings if state.is_detail_open => state.scroll = state.scroll.saturating_add_signed(by as isize),
        View::Overview | View::Waits => state.scroll = state.scroll.saturating_add_signed(by as isize),
        View::Events => {
            let position = lists::event_from(state, by);
            state.seek(position);
        }
        View::Findings | View::Threads | View::Locks => {
            let rows = lists::rows(state, state.view);
            let selected = lists::selected(state, &rows);
            let last = rows.len().saturating_sub(1) as i64;
            let to = selected.map_or(0, |idx| (idx as i64).saturating_add(by).clamp(0, last));
            if let Some(&id) = rows.get(to as usize) {
                select(state, id);
                state.scroll = 0;
            }
        }
    }
}

fn select(state: &mut State, id: Id) {
    match id {
        Id::Thread(thread) => state.selection.thread = Some(thread),
        Id::Lock(lock) => state.selection.lock = Some(lock),
        Id::Finding(idx) => state.selection.finding = Some(idx),
    }
}

/// Enter: from a list to what its row is about.
fn open(state: &mut State) {
    match state.view {
        View::Overview => show(state, if state.model.findings.is_empty() { View::Threads } else { View::Findings }),
        View::Findings if !state.is_detail_open => {
            state.is_detail_open = state.finding().is_some();
            state.scroll = 0;
        }
        View::Findings => {
            let event = state.finding().and_then(|finding| finding.events.last().copied());
            if let Some(event) = event {
                state.seek(event);
                show(state, View::Waits);
            }
        }
        View::Threads => {
            let rows = lists::rows(state, View::Threads);
            let thread = lists::selected(state, &rows)
                .and_then(|idx| state.at.threads.get(lists::thread(rows[idx])?.0 as usize));
            // The lock that it wants says more than those that it holds.
            if let Some(lock) = thread.and_then(lists::lock_of_interest) {
                state.selection.lock = Some(lock);
                show(state, View::Locks);
            }
        }
        View::Locks => {
            let rows = lists::rows(state, View::Locks);
            let lock =
                lists::selected(state, &rows).and_then(|idx| state.at.locks.get(lists::lock(rows[idx])?.0 as usize));
            let holder =
                lock.and_then(|lock| lock.holders.first().or(lock.waiters.first()).map(|(thread, ..)| *thread));
            if let Some(thread) = holder {
                state.selection.thread = Some(thread);
                show(state, View::Threads);
            }
        }
        View::Waits => show(state, View::Threads),
        View::Events => {
            let event = state.model.timeline.event(state.position);
            if let Some(event) = event {
                state.selection.thread = Some(event.thread);
                state.selection.lock = event.op.lock().or(state.selection.lock);
                show(state, View::Threads);
            }
        }
    }
}

fn leap(state: &mut State, by: i64) {
    // By time, so that a burst of events is one place; by events where times say nothing or nothing would move.
    let end = state.model.head().time.0;
    let step = end / 20;
    let time = if by < 0 { state.at.time.0.saturating_sub(step) } else { state.at.time.0.saturating_add(step) };
    let position = state.model.timeline.position_at(Nanos(time));
    let position = match position == state.position {
        true => state.position.saturating_add_signed(by * (state.model.len() as i64 / 20).max(1)),
        false => position,
    };
    state.seek(position);
}

/// To the next finding after the cursor, or the last one before it, in the order of time.
fn to_finding(state: &mut State, by: i64) {
    let event = |finding: &Finding| finding.events.last().copied().unwrap_or(0);
    let mut found: Vec<(u64, usize)> =
        state.model.findings.iter().map(event).enumerate().map(|(idx, event)| (event, idx)).collect();
    found.sort_unstable();
    let here = (state.position, state.selection.finding.unwrap_or(0));
    let next = match by < 0 {
        true => found.iter().rev().find(|&&(event, idx)| (event, idx) < here).copied(),
        false => found.iter().find(|&&(event, idx)| (event, idx) > here).copied(),
    };
    match next {
        Some((event, idx)) => {
            state.selection.finding = Some(idx);
            state.scroll = 0;
            state.seek(event);
        }
        None => state.message = Some(format!("no finding {} this moment", if by < 0 { "before" } else { "after" })),
    }
}

/// Changes the text of the prompt. While typing, an incomplete filter keeps the last one that was complete.
fn edit(state: &mut State, change: impl FnOnce(&mut String)) {
    let Some(prompt) = &mut state.prompt else { return };
    change(&mut prompt.text);
    prompt.error = None;
    if prompt.kind == PromptKind::Filter {
        match prompt.text.parse::<Filter>() {
            Ok(filter) => state.filters[state.view.index()] = (prompt.text.clone(), filter),
            Err(error) => prompt.error = Some(error.message),
        }
    }
}

fn accept(state: &mut State) {
    let Some(prompt) = &mut state.prompt else { return };
    match (prompt.kind, &prompt.error) {
        (_, Some(_)) => return,
        (PromptKind::Filter, None) => {}
        (PromptKind::Seek, None) if prompt.text.trim().is_empty() => {}
        (PromptKind::Seek, None) => match prompt.text.parse::<Point>() {
            Ok(Point::End) => state.follow(),
            Ok(Point::Event(number)) => state.seek(number),
            Ok(Point::Time(time)) => {
                let position = state.model.timeline.position_at(time);
                state.seek(position);
            }
            Err(error) => {
                prompt.error = Some(error);
                return;
            }
        },
    }
    state.prompt = None;
}
