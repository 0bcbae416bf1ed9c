//! Documents, what somebody does, and what follows.

use std::fmt::Write as _;

use super::{
    Act, Answer, CallWalk, DialOutcome, FaultKind, MessageWalk, Next, NoAnswer, Reason, Request,
    Step, sample,
};
use crate::attributes::Method;

/// The answers of an app: a path, and what is answered there. `302 /x` is a redirect of HTTP, `500` a status without a
/// body, `text/plain: ..` has that content type, `..` means no answer, `...` one that is late, and `....` one that breaks off. Everything else is TwiML, inside of its
/// root.
type Pages<'p> = &'p [(&'p str, &'p str)];

/// The call or conversation that a row is about.
struct Row {
    name: &'static str,
    pages: Pages<'static>,
    acts: &'static [What],
    /// Lines of the transcript, requests as `> METHOD path parameters: status`.
    expected: &'static [&'static str],
}

/// What the caller does. `Act` owns its texts, which constants can't.
#[derive(Clone, Copy)]
enum What {
    Press(&'static str),
    Say(&'static str),
    Silence,
    Record(u32),
    HangUp,
    Dial(DialOutcome),
    Connect,
}

impl What {
    fn act(self) -> Act {
        match self {
            Self::Press(keys) => Act::Press(keys.to_owned()),
            Self::Say(text) => Act::Say(text.to_owned()),
            Self::Silence => Act::Silence,
            Self::Record(seconds) => Act::Record(seconds),
            Self::HangUp => Act::HangUp,
            Self::Dial(outcome) => Act::Dial(outcome),
            Self::Connect => Act::Connect,
        }
    }
}

const HOST: &str = "https://example.com";

/// Parameters that say nothing about a walk.
fn is_plain(name: &str) -> bool {
    const OTHERS: [&str; 12] = [
        "CallStatus",
        "Timestamp",
        "CallbackSource",
        "FinishedOnKey",
        "msg",
        "Confidence",
        "RecordingUrl",
        "RecordingTrack",
        "RecordingSource",
        "RecordingStartTime",
        "RecordingChannels",
        "ErrorUrl",
    ];
    let samples = [
        sample::CALL,
        sample::MESSAGE,
        sample::PLACES,
        sample::CALLER,
    ];
    let mut names = samples.iter().copied().flatten().map(|(name, _)| *name);
    name.ends_with("Sid") || OTHERS.contains(&name) || names.any(|other| other == name)
}

fn shown(step: &Step) -> String {
    let Step::Requested(request, status) = step else {
        return step.to_string();
    };
    let url = request.url.strip_prefix(HOST).unwrap_or(&request.url);
    let mut line = format!("> {} {url}", request.method.as_str());
    for (name, value) in request.params.iter().filter(|(name, _)| !is_plain(name)) {
        let _ = write!(line, " {name}={value}");
    }
    match status {
        Some(status) => line + &format!(": {status}"),
        None => line + ": none",
    }
}

/// Answers a request, and hands the answer over.
fn answer(
    pages: Pages<'_>,
    request: &Request,
    hand_over: impl FnOnce(Result<Answer<'_>, NoAnswer>),
) {
    if !request.url.starts_with(HOST) {
        return hand_over(Err(NoAnswer::Elsewhere));
    }
    let target = request.url.strip_prefix(HOST).unwrap_or_default();
    let of = |target: &str| pages.iter().find(|(path, _)| *path == target);
    let page = of(target).or_else(|| of(request.path()));
    let page = page.map_or("404", |(_, page)| *page);
    let twiml = format!("<Response>{page}</Response>");
    let mut answer = Answer {
        status: 200,
        content_type: Some("text/xml"),
        location: None,
        body: twiml.as_bytes(),
    };
    let missing = match page {
        ".." => Some(NoAnswer::Unreachable),
        "..." => Some(NoAnswer::TimedOut),
        "...." => Some(NoAnswer::Broken),
        _ => None,
    };
    if let Some(missing) = missing {
        return hand_over(Err(missing));
    }
    if let Some((content_type, body)) = page
        .split_once(": ")
        .filter(|(kind, _)| kind.contains('/') && !kind.contains('<'))
    {
        answer.content_type = Some(content_type);
        answer.body = body.as_bytes();
    } else if let Ok(status) = page.split(' ').next().unwrap_or_default().parse() {
        answer.status = status;
        answer.location = page.split_once(' ').map(|(_, location)| location);
        answer.body = b"";
    }
    hand_over(Ok(answer));
}

/// Walks a call to its end. After the last act, the caller is silent, and what is dialed is answered.
fn call(mut walk: CallWalk, pages: Pages<'_>, acts: &[What]) -> Vec<Step> {
    let (mut acts, mut steps) = (acts.iter(), Vec::new());
    loop {
        match walk.advance() {
            Next::Answer(request) => answer(pages, &request, |answer| walk.answer(answer)),
            Next::Act(wait) => {
                let act = acts.next().map(|what| what.act());
                let or = match wait {
                    super::Wait::Dial => Act::Dial(DialOutcome::Answered),
                    super::Wait::Queue => Act::Connect,
                    _ => Act::Silence,
                };
                walk.act(&act.unwrap_or(or)).unwrap();
            }
            Next::End => break,
        }
        steps.extend(walk.steps());
        assert!(steps.len() < 100_000);
    }
    steps.extend(walk.steps());
    steps
}

fn begin() -> CallWalk {
    CallWalk::new("https://example.com/voice").unwrap()
}

fn check(rows: &[Row], walk: impl Fn(&Row) -> Vec<Step>) {
    let mut wrong = String::new();
    for row in rows {
        let found: Vec<_> = walk(row).iter().map(shown).collect();
        if found != row.expected {
            let _ = writeln!(
                wrong,
                "{}\n  expected {:#?}\n  found {found:#?}",
                row.name, row.expected
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

const BYE: &str = "twilio: hangs up";
const LAST: &str = "twilio: ends the call after the last verb";

const VERBS: &[Row] = &[
    Row {
        name: "Say, Play and Pause are heard in order, and SSML is read as its text",
        pages: &[(
            "/voice",
            "<Say>Hello <emphasis>dear</emphasis>\n caller</Say><Pause length='2'/><Play loop='3'>/a.mp3</Play><Play digits='1w2'/>",
        )],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "app: Hello dear caller",
            "twilio: pauses for 2 s",
            "app: [plays /a.mp3]",
            "twilio: repeats it: 3 times in all",
            "app: [plays the tones of 1w2]",
            LAST,
        ],
    },
    Row {
        name: "keys end with the finishing one, and go to the action, which is relative to the document",
        pages: &[
            (
                "/voice",
                "<Gather action='menu?x=1'><Say>Press</Say></Gather><Say>Late</Say>",
            ),
            ("/menu?x=1", "<Hangup/>"),
        ],
        acts: &[What::Press("12#3")],
        expected: &[
            "> POST /voice: 200",
            "app: Press",
            "caller: 12#3",
            "twilio: takes 12, and ignores the rest",
            "> POST /menu?x=1 Digits=12: 200",
            BYE,
        ],
    },
    Row {
        name: "numDigits ends the keys, and without an action the document itself is requested",
        pages: &[("/voice", "<Gather numDigits='1'/><Hangup/>")],
        acts: &[What::Press("19"), What::Silence],
        expected: &[
            "> POST /voice: 200",
            "caller: 19",
            "twilio: takes 1, and ignores the rest",
            "> POST /voice Digits=1: 200",
            "caller: (silent)",
            BYE,
        ],
    },
    Row {
        name: "silence leads to the next verb",
        pages: &[(
            "/voice",
            "<Gather action='/menu' method='GET'/><Say>Bye</Say>",
        )],
        acts: &[],
        expected: &["> POST /voice: 200", "caller: (silent)", "app: Bye", LAST],
    },
    Row {
        name: "a finishing key without any before it is no input",
        pages: &[("/voice", "<Gather action='/menu'/><Say>Bye</Say>")],
        acts: &[What::Press("#")],
        expected: &[
            "> POST /voice: 200",
            "caller: #",
            "twilio: ignores the key: it ends the input, and there was none before it",
            "app: Bye",
            LAST,
        ],
    },
    Row {
        name: "an empty finishOnKey ends nothing",
        pages: &[
            ("/voice", "<Gather action='/menu' finishOnKey=''/><Hangup/>"),
            ("/menu", "<Hangup/>"),
        ],
        acts: &[What::Press("1#*")],
        expected: &[
            "> POST /voice: 200",
            "caller: 1#*",
            "> POST /menu Digits=1#*: 200",
            BYE,
        ],
    },
    Row {
        name: "with actionOnEmptyResult, silence goes to the action",
        pages: &[
            (
                "/voice",
                "<Gather action='/menu' actionOnEmptyResult='true'/>",
            ),
            ("/menu", "<Hangup/>"),
        ],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "caller: (silent)",
            "> POST /menu Digits=: 200",
            BYE,
        ],
    },
    Row {
        name: "speech is passed on, first in part",
        pages: &[
            (
                "/voice",
                "<Gather input='dtmf speech' action='/menu' method='GET' partialResultCallback='/part'/><Hangup/>",
            ),
            ("/menu", "<Hangup/>"),
            ("/part", "204"),
        ],
        acts: &[What::Say("two tickets")],
        expected: &[
            "> POST /voice: 200",
            "caller: \"two tickets\"",
            "> POST /part UnstableSpeechResult=two tickets StableSpeechResult= Stability=0.9 SequenceNumber=0 Language=en-US: 204",
            "> GET /menu SpeechResult=two tickets Language=en-US: 200",
            BYE,
        ],
    },
    Row {
        name: "a redirect has nothing of what was pressed",
        pages: &[
            ("/voice", "<Gather action='/menu'/><Hangup/>"),
            ("/menu", "<Redirect method='GET'>\n ./end \n</Redirect>"),
            ("/end", "<Hangup/>"),
        ],
        acts: &[What::Press("1")],
        expected: &[
            "> POST /voice: 200",
            "caller: 1",
            "> POST /menu Digits=1: 200",
            "> GET /end: 200",
            BYE,
        ],
    },
    Row {
        name: "a dialed call is answered, its number informed and whispered to, and the action requested",
        pages: &[
            (
                "/voice",
                "<Dial action='/done' callerId='+1800'><Number url='/whisper' statusCallback='/status' statusCallbackEvent='initiated ringing answered completed'>+1415</Number></Dial>",
            ),
            ("/whisper", "<Say>A caller</Say>"),
            ("/status", "204"),
            ("/done", "<Hangup/>"),
        ],
        acts: &[What::Dial(DialOutcome::Answered)],
        expected: &[
            "> POST /voice: 200",
            "twilio: dials +1415",
            "> POST /status SequenceNumber=0: 204",
            "> POST /status SequenceNumber=1: 204",
            "twilio: the caller is connected, and they talk",
            "> POST /status SequenceNumber=2: 204",
            "> POST /whisper: 200",
            "  the called party hears: A caller",
            "> POST /status SequenceNumber=3 Duration=1 CallDuration=12: 204",
            "> POST /done DialCallStatus=completed DialBridged=true DialCallDuration=12: 200",
            BYE,
        ],
    },
    Row {
        name: "without an action, the next verb follows a busy line",
        pages: &[("/voice", "<Dial>+1415</Dial><Say>Busy</Say>")],
        acts: &[What::Dial(DialOutcome::Busy)],
        expected: &[
            "> POST /voice: 200",
            "twilio: dials +1415",
            "twilio: the caller hears that the line is busy",
            "app: Busy",
            LAST,
        ],
    },
    Row {
        name: "nobody answers, and the action is requested with GET",
        pages: &[
            (
                "/voice",
                "<Dial action='/done' method='GET'><Client><Identity>joe</Identity></Client><Sip>sip:a@b.example</Sip><Queue>q</Queue></Dial>",
            ),
            ("/done", "<Hangup/>"),
        ],
        acts: &[What::Dial(DialOutcome::NoAnswer)],
        expected: &[
            "> POST /voice: 200",
            "twilio: dials client:joe, sip:a@b.example, queue:q",
            "twilio: the caller gets no answer",
            "> GET /done DialCallStatus=no-answer DialBridged=false: 200",
            BYE,
        ],
    },
    Row {
        name: "a dial that fails",
        pages: &[
            ("/voice", "<Dial action='/done'>+1</Dial>"),
            ("/done", "<Hangup/>"),
        ],
        acts: &[What::Dial(DialOutcome::Failed)],
        expected: &[
            "> POST /voice: 200",
            "twilio: dials +1",
            "twilio: the caller can't be connected",
            "> POST /done DialCallStatus=failed DialBridged=false: 200",
            BYE,
        ],
    },
    Row {
        name: "the first one to answer is connected, and the others are canceled",
        pages: &[
            (
                "/voice",
                "<Dial><Number statusCallback='/a'>+1</Number><Number statusCallback='/b'>+2</Number></Dial>",
            ),
            ("/a", "204"),
            ("/b", "204"),
        ],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "twilio: dials +1, +2",
            "twilio: the caller is connected, and they talk",
            "> POST /a SequenceNumber=3 Duration=1 CallDuration=12: 204",
            "> POST /b SequenceNumber=3: 204",
            LAST,
        ],
    },
    Row {
        name: "a conference is joined and left, and its action has no call",
        pages: &[
            (
                "/voice",
                "<Dial action='/done'><Conference waitUrl='/wait' statusCallback='/status' statusCallbackEvent='join leave'>Room</Conference></Dial>",
            ),
            ("/wait", "<Play>/music.mp3</Play>"),
            ("/status", "204"),
            ("/done", "<Hangup/>"),
        ],
        acts: &[What::Dial(DialOutcome::Busy)],
        expected: &[
            "> POST /voice: 200",
            "twilio: dials conference:Room",
            "> POST /status FriendlyName=Room StatusCallbackEvent=participant-join: 204",
            "> POST /wait: 200",
            "  who waits hears: [plays /music.mp3]",
            "twilio: the caller is connected, and they talk",
            "> POST /status FriendlyName=Room StatusCallbackEvent=participant-leave: 204",
            "> POST /done DialCallStatus=answered: 200",
            BYE,
        ],
    },
    Row {
        name: "a dialed call is recorded",
        pages: &[
            (
                "/voice",
                "<Dial action='/done' record='record-from-answer' recordingStatusCallback='/rec'>+1</Dial>",
            ),
            ("/rec", "204"),
            ("/done", "<Hangup/>"),
        ],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "twilio: dials +1",
            "twilio: the caller is connected, and they talk",
            "> POST /rec RecordingStatus=completed RecordingDuration=12 ErrorCode=0: 204",
            "> POST /done DialCallStatus=completed DialBridged=true DialCallDuration=12 RecordingDuration=12: 200",
            BYE,
        ],
    },
    Row {
        name: "a recording informs, is transcribed, and goes to the action",
        pages: &[
            (
                "/voice",
                "<Record action='/done' recordingStatusCallback='/rec' transcribe='true' transcribeCallback='/text'/>",
            ),
            ("/rec", "204"),
            ("/text", "204"),
            ("/done", "<Hangup/>"),
        ],
        acts: &[What::Record(5)],
        expected: &[
            "> POST /voice: 200",
            "twilio: records what the caller says",
            "caller: (speaks for 5 s)",
            "> POST /rec RecordingStatus=completed RecordingDuration=5 ErrorCode=0: 204",
            "> POST /text TranscriptionText=Hello there TranscriptionStatus=completed TranscriptionType=fast: 204",
            "> POST /done RecordingDuration=5 Digits=: 200",
            BYE,
        ],
    },
    Row {
        name: "a key ends a recording",
        pages: &[
            ("/voice", "<Record action='/done' finishOnKey='*'/>"),
            ("/done", "<Hangup/>"),
        ],
        acts: &[What::Press("1*")],
        expected: &[
            "> POST /voice: 200",
            "twilio: records what the caller says",
            "caller: (speaks for 3 s, and presses *)",
            "> POST /done RecordingDuration=3 Digits=*: 200",
            BYE,
        ],
    },
    Row {
        name: "an empty recording leads to the next verb",
        pages: &[("/voice", "<Record action='/done'/><Say>Nothing</Say>")],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "twilio: records what the caller says",
            "caller: (silent)",
            "app: Nothing",
            LAST,
        ],
    },
    Row {
        name: "who hangs up while recording is still recorded, and nothing is executed any more",
        pages: &[
            ("/voice", "<Record action='/done'/>"),
            ("/done", "<Say>Too late</Say>"),
        ],
        acts: &[What::HangUp],
        expected: &[
            "> POST /voice: 200",
            "twilio: records what the caller says",
            "caller: (hangs up)",
            "> POST /done RecordingDuration=1 Digits=hangup: 200",
        ],
    },
    Row {
        name: "who waits in a queue hears its document, and is connected",
        pages: &[
            (
                "/voice",
                "<Enqueue action='/done' waitUrl='/wait' waitUrlMethod='GET'>sales</Enqueue>",
            ),
            ("/wait", "<Say>Please wait</Say>"),
            ("/done", "<Hangup/>"),
        ],
        acts: &[What::Connect],
        expected: &[
            "> POST /voice: 200",
            "twilio: lets the caller wait in the queue \"sales\"",
            "> GET /wait QueuePosition=1 QueueTime=0 AvgQueueTime=0 CurrentQueueSize=1 MaxQueueSize=100: 200",
            "app: Please wait",
            "twilio: connects the caller with somebody, and they talk",
            "> POST /done QueueResult=bridged QueueTime=12: 200",
            BYE,
        ],
    },
    Row {
        name: "Leave leads out of the queue, to the next verb",
        pages: &[
            (
                "/voice",
                "<Enqueue waitUrl='/wait'>sales</Enqueue><Say>Nobody was free</Say>",
            ),
            ("/wait", "<Gather action='/key'/><Leave/>"),
        ],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "twilio: lets the caller wait in the queue \"sales\"",
            "> POST /wait QueuePosition=1 QueueTime=0 AvgQueueTime=0 CurrentQueueSize=1 MaxQueueSize=100: 200",
            "caller: (silent)",
            "twilio: takes the caller out of the queue",
            "app: Nobody was free",
            LAST,
        ],
    },
    Row {
        name: "music that redirects to itself is no loop while the caller waits",
        pages: &[
            ("/voice", "<Enqueue waitUrl='/wait'>sales</Enqueue>"),
            ("/wait", "<Play>/a.mp3</Play><Redirect/>"),
        ],
        acts: &[What::HangUp],
        expected: &[
            "> POST /voice: 200",
            "twilio: lets the caller wait in the queue \"sales\"",
            "> POST /wait QueuePosition=1 QueueTime=0 AvgQueueTime=0 CurrentQueueSize=1 MaxQueueSize=100: 200",
            "app: [plays /a.mp3]",
            "> POST /wait: 200",
            "app: [plays /a.mp3]",
            "> POST /wait: 200",
            "app: [plays /a.mp3]",
            "> POST /wait: 200",
            "caller: (hangs up)",
        ],
    },
    Row {
        name: "a rejected call is not answered",
        pages: &[("/voice", "<Reject reason='busy'/>")],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "twilio: rejects the call: the caller hears that the line is busy",
        ],
    },
    Row {
        name: "a transfer goes to its action",
        pages: &[
            (
                "/voice",
                "<Refer action='/done'><Sip>sip:a@b.example</Sip></Refer>",
            ),
            ("/done", "<Hangup/>"),
        ],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "twilio: transfers the call to sip:a@b.example",
            "> POST /done ReferCallStatus=completed ReferSipResponseCode=202 NotifySipResponseCode=200: 200",
            BYE,
        ],
    },
    Row {
        name: "a ConversationRelay session ends, and the action is requested",
        pages: &[
            (
                "/voice",
                "<Connect action='/done'><ConversationRelay url='wss://example.com/relay'/></Connect>",
            ),
            ("/done", "<Hangup/>"),
        ],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "twilio: connects with <ConversationRelay> wss://example.com/relay",
            "> POST /done SessionId=VX SessionStatus=ended SessionDuration=12: 200",
            BYE,
        ],
    },
    Row {
        name: "streams start, connect and stop, and the next verb follows",
        pages: &[
            (
                "/voice",
                "<Start><Stream name='s' url='wss://example.com/a' statusCallback='/status'/></Start><Stop><Stream name='s'/></Stop><Connect><Stream url='wss://example.com/b'/></Connect><Say>Over</Say>",
            ),
            ("/status", "204"),
        ],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "twilio: starts <Stream> wss://example.com/a",
            "> POST /status StreamName=s StreamEvent=stream-started: 204",
            "twilio: stops <Stream>",
            "twilio: connects with <Stream> wss://example.com/b",
            "app: Over",
            LAST,
        ],
    },
    Row {
        name: "a payment goes to its action, and a message in a call informs",
        pages: &[
            (
                "/voice",
                "<Sms to='+1' statusCallback='/status'>Hi</Sms><Pay chargeAmount='9.99' action='/done'/>",
            ),
            ("/status", "204"),
            ("/done", "<Hangup/>"),
        ],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "twilio: sends \"Hi\" to +1",
            "> POST /status: 204",
            "twilio: takes a card of the caller: 9.99",
            "> POST /done Result=success PaymentCardNumber=xxxxxxxxxxxx1111 PaymentCardType=visa PaymentConfirmationCode=ch_1: 200",
            BYE,
        ],
    },
    Row {
        name: "text is read, and the call ends",
        pages: &[("/voice", "text/plain; charset=utf-8: Hello")],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "  FAULT line 1: error 12300: the content type \"text/plain; charset=utf-8\" is not that of TwiML; answer with \"text/xml\", or with status 204 and no body if there is nothing to say",
            "app: Hello",
            "twilio: hangs up after the text",
        ],
    },
    Row {
        name: "a sound is played, and the call ends",
        pages: &[("/voice", "audio/mpeg: ID3")],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "app: [plays https://example.com/voice]",
            "twilio: hangs up after the sound",
        ],
    },
    Row {
        name: "204 ends the call without a fault",
        pages: &[("/voice", "204")],
        acts: &[],
        expected: &["> POST /voice: 204", LAST],
    },
    Row {
        name: "another host is not requested",
        pages: &[("/voice", "<Redirect>https://other.example/x</Redirect>")],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "twilio: continues with https://other.example/x (<Redirect>), which is not requested: it is not one of the app's URLs",
        ],
    },
];

