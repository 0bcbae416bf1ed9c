//! Other sites in the user's browser.

use std::{sync::mpsc, thread};

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::json;

use crate::{
    browser::{Browser, WIDE},
    inspected::{Listen, SMS, serve_app},
};

/// Starts another site on a port of its own and returns its port.
fn serve_site() -> u16 {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let page = || async {
                HttpResponse::Ok()
                    .content_type("text/html")
                    .body("<!doctype html><title>site</title><p>a site</p>")
            };
            let server = HttpServer::new(move || App::new().default_service(web::to(page)))
                .workers(1)
                .bind("127.0.0.1:0")
                .unwrap();
            sender.send(server.addrs()[0].port()).unwrap();
            server.run().await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn a_name_that_is_rebound_to_this_machine_gets_nothing() {
    let listen = Listen::start(&serve_app(), &[]);
    listen.receive("/message", SMS);
    let browser = Browser::start(WIDE).await;
    browser
        .go(&format!(
            "http://attacker.example:{}/#{}",
            listen.page.port(),
            listen.secret
        ))
        .await;
    browser
        .until_text("body", "this page answers to 127.0.0.1")
        .await;
    let status = browser
        .script(&format!(
            "return fetch('/api/exchanges/1', {{ headers: {{ 'X-Inspect-Key': '{}' }} }}).then((answer) => answer.status, () => 'blocked')",
            listen.secret
        ))
        .await;
    assert!(status == 403 || status == "blocked", "{status}");
    browser.quit().await;
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn another_site_reads_nothing_and_sends_nothing() {
    let listen = Listen::start(&serve_app(), &[]);
    listen.receive("/message", SMS);
    let site = serve_site();
    let browser = Browser::start(WIDE).await;
    // Another port of this machine is the same site, and another name is another one.
    for host in ["127.0.0.1", "localhost", "attacker.example"] {
        browser.go(&format!("http://{host}:{site}/")).await;
        let results = browser
            .script(&format!(
                "const page = 'http://{page}'; const key = {{ 'X-Inspect-Key': '{secret}' }}; \
                 const frame = document.createElement('iframe'); frame.src = page + '/#{secret}'; document.body.append(frame); \
                 const form = document.createElement('form'); form.method = 'post'; form.action = page + '/api/exchanges/1/replay'; form.target = 'out'; \
                 const out = document.createElement('iframe'); out.name = 'out'; document.body.append(out, form); form.submit(); \
                 const script = document.createElement('script'); script.src = page + '/main.js'; \
                 const loaded = new Promise((done) => {{ script.onload = () => done('loaded'); script.onerror = () => done('blocked'); }}); document.body.append(script); \
                 const tries = [fetch(page + '/api/about', {{ headers: key }}), fetch(page + '/api/exchanges/1/replay', {{ method: 'POST', headers: key, body: '{{}}' }}), \
                   fetch(page + '/api/exchanges/1/replay', {{ method: 'POST', mode: 'no-cors', body: '{{}}' }})]; \
                 return Promise.all([...tries.map((sent) => sent.then((answer) => answer.type, () => 'blocked')), loaded])",
                page = listen.page,
                secret = listen.secret
            ))
            .await;
        // What may be sent without being asked for is opaque, and was refused.
        assert!(
            results == json!(["blocked", "blocked", "opaque", "blocked"])
                || results == json!(["blocked", "blocked", "blocked", "blocked"]),
            "{host}: {results}"
        );
    }
    assert_eq!(listen.ask("GET", "/api/exchanges/2", "").status, 404);
    browser.quit().await;
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn a_wrong_key_shows_nothing_and_says_what_to_open() {
    let listen = Listen::start(&serve_app(), &[]);
    listen.receive("/message", SMS);
    let browser = Browser::start(WIDE).await;
    for key in ["", "#", "#0123456789abcdef0123456789abcdef"] {
        browser.go("about:blank").await;
        browser.go(&format!("http://{}/{key}", listen.page)).await;
        browser.until_text("#empty", "Open the whole URL").await;
        assert!(!browser.text("body").await.contains("sms"));
    }
    browser.quit().await;
}
