//! The time cursor: to where it goes, and how times are said.

use lockscope_analyzer::{Track, finding::Finding, timeline::Lane};
use lockscope_trace::Nanos;

use super::{Pending, State, View};

/// A stretch of time, from its first moment until before its last.
pub type Window = (Nanos, Nanos);

/// How times are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TimeStyle {
    /// Since the start of the recording.
    #[default]
    SinceStart,
    /// By the clock on the wall, in UTC.
    Clock,
    /// From the moment that is shown.
    FromHere,
}

/// A pause of play longer than this is skipped.
const LONGEST_GAP: u64 = 500_000_000;
/// Speeds as powers of two.
const SPEEDS: std::ops::RangeInclusive<i32> = -20..=10;

impl State {
    /// Moves to a position.
    pub fn seek(&mut self, position: u64) {
        if self.shown_present.take().is_some() {
            self.at = self.model.timeline.state_at(position);
        }
        self.position = position.min(self.model.len());
        self.moment = self.model.timeline.time_at(self.position);
        self.follows = false;
        self.touch();
        self.refresh();
    }

    /// Moves to a moment: after all events up to it.
    pub fn seek_time(&mut self, time: Nanos) {
        let time = time.min(self.model.end());
        self.seek(self.model.timeline.position_at(time));
        self.moment = self.moment.max(time);
        self.touch();
        self.refresh();
    }

    /// Moves to the end and stays there.
    pub fn follow(&mut self) {
        self.follows = true;
        self.plays = false;
        self.touch();
        self.refresh();
    }

    /// Space: live, freezes the view or follows again; otherwise plays on or stops.
    pub(super) fn pause(&mut self) {
        if self.model.is_live() || self.model.progress == lockscope_trace::Progress::More {
            if self.follows && self.is_ahead() {
                // As it is now, until the past that belongs to it is there.
                self.moment = self.time();
                self.follows = false;
                self.touch();
            } else if self.follows {
                self.seek(self.model.len())
            } else {
                self.follow()
            }
            return;
        }
        self.plays = !self.plays;
        // At the end there is nothing to play; from the beginning there is.
        if self.plays && self.position == self.model.len() {
            self.seek(0);
        }
    }

    /// Time goes on by itself: `passed` of the viewer's time.
    pub(super) fn played(&mut self, passed: Nanos) {
        if !self.plays {
            return;
        }
        let scaled = |nanos: u64| {
            let nanos = u128::from(nanos);
            let scaled = if self.speed < 0 { nanos >> -self.speed } else { nanos << self.speed };
            u64::try_from(scaled).unwrap_or(u64::MAX).max(1)
        };
        if !self.model.info.has_times {
            self.seek(self.position + scaled(1));
        } else {
            let time = Nanos(self.moment.0.saturating_add(scaled(passed.0)));
            let next = self.model.timeline.event(self.position + 1).map(|event| event.time);
            match next {
                // Nothing happens for a while: that need not be watched.
                Some(next) if next > time && next.since(time).0 > scaled(LONGEST_GAP) => self.seek_time(next),
                _ => self.seek_time(time),
            }
        }
        if self.position >= self.model.len() {
            self.plays = false;
        }
    }

    pub(super) fn change_speed(&mut self, by: i64) {
        self.speed = (self.speed + by as i32).clamp(*SPEEDS.start(), *SPEEDS.end());
        self.message = Some(format!("speed {}", self.speed_text()));
    }

    /// `x1`, `x8`, `x1/4`.
    pub fn speed_text(&self) -> String {
        match self.speed {
            speed @ 0.. => format!("x{}", 1_u64 << speed),
            speed => format!("x1/{}", 1_u64 << -speed),
        }
    }

    /// Through time by twentieths of the whole, so that a burst of events is one place; by events where times say nothing
    /// or nothing would move.
    pub(super) fn leap(&mut self, by: i64) {
        let step = self.model.head().time.0 / 20;
        let time = if by < 0 { self.time().0.saturating_sub(step) } else { self.time().0.saturating_add(step) };
        let before = self.position;
        self.seek_time(Nanos(time));
        if self.position == before {
            self.seek(before.saturating_add_signed(by * (self.model.len() as i64 / 20).max(1)));
        }
    }

    /// To the previous or next event of the selected thread or lock.
    pub(super) fn step_here(&mut self, by: i64) {
        let Some(track) = self.track() else {
            self.message = Some("select a thread or a lock first".to_owned());
            return;
        };
        let timeline = &self.model.timeline;
        let found = if by < 0 {
            timeline.previous(track, self.position, |_| true)
        } else {
            timeline.next(track, self.position, |_| true)
        };
        self.go_to_found(found, track, by, "event");
    }

    /// To the previous or next time that the selected lock or thread was waited for.
    pub(super) fn go_to_blocking(&mut self, by: i64) {
        let track = self.track().unwrap_or(Track::All);
        let timeline = &self.model.timeline;
        let found = if by < 0 {
            timeline.previous_wait(track, self.position)
        } else {
            timeline.next_wait(track, self.position)
        };
        self.go_to_found(found, track, by, "wait");
    }

