//! The control socket: what an operator asks of a daemon that runs, because it holds the accounts in memory.
//!
//! Owns the socket beside the data file, the thread that reads it, and both sides of what is said there: three lines (what to
//! do, a name, a password), and one line back. Whoever can open the socket can open the data file too: both are their
//! owner's alone. It must never know what comes of an [`Order`]: that is [`Api`](super::api::Api)'s.
//!
//! Invariants: an order is answered once; the daemon waits for nobody here, and an operator who says nothing keeps only
//! other operators waiting, and those not for long.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::thread;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use super::accounts::outcome::Denial;
use super::passwords::Password;
use crate::chat::{Name, Refusal};

/// What an operator wants done about an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Make one.
    Add(Name, Password),
    /// Give it another password, and end its log-ins.
    SetPassword(Name, Password),
    /// Take its password away, and end its log-ins.
    Disable(Name),
}

/// Where an order's outcome goes.
#[derive(Debug)]
pub(super) struct ReplyTo(SyncSender<Outcome>);

/// What became of an order.
pub(super) type Outcome = Result<(), Denial>;

/// The loop's side. The socket's file goes when this does.
#[derive(Debug)]
pub(super) struct Control {
    path: PathBuf,
    orders: Receiver<(Order, ReplyTo)>,
}

impl Control {
    /// Listens beside a data file that is this process's alone; `wake` is called after each order.
    pub(super) fn listen(data: &Path, wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        let path = path_for(data);
        let listener = bind(&path)?;
        let (give, orders) = channel();
        let control = Self { path, orders };
        let listen = move || {
            for stream in listener.incoming() {
                match stream {
                    Ok(stream) => drop(serve(stream, &give, &wake)),
                    // Out of descriptors, most likely.
                    Err(_) => thread::sleep(REST),
                }
            }
        };
        // It ends with the process: nothing else would make it stop waiting.
        thread::Builder::new().name("control".to_owned()).spawn(listen)?;
        Ok(control)
    }

    /// The next order, if there is one.
    pub(super) fn next(&mut self) -> Result<(Order, ReplyTo), TryRecvError> {
        self.orders.try_recv()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = fs::remove_file(&self.path);
    }
}

impl ReplyTo {
    /// One, and what it will be told.
    pub(super) fn pair() -> (Self, Receiver<Outcome>) {
        let (reply, outcome) = sync_channel(1);
        (Self(reply), outcome)
    }

    /// Tells the operator, unless nobody waits any more.
    pub(super) fn tell(self, outcome: Outcome) {
        let _ = self.0.try_send(outcome);
    }
}

