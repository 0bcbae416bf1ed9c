//! Sessions of Media Streams and `ConversationRelay`, with a real client, and with peers that break the rules.

use std::{cell::Cell, future::pending, net::SocketAddr, rc::Rc, time::Duration};

use actix_twilio::{
    WebhookRequest,
    stream::{
        Audio, Digits, End, Handshake, Mark, Media, MediaCommand, MediaMessage, Relay,
        RelayCommand, RelayMessage, Session, StreamError, Text,
    },
    validate_twilio_request,
};
use actix_twilio_tests::{
    SIGNATURE,
    client::{connect, soon},
    config, in_child,
    memory::{GIVEN_BACK, forget_highest, highest, resident},
    server::Server,
    validator,
};
use actix_web::{
    App, HttpResponse, get,
    rt::{
        System, spawn,
        time::{sleep, timeout},
    },
    web::{Data, Path},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};

/// What the app notes.
type Notes = Data<UnboundedSender<String>>;

/// The limits of the app's sessions.
const PEER_TIMEOUT: Duration = Duration::from_secs(1);
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
const LIMIT: usize = 4096;

/// The number of messages that are sent before a close.
const MANY: usize = 500;

fn limited<P: actix_twilio::stream::Protocol>(handshake: Handshake<P>) -> Handshake<P> {
    handshake
        .message_limit(LIMIT)
        .ping_interval(PEER_TIMEOUT / 4)
        .peer_timeout(PEER_TIMEOUT)
        .close_timeout(CLOSE_TIMEOUT)
}

#[get("/media/{what}")]
#[validate_twilio_request]
async fn open_media(handshake: Handshake<Media>, what: Path<String>, notes: Notes) -> HttpResponse {
    let note = move |text: String| notes.send(text).unwrap();
    let handshake = limited(handshake);
    match what.as_str() {
        "echo" => handshake.run(async move |call: &mut Session<Media>| echo(call, &note).await),
        "many" => handshake.run(async move |call: &mut Session<Media>| many(call).await),
        "fail" => handshake.run(async |_: &mut Session<Media>| Err("the app failed")),
        // The session is dropped with its task.
        "drop" => {
            let (response, mut call) = handshake.accept();
            spawn(async move { note(format!("{:?}", many(&mut call).await)) });
            response
        }
        "close" => {
            let (response, call) = handshake.accept();
            spawn(async move {
                note(format!(
                    "{:?}",
                    call.close().await.map_err(|err| err.kind())
                ));
            });
            response
        }
        // Another task sends.
        "sender" => handshake.run(async |call: &mut Session<Media>| {
            let first = call.receive().await;
            assert!(first.unwrap().is_ok());
            let mut sender = call.sender();
            spawn(async move { sender.send(Mark::new("of another task")).await })
                .await
                .unwrap()
        }),
        "busy" => handshake.run(async |_: &mut Session<Media>| {
            pending::<()>().await;
            Ok::<_, StreamError>(())
        }),
        "flood" => handshake.run(async move |call: &mut Session<Media>| flood(call, &note).await),
        _ => HttpResponse::NotFound().finish(),
    }
}

/// Sends audio and marks back, and notes what else happens.
async fn echo(call: &mut Session<Media>, note: &dyn Fn(String)) -> Result<(), StreamError> {
    while let Some(message) = call.receive().await {
        match message {
            Ok(MediaMessage::Media(media)) => call.send(Audio::new(media.payload)).await?,
            Ok(MediaMessage::Mark(mark)) => call.send(Mark::new(mark.name)).await?,
            Ok(MediaMessage::Dtmf(_)) => call.send(MediaCommand::Clear).await?,
            Ok(message) => note(format!("{message:?}")),
            Err(err) => {
                note(format!("{:?}", err.kind()));
                if err.ends_session() {
                    assert!(call.receive().await.is_none());
                    let later = call.send(MediaCommand::Other("{}".to_owned())).await;
                    note(format!("{:?}", later.unwrap_err().kind()));
                    return Err(err);
                }
            }
        }
    }
    note("closed".to_owned());
    Ok(())
}

/// Sends many messages, as soon as it has one.
async fn many(call: &mut Session<Media>) -> Result<(), StreamError> {
    assert!(call.receive().await.unwrap().is_ok());
    for number in 0..MANY {
        call.send(Mark::new(number.to_string())).await?;
    }
    Ok(())
}

