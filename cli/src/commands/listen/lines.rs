//! The terminal output of `listen`: a line for each request, and why it was refused.

use std::{
    io::{self, Write},
    time::Duration,
};

use anstyle::{AnsiColor, Style};

use crate::{
    inspect::{
        exchange::{Exchange, Outcome, Source},
        history::{Change, History},
    },
    terminal::{self, Format, line},
};

/// When Twilio gives up.
const TWILIOS_LIMIT: Duration = Duration::from_secs(15);

/// The longest path that is shown, in characters.
const MAX_PATH: usize = 100;

/// The most characters that are shown of an answer that is not HTTP.
const MAX_GARBAGE: usize = 80;

/// Prints exchanges.
pub(super) struct Lines<W> {
    output: W,
    format: Format,
    left_out: u64,
}

impl<W: Write> Lines<W> {
    pub(super) fn new(output: W, format: Format) -> Self {
        Self {
            output,
            format,
            left_out: 0,
        }
    }

    /// Prints what changed. An `Err` has the number of changes that were missed.
    pub(super) fn show(
        &mut self,
        history: &History,
        change: Result<Change, u64>,
    ) -> io::Result<()> {
        let left_out = history.left_out();
        let unseen = left_out - self.left_out + change.err().unwrap_or_default();
        self.left_out = left_out;
        self.note_unseen(unseen)?;
        let Ok(Change::Added(id) | Change::Closed(id)) = change else {
            return Ok(());
        };
        let Some(exchange) = history.get(id) else {
            // As text, a WebSocket was shown when it opened.
            let is_shown = self.format == Format::Text && matches!(change, Ok(Change::Closed(_)));
            return self.note_unseen(u64::from(!is_shown));
        };
        match (self.format, change) {
            (Format::Text, Ok(Change::Added(_))) => self.exchange(&exchange),
            (Format::Text, _) => self.closed(&exchange),
            (Format::Json, _) if is_complete(&exchange) => {
                let object = terminal::json(&*exchange)?;
                self.output.write_all((object + "\n").as_bytes())?;
                self.output.flush()
            }
            (Format::Json, _) => Ok(()),
        }
    }

    fn note_unseen(&mut self, unseen: u64) -> io::Result<()> {
        if unseen == 0 {
            return Ok(());
        }
        let requests = terminal::counted(unseen, "request is", "requests are");
        let note = format!("{requests} not shown here: too many came at a time\n");
        match self.format {
            Format::Text => self.output.write_all(note.as_bytes()),
            Format::Json => io::stderr().write_all(note.as_bytes()),
        }
    }

    /// Prints an exchange as text.
    pub(super) fn exchange(&mut self, exchange: &Exchange) -> io::Result<()> {
        let request = &exchange.request;
        // The target may be a whole URL.
        let target = terminal::without_passwords(&request.target);
        let (path, has_query) = match target.split_once('?') {
            Some((path, _)) => (path, "?.."),
            None => (&*target, ""),
        };
        let path: String = path.chars().take(MAX_PATH).collect();
        let (verdict, color) = match &exchange.verdict {
            Some(verdict) if verdict.accepted => ("accepted".to_owned(), AnsiColor::Green),
            Some(verdict) => (format!("refused ({})", verdict.kind), AnsiColor::Red),
            None => ("not judged".to_owned(), AnsiColor::BrightBlack),
        };
        let style = Style::new().fg_color(Some(color.into()));
        let mut lines = vec![format!(
            "{}  #{} {}  {}{has_query}  {}  {:.1} ms  {style}{verdict}{style:#}",
            time(exchange.started),
            exchange.id,
            line(&exchange.kind),
            line(format!("{} {path}", request.method).trim()),
            exchange.status(),
            exchange.duration().as_secs_f64() * 1000.0,
        )];
        let notes = notes(exchange).into_iter();
        lines.extend(notes.map(|(label, note)| format!("    {label:<12} {}", line(&note))));
        let text = lines.join("\n") + "\n";
        self.output.write_all(text.as_bytes())?;
        self.output.flush()
    }

