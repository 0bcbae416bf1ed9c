//! The verdicts of `RequestValidator`, rule by rule: on genuine requests, and on what forgers make
//! of them.

use actix_twilio::{
    AuthToken, RequestValidator, WebhookRequest,
    keys::{MatchedKey, SharedKey},
    signature::{
        SignatureErrorKind::{
            self as Kind, AlgorithmUnknown, BodyHashConflicting, BodyHashMismatch, BodyHashMissing,
            CharsetUnsupported, ContentTypeConflicting, EncodingUnsupported, KeyUnknown,
            SettingsMalformed, SignatureConflicting, SignatureMalformed, SignatureMismatch,
            SignatureMissing,
        },
        body_sha256,
    },
};
use actix_twilio_tests::{FORGED, FORM, TOKEN, hashed, sign_form, sign_text, validator};

const URL: &str = "https://example.com/message?x=1";
const JSON: &str = "application/json";

type Values<'a> = &'a [&'a str];

fn verdict(req: &WebhookRequest<'_>) -> Result<(), Kind> {
    validated(&validator(), req).map(|_| ())
}

/// Returns the key and the URL that matched, or the kind of the refusal.
fn validated(
    validator: &RequestValidator,
    req: &WebhookRequest<'_>,
) -> Result<(MatchedKey, String), Kind> {
    match validator.validate(req) {
        Ok(accepted) => Ok((accepted.key, accepted.url.into_owned())),
        Err(err) => Err(err.kind()),
    }
}

fn post<'a>(url: &'a str, content_type: &'a str, body: &'a str) -> WebhookRequest<'a> {
    WebhookRequest::new("POST", url)
        .content_type(content_type)
        .body(body)
}

#[test]
fn parameters_are_signed_as_the_rules_say() {
    let cases = [
        ("R1", "a=+%20%2B", "a  +"),
        ("R1", "a=%41%4a%4A%C3%A9", "aAJJ\u{e9}"),
        ("R1", "a=e%CC%81&b=%C3%A9", "ae\u{301}b\u{e9}"),
        ("R1", "a= x\t&b=%0D%0A", "a x\tb\r\n"),
        ("R1", "a=%&b=%4&c=%4z%z4&d=%%41", "a%b%4c%4z%z4d%A"),
        ("R1", "%61+b=1", "a b1"),
        ("R2", "b=1&B=2&a=3&aa=4", "B2a3aa4b1"),
        (
            "R2",
            "ReasonConferenceEnded=test&Reason=Participant",
            "ReasonParticipantReasonConferenceEndedtest",
        ),
        ("R2", "%C3%A9=1&z=2", "z2\u{e9}1"),
        ("R3", "a=2&b=0&a=1&a=2", "a1a2b0"),
        ("R3", "a=%31&%61=1", "a1"),
        ("R3", "a=+&a=%2B", "a a+"),
        ("R4", "b=&a", "ab"),
        ("R4", "a[b]=1&a.b=2&New=3", "New3a.b2a[b]1"),
        ("R4", "a==&=b", "ba="),
    ];
    for (rule, form, text) in cases {
        let signature = sign_text(&format!("{URL}{text}"));
        let request = post(URL, FORM, form);
        assert_eq!(
            verdict(&request.signature(&signature)),
            Ok(()),
            "{rule} {form:?}"
        );
        assert_eq!(sign_form(URL, form), signature, "{rule} {form:?}");
    }
    // Not by our own means: HMAC-SHA1 by Python's hmac module.
    let request = post(URL, FORM, "b=2&a=1").signature("pjr0U/GgIkyjT5b4WRdL9qV21lA=");
    assert_eq!(verdict(&request), Ok(()));
}

#[test]
fn refuses_a_changed_form() {
    let captured = "Body=Hi+there%0D%0A&From=%2B1415&Media=2&Media=1&Empty=";
    let signature = sign_form(URL, captured);
    #[rustfmt::skip]
    let sent = [
        ("value changed", "Body=Ho+there%0D%0A&From=%2B1415&Media=2&Media=1&Empty="),
        ("value trimmed", "Body=Hi+there&From=%2B1415&Media=2&Media=1&Empty="),
        ("line end", "Body=Hi+there%0A&From=%2B1415&Media=2&Media=1&Empty="),
        ("bare plus", "Body=Hi+there%0D%0A&From=+1415&Media=2&Media=1&Empty="),
        ("escaped twice", "Body=Hi+there%0D%0A&From=%252B1415&Media=2&Media=1&Empty="),
        ("name's case", "body=Hi+there%0D%0A&From=%2B1415&Media=2&Media=1&Empty="),
        ("value removed", "Body=Hi+there%0D%0A&From=%2B1415&Media=1&Empty="),
        ("values joined", "Body=Hi+there%0D%0A&From=%2B1415&Media=1%2C2&Empty="),
        ("value added", "Body=Hi+there%0D%0A&From=%2B1415&Media=2&Media=1&Media=3&Empty="),
        ("value emptied", "Body=Hi+there%0D%0A&From=%2B1415&Media=2&Media=1&Media=&Empty="),
        ("parameter added", "Body=Hi+there%0D%0A&From=%2B1415&Media=2&Media=1&Empty=&a=b"),
        ("name added", "Body=Hi+there%0D%0A&From=%2B1415&Media=2&Media=1&Empty=&a"),
        ("parameter removed", "Body=Hi+there%0D%0A&From=%2B1415&Media=2&Media=1"),
        ("semicolons", "Body=Hi+there%0D%0A;From=%2B1415;Media=2;Media=1;Empty="),
        ("all removed", ""),
        ("no pairs", "&"),
    ];
    assert_eq!(
        verdict(&post(URL, FORM, captured).signature(&signature)),
        Ok(())
    );
    for (change, form) in sent {
        let request = post(URL, FORM, form).signature(&signature);
        assert_eq!(verdict(&request), Err(SignatureMismatch), "{change}");
    }
}

#[test]
fn the_order_of_another_form_changes_no_verdict() {
    let forms = [
        ("b=2&a=1", "a1b2"),
        ("a=1&b=2", "a1b2"),
        ("c=3&b=2", "b2c3"),
        ("b=2&b=1", "b1b2"),
        ("b=1&b=1", "b1"),
        ("Parameter2=&Parameter1=", "Parameter1Parameter2"),
        ("Parameter1=&Parameter2=", "Parameter1Parameter2"),
    ];
    let sign = |params: &str| sign_text(&format!("{URL}{params}"));
    for (before, form) in forms.iter().flat_map(|a| forms.iter().map(move |b| (a, b))) {
        // The first is as well-formed as the second, and may be forged.
        for signature in [FORGED.to_owned(), sign(before.1)] {
            _ = verdict(&post(URL, FORM, before.0).signature(&signature));
            let (genuine, misplaced) = (sign(form.1), sign("b2a1"));
            let request = post(URL, FORM, form.0);
            assert_eq!(
                verdict(&request.signature(&genuine)),
                Ok(()),
                "{before:?} {form:?}"
            );
            let refused = verdict(&request.signature(&misplaced));
            assert_eq!(refused, Err(SignatureMismatch), "{before:?} {form:?}");
        }
    }
}

