//! Text from a request, as it may stand in a log line.

/// Bytes of such a text at most.
const TEXT_LIMIT: usize = 200;

/// Returns a URL without user info and without the values in its query, fit for a log line.
pub(crate) fn printable_url(url: &str) -> String {
    let (before_query, query) = match url.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (url, None),
    };
    let mut text = match before_query.split_once('@') {
        Some((user, rest))
            if !user
                .split_once("://")
                .map_or(user, |(_, u)| u)
                .contains('/') =>
        {
            let scheme = user.split_once("://").map_or("", |(scheme, _)| scheme);
            format!("{scheme}://..@{rest}")
        }
        _ => before_query.to_owned(),
    };
    if let Some(query) = query {
        let names = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) => format!("{name}=.."),
            None => "..".to_owned(),
        });
        text.push('?');
        text.push_str(&names.collect::<Vec<_>>().join("&"));
    }
    printable(&text)
}

/// Escapes what could garble a log, and cuts the text.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::new();
    for c in text.chars() {
        let escaped = c.escape_debug();
        if printable.len() + escaped.len() > TEXT_LIMIT {
            printable.push_str("..");
            break;
        }
        printable.extend(escaped);
    }
    printable
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
            ("https://h/x@y", "https://h/x@y"),
            ("https://h/\n\u{1b}[31m\"", "https://h/\\n\\u{1b}[31m\\\""),
        ];
        for (url, expected) in cases {
            assert_eq!(printable_url(url), expected);
        }
        let long = printable_url(&format!("https://h/{}", "\u{e9}".repeat(1000)));
        assert!(
            (TEXT_LIMIT - 4..=TEXT_LIMIT + 2).contains(&long.len()),
            "{}",
            long.len()
        );
    }
}
