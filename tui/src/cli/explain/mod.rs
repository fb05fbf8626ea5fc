//! `lockscope explain CODE`: a page about each kind of finding.

use std::io::Write;

use clap::{Args, builder::PossibleValuesParser};
use lockscope_analyzer::finding::Code;

use crate::cli::{Failure, Global, exit};

/// Arguments of `explain`.
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
pub struct ExplainArgs {
    /// Code of a finding, as in `error[deadlock]`
    #[arg(value_parser = PossibleValuesParser::new(Code::ALL.map(Code::as_str)), required_unless_present = "list")]
    code: Option<String>,
    /// List all codes with a sentence each
    #[arg(long, conflicts_with = "code")]
    list: bool,
}

/// Runs the verb.
pub fn run(args: &ExplainArgs, _: &Global, out: &mut dyn Write) -> Result<u8, Failure> {
    match args.code.as_deref().and_then(Code::parse) {
        Some(code) => out.write_all(page(code).as_bytes())?,
        None => {
            for code in Code::ALL {
                let title = page(code).lines().next().expect("a page begins with its title");
                let (code, sentence) = title.split_once(": ").expect("a title is a code and a sentence");
                writeln!(out, "{code:<22} {sentence}")?;
            }
        }
    }
    Ok(exit::OK)
}

/// The page of a code.
pub fn page(code: Code) -> &'static str {
    match code {
        Code::Deadlock => include_str!("deadlock.md"),
        Code::SelfDeadlock => include_str!("self-deadlock.md"),
        Code::RecursiveRead => include_str!("recursive-read.md"),
        Code::LockOrderInversion => include_str!("lock-order-inversion.md"),
        Code::PredictedDeadlock => include_str!("predicted-deadlock.md"),
        Code::HierarchyViolation => include_str!("hierarchy-violation.md"),
        Code::LockTimeout => include_str!("lock-timeout.md"),
        Code::LostWakeup => include_str!("lost-wakeup.md"),
        Code::SemaphoreLeak => include_str!("semaphore-leak.md"),
        Code::GuardLeak => include_str!("guard-leak.md"),
        Code::UncheckedWakeup => include_str!("unchecked-wakeup.md"),
        Code::Poisoned => include_str!("poisoned.md"),
        Code::BusyWait => include_str!("busy-wait.md"),
        Code::OutOfOrderRelease => include_str!("out-of-order-release.md"),
        Code::NoTimeout => include_str!("no-timeout.md"),
        Code::DataRace => include_str!("data-race.md"),
        Code::PredictedDataRace => include_str!("predicted-data-race.md"),
        Code::InconsistentLocking => include_str!("inconsistent-locking.md"),
        Code::LostUpdate => include_str!("lost-update.md"),
        Code::CheckThenAct => include_str!("check-then-act.md"),
        Code::AtomicityViolation => include_str!("atomicity-violation.md"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_its_parts_and_fits_a_terminal() {
        for code in Code::ALL {
            let page = page(code);
            assert!(page.starts_with(&format!("{}: ", code.as_str())), "{} begins with its code", code.as_str());
            for part in ["What it means", "Example", "How it is found", "What to do", "How to silence it"] {
                assert!(page.contains(&format!("\n{part}\n")), "{} has a part {part}", code.as_str());
            }
            for line in page.lines() {
                assert!(line.len() <= 80, "{} fits 80 columns: {line}", code.as_str());
            }
        }
    }
}
