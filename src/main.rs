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
        Ok(Invocation::Serve(serve)) => ended(daemon::serve(&serve)),
        #[cfg(all(feature = "bench", target_os = "linux"))]
        Ok(Invocation::Bench(options)) => ended(wsrelay::bench::run(&options)),
        Err(line) => {
            eprintln!("{line}");
            ExitCode::from(2)
        }
    }
}

fn ended(result: Result<(), impl std::fmt::Display>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}
