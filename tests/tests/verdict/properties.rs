//! What holds for all requests: each property is tried on some hundred that are made up, and on more with
//! `PROPERTY_CASES=100000 cargo test -p actix-twilio-tests --release properties::`.

use std::{collections::BTreeSet, env};

use actix_twilio::{
    AuthToken, RequestValidator,
    explain::{
        Cause::{
            Host, PathPrefix, Port, QueryEncoding, QueryMissing, QueryOrder, Scheme, TrailingSlash,
            Unknown, Userinfo, WebsocketScheme,
        },
        Explainer,
    },
    keys::MatchedKey,
    signature::{
        SignatureErrorKind::{
            BodyHashMismatch, SignatureConflicting, SignatureMalformed, SignatureMismatch,
        },
        body_sha256,
    },
};
use actix_twilio_tests::{
    FORM, hashed,
    reference::{self, Keys, Request},
    targets::same_verdict,
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn cases() -> Config {
    let cases = env::var("PROPERTY_CASES").ok();
    Config {
        cases: cases.map_or(200, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..Config::default()
    }
}

/// Any text, among them regular URLs, URLs that nearly are, and nonsense.
fn url() -> impl Strategy<Value = String> {
    const SCHEMES: &[&str] = &["https://", "http://", "wss://", "ws://"];
    const ODD_SCHEMES: &[&str] = &["HTTPS://", "ftp://", "://", "https:/", ""];
    const USERS: &[&str] = &["user:pass@", "u@evil.example@", "@", "[::1]:1@"];
    const HOSTS: &[&str] = &["example.com", "h", "[2001:db8::7]", "10.0.0.1"];
    const ODD_HOSTS: &[&str] = &["2001:db8::7", "\u{e9}.example", "", "x]"];
    const PORTS: &[&str] = &["", ":443", ":80", ":8443", ":0"];
    const ODD_PORTS: &[&str] = &[":", ":0443", ":65536", ":x", ":+1"];
    const PATHS: &[&str] = &["", "/", "/hook", "/hook/", "/%27", "//", "/a:1", "/@b:2/"];
    const FRAGMENTS: &[&str] = &["", "rc=2", "?x", "#", "?bodySHA256=00"];

    let mostly = |usual, odd| prop_oneof![9 => select(usual), 1 => select(odd)];
    let scheme = mostly(SCHEMES, ODD_SCHEMES);
    let user = mostly(&[""], USERS);
    let host = mostly(HOSTS, ODD_HOSTS);
    let port = mostly(PORTS, ODD_PORTS);
    let path = select(PATHS);
    let query = option::of(vec(query_piece(), 0..5).prop_map(|pieces| pieces.concat()));
    let fragment = option::weighted(0.2, select(FRAGMENTS));
    let near = (scheme, user, host, port, path, query, fragment).prop_map(
        |(scheme, user, host, port, path, query, fragment)| {
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            let fragment = fragment.map(|text| format!("#{text}")).unwrap_or_default();
            [scheme, user, host, port, path, &query, &fragment].concat()
        },
    );
    prop_oneof![8 => near, 1 => any::<String>(), 1 => "[ -~]{0,20}"]
}

fn query_piece() -> impl Strategy<Value = String> {
    let known = select(
        &[
            "a=1",
            "b=%27",
            "%40",
            "c=%3A%3a",
            "%2527",
            "x=%",
            "?",
            "&",
            "&&",
            "=",
            "'",
            "@",
            ":",
            "+",
            "\u{e9}",
            "bodySHA256",
            "&bodySHA256=",
            "bodysha256=1",
            "&xbodySHA256=1",
            "&body%53HA256=1",
            "/",
            "u=http://h:1/",
        ][..],
    );
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => "[ -~]{0,4}"]
}

/// Any bytes, among them those that mean something in a form, and names that start alike.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: &[&[u8]] = &[
        b"a",
        b"b",
        b"A",
        b"=",
        b"&",
        b"%",
        b"+",
        b" ",
        b"%4",
        b"%41",
        b"\0",
        b"\xff",
        b"\r\n",
        b"\xc3\xa9",
        b"MessagingBinding.Address",
        b"Media",
        b"aaaaaaaa",
    ];
    prop_oneof![
        3 => vec(select(PIECES), 0..4).prop_map(|pieces| pieces.concat()),
        1 => vec(any::<u8>(), 0..24),
    ]
}