/// Pins what the documentation says that no signature covers: a forger who has captured a request
/// can make these of it.
#[test]
fn what_no_signature_covers_passes() {
    let form = &*sign_form(URL, "Body=xy&From=1");
    let get = &*sign_text(URL);
    let glued = "https://example.com/message?x=1BodyxyFrom1";
    let cut = "https://example.com/message";
    #[rustfmt::skip]
    let cases = [
        ("method", form, "PUT", URL, "Body=xy&From=1"),
        ("order", form, "POST", URL, "From=1&Body=xy"),
        ("escaping", form, "POST", URL, "%42ody=x%79&From=%31"),
        ("repeats", form, "POST", URL, "Body=xy&From=1&Body=xy&&From=1"),
        ("border in a pair", form, "POST", URL, "Bodyx=y&From=1"),
        ("border of pairs", form, "POST", URL, "Body=xyFrom1"),
        ("border of the URL, moved right", form, "GET", glued, ""),
        ("border of the URL, moved left", get, "POST", cut, "%3Fx%3D1"),
    ];
    for (name, signature, method, url, body) in cases {
        let request = WebhookRequest::new(method, url)
            .content_type(FORM)
            .body(body);
        assert_eq!(verdict(&request.signature(signature)), Ok(()), "{name}");
    }
}

/// An SMS can have any text, and a recording of it has the signature of this text.
/// Records a form, and sends its signed text as a URL with a body whose hash is in that text. Returns the verdicts.
#[track_caller]
fn sent_as_url(url: &str, names: [&str; 2], start: &str) -> [Result<(), Kind>; 3] {
    let [sid, text] = names;
    let body = r#"[{"type":"com.twilio.messaging.inbound-message.received"}]"#;
    let message = format!("hi{start}bodySHA256={}&z=", body_sha256(body));
    let escaped = message.replace('&', "%26").replace('=', "%3D");
    let recording = format!("{sid}&{text}={escaped}&zip=%2B14158675310");
    let recording = post(url, FORM, &recording);
    let signature = validator().sign(&recording).unwrap();
    assert_eq!(verdict(&recording.signature(&signature)), Ok(()));
    let target = format!(
        "{url}{}{text}{message}zip+14158675310",
        sid.replace('=', "")
    );
    ["POST", "PUT", "GET"].map(|method| {
        let copy = WebhookRequest::new(method, &target);
        verdict(&copy.content_type(JSON).body(body).signature(&signature))
    })
}

#[test]
fn a_hash_in_the_text_of_a_recorded_form_covers_no_body() {
    for (url, start) in [
        (URL, "&"),
        ("https://example.com/message", "?"),
        ("https://example.com/tenants/", "?x=&"),
    ] {
        for sid in [
            "AccountSid=AC00000000000000000000000000000001",
            "MessageSid=SM00000000000000000000000000000001",
            "call_sid=CA00000000000000000000000000000001",
        ] {
            let verdicts = sent_as_url(url, [sid, "text"], start);
            assert_eq!(verdicts, [Err(BodyHashMissing); 3], "{url} {sid}");
        }
    }
    // URLs that only look like it.
    let body = "{}";
    for url in [
        "https://example.com/AccountSidAC1?x=1",
        "https://example.com/?AccountSid=AC00000000000000000000000000000001",
        "https://example.com/AC00000000000000000000000000000001?x=1",
    ] {
        let url = hashed(url, body);
        let genuine = post(&url, JSON, body);
        let signature = validator().sign(&genuine).unwrap();
        assert_eq!(verdict(&genuine.signature(&signature)), Ok(()), "{url}");
    }
}

/// Nothing distinguishes such a text from a URL. `SECURITY.md` says what to do.
#[test]
fn a_hash_in_the_text_of_a_form_without_a_sid_covers_a_body() {
    let verdicts = sent_as_url(URL, ["from=me", "text"], "&");
    assert_eq!(verdicts, [Ok(()); 3]);
}

#[test]
fn a_hash_that_is_signed_as_a_parameter_covers_no_body() {
    let query = format!("a=1&bodySHA256={}", body_sha256("{}"));
    let url = format!("wss://example.com/stream?{query}");
    let handshake = WebhookRequest::new("GET", &url);
    for (signed, with_body) in [
        (url.clone(), Ok(())),
        (
            ["wss://example.com/stream", &query.replace(['=', '&'], "")].concat(),
            Err(BodyHashMissing),
        ),
    ] {
        let signature = sign_text(&signed);
        let handshake = handshake.signature(&signature);
        assert_eq!(verdict(&handshake), Ok(()), "{signed}");
        assert_eq!(verdict(&handshake.body("{}")), with_body, "{signed}");
    }
}

