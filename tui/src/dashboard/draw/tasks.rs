//! Tasks of an executor: no trace records any yet, and this says so.

use ratatui::{Frame, layout::Rect};

use crate::dashboard::{draw::empty, state::State};

/// Draws what there is to say.
pub fn draw(state: &State, frame: &mut Frame, area: Rect) {
    empty(
        state,
        frame,
        area,
        "no tasks are recorded: traces of this version have threads only; tasks of an executor are seen as the threads that run them (3)",
    );
}
