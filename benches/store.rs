//! What the store costs: posts acknowledged a second, how long one waits for that, and the writer's processor time.
//!
//! `cargo bench --bench store [-- POSTS [ROOMS PEOPLE OPEN]]`. Its answers are checked first. It writes to a real file, with every commit on
//! the disk before it is answered: the figures are this disk's as much as the program's.
#![allow(
    missing_docs,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "a benchmark that stops where it cannot go on"
)]

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use wsrelay::chat::log::{Append, Create, Guard, Read, ReadOut, Whose, Write, Written};
use wsrelay::chat::{
    Author, Body, Epoch, Name, PersonId, Post, PostKey, Role, RoomId, RoomKind, RoomNo, Seq,
    UnixMs, What,
};
use wsrelay::store::{Answer, Place, Store};

fn main() {
    let args: Vec<usize> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let posts = args.first().copied().unwrap_or(200_000);
    let all = [
        (1, 1, 1, posts / 100),
        (100, 1_000, 64, posts),
        (100, 1_000, 4_096, posts),
        (1_000, 4_096, 4_096, posts),
        (10_000, 10_000, 4_096, posts),
    ];
    check();
    println!(
        "{:>6} {:>6} {:>6} {:>10} {:>9} {:>9} {:>9} {:>12}",
        "rooms", "people", "open", "posts/s", "p50 ms", "p99 ms", "max ms", "CPU µs/post"
    );
    match args[..] {
        [posts, rooms, people, open] => measure(rooms, people, open, posts),
        _ => all.into_iter().for_each(|(rooms, people, open, posts)| {
            measure(rooms, people, open, posts);
        }),
    }
}

fn measure(rooms: usize, people: usize, open: usize, posts: usize) {
    let mut bench = Bench::open(rooms, people);
    bench.run(open, posts).print(rooms, people, open);
    bench.search();
    bench.close();
}

struct Bench {
    path: PathBuf,
    store: Store<Instant>,
    woken: Receiver<()>,
    rooms: Vec<(RoomNo, Seq)>,
    people: Vec<Author>,
    posted: u64,
}

impl Bench {
    fn open(rooms: usize, people: usize) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-store.db");
        remove(&path);
        let (wake, woken) = mpsc::channel();
        let opened =
            Store::open(&Place::File(path.clone()), move || wake.send(()).unwrap_or_default())
                .unwrap();
        let people: Vec<_> = (1..=people)
            .map(|id| Author {
                id: PersonId(id as u64),
                name: Name::stored(&format!("person{id}")),
            })
            .collect();
        let mut bench =
            Self { path, store: opened.store, woken, rooms: Vec::new(), people, posted: 0 };
        for no in 0..rooms {
            let from = bench.people[0].clone();
            let create = Create {
                id: RoomId::parse(&format!("room{no}")).unwrap(),
                kind: RoomKind::Open,
                title: None,
                epoch: Epoch::new(no as u64),
                at: UnixMs(1),
                members: [(from.clone(), Role::Owner)].into(),
                from,
            };
            while bench.store.write(Instant::now(), Write::Create(create.clone())).is_err() {
                bench.create();
            }
        }
        while bench.rooms.len() < rooms {
            bench.create();
        }
        bench
    }

    fn create(&mut self) {
        for answer in self.wait() {
            let Answer::Written(_, Written::Created { room, entry }) = answer else {
                panic!("{answer:?}")
            };
            self.rooms.push((room, entry.seq));
        }
    }

    fn wait(&mut self) -> Vec<Answer<Instant>> {
        self.store.submit();
        self.woken.recv().unwrap();
        while self.woken.try_recv().is_ok() {}
        self.store.answers().collect()
    }

    /// Another post, in another room and by another person than the last.
    fn post(&mut self) {
        let no = self.posted;
        self.posted += 1;
        let person = (no.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) as usize % self.people.len();
        let (room, basis) = self.rooms[no as usize % self.rooms.len()];
        let key = format!("{:016x}{no:06x}", no.wrapping_mul(0xD134_2543_DE82_EF95));
        let post = Post {
            key: PostKey::parse(&key),
            body: Body::stored(&body(no)),
            reply_to: None,
            mentions: [].into(),
        };
        let append = Append {
            room,
            basis,
            guard: Guard::None,
            at: UnixMs(no),
            from: self.people[person].clone(),
            what: What::Post(post),
        };
        self.store.write(Instant::now(), Write::Append(append)).unwrap();
    }

    fn run(&mut self, open: usize, posts: usize) -> Figures {
        let (start, cpu) = (Instant::now(), writer_cpu());
        let mut latencies = Vec::new();
        for _ in 0..open {
            self.post();
        }
        while latencies.len() < posts {
            for answer in self.wait() {
                let Answer::Written(since, Written::Entry(_)) = answer else {
                    panic!("{answer:?}")
                };
                latencies.push(since.elapsed());
                self.post();
            }
        }
        let (took, cpu) = (start.elapsed(), writer_cpu() - cpu);
        latencies.sort_unstable();
        Figures { took, cpu, latencies }
    }

    fn search(&mut self) {
        let rooms = self.rooms.iter().map(|(room, _)| *room).collect();
        let read = Read::Search { query: "quick zebra1".into(), rooms, skip: 0, limit: 20 };
        let asked = Instant::now();
        self.store.read(asked, Whose(1), read).unwrap();
        loop {
            let answers = self.wait();
            let found = answers.into_iter().find_map(|answer| match answer {
                Answer::Read(_, out) => Some(out),
                _ => None,
            });
            match found {
                Some(ReadOut::Found { hits, .. }) => {
                    println!("       search: {} hits in {:.1?}", hits.len(), asked.elapsed());
                    return;
                }
                Some(out) => {
                    println!("       search: {out:?} in {:.1?}", asked.elapsed());
                    return;
                }
                None => {}
            }
        }
    }

    fn close(self) {
        let wal = std::fs::metadata(self.path.with_extension("db-wal")).map_or(0, |wal| wal.len());
        let file = std::fs::metadata(&self.path).unwrap().len();
        println!(
            "       file {} MB, write-ahead log {} MB, {} bytes a post",
            file >> 20,
            wal >> 20,
            (file + wal) / self.posted
        );
        self.store.close();
        remove(&self.path);
    }
}

