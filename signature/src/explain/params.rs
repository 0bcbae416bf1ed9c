//! The parameters that may have been signed instead of those that the app saw.

use std::{borrow::Cow, collections::HashSet, fmt::Write as _};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    cause::Cause,
    dimensions::{Alternatives, Costs, Dimension, Picks},
    sets::remove_all,
};
use crate::{
    body::BodyKind,
    form::{Buf, decode, write_signed},
};

/// The largest number of parameters that are left out, or given a blank, one by one.
const MAX_SINGLE: usize = 128;
/// The largest number of parameters of which every two are left out.
const MAX_PAIRED: usize = 40;

/// What follows the URL in the signed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Covered {
    /// The pairs of the body, as a form.
    Form,
    /// The members of a JSON object.
    Json,
    /// The pairs of a form that is in base64.
    Base64,
    /// The body as it is.
    Raw,
    /// Nothing.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Decoding {
    Once,
    Twice,
    PlusKept,
    Never,
    /// Once, and then each line end becomes CRLF.
    ToCrLf,
    /// Once, and then each line end becomes LF.
    ToLf,
}

/// Which of the values of a repeated name are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Repeats {
    /// As a validator signs them: each once, in order, with the name before it.
    Distinct,
    First,
    Last,
    /// All of them, including identical ones, in order.
    All,
    /// All of them, including identical ones, in the order in which they arrived.
    AllAsTheyCame,
    /// The name once, followed by all values.
    OneName,
    Commas,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Query {
    Apart,
    /// The query's parameters are also signed with those of the body.
    Added,
    /// Parameters that are both in the query and in the body are not signed with the body.
    TakenOut,
}

/// A change of single parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Single {
    None,
    Without([usize; 2]),
    Blank(usize, [&'static str; 2]),
}

/// A name and a value, as bytes.
type Pair = (Vec<u8>, Vec<u8>);

/// The dimensions in which the signed parameters vary. The first alternative of each is what the app
/// validates.
pub(super) struct ParamVariants<'a> {
    body: &'a [u8],
    raw: Vec<(&'a [u8], &'a [u8])>,
    json: Vec<Pair>,
    /// The form that the body is in base64, or nothing.
    decoded_body: Vec<u8>,
    query: Vec<Pair>,
    covered: Alternatives<Covered>,
    decodings: Alternatives<Decoding>,
    trims: Alternatives<bool>,
    empties_dropped: Alternatives<bool>,
    repeats: Alternatives<Repeats>,
    queries: Alternatives<Query>,
    singles: Alternatives<Single>,
}

impl<'a> ParamVariants<'a> {
    pub(super) fn of(body: &'a [u8], query: Option<&str>, body_kind: BodyKind) -> Self {
        let json = json_pairs(body);
        let is_form = body_kind == BodyKind::Form;
        let raw: Vec<_> = if json.is_empty() || is_form {
            raw_pairs(body)
        } else {
            Vec::new()
        };
        let mut covered;
        if is_form {
            covered = Alternatives::of(Covered::Form);
            covered.add(1, Covered::Nothing);
        } else {
            covered = Alternatives::of(Covered::Nothing);
            if !raw.is_empty() {
                covered.add(1, Covered::Form);
            }
        }
        if !json.is_empty() {
            covered.add(1, Covered::Json);
        }
        let decoded_body = form_in_base64(body).unwrap_or_default();
        if !decoded_body.is_empty() {
            covered.add(1, Covered::Base64);
        }
        if !body.is_empty() {
            covered.add(2, Covered::Raw);
        }

        let query = query.unwrap_or_default().as_bytes();
        let query = raw_pairs(query)
            .into_iter()
            .map(|(name, value)| (once(name), once(value)))
            .collect();
        let mut variants = Self {
            body,
            raw,
            json,
            decoded_body,
            query,
            covered,
            decodings: Alternatives::of(Decoding::Once),
            trims: Alternatives::of(false),
            empties_dropped: Alternatives::of(false),
            repeats: Alternatives::of(Repeats::Distinct),
            queries: Alternatives::of(Query::Apart),
            singles: Alternatives::of(Single::None),
        };
        variants.add_alternatives();
        variants
    }

