//! The parameters of a form: split, decoded, ordered, and written as Twilio signs them.
//!
//! This runs for every webhook, genuine or forged, so it is written for speed: one pass splits the
//! form, the first bytes of each name are sorted as one integer, and text moves in blocks of fixed
//! size. A typical request needs no allocation. The tests hold it against a plain version of the same
//! rules.

use std::{cmp::Ordering, iter, ops::Range};

use smallvec::SmallVec;

/// Room for the text of a typical request; a longer text goes to the heap.
pub(crate) type Room = SmallVec<[u8; 4096]>;

/// Room for the pairs of a typical request.
type Pairs<T> = SmallVec<[T; 64]>;

/// Returns the signed form of an `application/x-www-form-urlencoded` text, written into a room: names in
/// byte order, each followed by its value, both decoded, with nothing between them.
///
/// The values of a repeated name are ordered and written once each, each after the name.
pub(crate) fn write_signed<'r>(form: &[u8], room: &'r mut Room) -> &'r [u8] {
    let mut pairs = Pairs::new();
    split(form, |pair| pairs.push(pair));
    let mut order = Pairs::new();
    order.extend(
        (0..)
            .zip(&pairs)
            .map(|(index, pair)| Place::new(form, pair, index)),
    );
    order.sort_unstable_by_key(|place| place.prefix);

    // Decoding makes nothing longer, and each pair is written once at most.
    room.clear();
    room.extend_from_slice(form);
    room.extend_from_slice(&[0; BLOCK]);
    let mut writer = Writer {
        form,
        text: room,
        len: 0,
    };
    for places in order.chunk_by_mut(|a, b| a.prefix == b.prefix) {
        if let [only] = places {
            writer.write_pair(pairs.get(only.index));
        } else {
            write_tied(places, &pairs, &mut writer);
        }
    }
    let len = writer.len;
    part(room, 0..len)
}

/// Writes pairs whose names are alike in their first bytes.
fn write_tied(places: &mut [Place], pairs: &[Pair], writer: &mut Writer<'_>) {
    let form = writer.form;
    let compare = |a: &Place, b: &Place| match (pairs.get(a.index), pairs.get(b.index)) {
        (Some(a), Some(b)) => a.compare(b, form),
        _ => Ordering::Equal,
    };
    places.sort_unstable_by(compare);
    for repeated in places.chunk_by(|a, b| compare(a, b).is_eq()) {
        writer.write_pair(repeated.first().and_then(|place| pairs.get(place.index)));
    }
}

/// Returns the decoded values of a parameter, in the order of the text.
pub(crate) fn values(form: &[u8], name: &[u8]) -> impl Iterator<Item = Decoded> {
    let mut values = SmallVec::<[Decoded; 1]>::new();
    split(form, |pair| {
        if decoded(part(form, pair.name())).eq(name.iter().copied()) {
            values.push(decode(part(form, pair.value())));
        }
    });
    values.into_iter()
}

/// A pair of a form, as places in it.
struct Pair {
    start: usize,
    /// Where the `=` is, or else the end.
    name_end: usize,
    end: usize,
    name_is_escaped: bool,
    value_is_escaped: bool,
}

impl Pair {
    fn name(&self) -> Range<usize> {
        self.start..self.name_end
    }

    fn value(&self) -> Range<usize> {
        self.end.min(self.name_end + 1)..self.end
    }

    /// Compares names, then values, both decoded.
    fn compare(&self, other: &Self, form: &[u8]) -> Ordering {
        let compare = |a: Range<usize>, b: Range<usize>, escaped: bool| {
            let (a, b) = (part(form, a), part(form, b));
            if escaped {
                decoded(a).cmp(decoded(b))
            } else {
                a.cmp(b)
            }
        };
        let name_is_escaped = self.name_is_escaped || other.name_is_escaped;
        let value_is_escaped = self.value_is_escaped || other.value_is_escaped;
        compare(self.name(), other.name(), name_is_escaped)
            .then_with(|| compare(self.value(), other.value(), value_is_escaped))
    }
}

/// Bytes of a form that are looked at together: as many as there are bits in a `u64`.
const STRIDE: usize = 64;

/// Splits a form. A pair without `=` has an empty value, and nothing between two `&` is no pair.
#[inline]
fn split(form: &[u8], mut push: impl FnMut(Pair)) {
    let (strides, tail) = form.as_chunks::<STRIDE>();
    // The last pair ends as if there were one more `&`.
    let mut last = [b'&'; STRIDE];
    for (to, from) in last.iter_mut().zip(tail) {
        *to = *from;
    }

    let mut start = 0;
    // Where the name of the present pair ends, and whether it has escapes.
    let mut name = None;
    let mut is_escaped = false;
    let mut offset = 0;
    for stride in strides.iter().chain([&last]) {
        let mut suspects = suspects_in(stride);
        while suspects != 0 {
            let bit = suspects.trailing_zeros() as usize;
            suspects &= suspects - 1;
            let at = offset + bit;
            match stride.get(bit) {
                Some(b'=') if name.is_none() => {
                    name = Some((at, is_escaped));
                    is_escaped = false;
                }
                Some(b'+' | b'%') => is_escaped = true,
                Some(b'&') => {
                    if start != at {
                        let (name_end, name_is_escaped) = name.unwrap_or((at, is_escaped));
                        push(Pair {
                            start,
                            name_end,
                            end: at,
                            name_is_escaped,
                            value_is_escaped: is_escaped,
                        });
                    }
                    if at >= form.len() {
                        return;
                    }
                    start = at + 1;
                    name = None;
                    is_escaped = false;
                }
                _ => {}
            }
        }
        offset += STRIDE;
    }
}