/// Decoded parameters, with repeats.
fn parameters() -> impl Strategy<Value = Pairs> {
    let pair = (bytes(), bytes());
    (vec(pair, 0..12), vec(any::<Index>(), 0..3)).prop_map(|(mut pairs, repeats)| {
        if !pairs.is_empty() {
            pairs.extend(
                repeats
                    .iter()
                    .map(|repeat| repeat.get(&pairs).clone())
                    .collect::<Vec<_>>(),
            );
        }
        pairs
    })
}

/// A secret of any length that R15 accepts.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-f]{32}",
        any::<String>(),
        // Longer than a block of the hashes.
        "[ -~]{60,70}",
    ]
    .prop_filter("anyone could sign with an invisible one", |secret| {
        AuthToken::new(secret).is_ok()
    })
}

fn one_token(token: &str) -> Keys {
    let tokens = vec![token.to_owned()];
    Keys {
        tokens,
        ..Keys::default()
    }
}

/// Writes a form. Of bytes that may stand for themselves, `escapes` says which are escaped.
fn encode(pairs: &Pairs, escapes: u64) -> Vec<u8> {
    let mut escapes = escapes;
    let mut encode = |text: &[u8]| -> Vec<u8> {
        let mut encoded = Vec::new();
        for &byte in text {
            escapes = escapes.rotate_left(1);
            let may_stand = !b"&=+%".contains(&byte);
            match byte {
                b' ' if escapes & 2 == 0 => encoded.push(b'+'),
                _ if may_stand && escapes & 1 == 0 => encoded.push(byte),
                _ if escapes & 4 == 0 => encoded.extend(format!("%{byte:02x}").bytes()),
                _ => encoded.extend(format!("%{byte:02X}").bytes()),
            }
        }
        encoded
    };
    let pairs = pairs
        .iter()
        .map(|(name, value)| [encode(name), encode(value)].join(&b'='));
    pairs.collect::<Vec<_>>().join(&b'&')
}

fn form(url: &str, pairs: &Pairs, escapes: u64) -> Request {
    let mut body = encode(pairs, escapes);
    if reference::may_be_json(&body) {
        body = encode(pairs, u64::MAX);
    }
    Request::new("POST", url, body).form()
}

/// A request whose body is hashed in its URL. Without another hash and a fragment, that is.
fn json(url: &str, body: &[u8]) -> Request {
    let url = url.replace('#', "").replace("bodySHA256=", "");
    let url = if url.contains('?') { url } else { url + "?" };
    let mut req = Request::new("POST", &hashed(&url, body), body);
    req.content_type.push(b"application/json".into());
    req
}

fn genuine(validator: &RequestValidator, req: &Request) -> Request {
    req.signed(validator.sign(&req.webhook()).unwrap())
}

/// A change of one byte of a text: another one in its place, one more, or one less.
#[derive(Debug, Clone)]
enum Change {
    Replace(Index, u8),
    Insert(Index, u8),
    Remove(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let byte = prop_oneof![any::<u8>(), select(&b"/:?#&=%@+ .0"[..])];
    (any::<Index>(), byte, 0..3).prop_map(|(at, byte, way)| match way {
        0 => Change::Replace(at, byte),
        1 => Change::Insert(at, byte),
        _ => Change::Remove(at),
    })
}

impl Change {
    /// Returns the changed text, or nothing if that is no change.
    fn of(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut changed = text.to_vec();
        match *self {
            Self::Insert(at, byte) => changed.insert(at.index(text.len() + 1), byte),
            _ if text.is_empty() => return None,
            Self::Replace(at, byte) => *at.get_mut(&mut changed) = byte,
            Self::Remove(at) => {
                changed.remove(at.index(text.len()));
            }
        }
        (changed != text).then_some(changed)
    }

