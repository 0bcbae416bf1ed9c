//! Makes everything that the tool shows safe to show: text in a terminal, and JSON.
//!
//! Characters that a terminal acts on, that are invisible, or that change the direction of text are escaped.

mod passwords;

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use quick_xml::{Reader, events::Event};
use serde::Serialize;
use twilio_signature::redact::{self, escape};

pub(crate) use self::passwords::{url_without_password, without_passwords};

/// The deepest XML that is indented. TwiML nests five elements at most.
const MAX_DEPTH: usize = 64;

/// The longest indented XML in bytes. Indentation grows with the depth, so a short text can get long.
const MAX_INDENTED: usize = 1024 * 1024;

/// The form of a command's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    Text,
    /// JSON for programs
    Json,
}

/// The option of every command that selects the form of its output.
#[derive(clap::Args)]
pub(crate) struct FormatArgs {
    /// Prints the result as text or as JSON.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Returns a body as text: XML is indented, and other text is kept with its lines.
pub(crate) fn body(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let indented = if text.trim_start().starts_with('<') {
        indent(text.trim())
    } else {
        None
    };
    lines(&indented.unwrap_or_else(|| text.into_owned()))
}

/// Returns a text that may have several lines.
pub(crate) fn lines(text: &str) -> String {
    escape(text, &['\n', '\t'])
}

/// Returns a text as one line, without the passwords of URLs.
pub(crate) fn line(text: &str) -> String {
    exact_line(&without_passwords(text))
}

/// Returns a text as one line, for what a command was asked for, such as a URL to send a request to. What joins letters is
/// escaped too, since it has no use in a URL or a name.
pub(crate) fn exact_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in escape(text, &[]).chars() {
        if is_joiner(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Returns a URL for a sentence: without passwords and the values of its query, and not too long.
pub(crate) fn url(url: &str) -> String {
    // If the text were cut first, a password whose `@` is cut off would be shown.
    redact::url(&without_passwords(url))
}

/// Returns a value as JSON on one line. The escapes of JSON are used, so that the value stays the same.
pub(crate) fn json(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(value).map(|text| visible(&text))
}

/// Returns a value as JSON on several lines.
pub(crate) fn pretty_json(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(|text| visible(&text))
}

/// Escapes characters in JSON. Outside of its strings, JSON has none of them but white space.
fn visible(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !is_hidden(c) {
            shown.push(c);
        } else if matches!(c, '\t' | '\r') {
            // In a string, it would be an escape already.
            shown.push(' ');
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    shown
}

/// Returns a number with the word for one or for several.
pub(crate) fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// Returns a text without tokens and the passwords of URLs, for errors, which repeat what the user has written.
pub(crate) fn without_secrets(text: &str) -> String {
    without_passwords(&without_tokens(text))
}

/// Returns a text with `<token>` in place of whatever has the form of an Auth Token: 32 hex digits.
fn without_tokens(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = first.is_ascii_alphanumeric();
        let end = rest.find(|c: char| c.is_ascii_alphanumeric() != is_word);
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        let is_token = part.len() == 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        shown.push_str(if is_token { "<token>" } else { part });
        rest = after;
    }
    shown
}

/// Returns whether a text can be a part of a command that is pasted into a shell. A shell may read each line by itself, with
/// the quotes of another one, and takes a tab for a wish to complete a word.
pub(crate) fn can_be_pasted(text: &str) -> bool {
    !text.chars().any(is_hidden)
}

/// Returns whether a text has characters that are escaped when it is shown, except for line ends and tabs.
pub(crate) fn has_hidden(text: &str) -> bool {
    text.chars()
        .any(|c| !matches!(c, '\n' | '\t') && is_hidden(c))
}

/// Returns whether a character is escaped when it is shown on one line.
pub(crate) fn is_hidden(c: char) -> bool {
    let text = c.encode_utf8(&mut [0; 4]).to_owned();
    !c.is_ascii_graphic() && (is_joiner(c) || escape(&text, &[]) != text)
}

/// Returns whether a character joins letters or selects a form of one, without a form of its own.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// The largest width of a report in characters.
const WIDTH: usize = 80;

/// Writes a text in lines of at most 80 characters, the first one after `label` and the others indented like it.
pub(crate) fn write_wrapped(output: &mut impl Write, label: &str, text: &str) -> io::Result<()> {
    let indent = label.chars().count();
    let mut used = indent;
    write!(output, "{label}")?;
    for word in line(text).split(' ') {
        let len = word.chars().count();
        if used > indent && used + 1 + len > WIDTH {
            write!(output, "\n{:indent$}", "")?;
            used = indent;
        } else if used > indent {
            write!(output, " ")?;
            used += 1;
        }
        write!(output, "{word}")?;
        used += len;
    }
    writeln!(output)
}

/// Writes a list of likely causes.
pub(crate) fn write_causes(output: &mut impl Write, causes: &[String]) -> io::Result<()> {
    if !causes.is_empty() {
        writeln!(
            output,
            "Likely causes, the most likely one first; the app's log says which one it is:"
        )?;
    }
    for (index, cause) in causes.iter().enumerate() {
        write_wrapped(output, &format!("  {}. ", index + 1), cause)?;
    }
    Ok(())
}

/// Indents XML. Returns `None` if the text is not XML, or if it would become too long.
fn indent(xml: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    let mut writer = quick_xml::Writer::new_with_indent(Vec::new(), b' ', 2);
    let mut depth = 0_usize;
    loop {
        let event = reader.read_event().ok()?;
        match &event {
            Event::Eof => break,
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            // The source's own indentation. Other white space may be part of what is spoken.
            Event::Text(text) if text.contains('\n') && text.trim().is_empty() => continue,
            _ => {}
        }
        if depth > MAX_DEPTH || writer.get_ref().len() > MAX_INDENTED {
            return None;
        }
        writer.write_event(event).ok()?;
    }
    String::from_utf8(writer.into_inner()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_indented_and_stays_the_same_xml() {
        let twiml = "<?xml version=\"1.0\"?><Response><Say voice=\"a\">1 &lt; 2 &amp; <b>x</b> y</Say>\n   <Hangup/></Response>";
        assert_eq!(
            body(twiml.as_bytes()),
            "<?xml version=\"1.0\"?>\n<Response>\n  <Say voice=\"a\">1 &lt; 2 &amp; <b>x</b> y</Say>\n  <Hangup/>\n</Response>"
        );
    }

    #[test]
    fn other_text_is_kept() {
        for text in [
            "<Response><Say></Response>",
            "a\tb\nc",
            "",
            "{\"a\": 1}",
            "<",
        ] {
            assert_eq!(body(text.as_bytes()), text);
        }
    }

    #[test]
    fn xml_whose_indentation_would_grow_without_limit_is_kept() {
        let deep = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(body(deep(MAX_DEPTH).as_bytes()).contains("\n  <a>"));
        assert_eq!(body(deep(MAX_DEPTH + 1).as_bytes()), deep(MAX_DEPTH + 1));
        let unclosed = "<a>".repeat(40_000);
        assert_eq!(body(unclosed.as_bytes()), unclosed);
        let outer = MAX_DEPTH - 2;
        let wide = "<a>".repeat(outer) + &"<b/>".repeat(60_000) + &"</a>".repeat(outer);
        assert_eq!(body(wide.as_bytes()), wide);
    }

    #[test]
    fn what_looks_like_a_token_is_replaced() {
        let token = "0123456789abcdefABCDEF0123456789";
        for (text, shown) in [
            (token.to_owned(), "<token>".to_owned()),
            (
                format!("'X={token},{token}'"),
                "'X=<token>,<token>'".to_owned(),
            ),
            (
                format!("\u{e4}{token}\u{e4}"),
                "\u{e4}<token>\u{e4}".to_owned(),
            ),
            (format!("SM{token}"), format!("SM{token}")),
            (format!("a{token}"), format!("a{token}")),
            ("a b--c".to_owned(), "a b--c".to_owned()),
        ] {
            assert_eq!(without_tokens(&text), shown);
        }
    }

    #[test]
    fn escapes_for_the_terminal_are_shown() {
        assert_eq!(body(b"\x1b[31mred\r\n\x9b"), "\\u{1b}[31mred\\r\n\u{fffd}");
    }

    /// Bidirectional marks, C1 controls and zero-width characters.
    const HIDDEN: [char; 10] = [
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{9b}',
        '\u{200b}',
        '\u{200d}',
        '\u{200e}',
        '\u{202e}',
        '\u{2069}',
        '\u{e0041}',
    ];

    #[test]
    fn hidden_characters_are_shown_as_escapes_in_every_form() {
        for c in HIDDEN {
            let text = format!("a{c}b");
            let escaped = format!("a{}b", c.escape_default());
            assert_eq!(line(&text), escaped);
            // Between letters, a joiner has its use.
            if !is_joiner(c) {
                assert_eq!(body(text.as_bytes()), escaped);
            }
            for shown in [json(&[&text]).unwrap(), pretty_json(&[&text]).unwrap()] {
                assert!(!shown.contains(c), "{shown:?}");
                assert_eq!(
                    serde_json::from_str::<[String; 1]>(&shown).unwrap(),
                    [&*text]
                );
            }
        }
        assert_eq!(json(&["é 🙂 \u{627}"]).unwrap(), "[\"é 🙂 \u{627}\"]");
    }
}
