//! The commands of the page `docs/protect-an-endpoint.md`, pasted.

use actix_twilio::{TwilioConfig, validate_twilio_request, webhook::IncomingMessage};
use actix_web::{HttpResponse, web};

use crate::support::{self, serve, tool};

const PAGE: &str = include_str!("../../../docs/protect-an-endpoint.md");

/// The URL that the page's commands send requests to.
const URL: &str = "http://127.0.0.1:8080";

#[validate_twilio_request]
async fn receive_message(sms: IncomingMessage) -> HttpResponse {
    HttpResponse::Ok().content_type("text/xml").body(format!(
        "<Response><Message>You wrote {}.</Message></Response>",
        sms.body.len()
    ))
}

/// The page's endpoint, at its own URL or at a public one.
fn endpoint(public_url: Option<&'static str>) -> String {
    serve(move |app| {
        let config = support::config();
        let config = match public_url {
            Some(url) => config.public_url(url).unwrap(),
            None => config,
        };
        let config: TwilioConfig = config.build().unwrap();
        app.app_data(config)
            .route("/message", web::post().to(receive_message));
    })
}

#[test]
fn commands_of_the_page_find_the_endpoint_protected() {
    let own = endpoint(None);
    let public = endpoint(Some("https://example.com"));
    let report = support::file("page.xml", "");
    let mut ran = 0;
    for line in PAGE.lines().map(str::trim) {
        let Some(args) = line.strip_prefix("twilio-webhook ") else {
            continue;
        };
        let address = if args.contains("--public-url") {
            &public
        } else {
            &own
        };
        let args = args.replace(URL, address).replace("webhooks.xml", &report);
        let output = tool(&args.split(' ').collect::<Vec<_>>()).run();
        assert_eq!(output.status, 0, "{line}: {output:?}");
        ran += 1;
    }
    assert_eq!(ran, 4);
    assert!(!std::fs::read_to_string(report).unwrap().is_empty());
}

#[test]
fn commands_of_the_page_find_an_endpoint_that_is_open() {
    let open = support::serve_open();
    for line in PAGE.lines().map(str::trim) {
        if let Some(args) = line.strip_prefix("twilio-webhook check ") {
            let args = args
                .replace(URL, &open)
                .replace("webhooks.xml", &support::file("page-open.xml", ""));
            let args: Vec<_> = ["check"].into_iter().chain(args.split(' ')).collect();
            assert_eq!(tool(&args).run().status, 1, "{line}");
        }
    }
}
