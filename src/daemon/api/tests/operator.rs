//! What an operator asks for, and what it does to those who are logged in.

use std::sync::mpsc::Receiver;

use super::*;
use crate::chat::Name;
use crate::daemon::accounts::Denial;
use crate::daemon::control::{Order, Outcome, ReplyTo};
use crate::daemon::passwords::Password;

fn begin(world: &mut World, order: Order) -> Receiver<Outcome> {
    let (reply_to, outcome) = ReplyTo::pair();
    world.turn(|api, turn| api.obey(order, reply_to, turn));
    outcome
}

fn obey(world: &mut World, order: Order) -> Outcome {
    let outcome = begin(world, order);
    world.settle();
    outcome.try_recv().expect("an outcome")
}

fn name(name: &str) -> Name {
    Name::stored(name)
}

fn password(text: &str) -> Password {
    Password::typed(text).unwrap()
}

#[test]
fn an_account_is_made_even_where_registration_is_closed() {
    let mut world = World::new();
    world.api.admission.registration = false;
    let add = Order::Add(name("bo"), password("correct horse"));
    assert_eq!(obey(&mut world, add.clone()), Ok(()));
    assert_eq!(obey(&mut world, add), Err(Denial::NameTaken));
    assert_eq!(world.log_in("bo", "correct horse").status, 200);
}

#[test]
fn a_given_password_ends_every_log_in() {
    let (mut world, ann) = World::with_ann();
    let give = |to: &str| Order::SetPassword(name(to), password("battery staple"));
    assert_eq!(obey(&mut world, give("nobody")), Err(Denial::NoAccount));
    assert_eq!(obey(&mut world, give("ANN")), Ok(()));
    assert!(!world.knows(&ann));
    assert_eq!(world.logged_out.len(), 1);
    assert_eq!(world.log_in("ann", "correct horse").status, 401);
    assert_eq!(world.log_in("ann", "battery staple").status, 200);
}

#[test]
fn a_disabled_account_looks_like_none_until_it_has_a_password_again() {
    let (mut world, ann) = World::with_ann();
    assert_eq!(obey(&mut world, Order::Disable(name("ann"))), Ok(()));
    assert!(!world.knows(&ann));
    assert_eq!(world.logged_out.len(), 1);
    let none = world.log_in("nobody", "correct horse");
    let disabled = world.log_in("ann", "correct horse");
    assert_eq!((none.status, none.body), (disabled.status, disabled.body));
    let again = world.ask("POST", "/api/register", "", &credentials("ann", "correct horse"));
    assert_eq!(again.status, 409, "the name stays taken");
    assert_eq!(obey(&mut world, Order::Disable(name("ann"))), Ok(()), "it is so already");
    let give = Order::SetPassword(name("ann"), password("battery staple"));
    assert_eq!(obey(&mut world, give), Ok(()));
    assert_eq!(world.log_in("ann", "battery staple").status, 200);
}

#[test]
fn a_disabled_account_outlives_a_restart() {
    let disabled = StoredAccount { person: PersonId(5), name: name("ann"), phc: None };
    let mut world = World::restored(vec![disabled], &[]);
    assert_eq!(world.log_in("ann", "correct horse").code(), "bad_login");
}

#[test]
fn what_cannot_be_stored_is_not_so() {
    let (mut world, ann) = World::with_ann();
    world.store_fails = true;
    for order in [
        Order::Disable(name("ann")),
        Order::SetPassword(name("ann"), password("battery staple")),
        Order::Add(name("bo"), password("battery staple")),
    ] {
        let outcome = obey(&mut world, order);
        assert!(matches!(outcome, Err(Denial::Unavailable { .. })), "{outcome:?}");
    }
    world.store_fails = false;
    assert!(world.knows(&ann));
    assert_eq!(world.log_in("ann", "correct horse").status, 200);
    world.register("bo");
}

/// Somebody who knows the password logs in, or changes it, while the operator disables the account.
#[test]
fn nothing_slips_past_a_disabling() {
    let change = r#"{"old":"correct horse","new":"battery staple"}"#;
    for steps in 0..=4 {
        let (mut world, ann) = World::with_ann();
        let log_in = world.begin("POST", "/api/login", "", &credentials("ann", "correct horse"));
        world.begin_as(&ann, "POST", "/api/password", change);
        let _ = (0..steps).all(|_| world.hash_one() || world.write_one());
        let outcome = begin(&mut world, Order::Disable(name("ann")));
        world.settle();
        // The password may have been changed in the same moment: then the operator asks again.
        let outcome = outcome.try_recv().expect("an outcome");
        assert!(matches!(outcome, Ok(()) | Err(Denial::NoAccount)), "{outcome:?}");
        let reply = world.reply_to(log_in).unwrap();
        let let_in = reply.status == 200 && world.knows(&reply.token());
        assert!(!let_in && !world.knows(&ann), "after {steps} steps");
        for text in ["correct horse", "battery staple"] {
            assert_eq!(world.log_in("ann", text).status, 401, "after {steps} steps");
        }
    }
}
