//! Wrong settings, from code and from the environment: each error names the setting, what is wrong
//! with its value, and what to do, and shows no secret.

use std::{error::Error, time::Duration};

use actix_twilio::{AuthToken, ConfigError, TwilioConfig, config::Mode, keys::SharedKey};
use actix_twilio_tests::{TOKEN, config, in_child, in_children};

/// Stands in every value that is secret.
const SECRET: &str = "s3cr3t";

/// Checks that an error names this setting, a problem and a fix.
#[track_caller]
fn assert_error(name: &str, err: &ConfigError, setting: &str) {
    let text = err.to_string();
    assert_eq!(err.setting(), setting, "{name}: {text}");
    let (said, rest) = text.split_once(": ").unwrap();
    let (problem, fix) = rest.split_once("; ").unwrap();
    assert_eq!(said, setting, "{name}: {text}");
    assert!(problem.len() > 5 && fix.len() > 5, "{name}: {text}");
    assert!(!text.contains('\n'), "{name}: {text}");
    for printed in [text, format!("{err:?}")] {
        assert!(!printed.contains(SECRET), "{name}: {printed}");
    }
    assert!(err.source().is_none(), "{name}");
}

#[test]
fn each_wrong_setting_is_named() {
    let shared = |id: &str, secret: &str| SharedKey::new(id, secret).map(drop);
    let key = |id: &str| SharedKey::new(id, SECRET).unwrap();
    let twins = || config().shared_key(key("K1")).shared_key(key("K1")).build();
    #[rustfmt::skip]
    let cases = [
        ("no key", TwilioConfig::builder().build().map(drop), "Auth Token"),
        ("empty token", AuthToken::new("").map(drop), "Auth Token"),
        ("blank token", AuthToken::new(" \r\n").map(drop), "Auth Token"),
        ("token of NUL bytes", AuthToken::new("\0\0").map(drop), "Auth Token"),
        ("token of a byte order mark", AuthToken::new("\u{feff}").map(drop), "Auth Token"),
        ("token of zero width", AuthToken::new("\u{200b}\u{2060}").map(drop), "Auth Token"),
        ("token of control characters", AuthToken::new("\u{1}\u{1b}").map(drop), "Auth Token"),
        ("invisible id", shared("\u{200b}", SECRET), "SharedKey id"),
        ("id with a line end", shared("K1\nK2", SECRET), "SharedKey id"),
        ("secret of NUL bytes", shared("K1", "\0"), "SharedKey secret"),
        ("invisible secret", shared("K1", "\u{feff}"), "SharedKey secret"),
        ("empty id", shared("", SECRET), "SharedKey id"),
        ("id with blanks", shared(" K1", SECRET), "SharedKey id"),
        ("id with a comma", shared("K1,K2", SECRET), "SharedKey id"),
        ("empty secret", shared("K1", ""), "SharedKey secret"),
        ("blank secret", shared("K1", "\t"), "SharedKey secret"),
        ("id twice", twins().map(drop), "SharedKey id"),
        ("no hops", config().trusted_hops(0).map(drop), "trusted_hops"),
        ("hops of no proxy", config().trusted_proxies([""; 0]).unwrap().trusted_hops(2).unwrap().build().map(drop), "trusted_hops"),
        ("prefix of no proxy", config().forwarded_prefix(true).trusted_proxies([""; 0]).unwrap().build().map(drop), "forwarded_prefix"),
        ("less for all than for one", config().total_body_limit(9).body_limit(10).build().map(drop), "total_body_limit"),
        ("no time", config().body_timeout(Duration::ZERO).build().map(drop), "body_timeout"),
    ];
    for (name, result, setting) in cases {
        assert_error(name, &result.unwrap_err(), setting);
    }
    for proxy in [
        "",
        "localhost",
        "10.0.0.0/33",
        "10.0.0.1:80",
        "10.0.0",
        "Unix",
        "::1/129",
        "10.0.0.7/8",
        "::ffff:10.0.0.7/104",
        "2001:db8::1/32",
        "*",
    ] {
        let err = config().trusted_proxies(["10.0.0.1", proxy]).unwrap_err();
        assert_error(proxy, &err, "trusted_proxies");
        // A value of several is hard to find unless it is shown.
        assert!(err.to_string().contains(&format!("{proxy:?}")), "{err}");
    }
}

#[test]
fn public_url_is_an_origin_with_or_without_a_prefix() {
    for url in [
        "",
        "example.com",
        "//example.com",
        "/prefix",
        "ftp://example.com",
        "https:example.com",
        "https://",
        "https:///prefix",
        "https://s3cr3t@example.com",
        "https://user:s3cr3t@example.com",
        "https://example.com?s3cr3t",
        "https://example.com/?",
        "https://example.com/#s3cr3t",
        "https://example.com\n",
        "https://exam ple.com",
        "https://ex\u{e4}mple.com",
        "https://example.com:",
        "https://example.com:0443",
        "https://example.com:65536",
        "https://example.com//",
        "https://[::1",
        "https://::1",
    ] {
        let err = config().public_url(url).unwrap_err();
        assert_error(url, &err, "public_url");
    }
    for url in [
        "https://example.com",
        "http://[::1]:8080/",
        "wss://example.com:443/a/b/",
    ] {
        assert!(config().public_url(url).unwrap().build().is_ok(), "{url}");
    }
}