    /// Returns the changed text, or nothing if that is no change or no text.
    fn of_text(&self, text: &str) -> Option<String> {
        String::from_utf8(self.of(text.as_bytes())?).ok()
    }
}

/// Checks what becomes of a genuine request in which one byte of the URL or of a parameter was changed: it is
/// refused, unless it is signed by the same text. A request that is can differ in two ways only:
///
/// - R10: its URL stands for the signed one, as a candidate that is not the URL as it is;
/// - R6: its pairs are the same, but for identical repeats and pairs of nothing with nothing.
fn assert_refused_or_same_text(
    validator: &RequestValidator,
    keys: &Keys,
    genuine: &Request,
    changed: &Request,
) -> Result<(), TestCaseError> {
    let signed = &reference::signed_texts(genuine)[0];
    let changed = changed.signed(&*genuine.signature[0]);
    let texts = reference::signed_texts(&changed);
    let verdict = same_verdict(validator, keys, &changed);
    if !texts.contains(signed) {
        prop_assert_eq!(verdict, Err(SignatureMismatch));
        return Ok(());
    }
    let (_, url) = verdict.unwrap();
    let distinct = |req: &Request| -> BTreeSet<_> {
        let pairs = reference::pairs(&req.body).into_iter();
        pairs
            .filter(|(name, value)| !name.is_empty() || !value.is_empty())
            .collect()
    };
    prop_assert!(
        url != changed.url || (url == genuine.url && distinct(&changed) == distinct(genuine)),
        "{:?} passes for {:?}",
        changed,
        genuine
    );
    Ok(())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_is_signed_is_accepted(
        url in url(), pairs in parameters(), body in bytes(), escapes: u64, secret in secret(), id in "[!-+.-~]{1,9}",
    ) {
        let keys = Keys { tokens: vec![secret.clone()], shared: vec![(id.clone(), secret)] };
        let validator = keys.validator().unwrap();
        // A form without text counts as an empty body, whose hash must be right if the URL has one.
        let no_text = pairs.iter().all(|(name, value)| name.is_empty() && value.is_empty());
        let url_of_form = if no_text { url.replace("bodySHA256=", "") } else { url.clone() };
        let requests = [
            form(&url_of_form, &pairs, escapes),
            json(&url, &body),
            Request::new("GET", &url, ""),
            Request::new("HEAD", &url, ""),
        ];
        for req in requests {
            for settings in [String::new(), format!("key={id}"), format!("algorithm=HMAC_SHA256, key={id}")] {
                let key = match &*settings {
                    "" => MatchedKey::AuthToken(0),
                    _ => MatchedKey::SharedKey(id.clone()),
                };
                let req = Request { settings: vec![settings.into_bytes()], ..req.clone() };
                let req = genuine(&validator, &req);
                prop_assert_eq!(same_verdict(&validator, &keys, &req), Ok((key, req.url.clone())));
            }
        }
    }

    #[test]
    fn order_escapes_and_identical_repeats_do_not_matter(
        url in url(), (pairs, shuffled) in parameters().prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle())),
        escapes: u64, others: u64, repeated: Index,
    ) {
        let validator = one_token("12345").validator().unwrap();
        let url = url.replace("bodySHA256=", "");
        let signed = genuine(&validator, &form(&url, &pairs, escapes));
        let mut shuffled = shuffled;
        if !shuffled.is_empty() {
            shuffled.push(repeated.get(&shuffled).clone());
        }
        let sent = form(&url, &shuffled, others).signed(&*signed.signature[0]);
        prop_assert!(validator.validate(&sent.webhook()).is_ok(), "{:?}", sent);
    }

    #[test]
    fn a_changed_byte_of_the_url_is_refused(
        url in url(), pairs in parameters(), body in bytes(), changes in vec(change(), 8),
    ) {
        let keys = one_token("12345");
        let validator = keys.validator().unwrap();
        let without_hash = url.replace("bodySHA256=", "");
        let get = Request::new("GET", &url, "");
        for req in [form(&without_hash, &pairs, 0), json(&url, &body), get] {
            let genuine = genuine(&validator, &req);
            for url in changes.iter().filter_map(|change| change.of_text(&req.url)) {
                let changed = Request { url, ..req.clone() };
                assert_refused_or_same_text(&validator, &keys, &genuine, &changed)?;
            }
        }
    }

    #[test]
    fn a_changed_byte_of_a_name_or_value_is_refused(
        url in url(), pairs in parameters(), pair: Index, of_name: bool, escapes: u64, changes in vec(change(), 8),
    ) {
        prop_assume!(!pairs.is_empty());
        let keys = one_token("12345");
        let validator = keys.validator().unwrap();
        let url = url.replace("bodySHA256=", "");
        let genuine = genuine(&validator, &form(&url, &pairs, escapes));
        for change in changes {
            let mut pairs = pairs.clone();
            let (name, value) = pair.get_mut(&mut pairs);
            let part = if of_name { name } else { value };
            let Some(changed) = change.of(part) else { continue };
            *part = changed;
            let changed = form(&url, &pairs, escapes);
            assert_refused_or_same_text(&validator, &keys, &genuine, &changed)?;
        }
    }

    #[test]
    fn a_changed_byte_of_a_form_on_the_wire_is_refused(
        url in url(), pairs in parameters(), escapes: u64, changes in vec(change(), 8),
    ) {
        let keys = one_token("12345");
        let validator = keys.validator().unwrap();
        let genuine = genuine(&validator, &form(&url.replace("bodySHA256=", ""), &pairs, escapes));
        let signed = &reference::signed_texts(&genuine)[0];
        for body in changes.iter().filter_map(|change| change.of(&genuine.body)) {
            let changed = Request { body, ..genuine.clone() };
            // R6: where a name ends and its value begins, and where the next name, is not signed.
            let same_text = reference::signed_texts(&changed).contains(signed);
            let verdict = same_verdict(&validator, &keys, &changed);
            prop_assert_eq!(verdict.err(), (!same_text).then_some(SignatureMismatch));
        }
    }

    #[test]
    fn a_changed_byte_of_the_body_or_its_hash_is_refused(url in url(), body in bytes(), changes in vec(change(), 8)) {
        let keys = one_token("12345");
        let validator = keys.validator().unwrap();
        let genuine = genuine(&validator, &json(&url, &body));
        let hash = body_sha256(&body);
        let before_hash = genuine.url.strip_suffix(&hash).unwrap();
        for change in changes {
            if let Some(body) = change.of(&body) {
                let changed = Request { body, ..genuine.clone() };
                prop_assert_eq!(same_verdict(&validator, &keys, &changed), Err(BodyHashMismatch));
            }
            if let Some(hash) = change.of_text(&hash) {
                let url = format!("{before_hash}{hash}");
                let changed = Request { url, ..genuine.clone() };
                assert_refused_or_same_text(&validator, &keys, &genuine, &changed)?;
            }
        }
    }

    #[test]
    fn a_changed_byte_of_the_signature_is_refused(
        url in url(), pairs in parameters(), algorithm in select(&["HMAC_SHA1", "HMAC_SHA256"][..]), changes in vec(change(), 8),
    ) {
        let keys = Keys { tokens: vec![], shared: vec![("K1".to_owned(), "secret".to_owned())] };
        let validator = keys.validator().unwrap();
        let mut req = form(&url.replace("bodySHA256=", ""), &pairs, 0);
        req.settings.push(format!("key=K1,algorithm={algorithm}").into());
        let genuine = genuine(&validator, &req);
        let signature = &genuine.signature[0];
        for changed in changes.iter().filter_map(|change| change.of(signature)) {
            let verdict = same_verdict(&validator, &keys, &req.signed(&*changed));
            let expected = [SignatureMalformed, SignatureMismatch];
            prop_assert!(verdict.is_err_and(|kind| expected.contains(&kind)));
            // Beside the genuine one, it is a second value.
            let mut both = genuine.clone();
            both.signature.push(changed);
            prop_assert_eq!(same_verdict(&validator, &keys, &both), Err(SignatureConflicting));
        }
    }

    #[test]
    fn a_changed_byte_of_the_key_is_refused(
        url in url(), pairs in parameters(), secret in secret(),
        algorithm in select(&["", "HMAC_SHA1", "HMAC_SHA256"][..]), changes in vec(change(), 8),
    ) {
        let keys_of = |secret: &str| match algorithm {
            "" => one_token(secret),
            _ => Keys { tokens: vec![], shared: vec![("K1".to_owned(), secret.to_owned())] },
        };
        let validator = keys_of(&secret).validator().unwrap();
        let mut req = form(&url.replace("bodySHA256=", ""), &pairs, 0);
        if !algorithm.is_empty() {
            req.settings.push(format!("key=K1,algorithm={algorithm}").into());
        }
        let genuine = genuine(&validator, &req);
        for changed in changes.iter().filter_map(|change| change.of_text(&secret)) {
            // HMAC fills short keys up with zeros: zeros at the end are the one thing that it does not see.
            let same_key = changed.trim_end_matches('\0') == secret.trim_end_matches('\0')
                && changed.len().max(secret.len()) <= 64;
            match AuthToken::new(&changed) {
                Ok(_) => {
                    let keys = keys_of(&changed);
                    let verdict = same_verdict(&keys.validator().unwrap(), &keys, &genuine);
                    prop_assert_eq!(verdict.is_ok(), same_key);
                }
                Err(_) => prop_assert!(!changed.contains(|c: char| c.is_ascii_graphic())),
            }
        }
    }
}