#[test]
fn verbs_do_what_twilio_does() {
    check(VERBS, |row| {
        let mut steps = call(begin(), row.pages, row.acts);
        for step in &mut steps {
            // It is made up from the CallSid.
            if let Step::Requested(request, _) = step
                && let Some((_, id)) = request
                    .params
                    .iter_mut()
                    .find(|(name, _)| name == "SessionId")
            {
                assert_eq!(id.len(), 34);
                id.truncate(2);
            }
        }
        steps
    });
}

/// What Twilio says, and not the app.
const SORRY: &str = "twilio: says \"We are sorry, an application error has occurred. Goodbye.\"";

const FAULTS: &[Row] = &[
    Row {
        name: "a redirect to itself",
        pages: &[("/voice", "<Say>Hi</Say><Redirect>/voice</Redirect>")],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "app: Hi",
            "> POST /voice: 200",
            "app: Hi",
            "> POST /voice: 200",
            "app: Hi",
            "> POST /voice: 200",
            "  FAULT POST https://example.com/voice answers the same document again and again: the call goes on until the caller hangs up; count the rounds, for example in the query of the URL, and end the call after some",
        ],
    },
    Row {
        name: "a menu that never ends",
        pages: &[
            (
                "/voice",
                "<Gather action='/key'/><Redirect>/voice</Redirect>",
            ),
            ("/key", "<Redirect>/voice</Redirect>"),
        ],
        acts: &[What::Press("1")],
        expected: &[
            "> POST /voice: 200",
            "caller: 1",
            "> POST /key Digits=1: 200",
            "> POST /voice: 200",
            "caller: (silent)",
            "> POST /voice: 200",
            "caller: (silent)",
            "> POST /voice: 200",
            "  FAULT POST https://example.com/voice answers the same document again and again: the call goes on until the caller hangs up; count the rounds, for example in the query of the URL, and end the call after some",
        ],
    },
    Row {
        name: "an action that is not found",
        pages: &[("/voice", "<Gather action='/nothing'/><Hangup/>")],
        acts: &[What::Press("1")],
        expected: &[
            "> POST /voice: 200",
            "caller: 1",
            "> POST /nothing Digits=1: 404",
            "  FAULT error 11200: the app answered with the status 404; check the URL, and that the app has a route for it and its method",
            SORRY,
            "twilio: ends the call because of the error",
        ],
    },
    Row {
        name: "a Gather without a way out",
        pages: &[("/voice", "<Say>Hi</Say>\n\n<Gather action='/key'/>")],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "app: Hi",
            "  FAULT line 3: <Gather> is the last verb: a caller who stays silent is hung up on without a word; add a verb after it, such as <Say> and <Redirect>, or actionOnEmptyResult=\"true\"",
            "caller: (silent)",
            LAST,
        ],
    },
    Row {
        name: "a redirect of HTTP that drops digits",
        pages: &[
            ("/voice", "<Gather action='/old'/><Hangup/>"),
            ("/old", "302 /new"),
            ("/new", "<Hangup/>"),
        ],
        acts: &[What::Press("1")],
        expected: &[
            "> POST /voice: 200",
            "caller: 1",
            "> POST /old Digits=1: 302",
            "  FAULT the app redirects a POST with status 302: Twilio follows with GET, without the parameters, among them Digits, FinishedOnKey, msg, CallStatus; answer the request itself, or with <Redirect>",
            "> GET /new: 200",
            BYE,
        ],
    },
    Row {
        name: "a redirect of HTTP to itself is named once",
        pages: &[("/voice", "302 /voice")],
        acts: &[],
        expected: &[
            "> POST /voice: 302",
            "  FAULT the app redirects a POST with status 302: Twilio follows with GET, without the parameters, among them CallStatus; answer the request itself, or with <Redirect>",
            "> GET /voice: 302",
            "> GET /voice: 302",
            "> GET /voice: 302",
            "> GET /voice: 302",
            "> GET /voice: 302",
            "> GET /voice: 302",
            "> GET /voice: 302",
            "> GET /voice: 302",
            "> GET /voice: 302",
            "> GET /voice: 302",
            "  FAULT error 11215: the app redirects again and again; answer the request itself",
            SORRY,
            "twilio: ends the call because of the error",
        ],
    },
    Row {
        name: "a redirect of HTTP whose Location is not ASCII",
        pages: &[("/voice", "302 /caf\u{e9}")],
        acts: &[],
        expected: &[
            "> POST /voice: 302",
            "  FAULT error 11216: the redirect with status 302 is not valid: its Location \"/caf\u{e9}\" has bytes that are not ASCII; answer the request itself, or escape these bytes, such as %C3%A9 for \u{e9}",
            SORRY,
            "twilio: ends the call because of the error",
        ],
    },
    Row {
        name: "a redirect of HTTP that keeps them",
        pages: &[
            ("/voice", "<Gather action='/old'/><Hangup/>"),
            ("/old", "307 /new"),
            ("/new", "<Hangup/>"),
        ],
        acts: &[What::Press("1")],
        expected: &[
            "> POST /voice: 200",
            "caller: 1",
            "> POST /old Digits=1: 307",
            "> POST /new Digits=1: 200",
            BYE,
        ],
    },
    Row {
        name: "a redirect that Twilio does not follow",
        pages: &[("/voice", "308 /new")],
        acts: &[],
        expected: &[
            "> POST /voice: 308",
            "  FAULT error 11216: the redirect with status 308 is not valid: Twilio follows 301, 302, 303 and 307; answer the request itself",
            SORRY,
            "twilio: ends the call because of the error",
        ],
    },
    Row {
        name: "a document that is not well-formed",
        pages: &[("/voice", "<Say>a & b</Say>")],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "  FAULT line 1: error 12100: the document is not well-formed: malformed entity reference; write & as &amp;",
            SORRY,
            "twilio: ends the call because of the error",
        ],
    },
    Row {
        name: "a Message in a call is ignored",
        pages: &[("/voice", "<Message>Hi</Message><Say>Hello</Say>")],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "  FAULT line 1: error 12200: <Message> can't be inside of <Response> of a call; answer a call with verbs for calls, and a message with <Message>",
            "app: Hello",
            LAST,
        ],
    },
    Row {
        name: "another content type",
        pages: &[("/voice", "application/json: {}")],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "  FAULT line 1: error 12300: the content type \"application/json\" is not that of TwiML; answer with \"text/xml\", or with status 204 and no body if there is nothing to say",
            SORRY,
            "twilio: ends the call because of the error",
        ],
    },
    Row {
        name: "an app that is down",
        pages: &[("/voice", "<Redirect>/down</Redirect>"), ("/down", "..")],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "> POST /down: none",
            "  FAULT error 11205: the app did not answer; check that the app runs, and that it ends each answer",
            SORRY,
            "twilio: ends the call because of the error",
        ],
    },
    Row {
        name: "an answer that does not come in time",
        pages: &[("/voice", "...")],
        acts: &[],
        expected: &[
            "> POST /voice: none",
            "  FAULT error 11200: the app took longer than the 15 seconds that Twilio waits; answer first, and do what takes long afterwards",
            SORRY,
            "twilio: ends the call because of the error",
        ],
    },
    Row {
        name: "an answer that breaks off",
        pages: &[("/voice", "....")],
        acts: &[],
        expected: &[
            "> POST /voice: none",
            "  FAULT error 11200: the app closed the connection before the end of its answer, or its answer is not HTTP; see the app's log, and check that the port serves what the URL says, http:// or https://",
            SORRY,
            "twilio: ends the call because of the error",
        ],
    },
    Row {
        name: "a URL that is none",
        pages: &[("/voice", "<Gather action='ftp://x/y'/><Hangup/>")],
        acts: &[What::Press("1")],
        expected: &[
            "> POST /voice: 200",
            "  FAULT line 1: error 12200: <Gather> does not take action=\"ftp://x/y\"; write a URL that starts with https:// or http://, or a relative one, without blanks",
            "caller: 1",
            "  FAULT line 1: error 11100: the URL \"ftp://x/y\" is not valid: it must start with http:// or https:// and a host; write a URL that starts with / or with https://, and escape blanks in it",
            SORRY,
            "twilio: ends the call because of the error",
        ],
    },
    Row {
        name: "a callback that answers something else",
        pages: &[
            (
                "/voice",
                "<Dial><Number statusCallback='/a'>+1</Number><Number statusCallback='/b'>+2</Number></Dial>",
            ),
            ("/a", "500"),
            ("/b", "text/plain: OK"),
        ],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "twilio: dials +1, +2",
            "twilio: the caller is connected, and they talk",
            "> POST /a SequenceNumber=3 Duration=1 CallDuration=12: 500",
            "  FAULT error 15003: the app answered with the status 500; answer with status 204 and no body, or with TwiML",
            "> POST /b SequenceNumber=3: 200",
            "  FAULT error 15003: the content type \"text/plain\" is not that of TwiML; answer with \"text/xml\", or with status 204 and no body if there is nothing to say",
            LAST,
        ],
    },
    Row {
        name: "Enqueue in a queue",
        pages: &[
            ("/voice", "<Enqueue waitUrl='/wait'>sales</Enqueue>"),
            ("/wait", "<Enqueue waitUrl='/wait'>more</Enqueue><Leave/>"),
        ],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "twilio: lets the caller wait in the queue \"sales\"",
            "> POST /wait QueuePosition=1 QueueTime=0 AvgQueueTime=0 CurrentQueueSize=1 MaxQueueSize=100: 200",
            "  FAULT line 1: this document of a waitUrl has an <Enqueue>, and the caller waits already; write <Leave/> first, and <Enqueue> in the document that follows",
            "twilio: takes the caller out of the queue",
            LAST,
        ],
    },
    Row {
        name: "Leave outside of a queue",
        pages: &[("/voice", "<Leave/>")],
        acts: &[],
        expected: &[
            "> POST /voice: 200",
            "  FAULT line 1: <Leave> leaves no queue: this document is not one of a waitUrl; use <Hangup> to end the call",
            "twilio: ends the call",
        ],
    },
];