    /// Adds the alternatives that can change the text.
    fn add_alternatives(&mut self) {
        let any = |byte: &[u8]| self.body.iter().any(|own| byte.contains(own));
        if !self.raw.is_empty() && any(b"%+") {
            for decoding in [Decoding::Twice, Decoding::PlusKept, Decoding::Never] {
                self.decodings.add(1, decoding);
            }
        }
        let pairs = if self.raw.is_empty() {
            self.json.clone()
        } else {
            self.decoded(Decoding::Once)
        };
        if !self.raw.is_empty() {
            for (decoding, of) in [
                (Decoding::ToCrLf, LineEnd::Lf),
                (Decoding::ToLf, LineEnd::CrLf),
            ] {
                if pairs.iter().any(|(_, value)| of.is_in(value)) {
                    self.decodings.add(1, decoding);
                }
            }
        }
        if pairs
            .iter()
            .any(|(_, value)| trimmed(value).len() != value.len())
        {
            self.trims.add(1, true);
        }
        if pairs.iter().any(|(_, value)| trimmed(value).is_empty()) {
            self.empties_dropped.add(1, true);
        }
        let mut names = HashSet::new();
        if !pairs
            .iter()
            .chain(&self.query)
            .all(|(name, _)| names.insert(name))
        {
            use Repeats::{All, AllAsTheyCame, Commas, First, Last, OneName};
            for repeats in [First, Last, All, AllAsTheyCame, OneName, Commas] {
                self.repeats.add(1, repeats);
            }
        }
        if !self.query.is_empty() {
            self.queries.add(1, Query::Added);
            if !pairs.is_empty() {
                self.queries.add(1, Query::TakenOut);
            }
        }
        let single = pairs.len().min(MAX_SINGLE);
        if pairs.len() > 1 {
            for index in 0..single {
                self.singles.add(2, Single::Without([index, index]));
            }
        }
        for ends in [["", " "], [" ", ""], ["", "\n"], ["", "\r\n"]] {
            for index in 0..single {
                self.singles.add(3, Single::Blank(index, ends));
            }
        }
        let paired = pairs.len().min(MAX_PAIRED);
        for first in 0..paired {
            for second in first + 1..paired {
                self.singles.add(4, Single::Without([first, second]));
            }
        }
    }

    /// Returns the costs of a dimension, if it is one of parameters.
    pub(super) fn costs(&self, dimension: Dimension) -> Option<Costs> {
        Some(match dimension {
            Dimension::Covered => self.covered.costs(),
            Dimension::Decoding => self.decodings.costs(),
            Dimension::Trim => self.trims.costs(),
            Dimension::Empties => self.empties_dropped.costs(),
            Dimension::Repeats => self.repeats.costs(),
            Dimension::QueryParams => self.queries.costs(),
            Dimension::Single => self.singles.costs(),
            _ => return None,
        })
    }

    /// Returns roughly how many bytes of memory are read and written to make a text.
    pub(super) fn work(&self) -> usize {
        let pairs = self.raw.len() + self.json.len() + self.query.len();
        self.body.len() + self.decoded_body.len() + pairs * size_of::<Pair>()
    }

    /// Returns the choice of a combination.
    pub(super) fn choice(&self, picks: Picks<'_>) -> Option<ParamChoice> {
        Some(ParamChoice {
            covered: *picks.get(Dimension::Covered, &self.covered)?,
            decoding: *picks.get(Dimension::Decoding, &self.decodings)?,
            trim: *picks.get(Dimension::Trim, &self.trims)?,
            empties_dropped: *picks.get(Dimension::Empties, &self.empties_dropped)?,
            repeats: *picks.get(Dimension::Repeats, &self.repeats)?,
            query: *picks.get(Dimension::QueryParams, &self.queries)?,
            single: *picks.get(Dimension::Single, &self.singles)?,
        })
    }

    /// Writes the text that follows the URL.
    pub(super) fn text(&self, choice: ParamChoice) -> Vec<u8> {
        if choice == ParamChoice::AS_VALIDATED {
            return write_signed(self.body, &mut Buf::new()).to_vec();
        }
        match choice.covered {
            Covered::Raw => return self.body.to_vec(),
            Covered::Base64 => return write_signed(&self.decoded_body, &mut Buf::new()).to_vec(),
            Covered::Form | Covered::Json | Covered::Nothing => {}
        }
        let mut text = Vec::new();
        let pairs = choice.apply(self.covered_pairs(choice), &self.query);
        choice.repeats.write(pairs, &mut text);
        text
    }

