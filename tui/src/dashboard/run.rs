//! Owns the terminal and the clock: turns what comes in into inputs, draws what changed, and does what [`state`] asks for.
//!
//! Nothing runs while nothing happens: a paused view of a finished trace waits for a key without looking at a clock.

use std::{
    io,
    sync::mpsc::{Receiver, TryRecvError},
    time::{Duration, Instant, SystemTime},
};

use lockscope_trace::{Error, Nanos, Progress};
use ratatui::{
    buffer::Buffer,
    crossterm::{
        self,
        event::{self, Event, MouseButton, MouseEventKind},
    },
};
use signal_hook::{
    consts::{SIGHUP, SIGTERM},
    iterator::Signals,
};

use crate::{
    cli::exit,
    dashboard::{
        background::{Heard, Late},
        draw::{self, theme::Palette},
        export, keys,
        reader::{Batch, Feed},
        state::{self, Effect, Input, Mouse, MouseKind, State},
        terminal::{self, Screen},
        wake::{Bell, Sleeper},
    },
};

/// The least time between two drawings.
const FRAME: Duration = Duration::from_millis(33);
/// And of all time drawing what nobody has asked for takes no more than a part of so many: the rest is for what comes in.
const SHARE: u32 = 4;
/// How often waiting times of a hung process are brought up to date.
const CLOCK: Duration = Duration::from_secs(1);
/// Events of the terminal that are taken before anything else is looked at.
const MAX_INPUTS: usize = 64;
/// Batches taken before input is looked at again.
const MAX_BATCHES: usize = 16;
/// Two presses within this time at one place are a double press.
const DOUBLE: Duration = Duration::from_millis(400);

/// How the terminal is used.
#[derive(Clone, Debug)]
pub struct Options {
    /// The mouse is listened to.
    pub mouse: bool,
    /// Command of the editor.
    pub editor: Option<String>,
    /// The terminal was asked something and may still answer.
    pub has_late_answer: bool,
}

/// Runs the dashboard until the user quits, and gives the last state to `keep`. Returns the last screen when it is to be left printed.
pub fn run(
    mut state: State,
    feed: Feed,
    (bell, mut sleeper): (Bell, Sleeper),
    options: Options,
    keep: impl FnOnce(&State),
) -> io::Result<Option<String>> {
    if state.theme.palette == Palette::Mono {
        // With NO_COLOR set, crossterm writes an empty colour as a full reset, which would lose bold and reverse too.
        // Our theme without colours has none to write, so forcing them keeps just those.
        crossterm::style::force_color_output(true);
    }
    let mut screen = Screen::take(options.mouse)?;
    let mut signals = Signals::new([SIGTERM, SIGHUP])?;
    let handle = signals.handle();
    let watcher = std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            terminal::give_back();
            std::process::exit(exit::signal(signal).into());
        }
    });
    // Crossterm listens to the signal of a new size from its first look on, and has to do so before us.
    event::poll(Duration::ZERO)?;
    sleeper.hear_resizes(&bell)?;
    let result = Loop::new(&mut screen, &options).run(&mut state, &feed, &mut sleeper);
    drop(screen);
    keep(&state);
    handle.close();
    let _ = watcher.join();
    result
}

struct Loop<'a> {
    screen: &'a mut Screen,
    options: &'a Options,
    is_dirty: bool,
    last_frame: Option<Instant>,
    last_press: Option<(Instant, u16, u16)>,
    drawn: Buffer,
    /// How long the last drawing took.
    cost: Duration,
    late: Option<Late>,
}

