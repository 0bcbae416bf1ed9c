//! The parameters of a form: split, decoded, ordered, and written as Twilio signs them (R1 to R4).
//!
//! This runs for every webhook, genuine or forged, so it is written for speed: the bytes are searched in
//! strides without a branch, the first bytes of names are sorted as integers, and text moves in blocks of
//! fixed size. A typical request needs no allocation. The tests compare it with a plain version of the
//! same rules.

use std::{cell::Cell, fmt, mem, slice};

use smallvec::SmallVec;

use crate::order;

/// A form that is split and decoded once, for everything that reads its parameters (R1).
///
/// It owns the body that it was made from, so that neither can be taken for another's.
///
/// # Examples
///
/// ```
/// use twilio_signature::Form;
///
/// let form = Form::split("Body=Hi+there&From=%2B14158675310&Body");
/// let parameters: Vec<(&[u8], &[u8])> = form.iter().collect();
/// assert_eq!(parameters, [
///     (&b"Body"[..], &b"Hi there"[..]),
///     (b"From", b"+14158675310"),
///     (b"Body", b""),
/// ]);
/// ```
#[derive(Clone)]
pub struct Form<B> {
    body: B,
    /// Has spare bytes at its end.
    text: Vec<u8>,
    pairs: Vec<Pair>,
}

impl<B: AsRef<[u8]>> Form<B> {
    /// Splits a body, and decodes its names and values. A pair without `=` has an empty value, and an empty text
    /// between two `&` is not a pair.
    pub fn split(body: B) -> Self {
        let (text, pairs) = split_to_keep(body.as_ref());
        Self { body, text, pairs }
    }
}

impl<B> Form<B> {
    /// Returns the body as it arrived.
    pub fn body(&self) -> &B {
        &self.body
    }

    /// Returns the body as it arrived, without its parameters.
    pub fn into_body(self) -> B {
        self.body
    }

    /// Returns the decoded names and values, in the order of the body.
    pub fn iter(&self) -> Parameters<'_> {
        Parameters {
            text: &self.text,
            pairs: self.pairs.iter(),
        }
    }

    /// Calls a function with each decoded name and value as text, in the order of the body. What is not UTF-8 is
    /// replaced, as form parsers do.
    pub fn for_each_text(&self, mut each: impl FnMut(&str, &str)) {
        // Nearly all forms are UTF-8 as a whole, which takes less time to find out than for each part.
        let whole = str::from_utf8(&self.text).unwrap_or_default();
        for Pair { name, value } in &self.pairs {
            if let (Some(name), Some(value)) = (name.of_str(whole), value.of_str(whole)) {
                each(name, value);
            } else {
                let text = |span: &Span| String::from_utf8_lossy(span.of(&self.text));
                each(&text(name), &text(value));
            }
        }
    }

    /// Returns whether the form has no more parameters and bytes than a typical request, so that it takes little
    /// memory to keep it: a form of nothing but short pairs takes many times its own size.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.pairs.len() <= FEW && self.text.len() <= BUF
    }

    /// Returns the signed text, written into a buffer: see [`write_signed`].
    pub(crate) fn write_signed<'r>(&self, buf: &'r mut Buf) -> &'r [u8] {
        write_split(&self.text, &self.pairs, buf)
    }
}

impl<'f, B> IntoIterator for &'f Form<B> {
    type Item = (&'f [u8], &'f [u8]);
    type IntoIter = Parameters<'f>;

    fn into_iter(self) -> Parameters<'f> {
        self.iter()
    }
}

/// Prints only the number of parameters, because parameters are personal data.
impl<B> fmt::Debug for Form<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form")
            .field("parameters", &self.pairs.len())
            .finish_non_exhaustive()
    }
}

/// The decoded names and values of a [`Form`], in the order of its body.
#[derive(Clone)]
pub struct Parameters<'f> {
    text: &'f [u8],
    pairs: slice::Iter<'f, Pair>,
}

