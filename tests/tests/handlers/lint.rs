//! The lint: what Twilio refuses in a document is found where it is, with Twilio's error code; and a hostile document
//! costs little.

use std::time::{Duration, Instant};

use actix_twilio::twiml::{
    Channel, Finding, FindingKind, MAX_BYTES, Parsed, Say, VoiceResponse, check, check_answer,
    check_for,
};
use proptest::prelude::{any, prop, proptest};

/// Twilio's error code, the line and the column of a fault, a document with this fault alone, and a part of what is said.
type Wrong = (u16, u32, u32, &'static str, &'static str);

const NOT_WELL_FORMED: &[Wrong] = &[
    (12100, 1, 1, "", "<Response/>"),
    (12100, 1, 1, " \n ", "<Response/>"),
    (12100, 1, 1, "OK", "not well-formed"),
    (12100, 1, 1, "{\"message\":\"ok\"}", "not well-formed"),
    (12100, 1, 18, "<Response><Say>Hi</Response>", "close"),
    (
        12100,
        1,
        26,
        "<Response><Dial><Number>1</Dial></Number></Response>",
        "close",
    ),
    (12100, 2, 5, "<Response>\n<Say", "close"),
    (
        12100,
        1,
        18,
        "<Response><Say>AT&T</Say></Response>",
        "&amp;",
    ),
    (
        12100,
        1,
        18,
        "<Response><Say>a & b</Say></Response>",
        "&amp;",
    ),
    (
        12100,
        1,
        19,
        "<Response><Say>caf&eacute;</Say></Response>",
        "&amp;",
    ),
    (
        12100,
        1,
        27,
        "<Response><Redirect>/a?b=1&c=2</Redirect></Response>",
        "&amp;",
    ),
    (
        12100,
        1,
        19,
        "<Response><Say>1 < 2</Say></Response>",
        "&lt;",
    ),
    (
        12100,
        1,
        25,
        "<Response><Dial timeout=5>1</Dial></Response>",
        "quote",
    ),
    (
        12100,
        1,
        33,
        "<Response><Say language=\"en-GB\" language=\"de-DE\">x</Say></Response>",
        "once",
    ),
    (
        12100,
        2,
        1,
        "\n<?xml version=\"1.0\"?><Response/>",
        "before it",
    ),
    (
        12100,
        1,
        1,
        "<!DOCTYPE Response [<!ENTITY a \"b\">]><Response><Say>&a;</Say></Response>",
        "DOCTYPE",
    ),
    (12100, 1, 12, "<Response/><Response/>", "not well-formed"),
    (12100, 1, 12, "<Response/>\u{0}", "not well-formed"),
    (
        12100,
        1,
        16,
        "<Response><Say>\u{1}</Say></Response>",
        "leave the character out",
    ),
    (12100, 1, 1, "<Say>Hi</Say>", "<Response>"),
    (
        12100,
        1,
        1,
        "<response><Say>Hi</Say></response>",
        "<Response>",
    ),
    (
        12100,
        1,
        1,
        "<html><body>Internal Server Error</body></html>",
        "<Response>",
    ),
];

const WRONG_NAMES: &[Wrong] = &[
    (
        12200,
        1,
        11,
        "<Response><say>Hi</say></Response>",
        "write <Say>",
    ),
    (
        12200,
        1,
        11,
        "<Response><Says>Hi</Says></Response>",
        "write <Say>",
    ),
    (
        12200,
        1,
        11,
        "<Response><gather numDigits=\"1\"/></Response>",
        "write <Gather>",
    ),
    (
        12200,
        1,
        11,
        "<Response><Hang/><!-- up --></Response>",
        "Twilio has no <Hang>",
    ),
    (
        12200,
        1,
        11,
        "<Response><Speak>Hi</Speak></Response>",
        "Twilio has no <Speak>",
    ),
    (
        12200,
        1,
        16,
        "<Response><Say langauge=\"en-GB\">Hi</Say></Response>",
        "write \"language\"",
    ),
    (
        12200,
        1,
        19,
        "<Response><Gather numdigits=\"1\"/></Response>",
        "write \"numDigits\"",
    ),
    (
        12200,
        1,
        16,
        "<Response><Say action=\"/next\">Hi</Say></Response>",
        "<Say> has no attribute \"action\"",
    ),
    (
        12200,
        1,
        19,
        "<Response><Hangup reason=\"busy\"/></Response>",
        "<Hangup> has no attribute",
    ),
    (
        12200,
        1,
        20,
        "<Response><Message mediaUrl=\"a.png\">Hi</Message></Response>",
        "<Message> has no attribute",
    ),
    (
        12200,
        1,
        63,
        "<Response><Connect><ConversationRelay url=\"wss://example.com\" deepgramsmartformat=\"true\"/></Connect></Response>",
        "write \"deepgramSmartFormat\"",
    ),
    (
        12200,
        1,
        30,
        "<Response><Say voice=\"alice\"><Break/></Say></Response>",
        "write <break>",
    ),
];