#[test]
fn refuses_what_the_signature_does_not_cover() {
    let json = &*hashed(URL, "{}");
    let hashed_json = &*hashed(URL, "{\"a\":1}");
    let empty = &*hashed(URL, "");
    let utf8 = "Application/X-WWW-Form-URLEncoded; charset=UTF-8";
    let list = "application/x-www-form-urlencoded, application/json";
    // What stands between the URL and the verdict is the text that Twilio signed after the URL.
    #[rustfmt::skip]
    let cases = [
        ("R5 form", "POST", FORM, URL, "a=1", "a1", Ok(())),
        ("R5 form, put", "PUT", FORM, URL, "a=1", "a1", Ok(())),
        ("R5 form, deleted", "DELETE", FORM, URL, "a=1", "a1", Ok(())),
        ("R5 form by GET", "GET", FORM, URL, "a=1", "a1", Err(SignatureMismatch)),
        ("R5 form by HEAD", "HEAD", FORM, URL, "a=1", "a1", Err(SignatureMismatch)),
        ("R6 form, labelled oddly", "POST", utf8, URL, "a=1", "a1", Ok(())),
        ("R6 form, left-over hash", "POST", FORM, json, "a=1", "a1", Ok(())),
        ("R6 form, URL alone signed", "POST", FORM, URL, "a=1", "", Err(SignatureMismatch)),
        ("R6 form as JSON", "POST", JSON, URL, "a=1", "a1", Err(SignatureMismatch)),
        ("R6 form without a type", "POST", "", URL, "a=1", "", Err(BodyHashMissing)),
        ("R6 form in a list", "POST", list, URL, "a=1", "", Err(BodyHashMissing)),
        ("R6 multipart", "POST", "multipart/form-data", URL, "a=1", "", Err(BodyHashMissing)),
        ("R6 JSON", "POST", JSON, json, "{}", "", Ok(())),
        ("R6 JSON without a type", "POST", "", json, "{}", "", Ok(())),
        ("R6 JSON, replaced", "POST", JSON, json, "{\"a\":1}", "", Err(BodyHashMismatch)),
        ("R6 JSON, cut", "POST", JSON, json, "{", "", Err(BodyHashMismatch)),
        ("R6 JSON, blank added", "POST", JSON, json, "{} ", "", Err(BodyHashMismatch)),
        ("R6 JSON, removed", "POST", JSON, json, "", "", Err(BodyHashMismatch)),
        ("R6 JSON, URL changed", "POST", JSON, json, "{}", "x", Err(SignatureMismatch)),
        ("R6 JSON unhashed", "POST", JSON, URL, "{}", "", Err(BodyHashMissing)),
        ("R6 JSON, hash of nothing", "POST", JSON, empty, "{}", "", Err(BodyHashMismatch)),
        ("R6 JSON as a form", "POST", FORM, json, "{}", "", Err(SignatureMismatch)),
        ("R6 form that is JSON", "POST", FORM, URL, "{\"a\":1}", "{\"a\":1}", Err(BodyHashMissing)),
        ("R6 form that is JSON, blanks", "POST", FORM, URL, "\r\n[\t1]\t", "\r\n[\t1]\t", Err(BodyHashMissing)),
        ("R6 form that is JSON, odd blanks", "POST", FORM, URL, "\u{a0}{\u{3000}\"\"", "\u{a0}{\u{3000}\"\"", Err(BodyHashMissing)),
        ("R6 form that is JSON, marked", "POST", FORM, URL, "\u{feff}[null", "\u{feff}[null", Err(BodyHashMissing)),
        ("R6 form that is JSON, hashed", "POST", FORM, hashed_json, "{\"a\":1}", "{\"a\":1}", Err(BodyHashMissing)),
        ("R6 form that begins with JSON", "POST", FORM, URL, "[{}]a=1", "[{}]a1", Err(BodyHashMissing)),
        ("R6 form with braces", "POST", FORM, URL, "{a}=[1]", "{a}[1]", Ok(())),
        ("R6 form with brackets", "POST", FORM, URL, "[a]={\"", "[a]{\"", Ok(())),
        ("R6 form with braces, escaped", "POST", FORM, URL, "%7B%22=[1]", "{\"[1]", Ok(())),
        ("R6 JSON to no pairs", "POST", FORM, json, "&", "", Err(BodyHashMismatch)),
        ("R6 JSON to empty pairs", "POST", FORM, json, "=&&=", "", Err(BodyHashMismatch)),
        ("R6 JSON to no form", "POST", FORM, json, "", "", Err(BodyHashMismatch)),
        ("R6 empty", "POST", "", URL, "", "", Ok(())),
        ("R6 empty, hashed", "POST", JSON, empty, "", "", Ok(())),
        ("R6 empty form", "POST", FORM, URL, "", "", Ok(())),
        ("R6 empty form, hashed", "POST", FORM, empty, "", "", Ok(())),
        ("R6 no pairs", "POST", FORM, URL, "&", "", Ok(())),
        ("R6 GET", "GET", "", URL, "", "", Ok(())),
        ("R6 GET, any hash", "GET", "", json, "", "", Ok(())),
        ("R6 GET, hashed body", "GET", JSON, json, "{}", "", Ok(())),
        ("R6 GET, body", "GET", JSON, URL, "{}", "", Err(BodyHashMissing)),
        ("R6 GET, form", "GET", FORM, URL, "a=1", "", Err(BodyHashMissing)),
        ("R6 GET, other body", "GET", JSON, json, "{1}", "", Err(BodyHashMismatch)),
        ("R6 HEAD", "HEAD", "", json, "", "", Ok(())),
        ("R6 HEAD, body", "HEAD", "", URL, "x", "", Err(BodyHashMissing)),
    ];
    for (name, method, content_type, url, body, text, expected) in cases {
        let signature = sign_text(&format!("{url}{text}"));
        let mut request = WebhookRequest::new(method, url)
            .body(body)
            .signature(&signature);
        if !content_type.is_empty() {
            request = request.content_type(content_type);
        }
        assert_eq!(verdict(&request), expected, "{name}");
        // Whatever is accepted with its own signature is refused with another one.
        let signature = sign_text(&format!("{url}{text}?"));
        let request = WebhookRequest::new(method, url)
            .content_type(content_type)
            .body(body)
            .signature(&signature);
        assert_eq!(verdict(&request), Err(SignatureMismatch), "{name}, forged");
    }
}