#[test]
fn faults_are_found() {
    check(FAULTS, |row| call(begin(), row.pages, row.acts));
}

fn faults(steps: &[Step]) -> Vec<(FaultKind, Option<u16>)> {
    steps
        .iter()
        .filter_map(|step| match step {
            Step::Found(fault) => Some((fault.kind, fault.code)),
            _ => None,
        })
        .collect()
}

/// Lets a call get this body, and returns the kinds of its faults.
fn answered_with(body: &[u8]) -> Vec<(FaultKind, Option<u16>)> {
    let mut walk = begin();
    let mut requests = 0;
    while let Next::Answer(_) = walk.advance() {
        requests += 1;
        walk.answer(Ok(Answer {
            status: 200,
            content_type: Some("text/xml"),
            location: None,
            body,
        }));
    }
    assert!(requests <= 100, "{requests}");
    faults(&walk.steps())
}

#[test]
fn hostile_answers_are_bounded() {
    let deep = |depth: usize| {
        format!(
            "<Response>{}{}</Response>",
            "<Say>".repeat(depth),
            "</Say>".repeat(depth)
        )
    };
    let document = FaultKind::Document;
    assert_eq!(
        answered_with(&vec![b'a'; 10_000_000]),
        [(document, Some(11750))]
    );
    let large = format!("<Response><Say>{}</Say></Response>", "a".repeat(64_000));
    assert_eq!(answered_with(large.as_bytes()), [(document, Some(11750))]);
    assert!(faults_all(&answered_with(deep(5_000).as_bytes()), document));
    assert!(faults_all(&answered_with(b"\xff\x00<Response/>"), document));
    let entities = b"<!DOCTYPE r [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><Response><Say>&b;</Say></Response>";
    assert!(faults_all(&answered_with(entities), document));
    // A callback for each of a thousand numbers.
    let many =
        "<Number statusCallback='/s' statusCallbackEvent='initiated'>+1</Number>".repeat(800);
    let mut walk = begin();
    let body = format!("<Response><Dial>{many}</Dial></Response>");
    let mut requests = 0;
    while let Next::Answer(_) = walk.advance() {
        requests += 1;
        walk.answer(Ok(Answer {
            status: 200,
            content_type: Some("text/xml"),
            location: None,
            body: body.as_bytes(),
        }));
    }
    assert_eq!(requests, 100);
    assert!(faults(&walk.steps()).contains(&(FaultKind::TooLong, None)));
}

