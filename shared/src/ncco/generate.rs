//! Scripts for property tests.

use super::*;
use crate::id::{ConversationId, LegId};
use crate::number::PhoneNumber;
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};
use std::ops::RangeInclusive;
use std::time::Duration;

/// A script within every limit, of which nothing is wrong.
pub(super) fn ncco() -> BoxedStrategy<Ncco> {
    let barge_in = (vec(audio(true), 0..3), input()).prop_map(|(mut audio, input)| {
        audio.push(input);
        audio
    });
    let part = prop_oneof![3 => vec(plain(), 1..3), 1 => barge_in];
    (vec(part, 0..4), of(transfer()))
        .prop_map(|(parts, last)| parts.into_iter().flatten().chain(last).collect())
        .boxed()
}

/// A script of which one value has been replaced, emptied or added.
pub(super) fn nearly_an_ncco() -> BoxedStrategy<Value> {
    let ncco = vec(prop_oneof![plain(), audio(true), input(), transfer()], 1..3);
    (ncco, any::<Index>(), of(small()), of(key()))
        .prop_map(|(actions, which, value, key)| {
            let mut json = serde_json::to_value(actions).unwrap();
            let mut pointers = Vec::new();
            walk(&json, String::new(), &mut pointers);
            let pointer = which.get(&pointers).clone();
            match (json.pointer_mut(&pointer).unwrap(), value, key) {
                (Value::Object(map), Some(value), Some(key)) => drop(map.insert(key, value)),
                (Value::Object(map), None, _) => map.clear(),
                (place, Some(value), _) => *place = value,
                (place, None, _) => *place = Value::Null,
            }
            json
        })
        .boxed()
}

/// Any JSON, not too deep.
pub(super) fn json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        small(),
        any::<i64>().prop_map(Value::from),
        // Numbers with many digits may read back with another last digit.
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 1000.0)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((key(), inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
    .boxed()
}

/// Any JSON object, more often than by chance one that looks like an action.
pub(super) fn object() -> BoxedStrategy<Value> {
    let name = prop_oneof![
        select(vec![
            "talk", "stream", "connect", "input", "record", "notify", "wait"
        ])
        .prop_map(Value::from),
        json(),
    ];
    (of(name), vec((key(), json()), 0..6))
        .prop_map(|(name, pairs)| {
            let name = name.map(|name| ("action".to_owned(), name));
            Value::Object(name.into_iter().chain(pairs).collect::<Map<_, _>>())
        })
        .boxed()
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "action",
            "type",
            "text",
            "loop",
            "level",
            "bargeIn",
            "streamUrl",
            "eventUrl",
            "endpoint",
            "from",
            "dtmf",
            "speech",
            "mode",
            "timeout",
            "timeOut",
            "payload",
            "number",
            "uri",
            "headers",
            "conversationId",
            "conversation_id",
            "advanced_machine_detection",
            "beepTimeout",
            "record",
            "transcription",
            "mute",
            "canSpeak",
            "endOnKey",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ]
}

/// Values that are right in one place and wrong in the next.
fn small() -> impl Strategy<Value = Value> {
    select(vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(3.0),
        json!(0.5),
        json!(-1),
        json!(60),
        json!(1e300),
        json!(""),
        json!("5"),
        json!("talk"),
        json!("#"),
        json!("447700900000"),
        json!("+447700900000"),
        json!("https://example.com"),
        json!("http://example.com"),
        json!("dtmf"),
        json!("asynchronous"),
        json!([]),
        json!({}),
        json!(["https://example.com"]),
        json!(["dtmf", "dtmf"]),
        json!([{"type": "app", "user": "alice"}]),
    ])
}

fn walk(json: &Value, here: String, pointers: &mut Vec<String>) {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match json {
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                walk(item, format!("{here}/{position}"), pointers);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                walk(value, format!("{here}/{}", escaped(key)), pointers);
            }
        }
        _ => {}
    }
    if !here.is_empty() {
        pointers.push(here);
    }
}

// Values

fn words() -> impl Strategy<Value = String> {
    "[A-Za-z0-9ÄÖß,.&<>-][A-Za-z0-9ÄÖß ,.&<>-]{0,40}"
}

