//! `wsrelay doctor`: what stands in the way of a good service, in plain words, and how to mend it.
//!
//! Looks from outside at what a daemon needs: this machine (`machine`), the data file (`data`) and, given a URL, the way to
//! a daemon through whatever stands before it (`way`). It changes nothing, save that a file is written and taken away
//! beside the data file, to learn how long the disk takes. It never knows what the daemon knows: what it tells is what a
//! client sees.
//!
//! | module | what |
//! | --- | --- |
//! | `url` | what is looked at |
//! | `link` | a stream to it: TCP, a Unix socket, TLS |
//! | `talk` | one request, or one WebSocket, on such a stream |
//! | `way` | what is tried, and what its outcome means |

mod data;
mod finding;
mod link;
mod machine;
mod talk;
mod url;
mod way;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use self::finding::Finding;
use self::url::Url;

/// What to look at.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Where a daemon is to be reached: http://HOST[:PORT], https://HOST[:PORT], or unix:PATH.
    #[arg(value_parser = Url::parse)]
    url: Option<Url>,

    /// The data file.
    #[arg(long, value_name = "FILE", env = "WSRELAY_DATA", default_value = "wsrelay.db")]
    data: PathBuf,

    /// How many seconds a connection is left alone, to see whether it survives. 0: not at all.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=3600))]
    idle: u32,

    /// How many seconds any answer may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=600))]
    patience: u32,

    /// Certificates to trust, as PEM, instead of the system's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Only whether the daemon answers and is well: a health check.
    #[arg(long, requires = "url")]
    quick: bool,

    /// Tell it as JSON.
    #[arg(long)]
    json: bool,
}

/// Looks, and tells on standard output. True if nothing is broken.
///
/// # Errors
/// When standard output takes nothing.
pub fn run(options: &Options) -> io::Result<bool> {
    let findings = look(options);
    let told = match options.json {
        true => finding::as_json(&findings),
        false => finding::as_text(&findings),
    };
    io::stdout().lock().write_all(told.as_bytes())?;
    Ok(finding::is_sound(&findings))
}

fn look(options: &Options) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !options.quick {
        findings.extend(machine::look());
        findings.extend(data::look(&options.data));
    }
    if let Some(url) = &options.url {
        let way = way::Way {
            url,
            ca: options.ca.as_deref(),
            patience: Duration::from_secs(options.patience.into()),
            idle: Duration::from_secs(options.idle.into()),
        };
        findings.extend(if options.quick { way.look_quickly() } else { way.look() });
    }
    findings
}
