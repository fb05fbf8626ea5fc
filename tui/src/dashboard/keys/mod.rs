//! Keys: the [table](table) of actions with their names, keys and help, from which help, palette, footer and the README are
//! made, and the keys that a configuration gives them instead.
//!
//! Rules: the same key never means two things in one place; upper case is the stronger or the opposite of lower case;
//! `q` quits only from the top level, Ctrl-C always; Esc closes or clears and never quits.

pub mod table;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

pub use self::table::{Binding, Place, TABLE};
use crate::dashboard::state::{Action, View};

/// Keys of every action, in the order of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keys(Vec<Vec<String>>);

impl Default for Keys {
    fn default() -> Keys {
        Keys(TABLE.iter().map(|binding| binding.keys.iter().map(|key| (*key).to_owned()).collect()).collect())
    }
}

impl Keys {
    /// Gives an action other keys. The error says what is wrong.
    pub fn bind(&mut self, name: &str, keys: &[String]) -> Result<(), String> {
        let idx = TABLE.iter().position(|binding| binding.name == name);
        let idx = idx.ok_or_else(|| format!("there is no action `{name}`"))?;
        if let Some(wrong) = keys.iter().find(|key| !is_key(key)) {
            return Err(format!(
                "`{wrong}` is not a key; keys are as `x`, `X`, `ctrl-x`, `alt-x`, `space`, `f5`, `pgup`"
            ));
        }
        self.0[idx] = keys.to_vec();
        Ok(())
    }

    /// Two actions that a key means in one place, with the key.
    pub fn clash(&self) -> Option<(String, &'static str, &'static str)> {
        for (idx, binding) in TABLE.iter().enumerate() {
            for (other, later) in TABLE.iter().enumerate().skip(idx + 1) {
                let key =
                    self.0[idx].iter().find(|key| binding.place.meets(later.place) && self.0[other].contains(key));
                if let Some(key) = key {
                    return Some((key.clone(), binding.name, later.name));
                }
            }
        }
        None
    }

    /// The action of a key in a place.
    pub fn lookup(&self, view: View, is_list: bool, key: &str) -> Option<Action> {
        let is_it = |(binding, keys): &(&Binding, &Vec<String>)| {
            binding.place.is(view, is_list) && keys.iter().any(|bound| bound == key)
        };
        TABLE.iter().zip(&self.0).find(is_it).map(|(binding, _)| binding.action)
    }

    /// The keys of an action of the table.
    pub fn of(&self, name: &str) -> &[String] {
        let idx = TABLE.iter().position(|binding| binding.name == name);
        &self.0[idx.expect("only actions of the table are asked for")]
    }

    /// Actions with their keys, in the order of the table.
    pub fn all(&self) -> impl Iterator<Item = (&'static Binding, &[String])> {
        TABLE.iter().zip(self.0.iter().map(Vec::as_slice))
    }
}

/// Names of keys that are no characters.
const NAMED: &[(&str, KeyCode)] = &[
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("enter", KeyCode::Enter),
    ("backspace", KeyCode::Backspace),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
];

/// Whether a text names a key, and what would.
pub fn check(text: &str) -> Result<(), String> {
    if is_key(text) {
        return Ok(());
    }
    Err(format!("a key, as `x`, `X`, `ctrl-x`, `alt-x`, `space`, `f5` or `pgup`, not `{text}`"))
}

/// Whether a text names a key as [`key_name`] does.
fn is_key(text: &str) -> bool {
    let rest = text.strip_prefix("ctrl-").or_else(|| text.strip_prefix("alt-")).unwrap_or(text);
    let is_function = rest.strip_prefix('f').and_then(|number| number.parse::<u8>().ok()).is_some_and(|n| n >= 1);
    let is_char = rest.chars().count() == 1 && !rest.chars().any(|c| c.is_control() || c.is_whitespace());
    is_char || is_function || NAMED.iter().any(|(name, _)| *name == rest)
}

