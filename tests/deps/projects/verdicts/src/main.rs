//! The programs of `tests/verdicts/program` with the real parking_lot 0.12, which `run --deps` replaces.
//!
//! Whoever builds it puts those files into `src/program` and their list of scenarios into `src/scenarios.rs`.

#![allow(clippy::duplicate_mod, unused_macro_rules, unused_imports, dead_code)]

extern crate parking_lot as lockscope_parking_lot;
extern crate parking_lot as lockscope_parking_lot_012;

#[path = "program/help.rs"]
mod help;
#[path = "program/kinds_12.rs"]
mod kinds_12;
#[path = "program/pl_locks.rs"]
mod pl_locks;

/// All scenarios that are about parking_lot 0.12: family, module, names.
macro_rules! scenarios {
    (
        objects: $($other:ident)*;
        apart: $($apart:ident)*;
        kinds: $($kind:ident)*;
        channels: $($wait:ident)*;
        selections: $($selection:ident)*;
        $($module:ident: $($name:ident)*;)*
    ) => {
        const SCENARIOS: &[(&str, fn())] = &[
            $((concat!("kinds12::", stringify!($kind)), kinds_12::kinds::$kind as fn()),)*
            $($((concat!("pl::", stringify!($name)), pl_locks::$module::$name as fn()),)*)*
        ];
    };
}

include!("scenarios.rs");