fn url() -> impl Strategy<Value = String> {
    "https://[a-z]{1,8}\\.example\\.com(/[a-z0-9]{1,8}){0,2}(\\?q=[a-z]{1,4})?"
}

fn number() -> impl Strategy<Value = PhoneNumber> {
    "[1-9][0-9]{6,14}".prop_map(|digits| PhoneNumber::parse(&digits).unwrap())
}

fn leg() -> impl Strategy<Value = LegId> {
    "[a-f0-9-]{8,36}".prop_map(|id| LegId::new(id).unwrap())
}

fn language() -> impl Strategy<Value = String> {
    "[a-z]{2}-[A-Z]{2}"
}

fn whole(range: RangeInclusive<Duration>) -> impl Strategy<Value = Duration> {
    (range.start().as_secs()..=range.end().as_secs()).prop_map(Duration::from_secs)
}

fn parts(range: RangeInclusive<Duration>) -> impl Strategy<Value = Duration> {
    let millis = |d: &Duration| u64::try_from(d.as_millis()).unwrap();
    (millis(range.start())..=millis(range.end())).prop_map(Duration::from_millis)
}

/// In tenths, as `stream` wants it.
fn level() -> impl Strategy<Value = f64> {
    (-10..=10).prop_map(|tenths| f64::from(tenths) / 10.0)
}

fn method() -> impl Strategy<Value = Method> {
    select(vec![Method::Get, Method::Post])
}

fn options() -> BoxedStrategy<Map<String, Value>> {
    vec((any::<String>(), json()), 0..3)
        .prop_map(|pairs| pairs.into_iter().collect())
        .boxed()
}

fn machine() -> impl Strategy<Value = MachineDetection> {
    select(vec![MachineDetection::Continue, MachineDetection::Hangup])
}

fn transcription() -> BoxedStrategy<Transcription> {
    (of(language()), of(url()), of(method()), of(any::<bool>()))
        .prop_map(
            |(language, event_url, event_method, sentiment_analysis)| Transcription {
                language,
                event_url,
                event_method,
                sentiment_analysis,
            },
        )
        .boxed()
}

// Endpoints

fn endpoint() -> BoxedStrategy<Endpoint> {
    let on_answer = (url(), of(url())).prop_map(|(url, ringback_tone)| OnAnswer {
        ringback_tone,
        ..OnAnswer::run(url)
    });
    let phone = (number(), of("[0-9*#p]{0,9}"), of(on_answer), of(words())).prop_map(
        |(number, dtmf_answer, on_answer, shaken)| {
            Phone {
                number,
                dtmf_answer,
                on_answer,
                shaken,
            }
            .into()
        },
    );
    let app = words().prop_map(|user| App::of(user).into());
    let vbc = "[0-9]{1,6}".prop_map(|extension| Vbc::of(extension).into());
    prop_oneof![phone, app, websocket(), sip(), vbc].boxed()
}

fn websocket() -> BoxedStrategy<Endpoint> {
    let formats = select(vec![
        ContentType::L16At8000,
        ContentType::L16At16000,
        ContentType::L16At24000,
    ]);
    let authorization = prop_oneof![
        Just(Authorization::Vonage),
        "[!-~][ -~]{0,30}".prop_map(|value| Authorization::Custom { value }),
    ];
    (url(), formats, of(options()), of(authorization))
        .prop_map(|(url, content_type, headers, authorization)| {
            let uri = url.replace("https", "wss");
            Websocket {
                headers,
                authorization,
                ..Websocket::at(uri, content_type)
            }
            .into()
        })
        .boxed()
}

fn sip() -> BoxedStrategy<Endpoint> {
    let sip = prop_oneof![
        "sips?:[a-z0-9]{1,9}@example\\.com(;transport=tls)?".prop_map(Sip::uri),
        (words(), words()).prop_map(|(user, domain)| Sip::trunk(user, domain)),
    ];
    let user_to_user =
        of("[a-f0-9]{0,256}").prop_map(|user_to_user| StandardHeaders { user_to_user });
    (
        sip,
        of(btree_map(any::<String>(), any::<String>(), 0..3)),
        of(user_to_user),
    )
        .prop_map(|(sip, headers, standard_headers)| {
            Sip {
                headers,
                standard_headers,
                ..sip
            }
            .into()
        })
        .boxed()
}

