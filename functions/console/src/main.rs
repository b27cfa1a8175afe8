//! The function on its own: see the crate documentation.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared_runtime::run_router(async |shared| {
        console::Console::connect(shared)
            .await
            .map(|console| console.router())
    })
}
