//! Words of a command for curl, so that curl sends a URL and a header as they are.
//!
//! curl changes URLs: it leaves out dots for folders and what follows `#`, takes brackets and braces for lists of URLs,
//! escapes letters that are not ASCII, and newer releases write escapes in capitals. A signature is for the exact URL.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, Ipv6Addr},
};

use twilio_signature::url::{UrlParts, is_host};

use crate::terminal;

/// Returns the words that make curl request exactly the target of this URL.
///
/// # Errors
///
/// Returns an error for white space and control characters, which the first line of a request can't have.
pub(crate) fn url(url: &str) -> Result<Vec<String>, &'static str> {
    if url.contains(|c: char| c == ' ' || c.is_ascii_control()) {
        return Err(
            "the URL has white space or a control character in it, which no request can have",
        );
    }
    let mut origin = UrlParts::of(url);
    (origin.path, origin.query, origin.fragment) = ("".into(), None, None);
    let target = url.get(origin.text().len()..).unwrap_or_default();
    origin.user_info = origin.user_info.map(|user_info| escaped(&user_info).into());
    let mut words = Vec::new();
    if !is_host(&origin.host_and_port()) {
        // Such a host could be a list of hosts, each of which would get the request.
        words.push("--globoff".to_owned());
    }
    let origin = origin.text();
    if is_kept(target) {
        words.push(origin + target);
    } else {
        let slash = if target.starts_with('/') { "" } else { "/" };
        let target = [slash, target].concat();
        words.extend(["--request-target".to_owned(), target, origin]);
    }
    Ok(words)
}

