//! What the page asks for and does. `guard` has let only the page itself in.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Data, Json, Path, ServiceConfig},
};
use clap::ValueEnum;
use serde::Serialize;
use twilio_signature::RequestValidator;

use crate::{
    endpoint::events::Event,
    inspect::{
        exchange::{Exchange, Source},
        page::{
            Page,
            compose::{self, Draft},
            copy,
            detail::Detail,
            events,
            row::{self, Tone},
        },
    },
};

/// The largest request of the page in bytes: a body that was kept, with escapes.
const LIMIT: usize = 1024 * 1024;

pub(super) fn routes(app: &mut ServiceConfig) {
    app.app_data(
        web::JsonConfig::default()
            .limit(LIMIT)
            .error_handler(|err, _: &HttpRequest| {
                Refusal(
                    StatusCode::BAD_REQUEST,
                    format!("the request can't be read: {err}"),
                )
                .into()
            }),
    )
    .route(
        "/api/about",
        web::get().to(|page: Data<Page>| async move { about(&page) }),
    )
    .route(
        "/api/events",
        web::get().to(|page: Data<Page>| async { events::stream(page) }),
    )
    .route(
        "/api/exchanges/{id}",
        web::get().to(|page: Data<Page>, id: Path<u64>| async move { detail(&page, *id) }),
    )
    .route(
        "/api/exchanges/{id}/copy/{form}",
        web::get().to(|page: Data<Page>, path: Path<(u64, String)>| async move {
            copied(&page, path.0, &path.1)
        }),
    )
    .route("/api/exchanges/{id}/replay", web::post().to(replay))
    .route("/api/exchanges/{id}/forge", web::post().to(forge))
    .route("/api/send", web::post().to(send));
}

/// Why something can't be done, for the user.
#[derive(Debug)]
struct Refusal(StatusCode, String);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.1)
    }
}

impl actix_web::ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.0
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.0)
            .content_type("text/plain; charset=utf-8")
            .body(self.1.clone())
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, reason)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct About<'a> {
    app: &'a str,
    port: u16,
    public_url: Option<&'a str>,
    /// What the URLs of events start with.
    base: &'a str,
    events: Vec<EventView>,
}

/// An event, with the request that it is.
#[derive(Serialize)]
struct EventView {
    name: String,
    about: String,
    #[serde(flatten)]
    draft: Draft,
}

fn about(page: &Page) -> HttpResponse {
    let context = &page.context;
    let public_url = context.judge.public_text.as_deref();
    let base = public_url
        .unwrap_or(&context.forward_to)
        .trim_end_matches('/');
    let view = |event: &Event| {
        let value = event.to_possible_value()?;
        Some(EventView {
            name: value.get_name().to_owned(),
            about: value
                .get_help()
                .map(ToString::to_string)
                .unwrap_or_default(),
            draft: Draft::of_event(*event)?,
        })
    };
    HttpResponse::Ok().json(About {
        app: &context.forward_to,
        port: context.port,
        public_url,
        base,
        events: Event::value_variants().iter().filter_map(view).collect(),
    })
}

fn detail(page: &Page, id: u64) -> Result<HttpResponse, Refusal> {
    let exchange = page.exchange(id)?;
    let detail = Detail::of(&exchange, &page.context.judge);
    Ok(HttpResponse::Ok().json(detail))
}

#[derive(Serialize)]
struct Copied {
    text: String,
}

fn copied(page: &Page, id: u64, form: &str) -> Result<HttpResponse, Refusal> {
    let exchange = page.exchange(id)?;
    let context = &page.context;
    let text = match form {
        "curl" => copy::curl(
            &exchange,
            &context.forward_to,
            context.judge.validator.as_ref(),
        ),
        "capture" => copy::capture(&exchange),
        "test" => copy::test(&exchange),
        _ => {
            return Err(Refusal(
                StatusCode::NOT_FOUND,
                "there is no such form".to_owned(),
            ));
        }
    }?;
    Ok(HttpResponse::Ok().json(Copied { text }))
}

/// What an action did: the exchange that it made, and a sentence.
#[derive(Serialize)]
struct Done {
    id: u64,
    note: String,
    tone: Tone,
}

async fn replay(page: Data<Page>, id: Path<u64>) -> Result<HttpResponse, Refusal> {
    let exchange = page.exchange(*id)?;
    let bytes = compose::replay(&exchange)?;
    let made = page.send(bytes, Source::Replayed { of: *id }).await?;
    let (tone, verdict) = row::verdict(&made);
    Ok(done(
        &made,
        tone,
        format!("Sent again: {}, {verdict}.", status(&made)),
    ))
}

async fn forge(page: Data<Page>, id: Path<u64>) -> Result<HttpResponse, Refusal> {
    let exchange = page.exchange(*id)?;
    let bytes = compose::forge(&exchange)?;
    let made = page.send(bytes, Source::Forged { of: *id }).await?;
    let (tone, note) = match row::status(&made) {
        Some(403) => (
            Tone::Good,
            "The app refused the forgery with 403, as it should.".to_owned(),
        ),
        Some(code @ (101 | 200..=399)) => (
            Tone::Danger,
            format!("The app let a forgery through, with {code}: is the route protected?"),
        ),
        _ => (
            Tone::Failed,
            format!(
                "The app should refuse a forgery with 403. Its answer: {}.",
                status(&made)
            ),
        ),
    };
    Ok(done(&made, tone, note))
}

async fn send(page: Data<Page>, draft: Json<Draft>) -> Result<HttpResponse, Refusal> {
    let draft = draft.into_inner();
    let original = draft.of.map(|id| page.exchange(id)).transpose()?;
    let source = match draft.of {
        Some(of) => Source::Edited { of },
        None => Source::Made,
    };
    let bytes = draft.sign(page.keys()?, original.as_deref())?;
    let made = page.send(bytes, source).await?;
    let (tone, verdict) = row::verdict(&made);
    Ok(done(
        &made,
        tone,
        format!("Signed and sent: {}, {verdict}.", status(&made)),
    ))
}

fn done(made: &Exchange, tone: Tone, note: String) -> HttpResponse {
    HttpResponse::Ok().json(Done {
        id: made.id,
        note,
        tone,
    })
}

fn status(exchange: &Exchange) -> String {
    row::status(exchange).map_or_else(|| "no answer".to_owned(), |status| status.to_string())
}

impl Page {
    fn exchange(&self, id: u64) -> Result<std::sync::Arc<Exchange>, Refusal> {
        self.history.get(id).ok_or_else(|| {
            Refusal(
                StatusCode::NOT_FOUND,
                format!("request {id} is not kept: only the last ones are"),
            )
        })
    }

    fn keys(&self) -> Result<&RequestValidator, Refusal> {
        let keys = self.context.judge.validator.as_ref();
        keys.ok_or_else(|| {
            Refusal::from(
                "the tool has no token to sign with: start it with TWILIO_AUTH_TOKEN".to_owned(),
            )
        })
    }

    /// Sends a request to the app, and waits until its exchange has ended.
    async fn send(
        &self,
        bytes: Vec<u8>,
        source: Source,
    ) -> Result<std::sync::Arc<Exchange>, Refusal> {
        let id = self.context.relay.send(bytes, source).await;
        self.exchange(id.ok_or_else(|| Refusal::from("the request could not be sent".to_owned()))?)
    }
}
