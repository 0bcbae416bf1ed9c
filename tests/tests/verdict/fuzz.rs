//! The fuzz targets on the stable toolchain: all seeds, and a bounded number of mutations of them.
//!
//! The seeds in `fuzz/seeds` are made from the documented cases and from the texts below. After a change here,
//! `WRITE_SEEDS=1 cargo test -p actix-twilio-tests fuzz::` writes them anew. `FUZZ_ROUNDS` sets the number
//! of mutations. Fuzzing itself, guided by coverage, is `scripts/fuzz`.

use std::{collections::BTreeSet, env, fs, panic, path::PathBuf};

use actix_twilio_tests::{FORM, targets::TARGETS, vectors};

/// Seeds beside those of the documented cases.
const MORE: &[(&str, &[&[u8]])] = &[
    (
        "params",
        &[
            b"b=2&a=1&a=%31&a=\na=1&b=2&&a",
            b"Reason=Participant&ReasonConferenceEnded=test",
            b"a[b]=1&a.b=+%20%2B%zz%4&=x&%00=%ff&\xc3\xa9=\xff",
            b"MediaUrl10=c&MediaUrl1=b&MediaUrl0=a&MediaUrl00000000000000001=d\nMediaUrl1=b",
        ],
    ),
    (
        "url",
        &[
            b"https://user:pass@[2001:db8::7]:8443/x?a=%27%40%3A&b=%3a#rc=2",
            b"wss://h/x?b=2&a=%27&b=1\nwss://h:443/x/a'b1b2",
            b"https://h/\nhttps://h",
            b"https://h:0443/\nhttps://h/",
            b"HTTPS://h\xc3\xa9:443/?bodySHA256=1&bodySHA256=2",
        ],
    ),
    (
        "signature_header",
        &[
            b"s*",
            b"s*1",
            b"s*\nkkey=K1,algorithm=HMAC_SHA256",
            b"s*\nkalgorithm=HMAC_SHA1 , key=K=\xc3\xa9\nk ",
            b"s*\ns*\nkkey=K1",
            b"s*\nsAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            b"s*\nkkey=K1,algorithm=none",
            b"sAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
            b"s AAAAAAAAAAAAAAAAAAAAAAAAAAA=,AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ],
    ),
    (
        "forwarded",
        &[
            b"Host: example.com",
            b"Host: [2001:db8::7]:8443\nX-Forwarded-Proto: https",
            b"Host: in\nX-Forwarded-Host: evil, a.example\nX-Forwarded-Proto: http, wss\nX-Forwarded-Port: 8443",
            b"Host: in\nX-Original-Host: a:81\nX-Forwarded-Port: 80\nX-Forwarded-Prefix: /a, /b/",
            b"Host: in\nForwarded: host=evil, for=\"[::1],x\";host=\"a\\\":1\";proto=https",
            b"Host: in\nForwarded: for=1;proto=HTTPS;host=\"a:1\"\nForwarded: host=b",
            b"Host: in\nUpgrade: websocket\nConnection: keep-alive, Upgrade\nSec-WebSocket-Key: eA==",
        ],
    ),
    (
        "request",
        &[
            b"POST http://user@in/hook?x=%27 far\nHost: in\nX-Twilio-Signature: *3\nX-Forwarded-Prefix: /p",
            b"GET /media?a=1\nHost: in\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: eA==\nX-Twilio-Signature: *5\n\nframes",
            b"POST /hook stranger\nHost: in\nX-Forwarded-Host: evil\nContent-Type: application/x-www-form-urlencoded\nX-Twilio-Signature: *\nContent-Length: 3\n\na=1",
            b"POST /hook\nHost: in\nContent-Length: 1025\nX-Twilio-Signature: *",
            b"POST /hook\nHost: in\nContent-Encoding: gzip\nX-Twilio-Signature: *",
            b"PUT /hook\nHost: in\nX-Twilio-Signature: *\nX-Twilio-Webhooks-Signature-Settings: algorithm=HMAC_SHA256,key=K1\n\n",
            b"* *\nHost: in\nX-Twilio-Signature: *",
            b"POST http://user@in?x=%27 far\nHost: in\nX-Twilio-Signature: *",
            b"POST http://in?hook?x%3A7\nContent-Type: application/x-www-form-urlencoded\nX-Twilio-Signature: *\n\na=1",
        ],
    ),
    (
        "accounts",
        &[
            b"a\nAccountSid=AC0000000000000000000000000000000a\napplication/json\n{}",
            b"b\n\napplication/x-www-form-urlencoded\nFrom=1&AccountSid=AC0000000000000000000000000000000b",
            b"a\n\napplication/json\n{\"AccountSid\":\"AC0000000000000000000000000000000a\"}",
            b"b\n\napplication/cloudevents-batch+json\n[{\"data\":{\"account_sid\":\"AC0000000000000000000000000000000b\"}}]",
            b"a\n\ntext/plain\n[{\"data\":{\"accountSid\":\"AC0000000000000000000000000000000a\"}},{\"data\":{\"accountSid\":\"AC0000000000000000000000000000000b\"}}]",
            br#"b

application/json
{"AccountSid":"AC0000000000000000000000000000000b","data":{"s":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00","n":[null,true,false,-1,0,-0.0,12.5e-3,1E+9,1e-400,123456789012345678901234567890.5,0.12345678901234567890123456789]}}"#,
            br#"m

application/json
{"a":[[],{},1e309,-1E-309],"\ud800":"\udc00","AccountSid":1.0e+1}"#,
            br#"m

application/json
{"x":"&AccountSid=AC0000000000000000000000000000000b&"}"#,
            b"m\n\n\nAccount%53id=AC1",
            b"m\n#&AccountSid=AC0000000000000000000000000000000b\n\n",
        ],
    ),
    (
        "twiml",
        &[
            b"<Response/>",
            b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>\n  <Gather input=\"dtmf speech\" numDigits=\"1\" action=\"/a\">\n    <Say>Press 1</Say>\n  </Gather>\n  <Redirect>/b</Redirect>\n</Response>",
            b"<Response><Dial action=\"/a\" timeout=\"5\"><Number url=\"/w\" statusCallback=\"/s\" statusCallbackEvent=\"answered completed\">+1</Number><Client><Identity>joe</Identity></Client></Dial><Say>x</Say></Response>",
            b"<Response><Dial><Conference waitUrl='' statusCallback='/c' statusCallbackEvent='start end join'>room</Conference></Dial></Response>",
            b"<Response><Record action='/a' transcribe='true' transcribeCallback='/t' recordingStatusCallback='/r' recordingStatusCallbackEvent='completed absent'/><Hangup/></Response>",
            b"<Response><Enqueue waitUrl='/w' action='/a'>q</Enqueue><Leave/></Response>",
            b"<Response><Connect action='/a'><ConversationRelay url='wss://h/x'><Language code='en-US'/><Parameter name='a' value='b'/></ConversationRelay></Connect></Response>",
            b"<Response><Start><Stream url='wss://h' statusCallback='/s'/></Start><Stop><Stream name='a'/></Stop><Refer action='/a'><Sip>sip:a@h</Sip></Refer></Response>",
            b"<Response><Pay input='dtmf' chargeAmount='1' action='/a'><Prompt for='security-code' attempt='1 2'><Say>x</Say></Prompt></Pay></Response>",
            b"<Response><Message action='/a' statusCallback='/s'><Body>Hi</Body><Media>https://h/1.png</Media></Message><Redirect method='GET'>/b?c=1&amp;d=2</Redirect></Response>",
            b"<Response><Say voice='Polly.Amy' language='en-GB' loop='0'>a <break time='1s'/><prosody rate='x-slow'><lang xml:lang='fr-FR'>b</lang></prosody>&#33;<![CDATA[<c>]]></Say></Response>",
            b"<Response><Sms to='+1' statusCallback='/s'>x</Sms><Play digits='1w#'/><Pause length='2'/><Reject reason='busy'/></Response>",
            b"<Response><Says langauge=\"en\" language=\"en\" language=\"de\"><Message/></Says>&amp;<!-- c --></Response>",
            b"<!DOCTYPE a [<!ENTITY b \"c\">]><Response>&b;</Response>",
            b"\xef\xbb\xbf<Response xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:a='b'><a:b xmlns:a='c'/></Response>",
            b"<response/>\xff",
            b"<Response><Leave/\n</Respo>",
            b"1 < 2 & \"3\" \x00\x0b\t\r\n ]]>",
        ],
    ),
];

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";

fn folder(target: &str) -> PathBuf {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    tests.join("../fuzz/seeds").join(target)
}

/// Makes forms of so many pairs that sorting takes all its ways with them.
fn many_pairs() -> [String; 5] {
    const PAIRS: usize = 300;
    let orders: [fn(usize) -> usize; 5] = [
        |index| index,
        |index| PAIRS - index,
        |_| 0,
        |index| index.min(PAIRS - index),
        |index| index * 149 % PAIRS,
    ];
    orders.map(|order| {
        let letter = |number| char::from(LETTERS[number % LETTERS.len()]);
        let names = (0..PAIRS).map(order);
        let pairs = names.map(|name| format!("{}{}", letter(name / LETTERS.len()), letter(name)));
        pairs.collect::<Vec<_>>().join("&")
    })
}

/// Makes the seeds of a target, in a fixed order.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let (_, more) = MORE.iter().find(|(name, _)| *name == target).unwrap();
    let mut seeds = BTreeSet::new();
    for vector in vectors() {
        let body = vector.body.unwrap_or_default();
        let content_type = vector.content_type.unwrap_or_default();
        let (scheme, rest) = vector.url.split_once("://").unwrap();
        let (host, path) = rest.split_at(rest.find('/').unwrap());
        let headers = format!("Host: {host}\nX-Forwarded-Proto: {scheme}");
        let seed = match target {
            "params" => body,
            "url" => vector.url,
            "signature_header" => format!("s{}", vector.signature.unwrap_or_default()),
            "forwarded" => headers,
            "request" => format!(
                "{} {path}\n{headers}\nContent-Type: {content_type}\nX-Twilio-Signature: *\n\n{body}",
                vector.method
            ),
            "accounts" => format!("m\n\n{content_type}\n{body}"),
            // Its documents say nothing of requests.
            "twiml" => break,
            other => panic!("{other} has no seeds"),
        };
        if seed.len() < 4_096 {
            seeds.insert(seed.into_bytes());
        }
    }
    for pairs in many_pairs() {
        let seed = match target {
            "params" => pairs,
            "url" => format!("wss://h/?{pairs}"),
            "request" => format!(
                "POST /hook?{pairs}\nHost: in\nContent-Type: {FORM}\nX-Twilio-Signature: *\n\n{pairs}"
            ),
            "accounts" => format!("m\n{pairs}\n{FORM}\n{pairs}"),
            _ => break,
        };
        seeds.insert(seed.into_bytes());
    }
    seeds.extend(more.iter().map(|seed| seed.to_vec()));
    seeds.into_iter().collect()
}

#[test]
fn seeds_are_in_the_repository() {
    for (target, _) in TARGETS {
        let folder = folder(target);
        let seeds = seeds(target);
        let path = |index| folder.join(format!("{index:02}"));
        if env::var_os("WRITE_SEEDS").is_some() {
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            for (index, seed) in seeds.iter().enumerate() {
                fs::write(path(index), seed).unwrap();
            }
        }
        for (index, seed) in seeds.iter().enumerate() {
            let file = fs::read(path(index)).ok();
            assert_eq!(
                file.as_ref(),
                Some(seed),
                "{target} {index}: write the seeds anew"
            );
        }
        assert_eq!(
            fs::read_dir(&folder).unwrap().count(),
            seeds.len(),
            "{target}"
        );
    }
}

/// Mutates as a fuzzer does, but blindly, and always in the same way.
struct Mutator(u64);

impl Mutator {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        const TELLING: &[u8] = b"&=%+:;,/?#@[]\"\\ \n*0aA\0\xff";
        match self.below(2) {
            0 => TELLING[self.below(TELLING.len())],
            _ => u8::try_from(self.below(256)).unwrap(),
        }
    }

    fn mutation(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut data = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            let at = self.below(data.len() + 1);
            match self.below(5) {
                0 => data.insert(at, self.byte()),
                1 if at < data.len() => data[at] = self.byte(),
                2 if at < data.len() => {
                    data.remove(at);
                }
                3 => {
                    let other = &seeds[self.below(seeds.len())];
                    let start = self.below(other.len());
                    data.truncate(at);
                    data.extend_from_slice(&other[start..]);
                }
                _ => {
                    let end = (at + self.below(12)).min(data.len());
                    let part = data[at..end].to_vec();
                    let to = self.below(data.len() + 1);
                    data.splice(to..to, part);
                }
            }
        }
        data
    }
}

