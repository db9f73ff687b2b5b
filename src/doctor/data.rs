//! The data file, and the disk that it is on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::finding::Finding;
use crate::store::{self, Examination, OpenError};

pub(super) fn look(path: &Path) -> Vec<Finding> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !directory.is_dir() {
        let says = format!("{} is not there", directory.display());
        return vec![Finding::bad(
            "data",
            says,
            "Make the directory, and give it to the daemon's user.",
        )];
    }
    let mut findings = vec![file(path)];
    findings.extend(private(path));
    findings.push(space(directory));
    findings.push(disk(directory));
    findings
}

fn file(path: &Path) -> Finding {
    const TOPIC: &str = "data";
    let name = path.display();
    let bad = |says: String, mend: &str| Finding::bad(TOPIC, says, mend);
    match store::examine(path) {
        Ok(None) => Finding::good(TOPIC, format!("{name} is not there yet; the daemon makes it")),
        Ok(Some(Examination { version, bytes, in_use, was_checked })) => {
            let in_use = if in_use { ", in use by a daemon" } else { "" };
            let whole = if was_checked {
                "whole"
            } else {
                "not looked into: its last daemon was not ended well, the next sees to it"
            };
            Finding::good(
                TOPIC,
                format!("{name}: {} KiB, format {version}{in_use}, {whole}", bytes.div_ceil(1024)),
            )
        }
        Err(OpenError::Corrupt(what)) => bad(
            format!("{name} is damaged: {what}"),
            "Restore a copy. The daemon does not serve what is damaged.",
        ),
        Err(OpenError::NotOurs) => {
            bad(format!("{name} is not a file of wsrelay"), "Name another with --data.")
        }
        Err(e @ OpenError::Newer { .. }) => {
            bad(format!("{name}: {e}"), "Start the version that has written it, or a later one.")
        }
        Err(e) => bad(
            format!("{name} cannot be read: {e}"),
            "Does it belong to the daemon's user? Run the doctor as that user.",
        ),
    }
}

/// Others on the machine have no business in it.
fn private(path: &Path) -> Option<Finding> {
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then(|| {
        let says = format!(
            "{} can be read by others (mode {mode:o}): it has what people wrote",
            path.display()
        );
        Finding::poor("privacy", says, format!("chmod 600 {}", path.display()))
    })
}

fn space(directory: &Path) -> Finding {
    const TOPIC: &str = "space";
    const MEND: &str = "Make room: while the disk is full, posts are refused.";
    match rustix::fs::statvfs(directory) {
        Err(e) => Finding::poor(TOPIC, format!("cannot be told: {e}"), MEND),
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let says = format!("{} MiB are free", free >> 20);
            match free {
                0..SPACE_NEEDED => Finding::bad(TOPIC, says, MEND),
                SPACE_NEEDED..SPACE_WANTED => Finding::poor(TOPIC, says, MEND),
                _ => Finding::good(TOPIC, says),
            }
        }
    }
}

/// How long a small write takes until the disk has it: as long does everybody wait whose post is committed.
fn disk(directory: &Path) -> Finding {
    const TOPIC: &str = "disk";
    match time_syncs(directory) {
        Err(e) => Finding::bad(
            TOPIC,
            format!("{} cannot be written to: {e}", directory.display()),
            match e.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "Make room.",
                _ => {
                    "Give the directory to the daemon's user (systemd: StateDirectory=), and run the doctor as that user."
                }
            },
        ),
        Ok(took) => {
            let says = format!("a write is safe after {:.1} ms", took.as_secs_f64() * 1e3);
            match took > SYNC_WANTED {
                true => Finding::poor(
                    TOPIC,
                    says,
                    "A post waits as long: put the data file on a local SSD.",
                ),
                false => Finding::good(TOPIC, says),
            }
        }
    }
}

/// The middle of a few tries.
fn time_syncs(directory: &Path) -> io::Result<Duration> {
    let path = directory.join(format!(".wsrelay-doctor-{}", std::process::id()));
    let file = OpenOptions::new().create_new(true).write(true).open(&path)?;
    let times = try_syncs(file);
    fs::remove_file(&path)?;
    let mut times = times?;
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

fn try_syncs(mut file: File) -> io::Result<Vec<Duration>> {
    let mut one = || {
        let began = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        Ok(began.elapsed())
    };
    (0..5).map(|_| one()).collect()
}

/// Some weeks of a busy room.
const SPACE_WANTED: u64 = 1 << 30;
/// The write-ahead log after a peak, and a checkpoint.
const SPACE_NEEDED: u64 = 128 << 20;
/// A good deal slower than any disk of one's own, and still quicker than people notice.
const SYNC_WANTED: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn a_directory_that_is_not_there_is_said_to_be_missing() {
        let findings = look(Path::new("/nonexistent/wsrelay.db"));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].verdict, Verdict::Bad);
    }

    #[test]
    fn what_is_tried_is_taken_away_again() {
        let directory = std::env::temp_dir().join(format!("wsrelay-doctor-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        assert!(time_syncs(&directory).unwrap() > Duration::ZERO);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
        fs::remove_dir(&directory).unwrap();
    }
}
