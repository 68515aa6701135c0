//! Flows of type `voicemail`.

use super::fields::{Item, text};
use super::flow::Body;
use super::{Reading, read_language};
use crate::plan::fault::quoted;
use crate::plan::voicemail::{LENGTH, LENGTH_DEFAULT, SILENCE, SILENCE_DEFAULT};
use crate::plan::{Key, Voicemail};
use toml::de::DeValue;

/// Into which language a message is to be written down.
enum Transcription {
    /// None: it is not.
    Off,
    /// The flow's own.
    Own,
    /// This one.
    In(String),
}

impl Body<'_, '_, '_, '_> {
    /// `language`: the flow's own, where that reads.
    pub(super) fn voicemail(&mut self, language: Option<&str>) -> Option<Voicemail> {
        let say = self.say("say");
        let thanks = self.optional_say("thanks");
        let max_length = self.duration("max-length", LENGTH);
        let silence = self.duration("silence", SILENCE);
        let end_key = self.fields.optional(self.reading, "end-key", end_key);
        let transcription = self
            .fields
            .optional(self.reading, "transcription", transcription);
        let transcription = match transcription?.unwrap_or(Transcription::Off) {
            Transcription::Off => None,
            Transcription::Own => Some(language?.to_owned()),
            Transcription::In(language) => Some(language),
        };
        Some(Voicemail {
            say: say?,
            thanks: thanks?,
            max_length: max_length?.unwrap_or(LENGTH_DEFAULT),
            silence: silence?.unwrap_or(SILENCE_DEFAULT),
            end_key: end_key?.unwrap_or(Key::HASH),
            transcription,
        })
    }
}

fn end_key(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<Key> {
    let given = text(reading, item, "a key of a phone", Ok)?;
    let key = Key::parse(&given);
    if key.is_none() {
        let message = format!("{} is no key of a phone", quoted(&given));
        let advice = "keys are \"0\" to \"9\", \"*\" and \"#\"".to_owned();
        reading
            .faults
            .fault(item.span.clone(), message, Some(advice));
    }
    key
}

fn transcription(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<Transcription> {
    match item.value {
        DeValue::Boolean(true) => Some(Transcription::Own),
        DeValue::Boolean(false) => Some(Transcription::Off),
        DeValue::String(_) => read_language(reading, item).map(Transcription::In),
        _ => {
            reading.mismatch(item, "true or a language", None);
            None
        }
    }
}
