//! `wsrelay export`: rooms' logs as lines of JSON, each an `entry` as PROTOCOL.md has it.
//!
//! The log as it is: a post with its last text and its marks, or as deleted; and at their places the entries that made it so.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;
use std::rc::Rc;

use super::{about, open};
use crate::chat::{Event, RoomId, Seq};
use crate::daemon::wire;
use crate::store::{Archive, ArchivedLog, OpenError};

/// Prints one room's entries, or all rooms'.
pub(super) fn run(data: &Path, room: Option<&RoomId>) -> io::Result<()> {
    let mut archive = open(data)?;
    let mut logs = archive.logs().map_err(|e| about(data, &e))?;
    if let Some(room) = room {
        logs.retain(|log| log.room == *room);
        if logs.is_empty() {
            return Err(io::Error::other(format!("{}: there is no room {room}", data.display())));
        }
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let written = logs.iter().try_for_each(|log| print(&mut archive, log, data, &mut out));
    match written.and_then(|()| out.flush()) {
        // Whoever reads has enough.
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn print(
    archive: &mut Archive,
    log: &ArchivedLog,
    data: &Path,
    out: &mut impl Write,
) -> io::Result<()> {
    let failed = |e: OpenError| {
        let place = format!("{}, room {}", data.display(), log.room);
        about(place.as_ref(), &e)
    };
    let (mut last, mut line) = (Seq::START, String::new());
    loop {
        let records = archive.entries(log, last).map_err(failed)?;
        let Some(record) = records.last() else { return Ok(()) };
        last = record.entry.seq;
        for record in records {
            line.clear();
            wire::encode_event(&Event::Record(log.room.clone(), Rc::new(record)), &mut line);
            writeln!(out, "{line}")?;
        }
    }
}
