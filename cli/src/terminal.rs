//! Makes text from a request or an answer safe to print in a terminal.

use quick_xml::{Reader, Writer, events::Event};
use twilio_signature::redact::escape;

/// Returns a body as text: XML is indented, other text is kept, and characters that a terminal would
/// act on are escaped.
pub(crate) fn body(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let indented = if text.trim_start().starts_with('<') {
        indent(text.trim())
    } else {
        None
    };
    escape(
        &indented.unwrap_or_else(|| text.into_owned()),
        &['\n', '\t'],
    )
}

/// Returns a text as one line, with the characters escaped that a terminal would act on.
pub(crate) fn line(text: &str) -> String {
    escape(text, &[])
}

/// Indents XML; returns `None` if the text is not XML.
fn indent(xml: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    loop {
        match reader.read_event().ok()? {
            Event::Eof => break,
            // The source's own indentation. Other white space may be part of what is spoken.
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
    fn escapes_for_the_terminal_are_shown() {
        assert_eq!(body(b"\x1b[31mred\r\n\x9b"), "\\u{1b}[31mred\\r\n\u{fffd}");
    }
}
