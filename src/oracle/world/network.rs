//! Simulated connections: late, in order, and gone when they please.
//!
//! A link carries texts both ways, each way in order. When it breaks, some of what is on its way arrives still and the rest
//! does not, each way by itself; and the two ends learn of it when they do, which may be long after each other: until then
//! one of them talks into the void.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::dice::Dice;

/// A link's number. Never used again for another.
pub(crate) type LinkNo = u64;

/// All links.
#[derive(Debug, Default)]
pub(crate) struct Network {
    links: BTreeMap<LinkNo, Link>,
    last: LinkNo,
    dice: Dice,
}

/// A connection of one client.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) client: usize,
    /// Nothing that is sent from now on arrives.
    is_broken: bool,
    /// The server has closed it, and says nothing more.
    is_over: bool,
    /// The longest that a text is under way.
    delay_ms: u64,
    up: Way,
    down: Way,
}

/// One direction.
#[derive(Debug, Default)]
struct Way {
    packets: VecDeque<(u64, Packet)>,
    last_at_ms: u64,
    /// The receiver does not look before.
    stalled_until_ms: u64,
    is_ended: bool,
}

/// What arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// A text frame.
    Text(Rc<str>),
    /// The link is gone, as this end learns now.
    End,
}

/// Which end something arrives at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Server,
    Client,
}

/// Something arrives at this end of a link at this moment, unless it is lost before.
pub(crate) type Arrival = (u64, LinkNo, End);

impl Network {
    pub(crate) fn new(dice: Dice) -> Self {
        Self { dice, ..Self::default() }
    }

    pub(crate) fn connect(&mut self, client: usize) -> LinkNo {
        self.last += 1;
        let delay_ms = *self.dice.pick(&[0, 5, 50, 200, 2_000]).expect("some");
        let link = Link {
            client,
            is_broken: false,
            is_over: false,
            delay_ms,
            up: Way::default(),
            down: Way::default(),
        };
        self.links.insert(self.last, link);
        self.last
    }

    pub(crate) fn link(&self, no: LinkNo) -> Option<&Link> {
        self.links.get(&no)
    }

    /// Links that are not broken.
    pub(crate) fn alive(&self) -> Vec<LinkNo> {
        self.links.iter().filter(|(_, link)| !link.is_broken).map(|(no, _)| *no).collect()
    }

    /// Puts a text on its way to `end`, and answers when it arrives; `None` if it is lost at once.
    pub(crate) fn send(
        &mut self,
        no: LinkNo,
        end: End,
        text: Rc<str>,
        now_ms: u64,
    ) -> Option<Arrival> {
        let link = self.links.get_mut(&no).filter(|link| !link.is_broken)?;
        let delay_ms = self.dice.below(link.delay_ms + 1);
        let way = link.way(end);
        (!way.is_ended).then(|| (way.put(now_ms + delay_ms, Packet::Text(text)), no, end))
    }

    /// What arrives at `end` now, if it was not lost.
    pub(crate) fn receive(&mut self, no: LinkNo, end: End, now_ms: u64) -> Option<Packet> {
        let way = self.links.get_mut(&no)?.way(end);
        let (at_ms, _) = way.packets.front()?;
        if *at_ms > now_ms {
            return None;
        }
        let (_, packet) = way.packets.pop_front()?;
        if packet == Packet::End {
            self.forget_if_over(no);
        }
        Some(packet)
    }

    /// Whether the server has closed it, so that it says nothing more.
    pub(crate) fn is_over(&self, no: LinkNo) -> bool {
        self.links.get(&no).is_some_and(|link| link.is_over)
    }

    /// How many texts wait to arrive at the client.
    pub(crate) fn backlog(&self, no: LinkNo) -> usize {
        self.links.get(&no).map_or(0, |link| link.down.packets.len())
    }

    /// The client stops reading for a while.
    pub(crate) fn stall(&mut self, no: LinkNo, until_ms: u64) {
        if let Some(link) = self.links.get_mut(&no) {
            link.down.stalled_until_ms = until_ms;
        }
    }

    /// Breaks a link; each end learns of it after at most so long, and each way loses a tail.
    pub(crate) fn cut(
        &mut self,
        no: LinkNo,
        now_ms: u64,
        server_after_ms: u64,
        client_after_ms: u64,
    ) -> Vec<Arrival> {
        let Some(link) = self.links.get_mut(&no) else { return Vec::new() };
        link.is_broken = true;
        let mut arrivals = Vec::new();
        for (end, after_ms) in [(End::Server, server_after_ms), (End::Client, client_after_ms)] {
            let way = link.way(end);
            if way.is_ended {
                continue;
            }
            let kept = self.dice.below(way.packets.len() as u64 + 1);
            way.packets.truncate(usize::try_from(kept).expect("a length"));
            way.last_at_ms = way.packets.back().map_or(0, |(at_ms, _)| *at_ms);
            let after_ms = self.dice.below(after_ms + 1);
            arrivals.push((way.put(now_ms + after_ms, Packet::End), no, end));
            way.is_ended = true;
        }
        arrivals
    }

    /// One end closes: it is done at once, and the other learns of it when all that came before has arrived, or a part.
    pub(crate) fn close(&mut self, no: LinkNo, by: End, now_ms: u64) -> Vec<Arrival> {
        let other = match by {
            End::Server => End::Client,
            End::Client => End::Server,
        };
        let loses_nothing = self.dice.per_cent(50);
        let Some(link) = self.links.get_mut(&no) else { return Vec::new() };
        link.is_broken = true;
        link.is_over |= by == End::Server;
        link.way(by).packets.clear();
        link.way(by).is_ended = true;
        if !loses_nothing {
            return self.cut(no, now_ms, 100, 100);
        }
        let way = link.way(other);
        if way.is_ended {
            return Vec::new();
        }
        way.is_ended = true;
        vec![(way.put(now_ms, Packet::End), no, other)]
    }

    fn forget_if_over(&mut self, no: LinkNo) {
        let is_over = |link: &Link| {
            [&link.up, &link.down].iter().all(|way| way.is_ended && way.packets.is_empty())
        };
        if self.links.get(&no).is_some_and(is_over) {
            self.links.remove(&no);
        }
    }
}

impl Link {
    fn way(&mut self, to: End) -> &mut Way {
        match to {
            End::Server => &mut self.up,
            End::Client => &mut self.down,
        }
    }
}

impl Way {
    /// Not before what was sent before.
    fn put(&mut self, at_ms: u64, packet: Packet) -> u64 {
        let at_ms = at_ms.max(self.last_at_ms).max(self.stalled_until_ms);
        self.last_at_ms = at_ms;
        self.packets.push_back((at_ms, packet));
        at_ms
    }
}
