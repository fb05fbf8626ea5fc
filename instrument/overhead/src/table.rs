//! Measures all cases in rounds and prints medians.

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use crate::{
    cases::{CASES, Case},
    process::{Configuration, PARKING_LOT, STD, measure},
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
        print!("{:26}{:>14}", format!("medians of {rounds}"), configurations[0].name);
        configurations[1..].iter().for_each(|configuration| print!("{:>14}", configuration.name));
        println!("   aim: on, recording");
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
    print!("{:26}{:>14}", case.name, format!("{:.1} ns", medians[0]));
    for median in &medians[1..] {
        print!("{:>14}", format!("{:.2}x", median / medians[0]));
    }
    let aim = |aim: Option<f64>| aim.map_or("-".to_owned(), |aim| format!("{aim}x"));
    println!("   {}, {} per {}", aim(case.on), aim(case.recording), case.unit);
    remarks.iter().for_each(|remark| println!("  {remark}"));
    Ok(())
}

const fn size<T>() -> usize {
    size_of::<T>()
}
