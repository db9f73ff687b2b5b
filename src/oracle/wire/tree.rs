//! JSON as it stands: every field in its order, those that stand twice as well.

use std::fmt::{self, Write};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    Null,
    Flag(bool),
    Whole(u64),
    Negative(i64),
    Fraction,
    Text(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// `None` if the text is no JSON.
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// The value of a field that stands there once. One that is `null` does not.
    pub(super) fn only(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        let mut found = fields.iter().filter(|(known, tree)| known == name && *tree != Self::Null);
        let (_, only) = found.next()?;
        found.next().is_none().then_some(only)
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn whole(&self) -> Option<u64> {
        if let Self::Whole(whole) = *self { Some(whole) } else { None }
    }

    /// Whether some object in it has a field twice.
    pub(super) fn repeats(&self) -> bool {
        match self {
            Self::List(items) => items.iter().any(Self::repeats),
            Self::Object(fields) => {
                let names: Vec<_> = fields.iter().map(|(name, _)| name).collect();
                let is_repeated = |name| names.iter().filter(|&&known| known == name).count() > 1;
                fields.iter().any(|(name, tree)| is_repeated(name) || tree.repeats())
            }
            _ => false,
        }
    }

    /// All texts in it, names apart.
    pub(super) fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::List(items) => items.iter().flat_map(Self::texts).collect(),
            Self::Object(fields) => fields.iter().flat_map(|(_, tree)| tree.texts()).collect(),
            _ => vec![],
        }
    }

    /// The same with each object's fields the other way round.
    pub(super) fn reversed(&self) -> Self {
        match self {
            Self::List(items) => Self::List(items.iter().map(Self::reversed).collect()),
            Self::Object(fields) => {
                let fields = fields.iter().rev();
                Self::Object(fields.map(|(name, tree)| (name.clone(), tree.reversed())).collect())
            }
            other => other.clone(),
        }
    }

    /// The same with fields that nobody knows, before and behind.
    pub(super) fn with_unknown(&self) -> Self {
        let unknown = |name: &str| (name.to_owned(), Self::List(vec![Self::Null]));
        match self {
            Self::Object(fields) => {
                let (before, behind) = ([unknown("Type")], [unknown("")]);
                Self::Object([&before, fields.as_slice(), &behind].concat())
            }
            other => other.clone(),
        }
    }

    /// As text, with spaces wherever they may stand.
    pub(super) fn written(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, false);
        out
    }

    /// As text, with every letter escaped.
    pub(super) fn escaped(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, true);
        out
    }

    fn write(&self, out: &mut String, escape: bool) {
        match self {
            Self::Null => out.push_str(" null "),
            Self::Flag(flag) => push(out, format_args!(" {flag}\r")),
            Self::Whole(whole) => push(out, format_args!("\n{whole}\t")),
            Self::Negative(negative) => push(out, format_args!("{negative}")),
            // Any will do: printing one so that the same is read again is another library's affair.
            Self::Fraction => out.push_str("-0.5E+0"),
            Self::Text(text) => write_text(text, out, escape),
            Self::List(items) => {
                out.push_str(" [ ");
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { " , " } else { "" });
                    item.write(out, escape);
                }
                out.push_str(" ] ");
            }
            Self::Object(fields) => {
                out.push_str(" { ");
                for (index, (name, tree)) in fields.iter().enumerate() {
                    out.push_str(if index > 0 { " , " } else { "" });
                    write_text(name, out, escape);
                    out.push_str(" : ");
                    tree.write(out, escape);
                }
                out.push_str(" } ");
            }
        }
    }
}

fn write_text(text: &str, out: &mut String, escape: bool) {
    if !escape {
        return out.push_str(&serde_json::Value::from(text).to_string());
    }
    out.push('"');
    for unit in text.encode_utf16() {
        push(out, format_args!("\\u{unit:04X}"));
    }
    out.push('"');
}

fn push(out: &mut String, arguments: fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("text takes whatever is written");
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Tree, E> {
        Ok(Tree::Flag(flag))
    }

    fn visit_u64<E>(self, whole: u64) -> Result<Tree, E> {
        Ok(Tree::Whole(whole))
    }

    fn visit_i64<E>(self, negative: i64) -> Result<Tree, E> {
        Ok(Tree::Negative(negative))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Fraction)
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Tree::Object(fields))
    }
}
