//! Why a captured request is refused: each cause, several at a time, and where the search ends.

#![expect(clippy::type_complexity, reason = "rows of tables")]

use std::time::Instant;

use actix_twilio::{
    AuthToken, RequestValidator, WebhookRequest,
    explain::{
        Cause::{
            self, BodyHash, BodyUnsigned, ContentTypeMissing, FormAsBase64, FormAsJson, Host,
            HostCase, LineEnds, ParamsDecodedTwice, ParamsDropped, ParamsExtra, ParamsTrimmed,
            PathPrefix, PathSpelling, PlusNotEscaped, Port, QueryEncoding, QueryMissing,
            QueryOrder, Scheme, SignatureMalformed, SignatureMissing, Token, TrailingSlash,
            Unknown, Userinfo, WebsocketScheme,
        },
        Explainer, Explanation, UrlSetting,
    },
    keys::SharedKey,
    signature::body_sha256,
};
use actix_twilio_tests::{FORGED, FORM, TOKEN, hashed, sign_form, sign_text, validator};

const JSON: &str = "application/json";
const EMPTY_HASH: &str =
    "bodySHA256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A request as the app saw it, without its signature.
#[derive(Clone, Copy)]
struct Seen<'a> {
    method: &'a str,
    url: &'a str,
    content_type: &'a str,
    body: &'a str,
    /// Headers of proxies; those named `public` are public URLs.
    hints: &'a [(&'a str, &'a str)],
}

impl<'a> Seen<'a> {
    fn get(url: &'a str) -> Self {
        Self {
            method: "GET",
            url,
            content_type: "",
            body: "",
            hints: &[],
        }
    }

    fn form(url: &'a str, body: &'a str) -> Self {
        Self {
            method: "POST",
            content_type: FORM,
            body,
            ..Self::get(url)
        }
    }

    fn json(url: &'a str, body: &'a str) -> Self {
        Self {
            content_type: JSON,
            ..Self::form(url, body)
        }
    }

    fn hints(self, hints: &'a [(&'a str, &'a str)]) -> Self {
        Self { hints, ..self }
    }

    fn request(self) -> WebhookRequest<'a> {
        let request = WebhookRequest::new(self.method, self.url).body(self.body);
        if self.content_type.is_empty() {
            request
        } else {
            request.content_type(self.content_type)
        }
    }

    fn explainer<'k>(&self, validator: &'k RequestValidator) -> Explainer<'k> {
        let explainer = Explainer::new(validator);
        self.hints
            .iter()
            .fold(explainer, |explainer, (name, value)| {
                if *name == "public" {
                    explainer.public_url(value).unwrap()
                } else {
                    explainer.header(name, value)
                }
            })
    }

    /// Explains this with a signature over a text.
    fn explain(self, text: &str) -> Explanation {
        let signature = sign_text(text);
        let validator = validator();
        let explainer = self.explainer(&validator);
        explainer.explain(&self.request().signature(&signature))
    }
}

/// Asserts the causes of a request whose signature is that of a URL and the text of parameters.
#[track_caller]
fn assert_explained(seen: Seen<'_>, url: &str, params: &str, causes: &[Cause]) -> Explanation {
    let explanation = seen.explain(&format!("{url}{params}"));
    let name = format!("{} {:?} -> {url} {params}", seen.url, seen.body);
    assert_eq!(explanation.causes, causes, "{name}: {explanation:?}");
    assert_eq!(explanation.matched_url.as_deref(), Some(url), "{name}");
    assert!(!explanation.valid && !explanation.gave_up, "{name}");
    assert!(!explanation.advice.is_empty(), "{name}");
    explanation
}

#[test]
fn genuine_requests_have_no_cause() {
    let explanation = Seen::form("https://h/m", "a=1").explain("https://h/ma1");
    assert!(explanation.valid && explanation.causes.is_empty());
    assert_eq!(explanation.matched_url.as_deref(), Some("https://h/m"));
    // What the validator tolerates is no cause either.
    let explanation = Seen::get("https://h:443/m").explain("https://h/m");
    assert!(explanation.valid && explanation.causes.is_empty());
    assert_eq!(explanation.matched_url.as_deref(), Some("https://h/m"));
}

#[test]
fn forwarded_headers_are_hints_and_make_nothing_valid() {
    let seen = Seen::get("http://h/m").hints(&[("X-Forwarded-Proto", "https")]);
    assert_explained(seen, "https://h/m", "", &[Scheme]);
    let seen = seen.hints(&[("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil")]);
    assert!(seen.explain("http://h/m").valid);
}

