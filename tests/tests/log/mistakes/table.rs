//! The mistakes.

use actix_twilio_tests::FORM;
use tracing::Level;

use super::{Mistake, Request, apps};

pub(super) const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub(super) const SUBACCOUNT: &str = "AC00000000000000000000000000000002";
/// The token of the account. The one of the documentation would be another mistake.
pub(super) const TOKEN: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
pub(super) const OTHER_TOKEN: &str = "fedcba9876543210fedcba9876543210";

const URL: &str = "https://example.com/message";
const SMS: &str = "AccountSid=AC00000000000000000000000000000001&Body=Hi+there&From=%2B14155550100\
                   &MessageSid=SM00000000000000000000000000000001&To=%2B14155550199";
const OF_SUBACCOUNT: &str = "AccountSid=AC00000000000000000000000000000002&Body=Hi+there\
                             &From=%2B14155550100&MessageSid=SM00000000000000000000000000000001";

const TOKEN_ONLY: Variables = &[("TWILIO_AUTH_TOKEN", TOKEN)];
const WITH_BASE: Variables = &[
    ("TWILIO_AUTH_TOKEN", TOKEN),
    ("TWILIO_WEBHOOK_BASE_URL", "https://example.com"),
];

type Variables = &'static [(&'static str, &'static str)];
type Headers = &'static [(&'static str, &'static str)];

/// What Twilio sends, and what a load balancer or ngrok adds.
const FORWARDED: Headers = &[
    ("Host", "example.com"),
    ("X-Forwarded-Proto", "https"),
    ("User-Agent", "TwilioProxy/1.1"),
    ("I-Twilio-Idempotency-Token", "9b1b2c3d"),
];

/// What curl sends through the same load balancer.
const CURL: Headers = &[
    ("Host", "example.com"),
    ("X-Forwarded-Proto", "https"),
    ("User-Agent", "curl/8.5.0"),
];

/// A genuine message, as Twilio sends it, behind a proxy that says what it forwards.
const GENUINE: Request = Request {
    method: "POST",
    url: URL,
    token: Some(TOKEN),
    form: Some(SMS),
    target: "/message",
    headers: FORWARDED,
    content_type: Some(FORM),
    body: SMS,
    peer: "10.0.0.1:41000",
};

const MISTAKE: Mistake = Mistake {
    made: "",
    fix: "",
    environment: WITH_BASE,
    app: apps::quickstart,
    level: Level::INFO,
    before: None,
    request: GENUINE,
};

