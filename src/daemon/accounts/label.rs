//! What a log-in is called in the list of one's log-ins, so that its owner knows which is which.

use std::sync::Arc;

/// The browser and the system that a `User-Agent` names, as far as it can be told: `Firefox on Linux`.
///
/// A guess, and shown as nothing more. What is no browser is shown as it calls itself.
pub(in crate::daemon) fn of_user_agent(user_agent: Option<&[u8]>) -> Arc<str> {
    let text = user_agent.and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default();
    let name = |table: &[(&str, &'static str)]| {
        table.iter().find(|(word, _)| text.contains(word)).map(|(_, name)| *name)
    };
    match (name(BROWSERS), name(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}").into(),
        (Some(browser), None) => browser.into(),
        (None, _) => {
            let own = text.split_whitespace().next().unwrap_or("Unknown program");
            own.chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect::<String>().into()
        }
    }
}

const CHARS_MAX: usize = 40;

/// In this order: every browser claims to be those below it as well.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Likewise: Android is a Linux, and an iPhone is "like Mac OS X".
const SYSTEMS: &[(&str, &str)] = &[
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_apart_and_programs_name_themselves() {
        for (user_agent, label) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/140.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.14.1", "curl/8.14.1"),
            ("", "Unknown program"),
            ("a\u{1}b c", "ab"),
        ] {
            assert_eq!(&*of_user_agent(Some(user_agent.as_bytes())), label);
        }
        assert_eq!(&*of_user_agent(None), "Unknown program");
        assert_eq!(&*of_user_agent(Some(b"\xff")), "Unknown program");
        assert_eq!(of_user_agent(Some("é".repeat(1000).as_bytes())).chars().count(), CHARS_MAX);
    }
}
