//! The parameters of a form: split, decoded, ordered, and written as Twilio signs them.
//!
//! This runs for every webhook, genuine or forged, so it is written for speed: the bytes are searched in
//! strides without a branch, the first bytes of names are sorted as integers, and text moves in blocks of
//! fixed size. A typical request needs no allocation. The tests hold it against a plain version of the
//! same rules.

use std::{borrow::Borrow, iter, ops::Range};

use smallvec::SmallVec;

/// Room for the text of a typical request; a longer text goes to the heap.
pub(crate) type Room = SmallVec<[u8; 4096 + 1 + STRIDE]>;

/// Room for what there is one of for each pair of a typical request.
type Pairs<T> = SmallVec<[T; 64]>;

/// Bytes that are moved at a time, of which most names and values have less: a move of fixed size is no
/// call, and does not branch.
const BLOCK: usize = 48;

/// Returns the signed form of an `application/x-www-form-urlencoded` text, written into a room: names in
/// byte order, each followed by its value, both decoded, with nothing between them.
///
/// The values of a repeated name are ordered and written once each, each after the name.
pub(crate) fn write_signed<'r>(form: &[u8], room: &'r mut Room) -> &'r [u8] {
    let mut text = Room::new();
    let mut pairs = Pairs::new();
    split(form, &mut text, |_, pair| pairs.push(pair));

    // Decoding makes nothing longer, and each pair is written once at most.
    room.clear();
    room.resize(form.len() + BLOCK, 0);
    let mut writer = Writer { text: room, len: 0 };
    write_ordered(&text, &pairs, 0, &mut writer);
    let len = writer.len;
    part(room, 0..len)
}

/// Writes pairs ordered and without repeats. The names are alike up to `skip`, and nearly all of them are
/// told apart by the bytes that follow.
fn write_ordered<P: Borrow<Pair>>(text: &[u8], pairs: &[P], skip: usize, writer: &mut Writer<'_>) {
    /// The bits of a key that are an index; the others are part of a name.
    const INDEX: u64 = u16::MAX as u64;

    if pairs.len() > usize::from(u16::MAX) {
        let pairs = pairs.iter().map(Borrow::borrow).collect();
        return write_compared(text, pairs, writer);
    }
    let mut keys = Pairs::new();
    keys.extend(
        pairs
            .iter()
            .enumerate()
            .map(|(index, pair)| pair.borrow().prefix(text, skip) | index as u64),
    );
    // The standard library sorts 20 numbers and fewer by insertion, whose branches no processor foresees, and
    // some more by a network, which has none.
    if keys.len() > 8 {
        keys.resize(keys.len().max(21), u64::MAX);
    }
    keys.sort_unstable();
    keys.truncate(pairs.len());
    let pair = |key: &u64| {
        pairs
            .get(usize::try_from(key & INDEX).ok()?)
            .map(Borrow::borrow)
    };
    for alike in keys.chunk_by(|a, b| a & !INDEX == b & !INDEX) {
        if let [only] = alike {
            if let Some(pair) = pair(only) {
                writer.write_pair(text, pair);
            }
            continue;
        }
        let alike: Pairs<&Pair> = alike.iter().filter_map(pair).collect();
        if skip == 0 && alike.iter().all(|pair| pair.name.len() > PREFIX) {
            write_ordered(text, &alike, PREFIX, writer);
        } else {
            write_compared(text, alike, writer);
        }
    }
}

/// Writes pairs ordered and without repeats, all of whose names may begin alike.
fn write_compared(text: &[u8], mut pairs: Pairs<&Pair>, writer: &mut Writer<'_>) {
    let key = |pair: &&Pair| {
        (
            part(text, pair.name.clone()),
            part(text, pair.value.clone()),
        )
    };
    pairs.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
    pairs.dedup_by(|a, b| key(a) == key(b));
    for pair in pairs {
        writer.write_pair(text, pair);
    }
}

/// Returns the decoded values of a parameter, in the order of the form.
pub(crate) fn values(form: &[u8], name: &[u8]) -> impl Iterator<Item = Decoded> {
    let mut values = SmallVec::<[Decoded; 1]>::new();
    split(form, &mut Room::new(), |text, pair| {
        if part(text, pair.name) == name {
            values.push(part(text, pair.value).into());
        }
    });
    values.into_iter()
}

/// A pair, as places in a text.
struct Pair {
    name: Range<usize>,
    value: Range<usize>,
}

impl Pair {
    /// Returns some bytes of the name, as the upper bytes of a number that is ordered as they are. What is
    /// left of a name that is too short is zero.
    #[inline]
    fn prefix(&self, text: &[u8], skip: usize) -> u64 {
        let block = text
            .get(self.name.start + skip..)
            .and_then(<[u8]>::first_chunk);
        let len = self.name.len().saturating_sub(skip).min(PREFIX);
        // What follows is not the name's own.
        u64::from_be_bytes(block.copied().unwrap_or_default()) & !(u64::MAX >> (8 * len))
    }
}

/// Bytes of a name that are compared at once.
const PREFIX: usize = 6;

/// Bytes of a form that are searched together: as many as there are bits in a `u64`.
const STRIDE: usize = 64;

