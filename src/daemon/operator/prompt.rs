//! Where a password comes from: a terminal, where it is not shown, or else the first line of standard input. Never an
//! argument: those are everybody's to read.

use std::io::{self, BufRead, IsTerminal};

use crate::chat::Name;
use crate::daemon::passwords::Password;

/// The password that the account of this name is to have.
pub(super) fn password_for(name: &Name) -> io::Result<Password> {
    let text = match io::stdin().is_terminal() {
        true => at_terminal(name)?,
        false => first_line(io::stdin().lock())?,
    };
    Password::choose(&text, name).map_err(|fault| io::Error::other(fault.message()))
}

fn at_terminal(name: &Name) -> io::Result<String> {
    let first = rpassword::prompt_password(format!("New password for {name}: "))?;
    let again = rpassword::prompt_password("The same again: ")?;
    match first == again {
        true => Ok(first),
        false => Err(io::Error::other("The two passwords are not the same.")),
    }
}

fn first_line(input: impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if input.take(LINE_BYTES_MAX).read_line(&mut line)? == 0 {
        return Err(io::Error::other("There is no password on standard input."));
    }
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

/// More than a password has.
const LINE_BYTES_MAX: u64 = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_password_without_its_end() {
        for (input, line) in [
            ("a b\n", "a b"),
            ("a b\r\nc\n", "a b"),
            ("a b", "a b"),
            (" a \n\n", " a "),
            ("\n", ""),
        ] {
            assert_eq!(first_line(input.as_bytes()).unwrap(), line, "{input:?}");
        }
        assert!(first_line(&b""[..]).is_err());
        assert!(first_line(&b"\xff\n"[..]).is_err());
    }
}
