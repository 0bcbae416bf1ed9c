// What the shop knows, and the settings. A real one has a database instead.

import twilio from "twilio";

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

export const token = required("TWILIO_AUTH_TOKEN");
const { host, pathname } = new URL(required("TWILIO_WEBHOOK_BASE_URL"));

/** The telephone number of the sales team. */
export const sales = required("SALES_NUMBER");

/** Where Twilio connects to for the assistant. */
export const assistantUrl = `wss://${host}${pathname.replace(/\/$/, "")}/relay/socket`;

/** The middleware that refuses forged requests. */
export const validate = twilio.webhook({ validate: true, protocol: "https", host });

/** Returns where the repair with this number is. */
export function repair(number) {
  switch (number) {
    case "1001":
      return "Your bicycle is ready.";
    case "1002":
      return "Your bicycle is in the workshop.";
  }
}

export const pictures = [];

/** A message that a caller left, by the SID of its recording. Recording and text arrive one by one, in any order. */
const voicemails = new Map();

export function changeVoicemail(recordingSid, change) {
  voicemails.set(recordingSid, { ...voicemails.get(recordingSid), ...change });
}
