//! Going from one thing to another: views, handles, and back.

use lockscope_analyzer::finding::Target as Wanted;
use lockscope_trace::LockId;

use super::{Overlay, Selection, State, View};
use crate::dashboard::{lists, screen::Target, tables::Row};

/// Where one was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spot {
    view: View,
    pane: usize,
    selection: Selection,
    is_detail_open: bool,
    /// Nothing while following the end.
    position: Option<u64>,
}

/// Places that are remembered.
const MOST_SPOTS: usize = 100;

impl State {
    fn spot(&self) -> Spot {
        Spot {
            view: self.view,
            pane: self.pane(),
            selection: self.selection,
            is_detail_open: self.is_detail_open,
            position: (!self.follows).then_some(self.position),
        }
    }

    /// Remembers where one is, before going elsewhere.
    pub(super) fn leave(&mut self) {
        let here = self.spot();
        let (back, forward) = &mut self.history;
        if back.last() != Some(&here) {
            back.push(here);
            back.drain(..back.len().saturating_sub(MOST_SPOTS));
        }
        forward.clear();
    }

    /// Goes back, or forward again.
    pub(super) fn travel(&mut self, is_back: bool) {
        let here = self.spot();
        let (back, forward) = &mut self.history;
        let (from, to) = if is_back { (back, forward) } else { (forward, back) };
        let Some(spot) = from.pop() else { return };
        to.push(here);
        self.view = spot.view;
        self.panes[spot.view.index()] = spot.pane;
        self.selection = spot.selection;
        self.arrive();
        self.is_detail_open = spot.is_detail_open;
        match spot.position {
            Some(position) if here.position != Some(position) => self.seek(position),
            None if here.position.is_some() => self.follow(),
            _ => {}
        }
    }

    /// Shows a view.
    pub(super) fn show(&mut self, view: View) {
        if self.view != view {
            self.leave();
            self.view = view;
        }
        self.arrive();
    }

    fn arrive(&mut self) {
        self.is_detail_open = false;
        self.scroll = 0;
        self.link = None;
        self.touch();
        self.refresh();
    }

    /// Shows the next pane, or the next view where there is only one.
    pub(super) fn turn_pane(&mut self, by: i64) {
        let n_panes = self.view.panes().len() as i64;
        if n_panes == 0 {
            return self.turn(by);
        }
        let pane = (self.pane() as i64 + by).rem_euclid(n_panes) as usize;
        self.show_pane(pane);
    }

    pub(super) fn show_pane(&mut self, pane: usize) {
        self.panes[self.view.index()] = pane;
        self.arrive();
    }

    pub(super) fn turn(&mut self, by: i64) {
        let n_views = View::ALL.len() as i64;
        self.show(View::ALL[(self.view.index() as i64 + by).rem_euclid(n_views) as usize]);
    }

    /// Goes to what a handle stands for.
    pub(super) fn go(&mut self, target: Target) {
        self.leave();
        match target {
            Target::Thread(id) if (id.0 as usize) < self.model.defs.threads.len().max(self.at.threads.len()) => {
                self.selection.thread = Some(id);
                self.view = View::Threads;
            }
            Target::Lock(id) if (id.0 as usize) < self.model.defs.locks.len().max(self.at.locks.len()) => {
                self.selection.lock = Some(id);
                self.view = View::Locks;
            }
            Target::Finding(idx) if idx < self.model.findings.len() => {
                self.selection.finding = Some(idx);
                self.view = View::Findings;
                self.arrive();
                self.is_detail_open = true;
                return;
            }
            Target::Event(event) if event <= self.model.len() => {
                self.view = View::Events;
                self.seek(event);
            }
            _ => self.message = Some("that is not in this trace".to_owned()),
        }
        self.arrive();
    }

    /// Enter: from a row, or from the handle under the cursor, to what it is about.
    pub(super) fn open(&mut self) {
        if let Some(link) = self.link.and_then(|idx| self.screen.links.get(idx)) {
            return self.go(link.target);
        }
        match self.view {
            View::Overview => self.show(if self.model.findings.is_empty() { View::Threads } else { View::Findings }),
            View::Findings if !self.is_detail_open => {
                self.leave();
                self.select_shown();
                self.is_detail_open = self.finding().is_some();
                self.scroll = 0;
            }
            View::Findings => {
                let event = self.finding().and_then(|finding| finding.events.last().copied());
                if let Some(event) = event {
                    self.leave();
                    self.seek(event);
                    self.view = View::Waits;
                    self.arrive();
                }
            }
            View::Waits | View::Tasks => self.show(View::Threads),
            View::Events => {
                if let Some(event) = self.model.timeline.event(self.position) {
                    self.show(View::Threads);
                    self.selection.thread = Some(event.thread);
                    self.selection.lock = event.op.lock().or(self.selection.lock);
                    self.arrive();
                }
            }
            View::Order if self.shown_list().is_none() => self.show_pane(1),
            _ => self.open_row(),
        }
    }

