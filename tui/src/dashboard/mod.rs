//! `lockscope top`: the dashboard.
//!
//! Reading order: [`reader`] reads and analyses a trace on its own thread and sends what it has in batches,
//! and [`present`] shows the present of a process as long as that takes;
//! [`model`] is what is known of the trace, [`digest`] its numbers; [`state`] is what is shown of it, and [`state::update`]
//! the only thing that changes either, without a terminal or a clock; [`keys`] is the one table of actions, which also makes
//! help and palette; [`tables`] decides which rows and columns lists have, [`lists`] which events, and `texts` keeps words that many of them share; [`draw`] turns a state into
//! a screen, and [`screen`] says what is where on it; [`export`] and [`describe`] write what is shown, and `listing` a source file; [`run`] owns the terminal.
//!
//! A live session is a trace that has not ended yet: nothing here knows two cases, except for the word in the header.

pub mod background;
mod buckets;
#[cfg(test)]
mod budgets;
pub mod config;
mod describe;
pub mod digest;
pub mod draw;
pub mod export;
pub mod kept;
pub mod keys;
mod listing;
pub mod lists;
mod memory;
pub mod model;
mod order;
mod picture;
pub mod present;
pub mod reader;
pub mod run;
pub mod screen;
pub mod state;
pub mod tables;
pub mod terminal;
mod texts;
pub mod wake;

pub use self::config::Looks;
