//! What threads hold at their accesses, noted without looking whether it was held before: a cell for each lock that is taken, which
//! points to the one around it. Which of these are the same set of locks is asked of few.

use lockscope_trace::{LockId, Mode};

use crate::engine::closure::{history::Hold, sets::Sets};

/// Rows of held locks so far.
#[derive(Debug, Default)]
pub(super) struct Cells(Vec<Cell>);

/// What is held, outermost first, as the cell of the lock that was taken last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Row(u32);

#[derive(Debug)]
struct Cell {
    around: Row,
    lock: LockId,
    mode: Mode,
    /// The number of the set, once it was asked for; 0 before.
    set: u32,
}

impl Cells {
    /// All that is held. Kept in the holds, so that it takes one step for each hold that is new.
    #[inline]
    pub(super) fn of(&mut self, held: &mut [Hold]) -> Row {
        if held.last().is_none_or(|last| last.set != 0) {
            return Row(held.last().map_or(0, |last| last.set));
        }
        let mut around = Row(0);
        for hold in held {
            if hold.set == 0 {
                self.0.push(Cell { around, lock: hold.lock, mode: hold.mode, set: 0 });
                // 2^32 - 1 of them are more than memory holds.
                hold.set = self.0.len() as u32;
            }
            around = Row(hold.set);
        }
        around
    }

    /// The number of the set of these locks.
    pub(super) fn set(&mut self, row: Row, sets: &mut Sets) -> u32 {
        let mut open = Vec::new();
        let mut next = row;
        let mut set = loop {
            let Some(index) = (next.0 as usize).checked_sub(1) else { break 0 };
            let cell = &self.0[index];
            if cell.set != 0 {
                break cell.set;
            }
            open.push(index);
            next = cell.around;
        };
        for index in open.into_iter().rev() {
            let cell = &mut self.0[index];
            set = sets.with(set, cell.lock, cell.mode);
            cell.set = set;
        }
        set
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<Cell>()
    }
}