impl<'f> Iterator for Parameters<'f> {
    type Item = (&'f [u8], &'f [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let Pair { name, value } = self.pairs.next()?;
        Some((name.of(self.text), value.of(self.text)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.pairs.size_hint()
    }
}

impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parameters").finish_non_exhaustive()
    }
}

/// A buffer for the text of a typical request; a longer text goes to the heap.
pub(crate) type Buf = SmallVec<[u8; BUF]>;

/// The number of bytes of the text of a typical request.
const BUF: usize = 4096 + 1 + SPARE;

/// A value for each pair of a typical request.
type Pairs<T> = SmallVec<[T; FEW]>;

/// The largest number of pairs in a typical request.
const FEW: usize = 64;

/// The number of bytes that are moved at once. Nearly all names and values are shorter, and a move of a fixed
/// size needs no function call.
const BLOCK: usize = 48;

/// A smaller block, for most names and values: to move it takes a third of the stores.
const SHORT: usize = 16;

/// The spare bytes at the end of a text, so that a stride can be searched, and the blocks of a pair moved,
/// from any position in it.
const SPARE: usize = 2 * BLOCK;

// Bytes that are not searched would not be signed, and bytes that do not fit would not be moved.
const _: () = assert!(SPARE >= STRIDE && SPARE >= BLOCK + BLOCK && SHORT <= BLOCK);

/// Returns the signed text of an `application/x-www-form-urlencoded` form, written into a buffer: names in
/// byte order (R2), each followed by its value, both decoded (R1), with nothing between them.
///
/// The values of a repeated name are sorted and written once each, each after the name (R3).
pub(crate) fn write_signed<'r>(form: &[u8], buf: &'r mut Buf) -> &'r [u8] {
    let mut text = Buf::new();
    let mut pairs = Pairs::new();
    text.extend_from_slice(form);
    text.extend_from_slice(&AFTER);
    split(form, &mut text, |pair| pairs.push(pair));
    write_split(&text, &pairs, buf)
}

/// Returns the signed text of a form that is already split.
fn write_split<'r>(text: &[u8], pairs: &[Pair], buf: &'r mut Buf) -> &'r [u8] {
    // The copy is long enough: decoding makes nothing longer, and each pair is written at most once.
    buf.clear();
    buf.extend_from_slice(text);
    let len = buf.len();
    let mut writer = Writer {
        text,
        pairs,
        left: buf,
    };
    order::remembered(pairs.len(), |order| {
        // A wrong guess costs this check, which stops at the first pair that is out of order.
        if writer.is_order(order) {
            for index in order {
                writer.write(index.get().into());
            }
        } else {
            writer.write_sorted(order);
        }
    });
    let left = writer.left.len();
    buf.get(..len - left).unwrap_or_default()
}

/// Splits a form into a text and pairs that are as large as they need to be.
fn split_to_keep(form: &[u8]) -> (Vec<u8>, Vec<Pair>) {
    let mut text = Vec::with_capacity(form.len() + AFTER.len());
    let mut pairs = Vec::with_capacity(FEW / 2);
    text.extend_from_slice(form);
    text.extend_from_slice(&AFTER);
    split(form, &mut text, |pair| pairs.push(pair));
    (text, pairs)
}

/// Returns the decoded values of a parameter, in the order of the form.
pub(crate) fn values(form: &[u8], name: &[u8]) -> impl Iterator<Item = Decoded> {
    let mut text = Buf::new();
    let mut pairs = Pairs::new();
    text.extend_from_slice(form);
    text.extend_from_slice(&AFTER);
    split(form, &mut text, |pair| pairs.push(pair));
    pairs.retain(|pair| pair.name.of(&text) == name);
    pairs
        .into_iter()
        .map(move |pair| pair.value.of(&text).into())
}

/// Writes the pairs of a form one after the other.
struct Writer<'f, 'r> {
    text: &'f [u8],
    pairs: &'f [Pair],
    /// The rest of the buffer.
    left: &'r mut [u8],
}

