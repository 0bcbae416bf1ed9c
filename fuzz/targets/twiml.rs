//! See the function of this name.

#![no_main]

use actix_twilio_tests::targets::twiml;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| twiml(data));