const WRONG_NESTING: &[Wrong] = &[
    (
        12200,
        1,
        26,
        "<Response><Say>Hi</Say>\u{20}\u{20}<Message>Hi</Message></Response>",
        "<Message> can't be inside of <Response> of a call",
    ),
    (
        12200,
        2,
        1,
        "<Response>\n<Stream url=\"wss://test.com/ws\"/><Connect><Room>a</Room></Connect></Response>",
        "put it into <Connect>, <Start>",
    ),
    (
        12200,
        1,
        17,
        "<Response><Dial><Say>Hi</Say></Dial></Response>",
        "<Say> can't be inside of <Dial>",
    ),
    (
        12200,
        1,
        19,
        "<Response><Gather><Dial>1</Dial></Gather></Response>",
        "use <Say>, <Play> or <Pause>",
    ),
    (
        12200,
        1,
        16,
        "<Response><Say><Say>Hi</Say></Say></Response>",
        "<Say> can't be inside of <Say>",
    ),
    (
        12200,
        1,
        17,
        "<Response><Dial><Hangup/></Dial></Response>",
        "<Hangup> can't be inside of <Dial>",
    ),
    (
        12200,
        1,
        11,
        "<Response><Number>1</Number></Response>",
        "put it into <Dial>",
    ),
    (
        12200,
        1,
        11,
        "<Response><Body>Hi</Body><Message>Hi</Message></Response>",
        "put it into <Message>",
    ),
    (
        12200,
        1,
        11,
        "<Response><Response/></Response>",
        "<Response>",
    ),
    (
        12200,
        1,
        17,
        "<Response><Stop><Start><Recording/></Start></Stop></Response>",
        "<Start> can't be inside of <Stop>",
    ),
    (
        12200,
        1,
        19,
        "<Response><Gather>Press 1</Gather></Response>",
        "put the text into <Say>",
    ),
    (
        12200,
        1,
        11,
        "<Response>Hello<Say>Hi</Say></Response>",
        "<Response> has no text",
    ),
    (
        12200,
        1,
        19,
        "<Response><Hangup>bye</Hangup></Response>",
        "remove the text",
    ),
    (
        12200,
        1,
        20,
        "<Response><Message><Say>Hi</Say></Message></Response>",
        "<Say> can't be inside of <Message>",
    ),
];