// Actions

fn plain() -> BoxedStrategy<Action> {
    let notify = (url(), options(), of(method())).prop_map(|(url, payload, event_method)| {
        Notify {
            event_method,
            ..Notify::to(url, payload)
        }
        .into()
    });
    let wait = of(parts(limits::WAIT_TIMEOUT)).prop_map(|timeout| Wait { timeout }.into());
    prop_oneof![
        record(),
        conversation(),
        connect(),
        audio(false),
        input(),
        notify,
        wait
    ]
    .boxed()
}

fn record() -> BoxedStrategy<Action> {
    let split = of(limits::CHANNELS).prop_map(|channels| (Some(Split::Conversation), channels));
    (
        of(select(vec![Format::Mp3, Format::Wav, Format::Ogg])),
        prop_oneof![Just((None, None)), split],
        of(whole(limits::RECORD_END_ON_SILENCE)),
        of(select(vec!['0', '9', '*', '#'])),
        of(whole(limits::RECORD_TIME_OUT)),
        of(any::<bool>()),
        of(transcription()),
        of(url()),
        of(method()),
    )
        .prop_map(
            |(format, (split, channels), silence, key, time_out, beep, text, url, method)| {
                Record {
                    format,
                    split,
                    channels,
                    end_on_silence: silence,
                    end_on_key: key,
                    time_out,
                    beep_start: beep,
                    transcription: text,
                    event_url: url,
                    event_method: method,
                }
                .into()
            },
        )
        .boxed()
}

fn conversation() -> BoxedStrategy<Action> {
    // Whether it is recorded and turned into text; who hears whom.
    let record = prop_oneof![
        of(any::<bool>()).prop_map(|record| (record, None)),
        transcription().prop_map(|text| (Some(true), Some(text))),
    ];
    let speak = prop_oneof![
        of(any::<bool>()).prop_map(|mute| (mute, None)),
        vec(leg(), 0..3).prop_map(|legs| (Some(false), Some(legs))),
    ];
    (
        words(),
        of(url()),
        of(any::<bool>()),
        of(any::<bool>()),
        record,
        speak,
        of(vec(leg(), 0..3)),
        of(url()),
        of(method()),
    )
        .prop_map(
            |(name, music, start, end, (record, text), (mute, speak), hear, url, method)| {
                Conversation {
                    music_on_hold_url: music,
                    start_on_enter: start,
                    end_on_exit: end,
                    record,
                    can_speak: speak,
                    can_hear: hear,
                    mute,
                    transcription: text,
                    event_url: url,
                    event_method: method,
                    ..Conversation::named(name)
                }
                .into()
            },
        )
        .boxed()
}

fn connect() -> BoxedStrategy<Action> {
    let from = prop_oneof![
        Just((None, Some(true))),
        of(number()).prop_map(|from| (from, None)),
        number().prop_map(|from| (Some(from), Some(false))),
    ];
    let modes = vec![
        MachineMode::Default,
        MachineMode::Detect,
        MachineMode::DetectBeep,
    ];
    let advanced = (
        of(machine()),
        of(select(modes)),
        of(whole(limits::BEEP_TIMEOUT)),
    )
        .prop_map(|(behavior, mode, beep_timeout)| AdvancedMachineDetection {
            behavior,
            mode,
            beep_timeout,
        });
    let detection = prop_oneof![
        of(machine()).prop_map(|simple| (simple, None)),
        advanced.prop_map(|advanced| (None, Some(advanced))),
    ];
    (
        endpoint(),
        from,
        of(Just(EventType::Synchronous)),
        of(whole(limits::CONNECT_TIMEOUT)),
        of(whole(limits::CONNECT_LIMIT)),
        detection,
        of(url()),
        of(method()),
        of(url()),
    )
        .prop_map(
            |(endpoint, (from, random), kind, timeout, limit, machine, url, method, tone)| {
                Connect {
                    from,
                    random_from_number: random,
                    event_type: kind,
                    timeout,
                    limit,
                    machine_detection: machine.0,
                    advanced_machine_detection: machine.1,
                    event_url: url,
                    event_method: method,
                    ringback_tone: tone,
                    ..Connect::to(endpoint)
                }
                .into()
            },
        )
        .boxed()
}

