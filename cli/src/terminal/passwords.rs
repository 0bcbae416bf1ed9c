//! Replaces the user names and passwords of URLs in a text.
//!
//! An app or the author of a capture may have written the text, so each function takes time in proportion to its length.

use std::net::Ipv4Addr;

use twilio_signature::url::{host::is_loopback, is_host, is_secure_scheme, split_port};

/// What precedes a user name and a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// `https:` and the like, or a slash after a colon.
    Scheme,
    /// `sip:` or `sips:`.
    Sip,
    /// Two slashes, without a scheme.
    Slashes,
}

/// Returns a text with `..` in place of the user name and the password of each URL in it, whether the URL has a scheme or
/// not, and of each SIP address that has a password. Whatever may be a password is replaced.
pub(crate) fn without_passwords(text: &str) -> String {
    replaced(text, false)
}

/// Returns the URL of a genuine request with `..` in place of its user name and password, and of those that a URL in its
/// query has. Nothing else in it is a password: neither what follows a port, nor a part of a SIP address, which is the
/// value of a parameter.
pub(crate) fn url_without_password(url: &str) -> String {
    let scheme = url.split_once("://");
    let is_url = scheme.is_some_and(|(scheme, _)| is_secure_scheme(scheme).is_some());
    replaced(url, is_url)
}

fn replaced(text: &str, is_url: bool) -> String {
    let last_at = text.rfind('@').unwrap_or_default();
    let mut shown = String::with_capacity(text.len());
    // Where the part begins that is not yet in `shown`, and where the next start may be. Nothing is looked at twice: the
    // end of an authority is looked for once, and what is looked through for the end of a password is replaced.
    let (mut kept, mut next) = (0, 0);
    for (index, mark) in text.match_indices([':', '/', '\\']) {
        let (before, after) = text.split_at(index);
        let Some(start) = start_at(before, mark).filter(|_| index + mark.len() >= next) else {
            continue;
        };
        if is_url && !matches!(start, Start::Scheme) {
            continue;
        }
        let rest = after_slashes(after.get(mark.len()..).unwrap_or_default());
        let from = text.len() - rest.len();
        if from > last_at {
            break;
        }
        let (authority, _) = split_authority(rest);
        next = from + authority.len();
        if let Some(len) = user_info_len(rest, start, is_url).filter(|len| *len > 0) {
            shown.push_str(text.get(kept..from).unwrap_or_default());
            shown.push_str("..");
            kept = from + len;
            next = kept;
        }
    }
    shown.push_str(text.get(kept..).unwrap_or_default());
    without_own_user_info(shown)
}

/// Replaces the user info of a text that is a URL. Whatever precedes the last `@` of the authority is user info, even a blank
/// or a backslash, as in `https://CORP\bob:pw@h`.
fn without_own_user_info(url: String) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url;
    };
    let (authority, target) =
        rest.split_at(rest.find(['/', '?', '#', '\r', '\n']).unwrap_or(rest.len()));
    let is_skipped = |c: char| c.is_whitespace() || "\\\"'<>".contains(c);
    match authority.rsplit_once('@') {
        Some((user_info, host))
            if is_secure_scheme(scheme).is_some() && user_info.trim_matches(is_skipped) != ".." =>
        {
            [scheme, "://..@", host, target].concat()
        }
        _ => url,
    }
}

/// Returns what ends with a colon or a slash, if a user name may follow it.
fn start_at(before: &str, mark: &str) -> Option<Start> {
    if mark != ":" {
        return match before.chars().next_back()? {
            ':' => Some(Start::Scheme),
            last => mark.starts_with(last).then_some(Start::Slashes),
        };
    }
    let word = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next()?;
    let ends_with = |scheme: &&str| {
        let end = word.len().checked_sub(scheme.len());
        end.is_some_and(|at| {
            word.get(at..)
                .unwrap_or_default()
                .eq_ignore_ascii_case(scheme)
        })
    };
    if ["sip", "sips"].iter().any(ends_with) {
        Some(Start::Sip)
    } else if ["http", "https"].iter().any(ends_with) || is_secure_scheme(word).is_some() {
        Some(Start::Scheme)
    } else {
        None
    }
}

/// Removes what may be written before a user name, if only by mistake: slashes, which may be encoded, blanks and quotes.
fn after_slashes(text: &str) -> &str {
    let is_skipped = |c: char| c.is_whitespace() || "/\\\"'<>".contains(c);
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(is_skipped);
        match rest.split_at_checked(3) {
            Some(("%2F" | "%2f" | "%5C" | "%5c", after)) => rest = after,
            _ => return rest,
        }
    }
}

