//! Twilio's own builders, for Python and for Node: what they know is in the table, and what they write is what is
//! written here, except for what is listed.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::{
    collections::BTreeSet,
    env,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::documents;
use crate::{
    MessagingResponse, Parsed, VoiceResponse, check,
    element::{TEXT, Typed},
    lint::specs,
    parsed::Content,
    table::Spec,
};

/// An official builder, as a program that reads documents and writes them.
struct Builder {
    name: &'static str,
    program: PathBuf,
    script: &'static str,
    /// What it knows and the table does not, `Parent/Element attribute` or `Parent/Element *`, and why.
    only_there: &'static [(&'static str, &'static str)],
    /// What the table has and it does not know, and where that is from.
    only_here: &'static [(&'static str, &'static str)],
}

fn builders() -> [Builder; 2] {
    let peers = env::var_os("PEERS").expect("PEERS is a folder: see scripts/twiml");
    [
        Builder {
            name: "Python",
            program: Path::new(&peers).join("venv/bin/python"),
            script: "twiml.py",
            only_there: PYTHON_THERE,
            only_here: PYTHON_HERE,
        },
        Builder {
            name: "Node",
            program: "node".into(),
            script: "twiml.mjs",
            only_there: NODE_THERE,
            only_here: NODE_HERE,
        },
    ]
}

const STOP: &str =
    "<https://www.twilio.com/docs/voice/twiml/stop>: what was started is named, and that is all";

const PYTHON_THERE: &[(&str, &str)] = &[
    ("Stop/Siprec *", STOP),
    ("Stop/Stream *", STOP),
    ("Stop/Transcription *", STOP),
];

const NODE_THERE: &[(&str, &str)] = &[
    ("Stop/Siprec *", STOP),
    ("Stop/Stream *", STOP),
    ("Stop/Transcription *", STOP),
    ("Connect/ConversationRelay backgroundnoisereduction", CASE),
    ("Connect/ConversationRelay deepgramsmartformat", CASE),
    ("Connect/ConversationRelay ignorebackchannel", CASE),
    ("Connect/ConversationRelay speechtimeout", CASE),
];

const CASE: &str = "the builder for Python and <https://www.twilio.com/docs/voice/twiml/connect/conversationrelay> have \
                    capitals in these names, and XML minds the case";

const RELAY: &str = "<https://www.twilio.com/docs/voice/twiml/connect/conversationrelay>";

const PYTHON_HERE: &[(&str, &str)] = &[
    ("VoiceResponse/Annotate", ANNOTATE),
    ("Annotate/BillingReferenceTag", ANNOTATE),
    ("Start/Recording name", RECORDING),
    ("Stop/Recording*", RECORDING),
    ("Start/Transcription enableProviderData", TRANSCRIPTION),
    ("Connect/ConversationRelay conversationConfiguration", RELAY),
    ("Connect/ConversationRelay conversationId", RELAY),
    ("Connect/ConversationRelay eotThreshold", RELAY),
];

const ANNOTATE: &str = "<https://www.twilio.com/docs/api/errors/13110>";
const RECORDING: &str =
    "<https://www.twilio.com/docs/api/errors/14300>: a recording is stopped by its name";
const TRANSCRIPTION: &str =
    "<https://www.twilio.com/docs/voice/api/realtime-transcription-resource>";

const FROM_PYTHON: &str = "the builder for Python knows it";

const NODE_HERE: &[(&str, &str)] = &[
    ("VoiceResponse/Annotate", ANNOTATE),
    ("Annotate/BillingReferenceTag", ANNOTATE),
    ("Start/Recording name", RECORDING),
    ("Stop/Recording*", RECORDING),
    ("Start/Transcription enableProviderData", TRANSCRIPTION),
    ("Connect/ConversationRelay conversationConfiguration", RELAY),
    ("Connect/ConversationRelay conversationId", RELAY),
    ("Connect/ConversationRelay eotThreshold", RELAY),
    ("Connect/ConversationRelay backgroundNoiseReduction", CASE),
    ("Connect/ConversationRelay deepgramSmartFormat", CASE),
    ("Connect/ConversationRelay ignoreBackchannel", CASE),
    ("Connect/ConversationRelay speechTimeout", CASE),
    (
        "Connect/ConversationRelay applicationReconnect",
        FROM_PYTHON,
    ),
    ("Connect/ConversationRelay asrSmartFormat", FROM_PYTHON),
    ("Connect/ConversationRelay customerName", FROM_PYTHON),
    ("Connect/ConversationRelay eagerEotThreshold", FROM_PYTHON),
    ("Connect/ConversationRelay echoPromptFiltering", FROM_PYTHON),
    (
        "Connect/ConversationRelay elevenlabsLanguageTextNormalization",
        FROM_PYTHON,
    ),
    ("Connect/ConversationRelay includeInPrompt", FROM_PYTHON),
    (
        "Connect/ConversationRelay partialPromptOnHangup",
        FROM_PYTHON,
    ),
    (
        "Connect/ConversationRelay ttsLanguageTextNormalization",
        FROM_PYTHON,
    ),
    (
        "Connect/ConversationRelay ttsTextNormalization",
        FROM_PYTHON,
    ),
    ("Connect/ConversationRelay turnDetection", FROM_PYTHON),
    ("ConversationRelay/Language asrSmartFormat", FROM_PYTHON),
    ("ConversationRelay/Language hints", FROM_PYTHON),
    (
        "ConversationRelay/Language ttsLanguageTextNormalization",
        FROM_PYTHON,
    ),
    (
        "ConversationRelay/Language ttsTextNormalization",
        FROM_PYTHON,
    ),
];

