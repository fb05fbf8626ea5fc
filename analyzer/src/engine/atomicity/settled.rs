//! Places between which some data was torn already.
//!
//! Where a window was torn for real, it is of no interest that another one with the same places could be. Data that is torn once is torn
//! all the time, by every thread; most of that needs no look at what the threads did.

use lockscope_trace::SiteId;

use super::line::Line;

/// What is known of the places at which some data is used.
#[derive(Debug)]
pub(super) struct Settled {
    sites: [Option<SiteId>; MOST_SITES],
    n_sites: usize,
    /// There are more places than are told apart: nothing is known of all of them.
    is_full: bool,
    /// Of writes at each place, within which windows they were: a bit for each pair of places.
    torn: [u64; MOST_SITES],
    /// The same with what it is: number of the write's place and of the window, bug.
    bugs: Vec<(u16, u32)>,
    /// The windows that there were.
    windows: u64,
    /// The places of writes, a bit for each.
    writes: u8,
}

/// Most places that are told apart.
const MOST_SITES: usize = 8;

/// Where a window begins and ends.
type Window = (Option<SiteId>, Option<SiteId>);

impl Settled {
    /// What is known when nothing was torn yet.
    pub fn new(lines: &[Line]) -> Self {
        let mut new = Settled {
            sites: [None; MOST_SITES],
            n_sites: 0,
            is_full: false,
            torn: [0; MOST_SITES],
            bugs: Vec::new(),
            windows: 0,
            writes: 0,
        };
        for line in lines {
            if line.write_time != 0 {
                new.note_write(line.write.site);
            }
            if line.window_time != 0 {
                new.note_window(line.places());
            }
        }
        new
    }

    /// Some thread writes there.
    #[inline]
    pub fn note_write(&mut self, site: Option<SiteId>) {
        if let Some(site) = self.number(site) {
            self.writes |= 1 << site;
        }
    }

    /// Some thread reads here and writes there.
    #[inline]
    pub fn note_window(&mut self, window: Window) {
        if let Some(window) = self.window(window) {
            self.windows |= 1 << window;
        }
    }

    /// A write was within such a window, which is that bug.
    pub fn settle(&mut self, window: Window, write: Option<SiteId>, bug: u32) {
        if let (Some(window), Some(write)) = (self.window(window), self.number(write)) {
            if self.torn[write] & 1 << window == 0 {
                self.bugs.push(((write << 6 | window) as u16, bug));
            }
            self.torn[write] |= 1 << window;
        }
    }

    /// The bug that a write within such a window is, if that is known.
    #[inline]
    pub fn bug(&mut self, window: Window, write: Option<SiteId>) -> Option<u32> {
        let (window, write) = (self.window(window)?, self.number(write)?);
        let is_it = |&&(code, _): &&(u16, u32)| code == (write << 6 | window) as u16;
        self.bugs.iter().find(is_it).map(|&(_, bug)| bug)
    }

    /// Whether writes of every place were within such a window.
    #[inline]
    pub fn is_by_all(&mut self, window: Window) -> bool {
        let Some(window) = self.window(window) else { return false };
        let is_settled = |site: &usize| self.writes & 1 << site == 0 || self.torn[*site] & 1 << window != 0;
        !self.is_full && (0..MOST_SITES).all(|site| is_settled(&site))
    }

    /// Whether a write at this place was within every window.
    #[inline]
    pub fn is_in_all(&mut self, write: Option<SiteId>) -> bool {
        let Some(write) = self.number(write) else { return false };
        !self.is_full && self.windows & !self.torn[write] == 0
    }

    /// Whether a write at this place was within such a window.
    #[inline]
    pub fn is_settled(&mut self, window: Window, write: Option<SiteId>) -> bool {
        let (Some(window), Some(write)) = (self.window(window), self.number(write)) else { return false };
        self.torn[write] & 1 << window != 0
    }

    /// Looks at it, see [`Windows::touch`](super::windows::Windows::touch).
    #[inline]
    pub fn touch(&self) -> u64 {
        self.windows
            ^ self.torn[0]
            ^ self.torn[MOST_SITES - 1]
            ^ self.bugs.first().map_or(0, |&(_, bug)| u64::from(bug))
    }

    fn window(&mut self, (begin, end): Window) -> Option<usize> {
        Some(self.number(begin)? * MOST_SITES + self.number(end)?)
    }

    #[inline]
    fn number(&mut self, site: Option<SiteId>) -> Option<usize> {
        if let Some(known) = self.sites[..self.n_sites].iter().position(|known| *known == site) {
            return Some(known);
        }
        match self.sites.get_mut(self.n_sites) {
            Some(new) => *new = site,
            None => {
                self.is_full = true;
                return None;
            }
        }
        self.n_sites += 1;
        Some(self.n_sites - 1)
    }
}