/// Headers of proxies, and public URLs.
type Hints = &'static [(&'static str, &'static str)];

const FORWARDED: Hints = &[
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "example.com"),
];
const PREFIXED: Hints = &[
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "example.com"),
    ("X-Forwarded-Prefix", "/twilio"),
];
const ORIGINAL: Hints = &[("X-Original-URI", "/twilio/m?a=1&b=2")];
const PUBLIC_BASE: Hints = &[("public", "https://example.com/twilio/")];
const PUBLIC_WHOLE: Hints = &[("public", "https://example.com/hook?a=1")];
const BASIC: Hints = &[("Authorization", "Basic dXNlcjpwYXNz")];

/// What the app saw, hints, what was signed, and the causes.
#[rustfmt::skip]
const CHANGED_URLS: [(&str, Hints, &str, &[Cause]); 54] = [
    // TLS ends at a proxy.
    ("http://h/m", &[], "https://h/m", &[Scheme]),
    ("https://h/m", &[], "http://h/m", &[Scheme]),
    ("http://h:8080/m", &[], "https://h/m", &[Scheme, Port]),
    ("http://h:80/m", &[], "https://h/m", &[Scheme]),
    ("http://h:3000/m", &[], "https://h:8443/m", &[Scheme, Port]),
    // A port of the outside.
    ("https://h/m", &[], "https://h:8443/m", &[Port]),
    ("https://h/m", &[("X-Forwarded-Port", "4443")], "https://h:4443/m", &[Port]),
    // A request that was signed for another name of the own machine.
    ("http://127.0.0.1:8080/m", &[], "http://localhost:8080/m", &[Host]),
    ("http://localhost/m", &[], "http://[::1]/m", &[Host]),
    // ngrok and other tunnels, Docker.
    ("http://localhost:8080/m", FORWARDED, "https://example.com/m", &[Scheme, Host]),
    ("http://172.17.0.2:80/m", FORWARDED, "https://example.com/m", &[Scheme, Host]),
    ("https://10.0.0.7/m", FORWARDED, "https://example.com/m", &[Host]),
    ("https://10.0.0.7:8080/m", FORWARDED, "https://example.com:8080/m", &[Host]),
    ("http://10.0.0.7/m", &[("Forwarded", "for=1.2.3.4;host=\"example.com:8443\";proto=https")], "https://example.com:8443/m", &[Scheme, Host]),
    ("https://inner/m", &[("X-Original-Host", "a.example, example.com")], "https://example.com/m", &[Host]),
    // A proxy strips a prefix, adds one or rewrites the path.
    ("https://example.com/m", PREFIXED, "https://example.com/twilio/m", &[PathPrefix]),
    ("http://10.0.0.7:8080/m", PREFIXED, "https://example.com/twilio/m", &[Scheme, Host, PathPrefix]),
    ("https://h/internal/m", &[], "https://h/m", &[PathPrefix]),
    ("http://h/internal/v2/m", &[], "https://h/m", &[Scheme, PathPrefix]),
    ("http://10.0.0.7/m", PUBLIC_BASE, "https://example.com/twilio/m", &[Scheme, Host, PathPrefix]),
    ("http://10.0.0.7/m", PUBLIC_BASE, "https://example.com/m", &[Scheme, Host]),
    ("https://example.com/m", PUBLIC_WHOLE, "https://example.com/hook", &[PathPrefix]),
    ("https://h/m/", &[], "https://h/m", &[TrailingSlash]),
    ("https://h/m?a=1", &[], "https://h/m/?a=1", &[TrailingSlash]),
    ("http://h/m", &[], "https://h/m/", &[Scheme, TrailingSlash]),
    ("https://h/m", PREFIXED, "https://h/twilio/m/", &[PathPrefix, TrailingSlash]),
    // Another spelling, which a lenient proxy lets through.
    ("https://example.com/m", &[], "https://Example.com/m", &[HostCase]),
    ("https://h/p/m", &[], "https://h/P/M", &[PathSpelling]),
    ("https://h/m", &[], "https://h//m", &[PathSpelling]),
    ("http://h/~m", &[], "https://h/%7Em", &[Scheme, PathSpelling]),
    // The query.
    ("https://h/m?a=1&b=2", &[], "https://h/m?b=2&a=1", &[QueryOrder]),
    ("https://h/m?a=1&b=2&c=3&d=4&e=5", &[], "https://h/m?c=3&a=1&e=5&d=4&b=2", &[QueryOrder]),
    ("https://h/m?a=x+y", &[], "https://h/m?a=x%20y", &[QueryEncoding]),
    ("https://h/m?a=x%20y", &[], "https://h/m?a=x+y", &[QueryEncoding]),
    ("https://h/m?a=+1415", &[], "https://h/m?a=%2B1415", &[QueryEncoding]),
    ("https://h/m?a=x y:/", &[], "https://h/m?a=x%20y%3A%2F", &[QueryEncoding]),
    ("https://h/m?a=x%20y%3D", &[], "https://h/m?a=x y=", &[QueryEncoding]),
    ("https://h/m?a=%3ax", &[], "https://h/m?a=%3Ax", &[QueryEncoding]),
    ("http://h/m?b=+1&a=2", &[], "https://h/m?a=2&b=%2B1", &[Scheme, QueryOrder, QueryEncoding]),
    ("https://h/m", ORIGINAL, "https://h/twilio/m?a=1&b=2", &[PathPrefix, QueryMissing]),
    ("https://h/m", &[("X-Original-URL", "/m?a=1")], "https://h/m?a=1", &[QueryMissing]),
    ("https://h/m?a=1", &[("X-Forwarded-Uri", "/m?a=1&b=2")], "https://h/m?a=1&b=2", &[QueryMissing]),
    ("https://h/m", PUBLIC_WHOLE, "https://h/m?a=1", &[QueryMissing]),
    ("http://h/m", PUBLIC_WHOLE, "https://example.com/hook?a=1", &[Scheme, Host, PathPrefix, QueryMissing]),
    ("https://h/m?a=1&proxy=x", &[], "https://h/m?a=1", &[ParamsExtra]),
    // User info.
    ("https://h/m", BASIC, "https://user:pass@h/m", &[Userinfo]),
    ("http://h:8080/m", BASIC, "https://user:pass@h/m", &[Scheme, Port, Userinfo]),
    ("https://user:pass@h/m", &[], "https://h/m", &[Userinfo]),
    ("http://h/m", &[("public", "https://user:p@example.com")], "https://user:p@example.com/m", &[Scheme, Host, Userinfo]),
    // WebSockets.
    ("https://h/m", &[], "wss://h/m", &[WebsocketScheme]),
    ("http://h/m", &[("Upgrade", "websocket")], "wss://h/m", &[Scheme, WebsocketScheme]),
    ("http://h/m?a=1", &[], "ws://h/m?a=1", &[WebsocketScheme]),
    ("wss://h/m", &[], "https://h/m", &[WebsocketScheme]),
    ("ws://10.0.0.7/m", FORWARDED, "wss://example.com/m", &[Scheme, Host]),
];

