//! What the dashboard costs, measured: time to the first frame, seeks, frames, filters, memory.
//!
//! ```text
//! cargo test --release -p lockscope-cli --bin lockscope budgets -- --ignored --nocapture
//! ```
//!
//! `LOCKSCOPE_BENCH_EVENTS` is the length of the long trace, by default 20 million. Prints figures and judges none: how fast a machine is is
//! not a property of the program. What is done for a key or a frame is measured as processor time of the thread that does it, so that other
//! programs disturb it less; the first frame, for which two threads work, as time on the clock.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use lockscope_analyzer::{input, timeline::Timeline};
use lockscope_trace::{Nanos, Progress};
use lockscope_trace_bench::{Random, Shape};
use ratatui::{Terminal, backend::TestBackend};
use rustix::time::{ClockId, clock_gettime};

use crate::{
    dashboard::{
        draw::{
            self,
            theme::{Palette, Theme},
        },
        keys::Keys,
        model::Model,
        reader,
        state::{Input, State, View, update},
    },
    source::Sources,
};

/// Processor time of this thread.
#[derive(Clone, Copy)]
struct Spent(Duration);

impl Spent {
    fn now() -> Spent {
        let spent = clock_gettime(ClockId::ThreadCPUTime);
        Spent(Duration::new(spent.tv_sec.unsigned_abs(), spent.tv_nsec.unsigned_abs() as u32))
    }

    fn elapsed(self) -> Duration {
        Spent::now().0 - self.0
    }
}

/// A trace in the memory file system, or else in the temporary directory, that is removed in the end.
struct Trace(PathBuf);

impl Trace {
    fn new(name: &str, shape: &Shape) -> Trace {
        let memory = PathBuf::from("/dev/shm");
        let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let path = base.join(format!("lockscope-budgets-{name}-{}.lks", std::process::id()));
        let events = lockscope_trace_bench::write(&path, shape).expect("there is room for the trace");
        let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        println!("{name}: {events} events, {:.1} MB", bytes as f64 / 1e6);
        Trace(path)
    }

