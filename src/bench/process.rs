//! The server under measurement as the system sees it: found and weighed, always from outside.
//!
//! Owns what `/proc` says of a process. Processor time is the sum of the threads' `schedstat`, in nanoseconds; the
//! user's share of it is the kernel's own estimate, sampled at its ticks (`utime` and `stime`), good to a few percent
//! over some seconds. Memory is `smaps_rollup`: what the process itself occupies, not what the kernel keeps for its
//! sockets.

use std::fs;
use std::time::Instant;

use super::Failure;
use super::affinity::{self, Cpu};

/// A process to be weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pid(pub(super) u32);

/// Processor time used so far.
#[derive(Clone, Copy, Debug, Default)]
struct CpuTime {
    total_ns: u64,
    /// Time that its threads could have run and had no processor.
    waited_ns: u64,
    user_ticks: u64,
    system_ticks: u64,
}

/// Memory held at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Memory {
    pub(super) pss_bytes: u64,
    pub(super) rss_bytes: u64,
    pub(super) private_dirty_bytes: u64,
}

impl Pid {
    /// The process that listens on this port of this machine, if it can be seen.
    pub(super) fn listening_on(port: u16) -> Option<Self> {
        let inode = listening_inode(port)?;
        let wanted = format!("socket:[{inode}]");
        fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let mut descriptors = fs::read_dir(entry.path().join("fd")).ok()?.flatten();
            let held = |descriptor: &fs::DirEntry| {
                fs::read_link(descriptor.path()).is_ok_and(|link| link.as_os_str() == &*wanted)
            };
            descriptors.any(|descriptor| held(&descriptor)).then_some(Self(pid))
        })
    }

    /// `None` when there is no such process any more.
    fn cpu_time(self) -> Option<CpuTime> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0)).ok()?.flatten();
        // A thread that has just ended takes its time with it: rare, and small.
        let (mut total_ns, mut waited_ns) = (0, 0);
        for task in tasks {
            let schedstat = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            let mut fields = schedstat.split_whitespace().map_while(|field| field.parse().ok());
            total_ns += fields.next().unwrap_or(0);
            waited_ns += fields.next().unwrap_or(0);
        }
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?;
        let (user_ticks, system_ticks) = ticks(&stat)?;
        Some(CpuTime { total_ns, waited_ns, user_ticks, system_ticks })
    }

    pub(super) fn memory(self) -> Option<Memory> {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.0)).ok()?;
        Memory::parse(&rollup)
    }

    /// Puts all its threads on one processor.
    pub(super) fn pin(self, cpu: Cpu) -> Result<(), Failure> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0));
        let tasks = tasks.map_err(|e| Failure::new(format!("no process {}: {e}", self.0)))?;
        for task in tasks.flatten() {
            if let Some(id) = task.file_name().to_str().and_then(|name| name.parse().ok()) {
                affinity::pin_thread(id, cpu)?;
            }
        }
        Ok(())
    }
}

/// The inode of the socket that listens on this port, from the kernel's table of sockets.
fn listening_inode(port: u16) -> Option<u64> {
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
        let table = fs::read_to_string(table).ok()?;
        table.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
            let is_it =
                fields.get(3) == Some(&LISTEN) && u16::from_str_radix(local_port, 16) == Ok(port);
            is_it.then(|| fields.get(9)?.parse().ok()).flatten()
        })
    })
}

/// `TCP_LISTEN` in the kernel's table.
const LISTEN: &str = "0A";

/// User and system time, in ticks, from `/proc/PID/stat`. The name in it may hold spaces and parentheses.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

impl CpuTime {
    /// What was used since an earlier moment.
    fn since(self, earlier: Self) -> Self {
        Self {
            total_ns: self.total_ns.saturating_sub(earlier.total_ns),
            waited_ns: self.waited_ns.saturating_sub(earlier.waited_ns),
            user_ticks: self.user_ticks.saturating_sub(earlier.user_ticks),
            system_ticks: self.system_ticks.saturating_sub(earlier.system_ticks),
        }
    }

    /// The part spent outside the kernel; `None` when the ticks are too few to say.
    fn user_ns(self) -> Option<f64> {
        let ticks = self.user_ticks + self.system_ticks;
        let share = self.user_ticks as f64 / ticks as f64;
        (ticks >= TICKS_MIN).then_some(self.total_ns as f64 * share)
    }
}

/// Fewer samples than this say nothing of the share between user and kernel.
const TICKS_MIN: u64 = 20;

impl Memory {
    fn parse(rollup: &str) -> Option<Self> {
        let bytes = |field: &str| {
            let line = rollup.lines().find(|line| line.starts_with(field))?;
            Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
        };
        Some(Self {
            pss_bytes: bytes("Pss:")?,
            rss_bytes: bytes("Rss:")?,
            private_dirty_bytes: bytes("Private_Dirty:")?,
        })
    }
}

/// Processor time of this process over a stretch of time: what the load itself cost.
#[derive(Debug)]
pub(super) struct Stretch {
    pid: Pid,
    began: Instant,
    cpu: Option<CpuTime>,
}

impl Stretch {
    pub(super) fn begin(pid: Pid) -> Self {
        Self { pid, began: Instant::now(), cpu: pid.cpu_time() }
    }

    /// What was used since it began.
    pub(super) fn end(&self) -> Option<Used> {
        let cpu = self.pid.cpu_time()?.since(self.cpu?);
        Some(Used { cpu, seconds: self.began.elapsed().as_secs_f64() })
    }
}

/// Processor time that was used, and in how many seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    cpu: CpuTime,
    pub(super) seconds: f64,
}

impl Used {
    /// Of one processor.
    pub(super) fn percent(self) -> f64 {
        self.cpu.total_ns as f64 / 1e7 / self.seconds
    }

    /// How much of the time there was no processor to be had.
    pub(super) fn waited_percent(self) -> f64 {
        self.cpu.waited_ns as f64 / 1e7 / self.seconds
    }

    /// Microseconds for each of so many.
    pub(super) fn us_per(self, each: f64) -> f64 {
        self.cpu.total_ns as f64 / 1e3 / each
    }

    /// Of these, those outside the kernel; `None` when the ticks are too few to say.
    pub(super) fn user_us_per(self, each: f64) -> Option<f64> {
        Some(self.cpu.user_ns()? / 1e3 / each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_can_be_weighed_and_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let me = Pid(std::process::id());
        assert_eq!(Pid::listening_on(port), Some(me));
        assert!(me.cpu_time().unwrap().total_ns > 0);
        let memory = me.memory().unwrap();
        assert!(memory.rss_bytes >= memory.pss_bytes && memory.pss_bytes > 0, "{memory:?}");
    }

    #[test]
    fn the_users_share_is_the_ticks() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 0 0 0 0 0 30 10 0 0 20";
        assert_eq!(ticks(stat), Some((30, 10)));
        let time = CpuTime { total_ns: 400, waited_ns: 0, user_ticks: 30, system_ticks: 10 };
        assert_eq!(time.user_ns(), Some(300.0));
        assert_eq!(CpuTime { user_ticks: 3, ..time }.user_ns(), None, "too few to say");
    }
}
