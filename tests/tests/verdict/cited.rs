//! What the documents say of tests: those that they name exist.

use std::{fs, path::Path};

/// The documents that name tests.
const DOCUMENTS: [&str; 2] = ["SECURITY.md", "docs/hardening.md"];

/// Adds the sources below a folder, each with its path.
fn add_sources(folder: &Path, sources: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add_sources(&path, sources);
        } else {
            let name = path.with_extension("").display().to_string();
            sources.push((name.replace('\\', "/"), fs::read_to_string(path).unwrap()));
        }
    }
}

#[test]
fn tests_that_documents_name_exist() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    add_sources(&package.join("tests"), &mut sources);
    add_sources(&package.join("../cli/tests/cli"), &mut sources);
    add_sources(&package.join("browser/tests"), &mut sources);
    let mut named = 0;
    for document in DOCUMENTS {
        let content = fs::read_to_string(package.join("..").join(document)).unwrap();
        // Every other piece is code: `folder::file::test`.
        for code in content.split('`').skip(1).step_by(2) {
            let Some((module, test)) = code.rsplit_once("::") else {
                continue;
            };
            let is_test = |text: &str| {
                !text.is_empty()
                    && text
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || "_:".contains(c))
            };
            // Unit tests are not in these folders.
            if !is_test(module) || !is_test(test) || module.ends_with("::tests") {
                continue;
            }
            let file = format!("/{}", module.replace("::", "/"));
            let mut found = sources.iter().filter(|(path, _)| path.ends_with(&file));
            assert!(
                found.any(|(_, source)| source.contains(&format!("fn {test}("))),
                "{document}: {code}"
            );
            named += 1;
        }
    }
    assert!(named > 30, "{named}");
}

/// Whoever reads `llms.txt` follows its links without looking.
#[test]
fn files_that_llms_txt_links_to_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("llms.txt")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("# actix-twilio"));
    assert!(lines.nth(1).unwrap().starts_with("> "));
    let targets: Vec<_> = text
        .split("](")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap())
        .collect();
    assert!(targets.len() > 10, "{targets:?}");
    for target in targets {
        assert!(root.join(target).exists(), "{target}");
    }
}