fn faults_all(faults: &[(FaultKind, Option<u16>)], kind: FaultKind) -> bool {
    !faults.is_empty() && faults.iter().all(|(found, _)| *found == kind)
}

#[test]
fn endless_redirects_end() {
    let mut walk = begin();
    let mut requests = 0;
    while let Next::Answer(_) = walk.advance() {
        requests += 1;
        walk.answer(Ok(Answer {
            status: 302,
            location: Some("/voice"),
            ..Answer::default()
        }));
    }
    assert_eq!(requests, 11);
    assert_eq!(
        faults(&walk.steps()).last(),
        Some(&(FaultKind::Http, Some(11215)))
    );
    // Documents that differ each time are no loop.
    let mut walk = begin().max_requests(30);
    let mut requests = 0;
    while let Next::Answer(_) = walk.advance() {
        requests += 1;
        let body = format!("<Response><Redirect>/voice?{requests}</Redirect></Response>");
        walk.answer(Ok(Answer {
            status: 200,
            content_type: Some("text/xml"),
            location: None,
            body: body.as_bytes(),
        }));
    }
    assert_eq!(requests, 30);
    assert_eq!(faults(&walk.steps()), [(FaultKind::TooLong, None)]);
}

#[test]
fn thousands_of_callbacks_stop_the_walk() {
    for max in [0, 1, 2, 100] {
        let mut walk = begin().max_requests(max);
        let mut requests = 0;
        while let Next::Answer(_) = walk.advance() {
            requests += 1;
            let callbacks =
                "<Sip statusCallback=\"?\" statusCallbackEvent=\"initiated\">sip:a@b.c</Sip>";
            let body = format!(
                "<Response><Dial>{}</Dial></Response>",
                callbacks.repeat(700)
            );
            walk.answer(Ok(Answer {
                status: 200,
                content_type: Some("text/xml"),
                location: None,
                body: if requests == 1 { body.as_bytes() } else { b"" },
            }));
        }
        assert_eq!(requests, max);
        let faults = faults(&walk.steps());
        assert_eq!(faults.last(), Some(&(FaultKind::TooLong, None)), "{max}");
    }
}

