//! What can be done with a request.

use crate::{
    browser::{Browser, PHONE, WIDE},
    inspected::{Listen, PUBLIC, SMS, serve_app},
};

/// Starts everything, and reads a message that was accepted.
async fn with_a_message() -> (Listen, Browser) {
    let listen = Listen::start(&serve_app(), &["--public-url", PUBLIC]);
    assert_eq!(listen.receive("/message", SMS).status, 200);
    let browser = Browser::open(&listen, WIDE).await;
    browser.read(1).await;
    (listen, browser)
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn an_edited_request_is_signed_again_and_accepted() {
    let (_listen, browser) = with_a_message().await;
    browser.click("[data-action=edit]").await;
    browser.until("return document.querySelector('dialog[open] [name=url]')?.value === 'https://example.com/message'").await;
    browser
        .fill(
            "dialog .row-edit:nth-child(3) [name=value]",
            "+442071838750",
        )
        .await;
    browser.click("dialog [type=submit]").await;
    browser
        .until_text("#row-2", "edited and signed here, from #1")
        .await;
    browser.until_text("#notice", "200, genuine").await;
    browser.until_text(".answer", "Hello +442071838750").await;
    assert!(browser.text("#row-2").await.contains("200"));
    browser.quit().await;
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn a_request_is_replayed_and_forged() {
    let (_listen, browser) = with_a_message().await;
    browser.click("[data-action=replay]").await;
    browser.until_text("#row-2", "replayed here, from #1").await;
    browser
        .until_text("#detail h2", "replayed here, from #1")
        .await;
    browser.click("[data-action=forge]").await;
    browser.until_text("#row-3", "forged here, from #2").await;
    browser.until_text("#row-3", "403").await;
    browser
        .until_text("#notice", "refused the forgery with 403, as it should")
        .await;
    // Nobody takes it for an attack, or looks for its cause.
    browser
        .until_text(
            ".verdict-card",
            "with a wrong signature, so it must be refused",
        )
        .await;
    assert!(!browser.text(".verdict-card").await.contains("What to do"));
    browser
        .until_text(".timeline", "forged here, from #2")
        .await;
    let label = browser
        .script("return document.querySelector('#row-3').getAttribute('aria-label')")
        .await;
    assert!(
        label.as_str().unwrap().contains("forged here, from #2"),
        "{label}"
    );
    browser.assert_fits().await;
    browser.look(PHONE).await;
    browser.assert_fits().await;
    browser.quit().await;
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn an_event_is_sent_to_a_route() {
    let listen = Listen::start(&serve_app(), &["--public-url", PUBLIC]);
    let browser = Browser::open(&listen, WIDE).await;
    browser.click("#empty button").await;
    browser.script("const event = document.querySelector('dialog [name=event]'); event.value = 'voice'; event.dispatchEvent(new Event('change'))").await;
    browser
        .fill("dialog [name=url]", "https://example.com/voice")
        .await;
    browser.click("dialog [type=submit]").await;
    browser.until_text("#row-1", "voice").await;
    browser.until_text(".answer", "Press 1 for sales").await;
    browser.quit().await;
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn a_copied_test_is_the_one_that_is_compiled_and_passes() {
    let (_listen, browser) = with_a_message().await;
    for (form, part) in [
        ("curl", "curl --include"),
        ("capture", "POST /message HTTP/1.1"),
    ] {
        browser.click(".menu summary").await;
        browser.click(&format!("[data-copy={form}]")).await;
        browser.until_text("dialog .copied", part).await;
        browser.click("dialog .buttons button").await;
        browser
            .until("return document.querySelector('dialog[open]') === null")
            .await;
    }
    browser.click(".menu summary").await;
    browser.click("[data-copy=test]").await;
    browser
        .until_text("dialog .copied", "actix_web::test")
        .await;
    // The tests of the tool have this file as a module.
    let compiled = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../cli/tests/copied/sms.rs"
    ));
    let copied = browser
        .script("return document.querySelector('dialog .copied').textContent")
        .await;
    assert_eq!(copied, compiled.unwrap());
    browser.quit().await;
}
