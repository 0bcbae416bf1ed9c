// What became of calls and of the messages that were sent. Twilio wants no answer to it: an empty 204.

import { Router } from "express";

import { validate } from "./shop.js";

export const status = Router();

status.post("/call", validate, (req, res) => {
  const { CallSid, CallStatus, CallDuration } = req.body;
  if (CallStatus === "completed") {
    console.error(`the call ${CallSid} ended after ${CallDuration} seconds`);
  } else if (["busy", "failed", "no-answer"].includes(CallStatus)) {
    console.error(`the call ${CallSid} was not answered`);
  }
  res.sendStatus(204);
});

status.post("/message", validate, (req, res) => {
  const { MessageSid, MessageStatus, ErrorCode } = req.body;
  if (["undelivered", "failed"].includes(MessageStatus)) {
    console.error(`the message ${MessageSid} was not delivered: ${ErrorCode}`);
  }
  res.sendStatus(204);
});
