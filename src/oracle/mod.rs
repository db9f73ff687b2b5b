//! Properties: what must hold for every input, each as one function.
//!
//! A property test calls it with cases it makes up, a fuzz target with bytes it evolves, and a test
//! replays on stable what the fuzzer found worth keeping. All three hold the same code against the
//! same twin, model or law. A property that does not hold panics, and says in what.
//!
//! What takes the thing under test as an argument can be handed a broken one: the tests do, to see
//! that the property finds it.

pub mod chat;
pub mod http;
pub mod proxy;
pub mod wire;
pub mod world;
pub mod ws;
