//! The rules of `docs/signature.md` and the code that follows them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

const RULES: u32 = 17;

#[test]
fn every_rule_is_cited_where_the_docs_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut cited = BTreeMap::new();
    for folder in ["signature/src", "runtime/src"] {
        add_citations(&root, folder, &mut cited);
    }
    let docs = fs::read_to_string(root.join("docs/signature.md")).unwrap();
    for rule in 1..=RULES {
        let files = cited.get(&rule).cloned().unwrap_or_default();
        assert!(!files.is_empty(), "no line of code cites R{rule}");
        let files: Vec<_> = files.iter().map(|file| format!("`{file}`")).collect();
        let row = format!("| R{rule} | {} |", files.join(", "));
        assert!(
            docs.lines().any(|line| line == row),
            "docs/signature.md lacks the row: {row}"
        );
        assert!(docs.contains(&format!("* **R{rule}** ")), "R{rule}");
    }
    assert!(!docs.contains(&format!("**R{}**", RULES + 1)));
}

/// Adds the files that cite each rule in a comment on code, such as `// R6`.
fn add_citations(root: &Path, folder: &str, cited: &mut BTreeMap<u32, BTreeSet<String>>) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
        if entry.path().is_dir() {
            add_citations(root, &path, cited);
            continue;
        }
        let source = fs::read_to_string(entry.path()).unwrap();
        // Those on code, and not the documentation.
        let comments = source
            .lines()
            .filter_map(|line| Some(line.split_once(" // ")?.1));
        for word in comments.flat_map(|comment| comment.split(|c: char| !c.is_alphanumeric())) {
            if let Some(rule) = word.strip_prefix('R').and_then(|rule| rule.parse().ok()) {
                cited.entry(rule).or_default().insert(path.clone());
            }
        }
    }
}
