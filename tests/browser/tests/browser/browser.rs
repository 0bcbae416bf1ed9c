//! A browser with one page, and what a user does with it.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use actix_web::rt::time::sleep;
use serde_json::{Value, json};
use thirtyfour::{
    ChromiumLikeCapabilities, DesiredCapabilities, Key, LoggingPrefsLogLevel, TypingData, WebDriver,
};

use crate::inspected::Listen;

/// How long the page may take for anything.
const PATIENCE: Duration = Duration::from_secs(10);

const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    // Nothing but this machine is there, under whatever name.
    "--host-resolver-rules=MAP attacker.example 127.0.0.1,MAP * ~NOTFOUND,EXCLUDE 127.0.0.1,EXCLUDE localhost",
];

/// How a page looks.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) scheme: &'static str,
}

pub(crate) const WIDE: Look = Look {
    width: 1280,
    height: 900,
    scheme: "light",
};
pub(crate) const DARK: Look = Look {
    scheme: "dark",
    ..WIDE
};
pub(crate) const PHONE: Look = Look {
    width: 390,
    height: 844,
    scheme: "light",
};

/// A running browser, which ends with the test.
pub(crate) struct Browser {
    driver: WebDriver,
    process: Child,
    profile: PathBuf,
}

/// Starts what drives a browser, and returns its port.
fn start_driver() -> Option<(Child, String)> {
    let mut process = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .spawn()
        .expect("chromedriver is not installed");
    let mut lines = BufReader::new(process.stdout.take()?)
        .lines()
        .map(Result::unwrap);
    let port = lines.find_map(|line| {
        let (_, port) = line.split_once("successfully on port ")?;
        Some(port.trim_end_matches('.').to_owned())
    });
    std::thread::spawn(move || lines.for_each(drop));
    if port.is_none() {
        process.wait().unwrap();
    }
    Some((process, port?))
}

impl Browser {
    /// Starts a browser with an empty profile.
    pub(crate) async fn start(look: Look) -> Self {
        // It ends at once if another one takes the port that it has chosen.
        let (process, port) = (0..5)
            .find_map(|_| start_driver())
            .expect("chromedriver does not start");
        let profile = std::env::temp_dir().join(format!("twilio-webhook-browser-{}", process.id()));
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in ARGUMENTS {
            capabilities.add_arg(argument).unwrap();
        }
        capabilities
            .add_arg(&format!("--user-data-dir={}", profile.display()))
            .unwrap();
        capabilities
            .set_browser_log_level(LoggingPrefsLogLevel::All)
            .unwrap();
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities)
            .await
            .unwrap();
        let browser = Self {
            driver,
            process,
            profile,
        };
        browser.look(look).await;
        browser
    }

    /// Starts a browser with the page of `listen`.
    pub(crate) async fn open(listen: &Listen, look: Look) -> Self {
        let browser = Self::start(look).await;
        browser
            .go(&format!("http://{}/#{}", listen.page, listen.secret))
            .await;
        browser
            .until("return document.querySelector('#connection').dataset.state === 'live'")
            .await;
        browser
    }

    pub(crate) async fn go(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    pub(crate) async fn look(&self, look: Look) {
        let tools = self.driver.cdp();
        let metrics = json!({"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": false});
        tools
            .send_raw("Emulation.setDeviceMetricsOverride", metrics)
            .await
            .unwrap();
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": look.scheme}]});
        tools
            .send_raw("Emulation.setEmulatedMedia", media)
            .await
            .unwrap();
    }

    /// Runs a script and returns its value.
    pub(crate) async fn script(&self, script: &str) -> Value {
        self.driver
            .execute(script, Vec::new())
            .await
            .unwrap()
            .json()
            .clone()
    }

    /// Waits until a script returns true.
    #[track_caller]
    pub(crate) fn until(&self, script: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let start = Instant::now();
            while self.script(script).await != true {
                if start.elapsed() > PATIENCE {
                    let page = self.text("body").await;
                    panic!("{caller}: {script} stays false; the page has: {page}");
                }
                sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Waits until an element has a text.
    #[track_caller]
    pub(crate) fn until_text(&self, selector: &str, text: &str) -> impl Future<Output = ()> {
        let script = format!(
            "return document.querySelector({selector:?})?.innerText.includes({text:?}) ?? false"
        );
        async move { self.until(&script).await }
    }

    /// Returns the text that the user sees in an element.
    pub(crate) async fn text(&self, selector: &str) -> String {
        let text = self
            .script(&format!(
                "return document.querySelector({selector:?})?.innerText ?? ''"
            ))
            .await;
        text.as_str().unwrap().to_owned()
    }

    /// Clicks an element as a user does: it must be in view, and nothing may be above it.
    pub(crate) async fn click(&self, selector: &str) {
        self.until(&format!(
            "return document.querySelector({selector:?}) !== null"
        ))
        .await;
        self.driver
            .find(thirtyfour::By::Css(selector))
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
    }

    /// Presses keys, wherever the focus is.
    pub(crate) async fn press(&self, keys: impl Into<TypingData>) {
        self.driver
            .action_chain()
            .send_keys(keys)
            .perform()
            .await
            .unwrap();
    }

    /// Replaces the text of an input.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let input = self
            .driver
            .find(thirtyfour::By::Css(selector))
            .await
            .unwrap();
        input.send_keys(Key::Control + "a").await.unwrap();
        input.send_keys(text).await.unwrap();
    }

    /// Selects the request with this number, and waits until it is shown.
    pub(crate) async fn read(&self, id: u64) {
        self.until(&format!(
            "return document.querySelector('#row-{id}') !== null"
        ))
        .await;
        self.script(&format!("document.querySelector('#row-{id}').click()"))
            .await;
        self.until(&format!(
            "return document.querySelector('#row-{id}').getAttribute('aria-selected') === 'true' && \
             document.querySelector('#detail').dataset.request === '{id}'"
        ))
        .await;
    }

    /// Returns what the browser has complained about.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let entries = self.driver.browser_log().await.unwrap();
        entries.into_iter().map(|entry| entry.message).collect()
    }

    /// Checks that nothing is wider than the page.
    #[track_caller]
    pub(crate) fn assert_fits(&self) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let widths = self
                .script("return [document.documentElement.scrollWidth, innerWidth, document.querySelector('#detail').scrollWidth, document.querySelector('#detail').clientWidth]")
                .await;
            assert!(
                widths[0].as_u64() <= widths[1].as_u64()
                    && widths[2].as_u64() <= widths[3].as_u64(),
                "{caller}: {widths}"
            );
        }
    }

    /// Writes what the user sees into `docs/images`, if that is asked for.
    pub(crate) async fn screenshot(&self, name: &str) {
        let png = self.driver.screenshot_as_png().await.unwrap();
        if std::env::var_os("SCREENSHOTS").is_some_and(|value| value == "write") {
            let path = format!(
                "{}/../../docs/images/{name}.png",
                env!("CARGO_MANIFEST_DIR")
            );
            std::fs::write(path, png).unwrap();
        }
    }

    /// Closes the browser.
    pub(crate) async fn quit(self) {
        self.driver.clone().quit().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
