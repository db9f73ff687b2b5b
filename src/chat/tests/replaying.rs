//! Replays: what a join brings back, and that nothing is missing whatever happens while it is read.

use super::script::{run, run_unlimited};

#[test]
fn a_replay_is_what_was_missed_and_then_it_is_live() {
    run(r#"
        accounts ana bo
        ana  post lobby "1"
        ana  post lobby "2"
        ana  post lobby "3"
        bo   join lobby since 1   -> bo: ok lobby seq=3 recovered
                                   | bo: lobby#2 ana "2"
                                   | bo: lobby#3 ana "3"
        ana  post lobby "4"       -> ana: ok lobby#4
                                   | bo: lobby#4 ana "4"
        // Again: attached as it is, it is sent what it asks for.
        bo   join lobby since 3   -> bo: ok lobby seq=4 recovered
                                   | bo: lobby#4 ana "4"
        bo   join lobby since 4   -> bo: ok lobby seq=4 recovered
        bo   join lobby since 5   -> bo: ok lobby seq=4 lost: ahead
        bo   join lobby since x:3 -> bo: ok lobby seq=4 lost: epoch
        bo   join lobby           -> bo: ok lobby seq=4
        tails gone
        bo   join lobby since 2   -> bo: ok lobby seq=4 recovered
                                   | bo: lobby#3 ana "3" (read)
                                   | bo: lobby#4 ana "4" (read)
    "#);
}

#[test]
fn what_is_committed_while_a_replay_is_read_follows_it() {
    run(r#"
        accounts ana bo
        ana  post lobby "1"
        ana  post lobby "2"
        tails gone
        log  holds
        bo   join lobby since 0  -> nothing
        ana  post lobby "3"      -> nothing
        log  reads
        ana  post lobby "4"      -> nothing
        log  answers             -> ana: ok lobby#3
                                  | ana: ok lobby#4
        log  shows               -> bo: ok lobby seq=4 recovered
                                  | bo: lobby#1 ana "1" (read)
                                  | bo: lobby#2 ana "2" (read)
                                  | bo: lobby#3 ana "3"
                                  | bo: lobby#4 ana "4"
        ana  post lobby "5"
        log  answers             -> ana: ok lobby#5
                                  | bo: lobby#5 ana "5"
    "#);
}

#[test]
fn an_entry_that_the_read_saw_and_nobody_was_told_of_yet_comes_once() {
    run(r#"
        accounts ana bo
        ana  post lobby "1"
        tails gone
        log  holds
        bo   join lobby since 0  -> nothing
        ana  post lobby "2"      -> nothing
        log  commits             -> nothing
        log  shows               -> bo: ok lobby seq=1 recovered
                                  | bo: lobby#1 ana "1" (read)
        log  answers             -> ana: ok lobby#2
                                  | bo: lobby#2 ana "2"
    "#);
}

#[test]
fn a_post_deleted_while_a_replay_is_read_is_not_sent() {
    run(r#"
        accounts ana bo
        ana  post lobby "1"
        ana  post lobby "secret"
        ana  edit lobby 2 "still secret"
        ana  post lobby "typo"
        tails gone
        log  holds
        bo   join lobby since 0    -> nothing
        log  reads                 -> nothing
        ana  delete lobby 2        -> nothing
        ana  edit lobby 4 "right"  -> nothing
        log  answers               -> ana: ok lobby#5
                                    | ana: ok lobby#6
        log  shows                 -> bo: ok lobby seq=6 recovered
                                    | bo: lobby#1 ana "1" (read)
                                    | bo: lobby#2 ana deleted (read)
                                    | bo: lobby#3 ana edit 2 deleted (read)
                                    | bo: lobby#4 ana "right" edited (read)
                                    | bo: lobby#5 ana delete 2
                                    | bo: lobby#6 ana edit 4 "right"
    "#);
}

#[test]
fn nothing_deleted_is_replayed_from_memory() {
    run(r#"
        accounts ana bo
        ana  post lobby "1"
        ana  post lobby "secret"
        ana  post lobby "3"
        ana  delete lobby 2
        bo   join lobby since 2  -> bo: ok lobby seq=4 recovered
                                  | bo: lobby#3 ana "3"
                                  | bo: lobby#4 ana delete 2
        bo   join lobby since 0  -> bo: ok lobby seq=4 recovered
                                  | bo: lobby#1 ana "1" (read)
                                  | bo: lobby#2 ana deleted (read)
                                  | bo: lobby#3 ana "3" (read)
                                  | bo: lobby#4 ana delete 2 (read)
    "#);
}

#[test]
fn a_room_that_runs_away_from_its_reader_is_read_again_and_then_given_up() {
    let mut script = String::from(
        "accounts ana bo
         ana post lobby \"x\"
         tails gone
         log holds
         bo join lobby since 0 -> nothing\n",
    );
    for n in 2..6 {
        script += "ana post lobby \"y\"\nlog reads\n";
        script += &format!("log answers -> ana: ok lobby#{n}\ntails gone\n");
        let told = if n == 5 { "bo: ok lobby seq=5 lost: too_many" } else { "nothing" };
        script += &format!("log shows 1 -> {told}\n");
    }
    script += "ana post lobby \"z\"\nlog answers -> ana: ok lobby#6\n | bo: lobby#6 ana \"z\"\n";
    run(&script);
}

#[test]
fn who_joins_again_is_sent_nothing_out_of_order_meanwhile() {
    run(r#"
        accounts ana bo
        ana  post lobby "1"
        bo   join lobby          -> bo: ok lobby seq=1
        tails gone
        log  holds
        bo   join lobby since 0  -> nothing
        ana  post lobby "2"
        log  answers             -> ana: ok lobby#2
        log  shows               -> bo: ok lobby seq=2 recovered
                                  | bo: lobby#1 ana "1" (read)
                                  | bo: lobby#2 ana "2"
    "#);
}

#[test]
fn a_replay_that_cannot_be_read_is_said_to_be_missing() {
    run(r#"
        accounts ana bo
        ana  post lobby "1"
        ana  create open den
        tails gone
        log  fails
        bo   join lobby since 0     -> bo: ok lobby seq=1 lost: unavailable
        // Nor can anybody become a member.
        bo   join den               -> bo: err unavailable after 700
        bo   resume lobby@0 den     -> bo: joined lobby seq=1 lost: unavailable
                                     | bo: joined den err unavailable after 700
                                     | bo: ok resumed
        log  works
        ana  post lobby "2"         -> ana: ok lobby#2
                                     | bo: lobby#2 ana "2"
    "#);
}

#[test]
fn more_than_a_replay_holds_is_not_begun() {
    let mut script = String::from("accounts ana bo\n");
    (0..1_001).for_each(|_| script += "ana post lobby \"x\"\n");
    script += "bo join lobby since 0 -> bo: ok lobby seq=1001 lost: too_many\n";
    script += "bo join lobby since 1000 -> bo: ok lobby seq=1001 recovered\n | bo: lobby#1001 ana \"x\"\n";
    run_unlimited(&script);
}

#[test]
fn the_replays_of_one_request_share_a_budget() {
    let mut script = String::from("accounts ana bo\nana create open a\nana create open b\n");
    script += "bo resume lobby a b\nhide a#2 lobby#1\n";
    for room in ["lobby", "a", "b"] {
        (0..900).for_each(|_| script += &format!("ana post {room} \"x\"\n"));
    }
    let hidden = (1..=902).map(|n| format!("lobby#{n} a#{n} b#{n}")).collect::<Vec<_>>().join(" ");
    script += &format!("hide {hidden}\n");
    script += "bo resume lobby@0 a@0 b@0 -> bo: joined lobby seq=900 recovered
        | bo: joined a seq=902 recovered
        | bo: joined b seq=902 lost: too_many
        | bo: ok resumed\n";
    run_unlimited(&script);
}

#[test]
fn the_texts_of_one_request_share_a_budget_too() {
    let mut script = String::from("accounts ana bo\nana create open den\nbo join den\n");
    for room in ["lobby", "den"] {
        (0..40).for_each(|_| script += &format!("ana post {room} x*4000\n"));
    }
    let hidden = (1..=42).map(|n| format!("lobby#{n} den#{n}")).collect::<Vec<_>>().join(" ");
    script += &format!("hide {hidden}\n");
    script += "bo resume lobby@0 den@2 -> bo: joined lobby seq=40 recovered
        | bo: joined den seq=42 lost: too_many
        | bo: ok resumed\n";
    run_unlimited(&script);
}

#[test]
fn reactions_take_from_that_budget_and_never_cost_their_own_replay() {
    let (long, emoji) = ("가".repeat(32), "😀".repeat(16));
    let mut script = format!("accounts ana bo {long}\nana create open den\nbo join den\n");
    script += &"ana post lobby \"x\"\n".repeat(480);
    for post in 1..=480 {
        script += &format!("{long} react lobby {post} {emoji}\n");
    }
    script += &"ana post den x*4000\n".repeat(40);
    let hidden = (1..=960).map(|n| format!("lobby#{n} den#{n}")).collect::<Vec<_>>().join(" ");
    // 31 KB of texts and 90 KB of reactions, and 160 KB of texts.
    script += &format!(
        "tails gone
        hide {hidden}
        bo resume lobby@0 den@2 -> bo: joined lobby seq=960 recovered
        | bo: joined den seq=42 lost: too_many
        | bo: ok resumed
        bo resume den@2 lobby@0 -> bo: joined den seq=42 recovered
        | bo: joined lobby seq=960 recovered
        | bo: ok resumed\n"
    );
    run_unlimited(&script);
}
