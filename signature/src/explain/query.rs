//! The forms that a query can take on its way to the app: another order, other escapes.

use std::{borrow::Cow, fmt::Write};

use super::{cause::Cause, dimensions::Alternatives, sets::contains_all};
use crate::form::decode;

/// The largest number of pairs of which every order is tried.
const MAX_PERMUTED: usize = 6;

/// A way to reorder the pairs of a query.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    AsIs,
    Sorted,
    Reversed,
    LastFirst,
    FirstLast,
    /// The permutation with this number.
    Permuted(usize),
}

impl Order {
    /// Returns the orders that can change a query.
    pub(super) fn all(query: &str) -> Alternatives<Self> {
        let pairs = query.split('&').count();
        let (number, cost) = match pairs {
            2..=4 => ((1..=pairs).product(), 2),
            5 => (120, 3),
            MAX_PERMUTED => (720, 4),
            _ => (0, 4),
        };
        let mut orders = Alternatives::of(Self::AsIs);
        if pairs > 1 {
            for order in [
                Self::Sorted,
                Self::Reversed,
                Self::LastFirst,
                Self::FirstLast,
            ] {
                orders.add(1, order);
            }
        }
        for index in 1..number {
            orders.add(cost, Self::Permuted(index));
        }
        orders
    }

    pub(super) fn apply(self, query: &str) -> Cow<'_, str> {
        if let Self::AsIs = self {
            return Cow::Borrowed(query);
        }
        let mut pairs: Vec<_> = query.split('&').collect();
        match self {
            Self::AsIs => {}
            Self::Sorted => pairs.sort_unstable(),
            Self::Reversed => pairs.reverse(),
            Self::LastFirst => pairs.rotate_right(1),
            Self::FirstLast => pairs.rotate_left(1),
            Self::Permuted(mut index) => {
                let mut rest = std::mem::take(&mut pairs);
                while !rest.is_empty() {
                    let at = index % rest.len();
                    index /= rest.len();
                    pairs.push(rest.remove(at));
                }
            }
        }
        Cow::Owned(pairs.join("&"))
    }
}

/// A way to rewrite the escapes of a query.
#[derive(Debug, Clone, Copy)]
pub(super) enum Encoding {
    AsIs,
    /// The second text replaces each occurrence of the first.
    Replaced(&'static str, &'static str),
    /// Everything is decoded except these characters. `plus` says whether `+` is a space.
    Decoded {
        keep: &'static str,
        plus: bool,
    },
    /// Everything is decoded, then encoded except letters, digits and the `bare` characters.
    Encoded {
        bare: &'static str,
        blank: &'static str,
        plus: bool,
    },
    HexCase {
        upper: bool,
    },
    /// An empty value is written with `=`, or without it.
    Equals(bool),
}

impl Encoding {
    /// The encodings that are tried: those that browsers, frameworks and proxies write.
    pub(super) const ALL: [Self; 19] = [
        Self::Replaced("+", "%20"),
        Self::Replaced("%20", "+"),
        Self::Replaced("%2B", "+"),
        Self::Replaced("+", "%2B"),
        Self::Encoded {
            bare: "-_.~",
            blank: "%20",
            plus: true,
        },
        Self::Encoded {
            bare: "-_.~",
            blank: "%20",
            plus: false,
        },
        Self::Encoded {
            bare: "-_.*",
            blank: "+",
            plus: true,
        },
        Self::Encoded {
            bare: "-_.*",
            blank: "+",
            plus: false,
        },
        Self::Encoded {
            bare: "-_.!~*'()",
            blank: "%20",
            plus: true,
        },
        Self::Encoded {
            bare: "-_.!~*'()",
            blank: "%20",
            plus: false,
        },
        Self::Decoded {
            keep: "",
            plus: false,
        },
        Self::Decoded {
            keep: "",
            plus: true,
        },
        Self::Decoded {
            keep: "&=#%+ ",
            plus: false,
        },
        Self::Replaced("%25", "%"),
        Self::Replaced("%", "%25"),
        Self::HexCase { upper: true },
        Self::HexCase { upper: false },
        Self::Equals(true),
        Self::Equals(false),
    ];

