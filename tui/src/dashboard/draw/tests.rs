//! Views on a terminal in memory, at several sizes, coloured and not, with Unicode and ASCII.

use std::fmt::Write;

use lockscope_trace::Progress;
use ratatui::{Terminal, backend::TestBackend};

use crate::{
    dashboard::{
        draw::{self, theme::Theme},
        model::Model,
        reader::Batch,
        state::{Action, Input, State, View, update},
    },
    fixture,
};

const UNICODE: Theme = Theme { color: true, ascii: false };
const ASCII: Theme = Theme { color: false, ascii: true };

/// The fixture's run, read to its end.
pub fn bank(progress: Progress) -> State {
    let mut state = State::new(Model::new(fixture::info()), fixture::sources());
    update(
        &mut state,
        Input::Batch(Box::new(Batch {
            info: fixture::info(),
            events: fixture::events(),
            defs: Some(fixture::defs().into()),
            findings: Some(fixture::findings()),
            completeness: Default::default(),
            progress,
            fraction: 1.0,
        })),
    );
    state
}

fn screen(state: &State, theme: Theme, (width, height): (u16, u16)) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("memory is always there");
    terminal
        .draw(|frame| {
            draw::draw(state, &theme, frame);
        })
        .expect("memory can be drawn on");
    terminal
}

fn text(state: &State, theme: Theme, size: (u16, u16)) -> String {
    screen(state, theme, size).backend().to_string()
}

fn shown(view: View) -> State {
    let mut state = bank(Progress::Ended);
    update(&mut state, Input::Action(Action::Show(view)));
    state
}

#[test]
fn every_view_at_the_usual_size() {
    for view in View::ALL {
        insta::assert_snapshot!(format!("{view:?}_80x24"), text(&shown(view), UNICODE, (80, 24)));
    }
}

#[test]
fn every_view_at_a_large_size() {
    for view in View::ALL {
        insta::assert_snapshot!(format!("{view:?}_120x40"), text(&shown(view), UNICODE, (120, 40)));
    }
}

#[test]
fn every_view_at_the_least_useful_size_in_ascii() {
    for view in View::ALL {
        let mut state = shown(view);
        update(&mut state, Input::Resize(60, 15));
        let text = text(&state, ASCII, (60, 15));
        // The backend puts quotes around lines; everything else must be ASCII.
        assert!(text.is_ascii(), "{text}");
        insta::assert_snapshot!(format!("{view:?}_60x15_ascii"), text);
    }
}

#[test]
fn styles_with_and_without_colour() {
    for (name, theme) in [("colour", UNICODE), ("mono", Theme { color: false, ascii: false })] {
        for view in [View::Overview, View::Threads] {
            let terminal = screen(&shown(view), theme, (80, 24));
            insta::assert_debug_snapshot!(format!("{view:?}_style_{name}"), terminal.backend().buffer());
        }
    }
}

#[test]
fn the_detail_of_a_finding_and_help() {
    let mut state = shown(View::Findings);
    update(&mut state, Input::Action(Action::Open));
    insta::assert_snapshot!("detail_80x24", text(&state, UNICODE, (80, 24)));
    update(&mut state, Input::Action(Action::Help));
    insta::assert_snapshot!("help_80x24", text(&state, UNICODE, (80, 40)));
}

#[test]
fn a_moment_before_the_deadlock() {
    let mut state = shown(View::Overview);
    for _ in 0..6 {
        update(&mut state, Input::Action(Action::Step(-1)));
    }
    insta::assert_snapshot!("overview_before", text(&state, UNICODE, (80, 24)));
    update(&mut state, Input::Action(Action::Show(View::Waits)));
    insta::assert_snapshot!("waits_before", text(&state, UNICODE, (80, 24)));
    update(&mut state, Input::Action(Action::Begin));
    update(&mut state, Input::Action(Action::Show(View::Overview)));
    insta::assert_snapshot!("overview_beginning", text(&state, UNICODE, (80, 24)));
}

#[test]
fn prompts_are_shown_with_what_is_wrong() {
    let mut state = shown(View::Threads);
    let mut out = String::new();
    for input in [Action::OpenFilter, Action::Escape, Action::OpenSeek].map(Input::Action) {
        update(&mut state, input);
        for c in "\"cler".chars() {
            update(&mut state, Input::Type(c));
        }
        update(&mut state, Input::Accept);
        let screen = text(&state, UNICODE, (80, 24));
        writeln!(out, "{}", screen.lines().last().expect("a screen has lines")).expect("a string takes everything");
    }
    insta::assert_snapshot!("prompts", out);
}

#[test]
fn nothing_panics_at_any_size() {
    for view in View::ALL {
        let mut state = shown(view);
        let mut empty = State::new(Model::new(fixture::info()), fixture::sources());
        update(&mut empty, Input::Action(Action::Show(view)));
        for width in 0..40 {
            for height in 0..20 {
                for state in [&mut state, &mut empty] {
                    update(state, Input::Resize(width, height));
                    screen(state, UNICODE, (width, height));
                }
            }
        }
        for action in [Action::Open, Action::Help, Action::OpenFilter] {
            update(&mut state, Input::Action(action));
            for (width, height) in [(20, 5), (21, 6), (39, 7), (39, 19)] {
                screen(&state, ASCII, (width, height));
            }
        }
    }
}
