//! Voicemail: greeting, tone, message, thanks.

use super::consent::{Consented, consented};
use super::words::Words;
use super::{Next, cue, record, recording_url, say};
use crate::call::Call;
use crate::cue::Step;
use crate::ncco::{Method, Ncco, Record, Transcription};
use crate::plan::{Flow, Plan, Voicemail};

/// What a caller of a voicemail hears. Nothing in it comes back to us: the message is told of by its
/// own notice.
pub(super) fn enter<'p>(
    plan: &Plan,
    flow: &'p Flow,
    voicemail: &Voicemail,
    call: &Call,
) -> Next<'p> {
    let (words, language) = Words::of(&flow.language);
    let Consented::Yes(announced) = consented(plan, flow, call) else {
        return Next::Say(Ncco::default().then(say(words.refused, language)));
    };
    let cue = cue(call, flow, Step::Message);
    let transcription = voicemail
        .transcription
        .as_ref()
        .map(|language| Transcription {
            language: Some(language.clone()),
            event_url: Some(recording_url(&call.base, &cue)),
            event_method: Some(Method::Post),
            sentiment_analysis: None,
        });
    let record = Record {
        end_on_silence: Some(voicemail.silence),
        end_on_key: Some(voicemail.end_key.as_char()),
        time_out: Some(voicemail.max_length),
        beep_start: Some(true),
        transcription,
        ..record(&call.base, &cue)
    };
    let thanks = match &voicemail.thanks {
        Some(thanks) => say(thanks, &flow.language),
        None => say(words.thanks, language),
    };
    let mut ncco = Ncco::default();
    ncco.extend(announced);
    let ncco = ncco
        .then(say(&voicemail.say, &flow.language))
        .then(record)
        .then(thanks);
    Next::Mailbox(flow, ncco)
}
