//! `lockscope top`: opens the dashboard on a process or a trace.

mod process;

use std::{
    ffi::OsString,
    io::IsTerminal,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use clap::{Args, ValueHint};

use crate::{
    cli::{
        Failure, Global, exit,
        run::{child, environment::Recording, traces::Pattern},
    },
    dashboard::{
        Looks, background,
        kept::{self, Kept},
        model::Model,
        reader, run,
        state::State,
        terminal, wake,
    },
};

/// How long `run --top` waits for the program to begin recording before it opens the dashboard without it.
const FIRST_TRACE: Duration = Duration::from_secs(10);
/// Pause between two looks for a trace.
const LOOK: Duration = Duration::from_millis(20);

/// Arguments of `top`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  lockscope top 12345\n  lockscope top target/lockscope/bank-12345.lks\n\nIn the dashboard ? shows all keys and q quits."
)]
pub struct TopArgs {
    /// Id of a process that is recording, or a trace, finished or still being written
    #[arg(value_name = "PID|TRACE", value_hint = ValueHint::FilePath)]
    target: PathBuf,
}

/// Runs the verb.
pub fn run(args: &TopArgs, global: &Global) -> Result<u8, Failure> {
    require_terminal()?;
    let path = match args.target.to_str().and_then(|text| text.parse::<u32>().ok()) {
        Some(pid) if !args.target.exists() => process::trace_of(pid)?,
        _ => args.target.clone(),
    };
    show(&path, global)
}

/// Refuses to go on without a terminal that can be drawn on.
pub fn require_terminal() -> Result<(), Failure> {
    let help = "`lockscope show TRACE threads` and `lockscope check TRACE` work without one";
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure::usage("the dashboard needs a terminal as input and output", help));
    }
    if std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
        return Err(Failure::usage(
            "the dashboard needs a terminal that can be drawn on, and TERM says it cannot",
            help,
        ));
    }
    Ok(())
}

fn show(path: &Path, global: &Global) -> Result<u8, Failure> {
    // Before the terminal is touched, so that what is wrong is read as any other message.
    let config = global.config()?;
    let refused = |error| Failure::usage(format!("cannot use the terminal: {error}"), "");
    let (bell, sleeper) = wake::pair().map_err(refused)?;
    terminal::end_on_panic();
    let (info, feed) = reader::start(path.to_owned(), global.input(), bell.clone())?;
    let look = global.stdout();
    let mut has_late_answer = false;
    let is_light = || {
        let environment = std::env::var("COLORFGBG").ok();
        background::of_environment(environment.as_deref()).unwrap_or_else(|| {
            let answer = terminal::alone(background::ask);
            has_late_answer = answer.is_late;
            answer.is_light
        })
    };
    let help = "`lockscope config show` lists what is configured";
    let looks = Looks::new(look.color, look.ascii, is_light, &config).map_err(|error| Failure::usage(error, help))?;
    let sources = global.sources(&info, &config);
    let mut state = State::new(Model::new(info), sources, looks.theme, looks.keys);
    state.settings = looks.settings;
    let kept = kept::path(|name| std::env::var_os(name));
    kept.iter().for_each(|path| Kept::read(path).restore(&mut state));
    let keep = move |state: &State| kept.iter().for_each(|path| drop(Kept::of(state).write(path)));
    let options = run::Options { mouse: looks.mouse, editor: looks.editor, has_late_answer };
    let last = run::run(state, feed, (bell, sleeper), options, keep).map_err(refused)?;
    if let Some(last) = last {
        print!("{last}");
    }
    Ok(exit::OK)
}

/// `run --top`: the program runs in the background of the dashboard; its output would destroy the screen and goes to a
/// file.
pub fn run_child(command: &[OsString], recording: &Recording, global: &Global) -> Result<ExitStatus, Failure> {
    let log_path = PathBuf::from(recording.path.to_string_lossy().replace("%p", "top").replace("%e", "program"))
        .with_extension("log");
    let log = std::fs::File::create(&log_path).map_err(|error| Failure::write(&log_path, &error))?;
    let errors = log.try_clone().map_err(|error| Failure::write(&log_path, &error))?;
    let pattern = Pattern::new(&recording.path);
    let before = pattern.existing();
    let mut prepared = Command::new(&command[0]);
    prepared.stdin(Stdio::null()).stdout(log).stderr(errors);
    let mut child = child::start(command, recording, &mut prepared)?;

    let failed = |error| Failure::input(format!("cannot wait for the program: {error}"), "");
    let started = Instant::now();
    let trace = loop {
        if let Some(trace) = pattern.appeared_since(&before, recording.run).into_iter().next() {
            break Some(trace);
        }
        if child.try_wait().map_err(failed)?.is_some() || started.elapsed() > FIRST_TRACE {
            break None;
        }
        std::thread::sleep(LOOK);
    };
    match trace {
        Some(trace) => drop(show(&trace, global)?),
        None => eprintln!("the program has not begun to record; waiting for its end"),
    }
    if child.try_wait().map_err(failed)?.is_none() {
        eprintln!(
            "{} is still running (process {}); waiting for it, Ctrl-C ends it",
            command[0].to_string_lossy(),
            child.id()
        );
    }
    let status = child::finish(child)?;
    eprintln!("its output is in {}", crate::source::short_path(&log_path.to_string_lossy()));
    Ok(status)
}
