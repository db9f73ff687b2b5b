//! One line of the log: what it says, and how it looks.

use std::fmt::Write;
use std::time::SystemTime;

use jiff::Timestamp;
use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, Record};

use crate::daemon::options::LogFormat;

/// What is said, and about what.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) level: Level,
    /// Where in the source it was said: lines of one place have one cause.
    pub(super) place: Option<(&'static str, u32)>,
    at: SystemTime,
    pub(super) text: String,
    fields: Vec<(String, serde_json::Value)>,
}

impl Line {
    pub(super) fn of(record: &Record<'_>) -> Self {
        let mut fields = Fields(Vec::new());
        // Only the visitor can fail, and ours does not.
        let _ = record.key_values().visit(&mut fields);
        Self {
            level: record.level(),
            place: record.module_path_static().zip(record.line()),
            at: SystemTime::now(),
            text: record.args().to_string(),
            fields: fields.0,
        }
    }

    /// A line about the log itself.
    pub(super) fn own(level: Level, text: String) -> Self {
        Self { level, place: None, at: SystemTime::now(), text, fields: Vec::new() }
    }

    /// With its line feed, and no other: what it says cannot look like another line.
    pub(super) fn render(&self, format: LogFormat) -> String {
        let at = Timestamp::try_from(self.at).unwrap_or(Timestamp::UNIX_EPOCH);
        match format {
            LogFormat::Text => self.as_text(at),
            LogFormat::Json => self.as_json(at),
        }
    }

    fn as_text(&self, at: Timestamp) -> String {
        let mut line = format!("{at:.3} {:5} ", self.level);
        push_printable(&mut line, &self.text);
        for (name, value) in &self.fields {
            line.push(' ');
            push_printable(&mut line, name);
            line.push('=');
            match value.as_str() {
                Some(text) => push_printable(&mut line, text),
                None => write!(line, "{value}").expect("a string takes all"),
            }
        }
        line.push('\n');
        line
    }

    fn as_json(&self, at: Timestamp) -> String {
        let level = self.level.as_str().to_ascii_lowercase();
        let text = serde_json::Value::from(self.text.as_str());
        let mut line = format!(r#"{{"at":"{at:.3}","level":"{level}","message":{text}"#);
        for (name, value) in &self.fields {
            write!(line, ",{}:{value}", serde_json::Value::from(name.as_str()))
                .expect("a string takes all");
        }
        line.push_str("}\n");
        line
    }
}

struct Fields(Vec<(String, serde_json::Value)>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let number = value.to_u64().map(serde_json::Value::from);
        self.0.push((key.to_string(), number.unwrap_or_else(|| value.to_string().into())));
        Ok(())
    }
}

fn push_printable(line: &mut String, text: &str) {
    for c in text.chars() {
        match c.is_control() {
            true => line.extend(c.escape_default()),
            false => line.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn line() -> Line {
        Line {
            level: Level::Warn,
            place: None,
            at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_764_369_112_034),
            text: "two\nlines \"said\"".to_owned(),
            fields: vec![("conn".to_owned(), 7.into()), ("peer".to_owned(), "[::1]:5".into())],
        }
    }

    #[test]
    fn a_line_is_one_line_whatever_it_says() {
        assert_eq!(
            line().render(LogFormat::Text),
            "2025-11-28T22:31:52.034Z WARN  two\\nlines \"said\" conn=7 peer=[::1]:5\n"
        );
    }

    #[test]
    fn as_json_a_line_is_an_object() {
        assert_eq!(
            line().render(LogFormat::Json),
            concat!(
                r#"{"at":"2025-11-28T22:31:52.034Z","level":"warn","message":"two\nlines \"said\"","#,
                r#""conn":7,"peer":"[::1]:5"}"#,
                "\n"
            )
        );
    }
}
