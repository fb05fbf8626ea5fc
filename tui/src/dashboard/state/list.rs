//! Moving through lists, and what is made of them.

use super::{State, View};
use crate::dashboard::{lists, tables::Row};

impl State {
    /// Moves the selection in lists, the moment in events, the handle in pictures, the text where it is read.
    pub(super) fn move_by(&mut self, by: i64) {
        if self.view == View::Events {
            let position = lists::event_from(self, by);
            return self.seek(position);
        }
        if !self.has_rows() {
            return self.move_link(by);
        }
        let rows = &self.rows.rows;
        let last = rows.len().saturating_sub(1) as i64;
        let to = self.selected().map_or(0, |idx| (idx as i64).saturating_add(by).clamp(0, last));
        if let Some(&row) = rows.get(to as usize) {
            self.select(row);
            self.scroll = 0;
        }
    }

    /// Down a picture: to the next handle in a later line that is on the screen, or on by a line.
    fn move_link(&mut self, by: i64) {
        let links = &self.screen.links;
        let current = self.link.and_then(|idx| links.get(idx));
        let line = current.map(|link| (link.area.y, link.area.x));
        let next = match (line, by > 0) {
            (None, true) => (!links.is_empty() && self.scroll == 0).then_some(0),
            (None, false) => None,
            (Some((y, x)), true) => {
                let next_line = links.iter().map(|link| link.area.y).find(|other| *other > y);
                next_line.and_then(|line| nearest(self, line, x))
            }
            (Some((y, x)), false) => {
                let line_before = links.iter().rev().map(|link| link.area.y).find(|other| *other < y);
                line_before.and_then(|line| nearest(self, line, x))
            }
        };
        if next.is_some() && by.abs() == 1 {
            self.link = next;
        } else {
            let before = self.scroll;
            self.scroll = self.scroll.saturating_add_signed(by as isize).min(self.screen.scroll_limit);
            if before != self.scroll || (by < 0 && before == 0) {
                self.link = None;
            }
        }
    }

    /// To the next handle, or the previous one.
    pub(super) fn next_link(&mut self, by: i64) {
        let n_links = self.screen.links.len() as i64;
        if n_links > 0 {
            let from = self.link.map_or(if by > 0 { -1 } else { 0 }, |idx| idx as i64);
            self.link = Some((from + by).rem_euclid(n_links) as usize);
        }
    }

    /// Sideways: columns of a list, handles of a picture, the moment in the timeline.
    pub(super) fn side(&mut self, by: i64) {
        if self.view == View::Timeline {
            return self.slide(by);
        }
        if !self.has_rows() || self.view == View::Events {
            return self.next_link(by);
        }
        if let Some(list) = self.shown_list() {
            let n_columns = self.list(list).shape(list, self.size.0).len() as i64;
            let settings = self.list_mut(list);
            settings.cursor = (settings.cursor as i64 + by).clamp(0, n_columns.max(1) - 1) as usize;
        }
    }

    /// Sorts by the column under the cursor; again: as before.
    pub(super) fn sort(&mut self) {
        let Some(list) = self.shown_list() else { return };
        let shape = self.list(list).shape(list, self.size.0);
        let settings = self.list_mut(list);
        let Some(&column) = shape.get(settings.cursor) else { return };
        settings.sort = if settings.sort.is_some_and(|(by, _)| by == column) { None } else { Some((column, false)) };
    }

    /// Sorts by a column that was clicked: first so, then the other way around, then as it was.
    pub(super) fn sort_by(&mut self, column: usize) {
        let Some(list) = self.shown_list() else { return };
        let shape = self.list(list).shape(list, self.size.0);
        let settings = self.list_mut(list);
        settings.cursor = shape.iter().position(|&other| other == column).unwrap_or(0);
        settings.sort = match settings.sort {
            Some((by, false)) if by == column => Some((column, true)),
            Some((by, true)) if by == column => None,
            _ => Some((column, false)),
        };
    }

    pub(super) fn reverse(&mut self) {
        let Some(list) = self.shown_list() else { return };
        if self.list(list).sort.is_none() {
            self.sort();
        }
        if let Some((_, is_reversed)) = &mut self.list_mut(list).sort {
            *is_reversed = !*is_reversed;
        }
    }

    pub(super) fn hide(&mut self) {
        let (Some(list), Some(row)) = (self.shown_list(), self.selected_row()) else { return };
        let next = self.selected().and_then(|idx| {
            let rows = &self.rows.rows;
            rows.get(idx + 1).or(idx.checked_sub(1).and_then(|idx| rows.get(idx))).copied()
        });
        let settings = self.list_mut(list);
        if matches!(row, Row::Group(_)) {
            return;
        }
        if !settings.hidden.remove(&row) {
            settings.hidden.insert(row);
            settings.shows_hidden = false;
            if let Some(next) = next {
                self.select(next);
            }
            self.message = Some("hidden; X shows what is hidden".to_owned());
        }
    }

    pub(super) fn show_hidden(&mut self) {
        if let Some(list) = self.shown_list() {
            let settings = self.list_mut(list);
            settings.shows_hidden = !settings.shows_hidden;
        }
    }

    pub(super) fn pin(&mut self) {
        let (Some(list), Some(row)) = (self.shown_list(), self.selected_row()) else { return };
        let settings = self.list_mut(list);
        if !matches!(row, Row::Group(_)) && !settings.pinned.remove(&row) {
            settings.pinned.insert(row);
        }
    }

    /// Folds the group that is selected, or shows its rows again. Whether there was one.
    pub(super) fn fold(&mut self) -> bool {
        let (Some(list), Some(Row::Group(idx))) = (self.shown_list(), self.selected_row()) else { return false };
        let Some((title, _)) = self.rows.groups.get(idx).cloned() else { return false };
        let settings = self.list_mut(list);
        settings.selected = Some(Row::Group(idx));
        if !settings.folded.remove(&title) {
            settings.folded.insert(title);
        }
        true
    }
}

/// The handle of a line that is nearest to a column.
fn nearest(state: &State, line: u16, x: u16) -> Option<usize> {
    let links = state.screen.links.iter().enumerate().filter(|(_, link)| link.area.y == line);
    links.min_by_key(|(_, link)| link.area.x.abs_diff(x)).map(|(idx, _)| idx)
}
