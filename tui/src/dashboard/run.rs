//! Owns the terminal: sets it up and back, turns key presses into inputs, draws what changed.

use std::{
    io,
    sync::mpsc::{Receiver, TryRecvError},
    time::{Duration, Instant, SystemTime},
};

use lockscope_trace::{Error, Nanos, Progress};
use ratatui::{
    DefaultTerminal,
    crossterm::{
        self,
        event::{self, Event},
    },
};
use signal_hook::{
    consts::{SIGHUP, SIGTERM},
    iterator::Signals,
};

use crate::{
    cli::exit,
    dashboard::{
        draw::{self, theme::Theme},
        keys,
        reader::Batch,
        state::{self, Effect, Input, State},
    },
};

/// The least time between two drawings.
const FRAME: Duration = Duration::from_millis(33);
/// How often waiting times of a hung process are brought up to date.
const CLOCK: Duration = Duration::from_secs(1);
/// Batches taken before input is looked at again.
const MAX_BATCHES: usize = 16;

/// Runs the dashboard until the user quits.
pub fn run(mut state: State, theme: Theme, batches: Receiver<Result<Batch, Error>>) -> io::Result<()> {
    if !theme.color {
        // With NO_COLOR set, crossterm writes an empty colour as a full reset, which would lose bold and reverse too.
        // Our theme without colours has none to write, so forcing them keeps just those.
        crossterm::style::force_color_output(true);
    }
    // Installs a hook that restores the terminal on panic.
    let mut terminal = ratatui::try_init()?;
    let mut signals = Signals::new([SIGTERM, SIGHUP])?;
    let handle = signals.handle();
    let watcher = std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            ratatui::restore();
            std::process::exit(exit::signal(signal).into());
        }
    });
    let result = events(&mut terminal, &mut state, &theme, &batches);
    ratatui::restore();
    handle.close();
    let _ = watcher.join();
    result
}

fn events(
    terminal: &mut DefaultTerminal,
    state: &mut State,
    theme: &Theme,
    batches: &Receiver<Result<Batch, Error>>,
) -> io::Result<()> {
    let size = terminal.size()?;
    state::update(state, Input::Resize(size.width, size.height));
    let mut is_dirty = true;
    let mut is_reading = true;
    let mut has_more = true;
    let mut last_frame: Option<Instant> = None;
    let mut last_clock: Option<Instant> = None;
    loop {
        if is_dirty && last_frame.is_none_or(|last| last.elapsed() >= FRAME) {
            let mut limit = 0;
            terminal.draw(|frame| limit = draw::draw(state, theme, frame))?;
            state::update(state, Input::Drawn(limit));
            last_frame = Some(Instant::now());
            is_dirty = false;
        }
        let mut inputs = Vec::new();
        // A finished trace that is on the screen needs nothing until a key is pressed.
        let is_idle = !is_reading && !is_dirty;
        let patience = if has_more { Duration::ZERO } else { FRAME };
        if is_idle || event::poll(patience)? {
            inputs.extend(input(event::read()?, state));
        } else {
            let arrived = receive(batches, &mut inputs);
            has_more = arrived == Arrived::More;
            is_reading &= arrived != Arrived::Last;
        }
        if state.model.is_live() && last_clock.is_none_or(|last| last.elapsed() >= CLOCK) {
            last_clock = Some(Instant::now());
            inputs.push(Input::Clock(now(state)));
        }
        for input in inputs {
            match state::update(state, input) {
                Effect::Nothing => {}
                Effect::Redraw => is_dirty = true,
                Effect::Quit => return Ok(()),
            }
        }
    }
}

/// What was waiting to be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arrived {
    /// So much that the rest has to wait until input was looked at.
    More,
    /// All that there is for now.
    All,
    /// The last there will ever be.
    Last,
}

/// Takes some of what has arrived.
fn receive(batches: &Receiver<Result<Batch, Error>>, inputs: &mut Vec<Input>) -> Arrived {
    for _ in 0..MAX_BATCHES {
        match batches.try_recv() {
            Ok(Ok(batch)) => {
                let is_last = batch.progress == Progress::Ended;
                inputs.push(Input::Batch(Box::new(batch)));
                if is_last {
                    return Arrived::Last;
                }
            }
            Ok(Err(error)) => {
                inputs.push(Input::Failed(error.to_string()));
                return Arrived::Last;
            }
            Err(TryRecvError::Empty) => return Arrived::All,
            Err(TryRecvError::Disconnected) => return Arrived::Last,
        }
    }
    Arrived::More
}

/// What an event of the terminal means in this state.
fn input(event: Event, state: &State) -> Option<Input> {
    match event {
        Event::Resize(columns, rows) => Some(Input::Resize(columns, rows)),
        Event::Key(key) => {
            let name = keys::key_name(key)?;
            if state.prompt.is_none() {
                return keys::lookup(state.view, &name).map(Input::Action);
            }
            match name.as_str() {
                "enter" => Some(Input::Accept),
                "backspace" => Some(Input::Erase),
                "esc" => Some(Input::Action(state::Action::Escape)),
                "ctrl-c" => Some(Input::Action(state::Action::ForceQuit)),
                "space" => Some(Input::Type(' ')),
                _ => name.chars().next().filter(|_| name.chars().count() == 1).map(Input::Type),
            }
        }
        _ => None,
    }
}

/// The present, by the trace's clock.
fn now(state: &State) -> Nanos {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Nanos(u64::try_from(since_epoch.saturating_sub(state.model.info.started).as_nanos()).unwrap_or(u64::MAX))
}
