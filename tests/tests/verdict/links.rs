//! The links of the documents: what they point at exists, for readers of the repository and of a package.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What is packed beside the sources. Its readers have no other files of the repository.
const PACKED: [&str; 3] = ["README.md", "CHANGELOG.md", "SECURITY.md"];

/// The chapters of the guide on docs.rs.
const GUIDE: &str = "https://docs.rs/actix-twilio/latest/actix_twilio/guide/";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Adds the documents below a folder, except those that a link leads to a second time.
fn add_documents(folder: &Path, documents: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && name != "target" && name != "node_modules" && name != ".git" {
            add_documents(&path, documents);
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "md") {
            documents.push(path);
        }
    }
}

/// Returns the lines of a document that are not code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// Returns the targets of the links in a document.
fn links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    for line in prose(text) {
        // Every other piece is code.
        for piece in line.split('`').step_by(2) {
            let targets = piece.split("](").skip(1);
            links.extend(targets.filter_map(|target| target.split([')', ' ']).next()));
        }
        if let Some((_, target)) = line.split_once("]: ")
            && line.starts_with('[')
        {
            links.push(target);
        }
    }
    links
}

/// Returns the names by which the headings of a document are linked to.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.replace(' ', "-");
        kept.chars()
            .filter(|c| c.is_alphanumeric() || "-_".contains(*c))
            .collect()
    };
    headings.map(anchor).collect()
}

/// Returns why a link leads nowhere.
fn fault(document: &Path, text: &str, link: &str) -> Option<&'static str> {
    let name = document.file_name()?.to_str()?;
    if let Some(chapter) = link.strip_prefix(GUIDE) {
        let chapter = chapter.split('/').next()?;
        let file = root().join(format!("runtime/guide/{chapter}.md"));
        return (!chapter.is_empty() && !file.exists()).then_some("there is no such chapter");
    }
    // Rustdoc checks those to items and to other chapters.
    let is_item = link.contains("::") || !link.contains(['.', '/', '#']);
    if link.starts_with("https://") || is_item {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let is_packed = PACKED.contains(&name) && document.with_file_name("Cargo.toml").exists();
    if is_packed && !file.is_empty() {
        return Some("the file is not beside it in the package");
    }
    let content = if file.is_empty() {
        text.to_owned()
    } else {
        let target = document.parent()?.join(file);
        if !target.exists() {
            return Some("there is no such file");
        }
        fs::read_to_string(target).unwrap_or_default()
    };
    let is_there = anchor.is_empty() || anchors(&content).iter().any(|found| found == anchor);
    (!is_there).then_some("there is no such heading")
}

#[test]
fn links_of_documents_lead_somewhere() {
    let mut documents = Vec::new();
    add_documents(&root(), &mut documents);
    let (mut faults, mut count) = (Vec::new(), 0);
    for document in &documents {
        let text = fs::read_to_string(document).unwrap();
        for link in links(&text) {
            count += 1;
            if let Some(fault) = fault(document, &text, link) {
                faults.push(format!("{}: {link}: {fault}", document.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(count > 50, "{count}");
}

#[test]
fn links_that_lead_nowhere_are_found() {
    let text = "# A `heading`, twice\n[a](#a-heading-twice) `[code](no.md)`\n```\n[code](no.md)\n```\n[b]: no.md\n";
    assert_eq!(links(text), ["#a-heading-twice", "no.md"]);
    let cases = [
        ("docs/x.md", "#a-heading-twice", None),
        ("docs/x.md", "#other", Some("there is no such heading")),
        ("docs/x.md", "signature.md", None),
        ("docs/x.md", "../SECURITY.md#reporting", None),
        (
            "docs/x.md",
            "../SECURITY.md#other",
            Some("there is no such heading"),
        ),
        ("docs/x.md", "no.md", Some("there is no such file")),
        (
            "SECURITY.md",
            "docs/signature.md",
            Some("the file is not beside it in the package"),
        ),
        ("SECURITY.md", "#a-heading-twice", None),
        (
            "cli/README.md",
            "../docs",
            Some("the file is not beside it in the package"),
        ),
        ("README.md", &format!("{GUIDE}proxies/"), None),
        (
            "README.md",
            &format!("{GUIDE}proxy/"),
            Some("there is no such chapter"),
        ),
        ("README.md", "https://example.com/no.md", None),
        ("runtime/guide/x.md", "crate::guide::proxies", None),
    ];
    for (document, link, expected) in cases {
        let found = fault(&root().join(document), text, link);
        assert_eq!(found, expected, "{document}: {link}");
    }
}
