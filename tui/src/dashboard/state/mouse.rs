//! The mouse: whatever is on the screen can be pointed at.

use ratatui::layout::{Position, Rect};

use super::{Effect, Mouse, MouseKind, Overlay, State, View};

impl State {
    pub(super) fn mouse(&mut self, mouse: Mouse) -> Effect {
        let at = Position { x: mouse.x, y: mouse.y };
        match mouse.what {
            MouseKind::Wheel(by) => self.wheel(by),
            MouseKind::Press => return self.press(at, false),
            MouseKind::DoublePress => return self.press(at, true),
            MouseKind::Drag => self.drag_to(at),
            MouseKind::Release => self.release(),
        }
        Effect::Redraw
    }

    fn wheel(&mut self, by: i64) {
        if let Some(Overlay::Text { scroll, .. }) = &mut self.overlay {
            *scroll = scroll.saturating_add_signed(by as isize * 3).min(self.screen.scroll_limit);
            return;
        }
        match self.overlay {
            Some(_) => drop(self.overlay_key(if by > 0 { "down" } else { "up" })),
            None if self.view == View::Timeline => self.zoom(-by),
            None if self.has_rows() => self.move_by(by),
            None => {
                self.scroll = self.scroll.saturating_add_signed(by as isize * 3).min(self.screen.scroll_limit);
                self.link = None;
            }
        }
    }

    fn press(&mut self, at: Position, is_double: bool) -> Effect {
        if let Some(Overlay::Menu(menu)) = self.overlay.clone() {
            return match self.screen.menu.filter(|(area, _)| area.contains(at)) {
                Some((area, first)) => {
                    let selected = first + usize::from(at.y - area.y);
                    let items = menu.items(self);
                    if selected < items.len() {
                        return self.choose(&menu, items.get(selected));
                    }
                    Effect::Nothing
                }
                None => {
                    self.overlay = None;
                    Effect::Redraw
                }
            };
        }
        if self.overlay.take().is_some() {
            return Effect::Redraw;
        }
        let hit = |area: &Rect| area.contains(at);
        if let Some(view) = self.screen.tabs.iter().find(|(area, _)| hit(area)).map(|(_, view)| *view) {
            self.show(view);
        } else if let Some(pane) = self.screen.panes.iter().find(|(area, _)| hit(area)).map(|(_, pane)| *pane) {
            self.show_pane(pane);
        } else if self.screen.splitter == Some(at.y) {
            self.drag = None;
        } else if let Some(table) = self.screen.table.clone().filter(|table| at.y == table.titles || hit(&table.rows)) {
            if at.y == table.titles {
                if let Some((_, column)) = table.columns.iter().find(|(range, _)| range.contains(&at.x)) {
                    self.sort_by(*column);
                    self.refresh();
                }
            } else {
                return self.press_row(table.first + usize::from(at.y - table.rows.y), is_double);
            }
        } else if let Some(lanes) = self.screen.lanes.filter(hit) {
            let column = at.x - lanes.x;
            let (time, _) = self.column_times(column.into(), lanes.width.into());
            self.seek_time(time);
            self.drag = Some((at.x, at.x));
        } else if let Some(link) = self.screen.links.iter().find(|link| hit(&link.area)) {
            self.go(link.target);
        }
        Effect::Redraw
    }

    fn press_row(&mut self, idx: usize, is_double: bool) -> Effect {
        if self.view == View::Events {
            if let Some(position) = self.screen_event(idx) {
                self.seek(position);
            }
        } else if let Some(&row) = self.rows.rows.get(idx) {
            self.select(row);
            self.scroll = 0;
        } else {
            return Effect::Nothing;
        }
        if is_double {
            self.open();
        }
        Effect::Redraw
    }

    /// The event in a row of the screen.
    fn screen_event(&self, idx: usize) -> Option<u64> {
        let height = self.screen.table.as_ref().map_or(0, |table| table.rows.height);
        crate::dashboard::lists::events_around(self, height.into()).get(idx).copied()
    }

    fn drag_to(&mut self, at: Position) {
        if let Some((_, to)) = &mut self.drag {
            *to = at.x;
        } else if self.screen.splitter.is_some() {
            let body = self.screen.body;
            let below = u32::from(body.bottom().saturating_sub(at.y));
            self.split = (below * 100 / u32::from(body.height.max(1))).clamp(10, 90) as u16;
        }
    }

    fn release(&mut self) {
        let (Some((from, to)), Some(lanes)) = (self.drag.take(), self.screen.lanes) else { return };
        if from.abs_diff(to) > 1 {
            let column = |x: u16| u64::from(x.clamp(lanes.x, lanes.right().saturating_sub(1)) - lanes.x);
            let (first, last) = (column(from.min(to)), column(from.max(to)));
            let from = self.column_times(first, lanes.width.into()).0;
            let to = self.column_times(last, lanes.width.into()).1;
            self.set_range(from, to);
        }
    }
}
