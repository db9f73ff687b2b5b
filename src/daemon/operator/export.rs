//! `wsrelay export`: rooms' logs as lines of JSON, each an `entry` as PROTOCOL.md has it.
//!
//! The log as it is: a post with its last text and its marks, or as deleted; and at their places the entries that made it so.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;
use std::rc::Rc;

use super::{about, open};
use crate::chat::{Event, Record, RoomId, Seq};
use crate::daemon::wire;
use crate::store::{Archive, ArchivedLog, OpenError, PAGE_ENTRIES};

/// Prints one room's entries, or all rooms'. Of entries that are damaged it tells which, and goes on if they are to be skipped.
pub(super) fn run(data: &Path, room: Option<&RoomId>, skip_damaged: bool) -> io::Result<()> {
    let archive = open(data)?;
    let mut logs = archive.logs().map_err(|e| about(data, &e))?;
    if let Some(room) = room {
        logs.retain(|log| log.room == *room);
        if logs.is_empty() {
            return Err(io::Error::other(format!("{}: there is no room {room}", data.display())));
        }
    }
    let out = BufWriter::new(io::stdout().lock());
    let mut printer = Printer { archive, data, skip_damaged, skipped: 0, out, line: String::new() };
    let written = logs.iter().try_for_each(|log| printer.print_log(log));
    match written.and_then(|()| printer.out.flush()) {
        // Whoever reads has enough.
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        Ok(()) if printer.skipped > 0 => {
            let says = format!("{}: damaged entries left out: {}", data.display(), printer.skipped);
            Err(io::Error::other(says))
        }
        written => written,
    }
}

struct Printer<'a, W> {
    archive: Archive,
    data: &'a Path,
    skip_damaged: bool,
    skipped: u64,
    out: W,
    line: String,
}

impl<W: Write> Printer<'_, W> {
    fn print_log(&mut self, log: &ArchivedLog) -> io::Result<()> {
        let mut last = Seq::START;
        while last < log.last {
            match self.archive.entries(log, last) {
                Ok(records) => {
                    let Some(record) = records.last() else { return Ok(()) };
                    last = record.entry.seq;
                    records.into_iter().try_for_each(|record| self.print(log, record))?;
                }
                // Of a page that cannot be read, one entry after the other.
                Err(_) => {
                    let through = log.last.min(Seq(last.0 + PAGE_ENTRIES));
                    while last < through {
                        self.print_next(log, last)?;
                        last = Seq(last.0 + 1);
                    }
                }
            }
        }
        Ok(())
    }

    fn print_next(&mut self, log: &ArchivedLog, after: Seq) -> io::Result<()> {
        match self.archive.next_entry(log, after) {
            Ok(None) => Ok(()),
            Ok(Some(record)) => self.print(log, record),
            Err(e) => {
                let place =
                    format!("{}, room {}, entry {}", self.data.display(), log.room, after.0 + 1);
                let error = about(place.as_ref(), &e);
                if !self.skip_damaged || !matches!(e, OpenError::Corrupt(_)) {
                    self.out.flush()?;
                    return Err(error);
                }
                self.skipped += 1;
                eprintln!("{error}");
                Ok(())
            }
        }
    }

    fn print(&mut self, log: &ArchivedLog, record: Record) -> io::Result<()> {
        self.line.clear();
        let event = Event::Record(log.room.clone(), Rc::new(record));
        wire::encode_event(&event, &mut self.line);
        writeln!(self.out, "{}", self.line)
    }
}