const WRONG_VALUES: &[Wrong] = &[
    (
        12200,
        1,
        17,
        "<Response><Dial timeout=\"5.5\">1</Dial></Response>",
        "from 1 to 600",
    ),
    (
        12200,
        1,
        17,
        "<Response><Dial timeout=\"601\">1</Dial></Response>",
        "from 1 to 600",
    ),
    (
        12200,
        1,
        19,
        "<Response><Gather numDigits=\"unlimited\"/></Response>",
        "a whole number from 1 on",
    ),
    (
        12200,
        1,
        19,
        "<Response><Gather numDigits=\"0\"/></Response>",
        "a whole number from 1 on",
    ),
    (
        12200,
        1,
        19,
        "<Response><Gather method=\"DELETE\"/></Response>",
        "one of: GET, POST",
    ),
    (
        12200,
        1,
        19,
        "<Response><Gather method=\"post\"/></Response>",
        "write \"POST\"",
    ),
    (
        12200,
        1,
        19,
        "<Response><Gather input=\"dtmf,speech\"/></Response>",
        "separated by blanks",
    ),
    (
        12200,
        1,
        19,
        "<Response><Gather finishOnKey=\"none\"/></Response>",
        "characters of",
    ),
    (
        12200,
        1,
        19,
        "<Response><Gather bargeIn=\"True\"/></Response>",
        "write \"true\"",
    ),
    (
        12200,
        1,
        19,
        "<Response><Gather speechTimeout=\"never\"/></Response>",
        "auto",
    ),
    (
        12200,
        1,
        16,
        "<Response><Say language=\"en_GB\">Hi</Say></Response>",
        "such as \"en-GB\"",
    ),
    (
        12200,
        1,
        19,
        "<Response><Record action=\"ftp://example.com\"/></Response>",
        "https://",
    ),
    (
        12200,
        1,
        19,
        "<Response><Record action=\"/a path\"/></Response>",
        "without blanks",
    ),
    (
        12200,
        1,
        19,
        "<Response><Reject reason=\"occupied\"/></Response>",
        "one of: rejected, busy",
    ),
    (
        12200,
        1,
        11,
        "<Response><Play>https:///a.mp3</Play></Response>",
        "https://",
    ),
    (
        12200,
        1,
        28,
        "<Response><Connect><Stream url=\"https://example.com\"/></Connect></Response>",
        "wss://",
    ),
    (
        12200,
        1,
        20,
        "<Response><Message><Media/></Message></Response>",
        "add text",
    ),
    (
        12200,
        1,
        11,
        "<Response><Dial/></Response>",
        "add text or <Application>",
    ),
    (
        12200,
        1,
        17,
        "<Response><Dial><Number/></Dial></Response>",
        "add text",
    ),
    (
        12200,
        1,
        11,
        "<Response><Play loop=\"2\"/></Response>",
        "add text, or the attribute \"digits\"",
    ),
    (
        12200,
        1,
        11,
        "<Response><Connect/></Response>",
        "add <AiSession>",
    ),
    (
        12200,
        1,
        20,
        "<Response><Connect><Stream/></Connect></Response>",
        "the attribute \"url\", or the attribute \"connectorName\"",
    ),
    (
        12200,
        1,
        20,
        "<Response><Connect><ConversationRelay url=\"\"/></Connect></Response>",
        "the attribute \"url\"",
    ),
    (
        12200,
        1,
        25,
        "<Response><Say>Hi<break time=\"1\"/></Say></Response>",
        "500ms",
    ),
];

