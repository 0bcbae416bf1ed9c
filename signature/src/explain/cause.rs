//! The causes of a failed validation, and what to do about each.

use std::fmt;

/// Declares the causes, each with its name and its advice.
macro_rules! causes {
    ($($(#[doc = $doc:literal])+ $cause:ident = $name:literal, $advice:literal;)+) => {
        /// Why a signature does not match what the app saw.
        ///
        /// Several hold at a time: the scheme and the port, say.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            $($(#[doc = $doc])+ $cause,)+
        }

        impl Cause {
            /// All causes, in the order in which an [`Explanation`](super::Explanation) has them.
            pub const ALL: &'static [Self] = &[$(Self::$cause,)+];

            /// Returns the cause's name in `snake_case`, a stable label.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$cause => $name,)+
                }
            }

            /// Returns in a sentence what it means.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self {
                    $(Self::$cause => concat!($($doc),+).trim_ascii_start(),)+
                }
            }

            /// Returns what to do about it, in general: an [`Explanation`](super::Explanation) has
            /// the advice for its very request.
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
        "this request is not Twilio's, or a proxy removed the X-Twilio-Signature header: let it pass that header on";
    /// The `X-Twilio-Signature` header is not one canonical base64 text, or there are several.
    SignatureMalformed = "signature_malformed",
        "this request is not Twilio's, or something changed or repeated the X-Twilio-Signature header: let it pass on as it came";
    /// Twilio signed `https`, and the app saw `http`, or the reverse.
    Scheme = "scheme",
        "set TWILIO_WEBHOOK_BASE_URL, or public_url, to the base of the URL that Twilio requests, or let a trusted proxy send X-Forwarded-Proto";
    /// Twilio signed another host. A port that belongs to it is no cause of its own.
    Host = "host",
        "set TWILIO_WEBHOOK_BASE_URL, or public_url, to the base of the URL that Twilio requests, or let a trusted proxy send X-Forwarded-Host";
    /// Twilio signed another port of the same host.
    Port = "port",
        "set TWILIO_WEBHOOK_BASE_URL, or public_url, to the base of the URL that Twilio requests, or let a trusted proxy send X-Forwarded-Port";
    /// Twilio signed another path: a proxy strips a prefix, adds one or rewrites the path.
    PathPrefix = "path_prefix",
        "set TWILIO_WEBHOOK_BASE_URL, or public_url, with the prefix that the proxy strips, or give the route its whole URL: #[validate_twilio_request(url = \"..\")]";
    /// The slash at the end of the path was added or cut.
    TrailingSlash = "trailing_slash",
        "set the webhook at Twilio to the very path of the route, and keep what normalizes paths outside of the validation";
    /// The query's parameters stand in another order.
    QueryOrder = "query_order",
        "let nothing in front of the app sort or rebuild the query: it must arrive as Twilio sent it";
    /// The query is escaped differently: `+` and `%20`, or decoded.
    QueryEncoding = "query_encoding",
        "let nothing in front of the app decode or encode the query anew: it must arrive as Twilio sent it";
    /// The query, or a part of it, did not reach the app.
    QueryMissing = "query_missing",
        "let the proxy pass the whole query on: a rewrite has dropped it, or a part of it";
    /// The user info in the URL differs.
    Userinfo = "userinfo",
        "Twilio signs the user and the password that stand in the webhook's URL, and the app does not see them: take them out of the URL at Twilio";
    /// Blanks around values were cut on one side.
    ParamsTrimmed = "params_trimmed",
        "let nothing trim the values before they are validated, nor in what signs: the body must arrive as it was sent";
    /// Empty parameters, or repeats of one, were left out on one side.
    ParamsDropped = "params_dropped",
        "let nothing drop empty or repeated parameters before they are validated, nor in what signs: the body must arrive as it was sent";
    /// Values were decoded once too often, or not at all.
    ParamsDecodedTwice = "params_decoded_twice",
        "let values be decoded exactly once, by what validates and by what signs: the body must arrive as it was sent";
    /// There are parameters that were not signed, or the reverse: one that was added on the way, or
    /// those of the query among those of the body.
    ParamsExtra = "params_extra",
        "let nothing add parameters on the way, and keep those of the query and those of the body apart";
    /// The body is covered in another way than the app looks for, or it is not the one whose hash
    /// stands in the URL.
    BodyHash = "body_hash",
        "forms are signed by their parameters, other bodies by bodySHA256 in the URL: let nothing change the Content-Type, the query or the body";
    /// The signature is that of the URL alone: nothing covers the body.
    BodyUnsigned = "body_unsigned",
        "sign the body too: the parameters of a form, or bodySHA256 in the URL for another body; Twilio does so";
    /// The URL of a WebSocket was taken for that of an ordinary request, or the reverse.
    WebsocketScheme = "websocket_scheme",
        "let the proxy pass on Upgrade and Connection: without them the app can't tell a WebSocket, for which Twilio signs wss";
    /// The signature was made with another token.
    Token = "token",
        "set TWILIO_AUTH_TOKEN to the token of the account that sends this: subaccounts have tokens of their own";
    /// The request was signed with a SharedKey that the app does not know or is not told of.
    SharedKey = "shared_key",
        "give TwilioConfig the SharedKey of the id that the request names, and let the proxy pass on X-Twilio-Webhooks-Signature-Settings";
    /// Nothing that was tried matches.
    Unknown = "unknown",
        "check that the Auth Token is that of the account in AccountSid, that the URL is the one set at Twilio, and that nothing changed the body";
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