impl Writer<'_, '_> {
    #[inline]
    fn write(&mut self, index: usize) {
        if let Some(pair) = self.pairs.get(index) {
            self.left = write_pair(self.text, pair, mem::take(&mut self.left));
        }
    }

    /// Returns whether these are the indexes of all pairs, in order (R2) and without repeats (R3).
    #[inline]
    fn is_order(&self, order: &[Cell<u8>]) -> bool {
        let mut last = None;
        order.len() == self.pairs.len()
            && order.iter().all(|index| {
                let Some(pair) = self.pairs.get(usize::from(index.get())) else {
                    return false;
                };
                let prefix = pair.prefix(self.text, 0);
                let last = last.replace((prefix, pair));
                last.is_none_or(|(before, last)| {
                    before < prefix || before == prefix && last.is_less(pair, self.text)
                })
            })
    }

    /// Writes pairs in order (R2) and without repeats (R3), and notes the order.
    #[cold]
    #[inline(never)]
    fn write_sorted(&mut self, notes: &[Cell<u8>]) {
        let mut few = [u64::MAX; FEW];
        let mut many = Vec::new();
        let keys = if self.pairs.len() <= FEW {
            few.as_mut_slice()
        } else {
            many.resize(self.pairs.len(), u64::MAX);
            many.as_mut_slice()
        };
        let order = sorted(self.text, self.pairs, keys);
        for index in &*order {
            self.write(usize::try_from(*index).unwrap_or(usize::MAX));
        }
        for (note, index) in notes.iter().zip(order) {
            note.set(u8::try_from(*index).unwrap_or_default());
        }
    }
}

/// Returns the indexes of pairs in order (R2), with [`REPEAT`] in the place of each repeat (R3). There is a key for each
/// pair at least.
fn sorted<'k>(text: &[u8], pairs: &[Pair], keys: &'k mut [u64]) -> &'k mut [u64] {
    if pairs.len() > usize::from(u16::MAX) {
        for (key, index) in keys.iter_mut().zip(0..) {
            *key = index;
        }
        sort_whole(text, pairs, keys);
        return keys;
    }
    for (key, (index, pair)) in keys.iter_mut().zip(pairs.iter().enumerate()) {
        *key = pair.prefix(text, 0) | index as u64;
    }
    // R2
    const { assert!(BY_NETWORK <= FEW) };
    let to_sort = match pairs.len() {
        len @ ..=8 => len,
        len => len.max(BY_NETWORK),
    };
    if let Some(keys) = keys.get_mut(..to_sort) {
        keys.sort_unstable();
    }
    let keys = keys.get_mut(..pairs.len()).unwrap_or_default();
    for_each_alike(keys, |alike| {
        for key in &mut *alike {
            let index = *key & INDEX;
            let pair = usize::try_from(index)
                .ok()
                .and_then(|index| pairs.get(index));
            *key = pair.map_or(0, |pair| pair.prefix(text, PREFIX)) | index;
        }
        alike.sort_unstable();
        for_each_alike(alike, |alike| {
            for key in &mut *alike {
                *key &= INDEX;
            }
            sort_whole(text, pairs, alike);
        });
    });
    keys
}

/// Turns sorted keys into the indexes that they contain, and those whose other bits are alike by a function.
#[inline]
fn for_each_alike(keys: &mut [u64], mut order: impl FnMut(&mut [u64])) {
    for alike in keys.chunk_by_mut(|a, b| a & !INDEX == b & !INDEX) {
        if let [key] = alike {
            *key &= INDEX;
        } else {
            order(alike);
        }
    }
}

/// Orders indexes by comparing names and values whole (R2, R3).
#[cold]
fn sort_whole(text: &[u8], pairs: &[Pair], indexes: &mut [u64]) {
    let pair = |index: &u64| {
        let pair = pairs.get(usize::try_from(*index).ok()?)?;
        Some((pair.name.of(text), pair.value.of(text)))
    };
    // R2: by name, never by name and value in one text. R3: equal values of a name follow each other.
    indexes.sort_unstable_by(|a, b| pair(a).cmp(&pair(b)));
    let mut last = None;
    for index in indexes {
        let this = pair(index);
        if last == Some(this) {
            *index = REPEAT;
        }
        last = Some(this);
    }
}