/// More pairs than 16 bits count, within the default limit of a body.
#[test]
fn any_number_of_parameters_is_signed_as_the_reference_signs_it() {
    let keys = one_token("12345");
    let validator = keys.validator().unwrap();
    for count in [64, 65, 65_535, 65_536, 70_000] {
        let pair = |number| match number * 7 % 11 {
            0 => "a=1".to_owned(),
            1 => "b".to_owned(),
            _ => format!("{}", number * 31 % 97),
        };
        let body = (0..count).map(pair).collect::<Vec<_>>().join("&");
        let mut req = form("https://example.com/", &vec![], 0);
        req.body = body.into_bytes();
        let genuine = genuine(&validator, &req);
        assert!(same_verdict(&validator, &keys, &genuine).is_ok(), "{count}");
        let mut forged = genuine;
        forged.body.extend(b"&c");
        assert_eq!(
            same_verdict(&validator, &keys, &forged),
            Err(SignatureMismatch),
            "{count}"
        );
    }
}

/// A header's values: mostly one, at times more.
fn header(values: &'static [&'static str]) -> impl Strategy<Value = Vec<Vec<u8>>> {
    let value = prop_oneof![
        6 => select(values).prop_map(|value| value.as_bytes().to_vec()),
        1 => bytes(),
    ];
    prop_oneof![
        2 => Just(vec![]),
        8 => vec(value.clone(), 1),
        1 => vec(value, 2),
    ]
}

