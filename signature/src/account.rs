//! The account that a request claims to come from, by which its keys are looked up (R16).

use std::{borrow::Cow, fmt, str::FromStr};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::{
    body::without_blanks,
    error::{ConfigError, SignatureError, SignatureErrorKind},
    form::{self, Form},
    key::is_sid_number,
    request::{HeaderValue, WebhookRequest},
    url,
};

/// The SID of a Twilio account or subaccount: `AC` and 32 hex digits.
///
/// # Examples
///
/// ```
/// use twilio_signature::AccountSid;
///
/// let sid: AccountSid = "AC00000000000000000000000000000001".parse()?;
/// assert_eq!(sid.as_str(), "AC00000000000000000000000000000001");
/// assert!("AC1".parse::<AccountSid>().is_err());
/// # Ok::<(), twilio_signature::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountSid(String);

impl AccountSid {
    /// Returns the SID's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountSid {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text.strip_prefix("AC") {
            Some(number) if is_sid_number(number) => Ok(Self(text.to_owned())),
            _ => Err(ConfigError::new(
                "AccountSid",
                "it is not AC followed by 32 hex digits",
                "copy the SID of the account from the Twilio console",
            )),
        }
    }
}

impl fmt::Display for AccountSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of the parameter that contains an account.
const NAME: &[u8] = b"AccountSid";

impl AccountSid {
    /// Returns the account that a request claims to come from (R16).
    ///
    /// It searches the query, a form, and JSON: at the top level, and in the `data` of an event or of each
    /// event in a batch. The result is only a claim, by which keys are looked up. The verdict determines whether
    /// it is true.
    ///
    /// # Errors
    ///
    /// Returns an error if an account is malformed, if JSON that may contain one is malformed, or if two accounts
    /// differ: the holder of one account's token must not speak for another account.
    ///
    /// # Security
    ///
    /// No signature covers the content type, and handlers may ignore it. So a body is searched as a form and, if
    /// it looks like JSON, also as JSON. If the content type says JSON too, the body is not searched as a form: a
    /// string in it may look like a form, and the sender of an SMS could suppress an event with such a string.
    pub fn claimed_by(req: &WebhookRequest<'_>) -> Result<Option<Self>, SignatureError> {
        Self::claimed(req, |claimed| {
            form::values(req.body, NAME).try_for_each(|value| claimed.add(&value))
        })
    }

    /// Returns the account that a request with this form as its body claims to come from, like
    /// [`claimed_by`](Self::claimed_by), without splitting the form again.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`claimed_by`](Self::claimed_by).
    pub fn claimed_by_form<B: AsRef<[u8]>>(
        req: &WebhookRequest<'_>,
        form: &Form<B>,
    ) -> Result<Option<Self>, SignatureError> {
        Self::claimed(&req.body(form.body()), |claimed| {
            let mut values = form.iter().filter(|(name, _)| *name == NAME);
            values.try_for_each(|(_, value)| claimed.add(value))
        })
    }

    /// Returns the account that a request claims. `add_form` adds those in its body, read as a form.
    fn claimed(
        req: &WebhookRequest<'_>,
        add_form: impl FnOnce(&mut Claimed) -> Result<(), SignatureErrorKind>,
    ) -> Result<Option<Self>, SignatureError> {
        // R16
        let mut claimed = Claimed::default();
        let query = url::query(req.url).unwrap_or_default();
        for value in form::values(query.as_bytes(), NAME) {
            claimed.add(&value)?;
        }
        let like_json = matches!(without_blanks(req.body), [b'{' | b'[', ..]);
        if !like_json || !says_json(req) {
            add_form(&mut claimed)?;
        }
        if like_json {
            let mut json = serde_json::Deserializer::from_slice(req.body);
            let found = Level::Top(&mut claimed).deserialize(&mut json);
            if let Some(kind) = claimed.error {
                return Err(kind.into());
            }
            if found.and_then(|()| json.end()).is_err() {
                return Err(SignatureErrorKind::AccountMalformed.into());
            }
        }
        Ok(claimed.account)
    }
}

/// Returns whether a request's content type names JSON. The parameters of the content type do not count.
fn says_json(req: &WebhookRequest<'_>) -> bool {
    match req.content_type {
        HeaderValue::One(content_type) => content_type
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default()
            .windows(4)
            .any(|part| part.eq_ignore_ascii_case(b"json")),
        HeaderValue::Absent | HeaderValue::Conflicting => false,
    }
}