/// Stands for a pair that is not written. It is not the index of any.
const REPEAT: u64 = u64::MAX;

/// The smallest number of keys that the standard library sorts by a network, which has no branches. It sorts
/// fewer keys by insertion, with branches that no processor can predict.
const BY_NETWORK: usize = 21;

/// The bits of a key that are an index; the others are part of a name.
const INDEX: u64 = u16::MAX as u64;

/// Writes a pair. The next pair overwrites what a block has written after the end of this one.
#[inline]
fn write_pair<'r>(text: &[u8], pair: &Pair, buf: &'r mut [u8]) -> &'r mut [u8] {
    let (name, value) = (pair.name.len, pair.value.len);
    let offset = pair.value.start - pair.name.start;
    // This one check is enough for both blocks.
    if name <= BLOCK
        && offset <= BLOCK
        && value <= BLOCK
        && buf.len() >= SPARE
        && let Some(both) = text.get(pair.name.start..)
        && let Some(both) = both.first_chunk::<SPARE>()
    {
        move_part(both, 0, buf, 0, name);
        move_part(both, offset, buf, name, value);
        buf.get_mut(name + value..).unwrap_or_default()
    } else {
        write_long_pair(text, pair, buf)
    }
}

#[inline]
fn move_part(from: &[u8], from_start: usize, to: &mut [u8], to_start: usize, len: usize) {
    if len <= SHORT {
        move_block::<SHORT>(from, from_start, to, to_start);
    } else {
        move_block::<BLOCK>(from, from_start, to, to_start);
    }
}

#[inline]
fn move_block<const N: usize>(from: &[u8], from_start: usize, to: &mut [u8], to_start: usize) {
    let from = from.get(from_start..).and_then(<[u8]>::first_chunk::<N>);
    let to = to.get_mut(to_start..).and_then(<[u8]>::first_chunk_mut);
    if let (Some(from), Some(to)) = (from, to) {
        *to = *from;
    }
}

#[cold]
fn write_long_pair<'r>(text: &[u8], pair: &Pair, mut buf: &'r mut [u8]) -> &'r mut [u8] {
    for part in [pair.name, pair.value] {
        let Some((to, rest)) = buf.split_at_mut_checked(part.len) else {
            return Default::default();
        };
        to.copy_from_slice(part.of(text));
        buf = rest;
    }
    buf
}

/// A pair, as spans of a text.
#[derive(Clone, Copy)]
struct Pair {
    name: Span,
    value: Span,
}

/// A range of a text: a name or a value.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    len: usize,
}

impl Span {
    /// Returns the text, unless its ends are within a character.
    fn of_str(self, text: &str) -> Option<&str> {
        text.get(self.start..self.start + self.len)
    }

    fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start..self.start + self.len)
            .unwrap_or_default()
    }
}

impl Pair {
    /// Returns whether this pair comes before another one, whose name has the same first bytes.
    #[inline]
    fn is_less(&self, other: &Self, text: &[u8]) -> bool {
        let [a, b] = [self, other].map(|pair| pair.prefix(text, PREFIX));
        a < b || a == b && is_less_whole(self, other, text)
    }

    /// Returns bytes of the name from `skip` on, as the upper bytes of a number, so that the numbers sort as the
    /// names do. A short name is padded with zeros.
    #[inline]
    fn prefix(&self, text: &[u8], skip: usize) -> u64 {
        let block = text
            .get(self.name.start + skip..)
            .and_then(<[u8]>::first_chunk);
        let len = self.name.len.saturating_sub(skip).min(PREFIX);
        // The bytes that follow are not part of the name.
        u64::from_be_bytes(block.copied().unwrap_or_default()) & !(u64::MAX >> (8 * len))
    }
}

#[cold]
fn is_less_whole(a: &Pair, b: &Pair, text: &[u8]) -> bool {
    (a.name.of(text), a.value.of(text)) < (b.name.of(text), b.value.of(text))
}

