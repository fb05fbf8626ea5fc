//! The timeline of a page: a lane for each thread, with how much of each moment it held locks and how much it waited.
//!
//! Time is kept in a fixed number of buckets, whose width doubles whenever the trace outgrows them, so memory is bounded by threads.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use lockscope_trace::{Nanos, ThreadId};

use crate::{
    export::{Arrow, Sink, Slice, Track},
    graph::picture::escape,
};

const BUCKETS: usize = 512;
/// Threads beyond these have no lane.
const MAX_LANES: usize = 100;
const LABEL: usize = 160;
const LANE: usize = 20;
/// Height of a full bar.
const HALF: usize = 8;

/// Lanes under construction.
pub struct Lanes {
    lanes: BTreeMap<ThreadId, Lane>,
    /// Width of a bucket.
    width: u64,
    /// The latest time.
    end: u64,
    n_hidden: u64,
}

struct Lane {
    name: String,
    waited: Box<[u64; BUCKETS]>,
    held: Box<[u64; BUCKETS]>,
}

impl Default for Lanes {
    fn default() -> Lanes {
        Lanes { lanes: BTreeMap::new(), width: 1, end: 0, n_hidden: 0 }
    }
}

impl Lanes {
    fn lane(&mut self, thread: ThreadId) -> Option<&mut Lane> {
        if !self.lanes.contains_key(&thread) && self.lanes.len() >= MAX_LANES {
            return None;
        }
        let new = || Lane { name: thread.to_string(), waited: Box::new([0; BUCKETS]), held: Box::new([0; BUCKETS]) };
        Some(self.lanes.entry(thread).or_insert_with(new))
    }

    /// Makes buckets so wide that a time is in one of them.
    fn widen(&mut self, time: u64) {
        while time / self.width >= BUCKETS as u64 {
            self.width *= 2;
            for lane in self.lanes.values_mut() {
                for row in [&mut lane.waited, &mut lane.held] {
                    for idx in 0..BUCKETS {
                        let pair = row.get(2 * idx..2 * idx + 2).map_or(0, |pair| pair[0].saturating_add(pair[1]));
                        row[idx] = pair;
                    }
                }
            }
        }
    }

    /// Writes the picture.
    pub fn write(&self, has_times: bool, out: &mut dyn Write) -> io::Result<()> {
        let n_buckets = (self.end / self.width + 1).min(BUCKETS as u64) as usize;
        if self.lanes.is_empty() || self.end == 0 {
            return writeln!(out, "<p>Nothing was held or waited for.</p>");
        }
        // Few buckets are wide ones, so that the picture keeps its size.
        let step = (2 * BUCKETS).div_ceil(n_buckets);
        let (width, height) = (LABEL + n_buckets * step, (self.lanes.len() + 1) * LANE + 8);
        writeln!(
            out,
            "<p>Below the middle of a lane, in blue: holds a lock. Above it, in orange: waits. Bars are as high as the share of the moment.</p>\n\
             <svg class=\"timeline\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">"
        )?;
        for (row, lane) in self.lanes.values().enumerate() {
            let top = row * LANE;
            let name = crate::cli::table::fit(&lane.name, 20, false);
            writeln!(
                out,
                "<g><title>{}</title><text x=\"0\" y=\"{}\">{}</text><rect class=\"lane\" x=\"{LABEL}\" y=\"{}\" width=\"{}\" height=\"1\"/>",
                escape(&lane.name),
                top + 13,
                escape(&name),
                top + LANE - 3,
                n_buckets * step
            )?;
            let bottom = top + LANE - 3;
            for (class, values, foot) in [("hold", &lane.held, bottom), ("wait", &lane.waited, bottom - HALF)] {
                self.bars(class, &values[..n_buckets], foot, step, out)?;
            }
            writeln!(out, "</g>")?;
        }
        let axis = self.lanes.len() * LANE + 14;
        for quarter in 0..n_buckets.min(4) {
            let bucket = n_buckets * quarter / n_buckets.min(4);
            let time = bucket as u64 * self.width;
            let text = if has_times { Nanos(time).to_string() } else { format!("#{time}") };
            writeln!(out, "<text x=\"{}\" y=\"{axis}\">{text}</text>", LABEL + bucket * step)?;
        }
        writeln!(out, "</svg>")?;
        if self.n_hidden > 0 {
            writeln!(out, "<p>Only the first {MAX_LANES} threads have a lane.</p>")?;
        }
        Ok(())
    }

