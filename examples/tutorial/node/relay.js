// An assistant that talks with callers: Twilio turns speech into text and back.

import { Router } from "express";
import twilio from "twilio";

import { assistantUrl, sales, validate } from "./shop.js";

const { VoiceResponse } = twilio.twiml;

export const relay = Router();

relay.post("/start", validate, (req, res) => {
  const response = new VoiceResponse();
  const connect = response.connect({ action: "/relay/ended" });
  const assistant = connect.conversationRelay({
    url: assistantUrl,
    welcomeGreeting: "Hello! What can I do for you?",
    interruptible: "speech",
    dtmfDetection: true,
  });
  assistant.language({ code: "en-US" });
  assistant.parameter({ name: "caller", value: req.body.From });
  res.type("text/xml").send(response.toString());
});

// Connects callers with the sales team if the assistant has passed them on.
relay.post("/ended", validate, (req, res) => {
  const response = new VoiceResponse();
  const { SessionStatus, HandoffData } = req.body;
  if (SessionStatus === "ended" && HandoffData) {
    response.say("I am connecting you with a colleague.");
    response.dial({ timeout: 20, action: "/voice/dialed" }, sales);
  } else if (SessionStatus === "failed") {
    response.say("Our assistant is not available.");
    response.redirect("/voicemail/greeting");
  } else {
    response.hangup();
  }
  res.type("text/xml").send(response.toString());
});
