//! The documented parameters of calls and messages, with made-up values.

/// What every request of a call has, except for its status.
pub const CALL: &[(&str, &str)] = &[
    ("CallSid", "CA27c9e4f1835d4b06a1f8e3d0c6b59a72"),
    ("AccountSid", ACCOUNT_SID),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
    ("Caller", "+14158675310"),
    ("Called", "+18005551212"),
    ("Direction", "inbound"),
    ("ApiVersion", API_VERSION),
];

/// What every request about a message that came in has, except for its text.
pub const MESSAGE: &[(&str, &str)] = &[
    ("MessageSid", "SM6e1c0f5b2a7d48939c04d1e8b7a65f32"),
    ("SmsSid", "SM6e1c0f5b2a7d48939c04d1e8b7a65f32"),
    ("SmsMessageSid", "SM6e1c0f5b2a7d48939c04d1e8b7a65f32"),
    ("SmsStatus", "received"),
    ("AccountSid", ACCOUNT_SID),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
    ("NumSegments", "1"),
    ("ApiVersion", API_VERSION),
];

/// Where the two numbers are.
pub const PLACES: &[(&str, &str)] = &[
    ("FromCity", "SAN FRANCISCO"),
    ("FromState", "CA"),
    ("FromZip", "94105"),
    ("FromCountry", "US"),
    ("ToCity", ""),
    ("ToState", ""),
    ("ToZip", ""),
    ("ToCountry", "US"),
];

/// Where the two numbers are, under the other names that calls have for it.
pub const CALLER: &[(&str, &str)] = &[
    ("CallerCity", "SAN FRANCISCO"),
    ("CallerState", "CA"),
    ("CallerZip", "94105"),
    ("CallerCountry", "US"),
    ("CalledCity", ""),
    ("CalledState", ""),
    ("CalledZip", ""),
    ("CalledCountry", "US"),
];

/// The account of all samples.
pub const ACCOUNT_SID: &str = "AC4d1f0c82b95e47a3862b70d9e5c1a836";

/// The version of the API that Twilio names in its requests.
pub const API_VERSION: &str = "2010-04-01";

/// When something happened, in RFC 2822 format.
pub const TIMESTAMP: &str = "Mon, 02 Mar 2026 10:16:12 +0000";
