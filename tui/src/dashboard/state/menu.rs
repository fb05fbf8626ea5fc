//! Menus over the view: help, the palette, columns, groups, formats. Typing searches; Enter chooses.

use lockscope_trace::Nanos;

use super::{Action, Effect, Overlay, State, View};
use crate::{
    cli::time::Point,
    dashboard::{
        export::{self, Format},
        keys::Place,
        screen::{self, Target},
        tables::List,
    },
};

/// What there is to choose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MenuKind {
    /// Every action, those of this view first, with its keys.
    Help,
    /// Every action, and places to go to.
    Palette,
    /// Columns of the list.
    Columns,
    /// By what the list is grouped.
    Group,
    /// In which form the view is written to a file.
    Export,
}

/// A menu that is open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Menu {
    /// What there is to choose.
    pub kind: MenuKind,
    /// What was typed to search.
    pub text: String,
    /// Which of the entries is selected.
    pub selected: usize,
}

/// Something to choose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Its name.
    pub label: String,
    /// What it does or is.
    pub detail: String,
    /// Keys that do the same, or a mark.
    pub keys: String,
    /// What it is for.
    pub choice: Choice,
}

/// What comes of choosing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// An action.
    Act(Action),
    /// Go to what a handle stands for.
    Go(Target),
    /// Go to a moment.
    Seek(Point),
    /// Show or hide a column.
    Column(usize),
    /// Group by this, or by nothing.
    Group(Option<usize>),
    /// Write in this form.
    Write(Format),
}

impl Menu {
    /// Its title.
    pub fn title(&self, state: &State) -> String {
        match self.kind {
            MenuKind::Help => format!("Help: {}", state.view.title()),
            MenuKind::Palette => "Commands, or go to 12.4s, #1234, T3, L7, F1".to_owned(),
            MenuKind::Columns => "Columns (Enter shows or hides, left and right move)".to_owned(),
            MenuKind::Group => "Group by".to_owned(),
            MenuKind::Export => "Write this view as".to_owned(),
        }
    }

    /// What there is to choose after the search, the best first.
    pub fn items(&self, state: &State) -> Vec<Item> {
        let items = match self.kind {
            MenuKind::Help | MenuKind::Palette => self.actions(state),
            MenuKind::Columns => columns(state),
            MenuKind::Group => groups(state),
            MenuKind::Export => export::formats(state).into_iter().map(format_item).collect(),
        };
        if self.text.is_empty() {
            return items;
        }
        let mut found: Vec<(u32, Item)> = items
            .into_iter()
            .filter_map(|item| {
                let is_place = matches!(item.choice, Choice::Go(_) | Choice::Seek(_));
                let cost = if is_place { Some(0) } else { cost(&self.text, &item) };
                cost.map(|cost| (cost, item))
            })
            .collect();
        found.sort_by_key(|(cost, _)| *cost);
        found.into_iter().map(|(_, item)| item).collect()
    }

    fn actions(&self, state: &State) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        if self.kind == MenuKind::Palette {
            items.extend(places(state, self.text.trim()));
        }
        let is_here = |place: Place| place.is(state.view, state.has_rows());
        // What works here comes first.
        for here in [true, false] {
            for (binding, keys) in state.keys.all().filter(|(binding, _)| is_here(binding.place) == here) {
                let detail = match here {
                    true => binding.help.to_owned(),
                    false => format!("{} ({})", binding.help, binding.place.words()),
                };
                items.push(Item {
                    label: binding.name.to_owned(),
                    detail,
                    keys: keys.join(" "),
                    choice: Choice::Act(binding.action),
                });
            }
        }
        items
    }
}

/// Where a text leads to, if it names a place.
fn places(state: &State, text: &str) -> Option<Item> {
    let item = |label: String, choice| Item { label, detail: "go there".to_owned(), keys: String::new(), choice };
    if text.is_empty() {
        return None;
    }
    let text = if text.starts_with(['t', 'l', 'f']) { text.to_uppercase() } else { text.to_owned() };
    if let Some(target) = screen::parse(&text).filter(|target| !matches!(target, Target::Event(_))) {
        return Some(item(text, Choice::Go(target)));
    }
    let point: Point = text.to_lowercase().parse().ok()?;
    let label = match point {
        Point::Time(Nanos(_)) => format!("{text} of {}", state.model.end()),
        _ => text,
    };
    Some(item(label, Choice::Seek(point)))
}

