//! Runs one case of one configuration in a process of its own.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Locks and settings that are compared.
pub struct Configuration {
    /// Heading of its column.
    pub name: &'static str,
    /// Whose locks.
    pub family: &'static str,
    /// Value of `LOCKSCOPE`.
    pub settings: &'static str,
    /// What it may cost.
    pub budget: Budget,
}

/// Which of a case's budgets is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// None.
    No,
    /// With detection on.
    On,
    /// Recording with exact times.
    Recording,
    /// At most 1.3 times what the column before it costs: a file that grows, and a ring.
    Growing,
    /// Recording by the coarse clock.
    Coarse,
}

/// The plain locks first; then what is compared with them.
pub const PARKING_LOT: &[Configuration] = &[
    Configuration { name: "parking_lot", family: "parking_lot", settings: "", budget: Budget::No },
    Configuration { name: "off", family: "parking_lot facade", settings: "off", budget: Budget::No },
    Configuration { name: "on", family: "parking_lot facade", settings: "", budget: Budget::On },
    Configuration {
        name: "ring",
        family: "parking_lot facade",
        settings: "size=16M,record=",
        budget: Budget::Recording,
    },
    Configuration { name: "growing", family: "parking_lot facade", settings: "record=", budget: Budget::Growing },
    Configuration {
        name: "coarse",
        family: "parking_lot facade",
        settings: "size=16M,clock=coarse,record=",
        budget: Budget::Coarse,
    },
];

/// The same for std's locks.
pub const STD: &[Configuration] = &[
    Configuration { name: "std", family: "std", settings: "", budget: Budget::No },
    Configuration { name: "off", family: "std facade", settings: "off", budget: Budget::No },
    Configuration { name: "on", family: "std facade", settings: "", budget: Budget::On },
    Configuration { name: "ring", family: "std facade", settings: "size=16M,record=", budget: Budget::Recording },
    Configuration { name: "growing", family: "std facade", settings: "record=", budget: Budget::Growing },
    Configuration {
        name: "coarse",
        family: "std facade",
        settings: "size=16M,clock=coarse,record=",
        budget: Budget::Coarse,
    },
];

/// Nanoseconds per operation, and what lockscope said meanwhile.
///
/// # Errors
///
/// When the process fails or says no number; with what it said.
pub fn measure(configuration: &Configuration, case: &str, directory: &Path) -> Result<(f64, String), String> {
    let trace = directory.join("trace.lks");
    let settings = match configuration.settings.strip_suffix("record=") {
        Some(before) => format!("{before}record={}", trace.display()),
        None => configuration.settings.to_owned(),
    };
    let output = Command::new(std::env::current_exe().map_err(|error| error.to_string())?)
        .args(["--child", configuration.family, case])
        .env("LOCKSCOPE", settings)
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| error.to_string())?;
    let _ = std::fs::remove_file(&trace);
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{} with {case}: {}: {errors}", configuration.name, output.status));
    }
    let nanos = said.trim().parse().map_err(|_| format!("{} with {case} said {said:?}", configuration.name))?;
    Ok((nanos, errors.into_owned()))
}
