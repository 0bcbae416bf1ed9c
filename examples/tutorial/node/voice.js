// The menu that callers hear first.

import { Router } from "express";
import twilio from "twilio";

import { repair, sales, validate } from "./shop.js";

const { VoiceResponse } = twilio.twiml;

export const voice = Router();

// Asks what the call is about. Callers press a key or say a word; those who do neither get to the voicemail.
voice.post("/incoming", validate, (req, res) => {
  const response = new VoiceResponse();
  const menu = response.gather({
    input: ["dtmf", "speech"],
    numDigits: 1,
    hints: "sales, repairs, message, assistant",
    timeout: 5,
    action: "/voice/choice",
  });
  menu.say(
    "Welcome to Ridge Bicycles. For sales, press 1 or say sales. For repairs, press 2 or say repairs. " +
      "To leave a message, press 3 or say message. For our assistant, press 4 or say assistant.",
  );
  response.redirect("/voicemail/greeting");
  res.type("text/xml").send(response.toString());
});

voice.post("/choice", validate, (req, res) => {
  const spoken = (req.body.SpeechResult ?? "").toLowerCase();
  const choice = req.body.Digits ?? spoken.replace(/\.+$/, "");
  const response = new VoiceResponse();
  switch (choice) {
    case "1":
    case "sales":
      response.dial({ timeout: 20, answerOnBridge: true, action: "/voice/dialed" }, sales);
      break;
    case "2":
    case "repairs":
      askRepairNumber(response);
      response.redirect("/voice/incoming");
      break;
    case "3":
    case "message":
      response.redirect("/voicemail/greeting");
      break;
    case "4":
    case "assistant":
      response.redirect("/relay/start");
      break;
    default:
      response.say("Sorry, I did not get that.");
      response.redirect("/voice/incoming");
  }
  res.type("text/xml").send(response.toString());
});

function askRepairNumber(response) {
  const gather = response.gather({ numDigits: 4, finishOnKey: "#", action: "/voice/repair" });
  gather.say("Enter the four digits of your repair number.");
}

voice.post("/repair", validate, (req, res) => {
  const response = new VoiceResponse();
  const state = repair(req.body.Digits);
  if (state) {
    response.say(state);
    response.hangup();
  } else {
    response.say("We have no repair with this number.");
    askRepairNumber(response);
    response.redirect("/voicemail/greeting");
  }
  res.type("text/xml").send(response.toString());
});

// Ends a call that was answered. Other callers can leave a message.
voice.post("/dialed", validate, (req, res) => {
  const response = new VoiceResponse();
  switch (req.body.DialCallStatus) {
    case "completed":
    case "answered":
      response.hangup();
      return res.type("text/xml").send(response.toString());
    case "busy":
      response.say("Everybody is talking to other customers.");
      break;
    case "no-answer":
      response.say("Nobody can answer your call now.");
      break;
    default:
      response.say("We could not connect your call.");
  }
  response.redirect("/voicemail/greeting");
  res.type("text/xml").send(response.toString());
});