/// Has the daemon that has a data file do something. `None` if no daemon listens there.
///
/// # Errors
/// When the daemon refuses, with the reason; or cannot be spoken to.
pub(super) fn ask(data: &Path, order: &Order) -> io::Result<Option<()>> {
    let mut stream = match UnixStream::connect(path_for(data)) {
        Ok(stream) => stream,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(e) => return Err(e),
    };
    stream.set_read_timeout(Some(2 * ORDER_TIMEOUT))?;
    stream.write_all(order.to_lines().as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.trim_end() {
        DONE => Ok(Some(())),
        "" => Err(io::Error::other("The daemon did not answer.")),
        says => Err(io::Error::other(says)),
    }
}

fn path_for(data: &Path) -> PathBuf {
    let mut name = data.as_os_str().to_owned();
    name.push("-control");
    name.into()
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    // What a killed daemon has left behind: a living one would have the data file.
    if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        fs::remove_file(path)?;
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    // Nobody can connect before it listens.
    fs::set_permissions(path, Permissions::from_mode(OWNER_ALONE))?;
    socket.listen(BACKLOG)?;
    Ok(OwnedFd::from(socket).into())
}

fn serve(
    mut stream: UnixStream,
    give: &Sender<(Order, ReplyTo)>,
    wake: impl Fn(),
) -> io::Result<()> {
    stream.set_read_timeout(Some(LINES_TIMEOUT))?;
    stream.set_write_timeout(Some(LINES_TIMEOUT))?;
    let mut lines = String::new();
    (&stream).take(LINES_BYTES_MAX).read_to_string(&mut lines)?;
    let says = match Order::of_lines(&lines) {
        None => "The daemon does not understand: it is of another version.",
        Some(order) => {
            let (reply_to, outcome) = ReplyTo::pair();
            if give.send((order, reply_to)).is_err() {
                return Ok(()); // it is going
            }
            wake();
            match outcome.recv_timeout(ORDER_TIMEOUT) {
                Ok(Ok(())) => DONE,
                Ok(Err(denial)) => says(denial),
                Err(_) => "The daemon did not answer in time.",
            }
        }
    };
    writeln!(stream, "{says}")
}

impl Order {
    fn to_lines(&self) -> String {
        match self {
            Order::Add(name, password) => format!("add\n{name}\n{}\n", password.as_str()),
            Order::SetPassword(name, password) => {
                format!("passwd\n{name}\n{}\n", password.as_str())
            }
            Order::Disable(name) => format!("disable\n{name}\n"),
        }
    }

    /// Names and passwords have no line breaks.
    fn of_lines(lines: &str) -> Option<Self> {
        let lines: Vec<&str> = lines.strip_suffix('\n')?.split('\n').collect();
        let chosen = |name: &Name, password| Password::choose(password, name).ok();
        match lines[..] {
            ["add", name, password] => {
                let name = Name::parse(name).ok()?;
                chosen(&name, password).map(|password| Order::Add(name, password))
            }
            ["passwd", name, password] => {
                let name = Name::parse(name).ok()?;
                chosen(&name, password).map(|password| Order::SetPassword(name, password))
            }
            ["disable", name] => Name::parse(name).ok().map(Order::Disable),
            _ => None,
        }
    }
}

/// Why an order was not carried out, for the operator.
pub(super) fn says(denial: Denial) -> &'static str {
    match denial {
        Denial::NameTaken => Refusal::NameTaken.code_and_message().1,
        Denial::NoAccount => "There is no account of that name.",
        Denial::Busy => "Too many people are logging in at once: try again.",
        Denial::Unavailable { .. } | Denial::RegisteredOnly { .. } => {
            "The data file cannot be written for now: see the daemon's log."
        }
        Denial::WrongPassword => "The account's password was changed at the same time: try again.",
        Denial::BadLogIn | Denial::NoSession | Denial::SlowDown { .. } | Denial::Broken => {
            "The daemon cannot do that now: see its log."
        }
    }
}

const DONE: &str = "done";
const OWNER_ALONE: u32 = 0o600;
/// Operators who wait behind another.
const BACKLOG: i32 = 8;
/// The longest password, the longest name, and some to spare.
pub(super) const LINES_BYTES_MAX: u64 = 4 * 1024;
/// For the three lines: a program writes them at once.
pub(super) const LINES_TIMEOUT: Duration = Duration::from_secs(2);
/// For what an order comes to: a whole queue of passwords before it, and a commit on a slow disk.
const ORDER_TIMEOUT: Duration = Duration::from_secs(15);
const REST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_as_they_were_written_and_nothing_else_is() {
        let name = Name::stored("ann");
        let password = Password::choose("correct horse", &name).unwrap();
        for order in [
            Order::Add(name.clone(), password.clone()),
            Order::SetPassword(name.clone(), password),
            Order::Disable(name),
        ] {
            assert_eq!(Order::of_lines(&order.to_lines()), Some(order));
        }
        for lines in [
            "",
            "\n",
            "add\n",
            "add\nann\n",
            "add\nann\nshort\n",
            "add\nann\ncorrect horse",
            "add\nann\ncorrect horse\n\n",
            "add\na b\ncorrect horse\n",
            "disable\nann\ncorrect horse\n",
            "delete\nann\n",
        ] {
            assert_eq!(Order::of_lines(lines), None, "{lines:?}");
        }
    }
}
