//! What 0.13 does not have.

mod constructors;
mod forced;
mod recursive;
mod waits;