/// Returns a bit for each byte that may be `&`, `=`, `+` or `%`.
#[inline]
fn suspects_in(stride: &[u8; STRIDE]) -> u64 {
    // Moves the lowest bits of eight bytes into the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;

    let (words, _) = stride.as_chunks();
    let bits = words
        .iter()
        .map(|word| ((suspects(*word) >> 7).wrapping_mul(GATHER) >> 56) as u8);
    let mut suspects = [0; 8];
    for (to, from) in suspects.iter_mut().zip(bits) {
        *to = from;
    }
    u64::from_le_bytes(suspects)
}

/// Returns the highest bit of each byte that may be `&`, `=`, `+` or `%`: eight bytes are looked at in one
/// integer.
///
/// These four are among the punctuation around the digits, of which little stands in a form otherwise:
/// to ask for that takes half as long as to ask for each of them.
#[inline]
fn suspects(word: [u8; 8]) -> u64 {
    const fn each(byte: u8) -> u64 {
        u64::from_le_bytes([byte; 8])
    }

    // The digits become 0 to 9, and the other characters from the blank to `?` 10 to 31.
    let moved = u64::from_le_bytes(word) ^ each(b'0');
    // No byte carries into the next, since the highest bits are left out.
    let low = moved & each(0x7f);
    let from_10 = low + each(0x80 - 10);
    let from_32 = low + each(0x80 - 32);
    from_10 & !(from_32 | moved) & each(0x80)
}

/// Where a pair belongs: by the first eight bytes of its decoded name, as a number that is ordered as they
/// are. Where those of several names are the same, it is not the last word.
struct Place {
    prefix: u64,
    index: usize,
}

impl Place {
    #[inline]
    fn new(form: &[u8], pair: &Pair, index: usize) -> Self {
        let name = pair.name();
        let block = form.get(name.start..).and_then(<[u8]>::first_chunk);
        let prefix = match block {
            Some(block) if !pair.name_is_escaped => {
                // What follows the name is not its own; a shorter name comes first, as with zeros.
                let foreign = if name.len() < 8 {
                    u64::MAX >> (8 * name.len())
                } else {
                    0
                };
                u64::from_be_bytes(*block) & !foreign
            }
            _ => {
                let mut block = [0; 8];
                for (to, from) in block.iter_mut().zip(decoded(part(form, name))) {
                    *to = from;
                }
                u64::from_be_bytes(block)
            }
        };
        Self { prefix, index }
    }
}

/// Bytes that are copied at a time, of which most names and values have less: a copy of fixed size is
/// no call and does not branch.
const BLOCK: usize = 48;

/// Writes parts of a form into a text that is long enough, with a block to spare. What a block brings
/// too much is written over.
struct Writer<'t> {
    form: &'t [u8],
    text: &'t mut [u8],
    len: usize,
}

impl Writer<'_> {
    #[inline]
    fn write_pair(&mut self, pair: Option<&Pair>) {
        if let Some(pair) = pair {
            self.write(pair.name(), pair.name_is_escaped);
            self.write(pair.value(), pair.value_is_escaped);
        }
    }

    #[inline]
    fn write(&mut self, part: Range<usize>, is_escaped: bool) {
        if is_escaped {
            self.write_decoded(part);
            return;
        }
        let block = self
            .form
            .get(part.start..)
            .and_then(<[u8]>::first_chunk::<BLOCK>);
        let room = self
            .text
            .get_mut(self.len..)
            .and_then(<[u8]>::first_chunk_mut);
        let len = part.len();
        match (block, room) {
            (Some(block), Some(room)) if len <= BLOCK => *room = *block,
            _ => {
                let room = self.text.get_mut(self.len..self.len + len);
                if let (Some(part), Some(room)) = (self.form.get(part), room) {
                    room.copy_from_slice(part);
                }
            }
        }
        self.len += len;
    }

    fn write_decoded(&mut self, part: Range<usize>) {
        let Range { start: mut at, end } = part;
        while let Some((byte, rest)) = self.form.get(at..end).and_then(decode_first) {
            if let Some(room) = self.text.get_mut(self.len) {
                *room = byte;
            }
            self.len += 1;
            at = end - rest.len();

            // What stands before the next escape moves at once.
            let word = self.form.get(at..).and_then(<[u8]>::first_chunk);
            let room = self
                .text
                .get_mut(self.len..)
                .and_then(<[u8]>::first_chunk_mut);
            if let (Some(word), Some(room)) = (word, room) {
                *room = *word;
                let plain = suspects(*word).trailing_zeros() as usize / 8;
                let plain = plain.min(end - at);
                at += plain;
                self.len += plain;
            }
        }
    }
}

fn part(text: &[u8], range: Range<usize>) -> &[u8] {
    text.get(range).unwrap_or_default()
}

/// A decoded name or value.
pub(crate) type Decoded = SmallVec<[u8; 64]>;

/// Decodes a name or a value of a form.
pub(crate) fn decode(raw: &[u8]) -> Decoded {
    decoded(raw).collect()
}

fn decoded(mut raw: &[u8]) -> impl Iterator<Item = u8> {
    iter::from_fn(move || {
        let (byte, rest) = decode_first(raw)?;
        raw = rest;
        Some(byte)
    })
}

/// Decodes the first `+`, `%XX` or other byte, and returns what follows it; a malformed `%` stays as it
/// is.
#[inline]
fn decode_first(raw: &[u8]) -> Option<(u8, &[u8])> {
    match raw {
        [] => None,
        [b'+', rest @ ..] => Some((b' ', rest)),
        [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            Some((hex_digit(*high) << 4 | hex_digit(*low), rest))
        }
        [first, rest @ ..] => Some((*first, rest)),
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
        write_signed(form, &mut Room::new()).to_vec()
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