#[test]
fn body_hash_is_one_exact_query_parameter() {
    let hash = body_sha256("{}");
    let other = body_sha256("");
    let upper = hash.to_uppercase();
    let short = &hash[1..];
    #[rustfmt::skip]
    let cases = [
        (format!("?bodySHA256={hash}"), Ok(())),
        (format!("?bodySHA256={hash}&x=1"), Ok(())),
        (format!("?x=1&&bodySHA256={hash}#bodySHA256={other}"), Ok(())),
        (format!("?bodySHA256={hash}&bodySHA256={hash}"), Ok(())),
        (format!("?bodySHA256={hash}&bodySHA256={other}"), Err(BodyHashConflicting)),
        (format!("?bodySHA256={other}&bodySHA256={hash}"), Err(BodyHashConflicting)),
        (format!("?bodySHA256={hash}&bodySHA256="), Err(BodyHashConflicting)),
        (format!("?bodySHA256={hash}&bodySHA256={upper}"), Err(BodyHashConflicting)),
        (format!("?bodySHA256={other}"), Err(BodyHashMismatch)),
        (format!("?bodySHA256={upper}"), Err(BodyHashMismatch)),
        (format!("?bodySHA256={short}"), Err(BodyHashMismatch)),
        (format!("?bodySHA256={hash}0"), Err(BodyHashMismatch)),
        (format!("?bodySHA256=+{hash}"), Err(BodyHashMismatch)),
        (format!("?bodySHA256={hash}?"), Err(BodyHashMismatch)),
        (format!("?bodySHA256=%34{short}"), Err(BodyHashMismatch)),
        ("?bodySHA256=".into(), Err(BodyHashMismatch)),
        (format!("?bodysha256={hash}"), Err(BodyHashMissing)),
        (format!("?BODYSHA256={hash}"), Err(BodyHashMissing)),
        (format!("?xbodySHA256={hash}"), Err(BodyHashMissing)),
        (format!("?bodySHA256x={hash}"), Err(BodyHashMissing)),
        (format!("?bodySHA256[]={hash}"), Err(BodyHashMissing)),
        (format!("?%62odySHA256={hash}"), Err(BodyHashMissing)),
        (format!("?x=1;bodySHA256={hash}"), Err(BodyHashMissing)),
        (format!("?x=?bodySHA256={hash}"), Err(BodyHashMissing)),
        (format!("??bodySHA256={hash}"), Err(BodyHashMissing)),
        (format!("/bodySHA256={hash}"), Err(BodyHashMissing)),
        (format!("&bodySHA256={hash}"), Err(BodyHashMissing)),
        (format!("#bodySHA256={hash}"), Err(BodyHashMissing)),
        (format!("#?bodySHA256={hash}"), Err(BodyHashMissing)),
        (format!("?#&bodySHA256={hash}"), Err(BodyHashMissing)),
        (String::new(), Err(BodyHashMissing)),
    ];
    for (rest, expected) in cases {
        let url = format!("https://example.com/events{rest}");
        let signature = sign_text(&url);
        let request = post(&url, JSON, "{}").signature(&signature);
        assert_eq!(verdict(&request), expected, "R7 {rest}");
    }
}

#[test]
fn refuses_encoded_bodies_and_ambiguous_labels() {
    let charset = "application/x-www-form-urlencoded; charset=";
    let latin1 = &*format!("{charset}iso-8859-1");
    let ascii = &*format!("{charset}us-ascii");
    let quoted = &*format!("{charset}\"UTF-8\"");
    let twice = &*format!("{charset}utf-8; charset=utf-16");
    let hidden = "application/x-www-form-urlencoded; a=\";charset=utf-8\";charset=utf-16";
    #[rustfmt::skip]
    let cases: &[(&str, Values<'_>, Values<'_>, Result<(), Kind>)] = &[
        ("R6 plain", &[FORM], &[], Ok(())),
        ("R6 quoted charset", &[quoted], &[], Ok(())),
        ("R6 latin1", &[latin1], &[], Err(CharsetUnsupported)),
        ("R6 ascii", &[ascii], &[], Err(CharsetUnsupported)),
        ("R6 no charset's name", &[charset], &[], Err(CharsetUnsupported)),
        ("R6 two charsets", &[twice], &[], Err(CharsetUnsupported)),
        ("R6 hidden charset", &[hidden], &[], Err(CharsetUnsupported)),
        ("R6 type twice", &[FORM, FORM], &[], Ok(())),
        ("R6 two types", &[FORM, JSON], &[], Err(ContentTypeConflicting)),
        ("R6 two types, turned", &[JSON, FORM], &[], Err(ContentTypeConflicting)),
        ("R6 two labels of a form", &[FORM, quoted], &[], Err(ContentTypeConflicting)),
        ("R8 identity", &[FORM], &["identity"], Ok(())),
        ("R8 identity, in capitals", &[FORM], &["IDENTITY"], Ok(())),
        ("R8 identity twice", &[FORM], &["identity", "identity"], Ok(())),
        ("R8 gzip", &[FORM], &["gzip"], Err(EncodingUnsupported)),
        ("R8 unheard of", &[FORM], &["x"], Err(EncodingUnsupported)),
        ("R8 list", &[FORM], &["identity, gzip"], Err(EncodingUnsupported)),
        ("R8 second header", &[FORM], &["identity", "br"], Err(EncodingUnsupported)),
        ("R8 blank", &[FORM], &[""], Err(EncodingUnsupported)),
        ("R8 before the type", &[FORM, JSON], &["gzip"], Err(EncodingUnsupported)),
        ("R8 before the charset", &[latin1], &["gzip"], Err(EncodingUnsupported)),
    ];
    let signature = sign_form(URL, "a=1");
    for (name, types, encodings, expected) in cases {
        let mut request = WebhookRequest::new("POST", URL)
            .body("a=1")
            .signature(&signature);
        for content_type in *types {
            request = request.content_type(*content_type);
        }
        for encoding in *encodings {
            request = request.content_encoding(*encoding);
        }
        assert_eq!(verdict(&request), *expected, "{name}");
    }
    // An encoding counts for a GET and an empty body too.
    let signature = sign_text(URL);
    let request = WebhookRequest::new("GET", URL).signature(&signature);
    assert_eq!(
        verdict(&request.content_encoding("gzip")),
        Err(EncodingUnsupported)
    );
}

/// Every text that Twilio could conceivably have signed for a URL seen like these.
fn conceivable_urls() -> Vec<String> {
    let schemes = ["http", "https", "ws", "wss", "HTTPS"];
    let hosts = ["h", "u:p@h", "[::1]", "h\u{e9}"];
    let ports = ["", ":80", ":443", ":0443", ":8443", ":"];
    let paths = ["", "/", "/x", "/x/"];
    let queries = ["", "?", "?a=%27%40%3A", "?a='@:", "?a='%40:", "?b=1"];
    let fragments = ["", "#rc=2", "#"];
    let mut urls = vec![String::new()];
    for part in [
        &schemes[..],
        &["://"],
        &hosts,
        &ports,
        &paths,
        &queries,
        &fragments,
    ] {
        urls = urls
            .iter()
            .flat_map(|url| part.iter().map(move |text| format!("{url}{text}")))
            .collect();
    }
    urls
}

