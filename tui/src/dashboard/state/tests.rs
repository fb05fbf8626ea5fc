//! Tables of what happens to a state: keys in, what is shown out.

use lockscope_trace::Progress;

use super::*;
use crate::{
    dashboard::{
        keys,
        lists::{self, Id},
        reader::Batch,
    },
    fixture,
};

fn bank(progress: Progress) -> State {
    let mut state = State::new(Model::new(fixture::info()), fixture::sources());
    update(&mut state, Input::Batch(Box::new(batch(fixture::events(), progress))));
    state
}

fn batch(events: Vec<lockscope_trace::Event>, progress: Progress) -> Batch {
    Batch {
        info: fixture::info(),
        events,
        defs: Some(fixture::defs().into()),
        findings: Some(fixture::findings()),
        completeness: Default::default(),
        progress,
        fraction: 1.0,
    }
}

/// Presses keys, separated by spaces; text in a prompt is typed with `"..."` around it.
fn press(state: &mut State, script: &str) -> Effect {
    let mut effect = Effect::Nothing;
    for word in script.split(' ').filter(|word| !word.is_empty()) {
        if let Some(text) = word.strip_prefix('"').and_then(|word| word.strip_suffix('"')) {
            for c in text.chars() {
                effect = update(state, Input::Type(if c == '_' { ' ' } else { c }));
            }
        } else if state.prompt.is_some() && word == "enter" {
            effect = update(state, Input::Accept);
        } else if state.prompt.is_some() && word == "backspace" {
            effect = update(state, Input::Erase);
        } else {
            let action =
                keys::lookup(state.view, word).unwrap_or_else(|| panic!("{word} is bound in {:?}", state.view));
            effect = update(state, Input::Action(action));
        }
    }
    effect
}

/// What a test looks at: view, position, selection.
fn seen(state: &State) -> String {
    let thread = state.selection.thread.map_or("-".to_owned(), |id| id.to_string());
    let lock = state.selection.lock.map_or("-".to_owned(), |id| id.to_string());
    let finding = state.selection.finding.map_or("-".to_owned(), |idx| format!("F{}", idx + 1));
    let follows = if state.follows { " follows" } else { "" };
    format!("{:?} #{}{follows} {thread} {lock} {finding}", state.view, state.position)
}

#[test]
fn keys_change_what_is_shown() {
    for (script, expected) in [
        ("", "Overview #24 follows - - F1"),
        ("3", "Threads #24 follows - - F1"),
        ("tab tab", "Threads #24 follows - - F1"),
        ("backtab", "Events #24 follows - - F1"),
        // The list is sorted by what matters: T1 and T2 are deadlocked, T0 is blocked.
        ("3 down", "Threads #24 follows T2 - F1"),
        ("3 down down up", "Threads #24 follows T2 - F1"),
        ("3 G", "Threads #24 follows T3 - F1"),
        ("3 G g", "Threads #24 follows T1 - F1"),
        ("3 pgdn", "Threads #24 follows T3 - F1"),
        // From a thread to the lock it wants, to who holds it, and back.
        ("3 enter", "Locks #24 follows - L1 F1"),
        ("3 enter enter", "Threads #24 follows T2 L1 F1"),
        ("3 enter enter backspace", "Locks #24 follows T2 L1 F1"),
        ("enter", "Findings #24 follows - - F1"),
        ("2 down", "Findings #24 follows - - F2"),
        ("2 enter enter", "Waits #19 - - F1"),
        // The selection is one for all views.
        ("3 down 4 down 3", "Threads #24 follows T2 L1 F1"),
        (",", "Overview #23 - - F1"),
        (", , .", "Overview #23 - - F1"),
        ("home", "Overview #0 - - F1"),
        ("home ,", "Overview #0 - - F1"),
        ("home . .", "Overview #2 - - F1"),
        (".", "Overview #24 - - F1"),
        ("home end", "Overview #24 follows - - F1"),
        ("space", "Overview #24 - - F1"),
        ("space space", "Overview #24 follows - - F1"),
        ("{", "Overview #19 - - F2"),
        ("{ {", "Overview #19 - - F1"),
        ("{ { }", "Overview #19 - - F2"),
        ("home pgdn", "Overview #8 - - F1"),
        ("E up", "Events #23 - - F1"),
        ("E g", "Events #1 - - F1"),
        ("E g enter", "Threads #1 T0 - F1"),
        (": \"#16\" enter", "Overview #16 - - F1"),
        (": \"101ms\" enter", "Overview #17 - - F1"),
        (": \"end\" enter", "Overview #24 follows - - F1"),
        (": \"#99\" enter", "Overview #24 - - F1"),
        (": enter", "Overview #24 follows - - F1"),
    ] {
        let mut state = bank(Progress::Ended);
        press(&mut state, script);
        assert_eq!(seen(&state), expected, "{script}");
    }
}

#[test]
fn filters_select_rows() {
    for (script, expected) in [
        ("3 / \"clerk\" enter", "T4 T3"),
        ("3 / \"state:blocked\"", "T1 T2 T0 T4"),
        ("3 / \"state:blocked_-teller\"", "T2 T4"),
        ("3 / \"wants:accounts\" enter", "T2 T4"),
        ("3 / \"nobody\" enter", ""),
        ("3 / \"nobody\" enter esc", "T1 T2 T0 T4 T3"),
        ("3 / \"clerk\" backspace backspace enter", "T4 T3"),
        // An incomplete filter keeps the last complete one.
        ("3 / \"clerk_-\"", "T4 T3"),
        // Each view has its own.
        ("3 / \"clerk\" enter 4", "L0 L1 L2"),
        ("4 / \"kind:rwlock\" enter", "L2"),
        ("2 / \"conf:potential\" enter", "F2"),
        ("2 / \"sev:error\" enter", "F1"),
    ] {
        let mut state = bank(Progress::Ended);
        press(&mut state, script);
        let rows: Vec<String> = lists::rows(&state, state.view)
            .into_iter()
            .map(|id| match id {
                Id::Thread(id) => id.to_string(),
                Id::Lock(id) => id.to_string(),
                Id::Finding(idx) => format!("F{}", idx + 1),
            })
            .collect();
        assert_eq!(rows.join(" "), expected, "{script}");
    }
}