#[test]
fn urls_that_deployments_change_are_found() {
    for (seen, hints, signed, causes) in CHANGED_URLS {
        assert_explained(Seen::get(seen).hints(hints), signed, "", causes);
        if !signed.starts_with("ws") && !seen.starts_with("ws") {
            let form = Seen::form(seen, "b=2&a=+1").hints(hints);
            assert_explained(form, signed, "a 1b2", causes);
        }
    }
}

#[test]
fn parameters_that_frameworks_change_are_found() {
    let cases: &[(&str, &str, &[Cause])] = &[
        ("Body=+hi+&From=x", "BodyhiFromx", &[ParamsTrimmed]),
        ("Body=hi&From=x", "Bodyhi Fromx", &[ParamsTrimmed]),
        ("Body=hi&From=x", "Body hiFromx", &[ParamsTrimmed]),
        ("Body=hi%0A&From=x", "BodyhiFromx", &[ParamsTrimmed]),
        ("Body=&From=x&City=", "Fromx", &[ParamsDropped]),
        ("Body=&From=x&City=", "CityFromx", &[ParamsDropped]),
        ("a=2&a=1&b=3", "a1b3", &[ParamsDropped]),
        ("a=2&a=1&b=3", "a2b3", &[ParamsDropped]),
        ("a=1&a=1&b=3", "a1a1b3", &[ParamsDropped]),
        ("Body=100%2525&b=1", "Body100%b1", &[ParamsDecodedTwice]),
        ("From=+1415&b=1", "From+1415b1", &[PlusNotEscaped]),
        ("Body=x%0Ay&b=1", "Bodyx\r\nyb1", &[LineEnds]),
        ("Body=x%0D%0Ay&b=1", "Bodyx\nyb1", &[LineEnds]),
        ("RnJvbT14JlRvPXk=", "FromxToy", &[FormAsBase64]),
        ("From=%2B1415&b=1", "From%2B1415b1", &[ParamsDecodedTwice]),
        ("From=x&Added=y&To=z", "FromxToz", &[ParamsExtra]),
        ("From=x&Added=y&Also=z", "Fromx", &[ParamsExtra]),
        ("From=x&q=1", "Fromx", &[ParamsExtra]),
        ("From=x", "Fromxq1", &[ParamsExtra]),
        (
            "Body=+hi&City=&From=x",
            "BodyhiFromx",
            &[ParamsTrimmed, ParamsDropped],
        ),
        (
            "Body=+hi&City=&From=x",
            "BodyhiFromxq1",
            &[ParamsTrimmed, ParamsDropped, ParamsExtra],
        ),
    ];
    let url = "https://h/m?q=1";
    for (body, params, causes) in cases {
        assert_explained(Seen::form(url, body), url, params, causes);
        // Beside another cause.
        let with_scheme: Vec<_> = [Scheme].iter().chain(*causes).copied().collect();
        if causes.len() < 3 {
            assert_explained(
                Seen::form("http://h/m?q=1", body),
                url,
                params,
                &with_scheme,
            );
        }
    }
    assert_explained(Seen::get(url), url, "q1", &[ParamsExtra]);
}

