//! The list, the request that is read, the timeline, the search and the keys.

use actix_twilio::testing::Signer;
use serde_json::json;
use thirtyfour::Key;

use crate::{
    browser::{Browser, WIDE},
    inspected::{CALL, Listen, PUBLIC, SMS, TOKEN, form, send, serve_app},
};

/// Sends a message for another host than that of the app: `www.` is set at Twilio.
pub(crate) fn receive_for_another_host(listen: &Listen) {
    let url = "https://www.example.com/message";
    send(
        listen.relay,
        &form(&Signer::new(TOKEN), "www.example.com", url, SMS),
    );
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn requests_appear_while_they_come() {
    let listen = Listen::start(&serve_app(), &["--public-url", PUBLIC]);
    let browser = Browser::open(&listen, WIDE).await;
    browser.until_text("#empty", "No request yet").await;
    browser
        .until_text("#empty", &format!("ngrok http {}", listen.relay.port()))
        .await;

    listen.receive("/message", SMS);
    browser.until_text("#row-1", "sms").await;
    browser.until_text("#row-1", "Two tickets, please").await;
    listen.receive("/open", SMS);
    browser.until("return [...document.querySelectorAll('#list .row')].map((row) => row.id).join() === 'row-2,row-1'").await;
    assert_eq!(browser.text("#count").await, "2 requests");

    drop(listen);
    browser.until_text("#connection", "connection lost").await;
    browser.quit().await;
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn a_refused_request_says_why_and_what_to_do() {
    let listen = Listen::start(&serve_app(), &["--public-url", PUBLIC]);
    receive_for_another_host(&listen);
    let browser = Browser::open(&listen, WIDE).await;
    browser.read(1).await;
    let verdict = browser.text(".verdict-card").await;
    for part in [
        "Refused: host",
        "What to do",
        "https://www.example.com",
        "Signed URL",
    ] {
        assert!(verdict.contains(part), "{part}: {verdict}");
    }
    let parameters = browser.text(".parameters").await;
    for part in [
        "Body",
        "Two tickets, please",
        "The sender: a phone number in E.164 format",
    ] {
        assert!(parameters.contains(part), "{part}: {parameters}");
    }
    browser.quit().await;
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn several_proposals_are_a_list_and_code_is_code() {
    let listen = Listen::start(&serve_app(), &[]);
    let forged = "GET /message HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Twilio-Signature: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\
                  Connection: close\r\n\r\n";
    send(listen.relay, forged.as_bytes());
    let unsigned = "GET /message HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    send(listen.relay, unsigned.as_bytes());
    let browser = Browser::open(&listen, WIDE).await;
    browser.read(1).await;
    let items = browser
        .script("return [...document.querySelectorAll('.verdict-card ol.advice > li')].map((item) => item.innerText)")
        .await;
    let items = items.as_array().unwrap();
    assert!(items.len() > 1, "{items:?}");
    assert!(
        items[0]
            .as_str()
            .unwrap()
            .starts_with("Twilio can't request 127.0.0.1"),
        "{items:?}"
    );
    browser.read(2).await;
    let code = browser.text(".verdict-card dd code").await;
    assert_eq!(code, "X-Twilio-Signature");
    assert!(!browser.text(".verdict-card").await.contains('`'));
    browser.quit().await;
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn an_answer_is_coloured_and_its_faults_are_marked() {
    let listen = Listen::start(&serve_app(), &["--public-url", PUBLIC]);
    for (path, params) in CALL {
        listen.receive(path, params);
    }
    let browser = Browser::open(&listen, WIDE).await;
    browser.read(2).await;
    assert_eq!(browser.text(".answer .found").await, "langauge");
    let answer = browser.text(".answer").await;
    for part in [
        "<Response>\n  <Say langauge=\"en-GB\">",
        "error 12200",
        "Write \"language\".",
    ] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    browser.read(1).await;
    browser
        .until_text(".answer", "Twilio takes this TwiML")
        .await;
    let colours = browser
        .script("return ['t-tag', 't-attribute', 't-string', 't-text'].map((name) => getComputedStyle(document.querySelector('.answer .' + name)).color)")
        .await;
    let colours: std::collections::BTreeSet<_> = colours
        .as_array()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(colours.len(), 4, "{colours:?}");
    browser.quit().await;
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn the_timeline_of_a_call_is_drawn_to_scale() {
    let listen = Listen::start(&serve_app(), &["--public-url", PUBLIC]);
    for (path, params) in CALL {
        listen.receive(path, params);
    }
    listen.receive("/slow", CALL[0].1);
    listen.receive("/message", SMS);
    let browser = Browser::open(&listen, WIDE).await;
    browser.read(2).await;
    browser
        .until("return document.querySelectorAll('.timeline .event:not(.axis)').length === 4")
        .await;
    // The width of the bar is to that of the outline as the time is to 15 seconds.
    let error = browser
        .script(
            "const lane = [...document.querySelectorAll('.timeline .event:not(.axis)')].at(-1); \
             const width = (name) => lane.querySelector(name).getBoundingClientRect().width; \
             const ms = 1000 * parseFloat(/in ([\\d.]+) s/.exec(lane.innerText)[1]); \
             return Math.abs(width('rect.took') / width('rect.limit') - ms / 15000)",
        )
        .await;
    assert!(error.as_f64().unwrap() < 0.005, "{error}");
    // An attempt of Twilio's at the same event is in the same lane.
    let bytes = form(
        &Signer::new(TOKEN),
        "example.com",
        "https://example.com/status",
        CALL[2].1,
    );
    let retry = String::from_utf8(bytes).unwrap().replacen(
        "Host:",
        "I-Twilio-Idempotency-Token: 7b2a\r\nHost:",
        1,
    );
    send(listen.relay, retry.as_bytes());
    send(listen.relay, retry.as_bytes());
    browser.until_text(".timeline", "2 attempts").await;
    browser
        .until("return document.querySelectorAll('.timeline .event:not(.axis)').length === 5")
        .await;
    browser.click(".timeline .event:first-child button").await;
    browser
        .until("return document.querySelector('#detail').dataset.request === '1'")
        .await;
    browser.quit().await;
}

/// Starts everything with a call and a message that is refused.
async fn with_four_requests() -> (Listen, Browser) {
    let listen = Listen::start(&serve_app(), &["--public-url", PUBLIC]);
    for (path, params) in CALL {
        listen.receive(path, params);
    }
    receive_for_another_host(&listen);
    let browser = Browser::open(&listen, WIDE).await;
    browser
        .until("return document.querySelectorAll('.row').length === 4")
        .await;
    (listen, browser)
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn the_list_is_walked_by_keys_and_the_focus_can_be_seen() {
    let (_listen, browser) = with_four_requests().await;
    let selected = async |id: u64| {
        browser
            .until(&format!(
                "return document.querySelector('[aria-selected=true]')?.id === 'row-{id}'"
            ))
            .await;
    };
    for (key, id) in [("j", 4), ("j", 3), ("k", 4), ("k", 4)] {
        browser.press(key).await;
        selected(id).await;
    }
    for (key, id) in [
        (Key::Down, 3),
        (Key::Down, 2),
        (Key::Up, 3),
        (Key::End, 1),
        (Key::Home, 4),
    ] {
        browser.press(key).await;
        selected(id).await;
    }
    // The focus can be seen, wherever it is.
    for _ in 0..12 {
        browser.press(Key::Tab).await;
        let focus = browser
            .script("const style = getComputedStyle(document.activeElement); return document.activeElement === document.body || style.outlineStyle !== 'none' || style.boxShadow !== 'none'")
            .await;
        assert_eq!(
            focus,
            true,
            "{}",
            browser
                .script("return document.activeElement.outerHTML")
                .await
        );
    }
    browser.quit().await;
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn everything_is_done_by_keys() {
    let (_listen, browser) = with_four_requests().await;
    browser.press("/").await;
    browser
        .until("return document.activeElement.id === 'search'")
        .await;
    browser.press("digits").await;
    browser.until_text("#empty", "No request matches").await;
    browser.fill("#search", "menu").await;
    browser
        .until("return document.querySelectorAll('.row').length === 1")
        .await;
    browser.fill("#search", "").await;
    browser.press(Key::Backspace).await;
    browser.press(Key::Escape).await;
    browser.until("return document.activeElement.id === 'list' && document.querySelectorAll('.row').length === 4").await;
    browser.press("x").await;
    browser
        .until("return document.querySelectorAll('.row').length === 1")
        .await;
    browser.until_text("#list", "refused").await;
    browser.press("x").await;
    browser.press("?").await;
    browser
        .until_text("dialog[open]", "replay as it came")
        .await;
    browser.press(Key::Escape).await;
    browser
        .until("return document.querySelector('dialog[open]') === null")
        .await;
    browser.press("j").await;
    browser.press(Key::Enter).await;
    browser
        .until("return document.activeElement.id === 'detail'")
        .await;
    browser.press("r").await;
    browser.until_text("#row-5", "replayed here, from #4").await;
    browser.press(Key::Escape).await;
    browser
        .until("return document.activeElement.id === 'list'")
        .await;
    browser.press("s").await;
    browser.until_text("dialog[open]", "Send an event").await;
    browser.quit().await;
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn phone_numbers_are_masked_by_a_switch() {
    let listen = Listen::start(&serve_app(), &["--public-url", PUBLIC]);
    listen.receive("/message", SMS);
    let browser = Browser::open(&listen, WIDE).await;
    browser.read(1).await;
    browser
        .script(
            "document.querySelectorAll('details').forEach((details) => { details.open = true; })",
        )
        .await;
    // The meanings have an example of a number.
    let is_masked = "document.querySelectorAll('.meaning').forEach((meaning) => meaning.remove()); \
                     return !/4158675310|8005551212/.test(document.body.innerText)";
    assert_eq!(browser.script(is_masked).await, json!(false));
    browser.press("m").await;
    browser
        .script(
            "document.querySelectorAll('details').forEach((details) => { details.open = true; })",
        )
        .await;
    browser.until(is_masked).await;
    // A SID is no phone number, and neither is a part of it.
    let text = browser.text("#detail").await;
    assert!(
        text.contains(SMS[0].1) && text.contains("+1\u{2022}\u{2022}"),
        "{text}"
    );
    browser.quit().await;
}
