//! The command line, made into what is to be done.
//!
//! Owns the subcommands, and what cannot be said together; each subcommand's flags, with their `WSRELAY_…` twins in the
//! environment, are with what does it. It opens nothing and starts nothing.

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

#[cfg(all(feature = "bench", target_os = "linux"))]
use crate::bench;
use crate::daemon::operator;
use crate::daemon::options::Serve;
use crate::doctor;

/// What the command line asks for.
#[derive(Debug)]
pub enum Invocation {
    /// Serve until told to stop.
    Serve(Serve),
    /// Print rooms' logs.
    Export(operator::Export),
    /// Copy the data file.
    Backup(operator::Backup),
    /// List or change accounts.
    User(operator::User),
    /// Measure a server.
    #[cfg(all(feature = "bench", target_os = "linux"))]
    Bench(Box<bench::Options>),
    /// Look for trouble.
    Doctor(doctor::Options),
    /// Print this and end well: help, or the version.
    Print(String),
}

#[derive(Parser)]
#[command(name = "wsrelay", version, about = "A WebSocket relay: rooms to talk in, in real time")]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the page and the rooms (the default).
    Serve(Serve),
    /// Print a room's log, or all rooms' logs, as lines of JSON: each an `entry` as PROTOCOL.md has it, edits and
    /// deletions at their places. Works while a daemon has the file.
    Export(operator::Export),
    /// Copy the data file, as it is at this moment, and check the copy. Works while a daemon has the file.
    Backup(operator::Backup),
    /// List, make, change or disable accounts. Works while a daemon has the file.
    User(operator::User),
    /// Measure how a WebSocket server scales.
    #[cfg(all(feature = "bench", target_os = "linux"))]
    Bench(Box<bench::Options>),
    /// Look for what stands in the way of a good service: on this machine, and on the way to a URL.
    Doctor(doctor::Options),
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// One line that says which flag or value is wrong.
pub fn parse(args: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Invocation, String> {
    let parsed = Cli::command().try_get_matches_from(args).and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        Ok((matches, cli))
    });
    match parsed {
        Ok((matches, Cli { command: Some(Command::Serve(serve)), .. })) => {
            let (_, matches) = matches.subcommand().expect("it was found");
            agree(serve, matches).map(Invocation::Serve)
        }
        Ok((matches, Cli { command: None, serve })) => {
            agree(serve, &matches).map(Invocation::Serve)
        }
        Ok((_, Cli { command: Some(command), .. })) => Ok(match command {
            Command::Serve(serve) => Invocation::Serve(serve),
            Command::Export(export) => Invocation::Export(export),
            Command::Backup(backup) => Invocation::Backup(backup),
            Command::User(user) => Invocation::User(user),
            #[cfg(all(feature = "bench", target_os = "linux"))]
            Command::Bench(options) => Invocation::Bench(options),
            Command::Doctor(options) => Invocation::Doctor(options),
        }),
        Err(e) if e.use_stderr() => Err(first_paragraph(&e.render().to_string())),
        Err(e) => Ok(Invocation::Print(e.render().to_string())),
    }
}

/// Settles what can be said in two ways at once: a flag counts for more than the environment, and memory for more than a file
/// where both are in the environment.
fn agree(mut serve: Serve, matches: &ArgMatches) -> Result<Serve, String> {
    let is_flag = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
    if serve.memory && is_flag("data") {
        if is_flag("memory") {
            return Err("error: --memory keeps no file: it cannot be used with --data".to_owned());
        }
        serve.memory = false;
    }
    if serve.proxy_protocol && serve.trust_proxy.is_empty() {
        return Err(
            "error: --proxy-protocol believes nobody unless --trust-proxy says whom".to_owned()
        );
    }
    Ok(serve)
}