#[test]
fn bodies_that_are_covered_otherwise_or_not_at_all_are_found() {
    let body = r#"{"b":"2","a":1}"#;
    let url = "https://h/m?x=1";
    let (with_hash, other_hash) = (hashed(url, body), hashed(url, "{}"));
    let form_hash = hashed(url, "a=1");
    let (empty_hash, plain) = (format!("{url}&{EMPTY_HASH}"), "text/plain");
    let get = |seen: Seen<'static>| Seen {
        method: "GET",
        ..seen
    };
    #[rustfmt::skip]
    let cases: &[(&str, Seen<'_>, &str, &str, &[Cause])] = &[
        ("replaced body", Seen::json(&other_hash, body), &other_hash, "", &[BodyHash]),
        ("members signed", Seen::json(url, body), url, "a1b2", &[FormAsJson]),
        ("members signed beside a hash", Seen::json(&with_hash, body), &with_hash, "a1b2", &[FormAsJson]),
        ("appended body", Seen::json(url, body), url, body, &[BodyHash]),
        ("no hash", Seen::json(url, body), url, "", &[BodyUnsigned]),
        ("no hash, other scheme", Seen::json("http://h/m?x=1", body), url, "", &[Scheme, BodyUnsigned]),
        ("lost hash", Seen::json(url, body), &with_hash, "", &[QueryMissing]),
        ("lost query", Seen::json("https://h/m", body), &format!("https://h/m?bodySHA256={}", body_sha256(body)), "", &[QueryMissing]),
        ("form with a hash", Seen::form(&form_hash, "a=1"), &form_hash, "", &[BodyHash]),
        ("form without one", Seen::form(url, "a=1"), url, "", &[BodyUnsigned]),
        ("lost content type", Seen { content_type: "", ..Seen::form(url, "a=1") }, url, "a1", &[ContentTypeMissing]),
        ("other content type", Seen { content_type: plain, ..Seen::form(url, "a=1&b=") }, url, "a1b", &[BodyHash]),
        ("lost body", Seen::json(&with_hash, ""), &with_hash, "", &[BodyHash]),
        ("form that adds nothing", Seen::form(&with_hash, "&"), &with_hash, "", &[BodyHash]),
        ("GET with a body", get(Seen::form("https://h/m?x=1", "a=1")), url, "", &[BodyUnsigned]),
        ("hash of nothing", Seen::json(&empty_hash, body), &empty_hash, "", &[BodyHash]),
    ];
    for (name, seen, url, params, causes) in cases {
        println!("{name}");
        assert_explained(*seen, url, params, causes);
    }
}

