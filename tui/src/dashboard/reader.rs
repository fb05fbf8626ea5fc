//! Reads and analyses a trace on a thread of its own, so that the screen never waits for a file.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

use lockscope_analyzer::{
    Analysis, Contention, Options,
    engine::Claims,
    finding::Finding,
    input::{self, Options as InputOptions},
};
use lockscope_trace::{Completeness, Definitions, Error, Event, EventSource, Nanos, Progress, TraceInfo};

use crate::dashboard::{
    digest::Digest,
    memory,
    present::{self, Desk, Follower},
    terminal::panic_if_asked,
    wake::Bell,
};

/// Batches that may wait to be shown: bounded, for when the screen is slower than the file, and enough that the reader
/// need not wait while the screen is drawn.
const QUEUE: usize = 32;
/// Pause before looking again whether a live trace has grown; longer and longer while it has not.
const LIVE_POLL: Duration = Duration::from_millis(33);
/// The longest such pause.
const LONGEST_POLL: Duration = Duration::from_millis(100);
/// Looks without news after which nobody looks again while the view is paused, until a key is pressed.
const MOST_LOOKS: u32 = 10;
/// How often findings and numbers are brought up to date while events keep coming: asking for them costs.
const NEWS_EVERY: Duration = Duration::from_millis(250);
/// And of all time they take no more than a part of so many.
const NEWS_SHARE: u32 = 10;

/// Whoever has not caught up after this time lets the present be shown meanwhile.
const IMPATIENCE: Duration = Duration::from_millis(100);
/// And whoever has fallen behind by so much again.
const BEHIND: Duration = Duration::from_secs(2);

/// What is new in a trace.
#[derive(Debug)]
pub struct Batch {
    /// Facts about the trace; of some formats they are known only by and by.
    pub info: TraceInfo,
    /// Events in their merged order.
    pub events: Vec<Event>,
    /// What ids mean, when something was added.
    pub defs: Option<Arc<Definitions>>,
    /// All findings so far, worst first, when they were brought up to date.
    pub findings: Option<Vec<Finding>>,
    /// Numbers of the whole trace, when they were brought up to date.
    pub digest: Option<Arc<Digest>>,
    /// What is missing so far.
    pub completeness: Completeness,
    /// How far the reader is.
    pub progress: Progress,
    /// Share of the file that was read.
    pub fraction: f64,
}

/// What a reader sends, and how it is told whether it is listened to.
#[derive(Debug)]
pub struct Feed {
    /// News.
    pub batches: Receiver<Result<Batch, Error>>,
    /// News of the present, as long as batches are behind it.
    pub present: Arc<Desk>,
    pace: Arc<Pace>,
    thread: Thread,
}

impl Feed {
    /// Says whether the view is paused: then a trace that does not grow is not looked at again until this is called once more.
    pub fn pause(&self, is_paused: bool) {
        self.pace.is_paused.store(is_paused, Ordering::Relaxed);
        // What was stored before is seen by who wakes up by this.
        self.thread.unpark();
    }
}

/// How eagerly a reader looks for news.
#[derive(Debug, Default)]
struct Pace {
    is_paused: AtomicBool,
}

impl Pace {
    /// Rests between two looks, of which so many found nothing.
    fn rest(&self, n_looks: u32) {
        if self.is_paused.load(Ordering::Relaxed) && n_looks > MOST_LOOKS {
            thread::park();
        } else {
            thread::park_timeout(LIVE_POLL.saturating_mul(n_looks.max(1)).min(LONGEST_POLL));
        }
    }
}

/// Where batches go, and what tells that there is one. Its end is told as well: fields are dropped in their order.
struct Outlet {
    batches: SyncSender<Result<Batch, Error>>,
    bell: Bell,
}

impl Outlet {
    /// Whether anybody listens still.
    fn send(&self, batch: Result<Batch, Error>) -> bool {
        let is_heard = self.batches.send(batch).is_ok();
        self.bell.ring();
        is_heard
    }
}