    /// Returns why the parameters do not match, if this choice of them was signed.
    pub(super) fn causes(&self, choice: ParamChoice) -> Vec<Cause> {
        let mut causes = Vec::new();
        causes.extend(match choice.decoding {
            Decoding::Once => None,
            Decoding::Twice | Decoding::Never => Some(Cause::ParamsDecodedTwice),
            Decoding::PlusKept => Some(Cause::PlusNotEscaped),
            Decoding::ToCrLf | Decoding::ToLf => Some(Cause::LineEnds),
        });
        if choice.trim || matches!(choice.single, Single::Blank(..)) {
            causes.push(Cause::ParamsTrimmed);
        }
        if choice.empties_dropped || choice.repeats != Repeats::Distinct {
            causes.push(Cause::ParamsDropped);
        }
        if choice.query != Query::Apart {
            causes.push(Cause::ParamsExtra);
        }
        if let Single::Without(left_out) = choice.single {
            let pairs = self.covered_pairs(choice);
            let is_dropped = |index: &usize| {
                pairs.get(*index).is_some_and(|(name, value)| {
                    let is_same = |pair: &&Pair| pair.0 == *name;
                    trimmed(value).is_empty() || pairs.iter().filter(is_same).count() > 1
                })
            };
            let dropped = left_out.iter().filter(|index| is_dropped(index)).count();
            if dropped > 0 {
                causes.push(Cause::ParamsDropped);
            }
            if dropped < left_out.len() {
                causes.push(Cause::ParamsExtra);
            }
        }
        causes
    }

    /// Returns the form as its sender wrote it, if what happened to it on the way can be undone.
    pub(super) fn restored(&self, choice: ParamChoice) -> Option<Vec<u8>> {
        let as_sent = |decoding| ParamChoice {
            decoding,
            ..ParamChoice::AS_VALIDATED
        };
        match choice.covered {
            Covered::Base64 => Some(self.decoded_body.clone()),
            Covered::Json | Covered::Form
                if as_sent(choice.decoding)
                    == (ParamChoice {
                        covered: Covered::Form,
                        ..choice
                    })
                    && !matches!(choice.decoding, Decoding::Twice | Decoding::Never) =>
            {
                let pairs = self.covered_pairs(choice).into_iter();
                let pairs: Vec<_> = pairs
                    .map(|(name, value)| [escaped(&name), escaped(&value)].join("="))
                    .collect();
                Some(pairs.join("&").into_bytes())
            }
            _ => None,
        }
    }

    fn covered_pairs(&self, choice: ParamChoice) -> Vec<Pair> {
        match choice.covered {
            Covered::Form => self.decoded(choice.decoding),
            Covered::Json => self.json.clone(),
            Covered::Raw | Covered::Base64 | Covered::Nothing => Vec::new(),
        }
    }

    fn decoded(&self, decoding: Decoding) -> Vec<Pair> {
        let pairs = self.raw.iter();
        pairs
            .map(|(name, value)| (decoding.apply(name), decoding.apply(value)))
            .collect()
    }
}

/// One alternative of each dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ParamChoice {
    /// Which part of the body is signed.
    pub(super) covered: Covered,
    decoding: Decoding,
    trim: bool,
    empties_dropped: bool,
    repeats: Repeats,
    query: Query,
    single: Single,
}

impl ParamChoice {
    /// A form's parameters, as a validator signs them.
    const AS_VALIDATED: Self = Self {
        covered: Covered::Form,
        decoding: Decoding::Once,
        trim: false,
        empties_dropped: false,
        repeats: Repeats::Distinct,
        query: Query::Apart,
        single: Single::None,
    };

    fn apply(self, mut pairs: Vec<Pair>, query: &[Pair]) -> Vec<Pair> {
        match self.single {
            Single::None => {}
            Single::Without(left_out) => {
                let mut index = 0..;
                pairs.retain(|_| index.next().is_some_and(|index| !left_out.contains(&index)));
            }
            Single::Blank(index, [before, after]) => {
                if let Some((_, value)) = pairs.get_mut(index) {
                    *value = [before.as_bytes(), value, after.as_bytes()].concat();
                }
            }
        }
        if self.trim {
            for (_, value) in &mut pairs {
                *value = trimmed(value).to_vec();
            }
        }
        if self.empties_dropped {
            pairs.retain(|(_, value)| !trimmed(value).is_empty());
        }
        match self.query {
            Query::Apart => {}
            Query::Added => pairs.extend_from_slice(query),
            Query::TakenOut => remove_all(&mut pairs, query),
        }
        pairs
    }
}