#[test]
fn missing_and_garbled_signatures_are_found() {
    let (validator, form) = (validator(), Seen::form("https://h/m", "a=1").request());
    let explainer = Explainer::new(&validator);
    let explanation = explainer.explain(&form);
    assert_eq!(explanation.causes, [SignatureMissing]);
    assert_eq!(explanation.matched_url, None);
    assert_eq!(explanation.advice, SignatureMissing.advice());

    let from_twilio = Explainer::new(&validator).header("User-Agent", "TwilioProxy/1.1");
    let explanation = from_twilio.explain(&form);
    assert_eq!(explanation.causes, [SignatureMissing]);
    assert!(
        explanation.advice.contains("so a proxy removed the header"),
        "{explanation:?}"
    );

    let genuine = sign_form("https://h/m", "a=1");
    let garbled = [
        format!(" {genuine} "),
        format!("\"{genuine}\""),
        format!("{genuine},{genuine}"),
        genuine.replace('=', ""),
        genuine.replace('=', "%3D"),
        genuine.replace('+', "-").replace('/', "_") + " ",
    ];
    for signature in &garbled {
        let explanation = explainer.explain(&form.signature(signature));
        assert_eq!(explanation.causes, [SignatureMalformed], "{signature}");
        assert_eq!(
            explanation.matched_url.as_deref(),
            Some("https://h/m"),
            "{signature}"
        );
    }
    for signature in ["", "?", "AAAA", "\u{e9}", &"A".repeat(100_000)] {
        let explanation = explainer.explain(&form.signature(signature));
        assert_eq!(explanation.causes, [SignatureMalformed], "{signature}");
        assert_eq!(explanation.matched_url, None, "{signature}");
    }
    let two = form.signature(&genuine).signature(FORGED);
    assert_eq!(explainer.explain(&two).causes, [SignatureMalformed]);
    let quoted = format!("'{genuine}'");
    let elsewhere = WebhookRequest::new("POST", "http://h/m").content_type(FORM);
    let elsewhere = elsewhere.body("a=1").signature(&quoted);
    assert_eq!(
        explainer.explain(&elsewhere).causes,
        [SignatureMalformed, Scheme]
    );
}

#[test]
fn other_keys_are_found() {
    let token = |text: &str| AuthToken::new(text).unwrap();
    let shared = |id: &str, secret| SharedKey::new(id, secret).unwrap();
    let known = shared("K1", "secret one");
    let own = RequestValidator::with_keys([token("own")], [known.clone()]).unwrap();
    let explainer = Explainer::new(&own)
        .other_token(token("old"))
        .other_token(token("sub"))
        .other_shared_key(shared("K2", "secret two"));
    let url = "https://h/m";
    let request = WebhookRequest::new("GET", url);
    let signed_by = |key: &str, settings: Option<&str>| {
        let keys = match key {
            "K1" => RequestValidator::with_keys([], [known.clone()]),
            "K2" => RequestValidator::with_keys([], [shared("K2", "secret two")]),
            token_text => RequestValidator::new([token(token_text)]),
        };
        let request = match settings {
            Some(settings) => request.signature_settings(settings),
            None => request,
        };
        keys.unwrap().sign(&request).unwrap()
    };
    let sha256 = |id| match id {
        "K1" => "key=K1,algorithm=HMAC_SHA256",
        _ => "key=K2,algorithm=HMAC_SHA256",
    };
    let shared_key = &[Cause::SharedKey][..];
    #[rustfmt::skip]
    let cases: &[(&str, String, Option<&str>, &[Cause], bool)] = &[
        ("other token", signed_by("sub", None), None, &[Token], true),
        ("settings lost", signed_by("K1", Some("key=K1")), None, shared_key, true),
        ("settings lost, SHA-256", signed_by("K1", Some(sha256("K1"))), None, shared_key, true),
        ("settings lost, unknown key", signed_by("K2", Some(sha256("K2"))), None, shared_key, true),
        ("unknown key", signed_by("K2", Some(sha256("K2"))), Some(sha256("K2")), shared_key, true),
        ("another key", signed_by("K2", Some(sha256("K2"))), Some(sha256("K1")), shared_key, true),
        ("another algorithm", signed_by("K1", Some(sha256("K1"))), Some("key=K1"), shared_key, true),
        ("token with settings", signed_by("own", None), Some("key=K1"), shared_key, true),
        ("other token with settings", signed_by("old", None), Some("key=K1"), shared_key, true),
        ("malformed settings", signed_by("own", None), Some("K1"), shared_key, true),
        ("unknown algorithm", signed_by("own", None), Some("key=K1,algorithm=none"), shared_key, true),
        ("key that nobody knows", signed_by("nobody", None), Some("key=K9"), shared_key, false),
        ("SHA-256 by nobody", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned(), None, shared_key, false),
        ("nobody's token", signed_by("nobody", None), None, &[Unknown], false),
    ];
    for (name, signature, settings, causes, matches) in cases {
        for (seen, other) in [(url, &[][..]), ("http://h/m", &[Scheme][..])] {
            let mut request = WebhookRequest::new("GET", seen).signature(signature);
            if let Some(settings) = settings {
                request = request.signature_settings(settings);
            }
            let explanation = explainer.explain(&request);
            let other = other.iter().filter(|_| *matches);
            let expected: Vec<_> = other.chain(*causes).copied().collect();
            assert_eq!(explanation.causes, expected, "{name}: {explanation:?}");
            assert_eq!(explanation.matched_url.is_some(), *matches, "{name}");
            for secret in ["own", "old", "sub ", "secret one", "secret two", signature] {
                let text = format!(
                    "{explainer:?}{}",
                    explanation.matched_url.as_deref().unwrap_or("")
                );
                assert!(!text.contains(secret), "{name}: {text}");
            }
        }
    }
    let explanation = explainer.explain(&request.signature(&signed_by("sub", None)));
    assert!(
        explanation.advice.ends_with("number 2 of the other tokens"),
        "{explanation:?}"
    );

    // An app that knows SharedKeys alone, and a request that names none.
    let shared_only = RequestValidator::with_keys([], [known.clone()]).unwrap();
    let signature = signed_by("K1", Some("key=K1"));
    let explanation = Explainer::new(&shared_only).explain(&request.signature(&signature));
    assert_eq!(explanation.causes, shared_key);
}

