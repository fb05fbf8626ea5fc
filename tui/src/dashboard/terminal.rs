//! The terminal: taken over and given back, also for an editor and for the background.

use std::{
    io::{self, Write},
    panic,
    path::Path,
    process::Command,
    sync::{Mutex, MutexGuard, Once, PoisonError},
    thread,
};

use ratatui::{
    DefaultTerminal, Terminal,
    backend::CrosstermBackend,
    crossterm::{
        self,
        cursor::Show,
        event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture},
        terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
    },
};

/// Whether the terminal is ours; whoever holds this takes it, gives it back or draws.
static IS_TAKEN: Mutex<bool> = Mutex::new(false);
/// What a program ends with that has panicked.
const PANICKED: i32 = 101;

/// A terminal that is ours, and is given back when this is dropped.
pub struct Screen {
    terminal: DefaultTerminal,
    mouse: bool,
}

impl Screen {
    /// Takes the terminal over.
    pub fn take(mouse: bool) -> io::Result<Screen> {
        Ok(Screen { terminal: enter(mouse)?, mouse })
    }

    /// The terminal to draw on.
    pub fn terminal(&mut self) -> &mut DefaultTerminal {
        &mut self.terminal
    }

    /// Does something with the terminal as it was before, and takes it over again.
    pub fn lend<T>(&mut self, use_it: impl FnOnce() -> T) -> io::Result<T> {
        give_back();
        let result = use_it();
        self.terminal = enter(self.mouse)?;
        self.terminal.clear()?;
        Ok(result)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Panics where a test asks for it, to see what is left of the terminal then. Not in what users have.
pub fn panic_if_asked(place: &str) {
    if cfg!(debug_assertions) && std::env::var_os("LOCKSCOPE_TEST_PANIC").is_some_and(|asked| asked == place) {
        panic!("asked to panic: {place}");
    }
}

/// From here on a panic, of whichever thread, gives the terminal back and ends the program: the message is to be read, and nothing is to be
/// drawn over it.
pub fn end_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if thread::current().name() == Some("main") {
                // It may be the one that draws.
                restore();
                return before(panic);
            }
            // Held to the end, so that the main thread neither draws nor takes the terminal any more.
            let mut is_taken = lock();
            if std::mem::take(&mut *is_taken) {
                restore();
            }
            before(panic);
            std::process::exit(PANICKED);
        }));
    });
}

fn lock() -> MutexGuard<'static, bool> {
    IS_TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn enter(mouse: bool) -> io::Result<DefaultTerminal> {
    let mut is_taken = lock();
    enable_raw_mode()?;
    *is_taken = true;
    crossterm::execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
    if mouse {
        crossterm::execute!(io::stdout(), EnableMouseCapture)?;
    }
    Terminal::new(CrosstermBackend::new(io::stdout()))
}

/// Uses the terminal while nobody else takes it, gives it back or says a last word on it.
pub fn alone<T>(use_it: impl FnOnce() -> T) -> T {
    let _is_taken = lock();
    use_it()
}

/// Gives the terminal back, once: a second time would put the cursor where it was before the first.
pub fn give_back() {
    // Of a panic that is going on the hook has done this already.
    if std::mem::take(&mut *lock()) && !thread::panicking() {
        restore();
    }
}

fn restore() {
    // Nothing can be done about a terminal that is gone.
    let _ = crossterm::execute!(io::stdout(), DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// Opens a file at a line in the editor: that of the configuration, `$VISUAL`, `$EDITOR`, or `vi`. The error is for people.
pub fn edit(template: Option<&str>, file: &Path, line: u32) -> Result<(), String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let template = template.map(str::to_owned).or_else(|| variable("VISUAL")).or_else(|| variable("EDITOR"));
    let command = editor_command(&template.unwrap_or_else(|| "vi".to_owned()), &file.to_string_lossy(), line);
    let Some((program, arguments)) = command.split_first() else { return Err("the editor has no name".to_owned()) };
    match Command::new(program).args(arguments).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} ended with {status}")),
        Err(error) => Err(format!("cannot run {program}: {error}; set $EDITOR to your editor")),
    }
}

/// The words of an editor's command. Without places for file and line they are added as that editor wants them.
fn editor_command(template: &str, file: &str, line: u32) -> Vec<String> {
    let filled = |word: &str| word.replace("{file}", file).replace("{line}", &line.to_string());
    let mut words: Vec<String> = template.split_whitespace().map(filled).collect();
    if template.contains("{file}") {
        return words;
    }
    let name = words.first().map(|word| word.rsplit('/').next().unwrap_or(word).to_owned()).unwrap_or_default();
    match name.as_str() {
        "code" | "codium" | "cursor" => words.extend(["--goto".to_owned(), format!("{file}:{line}")]),
        "subl" | "hx" | "helix" | "zed" => words.push(format!("{file}:{line}")),
        // vi, emacs, nano, kak and most others.
        _ => words.extend([format!("+{line}"), file.to_owned()]),
    }
    words
}

/// Puts a text on the clipboard by OSC 52, which works through ssh and tmux where these allow it.
pub fn copy(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    write!(out, "\u{1b}]52;c;{}\u{7}", base64(text.as_bytes()))?;
    out.flush()
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().enumerate().fold(0_u32, |group, (idx, byte)| group | u32::from(*byte) << (16 - 8 * idx));
        for idx in 0..4 {
            let sextet = (group >> (18 - 6 * idx)) as usize & 63;
            out.push(if idx <= chunk.len() { ALPHABET[sextet] as char } else { '=' });
        }
    }
    out
}

/// Goes to the background, as Ctrl-Z does for other programs; returns when the shell brings us back.
pub fn suspend() -> Result<(), String> {
    let pid = rustix::process::getpid();
    rustix::process::kill_process(pid, rustix::process::Signal::TSTP).map_err(|error| format!("cannot stop: {error}"))
}

/// Writes a file beside the user that was not there before. Returns its name.
pub fn write_new(stem: &str, extension: &str, text: &str) -> io::Result<String> {
    for number in 1..1000 {
        let name = if number == 1 { format!("{stem}.{extension}") } else { format!("{stem}-{number}.{extension}") };
        match std::fs::File::options().write(true).create_new(true).open(&name) {
            Ok(mut file) => return file.write_all(text.as_bytes()).map(|()| name),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "there are a thousand of them already"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")]
        {
            assert_eq!(base64(text.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }

    #[test]
    fn editors_are_told_file_and_line() {
        for (template, expected) in [
            ("vi", "vi|+41|a b.rs"),
            ("/usr/bin/code --wait", "/usr/bin/code|--wait|--goto|a b.rs:41"),
            ("hx", "hx|a b.rs:41"),
            ("my-editor --line={line} {file}", "my-editor|--line=41|a b.rs"),
        ] {
            assert_eq!(editor_command(template, "a b.rs", 41).join("|"), expected);
        }
    }
}
