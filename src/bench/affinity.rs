//! Which processor a thread runs on.

use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};

use super::Failure;

/// A processor, as the system numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cpu(pub(super) u16);

/// Puts the calling thread on this processor, and with it every thread that it starts.
pub(super) fn pin_this_thread(cpu: Cpu) -> Result<(), Failure> {
    set(None, cpu)
}

/// Puts a thread of whatever process on this processor.
pub(super) fn pin_thread(id: i32, cpu: Cpu) -> Result<(), Failure> {
    set(Pid::from_raw(id), cpu)
}

/// Runs `start` on this processor, so that a process started there stays there from its first instruction on.
pub(super) fn inherited<T>(cpu: Option<Cpu>, start: impl FnOnce() -> T) -> Result<T, Failure> {
    let Some(cpu) = cpu else { return Ok(start()) };
    let before = sched_getaffinity(None).map_err(|e| cannot(cpu, e))?;
    set(None, cpu)?;
    let started = start();
    sched_setaffinity(None, &before).map_err(|e| cannot(cpu, e))?;
    Ok(started)
}

fn set(thread: Option<Pid>, cpu: Cpu) -> Result<(), Failure> {
    let number = usize::from(cpu.0);
    if number >= CpuSet::MAX_CPU {
        return Err(Failure::new(format!("there is no processor {number}")));
    }
    let mut only = CpuSet::new();
    only.set(number);
    sched_setaffinity(thread, &only).map_err(|e| cannot(cpu, e))
}

fn cannot(cpu: Cpu, error: rustix::io::Errno) -> Failure {
    Failure::new(format!("cannot run on processor {}: {error}", cpu.0))
}