pub(super) const MISTAKES: &[Mistake] = &[
    Mistake {
        made: "nginx passes the request on by a plain `proxy_pass`, so that `Host` is the app's own address",
        fix: "Set `TWILIO_WEBHOOK_BASE_URL=https://example.com`, or pass `Host` and `X-Forwarded-Proto` on.",
        environment: TOKEN_ONLY,
        request: Request {
            headers: &[("Host", "127.0.0.1:8080")],
            peer: "127.0.0.1:41000",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "nginx passes `Host` on, and not the scheme",
        fix: "Set `TWILIO_WEBHOOK_BASE_URL`, or `proxy_set_header X-Forwarded-Proto $scheme`.",
        environment: TOKEN_ONLY,
        request: Request {
            headers: &[("Host", "example.com")],
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The load balancer has a public address",
        fix: "Trust its network (`trusted_proxies`), or set the public URL.",
        environment: TOKEN_ONLY,
        request: Request {
            headers: &[
                ("Host", "10.0.0.7:8080"),
                ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-Host", "example.com"),
            ],
            peer: "203.0.113.5:41000",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "No proxy is trusted, and one is there",
        fix: "Trust it, or set the public URL.",
        environment: TOKEN_ONLY,
        app: apps::no_proxies,
        request: Request {
            headers: &[
                ("Host", "localhost:8080"),
                ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-Host", "example.com"),
            ],
            peer: "127.0.0.1:41000",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The public URL begins with `http://`, and Twilio has `https://`",
        fix: "Set it to `https://example.com`.",
        environment: &[
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_WEBHOOK_BASE_URL", "http://example.com"),
        ],
        ..MISTAKE
    },
    Mistake {
        made: "ngrok was started again and has another host; the public URL has the old one",
        fix: "Set the new host, or remove the public URL while you use ngrok.",
        environment: &[
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_WEBHOOK_BASE_URL", "https://old.ngrok.app"),
        ],
        request: Request {
            url: "https://new.ngrok.app/message",
            headers: &[
                ("Host", "new.ngrok.app"),
                ("X-Forwarded-Host", "new.ngrok.app"),
                ("X-Forwarded-Proto", "https"),
            ],
            peer: "127.0.0.1:41000",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "Twilio still has ngrok's old host, which another tunnel now serves",
        fix: "Set the new URL at Twilio.",
        environment: TOKEN_ONLY,
        request: Request {
            url: "https://old.ngrok.app/message",
            headers: &[
                ("Host", "new.ngrok.app"),
                ("X-Forwarded-Host", "new.ngrok.app"),
                ("X-Forwarded-Proto", "https"),
            ],
            peer: "127.0.0.1:41000",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The public URL has the route's path",
        fix: "Set it to `https://example.com`: the path is appended.",
        environment: &[
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_WEBHOOK_BASE_URL", "https://example.com/message"),
        ],
        ..MISTAKE
    },
    Mistake {
        made: "The proxy strips `/twilio`, and the public URL lacks it",
        fix: "Set it to `https://example.com/twilio`.",
        request: Request {
            url: "https://example.com/twilio/message",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The proxy strips `/twilio` and says so in `X-Forwarded-Prefix`, which does not count by default",
        fix: "Set the public URL with the prefix, or `forwarded_prefix(true)`.",
        environment: TOKEN_ONLY,
        request: Request {
            url: "https://example.com/twilio/message",
            headers: &[
                ("Host", "example.com"),
                ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-Prefix", "/twilio"),
            ],
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The proxy adds `/twilio` to the path",
        fix: "Set `url` on the route, or let the proxy keep the path.",
        app: apps::in_a_scope,
        request: Request {
            target: "/twilio/message",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The public URL has `www.`, and Twilio's URL does not",
        fix: "Set the host that Twilio has.",
        environment: &[
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_WEBHOOK_BASE_URL", "https://www.example.com"),
        ],
        ..MISTAKE
    },
    Mistake {
        made: "Twilio's URL is written `/Message`, and the proxy ignores case",
        fix: "Write the path at Twilio as the route has it.",
        request: Request {
            url: "https://example.com/Message",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "Twilio's URL has port 8443, and the public URL has none",
        fix: "Set it to `https://example.com:8443`.",
        request: Request {
            url: "https://example.com:8443/message",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The request passes two proxies, and one hop is trusted",
        fix: "Set `trusted_hops(2)`, or the public URL.",
        environment: TOKEN_ONLY,
        request: Request {
            headers: &[
                ("Host", "10.0.0.7"),
                ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-Host", "example.com, edge.internal"),
            ],
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "Twilio's URL ends in a slash, and `NormalizePath` is wrapped around the handler",
        fix: "Wrap `TwilioValidation` around `NormalizePath`, or set the URL without the slash at Twilio.",
        app: apps::normalized,
        request: Request {
            url: "https://example.com/message/",
            target: "/message/",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "Twilio's URL ends in a slash that the proxy removes",
        fix: "Set the URL without the slash at Twilio.",
        request: Request {
            url: "https://example.com/message/",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The proxy merges two slashes in the path",
        fix: "Set the URL with one slash at Twilio.",
        request: Request {
            url: "https://example.com//message",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The proxy decodes `%7E` in the path",
        fix: "Set the URL with `~` at Twilio, or pass the path on as it is.",
        app: apps::of_any_path,
        request: Request {
            url: "https://example.com/%7Emessage",
            target: "/~message",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The proxy encodes the query again: `%20` becomes `+`",
        fix: "Pass the query on as it is.",
        request: Request {
            url: "https://example.com/message?name=Jane%20Doe",
            target: "/message?name=Jane+Doe",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The proxy sorts the query",
        fix: "Pass the query on as it is.",
        request: Request {
            url: "https://example.com/message?b=1&a=2",
            target: "/message?a=2&b=1",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The proxy drops the query",
        fix: "Pass the query on.",
        request: Request {
            url: "https://example.com/message?tenant=5",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The proxy adds a parameter to the query",
        fix: "Pass the query on as it is.",
        request: Request {
            target: "/message?region=us",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The proxy rewrites the path, and has the old one in `X-Original-URI`",
        fix: "Pass the path on, or set `url` on the route.",
        request: Request {
            url: "https://example.com/webhooks/sms?tenant=5",
            headers: &[
                ("Host", "example.com"),
                ("X-Forwarded-Proto", "https"),
                ("X-Original-URI", "/webhooks/sms?tenant=5"),
            ],
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The route's option `url` has a typing error",
        fix: "Set the URL that Twilio has.",
        app: apps::of_another_url,
        ..MISTAKE
    },
    Mistake {
        made: "Twilio has `https://Example.com`",
        fix: "Write the host in lower case at Twilio.",
        request: Request {
            url: "https://Example.com/message",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "Twilio's URL has a user and a password, and the public URL does not",
        fix: "Remove them at Twilio.",
        request: Request {
            url: "https://bob:pa%2Fss@example.com/message",
            headers: &[
                ("Host", "example.com"),
                ("X-Forwarded-Proto", "https"),
                ("Authorization", "Basic Ym9iOnBhJTJGc3M="),
            ],
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The proxy drops `Upgrade`, so that a WebSocket arrives as an ordinary request",
        fix: "Pass `Upgrade` and `Connection` on.",
        request: Request {
            method: "GET",
            url: "wss://example.com/media",
            form: None,
            target: "/media",
            content_type: None,
            body: "",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The stream's URL in the TwiML has another host",
        fix: "Write the public host into the TwiML.",
        request: Request {
            method: "GET",
            url: "wss://stream.example.com/media",
            form: None,
            target: "/media",
            headers: &[
                ("Host", "example.com"),
                ("X-Forwarded-Proto", "https"),
                ("Upgrade", "websocket"),
                ("Connection", "Upgrade"),
                ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ],
            content_type: None,
            body: "",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The proxy sends its host with a path",
        fix: "Correct the header.",
        environment: TOKEN_ONLY,
        request: Request {
            headers: &[
                ("Host", "example.com"),
                ("X-Forwarded-Host", "https://example.com/"),
                ("X-Forwarded-Proto", "https"),
            ],
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "A Twilio Function sends Twilio's request on to the app",
        fix: "Sign it again with the app's URL, or set the app's URL at Twilio.",
        request: Request {
            url: "https://my-functions-1234.twil.io/sms",
            headers: &[
                ("Host", "example.com"),
                ("X-Forwarded-Proto", "https"),
                ("User-Agent", "axios/1.7.2"),
            ],
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The token is of another account",
        fix: "Copy the token of the account that owns the number.",
        request: Request {
            token: Some(OTHER_TOKEN),
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The token was rotated, and the app has the old one",
        fix: "Set `TWILIO_AUTH_TOKEN=old,new`, then the new one alone.",
        before: Some(GENUINE),
        request: Request {
            token: Some(OTHER_TOKEN),
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The secret of an API key is in the token's place",
        fix: "Set the account's Auth Token.",
        environment: &[
            ("TWILIO_AUTH_TOKEN", "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4"),
            ("TWILIO_WEBHOOK_BASE_URL", "https://example.com"),
        ],
        ..MISTAKE
    },
    Mistake {
        made: "The token lost its last character when it was copied",
        fix: "Copy it again.",
        environment: &[
            ("TWILIO_AUTH_TOKEN", "0a1b2c3d4e5f60718293a4b5c6d7e8f"),
            ("TWILIO_WEBHOOK_BASE_URL", "https://example.com"),
        ],
        ..MISTAKE
    },
    Mistake {
        made: "The token is in capitals",
        fix: "Copy it again.",
        environment: &[
            ("TWILIO_AUTH_TOKEN", "0A1B2C3D4E5F60718293A4B5C6D7E8F9"),
            ("TWILIO_WEBHOOK_BASE_URL", "https://example.com"),
        ],
        ..MISTAKE
    },
    Mistake {
        made: "A subaccount's number has a webhook, and the app has the main account's token",
        fix: "Use a key store with both accounts.",
        before: Some(GENUINE),
        request: Request {
            token: Some(OTHER_TOKEN),
            form: Some(OF_SUBACCOUNT),
            body: OF_SUBACCOUNT,
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "A subaccount's request is signed with the main account's token, and the key store has both",
        fix: "Find who signs it: Twilio signs with the subaccount's token.",
        app: apps::accounts,
        request: Request {
            form: Some(OF_SUBACCOUNT),
            body: OF_SUBACCOUNT,
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The key store lacks the account",
        fix: "Add it.",
        app: apps::one_account,
        request: Request {
            token: Some(OTHER_TOKEN),
            form: Some(OF_SUBACCOUNT),
            body: OF_SUBACCOUNT,
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The request names a SharedKey, and none is configured",
        fix: "Configure it with `shared_key`.",
        request: Request {
            token: Some(OTHER_TOKEN),
            headers: &[
                ("Host", "example.com"),
                ("X-Forwarded-Proto", "https"),
                (
                    "X-Twilio-Webhooks-Signature-Settings",
                    "key=WK1,algorithm=HMAC_SHA1",
                ),
            ],
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The SharedKey's secret is an old one",
        fix: "Set the new secret.",
        app: apps::shared_key,
        request: Request {
            headers: &[
                ("Host", "example.com"),
                ("X-Forwarded-Proto", "https"),
                (
                    "X-Twilio-Webhooks-Signature-Settings",
                    "key=WK1,algorithm=HMAC_SHA1",
                ),
            ],
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "Twilio uses an algorithm that this version does not know",
        fix: "Update actix-twilio.",
        request: Request {
            token: Some(OTHER_TOKEN),
            headers: &[
                ("Host", "example.com"),
                ("X-Forwarded-Proto", "https"),
                (
                    "X-Twilio-Webhooks-Signature-Settings",
                    "key=WK1,algorithm=HMAC_SHA512",
                ),
            ],
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "No token is set",
        fix: "Set `TWILIO_AUTH_TOKEN`.",
        environment: &[],
        ..MISTAKE
    },
    Mistake {
        made: "No token is set, and the app does not read its settings when it starts",
        fix: "Set `TWILIO_AUTH_TOKEN`, and call `TwilioConfig::from_env()?` in `main`.",
        environment: &[],
        app: apps::unconfigured,
        ..MISTAKE
    },
    Mistake {
        made: "The token is empty",
        fix: "Set it.",
        environment: &[("TWILIO_AUTH_TOKEN", "")],
        ..MISTAKE
    },
    Mistake {
        made: "The token is in quotes",
        fix: "Remove the quotes.",
        environment: &[("TWILIO_AUTH_TOKEN", "\"0123456789abcdef0123456789abcdef\"")],
        ..MISTAKE
    },
    Mistake {
        made: "The account's id is in the token's place",
        fix: "Set the Auth Token.",
        environment: &[("TWILIO_AUTH_TOKEN", "AC0123456789abcdef0123456789abcdef")],
        ..MISTAKE
    },
    Mistake {
        made: "The id of an API key is in the token's place",
        fix: "Set the Auth Token.",
        environment: &[("TWILIO_AUTH_TOKEN", "SK0123456789abcdef0123456789abcdef")],
        ..MISTAKE
    },
    Mistake {
        made: "The public URL is empty",
        fix: "Remove the variable, or set it.",
        environment: &[
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_WEBHOOK_BASE_URL", ""),
        ],
        ..MISTAKE
    },
    Mistake {
        made: "The public URL has no scheme",
        fix: "Set `https://example.com`.",
        environment: &[
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_WEBHOOK_BASE_URL", "example.com"),
        ],
        ..MISTAKE
    },
    Mistake {
        made: "The public URL has a query",
        fix: "Remove it.",
        environment: &[
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_WEBHOOK_BASE_URL", "https://example.com/?a=1"),
        ],
        ..MISTAKE
    },
    Mistake {
        made: "`TWILIO_VALIDATION=off`",
        fix: "Switch it off in the code of a debug build.",
        environment: &[("TWILIO_AUTH_TOKEN", TOKEN), ("TWILIO_VALIDATION", "off")],
        ..MISTAKE
    },
    Mistake {
        made: "`TWILIO_VALIDATION=report`, and the code does not allow it",
        fix: "Call `allow_report_only()`.",
        environment: &[
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_VALIDATION", "report"),
        ],
        ..MISTAKE
    },
    Mistake {
        made: "A proxy is trusted by its name",
        fix: "Give its address or network.",
        app: apps::proxy_by_name,
        ..MISTAKE
    },
    Mistake {
        made: "Validation was switched off and forgotten",
        fix: "Set the mode back to `Enforce`.",
        app: apps::off,
        ..MISTAKE
    },
    Mistake {
        made: "The configuration is in `web::Data` as a `Result`",
        fix: "`.app_data(TwilioConfig::from_env()?)`",
        app: apps::data,
        ..MISTAKE
    },
    Mistake {
        made: "The configuration is in `app_data` as a `Result`",
        fix: "`.app_data(TwilioConfig::from_env()?)`",
        app: apps::result,
        ..MISTAKE
    },
    Mistake {
        made: "The builder is in `app_data`",
        fix: "Call `.build()?`.",
        environment: &[],
        app: apps::builder,
        ..MISTAKE
    },
    Mistake {
        made: "The configuration is in another scope than the route",
        fix: "Put it into the app's `app_data`.",
        environment: &[],
        app: apps::data_of_the_scope_beside,
        ..MISTAKE
    },
    Mistake {
        made: "A middleware around the validation reads the body",
        fix: "Let that middleware put the body back.",
        app: apps::body_read_outside,
        ..MISTAKE
    },
    Mistake {
        made: "A middleware between `TwilioValidation` and the attribute reads the body",
        fix: "Let that middleware put the body back.",
        app: apps::body_read_between,
        ..MISTAKE
    },
    Mistake {
        made: "The handler asks for a field that this webhook does not have (printed at the level debug)",
        fix: "Make it an `Option`.",
        app: apps::of_pictures,
        level: Level::DEBUG,
        ..MISTAKE
    },
    Mistake {
        made: "A proxy removes `Content-Type`",
        fix: "Pass it on.",
        request: Request {
            content_type: None,
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "An API gateway turns the form into JSON",
        fix: "Pass the body on as it is.",
        request: Request {
            content_type: Some("application/json"),
            body: "{\"AccountSid\":\"AC00000000000000000000000000000001\",\"Body\":\"Hi there\",\"From\":\"+14155550100\",\
                   \"MessageSid\":\"SM00000000000000000000000000000001\",\"To\":\"+14155550199\"}",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "An API gateway hands the body on in base64",
        fix: "Decode the body, or turn base64 off in the gateway.",
        request: Request {
            body: "QWNjb3VudFNpZD1BQzAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAxJkJvZHk9SGkrdGhlcmUmRnJvbT0lMkIxNDE1NTU1MDEwMCZNZXNzYWdlU2lkPVNNMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDEmVG89JTJCMTQxNTU1NTAxOTk=",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "A proxy removes blanks at the end of values",
        fix: "Pass the body on as it is.",
        request: Request {
            form: Some("Body=Hi+&From=%2B14155550100"),
            body: "Body=Hi&From=%2B14155550100",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "A proxy drops empty parameters",
        fix: "Pass the body on as it is.",
        request: Request {
            form: Some("Body=&From=%2B14155550100"),
            body: "From=%2B14155550100",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "A proxy turns CRLF into LF",
        fix: "Pass the body on as it is.",
        request: Request {
            form: Some("Body=a%0D%0Ab&From=%2B14155550100"),
            body: "Body=a%0Ab&From=%2B14155550100",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "A test sends `curl -d From=+1415..`, with a signature for another text",
        fix: "Write `%2B`, or use `--data-urlencode`.",
        request: Request {
            headers: CURL,
            form: Some("Body=Hi&From=%2B14155550100"),
            body: "Body=Hi&From=+14155550100",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "A proxy compresses the body",
        fix: "Turn compression of requests off in the proxy.",
        request: Request {
            headers: &[
                ("Host", "example.com"),
                ("X-Forwarded-Proto", "https"),
                ("Content-Encoding", "gzip"),
            ],
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "A proxy converts the form to Latin-1",
        fix: "Turn the conversion off in the proxy.",
        request: Request {
            content_type: Some("application/x-www-form-urlencoded; charset=iso-8859-1"),
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The body is larger than the limit",
        fix: "Raise `body_limit`.",
        app: apps::small_limit,
        ..MISTAKE
    },
    Mistake {
        made: "A JSON event arrives without its query",
        fix: "Pass the query on.",
        app: apps::of_bytes,
        request: Request {
            url: "https://example.com/message?bodySHA256=0a6340126b66921f126df02292307613a937c6c1966e891923281790712740a9",
            form: None,
            content_type: Some("application/json"),
            body: "[{\"id\":\"EZ1\",\"type\":\"com.twilio.messaging.message.delivered\"}]",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "A gateway reformats JSON",
        fix: "Pass the body on as it is.",
        app: apps::of_bytes,
        request: Request {
            url: "https://example.com/message?bodySHA256=0a6340126b66921f126df02292307613a937c6c1966e891923281790712740a9",
            form: None,
            target: "/message?bodySHA256=0a6340126b66921f126df02292307613a937c6c1966e891923281790712740a9",
            content_type: Some("application/json"),
            body: "[{\"id\": \"EZ1\",\"type\": \"com.twilio.messaging.message.delivered\"}]",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "JSON is sent by `curl`, signed without a hash",
        fix: "Sign with `twilio-webhook sign --body FILE --add-hash --curl`.",
        app: apps::of_bytes,
        request: Request {
            headers: CURL,
            form: None,
            content_type: Some("application/json"),
            body: "{\"a\":1}",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The form is sent as `multipart/form-data`",
        fix: "Send it as `application/x-www-form-urlencoded`.",
        request: Request {
            headers: CURL,
            content_type: Some("multipart/form-data; boundary=x"),
            body: "--x\r\nContent-Disposition: form-data; name=\"Body\"\r\n\r\nHi there\r\n--x--\r\n",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "Somebody opens the webhook in a browser or scans it",
        fix: "Do nothing: the request is refused.",
        app: apps::of_any_method,
        request: Request {
            method: "GET",
            headers: &[
                ("Host", "example.com"),
                ("X-Forwarded-Proto", "https"),
                (
                    "User-Agent",
                    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                ),
            ],
            token: None,
            form: None,
            content_type: None,
            body: "",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "SendGrid's Event Webhook points here",
        fix: "Validate it with SendGrid's own library.",
        request: Request {
            token: None,
            headers: &[
                ("Host", "example.com"),
                ("X-Forwarded-Proto", "https"),
                ("X-Twilio-Email-Event-Webhook-Signature", "MEUCIQ=="),
                ("X-Twilio-Email-Event-Webhook-Timestamp", "1700000000"),
            ],
            content_type: Some("application/json"),
            body: "[{\"event\":\"delivered\"}]",
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "A proxy removes `X-Twilio-Signature`",
        fix: "Pass it on.",
        request: Request {
            token: None,
            headers: &[
                ("Host", "example.com"),
                ("X-Forwarded-Proto", "https"),
                ("User-Agent", "TwilioProxy/1.1"),
                ("I-Twilio-Idempotency-Token", "9b1b2c3d"),
            ],
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "A test sends a made-up signature",
        fix: "Sign with `testing::Signer` or `twilio-webhook sign`.",
        request: Request {
            token: None,
            headers: &[
                ("Host", "example.com"),
                ("X-Forwarded-Proto", "https"),
                ("X-Twilio-Signature", "test"),
            ],
            ..GENUINE
        },
        ..MISTAKE
    },
    Mistake {
        made: "The token is the made-up one of the documentation",
        fix: "Set the Auth Token of the account.",
        environment: &[
            ("TWILIO_AUTH_TOKEN", "0123456789abcdef0123456789abcdef"),
            ("TWILIO_WEBHOOK_BASE_URL", "https://example.com"),
        ],
        ..MISTAKE
    },
];
