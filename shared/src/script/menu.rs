//! Menus: read to the caller, and what their choice leads to.
//!
//! How often a menu was read, and how many were in the whole call, is in the cue: a choice that is
//! told again, or late, gets the same answer.

use super::{Decision, cue, follow, notify, own, sorry};
use crate::call::Call;
use crate::cue::{Cue, Step};
use crate::ncco::{Action, Dtmf, Input, Ncco, Speech, Talk};
use crate::plan::menu::READINGS_MAX;
use crate::plan::{Flow, FlowName, Menu, Plan};
use crate::webhook::Digits;
use jiff::Timestamp;
use std::time::Duration;

/// How long a caller may speak: a choice is a few words, and the others wait behind it.
const SPEAKS_MAX: Duration = Duration::from_secs(10);

/// Silence after which a choice is said. Vonage waits two seconds unless told, and a caller wonders.
const SPOKEN_AFTER: Duration = Duration::from_secs(1);

/// A menu read for the first time; `None` when the caller has heard as many as one may.
pub(super) fn enter(flow: &Flow, menu: &Menu, call: &Call) -> Option<Ncco> {
    (call.menus < READINGS_MAX).then(|| read(flow, menu, call, 1, None))
}

/// A menu read. `reading`: for the n-th time in a row. `before`: what is said about the last.
fn read(flow: &Flow, menu: &Menu, call: &Call, reading: u8, before: Option<&str>) -> Ncco {
    let call = Call {
        menus: call.menus.saturating_add(1),
        ..call.clone()
    };
    let cue = cue(&call, flow, Step::Menu(reading));
    let own_language = before.into_iter().chain([menu.say.as_str()]);
    let own_language = own_language.map(|text| (flow.language.as_str(), text));
    let others = menu.also_say.iter();
    let others = others.map(|(language, text)| (language.as_str(), text.as_str()));
    let ncco: Ncco = own_language
        .chain(others)
        .map(|(language, text)| interruptible(text, language))
        .collect();
    ncco.then(input(flow, menu, &call, &cue))
        .then(notify(&call.base, &cue))
        .then(own(super::SORRY))
}

/// Who knows what to press does not have to listen to the end.
fn interruptible(text: &str, language: &str) -> Action {
    Talk {
        language: Some(language.to_owned()),
        barge_in: Some(true),
        ..Talk::say(text)
    }
    .into()
}

fn input(flow: &Flow, menu: &Menu, call: &Call, cue: &Cue) -> Input {
    let keys = (!menu.keys.is_empty()).then_some(Dtmf {
        time_out: Some(menu.timeout),
        max_digits: Some(1),
        submit_on_hash: None,
    });
    let phrases = menu.speech.iter().map(|phrase| phrase.words.join(" "));
    let speech = (!menu.speech.is_empty()).then(|| Speech {
        uuid: Some(call.leg.clone()),
        end_on_silence: Some(SPOKEN_AFTER),
        language: Some(flow.language.clone()),
        context: Some(phrases.collect()),
        start_timeout: Some(menu.timeout),
        max_duration: Some(SPEAKS_MAX),
        ..Speech::default()
    });
    super::input(keys, speech, &call.base, cue)
}

/// What comes of a menu: of what was pressed or said, or of a reply of ours that was lost, where
/// there is no input.
#[must_use]
pub fn chosen<'p>(
    plan: &'p Plan,
    flow: &FlowName,
    reading: u8,
    input: Option<&Digits>,
    call: &Call,
    now: Timestamp,
) -> Decision<'p> {
    let Some((flow, menu)) = plan.menu(flow) else {
        return Decision::say(sorry(), "the menu is not in the plan any more");
    };
    let name = &flow.name;
    let choice = input.and_then(|input| choice(menu, input));
    if let Some(to) = choice {
        let why = format!("{name}: the caller chose {to}");
        return followed(plan, to, call, now, &why);
    }
    let (what, before) = match input {
        Some(input) if input.keys.is_empty() && input.spoken.is_empty() => {
            ("nothing was chosen", menu.no_input.as_deref())
        }
        Some(_) => ("that was no choice", menu.wrong_input.as_deref()),
        None => ("what was chosen did not reach us", None),
    };
    if reading >= menu.tries || call.menus >= READINGS_MAX {
        let why = format!("{name}: {what}, and it was read {reading} times");
        return followed(plan, &menu.otherwise, call, now, &why);
    }
    Decision::say(
        read(flow, menu, call, reading + 1, before),
        format!("{name}: {what}; it is read again"),
    )
}