/// How far the text is from an entry: its letters have to occur in their order, the nearer together the better, and best in
/// the name. `None` when they do not.
fn cost(text: &str, item: &Item) -> Option<u32> {
    let text = text.trim().to_lowercase();
    if item.keys.split(' ').any(|key| key == text) {
        return Some(0);
    }
    let of = |hay: &str| -> Option<u32> {
        let hay = hay.to_lowercase();
        if let Some(at) = hay.find(&text) {
            let begins_word = at == 0 || !hay.as_bytes()[at - 1].is_ascii_alphanumeric();
            return Some(if begins_word { 1 } else { 3 } + (hay.len() / 8) as u32);
        }
        let mut chars = hay.chars().enumerate();
        let mut gaps = 0;
        let mut last = None;
        for wanted in text.chars().filter(|c| !c.is_whitespace()) {
            let (at, _) = chars.find(|(_, c)| *c == wanted)?;
            gaps += last.map_or(0, |last| at - last - 1) as u32;
            last = Some(at);
        }
        Some(20 + gaps)
    };
    let name = of(&item.label);
    // In a long text any letters occur in any order, so only what is written there counts.
    let help = of(&item.detail).filter(|cost| *cost < 20).map(|cost| cost + 8);
    [name, help].into_iter().flatten().min()
}

fn columns(state: &State) -> Vec<Item> {
    let Some(list) = state.shown_list() else { return Vec::new() };
    let shape = state.list(list).shape(list, state.size.0);
    let others = (0..list.columns().len()).filter(|idx| !shape.contains(idx));
    let item = |idx: usize| {
        let column = &list.columns()[idx];
        let keys = if shape.contains(&idx) { "[x]" } else { "[ ]" };
        Item {
            label: column.title.trim().to_owned(),
            detail: column.help.to_owned(),
            keys: keys.to_owned(),
            choice: Choice::Column(idx),
        }
    };
    shape.iter().copied().chain(others).map(item).collect()
}

fn groups(state: &State) -> Vec<Item> {
    let Some(list) = state.shown_list() else { return Vec::new() };
    let chosen = state.list(list).group;
    let names = list.groupings().iter().enumerate().map(|(idx, (name, _))| (Some(idx), *name));
    std::iter::once((None, "nothing"))
        .chain(names)
        .map(|(idx, name)| Item {
            label: name.to_owned(),
            detail: String::new(),
            keys: if idx == chosen { "(*)" } else { "( )" }.to_owned(),
            choice: Choice::Group(idx),
        })
        .collect()
}

fn format_item(format: Format) -> Item {
    Item {
        label: format.name().to_owned(),
        detail: format.help().to_owned(),
        keys: String::new(),
        choice: Choice::Write(format),
    }
}

impl State {
    /// Opens a menu.
    pub(super) fn open_menu(&mut self, kind: MenuKind) {
        let menu = Menu { kind, text: String::new(), selected: 0 };
        if menu.items(self).is_empty() {
            self.message = Some("there is nothing to choose here".to_owned());
        } else {
            self.overlay = Some(Overlay::Menu(menu));
        }
    }

    pub(super) fn menu_mut(&mut self) -> Option<&mut Menu> {
        match &mut self.overlay {
            Some(Overlay::Menu(menu)) => Some(menu),
            _ => None,
        }
    }

    /// A key while something lies over the view.
    pub(super) fn overlay_key(&mut self, key: &str) -> Effect {
        let page = i64::from(self.size.1).saturating_sub(8).max(1);
        let limit = self.screen.scroll_limit;
        match &mut self.overlay {
            Some(Overlay::Text { scroll, .. }) => {
                match key {
                    "down" | "j" | "enter" => *scroll += 1,
                    "up" | "k" => *scroll = scroll.saturating_sub(1),
                    "pgdn" | "space" | "ctrl-d" => *scroll += page as usize,
                    "pgup" | "ctrl-u" => *scroll = scroll.saturating_sub(page as usize),
                    "home" | "g" => *scroll = 0,
                    "end" | "G" => *scroll = limit,
                    "ctrl-c" => return Effect::Quit { prints: false },
                    _ => self.overlay = None,
                }
                if let Some(Overlay::Text { scroll, .. }) = &mut self.overlay {
                    *scroll = (*scroll).min(limit);
                }
                Effect::Redraw
            }
            Some(Overlay::Menu(menu)) => {
                let menu = menu.clone();
                self.menu_key(menu, key, page)
            }
            None => Effect::Nothing,
        }
    }