#[test]
fn an_error_leads_to_the_fallback_url_once() {
    const PAGES: Pages<'_> = &[
        ("/voice", "500"),
        ("/fallback", "<Say>Sorry</Say><Redirect>/voice</Redirect>"),
    ];
    let steps = call(begin().fallback_url("/fallback").unwrap(), PAGES, &[]);
    let shown: Vec<_> = steps
        .iter()
        .map(shown)
        .filter(|line| !line.contains("FAULT"))
        .collect();
    assert_eq!(
        shown,
        [
            "> POST /voice: 500",
            "> POST /fallback ErrorCode=11200: 200",
            "app: Sorry",
            "> POST /voice: 500",
            SORRY,
            "twilio: ends the call because of the error",
        ]
    );
    let fallback = steps.iter().find_map(|step| match step {
        Step::Requested(request, _) if request.reason == Reason::Fallback => Some(request),
        _ => None,
    });
    assert_eq!(
        fallback.unwrap().param("ErrorUrl"),
        Some("https://example.com/voice")
    );
}

#[test]
fn the_status_of_a_call_follows_it_to_its_end() {
    const PAGES: Pages<'_> = &[("/voice", "<Gather/><Reject/>"), ("/status", "204")];
    let statuses = |acts: &[What]| {
        let walk = begin()
            .status_callback("/status")
            .unwrap()
            .param("From", "+15005550006");
        let steps = call(walk, PAGES, acts);
        let statuses = steps.iter().filter_map(|step| match step {
            Step::Requested(request, _) => {
                assert_eq!(request.param("From"), Some("+15005550006"));
                assert_eq!(request.param("Caller"), Some("+15005550006"));
                assert_eq!(request.param("AccountSid"), Some(sample::ACCOUNT_SID));
                Some(format!(
                    "{} {}",
                    request.path(),
                    request.param("CallStatus").unwrap()
                ))
            }
            _ => None,
        });
        statuses.collect::<Vec<_>>()
    };
    assert_eq!(statuses(&[]), ["/voice ringing", "/status no-answer"]);
    assert_eq!(
        statuses(&[What::Press("1"), What::HangUp]),
        ["/voice ringing", "/voice in-progress", "/status completed"]
    );
}