#[test]
fn advice_names_the_setting_and_its_value() {
    let forwarded = [
        ("X-Forwarded-Host", "example.com"),
        ("X-Forwarded-Prefix", "/p"),
    ];
    let cases = [
        (
            "http://10.0.0.7:8080/m?a=s3cr3t",
            "https://example.com/p/m?a=s3cr3t",
            "to https://example.com/p",
        ),
        ("http://h/m", "https://h:8443/m", "to https://h:8443"),
        (
            "http://h/internal/m",
            "https://h/m",
            "validate_twilio_request(url = \"https://h/m\")",
        ),
        (
            "https://h/m?a=1&b=2",
            "https://h/m?b=2&a=1",
            QueryOrder.advice(),
        ),
    ];
    for (seen, signed, advice) in cases {
        let explanation = Seen::get(seen).hints(&forwarded).explain(signed);
        assert!(explanation.advice.contains(advice), "{explanation:?}");
        assert!(!explanation.advice.contains("s3cr3t"), "{explanation:?}");
    }
    let basic = [("Authorization", "Basic dXNlcjpwYXNz")];
    let explanation = Seen::get("http://h/m")
        .hints(&basic)
        .explain("https://user:pass@h/m");
    assert!(!explanation.advice.contains("pass@"), "{explanation:?}");
    // What prevents a verdict is told with the advice, whatever else is wrong.
    let compressed = Seen::get("https://h/m").request().content_encoding("gzip");
    let signature = sign_text("https://h/m");
    let validator = validator();
    let explanation = Explainer::new(&validator).explain(&compressed.signature(&signature));
    assert_eq!(explanation.causes, [Unknown]);
    assert!(
        explanation.advice.contains("compressing"),
        "{explanation:?}"
    );
}

