//! `sign`: signatures for curl and scripts.

use std::process::Command;

use actix_twilio::signature::body_sha256;

use crate::support::{FORM, TOKEN, assert_wrong_usage, file, run, run_with_input, serve_raw, tool};

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
    &["sign", "https://h/", "--curl", "--header"],
    &["sign", "https://h/\u{202e}", "--curl"],
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

/// Options that describe a request in which a shell or curl could see more than text, without `sign`, the URL and
/// `--curl`.
const CURL: &[(&str, &[&str])] = &[
    ("", &["-d", "From=+14158675310", "-d", "Body=Hi"]),
    (
        "",
        &[
            "-d",
            "Body=it's \"$HOME\" `id` \\ !x & 50% * a=b\nc\r\n\td ",
            "-d",
            "Empty=",
        ],
    ),
    (
        "",
        &[
            "-d",
            "a b&@+é%=+1",
            "-d",
            "@x=@/etc/hosts",
            "-d",
            "Body=\u{202e}\u{200d}",
        ],
    ),
    ("?q=a%20b&r='[1-3]{x,y}$HOME;id", &["-d", "A=b"]),
    ("/../raw?q=%2F", &["-d", "A=b"]),
    ("?AccountSid=AC1&Body=Hi", &["--method", "GET"]),
    ("", &[]),
    ("", &["--method", "POST"]),
    ("", &["--method", "PUT", "-d", "A=b"]),
    (
        "",
        &[
            "-d",
            "A=b",
            "--content-type",
            "application/x-www-form-urlencoded; charset=UTF-8",
        ],
    ),
    ("?a=b", &["--add-hash", "--body", "$file"]),
    ("", &["--add-hash", "--body", "-"]),
];

/// What is on the standard input. The file has a line end of another kind too.
const BODY: &str = "@{\"it's\": \"$HOME\"}\n";

/// Signs each request of [`CURL`], and gives its command to `then`.
fn curl_commands(then: impl Fn(&str)) {
    let base = serve_raw();
    let path = file("sign body's.json", &format!("{BODY}\r\n"));
    for (rest, options) in CURL {
        let url = match rest.strip_prefix("/../raw") {
            Some(query) => base.replace("/raw", "/./../raw") + query,
            None => format!("{base}{rest}"),
        };
        let options = options
            .iter()
            .map(|option| if *option == "$file" { &*path } else { option });
        let options: Vec<_> = options.collect();
        let output = run_with_input(&[&["sign", &url, "--curl"], &*options].concat(), BODY);
        assert_eq!(output.status, 0, "{options:?}: {output:?}");
        then(&output.stdout);
    }
}

#[test]
fn command_for_curl_is_one_line_of_quoted_words() {
    curl_commands(|command| {
        let words = shlex::split(command).unwrap();
        // A body that a pasted command can't have is piped into it.
        assert!(
            words[0] == "curl" || words[0] == "printf" && words[2..4] == ["|", "curl"],
            "{command}"
        );
        assert_eq!(command.lines().count(), 1, "{command}");
        let headers = words
            .iter()
            .filter(|word| word.starts_with("X-Twilio-Signature: "));
        assert_eq!(headers.count(), 1, "{command}");
        assert!(
            !command.contains(TOKEN) && command.ends_with('\n'),
            "{command}"
        );
    });
}

#[test]
#[ignore = "needs curl and a POSIX shell"]
fn command_for_curl_is_accepted_when_pasted() {
    curl_commands(|command| {
        let status = " --silent --output /dev/null --write-out '%{http_code}'";
        let command = command.trim_end().to_owned() + status;
        let output = Command::new("sh").args(["-c", &command]).output().unwrap();
        let status = String::from_utf8(output.stdout).unwrap();
        // No route is at the path with dots. A refusal would be a 403.
        let expected = if command.contains("/./../") {
            "404"
        } else {
            "200"
        };
        assert_eq!(status, expected, "{command}");
    });
}

#[test]
fn result_is_printed_as_json() {
    let output = run(&["sign", "https://h/", "-d", "A=+", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let signature = run(&["sign", "https://h/", "-d", "A=+"]).stdout;
    assert_eq!(value["signature"], signature.trim());
    assert_eq!(value["headers"]["X-Twilio-Signature"], signature.trim());
    assert_eq!(value["url"], "https://h/");
    let curl = run(&["sign", "https://h/", "-d", "A=+", "--curl"]).stdout;
    assert_eq!(value["curl"], curl.trim_end());
}