/// A document can have a URL in thousands of verbs.
#[test]
fn no_fault_repeats_a_long_url() {
    let long = "\u{7f}".repeat(60_000);
    for page in [
        format!("<Redirect>{long}</Redirect>"),
        format!("<Play>{long}</Play>"),
        format!("<Sms statusCallback='{long}'>x</Sms>"),
        format!(
            "<Dial><Conference statusCallbackEvent='start' statusCallback='{long}'>x</Conference></Dial>"
        ),
        format!("302 {long}"),
        format!("302 {}", "\u{e9}".repeat(60_000)),
    ] {
        let pages = [("/voice", &*page)];
        let steps = call(begin(), &pages, &[]);
        let faults: Vec<_> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Found(fault) => Some(fault.message.len()),
                _ => None,
            })
            .collect();
        let longest = faults.iter().max();
        assert!(longest.is_some_and(|len| *len < 1_000), "{faults:?}");
    }
}

#[test]
fn faults_are_bounded_in_number() {
    let sms = "<Sms statusCallback=':'>x</Sms>".repeat(1_800);
    let pages: Vec<_> = (0..100)
        .map(|page| format!("{sms}<Redirect>/voice?{}</Redirect>", page + 1))
        .collect();
    let targets: Vec<_> = (0..100).map(|page| format!("/voice?{page}")).collect();
    let mut pages: Vec<_> = targets
        .iter()
        .map(String::as_str)
        .zip(pages.iter().map(String::as_str))
        .collect();
    pages.push(("/voice", "<Redirect>/voice?0</Redirect>"));
    let steps = call(begin(), &pages, &[]);
    let faults = steps.iter().filter(|step| matches!(step, Step::Found(_)));
    assert_eq!(faults.count(), 10_001);
    let last = steps.iter().rev().find_map(|step| match step {
        Step::Found(fault) => Some(fault.message.as_str()),
        _ => None,
    });
    assert!(
        last.is_some_and(|message| message.ends_with("and 10000 faults")),
        "{last:?}"
    );
}