/// Starts reading. Returns facts about the trace, or why it cannot be opened, and where batches arrive; the bell rings for each.
pub fn start(path: PathBuf, options: InputOptions, bell: Bell) -> Result<(TraceInfo, Feed), Error> {
    let (batches, receiver) = sync_channel(QUEUE);
    let outlet = Outlet { batches, bell: bell.clone() };
    let desk: Arc<Desk> = Arc::default();
    let mut ahead =
        Ahead { path: path.clone(), desk: desk.clone(), bell, has_caught_up: false, patience: None, follower: None };
    let pace = Arc::new(Pace::default());
    let its_pace = pace.clone();
    let (opened, is_open) = sync_channel(1);
    let reader = move || match input::open_with(&path, &options) {
        Ok(source) => {
            let _ = opened.send(Ok(source.info().clone()));
            // The standard input cannot be read twice.
            let again = || (path != Path::new("-")).then(|| input::open_with(&path, &options).ok()).flatten();
            read(source, &again, &outlet, &its_pace, &mut ahead);
        }
        Err(error) => {
            let _ = opened.send(Err(error));
        }
    };
    // A system that refuses a thread refuses it here, as an error rather than as a panic.
    let spawned = thread::Builder::new().name("reader".to_owned()).spawn(reader);
    let spawned = spawned.map_err(|source| Error::Io { path: PathBuf::from("reader thread"), source })?;
    let info = is_open.recv().expect("the reader sends before it ends")?;
    Ok((info, Feed { batches: receiver, present: desk, pace, thread: spawned.thread().clone() }))
}

/// Decides when the present is to be shown by somebody else.
struct Ahead {
    path: PathBuf,
    desk: Arc<Desk>,
    bell: Bell,
    /// The present was reached before.
    has_caught_up: bool,
    /// While the reader is behind: until when nothing is done about it.
    patience: Option<Instant>,
    follower: Option<Follower>,
}

impl Ahead {
    /// To be told after each look how far the reader is, and up to which moment. Returns how far it is for whoever is shown what it sends:
    /// where events keep coming there are always more, however little it is behind.
    fn judge(&mut self, info: &TraceInfo, progress: Progress, is_open: bool, time: Nanos) -> Progress {
        if progress == Progress::More && !is_open {
            return progress;
        }
        if progress != Progress::More || present::distance(info, time) < present::NEAR {
            (self.has_caught_up, self.patience, self.follower) = (true, None, None);
            return if progress == Progress::More { Progress::CaughtUp } else { progress };
        }
        let patience = if self.has_caught_up { BEHIND } else { IMPATIENCE };
        let until = *self.patience.get_or_insert_with(|| Instant::now() + patience);
        if self.follower.is_none() && until <= Instant::now() {
            self.follower = Follower::start(&self.path, &self.desk, &self.bell);
            // Who cannot be followed now cannot be soon.
            self.patience = Some(Instant::now() + 100 * BEHIND);
        }
        progress
    }
}

