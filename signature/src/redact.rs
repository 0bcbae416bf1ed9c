//! Makes text from a request safe to show in a log, on a terminal or in an error.

use std::{borrow::Cow, fmt};

use crate::url::UrlParts;

/// The largest length of a shown text in bytes.
const MAX_LEN: usize = 200;

/// Returns a URL without user info and without the values of its query, escaped and cut at 200 bytes.
///
/// # Examples
///
/// ```
/// use twilio_signature::redact;
///
/// assert_eq!(redact::url("https://user:secret@example.com/?a=1&b"), "https://..@example.com/?a=..&..");
/// ```
#[must_use]
pub fn url(url: &str) -> String {
    let mut parts = UrlParts::of(url);
    parts.user_info = parts.user_info.map(|_| Cow::Borrowed(".."));
    parts.query = parts.query.map(|query| Cow::Owned(names(&query)));
    // The target of a CONNECT is an authority without a scheme.
    if parts.scheme.is_empty()
        && !parts.path.starts_with('/')
        && let Some((_, host)) = parts.path.rsplit_once('@')
    {
        parts.path = ["..@", host].concat().into();
    }
    text(&parts.text())
}

impl fmt::Debug for UrlParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UrlParts")
            .field(&format_args!("{}", url(&self.text())))
            .finish()
    }
}

/// Returns a query's names, without the values.
fn names(query: &str) -> String {
    let names = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) => [name, "=.."].concat(),
        None => "..".to_owned(),
    });
    names.collect::<Vec<_>>().join("&")
}

/// Escapes the characters that could garble a line of a log, and cuts the text at 200 bytes.
///
/// # Examples
///
/// ```
/// use twilio_signature::redact;
///
/// assert_eq!(redact::text("a\n\u{1b}[31m"), "a\\n\\u{1b}[31m");
/// ```
#[must_use]
pub fn text(text: &str) -> String {
    let mut shown = String::new();
    for (index, c) in text.char_indices() {
        let escaped = c.escape_debug();
        if shown.len() + escaped.len() > MAX_LEN {
            let (_, cut_off) = text.split_at(index);
            if cut_off.contains('@') {
                shown.truncate(before_user_info(&shown));
            }
            shown.push_str("..");
            break;
        }
        shown.extend(escaped);
    }
    shown
}

/// Returns where user info may begin whose `@` is cut off: it follows a colon or two slashes. Those after the text's own
/// scheme do not count, if its host is there. An `@` that is shown may be a letter of the password.
fn before_user_info(shown: &str) -> usize {
    let own = shown.find("://").map_or(0, |colon| {
        let authority = colon + "://".len();
        let rest = shown.get(authority..).unwrap_or_default();
        rest.find('/').map_or(authority, |slash| authority + slash)
    });
    let rest = shown.get(own..).unwrap_or_default();
    let begins = [rest.find(':'), rest.find("//")]
        .into_iter()
        .flatten()
        .min();
    begins.map_or(shown.len(), |at| own + at)
}

