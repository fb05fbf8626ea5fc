//! Tables of what happens to a state: keys in, what is shown out.

use lockscope_trace::Progress;

use super::*;
use crate::{
    dashboard::{
        draw::theme::Palette,
        export::Format,
        keys::TABLE,
        lists,
        present::Present,
        reader::{self, Batch},
    },
    fixture,
};

/// The fixture's run, read to its end.
pub fn bank(progress: Progress) -> State {
    let mut state = empty();
    update(&mut state, Input::Batch(Box::new(batch(fixture::events(), progress))));
    state.refresh();
    state
}

/// A run of which nothing was read.
pub fn empty() -> State {
    let theme = Theme::new(Palette::Dark, false);
    State::new(Model::new(fixture::info()), fixture::sources(), theme, Keys::default())
}

fn batch(events: Vec<lockscope_trace::Event>, progress: Progress) -> Batch {
    Batch {
        info: fixture::info(),
        events,
        defs: Some(fixture::defs().into()),
        findings: Some(fixture::findings()),
        digest: Some(reader::digest_of(&fixture::events(), &fixture::defs()).into()),
        completeness: Default::default(),
        progress,
        fraction: 1.0,
    }
}

/// Presses keys, separated by spaces; text is typed with `"..."` around it, with `_` for spaces.
pub fn press(state: &mut State, script: &str) -> Effect {
    let mut effect = Effect::Nothing;
    for word in script.split(' ').filter(|word| !word.is_empty()) {
        if let Some(text) = word.strip_prefix('"').and_then(|word| word.strip_suffix('"')) {
            for c in text.chars() {
                let key = if c == '_' { "space".to_owned() } else { c.to_string() };
                effect = update(state, Input::Key(key));
            }
        } else {
            effect = update(state, Input::Key(word.to_owned()));
        }
        state.refresh();
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

/// Each script begins with the finished run.
fn check(table: &[(&str, &str)]) {
    for (script, expected) in table {
        let mut state = bank(Progress::Ended);
        press(&mut state, script);
        assert_eq!(seen(&state), *expected, "{script}");
    }
}

#[test]
fn keys_change_what_is_shown() {
    check(&[
        ("", "Overview #24 follows - - F1"),
        ("3", "Threads #24 follows - - F1"),
        ("tab tab", "Threads #24 follows - - F1"),
        ("backtab", "Events #24 follows - - F1"),
        ("7 tab ctrl-n", "Timeline #24 follows - - F1"),
        // The list is sorted by what matters: T1 and T2 are deadlocked, T0 is blocked.
        ("3 down", "Threads #24 follows T2 - F1"),
        ("3 down down up", "Threads #24 follows T2 - F1"),
        ("3 G", "Threads #24 follows T3 - F1"),
        ("3 G g", "Threads #24 follows T1 - F1"),
        ("3 pgdn", "Threads #24 follows T3 - F1"),
        // From a thread to the lock it wants, to who holds it, and back, and forward again.
        ("3 enter", "Locks #24 follows T1 L1 F1"),
        ("3 enter enter", "Threads #24 follows T2 L1 F1"),
        ("3 enter enter backspace", "Locks #24 follows T1 L1 F1"),
        ("3 enter enter backspace backspace alt-right", "Locks #24 follows T1 L1 F1"),
        ("enter", "Findings #24 follows - - F1"),
        ("enter enter enter", "Waits #19 - - F1"),
        ("enter enter enter backspace", "Findings #24 follows - - F1"),
        ("6 tab enter", "Events #6 T1 L1 F1"),
    ]);
}

#[test]
fn keys_go_through_time() {
    check(&[
        (", ,", "Overview #22 - - F1"),
        (", , .", "Overview #23 - - F1"),
        ("home . .", "Overview #2 - - F1"),
        (".", "Overview #24 - - F1"),
        ("home end", "Overview #24 follows - - F1"),
        ("{", "Overview #19 - - F2"),
        ("{ {", "Overview #19 - - F1"),
        ("{ { }", "Overview #19 - - F2"),
        ("home pgdn", "Overview #8 - - F1"),
        ("E up", "Events #23 - - F1"),
        ("E g", "Events #1 - - F1"),
        ("E g enter", "Threads #1 T0 - F1"),
        // Waits: of all, of the lock, of the thread.
        ("[", "Overview #22 - - F1"),
        ("[ [ ]", "Overview #22 - - F1"),
        ("4 G [", "Locks #24 follows - L2 F1"),
        ("4 g [", "Locks #21 - L0 F1"),
        ("4 g [ [", "Locks #19 - L0 F1"),
        ("3 G home )", "Threads #10 T3 - F1"),
        ("3 g home ) )", "Threads #4 T1 - F1"),
        // Marks.
        ("home . m a end ' a", "Overview #1 - - F1"),
        ("' b", "Overview #24 follows - - F1"),
        // A finished run plays from its beginning.
        ("space", "Overview #0 - - F1"),
        ("space space", "Overview #0 - - F1"),
    ]);
}

#[test]
fn the_palette_goes_anywhere() {
    check(&[
        (": \"#16\" enter", "Overview #16 - - F1"),
        (": \"101ms\" enter", "Overview #17 - - F1"),
        (": \"end\" enter", "Overview #24 follows - - F1"),
        (": \"#99\" enter", "Overview #24 - - F1"),
        (": \"T2\" enter", "Threads #24 follows T2 - F1"),
        (": \"l1\" enter", "Locks #24 follows - L1 F1"),
        (": \"F2\" enter", "Findings #24 follows - - F2"),
        (": \"contention\" enter", "Contention #24 follows - - F1"),
        (": \"step-b\" enter", "Overview #23 - - F1"),
        // Any word of what it does will do.
        (": \"wait-for_graph\" esc", "Overview #24 follows - - F1"),
        ("? \"who_waits_for\" enter", "Waits #24 follows - - F1"),
        ("? esc", "Overview #24 follows - - F1"),
        ("? ? 3", "Threads #24 follows - - F1"),
    ]);
}

fn rows(state: &State) -> String {
    let rows = state.rows.rows.iter().map(|row| match *row {
        Row::Thread(id) => id.to_string(),
        Row::Lock(id) => id.to_string(),
        Row::Finding(idx) => format!("F{}", idx + 1),
        Row::Group(idx) => format!("[{} {}]", state.rows.groups[idx].0, state.rows.groups[idx].1),
        other => format!("{other:?}"),
    });
    rows.collect::<Vec<_>>().join(" ")
}

#[test]
fn lists_are_filtered_sorted_grouped_and_hidden() {
    for (script, expected) in [
        ("3 / \"clerk\" enter", "T4 T3"),
        ("3 / \"state:blocked\"", "T1 T2 T0 T4"),
        ("3 / \"state:blocked_-teller\"", "T2 T4"),
        ("3 / \"state:deadlocked\"", "T1 T2"),
        ("3 / \"wants:accounts\" enter", "T2 T4"),
        ("3 / \"wait_>_40ms\" enter", "T1 T2"),
        ("3 / \"nobody\" enter", ""),
        ("3 / \"nobody\" enter esc", "T1 T2 T0 T4 T3"),
        ("3 / \"nobody\" esc", "T1 T2 T0 T4 T3"),
        ("3 / \"clerk\" backspace backspace enter", "T4 T3"),
        // An incomplete filter keeps the last complete one.
        ("3 / \"clerk_-\"", "T4 T3"),
        // Each list has its own.
        ("3 / \"clerk\" enter 4", "L0 L1 L2"),
        ("3 / \"clerk\" enter / ctrl-u up enter", "T4 T3"),
        ("4 / \"kind:rwlock\" enter", "L2"),
        ("4 / \"waiting_>_1\" enter", "L0"),
        ("2 / \"conf:potential\" enter", "F2"),
        ("2 / \"sev>=error\" enter", "F1"),
        // Tab completes.
        ("3 / \"stat\" tab \"blocked\"", "T1 T2 T0 T4"),
        ("3 s", "T0 T1 T2 T3 T4"),
        ("3 S", "T4 T3 T2 T1 T0"),
        ("3 s s", "T1 T2 T0 T4 T3"),
        ("3 right right s", "T1 T2 T4 T0 T3"),
        ("3 x", "T2 T0 T4 T3"),
        ("3 x x X", "T1 T2 T0 T4 T3"),
        ("3 G p", "T3 T1 T2 T0 T4"),
        ("3 H", "T1 T2 T0 T4"),
        ("3 v down enter", "[teller 1] T1 [auditor 1] T2 [main 1] T0 [clerk-* 2] T4 T3"),
        ("3 v down enter G up up space", "[teller 1] T1 [auditor 1] T2 [main 1] T0 [clerk-* 2]"),
        ("3 v down enter G up up space enter", "[teller 1] T1 [auditor 1] T2 [main 1] T0 [clerk-* 2] T4 T3"),
    ] {
        let mut state = bank(Progress::Ended);
        press(&mut state, script);
        assert_eq!(rows(&state), expected, "{script}");
    }
}

#[test]
fn columns_are_chosen() {
    let mut state = bank(Progress::Ended);
    let titles = |state: &State| -> Vec<&str> {
        let shape = state.list(List::Threads).shape(List::Threads, 80);
        shape.into_iter().map(|idx| List::Threads.columns()[idx].title).collect()
    };
    press(&mut state, "3");
    assert_eq!(titles(&state), ["thread", "state", "for", "wants", "holds"]);
    press(&mut state, "c down enter");
    assert_eq!(titles(&state), ["thread", "for", "wants", "holds"]);
    press(&mut state, "\"parent\" enter esc c left");
    assert_eq!(titles(&state), ["thread", "for", "wants", "holds", "parent"]);
    press(&mut state, "down right esc");
    assert_eq!(titles(&state), ["thread", "wants", "for", "holds", "parent"]);
}

#[test]
fn filtered_events_are_stepped_through() {
    let mut state = bank(Progress::Ended);
    press(&mut state, "E / \"op:wait\" enter up");
    assert_eq!(state.position, 22, "the last event that fits: a wait for the end of a thread");
    press(&mut state, "up");
    assert_eq!(state.position, 21);
    press(&mut state, "g");
    assert_eq!(state.position, 18);
    assert_eq!(lists::events_around(&state, 10), [18, 19, 21, 22]);
    press(&mut state, "/ ctrl-u \"after:F1_before:#20\" enter");
    assert_eq!(lists::events_around(&state, 10), [17, 18, 19]);
    press(&mut state, "/ ctrl-u \"waiting_for_godot\" enter");
    assert!(lists::events_around(&state, 10).is_empty());
}

#[test]
fn quit_closes_what_is_open_first() {
    let quit = Effect::Quit { prints: false };
    for (script, expected) in [
        ("q", quit.clone()),
        ("Q", Effect::Quit { prints: true }),
        ("ctrl-c", quit.clone()),
        ("2 q", quit.clone()),
        ("2 enter q", Effect::Redraw),
        ("2 enter q q", quit.clone()),
        ("? ctrl-c", quit.clone()),
        ("3 / ctrl-c", quit.clone()),
        ("i ctrl-c", quit.clone()),
        ("i q", Effect::Redraw),
        ("esc", Effect::Redraw),
        ("ctrl-z", Effect::Suspend),
        ("ctrl-l", Effect::Clear),
        ("T", Effect::Theme),
        ("f12", Effect::Nothing),
    ] {
        assert_eq!(press(&mut bank(Progress::Ended), script), expected, "{script}");
    }
}

#[test]
fn what_is_selected_can_be_taken_elsewhere() {
    let effect = |script: &str| press(&mut bank(Progress::Ended), script);
    assert!(
        matches!(effect("2 y"), Effect::Copy(text) if text.contains("### deadlock (actual)") && text.contains("teller"))
    );
    assert!(matches!(effect("3 y"), Effect::Copy(text) if text.contains("T1 teller")));
    assert!(matches!(effect("E y"), Effect::Copy(text) if text.starts_with("#24 ")));
    assert!(matches!(effect("2 o"), Effect::Edit(path, 13) if path.ends_with("src/bank.rs")));
    assert!(matches!(effect("4 o"), Effect::Edit(path, 11) if path.ends_with("src/bank.rs")));
    assert!(matches!(effect("3 e enter"), Effect::Write { format: Format::Csv, .. }));
    assert!(matches!(effect("5 e \"svg\" enter"), Effect::Write { format: Format::Svg, .. }));
}

#[test]
fn the_timeline_zooms_around_its_moment() {
    let mut state = bank(Progress::Ended);
    let ms = |ms: u64| Nanos(ms * 1_000_000);
    press(&mut state, "8");
    assert_eq!(state.shown_window(), (Nanos(0), Nanos(150_000_001)));
    press(&mut state, ": \"100ms\" enter w");
    let (from, to) = state.shown_window();
    assert!(from > ms(40) && to < ms(130) && (from..to).contains(&ms(100)), "{from} {to}");
    press(&mut state, "w w w w w w w w w w w w w w w w w w w w w w w w w w w w w w w w");
    let (from, to) = state.shown_window();
    assert!(to.0 - from.0 <= 60 && (from..to).contains(&ms(100)), "as far as it goes: {from} {to}");
    press(&mut state, "f d a F R");
    assert_ne!(state.shown_window(), (Nanos(0), Nanos(150_000_001)));
    press(&mut state, "F");
    assert_eq!(state.shown_window(), (Nanos(0), Nanos(150_000_001)));
    // The wait of the first thread, from before it began until after its end.
    press(&mut state, "end g r");
    let (from, to) = state.shown_window();
    assert!(from < ms(102) && from > ms(90) && to > ms(150), "{from} {to}");
}

#[test]
fn replay_plays() {
    let mut state = bank(Progress::Ended);
    press(&mut state, "space");
    assert!(state.plays);
    update(&mut state, Input::Played(Nanos(2_000_000)));
    assert_eq!((state.position, state.moment), (4, Nanos(2_000_000)));
    press(&mut state, "> >");
    update(&mut state, Input::Played(Nanos(10_000_000)));
    assert_eq!((state.position, state.moment), (12, Nanos(42_000_000)));
    for _ in 0..20 {
        update(&mut state, Input::Played(Nanos(33_000_000)));
    }
    assert_eq!((state.position, state.plays), (24, false));
    assert_eq!(update(&mut state, Input::Played(Nanos(33_000_000))), Effect::Nothing);
}

#[test]
fn live_views_follow_the_end_until_they_are_paused() {
    let mut events = fixture::events();
    let late = events.split_off(17);
    let mut state = empty();
    update(&mut state, Input::Batch(Box::new(batch(events, Progress::CaughtUp))));
    state.refresh();
    assert_eq!((state.position, state.waits.cycles.len()), (17, 0));
    press(&mut state, "space");
    update(&mut state, Input::Batch(Box::new(batch(late, Progress::CaughtUp))));
    state.refresh();
    assert_eq!((state.position, state.model.len(), state.waits.cycles.len()), (17, 24, 0));
    // Paused, the present does not matter, and nothing is drawn.
    assert_eq!(update(&mut state, Input::Clock(Nanos(1_000_000_000))), Effect::Nothing);
    // Back and forth while it goes on, then to the end.
    press(&mut state, ", , .");
    assert_eq!(state.position, 16);
    press(&mut state, "L");
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
fn times_are_said_in_three_ways() {
    let mut state = bank(Progress::Ended);
    press(&mut state, "{");
    assert_eq!(state.when(Nanos(3_000_000)), "3.00 ms");
    press(&mut state, "t");
    assert_eq!(state.when(Nanos(3_000_000)), "23:06:40.003000");
    press(&mut state, "t");
    assert_eq!(state.when(Nanos(3_000_000)), "-100 ms");
    assert_eq!(state.when(Nanos(150_000_000)), "+47.0 ms");
}

#[test]
fn every_action_can_be_found_by_its_name() {
    let state = bank(Progress::Ended);
    for binding in TABLE {
        let menu = Menu { kind: menu::MenuKind::Help, text: binding.name.to_owned(), selected: 0 };
        let items = menu.items(&state);
        let is_first = items.iter().take(3).any(|item| item.label == binding.name);
        assert!(is_first, "{} is among the first of {:?}", binding.name, items.first());
    }
}

/// The present of the fixture's run, of which the first events were read so far.
fn ahead(n_read: usize) -> State {
    let mut state = empty();
    let events = fixture::events();
    update(&mut state, Input::Batch(Box::new(batch(events[..n_read].to_vec(), Progress::More))));
    let mut now = TraceState::default();
    events.iter().for_each(|event| now.apply(event));
    let present = Present { state: now, defs: fixture::defs().into() };
    update(&mut state, Input::Present(Some(Box::new(present))));
    state.refresh();
    state
}

#[test]
fn the_present_is_shown_while_the_past_is_read() {
    let whole = bank(Progress::CaughtUp);
    let mut state = ahead(3);
    assert!(state.is_ahead() && state.model.is_live());
    assert_eq!(state.at.threads, whole.at.threads, "threads are where they are now");
    assert_eq!(state.stuck, whole.stuck, "who is stuck is seen");
    assert_eq!((state.model.len(), state.position), (3, 3), "of the past no more is known than was read");

    // A moment of the past is what it was.
    press(&mut state, ",");
    assert!(!state.is_ahead() && !state.follows);
    assert_eq!(state.at, state.model.timeline.state_at(2));
    press(&mut state, "L");
    assert!(state.is_ahead() && state.stuck == whole.stuck);

    // When the past has arrived there is one trace.
    update(&mut state, Input::Batch(Box::new(batch(fixture::events()[3..].to_vec(), Progress::CaughtUp))));
    state.refresh();
    assert!(!state.is_ahead() && state.model.is_live());
    assert_eq!((&state.at, seen(&state)), (&whole.at, seen(&whole)));
    // What comes too late is not shown any more.
    update(&mut state, Input::Present(Some(Box::new(Present { state: TraceState::default(), defs: Arc::default() }))));
    state.refresh();
    assert_eq!(state.at, whole.at);
}

#[test]
fn a_present_that_was_stopped_stays() {
    let mut state = ahead(3);
    press(&mut state, "space");
    let (stopped, moment) = (state.at.clone(), state.time());
    assert!(state.is_ahead() && !state.follows);
    // Neither news of the present change it nor what is read of the past, nor that this gets there.
    let present = Present { state: TraceState::default(), defs: Arc::default() };
    update(&mut state, Input::Present(Some(Box::new(present))));
    state.refresh();
    assert_eq!(state.at, stopped);
    update(&mut state, Input::Batch(Box::new(batch(fixture::events()[3..].to_vec(), Progress::CaughtUp))));
    state.refresh();
    assert!(!state.is_ahead() && !state.follows);
    assert_eq!((state.time(), &state.at.threads, &state.at.locks), (moment, &stopped.threads, &stopped.locks));
}

#[test]
fn a_present_that_is_over_gives_way_to_the_past() {
    let mut state = ahead(3);
    update(&mut state, Input::Present(None));
    state.refresh();
    assert!(!state.is_ahead() && !state.model.is_live());
    assert_eq!(state.at, state.model.timeline.state_at(3));
}

#[test]
fn the_source_shows_what_happens_on_its_lines() {
    let mut state = bank(Progress::Ended);
    press(&mut state, "2 u");
    let Some(Overlay::Text { title, lines, scroll }) = &state.overlay else { panic!("the file is shown") };
    insta::assert_snapshot!(format!("{title}, from line {scroll} on\n{}", lines.join("\n")));
    // A key closes it, and a file that is not there is told.
    press(&mut state, "esc");
    assert!(state.overlay.is_none());
    state.sources = crate::source::Sources::new(&fixture::info(), &[]);
    press(&mut state, "u");
    assert!(state.message.as_ref().is_some_and(|said| said.contains("was not found")), "{:?}", state.message);
}
