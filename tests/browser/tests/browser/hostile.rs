//! Requests that strangers have made to harm whoever reads them.

use crate::{
    browser::{Browser, PHONE, WIDE},
    inspected::{Listen, SMS, send, serve_app},
};

/// Markup that sets a global variable, in many ways.
const MARKUP: [&str; 8] = [
    "<img src=x onerror=window.harmed=1>",
    "<script>window.harmed=1</script>",
    "\"><svg onload=window.harmed=1>",
    "'><iframe srcdoc='<script>parent.harmed=1</script>'></iframe>",
    "<a href=javascript:window.harmed=1 autofocus onfocus=window.harmed=1>x</a>",
    "</pre></table></main><style>*{display:none!important}</style>",
    "${window.harmed=1}{{constructor.constructor('window.harmed=1')()}}",
    "<form action=/><button name=api formaction=javascript:window.harmed=1>",
];

/// Text that changes direction, hides, stacks or has no place to break.
const TEXTS: [&str; 5] = [
    "\u{202e}\u{2066}reversed\u{200b}\u{feff}",
    "Z\u{351}\u{36b}\u{343}\u{36a}\u{302}\u{36b}\u{33d}",
    "\u{627}\u{644}\u{639}",
    "\u{0}\u{1b}[31m",
    "\u{fdfd}\u{fdfd}",
];

/// Reads each request with everything opened, and returns what is wrong: a script that ran, an element that a request has
/// made, a hidden character that is not escaped, or something that is too wide.
const READ_ALL: &str = r"
const until = (test) => new Promise((done) => { const look = () => (test() ? done() : requestAnimationFrame(look)); look(); });
const detail = document.querySelector('#detail');
const made = 'main :is(img, script, iframe, form, style, a:not(.code-number))';
const readAll = async () => {
  const wrong = [];
  for (const id of {IDS}) {
    document.querySelector(`#row-${id}`).click();
    await until(() => detail.dataset.request === String(id));
    document.querySelectorAll('details').forEach((details) => { details.open = true; });
    const checks = {
      ran: window.harmed === undefined,
      made: document.querySelectorAll(made).length === 0,
      hidden: !/[\u202e\u2066\u200b\u0000\u001b]/.test(document.body.innerText),
      wide: document.documentElement.scrollWidth <= innerWidth && detail.scrollWidth <= detail.clientWidth,
      shown: detail.querySelector('h2').getBoundingClientRect().width > 0,
    };
    const failed = Object.keys(checks).filter((name) => !checks[name]);
    if (failed.length > 0) wrong.push([id, failed, detail.innerText.slice(0, 200)]);
  }
  return wrong;
};
return readAll();
";

/// Returns hostile requests: in each part that a stranger writes.
fn requests() -> Vec<Vec<u8>> {
    let mut requests = Vec::new();
    for text in MARKUP.into_iter().chain(TEXTS) {
        let escaped: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let header: String = text.chars().filter(|c| !c.is_control()).collect();
        let path: String = text
            .bytes()
            .filter(u8::is_ascii_graphic)
            .map(char::from)
            .collect();
        let body = format!(
            "{escaped}={escaped}&MessageSid={escaped}&CallSid={escaped}&MessageStatus={escaped}&From={escaped}&Body={escaped}"
        );
        let form = "application/x-www-form-urlencoded";
        for (content_type, body) in [(form, &*body), ("text/html", text), (&*header, text)] {
            let head = format!(
                "POST /echo/..;{path}?{path}={path} HTTP/1.1\r\nHost: example.com\r\nX-Forwarded-Host: {header}\r\nX-Odd: {header}\r\n\
                 I-Twilio-Idempotency-Token: {header}\r\nX-Twilio-Signature: {header}\r\nContent-Type: {content_type}\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            requests.push([head.as_bytes(), body.as_bytes()].concat());
            requests.push(
                [
                    head.replacen(&format!("/echo/..;{path}?{path}={path}"), "/echo", 1)
                        .as_bytes(),
                    body.as_bytes(),
                ]
                .concat(),
            );
        }
        let long = text.repeat(2000);
        let long: String = form_urlencoded::byte_serialize(long.as_bytes())
            .take(3000)
            .collect();
        requests.push(post(format!("Body={long}&{long}=1").as_bytes()));
    }
    requests.push(post(&vec![b'a'; 10_000_000]));
    requests.push(post(
        &[
            b"Body=%ff%fe%00\xff\xc3\x28&\xf0\x28\x8c\x28=%c3".as_slice(),
            &[0xff; 300],
        ]
        .concat(),
    ));
    requests.push(post("x=1&".repeat(15_000).as_bytes()));
    requests.push(b"\x16\x03\x01<script>window.harmed=1</script>\r\n\r\n".to_vec());
    requests
}

fn post(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /echo HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[actix_web::test]
#[ignore = "needs Chromium and ChromeDriver"]
async fn hostile_requests_run_no_script_and_break_no_layout() {
    let listen = Listen::start(&serve_app(), &[]);
    let requests = requests();
    for request in &requests {
        send(listen.relay, request);
    }
    let browser = Browser::open(&listen, WIDE).await;
    let count = requests.len() as u64;
    browser
        .until(&format!(
            "return document.querySelectorAll('.row').length === {count}"
        ))
        .await;
    let ids: Vec<u64> = (1..=count).collect();
    for look in [WIDE, PHONE] {
        browser.look(look).await;
        for ids in ids.chunks(10) {
            let harmed = browser
                .script(&READ_ALL.replace("{IDS}", &format!("{ids:?}")))
                .await;
            assert_eq!(harmed, serde_json::json!([]), "at {} pixels", look.width);
        }
    }
    // It can still be used, and the browser had nothing to refuse.
    listen.receive("/message", SMS);
    browser.until_text("#list", "Two tickets").await;
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
    browser.quit().await;
}
