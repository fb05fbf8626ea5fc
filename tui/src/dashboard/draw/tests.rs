//! Views on a terminal in memory: at several sizes, coloured and not, with Unicode and ASCII.

use lockscope_trace::{Definitions, Event, LockKind, Nanos, Need, Op, Progress, Side, ThreadDef, ThreadId};
use ratatui::{Terminal, backend::TestBackend};

use crate::dashboard::{
    draw::{
        self,
        random::{Dice, play},
        theme::{Palette, Theme},
    },
    picture,
    reader::Batch,
    state::{
        Input, Mouse, MouseKind, State, View,
        tests::{bank, empty, press},
        update,
    },
};

/// Draws, and lets the state know where things are.
pub fn screen(state: &mut State, (width, height): (u16, u16)) -> Terminal<TestBackend> {
    update(state, Input::Resize(width, height));
    state.refresh();
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("memory is always there");
    let mut drawn = Default::default();
    terminal.draw(|frame| drawn = draw::draw(state, frame)).expect("memory can be drawn on");
    update(state, Input::Drawn(Box::new(drawn)));
    terminal
}

fn text(state: &mut State, size: (u16, u16)) -> String {
    screen(state, size).backend().to_string()
}

fn shown(view: View) -> State {
    let mut state = bank(Progress::Ended);
    let key = state.keys.of(&view.title().to_lowercase())[0].clone();
    press(&mut state, &key);
    state
}

#[test]
fn every_view_at_the_usual_sizes() {
    for view in View::ALL {
        for size in [(80, 24), (120, 40), (200, 60)] {
            let text = text(&mut shown(view), size);
            insta::assert_snapshot!(format!("{view:?}_{}x{}", size.0, size.1), text);
        }
    }
}

#[test]
fn every_view_at_the_least_useful_size_in_ascii() {
    for view in View::ALL {
        for size in [(60, 15), (80, 24)] {
            let mut state = shown(view);
            state.theme = Theme::new(Palette::Mono, true);
            let text = text(&mut state, size);
            // Units may have a letter that is not; everything else must be ASCII.
            assert!(text.replace('µ', "u").is_ascii(), "{text}");
            insta::assert_snapshot!(format!("{view:?}_{}x{}_ascii", size.0, size.1), text);
        }
    }
}

#[test]
fn styles_with_and_without_colour() {
    for palette in [Palette::Dark, Palette::Mono] {
        for view in View::ALL {
            let mut state = shown(view);
            state.theme.palette = palette;
            let buffer = screen(&mut state, (80, 24)).backend().buffer().clone();
            if palette == Palette::Mono {
                let has_color = |cell: &ratatui::buffer::Cell| {
                    cell.fg != ratatui::style::Color::Reset || cell.bg != ratatui::style::Color::Reset
                };
                assert!(!buffer.content.iter().any(has_color), "{view:?} has no colours");
            }
            // Only the styles: the text is in the other snapshots.
            let debug = format!("{buffer:?}");
            let styles = debug.split_once("styles: [").map_or("", |(_, styles)| styles);
            insta::assert_snapshot!(format!("{view:?}_style_{}", palette.name()), styles);
        }
    }
}

#[test]
fn panes_details_and_menus() {
    for (name, script) in [
        ("finding_detail", "2 enter"),
        ("help", "?"),
        ("help_search", "? \"edit\""),
        ("palette", ": \"zoom\""),
        ("columns", "3 c"),
        ("groups", "3 v down enter"),
        ("order_pairs", "6 tab"),
        ("order_classes", "6 tab tab"),
        ("contention_places", "7 tab"),
        ("contention_delays", "7 tab tab"),
        ("contention_threads", "7 tab tab tab"),
        ("timeline_locks", "8 tab"),
        ("timeline_zoomed", "8 : \"100ms\" enter w w w"),
        ("memory", "0 tab"),
        ("waits_list", "5 v"),
        ("explain", "2 i"),
        ("explain_columns", "3 i"),
        ("settings", "f2"),
        ("export", "5 e"),
        ("moment_before", ", , , , , ,"),
        ("waits_before", ", , , , , , 5"),
        ("beginning", "home"),
        ("filter_error", "3 / \"wait_>\""),
        ("filter_count", "3 / \"clerk\""),
        ("link", "5 down down"),
    ] {
        let mut state = bank(Progress::Ended);
        // Keys are about what is seen.
        for key in script.split(' ') {
            screen(&mut state, (80, 24));
            press(&mut state, key);
        }
        insta::assert_snapshot!(name, text(&mut state, (80, 24)));
    }
}

#[test]
fn links_lead_where_they_say() {
    let mut state = shown(View::Waits);
    screen(&mut state, (80, 24));
    press(&mut state, "down");
    let link = state.screen.links[state.link.expect("there is a handle in the picture")];
    press(&mut state, "enter");
    assert_ne!(state.view, View::Waits, "{:?} was followed", link.target);
    press(&mut state, "backspace");
    assert_eq!(state.view, View::Waits);
    // The same by the mouse.
    screen(&mut state, (80, 24));
    let mouse = |what, x, y| Input::Mouse(Mouse { what, x, y });
    update(&mut state, mouse(MouseKind::Press, link.area.x, link.area.y));
    assert_ne!(state.view, View::Waits);
}

