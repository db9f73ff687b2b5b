//! A script or style as a browser needs it: without comments, without the space between its words, and with short names for
//! what no other file can name. It is half of what people read.
//!
//! Text in, text out; knows no file. It reads words and brackets, not grammar, and is written for the page's own sources:
//! statements end in `;` or `}`, a regular expression does not follow a bracket, and no variable has the name of something of
//! the browser's that its file uses. `tests/client/served.test.mjs` holds, with a parser and a type checker, that each script
//! is the same program as before.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// A style: no space but between words.
pub(super) fn style(text: &str) -> String {
    let mut lean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        lean.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    lean.push_str(rest);
    let mut style = lean.split_whitespace().collect::<Vec<_>>().join(" ");
    for sign in ["{", "}", ";", ",", ">"] {
        style = style.replace(&format!("{sign} "), sign).replace(&format!(" {sign}"), sign);
    }
    style = style.replace(": ", ":").replace(";}", "}");
    for sign in [" ", ":", ",", "("] {
        style = style.replace(&format!("{sign}0."), &format!("{sign}."));
    }
    style
}

/// A script: the same tokens, but for commas and semicolons before a bracket, brackets around a lone parameter, declarations
/// that follow one another, true and false, and names.
pub(super) fn script(text: &str) -> String {
    let tokens = tokens(text);
    let places = places(&tokens);
    let names = short_names(&places);
    let mut lean = String::with_capacity(text.len());
    let mut declarations = Declarations::default();
    for (at, token) in tokens.iter().enumerate() {
        if is_idle(&tokens, at) {
            continue;
        }
        match declarations.next(&tokens, at) {
            Follows::Not => {}
            Follows::Comma => {
                lean.push(',');
                continue;
            }
            Follows::Nothing => continue,
        }
        let renamed = names.get(token.text).filter(|_| token.kind == Kind::Word);
        let text = match (renamed, places.role(at)) {
            (Some(name), Role::Name) => Cow::from(name),
            (Some(name), Role::Both) => Cow::from(format!("{}:{name}", token.text)),
            // A name that is never assigned again may as well be one that is not.
            (None, Role::Name) if token.text == "const" => Cow::from("let"),
            (None, Role::Name) if token.text == "true" => Cow::from("!0"),
            (None, Role::Name) if token.text == "false" => Cow::from("!1"),
            _ => Cow::from(token.text),
        };
        if lean.chars().next_back().is_some_and(|last| must_part(last, &text)) {
            lean.push(' ');
        }
        lean.push_str(&text);
    }
    lean.push('\n');
    lean
}

/// Whether the script says the same without it.
fn is_idle(tokens: &[Token<'_>], at: usize) -> bool {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let is_word = |at: usize| tokens.get(at).is_some_and(|token| token.kind == Kind::Word);
    match text(at) {
        ";" => text(at + 1) == "}",
        "," => matches!(text(at + 1), "}" | "]" | ")"),
        "(" => is_word(at + 1) && text(at + 2) == ")" && text(at + 3) == "=>",
        ")" => text(at + 1) == "=>" && at >= 2 && is_word(at - 1) && text(at - 2) == "(",
        _ => false,
    }
}

/// Where the statement in each bracket that is open declares variables: one that declares more of them goes on with it.
#[derive(Debug)]
struct Declarations(Vec<bool>);

/// What stands for a token between two declarations.
enum Follows {
    /// The token itself.
    Not,
    /// A comma, for the semicolon that would end the first.
    Comma,
    /// Nothing, for the word that would begin the second.
    Nothing,
}

impl Default for Declarations {
    fn default() -> Self {
        Self(vec![false])
    }
}

impl Declarations {
    fn next(&mut self, tokens: &[Token<'_>], at: usize) -> Follows {
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
        let declares = |at: usize| matches!(text(at), "let" | "const");
        match text(at) {
            "(" | "[" | "{" => self.0.push(false),
            ")" | "]" | "}" => drop(self.0.pop()),
            _ => {}
        }
        let Some(goes_on) = self.0.last_mut() else { return Follows::Not };
        match text(at) {
            ";" if *goes_on && declares(at + 1) => Follows::Comma,
            ";" => {
                *goes_on = false;
                Follows::Not
            }
            _ if declares(at) && *goes_on => Follows::Nothing,
            _ if declares(at) => {
                *goes_on = at == 0 || matches!(text(at - 1), ";" | "{" | "}");
                Follows::Not
            }
            _ => Follows::Not,
        }
    }
}

/// Whether two tokens would become one, or the beginning of a comment.
fn must_part(last: char, next: &str) -> bool {
    let first = next.chars().next().unwrap_or(' ');
    (is_of_word(last) && is_of_word(first)) || (last == first && "+-/".contains(first))
}

fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || char == '$'
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    Sign,
    /// A string, a regular expression, a piece of a template.
    Literal,
}

#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    // For each brace that is open, whether a template goes on behind it.
    let mut braces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        if first.is_whitespace() {
            rest = after;
            continue;
        }
        if rest.starts_with("//") || rest.starts_with("/*") {
            let end = if rest.starts_with("//") { "\n" } else { "*/" };
            rest = rest.split_once(end).map_or("", |(_, after)| after);
            continue;
        }
        let goes_on = first == '}' && braces.pop() == Some(true);
        let (kind, length) = match first {
            _ if goes_on || first == '`' => (Kind::Literal, 1 + template_end(after)),
            '\'' | '"' => (Kind::Literal, 1 + literal_end(after, first)),
            '/' if !ends_value(tokens.last()) => (Kind::Literal, 1 + pattern_end(after)),
            _ if is_of_word(first) => (Kind::Word, word_end(rest)),
            _ => (Kind::Sign, sign_end(rest)),
        };
        let (text, after) = rest.split_at(length);
        match (kind, text) {
            (Kind::Sign, "{") => braces.push(false),
            (Kind::Literal, _) if text.ends_with("${") => braces.push(true),
            _ => {}
        }
        tokens.push(Token { kind, text });
        rest = after;
    }
    tokens
}

