//! A relay in a program of your own: everybody in `/relay/ROOM` gets what anybody there sends.
//!
//! Run it with `cargo run --example relay --no-default-features`, then `websocat ws://127.0.0.1:8080/relay/lobby`.

use wsrelay::{Config, engine::Engine, relay::Relay};

fn main() -> std::io::Result<()> {
    let config = Config { connections_max: 1_000, ..Config::default() };

    let mut engine = Engine::new(config)?;
    let address = engine.listen(([127, 0, 0, 1], 8080).into())?;
    println!("listening on http://{address}");
    engine.run(&mut Relay::new())
}