#[test]
fn search_for_what_was_never_signed_ends() {
    let unsigned = "neither this nor anything like it";
    let explanation = Seen::get("http://example.com/m").explain(unsigned);
    assert_eq!(
        (explanation.causes, explanation.matched_url),
        (vec![Unknown], None)
    );
    assert!(!explanation.gave_up, "{}", explanation.advice);
    assert!(
        explanation.advice.contains("Auth Token"),
        "{}",
        explanation.advice
    );

    let many: Vec<_> = (0..60).map(|n| format!("name{n}=+value{n}")).collect();
    let many = many.join("&");
    let large = format!("a={}&b=+", "x".repeat(1 << 20));
    let larger = format!("a={}&b=+", "x".repeat(17 << 20));
    let pairs = "a&".repeat(1 << 19);
    let query = format!("http://h/m?{}", "a=%20&".repeat(10_000));
    let slashes = format!("http://h{}", "/".repeat(100_000));
    let cases = [
        (
            "many parameters",
            Seen::form("http://h:1/a/b/c?x=1&y=+2&z=3", &many),
        ),
        ("a large body", Seen::form("http://h/m", &large)),
        ("a larger body", Seen::form("http://h/m", &larger)),
        ("many pairs", Seen::form("http://h/m?a=1", &pairs)),
        ("a long query", Seen::form(&query, "a=1")),
        ("many slashes", Seen::form(&slashes, &many)),
    ];
    for (name, seen) in cases {
        let start = Instant::now();
        let explanation = seen.explain(unsigned);
        println!("{name}: {:?}", start.elapsed());
        assert_eq!(explanation.causes, [Unknown], "{name}");
        assert!(explanation.gave_up, "{name}");
        assert!(
            explanation.advice.contains("gave up"),
            "{name}: {}",
            explanation.advice
        );
    }
    // Many keys are bounded by the bytes.
    let validator = validator();
    let explainer = (0..2_000).fold(Explainer::new(&validator), |explainer, n| {
        explainer.other_token(AuthToken::new(format!("token {n}")).unwrap())
    });
    let request = Seen::form("http://h/m", &many).request();
    let explanation = explainer.explain(&request.signature(FORGED));
    assert!(explanation.gave_up && explanation.causes == [Unknown]);
}

#[test]
fn search_without_a_key_of_the_signatures_algorithm_ends() {
    // An HMAC-SHA256 by nobody, and an app without a SharedKey.
    let signature = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let seen = Seen::form("http://h:8080/a/b/c?x=1&y=+2", "a=1&b=+2&c=&a=2").request();
    let validator = validator();
    let explanation = Explainer::new(&validator).explain(&seen.signature(signature));
    assert_eq!(explanation.causes, [Cause::SharedKey]);
    assert!(!explanation.gave_up, "{explanation:?}");
}

#[test]
fn host_in_another_case_is_a_cause_and_the_base_is_proposed() {
    let seen = Seen::form("https://Hooks.Example.ORG/sms", "Body=Hi");
    let url = "https://hooks.example.org/sms";
    let explanation = assert_explained(seen, url, "BodyHi", &[HostCase]);
    assert_eq!(
        explanation.advice,
        "set TWILIO_WEBHOOK_BASE_URL, or public_url, to https://hooks.example.org"
    );
}

#[test]
fn wrong_url_of_a_route_is_corrected_by_the_url_that_arrived() {
    let validator = validator();
    let seen = Seen::form("https://example.com/messages", "Body=Hi");
    for signed in [
        "https://example.com/message",
        "https://example.com/message/",
    ] {
        let signature = sign_text(&format!("{signed}BodyHi"));
        let request = seen.request().signature(&signature);
        let explainer = Explainer::new(&validator).url_from(UrlSetting::WholeRoute);
        assert_eq!(explainer.explain(&request).causes, [Unknown]);
        let explanation = explainer.may_be_for("/message").explain(&request);
        assert_eq!(explanation.causes, [PathPrefix], "{explanation:?}");
        assert_eq!(
            explanation.advice,
            format!("set url of the route to {signed}")
        );
    }
}

#[test]
fn request_that_is_valid_behind_a_trusted_proxy_says_so() {
    let proxied: &[(&str, &[(&str, &str)], &str)] = &[
        ("http://10.0.0.7/m", FORWARDED, "https://example.com/m"),
        (
            "http://h/m",
            &[("X-Forwarded-Proto", "https")],
            "https://h/m",
        ),
        (
            "http://h/m",
            &[(
                "Forwarded",
                "for=1.2.3.4, for=5.6.7.8;host=\"e.example:8443\";proto=https",
            )],
            "https://e.example:8443/m",
        ),
        (
            "http://h/m",
            &[
                ("X-Forwarded-Host", "evil, e.example"),
                ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-Port", "8443"),
            ],
            "https://e.example:8443/m",
        ),
    ];
    let validator = validator();
    let of = |seen: Seen<'_>, signed: &str, trusted: bool| {
        let explainer = seen.explainer(&validator);
        let explainer = if trusted {
            explainer.proxy_may_be_trusted()
        } else {
            explainer
        };
        let signature = sign_text(signed);
        explainer.explain(&seen.request().signature(&signature))
    };
    for (seen, headers, signed) in proxied {
        let seen = Seen::get(seen).hints(headers);
        let explanation = of(seen, signed, true);
        assert!(
            explanation
                .advice
                .contains(", or trust the proxy (trusted_proxies)"),
            "{signed}: {explanation:?}"
        );
        assert!(
            !of(seen, signed, false).advice.contains("trust"),
            "{signed}"
        );
    }
    // The leftmost value is what the client sent.
    let seen = Seen::get("http://h/m").hints(&[("X-Forwarded-Host", "evil.example, e.example")]);
    let explanation = of(seen, "http://evil.example/m", true);
    assert_eq!(explanation.causes, [Host]);
    assert!(!explanation.advice.contains("trust"), "{explanation:?}");
}

