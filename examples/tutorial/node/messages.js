// Text messages: keywords, and pictures.

import { Router } from "express";
import twilio from "twilio";

import { pictures, repair, validate } from "./shop.js";

const { MessagingResponse } = twilio.twiml;

const PICTURE = "https://example.com/thanks.png";

export const messages = Router();

/** The answers to messages, by their SIDs. A picture gets a number, so each message is handled once. */
const answers = new Map();

messages.post("/incoming", validate, (req, res) => {
  const sid = req.body.MessageSid;
  if (!answers.has(sid)) answers.set(sid, answer(req.body));
  res.type("text/xml").send(answers.get(sid));
});

function answer(message) {
  const response = new MessagingResponse();
  // Twilio has answered STOP, START or HELP already.
  if (message.OptOutType) return response.toString();
  const found = [];
  for (let at = 0; at < Number(message.NumMedia ?? 0); at += 1) {
    if (message[`MediaContentType${at}`]?.startsWith("image/")) found.push(message[`MediaUrl${at}`]);
  }
  if (found.length > 0) {
    pictures.push(...found);
    const reply = response.message({ action: "/status/message" }, "");
    reply.body(`Thank you! This is picture ${pictures.length} in our gallery.`);
    reply.media(PICTURE);
  } else {
    response.message({ action: "/status/message" }, reply(message.Body ?? ""));
  }
  return response.toString();
}

/** Returns the reply to a keyword, in any case. */
function reply(text) {
  const [keyword, number] = text.toLowerCase().trim().split(/\s+/);
  if (keyword === "hours") return "We are open from 9 to 6, Monday to Saturday.";
  if (keyword === "repair" && number) return repair(number) ?? "We have no repair with this number.";
  return "Write HOURS, or REPAIR and the number of your repair, or send us a picture of your bicycle.";
}