struct Figures {
    took: Duration,
    cpu: Duration,
    latencies: Vec<Duration>,
}

impl Figures {
    fn print(&self, rooms: usize, people: usize, open: usize) {
        let posts = self.latencies.len();
        let at = |per_mille: usize| {
            self.latencies[(posts * per_mille / 1_000).min(posts - 1)].as_secs_f64() * 1e3
        };
        println!(
            "{rooms:>6} {people:>6} {open:>6} {:>10.0} {:>9.2} {:>9.2} {:>9.2} {:>12.2}",
            posts as f64 / self.took.as_secs_f64(),
            at(500),
            at(990),
            at(1_000),
            self.cpu.as_secs_f64() * 1e6 / posts as f64,
        );
    }
}

/// Some 60 bytes, as people write.
fn body(no: u64) -> String {
    const WORDS: &[&str] = &[
        "the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "says", "hello",
    ];
    let mut text = String::new();
    let mut state = no.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for _ in 0..10 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text += WORDS[(state % WORDS.len() as u64) as usize];
        text.push(' ');
    }
    text + &format!("zebra{}", no % 5_000)
}

/// Processor time of the thread that writes; none where there is no `/proc`.
fn writer_cpu() -> Duration {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Duration::ZERO };
    for task in tasks.flatten() {
        let read = |name| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        if read("comm").trim() == "store-writer" {
            let nanos = read("schedstat").split(' ').next().and_then(|nanos| nanos.parse().ok());
            return Duration::from_nanos(nanos.unwrap_or(0));
        }
    }
    Duration::ZERO
}

/// What is written is what is read.
fn check() {
    let mut bench = Bench::open(2, 3);
    for _ in 0..10 {
        bench.post();
    }
    let mut answers = 0;
    while answers < 10 {
        answers += bench.wait().len();
    }
    let (room, _) = bench.rooms[0];
    let read = Read::Replay { room, after: Seq(1), through: Seq(6), bytes_max: usize::MAX };
    bench.store.read(Instant::now(), Whose(1), read).unwrap();
    let Some(Answer::Read(_, ReadOut::Page { records, .. })) = bench.wait().pop() else {
        panic!("a page")
    };
    let texts = records.iter().map(|record| match &record.entry.what {
        What::Post(post) => post.body.as_str().to_owned(),
        what => panic!("{what:?}"),
    });
    assert!(texts.eq((0..5).map(|no| body(no * 2))));
    bench.store.close();
    remove(&bench.path);
}

fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm", "-lock"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let _ = std::fs::remove_file(name);
    }
}