fn word_end(text: &str) -> usize {
    let is_number = text.starts_with(|char: char| char.is_ascii_digit());
    let is_part = |char| is_of_word(char) || (is_number && char == '.');
    text.find(|char| !is_part(char)).unwrap_or(text.len())
}

fn sign_end(text: &str) -> usize {
    ["...", "=>", "++", "--"]
        .iter()
        .find(|sign| text.starts_with(**sign))
        .map_or(text.chars().next().map_or(0, char::len_utf8), |sign| sign.len())
}

/// Behind the quotation mark that ends it.
fn literal_end(text: &str, quote: char) -> usize {
    end_of(text, |char| char == quote)
}

/// Behind the piece's end: the template's, or the bracket with which an expression begins.
fn template_end(text: &str) -> usize {
    let mut last = ' ';
    end_of(text, |char| {
        let begins = char == '{' && last == '$';
        last = char;
        begins || char == '`'
    })
}

fn pattern_end(text: &str) -> usize {
    let mut in_class = false;
    let end = end_of(text, |char| {
        in_class = char == '[' || (in_class && char != ']');
        char == '/' && !in_class
    });
    end + word_end(&text[end..])
}

/// Behind the first character for which it is true. It is not asked of those behind a backslash.
fn end_of(text: &str, mut is_end: impl FnMut(char) -> bool) -> usize {
    let mut is_escaped = false;
    for (at, char) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if char == '\\' {
            is_escaped = true;
        } else if is_end(char) {
            return at + char.len_utf8();
        }
    }
    text.len()
}

/// Whether a value ends here, so that a stroke behind it divides.
fn ends_value(token: Option<&Token<'_>>) -> bool {
    token.is_some_and(|Token { kind, text }| match kind {
        Kind::Word => !["return", "typeof", "case", "in", "of", "await"].contains(text),
        Kind::Literal => true,
        Kind::Sign => matches!(*text, ")" | "]" | "}" | "++" | "--"),
    })
}

/// Short names for those that a file declares and neither imports nor exports. Each stands for one name in the whole file, so
/// that no two scopes can meet in it.
fn short_names<'a>(places: &Places<'a>) -> HashMap<&'a str, String> {
    let mut gains: HashMap<&str, usize> = HashMap::new();
    let mut own = HashSet::new();
    let mut others = HashSet::from(CONTEXTUAL);
    for at in places.words() {
        let text = places.text(at);
        // In a list a name is also what others call it, and has to be said twice.
        let gain = match places.role(at) {
            Role::Name => text.len() - 1,
            Role::Both | Role::Property => 0,
        };
        *gains.entry(text).or_default() += gain;
        if places.is_declared(at) {
            own.insert(text);
        }
        if places.is_shared(at) {
            others.insert(text);
        }
    }
    let mut lists: HashMap<&str, usize> = HashMap::new();
    for at in places.words().filter(|at| places.role(*at) == Role::Both) {
        *lists.entry(places.text(at)).or_default() += ":a".len();
    }
    let mut own: Vec<_> = own.difference(&others).copied().collect();
    own.retain(|name| gains[name] > lists.get(name).copied().unwrap_or(0));
    own.sort_by_key(|name| (usize::MAX - gains[name], *name));
    let free = names().filter(|name| !gains.contains_key(name.as_str()));
    own.into_iter().zip(free).collect()
}