#[test]
fn each_fault_is_found_where_it_is_and_nothing_else() {
    let all = [NOT_WELL_FORMED, WRONG_NAMES, WRONG_NESTING, WRONG_VALUES].concat();
    assert!(all.len() >= 60, "{}", all.len());
    let mut wrong = Vec::new();
    for (code, line, column, document, part) in all {
        let findings = check(document);
        let found = match findings.as_slice() {
            [finding] => Some((finding.code(), finding.line, finding.column)),
            _ => None,
        };
        let text: Vec<_> = findings.iter().map(ToString::to_string).collect();
        let text = text.join("\n");
        if found != Some((Some(code), line, column)) || !text.contains(part) {
            wrong.push(format!(
                "{document:?}\n  expected {line}:{column} {part:?}\n  found {text}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn verbs_that_are_never_reached_are_found() {
    let cases = [
        (
            "<Redirect>/a</Redirect><Say>Hi</Say>",
            "<Say> is never reached: <Redirect>",
        ),
        ("<Hangup/><Say>Hi</Say>", "<Hangup> ends the call"),
        ("<Reject/><Say>Hi</Say>", "<Reject> ends the call"),
        ("<Leave/><Say>Hi</Say>", "<Leave> ends this document"),
        ("<Dial action=\"/a\">1</Dial><Say>Hi</Say>", "<Dial action"),
        (
            "<Connect action=\"/a\"><Room>a</Room></Connect><Say>Hi</Say>",
            "<Connect action",
        ),
        ("<Pay action=\"/a\"/><Say>Hi</Say>", "<Pay action"),
        (
            "<Gather actionOnEmptyResult=\"true\"/><Say>Hi</Say>",
            "<Gather action",
        ),
        ("<Play loop=\"0\">a.mp3</Play><Say>Hi</Say>", "loop=\"0\""),
        ("<Say>Hi</Say><Reject/>", "answered and billed"),
    ];
    for (verbs, part) in cases {
        let findings = check(format!("<Response>{verbs}</Response>"));
        let [finding] = findings.as_slice() else {
            panic!("{verbs}: {findings:?}");
        };
        assert_eq!((finding.kind, finding.code()), (FindingKind::Flow, None));
        assert!(finding.to_string().contains(part), "{verbs}: {finding}");
    }
    let reached = [
        "<Dial>1</Dial><Say>Nobody answered</Say><Redirect>/a</Redirect>",
        "<Connect><Room>a</Room></Connect><Pay/><Hangup/>",
        "<Gather action=\"/a\"/><Say>Nothing was pressed</Say><Hangup/>",
        "<Record action=\"/a\"/><Say>Nothing was said</Say>",
        "<Say loop=\"2\">Hi</Say><Hangup/><!-- the end -->",
    ];
    for verbs in reached {
        let findings = check(format!("<Response>{verbs}</Response>"));
        assert!(findings.is_empty(), "{verbs}: {findings:?}");
    }
}

#[test]
fn a_finding_has_one_line_whatever_it_quotes() {
    for document in [
        "<Response><Leave/\n</Respo>",
        "<Response a\r\n\u{1b}[1m",
        "<Response></a\n>",
    ] {
        for finding in check(document) {
            let shown = finding.to_string();
            assert!(!shown.contains(char::is_control), "{shown:?}");
        }
    }
}

#[test]
fn what_twilio_takes_is_not_reported() {
    let documents = [
        "<Response/>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a menu -->\n<Response>\n</Response>\n",
        "\u{feff}<Response><Say>Hi</Say></Response>",
        "<Response><Say><![CDATA[AT&T <b>]]></Say></Response>",
        "<Response><Say voice='Polly.Amy'>Hi <break time='1s'/><emphasis level='strong'>you</emphasis>&#33;</Say></Response>",
        "<Response><Say><lang xml:lang='fr-FR'>Bonjour</lang></Say></Response>",
        "<Response><Message><Body>Hi</Body><Media>https://example.com/1.png</Media></Message><Redirect>/a</Redirect></Response>",
        "<Response><Dial callerId='+1' record='true'><Number>+1</Number><Client><Identity>joey</Identity></Client></Dial></Response>",
        "<Response><Dial><Conference waitUrl='' beep='onEnter'>Room 1234</Conference></Dial></Response>",
        "<Response><Dial><Sip>sip:a@example.com?x-b=1</Sip></Dial></Response>",
        "<Response><Gather finishOnKey='' input='dtmf speech' hints='a, b' speechTimeout='auto' action='/a?b=1&amp;c=2#d'/></Response>",
        "<Response><Dial><Queue>support</Queue></Dial><Redirect></Redirect></Response>",
        "<Response><Redirect>\n  https://example.com/a\n</Redirect></Response>",
        "<Response><Enqueue workflowSid='WW0'><Task>{\"a\":\"b\"}</Task></Enqueue></Response>",
        "<Response><Start><Recording name='a' channels='dual'/></Start><Stop><Recording name='a'/></Stop></Response>",
        "<Response xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:noNamespaceSchemaLocation='twiml.xsd'><Hangup/></Response>",
        "<Response><Connect><Stream url='wss://example.com'><Parameter name='a' value=''/></Stream></Connect></Response>",
    ];
    for document in documents {
        let findings = check(document);
        assert!(findings.is_empty(), "{document}: {findings:?}");
        assert!(Parsed::parse(document).is_ok(), "{document}");
    }
}

#[test]
fn a_document_is_checked_for_what_it_answers() {
    let message = "<Response><Message>Hi</Message></Response>";
    let call = "<Response><Say>Hi</Say></Response>";
    let either = "<Response><Redirect>/a</Redirect></Response>";
    let codes = |findings: Vec<Finding>| findings.iter().map(Finding::code).collect::<Vec<_>>();
    for (document, voice, messaging) in [
        (message, vec![Some(12200)], vec![]),
        (call, vec![], vec![Some(12200)]),
        (either, vec![], vec![]),
    ] {
        assert_eq!(codes(check(document)), [], "{document}");
        assert_eq!(
            codes(check_for(Channel::Voice, document)),
            voice,
            "{document}"
        );
        assert_eq!(
            codes(check_for(Channel::Messaging, document)),
            messaging,
            "{document}"
        );
    }
}

#[test]
fn content_types_other_than_xml_are_found() {
    let taken = [
        "text/xml",
        "application/xml",
        "Text/XML; charset=utf-8",
        " text/xml ;a=b",
    ];
    for content_type in taken {
        assert_eq!(
            check_answer(Some(content_type), "<Response/>"),
            [],
            "{content_type}"
        );
    }
    let refused = [
        "text/html",
        "text/plain; charset=utf-8",
        "application/json",
        "",
        "text/xmlx",
    ];
    for content_type in refused.map(Some).into_iter().chain([None]) {
        let findings = check_answer(content_type, "<Response/>");
        assert_eq!(findings.len(), 1, "{content_type:?}");
        assert_eq!(findings[0].code(), Some(12300), "{content_type:?}");
    }
    let both = check_answer(Some("text/html"), "<h1>Internal Server Error</h1>");
    assert_eq!(
        both.iter().filter_map(Finding::code).collect::<Vec<_>>(),
        [12300, 12100]
    );
}

#[test]
fn bytes_that_are_not_text_are_found_where_they_are() {
    let findings = check(b"<Response>\n<Say>\xc3\xa9\xff</Say></Response>");
    assert_eq!(findings.len(), 1);
    let finding = &findings[0];
    assert_eq!(
        (finding.code(), finding.line, finding.column),
        (Some(12100), 2, 7)
    );
    // UTF-16, with and without a mark.
    for bytes in [b"\xff\xfe<\0R\0".as_slice(), b"<\0R\0"] {
        assert_eq!(check(bytes)[0].code(), Some(12100));
    }
}

#[test]
fn large_documents_are_not_read() {
    let document = |len: usize| {
        let around = "<Response><Say></Say></Response>".len();
        format!(
            "<Response><Say>{}</Say></Response>",
            "x".repeat(len - around)
        )
    };
    assert_eq!(check(document(MAX_BYTES)), []);
    let findings = check(document(MAX_BYTES + 1));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].code(), Some(11750));
    assert!(Parsed::parse(document(MAX_BYTES + 1)).is_err());
}

#[test]
fn messages_of_more_than_1600_characters_are_found() {
    let text = |count: usize| "\u{e9}".repeat(count);
    let cases: [fn(&str) -> String; 5] = [
        |text| format!("<Message>{text}</Message>"),
        |text| format!("<Message>\n  {text}\n  </Message>"),
        |text| format!("<Message><Body>{text}</Body><Media>/a.png</Media></Message>"),
        |text| {
            let (one, other) = text.split_at(text.len() / 2 / 2 * 2);
            format!("<Message><Body>{one}</Body><Body>{other}</Body></Message>")
        },
        |text| format!("<Dial>+14158675310</Dial>\n<Sms>{text}</Sms>"),
    ];
    for case in cases {
        let document = |count| format!("<Response>\n{}</Response>", case(&text(count)));
        assert_eq!(check(document(1_600)), [], "{}", document(1));
        let findings = check(document(1_601));
        let [finding] = &*findings else {
            panic!("{findings:?}");
        };
        assert_eq!(
            (finding.kind, finding.code(), &*finding.message),
            (
                FindingKind::Length,
                Some(21617),
                "the message has 1601 characters"
            )
        );
        let line = if document(1).contains("<Sms>") { 3 } else { 2 };
        assert_eq!((finding.line, finding.column), (line, 1));
    }
}

/// The position of a text is counted in characters, wherever its blanks come from.
#[test]
fn stray_texts_are_found_after_blanks_of_any_kind() {
    for (blanks, line, column) in [
        ("", 1, 19),
        ("  ", 1, 21),
        ("\r\n  ", 2, 2),
        ("&#10;&#13;", 1, 21),
        ("\u{2003}", 1, 19),
        ("\r\n\u{2003}\u{2003}", 1, 20),
        ("<![CDATA[ ", 1, 20),
    ] {
        let end = if blanks.contains("CDATA") { "]]>" } else { "" };
        let findings = check(format!(
            "<Response><Gather>{blanks}\u{e9}{end}</Gather></Response>"
        ));
        let places: Vec<_> = findings
            .iter()
            .map(|finding| (finding.line, finding.column))
            .collect();
        assert_eq!(places, [(line, column)], "{blanks:?}");
    }
}

#[test]
fn attributes_of_an_element_are_bounded() {
    let with = |count| {
        let names: Vec<_> = (0..count).map(|n| format!(" a{n} = '{n}'")).collect();
        let names = names.concat();
        format!("<Response><Say{names}>x</Say><Say a='>'/></Response>")
    };
    assert!(Parsed::parse(with(100)).is_ok());
    let err = Parsed::parse(with(101)).unwrap_err();
    assert!(
        err.to_string().contains("more than 100 attributes"),
        "{err}"
    );
    // Neither several elements nor a text are one element.
    for document in ["<Say a='1'/>".repeat(200), " a='1'".repeat(200)] {
        assert!(Parsed::parse(format!("<Response>{document}</Response>")).is_ok());
    }
}

#[test]
fn namespaces_are_bounded_and_texts_about_them_are_not() {
    let declared = |count| {
        let said = |n| format!("<Say xmlns:a{n} = '{n}'>x</Say>");
        let said: String = (0..count).map(said).collect();
        format!("<Response>{said}</Response>")
    };
    assert!(Parsed::parse(declared(100)).is_ok());
    let err = Parsed::parse(declared(101)).unwrap_err();
    assert!(
        err.to_string().contains("more than 100 namespaces"),
        "{err}"
    );
    let named = |length| format!("<Response xmlns:a='{}'/>", "n".repeat(length));
    assert!(Parsed::parse(named(200)).is_ok());
    let err = Parsed::parse(named(201)).unwrap_err();
    assert!(
        err.to_string()
            .contains("a namespace of more than 200 bytes"),
        "{err}"
    );
    for (start, end) in [
        ("<!--", "-->"),
        ("<Say><![CDATA[", "]]></Say>"),
        ("<Say>", "</Say>"),
    ] {
        let said = " xmlns:a='b'".repeat(1000);
        let document = format!("<Response>{start}{said}{end}</Response>");
        assert!(check(document).is_empty(), "{start}");
    }
    let said = "write xmlns:a=\"b\" ".repeat(1000);
    let response = VoiceResponse::new().child(Say::new(said)).to_xml();
    assert!(check(response).is_empty());
}

#[test]
fn texts_within_texts_are_bounded() {
    // Below <Response>, with <Say>.
    for (depth, is_taken) in [(1, true), (50, true), (51, false), (500, false)] {
        let (open, close) = (
            "<prosody>".repeat(depth - 1),
            "</prosody>".repeat(depth - 1),
        );
        let document = format!("<Response><Say>{open}x{close}</Say></Response>");
        assert_eq!(check(&document).is_empty(), is_taken, "{depth}");
        assert_eq!(Parsed::parse(&document).is_ok(), is_taken, "{depth}");
    }
}

/// Documents that take long, or much memory, if nobody limits it.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let fill = |start: &str, part: &str, end: &str| {
        let times = (MAX_BYTES - start.len() - end.len()) / part.len();
        format!("{start}{}{end}", part.repeat(times)).into_bytes()
    };
    let numbered = |part: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        let mut number = 0;
        while text.len() < MAX_BYTES - 100 {
            text += &part(number);
            number += 1;
        }
        text
    };
    let mut laughs = vec!["<!DOCTYPE a [<!ENTITY a0 \"ha\">".to_owned()];
    let double = |number| format!("<!ENTITY a{number} \"&a{0};&a{0};\">", number - 1);
    laughs.extend((1..30).map(double));
    laughs.push("]><Response><Say>&a29;</Say></Response>".to_owned());
    let deep = |name: &str, times: usize| {
        let (open, close) = (
            format!("<{name}>x").repeat(times),
            format!("</{name}>").repeat(times),
        );
        format!("<Response><Say>{open}{close}</Say></Response>").into_bytes()
    };
    vec![
        ("10 MB", vec![b'<'; 10_000_000]),
        ("10 MB that are valid", [b"<Response>".as_slice(), &vec![b' '; 10_000_000], b"</Response>"].concat()),
        ("entities", laughs.concat().into_bytes()),
        ("a file", b"<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><Response><Say>&b;</Say></Response>".to_vec()),
        ("unclosed elements", fill("<Response>", "<Say>", "")),
        ("unknown elements, deep", deep("a", 7_000)),
        ("known elements, deep", deep("prosody", 3_000)),
        ("unknown elements, side by side", fill("<Response>", "<a/>", "</Response>")),
        ("attributes", format!("<Response {}/>", numbered(&|n| format!("a{n}=''"). replace("''", "'' "))).into_bytes()),
        ("one attribute again and again", fill("<Response ", "a='' ", "/>")),
        ("namespaces", format!("<Response {}/>", numbered(&|n| format!("xmlns:a{n}='{n}' "))).into_bytes()),
        ("namespaces, one inside of the other", numbered(&|n| format!("<a xmlns:a{n}='{n}'>")).into_bytes()),
        // A letter of names that Rust takes for white space.
        ("namespaces with a blank in their names", numbered(&|n| format!("<a xmlns:\u{1680}{n}='{n}'>")).into_bytes()),
        ("attributes in a long namespace", {
            let attributes: String = (0..3900).map(|n| format!(" n:{n:03x}=''").replace("n:", "n:a")).collect();
            let namespace = "n".repeat(MAX_BYTES - attributes.len() - 30);
            format!("<Response xmlns:n='{namespace}'{attributes}/>").into_bytes()
        }),
        ("as many attributes and as long a namespace as are allowed", {
            let attributes: Vec<_> = (0..99).map(|n| format!(" n:a{n:02}=''")).collect();
            let attributes = attributes.concat();
            let start = format!("<Response xmlns:n='{}'>", "n".repeat(200));
            fill(&start, &format!("<a{attributes}/>"), "</Response>")
        }),
        ("elements in a long namespace", fill(&format!("<Response xmlns='{}'>", "n".repeat(MAX_BYTES / 2)), "<a/>", "</Response>")),
        ("a long name", fill("<Response><", "a", "/></Response>")),
        ("a long attribute", fill("<Response><Say ", "a", "=''>x</Say></Response>")),
        ("a long value", fill("<Response><Gather method='", "a", "'/></Response>")),
        ("a long text", fill("<Response><Redirect>", "a ", "</Redirect></Response>")),
        ("references", fill("<Response><Say>", "&#33;", "</Say></Response>")),
        ("comments", fill("<Response>", "<!---->", "</Response>")),
        ("instructions", fill("<Response>", "<?a?>", "</Response>")),
        ("sections", fill("<Response><Say>", "<![CDATA[]]>", "</Say></Response>")),
        ("lines", fill("<Response><a/>", "\n", "<b/></Response>")),
        ("faults on many lines", fill("<Response>", "\n<Sai/>", "</Response>")),
        ("broken text", vec![0xc3; MAX_BYTES]),
        ("zeros", vec![0; MAX_BYTES]),
    ]
}

