use lockscope_trace::Op;

use super::*;
use crate::testing::parse;

/// Everything that can be told from outside about a state.
fn shown(state: &State) -> String {
    format!("{state:?}")
}

fn long_trace(rounds: u32) -> Vec<Event> {
    let round = "A: lock a, wait b; B: lock b, unlock b; A: lock b; C: read r; A: unlock b, unlock a; C: unlock r;";
    let (events, _) = parse(round);
    let mut all = Vec::new();
    for n in 0..rounds {
        all.extend(events.iter().map(|event| Event { time: Nanos(u64::from(n) * 100 + event.time.0), ..*event }));
    }
    all
}

#[test]
fn seeking_equals_replaying() {
    let events = long_trace(6000);
    let mut timeline = Timeline::default();
    timeline.extend(&events);
    assert!(timeline.checkpoints.snapshots.len() > 2, "the trace is long enough to have checkpoints");
    let mut state = State::default();
    for (index, event) in events.iter().enumerate() {
        if index % 5003 == 0 || index > events.len() - 3 {
            assert_eq!(shown(&timeline.state_at(index as u64)), shown(&state), "at {index}");
        }
        state.apply(event);
    }
    assert_eq!(shown(&timeline.state_at(u64::MAX)), shown(&state));
    assert_eq!(shown(timeline.latest()), shown(&state));
}

#[test]
fn positions_of_times() {
    let mut timeline = Timeline::default();
    // The third event's clock is behind.
    for time in [10, 20, 15, 30, 30, 40] {
        let (mut events, _) = parse("A: start");
        events[0].time = Nanos(time);
        timeline.extend(&events);
    }
    let check = |time, position| assert_eq!(timeline.position_at(Nanos(time)), position, "at {time}");
    check(0, 0);
    check(9, 0);
    check(10, 1);
    check(19, 1);
    check(20, 3);
    check(29, 3);
    check(30, 5);
    check(40, 6);
    check(u64::MAX, 6);
    assert_eq!([0, 1, 2, 3, 4, 6, 9].map(|position| timeline.time_at(position).0), [0, 10, 20, 20, 30, 40, 40]);
    assert_eq!(Timeline::default().position_at(Nanos(5)), 0);
}

#[test]
fn stepping_over_threads_and_locks() {
    let events = long_trace(4000);
    let mut timeline = Timeline::default();
    timeline.extend(&events);
    let any = |_: &Event| true;
    for track in [Track::Thread(ThreadId(1)), Track::Lock(LockId(0)), Track::All] {
        let wanted: Vec<u64> =
            (1..).zip(&events).filter(|(_, event)| concerns(event, track)).map(|(number, _)| number).collect();
        let forward: Vec<u64> =
            std::iter::successors(timeline.next(track, 0, any), |&at| timeline.next(track, at, any)).collect();
        assert_eq!(forward, wanted);
        let mut backward: Vec<u64> =
            std::iter::successors(timeline.previous(track, u64::MAX, any), |&at| timeline.previous(track, at, any))
                .collect();
        backward.reverse();
        assert_eq!(backward, wanted);
    }
    let waits = |event: &Event| matches!(event.op, Op::Wait { .. });
    assert_eq!(timeline.next(Track::Lock(LockId(1)), 0, waits), Some(2));
    assert_eq!(timeline.previous(Track::Lock(LockId(1)), 2, waits), None);
    // Lock b is waited for, by thread A, and nothing else is.
    for (track, is_waited_on) in [
        (Track::All, true),
        (Track::Lock(LockId(1)), true),
        (Track::Thread(ThreadId(0)), true),
        (Track::Lock(LockId(0)), false),
        (Track::Thread(ThreadId(1)), false),
    ] {
        for from in [0, 2, 3, 16_384, 20_000, timeline.len()] {
            let [next, previous] = [timeline.next(track, from, waits), timeline.previous(track, from, waits)];
            let expected = if is_waited_on { (next, previous) } else { (None, None) };
            assert_eq!((timeline.next_wait(track, from), timeline.previous_wait(track, from)), expected, "{track:?}");
        }
    }
    assert_eq!(timeline.next(Track::Thread(ThreadId(700)), 0, any), None);
    assert_eq!(timeline.previous(Track::Lock(LockId(700)), 9, any), None);
}

