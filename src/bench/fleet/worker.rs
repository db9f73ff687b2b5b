//! One thread of the load: an event loop over its share of the connections.
//!
//! A turn takes in orders, reads every ready connection, sends what is due, dials whom the window has room for, and
//! brings the gauges up to date. In the closed loop a publisher's next message leaves as soon as its last has come
//! back, in the middle of reading.

mod hearing;

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};

use super::beat::{Beat, Pace};
use super::dial::{self, DIALS_PER_TURN, Dial};
use super::member::{Ended, Member, Opening, Phase};
use super::score::Score;
use super::timer::Timer;
use super::tongue::Tongue;
use super::voice::Voice;
use super::{Clock, Gauges, Order, Plan, Report, nanos};
use crate::bench::stamp::Stamp;
use crate::ws::handshake::client::{ClientHandshake, Opening as Request};
use crate::ws::{Codec, Limits};

pub(super) struct Worker {
    plan: Arc<Plan>,
    clock: Clock,
    gauges: Arc<Gauges>,
    poll: Poll,
    timer: Timer,
    orders: Receiver<Order>,
    reports: Sender<Report>,
    /// Every `workers`th connection of the fleet, those of rooms before the bystanders.
    members: Vec<Member>,
    dial: Dial,
    endings_expected: bool,
    /// While all come back at once: since when, which is what their times are counted from.
    storm_ns: Option<u64>,
    score: Score,
    tongue: Tongue,
    voice: Voice,
    beat: Option<Beat>,
    codec: Codec,
    receive: Vec<u8>,
    is_wanted: bool,
}

const WAKER: Token = Token(usize::MAX - 1);
const TIMER: Token = Token(usize::MAX - 2);
/// One `read` takes what a server sends at once, as far as servers do.
const RECEIVE_BYTES: usize = 256 * 1024;
/// How often to look at handshakes that take too long, and at orders that were missed.
const TURN_MAX: Duration = Duration::from_millis(100);

impl Worker {
    pub(super) fn new(
        number: u32,
        plan: Arc<Plan>,
        clock: Clock,
        gauges: Arc<Gauges>,
        orders: Receiver<Order>,
        reports: Sender<Report>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let timer = Timer::new(poll.registry(), TIMER)?;
        let numbers = (number..plan.connections()).step_by(plan.workers as usize);
        let members: Vec<Member> = numbers.map(Member::new).collect();
        let receivers = members.iter().filter(|member| member.number < plan.members).count();
        Ok(Self {
            poll,
            timer,
            orders,
            reports,
            score: Score::new(&plan, receivers),
            tongue: Tongue::new(&plan, receivers),
            voice: Voice::new(receivers),
            members,
            dial: Dial::default(),
            endings_expected: false,
            storm_ns: None,
            beat: None,
            codec: Codec::new(Limits::for_messages(plan.message_bytes().max(MESSAGE_BYTES_MAX))),
            receive: vec![0; RECEIVE_BYTES],
            is_wanted: true,
            plan,
            clock,
            gauges,
        })
    }

    /// For the fleet, to say that there is an order.
    pub(super) fn waker(&self) -> io::Result<mio::Waker> {
        mio::Waker::new(self.poll.registry(), WAKER)
    }

    pub(super) fn run(&mut self) {
        let mut events = Events::with_capacity(1024);
        if let Err(why) = self.settle_in().and_then(|()| self.turn_until_quit(&mut events)) {
            self.report(Report::Failed(why));
        }
    }

    fn settle_in(&self) -> Result<(), String> {
        match self.plan.load_cpu {
            Some(cpu) => crate::bench::affinity::pin_this_thread(cpu).map_err(|e| e.to_string()),
            None => Ok(()),
        }
    }

    fn turn_until_quit(&mut self, events: &mut Events) -> Result<(), String> {
        while self.is_wanted {
            let failed = |e: io::Error| format!("the load's poller failed: {e}");
            let timeout = self.timeout().map_err(failed)?;
            match self.poll.poll(events, Some(timeout)) {
                Err(e) if e.kind() == ErrorKind::Interrupted => events.clear(),
                result => result.map_err(failed)?,
            }
            // First: an ending that is expected by order was caused after the order.
            self.obey();
            for event in &*events {
                match event.token() {
                    WAKER | TIMER => {}
                    Token(place) => {
                        if event.is_writable() {
                            self.write(place);
                        }
                        if event.is_readable() || event.is_read_closed() || event.is_error() {
                            self.read(place, event.is_read_closed() || event.is_error());
                        }
                    }
                }
            }
            self.send_due();
            self.dial()?;
            self.bring_gauges_up_to_date();
        }
        Ok(())
    }

    /// How long the poller may wait. The timer makes it end in time for the next message.
    fn timeout(&mut self) -> io::Result<Duration> {
        if self.dial.is_hungry() {
            return Ok(Duration::ZERO);
        }
        if let Some(due_ns) = self.beat.as_ref().and_then(Beat::next_due_ns) {
            let now_ns = self.clock.now_ns();
            if due_ns <= now_ns {
                return Ok(Duration::ZERO);
            }
            self.timer.set(due_ns - now_ns)?;
        }
        Ok(if self.dial.waits() { Duration::from_millis(10) } else { TURN_MAX })
    }

