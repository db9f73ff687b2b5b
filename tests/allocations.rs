//! Allocations on the hot path, counted: none for a delivery, a few for a message.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod support;

use std::sync::mpsc::channel;

use support::{Client, Heard};
use wsrelay::Config;
use wsrelay::engine::Engine;
use wsrelay::relay::Relay;

/// Allocations of a loop's whole life in which `members` heard `messages`, one a turn.
fn allocations(path: &'static str, members: usize, messages: usize) -> u64 {
    let (tell, told) = channel();
    let server = std::thread::spawn(move || {
        let mut engine = Engine::new(Config::default()).unwrap();
        let address = engine.listen(([127, 0, 0, 1], 0).into()).unwrap();
        tell.send((address, engine.waker())).unwrap();
        let counted = allocation_counter::measure(|| engine.run(&mut Relay::new()).unwrap());
        counted.count_total
    });
    let (address, waker) = told.recv().unwrap();
    let mut room: Vec<Client> = (0..members).map(|_| Client::connect(address, path)).collect();
    for n in 0..messages {
        let text = format!("message {n:>100}");
        room[0].send_text(&text);
        for member in &mut room {
            assert_eq!(member.hear(), Heard::Text(text.clone()));
        }
    }
    waker.drain().unwrap();
    drop(room);
    server.join().unwrap()
}

/// Allocations of each message, or echo. The least of three lives, unless the first will do: of a machine that is busy with
/// something else a life takes longer, and time takes buckets of the timing wheel.
fn allocations_each(path: &'static str, members: usize, most: f64) -> f64 {
    let each = || {
        let [few, many] = [100, 1100].map(|messages| allocations(path, members, messages));
        (many - few) as f64 / 1000.0
    };
    let mut least = each();
    for _ in 1..3 {
        if least > most {
            least = least.min(each());
        }
    }
    least
}

#[test]
fn a_message_takes_a_few_allocations_however_many_hear_it() {
    // The frame, the round that shares it, and now and then a bucket of the timing wheel.
    const MOST: f64 = 2.1;
    for members in [10, 200] {
        let each = allocations_each("/relay/r", members, MOST);
        println!("{each:.2} allocations a message to {members} members");
        assert!(each <= MOST, "{each} allocations a message to {members} members");
    }
}

#[test]
fn an_echo_takes_one_allocation() {
    const MOST: f64 = 1.1;
    let each = allocations_each("/echo", 1, MOST);
    println!("{each:.2} allocations an echo");
    assert!(each <= MOST, "{each} allocations an echo");
}
