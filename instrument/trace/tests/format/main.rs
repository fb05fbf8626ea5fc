//! Writes traces as a recorder would and reads them back: at rest, while growing, cut off, and damaged.

mod ahead;
mod clocks;
mod counted;
mod damage;
mod definitions;
mod killed;
mod late;
mod objects;
mod round_trip;
mod support;
mod totals;
mod window;
