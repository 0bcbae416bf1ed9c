//! Answers: what Twilio's parser reads is what the handler wrote, whatever a message says.

use actix_twilio::twiml::{NoContent, Twiml, Verb};
use actix_twilio_tests::log::Log;
use actix_web::{
    HttpResponse, Responder,
    body::to_bytes,
    http::{StatusCode, header::CONTENT_TYPE},
    test::TestRequest,
};
use quick_xml::{Reader, XmlVersion, escape::unescape, events::Event};

fn answer(responder: impl Responder<Body = actix_web::body::BoxBody>) -> HttpResponse {
    responder.respond_to(&TestRequest::default().to_http_request())
}

/// Reads `<Response><Say a="..">..</Say></Response>` as Twilio would: the attribute, and the text.
fn read(twiml: &Twiml) -> (String, String) {
    let (mut attribute, mut text) = (String::new(), String::new());
    let mut reader = Reader::from_str(twiml.as_str());
    let mut elements = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                elements.push(start.name().as_ref().to_owned());
                for found in start.attributes() {
                    let value = found.unwrap().normalized_value(XmlVersion::Explicit1_0);
                    attribute = value.unwrap().into_owned();
                }
            }
            Event::Text(part) => text.push_str(&part.xml10_content()),
            Event::GeneralRef(name) => {
                let reference = format!("&{};", name.as_ref());
                text.push_str(&unescape(&reference).unwrap());
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(elements, ["Response", "Say"], "{twiml}");
    (attribute, text)
}

#[test]
fn text_is_read_as_it_was_written() {
    let cases = [
        ("plain", "Hello", "Hello"),
        (
            "markup",
            "</Say><Dial>+1</Dial><!-- ]]> <?x?>",
            "</Say><Dial>+1</Dial><!-- ]]> <?x?>",
        ),
        ("references", "&amp; &#x41; &lt", "&amp; &#x41; &lt"),
        ("quotes", "\"'` onload=\"", "\"'` onload=\""),
        ("blanks", "\r\n a\tb\n", "\r\n a\tb\n"),
        (
            "other scripts",
            "\u{e9}\u{4e2d}\u{1f600}\u{202e}\u{85}",
            "\u{e9}\u{4e2d}\u{1f600}\u{202e}\u{85}",
        ),
        (
            "forbidden characters",
            "a\0\u{1}\u{8}\u{b}\u{c}\u{e}\u{1f}\u{fffe}\u{ffff}b",
            "ab",
        ),
        ("forbidden ones in markup", "<\0/Say>", "</Say>"),
    ];
    for (name, written, expected) in cases {
        let twiml = Twiml::new([Verb::say(written).attribute("voice", written)]);
        let (attribute, text) = read(&twiml);
        assert_eq!(text, expected, "{name}: {twiml}");
        assert_eq!(attribute, expected, "{name}: {twiml}");
    }
}

#[test]
fn every_character_is_escaped_or_left_out() {
    for character in '\0'..=char::MAX {
        let twiml = Twiml::new([Verb::say(format!("[{character}]"))]);
        let document = twiml.as_str();
        // https://www.w3.org/TR/xml/#charsets
        let allowed = matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        let inside = document
            .split_once('[')
            .unwrap()
            .1
            .split_once(']')
            .unwrap()
            .0;
        if !allowed {
            assert_eq!(inside, "", "{character:?}");
        } else if "<>&\"'\t\n\r".contains(character) {
            assert!(inside.starts_with('&') && inside.ends_with(';'), "{inside}");
        } else if character != ']' {
            assert_eq!(inside, String::from(character));
        }
    }
}

#[test]
fn verbs_are_written_as_twilio_names_them() {
    let cases = [
        (vec![], "<Response/>"),
        (
            vec![Verb::message("Hi")],
            "<Response><Message>Hi</Message></Response>",
        ),
        (
            vec![
                Verb::say("a"),
                Verb::play("b"),
                Verb::dial("c"),
                Verb::redirect("d"),
            ],
            "<Response><Say>a</Say><Play>b</Play><Dial>c</Dial><Redirect>d</Redirect></Response>",
        ),
        (vec![Verb::reject()], "<Response><Reject/></Response>"),
        (vec![Verb::hangup()], "<Response><Hangup/></Response>"),
        (
            vec![Verb::connect(
                Verb::stream("wss://example.com/?a=1&b=2").child(
                    Verb::new("Parameter")
                        .attribute("name", "a")
                        .attribute("value", 1),
                ),
            )],
            "<Response><Connect><Stream url=\"wss://example.com/?a=1&amp;b=2\">\
             <Parameter name=\"a\" value=\"1\"/></Stream></Connect></Response>",
        ),
        (
            vec![Verb::gather().text("1").child(Verb::say("2")).text("3")],
            "<Response><Gather>1<Say>2</Say>3</Gather></Response>",
        ),
    ];
    for (verbs, expected) in cases {
        let twiml = Twiml::new(verbs);
        let response = twiml.as_str().split_once("?>").unwrap().1;
        assert_eq!(response, expected);
    }
    assert_eq!(Twiml::empty(), Twiml::new([]));
}

#[actix_web::test]
async fn answers_have_a_status_and_a_content_type() {
    let xml = Some("text/xml; charset=utf-8");
    let any = Twiml::from_xml("any text, <as it is>");
    let cases = [
        (
            "TwiML",
            answer(Twiml::empty()),
            200,
            xml,
            Twiml::empty().to_string(),
        ),
        ("any text", answer(any.clone()), 200, xml, any.to_string()),
        (
            "a status",
            any.clone().response(StatusCode::FORBIDDEN),
            403,
            xml,
            any.to_string(),
        ),
        ("nothing", answer(NoContent), 204, None, String::new()),
    ];
    for (name, res, status, content_type, body) in cases {
        assert_eq!(res.status(), status, "{name}");
        let found = res.headers().get(CONTENT_TYPE);
        assert_eq!(
            found.map(|value| value.to_str().unwrap()),
            content_type,
            "{name}"
        );
        assert_eq!(to_bytes(res.into_body()).await.unwrap(), body, "{name}");
    }
}

#[test]
fn answers_that_twilio_may_refuse_are_logged_without_their_text() {
    for (len, expected) in [(64_000, 0), (64_001, 1)] {
        let (log, _guard) = Log::start();
        let res = answer(Twiml::from_xml("x".repeat(len)));
        assert_eq!(res.status(), 200, "it is sent all the same");
        let text = format!("{:?}", log.take());
        assert_eq!(
            text.matches("error 11750").count(),
            expected,
            "{len}: {text}"
        );
        assert!(!text.contains("xxx"), "{text}");
    }
}