/// What is put in the place of a signature.
#[derive(Debug, Clone)]
enum Signing {
    /// The genuine one over the candidate of this number.
    Candidate(Index),
    /// That of another request.
    Text(Vec<u8>),
    /// A genuine one whose text was changed.
    Broken(Change),
    Noise(Vec<u8>),
}

fn signing() -> impl Strategy<Value = Vec<Signing>> {
    let one = prop_oneof![
        8 => any::<Index>().prop_map(Signing::Candidate),
        2 => url().prop_map(|url| Signing::Text(url.into_bytes())),
        2 => change().prop_map(Signing::Broken),
        1 => bytes().prop_map(Signing::Noise),
    ];
    prop_oneof![12 => vec(one.clone(), 1), 1 => vec(one, 0..3)]
}

prop_compose! {
    fn hostile()(
        method in select(&["POST", "POST", "GET", "HEAD", "PUT", "get", ""][..]),
        url in url(),
        body in prop_oneof![Just(vec![]), bytes(), (parameters(), any::<u64>()).prop_map(|(pairs, escapes)| encode(&pairs, escapes))],
        hash in 0..5,
        below in any::<bool>(),
        content_type in header(&[
            FORM, FORM, "Application/X-WWW-Form-URLEncoded; charset=UTF-8", "application/json", "",
            "application/x-www-form-urlencoded; charset=latin1", "application/x-www-form-urlencoded;a=\";charset=utf-8\"",
            "application/x-www-form-urlencoded; charset =utf-8", "application/x-www-form-urlencoded;charset=\"utf-8\";",
            "application/x-www-form-urlencoded, application/json",
        ]),
        content_encoding in prop_oneof![4 => Just(vec![]), 1 => header(&["identity", " Identity", "gzip", ""])],
        settings in prop_oneof![3 => Just(vec![]), 2 => header(&[
            "key=K1", "key=K1,algorithm=HMAC_SHA256", "algorithm=HMAC_SHA1 , key=K1", "key=K2", " ", "key=", "algorithm=none,key=K1",
            "key=K1,key=K1", "key=K1,new=1,new=2", "key=K1,", "Key=K1", "key=K1,algorithm=HMAC_SHA512",
        ])],
    ) -> Request {
        let mut url = url;
        let hash_of: &[u8] = if hash == 1 { b"" } else { &body };
        if hash < 3 {
            let mark = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{mark}bodySHA256={}", body_sha256(hash_of));
        }
        // Often the whole path, so that the app's own is the root.
        let path = url.split(['?', '#']).next().unwrap_or_default().splitn(4, '/').nth(3);
        let base_path = path.filter(|_| below).map(|path| format!("/{}", path.strip_suffix('/').unwrap_or(path)));
        let base_path = base_path.unwrap_or_default();
        Request { method: method.to_owned(), url, base_path, content_type, content_encoding, signature: vec![], settings, body }
    }
}

