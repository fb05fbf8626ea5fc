//! What goes on now in a process that has written more than can be analysed at once: a second reader, which begins at the end.
//!
//! The reader of everything may take minutes for a long recording, and whoever opens it because something hangs wants to see that at once. So
//! as long as that reader is behind, this one shows the present. It keeps the state of threads and locks and nothing else: no findings,
//! no numbers of the whole run, no past. What it has not seen it does not claim: events have no numbers, counts are what the locks
//! themselves count or else those of the past that was read, and of waits for what one of several could give nothing is concluded.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use lockscope_analyzer::state::{Activity, State};
use lockscope_trace::{Definitions, Event, EventSource, Nanos, Op, Progress, TraceInfo, reader::Reader};

use crate::dashboard::wake::Bell;

/// How often the present is shown.
const EVERY: Duration = Duration::from_millis(100);
/// And copying it takes no more than a part of so many of all time.
const SHARE: u32 = 10;
/// Pause before looking again whether there is more.
const POLL: Duration = Duration::from_millis(33);
/// Who is no further behind than this shows the present.
pub const NEAR: Duration = Duration::from_millis(500);

/// Who follows and is further behind than this begins at the end anew.
const FAR: Duration = Duration::from_secs(2);

/// Threads and locks now.
#[derive(Debug)]
pub struct Present {
    /// Their state; numbers of events in it are 0, since they are not known.
    pub state: State,
    /// What ids mean.
    pub defs: Arc<Definitions>,
}

/// News of the present: a newer one, or that there is none any more.
pub type News = Option<Box<Present>>;

/// Where news of the present are left.
#[derive(Debug, Default)]
pub struct Desk {
    latest: Mutex<Option<News>>,
    /// Somebody wants to know.
    is_wanted: AtomicBool,
}

impl Desk {
    /// The news since the last time.
    pub fn take(&self) -> Option<News> {
        let news = self.latest.lock().unwrap_or_else(PoisonError::into_inner).take();
        news.filter(|_| self.is_wanted.load(Ordering::Relaxed))
    }

    fn leave(&self, news: News) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(news);
    }
}

/// Follows the end of a trace until it is dropped.
#[derive(Debug)]
pub struct Follower {
    desk: Arc<Desk>,
    thread: JoinHandle<()>,
}

impl Follower {
    /// Begins; `None` for what cannot be read from its end, or when the system has no thread for it.
    pub fn start(path: &Path, desk: &Arc<Desk>, bell: &Bell) -> Option<Follower> {
        let reader = Reader::open_at_end(path).ok()?;
        let path = path.to_owned();
        desk.is_wanted.store(true, Ordering::Relaxed);
        let (desk, bell, its_desk) = (desk.clone(), bell.clone(), desk.clone());
        let named = thread::Builder::new().name("present".to_owned());
        let thread = named.spawn(move || follow(&path, reader, &its_desk, &bell)).ok()?;
        Some(Follower { desk, thread })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // Nobody takes anything from the desk from here on, so it does not matter when the thread sees this.
        self.desk.is_wanted.store(false, Ordering::Relaxed);
        self.thread.thread().unpark();
    }
}

/// How far a moment of a trace is from now; either way, since clocks may differ where a trace came from.
pub fn distance(info: &TraceInfo, time: Nanos) -> Duration {
    since_epoch().abs_diff(info.started.saturating_add(Duration::from_nanos(time.0)))
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn follow(path: &Path, mut reader: Reader, desk: &Desk, bell: &Bell) {
    let (mut state, mut events) = (State::default(), Vec::new());
    let mut opened = since_epoch();
    let mut last: Option<(Instant, Duration)> = None;
    let mut is_news = false;
    while desk.is_wanted.load(Ordering::Relaxed) {
        events.clear();
        let progress = match reader.poll(&mut events) {
            Ok(Progress::Ended) | Err(_) => {
                // What there is to see is what everything ends in, which only the other reader knows.
                desk.leave(None);
                return bell.ring();
            }
            Ok(progress) => progress,
        };
        events.iter().for_each(|event| apply(&mut state, event));
        is_news |= !events.is_empty() || last.is_none();
        // What is read before all is read that was there at the beginning is not the present.
        let time = reader.info().started.saturating_add(Duration::from_nanos(state.time.0));
        let is_present = progress == Progress::CaughtUp || time >= opened;
        if is_present && progress == Progress::More && distance(reader.info(), state.time) > FAR {
            // The process writes faster than this reads: what is left out of the past is read by the other reader.
            let Ok(anew) = Reader::open_at_end(path) else {
                desk.leave(None);
                return bell.ring();
            };
            (reader, state, opened) = (anew, State::default(), since_epoch());
            continue;
        }
        let is_due = last.is_none_or(|(last, took)| last.elapsed() >= EVERY.max(took.saturating_mul(SHARE)));
        if is_news && is_present && is_due {
            let began = Instant::now();
            let defs = Arc::new(reader.definitions().clone());
            desk.leave(Some(Box::new(Present { state: without_numbers(&state), defs })));
            bell.ring();
            (last, is_news) = (Some((Instant::now(), began.elapsed())), false);
        }
        if progress == Progress::CaughtUp && events.is_empty() {
            thread::park_timeout(POLL);
        }
    }
}

fn apply(state: &mut State, event: &Event) {
    state.apply(event);
    if let Op::Acquired { lock, count, .. } = event.op
        && let Some(lock) = state.locks.get_mut(lock.0 as usize)
    {
        // The lock counts for itself, from its very beginning.
        lock.acquisitions = lock.acquisitions.max(count);
    }
}

fn without_numbers(state: &State) -> State {
    let mut state = state.clone();
    for thread in &mut state.threads {
        thread.held.iter_mut().for_each(|held| held.event = 0);
        if let Activity::Blocked(wait) = &mut thread.activity {
            wait.event = 0;
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn what_nobody_wants_is_not_shown() {
        let desk = Desk::default();
        desk.leave(None);
        assert!(desk.take().is_none(), "nobody follows");
        desk.is_wanted.store(true, Ordering::Relaxed);
        desk.leave(None);
        assert!(desk.take().is_some_and(|news| news.is_none()));
        assert!(desk.take().is_none(), "it was taken");
    }

    #[test]
    fn numbers_of_events_are_left_out_and_locks_count_for_themselves() {
        let mut state = State::default();
        let mut events = fixture::events();
        for event in &mut events {
            if let Op::Acquired { count, .. } = &mut event.op {
                *count += 1000;
            }
        }
        events.iter().for_each(|event| apply(&mut state, event));
        let seen = without_numbers(&state);
        let held = seen.threads.iter().flat_map(|thread| &thread.held);
        assert!(
            held.map(|held| held.event)
                .chain(seen.threads.iter().filter_map(|t| Some(t.wait()?.event)))
                .all(|n| n == 0)
        );
        assert!(seen.locks.iter().filter(|lock| lock.acquisitions > 0).all(|lock| lock.acquisitions > 1000));
    }
}