fn audio(barge_in: bool) -> BoxedStrategy<Action> {
    let barge_in = if barge_in {
        Just(Some(true)).boxed()
    } else {
        of(Just(false)).boxed()
    };
    let providers = vec![
        TalkProvider::ElevenLabs,
        TalkProvider::Google,
        TalkProvider::Polly,
    ];
    let talk = (
        prop_oneof![
            words(),
            words().prop_map(|words| format!("<speak>{words}</speak>"))
        ],
        barge_in.clone(),
        of(limits::REPEAT),
        of(limits::LEVEL),
        of(language()),
        of(limits::STYLE),
        of(any::<bool>()),
        of(select(providers)),
        of(options()),
    )
        .prop_map(
            |(text, barge, repeat, level, language, style, premium, provider, options)| {
                Talk {
                    barge_in: barge,
                    repeat,
                    level: level.map(tidy),
                    language,
                    style,
                    premium,
                    provider,
                    provider_options: options,
                    ..Talk::say(text)
                }
                .into()
            },
        );
    let stream = (url(), of(level()), barge_in, of(limits::REPEAT)).prop_map(
        |(url, level, barge_in, repeat)| {
            Stream {
                level,
                barge_in,
                repeat,
                ..Stream::play(url)
            }
            .into()
        },
    );
    prop_oneof![talk, stream].boxed()
}

/// With so few digits that it reads back as the same number.
fn tidy(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn input() -> BoxedStrategy<Action> {
    let listening = prop_oneof![
        dtmf().prop_map(Input::dtmf),
        speech().prop_map(Input::speech),
        (dtmf(), speech()).prop_map(|(dtmf, speech)| Input::either(dtmf, speech)),
    ];
    let mode = of(Just(Mode::Synchronous));
    let input = prop_oneof![
        4 => (listening, mode).prop_map(|(input, mode)| Input { mode, ..input }),
        1 => Just(Input::digits_from_here()),
    ];
    (input, of(url()), of(method()))
        .prop_map(|(input, event_url, event_method)| {
            Input {
                event_url,
                event_method,
                ..input
            }
            .into()
        })
        .boxed()
}

fn dtmf() -> BoxedStrategy<Dtmf> {
    (
        of(whole(limits::DTMF_TIME_OUT)),
        of(limits::DTMF_MAX_DIGITS),
        of(any::<bool>()),
    )
        .prop_map(|(time_out, max_digits, submit_on_hash)| Dtmf {
            time_out,
            max_digits,
            submit_on_hash,
        })
        .boxed()
}

fn speech() -> BoxedStrategy<Speech> {
    (
        of(leg()),
        of(parts(limits::SPEECH_END_ON_SILENCE)),
        of(language()),
        of(vec(words(), 0..3)),
        of(whole(limits::SPEECH_START_TIMEOUT)),
        of(whole(limits::SPEECH_MAX_DURATION)),
        of(any::<bool>()),
        of(limits::SPEECH_SENSITIVITY),
        of(select(vec![
            SpeechProvider::Deepgram,
            SpeechProvider::Google,
        ])),
        of(options()),
    )
        .prop_map(
            |(uuid, silence, language, context, start, max, save, sensitivity, who, how)| Speech {
                uuid,
                end_on_silence: silence,
                language,
                context,
                start_timeout: start,
                max_duration: max,
                save_audio: save,
                sensitivity,
                provider: who,
                provider_options: how,
            },
        )
        .boxed()
}

fn transfer() -> BoxedStrategy<Action> {
    let legs = || of(vec(leg(), 0..3));
    ("CON-[a-f0-9-]{8,36}", legs(), legs(), of(any::<bool>()))
        .prop_map(|(id, can_hear, can_speak, mute)| {
            let to = ConversationId::new(id).unwrap();
            Transfer {
                can_hear,
                can_speak,
                mute,
                ..Transfer::to(to)
            }
            .into()
        })
        .boxed()
}