#[test]
fn each_url_has_its_candidates_and_no_other() {
    #[rustfmt::skip]
    let cases: &[(&str, &str, &str, &[&str])] = &[
        ("R9", "GET", "https://h:0443/x", &[]),
        ("R9", "GET", "https://h:/x", &[]),
        ("R9", "GET", "HTTPS://h/x", &[]),
        ("R9", "GET", "https://h\u{e9}/x", &[]),
        ("R10.2", "GET", "https://h/x", &["https://h:443/x"]),
        ("R10.2", "GET", "http://h/x", &["http://h:80/x"]),
        ("R10.2", "GET", "https://h:443/x", &["https://h/x"]),
        ("R10.2", "GET", "https://h:8443/x", &["https://h/x"]),
        ("R10.2", "GET", "https://h:80/x", &["https://h/x"]),
        ("R10.2", "GET", "https://[::1]/x", &["https://[::1]:443/x"]),
        ("R10.2", "GET", "https://[::1]:8443/x", &["https://[::1]/x"]),
        ("R10.2", "GET", "https://h/x?b=1", &["https://h:443/x?b=1"]),
        ("R10.3", "GET", "https://h/x/", &["https://h:443/x/"]),
        ("R10.3", "GET", "https://h", &["https://h:443"]),
        ("R10.3", "GET", "https://h/", &["https://h:443/", "https://h", "https://h:443"]),
        ("R10.3", "GET", "https://h/?", &["https://h:443/?", "https://h?", "https://h:443?"]),
        ("R10.3", "POST", "https://h/?b=1", &["https://h:443/?b=1", "https://h?b=1", "https://h:443?b=1"]),
        (
            "R10.3",
            "GET",
            "https://h/?a=%27%40%3A",
            &[
                "https://h:443/?a=%27%40%3A", "https://h?a=%27%40%3A", "https://h:443?a=%27%40%3A",
                "https://h/?a='@:", "https://h:443/?a='@:", "https://h?a='@:", "https://h:443?a='@:",
            ],
        ),
        (
            "R10.3",
            "GET",
            "https://h/x?a=%27%40%3A",
            &[
                "https://h:443/x?a=%27%40%3A",
                "https://h/x?a='@:",
                "https://h:443/x?a='@:",
            ],
        ),
        ("R10.3", "GET", "https://h/x?a='@:", &["https://h:443/x?a='@:"]),
        (
            "R10.1",
            "GET",
            "https://h/x#rc=2",
            &["https://h:443/x#rc=2", "https://h/x", "https://h:443/x"],
        ),
        (
            "R10.1",
            "GET",
            "http://h:8443/x?a=%27%40%3A#",
            &[
                "http://h/x?a=%27%40%3A#",
                "http://h:8443/x?a='@:#",
                "http://h/x?a='@:#",
                "http://h:8443/x?a=%27%40%3A",
                "http://h/x?a=%27%40%3A",
                "http://h:8443/x?a='@:",
                "http://h/x?a='@:",
            ],
        ),
        ("R10.3", "GET", "wss://h/x", &["wss://h:443/x", "wss://h/x/", "wss://h:443/x/"]),
        ("R10.3", "GET", "ws://h", &["ws://h:80", "ws://h/", "ws://h:80/"]),
        ("R10.3", "POST", "wss://h/x", &["wss://h:443/x"]),
        ("R10.3", "HEAD", "wss://h/x", &["wss://h:443/x"]),
        ("R11", "GET", "https://u:p@h/x", &["https://u:p@h:443/x"]),
        ("R11", "GET", "https://u:p@h:8443/x", &["https://u:p@h/x"]),
    ];
    // A signature is costly in a build for tests: the same ones serve all cases.
    let conceivable: Vec<_> = conceivable_urls()
        .into_iter()
        .map(|url| (sign_text(&url), url))
        .collect();
    let validator = validator();
    for (rule, method, seen, expected) in cases {
        let mut matched = Vec::new();
        for (signature, signed) in &conceivable {
            let request = WebhookRequest::new(method, seen).signature(signature);
            if let Ok(accepted) = validator.validate(&request) {
                assert_eq!(accepted.url, *signed, "{rule} {method} {seen}");
                matched.push(signed.as_str());
            }
        }
        let mut expected = [&[*seen][..], expected].concat();
        assert!(expected.len() <= 8, "{rule} {seen}");
        expected.sort_unstable();
        matched.sort_unstable();
        assert_eq!(matched, expected, "{rule} {method} {seen}");
    }
}

#[test]
fn any_text_is_a_url_but_an_odd_one_has_no_other_form() {
    let odd = [
        ("", "https://example.com"),
        ("/message", "/message/"),
        ("example.com/message", "example.com:443/message"),
        ("//example.com/", "//example.com"),
        ("https:/example.com/", "https:/example.com"),
        ("https://", "https://:443"),
        ("https://?a=%27", "https://?a='"),
        ("https://example.com:+443/", "https://example.com/"),
        ("https://example.com:65536/", "https://example.com/"),
        ("https://example.com:443x/", "https://example.com/"),
        ("https://2001:db8::7/", "https://2001:db8:/"),
        ("https://example.com\u{ff1a}443/", "https://example.com/"),
        ("https://user@:443/", "https://user@/"),
        ("javascript://example.com/", "javascript://example.com"),
        (" https://example.com/", " https://example.com"),
        ("\0", ""),
    ];
    for (url, other) in odd {
        let as_is = sign_text(url);
        let request = WebhookRequest::new("GET", url);
        assert_eq!(verdict(&request.signature(&as_is)), Ok(()), "{url:?}");
        let signature = sign_text(other);
        let signed_otherwise = verdict(&request.signature(&signature));
        assert_eq!(signed_otherwise, Err(SignatureMismatch), "{url:?}");
    }
}

#[test]
fn a_websocket_may_have_its_query_signed_as_parameters() {
    let seen = "wss://h/x?b=2&a=%27&b=1";
    #[rustfmt::skip]
    let cases = [
        ("GET", seen, "wss://h/xa'b1b2", Ok("wss://h/x")),
        ("GET", seen, "wss://h:443/xa'b1b2", Ok("wss://h:443/x")),
        ("GET", seen, "wss://h/x/a'b1b2", Ok("wss://h/x/")),
        ("GET", seen, "wss://h:443/x/a'b1b2", Ok("wss://h:443/x/")),
        ("GET", seen, "wss://h/x?b=2&a=%27&b=1a'b1b2", Err(SignatureMismatch)),
        ("GET", seen, "wss://h/x?a'b1b2", Err(SignatureMismatch)),
        ("GET", seen, "wss://h/x?b=2&a='&b=1", Err(SignatureMismatch)),
        ("GET", "wss://h/x?a=1#", "wss://h/xa1", Err(SignatureMismatch)),
        ("POST", "wss://h/x?a=1", "wss://h/xa1", Err(SignatureMismatch)),
        ("GET", "https://h/x?a=1", "https://h/xa1", Err(SignatureMismatch)),
        ("GET", "WSS://h/x?a=1", "WSS://h/xa1", Err(SignatureMismatch)),
    ];
    for (method, url, signed, expected) in cases {
        let signature = sign_text(signed);
        let request = WebhookRequest::new(method, url).signature(&signature);
        let matched = validated(&validator(), &request).map(|(_, url)| url);
        assert_eq!(
            matched,
            expected.map(str::to_owned),
            "R10.4 {url} by {signed}"
        );
    }
}

