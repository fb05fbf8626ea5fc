//! What many blocks together did to the lanes of threads and locks, so that a picture of a run of any length looks at few summaries.

use std::collections::BTreeMap;

use lockscope_trace::Nanos;

use super::{
    block::Block,
    lanes::{Shown, Summary},
};

/// So many blocks, or folds of the level below, make a fold.
const FAN: usize = 4;

/// Folds of full blocks, in levels.
#[derive(Debug, Default)]
pub(super) struct Folds {
    /// The first level has a fold for each four blocks, the next one for each four of these, and so on.
    levels: Vec<Vec<Fold>>,
    /// Bytes that all of them take.
    pub(super) weight: usize,
}

/// What some blocks in a row did.
#[derive(Debug)]
pub(super) struct Fold {
    /// Time that was reached before the first one.
    pub(super) begin: Nanos,
    /// Time that is reached with the last one.
    pub(super) latest: Nanos,
    pub(super) summary: Summary,
}

impl Folds {
    /// To be called when the last block has become full. O(lanes that change in what is folded), which is seldom.
    pub(super) fn add(&mut self, blocks: &[Block]) {
        let mut n_parts = blocks.len();
        for level in 0.. {
            if n_parts == 0 || !n_parts.is_multiple_of(FAN) {
                break;
            }
            let fold = match level {
                0 => {
                    let blocks = &blocks[n_parts - FAN..];
                    let summaries = blocks.iter().filter_map(|block| block.summary.as_ref());
                    Fold { begin: blocks[0].begin, latest: blocks[FAN - 1].latest, summary: Summary::of(summaries) }
                }
                _ => {
                    let folds = &self.levels[level - 1][n_parts - FAN..];
                    let summary = Summary::of(folds.iter().map(|fold| &fold.summary));
                    Fold { begin: folds[0].begin, latest: folds[FAN - 1].latest, summary }
                }
            };
            self.weight += size_of::<Fold>() + fold.summary.weight();
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            self.levels[level].push(fold);
            n_parts /= FAN;
        }
    }

    /// Folds that begin with a block, the longest first, each with the number of its blocks.
    pub(super) fn from(&self, block: usize) -> impl Iterator<Item = (usize, &Fold)> {
        let sizes = std::iter::successors(Some(FAN), |size| size.checked_mul(FAN));
        let levels: Vec<(usize, &Vec<Fold>)> =
            sizes.zip(&self.levels).take_while(|(size, _)| block.is_multiple_of(*size)).collect();
        levels.into_iter().rev().filter_map(move |(size, folds)| Some((size, folds.get(block / size)?)))
    }
}

impl Summary {
    /// What all of some do that follow each other.
    fn of<'a>(parts: impl Iterator<Item = &'a Summary>) -> Summary {
        let mut lanes: BTreeMap<u32, (Shown, Shown)> = BTreeMap::new();
        for Summary(part) in parts {
            for &(lane, all, end) in part {
                let known = lanes.entry(lane).or_default();
                *known = (known.0.and(all), end);
            }
        }
        Summary(lanes.into_iter().map(|(lane, (all, end))| (lane, all, end)).collect())
    }
}
