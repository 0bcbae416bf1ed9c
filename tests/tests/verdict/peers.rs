//! The official SDKs as peers: what they sign is valid here, and what is signed here is valid there, but for
//! differences that are listed by name.
//!
//! `PEERS` is a folder with the virtual environment `venv` and with `node_modules`, both of the versions that
//! `data/peers` pins.

mod cases;
mod peer;
mod requests;

use actix_twilio::{AuthToken, RequestValidator, keys::SharedKey};
use actix_twilio_tests::{self as support, TOKEN, validator};
use rand::{SeedableRng, rngs::SmallRng, seq::IndexedRandom};

use super::sdks;

use self::{
    cases::{DIFFERENCES, FORGED, GENUINE, Make, OTHER_TEXTS, SECRET, SETTINGS},
    peer::{Peer, Question},
    requests::{Kind, Pair, Request},
};

/// Random requests of each case.
const REQUESTS: u64 = 200;

/// Random requests of a case, each time the same ones.
fn random(make: Make) -> impl Iterator<Item = Pair> {
    (0..REQUESTS).map(move |seed| make(&mut SmallRng::seed_from_u64(seed)))
}

fn is_valid(seen: &Request, signature: &str) -> bool {
    let request = seen.webhook().signature(signature);
    validator().validate(&request).is_ok()
}

/// Compares who takes requests with a signature. It is the same everywhere.
fn compare(peers: &mut [Peer], case: &str, takes: [bool; 3], make: Make) {
    let [here, by_peers @ ..] = takes;
    for pair in random(make) {
        let ours = pair.signed.signature();
        assert_eq!(is_valid(&pair.seen, &ours), here, "{case}, here: {pair:?}");
        for (peer, valid) in peers.iter_mut().zip(by_peers) {
            let case = format!("{case}, {}: {pair:?}", peer.name);
            let answer = peer.ask(&Question::new(&pair, &ours));
            assert_eq!(answer.signature, ours, "{case}");
            assert_eq!(answer.valid, valid, "{case}");
            let answer = peer.ask(&Question::new(&pair, support::FORGED));
            assert!(!answer.valid, "{case}: without a key");
        }
    }
}

#[test]
#[ignore = "needs Python and Node"]
fn official_sdks_and_this_library_agree_but_for_listed_differences() {
    let peers = &mut [Peer::python(), Peer::node()];
    for (case, make) in GENUINE {
        compare(peers, case, [true; 3], make);
    }
    for (case, make) in FORGED {
        compare(peers, case, [false; 3], make);
    }
    for (rule, case, takes, make) in DIFFERENCES {
        assert!(takes.contains(&true) && takes.contains(&false), "{case}");
        compare(peers, &format!("{rule}, {case}"), takes, make);
    }
}

#[test]
#[ignore = "needs Python and Node"]
fn official_sdks_sign_other_texts_in_listed_cases() {
    let peers = &mut [Peer::python(), Peer::node()];
    for (rule, case, alike, make) in OTHER_TEXTS {
        for pair in random(make) {
            let ours = pair.signed.signature();
            assert!(is_valid(&pair.seen, &ours), "{rule}, {case}: {pair:?}");
            for (peer, alike) in peers.iter_mut().zip(alike) {
                let case = format!("{rule}, {case}, {}: {pair:?}", peer.name);
                let answer = peer.ask(&Question::new(&pair, &ours));
                assert_eq!(answer.signature == ours, alike, "{case}");
                assert_eq!(answer.valid, alike, "{case}");
                assert_eq!(is_valid(&pair.seen, &answer.signature), alike, "{case}");
            }
        }
    }
}

#[test]
#[ignore = "needs Python and Node"]
fn shared_keys_of_the_python_sdk_are_those_of_this_library_but_for_listed_differences() {
    let token = AuthToken::new(TOKEN).unwrap();
    let key = SharedKey::new("K1", SECRET).unwrap();
    let validator = RequestValidator::with_keys([token], [key]).unwrap();
    let peer = &mut Peer::python();
    for (case, settings, secret, [here, there]) in SETTINGS {
        for pair in random(|rng| {
            let kind = *[Kind::Form, Kind::Get, Kind::Json].choose(rng).unwrap();
            Pair::of(kind, rng)
        }) {
            let changed = Pair::new(pair.seen.clone()).end("", "a");
            let case = format!("{case}: {pair:?}");
            let mut ask = |pair, signature| {
                peer.ask(&Question {
                    token: secret,
                    settings,
                    ..Question::new(pair, signature)
                })
            };
            let theirs = ask(&pair, "").signature;
            assert_eq!(ask(&pair, &theirs).valid, there, "{case}");
            assert!(!ask(&changed, &theirs).valid, "{case}: changed");

            let request = pair.seen.webhook().signature_settings(settings);
            if here {
                assert_eq!(validator.sign(&request).unwrap(), theirs, "{case}");
            }
            let verdict = validator.validate(&request.signature(&theirs));
            assert_eq!(verdict.is_ok(), here, "{case}");
            let request = changed.seen.webhook().signature_settings(settings);
            let verdict = validator.validate(&request.signature(&theirs));
            assert!(verdict.is_err(), "{case}: changed");
        }
    }
}

/// R15: with an empty token anyone can sign for the SDKs.
#[test]
#[ignore = "needs Python and Node"]
fn official_sdks_take_an_empty_token_and_this_library_does_not() {
    assert!(AuthToken::new("").is_err());
    for peer in &mut [Peer::python(), Peer::node()] {
        for pair in random(|rng| Pair::of(Kind::Form, rng)) {
            let mut ask = |signature| {
                peer.ask(&Question {
                    token: "",
                    ..Question::new(&pair, signature)
                })
            };
            let forged = ask("").signature;
            assert!(ask(&forged).valid, "{pair:?}");
        }
    }
}

/// `vectors/sdks.json` and `docs/how-twilio-signs.md` name the vectors that the SDKs judge otherwise.
#[test]
#[ignore = "needs Python and Node"]
fn official_sdks_judge_the_vectors_as_the_list_of_their_differences_says() {
    let vectors = support::vectors();
    for peer in &mut [Peer::python(), Peer::node()] {
        let sdk = sdks::sdks()
            .into_iter()
            .find(|sdk| sdk.language == peer.name);
        let asked = vectors
            .iter()
            .filter(|vector| sdks::is_asked(vector, peer.name));
        let differs = asked.filter(|vector| {
            let seen = &Request::of(vector);
            let question = Question {
                token: &vector.token,
                settings: vector.settings_header.as_deref().unwrap_or_default(),
                signed: seen,
                seen,
                signature: vector.signature.as_deref().unwrap_or_default(),
            };
            peer.ask(&question).valid != vector.is_genuine()
        });
        let differs: Vec<_> = differs.map(|vector| vector.name.clone()).collect();
        assert_eq!(Some(differs), sdk.unwrap().differs, "{}", peer.name);
    }
}
