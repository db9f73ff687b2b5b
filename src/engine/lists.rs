//! Who is to be seen to: connections by what is to be done about them.

use std::collections::VecDeque;

use super::conn::{Conn, Phase};
use super::ending::Ending;
use super::ids::ConnId;

/// Who is to be seen to, in this turn or the next. A connection's `Flags` tell which of them it is in.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// To be read: those who are in.
    pub(super) ready: VecDeque<ConnId>,
    /// Those of them who bring more than one reading takes. They come after those who do not, so that who says little does
    /// not wait for who says much.
    pub(super) busy: VecDeque<ConnId>,
    /// And those who are not let in yet, or are on their way out.
    pub(super) arriving: VecDeque<ConnId>,
    pub(super) dirty: Vec<ConnId>,
    pub(super) over_cap: Vec<ConnId>,
    pub(super) departed: VecDeque<(ConnId, Ending)>,
    pub(super) dead: Vec<ConnId>,
    /// Whom a header of the PROXY protocol has named, who may not come in and has not been told so; and some who have gone.
    pub(super) turned_away: VecDeque<ConnId>,
}

impl Lists {
    /// True if somebody on them waits for nothing but the next turn.
    pub(super) fn are_undone(&self) -> bool {
        !self.ready.is_empty()
            || !self.busy.is_empty()
            || !self.arriving.is_empty()
            || !self.dirty.is_empty()
            || !self.over_cap.is_empty()
            || !self.departed.is_empty()
            || !self.dead.is_empty()
    }

    pub(super) fn read_later(&mut self, conn: &mut Conn) {
        if std::mem::replace(&mut conn.flags.ready, true) {
            return;
        }
        match conn.phase {
            Phase::Open(_) => self.ready.push_back(conn.id),
            Phase::Http(_) | Phase::Lingering { .. } | Phase::Dead => {
                self.arriving.push_back(conn.id)
            }
        }
    }

    /// The same for one who has brought more than one reading took.
    pub(super) fn read_on_later(&mut self, conn: &mut Conn) {
        let is_open = matches!(conn.phase, Phase::Open(_));
        if is_open && !std::mem::replace(&mut conn.flags.ready, true) {
            self.busy.push_back(conn.id);
        }
        self.read_later(conn);
    }

    pub(super) fn close_as_slow(&mut self, conn: &mut Conn) {
        if !std::mem::replace(&mut conn.flags.over_cap, true) {
            self.over_cap.push(conn.id);
        }
    }

    pub(super) fn flush_later(&mut self, conn: &mut Conn) {
        if !conn.flags.blocked && !std::mem::replace(&mut conn.flags.dirty, true) {
            self.dirty.push(conn.id);
        }
    }
}
