//! The process as the system sees it: what it uses, and what it may.
//!
//! Looks at the system each time it is asked, which is when metrics are; a figure that the system does not give is left out.

use std::fs;
use std::time::{Duration, SystemTime};

use rlimit::Resource;
use rustix::time::{ClockId, clock_gettime};

/// What the process uses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    pub(super) cpu: Duration,
    pub(super) resident_bytes: Option<u64>,
    pub(super) virtual_bytes: Option<u64>,
    pub(super) descriptors: Option<u64>,
    pub(super) descriptors_max: Option<u64>,
    pub(super) threads: Option<u64>,
    /// Since 1970.
    pub(super) started: Duration,
}

impl Usage {
    /// Now, of a process that began `started`.
    pub(super) fn now(started: SystemTime) -> Self {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let kibibytes = |name| field(&status, name).map(|kib| kib * 1024);
        Self {
            cpu: Duration::new(
                cpu.tv_sec.try_into().unwrap_or(0),
                cpu.tv_nsec.try_into().unwrap_or(0),
            ),
            resident_bytes: kibibytes("VmRSS:"),
            virtual_bytes: kibibytes("VmSize:"),
            descriptors: open_descriptors(),
            descriptors_max: rlimit::getrlimit(Resource::NOFILE).ok().map(|(soft, _)| soft),
            threads: field(&status, "Threads:"),
            started: started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
        }
    }
}

/// The number behind a name in `/proc/self/status`.
fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Linux has the number as the directory's size since 6.2; before that they are counted, which takes some milliseconds for
/// ten thousand.
fn open_descriptors() -> Option<u64> {
    const PLACE: &str = "/proc/self/fd";
    match fs::metadata(PLACE).ok()?.len() {
        0 => Some(fs::read_dir(PLACE).ok()?.count() as u64),
        open => Some(open),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let status = "Name:\twsrelay\nVmSize:\t  9000 kB\nVmRSS:\t    1234 kB\nThreads:\t7\n";
        assert_eq!(field(status, "VmRSS:"), Some(1234));
        assert_eq!(field(status, "Threads:"), Some(7));
        assert_eq!(field(status, "VmSwap:"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_gives_all_of_it() {
        let before = Usage::now(SystemTime::now());
        let held = fs::File::open("/dev/null").unwrap();
        let usage = Usage::now(SystemTime::now());
        drop(held);
        assert!(usage.cpu >= before.cpu && !usage.started.is_zero());
        assert!(usage.resident_bytes < usage.virtual_bytes, "{usage:?}");
        assert!(usage.descriptors < usage.descriptors_max && usage.threads >= Some(1), "{usage:?}");
    }
}