#[test]
fn an_act_that_does_not_fit_changes_nothing() {
    const PAGES: Pages<'_> = &[("/voice", "<Gather/><Hangup/>")];
    let mut walk = begin();
    assert!(walk.act(&Act::Silence).is_err());
    while let Next::Answer(request) = walk.advance() {
        answer(PAGES, &request, |answer| walk.answer(answer));
    }
    for act in [
        Act::Say("Hi".to_owned()),
        Act::Record(1),
        Act::Connect,
        Act::Dial(DialOutcome::Busy),
        Act::Press(String::new()),
        Act::Press("1a".to_owned()),
        Act::Press("\u{661}".to_owned()),
    ] {
        assert!(walk.act(&act).is_err(), "{act:?}");
    }
    assert_eq!(
        walk.act(&Act::Connect).unwrap_err().to_string(),
        "the caller is taken out of the queue, and Twilio waits for keys of the caller"
    );
    assert!(walk.act(&Act::Press("0".to_owned())).is_ok());
}

const MESSAGES: &[Row] = &[
    Row {
        name: "a reply with a file, and its status",
        pages: &[
            (
                "/sms",
                "<Message statusCallback='/status'><Body>Hello</Body><Media>https://example.com/a.png</Media></Message><Message to='+2'>More</Message>",
            ),
            ("/status", "204"),
        ],
        acts: &[],
        expected: &[
            "sender: Hi",
            "> POST /sms Body=Hi NumMedia=0: 200",
            "app: Hello [https://example.com/a.png]",
            "> POST /status MessageStatus=sent: 204",
            "> POST /status MessageStatus=delivered: 204",
            "app: More",
        ],
    },
    Row {
        name: "the action of a reply goes on",
        pages: &[
            (
                "/sms",
                "<Message action='/done'>Hello</Message><Message>Never</Message>",
            ),
            ("/done", "204"),
        ],
        acts: &[],
        expected: &[
            "sender: Hi",
            "> POST /sms Body=Hi NumMedia=0: 200",
            "app: Hello",
            "> POST /done MessageStatus=sent: 204",
        ],
    },
    Row {
        name: "a redirect of a message",
        pages: &[
            ("/sms", "<Redirect method='GET'>/more</Redirect>"),
            ("/more", "<Message>Hello</Message>"),
        ],
        acts: &[],
        expected: &[
            "sender: Hi",
            "> POST /sms Body=Hi NumMedia=0: 200",
            "> GET /more: 200",
            "app: Hello",
        ],
    },
    Row {
        name: "a loop of messages",
        pages: &[
            ("/sms", "<Redirect>/more</Redirect>"),
            (
                "/more",
                "<Message>Hello</Message><Redirect>/more</Redirect>",
            ),
        ],
        acts: &[],
        expected: &[
            "sender: Hi",
            "> POST /sms Body=Hi NumMedia=0: 200",
            "> POST /more: 200",
            "app: Hello",
            "> POST /more: 200",
            "app: Hello",
            "> POST /more: 200",
            "  FAULT error 14106: POST https://example.com/more answers the same document again and again; let it end: neither a <Redirect> nor an action may lead back to the same document",
        ],
    },
    Row {
        name: "a verb for calls is ignored, and a text is sent",
        pages: &[
            ("/sms", "<Say>Hello</Say><Redirect>/text</Redirect>"),
            ("/text", "text/plain: Hello"),
        ],
        acts: &[],
        expected: &[
            "sender: Hi",
            "> POST /sms Body=Hi NumMedia=0: 200",
            "  FAULT line 1: error 12200: <Say> can't be inside of <Response> to a message; answer a call with verbs for calls, and a message with <Message>",
            "> POST /text: 200",
            "  FAULT line 1: error 12300: the content type \"text/plain\" is not that of TwiML; answer with \"text/xml\", or with status 204 and no body if there is nothing to say",
            "app: Hello",
        ],
    },
    Row {
        name: "nothing is sent because of an error",
        pages: &[("/sms", "403")],
        acts: &[],
        expected: &[
            "sender: Hi",
            "> POST /sms Body=Hi NumMedia=0: 403",
            "  FAULT error 11200: the app answered with the status 403; check that the app accepts signed requests of Twilio",
            "twilio: sends nothing because of the error",
        ],
    },
];