    fn report(&self, report: Report) {
        // The fleet hangs up when it wants no more.
        let _ = self.reports.send(report);
    }

    fn obey(&mut self) {
        loop {
            match self.orders.try_recv() {
                Ok(order) => self.obey_one(order),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.is_wanted = false;
                    return;
                }
            }
        }
    }

    fn obey_one(&mut self, order: Order) {
        match order {
            Order::Connect { window, storm_ns } => {
                self.endings_expected = false;
                self.storm_ns = storm_ns;
                self.score.forget_handshakes();
                let absent = self.members.iter().enumerate();
                let absent = absent.filter(|(_, member)| matches!(member.phase, Phase::Absent));
                self.dial.begin(absent.map(|(place, _)| place), window, storm_ns.is_some());
            }
            Order::ExpectEndings => self.endings_expected = true,
            Order::Greet => self.greet(),
            Order::Start(schedule) => {
                self.score.follow(&schedule);
                self.beat = Some(Beat::new(schedule, &self.plan, &self.members));
            }
            Order::Silence => {
                self.send_due(); // what was due before the end is owed, however late it is
                self.beat = None;
                self.report(Report::Sent(self.voice.sent_by(&self.members)));
            }
            Order::Settle(sent) => {
                let plan = &self.plan;
                let receivers = self.members.iter().enumerate();
                let receivers = receivers
                    .filter(|(_, member)| member.number < plan.members)
                    .map(|(place, member)| (place, plan.room_of(member.number)));
                let tally = self.score.settle(plan, &sent, receivers);
                self.report(Report::Tally(Box::new(tally)));
            }
            Order::Quit => self.is_wanted = false,
        }
    }

    /// The first member of each room that is ours greets it, where that is how members are found.
    fn greet(&mut self) {
        for place in 0..self.members.len() {
            if self.members[place].number >= self.plan.rooms {
                continue;
            }
            let opcode = self.tongue.opcode();
            let Some(greeting) = self.tongue.greet() else { return };
            let sent = self.members[place].send(self.voice.frame(opcode, greeting));
            self.keep_or_lose(place, sent);
        }
    }

    fn send_due(&mut self) {
        let Some(mut beat) = self.beat.take() else { return };
        self.score.follow(&beat.schedule);
        match beat.schedule.pace {
            Pace::Open { .. } => {
                while let Some((place, due_ns)) = beat.take_due(self.clock.now_ns()) {
                    self.publish(place, due_ns);
                }
            }
            Pace::Closed { in_flight } => {
                if beat.schedule.start_ns <= self.clock.now_ns() && !beat.is_started {
                    beat.is_started = true;
                    for _ in 0..in_flight {
                        for &(_, place) in &beat.publishers {
                            self.publish(place, self.clock.now_ns());
                        }
                    }
                }
            }
        }
        self.beat = Some(beat);
    }

    /// Sends the next message of the publisher at this place.
    fn publish(&mut self, place: usize, due_ns: u64) {
        let member = &mut self.members[place];
        if !matches!(member.phase, Phase::Open(..)) {
            return; // it was dropped, which is counted as such
        }
        let publisher = member.number;
        let room = self.plan.room_of(publisher);
        let sequence = self.voice.count(place);
        self.score.note_lag(due_ns, self.clock.now_ns());
        if let Tongue::Chat(_) = self.tongue {
            self.score.note_post(place, due_ns);
            self.gauges.asked.fetch_add(1, Relaxed);
        }
        self.gauges.expected.fetch_add(self.plan.members_of(room).into(), Relaxed);
        let opcode = self.tongue.opcode();
        let message = self.tongue.say(Stamp { publisher, sequence, due_ns }, room);
        let sent = member.send(self.voice.frame(opcode, message));
        self.keep_or_lose(place, sent);
    }

    fn keep_or_lose(&mut self, place: usize, sent: io::Result<()>) {
        if let Err(e) = sent {
            self.lose(place, &Ended::by_error(&e));
        }
    }

    fn dial(&mut self) -> Result<(), String> {
        for _ in 0..DIALS_PER_TURN {
            let Some(place) = self.dial.next(self.clock.now_ns()) else { break };
            self.dial_one(place)?;
        }
        if self.dial.under_way > 0 {
            self.give_up_on_the_slow();
        }
        Ok(())
    }

    fn dial_one(&mut self, place: usize) -> Result<(), String> {
        let Plan { target, .. } = &*self.plan;
        let member = &mut self.members[place];
        let bearer = self.tongue.bearer(place);
        let path = match bearer {
            Some(_) => target.path.clone(),
            None => self.plan.path_of(member.number),
        };
        let mut subprotocols = self.plan.subprotocols().to_vec();
        subprotocols.extend(bearer);
        let subprotocols = &subprotocols[..];
        let request = Request { target: &path, subprotocols, ..Request::at(&target.host) };
        let handshake = ClientHandshake::new(self.voice.dice.key(), &request)
            .map_err(|e| format!("{target}: {e}"))?;
        let began_ns = self.clock.now_ns();
        let mut stream = match dial::connect(target.address, member.number) {
            Ok(stream) => stream,
            Err(e) => {
                self.fail(place, &e.to_string());
                return Ok(());
            }
        };
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.poll.registry().register(&mut stream, Token(place), interest);
        registered.map_err(|e| format!("cannot watch a connection: {e}"))?;
        let opening = Opening { stream, handshake, is_asked: false, began_ns };
        member.phase = Phase::Opening(Box::new(opening));
        Ok(())
    }

    /// An attempt has failed: that is the end of it, or it is made again.
    fn fail(&mut self, place: usize, why: &str) {
        self.members[place].hang_up();
        self.dial.under_way -= 1;
        if self.dial.is_persistent {
            self.gauges.failures.fetch_add(1, Relaxed);
            self.dial.retry(place, self.clock.now_ns());
        } else {
            let (target, open) = (&self.plan.target, self.gauges.open.load(Relaxed));
            let others = match open {
                0 => String::new(),
                open => format!(", with {open} other connections open"),
            };
            self.report(Report::Failed(format!("{target}: {why}{others}")));
        }
    }

    fn give_up_on_the_slow(&mut self) {
        let patience = self.plan.patience;
        let oldest_ns = self.clock.now_ns().saturating_sub(nanos(patience));
        if oldest_ns == 0 {
            return;
        }
        for place in 0..self.members.len() {
            if let Phase::Opening(opening) = &self.members[place].phase
                && opening.began_ns < oldest_ns
            {
                self.fail(place, &format!("no answer to the handshake within {patience:?}"));
            }
        }
    }

    /// The kernel takes more.
    fn write(&mut self, place: usize) {
        let member = &mut self.members[place];
        match &mut member.phase {
            Phase::Opening(opening) if !opening.is_asked => match opening.ask() {
                Ok(()) => {}
                Err(e) => self.fail(place, &connect_error(&e)),
            },
            Phase::Open(..) => {
                let flushed = member.flush();
                self.keep_or_lose(place, flushed);
            }
            Phase::Opening(_) | Phase::Absent => {}
        }
    }

    fn read(&mut self, place: usize, is_ending: bool) {
        let mut receive = std::mem::take(&mut self.receive);
        loop {
            let stream = match &mut self.members[place].phase {
                Phase::Absent => break,
                Phase::Opening(opening) => &mut opening.stream,
                Phase::Open(stream, _) => stream,
            };
            match stream.read(&mut receive) {
                Ok(0) => self.end(place, None),
                Ok(taken) => {
                    self.take(place, &mut receive[..taken]);
                    // Less than there was room for: all is read (epoll(7)), unless the end is to be found.
                    if taken < receive.len() && !is_ending {
                        break;
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => self.end(place, Some(&e)),
            }
        }
        self.receive = receive;
    }

    /// The stream has ended, or broken.
    fn end(&mut self, place: usize, error: Option<&io::Error>) {
        match &self.members[place].phase {
            Phase::Absent => {}
            Phase::Opening(opening) => {
                let why = match error {
                    Some(e) if !opening.is_asked => connect_error(e),
                    Some(e) if e.kind() != ErrorKind::ConnectionReset => e.to_string(),
                    _ => "the connection was closed before the handshake was answered".to_owned(),
                };
                self.fail(place, &why);
            }
            Phase::Open(..) => self.lose(place, &error.map_or(Ended::Cut, Ended::by_error)),
        }
    }

    fn lose(&mut self, place: usize, how: &Ended) {
        let member = &mut self.members[place];
        member.hang_up();
        if std::mem::take(&mut member.is_greeted) {
            self.gauges.greeted.fetch_sub(1, Relaxed);
        }
        self.gauges.open.fetch_sub(1, Relaxed);
        if !self.endings_expected {
            self.gauges.dropped.fetch_add(1, Relaxed);
            self.report(Report::Dropped(how.to_string()));
        }
    }

    fn bring_gauges_up_to_date(&mut self) {
        let news = self.score.take_news();
        if news.received > 0 {
            self.gauges.received.fetch_add(news.received, Relaxed);
        }
        if news.answered > 0 {
            self.gauges.answered.fetch_add(news.answered, Relaxed);
        }
    }
}

impl Opening {
    /// Sends the request, once the connection stands. A request is far smaller than a socket's buffer: it goes whole.
    fn ask(&mut self) -> io::Result<()> {
        if let Some(e) = self.stream.take_error()? {
            return Err(e);
        }
        let request = self.handshake.request();
        match io::Write::write(&mut self.stream, request) {
            Ok(sent) if sent == request.len() => self.is_asked = true,
            Ok(_) => return Err(ErrorKind::WriteZero.into()),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {}
            Err(e) => return Err(e),
        }
        Ok(())
    }
}

fn connect_error(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "nobody listens there (connection refused)".to_owned(),
        _ => error.to_string(),
    }
}

/// Servers may join messages, never split ours; this is room for what else they say.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