impl Builder {
    /// Runs the program with these lines of input, and returns those of the output.
    fn run(&self, arguments: &[&str], input: &[String]) -> Vec<String> {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/peers");
        let mut process = Command::new(&self.program)
            .arg(data.join(self.script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut to = process.stdin.take().unwrap();
        let text = input.join("\n");
        // The program writes before it has read all.
        let writer = std::thread::spawn(move || to.write_all(text.as_bytes()).unwrap());
        let output = process.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success(), "{}", self.name);
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(str::to_owned).collect()
    }

    /// What the builder knows: `Parent/Element` and `Parent/Element attribute`.
    fn names(&self) -> BTreeSet<String> {
        self.run(&["--names"], &[]).into_iter().collect()
    }
}

/// What the table has, in the same form.
fn names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for parent in specs() {
        for child in parent.children {
            let (parent, child) = (label(parent), child());
            let element = format!("{parent}/{}", child.name);
            let required = child.needs.iter().flat_map(|needs| needs.values);
            let attributes = required
                .chain(child.attributes)
                .filter(|(name, _)| *name != TEXT);
            names.extend(attributes.map(|(name, _)| format!("{element} {name}")));
            names.insert(element);
        }
    }
    names
}

fn label(spec: &'static Spec) -> &'static str {
    if std::ptr::eq(spec, VoiceResponse::spec()) {
        "VoiceResponse"
    } else if std::ptr::eq(spec, MessagingResponse::spec()) {
        "MessagingResponse"
    } else {
        spec.name
    }
}

#[test]
#[ignore = "needs Python and Node: scripts/twiml"]
fn official_builders_know_what_the_table_has_except_for_listed_names() {
    let ours = names();
    for builder in builders() {
        let theirs = builder.names();
        let there: Vec<_> = theirs.difference(&ours).collect();
        let here: Vec<_> = ours.difference(&theirs).collect();
        for (side, found, listed) in [
            ("there", there, builder.only_there),
            ("here", here, builder.only_here),
        ] {
            let is_listed = |name: &str| listed.iter().any(|(pattern, _)| fits(name, pattern));
            let is_found = |pattern: &str| found.iter().any(|name| fits(name, pattern));
            let missing: Vec<_> = found.iter().filter(|name| !is_listed(name)).collect();
            let stale: Vec<_> = listed
                .iter()
                .filter(|(pattern, _)| !is_found(pattern))
                .collect();
            let who = builder.name;
            assert!(
                missing.is_empty(),
                "{who}, only {side}: not listed: {missing:#?}"
            );
            assert!(
                stale.is_empty(),
                "{who}, only {side}: listed in vain: {stale:#?}"
            );
        }
    }
}

fn fits(name: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[test]
#[ignore = "needs Python and Node: scripts/twiml"]
fn official_builders_write_the_same_documents_and_the_lint_takes_them() {
    for builder in builders() {
        let known = builder.names();
        let mut written = BTreeSet::new();
        let read = documents().into_iter().filter_map(|(root, document)| {
            let mut document = Parsed::parse(&document).unwrap();
            is_known(&mut document, label(root), &known, &mut written).then_some(document)
        });
        let read: Vec<_> = read.collect();
        let missing: Vec<_> = names()
            .intersection(&known)
            .filter(|name| !written.contains(*name))
            .cloned()
            .collect();
        assert!(
            missing.is_empty(),
            "{}: {missing:#?} is in no document",
            builder.name
        );

        let lines: Vec<_> = read
            .iter()
            .map(|document| to_json(document).to_string())
            .collect();
        let built = builder.run(&[], &lines);
        assert_eq!(built.len(), read.len());
        for (ours, theirs) in read.iter().zip(built) {
            assert_eq!(
                *ours,
                Parsed::parse(&theirs).unwrap(),
                "{}: {theirs}",
                builder.name
            );
            let findings = check(&theirs);
            assert!(
                findings.is_empty(),
                "{}: {theirs}\n{findings:?}",
                builder.name
            );
        }
        println!("{}: {} documents are the same", builder.name, read.len());
    }
}

/// Whether a builder knows all elements of a document. Leaves out the attributes that it does not know, and notes the
/// names that it does.
fn is_known(
    element: &mut Parsed,
    label: &str,
    known: &BTreeSet<String>,
    written: &mut BTreeSet<String>,
) -> bool {
    element.content.iter_mut().all(|content| {
        let Content::Element(child) = content else {
            return true;
        };
        let name = format!("{label}/{}", child.name);
        child.attributes.retain(|attribute, _| {
            let attribute = format!("{name} {attribute}");
            let is_known = known.contains(&attribute);
            written.extend(is_known.then_some(attribute));
            is_known
        });
        let label = child.name.clone();
        let is_known = known.contains(&name) && is_known(child, &label, known, written);
        written.extend(is_known.then_some(name));
        is_known
    })
}

/// `[name, {attribute: value}, [text or element, ..]]`
fn to_json(element: &Parsed) -> Value {
    let inside = element.content.iter().map(|content| match content {
        Content::Text(text) => json!(text),
        Content::Element(child) => to_json(child),
    });
    json!([element.name, element.attributes, inside.collect::<Vec<_>>()])
}
