//! Memory for what is to be sent, over all connections together: what gives way when it is too much.
//!
//! Owns the limit on all outboxes ([`outboxes_bytes_max`](crate::Config::outboxes_bytes_max)), whatever waits in them. What an audience is
//! published counts once, for as long as anybody waits for it ([`Ledger`](super::round::Ledger)); all else, and the keeping
//! of it, counts in each outbox ([`Pool`](super::outbox::Pool)). It never decides what one connection may have queued.
//!
//! Over the limit memory is let go of that holds little of use: a slice that pins a much larger round is copied. If that is not
//! enough, those leave who have more than an equal share queued: first those who are not let in or on their way out, and
//! only then those who are in.
//!
//! Invariants: at most about twice the limit is held, since what those with less than their share pin, once lean, is at most
//! twice what they have queued. Looking at all connections is paid for by what was queued since that was last done.

use super::Engine;
use super::conn::Phase;
use super::ending::Ending;
use super::ids::ConnId;

/// How far things are from giving way.
#[derive(Debug)]
pub(super) struct Pressure {
    bytes_max: usize,
    /// What may be held before all connections are looked at.
    look_at: usize,
}

impl Pressure {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, look_at: bytes_max }
    }

    /// Whether so much calls for a look at all connections.
    fn is_high(&mut self, held: usize) -> bool {
        if held > self.look_at {
            return true;
        }
        self.look_at = self.look_at.min(self.after(held));
        false
    }

    /// After a look that has left so much, when the next one is worth it.
    fn after(&self, held: usize) -> usize {
        self.bytes_max.max(held + self.bytes_max / LOOKS_PER_LIMIT)
    }
}

/// All connections are looked at once for each of so many parts of the limit that were queued since.
const LOOKS_PER_LIMIT: usize = 16;

impl Engine {
    /// Whether what waits to be sent has come to be so much that something has to give way.
    pub(super) fn is_pressed(&mut self) -> bool {
        let held = self.queued_memory();
        self.pressure.is_high(held)
    }

    /// Gives memory back until no more than the limit is held, or nobody has more than an equal share.
    pub(super) fn relieve(&mut self) {
        for conn in self.slots.iter_mut() {
            conn.lean(&mut self.pool);
        }
        let share = self.pressure.bytes_max / self.slots.len().max(1);
        if self.queued_memory() > self.pressure.bytes_max {
            for id in self.those_over(share, |phase| !matches!(phase, Phase::Open(_))) {
                self.give_up_unread(id);
            }
        }
        if self.queued_memory() > self.pressure.bytes_max {
            for id in self.those_over(share, |phase| matches!(phase, Phase::Open(_))) {
                let Some(conn) = self.slots.find(id) else { continue };
                match conn.is_open() {
                    true => {
                        conn.drop_unsent_frames(&mut self.pool);
                        conn.lean(&mut self.pool);
                        self.lists.close_as_slow(conn);
                    }
                    false => self.give_up_unread(id),
                }
            }
        }
        let held = self.queued_memory();
        self.pressure.look_at = self.pressure.after(held);
    }

    fn queued_memory(&self) -> usize {
        self.pool.held() + self.audiences.held_bytes()
    }

    /// Those whom the kernel takes no more for. What was not offered yet is nobody's fault, and is offered before the turn ends.
    fn those_over(&self, share: usize, are: impl Fn(&Phase) -> bool) -> Vec<ConnId> {
        let blocked = self.slots.iter().filter(|conn| conn.flags.blocked);
        let over = blocked.filter(|conn| conn.outbox_weight() > share);
        over.filter(|conn| are(&conn.phase)).map(|conn| conn.id).collect()
    }

    /// For one who has gone, or never came in, and does not take what it is to be told.
    fn give_up_unread(&mut self, id: ConnId) {
        let Some(conn) = self.slots.find(id) else { return };
        conn.drop_outbox(&mut self.pool);
        log::info!(conn = id.generation, client:% = self.client(id); "a connection that does not take its answers is given up");
        self.kill(id, Ending::Lost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_at_everybody_is_paid_for() {
        let mut pressure = Pressure::new(1600);
        assert!(!pressure.is_high(1600));
        assert!(pressure.is_high(1601));
        pressure.look_at = pressure.after(2000);
        assert!(!pressure.is_high(2100), "nobody had more than a share, and little was added");
        assert!(pressure.is_high(2101));
        assert!(!pressure.is_high(1900), "some of it was sent");
        assert!(pressure.is_high(2001));
        assert!(!pressure.is_high(10));
        assert!(pressure.is_high(1601));
    }
}