/// Splits a text after the host and port at its start.
fn split_authority(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c.is_whitespace() || "/\\?#\"<>".contains(c));
    text.split_at(end.unwrap_or(text.len()))
}

/// Returns the length of the user name and the password at the start of a text, if there are any. The name alone of a SIP
/// address is shown.
fn user_info_len(text: &str, start: Start, is_url: bool) -> Option<usize> {
    let (authority, after) = split_authority(text);
    let Some((user_info, host)) = authority.rsplit_once('@') else {
        return may_be_password(authority, after, is_url)
            .then(|| last_at(text))
            .flatten();
    };
    // A password may have an unescaped `@`, and a character that ends the authority after it.
    let (host, _) = host.split_once(';').unwrap_or((host, ""));
    let host = host.trim_end_matches(|c: char| c.is_ascii_punctuation() && c != ']');
    let is_cut = host.is_empty() || host.contains(':') && !is_host(host);
    if is_cut && !is_url {
        let end = last_at(text).filter(|end| *end > authority.len());
        if end.is_some() {
            return end;
        }
    }
    let has_secret = start != Start::Sip || user_info.contains(':');
    has_secret.then_some(user_info.len())
}

/// Returns whether what looks like a host and a port may be a user name and the start of a password, which has an unescaped
/// character. A port is trusted if the host is this machine or an address, or if a query follows it.
fn may_be_password(authority: &str, after: &str, is_url: bool) -> bool {
    let is_quote = |c: char| c.is_ascii_punctuation() && !matches!(c, ':' | ']');
    let authority = authority.trim_end_matches(is_quote);
    let (name, _) = split_port(authority);
    let is_trusted = || {
        is_url
            || name.starts_with('[')
            || is_loopback(name)
            || name.parse::<Ipv4Addr>().is_ok()
            || starts_with_query(after)
    };
    authority.contains(':') && !(is_host(authority) && is_trusted())
}

/// Returns whether a text has a path and a parameter with a value, and no colon before it.
fn starts_with_query(text: &str) -> bool {
    let end = text.find(|c: char| c.is_whitespace() || ":@\"<>".contains(c));
    let target = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    let parameter = target
        .split_once('?')
        .and_then(|(_, query)| query.split_once('='));
    parameter.is_some_and(|(name, value)| !name.is_empty() && !value.is_empty())
}

