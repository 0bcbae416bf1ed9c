//! The parameters of a form: split, decoded, ordered, and written as Twilio signs them.
//!
//! This runs for every webhook, genuine or forged, so it is written for speed: one pass splits the
//! form, packed prefixes order the names, and text moves in blocks, without allocation for a typical
//! request. The tests hold it against a plain version of the same rules.

use std::ops::Range;

use smallvec::SmallVec;

/// Room for the text of a typical request; a longer text goes to the heap.
pub(crate) type Text = SmallVec<[u8; 4096]>;

/// Room for the pairs of a typical request.
type Pairs<T> = SmallVec<[T; 64]>;

/// Writes the signed form of an `application/x-www-form-urlencoded` text: names in byte order, each
/// followed by its value, both decoded, with nothing between them.
///
/// The values of a repeated name are ordered and written once each, each after the name.
pub(crate) fn write_signed(form: &[u8], text: &mut Text) {
    let mut pairs = Pairs::new();
    split(form, &mut pairs);

    // Blocks are copied from here: the form, the names that had to be decoded to be ordered, and a
    // block to spare.
    let mut source = Text::new();
    source.extend_from_slice(form);
    for pair in pairs.iter_mut().filter(|pair| pair.name_has_escapes) {
        let start = source.len();
        source.extend_from_slice(&decode(part(form, &pair.name)));
        pair.name = start..source.len();
    }
    source.extend_from_slice(&[0; BLOCK]);

    let mut order = Pairs::new();
    for (index, pair) in pairs.iter().enumerate() {
        order.push(Place::new(&source, &pair.name, index));
    }
    order.sort_unstable();

    // Decoding makes nothing longer, and each pair is written once at most.
    text.clear();
    text.extend_from_slice(&source);
    let mut writer = Writer { text, len: 0 };
    for same_prefix in order.chunk_by_mut(|a, b| a.prefix == b.prefix) {
        if let [only] = same_prefix {
            writer.write_pair(&source, pairs.get(only.index));
        } else {
            write_tied(same_prefix, &source, &pairs, &mut writer);
        }
    }
    let len = writer.len;
    text.truncate(len);
}

/// Writes pairs whose names are alike in their first bytes.
fn write_tied(places: &mut [Place], source: &[u8], pairs: &[Pair], writer: &mut Writer<'_>) {
    let pair = |place: &Place| pairs.get(place.index);
    let name = |place: &Place| pair(place).map(|pair| part(source, &pair.name));
    let value = |place: &Place| pair(place).map(|pair| decode(part(source, &pair.value)));
    places.sort_unstable_by(|a, b| name(a).cmp(&name(b)));
    for same_name in places.chunk_by(|a, b| name(a) == name(b)) {
        if let [only] = same_name {
            writer.write_pair(source, pair(only));
            continue;
        }
        let mut values: Vec<_> = same_name.iter().filter_map(value).collect();
        values.sort_unstable();
        values.dedup();
        for (place, value) in same_name.iter().zip(values) {
            writer.write(name(place).unwrap_or_default());
            writer.write(&value);
        }
    }
}

/// Returns the decoded values of a parameter, in the order of the text.
pub(crate) fn values(form: &[u8], name: &[u8]) -> impl Iterator<Item = Decoded> {
    let mut pairs = Pairs::new();
    split(form, &mut pairs);
    pairs
        .into_iter()
        .filter(move |pair| *decode(part(form, &pair.name)) == *name)
        .map(|pair| decode(part(form, &pair.value)))
}

/// A pair of a form, as places in it.
struct Pair {
    name: Range<usize>,
    value: Range<usize>,
    name_has_escapes: bool,
    value_has_escapes: bool,
}

/// Bytes of a form that are looked at together: as many as there are bits in a `u32`.
const STRIDE: usize = 32;

