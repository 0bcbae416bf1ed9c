//! The answer as coloured text: split into tokens, indented, and with what the lint finds marked at its place.
//!
//! The lint names lines and columns of the text as it was sent. So each token keeps where it was, however it is indented.

use actix_twilio::twiml::{Finding, check_answer};
use serde::Serialize;

/// The deepest XML that is indented. `TwiML` nests five elements at most.
const MAX_DEPTH: usize = 20;

/// What a token is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Brackets, equals signs and white space.
    Mark,
    Tag,
    Attribute,
    String,
    Text,
    Comment,
}

/// A token: its kind, its text and the number of the finding that is in it, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Token(pub(super) Kind, pub(super) String, pub(super) Option<usize>);

/// Checks an answer as Twilio would, if it looks like `TwiML`.
pub(super) fn findings(content_type: Option<&str>, body: &[u8]) -> Option<Vec<Finding>> {
    let start = body.trim_ascii_start().to_ascii_lowercase();
    let is_html = start.starts_with(b"<!doctype html") || start.starts_with(b"<html");
    let is_xml = content_type.is_some_and(|text| text.to_ascii_lowercase().contains("xml"));
    (is_xml || start.starts_with(b"<") && !is_html).then(|| check_answer(content_type, body))
}

/// Splits a text into tokens, indents it, and marks the findings. A text that is not XML is one token.
pub(super) fn tokens(text: &str, findings: &[Finding]) -> Vec<Token> {
    let pieces = split(text);
    let places: Vec<_> = findings
        .iter()
        .map(|finding| offset(text, finding))
        .collect();
    let mut tokens = Vec::new();
    let mut indents = Indents::of(&pieces);
    for (index, piece) in pieces.iter().enumerate() {
        let Some(line) = indents.before(index, piece) else {
            continue;
        };
        if !line.is_empty() {
            tokens.push(Token(Kind::Mark, line, None));
        }
        for (kind, range) in &piece.parts {
            // A bracket is too small to be seen: the name after it is marked.
            let start = match kind {
                Kind::Tag => range.start.saturating_sub(1),
                _ => range.start,
            };
            let is_bracket = *kind == Kind::Mark && text.get(range.clone()) == Some("<");
            let found = places
                .iter()
                .position(|place| (start..range.end).contains(place) && !is_bracket);
            let Some(text) = text.get(range.clone()) else {
                continue;
            };
            tokens.push(Token(*kind, text.to_owned(), found.map(|index| index + 1)));
        }
    }
    tokens
}

/// Returns the place of a finding in bytes.
fn offset(text: &str, finding: &Finding) -> usize {
    let line = usize::try_from(finding.line)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    let column = usize::try_from(finding.column)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let within = rest
        .char_indices()
        .nth(column)
        .map_or(rest.len(), |(at, _)| at);
    start + within
}

type Range = std::ops::Range<usize>;

/// A tag, a comment or the text between two of them.
#[derive(Debug)]
struct Piece {
    shape: Shape,
    parts: Vec<(Kind, Range)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Open,
    Close,
    Empty,
    /// Comments, declarations and instructions.
    Aside,
    Text,
    Blank,
}

/// Splits a text at its brackets.
fn split(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let end = if rest.starts_with('<') {
            let close = if rest.starts_with("<!--") { "-->" } else { ">" };
            rest.find(close).map_or(rest.len(), |at| at + close.len())
        } else {
            rest.find('<').unwrap_or(rest.len())
        };
        pieces.push(piece(text, start..start + end));
        start += end;
    }
    pieces
}

fn piece(text: &str, range: Range) -> Piece {
    let source = text.get(range.clone()).unwrap_or_default();
    let whole = |shape, kind| Piece {
        shape,
        parts: vec![(kind, range.clone())],
    };
    if !source.starts_with('<') {
        let shape = if source.trim().is_empty() {
            Shape::Blank
        } else {
            Shape::Text
        };
        return whole(shape, Kind::Text);
    }
    if source.starts_with("<!") || source.starts_with("<?") {
        return whole(Shape::Aside, Kind::Comment);
    }
    let shape = match source {
        source if source.starts_with("</") => Shape::Close,
        source if source.ends_with("/>") => Shape::Empty,
        _ => Shape::Open,
    };
    Piece {
        shape,
        parts: tag(source, range.start),
    }
}

/// Splits a tag into its name, its attributes and what is between them.
fn tag(source: &str, start: usize) -> Vec<(Kind, Range)> {
    let mut parts: Vec<(Kind, Range)> = Vec::new();
    let mut quote = None;
    let mut named = false;
    for (at, c) in source.char_indices() {
        let kind = match (quote, c) {
            (Some(open), _) => {
                if c == open {
                    quote = None;
                }
                Kind::String
            }
            (None, '"' | '\'') => {
                quote = Some(c);
                Kind::String
            }
            (None, '<' | '>' | '/' | '=') => Kind::Mark,
            (None, c) if c.is_whitespace() => {
                named = true;
                Kind::Mark
            }
            (None, _) if named => Kind::Attribute,
            (None, _) => Kind::Tag,
        };
        let range = start + at..start + at + c.len_utf8();
        match parts.last_mut() {
            Some((last, part)) if *last == kind && part.end == range.start => part.end = range.end,
            _ => parts.push((kind, range)),
        }
    }
    parts
}

