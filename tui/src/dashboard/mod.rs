//! `lockscope top`: the dashboard.
//!
//! Reading order: [`reader`] reads and analyses a trace on its own thread and sends what it has in batches;
//! [`model`] is what is known of the trace; [`state`] is what is shown of it, and [`state::update`] the only thing
//! that changes either, without a terminal or a clock; [`keys`] is the one table of keys, which also makes the help;
//! [`lists`] decides which rows a list has; [`draw`] turns a state into a screen; [`run`] owns the terminal.
//!
//! A live session is a trace that has not ended yet: nothing here knows two cases, except for the word in the header.

pub mod draw;
pub mod keys;
pub mod lists;
pub mod model;
pub mod reader;
pub mod run;
pub mod state;
