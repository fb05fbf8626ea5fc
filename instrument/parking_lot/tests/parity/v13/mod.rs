//! What 0.12 does not have.

mod condvar;
mod once;
mod tokens;