    fn bytes(&self) -> u64 {
        std::fs::metadata(&self.0).map_or(0, |metadata| metadata.len())
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn state(info: lockscope_trace::TraceInfo) -> State {
    let sources = Sources::new(&info, &[]);
    State::new(Model::new(info), sources, Theme::new(Palette::Dark, false), Keys::default())
}

fn frame(state: &mut State, terminal: &mut Terminal<TestBackend>) -> Duration {
    let began = Spent::now();
    state.refresh();
    let mut screen = Default::default();
    terminal.draw(|frame| screen = draw::draw(state, frame)).expect("memory can be drawn on");
    let took = began.elapsed();
    update(state, Input::Drawn(Box::new(screen)));
    took
}

fn terminal() -> Terminal<TestBackend> {
    Terminal::new(TestBackend::new(200, 60)).expect("memory is always there")
}

/// The dashboard with a whole trace in it; all that takes.
fn loaded(trace: &Trace) -> State {
    let (info, feed) = reader::start(trace.0.clone(), Default::default(), Default::default()).expect("it is a trace");
    let mut state = state(info);
    for batch in feed.batches {
        let batch = batch.expect("it can be read");
        let is_all = batch.progress != Progress::More;
        update(&mut state, Input::Batch(Box::new(batch)));
        if is_all {
            break;
        }
    }
    state.refresh();
    state
}

fn show(what: &str, took: &mut [Duration]) {
    took.sort_unstable();
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    println!("  {what:<44} median {:8.3} ms  worst {:8.3} ms", ms(took[took.len() / 2]), ms(took[took.len() - 1]));
}

#[test]
#[ignore = "a measurement"]
fn first_frame_of_ten_megabytes() {
    let trace = Trace::new("ten-megabytes", &Shape { events: 1_250_000, ..Shape::default() });
    let mut took = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        let (info, feed) =
            reader::start(trace.0.clone(), Default::default(), Default::default()).expect("it is a trace");
        let mut state = state(info);
        let mut terminal = terminal();
        let batch = feed.batches.recv().expect("there is a first batch").expect("it can be read");
        update(&mut state, Input::Batch(Box::new(batch)));
        frame(&mut state, &mut terminal);
        took.push(began.elapsed());
        assert_eq!(state.model.progress, Progress::More, "the rest is loaded behind");
    }
    show("start to first frame with content", &mut took);
}

#[test]
#[ignore = "a measurement"]
fn frames_with_many_threads_and_locks() {
    let shape = Shape { events: 2_000_000, threads: 10_000, locks: 100_000, contention: 20, ..Shape::default() };
    let trace = Trace::new("many", &shape);
    let mut state = loaded(&trace);
    println!("  {} threads, {} locks", state.at.threads.len(), state.at.locks.len());
    let mut terminal = terminal();
    update(&mut state, Input::Resize(200, 60));
    let middle = state.model.len() / 2;
    for view in View::ALL {
        let key = state.keys.of(&view.title().to_lowercase())[0].clone();
        update(&mut state, Input::Key(key));
        frame(&mut state, &mut terminal);
        // Again without a change, then with everything brought up to date as after a step.
        let mut still: Vec<Duration> = (0..20).map(|_| frame(&mut state, &mut terminal)).collect();
        show(&format!("{view:?}: frame"), &mut still);
        let mut moved: Vec<Duration> = (0..10)
            .map(|step| {
                let began = Spent::now();
                state.seek(middle + step);
                frame(&mut state, &mut terminal);
                began.elapsed()
            })
            .collect();
        show(&format!("{view:?}: step and frame"), &mut moved);
    }
    for (key, text) in [("3", "worker"), ("4", "mutex"), ("4", "waiting>0"), ("4", "site:main")] {
        update(&mut state, Input::Key(key.to_owned()));
        update(&mut state, Input::Key("/".to_owned()));
        update(&mut state, Input::Key("ctrl-u".to_owned()));
        let mut took: Vec<Duration> = text
            .chars()
            .map(|c| {
                let began = Spent::now();
                update(&mut state, Input::Key(c.to_string()));
                frame(&mut state, &mut terminal);
                began.elapsed()
            })
            .collect();
        show(&format!("keystroke of a filter: {text}"), &mut took);
        update(&mut state, Input::Key("esc".to_owned()));
    }
}

#[test]
#[ignore = "a measurement"]
fn seeks_in_a_long_trace() {
    let events = std::env::var("LOCKSCOPE_BENCH_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000_000);
    let trace = Trace::new("long", &Shape { events, contention: 5, ..Shape::default() });
    let mut source = input::open(&trace.0).expect("it is a trace");
    let mut timeline = Timeline::default();
    let (mut batch, mut spent) = (Vec::new(), Duration::ZERO);
    loop {
        let progress = source.poll(&mut batch).expect("it can be read");
        let began = Spent::now();
        timeline.extend(&batch);
        spent += began.elapsed();
        batch.clear();
        if progress != Progress::More {
            break;
        }
    }
    let n_events = timeline.len();
    println!(
        "  taken in at {:.1} million events/s, {:.1} bytes an event, {:.2} times the file",
        n_events as f64 / spent.as_secs_f64() / 1e6,
        timeline.weight() as f64 / n_events as f64,
        timeline.weight() as f64 / trace.bytes() as f64,
    );
    let mut random = Random::new(7);
    let mut here = timeline.state_at(0);
    let mut took: Vec<Duration> = (0..300)
        .map(|_| {
            let to = random.below(n_events);
            let began = Spent::now();
            timeline.seek(&mut here, to);
            began.elapsed()
        })
        .collect();
    show("seek to any event", &mut took);
    let end = timeline.latest().time;
    let mut took: Vec<Duration> = (0..300)
        .map(|_| {
            let time = Nanos(random.below(end.0));
            let began = Spent::now();
            timeline.position_at(time);
            began.elapsed()
        })
        .collect();
    show("event of any time", &mut took);
    let lanes: Vec<_> =
        (0..17).map(|id| lockscope_analyzer::timeline::Lane::Thread(lockscope_trace::ThreadId(id))).collect();
    for part in [1, 10, 1_000, 100_000] {
        let mut took: Vec<Duration> = (0..10)
            .map(|_| {
                let width = end.0 / part;
                let from = random.below(end.0 - width + 1);
                let began = Spent::now();
                timeline.picture((Nanos(from), Nanos(from + width)), end, 160, &lanes);
                began.elapsed()
            })
            .collect();
        show(&format!("picture of 1/{part} of the run, 160 columns"), &mut took);
    }
}
