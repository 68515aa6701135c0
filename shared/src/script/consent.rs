//! Whether a caller may be recorded, and what they hear before: once, for every flow that records.
//!
//! The line says whether callers are told, asked, or neither. Who is to be asked is asked where the
//! flow begins, before anybody's phone rings for them; who is told is told just before it records.

use super::words::Words;
use super::{ask_for_key, cue, say, talk};
use crate::call::Call;
use crate::cue::Step;
use crate::ncco::{Action, Ncco, Record};
use crate::plan::{Consent, Flow, Line, Plan};
use crate::webhook::Digits;
use std::time::Duration;

/// The key that says yes.
const YES: &str = "1";

/// How long an answer is waited for.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Whether a flow may record a caller.
#[derive(Debug, Clone, PartialEq)]
pub enum Consented {
    /// It may, and this is said before, if anything.
    Yes(Vec<Action>),
    /// It may not: the caller was asked, and did not agree.
    No,
    /// The caller has to be asked first, with [`ask`].
    Unasked,
}

/// Whether this flow may record this caller.
#[must_use]
pub fn consented(plan: &Plan, flow: &Flow, call: &Call) -> Consented {
    // A line that is not in the plan any more is treated as most are.
    let consent =
        super::line_of(plan, call).map_or(Consent::default(), |Line { consent, .. }| *consent);
    match (consent, call.consent) {
        (Consent::None, _) | (Consent::Ask, Some(true)) => Consented::Yes(Vec::new()),
        (Consent::Announce, _) => {
            let (words, language) = Words::of(&flow.language);
            Consented::Yes(vec![say(words.announce, language)])
        }
        (Consent::Ask, Some(false)) => Consented::No,
        (Consent::Ask, None) => Consented::Unasked,
    }
}

/// What stands before the talk of a flow that records: the sentence and the recording; nothing
/// where it may not.
pub(super) fn recorded(plan: &Plan, flow: &Flow, call: &Call, record: Record) -> Vec<Action> {
    match consented(plan, flow, call) {
        Consented::Yes(mut said) => {
            said.push(record.into());
            said
        }
        Consented::No | Consented::Unasked => Vec::new(),
    }
}

/// Asks whether the caller agrees. The answer comes as an input with the cue of the flow.
#[must_use]
pub fn ask(flow: &Flow, call: &Call) -> Ncco {
    let (words, language) = Words::of(&flow.language);
    let cue = cue(call, flow, Step::Consent);
    ask_for_key(talk(words.ask, language), ANSWERS_WITHIN, &call.base, &cue)
}

