//! Text from an endpoint, made fit for a terminal.

use quick_xml::{Reader, Writer, events::Event};

/// Returns a body as text: XML indented, other text as it is, and without characters that a terminal
/// would act on.
pub(crate) fn body(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let indented = if text.trim_start().starts_with('<') {
        indent(text.trim())
    } else {
        None
    };
    harmless(&indented.unwrap_or_else(|| text.into_owned()))
}

/// Escapes control characters other than line ends and tabs.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if c.is_control() && !matches!(c, '\n' | '\t') {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        out
    })
}

/// Indents XML, unless it is none.
fn indent(xml: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    loop {
        match reader.read_event().ok()? {
            Event::Eof => break,
            // The source's own indentation; other blanks may be spoken.
            Event::Text(text) if text.contains('\n') && text.trim().is_empty() => {}
            event => writer.write_event(event).ok()?,
        }
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
    fn what_is_no_xml_is_left_alone() {
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
    fn escapes_for_the_terminal_are_shown() {
        assert_eq!(body(b"\x1b[31mred\r\n\x9b"), "\\u{1b}[31mred\\r\n\u{fffd}");
    }
}
