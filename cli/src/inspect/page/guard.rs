//! Refuses every request that does not come from the page itself, in the browser of somebody who has its URL.
//!
//! A site that the user visits can make the browser send requests to this machine, and can rebind its own name to this
//! machine's address (DNS rebinding). The browser says so in `Host`, `Origin` and `Sec-Fetch-Site`. The secret stops
//! whoever is not a browser, such as another user of the machine.

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        header::{self, HeaderMap, HeaderName, HeaderValue},
        uri::Authority,
    },
    middleware::Next,
    web,
};
use subtle::ConstantTimeEq;

use crate::inspect::page::{Page, assets};

/// The header with the secret. A request that has it can't be sent by another site without a preflight, which is refused.
const SECRET: &str = "x-inspect-key";

/// The headers of every answer.
const HEADERS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (header::CROSS_ORIGIN_EMBEDDER_POLICY, "require-corp"),
];

/// Answers a request that may be answered, and adds the headers that keep the page to itself.
pub(super) async fn admit(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let refusal = req
        .app_data::<web::Data<Page>>()
        .map_or(Some("the page is not set up"), |page| refusal(&req, page));
    let mut answer = match refusal {
        Some(reason) => req
            .into_response(
                HttpResponse::Forbidden()
                    .content_type("text/plain; charset=utf-8")
                    .body(reason),
            )
            .map_into_boxed_body(),
        None => next.call(req).await?.map_into_boxed_body(),
    };
    for (name, value) in HEADERS {
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    Ok(answer)
}

/// Returns why a request is refused.
fn refusal(req: &ServiceRequest, page: &Page) -> Option<&'static str> {
    let port = page.address.port();
    let headers = req.headers();
    let authority = req.uri().authority().map(Authority::as_str);
    let is_host = |host: &str| {
        own_hosts(port)
            .iter()
            .any(|own| own.eq_ignore_ascii_case(host))
    };
    let host = single(headers, &header::HOST);
    if !host.is_some_and(is_host) || !authority.is_none_or(is_host) {
        return Some(
            "this page answers to 127.0.0.1, localhost and [::1] only: open the URL that was printed",
        );
    }
    if headers.contains_key(header::ORIGIN) {
        let origin = single(headers, &header::ORIGIN);
        if !origin
            .and_then(|origin| origin.strip_prefix("http://"))
            .is_some_and(is_host)
        {
            return Some("another site sent this request");
        }
    }
    if headers.contains_key(&SEC_FETCH_SITE)
        && !matches!(
            single(headers, &SEC_FETCH_SITE),
            Some("same-origin" | "none")
        )
    {
        return Some("another site sent this request");
    }
    // Everything but the files, which have no data: the router also knows other spellings of a path, such as `/%61pi`.
    if !assets::is_file(req.path()) {
        let given = single(headers, &HeaderName::from_static(SECRET)).unwrap_or_default();
        let secret = page.context.secret.as_bytes();
        if secret.is_empty() || !bool::from(given.as_bytes().ct_eq(secret)) {
            return Some("the key is missing or wrong: open the whole URL that was printed");
        }
    }
    None
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Returns what a browser that was given the page's URL writes as `Host`.
fn own_hosts(port: u16) -> [String; 3] {
    ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}"))
}

/// Returns the value of a header that is there once.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name);
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}