/// Splits a form. A pair without `=` has an empty value, and nothing between two `&` is no pair.
fn split(form: &[u8], pairs: &mut Pairs<Pair>) {
    let (strides, tail) = form.as_chunks::<STRIDE>();
    // The zeros behind the tail are no special bytes.
    let mut last = [0; STRIDE];
    for (to, from) in last.iter_mut().zip(tail) {
        *to = *from;
    }

    let mut start = 0;
    let mut equals = None;
    let (mut name_has_escapes, mut value_has_escapes) = (false, false);
    let mut offset = 0;
    for stride in strides.iter().chain([&last]) {
        let mut special = special_bytes(stride);
        while special != 0 {
            let bit = special.trailing_zeros() as usize;
            special &= special - 1;
            let at = offset + bit;
            match stride.get(bit) {
                Some(b'&') => {
                    if start != at {
                        let (name, value) = halves(start, equals, at);
                        pairs.push(Pair {
                            name,
                            value,
                            name_has_escapes,
                            value_has_escapes,
                        });
                    }
                    start = at + 1;
                    equals = None;
                    (name_has_escapes, value_has_escapes) = (false, false);
                }
                Some(b'=') => equals = equals.or(Some(at)),
                _ if equals.is_none() => name_has_escapes = true,
                _ => value_has_escapes = true,
            }
        }
        offset += STRIDE;
    }
    if start != form.len() {
        let (name, value) = halves(start, equals, form.len());
        pairs.push(Pair {
            name,
            value,
            name_has_escapes,
            value_has_escapes,
        });
    }
}

/// Returns a bit for each byte that means something in a form. The compiler makes a few vector
/// instructions of it, as long as nothing in it branches.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator branches")]
fn special_bytes(stride: &[u8; STRIDE]) -> u32 {
    let mut special = 0;
    for (bit, &byte) in stride.iter().enumerate() {
        let is_special = (byte == b'&') | (byte == b'=') | (byte == b'+') | (byte == b'%');
        special |= u32::from(is_special) << bit;
    }
    special
}

fn halves(start: usize, equals: Option<usize>, end: usize) -> (Range<usize>, Range<usize>) {
    match equals {
        Some(equals) => (start..equals, equals + 1..end),
        None => (start..end, end..end),
    }
}

/// Where a pair belongs: the first eight bytes of its name, ordered as they are, and then its index. Where
/// the prefixes of several names are the same, it is not the last word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    prefix: u64,
    index: usize,
}

impl Place {
    fn new(source: &[u8], name: &Range<usize>, index: usize) -> Self {
        let block = source.get(name.start..).and_then(<[u8]>::first_chunk);
        let prefix = u64::from_be_bytes(block.copied().unwrap_or_default());
        // What follows the name is not its own; a shorter name comes first, as with zeros.
        let own = match u32::try_from(name.len()) {
            Ok(len @ 0..8) => !(u64::MAX >> (8 * len)),
            _ => u64::MAX,
        };
        Self {
            prefix: prefix & own,
            index,
        }
    }
}

/// Bytes that are copied at a time: a copy of fixed size is no call.
const BLOCK: usize = 16;

/// Writes into a text that is long enough.
struct Writer<'t> {
    text: &'t mut [u8],
    len: usize,
}

impl Writer<'_> {
    fn write_pair(&mut self, source: &[u8], pair: Option<&Pair>) {
        let Some(pair) = pair else { return };
        self.write_part(source, &pair.name);
        if pair.value_has_escapes {
            decode_each(part(source, &pair.value), |byte| self.push(byte));
        } else {
            self.write_part(source, &pair.value);
        }
    }

    /// Writes a part of a source that has a block to spare. What is written too much is written over.
    #[inline]
    fn write_part(&mut self, source: &[u8], part: &Range<usize>) {
        let (mut from, mut to) = (part.start, self.len);
        while from < part.end {
            let block = source.get(from..).and_then(<[u8]>::first_chunk::<BLOCK>);
            let room = self.text.get_mut(to..).and_then(<[u8]>::first_chunk_mut);
            if let (Some(block), Some(room)) = (block, room) {
                *room = *block;
            }
            from += BLOCK;
            to += BLOCK;
        }
        self.len += part.len();
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.push(*byte);
        }
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        if let Some(room) = self.text.get_mut(self.len) {
            *room = byte;
        }
        self.len += 1;
    }
}

