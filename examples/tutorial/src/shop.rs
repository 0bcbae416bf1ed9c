//! What the shop knows. A real one has a database instead.

use std::{
    collections::BTreeMap,
    env,
    sync::{Mutex, MutexGuard, PoisonError},
};

pub(crate) struct Shop {
    /// The telephone number of the sales team.
    pub(crate) sales: String,
    /// Where Twilio connects to for the assistant.
    pub(crate) assistant_url: String,
    pictures: Mutex<Vec<String>>,
    voicemails: Mutex<BTreeMap<String, Voicemail>>,
}

/// A message that a caller left. Its recording and its text arrive one by one, in any order.
#[derive(Clone, Default)]
pub(crate) struct Voicemail {
    pub(crate) recording_url: Option<String>,
    pub(crate) text: Option<String>,
}

impl Shop {
    pub(crate) fn from_env() -> Result<Self, String> {
        let set = |name| env::var(name).map_err(|_| format!("set {name} to text in UTF-8"));
        Ok(Self::new(
            &set("TWILIO_WEBHOOK_BASE_URL")?,
            set("SALES_NUMBER")?,
        ))
    }

    pub(crate) fn new(base_url: &str, sales: String) -> Self {
        let host = base_url
            .trim_start_matches("https://")
            .trim_end_matches('/');
        Self {
            sales,
            assistant_url: format!("wss://{host}/relay/socket"),
            pictures: Mutex::default(),
            voicemails: Mutex::default(),
        }
    }

    /// Returns where the repair with this number is.
    pub(crate) fn repair(number: &str) -> Option<&'static str> {
        match number {
            "1001" => Some("Your bicycle is ready."),
            "1002" => Some("Your bicycle is in the workshop."),
            _ => None,
        }
    }

    /// Hangs up pictures in the gallery, and returns how many it has.
    pub(crate) fn add_pictures(&self, urls: impl Iterator<Item = String>) -> usize {
        let mut pictures = lock(&self.pictures);
        pictures.extend(urls);
        pictures.len()
    }

    /// Changes the voicemail with this recording, which may be a new one.
    pub(crate) fn change_voicemail(
        &self,
        recording_sid: &str,
        change: impl FnOnce(&mut Voicemail),
    ) {
        change(
            lock(&self.voicemails)
                .entry(recording_sid.to_owned())
                .or_default(),
        );
    }

    #[cfg(test)]
    pub(crate) fn voicemail(&self, recording_sid: &str) -> Option<Voicemail> {
        lock(&self.voicemails).get(recording_sid).cloned()
    }
}

/// A handler that panicked has left the data as they were before or after a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
