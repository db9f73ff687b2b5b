//! This machine: what it grants a daemon.

use std::fs;
use std::time::{Duration, SystemTime};

use rlimit::Resource;

use super::finding::Finding;

pub(super) fn look() -> Vec<Finding> {
    let mut findings = vec![descriptors(rlimit::getrlimit(Resource::NOFILE).ok())];
    findings.extend(backlog(fs::read_to_string(SOMAXCONN).ok().as_deref()));
    findings.push(clock(SystemTime::now()));
    findings
}

/// `limits` are those that a process started from here has: it may raise the first up to the second.
fn descriptors(limits: Option<(u64, u64)>) -> Finding {
    const TOPIC: &str = "descriptors";
    const MEND: &str =
        "systemd: LimitNOFILE=131072; else: ulimit -Hn 131072, or /etc/security/limits.conf";
    match limits {
        None => Finding::poor(TOPIC, "the limit cannot be read", MEND),
        Some((_, most)) if most < DESCRIPTORS_WANTED => Finding::poor(
            TOPIC,
            format!("a daemon started from here may open {most}, one for each connection"),
            MEND,
        ),
        Some((_, u64::MAX)) => Finding::good(TOPIC, "without a limit"),
        Some((_, most)) => {
            Finding::good(TOPIC, format!("a daemon started from here may open {most}"))
        }
    }
}

/// How many may wait to be accepted. Not told where the system has no such file.
fn backlog(somaxconn: Option<&str>) -> Option<Finding> {
    const TOPIC: &str = "backlog";
    let most: u32 = somaxconn?.trim().parse().ok()?;
    Some(match most < BACKLOG_WANTED {
        true => Finding::poor(
            TOPIC,
            format!(
                "{most} may wait to be let in; when everybody comes back at once, the others are turned away by the kernel"
            ),
            format!("sysctl -w net.core.somaxconn={BACKLOG_WANTED}"),
        ),
        false => Finding::good(TOPIC, format!("{most} may wait to be let in")),
    })
}

/// Log-ins end by the clock, and posts carry its time.
fn clock(now: SystemTime) -> Finding {
    const TOPIC: &str = "clock";
    match now < SystemTime::UNIX_EPOCH + LAST_YEAR {
        true => Finding::bad(
            TOPIC,
            "the clock is years behind: log-ins made now will end at once when it is set",
            "Set it, and have it kept by NTP, with chrony or systemd-timesyncd.",
        ),
        false => Finding::good(TOPIC, "is not behind this program"),
    }
}

const SOMAXCONN: &str = "/proc/sys/net/core/somaxconn";
/// As many connections as one process here is made for, and some to spare.
const DESCRIPTORS_WANTED: u64 = 10_000;
/// What the daemon asks for.
const BACKLOG_WANTED: u32 = 4_096;
/// The beginning of 2026, which no clock that is right shows any more.
const LAST_YEAR: Duration = Duration::from_secs(1_767_225_600);

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn what_is_too_little_is_told() {
        assert_eq!(descriptors(Some((1024, 1024))).verdict, Verdict::Poor);
        assert_eq!(descriptors(Some((1024, 131_072))).verdict, Verdict::Good);
        assert_eq!(descriptors(Some((1024, u64::MAX))).verdict, Verdict::Good);
        assert_eq!(backlog(Some("128\n")).unwrap().verdict, Verdict::Poor);
        assert_eq!(backlog(Some("4096\n")).unwrap().verdict, Verdict::Good);
        assert_eq!(backlog(None), None);
        assert_eq!(clock(SystemTime::UNIX_EPOCH).verdict, Verdict::Bad);
        assert_eq!(clock(SystemTime::now()).verdict, Verdict::Good);
    }
}
