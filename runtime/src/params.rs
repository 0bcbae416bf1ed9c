//! The parameters of a form: split, decoded, ordered, and written as Twilio signs them.

use std::borrow::Cow;

use smallvec::SmallVec;

/// Room for the text of a typical request; a longer text goes to the heap.
pub(crate) type Text = SmallVec<[u8; 4096]>;

/// A pair of a form body: the name decoded, since pairs are ordered by it, the value still as it
/// came.
struct Pair<'a> {
    name: Cow<'a, [u8]>,
    raw_value: &'a [u8],
}

/// Returns the signed form of an `application/x-www-form-urlencoded` text: names in byte order,
/// each followed by its value, both decoded, with nothing between them.
///
/// The values of a repeated name are ordered and written once each, each after the name.
pub(crate) fn signed_text(form: &[u8]) -> Text {
    let mut pairs: SmallVec<[Pair<'_>; 64]> = split(form)
        .map(|(name, raw_value)| Pair {
            name: decode(name),
            raw_value,
        })
        .collect();
    pairs.sort_unstable_by(|a, b| a.name.cmp(&b.name));

    let mut text = Text::new();
    for same_name in pairs.chunk_by(|a, b| a.name == b.name) {
        if let [pair] = same_name {
            text.extend_from_slice(&pair.name);
            decode_into(pair.raw_value, &mut text);
            continue;
        }
        let mut values: Vec<_> = same_name
            .iter()
            .map(|pair| decode(pair.raw_value))
            .collect();
        values.sort_unstable();
        values.dedup();
        for (pair, value) in same_name.iter().zip(values) {
            text.extend_from_slice(&pair.name);
            text.extend_from_slice(&value);
        }
    }
    text
}

/// Splits a form into raw names and values; a pair without `=` has an empty value, and nothing
/// between two `&` is no pair.
fn split(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    form.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.iter().position(|byte| *byte == b'=') {
            Some(equals) => {
                let (name, value) = pair.split_at(equals);
                (name, value.get(1..).unwrap_or(&[]))
            }
            None => (pair, &[][..]),
        })
}

/// Decodes `+` and `%XX`; a malformed `%` stays as it is.
fn decode(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.iter().copied().any(is_escape) {
        return Cow::Borrowed(raw);
    }
    let mut decoded = Text::new();
    decode_into(raw, &mut decoded);
    Cow::Owned(decoded.into_vec())
}

fn decode_into(mut raw: &[u8], text: &mut Text) {
    while let Some(at) = raw.iter().copied().position(is_escape) {
        let (plain, escape) = raw.split_at(at);
        text.extend_from_slice(plain);
        raw = match *escape {
            [b'+', ref rest @ ..] => {
                text.push(b' ');
                rest
            }
            [b'%', high, low, ref rest @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                text.push(hex_digit(high) << 4 | hex_digit(low));
                rest
            }
            [malformed, ref rest @ ..] => {
                text.push(malformed);
                rest
            }
            [] => &[],
        };
    }
    text.extend_from_slice(raw);
}

fn is_escape(byte: u8) -> bool {
    matches!(byte, b'+' | b'%')
}

/// Returns the value of an ASCII hex digit.
fn hex_digit(digit: u8) -> u8 {
    (digit & 0xf) + if digit > b'9' { 9 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_signed_decoded_ordered_and_without_repeats() {
        let cases: &[(&str, &str)] = &[
            ("", ""),
            ("&&", ""),
            ("=", ""),
            ("b=2&a=1", "a1b2"),
            (
                "a=1&A=2&SidAccount=3&Sid=4&Sid2=5",
                "A2Sid4Sid25SidAccount3a1",
            ),
            (
                "Reason=Participant&ReasonConferenceEnded=test",
                "ReasonParticipantReasonConferenceEndedtest",
            ),
            ("a=2&a=1&a=2&a=1&a=", "aa1a2"),
            ("%61=2&a=1", "a1a2"),
            ("%62=2&a=1", "a1b2"),
            ("a=%31&a=1", "a1"),
            ("a[b]=1&a.b=2", "a.b2a[b]1"),
            ("empty=&none&a", "aemptynone"),
            ("a=b=c", "ab=c"),
            ("=x", "x"),
            ("a=+%20 ", "a   "),
            ("a=%", "a%"),
            ("a=%2", "a%2"),
            ("a=%zz%4g%%41", "a%zz%4g%A"),
            ("a=%0D%0A%00", "a\r\n\0"),
            ("a=%C3%A9&b=\u{e9}", "a\u{e9}b\u{e9}"),
        ];
        for (form, expected) in cases {
            assert_eq!(
                signed_text(form.as_bytes()).as_slice(),
                expected.as_bytes(),
                "{form:?}"
            );
        }
        assert_eq!(signed_text(b"a=%FF%fe").as_slice(), b"a\xff\xfe");
    }
}