/// The part of a message that says what is wrong, on one line; usage and advice follow after a blank line.
fn first_paragraph(text: &str) -> String {
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::options::ListenAddr;

    fn parsed(args: &[&str]) -> Result<Invocation, String> {
        parse(std::iter::once("wsrelay").chain(args.iter().copied()).map(Into::into))
    }

    fn serve(args: &[&str]) -> Serve {
        match parsed(args) {
            Ok(Invocation::Serve(serve)) => serve,
            other => panic!("{args:?} gave {other:?}"),
        }
    }

    #[test]
    fn serving_is_what_no_subcommand_means() {
        for args in [&["--rate-limit", "7"][..], &["serve", "--rate-limit", "7"]] {
            assert_eq!(serve(args).rate_limit, 7);
        }
        assert_eq!(serve(&[]).listen, [ListenAddr::parse("127.0.0.1:8080").unwrap()]);
    }

    #[test]
    fn addresses_are_tcp_or_unix_and_as_many_as_given() {
        let serve =
            serve(&["--listen", "127.0.0.1:0", "--listen=[::1]:9", "--listen", "unix:/run/x"]);
        let [ListenAddr::Tcp(v4), ListenAddr::Tcp(v6), ListenAddr::Unix(path)] = &serve.listen[..]
        else {
            panic!("{:?}", serve.listen)
        };
        assert_eq!(v4[..], ["127.0.0.1:0".parse().unwrap()]);
        assert_eq!(v6[..], ["[::1]:9".parse().unwrap()]);
        assert_eq!(path.to_str(), Some("/run/x"));
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (args, says) in [
            (&["--frob"][..], "--frob"),
            (&["--listen", "nonsense"], "HOST:PORT"),
            (&["--listen", "unix:"], "path"),
            (&["--relay", "maybe"], "on, off"),
            (&["--max-message", "0"], "--max-message"),
            (&["--max-message", "9999999999"], "--max-message"),
            (&["--max-connections", "0"], "--max-connections"),
            (&["--memory", "--data", "x"], "--data"),
            (&["--registration", "ajar"], "open, closed"),
            (&["--rate-limit", "-1"], "-1"),
            (&["--allow-origin", "example.org"], "example.org"),
            (&["--trust-proxy", "10.0.0.0/33"], "10.0.0.0/33"),
            (&["--proxy-protocol"], "--trust-proxy"),
            (&["--log", "loud"], "loud"),
            (&["fly"], "fly"),
            (&["export"], "ROOM"),
            (&["export", "lobby", "--all"], "--all"),
            (&["export", "a b"], "no room"),
            (&["backup"], "COPY"),
            (&["user"], "user"),
            (&["user", "add"], "NAME"),
            (&["user", "add", "a b"], "letters and digits"),
            (&["user", "add", "ann", "secret"], "secret"),
        ] {
            let line = parsed(args).expect_err("refused");
            assert!(line.contains(says) && !line.contains('\n'), "{args:?}: {line}");
        }
    }

    #[test]
    fn help_and_version_are_printed_and_end_well() {
        for flag in ["--help", "-h", "--version", "-V"] {
            assert!(
                matches!(parsed(&[flag]), Ok(Invocation::Print(text)) if text.contains("wsrelay"))
            );
        }
    }

    #[test]
    fn connections_fit_the_descriptors_unless_asked_otherwise() {
        assert_eq!(serve(&[]).config(1024).connections_max, 992);
        assert_eq!(serve(&[]).config(u64::MAX).connections_max, 100_000);
        assert_eq!(serve(&["--max-connections", "5"]).config(1024).connections_max, 5);
    }

    /// What is in the first two columns of the README's table of flags: `--flag VALUE` and its default.
    fn rows_of_the_readme() -> Vec<(String, String)> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        let readme = std::fs::read_to_string(path).unwrap();
        let begin = readme.find("\n| flag | default |").unwrap() + 1;
        let rows = readme[begin..].lines().take_while(|line| !line.is_empty()).skip(2);
        let cells = |row: &str| {
            let plain = row.replace("\\|", "/").replace('`', "");
            let mut cells = plain.split('|').skip(1).map(|cell| cell.trim().replace('/', "|"));
            (cells.next().unwrap(), cells.next().unwrap())
        };
        rows.map(cells).collect()
    }

    #[test]
    fn the_readme_has_every_flag_with_its_default() {
        let rows = rows_of_the_readme();
        let command = Cli::command();
        let mut flags = Vec::new();
        for flag in command.get_arguments() {
            let Some(name) = flag.get_long().filter(|name| !["help", "version"].contains(name))
            else {
                continue;
            };
            let value = flag.get_value_names().filter(|_| flag.get_action().takes_values());
            let written =
                value.map_or(format!("--{name}"), |value| format!("--{name} {}", value[0]));
            let row = rows.iter().find(|(flag, _)| *flag == written);
            let (_, default) = row.unwrap_or_else(|| panic!("the README has no {written}"));
            // Some defaults have more words: `0: any number`.
            if let [value] = flag.get_default_values() {
                let first = default.split(':').next().unwrap_or_default();
                let value = value.to_str().unwrap();
                assert!(*default == value || first == value, "{written}: {default}, not {value}");
            }
            let twin = format!("WSRELAY_{}", name.to_uppercase().replace('-', "_"));
            assert_eq!(flag.get_env(), Some(twin.as_ref()), "{written}");
            flags.push(written);
        }
        let of_the_table: Vec<_> = rows.into_iter().map(|(flag, _)| flag).collect();
        assert_eq!(of_the_table, flags, "the table has the order of the help");
    }
}