#[test]
fn extreme_values_are_taken() {
    let key = SharedKey::new("K1", SECRET).unwrap();
    let off = TwilioConfig::builder().dangerously_disable_validation();
    let (at_once, never) = (Duration::from_nanos(1), Duration::MAX);
    for (name, builder) in [
        ("no byte", config().body_limit(0)),
        ("any number of bytes", config().body_limit(usize::MAX)),
        ("at once", config().body_timeout(at_once)),
        ("all the time", config().body_timeout(never)),
        ("all hops", config().trusted_hops(usize::MAX).unwrap()),
        ("no proxies", config().trusted_proxies([""; 0]).unwrap()),
        ("SharedKey alone", TwilioConfig::builder().shared_key(key)),
        ("off without a key", off),
    ] {
        assert!(builder.build().is_ok(), "{name}");
    }
}

#[test]
fn off_is_for_builds_with_debug_assertions_unless_it_is_meant() {
    let off = config().mode(Mode::Off).build();
    if cfg!(debug_assertions) {
        assert!(off.is_ok());
    } else {
        assert_error("off", &off.unwrap_err(), "validation");
    }
    assert!(config().dangerously_disable_validation().build().is_ok());
}

#[test]
fn environment_is_read_and_its_errors_name_the_variable() {
    let tokens = &*format!(" {TOKEN} ,\t{SECRET}\r\n");
    let (token, url, mode) = (
        "TWILIO_AUTH_TOKEN",
        "TWILIO_WEBHOOK_BASE_URL",
        "TWILIO_VALIDATION",
    );
    // With the variable that is wrong, or none.
    #[rustfmt::skip]
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[(token, SECRET)], ""),
        (&[(token, tokens)], ""),
        (&[(token, SECRET), (url, " https://example.com/\n")], ""),
        (&[(token, SECRET), (mode, " enforce\n")], ""),
        (&[(token, SECRET), ("TWILIO_AUTH_TOKENS", "")], ""),
        (&[], token),
        (&[(url, "https://example.com")], token),
        (&[(token, "")], token),
        (&[(token, " \n")], token),
        (&[(token, ",")], token),
        (&[(token, "s3cr3t,")], token),
        (&[(token, ",s3cr3t")], token),
        (&[(token, "s3cr3t, ,s3cr3t2")], token),
        (&[(token, SECRET), (url, "")], url),
        (&[(token, SECRET), (url, "example.com")], url),
        (&[(token, SECRET), (url, "https://user:s3cr3t@example.com")], url),
        (&[(token, SECRET), (mode, "")], mode),
        (&[(token, SECRET), (mode, "off")], mode),
        (&[(token, SECRET), (mode, "Enforce")], mode),
        (&[(token, SECRET), (mode, "report")], mode),
        (&[(token, SECRET), (mode, "s3cr3t")], mode),
    ];
    in_children(
        cases.iter().copied(),
        |(variables, _)| variables.iter().copied(),
        |(_, wrong)| match TwilioConfig::from_env() {
            Ok(config) => {
                assert_eq!(wrong, "");
                assert!(!format!("{config:?}").contains(SECRET), "{config:?}");
            }
            Err(err) => assert_error("environment", &err, wrong),
        },
    );
}

#[test]
fn report_from_the_environment_needs_the_codes_consent() {
    #[rustfmt::skip]
    let variables = [
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_VALIDATION", "report"),
    ];
    in_child(variables, || {
        let builder = TwilioConfig::builder;
        let refused = [
            ("no consent", builder().env()),
            ("code enforces first", builder().mode(Mode::Enforce).env()),
            ("code reports first", builder().mode(Mode::ReportOnly).env()),
            (
                "code is off first",
                builder().dangerously_disable_validation().env(),
            ),
        ];
        for (name, builder) in refused {
            let err = builder.unwrap().build().unwrap_err();
            assert_error(name, &err, "TWILIO_VALIDATION");
        }
        let mode = |config: TwilioConfig| format!("{config:?}");
        let allowed = builder().allow_report_only().env().unwrap().build();
        assert!(mode(allowed.unwrap()).contains("ReportOnly"));
        // What the code says last counts.
        let last = builder().env().unwrap().mode(Mode::Enforce);
        assert!(mode(last.build().unwrap()).contains("Enforce"));
    });
}

#[cfg(unix)]
#[test]
fn environment_that_is_no_text_is_an_error() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let variables = [("TWILIO_AUTH_TOKEN", OsStr::from_bytes(b"s3cr3t\xff"))];
    in_child(variables, || {
        let err = TwilioConfig::from_env().unwrap_err();
        assert_error("not UTF-8", &err, "TWILIO_AUTH_TOKEN");
    });
}
