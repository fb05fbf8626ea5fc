//! The one function that changes a state: no terminal, no clock, no file.

use lockscope_trace::Site;

use super::{Action, Effect, Input, Overlay, Pending, State, View, menu::MenuKind};
use crate::{
    dashboard::{
        describe,
        draw::theme::Palette,
        listing::{self, Listing},
        tables::List,
    },
    filter::KEYS,
};

/// Changes the state by what came from outside, and says what is to be done.
pub fn update(state: &mut State, input: Input) -> Effect {
    match input {
        Input::Batch(batch) => {
            state.model.receive(*batch);
            state.touch();
        }
        Input::Present(news) => {
            state.model.receive_present(news);
            state.touch();
        }
        Input::Failed(error) => {
            state.model.error = Some(error);
            state.model.present = None;
            state.touch();
        }
        Input::Clock(now) => {
            if !state.model.is_live() || now <= state.model.now {
                return Effect::Nothing;
            }
            state.model.now = now;
            if !state.follows {
                return Effect::Nothing;
            }
            state.touch();
        }
        Input::Played(passed) => {
            if !state.plays {
                return Effect::Nothing;
            }
            state.played(passed);
        }
        // The theme was chosen by itself, or nobody would have asked.
        Input::Background { is_light } => {
            state.theme.palette = if is_light { Palette::Light } else { Palette::Dark };
        }
        Input::Resize(columns, rows) => {
            state.size = (columns, rows);
            state.link = None;
        }
        Input::Drawn(screen) => {
            // Without this, scrolling past the end would have to be scrolled back unseen.
            state.scroll = state.scroll.min(screen.scroll_limit);
            if let Some(Overlay::Text { scroll, .. }) = &mut state.overlay {
                *scroll = (*scroll).min(screen.scroll_limit);
            }
            if state.link.is_some_and(|link| link >= screen.links.len()) {
                state.link = None;
            }
            state.screen = *screen;
            return Effect::Nothing;
        }
        Input::Said(message) => state.message = Some(message),
        Input::Paste(text) => state.paste(&text),
        Input::Mouse(mouse) => {
            state.refresh();
            return state.mouse(mouse);
        }
        Input::Key(key) => {
            state.refresh();
            return press(state, &key);
        }
        Input::Action(action) => {
            state.refresh();
            let effect = act(state, action);
            state.refresh();
            return effect;
        }
    }
    Effect::Redraw
}

/// A key goes to what asks for one, and else to the action that it is bound to.
fn press(state: &mut State, key: &str) -> Effect {
    state.message = None;
    if let Some(pending) = state.pending.take() {
        state.letter(pending, key);
        return Effect::Redraw;
    }
    if state.overlay.is_some() {
        return state.overlay_key(key);
    }
    if state.prompt.is_some() {
        // Ctrl-C always ends the program.
        return if key == "ctrl-c" { Effect::Quit { prints: false } } else { state.type_key(key) };
    }
    match state.keys.lookup(state.view, state.has_rows(), key) {
        Some(action) => update(state, Input::Action(action)),
        None => Effect::Nothing,
    }
}

