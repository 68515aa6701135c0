//! Faults of a script, ours or anyone's, before Vonage finds them with a caller on the line.
//!
//! A [`Severity::Fault`] is what Vonage would refuse or what could not do what it says; a
//! [`Severity::Warning`] is what Vonage puts up with: old spellings, numbers as text, keys that
//! nobody reads. Messages say nothing of phone numbers, tokens or addresses, so they can be logged.
//!
//! See [Vonage/Voice API/NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference).

mod action;
mod endpoint;
mod object;
mod order;
mod report;
mod rule;

use report::Report;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// Most faults, and most warnings, that are told of one script. Nobody reads more, and a script of
/// ten thousand wrong actions must not become a report of megabytes. One line more says when some
/// were left out.
pub const FAULTS_MAX: usize = 100;

/// Everything wrong with a script, in the order of its actions; what concerns several actions comes
/// last.
///
/// Takes any JSON and time in proportion to its size; it looks no deeper than the keys it knows.
#[must_use]
pub fn check_value(ncco: &Value) -> Vec<Fault> {
    let mut report = Report::default();
    if let Some(actions) = rule::array(&mut report, ncco) {
        for (position, json) in actions.iter().enumerate() {
            report.at(position, |report| action::check(report, json));
        }
        order::check(&mut report, actions);
    }
    report.finish()
}

