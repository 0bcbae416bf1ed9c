#!/usr/bin/env node
// The app of ../src with Node, Express and Twilio's own library, as Twilio's tutorials write it.

import express from "express";

import { messages } from "./messages.js";
import { relay, upgrade } from "./relay.js";
import { status } from "./status.js";
import { voice } from "./voice.js";
import { voicemail } from "./voicemail.js";

const app = express();
app.use(express.urlencoded({ extended: false }));
app.use("/voice", voice);
app.use("/voicemail", voicemail);
app.use("/messages", messages);
app.use("/relay", relay);
app.use("/status", status);

const server = app.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : address;
  console.log(`Listening on http://127.0.0.1:${port}`);
});
server.on("upgrade", upgrade);