fn act(state: &mut State, action: Action) -> Effect {
    match action {
        Action::ForceQuit => return Effect::Quit { prints: false },
        Action::QuitPrinted => return Effect::Quit { prints: true },
        Action::Quit => {
            if state.prompt.is_none() && !state.is_detail_open && state.overlay.is_none() {
                return Effect::Quit { prints: false };
            }
            (state.prompt, state.overlay, state.is_detail_open) = (None, None, false);
        }
        Action::Suspend => return Effect::Suspend,
        Action::Redraw => return Effect::Clear,
        Action::Escape => escape(state),
        Action::Help => state.open_menu(MenuKind::Help),
        Action::Palette => state.open_menu(MenuKind::Palette),
        Action::Columns => state.open_menu(MenuKind::Columns),
        Action::Export => state.open_menu(MenuKind::Export),
        Action::Group => state.group(),
        Action::Show(view) => state.show(view),
        Action::Turn(by) => state.turn(by),
        Action::Pane(by) => state.turn_pane(by),
        Action::Back if state.is_detail_open && state.history.0.is_empty() => state.is_detail_open = false,
        Action::Back => state.travel(true),
        Action::Forward => state.travel(false),
        Action::Move(by) => state.move_by(by),
        Action::Page(by) => state.move_by(by * state.page() as i64),
        Action::Side(by) => state.side(by),
        Action::Top => state.move_by(i64::MIN / 2),
        Action::Bottom => state.move_by(i64::MAX / 2),
        Action::Home => state.seek(0),
        Action::Open => state.open(),
        Action::Filter => state.open_prompt(),
        Action::Match(by) => {
            if state.has_rows() {
                state.move_by(by)
            } else {
                state.next_link(by)
            }
        }
        Action::Sort => state.sort(),
        Action::Reverse => state.reverse(),
        Action::Hide => state.hide(),
        Action::ShowHidden => state.show_hidden(),
        Action::Pin => state.pin(),
        Action::Ended => {
            state.shows_ended = !state.shows_ended;
            let what = if state.shows_ended { "what has ended is listed" } else { "what has ended is not listed" };
            state.message = Some(what.to_owned());
            state.touch();
        }
        // On the title of a group it folds, as in any tree.
        Action::Pause => {
            if !state.fold() {
                state.pause();
            }
        }
        Action::Live => state.follow(),
        Action::Step(by) => state.seek(state.position.saturating_add_signed(by)),
        Action::StepHere(by) => state.step_here(by),
        Action::Blocking(by) => state.go_to_blocking(by),
        Action::Finding(by) => state.go_to_finding(by),
        Action::Speed(by) => state.change_speed(by),
        Action::Leap(by) => state.leap(by),
        Action::Zoom(by) => state.zoom(by),
        Action::Pan(by) => state.pan(by),
        Action::Fit => state.fit(),
        Action::Centre => state.centre(),
        Action::Range => state.go_to_range(),
        Action::PopRange => state.pop_range(),
        Action::Mark => state.pending = Some(Pending::Mark),
        Action::Jump => state.pending = Some(Pending::Jump),
        Action::Times => {
            let (times, said) = state.times.next();
            state.times = times;
            state.message = Some(said.to_owned());
        }
        Action::ZoomPane => state.is_zoomed = !state.is_zoomed,
        Action::Resize(by) => state.split = state.split.saturating_add_signed(by as i16 * 5).clamp(10, 90),
        Action::Frames => state.shows_frames = !state.shows_frames,
        Action::Explain => explain(state),
        Action::Source => source(state),
        Action::Settings => {
            let lines = describe::settings(state);
            state.overlay = Some(Overlay::Text { title: "Settings in effect".to_owned(), lines, scroll: 0 });
        }
        Action::Theme => {
            let at = Palette::ALL.iter().position(|palette| *palette == state.theme.palette).unwrap_or(0);
            state.theme.palette = Palette::ALL[(at + 1) % Palette::ALL.len()];
            state.message = Some(format!("theme {}", state.theme.palette.name()));
            return Effect::Theme;
        }
        Action::Copy => {
            return match describe::selected(state) {
                Some(text) => Effect::Copy(text),
                None => {
                    state.message = Some("there is nothing to copy here".to_owned());
                    Effect::Redraw
                }
            };
        }
        Action::Edit => return edit(state),
    }
    Effect::Redraw
}

fn escape(state: &mut State) {
    let was_open = state.overlay.take().is_some() || state.prompt.take().is_some();
    if was_open || state.link.take().is_some() || state.drag.take().is_some() {
        // One thing at a time.
    } else if state.is_detail_open {
        state.is_detail_open = false;
    } else if state.is_zoomed {
        state.is_zoomed = false;
    } else {
        state.set_filter(String::new());
    }
}

/// The page on the selected kind of finding, or what the columns of the list mean.
fn explain(state: &mut State) {
    let code = state.finding().map(|finding| finding.code);
    match (state.view, code, state.shown_list()) {
        (View::Findings | View::Overview, Some(code), _) => {
            let text = crate::cli::explain::page(code);
            state.read(code.as_str(), text);
        }
        (_, _, Some(list)) => {
            let text = columns_text(list);
            state.read("Columns", &text);
        }
        _ => state.message = Some("there is nothing to explain here".to_owned()),
    }
}

/// The source file of what is selected.
fn source(state: &mut State) {
    let Some(site) = state.place().cloned() else {
        state.message = Some(NO_PLACE.to_owned());
        return;
    };
    match listing::of(state, &site) {
        Some(Listing { title, lines, scroll }) => state.overlay = Some(Overlay::Text { title, lines, scroll }),
        None => state.message = Some(not_found(&site)),
    }
}

/// What is said where nothing has a place.
const NO_PLACE: &str = "nothing here has a place in the source";

fn not_found(site: &Site) -> String {
    format!("{} was not found; --source-map FROM=TO tells where sources are", crate::source::short_site(site))
}

fn columns_text(list: List) -> String {
    let columns = list.columns().iter().map(|column| format!("{:<14}  {}\n", column.title.trim(), column.help));
    let known = KEYS.iter().filter(|key| list.keys().contains(&key.name));
    let keys = known.map(|key| format!("{:<14}  {}\n", key.name, key.help));
    let title = "\nKeys of the filter, as `wait > 5ms` or `state:blocked`:\n\n".to_owned();
    columns.chain([title]).chain(keys).collect()
}

fn edit(state: &mut State) -> Effect {
    let Some(site) = state.place().cloned() else {
        state.message = Some(NO_PLACE.to_owned());
        return Effect::Redraw;
    };
    match state.sources.file(&site.file) {
        Some(file) => Effect::Edit(file.path.clone(), site.line),
        None => {
            state.message = Some(not_found(&site));
            Effect::Redraw
        }
    }
}
