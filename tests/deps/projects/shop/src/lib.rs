//! A program whose locks are all in its dependencies.

pub use inventory::Inventory;

/// Made by a procedural macro.
pub const PRICE: u32 = prices::price!();