    /// To an event that was searched for, or to nowhere.
    fn go_to_found(&mut self, found: Option<u64>, track: Track, by: i64, what: &str) {
        match found {
            Some(event) => self.seek(event),
            None => {
                let of = match track {
                    Track::All => String::new(),
                    Track::Thread(id) => format!(" of {id}"),
                    Track::Lock(id) => format!(" of {id}"),
                };
                let side = if by < 0 { "before" } else { "after" };
                self.message = Some(format!("no {what}{of} {side} this moment"));
            }
        }
    }

    /// What stepping is about: the lock where locks are shown, else the thread, else whichever is selected.
    pub fn track(&self) -> Option<Track> {
        let lock = self.selection.lock.map(Track::Lock);
        let thread = self.selection.thread.map(Track::Thread);
        let is_about_threads = match self.view {
            View::Threads => true,
            View::Timeline => self.pane() == 0,
            _ => false,
        };
        // In a list the first row counts as selected.
        let row = match self.selected_row() {
            Some(super::Row::Thread(id)) => Some(Track::Thread(id)),
            Some(super::Row::Lock(id)) => Some(Track::Lock(id)),
            _ => None,
        };
        row.or(if is_about_threads { thread.or(lock) } else { lock.or(thread) })
    }

    /// To the next finding after the cursor, or the last one before it, in the order of time.
    pub(super) fn go_to_finding(&mut self, by: i64) {
        let event = |finding: &Finding| finding.events.last().copied().unwrap_or(0);
        let mut found: Vec<(u64, usize)> =
            self.model.findings.iter().map(event).enumerate().map(|(idx, event)| (event, idx)).collect();
        found.sort_unstable();
        let here = (self.position, self.selection.finding.unwrap_or(0));
        let next = match by < 0 {
            true => found.iter().rev().find(|&&(event, idx)| (event, idx) < here).copied(),
            false => found.iter().find(|&&(event, idx)| (event, idx) > here).copied(),
        };
        match next {
            Some((event, idx)) => {
                self.selection.finding = Some(idx);
                self.scroll = 0;
                self.seek(event);
            }
            None => {
                self.message = Some(format!("no finding {} this moment", if by < 0 { "before" } else { "after" }));
            }
        }
    }

    /// The letter after `m` or `'`.
    pub(super) fn letter(&mut self, pending: Pending, key: &str) {
        let Some(letter) = key.chars().next().filter(|c| key.chars().count() == 1 && c.is_alphanumeric()) else {
            return;
        };
        match (pending, self.marks.get(&letter).copied()) {
            (Pending::Mark, _) => {
                let here = (self.position, self.time());
                let others = self.marks.iter().filter(|(other, _)| **other != letter);
                let distances: Vec<String> = others
                    .map(|(other, (_, time))| {
                        let distance = if *time > here.1 { time.since(here.1) } else { here.1.since(*time) };
                        format!("{distance} from {other}")
                    })
                    .collect();
                let distances =
                    if distances.is_empty() { String::new() } else { format!(", {}", distances.join(", ")) };
                self.message = Some(format!("mark {letter} at {}{distances}", here.1));
                self.marks.insert(letter, here);
            }
            (Pending::Jump, Some((position, time))) => {
                self.seek(position);
                self.seek_time(time);
            }
            (Pending::Jump, None) => self.message = Some(format!("there is no mark {letter}")),
        }
    }

    /// The window of the timeline: what was chosen, or the whole run.
    pub fn shown_window(&self) -> Window {
        self.window.unwrap_or((Nanos(0), Nanos(self.model.end().0.saturating_add(1))))
    }

    fn set_window(&mut self, window: Option<Window>) {
        if window != self.window {
            self.windows.push(self.window);
            self.windows.drain(..self.windows.len().saturating_sub(100));
            self.window = window;
        }
    }

    /// Makes the window half or twice as long, around the moment that is shown if that is in it.
    pub(super) fn zoom(&mut self, by: i64) {
        let (from, to) = self.shown_window();
        let width = to.since(from).0;
        let least = self.screen.lanes.map_or(1, |lanes| u64::from(lanes.width.max(1)));
        let new = if by > 0 { (width / 2).max(least) } else { width.saturating_mul(2) };
        let all = self.model.end().0.saturating_add(1);
        if new >= all && by < 0 {
            self.window = None;
            return;
        }
        let middle = from.0 + width / 2;
        let centre = Some(self.time().0).filter(|time| (from.0..to.0).contains(time)).unwrap_or(middle);
        // The moment stays where it is on the screen.
        let before = (u128::from(centre - from.0) * u128::from(new) / u128::from(width.max(1))) as u64;
        self.window = Some(self.within(centre.saturating_sub(before), new));
    }

    pub(super) fn pan(&mut self, by: i64) {
        let (from, to) = self.shown_window();
        let width = to.since(from).0;
        let step = (width / 4).max(1);
        let from = if by < 0 { from.0.saturating_sub(step) } else { from.0.saturating_add(step) };
        if self.window.is_some() {
            self.window = Some(self.within(from, width));
        }
    }

