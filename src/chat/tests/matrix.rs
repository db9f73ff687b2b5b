//! Who may do what: every command, in every kind of room, by every role.

use super::script::Runner;
use super::world::World;
use crate::chat::Limits;

/// One row for each command; one letter for each role in each kind of room: `-` is nobody's member, then reader, member,
/// admin, owner. The outcome: `.` done, `n` not_allowed, `k` wrong_kind, `x` no_room, `m` not_member.
const TABLE: &str = "
                       lobby  open   group  direct  invite
                       rmao   -rmao  -rmao  -m      -rmao

    post ROOM hi       n...   mn...  xn...  x.      mn...
    edit ROOM OWN hi   n...   mn...  xn...  x.      mn...
    edit ROOM POST hi  nnnn   mnnnn  xnnnn  xn      mnnnn
    delete ROOM OWN    ....   m....  x....  x.      m....
    delete ROOM POST   nn..   mnn..  xnn..  xn      mnn..
    react ROOM POST 👍 n...   mn...  xn...  x.      mn...
    pin ROOM POST      nn..   mnn..  xnn..  x.      mnn..
    add ROOM new       kkkk   mkkkk  xnn..  xk      mkkkk
    remove ROOM tim    kkkk   mnn..  xnn..  xk      mnn..
    leave ROOM         kkkk   m....  x....  xk      m....
    role ROOM tim reader  nn..  mnn.. xnn.. xk      mnn..
    role ROOM tim admin   nnn.  mnnn. xnnn. xk      mnnn.
    rename ROOM other  kkkk   mkkkk  xnn..  xk      mkkkk
    ban ROOM tim       kkkk   mnn..  xnn..  xk      mnn..
    mute ROOM tim 9    nn..   mnn..  xnn..  xk      mnn..
    read_only ROOM     nn..   mnn..  xnn..  xk      mnn..
    slow ROOM 9        nn..   mnn..  xnn..  xk      mnn..
    history ROOM       ....   m....  x....  x.      m....
    search hi in ROOM  ....   m....  x....  x.      m....
    members ROOM       ....   m....  x....  x.      m....
    detach ROOM        ....   m....  x....  x.      m....
    join ROOM          ....   .....  x....  x.      .....
";

#[test]
fn every_command_in_every_kind_of_room_by_every_role() {
    let mut lines = TABLE.lines().filter(|line| !line.trim().is_empty());
    let kinds: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    let roles: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    let mut wrong = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (command, expected) = words.split_at(words.len() - kinds.len());
        for (at, kind) in kinds.iter().enumerate() {
            let outcomes = roles[at].chars().map(|role| outcome(kind, role, &command.join(" ")));
            let outcomes: String = outcomes.collect();
            if outcomes != expected[at] {
                wrong.push(format!(
                    "{} in {kind}: {outcomes}, not {}",
                    command.join(" "),
                    expected[at]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What becomes of a command of somebody in that role, in a room of that kind.
fn outcome(kind: &str, role: char, command: &str) -> char {
    let mut scene = Scene::new(kind);
    if role != '-' {
        scene.come_in(role);
    }
    let command = command.replace("ROOM", scene.room).replace("POST", &scene.post);
    let command = format!("who {}", command.replace("OWN", &scene.own));
    let told = scene.runner.told(&command);
    let answer = told.iter().find_map(|line| line.strip_prefix("who: ")).expect("an answer");
    match answer {
        "err not_allowed" => 'n',
        "err wrong_kind" => 'k',
        "err no_room" => 'x',
        "err not_member" => 'm',
        ok if ok.starts_with("ok") => '.',
        other => panic!("{command} in {kind} by {role}: {other}"),
    }
}

/// A room of a kind, with its owner, `tim` who is a member, and a post by him.
struct Scene {
    runner: Runner,
    room: &'static str,
    owner: &'static str,
    post: String,
    /// A post by `who`, as soon as there is one.
    own: String,
}

impl Scene {
    fn new(kind: &str) -> Self {
        let mut runner = Runner::new(World::new(Limits::default(), true));
        runner.told("accounts ana tim who new");
        runner.told("root connect");
        let (room, owner) = match kind {
            "lobby" => ("lobby", "root"),
            "open" => ("den", "ana"),
            _ => ("~r", "ana"),
        };
        match kind {
            "lobby" => Vec::new(),
            "direct" => runner.told("ana direct tim ~r"),
            _ => runner.told(&format!("ana create {kind} {room}")),
        };
        if kind == "group" {
            runner.told("ana add ~r tim");
        }
        runner.told(&format!("tim join {room}"));
        let mut scene = Self { runner, room, owner, post: String::new(), own: "1".into() };
        scene.post = scene.posts("tim");
        scene
    }

    fn come_in(&mut self, role: char) {
        let (room, owner) = (self.room, self.owner);
        if room == "~r" {
            // In a direct room it is one of the two.
            self.runner.told("ana add ~r who");
            self.runner.told("who join ~r");
            if self.runner.told("who members ~r")[0].contains("err") {
                return self.be_one_of_two();
            }
        }
        self.runner.told(&format!("who join {room}"));
        self.own = self.posts("who");
        let role = match role {
            'r' => "reader",
            'a' => "admin",
            'o' => "owner",
            _ => return,
        };
        let given = self.runner.told(&format!("{owner} role {room} who {role}"));
        assert!(given[0].contains(": ok") || given[0].contains("who: "), "{given:?}");
    }

    fn be_one_of_two(&mut self) {
        let mut runner = Runner::new(World::new(Limits::default(), true));
        runner.told("accounts who tim new");
        runner.told("who direct tim ~r");
        self.runner = runner;
        self.post = self.posts("tim");
        self.own = self.posts("who");
    }

    fn posts(&mut self, name: &str) -> String {
        let told = self.runner.told(&format!("{name} post {} hi", self.room));
        told[0].split('#').nth(1).expect("posted").to_owned()
    }
}
