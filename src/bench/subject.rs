//! What is measured: the server in question, and beside it what it is held against.

use std::net::{Ipv4Addr, SocketAddr};

use super::options::{Common, FloorChoice};
use super::process::Pid;
use super::server::{Keeping, Recipe, Server};
use super::target::Target;
use super::{About, Failure};

/// A server as it is named in reports, and how it is come by.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) key: &'static str,
    source: Source,
    path: String,
}

#[derive(Clone, Debug)]
enum Source {
    /// Started anew for each measurement.
    Started(Recipe),
    /// It runs already.
    Running(Target, Option<Pid>),
}

/// A subject that is up.
#[derive(Debug)]
pub(super) struct Stage {
    /// When it is ours: it ends with this.
    server: Option<Server>,
    recipe: Option<Recipe>,
    pub(super) target: Target,
    /// For its processor time and memory.
    pub(super) pid: Option<Pid>,
}

/// What a server is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Yardstick {
    /// Our own server's raw rooms.
    Relay,
    /// One send for each frame and member.
    Floor,
    /// One send for each round and member: where batching makes a difference.
    Batched,
}

impl Yardstick {
    fn subject(self, path: &str) -> Subject {
        let (name, key, recipe) = match self {
            Yardstick::Relay => ("raw relay", "relay", Recipe::Serve(Keeping::Memory)),
            Yardstick::Floor => ("floor", "floor", Recipe::Floor { is_batched: false }),
            Yardstick::Batched => {
                ("floor, batched", "floor_batched", Recipe::Floor { is_batched: true })
            }
        };
        let source = Source::Started(recipe);
        Subject { name: name.to_owned(), key, source, path: path.to_owned() }
    }
}

impl Subject {
    /// The server in question.
    pub(super) fn in_question(about: &About<'_>) -> Result<Self, Failure> {
        let common = about.common;
        let path = common.path.as_deref().unwrap_or(about.path);
        let source = match (&common.url, &common.server) {
            (Some(url), _) => {
                let target = Target::parse(url, path, common.allow_remote)?;
                let port = target.address.port();
                let is_here = target.address.ip().is_loopback();
                let found = || Pid::listening_on(port).filter(|_| is_here);
                let pid = common.pid.map(Pid).or_else(found);
                Source::Running(target, pid)
            }
            (None, Some(line)) => Source::Started(Recipe::Command(line.clone())),
            (None, None) => Source::Started(Recipe::Serve(about.keeping.clone())),
        };
        let name = match (&common.name, &source) {
            (Some(name), _) => name.clone(),
            (None, Source::Running(target, _)) => target.host.clone(),
            (None, Source::Started(Recipe::Command(line))) => short_name(line),
            (None, Source::Started(_)) => "wsrelay".to_owned(),
        };
        Ok(Self { name, key: "server", source, path: path.to_owned() })
    }

    /// What to measure beside it, as far as it is wanted.
    pub(super) fn beside(about: &About<'_>) -> Vec<Self> {
        let has_both = about.yardsticks.contains(&Yardstick::Batched);
        let is_wanted = |yardstick: &&Yardstick| match (about.common.floor, yardstick) {
            (FloorChoice::Off, _) | (FloorChoice::Single, Yardstick::Batched) => false,
            (FloorChoice::Batch, Yardstick::Floor) => !has_both,
            _ => true,
        };
        let wanted = about.yardsticks.iter().filter(is_wanted);
        wanted.map(|yardstick| yardstick.subject(about.path_beside)).collect()
    }

    pub(super) fn is_yardstick(&self) -> bool {
        self.key != "server"
    }

    /// Whether it is started by us, and so can be killed and started again.
    pub(super) fn is_ours(&self) -> bool {
        matches!(self.source, Source::Started(_))
    }

    /// Whether the rooms of a measurement are rooms of this subject.
    pub(super) fn tells_rooms_apart(&self) -> bool {
        let path = match &self.source {
            Source::Started(_) => &self.path,
            Source::Running(target, _) => &target.path,
        };
        path.contains("{room}")
    }

    /// Brings it up.
    pub(super) fn raise(&self, common: &Common) -> Result<Stage, Failure> {
        match &self.source {
            Source::Running(target, pid) => {
                if let (Some(pid), Some(cpu)) = (pid, common.server_cpu()) {
                    pid.pin(cpu)?;
                }
                Ok(Stage { server: None, recipe: None, target: target.clone(), pid: *pid })
            }
            Source::Started(recipe) => {
                let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let server = recipe.start(any, common.server_cpu())?;
                let address = server.address;
                if !address.ip().is_loopback() && !common.allow_remote {
                    return Err(Failure::new(format!("{recipe} listens on {address}, not here")));
                }
                Ok(Stage {
                    target: Target::at(address, &self.path),
                    pid: common
                        .pid
                        .map(Pid)
                        .filter(|_| !self.is_yardstick())
                        .or(Some(server.pid())),
                    server: Some(server),
                    recipe: Some(recipe.clone()),
                })
            }
        }
    }
}

impl Stage {
    /// Kills the server, without a warning.
    pub(super) fn kill(&mut self) {
        if let Some(server) = &mut self.server {
            server.kill();
        }
    }

    /// Starts the killed server again, where it was, with what it had on disk.
    pub(super) fn restart(&mut self, common: &Common) -> Result<(), Failure> {
        let recipe = self.recipe.as_ref().expect("only what we started is killed");
        let data = self.server.as_mut().and_then(Server::take_data);
        let server = recipe.start_with(data, self.target.address, common.server_cpu())?;
        if server.address != self.target.address {
            let (new, old) = (server.address, self.target.address);
            return Err(Failure::new(format!("{recipe} came back on {new}, and not on {old}")));
        }
        self.pid = Some(server.pid());
        self.server = Some(server);
        Ok(())
    }
}

/// The program in a command line.
fn short_name(line: &str) -> String {
    let program = line.split_whitespace().next().unwrap_or(line);
    program.rsplit('/').next().unwrap_or(program).to_owned()
}