#[test]
fn refuses_a_host_named_like_the_user() {
    let signature = sign_text("https://example.com/x");
    for forged in [
        "https://example.com@evil.example/x",
        "https://example.com:443@evil.example/x",
        "https://example.com:@evil.example/x",
        "https://evil.example/x@example.com/x",
        "https://evil.example\\@example.com/x",
        "https://evil.example#@example.com/x",
        "https://evil.example?@example.com/x",
        "https://user@example.com/x",
        "https://@example.com/x",
        "https://example.com./x",
        "https://EXAMPLE.com/x",
        "https://example.com//x",
        "https://example.com/./x",
        "https://example.com/%78",
        "https://example.com:80443/x",
        "https://example.com/x?",
        "http://example.com/x",
        "http://example.com:443/x",
        "wss://example.com/x",
    ] {
        let request = WebhookRequest::new("GET", forged).signature(&signature);
        assert_eq!(verdict(&request), Err(SignatureMismatch), "R11 {forged}");
    }
}

#[test]
fn refuses_headers_that_are_not_one_signature() {
    let good = &*sign_text(URL);
    let padded = &*format!(" {good}");
    let listed = &*format!("{good},{good}");
    let quoted = &*format!("\"{good}\"");
    let unpadded = good.trim_end_matches('=');
    let overpadded = &*format!("{good}=");
    let doubled = &*format!("{good}{good}");
    let short = &good[4..];
    let sha256 = "daMiX2ttNhcLWLNU5K/NW0XQtiaE8oflkt25Yq9WeII=";
    #[rustfmt::skip]
    let cases: &[(&str, Values<'_>, Result<(), Kind>)] = &[
        ("genuine", &[good], Ok(())),
        ("the same twice", &[good, good], Ok(())),
        ("missing", &[], Err(SignatureMissing)),
        ("forged", &[FORGED], Err(SignatureMismatch)),
        ("empty", &[""], Err(SignatureMalformed)),
        ("blank", &[" "], Err(SignatureMalformed)),
        ("blank before", &[padded], Err(SignatureMalformed)),
        ("list", &[listed], Err(SignatureMalformed)),
        ("quoted", &[quoted], Err(SignatureMalformed)),
        ("unpadded", &[unpadded], Err(SignatureMalformed)),
        ("overpadded", &[overpadded], Err(SignatureMalformed)),
        ("doubled", &[doubled], Err(SignatureMalformed)),
        ("short", &[short], Err(SignatureMalformed)),
        ("spare bits", &["AAAAAAAAAAAAAAAAAAAAAAAAAAB="], Err(SignatureMalformed)),
        ("base64url", &["-_AAAAAAAAAAAAAAAAAAAAAAAAA="], Err(SignatureMalformed)),
        ("hex", &["da39a3ee5e6b4b0d3255bfef95601890afd80709"], Err(SignatureMalformed)),
        ("of SHA-256", &[sha256], Err(SignatureMalformed)),
        ("not ASCII", &["AAAAAAAAAAAAAAAAAAAAAAAAA\u{e9}="], Err(SignatureMalformed)),
        ("NUL", &["AAAAAAAAAAAAAAAAAAAAAAAAAAA\0"], Err(SignatureMalformed)),
        ("forged first", &[FORGED, good], Err(SignatureConflicting)),
        ("forged last", &[good, FORGED], Err(SignatureConflicting)),
        ("forged between", &[good, FORGED, good], Err(SignatureConflicting)),
        ("empty first", &["", good], Err(SignatureConflicting)),
        ("empty last", &[good, ""], Err(SignatureConflicting)),
    ];
    for (name, values, expected) in cases {
        let mut request = WebhookRequest::new("GET", URL);
        for value in *values {
            request = request.signature(*value);
        }
        assert_eq!(verdict(&request), *expected, "R13 {name}");
    }
    let request = WebhookRequest::new("GET", URL).signature(&[0xff; 28]);
    assert_eq!(verdict(&request), Err(SignatureMalformed), "R13 not UTF-8");
}

#[test]
fn blank_and_missing_keys_build_no_validator() {
    for blank in ["", " ", "\n", "\t \r\n", "\u{3000}"] {
        assert!(AuthToken::new(blank).is_err(), "R15 {blank:?}");
        assert!(SharedKey::new("K1", blank).is_err(), "R15 {blank:?}");
        assert!(SharedKey::new(blank, "secret").is_err(), "R15 {blank:?}");
    }
    assert!(RequestValidator::new([]).is_err());
    let twins = ["a", "b"].map(|secret| SharedKey::new("K1", secret).unwrap());
    assert!(RequestValidator::with_keys([], twins).is_err());
}

/// Signs a form of [`URL`] with a token, or with a SharedKey and by such settings.
fn signed_by(secret: &str, settings: &str) -> String {
    let token = AuthToken::new(secret).unwrap();
    let keys = ["K1", "K2", "K3"].map(|id| SharedKey::new(id, secret).unwrap());
    RequestValidator::with_keys([token], keys)
        .unwrap()
        .sign(&post(URL, FORM, "b=2&a=1").signature_settings(settings))
        .unwrap()
}

#[test]
fn each_key_speaks_for_itself() {
    let validator = RequestValidator::with_keys(
        ["old-token", "new-token"].map(|token| AuthToken::new(token).unwrap()),
        [("K1", "shared-secret"), ("K2", "other-secret")]
            .map(|(id, secret)| SharedKey::new(id, secret).unwrap()),
    )
    .unwrap();
    let token = |at| Ok(MatchedKey::AuthToken(at));
    let shared = |id: &str| Ok(MatchedKey::SharedKey(id.to_owned()));
    let (sha1, sha256) = ("key=K1,algorithm=HMAC_SHA1", "key=K1,algorithm=HMAC_SHA256");
    // The secret and the settings that a forger or Twilio signs with, and the settings sent.
    #[rustfmt::skip]
    let cases: &[(&str, &str, Values<'_>, Result<MatchedKey, Kind>)] = &[
        ("old-token", "", &[], token(0)),
        ("new-token", "", &[], token(1)),
        ("new-token", "", &["", " \t"], token(1)),
        ("third-token", "", &[], Err(SignatureMismatch)),
        ("shared-secret", sha256, &[sha256], shared("K1")),
        ("shared-secret", sha256, &[" algorithm=HMAC_SHA256 , key=K1 "], shared("K1")),
        ("shared-secret", sha256, &[sha256, sha256], shared("K1")),
        ("shared-secret", sha256, &["", sha256], shared("K1")),
        ("shared-secret", sha1, &[sha1], shared("K1")),
        ("shared-secret", sha1, &["key=K1"], shared("K1")),
        ("other-secret", "key=K2", &["key=K2"], shared("K2")),
        // No key stands in for another, and no algorithm either.
        ("shared-secret", sha1, &[], Err(SignatureMismatch)),
        ("shared-secret", sha256, &[], Err(SignatureMalformed)),
        ("shared-secret", sha256, &["key=K1"], Err(SignatureMalformed)),
        ("shared-secret", sha1, &[sha256], Err(SignatureMalformed)),
        ("shared-secret", sha1, &["key=K2"], Err(SignatureMismatch)),
        ("other-secret", sha256, &[sha256], Err(SignatureMismatch)),
        ("old-token", "", &["key=K1"], Err(SignatureMismatch)),
        ("old-token", sha256, &[sha256], Err(SignatureMismatch)),
        ("old-token", "key=K3", &["key=K3"], Err(KeyUnknown)),
        ("shared-secret", sha1, &["key=k1"], Err(KeyUnknown)),
        ("shared-secret", sha1, &["key= K1"], Err(KeyUnknown)),
        ("shared-secret", sha1, &["key=\"K1\""], Err(KeyUnknown)),
        // A claim that can't be read is no claim on the Auth Token.
        ("old-token", "", &["key="], Err(SettingsMalformed)),
        ("old-token", "", &["algorithm=HMAC_SHA1"], Err(SettingsMalformed)),
        ("old-token", "", &["nonsense"], Err(SettingsMalformed)),
        ("old-token", "", &[","], Err(SettingsMalformed)),
        ("old-token", "", &["\u{a0}"], Err(SettingsMalformed)),
        ("shared-secret", sha1, &["Key=K1"], Err(SettingsMalformed)),
        ("shared-secret", sha1, &["key=K2,key=K1"], Err(SettingsMalformed)),
        ("shared-secret", sha1, &["key=K1;algorithm=HMAC_SHA1"], Err(KeyUnknown)),
        ("shared-secret", sha1, &["key=K1", "key=K2"], Err(SettingsMalformed)),
        ("shared-secret", sha256, &[sha1, sha256], Err(SettingsMalformed)),
        ("old-token", "", &["key=K1,algorithm=none"], Err(AlgorithmUnknown)),
        ("old-token", "", &["key=K1,algorithm="], Err(AlgorithmUnknown)),
        ("old-token", "", &["key=K1,algorithm=HMAC_SHA512"], Err(AlgorithmUnknown)),
        ("old-token", "", &["key=K1,algorithm=hmac_sha1"], Err(AlgorithmUnknown)),
    ];
    for (secret, signed_with, sent, expected) in cases {
        let signature = signed_by(secret, signed_with);
        let mut request = post(URL, FORM, "b=2&a=1").signature(&signature);
        for settings in *sent {
            request = request.signature_settings(*settings);
        }
        let verdict = validated(&validator, &request).map(|(key, _)| key);
        assert_eq!(
            verdict, *expected,
            "R16, R17: {secret} {signed_with:?} {sent:?}"
        );
    }
    // Not by our own means: HMACs by Python's hmac module.
    assert_eq!(
        signed_by("shared-secret", sha1),
        "7PH/aU+A1uOSNu9cSPBSZzTXMmA="
    );
    assert_eq!(
        signed_by("shared-secret", sha256),
        "daMiX2ttNhcLWLNU5K/NW0XQtiaE8oflkt25Yq9WeII="
    );
}

#[test]
fn shared_keys_alone_leave_no_auth_token() {
    let key = SharedKey::new("K1", "shared-secret").unwrap();
    let validator = RequestValidator::with_keys([], [key]).unwrap();
    let request = post(URL, FORM, "b=2&a=1").signature("7PH/aU+A1uOSNu9cSPBSZzTXMmA=");
    assert_eq!(validated(&validator, &request), Err(KeyUnknown));
    assert_eq!(validator.sign(&request).unwrap_err().kind(), KeyUnknown);
}

#[test]
fn what_is_signed_is_accepted() {
    let json = hashed(URL, "{}");
    let moved = "wss://example.com/media?b=2&a=1";
    let key = "key=K1,algorithm=HMAC_SHA256";
    let requests = [
        ("form", post(URL, FORM, "b=2&a=1")),
        ("empty form", post(URL, FORM, "")),
        ("JSON", post(&json, JSON, "{}")),
        ("GET", WebhookRequest::new("GET", &json)),
        ("HEAD", WebhookRequest::new("HEAD", URL)),
        ("WebSocket", WebhookRequest::new("GET", moved)),
        ("no URL", WebhookRequest::new("POST", "")),
        ("SharedKey", post(URL, FORM, "a=1").signature_settings(key)),
    ];
    let validator = RequestValidator::with_keys(
        ["first", "second"].map(|token| AuthToken::new(token).unwrap()),
        [SharedKey::new("K1", "shared-secret").unwrap()],
    )
    .unwrap();
    for (name, request) in requests {
        let signature = validator.sign(&request).unwrap();
        let (key, url) = validated(&validator, &request.signature(&signature)).unwrap();
        let expected = match name {
            "SharedKey" => MatchedKey::SharedKey("K1".to_owned()),
            _ => MatchedKey::AuthToken(0),
        };
        assert_eq!(key, expected, "{name}");
        assert!([URL, &json, moved, ""].contains(&&*url), "{name}");
        // A signature that is there already plays no part, however odd it is.
        let again = validator.sign(&request.signature("?").signature(FORGED));
        assert_eq!(again.unwrap(), signature, "{name}");
    }
}

#[test]
fn refuses_to_sign_what_would_be_refused() {
    let json = hashed(URL, "{}");
    let conflict = hashed(&json, "");
    let plain = post(URL, FORM, "a=1");
    #[rustfmt::skip]
    let requests = [
        (post(URL, JSON, "{}"), BodyHashMissing),
        (post(&json, JSON, "{ }"), BodyHashMismatch),
        (post(&json, JSON, ""), BodyHashMismatch),
        (post(&json, FORM, "&"), BodyHashMismatch),
        (post(&conflict, JSON, "{}"), BodyHashConflicting),
        (WebhookRequest::new("GET", URL).body("x"), BodyHashMissing),
        (WebhookRequest::new("POST", URL).body("a=1"), BodyHashMissing),
        (plain.content_encoding("gzip"), EncodingUnsupported),
        (plain.content_type(JSON), ContentTypeConflicting),
        (
            WebhookRequest::new("POST", URL)
                .content_type("application/x-www-form-urlencoded; charset=utf-16"),
            CharsetUnsupported,
        ),
        (plain.signature_settings("key=K1"), KeyUnknown),
        (plain.signature_settings("key"), SettingsMalformed),
        (plain.signature_settings("key=K1,algorithm=x"), AlgorithmUnknown),
    ];
    for (request, expected) in requests {
        let err = validator().sign(&request).unwrap_err();
        assert_eq!(err.kind(), expected, "{request:?}");
        // The verdict says the same, if it is not on the signature first.
        let refused = verdict(&request.signature(&sign_text(URL))).unwrap_err();
        assert!(
            [expected, SignatureMismatch].contains(&refused),
            "{request:?}"
        );
    }
}

#[test]
fn ten_thousand_parameters_are_signed_in_order() {
    for (case, names) in [
        ("names of their own", 10_000),
        ("a hundred names", 100),
        ("one name", 1),
    ] {
        let mut pairs: Vec<_> = (0..10_000)
            .map(|i| format!("n{:05}=v{i:05}", i % names))
            .collect();
        let signature = sign_form(URL, &pairs.join("&"));
        let verdict = |form: &str| verdict(&post(URL, FORM, form).signature(&signature));
        pairs.reverse();
        assert_eq!(verdict(&pairs.join("&")), Ok(()), "{case}");

        // In the order that is signed, all pairs make up the text, each without its `=`.
        pairs.sort();
        let text = format!("{URL}{}", pairs.concat().replace('=', ""));
        assert_eq!(sign_text(&text), signature, "{case}");

        pairs.pop();
        let mismatch = Err(SignatureMismatch);
        assert_eq!(verdict(&pairs.join("&")), mismatch, "{case}");
    }
}

#[test]
fn every_byte_counts_in_a_form() {
    let all: Vec<u8> = (0..=255).filter(|byte| !b"&=".contains(byte)).collect();
    let form = [b"a=", &all[..]].concat();
    let signature = sign_form(URL, &form);
    let request = WebhookRequest::new("POST", URL)
        .content_type(FORM)
        .signature(&signature);
    assert_eq!(verdict(&request.body(&form)), Ok(()));
    for at in 2..form.len() {
        let mut changed = form.clone();
        changed[at] ^= 1;
        // `*` and `+` change places, and `%` is literal here, as no hex digits follow.
        assert_eq!(
            verdict(&request.body(&changed)),
            Err(SignatureMismatch),
            "byte {at}"
        );
    }
}

/// A small generator (xorshift), so that a failure comes again.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    /// Returns a text of so many pieces at most.
    fn text(&mut self, pieces: &[&str], most: usize) -> String {
        (0..self.below(most + 1))
            .map(|_| pieces[self.below(pieces.len())])
            .collect()
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1))
            .map(|_| u8::try_from(self.below(256)).unwrap())
            .collect()
    }
}

