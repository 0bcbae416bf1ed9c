//! What it looks like: colours, widths and the pictures in the documents.

use serde_json::Value;

use crate::{
    browser::{Browser, DARK, Look, PHONE, WIDE},
    inspected::{CALL, Listen, PUBLIC, SMS, serve_app},
    reading::receive_for_another_host,
};

/// Finds text whose contrast is below that of WCAG 2.2 AA: 4.5 to 1.
const CONTRAST: &str = r"
const parse = (colour) => { const parts = colour.match(/[\d.]+/g).map(Number); return { rgb: parts.slice(0, 3), alpha: parts[3] ?? 1 }; };
const light = ({ rgb }) => { const [r, g, b] = rgb.map((c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ground = (element) => { for (let at = element; at; at = at.parentElement) { const colour = parse(getComputedStyle(at).backgroundColor); if (colour.alpha > 0.99) return colour; } return { rgb: [255, 255, 255] }; };
const low = [];
let seen = 0;
for (const element of document.querySelectorAll('body *')) {
  const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
  if (!hasText || !element.checkVisibility()) continue;
  seen += 1;
  const style = getComputedStyle(element);
  const colour = element.namespaceURI.includes('svg') ? style.fill : style.color;
  const [a, b] = [light(parse(colour)), light(ground(element))].sort((x, y) => y - x);
  const contrast = (a + 0.05) / (b + 0.05);
  if (contrast < 4.5) low.push(`${contrast.toFixed(2)} ${element.className?.baseVal ?? element.className} ${element.textContent.slice(0, 30)}`);
}
return { low, seen };
";

/// Starts everything with a call, a message and a message that is refused.
async fn with_requests(look: Look) -> (Listen, Browser) {
    let listen = Listen::start(&serve_app(), &["--public-url", PUBLIC]);
    for (path, params) in CALL {
        listen.receive(path, params);
    }
    listen.receive("/message", SMS);
    listen.receive("/open", SMS);
    receive_for_another_host(&listen);
    let browser = Browser::open(&listen, look).await;
    browser
        .until("return document.querySelectorAll('.row').length === 6")
        .await;
    (listen, browser)
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn all_text_can_be_read_in_light_and_dark() {
    let (_listen, browser) = with_requests(WIDE).await;
    let mut grounds = Vec::new();
    for look in [WIDE, DARK] {
        browser.look(look).await;
        for id in [2, 4, 5, 6] {
            browser.read(id).await;
            browser.script("document.querySelectorAll('details').forEach((details) => { details.open = true; })").await;
            // Colours change gradually.
            browser
                .until("return document.getAnimations().length === 0")
                .await;
            let contrast = browser.script(CONTRAST).await;
            assert!(contrast["seen"].as_u64().unwrap() > 50, "{contrast}");
            assert_eq!(
                contrast["low"],
                Value::Array(Vec::new()),
                "{} {id}",
                look.scheme
            );
        }
        grounds.push(
            browser
                .script("return getComputedStyle(document.body).backgroundColor")
                .await,
        );
    }
    assert_ne!(grounds[0], grounds[1]);
    browser.quit().await;
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn a_phone_shows_one_pane_without_scrolling_sideways() {
    let (_listen, browser) = with_requests(PHONE).await;
    let shown = "return ['.list-pane', '.detail-pane'].map((pane) => document.querySelector(pane).checkVisibility()).join()";
    assert_eq!(browser.script(shown).await, "true,false");
    browser.assert_fits().await;
    for id in 1..=6 {
        browser.click(&format!("#row-{id}")).await;
        browser
            .until(&format!(
                "return document.querySelector('#detail').dataset.request === '{id}'"
            ))
            .await;
        assert_eq!(browser.script(shown).await, "false,true");
        browser.script("document.querySelectorAll('details').forEach((details) => { details.open = true; })").await;
        browser.assert_fits().await;
        browser.script("document.querySelectorAll('details').forEach((details) => { details.open = false; })").await;
        browser.click("#detail .back").await;
    }
    browser.click("#send").await;
    browser.until_text("dialog[open]", "Send an event").await;
    let dialog = browser.script("const dialog = document.querySelector('dialog'); return dialog.scrollWidth <= dialog.clientWidth && dialog.getBoundingClientRect().right <= innerWidth").await;
    assert_eq!(dialog, true);
    browser.quit().await;
}

/// Waits as long as a caller does, if the picture is kept.
async fn pause_for_picture() {
    if std::env::var_os("SCREENSHOTS").is_some() {
        actix_web::rt::time::sleep(std::time::Duration::from_secs(6)).await;
    }
}

/// Writes the pictures in the documents with `SCREENSHOTS=write`.
#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn pictures_show_what_the_page_shows() {
    let (_listen, browser) = with_requests(WIDE).await;
    browser.read(6).await;
    browser
        .script("document.querySelector('#list').focus()")
        .await;
    browser.screenshot("refused").await;
    browser.look(PHONE).await;
    browser.screenshot("phone").await;
    browser.quit().await;

    let listen = Listen::start(&serve_app(), &["--public-url", PUBLIC]);
    let [ringing, menu, ended] = CALL else {
        panic!("a call has three webhooks")
    };
    listen.receive(ringing.0, ringing.1);
    listen.receive(
        "/slow",
        &[menu.1, &[("SpeechResult", "Two tickets, please")]].concat(),
    );
    pause_for_picture().await;
    listen.receive(menu.0, menu.1);
    pause_for_picture().await;
    listen.receive(ended.0, ended.1);
    let browser = Browser::open(&listen, DARK).await;
    browser.read(3).await;
    browser.script("document.querySelector('.columns').scrollIntoView(); document.querySelector('#list').focus()").await;
    browser.screenshot("timeline").await;
    browser.quit().await;
}
