//! Answers: what Twilio's parser reads is what the handler wrote, whatever a message says.

use std::time::Duration;

use actix_twilio::twiml::{
    Connect, Dial, Element, Enqueue, Gather, Hangup, Media, Message, MessagingResponse, NoContent,
    Number, Parameter, Pause, Play, Prompt, Record, Redirect, Reject, Say, Stream, Twiml,
    VoiceResponse,
    attributes::{CallEvent, GatherInput, Method, OrAuto, PromptFor, RecordingEvent},
    ssml::{Break, Lang},
};
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
fn read(twiml: &str) -> (String, String) {
    let (mut attribute, mut text) = (String::new(), String::new());
    let mut reader = Reader::from_str(twiml);
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
        let twiml = VoiceResponse::new()
            .child(Say::new(written).voice(written))
            .to_xml();
        let (attribute, text) = read(&twiml);
        assert_eq!(text, expected, "{name}: {twiml}");
        assert_eq!(attribute, expected, "{name}: {twiml}");
    }
}

#[test]
fn every_character_is_escaped_or_left_out() {
    for character in '\0'..=char::MAX {
        let document = VoiceResponse::new()
            .child(Say::new(format!("[{character}]")))
            .to_xml();
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

/// What is inside of `<Response>`.
#[track_caller]
fn assert_written(response: impl Into<Twiml>, expected: &str) {
    let twiml = response.into();
    let written = twiml.as_str().split_once("?>").unwrap().1;
    let expected = match expected {
        "" => "<Response/>".to_owned(),
        _ => format!("<Response>{expected}</Response>"),
    };
    assert_eq!(written, expected);
}

#[test]
fn verbs_are_written_as_twilio_names_them() {
    assert_written(VoiceResponse::new(), "");
    assert_written(MessagingResponse::default(), "");
    assert_written(
        VoiceResponse::new()
            .child(Say::new("a"))
            .child(Play::new("b"))
            .child(Dial::new("c"))
            .child(Redirect::new("d")),
        "<Say>a</Say><Play>b</Play><Dial>c</Dial><Redirect>d</Redirect>",
    );
    assert_written(VoiceResponse::new().child(Reject::new()), "<Reject/>");
    assert_written(VoiceResponse::new().child(Hangup::new()), "<Hangup/>");
    assert_written(
        VoiceResponse::new().child(Connect::new(
            Stream::new("wss://example.com/?a=1&b=2").child(Parameter::new("a", "1")),
        )),
        "<Connect><Stream url=\"wss://example.com/?a=1&amp;b=2\">\
         <Parameter name=\"a\" value=\"1\"/></Stream></Connect>",
    );
    assert_written(
        VoiceResponse::new().child(Say::new("1").child(Break::new()).child("3")),
        "<Say>1<break/>3</Say>",
    );
    assert_written(
        VoiceResponse::new().child(Say::new(Lang::new("Bonjour", "fr-FR"))),
        "<Say><lang xml:lang=\"fr-FR\">Bonjour</lang></Say>",
    );
    assert_written(
        MessagingResponse::new().child(Message::new("Hi").to("+14158675310")),
        "<Message to=\"+14158675310\">Hi</Message>",
    );
    let pictures = ["1.png", "2.png"].map(Media::new);
    assert_written(
        MessagingResponse::new().child(Message::new("Two pictures").children(pictures)),
        "<Message>Two pictures<Media>1.png</Media><Media>2.png</Media></Message>",
    );
}

#[test]
fn values_are_written_in_the_units_and_lists_that_twilio_takes() {
    let gather = Gather::new()
        .input([GatherInput::Dtmf, GatherInput::Speech])
        .timeout(Duration::from_millis(4001))
        .speech_timeout(OrAuto::Auto)
        .hints(["one", "two words"])
        .num_digits(1)
        .barge_in(false)
        .method(Method::Get);
    assert_written(
        VoiceResponse::new().child(gather),
        "<Gather input=\"dtmf speech\" timeout=\"5\" speechTimeout=\"auto\" hints=\"one, two words\" \
         numDigits=\"1\" bargeIn=\"false\" method=\"GET\"/>",
    );
    let number = Number::new("+14158675310")
        .status_callback_event(vec![CallEvent::Ringing, CallEvent::Answered])
        .machine_detection_speech_threshold(Duration::from_secs(2));
    assert_written(
        VoiceResponse::new().child(Dial::new(number).timeout(Duration::from_secs(10))),
        "<Dial timeout=\"10\"><Number statusCallbackEvent=\"ringing answered\" \
         machineDetectionSpeechThreshold=\"2000\">+14158675310</Number></Dial>",
    );
    assert_written(
        VoiceResponse::new()
            .child(Say::new("a").child(Break::new().time(Duration::from_millis(1500))))
            .child(Pause::new().length(Duration::from_secs(2)))
            .child(Play::digits("1ww#").loop_(2))
            .child(Record::new().recording_status_callback_event(RecordingEvent::Absent))
            .child(Enqueue::workflow("WW0"))
            .child(Prompt::new(PromptFor::SecurityCode).attempt([1, 2])),
        "<Say>a<break time=\"1500ms\"/></Say><Pause length=\"2\"/><Play digits=\"1ww#\" loop=\"2\"/>\
         <Record recordingStatusCallbackEvent=\"absent\"/><Enqueue workflowSid=\"WW0\"/>\
         <Prompt for=\"security-code\" attempt=\"1 2\"/>",
    );
}

#[test]
fn of_an_attribute_that_is_set_twice_the_last_value_counts() {
    let say = Say::new("x").language("en-GB").voice("a").language("de-DE");
    let stream = Stream::new("wss://example.com/1").attribute("url", "wss://example.com/2");
    let other = Element::new("Other")
        .attribute("a", 1)
        .attribute("b", 2)
        .attribute("a", 3);
    assert_written(
        VoiceResponse::new()
            .child(say)
            .child(Connect::new(stream))
            .child(other),
        "<Say language=\"de-DE\" voice=\"a\">x</Say>\
         <Connect><Stream url=\"wss://example.com/2\"/></Connect><Other a=\"3\" b=\"2\"/>",
    );
}

#[test]
fn what_is_newer_than_this_crate_can_be_written() {
    let whisper = Element::new("Whisper")
        .attribute("volume", "<1>")
        .child("psst & ")
        .child(Say::new("quiet").attribute("mood", "calm"));
    let written =
        "<Whisper volume=\"&lt;1&gt;\">psst &amp; <Say mood=\"calm\">quiet</Say></Whisper>";
    assert_written(
        VoiceResponse::new()
            .child(Gather::new().child(whisper.clone()))
            .child(whisper),
        &format!("<Gather>{written}</Gather>{written}"),
    );
}

#[actix_web::test]
async fn answers_have_a_status_and_a_content_type() {
    let xml = Some("text/xml; charset=utf-8");
    let any = Twiml::from_xml("any text, <as it is>");
    let cases = [
        (
            "an answer to a call",
            answer(VoiceResponse::new()),
            200,
            xml,
            VoiceResponse::new().to_xml(),
        ),
        (
            "an answer to a message",
            answer(MessagingResponse::new()),
            200,
            xml,
            MessagingResponse::new().to_string(),
        ),
        (
            "an answer with a status",
            VoiceResponse::new().response(StatusCode::FORBIDDEN),
            403,
            xml,
            VoiceResponse::new().to_xml(),
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