#[test]
fn signature_of_another_product_is_a_cause() {
    let validator = validator();
    let explainer = Explainer::new(&validator);
    let explainer = explainer.header("X-Twilio-Email-Event-Webhook-Signature", "MEUCIQD0");
    let seen = Seen::json("https://h/m", "[]").request();
    let explanation = explainer.explain(&seen);
    assert_eq!(explanation.causes, [Cause::OtherProduct]);
    assert!(
        explanation
            .advice
            .starts_with("this is SendGrid's signature: this crate does not validate it"),
        "{explanation:?}"
    );
    // One beside Twilio's own says nothing.
    let signature = sign_text("http://h/m");
    let explanation = explainer.explain(&Seen::get("https://h/m").request().signature(&signature));
    assert_eq!(explanation.causes, [Scheme]);
}

#[test]
fn simple_explanations_are_found_in_large_requests() {
    let body = format!("Body={}&From=x", "y".repeat(300_000));
    let params = format!("Body{}Fromx", "y".repeat(300_000));
    assert_explained(
        Seen::form("http://h:8080/m", &body),
        "https://h/m",
        &params,
        &[Scheme, Port],
    );
}

#[test]
fn hostile_requests_are_explained_without_panic() {
    let texts = [
        "",
        "?",
        "#",
        "://",
        "http://",
        "http:///",
        "http://@",
        "http://[",
        "http://]:@[/?#",
        "HTTP://\u{e9}\u{1f4de}:x/%/%e9?%&%=+#%",
        "a&b=c&&=&%00",
        "\u{0}\u{fffd}",
        "{\"a\":{\"b\":[]}}",
    ];
    let validator = validator();
    let mut cases = Vec::new();
    for text in texts {
        cases.push([text, "a=1", ""]);
        cases.push(["http://h/m", text, ""]);
        cases.push(["http://h/m", "", text]);
        cases.push([text; 3]);
    }
    for [url, body, hint] in cases {
        let headers = [
            "Host",
            "Forwarded",
            "X-Original-URL",
            "X-Forwarded-Prefix",
            "Authorization",
        ];
        let explainer = headers
            .iter()
            .fold(Explainer::new(&validator), |explainer, name| {
                explainer.header(name, hint)
            });
        let request = WebhookRequest::new("POST", url).content_type(FORM);
        let explanation = explainer.explain(&request.body(body).signature(FORGED));
        assert_eq!(explanation.causes, [Unknown], "{url} {body} {hint}");
        assert!(!explanation.valid, "{url} {body} {hint}");
    }
}

#[test]
fn odd_public_urls_are_refused() {
    let validator = validator();
    for url in [
        "",
        "example.com",
        "/path",
        "ftp://example.com",
        "https://",
        "https:///x",
        "//h",
    ] {
        let err = Explainer::new(&validator).public_url(url).unwrap_err();
        assert_eq!(err.setting(), "public URL", "{url}");
    }
}

#[test]
fn causes_have_their_names() {
    let names: Vec<_> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
    assert_eq!(
        names,
        [
            "signature_missing",
            "other_product",
            "signature_malformed",
            "scheme",
            "host",
            "host_case",
            "port",
            "path_prefix",
            "path_spelling",
            "trailing_slash",
            "query_order",
            "query_encoding",
            "query_missing",
            "userinfo",
            "params_trimmed",
            "params_dropped",
            "line_ends",
            "plus_not_escaped",
            "params_decoded_twice",
            "params_extra",
            "content_type_missing",
            "form_as_json",
            "form_as_base64",
            "body_hash",
            "body_unsigned",
            "websocket_scheme",
            "token",
            "shared_key",
            "unknown",
        ]
    );
    assert!(
        Cause::ALL
            .iter()
            .all(|cause| cause.to_string() == cause.as_str())
    );
    assert!(!TOKEN.is_empty());
}
