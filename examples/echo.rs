//! The smallest service: every message goes back to its sender.
//!
//! Run it with `cargo run --example echo --no-default-features`, then `websocat ws://127.0.0.1:8080/`.

use wsrelay::engine::{Actions, Caller, ConnId, Engine, Service, Upgrade};
use wsrelay::http::{Request, Response};
use wsrelay::{Config, ws::Message};

struct Echo;

impl Service for Echo {
    fn on_upgrade(
        &mut self,
        _: Caller,
        _: &Request<'_>,
        _: &mut Actions,
    ) -> Result<Upgrade, Response> {
        Ok(Upgrade::default())
    }

    fn on_message(&mut self, id: ConnId, message: Message<'_>, actions: &mut Actions) {
        actions.send(id, message);
    }
}

fn main() -> std::io::Result<()> {
    let mut engine = Engine::new(Config::default())?;
    let address = engine.listen(([127, 0, 0, 1], 8080).into())?;
    println!("listening on http://{address}");
    engine.run(&mut Echo)
}