#[track_caller]
fn replay(target: &str) {
    let rounds = env::var("FUZZ_ROUNDS").map_or(500, |rounds| rounds.parse().unwrap());
    let (_, run) = TARGETS
        .into_iter()
        .find(|(name, _)| *name == target)
        .unwrap();
    let seeds = seeds(target);
    let mut mutator = Mutator(0x5eed_5eed_5eed);
    let mutations: Vec<_> = (0..rounds).map(|_| mutator.mutation(&seeds)).collect();
    for data in seeds.iter().chain(&mutations) {
        let passes = panic::catch_unwind(|| run(data)).is_ok();
        assert!(
            passes,
            "{target} fails for {:?}",
            data.escape_ascii().to_string()
        );
    }
}

#[test]
fn params_are_signed_as_the_reference_signs_them() {
    replay("params");
}

#[test]
fn urls_have_the_candidates_of_the_reference() {
    replay("url");
}

#[test]
fn signature_headers_are_read_as_the_reference_reads_them() {
    replay("signature_header");
}

#[test]
fn forwarded_headers_lead_to_the_url_of_the_reference() {
    replay("forwarded");
}

#[test]
fn whole_requests_get_the_verdict_of_the_reference() {
    replay("request");
}

#[test]
fn no_account_speaks_for_another() {
    replay("accounts");
}

#[test]
fn documents_are_read_as_they_were_written_and_walks_end() {
    replay("twiml");
}