#[test]
fn the_mouse_selects_sorts_and_drags() {
    let mut state = shown(View::Threads);
    let mouse = |what, x, y| Input::Mouse(Mouse { what, x, y });
    screen(&mut state, (80, 24));
    let table = state.screen.table.clone().expect("there is a list");
    // The third row; the title of the first column, twice.
    update(&mut state, mouse(MouseKind::Press, 3, table.rows.y + 2));
    assert_eq!(state.selection.thread.map(|id| id.0), Some(0));
    update(&mut state, mouse(MouseKind::Press, 3, table.titles));
    assert_eq!(state.rows.rows.len(), 5);
    update(&mut state, mouse(MouseKind::Wheel(1), 3, 9));
    assert_eq!(state.selection.thread.map(|id| id.0), Some(1));
    update(&mut state, mouse(MouseKind::DoublePress, 3, table.rows.y + 1));
    assert_eq!(state.view, View::Locks);
    // A tab.
    screen(&mut state, (80, 24));
    let (tab, _) = *state.screen.tabs.iter().find(|(_, view)| *view == View::Timeline).expect("every view has one");
    update(&mut state, mouse(MouseKind::Press, tab.x, tab.y));
    assert_eq!(state.view, View::Timeline);
    // A range of time.
    screen(&mut state, (80, 24));
    let lanes = state.screen.lanes.expect("there are lanes");
    update(&mut state, mouse(MouseKind::Press, lanes.x + 10, lanes.y));
    update(&mut state, mouse(MouseKind::Drag, lanes.x + 20, lanes.y));
    screen(&mut state, (80, 24));
    update(&mut state, mouse(MouseKind::Release, lanes.x + 20, lanes.y));
    let (from, to) = state.window.expect("it was drawn over");
    let whole = state.model.end().0;
    assert!(from.0 > whole / 10 && to.0 < whole / 2 && from < to, "{from} {to}");
    // The splitter.
    state.view = View::Threads;
    screen(&mut state, (80, 24));
    let splitter = state.screen.splitter.expect("there is a detail");
    update(&mut state, mouse(MouseKind::Press, 9, splitter));
    update(&mut state, mouse(MouseKind::Drag, 9, splitter - 4));
    assert!(state.split > 50, "{}", state.split);
}

/// One waits for a message of the other, who waits for permits of the first: nobody holds a channel.
#[test]
fn who_is_needed_at_a_channel_does_not_hold_it() {
    let mut defs = Definitions::default();
    defs.threads.extend([ThreadDef::default(), ThreadDef::default()]);
    let [jobs, slots] = [(LockKind::Channel, "jobs"), (LockKind::Semaphore, "slots")]
        .map(|(kind, name)| defs.add_lock(kind, Some(name.into()), "".into(), None, None));
    defs.locks[slots.0 as usize].capacity = Some(1);
    let block = |object, need| Op::Block { object, need, limited: false };
    let events = [
        (1, Op::HandleAdded { channel: jobs, side: Side::Sender, count: 1 }),
        (1, Op::Sent { channel: jobs, count: 2 }),
        (0, Op::Received { channel: jobs, message: 2, count: 3 }),
        (0, Op::PermitsAcquired { semaphore: slots, permits: 1, stays: true, count: 1 }),
        (0, block(jobs, Need::Message)),
        (1, block(slots, Need::Permits(1))),
    ];
    let event = |(thread, op)| Event { thread: ThreadId(thread), time: Nanos(0), site: None, stack: None, op };
    let events = events.map(event).to_vec();
    let mut state = empty();
    let info = state.model.info.clone();
    let batch = Batch {
        info,
        events,
        defs: Some(defs.into()),
        findings: None,
        digest: None,
        completeness: Default::default(),
        progress: Progress::Ended,
        fraction: 1.0,
    };
    update(&mut state, Input::Batch(Box::new(batch)));
    let text = text(&mut state, (80, 24));
    assert!(text.contains("T1 is needed at L0 jobs, wants a permit of L1 slots"), "{text}");
}

#[test]
fn nothing_panics_at_any_size() {
    for view in View::ALL {
        for (mut state, step) in [(shown(view), 3), (empty(), 7)] {
            state.view = view;
            // Every width and every height, though not each with each.
            for width in (0..42).chain([80, 133]) {
                for height in (width % step..21).step_by(step.into()).chain([33]) {
                    screen(&mut state, (width, height));
                }
            }
            for script in ["enter", "tab", "?", ": \"x\"", "esc c", "esc /", "i"] {
                press(&mut state, script);
                for size in [(20, 5), (21, 6), (39, 7), (39, 19)] {
                    screen(&mut state, size);
                }
            }
        }
    }
}

#[test]
fn any_keys_in_any_order_at_any_size_keep_the_state_valid() {
    let mut state = bank(Progress::CaughtUp);
    play(&mut state, &mut Dice(0x9e37_79b9_7f4a_7c15), 2_000);
}

/// Pictures of the dashboard in the README, from the fixture. `tui/pictures/make.sh` makes them anew.
#[test]
fn pictures_in_the_readme_are_current() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pictures");
    for (name, view) in [
        ("overview", View::Overview),
        ("findings", View::Findings),
        ("waits", View::Waits),
        ("timeline", View::Timeline),
    ] {
        let mut state = shown(view);
        // Once to know where things are, once to be looked at.
        screen(&mut state, (100, 30));
        let drawn = screen(&mut state, (100, 30));
        let svg = picture::write(drawn.backend().buffer(), false);
        let path = folder.join(name).with_extension("svg");
        if std::env::var_os("LOCKSCOPE_PICTURES").is_some() {
            std::fs::write(&path, &svg).expect("there is room for a picture");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == svg, "{name}.svg is not what the dashboard looks like now; tui/pictures/make.sh makes it anew");
        assert!(svg.len() < 60_000, "{name}.svg has {} bytes", svg.len());
    }
}
