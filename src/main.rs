//! The `wsrelay` executable: parse, run, exit code.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use wsrelay::cli::{self, Invocation};
use wsrelay::daemon;

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(Invocation::Print(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Invocation::Serve(serve)) => match daemon::serve(&serve) {
            Ok(()) => ExitCode::SUCCESS,
            Err(e) => {
                eprintln!("error: {e}");
                ExitCode::FAILURE
            }
        },
        Err(line) => {
            eprintln!("{line}");
            ExitCode::from(2)
        }
    }
}