    pub(super) fn apply(self, query: &str) -> Cow<'_, str> {
        match self {
            Self::AsIs => Cow::Borrowed(query),
            Self::Replaced(from, to) => Cow::Owned(query.replace(from, to)),
            Self::Decoded { keep, plus } => each_text(query, |text| {
                if keep.is_empty() {
                    decoded(text, plus)
                } else {
                    decoded_but(text, keep)
                }
            }),
            Self::Encoded { bare, blank, plus } => {
                each_text(query, |text| encoded(&decoded(text, plus)?, bare, blank))
            }
            Self::HexCase { upper } => Cow::Owned(in_case(query, upper)),
            Self::Equals(wanted) => {
                let pairs = query.split('&').map(|pair| match pair.split_once('=') {
                    None if wanted && !pair.is_empty() => format!("{pair}="),
                    Some((name, "")) if !wanted => name.to_owned(),
                    _ => pair.to_owned(),
                });
                Cow::Owned(pairs.collect::<Vec<_>>().join("&"))
            }
        }
    }
}

/// Rewrites each name and value, or changes nothing if one of them can't be rewritten.
fn each_text(query: &str, rewrite: impl Fn(&str) -> Option<String>) -> Cow<'_, str> {
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, value)) => Some([rewrite(name)?, rewrite(value)?].join("=")),
        None => rewrite(pair),
    };
    match query.split('&').map(pair).collect::<Option<Vec<_>>>() {
        Some(pairs) => Cow::Owned(pairs.join("&")),
        None => Cow::Borrowed(query),
    }
}

fn decoded(text: &str, plus: bool) -> Option<String> {
    let text = if plus {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.replace('+', "%2B"))
    };
    String::from_utf8(decode(text.as_bytes()).into_vec()).ok()
}

fn decoded_but(text: &str, keep: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let escape = piece
            .get(..2)
            .map(|hex| decode(format!("%{hex}").as_bytes()));
        match escape.as_deref() {
            Some([byte]) if !keep.as_bytes().contains(byte) => {
                bytes.push(*byte);
                bytes.extend(piece.bytes().skip(2));
            }
            _ => {
                bytes.push(b'%');
                bytes.extend(piece.bytes());
            }
        }
    }
    String::from_utf8(bytes).ok()
}

pub(super) fn encoded(text: &str, bare: &str, blank: &str) -> Option<String> {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || bare.as_bytes().contains(&byte) {
            encoded.push(byte.into());
        } else if byte == b' ' {
            encoded.push_str(blank);
        } else {
            write!(encoded, "%{byte:02X}").ok()?;
        }
    }
    Some(encoded)
}

