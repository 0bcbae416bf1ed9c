//! The log: its events as data, and all that a process prints as text.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    io::{self, Write},
    panic,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{Layer, Registry, layer::Context, prelude::*};

/// An event as it was logged.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its level.
    pub level: Level,
    /// Its target.
    pub target: String,
    fields: BTreeMap<&'static str, String>,
}

impl Line {
    /// Returns the value of a field, if the event has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// Returns the value of a field that the event must have.
    #[must_use]
    #[track_caller]
    pub fn field(&self, name: &str) -> &str {
        self.get(name)
            .unwrap_or_else(|| panic!("{name} is not in {self:?}"))
    }

    /// Returns how many events were left out before this one.
    #[must_use]
    #[track_caller]
    pub fn left_out(&self) -> usize {
        self.get("left_out")
            .map_or(0, |left_out| left_out.parse().unwrap())
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

/// The events of this thread at every level, as long as the guard lives.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Line>>>);

impl Log {
    /// Gathers from now on.
    #[must_use]
    pub fn start() -> (Self, DefaultGuard) {
        let log = Self::default();
        let guard = tracing::subscriber::set_default(Registry::default().with(log.clone()));
        (log, guard)
    }

    /// Takes the events of the library.
    #[must_use]
    pub fn take(&self) -> Vec<Line> {
        let mut lines = std::mem::take(&mut *self.0.lock().unwrap());
        lines.retain(|line| line.target.starts_with("actix_twilio"));
        lines
    }

    /// Takes the events of the library that have a kind: those on refusals.
    #[must_use]
    pub fn take_refusals(&self) -> Vec<Line> {
        let mut lines = self.take();
        lines.retain(|line| line.get("kind").is_some());
        lines
    }

    /// Takes the only event of the library.
    #[must_use]
    #[track_caller]
    pub fn only(&self, name: impl Debug) -> Line {
        let mut lines = self.take();
        assert_eq!(lines.len(), 1, "{name:?}: {lines:?}");
        lines.remove(0)
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line {
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            fields: BTreeMap::new(),
        };
        event.record(&mut line);
        self.0.lock().unwrap().push(line);
    }
}

/// All that this process logs at any level, and what its panics print, as text.
#[derive(Debug, Clone, Default)]
pub struct Printed(Arc<Mutex<Vec<u8>>>);

impl Printed {
    /// Gathers from now on. A process can do that once.
    #[must_use]
    pub fn gather() -> Self {
        let printed = Self::default();
        let log = printed.clone();
        tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            // Colours may be on, by what else is built along.
            .with_ansi(false)
            .with_writer(move || log.clone())
            .init();
        let (panics, report) = (printed.clone(), panic::take_hook());
        panic::set_hook(Box::new(move |panic| {
            writeln!(&mut panics.clone(), "{panic} {panic:?}").unwrap();
            report(panic);
        }));
        printed
    }

    /// Gathers what an app prints whose `main` starts with `tracing_subscriber::fmt().init()`, or with the same for
    /// another level than `INFO`, without the time.
    /// A process can do that once.
    #[must_use]
    pub fn of_an_app(level: Level) -> Self {
        let printed = Self::default();
        let log = printed.clone();
        tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(false)
            .without_time()
            .with_writer(move || log.clone())
            .init();
        printed
    }

    /// Takes the text.
    #[must_use]
    pub fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
