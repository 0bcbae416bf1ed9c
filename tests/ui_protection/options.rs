//! Options that can't work are told at the literal.

use actix_twilio::validate_twilio_request;
use actix_web::post;

macro_rules! handlers {
    ($($name:ident [$($option:tt)*])+) => {
        $(
            #[post("/")]
            #[validate_twilio_request($($option)*)]
            async fn $name() -> &'static str {
                ""
            }
        )+
    };
}

handlers! {
    relative [public_url = "/message"]
    no_scheme [public_url = "example.com"]
    other_scheme [public_url = "ftp://example.com"]
    no_host [url = "https:///message"]
    port [url = "https://example.com:70000/message"]
    user [url = "https://user:secret@example.com/message"]
    blank [url = "https://example.com/my message"]
    not_ascii [url = "https://ex\u{e4}mple.com"]
    query [public_url = "https://example.com?a=1"]
    whole_with_query [url = "https://example.com/message?a=1"]
    fragment [public_url = "https://example.com#a"]
    slashes [public_url = "https://example.com//"]
    ipv6 [public_url = "https://[::g]"]
    empty_url [url = ""]
    empty_name [auth_token_env = ""]
    name_with_value [auth_token_env = "TOKEN=12345"]
    blank_name [auth_token_env = " TOKEN"]
}

#[post("/")]
#[validate_twilio_request(auth_token = "12345")]
async fn token_in_source() -> &'static str {
    ""
}

#[post("/")]
#[validate_twilio_request(policy = Mine, url = "https://example.com/x", auth_token_env = "TOKEN")]
async fn policy_with_others() -> &'static str {
    ""
}

#[post("/")]
#[validate_twilio_request(public_url = "https://example.com", policy = Mine)]
async fn others_with_policy() -> &'static str {
    ""
}

#[post("/")]
#[validate_twilio_request(url = "https://example.com/x", public_url = "https://example.com")]
async fn base_and_whole() -> &'static str {
    ""
}

#[post("/")]
#[validate_twilio_request(policy = "Mine", crate = "actix_twilio")]
async fn wrong_paths() -> &'static str {
    ""
}

#[post("/")]
#[validate_twilio_request(url, auth_token_env("TOKEN"))]
async fn wrong_types() -> &'static str {
    ""
}

#[post("/")]
#[validate_twilio_request(public_url = 1, auth_token_env = NAME)]
async fn wrong_values() -> &'static str {
    ""
}

#[post("/")]
#[validate_twilio_request(public_url = "https://a", public_url = "https://b")]
async fn duplicate() -> &'static str {
    ""
}

#[post("/")]
#[validate_twilio_request("https://example.com")]
async fn bare() -> &'static str {
    ""
}

fn main() {}