/// Escapes what curl would read as a list, or as the end of the user info. It decodes user info before it sends it.
fn escaped(user_info: &str) -> String {
    let mut escaped = String::new();
    for c in user_info.chars() {
        match c {
            '[' | ']' | '{' | '}' | '@' => {
                // Writing to a string does not fail.
                let _ = write!(escaped, "%{:02X}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Returns whether curl requests a target as it is in the URL.
fn is_kept(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    let is_folder = |segment: &str| {
        let dots = segment.replace("%2E", ".");
        dots == "." || dots == ".."
    };
    target.bytes().all(|byte| byte.is_ascii_graphic())
        && !target.contains(['#', '[', ']', '{', '}'])
        && !has_small_escape(target)
        && !path.split('/').any(is_folder)
}

/// Returns whether there is an escape with a small letter, such as `%c3`.
fn has_small_escape(target: &str) -> bool {
    target.as_bytes().windows(3).any(|window| match window {
        [b'%', digits @ ..] => {
            digits.iter().all(u8::is_ascii_hexdigit) && digits.iter().any(u8::is_ascii_lowercase)
        }
        _ => false,
    })
}

/// Returns whether curl sends a host as it is in the URL. It writes addresses in their usual form: `127.1` as `127.0.0.1`.
pub(crate) fn keeps_host(host: &str) -> bool {
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let parsed = address.parse::<Ipv6Addr>();
        return parsed.is_ok_and(|parsed| parsed.to_string() == address);
    }
    let last = host
        .trim_end_matches('.')
        .rsplit('.')
        .next()
        .unwrap_or_default();
    let is_number = last.starts_with(|c: char| c.is_ascii_digit());
    !is_number || host.parse::<Ipv4Addr>().is_ok()
}

/// Returns the words that make curl send this header.
pub(crate) fn header(name: &str, value: &str) -> [String; 2] {
    let line = if value.trim().is_empty() {
        // With a colon and no value, curl leaves the header out.
        format!("{name};")
    } else {
        format!("{name}: {value}")
    };
    ["-H".to_owned(), line]
}

/// Adds a body to the words of a command, and returns what comes before the command: a body that can't be pasted is piped
/// into it, written with escapes.
pub(crate) fn body(words: &mut Vec<String>, body: &[u8]) -> String {
    let text = str::from_utf8(body)
        .ok()
        .filter(|text| terminal::can_be_pasted(text));
    match text {
        Some("") => String::new(),
        Some(text) => {
            words.extend(["--data-raw".to_owned(), text.to_owned()]);
            String::new()
        }
        None => {
            words.extend(["--data-binary".to_owned(), "@-".to_owned()]);
            let mut escaped = String::new();
            for (index, byte) in body.iter().enumerate() {
                match byte {
                    b'%' => escaped.push_str("%%"),
                    // A hyphen at the start would make an option of it.
                    b'-' if index == 0 => escaped.push_str("\\055"),
                    b'\'' | b'\\' | 0..=31 | 127.. => {
                        // Writing to a string does not fail.
                        let _ = write!(escaped, "\\{byte:03o}");
                    }
                    byte => escaped.push(char::from(*byte)),
                }
            }
            format!("printf '{escaped}' | ")
        }
    }
}

/// Joins words to a command on one line, to be pasted into a POSIX shell.
///
/// # Errors
///
/// Returns an error for what a pasted command can't have.
pub(crate) fn joined(words: &[String]) -> Result<String, &'static str> {
    const PROBLEM: &str = "the request has line ends, tabs or invisible characters in its head, which a pasted command can't have";
    if !words.iter().all(|word| terminal::can_be_pasted(word)) {
        return Err(PROBLEM);
    }
    shlex::try_join(words.iter().map(String::as_str)).map_err(|_| PROBLEM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_plain_unless_curl_would_change_its_target() {
        let plain = [
            "http://h",
            "http://h?a=1",
            "http://h/",
            "http://h/?",
            "https://u:p@h:1/a/b.c/..d/.../.well-known/e?f=/../g&h=%C3%A9+i",
            "http://[::1]:1//a@b/%/%zz/%2F/c'\"\\|^;=!$&()*,",
        ];
        for text in plain {
            assert_eq!(url(text).unwrap(), [text]);
        }
        let changed = [
            ("http://h", "/a/../b"),
            ("http://h", "/."),
            ("http://h", "/..?a"),
            ("http://h", "/a/%2e%2E/b"),
            ("http://h", "/a/.%2E"),
            ("http://h", "/a/%2E/b"),
            ("https://u:p@h:1", "/caf%c3%a9"),
            ("http://h", "/a?b=%c3%a9"),
            ("http://h", "/caf\u{e9}"),
            ("http://h", "/a?b=\u{e9}"),
            ("http://h", "/a#b"),
            ("http://h", "/a?b#c?d"),
            ("http://[::1]", "/[1-3]"),
            ("http://h", "/?a={x,y}"),
        ];
        for (origin, target) in changed {
            let words = url(&[origin, target].concat()).unwrap();
            assert_eq!(words, ["--request-target", target, origin]);
        }
        let words = url("http://h?a=[1]").unwrap();
        assert_eq!(words, ["--request-target", "/?a=[1]", "http://h"]);
        let words = url("http://{u}@v:[p]@h/").unwrap();
        assert_eq!(words, ["http://%7Bu%7D%40v:%5Bp%5D@h/"]);
        for hosts in ["http://{a,b}/", "http://h[1-3].example/", "http://h:{1,2}/"] {
            assert_eq!(url(hosts).unwrap(), ["--globoff", hosts]);
        }
    }

    #[test]
    fn url_that_no_request_can_have_is_refused() {
        for target in ["/a b", "/a\tb", "/a\r\nX: y", "/a?b\n", "/\u{7f}", "/#\0"] {
            assert!(url(&["http://h", target].concat()).is_err(), "{target:?}");
        }
    }

    #[test]
    fn hosts_that_curl_writes_in_another_form_are_known() {
        for host in ["h", "example.com", "127.0.0.1", "[::1]", "1.example", "h."] {
            assert!(keeps_host(host), "{host}");
        }
        for host in [
            "0",
            "127.1",
            "0x7f000001",
            "127.0.0.01",
            "127.0.0.1.",
            "[0::1]",
            "[::FF]",
        ] {
            assert!(!keeps_host(host), "{host}");
        }
    }

    #[test]
    fn header_without_a_value_is_sent_too() {
        assert_eq!(header("A", "b"), ["-H", "A: b"]);
        assert_eq!(header("A", ""), ["-H", "A;"]);
    }
}