#[test]
fn messages_are_answered_as_twilio_does() {
    check(MESSAGES, |row| {
        let mut walk = MessageWalk::new("https://example.com/sms").unwrap();
        walk.send("Hi", &[]);
        while let Next::Answer(request) = walk.advance() {
            answer(row.pages, &request, |answer| walk.answer(answer));
        }
        walk.steps()
    });
}

#[test]
fn each_message_has_a_sid_and_files_of_its_own() {
    let mut walk = MessageWalk::new("https://example.com/sms")
        .unwrap()
        .method(Method::Get);
    let mut sids = Vec::new();
    for (text, media) in [
        ("one", &[("https://example.com/a", "image/png")][..]),
        ("two", &[]),
        ("three", &[]),
    ] {
        walk.send(text, media);
        let Next::Answer(request) = walk.advance() else {
            panic!("nothing is requested");
        };
        assert_eq!(request.method, Method::Get);
        assert_eq!(request.param("Body"), Some(text));
        assert_eq!(
            request.param("MediaUrl0"),
            media.first().map(|(url, _)| *url)
        );
        let sid = request.param("MessageSid").unwrap().to_owned();
        assert_eq!(
            (sid.len(), request.param("SmsSid")),
            (34, Some(sid.as_str()))
        );
        assert!(!sids.contains(&sid));
        sids.push(sid);
        walk.answer(Ok(Answer {
            status: 204,
            ..Answer::default()
        }));
        assert_eq!(walk.advance(), Next::End);
    }
}

#[test]
fn a_message_that_is_too_long_is_not_sent() {
    const CALLBACK: &str = "<Message statusCallback='/status' action='/done'>";
    let sends = |open: &str, count: usize, content_type| {
        let body = match open {
            "" => "\u{e9}".repeat(count),
            open => format!(
                "<Response>\n{open} {} </Message></Response>",
                "\u{e9}".repeat(count)
            ),
        };
        let mut walk = MessageWalk::new("https://example.com/sms").unwrap();
        walk.send("Hi", &[]);
        let mut requests = 0;
        while let Next::Answer(_) = walk.advance() {
            requests += 1;
            walk.answer(Ok(Answer {
                status: if requests == 1 { 200 } else { 204 },
                content_type: Some(content_type),
                location: None,
                body: body.as_bytes(),
            }));
        }
        let steps = walk.steps();
        let is_sent = steps.iter().any(|step| matches!(step, Step::Sent(_)));
        let long = steps.iter().find_map(|step| match step {
            Step::Found(fault) if fault.code == Some(21617) => Some(fault.to_string()),
            _ => None,
        });
        (is_sent, requests, long)
    };
    let shorten = "shorten it to 1,600 characters, or answer with several <Message>s";
    let fault = |line: &str| {
        let fault = format!("{line}error 21617: the message has 1601 characters; {shorten}");
        Some(fault)
    };
    let text = "text/plain";
    for (open, content_type, line, requests) in [
        ("<Message>", "text/xml", "line 2: ", 1),
        (CALLBACK, "text/xml", "line 2: ", 4),
        ("", text, "", 1),
    ] {
        assert_eq!(
            sends(open, 1600, content_type),
            (true, requests, None),
            "{open}"
        );
        assert_eq!(
            sends(open, 1601, content_type),
            (false, 1, fault(line)),
            "{open}"
        );
    }
}