fn part<'t>(text: &'t [u8], range: &Range<usize>) -> &'t [u8] {
    text.get(range.clone()).unwrap_or_default()
}

/// A decoded name or value.
pub(crate) type Decoded = SmallVec<[u8; 64]>;

/// Decodes a name or a value of a form.
pub(crate) fn decode(raw: &[u8]) -> Decoded {
    let mut decoded = Decoded::new();
    decode_each(raw, |byte| decoded.push(byte));
    decoded
}

/// Decodes `+` and `%XX`; a malformed `%` stays as it is.
#[inline]
fn decode_each(mut raw: &[u8], mut push: impl FnMut(u8)) {
    while let [first, after @ ..] = raw {
        let (byte, after) = match (first, after) {
            (b'+', _) => (b' ', after),
            (b'%', [high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (hex_digit(*high) << 4 | hex_digit(*low), after)
            }
            _ => (*first, after),
        };
        push(byte);
        raw = after;
    }
}

/// Returns the value of an ASCII hex digit.
fn hex_digit(digit: u8) -> u8 {
    (digit & 0xf) + if digit > b'9' { 9 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed_text(form: &[u8]) -> Vec<u8> {
        let mut text = Text::new();
        write_signed(form, &mut text);
        text.into_vec()
    }

    /// The rules as they are told, without a thought of speed.
    fn plain_signed_text(form: &[u8]) -> Vec<u8> {
        let decoded = |raw: &[u8]| {
            let (mut decoded, mut at) = (Vec::new(), 0);
            while at < raw.len() {
                let hex = raw
                    .get(at + 1..at + 3)
                    .and_then(|hex| str::from_utf8(hex).ok());
                let hex = hex.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
                match (raw[at], hex) {
                    (b'%', Some(hex)) => {
                        decoded.push(u8::from_str_radix(hex, 16).unwrap());
                        at += 2;
                    }
                    (b'+', _) => decoded.push(b' '),
                    (byte, _) => decoded.push(byte),
                }
                at += 1;
            }
            decoded
        };
        let pairs = form
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let (name, value) = (halves.next().unwrap(), halves.next().unwrap_or_default());
            (decoded(name), decoded(value))
        });
        let ordered: std::collections::BTreeSet<_> = pairs.collect();
        ordered
            .into_iter()
            .flat_map(|(name, value)| [name, value].concat())
            .collect()
    }

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
            (
                "MediaUrl10=c&MediaUrl1=b&MediaUrl0=a",
                "MediaUrl0aMediaUrl1bMediaUrl10c",
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
            ("a%00=1&a=2&a%00%00=3", "a2a\x001a\0\x003"),
            ("a=%C3%A9&b=\u{e9}", "a\u{e9}b\u{e9}"),
        ];
        for (form, expected) in cases {
            let text = signed_text(form.as_bytes());
            assert_eq!(text, expected.as_bytes(), "{form:?}");
            assert_eq!(plain_signed_text(form.as_bytes()), text, "{form:?}");
        }
        assert_eq!(signed_text(b"a=%FF%fe"), b"a\xff\xfe");
    }

    #[test]
    fn fast_and_plain_text_are_the_same_for_hostile_forms() {
        // Few bytes, so that pairs, repeats and escapes come about often.
        let alphabet = b"&&&==%%+aaabbAB04\0\xff";
        let mut state = 1_u32;
        let mut random = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % below
        };
        for round in 0..20_000 {
            let len = random(if round % 100 == 0 { 5_000 } else { 80 });
            let form: Vec<_> = (0..len).map(|_| alphabet[random(alphabet.len())]).collect();
            assert_eq!(
                signed_text(&form),
                plain_signed_text(&form),
                "{:?}",
                form.escape_ascii().to_string()
            );
        }
    }
}