    fn open_row(&mut self) {
        let digest = self.model.digest.clone();
        match self.selected_row() {
            Some(Row::Thread(id)) => {
                // The lock that it wants says more than those that it holds.
                if let Some(lock) = self.at.thread(id).and_then(lists::lock_of_interest) {
                    self.select_shown();
                    self.go(Target::Lock(lock));
                }
            }
            Some(Row::Lock(id)) => {
                let other = self.at.lock(id).and_then(|lock| lock.holders.first().or(lock.waiters.first()));
                if let Some(thread) = other.map(|(thread, ..)| *thread) {
                    self.select_shown();
                    self.go(Target::Thread(thread));
                }
            }
            Some(Row::Finding(idx)) => self.go(Target::Finding(idx)),
            Some(Row::Edge(idx)) => {
                if let Some(edge) = digest.order.edges.get(idx) {
                    self.selection.lock = digest.order.nodes.get(edge.to).map(|node| node.lock);
                    self.selection.thread = Some(edge.thread);
                    self.go(Target::Event(edge.event));
                }
            }
            Some(Row::Delay(idx)) => {
                if let Some((delay, cost)) = digest.delays.get(idx) {
                    self.go_to_wait(Some(delay.lock), cost.event);
                }
            }
            Some(Row::Pair(idx)) => {
                if let Some(((_, waiter), cost)) = digest.pairs.get(idx) {
                    self.selection.thread = Some(*waiter);
                    self.go_to_wait(None, cost.event);
                }
            }
            Some(Row::Site(site)) => {
                // What that place waits for is what one wants to know of it.
                let delay = digest.delays.iter().find(|(delay, _)| delay.waiter == Some(site));
                match delay {
                    Some((delay, cost)) => self.go_to_wait(Some(delay.lock), cost.event),
                    None => self.message = Some("nobody waited there".to_owned()),
                }
            }
            Some(Row::Var(var)) => {
                let last = digest.memory.get(var.0 as usize).and_then(|uses| uses.latest.first());
                if let Some(access) = last {
                    self.go(Target::Event(access.event));
                }
            }
            Some(Row::Group(_)) => {
                self.fold();
            }
            None => {}
        }
    }

    /// Goes to the longest of some waits, while it lasts.
    fn go_to_wait(&mut self, lock: Option<LockId>, event: u64) {
        self.leave();
        self.selection.lock = lock.or(self.selection.lock);
        let waiter = self.model.timeline.event(event).map(|event| event.thread);
        self.selection.thread = waiter.or(self.selection.thread);
        self.seek(event.saturating_sub(1));
        self.view = View::Waits;
        self.arrive();
    }

    /// What is selected becomes so in all views, although nobody moved there.
    pub(super) fn select_shown(&mut self) {
        if let Some(row) = self.selected_row() {
            self.select(row);
        }
    }

    /// Selects a row.
    pub(super) fn select(&mut self, row: Row) {
        if let Some(list) = self.shown_list() {
            self.list_mut(list).selected = Some(row);
        }
        match row {
            Row::Thread(thread) => self.selection.thread = Some(thread),
            Row::Lock(lock) => self.selection.lock = Some(lock),
            Row::Finding(idx) => self.selection.finding = Some(idx),
            Row::Delay(idx) => {
                self.selection.lock = self.model.digest.delays.get(idx).map(|(delay, _)| delay.lock);
            }
            Row::Pair(idx) => self.selection.thread = self.model.digest.pairs.get(idx).map(|((_, waiter), _)| *waiter),
            Row::Edge(_) | Row::Site(_) | Row::Var(_) | Row::Group(_) => {}
        }
    }

    /// The place in the source that what is selected is about.
    pub fn place(&self) -> Option<&lockscope_trace::Site> {
        let of_thread = |id| {
            let thread = self.at.thread(id)?;
            thread.wait().and_then(|wait| wait.site).or(thread.last_site)
        };
        let of_lock = |id| {
            let lock = self.at.lock(id)?;
            let holder = lock.holders.first().and_then(|(thread, ..)| self.at.thread(*thread));
            let held = holder.and_then(|thread| thread.held.iter().rev().find(|held| held.lock == id));
            held.and_then(|held| held.site).or_else(|| self.model.defs.lock(id)?.created)
        };
        let site = match (self.view, self.selected_row()) {
            (View::Findings | View::Overview, _) => {
                let part = self.finding()?.participants.first()?;
                let wanted = part.wanted.as_ref().filter(|wanted| !matches!(wanted.target, Wanted::Token));
                wanted.and_then(|wanted| wanted.site).or_else(|| part.held.first()?.site)
            }
            (View::Events, _) => self.model.timeline.event(self.position)?.site,
            (_, Some(Row::Thread(id))) => of_thread(id),
            (_, Some(Row::Lock(id))) => of_lock(id),
            (_, Some(Row::Edge(idx))) => self.model.digest.order.edges.get(idx)?.site,
            (_, Some(Row::Site(site))) => Some(site),
            (_, Some(Row::Delay(idx))) => self.model.digest.delays.get(idx)?.0.waiter,
            _ => self.selection.thread.and_then(of_thread),
        };
        self.model.defs.site(site?)
    }

    /// Shows a text over the view.
    pub(super) fn read(&mut self, title: &str, text: &str) {
        let lines = text.lines().map(str::to_owned).collect();
        self.overlay = Some(Overlay::Text { title: title.to_owned(), lines, scroll: 0 });
    }
}