fn hostile_keys() -> Keys {
    Keys {
        tokens: vec!["12345".to_owned(), "next".to_owned()],
        shared: vec![("K1".to_owned(), "secret".to_owned())],
    }
}

/// Returns a genuine signature for a text, by the key that the request names, if it names one well.
fn genuine_by(keys: &Keys, req: &Request, text: &[u8]) -> Vec<u8> {
    let signature = reference::sign_by_settings(keys, &req.settings, text);
    signature
        .unwrap_or_else(|| reference::sign_by_token(keys, text))
        .into_bytes()
}

fn sent(keys: &Keys, req: Request, signing: &[Signing]) -> Request {
    let texts = reference::signed_texts(&req);
    let genuine = |text: &[u8]| genuine_by(keys, &req, text);
    let signature = signing.iter().map(|signing| match signing {
        Signing::Candidate(at) => genuine(at.get::<Vec<u8>>(&texts)),
        Signing::Text(text) => genuine(text),
        Signing::Broken(change) => change.of(&genuine(&texts[0])).unwrap_or_default(),
        Signing::Noise(noise) => noise.clone(),
    });
    let signature = signature.collect();
    Request { signature, ..req }
}

proptest! {
    #![proptest_config(Config { cases: 10 * cases().cases, ..cases() })]

    #[test]
    fn fast_path_equals_the_reference(req in hostile(), signing in signing()) {
        let keys = hostile_keys();
        let validator = keys.validator().unwrap();
        let sent = sent(&keys, req, &signing);
        let verdict = same_verdict(&validator, &keys, &sent);

        // What can be signed here is signed as the reference signs it, and what can't would be refused.
        match validator.sign(&sent.webhook()) {
            Ok(signature) => {
                let text = &reference::signed_texts(&sent)[0];
                prop_assert_eq!(signature.into_bytes(), genuine_by(&keys, &sent, text));
            }
            Err(err) => prop_assert!(verdict.is_err(), "{} but {:?}", err, verdict),
        }
    }
}

