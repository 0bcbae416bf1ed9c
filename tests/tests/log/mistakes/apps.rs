//! How the apps of the mistakes are set up.

#![expect(
    clippy::unnecessary_wraps,
    reason = "an app may fail to start, and they are in one table"
)]

use std::error::Error;

use actix_twilio::{
    AuthToken, TwilioConfig, TwilioValidation,
    config::Mode,
    keys::{KeyMap, SharedKey},
    twiml::NoContent,
    validate_twilio_request,
};
use actix_twilio_tests::keys as validator_of;
use actix_web::{
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    get,
    middleware::{Next, NormalizePath, from_fn},
    post, route,
    web::{self, Bytes, Data, ServiceConfig},
};
use serde::Deserialize;

use super::table::{ACCOUNT, OTHER_TOKEN, SUBACCOUNT, TOKEN};

type Started = Result<(), Box<dyn Error>>;

#[derive(Deserialize)]
struct Sms {
    #[serde(rename = "Body")]
    _body: String,
}

#[derive(Deserialize)]
struct Picture {
    #[serde(rename = "MediaUrl0")]
    _url: String,
}

#[post("/message")]
#[validate_twilio_request]
async fn receive_message(_sms: web::Form<Sms>) -> NoContent {
    NoContent
}

#[post("/message")]
#[validate_twilio_request]
async fn receive_picture(_picture: web::Form<Picture>) -> NoContent {
    NoContent
}

#[post("/message")]
#[validate_twilio_request]
async fn receive_bytes(_body: Bytes) -> NoContent {
    NoContent
}

#[post("/message")]
#[validate_twilio_request(url = "https://example.com/messages")]
async fn receive_elsewhere(_sms: web::Form<Sms>) -> NoContent {
    NoContent
}

#[get("/media")]
#[validate_twilio_request]
async fn open_stream() -> NoContent {
    NoContent
}

#[post("/{path}")]
#[validate_twilio_request]
async fn receive_at_any_path(_sms: web::Form<Sms>) -> NoContent {
    NoContent
}

pub(super) fn of_any_path(app: &mut ServiceConfig) -> Started {
    app.app_data(TwilioConfig::from_env()?)
        .service(receive_at_any_path);
    Ok(())
}

#[route("/message", method = "GET", method = "POST")]
#[validate_twilio_request]
async fn receive_by_any_method(_body: Bytes) -> NoContent {
    NoContent
}

pub(super) fn of_any_method(app: &mut ServiceConfig) -> Started {
    app.app_data(TwilioConfig::from_env()?)
        .service(receive_by_any_method);
    Ok(())
}

/// The README's app.
pub(super) fn quickstart(app: &mut ServiceConfig) -> Started {
    app.app_data(TwilioConfig::from_env()?)
        .service(receive_message)
        .service(open_stream);
    Ok(())
}

/// An app without a `TwilioConfig`.
pub(super) fn unconfigured(app: &mut ServiceConfig) -> Started {
    app.service(receive_message);
    Ok(())
}

/// The handler takes the body as it is.
pub(super) fn of_bytes(app: &mut ServiceConfig) -> Started {
    app.app_data(TwilioConfig::from_env()?)
        .service(receive_bytes);
    Ok(())
}

/// The handler wants a field that is not there.
pub(super) fn of_pictures(app: &mut ServiceConfig) -> Started {
    app.app_data(TwilioConfig::from_env()?)
        .service(receive_picture);
    Ok(())
}

pub(super) fn of_another_url(app: &mut ServiceConfig) -> Started {
    app.app_data(TwilioConfig::from_env()?)
        .service(receive_elsewhere);
    Ok(())
}

pub(super) fn in_a_scope(app: &mut ServiceConfig) -> Started {
    app.app_data(TwilioConfig::from_env()?)
        .service(web::scope("/twilio").service(receive_message));
    Ok(())
}

pub(super) fn normalized(app: &mut ServiceConfig) -> Started {
    let scope = web::scope("")
        .wrap(NormalizePath::trim())
        .service(receive_message);
    app.app_data(TwilioConfig::from_env()?).service(scope);
    Ok(())
}