impl Loop<'_> {
    fn new<'a>(screen: &'a mut Screen, options: &'a Options) -> Loop<'a> {
        let late = options.has_late_answer.then(Late::default);
        Loop {
            screen,
            options,
            is_dirty: true,
            last_frame: None,
            last_press: None,
            drawn: Buffer::default(),
            cost: Duration::ZERO,
            late,
        }
    }

    fn run(&mut self, state: &mut State, feed: &Feed, sleeper: &mut Sleeper) -> io::Result<Option<String>> {
        let size = self.screen.terminal().size()?;
        state::update(state, Input::Resize(size.width, size.height));
        let mut is_reading = true;
        let mut last_clock: Option<Instant> = None;
        let mut last_played: Option<Instant> = None;
        let mut has_input = false;
        loop {
            let mut inputs = Vec::new();
            while inputs.len() < MAX_INPUTS && event::poll(Duration::ZERO)? {
                inputs.extend(self.input(event::read()?));
                has_input = true;
            }
            // The terminal has bytes that make no event yet: looking at them again and again would change nothing.
            let is_stuck = has_input && inputs.is_empty();
            let was_asked = !inputs.is_empty();
            if was_asked {
                terminal::panic_if_asked("key");
            }
            let arrived = if is_reading { receive(&feed.batches, &mut inputs) } else { Arrived::All };
            is_reading &= arrived != Arrived::Last;
            inputs.extend(feed.present.take().map(Input::Present));
            let is_clocked = state.model.is_live() && state.follows;
            if is_clocked && last_clock.is_none_or(|last| last.elapsed() >= CLOCK) {
                last_clock = Some(Instant::now());
                inputs.push(Input::Clock(now(state)));
            }
            if !state.plays {
                last_played = None;
            } else if last_played.is_none_or(|last| last.elapsed() >= FRAME) {
                let passed = last_played.replace(Instant::now()).map_or(FRAME, |last| last.elapsed());
                inputs.push(Input::Played(Nanos(passed.as_nanos() as u64)));
            }
            for input in inputs {
                let effect = state::update(state, input);
                if let Some(end) = self.effect(state, effect)? {
                    return Ok(end);
                }
            }
            if was_asked {
                feed.pause(!state.follows);
            }
            // Whoever presses a key sees what comes of it at once; news can wait for the next frame.
            let frame = FRAME.max(self.cost.saturating_mul(SHARE));
            if self.is_dirty && (was_asked || self.last_frame.is_none_or(|last| last.elapsed() >= frame)) {
                self.draw(state)?;
            }
            let in_time = |last: Option<Instant>, every: Duration| {
                last.map_or(Duration::ZERO, |last| every.saturating_sub(last.elapsed()))
            };
            let timeouts = [
                (arrived == Arrived::More).then_some(Duration::ZERO),
                self.is_dirty.then(|| in_time(self.last_frame, frame)),
                state.plays.then(|| in_time(last_played, FRAME)),
                (state.model.is_live() && state.follows).then(|| in_time(last_clock, CLOCK)),
            ];
            let timeout = timeouts.into_iter().flatten().min();
            if is_stuck {
                std::thread::sleep(FRAME);
            }
            has_input = sleeper.wait(timeout)?;
        }
    }

    fn draw(&mut self, state: &mut State) -> io::Result<()> {
        let began = Instant::now();
        state.refresh();
        let mut drawn_screen = Default::default();
        self.drawn = terminal::alone(|| {
            let frame = self.screen.terminal().draw(|frame| drawn_screen = draw::draw(state, frame))?;
            io::Result::Ok(frame.buffer.clone())
        })?;
        state::update(state, Input::Drawn(Box::new(drawn_screen)));
        self.last_frame = Some(Instant::now());
        self.cost = began.elapsed();
        self.is_dirty = false;
        Ok(())
    }

    /// Does what is asked for. Returns how it ends, if it does.
    fn effect(&mut self, state: &mut State, effect: Effect) -> io::Result<Option<Option<String>>> {
        let said = match effect {
            Effect::Nothing => return Ok(None),
            Effect::Redraw | Effect::Theme => None,
            Effect::Clear => {
                self.screen.terminal().clear()?;
                None
            }
            Effect::Quit { prints } => return Ok(Some(prints.then(|| export::text(&self.drawn)))),
            Effect::Suspend => self.screen.lend(terminal::suspend)?.err(),
            Effect::Edit(path, line) => {
                let editor = self.options.editor.as_deref();
                self.screen.lend(|| terminal::edit(editor, &path, line))?.err()
            }
            Effect::Copy(text) => Some(match terminal::copy(&text) {
                Ok(()) => format!("copied: {}", text.lines().next().unwrap_or("")),
                Err(error) => format!("cannot copy: {error}"),
            }),
            Effect::Write { stem, format } => {
                let text = export::render(state, format, &self.drawn);
                Some(match terminal::write_new(&stem, format.extension(), &text) {
                    Ok(name) => format!("written to {name}"),
                    Err(error) => format!("cannot write {stem}.{}: {error}", format.extension()),
                })
            }
        };
        if let Some(said) = said {
            state::update(state, Input::Said(said));
        }
        self.is_dirty = true;
        Ok(None)
    }

    /// What an event of the terminal means.
    fn input(&mut self, event: Event) -> Option<Input> {
        match event {
            Event::Resize(columns, rows) => Some(Input::Resize(columns, rows)),
            Event::Key(key) => match self.late.as_mut().map_or(Heard::Key, |late| late.hear(&key)) {
                Heard::Key => keys::key_name(key).map(Input::Key),
                Heard::Part => None,
                Heard::End(is_light) => {
                    self.late = None;
                    is_light.map(|is_light| Input::Background { is_light })
                }
            },
            Event::Paste(text) => Some(Input::Paste(text)),
            Event::Mouse(mouse) => {
                let (x, y) = (mouse.column, mouse.row);
                let what = match mouse.kind {
                    MouseEventKind::Down(MouseButton::Left) => {
                        let is_double = self
                            .last_press
                            .replace((Instant::now(), x, y))
                            .is_some_and(|(last, at_x, at_y)| last.elapsed() < DOUBLE && (at_x, at_y) == (x, y));
                        if is_double { MouseKind::DoublePress } else { MouseKind::Press }
                    }
                    MouseEventKind::Drag(MouseButton::Left) => MouseKind::Drag,
                    MouseEventKind::Up(MouseButton::Left) => MouseKind::Release,
                    MouseEventKind::ScrollDown => MouseKind::Wheel(1),
                    MouseEventKind::ScrollUp => MouseKind::Wheel(-1),
                    _ => return None,
                };
                Some(Input::Mouse(Mouse { what, x, y }))
            }
            _ => None,
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

/// The present, by the trace's clock.
fn now(state: &State) -> Nanos {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Nanos(u64::try_from(since_epoch.saturating_sub(state.model.info.started).as_nanos()).unwrap_or(u64::MAX))
}