/// The number of bytes of a name in a key.
const PREFIX: usize = 6;

/// The number of bytes of a form that are searched at once: as many as a `u64` has bits.
const STRIDE: usize = 64;

/// What follows the copy of a form: one more `&`, which ends the last pair, and spare bytes.
const AFTER: [u8; 1 + SPARE] = {
    let mut after = [0; 1 + SPARE];
    after[0] = b'&';
    after
};

/// Splits a form into pairs, decoded in `text`, which is a copy of it (R1) with [`AFTER`] at its end: a pair without
/// `=` has an empty value (R4), and an empty text between two `&` is not a pair.
#[inline]
fn split(form: &[u8], text: &mut [u8], mut push: impl FnMut(Pair)) {
    // R1. This comes before all other decoding, because the plus that `%2B` becomes must stay.
    for byte in text.iter_mut() {
        *byte = byte.wrapping_sub(u8::from(*byte == b'+') * (b'+' - b' '));
    }
    let mut decoder = Decoder::new(0);
    let mut name = None;
    let mut offset = 0;
    while offset <= form.len()
        && let Some(stride) = text.get(offset..).and_then(<[u8]>::first_chunk)
    {
        let mut found = find(*b"&=%", stride);
        while found != 0 {
            let at = offset + found.trailing_zeros() as usize;
            found &= found - 1;
            match form.get(at) {
                Some(b'%') => decoder.unescape(form, at, text),
                Some(b'=') if name.is_some() => {}
                Some(b'=') => {
                    name = Some(decoder.end(at, text));
                    decoder = Decoder::new(at + 1);
                }
                Some(b'&') | None => {
                    let last = decoder.end(at, text);
                    match name.take() {
                        Some(name) => push(Pair { name, value: last }),
                        None if last.len == 0 => {}
                        // R4
                        None => push(Pair {
                            value: Span {
                                start: last.start + last.len,
                                len: 0,
                            },
                            name: last,
                        }),
                    }
                    decoder = Decoder::new(at + 1);
                }
                Some(_) => {}
            }
        }
        offset += STRIDE;
    }
}

/// Decodes a name or a value in place (R1).
struct Decoder {
    start: usize,
    /// The start of what is not decoded yet.
    raw: usize,
    /// The number of bytes that decoding has saved so far.
    gap: usize,
}

impl Decoder {
    #[inline]
    fn new(start: usize) -> Self {
        Self {
            start,
            raw: start,
            gap: 0,
        }
    }

    /// Decodes a `%XX`; a malformed `%` stays literal (R1).
    #[inline]
    fn unescape(&mut self, form: &[u8], at: usize, text: &mut [u8]) {
        let digits = form.get(at + 1..).and_then(<[u8]>::first_chunk).copied();
        let Some(byte) = digits.and_then(from_hex) else {
            return;
        };
        if at == self.start {
            // There is nothing to move: the name or value now starts at the escape's last digit.
            self.start += 2;
        } else {
            self.close_gap(at, text);
            self.gap += 2;
        }
        self.raw = at + 3;
        if let Some(to) = text.get_mut(at + 2 - self.gap) {
            *to = byte;
        }
    }

    /// Ends the name or value before this position, and returns its decoded span.
    #[inline]
    fn end(self, at: usize, text: &mut [u8]) -> Span {
        self.close_gap(at, text);
        Span {
            start: self.start,
            len: at - self.gap - self.start,
        }
    }

    /// Moves what follows the last escape to the end of what is decoded.
    #[inline]
    fn close_gap(&self, at: usize, text: &mut [u8]) {
        if self.gap > 0 && self.raw < at {
            self.move_back(at, text);
        }
    }

    #[inline(never)]
    fn move_back(&self, at: usize, text: &mut [u8]) {
        text.copy_within(self.raw..at, self.raw - self.gap);
    }
}

