// Messages that callers leave.

import { Router } from "express";
import twilio from "twilio";

import { changeVoicemail, validate } from "./shop.js";

const { VoiceResponse } = twilio.twiml;

export const voicemail = Router();

voicemail.post("/greeting", validate, (req, res) => {
  const response = new VoiceResponse();
  response.say("Please leave a message after the tone, and press the hash key.");
  response.record({
    action: "/voicemail/recorded",
    maxLength: 120,
    finishOnKey: "#",
    recordingStatusCallback: "/voicemail/saved",
    recordingStatusCallbackEvent: ["completed", "absent"],
    transcribe: true,
    transcribeCallback: "/voicemail/transcribed",
  });
  // Twilio continues here if it recorded nothing.
  response.say("We did not hear anything. Goodbye.");
  response.hangup();
  res.type("text/xml").send(response.toString());
});

voicemail.post("/recorded", validate, (req, res) => {
  const response = new VoiceResponse();
  const seconds = req.body.RecordingDuration ?? 0;
  response.say(`Thank you for your message of ${seconds} seconds. Goodbye.`);
  response.hangup();
  res.type("text/xml").send(response.toString());
});

// Keeps the recording. Twilio may send this again: the voicemail is then the same.
voicemail.post("/saved", validate, (req, res) => {
  if (req.body.RecordingStatus === "completed") {
    changeVoicemail(req.body.RecordingSid, { recordingUrl: req.body.RecordingUrl });
  }
  res.sendStatus(204);
});

voicemail.post("/transcribed", validate, (req, res) => {
  if (req.body.RecordingSid) {
    changeVoicemail(req.body.RecordingSid, { text: req.body.TranscriptionText });
  }
  res.sendStatus(204);
});