/// Splits a form into pairs, decoded in a copy of it: a pair without `=` has an empty value, and nothing
/// between two `&` is no pair.
///
/// The copy has a stride to spare, so that one can be taken from any place.
#[inline]
fn split(form: &[u8], text: &mut Room, mut push: impl FnMut(&[u8], Pair)) {
    text.extend_from_slice(form);
    // Nothing else becomes a blank in its place.
    for byte in text.iter_mut() {
        *byte = if *byte == b'+' { b' ' } else { *byte };
    }
    // The last pair ends as if there were one more `&`.
    text.push(b'&');
    text.extend_from_slice(&[0; STRIDE]);

    let mut name = None;
    let mut part = Part::new(0);
    for offset in (0..=form.len()).step_by(STRIDE) {
        let stride = text.get(offset..).and_then(<[u8]>::first_chunk);
        let mut found = stride.map_or(0, |stride| find(*b"&=%", stride));
        while found != 0 {
            let at = offset + found.trailing_zeros() as usize;
            found &= found - 1;
            match form.get(at) {
                Some(b'=') if name.is_none() => {
                    name = Some(part.end(at, text));
                    part = Part::new(at + 1);
                }
                Some(b'=') => {}
                Some(b'%') => part.unescape(at, text),
                _ => {
                    let last = part.end(at, text);
                    match name.take() {
                        Some(name) => push(text, Pair { name, value: last }),
                        None if last.is_empty() => {}
                        None => push(
                            text,
                            Pair {
                                name: last,
                                value: at..at,
                            },
                        ),
                    }
                    part = Part::new(at + 1);
                }
            }
        }
    }
}

/// A name or a value that is being decoded where it stands.
struct Part {
    start: usize,
    /// Where the decoded text ends.
    end: usize,
    /// From where on nothing is decoded yet.
    raw: usize,
}

impl Part {
    #[inline]
    fn new(start: usize) -> Self {
        Self {
            start,
            end: start,
            raw: start,
        }
    }

    /// Decodes a `%XX`; a malformed `%` stays as it is.
    #[inline]
    fn unescape(&mut self, at: usize, text: &mut [u8]) {
        let digits = text.get(at + 1..).and_then(<[u8]>::first_chunk).copied();
        let Some(byte) = digits.and_then(from_hex) else {
            return;
        };
        self.keep_until(at, text);
        if let Some(room) = text.get_mut(self.end) {
            *room = byte;
        }
        self.end += 1;
        self.raw = at + 3;
    }

    /// Ends before this place.
    #[inline]
    fn end(mut self, at: usize, text: &mut [u8]) -> Range<usize> {
        self.keep_until(at, text);
        self.start..self.end
    }

    /// Moves what needs no decoding.
    #[inline]
    fn keep_until(&mut self, at: usize, text: &mut [u8]) {
        if self.raw != self.end && self.raw != at {
            text.copy_within(self.raw..at, self.end);
        }
        self.end += at - self.raw;
        self.raw = at;
    }
}

/// Returns a bit for each byte that is one of some, the lowest bit for the first byte.
#[inline]
fn find(wanted: [u8; 3], stride: &[u8; STRIDE]) -> u64 {
    // Moves the lowest bits of eight bytes into the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;

    let mut found = [0; STRIDE];
    // A plain loop, which the compiler turns into few instructions for many bytes.
    for (found, byte) in found.iter_mut().zip(stride) {
        *found = wanted
            .iter()
            .fold(0, |found, wanted| found | u8::from(byte == wanted));
    }
    let (words, _) = found.as_chunks();
    words.iter().fold(0, |bits, word| {
        let byte = u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56;
        bits >> 8 | byte << 56
    })
}

/// Writes parts of another text into one that is long enough, with a block to spare. What a block brings
/// too much is written over.
struct Writer<'t> {
    text: &'t mut [u8],
    len: usize,
}

impl Writer<'_> {
    #[inline]
    fn write_pair(&mut self, from: &[u8], pair: &Pair) {
        self.write(from, pair.name.clone());
        self.write(from, pair.value.clone());
    }

    #[inline]
    fn write(&mut self, from: &[u8], range: Range<usize>) {
        let len = range.len();
        let block = from.get(range.start..).and_then(<[u8]>::first_chunk);
        let room = self.text.get_mut(self.len..);
        let room = room.and_then(<[u8]>::first_chunk_mut::<BLOCK>);
        match (block, room) {
            (Some(block), Some(room)) if len <= BLOCK => *room = *block,
            _ => self.write_long(part(from, range)),
        }
        self.len += len;
    }

    #[cold]
    fn write_long(&mut self, part: &[u8]) {
        if let Some(room) = self.text.get_mut(self.len..self.len + part.len()) {
            room.copy_from_slice(part);
        }
    }
}

fn part(text: &[u8], range: Range<usize>) -> &[u8] {
    text.get(range).unwrap_or_default()
}

/// A decoded name or value.
pub(crate) type Decoded = SmallVec<[u8; 64]>;

/// Decodes a name or a value of a form.
pub(crate) fn decode(mut raw: &[u8]) -> Decoded {
    let byte = iter::from_fn(|| {
        let (byte, rest) = match raw {
            [] => return None,
            [b'+', rest @ ..] => (b' ', rest),
            [first, rest @ ..] => {
                let escape = (rest.split_first_chunk()).filter(|_| *first == b'%');
                let byte = escape.and_then(|(digits, rest)| Some((from_hex(*digits)?, rest)));
                byte.unwrap_or((*first, rest))
            }
        };
        raw = rest;
        Some(byte)
    });
    byte.collect()
}

/// Returns the byte of two hex digits.
#[inline]
fn from_hex([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |digit| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
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
