//! The causes of a failed validation, and what to do about each.

use std::fmt;

/// Declares the causes, each with its name and its advice.
macro_rules! causes {
    ($($(#[doc = $doc:literal])+ $cause:ident = $name:literal, $advice:literal;)+) => {
        /// Why a signature does not match what the app saw.
        ///
        /// Several causes can apply at once, such as the scheme and the port.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            $($(#[doc = $doc])+ $cause,)+
        }

        impl Cause {
            /// All causes, in the order in which an [`Explanation`](super::Explanation) lists them.
            pub const ALL: &'static [Self] = &[$(Self::$cause,)+];

            /// Returns the cause's name in `snake_case`, a stable label.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$cause => $name,)+
                }
            }

            /// Returns a sentence that says what the cause means.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self {
                    $(Self::$cause => concat!($($doc),+).trim_ascii_start(),)+
                }
            }

            /// Returns whether it is about the part of the URL that a public URL sets: scheme, host, port and prefix.
            #[must_use]
            pub fn is_of_base(self) -> bool {
                matches!(
                    self,
                    Self::Scheme | Self::Host | Self::HostCase | Self::Port | Self::PathPrefix
                )
            }

            /// Returns what to do about it in general: a clause without a full stop. The advice in an
            /// [`Explanation`](super::Explanation) is for one request.
            #[must_use]
            pub fn advice(self) -> &'static str {
                match self {
                    $(Self::$cause => $advice,)+
                }
            }
        }
    };
}

causes! {
    /// There is no `X-Twilio-Signature` header.
    SignatureMissing = "signature_missing",
        "if Twilio did not send it (a browser, a scanner), there is nothing to do; if Twilio did, make the proxy pass X-Twilio-Signature on";
    /// The request has the signature of another product of Twilio, and not the one that this crate validates.
    OtherProduct = "other_product",
        "this crate does not validate it, so serve that product from a route without this validation, and validate it as its documentation says";
    /// The value of the `X-Twilio-Signature` header is not canonical base64, or there are several values.
    SignatureMalformed = "signature_malformed",
        "in a test, sign it with testing::Signer; if Twilio sent it, make the proxy pass X-Twilio-Signature on unchanged";
    /// Twilio signed `https`, and the app saw `http`, or the reverse.
    Scheme = "scheme",
        "set TWILIO_WEBHOOK_BASE_URL, or public_url, to the base of the URL that Twilio requests, or make a trusted proxy send X-Forwarded-Proto";
    /// Twilio signed another host. A port that differs together with the host is not a separate cause.
    Host = "host",
        "set TWILIO_WEBHOOK_BASE_URL, or public_url, to the base of the URL that Twilio requests, or make a trusted proxy send X-Forwarded-Host";
    /// Twilio signed the same host with letters in another case.
    HostCase = "host_case",
        "write the host in TWILIO_WEBHOOK_BASE_URL, or public_url, exactly as in the URL at Twilio, or make the proxy pass it on unchanged";
    /// Twilio signed another port of the same host.
    Port = "port",
        "set TWILIO_WEBHOOK_BASE_URL, or public_url, to the base of the URL that Twilio requests, or make a trusted proxy send X-Forwarded-Port";
    /// Twilio signed another path: a proxy strips a prefix, adds one or rewrites the path.
    PathPrefix = "path_prefix",
        "set TWILIO_WEBHOOK_BASE_URL, or public_url, to a URL that includes the prefix that the proxy strips, or make the proxy or the middleware keep the path";
    /// Twilio signed the same path in another spelling: with capitals, with a second slash, or with an escape.
    PathSpelling = "path_spelling",
        "write the path at Twilio as the route has it, or make the proxy pass the path on unchanged";
    /// The slash at the end of the path was added or removed.
    TrailingSlash = "trailing_slash",
        "set the webhook at Twilio to the exact path of the route, and validate before anything normalizes the path: wrap TwilioValidation around NormalizePath";
    /// The query's parameters are in another order.
    QueryOrder = "query_order",
        "make sure that nothing in front of the app sorts or rebuilds the query: it must arrive as Twilio sent it";
    /// The query has other escapes than the signed one, such as `+` in place of `%20`, or it was decoded.
    QueryEncoding = "query_encoding",
        "make the proxy pass the query on as it is, without decoding it or encoding it again";
    /// The query, or a part of it, did not reach the app.
    QueryMissing = "query_missing",
        "make the proxy pass the whole query on: a rewrite dropped it, or a part of it";
    /// The user info in the URL differs.
    Userinfo = "userinfo",
        "remove the user name and the password from the URL at Twilio: Twilio signs them, and the app does not see them";
    /// White space around values was removed on the way, or before the sender signed them.
    ParamsTrimmed = "params_trimmed",
        "make the gateway or the middleware stop trimming values: the body must arrive as it was sent";
    /// Empty or repeated parameters were left out on one side.
    ParamsDropped = "params_dropped",
        "make the gateway or the middleware keep empty and repeated parameters: the body must arrive as it was sent";
    /// The line ends in values were changed: CRLF became LF, or the reverse.
    LineEnds = "line_ends",
        "make the gateway or the middleware stop changing line ends: the body must arrive as it was sent";
    /// A `+` was signed where the form has a space: the sender did not escape it.
    PlusNotEscaped = "plus_not_escaped",
        "escape + as %2B where the form is written; with curl, use --data-urlencode in place of -d";
    /// Values were decoded twice, or not at all.
    ParamsDecodedTwice = "params_decoded_twice",
        "decode the values exactly once, both where they are validated and where they are signed: the body must arrive as it was sent";
    /// There are parameters that were not signed, or signed ones are missing: one was added on the way, or
    /// the query's parameters were mixed with the body's.
    ParamsExtra = "params_extra",
        "stop the proxy or the CDN that adds a parameter to the query or the body, or moves parameters between them";
    /// The form has no `Content-Type`: something removed it.
    ContentTypeMissing = "content_type_missing",
        "make the proxy pass the Content-Type on, which is application/x-www-form-urlencoded";
    /// The form was converted to JSON.
    FormAsJson = "form_as_json",
        "make the gateway pass the form on as Twilio sent it, or validate before it is converted to JSON";
    /// The body is a form in base64.
    FormAsBase64 = "form_as_base64",
        "decode the body before the validation, or switch the encoding off in the gateway";
    /// The body, or its Content-Type, was changed on the way.
    BodyHash = "body_hash",
        "make the gateway or the middleware pass the body on byte for byte: it formats JSON again, or changes the Content-Type";
    /// Only the URL is signed: nothing covers the body.
    BodyUnsigned = "body_unsigned",
        "Twilio never sends this: if a script of yours does, sign a form by its parameters, and any other body by bodySHA256 in the URL";
    /// The app took a WebSocket handshake for an ordinary request, or the reverse.
    WebsocketScheme = "websocket_scheme",
        "make the proxy pass Upgrade and Connection on: without them the app can't recognize a WebSocket handshake, for which Twilio signs wss";
    /// The signature was made with another token.
    Token = "token",
        "set TWILIO_AUTH_TOKEN to the token of the account that sends the request: a subaccount has its own token";
    /// The request was signed with a SharedKey that the app does not have, or that the request does not name.
    SharedKey = "shared_key",
        "add the SharedKey whose id the request names to TwilioConfig (shared_key), and make the proxy pass X-Twilio-Webhooks-Signature-Settings on";
    /// The signature matches nothing that was tried.
    Unknown = "unknown",
        "check that the Auth Token belongs to the account in AccountSid, that the URL is the one set at Twilio, and that nothing changed the body";
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
