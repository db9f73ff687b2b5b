//! Connections whose wait is over: what becomes of those that are late, silent, or slow to close.
//!
//! Owns step 5 of a turn. When a connection is due is its own knowledge (`conn.rs`), and which are to be looked at the
//! wheel's (`deadline.rs`).
//!
//! Invariant: a connection that is due is armed, so that none is forgotten.

use super::Engine;
use super::conn::{HttpTurn, Phase};
use super::ending::Ending;
use super::ids::ConnId;
use crate::config;

impl Engine {
    /// Makes sure that the wheel looks at a connection no later than it is due.
    pub(super) fn schedule(&mut self, id: ConnId) {
        let Some(conn) = self.slots.find(id) else { return };
        let due = conn.due(&self.config.waits);
        let is_armed = conn.armed > self.tick;
        if !is_armed || due < conn.armed {
            conn.armed = self.deadlines.arm(id.slot(), due);
        }
    }

    /// Sees to every connection that is due by now.
    pub(super) fn pass_deadlines(&mut self) {
        let mut pings_left = config::PINGS_PER_TURN;
        while let Some((tick, slots)) = self.deadlines.expire(self.tick) {
            for slot in slots {
                let now = self.tick;
                let Some(conn) = self.slots.find_at(slot).filter(|conn| conn.armed == tick) else {
                    continue;
                };
                let id = conn.id;
                if conn.due(&self.config.waits) <= now {
                    self.overdue(id, &mut pings_left);
                }
                self.schedule(id);
            }
        }
        self.deadlines.catch_up(self.tick);
    }

    /// Deals with a connection whose wait is over.
    fn overdue(&mut self, id: ConnId, pings_left: &mut usize) {
        let Some(conn) = self.slots.find(id) else { return };
        match &conn.phase {
            Phase::Http(http) => match http.turn {
                HttpTurn::TurnedAway(why) => self.refuse_client(id, why),
                _ if http.is_reading() => self.refuse_late_request(id),
                _ => self.kill(id, Ending::Lost),
            },
            Phase::Open(_) if conn.is_open() && !conn.flags.pinged => {
                // Over the budget it stays due, and comes up at the next tick.
                if let Some(left) = pings_left.checked_sub(1) {
                    *pings_left = left;
                    self.ping(id);
                }
            }
            Phase::Open(_) if conn.is_open() => {
                log::debug!(conn = id.generation, client:% = self.client(id); "nothing was heard of a connection");
                self.kill(id, Ending::Silent);
            }
            Phase::Open(_) | Phase::Lingering { .. } => self.kill(id, Ending::Lost),
            Phase::Dead => {}
        }
    }
}