/// Whether an input is a yes. Nothing, and anything else, is none.
#[must_use]
pub fn agrees(input: Option<&Digits>) -> bool {
    input.is_some_and(|input| input.keys == YES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Next, follow, ring_agent};
    use serde_json::json;

    fn plan(consent: &str) -> Plan {
        let text = format!(
            "[[line]]\nnumber = \"447700900002\"\nname = \"Line\"\nflow = \"ring\"\nconsent = \"{consent}\"\n\
             [[agent]]\nname = \"alice\"\nphone = \"447700900011\"\n\
             [flow.ring]\ntype = \"ring\"\nlanguage = \"de-DE\"\nrecord = true\nagents = [\"alice\"]\notherwise = \"box\"\n\
             [flow.box]\ntype = \"voicemail\"\nlanguage = \"ja-JP\"\nsay = \"Speak.\"\ntranscription = true\n"
        );
        let checked = Plan::parse(&text);
        checked
            .plan
            .unwrap_or_else(|| panic!("{:?}", checked.faults))
    }

    fn call(consent: Option<bool>) -> Call {
        serde_json::from_value(json!({
            "leg": "leg-1", "conversation": "CON-1", "line": "447700900002",
            "at": "2026-03-02T10:00:00Z", "base": "https://example.com", "plan": "1",
            "consent": consent,
        }))
        .unwrap()
    }

    /// What is said and recorded, up to the ringing.
    fn told(ncco: &Ncco) -> Vec<String> {
        let script = serde_json::to_value(ncco).unwrap();
        let actions = script.as_array().unwrap().iter();
        let actions = actions.take_while(|action| {
            !["connect", "notify"].contains(&action["action"].as_str().unwrap())
        });
        let words = actions.map(|action| match action["text"].as_str() {
            Some(text) => format!("{}: {text}", action["language"].as_str().unwrap()),
            None => action["action"].as_str().unwrap().to_owned(),
        });
        words.collect()
    }

    /// What a ring and a voicemail come to.
    fn check(line: &str, agreed: Option<bool>, ring: &[&str], voicemail: &[&str]) {
        let (plan, call) = (plan(line), call(agreed));
        for (flow, expected) in [("ring", ring), ("box", voicemail)] {
            let name = flow.parse().unwrap();
            let next = follow(&plan, &name, &call, call.at).next;
            let left = matches!(next, Next::Mailbox(..));
            let (Next::Say(ncco) | Next::Mailbox(_, ncco)) = next else {
                panic!("{next:?}")
            };
            assert_eq!(ncco.check(), [], "{line} {agreed:?} {flow}");
            assert_eq!(told(&ncco), expected, "{line} {agreed:?} {flow}");
            assert_eq!(
                left,
                told(&ncco).contains(&"record".to_owned()) && flow == "box"
            );
        }
    }

    const GERMAN: &str = "de-DE: Dieses Gespräch wird aufgezeichnet.";
    const ENGLISH: &str = "en-GB: This call is recorded.";
    const ASKS_GERMAN: &str = "de-DE: Wir möchten dieses Gespräch aufzeichnen. Drücken Sie die 1, wenn Sie \
        einverstanden sind, oder eine andere Taste, um ohne Aufzeichnung fortzufahren.";
    const ASKS_ENGLISH: &str = "en-GB: We would like to record this call. Press 1 if you agree, or any other key to \
        go on without a recording.";
    const THANKS: &str = "en-GB: Thank you for your message. Goodbye.";
    const REFUSED: &str = "en-GB: Without your consent no message can be recorded. Goodbye.";
    const SPEAK: &str = "ja-JP: Speak.";

    #[test]
    fn a_line_says_what_stands_before_every_recording() {
        check("none", None, &["record"], &[SPEAK, "record", THANKS]);
        check(
            "announce",
            None,
            &[GERMAN, "record"],
            &[ENGLISH, SPEAK, "record", THANKS],
        );
        check(
            "ask",
            None,
            &[ASKS_GERMAN, "input"],
            &[ASKS_ENGLISH, "input"],
        );
        check("ask", Some(true), &["record"], &[SPEAK, "record", THANKS]);
        check("ask", Some(false), &[], &[REFUSED]);
        // Nobody was asked on such a line.
        check(
            "announce",
            Some(false),
            &[GERMAN, "record"],
            &[ENGLISH, SPEAK, "record", THANKS],
        );
    }

    #[test]
    fn who_was_not_asked_is_not_recorded() {
        let plan = plan("ask");
        let (flow, ring) = plan.ring(&"ring".parse().unwrap()).unwrap();
        let ncco = ring_agent(&plan, flow, ring, 0, &call(None), call(None).at).unwrap();
        assert_eq!(told(&ncco), [] as [&str; 0]);
    }

    #[test]
    fn only_the_key_says_yes() {
        let digits = |keys: &str, spoken: &[&str]| Digits {
            keys: keys.to_owned(),
            spoken: spoken.iter().map(|text| (*text).to_owned()).collect(),
            timed_out: false,
        };
        assert!(agrees(Some(&digits("1", &[]))));
        for no in [
            digits("", &[]),
            digits("2", &[]),
            digits("11", &[]),
            digits("", &["1", "yes"]),
        ] {
            assert!(!agrees(Some(&no)), "{no:?}");
        }
        assert!(!agrees(None));
    }

    #[test]
    fn a_message_ends_by_silence_key_or_length_and_is_written_down_where_asked() {
        let (plan, call) = (plan("none"), call(None));
        let next = follow(&plan, &"box".parse().unwrap(), &call, call.at).next;
        let Next::Mailbox(flow, ncco) = next else {
            panic!("{next:?}")
        };
        assert_eq!(flow.name.as_str(), "box");
        let record = serde_json::to_value(&ncco.actions()[1]).unwrap();
        let url = "https://example.com/webhooks/recording?call=leg-1&flow=box&message=1";
        assert_eq!(
            record,
            json!({
                "action": "record", "endOnSilence": 5, "endOnKey": "#", "timeOut": 180, "beepStart": true,
                "transcription": { "language": "ja-JP", "eventUrl": [url], "eventMethod": "POST" },
                "eventUrl": [url], "eventMethod": "POST",
            })
        );
    }
}
