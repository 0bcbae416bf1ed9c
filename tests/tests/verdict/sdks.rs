//! What `vectors/sdks.json` says of the official SDKs, and the table of `docs/how-twilio-signs.md` that follows from it.

use std::{fmt::Write, fs, path::Path};

use actix_twilio_tests::{Vector, vectors};
use serde::Deserialize;

/// An official SDK.
#[derive(Debug, Deserialize)]
pub(crate) struct Sdk {
    pub(crate) language: String,
    version: String,
    date: String,
    /// Whether its validator was `run` or only `read`.
    how: String,
    /// The names of the vectors that it judges otherwise, if it was run.
    pub(crate) differs: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Sdks {
    sdks: Vec<Sdk>,
}

pub(crate) fn sdks() -> Vec<Sdk> {
    let file: Sdks = serde_json::from_str(include_str!("../../../vectors/sdks.json")).unwrap();
    file.sdks
}

/// Returns whether an SDK's validator can be asked about a vector: it gets one key and one signature.
pub(crate) fn is_asked(vector: &Vector, language: &str) -> bool {
    vector.headers.is_empty()
        && vector.tokens.is_empty()
        && vector.rules != ["R16"]
        && (vector.shared_key_id.is_none() || language == "Python")
}

#[test]
fn page_has_the_vectors_that_the_sdks_judge_otherwise() {
    let sdks = sdks();
    let run: Vec<_> = sdks.iter().filter(|sdk| sdk.differs.is_some()).collect();
    let (mut table, mut line) = (
        String::from("| vector | rule | right |"),
        String::from("|---|---|---|"),
    );
    for sdk in &run {
        write!(table, " {} {} |", sdk.language, sdk.version).unwrap();
        line += "---|";
    }
    write!(table, "\n{line}\n").unwrap();
    let mut named = 0;
    for vector in vectors() {
        let differs = |sdk: &&Sdk| sdk.differs.as_ref().unwrap().contains(&vector.name);
        named += run.iter().filter(|sdk| differs(sdk)).count();
        if !run.iter().any(differs) {
            continue;
        }
        let rules = vector.rules.join(", ");
        write!(
            table,
            "| `{}` | {rules} | {} |",
            vector.name, vector.expected
        )
        .unwrap();
        for sdk in &run {
            let other = if vector.is_genuine() {
                "refuses"
            } else {
                "accepts"
            };
            let cell = match (is_asked(&vector, &sdk.language), differs(sdk)) {
                (false, _) => "-",
                (true, true) => other,
                (true, false) => "",
            };
            write!(table, " {cell} |").unwrap();
        }
        table.push('\n');
    }
    let listed: usize = run
        .iter()
        .map(|sdk| sdk.differs.as_ref().unwrap().len())
        .sum();
    assert_eq!(
        named, listed,
        "vectors/sdks.json names a vector that is not there"
    );
    let page = page();
    assert!(
        page.contains(&table),
        "docs/how-twilio-signs.md lacks this table:\n{table}"
    );
    for sdk in &sdks {
        let row = format!(
            "| {} | {} | {} | {} |",
            sdk.language, sdk.version, sdk.date, sdk.how
        );
        assert!(
            page.contains(&row),
            "docs/how-twilio-signs.md lacks the row: {row}"
        );
    }
}

#[test]
fn page_has_each_rule_with_vectors_that_are_there() {
    let page = page();
    let vectors = vectors();
    for number in 1..=17 {
        let rule = format!("R{number}");
        let start = format!("### {rule}: ");
        let (_, section) = page
            .split_once(&start)
            .unwrap_or_else(|| panic!("no section {rule}"));
        let section = section.split("\n#").next().unwrap();
        let named: Vec<_> = vectors
            .iter()
            .filter(|vector| section.contains(&format!("`{}`", vector.name)))
            .collect();
        if rule == "R14" {
            assert!(section.contains("No vector"), "{rule}");
            continue;
        }
        assert!(!named.is_empty(), "{rule} names no vector");
        for vector in named {
            assert!(vector.rules.contains(&rule), "{rule}: {}", vector.name);
        }
    }
}

fn page() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join("docs/how-twilio-signs.md")).unwrap()
}
