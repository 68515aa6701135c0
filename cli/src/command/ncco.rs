//! `switchboard ncco`: anybody's NCCO.

use super::{Found, Global, show};
use anyhow::Context as _;
use std::io::Read as _;
use std::path::PathBuf;
use switchboard_shared::ncco::check::{self, Severity};

/// Look after NCCOs.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Ncco {
    /// Find everything that Vonage would refuse, and what it merely tolerates.
    Check {
        /// A file with an NCCO; `-` or nothing for standard input.
        #[arg(default_value = "-")]
        file: PathBuf,
    },
}

impl Ncco {
    pub(super) fn run(self, global: &Global) -> anyhow::Result<Found> {
        let Self::Check { file } = self;
        let mut bytes = Vec::new();
        if file.as_os_str() == "-" {
            std::io::stdin()
                .read_to_end(&mut bytes)
                .context("could not read standard input")?;
        } else {
            bytes = std::fs::read(&file).with_context(|| {
                format!(
                    "could not read {}; name a file, or `-` for standard input",
                    file.display()
                )
            })?;
        }
        let faults = match serde_json::from_slice(&bytes) {
            Ok(ncco) => check::check_value(&ncco),
            Err(error) => vec![check::Fault {
                pointer: String::new(),
                severity: Severity::Fault,
                message: format!("this is not JSON: {error}"),
            }],
        };
        if global.json {
            show::json(&faults);
        } else {
            faults
                .iter()
                .for_each(|fault| show::line(&fault.to_string()));
        }
        let refused = faults.iter().any(|fault| fault.severity == Severity::Fault);
        Ok(if refused { Found::Problem } else { Found::Fine })
    }
}
