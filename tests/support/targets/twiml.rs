//! Documents: what the lint and the interpreter do with any text, and what is read of a text that was written.

use actix_twilio::twiml::{
    Body, Channel, Dial, Finding, FindingKind, MAX_BYTES, Media, Message, MessagingResponse,
    Number, Parsed, Say, VoiceResponse, check, check_answer, check_for,
    ssml::Sub,
    walk::{Act, Answer, CallWalk, DialOutcome, MessageWalk, Next, Wait},
};

/// How many findings the lint shows at most.
const MAX_FINDINGS: usize = 100;

/// How many requests a walk makes at most.
const MAX_REQUESTS: usize = 12;

/// Any document, as the lint, the reader and the interpreter get it; and any text, as an app writes it into an answer.
pub fn twiml(data: &[u8]) {
    check_document(data);
    check_written(&String::from_utf8_lossy(data));
    walk_call(data);
    walk_message(data);
}

/// Asserts that findings are bounded and in the document, and that whatever can't be read is found.
fn check_document(data: &[u8]) {
    let findings = check(data);
    assert!(findings.len() <= MAX_FINDINGS, "{}", findings.len());
    let lines = data.split(|byte| *byte == b'\n').count();
    for finding in &findings {
        assert!((1..=lines).contains(&(finding.line as usize)), "{finding}");
        assert!(finding.column >= 1, "{finding}");
        let shown = finding.to_string();
        assert!(shown.len() < 2_000 && !shown.contains('\n'), "{shown}");
    }
    let by_channel = [Channel::Voice, Channel::Messaging].map(|channel| check_for(channel, data));
    assert!(by_channel.contains(&findings), "{findings:?}");
    assert_eq!(check_answer(Some("text/xml"), data), findings);

    let is_syntax = |finding: &Finding| finding.kind == FindingKind::Syntax;
    match Parsed::parse(data) {
        Ok(read) => {
            let is_response = read.name() == "Response";
            let is_wrong = findings.iter().any(is_syntax);
            assert!(!(is_response && is_wrong), "{findings:?}");
            assert!((1..=lines).contains(&(read.line() as usize)));
            assert_eq!(Parsed::parse(data).as_ref(), Ok(&read));
            assert!(read.to_string().ends_with('\n'));
        }
        Err(finding) => assert!(!findings.is_empty(), "{finding} is not found"),
    }
}

/// Asserts that a reader sees the text that was written, except for characters that XML does not allow.
fn check_written(text: &str) {
    let is_allowed = |character: &char| !matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    let expected: String = text.chars().filter(is_allowed).collect();
    let say = Say::new(text).voice(text).child(Sub::new(text, text));
    let voice = VoiceResponse::new()
        .child(say)
        .child(Dial::new(Number::new(text)).caller_id(text));
    let message = Message::new(Body::new(text))
        .child(Media::new(text))
        .to(text);
    let messaging = MessagingResponse::new().child(message);
    let (voice, messaging) = (voice.to_xml(), messaging.to_xml());
    let voice_attributes = [("Say", "voice"), ("sub", "alias"), ("Dial", "callerId")];
    for (document, texts, attributes) in [
        (voice, &["Say", "sub", "Number"][..], &voice_attributes[..]),
        (messaging, &["Body", "Media"], &[("Message", "to")]),
    ] {
        if document.len() > MAX_BYTES {
            continue;
        }
        let findings = check(&document);
        assert!(
            findings
                .iter()
                .all(|finding| finding.kind == FindingKind::Schema),
            "{document}: {findings:?}"
        );
        let read = Parsed::parse(&document).expect("it is well-formed");
        for name in texts {
            let found = read.find(name).expect("it was written").text();
            // Nothing but blanks counts as indentation.
            assert!(
                found == expected || expected.trim().is_empty(),
                "{name}: {document}"
            );
        }
        for (name, attribute) in attributes {
            let found = read
                .find(name)
                .expect("it was written")
                .attribute(attribute);
            assert_eq!(found, Some(&*expected), "{attribute}: {document}");
        }
    }
}

/// Walks a call whose webhooks are all answered with this.
fn walk_call(body: &[u8]) {
    let walk = CallWalk::new("https://example.com/voice").expect("it is a URL");
    let mut walk = walk.max_requests(MAX_REQUESTS);
    let mut requests = 0;
    for act in 0_u32.. {
        match walk.advance() {
            Next::Answer(_) => {
                requests += 1;
                walk.answer(Ok(answer(body)));
            }
            Next::Act(wait) => walk.act(&one_of(wait, act)).expect("it fits"),
            Next::End => break,
        }
        walk.steps().iter().for_each(|step| _ = step.to_string());
        assert!(act < 10_000, "the walk does not end");
    }
    assert!(requests <= MAX_REQUESTS, "{requests}");
}

/// Returns what can be done about a wait, by turns.
fn one_of(wait: Wait, turn: u32) -> Act {
    match (wait, turn % 3) {
        (Wait::Gather { keys: true, .. }, 0) => Act::Press("1#".to_owned()),
        (Wait::Gather { speech: true, .. }, 1) => Act::Say("yes".to_owned()),
        (Wait::Record, 0) => Act::Record(2),
        (Wait::Gather { .. } | Wait::Record, _) => Act::Silence,
        (Wait::Dial, 0) => Act::Dial(DialOutcome::Busy),
        (Wait::Dial, _) => Act::Dial(DialOutcome::Answered),
        (Wait::Queue, _) => Act::Connect,
        _ => Act::HangUp,
    }
}

/// Walks a conversation whose webhooks are all answered with this.
fn walk_message(body: &[u8]) {
    let mut walk = MessageWalk::new("https://example.com/message").expect("it is a URL");
    walk.send("Hi", &[]);
    for requests in 0.. {
        match walk.advance() {
            Next::Answer(_) => walk.answer(Ok(answer(body))),
            _ => break,
        }
        assert!(requests < 1_000, "the walk does not end");
    }
}

fn answer(body: &[u8]) -> Answer<'_> {
    Answer {
        status: 200,
        content_type: Some("text/xml"),
        location: None,
        body,
    }
}