/// Sends batches until the trace ends or nobody listens any more. `again` opens it once more, to prove what was predicted.
fn read(
    mut source: Box<dyn EventSource>,
    again: &dyn Fn() -> Option<Box<dyn EventSource + Send>>,
    outlet: &Outlet,
    pace: &Pace,
    ahead: &mut Ahead,
) {
    let mut n_looks = 0;
    let mut analysis = Analysis::new(Options::default());
    let (mut contention, mut uses) = (Contention::default(), Vec::new());
    let mut known = Size::default();
    let mut last_progress = None;
    // When findings were asked for last, and how long that took.
    let mut last_news: Option<(Instant, Duration)> = None;
    // Events have come since findings were asked for.
    let mut is_stale = false;
    loop {
        let mut events = Vec::new();
        let polled = source.poll(&mut events);
        // What came before an error is as good as any other.
        let progress = *polled.as_ref().unwrap_or(&Progress::Ended);
        // Who waits at the end of a process may be found to be stuck.
        is_stale |= !events.is_empty() || progress == Progress::Ended;
        let is_due =
            last_news.is_none_or(|(last, took)| last.elapsed() >= NEWS_EVERY.max(took.saturating_mul(NEWS_SHARE)));
        let wants_news = is_stale && (is_due || progress == Progress::Ended);
        if progress == Progress::CaughtUp && events.is_empty() && !wants_news && last_progress == Some(progress) {
            n_looks += 1;
            pace.rest(n_looks);
            continue;
        }
        n_looks = if events.is_empty() { n_looks } else { 0 };
        for event in &events {
            contention.before(event, analysis.state());
            memory::note(&mut uses, event, analysis.state().position + 1);
            analysis.feed(event, source.definitions());
        }
        analysis.end(progress, source.completeness());
        // Of one that was closed nothing is yet to come, however recent it is.
        let is_open = source.completeness().unclosed;
        let shown_progress = ahead.judge(source.info(), progress, is_open, analysis.state().time);
        if progress == Progress::Ended {
            panic_if_asked("reader");
            // What is there is shown while predictions are proved, which needs another reading.
            events = show_all(events, &*source, &mut known, outlet);
            prove(&mut analysis, &*source, again);
        }
        let (mut findings, mut digest) = (None, None);
        if wants_news {
            let began = Instant::now();
            findings = Some(analysis.findings(source.definitions()));
            digest = Some(Arc::new(Digest::new(&analysis, &contention, source.definitions(), &uses)));
            (last_news, is_stale) = (Some((Instant::now(), began.elapsed())), false);
        }
        let size = Size::of(source.definitions());
        let batch = Batch {
            info: source.info().clone(),
            events,
            defs: (size != known).then(|| Arc::new(source.definitions().clone())),
            findings,
            digest,
            completeness: source.completeness().clone(),
            progress: if polled.is_ok() { shown_progress } else { Progress::More },
            fraction: source.fraction_read(),
        };
        known = size;
        last_progress = Some(progress);
        let is_heard = outlet.send(Ok(batch));
        if let Err(error) = polled {
            outlet.send(Err(error));
        }
        if !is_heard || progress == Progress::Ended {
            return;
        }
    }
}

/// Sends the last events before anything that takes long. Returns those that could not be sent.
fn show_all(events: Vec<Event>, source: &dyn EventSource, known: &mut Size, outlet: &Outlet) -> Vec<Event> {
    if events.is_empty() {
        return events;
    }
    let size = Size::of(source.definitions());
    let batch = Batch {
        info: source.info().clone(),
        events,
        defs: (size != *known).then(|| Arc::new(source.definitions().clone())),
        findings: None,
        digest: None,
        completeness: source.completeness().clone(),
        progress: Progress::More,
        fraction: source.fraction_read(),
    };
    *known = size;
    outlet.send(Ok(batch));
    Vec::new()
}

/// Judges what engines predicted by the run that each gives for it.
fn prove(analysis: &mut Analysis, source: &dyn EventSource, again: &dyn Fn() -> Option<Box<dyn EventSource + Send>>) {
    let claims = analysis.claims(source.definitions());
    if claims.is_empty() {
        return;
    }
    let mut claims = Claims::new(claims);
    if let Some(mut source) = again() {
        let mut events = Vec::new();
        // What cannot be read again proves nothing, and what is not proved is not shown as predicted.
        while let Ok(progress) = source.poll(&mut events) {
            claims.feed(&events, source.definitions());
            events.clear();
            if progress != Progress::More {
                break;
            }
        }
    }
    analysis.settle(claims.finish(source.definitions()));
}

/// Numbers of a run that is there as a whole.
#[cfg(test)]
pub fn digest_of(events: &[Event], defs: &Definitions) -> Digest {
    let mut analysis = Analysis::new(Options::default());
    let (mut contention, mut uses) = (Contention::default(), Vec::new());
    for event in events {
        contention.before(event, analysis.state());
        memory::note(&mut uses, event, analysis.state().position + 1);
        analysis.feed(event, defs);
    }
    Digest::new(&analysis, &contention, defs, &uses)
}

/// Sizes of all tables of definitions. They only grow, so equal sizes mean that nothing changed but names of threads,
/// which are counted apart.
#[derive(PartialEq, Eq, Default)]
struct Size([usize; 7]);

impl Size {
    fn of(defs: &Definitions) -> Size {
        let n_named = defs.threads.iter().filter(|thread| thread.name.is_some()).count();
        let tables = [defs.threads.len(), n_named, defs.locks.len(), defs.sites.len(), defs.stacks.len()];
        let [threads, named, locks, sites, stacks] = tables;
        Size([threads, named, locks, sites, stacks, defs.string_count(), defs.modules.len() + defs.vars.len()])
    }
}