/// Words that are names in one place and mean something in another.
const CONTEXTUAL: [&str; 5] = ["from", "of", "get", "set", "async"];

/// `a` to `Z`, `aa` to `ZZ`. Those of two letters that mean something in a script are left out.
fn names() -> impl Iterator<Item = String> {
    let letters = || ('a'..='z').chain('A'..='Z');
    let two =
        letters().flat_map(move |first| letters().map(move |second| format!("{first}{second}")));
    let is_free = |name: &String| !["as", "do", "if", "in", "is", "of"].contains(&name.as_str());
    letters().map(String::from).chain(two.filter(is_free))
}

/// Where each token stands.
struct Places<'a> {
    tokens: &'a [Token<'a>],
    /// The innermost bracket around each token.
    around: Vec<Option<usize>>,
    /// The bracket that closes each that is opened.
    closes: HashMap<usize, usize>,
}

fn places<'a>(tokens: &'a [Token<'a>]) -> Places<'a> {
    let mut open = Vec::new();
    let mut around = Vec::with_capacity(tokens.len());
    let mut closes = HashMap::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_piece = token.kind == Kind::Literal;
        let is_end =
            matches!(token.text, ")" | "]" | "}") || (is_piece && token.text.starts_with('}'));
        if is_end && let Some(opened) = open.pop() {
            closes.insert(opened, at);
        }
        around.push(open.last().copied());
        if matches!(token.text, "(" | "[" | "{") || (is_piece && token.text.ends_with("${")) {
            open.push(at);
        }
    }
    Places { tokens, around, closes }
}

impl<'a> Places<'a> {
    fn text(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| token.text)
    }

    fn before(&self, at: usize) -> &'a str {
        at.checked_sub(1).map_or("", |at| self.text(at))
    }

    fn words(&self) -> impl Iterator<Item = usize> {
        (0..self.tokens.len()).filter(|at| self.tokens[*at].kind == Kind::Word)
    }

    /// In a declaration, or among parameters. What a default value says is not.
    fn is_declared(&self, at: usize) -> bool {
        let before = self.before(at);
        ["const", "let", "function", "class"].contains(&before)
            || self.text(at + 1) == "=>"
            || (["(", ",", "{", "[", "...", ":"].contains(&before)
                && self.around[at].is_some_and(|bracket| self.is_pattern(bracket)))
    }

    /// Whether the bracket holds what a declaration or a function takes apart.
    fn is_pattern(&self, bracket: usize) -> bool {
        let before = self.before(bracket);
        let behind = self.closes.get(&bracket).map_or("", |close| self.text(close + 1));
        let is_branch = ["if", "for", "while", "switch"].contains(&before);
        match self.text(bracket) {
            "(" => behind == "=>" || (behind == "{" && !is_branch),
            _ if before == "const" || before == "let" => true,
            _ => {
                ["(", ",", "{", "[", ":"].contains(&before)
                    && self.around[bracket].is_some_and(|outer| self.is_pattern(outer))
            }
        }
    }

    /// Whether other files see it under this name.
    fn is_shared(&self, at: usize) -> bool {
        let is_declared = ["const", "let", "function", "class"].contains(&self.before(at));
        let is_exported =
            is_declared && at >= 2 && ["export", "async"].contains(&self.text(at - 2));
        let list = self.around[at].map_or("", |bracket| self.before(bracket));
        is_exported || ["import", "export"].contains(&list)
    }

    fn role(&self, at: usize) -> Role {
        let (before, behind) = (self.before(at), self.text(at + 1));
        if [".", "#"].contains(&before) {
            return Role::Property;
        }
        let is_member = self.around[at].is_some_and(|bracket| self.has_members(bracket));
        let is_first = ["{", ",", "}", ";", "get", "set", "static", "async"].contains(&before);
        match behind {
            _ if !is_member || !is_first => Role::Name,
            ":" | "(" => Role::Property,
            "," | "}" | "=" => Role::Both,
            _ => Role::Name,
        }
    }

    /// Whether a brace holds an object's or a class's members, and no statements.
    fn has_members(&self, brace: usize) -> bool {
        let back = |steps: usize| brace.checked_sub(steps).map_or("", |at| self.text(at));
        let is_label = back(1) == ":" && (back(3) == "case" || back(2) == "default");
        let is_class = ["class", "extends"].contains(&back(2));
        let begins_value =
            ["(", ",", "[", "=", "?", ":", "|", "&", "...", "return", "const", "let"];
        self.text(brace) == "{" && !is_label && (is_class || begins_value.contains(&back(1)))
    }
}