impl Decoding {
    fn apply(self, raw: &[u8]) -> Vec<u8> {
        match self {
            Self::Once => once(raw),
            Self::Twice => once(&once(raw)),
            Self::PlusKept => {
                let parts: Vec<_> = raw.split(|byte| *byte == b'+').map(once).collect();
                parts.join(&b'+')
            }
            Self::Never => raw.to_vec(),
            Self::ToCrLf => with_line_ends(&once(raw), b"\r\n"),
            Self::ToLf => with_line_ends(&once(raw), b"\n"),
        }
    }
}

impl Repeats {
    fn write(self, mut pairs: Vec<Pair>, text: &mut Vec<u8>) {
        let by_value = matches!(self, Self::Distinct | Self::All);
        pairs.sort_by(|(name, value), (other_name, other_value)| {
            let by_name = name.cmp(other_name);
            if by_value {
                by_name.then_with(|| value.cmp(other_value))
            } else {
                by_name
            }
        });
        for of_name in pairs.chunk_by(|(name, _), (next, _)| name == next) {
            let Some((name, _)) = of_name.first() else {
                continue;
            };
            let mut values: Vec<_> = of_name.iter().map(|(_, value)| value.as_slice()).collect();
            let joined;
            match self {
                Self::Distinct => values.dedup(),
                Self::First => values.truncate(1),
                Self::Last => {
                    values.drain(..values.len().saturating_sub(1));
                }
                Self::All | Self::AllAsTheyCame => {}
                Self::OneName => {
                    joined = values.concat();
                    values = vec![&joined];
                }
                Self::Commas => {
                    joined = values.join(&b',');
                    values = vec![&joined];
                }
            }
            for value in values {
                text.extend_from_slice(name);
                text.extend_from_slice(value);
            }
        }
    }
}

/// The end of a line in a value.
#[derive(Debug, Clone, Copy)]
enum LineEnd {
    Lf,
    CrLf,
}

impl LineEnd {
    fn is_in(self, value: &[u8]) -> bool {
        let lines = value.split_inclusive(|byte| *byte == b'\n');
        let mut ended = lines.filter_map(|line| line.strip_suffix(b"\n"));
        ended.any(|line| line.ends_with(b"\r") == matches!(self, Self::CrLf))
    }
}

/// Replaces each line end, whether it is LF or CRLF.
fn with_line_ends(value: &[u8], end: &[u8]) -> Vec<u8> {
    let lines: Vec<_> = value.split(|byte| *byte == b'\n').collect();
    let last = lines.len().saturating_sub(1);
    let without_cr = lines
        .iter()
        .enumerate()
        .map(|(index, line)| match line.strip_suffix(b"\r") {
            Some(line) if index < last => line,
            _ => *line,
        });
    without_cr.collect::<Vec<_>>().join(end)
}

/// Returns the form that a body is in base64: no form that is not encoded looks like it.
fn form_in_base64(body: &[u8]) -> Option<Vec<u8>> {
    let text = body.trim_ascii();
    let form = STANDARD.decode(text).ok()?;
    let is_form = form.contains(&b'=') && form.iter().all(u8::is_ascii_graphic);
    is_form.then_some(form)
}

/// Escapes every byte.
fn escaped(text: &[u8]) -> String {
    let mut escaped = String::with_capacity(3 * text.len());
    for byte in text {
        // A `String` takes any text.
        let _ = write!(escaped, "%{byte:02X}");
    }
    escaped
}

fn once(raw: &[u8]) -> Vec<u8> {
    decode(raw).into_vec()
}

/// Trims white space as frameworks do: by the definition of Unicode if the value is UTF-8.
fn trimmed(value: &[u8]) -> &[u8] {
    match str::from_utf8(value) {
        Ok(text) => text.trim().as_bytes(),
        Err(_) => value.trim_ascii(),
    }
}

