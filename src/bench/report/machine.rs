//! Where and when a report was made.

use std::fs;
use std::thread::available_parallelism;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::http::Date;

#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) processors: usize,
    pub(super) memory_gib: f64,
    pub(super) kernel: String,
    pub(super) date: String,
}

impl Machine {
    pub(super) fn this() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let memory_kib = memory.and_then(|kib| kib.trim_end_matches(" kB").parse().ok());
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name").unwrap_or("unknown".to_owned()),
            processors: available_parallelism().map_or(1, usize::from),
            memory_gib: memory_kib.unwrap_or(0.0) / f64::from(1 << 20),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            date: String::from_utf8_lossy(Date::from_unix(since_1970.as_secs()).as_bytes())
                .into_owned(),
        }
    }
}

/// Packets that the kernel has dropped since it started because a processor's queue was full. On the loopback that is
/// rare, and the packet comes again only after a fifth of a second or more.
pub(super) fn packets_dropped() -> u64 {
    let queues = fs::read_to_string("/proc/net/softnet_stat").unwrap_or_default();
    let dropped = queues.lines().filter_map(|queue| queue.split_whitespace().nth(1));
    dropped.filter_map(|count| u64::from_str_radix(count, 16).ok()).sum()
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { processor, processors, memory_gib, kernel, date } = self;
        write!(
            f,
            "{processor}, {processors} processors, {memory_gib:.0} GiB, Linux {kernel}; {date}"
        )
    }
}