/// What a word stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A variable, or a word of the language.
    Name,
    /// A part of an object.
    Property,
    /// A part of an object and the variable that it is put into or taken from: `{ name }`.
    Both,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_keeps_what_it_says() {
        for (text, expected) in [
            ("/** What for. */\nlet a = 1; // why\n  // And\n  b();\n", "let a=1;b();"),
            ("const a = [1, 2,];\nif (a) { b(); }", "let a=[1,2];if(a){b()}"),
            ("x = a + +b - -c; y = a++ / --b; z = a\n/ b;", "x=a+ +b- -c;y=a++/--b;z=a/b;"),
            (
                "f(/[/*]\\/'/giu, a / 2, '//', \"/* \\\" */\");",
                "f(/[/*]\\/'/giu,a/2,'//',\"/* \\\" */\");",
            ),
            ("return true; f({ true: false, a: 1 });", "return!0;f({true:!1,a:1});"),
            ("return /a b/.test(c) in d;", "return/a b/.test(c)in d;"),
            ("`a  ${ { b: `c  ${ d } e` }[f] }  // g`;", "`a  ${{b:`c  ${d} e`}[f]}  // g`;"),
            ("async (a) => b; (c) => (d); ((e)) => f;", "async a=>b;c=>(d);((e))=>f;"),
        ] {
            assert_eq!(script(text), format!("{expected}\n"), "{text}");
        }
    }

    #[test]
    fn only_a_files_own_names_become_short() {
        for (text, expected) in [
            ("const long = 1; f(long, `${long}`);", "let a=1;f(a,`${a}`);"),
            ("const a = 1; const long = a;", "let a=1,b=a;"),
            ("const long = 1; const other = { long };", "let b=1,a={long:b};"),
            ("const long = 1; f({ long }, long, long);", "let a=1;f({long:a},a,a);"),
            ("({ long = 1, other }) => long + long;", "({long:a=1,other})=>a+a;"),
            ("const long = 1; b.long(long);", "let a=1;b.long(a);"),
            (
                "export const long = 1; export function other() {}",
                "export let long=1;export function other(){}",
            ),
            ("import { long } from 'b'; const from = long;", "import{long}from'b';let from=long;"),
            (
                "function one(two, { three: four, five = six }) { return two(four, five); }",
                "function d(b,{three:a,five:c=six}){return b(a,c)}",
            ),
            ("const one = { two(three) { return three; } };", "let b={two(a){return a}};"),
            ("const one = (two = window) => two ? two : one;", "let b=(a=window)=>a?a:b;"),
            (
                "class One { #two = 1; three(four) { this.#two = four; } }",
                "class b{#two=1;three(a){this.#two=a}}",
            ),
            (
                "if (window) { window(); } for (const [one, { two }] of all) one(two);",
                "if(window){window()}for(let[a,{two}]of all)a(two);",
            ),
        ] {
            assert_eq!(script(text), format!("{expected}\n"), "{text}");
        }
    }

    #[test]
    fn declarations_that_follow_one_another_are_one() {
        for (text, expected) in [
            ("let a = 1; const [b, { c }] = a; let d;", "let a=1,[b,{c}]=a,d;"),
            ("let a = () => { let b = 1; let c = 2; }; let d;", "let a=()=>{let b=1,c=2},d;"),
            ("let a = 1; f(); let b = 2;", "let a=1;f();let b=2;"),
            ("let a = 1; export const b = 2; let c = 3;", "let a=1;export let b=2;let c=3;"),
            (
                "for (let a = 1; a < 2; a++) { let b; let c; } let d;",
                "for(let a=1;a<2;a++){let b,c}let d;",
            ),
            ("const a = `${b}}`; const c = '}';", "let a=`${b}}`,c='}';"),
            (
                "switch (a) { case 1: let b; let c; } if (a) { b(); } let d; let e;",
                "switch(a){case 1:let b;let c}if(a){b()}let d,e;",
            ),
        ] {
            assert_eq!(script(text), format!("{expected}\n"), "{text}");
        }
    }

    #[test]
    fn a_style_keeps_what_it_says() {
        let text = "/* Why. */\na, b > c :is(d) {\n  margin: 0 0.5em;\n  font: 'A b', c;\n}\n@media (width < 9rem) { e { f: g; } }\n";
        assert_eq!(
            style(text),
            "a,b>c :is(d){margin:0 .5em;font:'A b',c}@media (width < 9rem){e{f:g}}"
        );
    }
}
