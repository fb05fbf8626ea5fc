//! Whether the terminal's background is light: what `COLORFGBG` says, or else what the terminal answers to OSC 11.
//!
//! The question is followed by one that every terminal answers (primary device attributes), so that one that does not know
//! the first need not be waited for. An answer that comes too late would look like keys; [`Late`] tells these apart.

use std::{
    io::{self, Write},
    os::fd::AsFd,
    time::{Duration, Instant},
};

use ratatui::crossterm::{
    event::{KeyCode, KeyEvent, KeyModifiers},
    terminal,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

/// How long an answer is waited for: too short to be noticed. One that comes later counts when it comes.
const PATIENCE: Duration = Duration::from_millis(100);
/// Longer answers are none.
const MOST_BYTES: usize = 256;

/// What is known of the background.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// It is light.
    pub is_light: bool,
    /// The terminal has not answered yet.
    pub is_late: bool,
}

/// What the environment says, where it says anything: `COLORFGBG` ends with the number of the background's colour.
pub fn of_environment(color_fg_bg: Option<&str>) -> Option<bool> {
    let number = color_fg_bg?.rsplit(';').next()?.parse::<u8>().ok()?;
    Some(matches!(number, 7 | 15))
}

/// Asks the terminal. What cannot be known counts as dark.
pub fn ask() -> Answer {
    let unknown = Answer { is_light: false, is_late: false };
    // The console of Linux prints what it does not know.
    if std::env::var_os("TERM").is_none_or(|term| term == "linux" || term == "dumb") {
        return unknown;
    }
    if terminal::enable_raw_mode().is_err() {
        return unknown;
    }
    let answer = conversation().unwrap_or_default();
    let _ = terminal::disable_raw_mode();
    Answer { is_light: is_light(&answer).unwrap_or(false), is_late: !is_over(&answer) }
}

/// All that the terminal says until it has answered the second question, or for as long as one has patience.
fn conversation() -> io::Result<Vec<u8>> {
    let mut out = io::stdout();
    out.write_all(b"\x1b]11;?\x1b\\\x1b[c")?;
    out.flush()?;
    let until = Instant::now() + PATIENCE;
    let (stdin, mut answer) = (io::stdin(), Vec::new());
    while !is_over(&answer) && answer.len() < MOST_BYTES {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).unwrap_or_default();
        match poll(&mut [PollFd::new(&stdin.as_fd(), PollFlags::IN)], Some(&timeout)) {
            Ok(0) => break,
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        // Not by way of `Stdin`, which would keep what comes after the answer for itself.
        let mut bytes = [0; 64];
        match rustix::io::read(&stdin, &mut bytes)? {
            0 => break,
            n => answer.extend_from_slice(&bytes[..n]),
        }
    }
    Ok(answer)
}

/// Whether the second question is answered: `ESC [ ? 62 ; 22 c`.
fn is_over(answer: &[u8]) -> bool {
    let begins = answer.windows(3).position(|window| window == b"\x1b[?");
    begins.is_some_and(|at| answer[at..].contains(&b'c'))
}

/// Whether the colour of the answer `ESC ] 11 ; rgb:ffff/ffff/ffff` is nearer to white than to black. Each part has one to
/// four digits.
fn is_light(answer: &[u8]) -> Option<bool> {
    let text = String::from_utf8_lossy(answer);
    let (_, color) = text.split_once("]11;")?;
    let color = color.trim_start_matches("rgba:").trim_start_matches("rgb:");
    let mut parts = color.split('/').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_hexdigit).take(4).collect();
        let most = (1_u32 << (4 * digits.len())) - 1;
        u32::from_str_radix(&digits, 16).ok().map(|value| value * 1000 / most)
    });
    let [red, green, blue] = [parts.next()??, parts.next()??, parts.next()??];
    // Rec. ITU-R BT.709.
    Some(red * 2126 + green * 7152 + blue * 722 > 500 * 10_000)
}

/// What a key is, when an answer may still come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// A key.
    Key,
    /// Part of an answer.
    Part,
    /// The end of an answer, and whether the background is light, if it says so.
    End(Option<bool>),
}

/// Tells an answer that comes late from keys.
#[derive(Debug, Default)]
pub struct Late {
    /// The answer so far, while one comes.
    answer: Option<String>,
}

