//! Writes traces as a recorder would and reads them back: at rest, while growing, cut off, and damaged.

mod damage;
mod killed;
mod round_trip;
mod support;