    /// A window of a length that does not go past the end.
    fn within(&self, from: u64, width: u64) -> Window {
        let all = self.model.end().0.saturating_add(1);
        let from = from.min(all.saturating_sub(width));
        (Nanos(from), Nanos(from.saturating_add(width)))
    }

    pub(super) fn centre(&mut self) {
        let (from, to) = self.shown_window();
        let width = to.since(from).0;
        let wanted = self.within(self.time().0.saturating_sub(width / 2), width);
        let is_centred = self.window.is_none() || self.window == Some(wanted);
        if is_centred { self.set_window(None) } else { self.set_window(Some(wanted)) }
    }

    /// Zooms to the wait of the selected thread, or of the first that waits for the selected lock.
    pub(super) fn go_to_range(&mut self) {
        let thread = match self.track() {
            Some(Track::Lock(lock)) => {
                self.at.lock(lock).and_then(|lock| lock.waiters.first()).map(|(thread, ..)| *thread)
            }
            Some(Track::Thread(thread)) => Some(thread),
            _ => None,
        };
        let wait = thread.and_then(|thread| self.at.thread(thread)?.wait().map(|wait| (thread, wait.since)));
        let Some((thread, since)) = wait else {
            self.message = Some("nobody waits there at this moment; [ goes to the wait before".to_owned());
            return;
        };
        let timeline = &self.model.timeline;
        let end = timeline.next(Track::Thread(thread), self.position, |event| event.thread == thread);
        let end = end.map_or(self.model.end(), |event| timeline.time_at(event));
        let margin = end.since(since).0 / 10 + 1;
        let window = (Nanos(since.0.saturating_sub(margin)), Nanos(end.0.saturating_add(margin)));
        self.set_window(Some(window));
    }

    pub(super) fn pop_range(&mut self) {
        if let Some(window) = self.windows.pop() {
            self.window = window;
        }
    }

    pub(super) fn fit(&mut self) {
        self.set_window(None);
    }

    /// The window becomes what was drawn over with the mouse.
    pub(super) fn set_range(&mut self, from: Nanos, to: Nanos) {
        self.set_window(Some((from.min(to), Nanos(from.max(to).0.saturating_add(1)))));
    }

    /// The moment that a column of the lanes stands for, and the next one's.
    pub fn column_times(&self, column: u64, n_columns: u64) -> (Nanos, Nanos) {
        let (from, to) = self.shown_window();
        let at = |column: u64| {
            let offset = u128::from(to.since(from).0) * u128::from(column);
            Nanos(from.0.saturating_add(offset.div_ceil(u128::from(n_columns.max(1))) as u64))
        };
        (at(column), at(column + 1))
    }

    /// The moment goes by columns of the timeline.
    pub(super) fn slide(&mut self, by: i64) {
        let n_columns = self.screen.lanes.map_or(60, |lanes| u64::from(lanes.width)).max(1);
        let (from, to) = self.shown_window();
        let step = (to.since(from).0 / n_columns).max(1) as i64;
        let time = self.time().0.saturating_add_signed(step.saturating_mul(by));
        self.seek_time(Nanos(time));
        // The window goes along.
        let (from, to) = self.shown_window();
        let width = to.since(from).0;
        if self.window.is_some() && !(from.0..to.0).contains(&self.time().0) {
            self.window = Some(self.within(self.time().0.saturating_sub(width / 2), width));
        }
    }

    /// Lanes of the timeline: as the list beside it has them.
    pub fn lanes(&self) -> Vec<Lane> {
        let lane = |row: &super::Row| match *row {
            super::Row::Thread(id) => Some(Lane::Thread(id)),
            super::Row::Lock(id) => Some(Lane::Lock(id)),
            _ => None,
        };
        self.rows.rows.iter().filter_map(lane).collect()
    }

    /// A time in the way that was chosen.
    pub fn when(&self, time: Nanos) -> String {
        match self.times {
            TimeStyle::SinceStart => time.to_string(),
            TimeStyle::Clock => {
                let nanos = self.model.info.started.as_nanos() + u128::from(time.0);
                let (seconds, micros) = ((nanos / 1_000_000_000) as u64, nanos / 1000 % 1_000_000);
                format!("{:02}:{:02}:{:02}.{micros:06}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
            }
            TimeStyle::FromHere => {
                let here = self.time();
                if time < here { format!("-{}", here.since(time)) } else { format!("+{}", time.since(here)) }
            }
        }
    }
}

impl TimeStyle {
    /// The next one, and what is said of it.
    pub(super) fn next(self) -> (TimeStyle, &'static str) {
        match self {
            TimeStyle::SinceStart => (TimeStyle::Clock, "times by the clock, UTC"),
            TimeStyle::Clock => (TimeStyle::FromHere, "times from this moment"),
            TimeStyle::FromHere => (TimeStyle::SinceStart, "times since the start"),
        }
    }
}
