//! Raw rooms: a message is a stamp and filler, as text or binary, and comes back as it was sent.

use super::plan::Kind;
use crate::bench::stamp::{self, Run, Stamp};
use crate::ws::{Message, Opcode};

pub(super) struct Raw {
    kind: Kind,
    run: Run,
    message: Vec<u8>,
    filler: Vec<u8>,
}

impl Raw {
    pub(super) fn new(kind: Kind, bytes: usize, run: Run) -> Self {
        let filler = stamp::filler(bytes);
        Self { kind, run, message: [&[0; Stamp::BYTES], &filler[..]].concat(), filler }
    }

    pub(super) fn opcode(&self) -> Opcode {
        match self.kind {
            Kind::Text => Opcode::Text,
            Kind::Binary => Opcode::Binary,
        }
    }

    pub(super) fn say(&mut self, stamp: Stamp) -> &[u8] {
        stamp.write(self.run, &mut self.message);
        &self.message
    }

    pub(super) fn greet(&mut self) -> &[u8] {
        self.say(Stamp { publisher: Stamp::GREETER, sequence: 0, due_ns: 0 })
    }

    /// `None` for what is no message of the measurement.
    #[inline]
    pub(super) fn read(&self, message: Message<'_>) -> Option<Stamp> {
        let payload = match (self.kind, message) {
            (Kind::Binary, Message::Binary(payload)) => payload,
            (Kind::Text, Message::Text(payload)) => payload.as_bytes(),
            _ => return None,
        };
        let stamp = Stamp::read(self.run, payload)?;
        (payload[Stamp::BYTES..] == self.filler).then_some(stamp)
    }
}
