//! The `wsrelay` executable: parse, run, exit code.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use wsrelay::cli::{self, Invocation};
use wsrelay::{daemon, doctor};

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(Invocation::Print(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Invocation::Serve(serve)) => ended(daemon::serve(&serve)),
        Ok(Invocation::Export(export)) => ended(export.run()),
        Ok(Invocation::Backup(backup)) => ended(backup.run()),
        Ok(Invocation::User(user)) => ended(user.run()),
        #[cfg(all(feature = "bench", target_os = "linux"))]
        Ok(Invocation::Bench(options)) => ended(wsrelay::bench::run(&options)),
        Ok(Invocation::Doctor(options)) => match doctor::run(&options) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(e) => ended(Err(e)),
        },
        Err(line) => {
            complain(&line);
            ExitCode::from(2)
        }
    }
}

/// Says it on standard error, if that is still there.
fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn ended(result: Result<(), impl std::fmt::Display>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            complain(&format!("error: {e}"));
            ExitCode::FAILURE
        }
    }
}