/// Escapes the characters that a terminal would act on, that are invisible, that change the direction of text, or that
/// Unicode sets aside, of which XML allows no U+FFFE and no U+FFFF. Those in `except` stay as they are.
///
/// # Examples
///
/// ```
/// use twilio_signature::redact;
///
/// assert_eq!(redact::escape("a\n\u{1b}[31m\u{202e}", &['\n']), "a\n\\u{1b}[31m\\u{202e}");
/// ```
#[must_use]
pub fn escape(text: &str, except: &[char]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        // These join letters and choose between their forms.
        let joins = matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
        let acts = c.is_control() || matches!(c, '\u{2028}'..='\u{202e}') || is_ignorable(c);
        let is_shown = joins || !acts && !is_noncharacter(c);
        if !is_shown && !except.contains(&c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Returns whether Unicode sets a code point aside: 32 of them, and the last two of each 65,536.
fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

/// Returns whether nothing is drawn for a character: Unicode's property `Default_Ignorable_Code_Point`, and the
/// blank of Braille.
///
/// Source: <https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt>.
pub(crate) fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_printed_without_values_and_user_info() {
        let cases = [
            ("https://h/x", "https://h/x"),
            ("https://h/x?a=secret&b&c=", "https://h/x?a=..&..&c=.."),
            ("https://user:secret@h/x", "https://..@h/x"),
            ("https://bob@corp.com:secret@h/x", "https://..@h/x"),
            ("https://h/x@y", "https://h/x@y"),
            ("/x@y", "/x@y"),
            ("user:secret@h:80", "..@h:80"),
            ("bob@corp.com:secret@h:80?a=secret", "..@h:80?a=.."),
            ("h:80", "h:80"),
            ("https://h/\n\u{1b}[31m\"", "https://h/\\n\\u{1b}[31m\\\""),
        ];
        for (shown, expected) in cases {
            assert_eq!(url(shown), expected);
        }
        let long = url(&format!("https://h/{}", "\u{e9}".repeat(1000)));
        assert!(
            (MAX_LEN - 4..=MAX_LEN + 2).contains(&long.len()),
            "{}",
            long.len()
        );
    }

    #[test]
    fn texts_are_cut_beyond_200_bytes() {
        let of = |len: usize| "a".repeat(len);
        assert_eq!(text(&of(MAX_LEN)), of(MAX_LEN));
        assert_eq!(text(&of(MAX_LEN + 1)), of(MAX_LEN) + "..");
        // An escape is whole or not there.
        assert_eq!(text(&(of(MAX_LEN - 1) + "\n")), of(MAX_LEN - 1) + "..");
        assert_eq!(text(&(of(MAX_LEN - 2) + "\n")), of(MAX_LEN - 2) + "\\n");
    }

    #[test]
    fn no_password_is_shown_whose_end_is_cut_off() {
        let fill = |text: &str, end: &str| format!("{text}{}{end}", "w".repeat(MAX_LEN));
        for (begin, end, shown) in [
            ("https://h/x/https://u:p", "@h/y", "https://h/x/https.."),
            ("https://h:80/x//u:p", "@h/y", "https://h:80/x.."),
            ("https://h/a@b/sip:u:p", "@h", "https://h/a@b/sip.."),
            ("https://h/x/https://u:p@", "@h", "https://h/x/https.."),
            ("https://u:p", "@h", "https://u.."),
            ("u:p", "@h", "u.."),
        ] {
            assert_eq!(text(&fill(begin, end)), shown);
        }
        let without = text(&fill("https://h/x/https://u:p", "/y"));
        assert!(
            without.starts_with("https://h/x/https://u:pww"),
            "{without}"
        );
    }

    #[test]
    fn what_a_terminal_acts_on_is_escaped_except_for_some() {
        let cases: &[(&str, &[char], &str)] = &[
            ("", &[], ""),
            ("a \u{e9}\u{1f4de}", &[], "a \u{e9}\u{1f4de}"),
            ("a\n\t\0", &[], "a\\n\\t\\u{0}"),
            ("a\n\t\u{1b}", &['\n'], "a\n\\t\\u{1b}"),
            ("\u{ad}\u{202e}\u{feff}", &[], "\\u{ad}\\u{202e}\\u{feff}"),
            ("\u{ad}\u{202e}", &['\u{ad}'], "\u{ad}\\u{202e}"),
            (
                "\u{fffe}\u{fdd0}\u{1ffff}",
                &[],
                "\\u{fffe}\\u{fdd0}\\u{1ffff}",
            ),
            ("\u{fffd}", &[], "\u{fffd}"),
            ("a", &['a'], "a"),
        ];
        for (text, except, expected) in cases {
            assert_eq!(escape(text, except), *expected, "{text:?} {except:?}");
        }
    }
}
