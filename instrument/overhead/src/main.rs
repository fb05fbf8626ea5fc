//! What lockscope costs, side by side with the plain locks.
//!
//! ```text
//! cargo run --release -p lockscope-overhead --features force             the table
//! cargo run --release -p lockscope-overhead --features force -- nested   cases with that word in their name
//! cargo run --release -p lockscope-overhead --features force -- --rounds 21
//! cargo run --release -p lockscope-overhead --features force -- memory   what it keeps, and how long its start takes
//! ```
//!
//! The runtime is one per process, so each configuration runs in processes of its own: in every round one after the other, so that
//! whatever else the machine does meets all of them; the table has medians over the rounds. Times are processor time of the
//! measured process, which other programs disturb less than time on the clock. Ratios are to be read, not nanoseconds.

mod cases;
mod family;
mod memory;
mod process;
mod table;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--child", family, case] => {
            family::run(family, case);
            ExitCode::SUCCESS
        }
        ["--child-memory", case] => {
            memory::run(case);
            ExitCode::SUCCESS
        }
        ["--child-start", family] => {
            memory::lock_once(family);
            ExitCode::SUCCESS
        }
        ["memory"] => memory::measure_and_print(),
        rest => {
            let mut rounds = 9;
            let mut only = String::new();
            let mut rest = rest.iter();
            while let Some(&argument) = rest.next() {
                if argument == "--rounds" {
                    let Some(n) = rest.next().and_then(|n| n.parse().ok()).filter(|&n| n > 0) else {
                        eprintln!("error: --rounds takes a number from 1");
                        return ExitCode::from(2);
                    };
                    rounds = n;
                } else if argument.starts_with('-') {
                    eprintln!("error: unknown option {argument}; usage: overhead [--rounds N] [CASE] | memory");
                    return ExitCode::from(2);
                } else {
                    only = argument.to_owned();
                }
            }
            table::measure_and_print(rounds, &only)
        }
    }
}
