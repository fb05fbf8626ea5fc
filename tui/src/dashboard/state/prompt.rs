//! The line in which a filter is typed.

use super::{Effect, State, View};
use crate::{
    cli::show::events,
    filter::{self, complete},
};

/// A filter while it is typed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Prompt {
    /// The text so far.
    pub text: String,
    /// What is wrong with it, and the columns of it that are.
    pub error: Option<(String, std::ops::Range<usize>)>,
    /// What it was before, for when nothing comes of it.
    before: String,
    /// Which of the earlier filters is shown, from the latest.
    earlier: usize,
    /// What Tab offered, and which of it is in the text.
    offered: Option<(std::ops::Range<usize>, Vec<String>, usize)>,
}

impl State {
    pub(super) fn open_prompt(&mut self) {
        match self.shown_settings() {
            Some(settings) => {
                let text = settings.text.clone();
                self.prompt = Some(Prompt { before: text.clone(), text, ..Prompt::default() });
            }
            None => self.message = Some("there is no list here; 2, 3, 4, 7 and E have one".to_owned()),
        }
    }

    fn filter_keys(&self) -> &'static [&'static str] {
        match self.shown_list() {
            _ if self.view == View::Events => events::KEYS,
            Some(list) => list.keys(),
            None => &[],
        }
    }

    /// A key while the prompt is open.
    pub(super) fn type_key(&mut self, key: &str) -> Effect {
        let Some(prompt) = &mut self.prompt else { return Effect::Nothing };
        if !matches!(key, "tab" | "backtab") {
            prompt.offered = None;
        }
        match key {
            "enter" => return self.accept(),
            "esc" => {
                let before = prompt.before.clone();
                self.prompt = None;
                self.set_filter(before);
                return Effect::Redraw;
            }
            "tab" => self.offer(1),
            "backtab" => self.offer(-1),
            "up" | "down" => self.recall(if key == "up" { 1 } else { -1 }),
            "backspace" => {
                prompt.text.pop();
                self.typed();
            }
            "ctrl-u" => {
                prompt.text.clear();
                self.typed();
            }
            "ctrl-w" => {
                let kept = prompt.text.trim_end().rfind(' ').map_or(0, |at| at + 1);
                prompt.text.truncate(kept);
                self.typed();
            }
            key => {
                let c = if key == "space" { ' ' } else { key.chars().next().unwrap_or(' ') };
                if key == "space" || key.chars().count() == 1 {
                    prompt.text.push(c);
                    self.typed();
                }
            }
        }
        Effect::Redraw
    }

    /// Text that was pasted goes into the prompt, and nowhere else.
    pub(super) fn paste(&mut self, text: &str) {
        if let Some(prompt) = &mut self.prompt {
            prompt.text.extend(text.chars().filter(|c| !c.is_control()));
            self.typed();
        } else if let Some(menu) = self.menu_mut() {
            menu.text.extend(text.chars().filter(|c| !c.is_control()));
            menu.selected = 0;
        }
    }

    /// While typing, an incomplete filter keeps the last one that was complete.
    fn typed(&mut self) {
        let Some(text) = self.prompt.as_ref().map(|prompt| prompt.text.clone()) else { return };
        let error = match filter::parse_for(&text, self.filter_keys()) {
            Ok(_) => {
                self.set_filter(text);
                None
            }
            Err(error) => Some((error.message.clone(), error.columns())),
        };
        if let Some(prompt) = &mut self.prompt {
            prompt.error = error;
        }
    }

    /// Sets the filter of the list that is shown; one that is wrong changes nothing.
    pub(super) fn set_filter(&mut self, text: String) {
        let Ok(mut filter) = filter::parse_for(&text, self.filter_keys()) else { return };
        let findings = &self.model.findings;
        let event_of =
            |number: u64| findings.get(usize::try_from(number.checked_sub(1)?).ok()?)?.events.first().copied();
        // A finding that is not there is before and after nothing.
        let _ = filter.resolve(&event_of);
        let settings = match (self.view, self.shown_list()) {
            (View::Events, _) => &mut self.events,
            (_, Some(list)) => self.list_mut(list),
            _ => return,
        };
        (settings.text, settings.filter) = (text, filter);
        self.refresh();
    }

    fn accept(&mut self) -> Effect {
        let Some(prompt) = &self.prompt else { return Effect::Nothing };
        if prompt.error.is_none() {
            let text = prompt.text.clone();
            self.prompt = None;
            if !text.trim().is_empty() {
                self.filters.retain(|known| *known != text);
                self.filters.push(text);
                self.filters.drain(..self.filters.len().saturating_sub(50));
            }
        }
        Effect::Redraw
    }

    fn recall(&mut self, by: i64) {
        let Some(prompt) = &mut self.prompt else { return };
        let earlier = (prompt.earlier as i64 + by).clamp(0, self.filters.len() as i64) as usize;
        prompt.earlier = earlier;
        prompt.text = match earlier.checked_sub(1) {
            Some(idx) => self.filters[self.filters.len() - 1 - idx].clone(),
            None => prompt.before.clone(),
        };
        self.typed();
    }

    /// Tab: completes the word, or puts the next of what was offered in its place.
    fn offer(&mut self, by: i64) {
        let keys = self.filter_keys();
        let Some(prompt) = &mut self.prompt else { return };
        let (place, candidates, idx) = match prompt.offered.take() {
            Some((place, candidates, idx)) => {
                let idx = (idx as i64 + by).rem_euclid(candidates.len() as i64) as usize;
                (place, candidates, idx)
            }
            None => {
                let found = complete::complete(&prompt.text, prompt.text.len(), keys, &|_| Vec::new());
                (found.replace, found.candidates, 0)
            }
        };
        let Some(candidate) = candidates.get(idx) else { return };
        prompt.text.replace_range(place.clone(), candidate);
        let place = place.start..place.start + candidate.len();
        prompt.offered = Some((place, candidates, idx));
        self.typed();
    }
}