/// The comparison is worth something only if requests come near to being accepted, and near to each way of
/// being refused.
#[test]
fn hostile_requests_get_every_verdict() {
    let keys = hostile_keys();
    let mut runner = TestRunner::deterministic();
    let (mut accepted, mut rewritten, mut kinds) = (0, 0, BTreeSet::new());
    for _ in 0..3_000 {
        let made = (hostile(), signing()).new_tree(&mut runner).unwrap();
        let (req, signing) = made.current();
        let sent = sent(&keys, req, &signing);
        match reference::verdict(&keys, &sent) {
            Ok((_, url)) => {
                accepted += 1;
                rewritten += usize::from(url != sent.url);
            }
            Err(kind) => {
                kinds.insert(kind.as_str());
            }
        }
    }
    assert!(accepted > 300 && rewritten > 100, "{accepted}, {rewritten}");
    let all = [
        "algorithm_unknown",
        "body_hash_conflicting",
        "body_hash_mismatch",
        "body_hash_missing",
        "charset_unsupported",
        "content_type_conflicting",
        "encoding_unsupported",
        "key_unknown",
        "settings_malformed",
        "signature_conflicting",
        "signature_malformed",
        "signature_mismatch",
        "signature_missing",
    ];
    assert_eq!(kinds, BTreeSet::from(all));
}

/// A URL that Twilio signed, the one that the app saw in its place, and the host of the first.
fn moved_url() -> impl Strategy<Value = (String, String, &'static str)> {
    const PARTS: [&[&str]; 5] = [
        &["https://", "http://", "wss://", "ws://"],
        &["example.com", "user:pass@example.com", "[::1]", "10.0.0.7"],
        &["", ":443", ":80", ":8443"],
        &["/hook", "/hook/", "/p/hook", "/", ""],
        &["", "?b=2&a=%27", "?a=%27&b=2", "?b=2&a='", "?b=2", "?"],
    ];
    let both = |signed: &'static str, choices: &'static [&str]| {
        prop_oneof![3 => Just(signed), 1 => select(choices)].prop_map(move |seen| (signed, seen))
    };
    let varied = move |choices: &'static [&str]| {
        select(choices).prop_flat_map(move |text| both(text, choices))
    };
    let [scheme, host, port, path, query] = PARTS.map(varied);
    (scheme, host, port, path, query).prop_map(|(scheme, host, port, path, query)| {
        let parts = [scheme, host, port, path, query];
        let (_, signed_host) = host.0.rsplit_once('@').unwrap_or(("", host.0));
        let (signed, seen) = parts.into_iter().unzip::<_, _, String, String>();
        (signed, seen, signed_host)
    })
}

proptest! {
    // A search for what does not match takes long.
    #![proptest_config(Config { cases: cases().cases / 5, ..cases() })]

    #[test]
    fn explanations_are_true_and_a_forgery_has_none(
        (signed, seen, host) in moved_url(), anywhere in option::weighted(0.1, url()), pairs in parameters(),
        body in bytes(), kind in 0..3,
    ) {
        let request = |url: &str| match kind {
            0 => form(&url.replace("bodySHA256=", ""), &pairs, 0),
            1 => json(url, &body),
            _ => Request::new("GET", url, ""),
        };
        let seen = request(&anywhere.unwrap_or(seen));
        let [validator, stranger] = ["12345", "54321"].map(|token| one_token(token).validator().unwrap());
        let explainer = Explainer::new(&validator).header("X-Forwarded-Host", host);
        for (signer, forges) in [(&validator, false), (&stranger, true)] {
            let signature = genuine(signer, &request(&signed)).signature.remove(0);
            let req = seen.signed(signature);
            let found = explainer.explain(&req.webhook());
            prop_assert_eq!(found.valid, validator.validate(&req.webhook()).is_ok());
            prop_assert!(!forges || found.matched_url.is_none(), "{:?}", req);
            // A WebSocket is opened by a GET alone.
            let odd = kind != 2 && req.url.starts_with("ws");
            let says_why = found.valid || found.matched_url.is_none() || found.causes != [Unknown];
            prop_assert!(odd || says_why, "{:?}", req);
            let of_url = [
                Host, PathPrefix, Port, QueryEncoding, QueryMissing, QueryOrder, Scheme, TrailingSlash, Userinfo,
                WebsocketScheme,
            ];
            let url_is_all = found.causes.iter().all(|cause| of_url.contains(cause));
            if let Some(url) = found.matched_url && url_is_all {
                let moved = Request { url, ..req };
                prop_assert!(validator.validate(&moved.webhook()).is_ok(), "{:?}", moved);
            }
        }
    }
}