    /// Prints the end of a WebSocket.
    fn closed(&mut self, exchange: &Exchange) -> io::Result<()> {
        let count = exchange.frames.count;
        writeln!(
            self.output,
            "    #{} closed after {}",
            exchange.id,
            terminal::counted(count, "frame", "frames")
        )?;
        self.output.flush()
    }
}

/// Returns whether nothing more will be known of an exchange.
pub(super) fn is_complete(exchange: &Exchange) -> bool {
    !exchange.switched() || exchange.frames.closed || exchange.source != Source::Arrived
}

/// Returns what there is to say of an exchange, with labels.
fn notes(exchange: &Exchange) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    if let Some(origin) = exchange.source.origin() {
        notes.push(("Source:", origin));
    }
    if let Some(first) = exchange.retry_of {
        notes.push((
            "Retry:",
            format!("of #{first}, by its I-Twilio-Idempotency-Token"),
        ));
    }
    match &exchange.outcome {
        Outcome::Failed(failure) => {
            notes.push(("Failed:", failure.message.clone()));
            if !failure.garbage.is_empty() {
                notes.push(("It sent:", garbage(&failure.garbage)));
            }
        }
        Outcome::Answered(answer) => {
            if let Some(problem) = &answer.problem {
                notes.push(("Problem:", problem.clone()));
            }
            if answer.end >= TWILIOS_LIMIT && !exchange.switched() {
                let text = "the answer took longer than Twilio waits, 15 s: answer sooner, and do the work later";
                notes.push(("Too slow:", text.to_owned()));
            }
        }
    }
    let Some(verdict) = &exchange.verdict else {
        if !exchange.request.method.is_empty() && !exchange.request.wire.is_whole() {
            let text = "the request was not kept as a whole: its body is longer than 64 KiB, or did not end";
            notes.push(("Not judged:", text.to_owned()));
        }
        return notes;
    };
    for (cause, description) in verdict.causes.iter().zip(&verdict.descriptions) {
        notes.push(("Why:", format!("{cause}: {description}")));
    }
    let is_list = verdict.advice.len() > 1;
    for (index, advice) in verdict.advice.iter().enumerate() {
        let label = if index == 0 { "What to do:" } else { "" };
        let number = if is_list {
            format!("{}. ", index + 1)
        } else {
            String::new()
        };
        notes.push((label, format!("{number}{advice}.")));
    }
    if !verdict.accepted && matches!(exchange.status(), 101 | 200..=299) {
        notes.push(match &verdict.signed_url {
            // The app may know its public URL, and `listen` not.
            Some(url) => (
                "Accepted:",
                format!("the app expects {url}, too: start listen with the app's --public-url"),
            ),
            None if verdict.may_be_genuine => (
                "Let through:",
                "the app answered a request whose signature matches no URL that listen knows: start listen with the \
                 app's --public-url, or, if the app has none, make sure that it validates this route"
                    .to_owned(),
            ),
            None => (
                "Unprotected:",
                "the app answered a request that is not genuine: make sure that it validates this route".to_owned(),
            ),
        });
    }
    notes
}

/// Returns the start of what an app sent that is not HTTP. More may have followed, so a word at its end may be the start of
/// a URL with a password.
fn garbage(sent: &[u8]) -> String {
    let sent = String::from_utf8_lossy(sent);
    let words = sent.trim_end_matches(|c: char| !c.is_whitespace());
    let shown = match sent.strip_prefix(words) {
        Some(word) if word.contains(':') => words,
        _ => &*sent,
    };
    let shown = terminal::without_passwords(shown);
    shown.chars().take(MAX_GARBAGE).collect()
}

/// Returns the time of day in UTC.
fn time(ms: u64) -> String {
    let seconds = ms / 1000 % 86_400;
    format!(
        "{:02}:{:02}:{:02}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}