fn followed<'p>(
    plan: &'p Plan,
    to: &FlowName,
    call: &Call,
    now: Timestamp,
    why: &str,
) -> Decision<'p> {
    let decision = follow(plan, to, call, now);
    Decision {
        why: format!("{why}; {}", decision.why),
        ..decision
    }
}

fn choice<'p>(menu: &'p Menu, input: &Digits) -> Option<&'p FlowName> {
    let said = || input.spoken.iter().find_map(|said| menu.by_words(said));
    menu.by_key(&input.keys).or_else(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Next, after_ring, answer, consent};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const PLAN: &str = r#"
[defaults]
language = "en-GB"
[[line]]
number = "447700900002"
name = "Line"
flow = "main"
[flow.main]
type = "menu"
say = "Sales or support?"
also-say = { de-DE = "Deutsch: drei." }
keys = { 1 = "sales", 2 = "support", 3 = "german", "*" = "main" }
speech = { sales = ["sales", "buy"], support = "I need help" }
no-input = "Nothing heard."
wrong-input = "No such choice."
tries = 3
timeout = "4s"
otherwise = "closed"
[flow.german]
type = "menu"
language = "de-DE"
say = "Stern: zurück."
keys = { "*" = "main" }
tries = 1
otherwise = "closed"
[flow.sales]
type = "message"
say = "Sales."
[flow.support]
type = "message"
say = "Support."
[flow.closed]
type = "message"
say = "Closed."
"#;

    fn parse(text: &str) -> Plan {
        let checked = Plan::parse(text);
        let faults = checked.faults;
        checked.plan.unwrap_or_else(|| panic!("{faults:?}"))
    }

    fn call() -> Call {
        serde_json::from_value(json!({
            "leg": "leg-1",
            "conversation": "CON-1",
            "line": "447700900002",
            "at": "2026-03-02T10:00:00Z",
            "base": "https://example.com",
            "plan": "1",
        }))
        .unwrap()
    }

    fn now() -> Timestamp {
        "2026-03-02T10:00:00Z".parse().unwrap()
    }

    /// What is said in a script, one sentence after the other.
    fn said(ncco: &Ncco) -> Vec<String> {
        let script = serde_json::to_value(ncco).unwrap();
        let talks = script.as_array().unwrap().iter();
        let talks = talks.filter_map(|action| action["text"].as_str());
        talks.map(str::to_owned).collect()
    }

    fn script(decision: Decision<'_>) -> Ncco {
        match decision.next {
            Next::Say(ncco) => ncco,
            next => panic!("{next:?}"),
        }
    }

    fn pressed(keys: &str) -> Digits {
        Digits {
            keys: keys.to_owned(),
            ..Digits::default()
        }
    }

    fn spoken(said: &[&str]) -> Digits {
        Digits {
            spoken: said.iter().map(|said| (*said).to_owned()).collect(),
            ..Digits::default()
        }
    }

    #[test]
    fn a_menu_is_read_in_its_languages_and_can_be_interrupted() {
        let plan = parse(PLAN);
        let ncco = script(answer(&plan, &call(), now()));
        assert_eq!(ncco.check(), []);
        insta::assert_json_snapshot!(ncco, @r#"
        [
          {
            "action": "talk",
            "text": "Sales or support?",
            "bargeIn": true,
            "language": "en-GB"
          },
          {
            "action": "talk",
            "text": "Deutsch: drei.",
            "bargeIn": true,
            "language": "de-DE"
          },
          {
            "action": "input",
            "type": [
              "dtmf",
              "speech"
            ],
            "dtmf": {
              "timeOut": 4,
              "maxDigits": 1
            },
            "speech": {
              "uuid": [
                "leg-1"
              ],
              "endOnSilence": 1,
              "language": "en-GB",
              "context": [
                "sales",
                "buy",
                "i need help"
              ],
              "startTimeout": 4,
              "maxDuration": 10
            },
            "eventUrl": [
              "https://example.com/webhooks/event?call=leg-1&flow=main&menu=1&menus=1"
            ],
            "eventMethod": "POST"
          },
          {
            "action": "notify",
            "payload": {
              "call": "leg-1",
              "flow": "main",
              "menu": "1",
              "menus": "1"
            },
            "eventUrl": [
              "https://example.com/webhooks/event"
            ],
            "eventMethod": "POST"
          },
          {
            "action": "talk",
            "text": "We are sorry, something has gone wrong on our side. Please call again in a few minutes.",
            "language": "en-GB"
          }
        ]
        "#);
    }

    #[test]
    fn a_choice_leads_on_and_anything_else_is_told_and_read_again() {
        let plan = parse(PLAN);
        let first = Call { menus: 1, ..call() };
        let of = |reading, input: Option<&Digits>| {
            let flow = "main".parse().unwrap();
            let chosen = chosen(&plan, &flow, reading, input, &first, now());
            said(&script(chosen))
        };
        let again = |before: &str| {
            let all = [
                before,
                "Sales or support?",
                "Deutsch: drei.",
                super::super::SORRY,
            ];
            let said = all.iter().filter(|text| !text.is_empty());
            said.map(|text| (*text).to_owned()).collect::<Vec<_>>()
        };
        for (input, expected) in [
            (pressed("1"), "Sales."),
            (pressed("2"), "Support."),
            (spoken(&["I'd like to buy"]), "Sales."),
            (spoken(&["cat", "I need help now"]), "Support."),
            (spoken(&["2"]), "Support."),
        ] {
            assert_eq!(of(1, Some(&input)), [expected], "{input:?}");
        }
        assert_eq!(of(1, Some(&pressed("*"))), again(""));
        for input in ["9", "12", "#", "1#", "\u{661}", "x"] {
            assert_eq!(
                of(1, Some(&pressed(input))),
                again("No such choice."),
                "{input}"
            );
        }
        assert_eq!(of(1, Some(&spoken(&["cat"]))), again("No such choice."));
        assert_eq!(of(2, Some(&pressed(""))), again("Nothing heard."));
        // Our reply was lost: nobody is to blame.
        assert_eq!(of(1, None), again(""));
        for input in [Some(pressed("9")), Some(pressed("")), None] {
            assert_eq!(of(3, input.as_ref()), ["Closed."]);
            assert_eq!(of(u8::MAX, input.as_ref()), ["Closed."]);
        }
        // Told late, a choice is still one.
        assert_eq!(of(3, Some(&pressed("1"))), ["Sales."]);
    }

    #[test]
    fn a_menu_below_leads_back_and_counts() {
        let plan = parse(PLAN);
        let first = Call { menus: 1, ..call() };
        let flow = "main".parse().unwrap();
        let below = script(chosen(&plan, &flow, 1, Some(&pressed("3")), &first, now()));
        let cue = heard(&below).unwrap();
        assert_eq!(
            (cue.flow.as_str(), &cue.step, cue.menus),
            ("german", &Step::Menu(1), 2)
        );
        let back = chosen(
            &plan,
            &cue.flow,
            1,
            Some(&pressed("*")),
            &first.come_to(&cue),
            now(),
        );
        let cue = heard(&script(back)).unwrap();
        assert_eq!(
            (cue.flow.as_str(), &cue.step, cue.menus),
            ("main", &Step::Menu(1), 3)
        );
    }

    #[test]
    fn who_has_heard_enough_menus_hears_no_other() {
        let plan = parse(PLAN);
        let flow = "main".parse().unwrap();
        for (menus, reads) in [
            (READINGS_MAX - 1, true),
            (READINGS_MAX, false),
            (u8::MAX, false),
        ] {
            let call = Call { menus, ..call() };
            for input in ["*", "9", ""] {
                let chosen = chosen(&plan, &flow, 1, Some(&pressed(input)), &call, now());
                let cue = heard(&script(chosen));
                assert_eq!(cue.is_some(), reads, "{menus} {input}");
            }
        }
    }

    /// What a script listens for, or whom it rings: by the cue of its event.
    fn heard(ncco: &Ncco) -> Option<Cue> {
        let script = serde_json::to_value(ncco).unwrap();
        let actions = script.as_array().unwrap();
        let at = actions.iter().position(|action| {
            ["input", "connect"]
                .map(Value::from)
                .contains(&action["action"])
        })?;
        assert!(at + 1 < actions.len(), "a lost reply must not hang up");
        let url = actions[at]["eventUrl"][0].as_str().unwrap();
        Some(Cue::from_query(url.split_once('?').unwrap().1).unwrap())
    }

    /// Flows that lead by themselves only to later ones, and by choice anywhere.
    fn plans() -> impl Strategy<Value = String> {
        let node = (0..8_u8, any::<[prop::sample::Index; 4]>(), 1..=10_u8);
        prop::collection::vec(node, 1..8).prop_map(|nodes| {
            let count = nodes.len();
            let mut text = "[[line]]\nnumber = \"447700900002\"\nname = \"Line\"\nflow = \"f0\"\nconsent = \"ask\"\n\
                 [[agent]]\nname = \"alice\"\nphone = \"447700900011\"\n"
                .to_owned();
            for (at, (kind, to, tries)) in nodes.iter().enumerate() {
                let any = |n: usize| to[n].index(count + 1);
                let later = |n: usize| at + 1 + to[n].index(count - at);
                let body = match kind {
                    0..=2 => format!(
                        "type = \"menu\"\nsay = \"Choose.\"\ntries = {tries}\n\
                         keys = {{ 1 = \"f{}\", 2 = \"f{}\", \"*\" = \"f{}\" }}\notherwise = \"f{}\"",
                        any(0), any(1), any(2), later(3)
                    ),
                    3 => format!(
                        "type = \"hours\"\nopen = [\"Mon-Fri 09:00-17:00\"]\ntimezone = \"UTC\"\n\
                         then = \"f{}\"\notherwise = \"f{}\"",
                        later(0), later(1)
                    ),
                    4 => format!(
                        "type = \"ring\"\nagents = [\"alice\"]\nrecord = true\notherwise = \"f{}\"",
                        later(0)
                    ),
                    5 => format!(
                        "type = \"queue\"\nsay = \"Hold.\"\nagents = [\"alice\"]\nmax-wait = \"1m\"\n\
                         otherwise = \"f{}\"",
                        later(0)
                    ),
                    6 => format!(
                        "type = \"hotline\"\nstaff = [\"alice\"]\nmusic = \"https://example.com/a.mp3\"\n\
                         record = true\nmax-wait = \"1m\"\notherwise = \"f{}\"",
                        later(0)
                    ),
                    _ => "type = \"voicemail\"\nsay = \"Speak.\"".to_owned(),
                };
                text += &format!("[flow.f{at}]\n{body}\n");
            }
            text + &format!("[flow.f{count}]\ntype = \"message\"\nsay = \"Bye.\"\n")
        })
    }

    proptest! {
        #[test]
        fn whatever_callers_press_they_reach_an_end(
            text in plans(),
            presses in prop::collection::vec("[12*9]?", 1..6),
        ) {
            let plan = parse(&text);
            let flows = plan.flows().count();
            // Each reading, and from one to the next each flow once and its consent.
            let steps_max = (usize::from(READINGS_MAX) + 1) * (2 * flows + 1);
            let mut presses = presses.iter().cycle();
            let mut call = call();
            let mut decision = answer(&plan, &call, now());
            let mut ended = false;
            for _ in 0..steps_max {
                let ncco = match decision.next {
                    // Nobody is free for a minute.
                    Next::Wait(_, queue) => {
                        decision = follow(&plan, &queue.otherwise, &call, now());
                        continue;
                    }
                    // Nobody joins.
                    Next::Gather(_, hotline) => {
                        decision = follow(&plan, &hotline.otherwise, &call, now());
                        continue;
                    }
                    Next::Say(ncco) | Next::Mailbox(_, ncco) => ncco,
                };
                prop_assert_eq!(ncco.check(), []);
                let Some(cue) = heard(&ncco) else {
                    ended = true;
                    break;
                };
                call = call.come_to(&cue);
                let input = pressed(presses.next().unwrap());
                decision = match cue.step {
                    Step::Menu(reading) => {
                        chosen(&plan, &cue.flow, reading, Some(&input), &call, now())
                    }
                    Step::Consent => {
                        call.consent = Some(consent::agrees(Some(&input)));
                        follow(&plan, &cue.flow, &call, now())
                    }
                    // Nobody picks up.
                    Step::Ring(index) => after_ring(&plan, &cue.flow, index as usize, &call, now()),
                    step => panic!("{step:?}"),
                };
            }
            prop_assert!(ended, "after {steps_max} steps\n{text}");
            prop_assert!(call.menus <= READINGS_MAX);
        }
    }
}
