//! `sign`: signatures for curl and scripts.

use actix_twilio::signature::body_sha256;

use crate::support::{FORM, assert_wrong_usage, run, run_with_input, tool};

/// The documented example, with its token.
const EXAMPLE: [&str; 12] = [
    "sign",
    "https://example.com/myapp.php?foo=1&bar=2",
    "-d",
    "To=+18005551212",
    "-d",
    "CallSid=CA1234567890ABCDE",
    "-d",
    "Caller=+14158675310",
    "-d",
    "Digits=1234",
    "-d",
    "From=+14158675310",
];

#[track_caller]
fn sign_with(token: &str, args: &[&str]) -> String {
    let output = tool(args).token(Some(token)).run();
    assert_eq!(output.status, 0, "{output:?}");
    output.stdout
}

#[test]
fn signature_is_the_documented_one() {
    let signature = "L/OH5YylLD5NRKLltdqwSvS0BnU=\n";
    assert_eq!(sign_with("12345", &EXAMPLE), signature);
    assert_eq!(
        sign_with("12345", &[&EXAMPLE[..], &["--header"]].concat()),
        format!("X-Twilio-Signature: {signature}")
    );
    assert_ne!(sign_with("12346", &EXAMPLE), signature);
}

#[test]
fn body_is_signed_by_its_hash() {
    let url = "https://example.com/events?a=b";
    let hashed = format!("{url}&bodySHA256={}", body_sha256("{}"));
    let without = run_with_input(&["sign", url, "--body", "-"], "{}");
    assert_eq!((without.status, without.stdout.as_str()), (2, ""));
    assert!(
        without.stderr.contains(&hashed) && without.stderr.contains("--add-hash"),
        "{without:?}"
    );

    let with = run_with_input(&["sign", &hashed, "--body", "-"], "{}");
    assert_eq!(with.status, 0, "{with:?}");
    let added = run_with_input(&["sign", url, "--body", "-", "--add-hash"], "{}");
    assert_eq!(added.stdout, format!("{hashed}\n{}", with.stdout));
    let get = run(&["sign", &hashed]);
    assert_eq!(get.stdout, with.stdout);
}

#[test]
fn raw_form_is_signed_as_it_is() {
    let form = [
        "sign",
        "https://example.com/",
        "--content-type",
        FORM,
        "--body",
        "-",
    ];
    let raw = run_with_input(&form, "A=1%2B1+2");
    let decoded = run(&["sign", "https://example.com/", "-d", "A=1+1 2"]);
    assert_eq!((raw.status, raw.stdout), (0, decoded.stdout));
}

#[test]
fn signed_requests_are_valid() {
    let url = "https://example.com/a?b=c";
    let post = ["-d", "Body=é & +", "-d", "Empty="];
    for (args, other) in [
        (&post[..], &["-d", "Body=forged"][..]),
        (&["--method", "GET"], &["-d", "A=b"]),
    ] {
        let signature = run(&[&["sign", url], args].concat()).stdout;
        let verify = ["verify", url, "--signature", signature.trim()];
        assert_eq!(run(&[&verify, args].concat()).status, 0, "{args:?}");
        assert_eq!(run(&[&verify, other].concat()).status, 1, "{args:?}");
    }
    let shared = [
        "sign",
        url,
        "-d",
        "A=b",
        "--header",
        "--shared-key-id",
        "SK1",
    ];
    let output = run(&shared).stdout;
    let (signature, settings) = output.split_once('\n').unwrap();
    assert_eq!(
        settings.trim(),
        "X-Twilio-Webhooks-Signature-Settings: key=SK1,algorithm=HMAC_SHA256"
    );
    let verify = [
        "verify",
        url,
        "-d",
        "A=b",
        "--signature",
        signature.strip_prefix("X-Twilio-Signature: ").unwrap(),
        "--settings-header",
        settings.trim().split_once(": ").unwrap().1,
        "--shared-key-id",
    ];
    assert_eq!(run(&[&verify[..], &["SK1"]].concat()).status, 0);
    let unknown = run(&[&verify[..], &["SK2"]].concat());
    assert!(
        unknown.stdout.contains("\"kind\":\"key_unknown\""),
        "{unknown:?}"
    );
}

const WRONG_USAGE: &[&[&str]] = &[
    &["sign"],
    &["sign", "h/"],
    &["sign", "https://h/", "-d", "marker-secret"],
    &["sign", "https://h/", "-d", "A=b", "--body", "x"],
    &["sign", "https://h/", "-d", "A=b", "--method", "get"],
    &["sign", "https://h/", "--add-hash"],
    &["sign", "https://h/", "--body", "no-such-file"],
    &["sign", "https://h/", "--body", "-", "--token-stdin"],
    &[
        "sign",
        "https://h/",
        "-d",
        "A=b",
        "--content-type",
        "application/x-www-form-urlencoded; charset=latin1",
    ],
    &["sign", "https://h/", "--shared-key-id", "a,b"],
    &[
        "sign",
        "https://h/",
        "--shared-key-id",
        "K",
        "--algorithm",
        "none",
    ],
];

#[test]
fn wrong_usage_exits_with_2() {
    assert_wrong_usage(WRONG_USAGE);
}
