//! A launcher on its own, as small as one can be, for the tests of the sandbox. It refuses every other command.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(command) if command == "sandbox-exec" => wayproof_proof::sandbox_main(arguments),
        Some(_) | None => ExitCode::from(2),
    }
}