#[test]
fn filtered_events_are_stepped_through() {
    let mut state = bank(Progress::Ended);
    press(&mut state, "E / \"wait\" enter up");
    assert_eq!(state.position, 22, "the last event that fits: a wait for the end of a thread");
    press(&mut state, "up");
    assert_eq!(state.position, 21);
    press(&mut state, "g");
    assert_eq!(state.position, 18);
    assert_eq!(lists::events_around(&state, 10), [18, 19, 21, 22]);
    press(&mut state, "/ \"ing_for_godot\" enter");
    assert!(lists::events_around(&state, 10).is_empty());
}

#[test]
fn quit_closes_what_is_open_first() {
    for (script, expected) in [
        ("q", Effect::Quit),
        ("ctrl-c", Effect::Quit),
        ("2 q", Effect::Quit),
        ("2 enter q", Effect::Redraw),
        ("2 enter q q", Effect::Quit),
        ("? q", Effect::Redraw),
        ("? ctrl-c", Effect::Quit),
        ("esc", Effect::Redraw),
    ] {
        assert_eq!(press(&mut bank(Progress::Ended), script), expected, "{script}");
    }
}

#[test]
fn scrolling_ends_where_the_text_ends() {
    let mut state = bank(Progress::Ended);
    press(&mut state, "5 down down down down");
    assert_eq!(update(&mut state, Input::Drawn(2)), Effect::Nothing);
    press(&mut state, "up");
    assert_eq!(state.scroll, 1);
    press(&mut state, "? down down down");
    update(&mut state, Input::Drawn(1));
    assert_eq!((state.help, state.scroll), (Some(1), 1), "the view behind the help stays where it is");
}

#[test]
fn a_wrong_answer_stays_in_the_prompt() {
    let mut state = bank(Progress::Ended);
    press(&mut state, ": \"soon\" enter");
    let prompt = state.prompt.as_ref().expect("it is still open");
    assert!(prompt.error.as_ref().is_some_and(|error| error.contains("soon")), "{prompt:?}");
    press(&mut state, "backspace");
    assert_eq!(state.prompt.as_ref().and_then(|prompt| prompt.error.clone()), None);
    press(&mut state, "esc");
    assert_eq!(state.prompt, None);
}

#[test]
fn live_views_follow_the_end_until_they_are_paused() {
    let mut events = fixture::events();
    let late = events.split_off(17);
    let mut state = State::new(Model::new(fixture::info()), fixture::sources());
    update(&mut state, Input::Batch(Box::new(batch(events, Progress::CaughtUp))));
    assert_eq!((state.position, state.waits.cycles.len()), (17, 0));
    press(&mut state, "space");
    update(&mut state, Input::Batch(Box::new(batch(late, Progress::CaughtUp))));
    assert_eq!((state.position, state.model.len(), state.waits.cycles.len()), (17, 24, 0));
    press(&mut state, "end");
    assert_eq!((state.position, state.waits.cycles.len()), (24, 1));
    // A hung process writes nothing, and yet it waits longer and longer.
    assert_eq!(update(&mut state, Input::Clock(Nanos(9_000_000_000))), Effect::Redraw);
    assert_eq!(state.time(), Nanos(9_000_000_000));
    assert_eq!(update(&mut state, Input::Clock(Nanos(8_000_000_000))), Effect::Nothing, "time does not run backwards");
}

#[test]
fn a_finished_trace_has_no_present() {
    let mut state = bank(Progress::Ended);
    assert_eq!(update(&mut state, Input::Clock(Nanos(9_000_000_000))), Effect::Nothing);
    assert_eq!(state.time(), Nanos(150_000_000));
}

#[test]
fn every_step_shows_the_state_of_its_position() {
    let mut state = bank(Progress::Ended);
    let mut expected = TraceState::default();
    press(&mut state, "home");
    for event in fixture::events() {
        expected.apply(&event);
        press(&mut state, ".");
        assert_eq!(format!("{:?}", state.at), format!("{expected:?}"), "forward to {}", state.position);
    }
    for _ in 0..fixture::events().len() {
        press(&mut state, ",");
        assert_eq!(format!("{:?}", state.at), format!("{:?}", state.model.timeline.state_at(state.position)));
    }
}

#[test]
fn any_keys_in_any_order_keep_the_selection_valid() {
    // A fixed generator, so that a failure can be repeated.
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut state = bank(Progress::CaughtUp);
    for _ in 0..5_000 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let binding = &keys::TABLE[(seed % keys::TABLE.len() as u64) as usize];
        match state.prompt.is_some() {
            true if seed.is_multiple_of(5) => update(&mut state, Input::Accept),
            true => update(&mut state, Input::Type(char::from(b' ' + (seed >> 32) as u8 % 90))),
            false => update(&mut state, Input::Action(binding.action)),
        };
        assert!(state.position <= state.model.len());
        assert!(state.selection.finding.is_none_or(|idx| idx < state.model.findings.len()));
        assert_eq!(state.at.position, state.position);
        lists::rows(&state, state.view);
        lists::events_around(&state, 5);
    }
}
