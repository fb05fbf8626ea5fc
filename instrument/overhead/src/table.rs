//! Measures all cases in rounds and prints medians.

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use crate::{
    cases::{CASES, Case},
    process::{Budget, Configuration, PARKING_LOT, STD, measure},
};

/// Runs the cases with `only` in their name; prints a table for each kind of lock.
pub fn measure_and_print(rounds: usize, only: &str) -> ExitCode {
    // A memory file system, where there is one: a disk would be measured otherwise.
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let directory = base.join(format!("lockscope-overhead-{}", std::process::id()));
    if let Err(error) = std::fs::create_dir(&directory) {
        eprintln!("error: cannot make {}: {error}", directory.display());
        return ExitCode::FAILURE;
    }
    let result = print_all(rounds, only, &directory);
    let _ = std::fs::remove_dir_all(&directory);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print_all(rounds: usize, only: &str, directory: &std::path::Path) -> Result<(), String> {
    let cases: Vec<&Case> = CASES.iter().filter(|case| case.name.contains(only)).collect();
    if cases.is_empty() {
        return Err(format!("no case has `{only}` in its name"));
    }
    for configurations in [PARKING_LOT, STD] {
        print!("{:40}{:>12}", format!("medians of {rounds}, per"), configurations[0].name);
        configurations[1..].iter().for_each(|configuration| print!("{:>9}", configuration.name));
        println!("   {:35} met?", "budget (growing: 1.3x ring)");
        for case in &cases {
            print_row(case, configurations, rounds, directory)?;
        }
        println!();
    }
    println!(
        "sizes: Mutex<u64> {} (plain {}), RwLock<u64> {} (plain {}) bytes",
        size::<lockscope_parking_lot::Mutex<u64>>(),
        size::<parking_lot::Mutex<u64>>(),
        size::<lockscope_parking_lot::RwLock<u64>>(),
        size::<parking_lot::RwLock<u64>>()
    );
    Ok(())
}

fn print_row(
    case: &Case,
    configurations: &[Configuration],
    rounds: usize,
    directory: &std::path::Path,
) -> Result<(), String> {
    let mut remarks = BTreeSet::new();
    let mut times = vec![Vec::new(); configurations.len()];
    for _ in 0..rounds {
        for (configuration, times) in configurations.iter().zip(&mut times) {
            let (nanos, said) = measure(configuration, case.name, directory)?;
            times.push(nanos);
            if !said.is_empty() {
                remarks.insert(format!(
                    "{}: {}",
                    configuration.name,
                    said.trim().replace(&*directory.to_string_lossy(), "")
                ));
            }
        }
    }
    let medians: Vec<f64> = times
        .into_iter()
        .map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        })
        .collect();
    let ratios: Vec<f64> = medians.iter().map(|median| median / medians[0]).collect();
    print!("{:40}{:>12}", format!("{}, {}", case.name, case.unit), format!("{:.1} ns", medians[0]));
    ratios[1..].iter().for_each(|ratio| print!("{:>9}", format!("{ratio:.2}x")));
    let (budgets, verdict) = judge(case, configurations, &ratios);
    println!("   {budgets:35} {verdict}");
    remarks.iter().for_each(|remark| println!("  {remark}"));
    Ok(())
}

/// The budgets of a row, and whether they are met; where not, by which columns.
fn judge(case: &Case, configurations: &[Configuration], ratios: &[f64]) -> (String, String) {
    let (mut budgets, mut missed) = (Vec::new(), Vec::new());
    for (index, (configuration, &ratio)) in configurations.iter().zip(ratios).enumerate() {
        let budget = match configuration.budget {
            Budget::No => None,
            Budget::On => case.on,
            Budget::Recording => case.recording,
            Budget::Growing => case.recording.and_then(|_| Some(1.3 * ratios[index.checked_sub(1)?])),
            Budget::Coarse => case.coarse,
        };
        let Some(budget) = budget else { continue };
        if configuration.budget != Budget::Growing {
            budgets.push(format!("{} {budget}x", configuration.name));
        }
        // As precise as what is shown.
        if (ratio * 100.0).round() > (budget * 100.0).round() {
            missed.push(configuration.name);
        }
    }
    let verdict = match missed.as_slice() {
        [] if budgets.is_empty() => "-".to_owned(),
        [] => "yes".to_owned(),
        missed => format!("no: {}", missed.join(", ")),
    };
    (budgets.join(", "), verdict)
}

const fn size<T>() -> usize {
    size_of::<T>()
}