impl Late {
    /// What a key is. An answer begins with `ESC ]`, which is read as Alt-], and ends with BEL or `ESC \`.
    pub fn hear(&mut self, key: &KeyEvent) -> Heard {
        let (is_alt, is_ctrl) =
            (key.modifiers.contains(KeyModifiers::ALT), key.modifiers.contains(KeyModifiers::CONTROL));
        match (key.code, &mut self.answer) {
            (KeyCode::Char(']'), _) if is_alt => {
                self.answer = Some("]".to_owned());
                Heard::Part
            }
            (KeyCode::Char(c), Some(answer)) if is_alt && c == '\\' || is_ctrl && c == 'g' => {
                let is_light = is_light(answer.as_bytes());
                self.answer = None;
                Heard::End(is_light)
            }
            // Only these are in an answer; anything else was typed.
            (KeyCode::Char(c), Some(answer))
                if !is_alt && !is_ctrl && (c.is_ascii_hexdigit() || "rgb:a;/#".contains(c)) =>
            {
                answer.push(c);
                if answer.len() > MOST_BYTES {
                    self.answer = None;
                }
                Heard::Part
            }
            _ => {
                self.answer = None;
                Heard::Key
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_light_or_dark() {
        for (answer, expected) in [
            ("\x1b]11;rgb:ffff/ffff/ffff\x1b\\", Some(true)),
            ("\x1b]11;rgb:0000/0000/0000\x07", Some(false)),
            ("\x1b]11;rgb:1e/1e/2e\x07\x1b[?62;22c", Some(false)),
            ("\x1b]11;rgb:f/f/e\x07", Some(true)),
            ("\x1b]11;rgba:fdfd/f6f6/e3e3/ffff\x07", Some(true)),
            ("\x1b]11;rgb:0000/2b2b/3636\x07", Some(false)),
            ("\x1b]11;rgb:ffff/ffff\x07", None),
            ("\x1b]11;rgb://///\x07", None),
            ("\x1b[?62;22c", None),
            ("", None),
        ] {
            assert_eq!(is_light(answer.as_bytes()), expected, "{answer:?}");
        }
        assert!(of_environment(Some("0;15")) == Some(true) && of_environment(Some("15;0")) == Some(false));
        assert!(of_environment(Some("15;default;0")) == Some(false) && of_environment(None).is_none());
    }

    #[test]
    fn the_second_answer_ends_the_conversation() {
        assert!(is_over(b"\x1b[?62;22c") && is_over(b"\x1b]11;rgb:0/0/0\x07\x1b[?6c"));
        assert!(!is_over(b"") && !is_over(b"\x1b]11;rgb:cccc/cccc/cccc\x07") && !is_over(b"\x1b[?62;2"));
    }

    /// Which of the keys get through, and what was heard.
    fn typed(keys: &[(char, KeyModifiers)]) -> (String, Option<bool>) {
        let (mut late, mut typed, mut heard) = (Late::default(), String::new(), None);
        for &(c, modifiers) in keys {
            match late.hear(&KeyEvent::new(KeyCode::Char(c), modifiers)) {
                Heard::Key => typed.push(c),
                Heard::Part => {}
                Heard::End(is_light) => heard = is_light,
            }
        }
        (typed, heard)
    }

    #[test]
    fn late_answers_are_not_keys() {
        let plain = |text: &str| text.chars().map(|c| (c, KeyModifiers::NONE)).collect::<Vec<_>>();
        let begin = (']', KeyModifiers::ALT);
        for end in [('g', KeyModifiers::CONTROL), ('\\', KeyModifiers::ALT)] {
            for (color, is_light) in [("11;rgb:1e1e/ffff/0000", true), ("11;rgb:0/0/0", false)] {
                let all = [plain("q"), vec![begin], plain(color), vec![end], plain("3")].concat();
                assert_eq!(typed(&all), ("q3".to_owned(), Some(is_light)));
            }
        }
        assert_eq!(typed(&plain("11;3")), ("11;3".to_owned(), None), "without a beginning it was typed");
        let cut = [vec![begin], plain("11;q1")].concat();
        assert_eq!(typed(&cut), ("q1".to_owned(), None), "what is in no answer ends it");
    }
}
