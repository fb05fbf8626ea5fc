//! The one table of keys. It maps names of actions to keys, and help and footer are made from it.
//!
//! Rules: the same key never means two things in one place; upper case is the stronger or the opposite of lower case;
//! `q` quits only from the top level, Ctrl-C always; Esc closes or clears and never quits.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::dashboard::state::{Action, View};

/// Where a binding applies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Where {
    /// In every view.
    Everywhere,
    /// In views with a list.
    Lists,
    /// In views without one.
    Pictures,
}

/// An action with its keys.
#[derive(Debug)]
pub struct Binding {
    /// Stable name of the action.
    pub name: &'static str,
    /// Its keys, as [`key_name`] names them.
    pub keys: &'static [&'static str],
    /// What it does, for the help.
    pub help: &'static str,
    /// Where it applies.
    pub place: Where,
    /// What it is.
    pub action: Action,
}

const fn binding(
    name: &'static str,
    keys: &'static [&'static str],
    place: Where,
    action: Action,
    help: &'static str,
) -> Binding {
    Binding { name, keys, help, place, action }
}

/// All bindings, in the order of the help.
pub const TABLE: &[Binding] = {
    use Where::{Everywhere, Lists, Pictures};
    &[
        binding("overview", &["1"], Everywhere, Action::Show(View::Overview), "is it stuck, and why"),
        binding("findings", &["2"], Everywhere, Action::Show(View::Findings), "what was found, both sides with source"),
        binding("threads", &["3"], Everywhere, Action::Show(View::Threads), "what every thread does and holds"),
        binding("locks", &["4"], Everywhere, Action::Show(View::Locks), "who holds and who wants every lock"),
        binding("waits", &["5"], Everywhere, Action::Show(View::Waits), "wait-for graph at this moment"),
        binding("events", &["E"], Everywhere, Action::Show(View::Events), "every event; the row is the moment"),
        binding("next-view", &["tab"], Everywhere, Action::NextView, "next view"),
        binding("previous-view", &["backtab"], Everywhere, Action::PreviousView, "previous view"),
        binding("up", &["up", "k"], Everywhere, Action::Move(-1), "move up, or scroll"),
        binding("down", &["down", "j"], Everywhere, Action::Move(1), "move down, or scroll"),
        binding("page-up", &["pgup", "ctrl-u"], Lists, Action::Page(-1), "a page up"),
        binding("page-down", &["pgdn", "ctrl-d"], Lists, Action::Page(1), "a page down"),
        binding(
            "back-in-time",
            &["pgup", "ctrl-u"],
            Pictures,
            Action::Leap(-1),
            "back in time by a twentieth of the run",
        ),
        binding(
            "forward-in-time",
            &["pgdn", "ctrl-d"],
            Pictures,
            Action::Leap(1),
            "forward in time by a twentieth of the run",
        ),
        binding("top", &["g"], Lists, Action::Top, "first row"),
        binding("bottom", &["G"], Lists, Action::Bottom, "last row"),
        binding("open", &["enter"], Everywhere, Action::Open, "follow: finding, thread, lock, moment of an event"),
        binding("back", &["backspace"], Everywhere, Action::Back, "back to where you were"),
        binding("filter", &["/"], Lists, Action::OpenFilter, "filter: words, -word, key:value"),
        binding("seek", &[":"], Everywhere, Action::OpenSeek, "go to a time (12.4s, 350ms) or event (#1234)"),
        binding("pause", &["space"], Everywhere, Action::TogglePause, "pause the view, or follow the end again"),
        binding("step-back", &[","], Everywhere, Action::Step(-1), "one event back"),
        binding("step-forward", &["."], Everywhere, Action::Step(1), "one event forward"),
        binding("previous-finding", &["{"], Everywhere, Action::Finding(-1), "to the previous finding in time"),
        binding("next-finding", &["}"], Everywhere, Action::Finding(1), "to the next finding in time"),
        binding("begin", &["home"], Everywhere, Action::Begin, "to the beginning of the trace"),
        binding("live", &["end", "L"], Everywhere, Action::Live, "to the end of the trace, and follow it"),
        binding("help", &["?", "f1"], Everywhere, Action::Help, "this help"),
        binding("clear", &["esc"], Everywhere, Action::Escape, "close, or clear the filter"),
        binding("quit", &["q"], Everywhere, Action::Quit, "close what is open, then quit"),
        binding("force-quit", &["ctrl-c"], Everywhere, Action::ForceQuit, "quit at once"),
    ]
};

