//! How text is pronounced: <https://www.twilio.com/docs/voice/twiml/say/text-speech>.

use super::elements;
use crate::values::{
    Alphabet, BreakStrength, DateFormat, EmphasisLevel, InterpretAs, LanguageTag, Time,
};

elements! {
    /// Pauses within a text.
    Break = "break", "https://www.twilio.com/docs/voice/twiml/say/text-speech#break" {
        fn new();
        "strength" => strength: BreakStrength,
        "time" => time: Time,
    }

    /// Stresses words.
    Emphasis = "emphasis", "https://www.twilio.com/docs/voice/twiml/say/text-speech#emphasis" {
        fn new(<words>);
        "level" => level: EmphasisLevel,
        ["#text", Break, Emphasis, Lang, Phoneme, Prosody, SayAs, Sub, W]
    }

    /// Reads words in another language.
    Lang = "lang", "https://www.twilio.com/docs/voice/twiml/say/text-speech#lang" {
        fn new(<words>, "xml:lang" => language: LanguageTag);
        ["#text", Break, Emphasis, Lang, P, Phoneme, Prosody, S, SayAs, Sub, W]
    }

    /// A paragraph, with pauses around it.
    P = "p", "https://www.twilio.com/docs/voice/twiml/say/text-speech#p" {
        fn new(<words>);
        ["#text", Break, Emphasis, Lang, Phoneme, Prosody, S, SayAs, Sub, W]
    }

    /// Pronounces words as phonetic symbols say.
    Phoneme = "phoneme", "https://www.twilio.com/docs/voice/twiml/say/text-speech#phoneme" {
        fn new("#text" => words: String, "ph" => symbols: String);
        "alphabet" => alphabet: Alphabet,
    }

    /// Changes volume, rate and pitch.
    Prosody = "prosody", "https://www.twilio.com/docs/voice/twiml/say/text-speech#prosody" {
        fn new(<words>);
        /// A word from `silent` to `x-loud`, or a difference: `+6dB`.
        "volume" => volume: String,
        /// A word from `x-slow` to `x-fast`, or a percentage: `120%`.
        "rate" => rate: String,
        /// A word from `x-low` to `x-high`, or a difference: `-10%`.
        "pitch" => pitch: String,
        ["#text", Break, Emphasis, Lang, P, Phoneme, Prosody, S, SayAs, Sub, W]
    }

    /// A sentence, with pauses around it.
    S = "s", "https://www.twilio.com/docs/voice/twiml/say/text-speech#s" {
        fn new(<words>);
        ["#text", Break, Emphasis, Lang, Phoneme, Prosody, SayAs, Sub, W]
    }

    /// Reads words as what they are: a date, a telephone number.
    SayAs = "say-as", "https://www.twilio.com/docs/voice/twiml/say/text-speech#say-as" {
        fn new("#text" => words: String, "interpret-as" => interpret_as: InterpretAs);
        /// Of a date.
        "format" => format: DateFormat,
    }

    /// Reads something else than the words, such as an abbreviation in full.
    Sub = "sub", "https://www.twilio.com/docs/voice/twiml/say/text-speech#sub" {
        fn new("#text" => words: String, "alias" => alias: String);
    }

    /// Pronounces a word as its part of speech says.
    W = "w", "https://www.twilio.com/docs/voice/twiml/say/text-speech#w" {
        fn new(<words>);
        /// Such as `amazon:VB` for a verb.
        "role" => role: String,
        ["#text", Break, Emphasis, Phoneme, Prosody, SayAs, Sub]
    }
}
