//! Counts verdicts and deliveries for Prometheus.
//!
//! Run it with `TWILIO_AUTH_TOKEN=12345 cargo run -p more-examples --bin metrics`, and open
//! <http://127.0.0.1:8080/metrics>.

use std::{
    collections::HashSet,
    env,
    error::Error,
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use actix_twilio::{
    TwilioConfig, ValidationErrorKind,
    config::Verdict,
    keys::AccountSid,
    once::Delivery,
    twiml::{Message, MessagingResponse, Say, VoiceResponse},
    validate_twilio_request,
};
use actix_web::{App, HttpServer, error::InternalError, get, http::StatusCode, post, web};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

/// The labels have few values: a route's pattern, not the path of each request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    verdict: &'static str,
    route: String,
    account: String,
}

/// What became of a genuine request: `first`, `duplicate`, `taken_over` and so on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    outcome: &'static str,
    route: String,
}

#[derive(Clone)]
struct Metrics {
    verdicts: Family<Labels, Counter>,
    deliveries: Family<DeliveryLabels, Counter>,
    seconds: Histogram,
    /// The accounts of genuine requests.
    accounts: Arc<Mutex<HashSet<AccountSid>>>,
}

impl Metrics {
    fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            verdicts: Family::default(),
            deliveries: Family::default(),
            seconds: Histogram::new([0.000_01, 0.000_1, 0.001, 0.01, 0.1, 1.0, 10.0]),
            accounts: Arc::default(),
        };
        registry.register(
            "twilio_verdicts",
            "Verdicts on webhook requests",
            metrics.verdicts.clone(),
        );
        registry.register(
            "twilio_deliveries",
            "Deliveries of events, most of which are handled once",
            metrics.deliveries.clone(),
        );
        registry.register(
            "twilio_verdict_seconds",
            "Time from a request's head to the verdict",
            metrics.seconds.clone(),
        );
        metrics
    }

    fn count(&self, verdict: &Verdict) {
        let labels = Labels {
            verdict: verdict
                .refusal()
                .map_or("genuine", ValidationErrorKind::as_str),
            route: verdict.route().unwrap_or("none").to_owned(),
            account: self.account(verdict),
        };
        self.verdicts.get_or_create(&labels).inc();
        self.seconds.observe(verdict.duration().as_secs_f64());
    }

    fn count_delivery(&self, delivery: &Delivery) {
        let labels = DeliveryLabels {
            outcome: delivery.outcome().as_str(),
            route: delivery.route().unwrap_or("none").to_owned(),
        };
        self.deliveries.get_or_create(&labels).inc();
    }

    /// Returns the account that a request names, if a genuine request named it before: anyone can make up others, and
    /// each would be a value of the label.
    fn account(&self, verdict: &Verdict) -> String {
        let Some(account) = verdict.account() else {
            return "none".to_owned();
        };
        let mut known = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if verdict.refusal().is_none() {
            known.insert(account.clone());
        }
        if known.contains(account) {
            account.to_string()
        } else {
            "unknown".to_owned()
        }
    }
}

#[post("/voice")]
#[validate_twilio_request]
async fn receive_call() -> VoiceResponse {
    VoiceResponse::new().child(Say::new("Hello"))
}

#[post("/message")]
#[validate_twilio_request(once)]
async fn receive_message() -> MessagingResponse {
    MessagingResponse::new().child(Message::new("Thanks!"))
}

#[get("/metrics")]
async fn show_metrics(registry: web::Data<Registry>) -> Result<String, InternalError<fmt::Error>> {
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => Ok(text),
        Err(err) => Err(InternalError::new(err, StatusCode::INTERNAL_SERVER_ERROR)),
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let deliveries = metrics.clone();
    let registry = web::Data::from(Arc::new(registry));
    let config = TwilioConfig::builder()
        .env()?
        .on_verdict(move |verdict| metrics.count(verdict))
        .on_delivery(move |delivery| deliveries.count_delivery(delivery))
        .build()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(config.clone())
            .app_data(registry.clone())
            .service(receive_call)
            .service(receive_message)
            .service(show_metrics)
    })
    .bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("Listening on http://{address}");
    }
    Ok(server.run().await?)
}