#[test]
fn hostile_documents_cost_little() {
    for (name, document) in hostile() {
        let start = Instant::now();
        let mut count = 0;
        let memory = allocation_counter::measure(|| {
            let findings = check(&document);
            let text: String = findings.iter().map(ToString::to_string).collect();
            count = findings.len();
            assert!(text.len() < 100_000, "{name}: {}", text.len());
            drop(Parsed::parse(&document).map(|parsed| parsed.to_string()));
        });
        assert!(count <= 100, "{name}: {count}");
        assert!(memory.bytes_max < 16_000_000, "{name}: {memory:?}");
        // A debug build on a busy machine.
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{name}: {:?}",
            start.elapsed()
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_checked(
        words in prop::collection::vec(prop::sample::select(vec![
            "<Response>", "</Response>", "<Say>", "</Say>", "<Say ", "<Dial>", "</Dial>", "<", ">", "/>", "&", ";",
            "amp", "\"", "'", "=", "loop", "0", "x", " ", "\n", "<!--", "-->", "<![CDATA[", "]]>", "<?xml", "?>",
            "<!DOCTYPE", "<Gather>", "</Gather>", "\r\n", "&#10;", "\u{2003}", "\u{0}", "\u{feff}", "\u{1f600}",
        ]), 0..40),
        bytes in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut document = words.concat().into_bytes();
        drop(check(&document));
        document.extend(bytes);
        let findings = check(&document);
        let is_well_formed = !findings.iter().any(|finding| finding.kind == FindingKind::Syntax);
        if is_well_formed {
            assert!(Parsed::parse(&document).is_ok());
        }
    }
}