    /// Bars of a row that stand on `foot`; neighbours of one height are one bar.
    fn bars(&self, class: &str, values: &[u64], foot: usize, step: usize, out: &mut dyn Write) -> io::Result<()> {
        // Whatever there is can be seen.
        let height = |value: u64| match value {
            0 => 0,
            value => (u128::from(value) * HALF as u128 / u128::from(self.width)).clamp(2, HALF as u128) as usize,
        };
        let mut idx = 0;
        while idx < values.len() {
            let high = height(values[idx]);
            let run = values[idx..].iter().take_while(|&&value| height(value) == high).count();
            if high > 0 {
                let (x, y, width) = (LABEL + idx * step, foot - high, run * step);
                writeln!(out, "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{high}\"/>")?;
            }
            idx += run;
        }
        Ok(())
    }
}

impl Sink for Lanes {
    fn track(&mut self, track: Track, name: &str) -> io::Result<()> {
        if let Track::Thread(thread) = track {
            match self.lane(thread) {
                Some(lane) => lane.name = name.to_owned(),
                None => self.n_hidden += 1,
            }
        }
        Ok(())
    }

    fn slice(&mut self, slice: &Slice, _arrow: Option<Arrow>) -> io::Result<()> {
        let (thread, is_wait) = match slice.track {
            Track::Thread(thread) => (thread, true),
            Track::Holds(thread, _) => (thread, false),
            Track::Lock(..) => return Ok(()),
        };
        self.end = self.end.max(slice.end.0);
        self.widen(slice.end.0);
        let width = self.width;
        let Some(lane) = self.lane(thread) else {
            self.n_hidden += 1;
            return Ok(());
        };
        let row = if is_wait { &mut lane.waited } else { &mut lane.held };
        for bucket in slice.start.0 / width..=slice.end.0 / width {
            let (from, to) = (bucket * width, (bucket + 1).saturating_mul(width));
            let inside = slice.end.0.min(to).saturating_sub(slice.start.0.max(from));
            let sum = &mut row[bucket as usize];
            // Several locks held at once are one moment of holding.
            *sum = sum.saturating_add(inside).min(width);
        }
        Ok(())
    }

    fn instant(&mut self, _track: Track, _name: &str, _at: Nanos) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(thread: u32, start: u64, end: u64, is_wait: bool) -> Slice {
        let thread = ThreadId(thread);
        let track = if is_wait { Track::Thread(thread) } else { Track::Holds(thread, 0) };
        Slice {
            track,
            category: "",
            name: String::new(),
            start: Nanos(start),
            end: Nanos(end),
            facts: Vec::new(),
            arrow_from: None,
        }
    }

    #[test]
    fn buckets_widen_and_keep_their_sums() {
        let mut lanes = Lanes::default();
        lanes.slice(&slice(0, 0, 100, true), None).expect("memory");
        lanes.slice(&slice(0, 100_000, 150_000, true), None).expect("memory");
        lanes.slice(&slice(1, 1 << 40, (1 << 40) + 7, false), None).expect("memory");
        let sum: u64 = lanes.lanes[&ThreadId(0)].waited.iter().sum();
        assert_eq!(sum, 100 + 50_000);
        assert!(lanes.width >= 1 << 31);
        let mut out = Vec::new();
        lanes.write(true, &mut out).expect("memory");
        let text = String::from_utf8(out).expect("texts");
        let svg = &text[text.find("<svg").expect("a picture")..text.find("</svg>").expect("its end") + 6];
        roxmltree::Document::parse(svg).expect("it is well formed");
    }

    #[test]
    fn the_end_of_time_is_in_a_bucket() {
        let mut lanes = Lanes::default();
        lanes.slice(&slice(0, u64::MAX - 5, u64::MAX, true), None).expect("memory");
        lanes.write(true, &mut Vec::new()).expect("memory");
    }
}
