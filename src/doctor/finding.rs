//! What was found, and how it is told.

use std::fmt::Write;

use serde_json::{Value, json};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// What was looked at, in a word.
    pub(super) topic: &'static str,
    pub(super) verdict: Verdict,
    /// What is so.
    pub(super) says: String,
    /// What to do about it.
    pub(super) mend: Option<String>,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Poor,
    /// It does not work.
    Bad,
}

impl Finding {
    pub(super) fn good(topic: &'static str, says: impl Into<String>) -> Self {
        Self { topic, verdict: Verdict::Good, says: says.into(), mend: None }
    }

    pub(super) fn poor(
        topic: &'static str,
        says: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        let (says, mend) = (says.into(), Some(mend.into()));
        Self { topic, verdict: Verdict::Poor, says, mend }
    }

    pub(super) fn bad(
        topic: &'static str,
        says: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Bad, ..Self::poor(topic, says, mend) }
    }
}

/// True unless something does not work.
pub(super) fn is_sound(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.verdict != Verdict::Bad)
}

/// For people: a line each, and one more where there is something to do.
pub(super) fn as_text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { topic, verdict, says, mend } in findings {
        let mark = match verdict {
            Verdict::Good => "ok",
            Verdict::Poor => "poor",
            Verdict::Bad => "BAD",
        };
        writeln!(text, "{mark:5} {topic:12} {says}").expect("a string takes all");
        if let Some(mend) = mend {
            writeln!(text, "{:18} → {mend}", "").expect("a string takes all");
        }
    }
    text
}

/// For programs: one object.
pub(super) fn as_json(findings: &[Finding]) -> String {
    let one = |finding: &Finding| {
        let verdict = match finding.verdict {
            Verdict::Good => "ok",
            Verdict::Poor => "poor",
            Verdict::Bad => "bad",
        };
        let Finding { topic, says, mend, .. } = finding;
        json!({ "topic": topic, "verdict": verdict, "says": says, "mend": mend })
    };
    let findings_: Vec<Value> = findings.iter().map(one).collect();
    format!("{}\n", json!({ "sound": is_sound(findings), "findings": findings_ }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_poor_is_sound_and_what_is_bad_is_not() {
        let mut findings =
            vec![Finding::good("a", "as it should be"), Finding::poor("b", "so", "do")];
        assert!(is_sound(&findings));
        assert_eq!(as_text(&findings).lines().count(), 3);
        findings.push(Finding::bad("c", "broken", "mend it"));
        assert!(!is_sound(&findings));
        let json: Value = serde_json::from_str(&as_json(&findings)).unwrap();
        assert_eq!(json["sound"], false);
        assert_eq!(json["findings"][2]["mend"], "mend it");
    }
}