/// Returns a bit for each byte of a stride, which says whether the byte is wanted. The lowest bit is for the
/// first byte.
#[inline]
fn find(wanted: [u8; 3], stride: &[u8; STRIDE]) -> u64 {
    // Moves the lowest bits of eight bytes into the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;

    let mut found = [0; STRIDE];
    // The compiler turns this plain loop into vector instructions.
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

/// A decoded name or value.
pub(crate) type Decoded = SmallVec<[u8; 64]>;

/// Decodes a name or a value of a form.
#[cfg(feature = "explain")]
pub(crate) fn decode(mut raw: &[u8]) -> Decoded {
    let byte = std::iter::from_fn(|| {
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
fn from_hex(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| HEX.get(usize::from(digit)).copied().unwrap_or(NO_DIGIT));
    (high | low < NO_DIGIT).then_some(high << 4 | low)
}

/// The value of each byte as a hex digit. A lookup takes half the time of a computation, and text in other
/// languages than English has many escapes.
#[expect(clippy::indexing_slicing, reason = "the compiler checks it")]
const HEX: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < NO_DIGIT {
        values[b"0123456789abcdef"[value as usize] as usize] = value;
        values[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// The value of a byte that is not a hex digit. It has a bit that no digit has.
const NO_DIGIT: u8 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn signed_text(form: &[u8]) -> Vec<u8> {
        write_signed(form, &mut Buf::new()).to_vec()
    }

    /// The rules R1 to R4 as they are written, in code that need not be fast.
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
    fn escapes_are_decoded_once_at_each_position() {
        // Bytes that have a meaning in a form, escaped: at each position of a stride, at the start of a name
        // or a value, and inside of one.
        for escape in ["%2B", "%26", "%3D", "%25", "%252B", "%2B%2B"] {
            for before in 0..2 * STRIDE {
                let filler = "x".repeat(before);
                for form in [
                    format!("{filler}={escape}+1"),
                    format!("{filler}&{escape}+1"),
                    format!("{filler}={escape}&{escape}={escape}"),
                    format!("{filler}{escape}+{escape}=&b=1"),
                ] {
                    let form = form.as_bytes();
                    let shown = form.escape_ascii();
                    assert_eq!(signed_text(form), plain_signed_text(form), "{shown}");
                }
            }
        }
    }

    #[test]
    fn names_and_values_of_every_length_are_written_whole() {
        let edges = [0, SHORT, BLOCK, SPARE].map(|edge| edge.saturating_sub(2)..edge + 3);
        let lengths = || edges.clone().into_iter().flatten();
        for (name, value) in lengths().flat_map(|name| lengths().map(move |value| (name, value))) {
            let (name, value) = ("n".repeat(name), "v".repeat(value));
            // Alone, among others, and with an escape before the value.
            for form in [
                format!("{name}={value}"),
                format!("z=1&{name}={value}&a=2&{name}m={value}"),
                format!("{name}%2B={value}&o=%2B{value}"),
            ] {
                let text = signed_text(form.as_bytes());
                assert_eq!(text, plain_signed_text(form.as_bytes()), "{form}");
            }
        }
    }

    #[test]
    fn values_are_those_of_an_exact_name_in_the_order_of_the_form() {
        let found = |form: &[u8], name: &[u8]| -> Vec<Vec<u8>> {
            values(form, name).map(Decoded::into_vec).collect()
        };
        let form = b"a=2&b=3&%61=%31&a&A=4";
        assert_eq!(found(form, b"a"), [&b"2"[..], b"1", b""]);
        assert!(found(form, b"c").is_empty());
        // An empty text between two `&` is not a pair.
        assert!(found(b"&&a=1&", b"").is_empty());
        assert_eq!(found(b"=1&=", b""), [&b"1"[..], b""]);
    }

    #[test]
    fn form_that_is_split_once_has_the_same_parameters_and_signed_text() {
        let forms: [&[u8]; 6] = [
            b"",
            b"b=2&a=1&a&=x&%61=%2B+1",
            b"a=%C3%A9&b=%FF&%C3=%A9",
            b"a=%C3&b=%A9",
            "a=\u{e9}%C3%A9\u{e9}&b=%C3%C3%A9".as_bytes(),
            &b"a=1&".repeat(1000),
        ];
        for body in forms {
            let shown = body.escape_ascii();
            let form = Form::split(body);
            assert_eq!(form.body(), &body);
            let mut buf = Buf::new();
            assert_eq!(form.write_signed(&mut buf), signed_text(body), "{shown}");
            for (name, _) in &form {
                let found = form.iter().filter(|(other, _)| *other == name);
                let found: Vec<_> = found.map(|(_, value)| value.to_vec()).collect();
                let values: Vec<_> = values(body, name).map(Decoded::into_vec).collect();
                assert_eq!(found, values, "{shown}");
            }
            let lossy = |bytes| String::from_utf8_lossy(bytes).into_owned();
            let expected = form.iter().map(|(name, value)| (lossy(name), lossy(value)));
            let mut texts = Vec::new();
            form.for_each_text(|name, value| texts.push((name.to_owned(), value.to_owned())));
            assert!(texts.into_iter().eq(expected), "{shown}");
            assert_eq!(form.is_small(), body.len() < 1000, "{shown}");
        }
    }

    #[test]
    fn form_tells_how_many_parameters_it_has_and_prints_none() {
        let form = Form::split(b"Body=Hi&From=%2B1");
        assert_eq!(format!("{form:?}"), "Form { parameters: 2, .. }");
        let mut parameters = form.iter();
        assert_eq!(format!("{parameters:?}"), "Parameters { .. }");
        for left in [2, 1, 0] {
            assert_eq!(parameters.size_hint(), (left, Some(left)));
            parameters.next();
        }
    }

    #[test]
    fn order_of_another_form_with_as_many_pairs_changes_nothing() {
        let names = ["a", "b", "a\0", "Parameter1", "Parameter2", "b="];
        let pairs = || names.iter().enumerate();
        let forms: Vec<_> = pairs()
            .flat_map(|(first, a)| pairs().map(move |(second, b)| (first, a, second, b)))
            .map(|(first, a, second, b)| format!("{a}=1&m=&{b}={}", (first + second) % 2))
            .collect();
        for (before, form) in forms.iter().flat_map(|a| forms.iter().map(move |b| (a, b))) {
            signed_text(before.as_bytes());
            let text = signed_text(form.as_bytes());
            assert_eq!(text, plain_signed_text(form.as_bytes()), "{before} {form}");
        }
        // As many as are remembered, and more.
        for count in [1, 2, 127, 128, 129, 300] {
            for step in [1, 7, 11] {
                let pair = |n| format!("Parameter{}=&", n * step % count);
                let form = (0..count).map(pair).collect::<String>();
                let expected = plain_signed_text(form.as_bytes());
                assert_eq!(signed_text(form.as_bytes()), expected, "{form}");
                assert_eq!(signed_text(form.as_bytes()), expected, "{form}");
            }
        }
    }

    #[test]
    fn more_pairs_than_a_key_can_count_are_signed_in_order() {
        let pairs = usize::from(u16::MAX) + 2;
        let form: Vec<_> = (0..pairs).rev().map(|n| format!("{n}=&")).collect();
        let form = form.concat();
        assert!(signed_text(form.as_bytes()) == plain_signed_text(form.as_bytes()));
    }

    #[test]
    fn two_hex_digits_are_a_byte_and_nothing_else_is() {
        for digits in (0..=u16::MAX).map(u16::to_be_bytes) {
            let hex = str::from_utf8(&digits).ok();
            let hex = hex.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let expected = hex.map(|hex| u8::from_str_radix(hex, 16).unwrap());
            assert_eq!(from_hex(digits), expected, "{}", digits.escape_ascii());
        }
    }

    #[test]
    fn fast_and_plain_text_are_the_same_for_hostile_forms() {
        // Few different bytes, so that pairs, repeats and escapes are frequent.
        let alphabet = b"&&&==%%+aaabbAB0246\0\xff";
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