/// The account that was found so far, if any.
#[derive(Default)]
struct Claimed {
    account: Option<AccountSid>,
    /// Why reading the JSON stopped, if the reason was an account and not malformed JSON.
    error: Option<SignatureErrorKind>,
}

impl Claimed {
    fn add(&mut self, text: &[u8]) -> Result<(), SignatureErrorKind> {
        let account = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        let account = account.ok_or(SignatureErrorKind::AccountMalformed)?;
        match &self.account {
            Some(first) if *first != account => Err(SignatureErrorKind::AccountConflicting),
            _ => {
                self.account = Some(account);
                Ok(())
            }
        }
    }
}

impl Claimed {
    /// Stops reading if an account is wrong, and keeps the reason.
    fn add_json<E: serde::de::Error>(&mut self, text: &[u8]) -> Result<(), E> {
        self.add(text).map_err(|kind| {
            self.error = Some(kind);
            E::custom(kind)
        })
    }
}

/// Searches JSON for accounts. A map would keep one of several members with the same name; this sees all of them.
enum Level<'c> {
    /// The document: an object, or a batch of them.
    Top(&'c mut Claimed),
    /// An object of a batch, or an element of any other array.
    Event(&'c mut Claimed),
    /// The `data` of an object.
    Data(&'c mut Claimed),
}

impl Level<'_> {
    fn claimed(&mut self) -> &mut Claimed {
        match self {
            Self::Top(claimed) | Self::Event(claimed) | Self::Data(claimed) => claimed,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if name.replace('_', "").eq_ignore_ascii_case("accountsid") {
                map.next_value_seed(Sid(self.claimed()))?;
            } else if name == "data" && !matches!(self, Self::Data(_)) {
                map.next_value_seed(Level::Data(self.claimed()))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    /// Searches arrays too, because a struct that derives `Deserialize` also accepts an array of its fields.
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while seq
            .next_element_seed(Level::Event(self.claimed()))?
            .is_some()
        {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(mut self, text: &str) -> Result<(), E> {
        if text.parse::<AccountSid>().is_ok() {
            self.claimed().add_json(text.as_bytes())?;
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Reads the value of a field for an account: a SID, or `null` for none. serde refuses anything else as soon as it starts, so
/// nothing is kept of it.
struct Sid<'c>(&'c mut Claimed);

impl<'de> DeserializeSeed<'de> for Sid<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Sid<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a SID")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.0.add_json(text.as_bytes())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "AC0000000000000000000000000000000a";
    const B: &str = "AC0000000000000000000000000000000b";

    #[track_caller]
    fn assert_claims(body: &str, query: &str, expected: Result<Option<&str>, SignatureErrorKind>) {
        let (body, query) = (
            body.replace("$A", A).replace("$B", B),
            query.replace("$A", A),
        );
        let url = format!("https://h/x?{query}");
        let req = WebhookRequest::new("POST", &url).body(&body);
        let found = AccountSid::claimed_by(&req);
        let found = found
            .as_ref()
            .map(|sid| sid.as_ref().map(AccountSid::as_str));
        assert_eq!(
            found.map_err(SignatureError::kind),
            expected,
            "{body} {query}"
        );
        let of_form = AccountSid::claimed_by_form(&req.body(b""), &Form::split(&body));
        let of_form = of_form
            .as_ref()
            .map(|sid| sid.as_ref().map(AccountSid::as_str));
        assert_eq!(
            of_form.map_err(SignatureError::kind),
            expected,
            "split: {body} {query}"
        );
    }

    #[test]
    fn all_accounts_in_a_request_must_be_the_same() {
        let malformed = Err(SignatureErrorKind::AccountMalformed);
        let conflicting = Err(SignatureErrorKind::AccountConflicting);
        let cases = [
            ("", "", Ok(None)),
            ("a=1", "b=2", Ok(None)),
            ("AccountSid=$A", "", Ok(Some(A))),
            ("", "AccountSid=$A", Ok(Some(A))),
            (
                "Account%53id=%41C0000000000000000000000000000000a",
                "",
                Ok(Some(A)),
            ),
            ("AccountSid=$A&AccountSid=$A", "AccountSid=$A", Ok(Some(A))),
            ("AccountSid=$A&AccountSid=$B", "", conflicting),
            ("AccountSid=$B", "AccountSid=$A", conflicting),
            ("AccountSid=", "", malformed),
            ("AccountSid=AC1", "", malformed),
            ("AccountSid=$A+", "", malformed),
            ("AccountSid=%FF", "", malformed),
            (r#"{"AccountSid":"$A"}"#, "", Ok(Some(A))),
            (
                r#"{"account_sid":"$A","x":[1,{"accountSid":"$B"}]}"#,
                "",
                Ok(Some(A)),
            ),
            (r#"{"data":{"accountSid":"$A"}}"#, "", Ok(Some(A))),
            // The data of an event has none of its own.
            (r#"{"data":{"data":{"accountSid":"$A"}}}"#, "", Ok(None)),
            (
                r#"[{"data":{"accountSid":"$A"}},{"data":{"accountSid":"$A"}}]"#,
                "",
                Ok(Some(A)),
            ),
            (
                r#"[{"data":{"accountSid":"$A"}},{"data":{"accountSid":"$B"}}]"#,
                "",
                conflicting,
            ),
            (r#"{"AccountSid":"$A","AccountSid":"$B"}"#, "", conflicting),
            (
                r#"{"AccountSid":"$A","Account\u0053id":"$B"}"#,
                "",
                conflicting,
            ),
            (
                r#"{"data":{"accountSid":"$A"},"data":{"accountSid":"$B"}}"#,
                "",
                conflicting,
            ),
            (r#"{"AccountSid":"$B"}"#, "AccountSid=$A", conflicting),
            (
                r#"{"AccountSid":null,"data":null,"a":1.5,"b":[],"c":true,"d":-1}"#,
                "",
                Ok(None),
            ),
            (r#"["$A","x"]"#, "", Ok(Some(A))),
            (r#"[["$B","x"]]"#, "AccountSid=$A", conflicting),
            (
                r#"[["1",{"accountSid":"$B"}]]"#,
                "AccountSid=$A",
                conflicting,
            ),
            (r#"{"data":["$B","x"]}"#, "AccountSid=$A", conflicting),
            (
                r#"{"AccountSid":"$A","x":"&AccountSid=$B&"}"#,
                "",
                conflicting,
            ),
            (r#"{"AccountSid":1}"#, "", malformed),
            (r#"{"AccountSid":-1}"#, "", malformed),
            (r#"{"AccountSid":1.5}"#, "", malformed),
            (r#"{"AccountSid":true}"#, "", malformed),
            (r#"{"AccountSid":["$A"]}"#, "", malformed),
            (r#"{"AccountSid":{"AccountSid":"$A"}}"#, "", malformed),
            (r#"{"AccountSid":"\u0041$A"}"#, "", malformed),
            (
                r#"{"AccountSid":"\u0041C0000000000000000000000000000000a"}"#,
                "",
                Ok(Some(A)),
            ),
            (r#"{"AccountSid":"AC1"}"#, "", malformed),
            (r#"{"AccountSid":"$A""#, "", malformed),
            (r#"{"AccountSid":"$A"}{"#, "", malformed),
            ("[", "", malformed),
        ];
        for (body, query, expected) in cases {
            assert_claims(body, query, expected);
        }
        assert_claims(&"[".repeat(100_000), "", malformed);
    }

    #[test]
    fn only_json_that_is_labelled_as_such_is_not_read_as_a_form() {
        let form = format!("AccountSid={A}");
        let form_in_json = format!(r#"{{"AccountSid":"{A}","x":"&AccountSid={B}&"}}"#);
        let (claims, conflicting) = (Ok(Some(A)), Err(SignatureErrorKind::AccountConflicting));
        let cases = [
            ("application/json", &form, claims),
            ("application/json", &form_in_json, claims),
            (
                "application/cloudevents+JSON; charset=utf-8",
                &form_in_json,
                claims,
            ),
            ("text/plain; format=json", &form_in_json, conflicting),
            ("text/plain", &form_in_json, conflicting),
        ];
        for (content_type, body, expected) in cases {
            let req = WebhookRequest::new("POST", "https://h/x");
            let found = AccountSid::claimed_by(&req.content_type(content_type).body(body));
            let found = found
                .as_ref()
                .map(|sid| sid.as_ref().map(AccountSid::as_str));
            assert_eq!(
                found.map_err(SignatureError::kind),
                expected,
                "{content_type} {body}"
            );
        }
    }

    #[test]
    fn account_is_printed_as_its_text() {
        let sid: AccountSid = A.parse().unwrap();
        assert_eq!(sid.to_string(), A);
    }
}