/// One thing wrong with a script.
///
/// `Display` is `POINTER: message`, or `POINTER: warning: message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where: a JSON pointer (RFC 6901) into the script, such as `/0/endpoint/0/number`. The script
    /// itself is the empty text.
    pub pointer: String,
    /// How bad.
    pub severity: Severity,
    /// What, and where it helps, what was expected.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A key comes from outside: it may not start a line of its own in a log.
        for c in self.pointer.chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        f.write_str(match self.severity {
            Severity::Fault => ": ",
            Severity::Warning => ": warning: ",
        })?;
        f.write_str(&self.message)
    }
}

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Vonage refuses it, or it cannot do what it says.
    Fault,
    /// Vonage puts up with it.
    Warning,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ncco::generate;
    use proptest::prelude::*;
    use serde_json::json;

    fn lines(ncco: &Value) -> Vec<String> {
        check_value(ncco).iter().map(Fault::to_string).collect()
    }

    /// One row per script; each must have exactly these faults.
    fn check(rows: &[(Value, &[&str])]) {
        for (ncco, expected) in rows {
            assert_eq!(&lines(ncco), expected, "{ncco}");
        }
    }

    /// As [`check`], for scripts of one action.
    fn check_each(rows: &[(Value, &[&str])]) {
        for (action, expected) in rows {
            assert_eq!(&lines(&json!([action])), expected, "{action}");
        }
    }

    #[test]
    fn what_is_no_script_is_told_as_such() {
        check(&[
            (json!([]), &[]),
            (json!({}), &[": must be an array, not an object"]),
            (json!(null), &[": must be an array, not null"]),
            (json!("talk"), &[": must be an array, not text"]),
            (
                json!([1, "x", []]),
                &[
                    "/0: must be an object, not a number",
                    "/1: must be an object, not text",
                    "/2: must be an object, not an array",
                ],
            ),
        ]);
        check_each(&[
            (json!({}), &["/0: an action needs 'action'"]),
            (
                json!({"action": 7}),
                &["/0/action: must be text, not a number"],
            ),
            (
                json!({"action": "Talk", "text": ""}),
                &["/0/action: 'Talk' is not an action: did you mean 'talk'?"],
            ),
            (
                json!({"action": "conect"}),
                &["/0/action: 'conect' is not an action: did you mean 'connect'?"],
            ),
            (
                json!({"action": "pay"}),
                &[
                    "/0/action: 'pay' is not an action: it is one of 'record', 'conversation', 'connect', 'talk', 'stream', 'input', 'notify', 'wait', 'transfer'",
                ],
            ),
            (
                json!({"action": "a very long name\nof an action"}),
                &[
                    "/0/action: 'a very long name\\nof an a…' is not an action: it is one of 'record', 'conversation', 'connect', 'talk', 'stream', 'input', 'notify', 'wait', 'transfer'",
                ],
            ),
        ]);
    }

    #[test]
    fn a_talk_is_checked() {
        let long = "a".repeat(1501);
        let tagged = format!("<speak>{}<break time='1s'/></speak>", "a".repeat(1500));
        let untagged = format!("{}<b>", "a".repeat(1500));
        check_each(&[
            (json!({"action": "talk"}), &["/0: talk needs 'text'"]),
            (
                json!({"action": "talk", "text": null}),
                &["/0: talk needs 'text'"],
            ),
            (
                json!({"action": "talk", "text": " "}),
                &["/0/text: must not be empty"],
            ),
            (
                json!({"action": "talk", "text": 5}),
                &["/0/text: must be text, not a number"],
            ),
            (
                json!({"action": "talk", "text": long}),
                &["/0/text: must have at most 1500 characters besides tags, not 1501"],
            ),
            (json!({"action": "talk", "text": tagged}), &[]),
            (
                json!({"action": "talk", "text": untagged}),
                &["/0/text: must have at most 1500 characters besides tags, not 1503"],
            ),
            (json!({"action": "talk", "text": "ü".repeat(1500)}), &[]),
            (json!({"action": "talk", "text": "x", "loop": 0}), &[]),
            (
                json!({"action": "talk", "text": "x", "loop": "0"}),
                &["/0/loop: warning: is a number written as text"],
            ),
            (
                json!({"action": "talk", "text": "x", "loop": -1}),
                &["/0/loop: must be 0 to 4294967295, not -1"],
            ),
            (
                json!({"action": "talk", "text": "x", "loop": 1.5}),
                &["/0/loop: must be a whole number"],
            ),
            (
                json!({"action": "talk", "text": "x", "loop": "often"}),
                &["/0/loop: must be a whole number, not 'often'"],
            ),
            (
                json!({"action": "talk", "text": "x", "level": "2"}),
                &[
                    "/0/level: warning: is a number written as text",
                    "/0/level: must be -1 to 1, not '2'",
                ],
            ),
            (json!({"action": "talk", "text": "x", "level": -0.55}), &[]),
            (
                json!({"action": "talk", "text": "x", "voiceName": "Amy"}),
                &["/0/voiceName: warning: is deprecated: use 'language' and 'style'"],
            ),
            (
                json!({"action": "talk", "text": "x", "language": null}),
                &["/0/language: warning: is null: leave it out"],
            ),
            (
                json!({"action": "talk", "text": "x", "premium": "true"}),
                &["/0/premium: must be true or false, not text"],
            ),
            (
                json!({"action": "talk", "text": "x", "provider": "polly"}),
                &["/0/provider: must be one of 'ElevenLabs', 'Google', 'Polly', not 'polly'"],
            ),
            (
                json!({"action": "talk", "text": "x", "bargein": true}),
                &["/0/bargein: warning: is not a key of talk: did you mean 'bargeIn'?"],
            ),
            (
                json!({"action": "talk", "text": "x", "colour": "red"}),
                &["/0/colour: warning: is not a key of talk"],
            ),
            (
                json!({"action": "talk", "text": "x", "a/b~c\nd": 1}),
                &["/0/a~1b~0c\\nd: warning: is not a key of talk"],
            ),
        ]);
    }

    #[test]
    fn a_stream_is_checked() {
        check_each(&[
            (
                json!({"action": "stream"}),
                &["/0: stream needs 'streamUrl'"],
            ),
            (
                json!({"action": "stream", "streamUrl": "https://example.com/a.mp3"}),
                &["/0/streamUrl: must be an array, not text"],
            ),
            (
                json!({"action": "stream", "streamUrl": []}),
                &["/0/streamUrl: must hold exactly one element, not 0"],
            ),
            (
                json!({"action": "stream", "streamUrl": ["https://example.com/a", "https://example.com/b"]}),
                &["/0/streamUrl: must hold exactly one element, not 2"],
            ),
            (
                json!({"action": "stream", "streamUrl": [1]}),
                &["/0/streamUrl/0: must be text, not a number"],
            ),
            (
                json!({"action": "stream", "streamUrl": ["/hold.mp3"]}),
                &["/0/streamUrl/0: must be an absolute http or https URL"],
            ),
            (
                json!({"action": "stream", "streamUrl": ["ftp://example.com/a"]}),
                &["/0/streamUrl/0: must be an absolute http or https URL"],
            ),
            (
                json!({"action": "stream", "streamUrl": ["http://example.com/a"]}),
                &["/0/streamUrl/0: warning: is not encrypted: use https"],
            ),
            (
                json!({"action": "stream", "streamUrl": ["https://example.com/a"], "level": 0.3}),
                &[],
            ),
            (
                json!({"action": "stream", "streamUrl": ["https://example.com/a"], "level": 0.35}),
                &["/0/level: warning: is finer than the steps of 0.1 that count"],
            ),
            (
                json!({"action": "stream", "streamUrl": ["https://example.com/a"], "level": 1.1}),
                &["/0/level: must be -1 to 1, not 1.1"],
            ),
        ]);
    }

    #[test]
    fn a_record_is_checked() {
        check_each(&[
            (json!({"action": "record"}), &[]),
            (json!({"action": "record", "transcription": {}}), &[]),
            (
                json!({"action": "record", "format": "flac"}),
                &["/0/format: must be one of 'mp3', 'wav', 'ogg', not 'flac'"],
            ),
            (
                json!({"action": "record", "split": "legs"}),
                &["/0/split: must be 'conversation', not 'legs'"],
            ),
            (
                json!({"action": "record", "channels": 2}),
                &["/0/channels: needs 'split' to be 'conversation'"],
            ),
            (
                json!({"action": "record", "channels": 33, "split": "conversation"}),
                &["/0/channels: must be 1 to 32, not 33"],
            ),
            (
                json!({"action": "record", "endOnSilence": 2}),
                &["/0/endOnSilence: must be 3 to 10 seconds, not 2"],
            ),
            (
                json!({"action": "record", "endOnSilence": 3.5}),
                &["/0/endOnSilence: must be a whole number"],
            ),
            (
                json!({"action": "record", "timeOut": 7201}),
                &["/0/timeOut: must be 3 to 7200 seconds, not 7201"],
            ),
            (
                json!({"action": "record", "timeOut": 1e300}),
                &["/0/timeOut: must be 3 to 7200 seconds, not 1e+300"],
            ),
            (
                json!({"action": "record", "timeout": 60}),
                &["/0/timeout: warning: is not a key of record: did you mean 'timeOut'?"],
            ),
            (
                json!({"action": "record", "endOnKey": "##"}),
                &["/0/endOnKey: must be one key: a digit, '*' or '#'"],
            ),
            (
                json!({"action": "record", "endOnKey": 1}),
                &["/0/endOnKey: must be text, not a number"],
            ),
            (
                json!({"action": "record", "beepStart": 1}),
                &["/0/beepStart: must be true or false, not a number"],
            ),
            (
                json!({"action": "record", "eventMethod": "get"}),
                &["/0/eventMethod: must be one of 'GET', 'POST', not 'get'"],
            ),
            (
                json!({"action": "record", "event_url": ["https://example.com"]}),
                &["/0/event_url: warning: is not a key of record: did you mean 'eventUrl'?"],
            ),
            (
                json!({"action": "record", "transcription": true}),
                &["/0/transcription: must be an object, not true or false"],
            ),
            (
                json!({"action": "record", "transcription": {"eventUrl": "x", "sentiment": true}}),
                &[
                    "/0/transcription/eventUrl: must be an array, not text",
                    "/0/transcription/sentiment: warning: is not a key of transcription: did you mean 'sentimentAnalysis'?",
                ],
            ),
        ]);
    }

    #[test]
    fn a_conversation_is_checked() {
        check_each(&[
            (
                json!({"action": "conversation"}),
                &["/0: conversation needs 'name'"],
            ),
            (
                json!({"action": "conversation", "name": "a", "musicOnHoldUrl": "https://example.com"}),
                &["/0/musicOnHoldUrl: must be an array, not text"],
            ),
            (
                json!({"action": "conversation", "name": "a", "mute": true, "canSpeak": []}),
                &["/0/mute: excludes 'canSpeak'"],
            ),
            (
                json!({"action": "conversation", "name": "a", "mute": false, "canSpeak": []}),
                &[],
            ),
            (
                json!({"action": "conversation", "name": "a", "canHear": ["leg", 4, "a/b"]}),
                &[
                    "/0/canHear/1: must be text, not a number",
                    "/0/canHear/2: an id holds a character other than letters, digits, '-', '_', '.' and ':'",
                ],
            ),
            (
                json!({"action": "conversation", "name": "a", "transcription": {}}),
                &["/0/transcription: needs 'record' to be true"],
            ),
            (
                json!({"action": "conversation", "name": "a", "transcription": {}, "record": true}),
                &[],
            ),
        ]);
    }

    #[test]
    fn a_connect_is_checked() {
        let to = |extra: Value| {
            let mut connect = json!({"action": "connect", "endpoint": [{"type": "phone", "number": "447700900001"}]});
            connect
                .as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            connect
        };
        check_each(&[
            (to(json!({})), &[]),
            (
                json!({"action": "connect"}),
                &["/0: connect needs 'endpoint'"],
            ),
            (
                to(json!({"endpoint": {"type": "app", "user": "a"}})),
                &["/0/endpoint: must be an array, not an object"],
            ),
            (
                to(json!({"endpoint": []})),
                &["/0/endpoint: must hold exactly one element, not 0"],
            ),
            (
                to(
                    json!({"endpoint": [{"type": "app", "user": "a"}, {"type": "app", "user": "b"}]}),
                ),
                &["/0/endpoint: must hold exactly one element, not 2"],
            ),
            (
                to(json!({"from": "447700900000", "randomFromNumber": true})),
                &["/0/randomFromNumber: excludes 'from'"],
            ),
            (
                to(json!({"from": "447700900000", "randomFromNumber": false})),
                &[],
            ),
            (
                to(json!({"from": "+447700900000"})),
                &["/0/from: a phone number has digits only, without + and spaces"],
            ),
            (
                to(json!({"from": "Vonage"})),
                &[
                    "/0/from: a phone number has digits only, with the country code first and without + or 00",
                ],
            ),
            (
                to(json!({"from": "Vonage", "endpoint": [{"type": "app", "user": "a"}]})),
                &[
                    "/0/from: warning: a phone number has digits only, with the country code first and without + or 00",
                ],
            ),
            (
                to(json!({"from": 447_700_900_000_u64})),
                &["/0/from: must be text, not a number"],
            ),
            (
                to(json!({"eventType": "sync"})),
                &["/0/eventType: must be 'synchronous', not 'sync'"],
            ),
            (
                to(json!({"timeout": 0})),
                &["/0/timeout: must be 1 to 120 seconds, not 0"],
            ),
            (
                to(json!({"timeout": 121})),
                &["/0/timeout: must be 1 to 120 seconds, not 121"],
            ),
            (
                to(json!({"limit": 7201})),
                &["/0/limit: must be 1 to 7200 seconds, not 7201"],
            ),
            (
                to(json!({"machineDetection": "stop"})),
                &["/0/machineDetection: must be one of 'continue', 'hangup', not 'stop'"],
            ),
            (
                to(json!({"machineDetection": "hangup", "advancedMachineDetection": {}})),
                &["/0/machineDetection: warning: has no effect beside 'advancedMachineDetection'"],
            ),
            (
                to(json!({"advanced_machine_detection": {"mode": "beep"}})),
                &[
                    "/0/advanced_machine_detection: warning: is an old name: write 'advancedMachineDetection'",
                    "/0/advanced_machine_detection/mode: must be one of 'default', 'detect', 'detect_beep', not 'beep'",
                ],
            ),
            (
                to(json!({"advanced_machine_detection": {}, "advancedMachineDetection": {}})),
                &[
                    "/0/advanced_machine_detection: is 'advancedMachineDetection' by another name, and both are there",
                ],
            ),
            (
                to(json!({"advancedMachineDetection": {"beep_timeout": 30}})),
                &[
                    "/0/advancedMachineDetection/beep_timeout: warning: must be 45 to 120 seconds, not 30",
                ],
            ),
            (
                to(json!({"advancedMachineDetection": {"beep_timeout": 29}})),
                &["/0/advancedMachineDetection/beep_timeout: must be 45 to 120 seconds, not 29"],
            ),
            (
                to(json!({"advancedMachineDetection": {"beepTimeout": 45}})),
                &[
                    "/0/advancedMachineDetection/beepTimeout: warning: is an old name: write 'beep_timeout'",
                ],
            ),
            (
                to(json!({"ringbackTone": ["https://example.com/r.mp3"]})),
                &["/0/ringbackTone: warning: is an array: write the URL alone"],
            ),
            (
                to(json!({"ringbackTone": "tone"})),
                &["/0/ringbackTone: must be an absolute http or https URL"],
            ),
            (
                to(json!({"eventUrl": "https://example.com"})),
                &["/0/eventUrl: must be an array, not text"],
            ),
        ]);
    }

    #[test]
    fn an_endpoint_is_checked() {
        let rows: &[(Value, &[&str])] = &[
            (
                json!("447700900001"),
                &["/0/endpoint/0: must be an object, not text"],
            ),
            (json!({}), &["/0/endpoint/0: an endpoint needs 'type'"]),
            (
                json!({"type": "fone"}),
                &[
                    "/0/endpoint/0/type: 'fone' is not an endpoint: it is one of 'phone', 'app', 'websocket', 'sip', 'vbc'",
                ],
            ),
            (
                json!({"type": "web-socket"}),
                &["/0/endpoint/0/type: 'web-socket' is not an endpoint: did you mean 'websocket'?"],
            ),
            (
                json!({"type": "phone"}),
                &["/0/endpoint/0: a phone needs 'number'"],
            ),
            (
                json!({"type": "phone", "number": "447700"}),
                &["/0/endpoint/0/number: a phone number has 7 to 15 digits"],
            ),
            (
                json!({"type": "phone", "number": "07700900001"}),
                &[
                    "/0/endpoint/0/number: a phone number starts with its country code, never with 0",
                ],
            ),
            (
                json!({"type": "phone", "number": "447700900001", "dtmfAnswer": "1p2w"}),
                &[
                    "/0/endpoint/0/dtmfAnswer: warning: holds a character other than digits, '*', '#' and 'p'",
                ],
            ),
            (
                json!({"type": "phone", "number": "447700900001", "onAnswer": {}}),
                &["/0/endpoint/0/onAnswer: onAnswer needs 'url'"],
            ),
            (
                json!({"type": "phone", "number": "447700900001", "onAnswer": {"url": "https://example.com", "ringback": "https://example.com"}}),
                &["/0/endpoint/0/onAnswer/ringback: warning: is an old name: write 'ringbackTone'"],
            ),
            (
                json!({"type": "app"}),
                &["/0/endpoint/0: an app endpoint needs 'user'"],
            ),
            (
                json!({"type": "vbc", "extension": 12}),
                &["/0/endpoint/0/extension: must be text, not a number"],
            ),
            (
                json!({"type": "websocket"}),
                &[
                    "/0/endpoint/0: a websocket needs 'uri'",
                    "/0/endpoint/0: a websocket needs 'content-type'",
                ],
            ),
            (
                json!({"type": "websocket", "uri": "https://example.com", "content-type": "audio/l16;rate=44100"}),
                &[
                    "/0/endpoint/0/uri: must be an absolute ws or wss URL",
                    "/0/endpoint/0/content-type: must be one of 'audio/l16;rate=8000', 'audio/l16;rate=16000', 'audio/l16;rate=24000', not 'audio/l16;rate=44100'",
                ],
            ),
            (
                json!({"type": "websocket", "uri": "ws://example.com", "contentType": "audio/l16;rate=8000"}),
                &[
                    "/0/endpoint/0/uri: warning: is not encrypted: use wss",
                    "/0/endpoint/0: a websocket needs 'content-type'",
                    "/0/endpoint/0/contentType: warning: is not a key of a websocket: did you mean 'content-type'?",
                ],
            ),
            (
                json!({"type": "websocket", "uri": "wss://example.com", "content-type": "audio/l16;rate=8000", "authorization": {"type": "custom"}}),
                &["/0/endpoint/0/authorization: authorization needs 'value'"],
            ),
            (
                json!({"type": "websocket", "uri": "wss://example.com", "content-type": "audio/l16;rate=8000", "authorization": {"type": "custom", "value": "a\nb"}}),
                &["/0/endpoint/0/authorization/value: must have printable ASCII characters only"],
            ),
            (
                json!({"type": "websocket", "uri": "wss://example.com", "content-type": "audio/l16;rate=8000", "authorization": {"type": "custom", "value": "a".repeat(8192)}}),
                &["/0/endpoint/0/authorization/value: must have at most 8191 characters, not 8192"],
            ),
            (
                json!({"type": "websocket", "uri": "wss://example.com", "content-type": "audio/l16;rate=8000", "authorization": {"type": "vonage", "value": "x"}}),
                &[
                    "/0/endpoint/0/authorization/value: warning: has no effect unless 'type' is 'custom'",
                ],
            ),
            (
                json!({"type": "sip"}),
                &["/0/endpoint/0: a sip endpoint needs 'uri', or 'user' and 'domain'"],
            ),
            (
                json!({"type": "sip", "user": "a"}),
                &["/0/endpoint/0: a sip endpoint needs 'uri', or 'user' and 'domain'"],
            ),
            (
                json!({"type": "sip", "uri": "sip:a@example.com", "domain": "b"}),
                &["/0/endpoint/0/uri: excludes 'user' and 'domain'"],
            ),
            (
                json!({"type": "sip", "uri": "a@example.com"}),
                &["/0/endpoint/0/uri: must be an address that starts with 'sip:' or 'sips:'"],
            ),
            (
                json!({"type": "sip", "uri": "SIPS:a@example.com", "headers": {"line": 1}}),
                &["/0/endpoint/0/headers/line: must be text, not a number"],
            ),
            (
                json!({"type": "sip", "uri": "sip:a@example.com", "standardHeaders": {"User-to-User": "u".repeat(257), "Via": "x"}}),
                &[
                    "/0/endpoint/0/standardHeaders/User-to-User: must have at most 256 characters, not 257",
                    "/0/endpoint/0/standardHeaders/Via: warning: is not a key of standardHeaders",
                ],
            ),
            (
                json!({"type": "sip", "uri": "sip:a@example.com", "standard_headers": {}}),
                &[
                    "/0/endpoint/0/standard_headers: warning: is an old name: write 'standardHeaders'",
                ],
            ),
        ];
        for (endpoint, expected) in rows {
            let ncco = json!([{"action": "connect", "endpoint": [endpoint]}]);
            assert_eq!(&lines(&ncco), expected, "{endpoint}");
        }
    }

    #[test]
    fn an_input_is_checked() {
        check_each(&[
            (json!({"action": "input"}), &["/0: input needs 'type'"]),
            (
                json!({"action": "input", "type": "dtmf"}),
                &["/0/type: must be an array, not text"],
            ),
            (
                json!({"action": "input", "type": []}),
                &["/0/type: must name 'dtmf', 'speech' or both"],
            ),
            (
                json!({"action": "input", "type": ["dtmf", "voice", "dtmf"]}),
                &[
                    "/0/type/1: must be one of 'dtmf', 'speech', not 'voice'",
                    "/0/type/2: warning: is named twice",
                ],
            ),
            (
                json!({"action": "input", "type": ["dtmf"], "mode": "async"}),
                &["/0/mode: must be one of 'synchronous', 'asynchronous', not 'async'"],
            ),
            (
                json!({"action": "input", "type": ["dtmf"], "mode": "asynchronous"}),
                &[],
            ),
            (
                json!({"action": "input", "type": ["dtmf"], "mode": "asynchronous", "dtmf": {"maxDigits": 1}}),
                &["/0/dtmf: must be blank when 'mode' is 'asynchronous'"],
            ),
            (
                json!({"action": "input", "type": ["dtmf", "speech"], "mode": "asynchronous"}),
                &["/0/mode: takes digits only: 'type' must be 'dtmf' alone"],
            ),
            (
                json!({"action": "input", "type": ["dtmf"], "speech": {}}),
                &["/0/speech: warning: has no effect: 'type' does not name it"],
            ),
            (
                json!({"action": "input", "type": ["dtmf"], "dtmf": {"timeOut": 11, "maxDigits": 0, "timeout": 3}}),
                &[
                    "/0/dtmf/timeOut: must be 0 to 10 seconds, not 11",
                    "/0/dtmf/maxDigits: must be 1 to 20, not 0",
                    "/0/dtmf/timeout: warning: is not a key of dtmf: did you mean 'timeOut'?",
                ],
            ),
            (
                json!({"action": "input", "type": ["speech"], "speech": {"uuid": "leg"}}),
                &["/0/speech/uuid: must be an array, not text"],
            ),
            (
                json!({"action": "input", "type": ["speech"], "speech": {"uuid": ["a", "b"]}}),
                &["/0/speech/uuid: must hold exactly one element, not 2"],
            ),
            (
                json!({"action": "input", "type": ["speech"], "speech": {"endOnSilence": 0.3}}),
                &["/0/speech/endOnSilence: must be 0.4 to 10 seconds, not 0.3"],
            ),
            (
                json!({"action": "input", "type": ["speech"], "speech": {"endOnSilence": 0.4, "startTimeout": 61, "maxDuration": 0.5}}),
                &[
                    "/0/speech/startTimeout: must be 1 to 60 seconds, not 61",
                    "/0/speech/maxDuration: must be a whole number",
                ],
            ),
            (
                json!({"action": "input", "type": ["speech"], "speech": {"context": ["a", 1]}}),
                &["/0/speech/context/1: must be text, not a number"],
            ),
            (
                json!({"action": "input", "type": ["speech"], "speech": {"sensitivity": 5}}),
                &["/0/speech/sensitivity: warning: must be 10 to 100, not 5"],
            ),
            (
                json!({"action": "input", "type": ["speech"], "speech": {"sensitivity": 101}}),
                &["/0/speech/sensitivity: must be 10 to 100, not 101"],
            ),
        ]);
    }

    #[test]
    fn notify_wait_and_transfer_are_checked() {
        check_each(&[
            (
                json!({"action": "notify"}),
                &["/0: notify needs 'payload'", "/0: notify needs 'eventUrl'"],
            ),
            (
                json!({"action": "notify", "payload": "x", "eventUrl": ["https://example.com"]}),
                &["/0/payload: must be an object, not text"],
            ),
            (json!({"action": "wait"}), &[]),
            (json!({"action": "wait", "timeout": 0.1}), &[]),
            (
                json!({"action": "wait", "timeout": 0}),
                &["/0/timeout: warning: must be 0.1 to 7200 seconds, not 0"],
            ),
            (
                json!({"action": "wait", "timeout": "7201"}),
                &[
                    "/0/timeout: warning: is a number written as text",
                    "/0/timeout: warning: must be 0.1 to 7200 seconds, not '7201'",
                ],
            ),
            (
                json!({"action": "wait", "timeout": "long"}),
                &["/0/timeout: must be a number, not 'long'"],
            ),
            (
                json!({"action": "transfer"}),
                &["/0: transfer needs 'conversationId'"],
            ),
            (
                json!({"action": "transfer", "conversation_id": "CON-1"}),
                &["/0/conversation_id: warning: is an old name: write 'conversationId'"],
            ),
            (
                json!({"action": "transfer", "conversationId": ""}),
                &["/0/conversationId: an id is empty"],
            ),
            (
                json!({"action": "transfer", "conversationId": "CON-1", "mute": "no", "canSpeak": "leg"}),
                &[
                    "/0/canSpeak: must be an array, not text",
                    "/0/mute: must be true or false, not text",
                ],
            ),
        ]);
    }

    #[test]
    fn the_order_of_actions_is_checked() {
        let talk = json!({"action": "talk", "text": "x", "bargeIn": true});
        let plain = json!({"action": "talk", "text": "x"});
        let stream =
            json!({"action": "stream", "streamUrl": ["https://example.com/a"], "bargeIn": true});
        let input = json!({"action": "input", "type": ["dtmf"]});
        let wait = json!({"action": "wait"});
        let transfer = json!({"action": "transfer", "conversationId": "CON-1"});
        check(&[
            (json!([talk, input]), &[]),
            (json!([talk, plain, stream, input, wait]), &[]),
            (
                json!([talk]),
                &["/0/bargeIn: needs an 'input' action after it"],
            ),
            (
                json!([input, talk, stream]),
                &[
                    "/1/bargeIn: needs an 'input' action after it",
                    "/2/bargeIn: needs an 'input' action after it",
                ],
            ),
            (
                json!([stream, plain, wait, input]),
                &[
                    "/0/bargeIn: needs an 'input' before any action but 'talk' and 'stream': /2 is in between",
                ],
            ),
            (
                json!([talk, {"action": "dance"}, wait]),
                &[
                    "/1/action: 'dance' is not an action: it is one of 'record', 'conversation', 'connect', 'talk', 'stream', 'input', 'notify', 'wait', 'transfer'",
                ],
            ),
            (json!([wait, transfer]), &[]),
            (
                json!([transfer, wait, plain]),
                &["/1: warning: never runs: the 'transfer' before it takes the call away"],
            ),
        ]);
    }

    #[test]
    fn foreign_values_that_could_be_secrets_are_not_repeated() {
        let faults = lines(&json!([
            {"action": "connect", "from": "+447700900123", "endpoint": [{"type": "phone", "number": "00447700900123"}]},
            {"action": "stream", "streamUrl": ["token=SECRET"]},
            {"action": "record", "format": format!("{}SECRET", "x".repeat(24))},
        ]));
        assert_eq!(faults.len(), 4);
        for fault in faults {
            assert!(
                !fault.contains("900123") && !fault.contains("SECRET"),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_flood_of_warnings_does_not_hide_a_fault() {
        let mut actions = vec![json!({"action": "wait", "x".repeat(1000): 1, "y": 2}); 10_000];
        actions.push(json!({"action": "talk"}));
        let faults = check_value(&Value::from(actions));
        assert_eq!(faults.len(), FAULTS_MAX + 2);
        assert_eq!(faults[FAULTS_MAX].to_string(), "/10000: talk needs 'text'");
        assert_eq!(
            faults[FAULTS_MAX + 1].to_string(),
            ": warning: has 19900 more warnings"
        );
    }

    #[test]
    fn many_faults_are_counted_and_not_all_told() {
        let faults = check_value(&Value::from(vec![Value::Null; 10_000]));
        assert_eq!(faults.len(), FAULTS_MAX + 1);
        assert_eq!(faults[FAULTS_MAX].to_string(), ": has 9900 more faults");
        assert_eq!(faults[FAULTS_MAX].severity, Severity::Fault);
    }

    #[test]
    fn ten_thousand_barge_ins_take_time_in_proportion() {
        let talk = json!({"action": "talk", "text": "x", "bargeIn": true});
        let faults = check_value(&Value::from(vec![talk; 10_000]));
        assert_eq!(faults.len(), FAULTS_MAX + 1);
    }

    #[test]
    fn depth_costs_nothing() {
        // As deep as serde_json reads; an unknown key and a free one both hold it.
        let deep = format!("{}1{}", "[".repeat(120), "]".repeat(120));
        let deep: Value = serde_json::from_str(&deep).unwrap();
        let ncco = json!([{"action": "notify", "eventUrl": ["https://example.com"], "payload": {"a": deep}, "b": deep}]);
        assert_eq!(lines(&ncco), ["/0/b: warning: is not a key of notify"]);
    }

    proptest! {
        #[test]
        fn no_json_makes_it_panic_and_every_pointer_is_one(
            ncco in prop_oneof![
                generate::json(),
                prop::collection::vec(generate::object(), 0..6).prop_map(Value::from),
                generate::nearly_an_ncco(),
            ]
        ) {
            for fault in check_value(&ncco) {
                prop_assert!(ncco.pointer(&fault.pointer).is_some(), "{}", fault);
            }
        }
    }
}
