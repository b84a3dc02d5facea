//! `charter` with the failpoints of the crash tests compiled in.

use std::process::ExitCode;

#[path = "main.rs"]
mod program;

fn main() -> ExitCode {
    program::main()
}