fn raw_pairs(form: &[u8]) -> Vec<(&[u8], &[u8])> {
    let pairs = form
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (
                pair.get(..at).unwrap_or_default(),
                pair.get(at + 1..).unwrap_or_default(),
            ),
            None => (pair, &[][..]),
        })
        .collect()
}

/// Returns the members of a JSON object as pairs, as a sender signs them that takes them for parameters.
fn json_pairs(body: &[u8]) -> Vec<Pair> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return Vec::new();
    }
    let Ok(members) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body)
    else {
        return Vec::new();
    };
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => Cow::Owned(text),
        serde_json::Value::Null => Cow::Borrowed(""),
        other => Cow::Owned(other.to_string()),
    };
    members
        .into_iter()
        .map(|(name, value)| (name.into_bytes(), text(value).into_owned().into_bytes()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::dimensions::cheapest_first, *};

    const DIMENSIONS: [Dimension; 7] = [
        Dimension::Covered,
        Dimension::Decoding,
        Dimension::Trim,
        Dimension::Empties,
        Dimension::Repeats,
        Dimension::QueryParams,
        Dimension::Single,
    ];

    /// Returns the choices that differ from what the app validates in at most this number of dimensions.
    fn choices(variants: &ParamVariants<'_>, changes: usize) -> Vec<ParamChoice> {
        let mut choices = Vec::new();
        let costs = |dimension| variants.costs(dimension).unwrap_or_else(|| vec![0]);
        let end: std::ops::ControlFlow<()> = cheapest_first(costs, |picks| {
            if DIMENSIONS
                .iter()
                .filter(|dimension| picks.changes(**dimension))
                .count()
                <= changes
            {
                choices.push(variants.choice(picks).unwrap());
            }
            std::ops::ControlFlow::Continue(())
        });
        assert!(end.is_continue());
        choices
    }

    /// Returns the texts of these choices, with their causes.
    fn texts(body: &str, query: Option<&str>) -> Vec<(String, Vec<Cause>)> {
        let variants = ParamVariants::of(body.as_bytes(), query, BodyKind::Form);
        let text = |choice| {
            let text = String::from_utf8_lossy(&variants.text(choice)).into_owned();
            (text, variants.causes(choice))
        };
        choices(&variants, 2).into_iter().map(text).collect()
    }

    #[test]
    fn parameters_are_varied_as_frameworks_do() {
        use Cause::{
            LineEnds, ParamsDecodedTwice, ParamsDropped, ParamsExtra, ParamsTrimmed, PlusNotEscaped,
        };
        let cases: &[(&str, Option<&str>, &str, &[Cause])] = &[
            ("b=2&a=1", None, "a1b2", &[]),
            ("a=+1+", None, "a1", &[ParamsTrimmed]),
            ("a=1", None, "a1 ", &[ParamsTrimmed]),
            ("a=1&b=2", None, "a 1b2", &[ParamsTrimmed]),
            ("a=1&b=", None, "a1", &[ParamsDropped]),
            ("a=1&b=+", None, "a1", &[ParamsDropped]),
            ("a=1&b=&c=", None, "a1c", &[ParamsDropped]),
            ("a=2&a=1", None, "a1", &[ParamsDropped]),
            ("a=2&a=1", None, "a2", &[ParamsDropped]),
            ("a=1&a=1", None, "a1a1", &[ParamsDropped]),
            ("a=2&a=1", None, "a2a1", &[ParamsDropped]),
            ("a=2&a=1", None, "a21", &[ParamsDropped]),
            ("a=2&a=1", None, "a2,1", &[ParamsDropped]),
            ("a=%252B", None, "a+", &[ParamsDecodedTwice]),
            ("a=1+2%20", None, "a1+2 ", &[PlusNotEscaped]),
            ("a=x%0Ay%0A", None, "ax\r\ny\r\n", &[LineEnds]),
            ("a=x%0D%0Ay", None, "ax\ny", &[LineEnds]),
            // Only what precedes a line feed is a part of a line end.
            ("a=x%0D%0Ay%0D", None, "ax\ny\r", &[LineEnds]),
            ("YT0xJmI9Mg==", None, "a1b2", &[]),
            ("a=1+2%20", None, "a1+2%20", &[ParamsDecodedTwice]),
            ("a=1&b=2", None, "b2", &[ParamsExtra]),
            ("a=1&b=2&c=3", None, "b2", &[ParamsExtra]),
            ("a=1&b=2", Some("c=3"), "a1b2c3", &[ParamsExtra]),
            ("a=1&b=2&c=3", Some("c=3&b=2"), "a1", &[ParamsExtra]),
            ("a=+1&b=", None, "a1", &[ParamsTrimmed, ParamsDropped]),
            ("a=1&b=&c=&d=", None, "a1", &[ParamsDropped]),
            ("a=1&a=2&a=3", None, "a1a3", &[ParamsDropped]),
            ("a=1&b=2&c=3&d=4", Some("b=2&c=3&d=4"), "a1", &[ParamsExtra]),
        ];
        for (body, query, text, causes) in cases {
            let texts = texts(body, *query);
            let found = texts.iter().find(|(found, _)| found == text);
            let found = found.map(|(_, causes)| &causes[..]);
            let found = found.map(|causes| {
                causes.iter().copied().fold(Vec::new(), |mut once, cause| {
                    if !once.contains(&cause) {
                        once.push(cause);
                    }
                    once
                })
            });
            assert_eq!(found.as_deref(), Some(*causes), "{body} {text}");
        }
    }

    #[test]
    fn carriage_return_at_the_end_of_a_value_ends_no_line() {
        for (value, with_cr_lf, with_lf) in [
            ("a\nb", "a\r\nb", "a\nb"),
            ("a\r\nb\r", "a\r\nb\r", "a\nb\r"),
            ("a\r\r\n", "a\r\r\n", "a\r\n"),
            ("\r", "\r", "\r"),
            ("", "", ""),
        ] {
            let [found_cr_lf, found_lf] =
                [&b"\r\n"[..], b"\n"].map(|end| with_line_ends(value.as_bytes(), end));
            assert_eq!(found_cr_lf, with_cr_lf.as_bytes(), "{value:?}");
            assert_eq!(found_lf, with_lf.as_bytes(), "{value:?}");
        }
    }

    #[test]
    fn only_what_can_change_the_text_is_an_alternative() {
        use Dimension::{Covered, Decoding, Empties, QueryParams, Repeats, Single, Trim};
        let cases: &[(&str, Option<&str>, Dimension, &[u8])] = &[
            ("", None, Covered, &[0, 1]),
            ("a=1", None, Covered, &[0, 1, 2]),
            ("a=1", None, Decoding, &[0]),
            ("a=%31", None, Decoding, &[0, 1, 1, 1]),
            ("a=x%0Ay", None, Decoding, &[0, 1, 1, 1, 1]),
            ("a=x%0D%0Ay%0A", None, Decoding, &[0, 1, 1, 1, 1, 1]),
            ("a=+", None, Decoding, &[0, 1, 1, 1]),
            ("&+&", None, Decoding, &[0, 1, 1, 1]),
            ("&&", Some("+"), Decoding, &[0]),
            ("a=1", None, Trim, &[0]),
            ("a=1+", None, Trim, &[0, 1]),
            ("a=1", None, Empties, &[0]),
            ("a=+", None, Empties, &[0, 1]),
            ("a=1&b=2", Some("c=3"), Repeats, &[0]),
            ("a=1&a=2", None, Repeats, &[0, 1, 1, 1, 1, 1, 1]),
            ("a=1", Some("a=1"), Repeats, &[0, 1, 1, 1, 1, 1, 1]),
            ("a=1", None, QueryParams, &[0]),
            ("a=1", Some("b=2"), QueryParams, &[0, 1, 1]),
            ("", Some("b=2"), QueryParams, &[0, 1]),
            ("", None, Single, &[0]),
            ("a=1", None, Single, &[0, 3, 3, 3, 3]),
            (
                "a=1&b=2",
                None,
                Single,
                &[0, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4],
            ),
        ];
        for (body, query, dimension, costs) in cases {
            let variants = ParamVariants::of(body.as_bytes(), *query, BodyKind::Form);
            let found = variants.costs(*dimension).unwrap();
            assert_eq!(found, *costs, "{body} {query:?} {dimension:?}");
        }
        for (body, costs) in [
            ("", &[0][..]),
            ("&", &[0, 2]),
            ("a=1", &[0, 1, 2]),
            ("{\"a\":1}", &[0, 1, 2]),
        ] {
            let variants = ParamVariants::of(body.as_bytes(), None, BodyKind::Other);
            assert_eq!(variants.costs(Covered).unwrap(), costs, "{body}");
        }
        let many = "a=1&".repeat(2 * MAX_SINGLE);
        let variants = ParamVariants::of(many.as_bytes(), None, BodyKind::Form);
        let found = variants.costs(Single).unwrap();
        let of_cost = |wanted| {
            let of_it = found.iter().filter(|cost| **cost == wanted);
            of_it.collect::<Vec<_>>().len()
        };
        let pairs = MAX_PAIRED * (MAX_PAIRED - 1) / 2;
        assert_eq!([2, 3, 4].map(of_cost), [MAX_SINGLE, 4 * MAX_SINGLE, pairs]);
    }

    #[test]
    fn forms_are_restored_as_they_were_signed() {
        let restored = |body: &str, kind, text: &str| {
            let variants = ParamVariants::of(body.as_bytes(), None, kind);
            let mut choices = choices(&variants, 2).into_iter();
            let choice = choices.find(|choice| variants.text(*choice) == text.as_bytes());
            let form = variants.restored(choice.unwrap())?;
            Some(String::from_utf8(write_signed(&form, &mut Buf::new()).to_vec()).unwrap())
        };
        for (body, kind, text) in [
            ("a=+1&b=2", BodyKind::Form, "a+1b2"),
            ("a=x%0Ay&b=2", BodyKind::Form, "ax\r\nyb2"),
            ("YT0xJmI9Mg==", BodyKind::Form, "a1b2"),
            (r#"{"a":"x y","b":2}"#, BodyKind::Other, "ax yb2"),
        ] {
            assert_eq!(restored(body, kind, text).as_deref(), Some(text), "{body}");
        }
        for (body, text) in [("a=1&b=", "a1"), ("a=%2B1", "a%2B1")] {
            assert_eq!(restored(body, BodyKind::Form, text), None, "{body}");
        }
    }

    #[test]
    fn only_a_form_in_base64_is_taken_for_one() {
        for body in ["YT0xJmI9Mg==", "YT0xJmI9Mg==\n"] {
            let form = form_in_base64(body.as_bytes());
            assert_eq!(form.as_deref(), Some(&b"a=1&b=2"[..]), "{body:?}");
        }
        // Not base64, not padded, not a form, and not printable.
        for body in ["a=1&b=2", "YT0xJmI9Mg", "YWJj", "PQA9", ""] {
            assert_eq!(form_in_base64(body.as_bytes()), None, "{body:?}");
        }
    }

    #[test]
    fn work_is_the_body_and_every_pair() {
        let work = |body: &str, query, kind| ParamVariants::of(body.as_bytes(), query, kind).work();
        for (body, query, kind, decoded, pairs) in [
            ("", None, BodyKind::Form, 0, 0),
            ("a=1&b=2", Some("c&d&e"), BodyKind::Form, 0, 5),
            ("a=1&b=2", None, BodyKind::Other, 0, 2),
            (r#"{"a":1,"b":2}"#, Some("c"), BodyKind::Other, 0, 3),
            ("YT0xJmI9Mg==", None, BodyKind::Other, "a=1&b=2".len(), 1),
        ] {
            let expected = body.len() + decoded + pairs * size_of::<Pair>();
            assert_eq!(work(body, query, kind), expected, "{body} {query:?}");
        }
    }

    #[test]
    fn json_members_are_parameters_too() {
        let body = br#"{"b":2,"a":"x","c":null,"d":[1]}"#;
        let variants = ParamVariants::of(body, None, BodyKind::Other);
        let choices = choices(&variants, 1);
        let json = choices
            .iter()
            .find(|choice| choice.covered == Covered::Json);
        assert_eq!(&*variants.text(*json.unwrap()), b"axb2cd[1]");
        for hostile in ["{", "{}", "[1]", "{\"a\":", "\u{e9}", "&&==%"] {
            let variants = ParamVariants::of(hostile.as_bytes(), Some(hostile), BodyKind::Other);
            let [unchanged] = *self::choices(&variants, 0) else {
                panic!("there is one choice that changes nothing");
            };
            assert!(variants.text(unchanged).is_empty());
        }
    }
}