fn in_case(query: &str, upper: bool) -> String {
    let mut hex_digits = 0;
    let change = |c: char| {
        if c == '%' {
            hex_digits = 2;
            return c;
        }
        if hex_digits == 0 || !c.is_ascii_hexdigit() {
            hex_digits = 0;
            return c;
        }
        hex_digits -= 1;
        if upper {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    };
    query.chars().map(change).collect()
}

/// Determines what happened to a query on its way to the app.
pub(super) fn differences(seen: &str, signed: &str) -> Vec<Cause> {
    let pairs = |query: &str| -> Vec<String> {
        query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (seen, signed) = (pairs(seen), pairs(signed));
    let (plain_seen, plain_signed) = (plain(&seen), plain(&signed));
    let mut causes = Vec::new();
    if plain_seen == plain_signed {
        let missing = seen.is_empty();
        causes.push(if missing {
            Cause::QueryMissing
        } else {
            Cause::QueryEncoding
        });
        return causes;
    }
    let (sorted_seen, sorted_signed) = (sorted(&plain_seen), sorted(&plain_signed));
    if sorted_seen == sorted_signed {
        causes.push(Cause::QueryOrder);
        if sorted(&seen) != sorted(&signed) {
            causes.push(Cause::QueryEncoding);
        }
        return causes;
    }
    if contains_all(&plain_seen, &plain_signed) {
        causes.push(Cause::ParamsExtra);
        if !contains_all(&seen, &signed) {
            causes.push(Cause::QueryEncoding);
        }
        return causes;
    }
    if contains_all(&plain_signed, &plain_seen) && !contains_all(&signed, &seen) {
        causes.push(Cause::QueryEncoding);
    }
    causes.push(Cause::QueryMissing);
    causes
}

fn sorted(pairs: &[String]) -> Vec<&str> {
    let mut pairs: Vec<_> = pairs.iter().map(String::as_str).collect();
    pairs.sort_unstable();
    pairs
}

/// Returns the pairs without escapes, so that pairs that differ only in their escapes become equal.
fn plain(pairs: &[String]) -> Vec<String> {
    let plain = |pair: &String| {
        let mut text = pair.clone().into_bytes();
        for _ in 0..3 {
            text = decode(&text).into_vec();
        }
        let text = String::from_utf8_lossy(&text).replace('+', " ");
        if pair.contains('=') { text } else { text + "=" }
    };
    pairs.iter().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_reached(seen: &str, signed: &str) {
        let reached = Encoding::ALL
            .iter()
            .any(|encoding| encoding.apply(seen) == signed);
        assert!(reached, "{seen} -> {signed}");
    }

    #[test]
    fn usual_changes_of_escapes_are_undone() {
        for (seen, signed) in [
            ("a=x+y", "a=x%20y"),
            ("a=x%20y", "a=x+y"),
            ("a=+1&b=c", "a=%2B1&b=c"),
            ("a=%2B1", "a=+1"),
            ("a=x y:/\u{e9}", "a=x%20y%3A%2F%C3%A9"),
            ("a=x y!", "a=x+y%21"),
            ("a=x y!", "a=x%20y!"),
            ("a=1+2", "a=1%2B2"),
            ("a=%3A%2F%20x", "a=:/ x"),
            ("a=%3A%26%20x", "a=:%26%20x"),
            ("a=%3a", "a=%3A"),
            ("a=%3Ab", "a=%3ab"),
            ("a=%2520", "a=%20"),
            ("a=%20", "a=%2520"),
            ("a&b=1", "a=&b=1"),
            ("a=&b=1", "a&b=1"),
        ] {
            assert_reached(seen, signed);
        }
    }

    #[test]
    fn differences_are_of_pairs_their_order_and_their_escapes() {
        use Cause::{ParamsExtra, QueryEncoding, QueryMissing, QueryOrder};
        for (seen, signed, causes) in [
            ("", "a=1", &[QueryMissing][..]),
            ("a=%2F", "a=/", &[QueryEncoding]),
            ("a=1&b=2", "b=2&a=1", &[QueryOrder]),
            ("a=%2F&b=2", "b=2&a=/", &[QueryOrder, QueryEncoding]),
            ("a=1&b=2", "a=1", &[ParamsExtra]),
            ("a=%2F&b=2", "a=/", &[ParamsExtra, QueryEncoding]),
            ("a=1", "a=1&b=2", &[QueryMissing]),
            ("a=%2F", "a=/&b=2", &[QueryEncoding, QueryMissing]),
            ("a=1", "b=2", &[QueryMissing]),
        ] {
            assert_eq!(differences(seen, signed), causes, "{seen} {signed}");
        }
    }

    #[test]
    fn every_order_of_a_short_query_is_tried() {
        for (pairs, number) in [(1, 1), (2, 2), (3, 6), (4, 24), (5, 120), (6, 720)] {
            let query = (0..pairs).map(|n| format!("a={n}")).collect::<Vec<_>>();
            let query = query.join("&");
            let orders = Order::all(&query).into_costed().into_iter();
            let mut orders: Vec<_> = orders.map(|(_, order)| order.apply(&query)).collect();
            orders.sort();
            orders.dedup();
            assert_eq!(orders.len(), number, "{query}");
        }
        assert_eq!(Order::all("a=1").costs(), [0]);
        assert_eq!(Order::all(&"a=1&".repeat(1000)).costs(), [0, 1, 1, 1, 1]);
    }

    #[test]
    fn empty_values_have_their_sign_or_have_none() {
        for (query, with, without) in [
            ("&a&b=1&c=&=&=2", "&a=&b=1&c=&=&=2", "&a&b=1&c&&=2"),
            ("", "", ""),
        ] {
            assert_eq!(Encoding::Equals(true).apply(query), with, "{query}");
            assert_eq!(Encoding::Equals(false).apply(query), without, "{query}");
        }
    }

    #[test]
    fn case_of_an_escape_is_that_of_its_two_digits_alone() {
        for (query, upper, lower) in [
            ("a=bC", "a=bC", "a=bC"),
            ("%3abC", "%3AbC", "%3abC"),
            ("%aBc%CdE", "%ABc%CDE", "%abc%cdE"),
            ("%zaB", "%zaB", "%zaB"),
            ("%azB", "%AzB", "%azB"),
            ("%%aBC", "%%ABC", "%%abC"),
            ("%b", "%B", "%b"),
        ] {
            assert_eq!(in_case(query, true), upper, "{query}");
            assert_eq!(in_case(query, false), lower, "{query}");
        }
    }

    #[test]
    fn hostile_queries_are_rewritten_without_panic() {
        for query in [
            "",
            "&",
            "%",
            "%%%",
            "a=%e9&b=%",
            "%\u{e9}\u{e9}",
            "=&=&=",
            "\u{1f4de}=+",
        ] {
            for encoding in Encoding::ALL {
                let _text = encoding.apply(query);
            }
            for (_, order) in Order::all(query).into_costed() {
                let _text = order.apply(query);
            }
            let _causes = differences(query, "a=1");
        }
    }
}
