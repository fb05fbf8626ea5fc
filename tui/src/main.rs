//! The `lockscope` program: command line and dashboard.

fn main() {}