#[test]
fn spawns_and_joins_concern_both_threads() {
    let (events, _) = parse("A: spawn B; B: start, exit; A: join B");
    let mut timeline = Timeline::default();
    timeline.extend(&events);
    let b = Track::Thread(ThreadId(1));
    let found: Vec<u64> =
        std::iter::successors(timeline.next(b, 0, |_| true), |&at| timeline.next(b, at, |_| true)).collect();
    assert_eq!(found.len(), events.len(), "all of them: {events:?}");
}

#[test]
fn events_come_back_in_their_order() {
    let events = long_trace(5000);
    let mut timeline = Timeline::default();
    timeline.extend(&events);
    let all: Vec<Event> = timeline.events(0..u64::MAX).map(|(_, event)| event).collect();
    assert_eq!(all, events);
    for (from, to) in [(1, 1), (0, 3), (255, 259), (16_380, 16_390), (39_999, 50_000), (90_000, 3)] {
        let expected: Vec<(u64, Event)> =
            (1..).zip(events.iter().copied()).filter(|(n, _)| (from..to).contains(n)).collect();
        assert_eq!(timeline.events(from..to).collect::<Vec<_>>(), expected, "{from}..{to}");
    }
    assert_eq!(timeline.event(0), None);
    assert_eq!(timeline.event(16_385), Some(events[16_384]));
    assert_eq!(timeline.event(events.len() as u64 + 1), None);
    assert!(timeline.weight() < 24 * events.len(), "{} bytes for {} events", timeline.weight(), events.len());
}

#[test]
fn seeking_from_anywhere_gives_the_same() {
    let events = long_trace(6000);
    let mut timeline = Timeline::default();
    timeline.extend(&events);
    let mut state = State::default();
    let mut seed = 12345_u64;
    for _ in 0..60 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // Near and far, forward and back, and past the end.
        let to = match seed >> 62 {
            0 => state.position + (seed >> 32) % 20,
            1 => state.position.saturating_sub((seed >> 32) % 20),
            _ => (seed >> 32) % (timeline.len() + 100),
        };
        timeline.seek(&mut state, to);
        assert_eq!(shown(&state), shown(&timeline.state_at(to)), "at {to}");
    }
}

/// A picture made the slow way: of the state after every event.
fn slow_picture(events: &[Event], window: (u64, u64), n_columns: usize, lanes: &[Lane]) -> Vec<Vec<Shown>> {
    let mut timeline = Timeline::default();
    let mut drawn = vec![vec![Shown::default(); n_columns]; lanes.len()];
    let column =
        |time: u64| ((time - window.0) as usize * n_columns / (window.1 - window.0) as usize).min(n_columns - 1);
    // Before the window, then after each of its events, and until the next one.
    let mut from = window.0;
    for index in 0..=events.len() {
        let next = events.get(index).map_or(u64::MAX, |event| event.time.0);
        let next = next.max(timeline.latest().time.0);
        if next > from || next >= window.1 {
            let to = next.min(window.1);
            let now = timeline.picture((Nanos(to), Nanos(to + 1)), Nanos(to), 1, &[]);
            assert!(now.is_empty());
            for (idx, lane) in lanes.iter().enumerate() {
                let shown = lanes::shown(*lane, timeline.latest());
                (column(from)..=column(to - 1)).for_each(|column| {
                    drawn[idx][column] = drawn[idx][column].and(shown);
                });
            }
            from = to;
        } else if next == from {
            // Something was shown for no time at all, and yet it happened.
            if index > 0 && events[index - 1].time.0 >= window.0 {
                for (idx, lane) in lanes.iter().enumerate() {
                    let shown = lanes::shown(*lane, timeline.latest());
                    drawn[idx][column(from)] = drawn[idx][column(from)].and(shown);
                }
            }
        }
        if next >= window.1 {
            break;
        }
        timeline.push(events[index]);
    }
    drawn
}