/// The action of a key in a view.
pub fn lookup(view: View, key: &str) -> Option<Action> {
    let found = TABLE.iter().find(|binding| applies(binding.place, view) && binding.keys.contains(&key));
    found.map(|binding| binding.action)
}

/// The keys of an action of the table.
pub fn keys_of(name: &str) -> &'static [&'static str] {
    let binding = TABLE.iter().find(|binding| binding.name == name);
    binding.expect("only actions of the table are asked for").keys
}

/// Whether a binding applies in a view.
pub fn applies(place: Where, view: View) -> bool {
    match place {
        Where::Everywhere => true,
        Where::Lists => view.has_list(),
        Where::Pictures => !view.has_list(),
    }
}

/// How the table names a key that was pressed; `None` for releases and for keys that nothing can be bound to.
pub fn key_name(event: KeyEvent) -> Option<String> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let name = match event.code {
        KeyCode::Char(' ') => "space".to_owned(),
        KeyCode::Char(c) => c.to_string(),
        KeyCode::Up => "up".to_owned(),
        KeyCode::Down => "down".to_owned(),
        KeyCode::Left => "left".to_owned(),
        KeyCode::Right => "right".to_owned(),
        KeyCode::PageUp => "pgup".to_owned(),
        KeyCode::PageDown => "pgdn".to_owned(),
        KeyCode::Home => "home".to_owned(),
        KeyCode::End => "end".to_owned(),
        KeyCode::Enter => "enter".to_owned(),
        KeyCode::Backspace => "backspace".to_owned(),
        KeyCode::Esc => "esc".to_owned(),
        KeyCode::Tab => "tab".to_owned(),
        KeyCode::BackTab => "backtab".to_owned(),
        KeyCode::F(n) => format!("f{n}"),
        _ => return None,
    };
    let is_control = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(if is_control { format!("ctrl-{}", name.to_lowercase()) } else { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_view() {
        for view in View::ALL {
            let mut seen: Vec<(&str, &str)> = Vec::new();
            for binding in TABLE.iter().filter(|binding| applies(binding.place, view)) {
                for key in binding.keys {
                    if let Some((_, other)) = seen.iter().find(|(known, _)| known == key) {
                        panic!("{key} is {other} and {} in {view:?}", binding.name);
                    }
                    seen.push((key, binding.name));
                }
            }
        }
    }

    #[test]
    fn names_are_unique_and_keys_can_be_pressed() {
        for (idx, binding) in TABLE.iter().enumerate() {
            assert!(TABLE[..idx].iter().all(|other| other.name != binding.name), "{} is there twice", binding.name);
            assert!(
                !binding.keys.is_empty() && !binding.help.is_empty(),
                "{} can be pressed and is explained",
                binding.name
            );
        }
    }

    #[test]
    fn keys_have_names() {
        let key = |code, modifiers| key_name(KeyEvent::new(code, modifiers));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL).as_deref(), Some("ctrl-c"));
        assert_eq!(key(KeyCode::Char('E'), KeyModifiers::SHIFT).as_deref(), Some("E"));
        assert_eq!(key(KeyCode::Char('{'), KeyModifiers::NONE).as_deref(), Some("{"));
        assert_eq!(key(KeyCode::CapsLock, KeyModifiers::NONE), None);
        assert_eq!(lookup(View::Threads, "/"), Some(Action::OpenFilter));
        assert_eq!(lookup(View::Overview, "/"), None);
        assert_eq!(lookup(View::Overview, "pgup"), Some(Action::Leap(-1)));
        assert_eq!(lookup(View::Events, "pgup"), Some(Action::Page(-1)));
    }
}