/// Sends without end.
async fn flood(call: &mut Session<Media>, note: &dyn Fn(String)) -> Result<(), StreamError> {
    assert!(call.receive().await.unwrap().is_ok());
    let audio = vec![0; 64 * 1024];
    let mut sent = 0_usize;
    loop {
        if let Err(err) = call.send(Audio::new(audio.clone())).await {
            note(format!("{sent}"));
            note(format!("{:?}", err.kind()));
            let end = call
                .receive()
                .await
                .map(|end| end.map_err(|err| err.kind()));
            note(format!("{end:?}"));
            return Err(err);
        }
        sent += audio.len();
    }
}

#[get("/relay")]
#[validate_twilio_request]
async fn open_relay(handshake: Handshake<Relay>, notes: Notes) -> HttpResponse {
    let note = move |text: String| notes.send(text).unwrap();
    limited(handshake).run(async move |call: &mut Session<Relay>| {
        while let Some(message) = call.receive().await {
            match message? {
                RelayMessage::Prompt(prompt) if prompt.voice_prompt == "bye" => {
                    return call.send(End::with_handoff(r#"{"a":1}"#)).await;
                }
                RelayMessage::Prompt(prompt) => {
                    for word in prompt.voice_prompt.split_inclusive(' ') {
                        call.send(Text::token(word)).await?;
                    }
                    call.send(Text::last("")).await?;
                }
                RelayMessage::Dtmf(key) => {
                    if let Err(err) = call.send(Digits::new(key.digit)).await {
                        note(err.to_string());
                    }
                }
                message => note(format!("{message:?}")),
            }
        }
        Ok::<_, StreamError>(())
    })
}

/// A running app, and what it notes.
struct Running {
    address: SocketAddr,
    notes: UnboundedReceiver<String>,
}

impl Running {
    fn start() -> Self {
        let (sender, notes) = unbounded_channel();
        let notes_of_app = Data::new(sender);
        let config = config().build().unwrap();
        let server = Server::start(move || {
            App::new()
                .app_data(config.clone())
                .app_data(notes_of_app.clone())
                .service(open_media)
                .service(open_relay)
        });
        Self {
            address: server.address,
            notes,
        }
    }

    fn signature(&self, path: &str) -> String {
        let url = format!("ws://{}{path}", self.address);
        validator().sign(&WebhookRequest::new("GET", &url)).unwrap()
    }

    /// Opens a WebSocket with a client that follows the rules.
    async fn open(&self, path: &str) -> Client {
        let url = format!("ws://{}{path}", self.address);
        let mut req = url.into_client_request().unwrap();
        let signature = self.signature(path).parse().unwrap();
        req.headers_mut().insert("x-twilio-signature", signature);
        Client(connect_async(req).await.unwrap().0)
    }

    /// Opens a WebSocket, whose frames are written by hand.
    async fn open_raw(&self, path: &str) -> TcpStream {
        let mut stream = connect(self.address).await;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             {SIGNATURE}: {}\r\n\r\n",
            self.address,
            self.signature(path)
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "));
        stream
    }

    async fn note(&mut self) -> String {
        soon("a note", self.notes.recv()).await.unwrap()
    }
}

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn send(&mut self, json: Value) {
        self.0.send(Message::text(json.to_string())).await.unwrap();
    }

    async fn next(&mut self) -> Message {
        soon("a frame", self.0.next()).await.unwrap().unwrap()
    }

    async fn json(&mut self) -> Value {
        serde_json::from_str(self.next().await.to_text().unwrap()).unwrap()
    }

    /// Returns the names of all marks up to the close, and its code.
    async fn marks(&mut self) -> (Vec<String>, CloseCode) {
        let mut marks = Vec::new();
        loop {
            match self.next().await {
                Message::Text(text) => {
                    let json: Value = serde_json::from_str(&text).unwrap();
                    marks.push(json["mark"]["name"].as_str().unwrap().to_owned());
                }
                Message::Close(close) => return (marks, close.unwrap().code),
                _ => {}
            }
        }
    }
}

const SID: &str = "MZ00000000000000000000000000000001";

fn connected() -> Value {
    json!({"event": "connected", "protocol": "Call", "version": "1.0.0"})
}

fn start() -> Value {
    json!({
        "event": "start", "sequenceNumber": "1", "streamSid": SID,
        "start": {"streamSid": SID, "callSid": "CA1", "tracks": ["inbound"]},
    })
}

fn media_of(payload: &str) -> Value {
    json!({"event": "media", "streamSid": SID, "media": {"payload": payload}})
}

/// A frame of a client. The mask is zero, so that the data can be read.
fn frame(head: u8, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![head];
    match u16::try_from(data.len()).unwrap() {
        len @ ..126 => frame.push(0x80 | u8::try_from(len).unwrap()),
        len => {
            frame.push(0x80 | 0x7E);
            frame.extend(len.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(data);
    frame
}

const TEXT: u8 = 0x81;
const FIRST_TEXT: u8 = 0x01;
const CONTINUE: u8 = 0x00;
const LAST: u8 = 0x80;
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;
const CLOSE: u8 = 0x88;

/// Returns the code of the close frame with which a server's frames end, at the end of the connection.
async fn close_code(stream: &mut TcpStream) -> Option<u16> {
    let mut all = Vec::new();
    // A connection that was reset has ended, too.
    let _ = soon("the end", stream.read_to_end(&mut all)).await;
    let at = all.iter().rposition(|byte| *byte == CLOSE)?;
    Some(u16::from_be_bytes(
        all.get(at + 2..at + 4)?.try_into().unwrap(),
    ))
}

#[actix_web::test]
async fn a_call_of_media_streams_is_echoed() {
    let mut app = Running::start();
    let mut client = app.open("/media/echo").await;
    client.send(connected()).await;
    client.send(start()).await;
    assert!(
        app.note()
            .await
            .starts_with("Connected(Connected { protocol: \"Call\"")
    );
    assert!(app.note().await.contains(SID));
    for number in 0..50 {
        // Four digits are base64, too.
        let payload = format!("{number:04}");
        client.send(media_of(&payload)).await;
        assert_eq!(
            client.json().await,
            json!({"event": "media", "streamSid": SID, "media": {"payload": payload}})
        );
    }
    client
        .send(json!({"event": "mark", "streamSid": SID, "mark": {"name": "m"}}))
        .await;
    assert_eq!(
        client.json().await,
        json!({"event": "mark", "streamSid": SID, "mark": {"name": "m"}})
    );
    client
        .send(json!({"event": "dtmf", "streamSid": SID, "dtmf": {"digit": "1"}}))
        .await;
    assert_eq!(
        client.json().await,
        json!({"event": "clear", "streamSid": SID})
    );
    client
        .send(json!({"event": "stop", "streamSid": SID, "stop": {"callSid": "CA1"}}))
        .await;
    assert!(app.note().await.starts_with("Stop("));
    client.0.close(None).await.unwrap();
    assert_eq!(app.note().await, "closed");
    assert!(matches!(client.next().await, Message::Close(_)));
    assert!(soon("the end", client.0.next()).await.is_none());
}

#[actix_web::test]
async fn a_call_of_conversation_relay_is_answered_and_handed_off() {
    let mut app = Running::start();
    let mut client = app.open("/relay").await;
    client
        .send(json!({"type": "setup", "callSid": "CA1", "from": "+1800"}))
        .await;
    assert!(app.note().await.starts_with("Setup("));
    client
        .send(json!({"type": "prompt", "voicePrompt": "a b", "last": true}))
        .await;
    for (token, last) in [("a ", false), ("b", false), ("", true)] {
        assert_eq!(
            client.json().await,
            json!({"type": "text", "token": token, "last": last})
        );
    }
    client.send(json!({"type": "dtmf", "digit": "5"})).await;
    assert_eq!(
        client.json().await,
        json!({"type": "sendDigits", "digits": "5"})
    );
    // Twilio would answer this with an error, so it is not sent.
    client.send(json!({"type": "dtmf", "digit": "x"})).await;
    assert_eq!(
        app.note().await,
        "a command can't be sent: the keys are not of 0 to 9, *, # and w"
    );
    client
        .send(json!({"type": "interrupt", "durationUntilInterruptMs": 460}))
        .await;
    assert!(app.note().await.contains("460"));
    client
        .send(json!({"type": "prompt", "voicePrompt": "bye"}))
        .await;
    let end = serde_json::from_value::<RelayCommand>(client.json().await).unwrap();
    assert_eq!(end, End::with_handoff(r#"{"a":1}"#).into());
    let Message::Close(Some(close)) = client.next().await else {
        panic!("no close")
    };
    assert_eq!(close.code, CloseCode::Normal);
}

#[actix_web::test]
async fn all_that_was_sent_before_a_close_arrives() {
    let mut app = Running::start();
    for what in ["many", "drop"] {
        let mut client = app.open(&format!("/media/{what}")).await;
        client.send(start()).await;
        // It goes on sending, as Twilio does, and begins to read late.
        for _ in 0..200 {
            client.send(media_of("AAAA")).await;
        }
        let (marks, code) = client.marks().await;
        let expected: Vec<_> = (0..MANY).map(|number| number.to_string()).collect();
        assert_eq!((marks, code), (expected, CloseCode::Normal), "{what}");
    }
    assert_eq!(app.note().await, "Ok(())");
}

#[actix_web::test]
async fn another_task_can_send_and_a_failure_of_the_app_closes() {
    let app = Running::start();
    let mut client = app.open("/media/sender").await;
    client.send(start()).await;
    assert_eq!(
        client.marks().await,
        (vec!["of another task".to_owned()], CloseCode::Normal)
    );
    let mut client = app.open("/media/fail").await;
    assert_eq!(client.marks().await, (vec![], CloseCode::Error));
}

/// Each command would repeat it, and it may have 64 KiB.
#[actix_web::test]
async fn what_is_no_sid_is_not_taken_for_that_of_the_stream() {
    let app = Running::start();
    for sid in ["", "MZ1", &"a".repeat(3000)] {
        let mut client = app.open("/media/many").await;
        client
            .send(json!({"event": "media", "streamSid": sid, "media": {"payload": "AAAA"}}))
            .await;
        let nothing = (vec![], CloseCode::Error);
        assert_eq!(client.marks().await, nothing, "{sid:.5}");
    }
}

#[actix_web::test]
async fn what_cannot_be_read_is_an_error_and_the_session_goes_on() {
    let mut app = Running::start();
    let mut client = app.open("/media/echo").await;
    for (message, kind) in [
        (Message::text("rubbish"), "Malformed"),
        (
            Message::text(r#"{"event":"media","media":{"payload":"?"}}"#),
            "Malformed",
        ),
        (Message::text(""), "Malformed"),
        (Message::text("[".repeat(LIMIT)), "Malformed"),
        (Message::binary(vec![0, 255]), "Binary"),
        (Message::binary(vec![]), "Binary"),
    ] {
        client.0.send(message).await.unwrap();
        assert_eq!(app.note().await, kind);
    }
    client
        .send(json!({"event": "weather", "it": "rains"}))
        .await;
    assert_eq!(app.note().await, "Other(Unknown { name: \"weather\", .. })");
    // Nothing can be sent before the stream's SID is known.
    client
        .send(json!({"event": "dtmf", "dtmf": {"digit": "1"}}))
        .await;
    let Message::Close(Some(close)) = client.next().await else {
        panic!("no close")
    };
    assert_eq!(close.code, CloseCode::Error);
}

#[actix_web::test]
async fn messages_in_parts_are_read_and_pings_between_them_answered() {
    let app = Running::start();
    let mut stream = app.open_raw("/media/echo").await;
    let text = media_of("AAAA").to_string();
    let (head, tail) = text.as_bytes().split_at(20);
    for (first, data) in [
        (FIRST_TEXT, head),
        (PING, b"p".as_slice()),
        (CONTINUE, b""),
        (PONG, b""),
        (LAST, tail),
    ] {
        stream.write_all(&frame(first, data)).await.unwrap();
    }
    let mut all = Vec::new();
    while !String::from_utf8_lossy(&all).contains("AAAA\"}}") {
        all.push(soon("the echo", stream.read_u8()).await.unwrap());
    }
    // Nothing can be sent to a peer that has closed.
    let close = frame(CLOSE, &[3, 0xE8]);
    stream.write_all(&close).await.unwrap();
    soon("the end", stream.read_to_end(&mut all)).await.unwrap();
    assert!(all.starts_with(&[PONG, 1, b'p']), "{all:?}");
    assert!(all.ends_with(&[CLOSE, 2, 3, 0xE8]), "{all:?}");
}

#[actix_web::test]
async fn what_breaks_the_protocol_ends_the_session_with_its_code() {
    let mut app = Running::start();
    let half = LIMIT / 2;
    let cases: [(&str, Vec<u8>, &str, u16); 14] = [
        ("no mask", vec![TEXT, 1, b'a'], "Protocol", 1002),
        ("reserved bits", frame(TEXT | 0x40, b"a"), "Protocol", 1002),
        ("unknown code", frame(0x83, b"a"), "Protocol", 1002),
        ("continues nothing", frame(LAST, b"a"), "Protocol", 1002),
        (
            "text in a text",
            [frame(FIRST_TEXT, b"a"), frame(TEXT, b"b")].concat(),
            "Protocol",
            1002,
        ),
        (
            "binary in a text",
            [frame(FIRST_TEXT, b"a"), frame(BINARY, b"b")].concat(),
            "Protocol",
            1002,
        ),
        ("a part of a ping", frame(0x09, b"a"), "Protocol", 1002),
        ("a long ping", frame(PING, &[0; 126]), "Protocol", 1002),
        ("a wrong close", frame(CLOSE, &[0, 1]), "Protocol", 1002),
        ("half a code", frame(CLOSE, &[3]), "Protocol", 1002),
        ("not UTF-8", frame(TEXT, &[0xFF]), "Protocol", 1007),
        (
            "too large",
            frame(TEXT, &[b'a'; LIMIT + 1]),
            "TooLarge",
            1009,
        ),
        (
            "too large in parts",
            [
                frame(FIRST_TEXT, &vec![b'a'; half]),
                frame(CONTINUE, &vec![b'a'; half]),
                frame(LAST, b"a"),
            ]
            .concat(),
            "TooLarge",
            1009,
        ),
        (
            "binary parts",
            [
                frame(0x02, &vec![0; half]),
                frame(CONTINUE, &vec![0; half]),
                frame(CONTINUE, &[0; LIMIT]),
            ]
            .concat(),
            "TooLarge",
            1009,
        ),
    ];
    for (name, bytes, kind, code) in cases {
        let mut stream = app.open_raw("/media/echo").await;
        stream.write_all(&bytes).await.unwrap();
        assert_eq!(app.note().await, kind, "{name}");
        // Sending is the same error.
        assert_eq!(app.note().await, kind, "{name}");
        assert_eq!(close_code(&mut stream).await, Some(code), "{name}");
    }
}

#[actix_web::test]
async fn a_peer_that_gives_no_sign_of_life_is_gone() {
    let mut app = Running::start();
    // It is there, and silent.
    let mut stream = app.open_raw("/media/echo").await;
    assert_eq!(app.note().await, "Silent");
    assert_eq!(app.note().await, "Silent");
    let mut all = Vec::new();
    let _ = soon("the end", stream.read_to_end(&mut all)).await;
    // It was pinged meanwhile.
    assert!(all.starts_with(&[PING, 0, PING, 0]), "{all:?}");
    // It sends a frame byte by byte, and never a whole one.
    let mut stream = app.open_raw("/media/echo").await;
    let trickle = spawn(async move {
        let data = frame(TEXT, &[b'a'; 1000]);
        for byte in data {
            sleep(PEER_TIMEOUT / 20).await;
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    });
    assert_eq!(app.note().await, "Silent");
    trickle.abort();
    assert_eq!(app.note().await, "Silent");
}

#[actix_web::test]
async fn a_peer_that_answers_pings_stays_though_it_is_quiet_and_the_app_is_busy() {
    let mut app = Running::start();
    for what in ["echo", "busy"] {
        let mut client = app.open(&format!("/media/{what}")).await;
        // The client answers pings while it waits.
        let quiet = timeout(PEER_TIMEOUT * 5 / 2, async {
            while let Some(frame) = client.0.next().await {
                assert!(frame.unwrap().is_ping(), "{what}");
            }
        });
        assert!(quiet.await.is_err(), "{what}");
        client.0.send(Message::Ping(vec![7].into())).await.unwrap();
        let pong = async {
            loop {
                if let Message::Pong(bytes) = client.0.next().await.unwrap().unwrap() {
                    return bytes;
                }
            }
        };
        assert_eq!(&soon(what, pong).await[..], [7], "{what}");
    }
    // The first client has left. Nobody was considered gone.
    while let Ok(note) = app.notes.try_recv() {
        assert_eq!(note, "Disconnected");
    }
}

#[actix_web::test]
async fn a_connection_that_breaks_off_is_noticed() {
    let mut app = Running::start();
    for shut in [false, true] {
        let mut stream = app.open_raw("/media/echo").await;
        stream.write_all(&frame(TEXT, b"{}")).await.unwrap();
        assert_eq!(app.note().await, "Malformed");
        if shut {
            // Half of it: it could still read.
            stream.shutdown().await.unwrap();
        } else {
            stream.set_zero_linger().unwrap();
            drop(stream);
        }
        assert_eq!(app.note().await, "Disconnected", "{shut}");
        assert_eq!(app.note().await, "Disconnected", "{shut}");
    }
}

#[actix_web::test]
async fn a_peer_that_does_not_answer_a_close_is_left() {
    let mut app = Running::start();
    let stream = app.open_raw("/media/close").await;
    assert_eq!(app.note().await, "Err(Silent)");
    drop(stream);
    // One that answers is waited for.
    let mut client = app.open("/media/close").await;
    assert!(client.next().await.is_close());
    assert!(soon("the end", client.0.next()).await.is_none());
    assert_eq!(app.note().await, "Ok(())");
    // One that sends on, and never answers, too.
    let mut stream = app.open_raw("/media/close").await;
    let flood = spawn(async move {
        let data = frame(TEXT, b"{}").repeat(100);
        while stream.write_all(&data).await.is_ok() {}
    });
    assert_eq!(app.note().await, "Err(Silent)");
    soon("the end of the connection", flood).await.unwrap();
}

#[actix_web::test]
async fn a_peer_that_does_not_read_makes_the_app_wait_and_is_then_gone() {
    let mut app = Running::start();
    let mut stream = app.open_raw("/media/flood").await;
    let start = start().to_string();
    stream
        .write_all(&frame(TEXT, start.as_bytes()))
        .await
        .unwrap();
    let sent: usize = app.note().await.parse().unwrap();
    // What the system's buffers take, and the queue.
    assert!(sent < 16 << 20, "{sent}");
    assert_eq!(app.note().await, "NotReading");
    assert_eq!(app.note().await, "Some(Err(NotReading))");
}

#[actix_web::test]
async fn an_app_that_does_not_receive_makes_the_peer_wait() {
    let app = Running::start();
    let mut stream = app.open_raw("/media/busy").await;
    let text = frame(TEXT, &[b'a'; 4000]);
    let written = Rc::new(Cell::new(0));
    let count = written.clone();
    let flood = async move {
        loop {
            stream.write_all(&text).await.unwrap();
            count.set(count.get() + text.len());
        }
    };
    let () = timeout(Duration::from_secs(1), flood).await.unwrap_or(());
    assert!(written.get() < 16 << 20, "{}", written.get());
}

#[test]
fn endless_frames_and_messages_take_no_memory() {
    in_child(GIVEN_BACK, || System::new().block_on(send_without_end()));
}

/// Sends each kind of flood to an app of the same process, and measures what it takes.
async fn send_without_end() {
    let mut app = Running::start();
    // A frame of 2^62 bytes; parts of a byte between large pings, which a reader that keeps slices would keep; empty
    // parts; pings that nobody reads the answers of; binary parts.
    let endless = [
        &[TEXT, 0xFF, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
        &vec![b'a'; 32 << 10],
    ]
    .concat();
    let pings = [frame(CONTINUE, b"a"), frame(PING, &[0; 125]).repeat(250)].concat();
    let floods = [
        ("endless", endless, vec![b'a'; 64 << 10], "TooLarge"),
        ("parts", frame(FIRST_TEXT, b"a"), pings, "NotReading"),
        (
            "empty parts",
            frame(FIRST_TEXT, b""),
            frame(CONTINUE, b"").repeat(4096),
            "",
        ),
        (
            "binary parts",
            frame(0x02, b""),
            frame(CONTINUE, &[0; 4000]).repeat(8),
            "TooLarge",
        ),
        (
            "pongs",
            frame(PONG, b""),
            frame(PONG, &[0; 125]).repeat(250),
            "",
        ),
    ];
    for (name, first, rest, kind) in floods {
        let mut stream = app.open_raw("/media/echo").await;
        let before = resident();
        forget_highest();
        stream.write_all(&first).await.unwrap();
        let mut left: usize = 256 << 20;
        let flood = async {
            while left > 0 && stream.write_all(&rest).await.is_ok() {
                left = left.saturating_sub(rest.len());
            }
        };
        // On a busy machine, an error takes its time.
        let patience = Duration::from_secs(if kind.is_empty() { 3 } else { 60 });
        let _ = timeout(patience, flood).await;
        drop(stream);
        let noted = app.note().await;
        if !kind.is_empty() {
            assert_eq!(noted, kind, "{name}");
        }
        let _ = app.note().await;
        if let (Some(before), Some(highest)) = (before, highest()) {
            let grown = highest.saturating_sub(before);
            assert!(grown < 4 << 20, "{name}: {grown}");
        }
    }
}
