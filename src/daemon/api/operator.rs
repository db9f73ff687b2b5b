//! What the operator wants done about accounts. Who asks needs no token: see [`control`](crate::daemon::control).

use super::{Api, Waits};
use crate::daemon::control::{Order, ReplyTo};
use crate::daemon::turn::{Effect, Turn};

impl Api {
    /// Does what an operator asks for, or begins to; either way the outcome is reported.
    pub(in crate::daemon) fn obey(&mut self, order: Order, reply_to: ReplyTo, turn: &mut Turn<'_>) {
        let call = self.later(Waits::Operator(reply_to));
        let begun = match order {
            Order::Add(name, password) => {
                self.accounts.register(call, (name, None), password, None, turn)
            }
            Order::SetPassword(name, new) => self.accounts.give_password(call, &name, new, turn),
            Order::Disable(name) => self.accounts.disable(call, &name, turn),
        };
        if let Err(denial) = begun
            && let Some(Waits::Operator(reply_to)) = self.calls.remove(&call)
        {
            turn.effects.push(Effect::Report(reply_to, Err(denial)));
        }
    }
}
