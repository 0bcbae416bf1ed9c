// An assistant that talks with callers: Twilio turns speech into text and back.

import { Router } from "express";
import twilio from "twilio";
import { WebSocketServer } from "ws";

import { assistantUrl, repair, sales, token, validate } from "./shop.js";

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

const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 });

/** Opens the WebSocket of a genuine handshake. Twilio does not sign what it sends through it. */
export function upgrade(req, socket, head) {
  const signature = req.headers["x-twilio-signature"] ?? "";
  if (req.url !== "/relay/socket" || !twilio.validateRequest(token, signature, assistantUrl, {})) {
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    return;
  }
  sockets.handleUpgrade(req, socket, head, talk);
}

/** Answers questions. Callers who ask for a person, or press 0, are passed on. */
function talk(socket) {
  const send = (command) => socket.send(JSON.stringify(command));
  socket.on("error", (error) => console.error(`the session ended: ${error.message}`));
  socket.on("message", (data) => {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      console.error("ignored what Twilio sent: it is not JSON");
      return;
    }
    let question;
    if (message.type === "prompt" && message.last) question = message.voicePrompt.toLowerCase();
    else if (message.type === "dtmf" && message.digit === "0") question = "person";
    else return;
    if (question.includes("person")) {
      send({ type: "text", token: "One moment, please.", last: true });
      send({ type: "end", handoffData: JSON.stringify({ reason: "person" }) });
    } else {
      send({ type: "text", token: reply(question), last: true });
    }
  });
}

/** Returns what the assistant says. A real one asks a language model. */
function reply(question) {
  if (question.includes("open")) return "We are open from 9 to 6, Monday to Saturday.";
  const state = question.split(/[^0-9]/).map(repair).find(Boolean);
  return state ?? "Ask me when we are open, tell me the number of your repair, or ask for a person.";
}

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