/// Which pieces start a line. Text, and whatever is beside text, stays as it is.
struct Indents {
    /// Of each piece that opens an element, whether there is text in it.
    mixed: Vec<bool>,
    /// The elements that are open, each with whether its content stays as it is.
    open: Vec<bool>,
}

impl Indents {
    fn of(pieces: &[Piece]) -> Self {
        let mut mixed = vec![false; pieces.len()];
        let mut open: Vec<usize> = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            match piece.shape {
                Shape::Open => open.push(index),
                Shape::Close => {
                    open.pop();
                }
                Shape::Text => {
                    if let Some(mixed) = open.last().and_then(|open| mixed.get_mut(*open)) {
                        *mixed = true;
                    }
                }
                Shape::Empty | Shape::Aside | Shape::Blank => {}
            }
        }
        Self {
            mixed,
            open: Vec::new(),
        }
    }

    /// Returns the white space before a piece, or `None` if the piece is white space that is replaced.
    fn before(&mut self, index: usize, piece: &Piece) -> Option<String> {
        let keeps = self.open.last().copied().unwrap_or(false);
        let is_mixed = self.mixed.get(index).copied().unwrap_or(false);
        let depth = self.open.len();
        match piece.shape {
            Shape::Blank => return keeps.then(String::new),
            Shape::Text => return Some(String::new()),
            Shape::Open => self.open.push(keeps || is_mixed),
            Shape::Close => {
                self.open.pop();
            }
            Shape::Empty | Shape::Aside => {}
        }
        let depth = depth - usize::from(piece.shape == Shape::Close && depth > 0);
        if keeps || index == 0 {
            return Some(String::new());
        }
        Some(format!("\n{}", "  ".repeat(depth.min(MAX_DEPTH))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        tokens(text, &[]).into_iter().map(|token| token.1).collect()
    }

    #[test]
    fn twiml_is_indented_and_text_is_kept() {
        let cases = [
            (
                "<?xml version=\"1.0\"?><Response><Gather numDigits=\"1\"><Say>Press  1</Say></Gather><Hangup/></Response>",
                "<?xml version=\"1.0\"?>\n<Response>\n  <Gather numDigits=\"1\">\n    <Say>Press  1</Say>\n  </Gather>\n  <Hangup/>\n</Response>",
            ),
            (
                "<Response>\n\n  <Say>a <break/> <emphasis>b</emphasis></Say>\n</Response>\n",
                "<Response>\n  <Say>a <break/> <emphasis>b</emphasis></Say>\n</Response>",
            ),
            ("plain text", "plain text"),
            ("", ""),
            ("<", "<"),
            ("<a", "<a"),
            ("</a></b>", "</a>\n</b>"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn deep_and_broken_text_costs_little_and_loses_nothing() {
        let deep = "<a>".repeat(10_000);
        assert!(shown(&deep).len() < deep.len() + 10_000 * (2 * MAX_DEPTH + 1));
        for text in [
            "<a b='<'>x</a>",
            "<a b=\"é\" c>é</a>",
            "x<y>z",
            "<!-- <a> --><b/>",
            "<a b='unclosed",
        ] {
            let without_space = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(without_space(&shown(text)), without_space(text));
        }
    }

    #[test]
    fn a_finding_is_marked_where_it_is_although_the_text_is_indented() {
        let text = "<Response><Say langauge='en-GB'>Hi</Say></Response>";
        let findings = findings(Some("text/xml"), text.as_bytes()).unwrap();
        let marked: Vec<_> = tokens(text, &findings)
            .into_iter()
            .filter(|token| token.2.is_some())
            .collect();
        assert_eq!(
            marked,
            [Token(Kind::Attribute, "langauge".to_owned(), Some(1))]
        );
        let findings = super::findings(Some("text/xml"), b"<Response><Sya/></Response>").unwrap();
        let tokens = tokens("<Response><Sya/></Response>", &findings);
        let marked: Vec<_> = tokens
            .into_iter()
            .filter(|token| token.2.is_some())
            .collect();
        assert_eq!(marked, [Token(Kind::Tag, "Sya".to_owned(), Some(1))]);
    }

    #[test]
    fn only_what_looks_like_twiml_is_checked() {
        let cases: [(Option<&str>, &str, Option<usize>); 6] = [
            (Some("text/xml"), "<Response/>", Some(0)),
            (Some("text/xml"), "", Some(1)),
            (Some("text/html"), "<!DOCTYPE html><p>", None),
            (Some("text/plain"), "<Response/>", Some(1)),
            (None, "", None),
            (Some("application/json"), "{}", None),
        ];
        for (content_type, body, expected) in cases {
            let found = findings(content_type, body.as_bytes()).map(|found| found.len());
            assert_eq!(found, expected, "{content_type:?} {body:?}");
        }
    }
}
