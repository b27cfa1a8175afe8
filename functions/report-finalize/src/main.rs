//! The function on its own: see the crate documentation.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared_runtime::run(report_finalize::ReportFinalize::connect)
}