    fn menu_key(&mut self, mut menu: Menu, key: &str, page: i64) -> Effect {
        let items = menu.items(self);
        let last = items.len().saturating_sub(1) as i64;
        let moved = |by: i64| (menu.selected as i64 + by).clamp(0, last) as usize;
        match key {
            "ctrl-c" => return Effect::Quit { prints: false },
            "esc" | "f1" => {
                self.overlay = None;
                return Effect::Redraw;
            }
            // The key that opened the help closes it, as long as nothing is searched for.
            "?" if menu.kind == MenuKind::Help && menu.text.is_empty() => {
                self.overlay = None;
                return Effect::Redraw;
            }
            "enter" => return self.choose(&menu, items.get(menu.selected)),
            "down" | "tab" | "ctrl-n" => menu.selected = moved(1),
            "up" | "backtab" | "ctrl-p" => menu.selected = moved(-1),
            "pgdn" => menu.selected = moved(page),
            "pgup" => menu.selected = moved(-page),
            "home" => menu.selected = 0,
            "end" => menu.selected = last as usize,
            "left" | "right" if menu.kind == MenuKind::Columns => {
                self.move_column(&mut menu, &items, if key == "left" { -1 } else { 1 });
            }
            "backspace" => {
                menu.text.pop();
                menu.selected = 0;
            }
            "ctrl-u" => {
                menu.text.clear();
                menu.selected = 0;
            }
            "space" => menu.text.push(' '),
            key if key.chars().count() == 1 => {
                menu.text.push_str(key);
                menu.selected = 0;
            }
            _ => {}
        }
        self.overlay = Some(Overlay::Menu(menu));
        Effect::Redraw
    }

    pub(super) fn choose(&mut self, menu: &Menu, item: Option<&Item>) -> Effect {
        let Some(choice) = item.map(|item| item.choice) else { return Effect::Redraw };
        if !matches!(choice, Choice::Column(_)) {
            self.overlay = None;
        }
        match choice {
            Choice::Act(action) => return super::update(self, super::Input::Action(action)),
            Choice::Go(target) => self.go(target),
            Choice::Seek(point) => {
                self.leave();
                match point {
                    Point::End => self.follow(),
                    Point::Event(number) => self.seek(number),
                    Point::Time(time) => self.seek_time(time),
                }
            }
            Choice::Column(idx) => {
                let Some(list) = self.shown_list() else { return Effect::Redraw };
                let mut shape = self.list(list).shape(list, self.size.0);
                match shape.iter().position(|&column| column == idx) {
                    Some(at) if shape.len() > 1 => drop(shape.remove(at)),
                    Some(_) => {}
                    None => shape.push(idx),
                }
                self.list_mut(list).columns = Some(shape);
                let selected = menu.items(self).iter().position(|item| item.choice == choice).unwrap_or(0);
                self.overlay = Some(Overlay::Menu(Menu { selected, ..menu.clone() }));
            }
            Choice::Group(group) => {
                if let Some(list) = self.shown_list() {
                    self.list_mut(list).group = group;
                    self.refresh();
                }
            }
            Choice::Write(format) => {
                let name = self.shown_list().map_or(self.view.title(), List::name).to_lowercase();
                let stem = format!("lockscope-{name}");
                return Effect::Write { stem, format };
            }
        }
        Effect::Redraw
    }

    fn move_column(&mut self, menu: &mut Menu, items: &[Item], by: i64) {
        let (Some(list), Some(Choice::Column(idx))) =
            (self.shown_list(), items.get(menu.selected).map(|item| item.choice))
        else {
            return;
        };
        let mut shape = self.list(list).shape(list, self.size.0);
        if let Some(at) = shape.iter().position(|&column| column == idx) {
            let to = (at as i64 + by).clamp(0, shape.len() as i64 - 1) as usize;
            shape.swap(at, to);
            self.list_mut(list).columns = Some(shape);
            menu.selected = to;
        }
    }

    /// `v`: how rows are grouped; where there is a picture, whether it is one.
    pub(super) fn group(&mut self) {
        if self.shown_list().is_some_and(|list| !list.groupings().is_empty()) {
            self.open_menu(MenuKind::Group);
        } else if matches!(self.view, View::Waits | View::Order) {
            self.shows_lists = !self.shows_lists;
            self.scroll = 0;
        } else {
            self.message = Some("there is nothing to group here".to_owned());
        }
    }
}
