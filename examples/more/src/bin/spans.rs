//! Records each verdict on the request's span, which `tracing-actix-web` makes: for OpenTelemetry and JSON logs.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run -p more-examples --bin spans`. Each request is then a line on stdout.

use std::{env, error::Error, io};

use actix_twilio::{
    TwilioConfig,
    twiml::{Say, VoiceResponse},
    validate_twilio_request,
};
use actix_web::{
    App, HttpServer,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    post,
};
use tracing::{Span, field::Empty, info_span};
use tracing_actix_web::{DefaultRootSpanBuilder, RootSpanBuilder, TracingLogger};
use tracing_subscriber::fmt::format::FmtSpan;

/// Makes the span of each request, with the fields that a verdict records.
struct WithVerdict;

impl RootSpanBuilder for WithVerdict {
    fn on_request_start(request: &ServiceRequest) -> Span {
        // The macro `root_span!` would record the query too: with it, others could send a recorded request again.
        info_span!(
            "HTTP request",
            http.method = %request.method(),
            http.target = request.path(),
            http.status_code = Empty,
            otel.kind = "server",
            otel.status_code = Empty,
            exception.message = Empty,
            twilio.verdict = Empty,
            twilio.kind = Empty,
            twilio.account = Empty,
            twilio.claimed_account = Empty,
            twilio.sid = Empty,
        )
    }

    fn on_request_end<B: MessageBody>(
        span: Span,
        outcome: &Result<ServiceResponse<B>, actix_web::Error>,
    ) {
        DefaultRootSpanBuilder::on_request_end(span, outcome);
    }
}

#[post("/voice")]
#[validate_twilio_request]
async fn receive_call() -> VoiceResponse {
    VoiceResponse::new().child(Say::new("Hello"))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In place of this, add a layer of the crate tracing-opentelemetry: the fields become attributes.
    tracing_subscriber::fmt()
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(io::stdout)
        .init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let config = TwilioConfig::from_env()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .service(receive_call)
            // What is wrapped last runs first, so the validation runs inside of the span.
            .wrap(TracingLogger::<WithVerdict>::new())
    })
    .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