/// How the table names a key that was pressed; `None` for releases and for keys that nothing can be bound to.
pub fn key_name(event: KeyEvent) -> Option<String> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let named = NAMED.iter().find(|(_, code)| *code == event.code).map(|(name, _)| (*name).to_owned());
    let name = match event.code {
        _ if named.is_some() => named?,
        KeyCode::Char(c) => c.to_string(),
        KeyCode::F(n) => format!("f{n}"),
        _ => return None,
    };
    Some(match event.modifiers {
        modifiers if modifiers.contains(KeyModifiers::CONTROL) => format!("ctrl-{}", name.to_lowercase()),
        modifiers if modifiers.contains(KeyModifiers::ALT) => format!("alt-{name}"),
        _ => name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        assert_eq!(Keys::default().clash(), None);
    }

    #[test]
    fn names_are_unique_and_keys_can_be_pressed() {
        for (idx, binding) in TABLE.iter().enumerate() {
            assert!(TABLE[..idx].iter().all(|other| other.name != binding.name), "{} is there twice", binding.name);
            assert!(!binding.help.is_empty(), "{} is explained", binding.name);
            assert!(binding.keys.iter().all(|key| is_key(key)), "{:?} are keys", binding.keys);
        }
    }

    #[test]
    fn keys_have_names() {
        let key = |code, modifiers| key_name(KeyEvent::new(code, modifiers));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL).as_deref(), Some("ctrl-c"));
        assert_eq!(key(KeyCode::Char('E'), KeyModifiers::SHIFT).as_deref(), Some("E"));
        assert_eq!(key(KeyCode::Char('{'), KeyModifiers::NONE).as_deref(), Some("{"));
        assert_eq!(key(KeyCode::Up, KeyModifiers::ALT).as_deref(), Some("alt-up"));
        assert_eq!(key(KeyCode::F(5), KeyModifiers::NONE).as_deref(), Some("f5"));
        assert_eq!(key(KeyCode::CapsLock, KeyModifiers::NONE), None);
    }

    /// `tui/KEYS.md` is made from the table: `LOCKSCOPE_BLESS=1 cargo test -p lockscope-cli keys_are_documented`.
    #[test]
    fn keys_are_documented() {
        let mut text = "# Keys of the dashboard\n\nMade from `tui/src/dashboard/keys/table.rs`. `?` shows the same, `[keys]` of \
            the configuration changes them by these names.\n\n| keys | name | where | what |\n| --- | --- | --- | --- |\n"
            .to_owned();
        for binding in TABLE {
            let keys: Vec<String> = binding.keys.iter().map(|key| format!("`{}`", key.replace('|', "\\|"))).collect();
            let row = [
                keys.join(" "),
                format!("`{}`", binding.name),
                binding.place.words().to_owned(),
                binding.help.to_owned(),
            ];
            text.push_str(&format!("| {} |\n", row.join(" | ")));
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/KEYS.md");
        if std::env::var_os("LOCKSCOPE_BLESS").is_some() {
            std::fs::write(path, &text).expect("the folder of the crate is there");
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), text, "LOCKSCOPE_BLESS=1 writes it anew");
    }

    #[test]
    fn keys_can_be_given_away() {
        let mut keys = Keys::default();
        assert_eq!(keys.lookup(View::Threads, true, "/"), Some(Action::Filter));
        assert_eq!(keys.lookup(View::Overview, false, "pgup"), Some(Action::Leap(-1)));
        assert_eq!(keys.lookup(View::Threads, true, "pgup"), Some(Action::Page(-1)));
        assert_eq!(keys.lookup(View::Timeline, true, "s"), Some(Action::Zoom(-1)));
        assert_eq!(keys.bind("quit", &["ctrl-x".to_owned(), "f10".to_owned()]), Ok(()));
        assert_eq!(keys.lookup(View::Threads, true, "q"), None);
        assert_eq!(keys.lookup(View::Threads, true, "f10"), Some(Action::Quit));
        assert!(keys.bind("quit", &["meta-x".to_owned()]).is_err());
        assert!(keys.bind("quid", &[]).is_err());
        assert_eq!(keys.bind("help", &["f10".to_owned()]), Ok(()));
        assert_eq!(keys.clash(), Some(("f10".to_owned(), "help", "quit")));
    }
}