#[test]
fn noise_never_panics_and_never_passes() {
    const URL_PIECES: &[&str] = &[
        "https",
        "wss",
        "://",
        ":",
        "/",
        "//",
        "@",
        "[",
        "]",
        "?",
        "#",
        "&",
        "=",
        "%",
        "%27",
        "%3",
        "%3A",
        "443",
        "0",
        "65536",
        "h",
        "example.com",
        "bodySHA256",
        "\u{e9}",
        "\u{1f4de}",
        "\0",
    ];
    const FORM_PIECES: &[&str] = &["&", "=", "%", "%4", "%41", "%zz", "+", "a", "b", "\u{e9}"];
    const SETTINGS_PIECES: &[&str] = &[
        "key",
        "algorithm",
        "=",
        ",",
        " ",
        "K1",
        "HMAC_SHA1",
        "HMAC_SHA256",
        "none",
        "\u{e9}",
    ];
    const METHODS: &[&str] = &["GET", "HEAD", "POST", "", "get", "\u{e9}"];
    const TYPES: &[&str] = &[FORM, JSON, "; charset=", "utf-8", "\"", ";", "="];

    let mut random = Random(0x5eed);
    let mut signed = 0;
    for round in 0..5_000 {
        let url = random.text(URL_PIECES, 12);
        let body = match random.below(2) {
            0 => random.text(FORM_PIECES, 20).into_bytes(),
            _ => random.bytes(40),
        };
        let settings = random.text(SETTINGS_PIECES, 8);
        let content_type = match random.below(2) {
            0 => FORM.to_owned(),
            _ => random.text(TYPES, 4),
        };
        let noise = random.bytes(64);
        let mut request = WebhookRequest::new(METHODS[random.below(METHODS.len())], &url)
            .content_type(&content_type)
            .body(&body);
        if random.below(4) == 0 {
            request = request.signature_settings(&settings);
        }
        if random.below(8) == 0 {
            request = request.content_encoding(&noise);
        }
        for forged in [FORGED.as_bytes(), &noise] {
            let verdict = verdict(&request.signature(forged));
            assert!(verdict.is_err(), "round {round}: {request:?}");
        }
        // Whatever can be signed is accepted, under a URL that says the same.
        if let Ok(signature) = validator().sign(&request) {
            signed += 1;
            let verdict = validated(&validator(), &request.signature(&signature));
            assert_eq!(verdict.unwrap().1, url, "round {round}: {request:?}");
        }
    }
    assert!(signed > 1_000, "{signed} of the requests could be signed");
}

#[test]
fn nothing_secret_is_printed() {
    let secret = "s3cr3t-of-the-account";
    let key = SharedKey::new("K1", secret).unwrap();
    let token = AuthToken::new(secret).unwrap();
    let validator = RequestValidator::with_keys([token.clone()], [key.clone()]).unwrap();
    let url = "https://example.com/m?pin=s3cr3t-pin";
    let request = post(url, FORM, "Body=s3cr3t-body");
    let signature = validator.sign(&request).unwrap();
    let genuine = request.signature(&signature);
    let refused = validator.validate(&request.signature(FORGED)).unwrap_err();
    let printed = [
        format!("{token:?} {key:?} {validator:?} {genuine:?}"),
        format!("{refused} {refused:?} {}", refused.kind().hint()),
        format!("{:?}", validator.validate(&genuine).unwrap()),
        AuthToken::new("\t").unwrap_err().to_string(),
    ];
    for text in printed {
        for hidden in ["s3cr3t", TOKEN, &signature] {
            assert!(!text.contains(hidden), "R14 {text}");
        }
    }
}