pub(super) fn data(app: &mut ServiceConfig) -> Started {
    app.app_data(Data::new(TwilioConfig::from_env()))
        .service(receive_message);
    Ok(())
}

pub(super) fn result(app: &mut ServiceConfig) -> Started {
    app.app_data(TwilioConfig::from_env())
        .service(receive_message);
    Ok(())
}

pub(super) fn builder(app: &mut ServiceConfig) -> Started {
    app.app_data(TwilioConfig::builder().auth_token(AuthToken::new(TOKEN)?))
        .service(receive_message);
    Ok(())
}

pub(super) fn data_of_the_scope_beside(app: &mut ServiceConfig) -> Started {
    let config = TwilioConfig::builder()
        .auth_token(AuthToken::new(TOKEN)?)
        .build()?;
    let beside = web::scope("/beside").app_data(config);
    app.service(beside).service(receive_message);
    Ok(())
}

pub(super) fn no_proxies(app: &mut ServiceConfig) -> Started {
    let config = TwilioConfig::builder()
        .auth_token(AuthToken::new(TOKEN)?)
        .trusted_proxies([""; 0])?
        .build()?;
    app.app_data(config).service(receive_message);
    Ok(())
}

pub(super) fn proxy_by_name(app: &mut ServiceConfig) -> Started {
    let config = TwilioConfig::builder()
        .auth_token(AuthToken::new(TOKEN)?)
        .trusted_proxies(["loadbalancer"])?
        .build()?;
    app.app_data(config).service(receive_message);
    Ok(())
}

pub(super) fn accounts(app: &mut ServiceConfig) -> Started {
    let keys = KeyMap::new()
        .account(ACCOUNT.parse()?, validator_of(TOKEN))
        .account(SUBACCOUNT.parse()?, validator_of(OTHER_TOKEN));
    app.app_data(
        TwilioConfig::builder()
            .key_store(keys)
            .public_url("https://example.com")?
            .build()?,
    )
    .service(receive_message);
    Ok(())
}

pub(super) fn one_account(app: &mut ServiceConfig) -> Started {
    let keys = KeyMap::new().account(ACCOUNT.parse()?, validator_of(TOKEN));
    app.app_data(
        TwilioConfig::builder()
            .key_store(keys)
            .public_url("https://example.com")?
            .build()?,
    )
    .service(receive_message);
    Ok(())
}

pub(super) fn shared_key(app: &mut ServiceConfig) -> Started {
    let config = TwilioConfig::builder()
        .shared_key(SharedKey::new("WK1", "a secret that was replaced")?)
        .public_url("https://example.com")?
        .build()?;
    app.app_data(config).service(receive_message);
    Ok(())
}

/// A middleware, such as an audit log, that reads the body and does not put it back.
async fn read_body(
    mut req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    req.extract::<Bytes>().await?;
    next.call(req).await
}

pub(super) fn body_read_outside(app: &mut ServiceConfig) -> Started {
    let scope = web::scope("")
        .wrap(from_fn(read_body))
        .service(receive_message);
    app.app_data(TwilioConfig::from_env()?).service(scope);
    Ok(())
}

pub(super) fn body_read_between(app: &mut ServiceConfig) -> Started {
    let scope = web::scope("")
        .wrap(from_fn(read_body))
        .wrap(TwilioValidation::new())
        .service(receive_message);
    app.app_data(TwilioConfig::from_env()?).service(scope);
    Ok(())
}

pub(super) fn off(app: &mut ServiceConfig) -> Started {
    let config = TwilioConfig::builder().mode(Mode::Off).build()?;
    app.app_data(config).service(receive_message);
    Ok(())
}

pub(super) fn small_limit(app: &mut ServiceConfig) -> Started {
    let config = TwilioConfig::builder()
        .auth_token(AuthToken::new(TOKEN)?)
        .public_url("https://example.com")?
        .body_limit(64)
        .build()?;
    app.app_data(config).service(receive_message);
    Ok(())
}