/// Returns where the last `@` is in the first line that has one.
fn last_at(text: &str) -> Option<usize> {
    let (before, after) = text.split_once('@')?;
    let line = after.lines().next().unwrap_or_default();
    Some(before.len() + line.rfind('@').map_or(0, |at| at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_replaced_wherever_a_url_has_them() {
        for (text, shown) in [
            ("https://u:pw@h/a", "https://..@h/a"),
            ("see //u:p@w@h, http://h", "see //..@h, http://h"),
            ("https://u@h/a@b", "https://..@h/a@b"),
            ("https:/u:pw@h", "https:/..@h"),
            ("https:\\\\u:pw@h", "https:\\\\..@h"),
            ("HTTPS://u:p/w@h/a", "HTTPS://..@h/a"),
            ("//u:p?w#@h", "//..@h"),
            ("https://u:p\"<w> x@h\na@b", "https://..@h\na@b"),
            ("https://CORP\\bob:pw@h/m", "https://..@h/m"),
            ("https://Jane Doe:pw@h/m?a=b@c", "https://..@h/m?a=b@c"),
            ("wss://Jane \"J\" <Doe>:pw@h", "wss://..@h"),
            ("https://bob@corp.com:12\"x@h/m", "https://..@h/m"),
            ("dials SIP:u:pw@h", "dials SIP:..@h"),
            ("sips:u:p/w@h", "sips:..@h"),
            (
                "https://u:pw@h and ftp://u:pw@h",
                "https://..@h and ftp://..@h",
            ),
        ] {
            assert_eq!(without_passwords(text), shown);
            assert_eq!(without_passwords(shown), shown);
        }
    }

    #[test]
    fn passwords_of_broken_urls_are_replaced() {
        for (text, shown) in [
            ("https:///u:pw@h", "https:///..@h"),
            ("https:u:pw@h", "https:..@h"),
            ("wss:u:pw@h", "wss:..@h"),
            ("https://\"u:pw@h", "https://\"..@h"),
            ("https:// u:pw@h", "https:// ..@h"),
            ("https://\nu:pw@h", "https://\n..@h"),
            ("https://u: pw@h", "https://..@h"),
            ("https://u:\npw@h", "https://..@h"),
            ("https://u:pw\r\n@h\na@b", "https://..@h\na@b"),
            ("https:\\/\\/u:pw@h", "https:\\/\\/..@h"),
            ("https:%2F%2fu:pw@h", "https:%2F%2f..@h"),
            ("https://u:12/pw@h", "https://..@h"),
            ("https://u:12?pw@h", "https://..@h"),
            ("https://u.v:12/pw@h", "https://..@h"),
            ("https://u:0/pw@h", "https://..@h"),
            ("https://u:/pw@h", "https://..@h"),
            ("https://:/pw@h", "https://..@h"),
            ("https://[u]:pw/x@h", "https://..@h"),
            ("https://u:p]w/x@h", "https://..@h"),
            ("https://localhost:pw/x@h", "https://..@h"),
            ("https://u:p@/w@h", "https://..@h"),
            ("https://u:p@w:x/y@h", "https://..@h"),
            ("sip:u:1/pw@h", "sip:..@h"),
            ("sip::pw@h", "sip:..@h"),
            ("sip://u:pw@h", "sip://..@h"),
            ("sip:a@sip:u:p/w@h", "sip:..@h"),
            ("https://h/?u=https://u:pw@h", "https://h/?u=https://..@h"),
        ] {
            assert_eq!(without_passwords(text), shown);
            assert_eq!(without_passwords(shown), shown);
        }
    }

    #[test]
    fn right_urls_without_a_password_are_kept() {
        for text in [
            "dials sip:u@h",
            "sip:u@h:5060;transport=tls",
            "https://h/a@b?c=d:e@f",
            "http://localhost:80/a@b?c=d@e",
            "http://127.0.0.1:80/@a",
            "'http://10.0.0.7:8080' and a@b",
            "https://[::1]:80/@",
            "https://example.com:8443/m?mail=a@b.example",
            "http://app:8080/m?to=sip:a@b.example",
            "http://h\\u00e4//b",
            "https: a b",
            "news: u@h",
            "mail u@h",
            "@",
            "",
        ] {
            assert_eq!(without_passwords(text), text);
        }
    }

    #[test]
    fn the_url_of_a_genuine_request_loses_its_passwords_alone() {
        for (url, shown) in [
            ("https://u:pw@h:80/a", "https://..@h:80/a"),
            ("https://h/?u=https://u:pw@h", "https://h/?u=https://..@h"),
            // Twilio requests no such URL.
            ("//u:pw@h", "//..@h"),
            ("https:u:pw@h", "https:..@h"),
            ("sip:u:pw@h", "sip:..@h"),
        ] {
            assert_eq!(url_without_password(url), shown);
        }
        for url in [
            "https://h/m?a=1&to=sip:alice:work@pbx.example",
            "https://example.com:8443/m?to=sip:alice:work@pbx.example",
            "https://example.com:8443/a@b",
            "https://h//a:b@c",
        ] {
            assert_eq!(url_without_password(url), url);
        }
    }

    /// If a text were looked through for each of its starts, this would take many minutes.
    #[test]
    fn time_grows_with_the_length_of_a_text() {
        const LENGTH: usize = 50_000;
        for part in [
            "sip:",
            "sips:",
            "https:",
            ":/",
            "//",
            "\\",
            "://",
            "/ ",
            "%2f/",
            "sip:u@",
            "sip:u@h ",
            "sip:u@h:x ",
            "//u@h ",
            "//u@h:x ",
            "//u:p ",
            "//u:1 ",
            "//u:1?a=b&",
            "//u:1?a=",
            "sip:[",
            "sip:]",
            "sip:u:1/",
            "//u:x/\n",
            "//u:x@h\n",
            "a//:@",
        ] {
            let many = part.repeat(LENGTH / part.len());
            for (start, end) in [
                ("", ""),
                ("", "@"),
                ("", "]@h"),
                ("", "\n@"),
                ("@", ""),
                ("https://h/", ":x/@"),
            ] {
                let text = [start, &*many, end].concat();
                assert!(!without_passwords(&text).is_empty());
                assert!(!url_without_password(&text).is_empty());
            }
        }
    }
}