#[test]
fn pictures_show_what_happened() {
    let (events, _) = parse(
        "A: start @1, lock a @10, spawn B @12; B: start @13, wait a @20; A: unlock a @40; B: lock a @45; \
         B: unlock a @60, exit @70; A: read r @80, unlock r @90",
    );
    let mut timeline = Timeline::default();
    timeline.extend(&events);
    let lanes = [Lane::Thread(ThreadId(0)), Lane::Thread(ThreadId(1)), Lane::Lock(LockId(0))];
    let text = |window: (u64, u64), n_columns| -> Vec<String> {
        let drawn = timeline.picture((Nanos(window.0), Nanos(window.1)), Nanos(99), n_columns, &lanes);
        let letter = |shown: &Shown| {
            let letters = [
                (Shown::CONTENDED, 'C'),
                (Shown::HELD, 'H'),
                (Shown::WAITING, 'w'),
                (Shown::SLEEPING, 's'),
                (Shown::RUNNING, 'r'),
                (Shown::ENDED, '.'),
            ];
            letters.into_iter().find(|(what, _)| shown.has(*what)).map_or(' ', |(_, letter)| letter)
        };
        drawn.iter().map(|lane| lane.iter().map(letter).collect()).collect()
    };
    assert_eq!(text((0, 100), 10), ["rHCCrrrrHr", " rwwHHr...", " HCCHH    "].map(str::to_owned));
    assert_eq!(text((20, 30), 5), ["CCCCC", "wwwww", "CCCCC"].map(str::to_owned));
    assert_eq!(text((80, 110), 3), ["Hr", "..", "  "].map(|lane| format!("{lane} ")));
    assert_eq!(timeline.density((Nanos(0), Nanos(100)), 5), [4, 1, 2, 2, 2]);
}

#[test]
fn pictures_of_long_traces_are_those_of_their_events() {
    let events = long_trace(2500);
    let mut timeline = Timeline::default();
    timeline.extend(&events);
    let end = timeline.latest().time.0;
    let lanes = [Lane::Thread(ThreadId(0)), Lane::Thread(ThreadId(1)), Lane::Lock(LockId(0)), Lane::Lock(LockId(1))];
    for (window, n_columns) in
        [((0, end + 1), 1), ((0, end + 1), 7), ((0, end + 1), 500), ((70_000, 70_130), 13), ((150_001, 200_001), 50)]
    {
        let fast = timeline.picture((Nanos(window.0), Nanos(window.1)), Nanos(u64::MAX), n_columns, &lanes);
        let slow = slow_picture(&events, window, n_columns, &lanes);
        // A column may also show what was true at its very first moment.
        for (lane, (fast, slow)) in fast.iter().zip(&slow).enumerate() {
            for (column, (fast, slow)) in fast.iter().zip(slow).enumerate() {
                assert!(fast.has(*slow), "lane {lane} column {column} of {window:?}: {fast:?} lacks of {slow:?}");
            }
        }
    }
}

/// What blocks did together is what they did one by one.
#[test]
fn pictures_are_the_same_without_folds() {
    let events = long_trace(36_000);
    let mut timeline = Timeline::default();
    timeline.extend(&events);
    let sizes = |block| timeline.folds.from(block).map(|(n_blocks, _)| n_blocks).collect::<Vec<_>>();
    assert_eq!([0, 1, 4, 16].map(sizes), [vec![16, 4], vec![], vec![4], vec![]], "there are folds of both levels");
    let end = timeline.latest().time.0;
    let lanes = [Lane::Lock(LockId(1)), Lane::Thread(ThreadId(0)), Lane::Thread(ThreadId(2)), Lane::Lock(LockId(77))];
    let windows =
        [(0, end + 1), (0, 2 * end), (1, end / 2), (end / 3, end / 3 * 2), (100, 100_000), (end - 5, end + 5)];
    let draw = |timeline: &Timeline| -> Vec<_> {
        let sizes = windows.into_iter().flat_map(|window| [1, 3, 10, 37].map(|n_columns| (window, n_columns)));
        sizes.map(|((from, to), n)| timeline.picture((Nanos(from), Nanos(to)), Nanos(end), n, &lanes)).collect()
    };
    let with_folds = draw(&timeline);
    timeline.folds = Folds::default();
    assert_eq!(with_folds, draw(&timeline));
}
