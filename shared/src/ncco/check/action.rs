//! What each action must be.

use super::endpoint;
use super::object::{Object, unknown_word};
use super::report::Report;
use super::rule;
use crate::ncco::limits;
use serde_json::Value;

/// Every action there is.
const ACTIONS: &[&str] = &[
    "record",
    "conversation",
    "connect",
    "talk",
    "stream",
    "input",
    "notify",
    "wait",
    "transfer",
];

const METHODS: &[&str] = &["GET", "POST"];
const MACHINE: &[&str] = &["continue", "hangup"];

pub(super) fn check(report: &mut Report, json: &Value) {
    let Some(map) = rule::object(report, json) else {
        return;
    };
    let Some(name) = map.get("action") else {
        return report.fault("an action needs 'action'");
    };
    let Some(name) = report.at("action", |report| rule::string(report, name)) else {
        return;
    };
    let rules = match name {
        "record" => record,
        "conversation" => conversation,
        "connect" => connect,
        "talk" => talk,
        "stream" => stream,
        "input" => input,
        "notify" => notify,
        "wait" => wait,
        "transfer" => transfer,
        // Its keys are anyone's guess.
        _ => {
            let message = unknown_word(name, "an action", ACTIONS);
            return report.at("action", |report| report.fault(message));
        }
    };
    let what = ACTIONS
        .iter()
        .find(|action| **action == name)
        .expect("a rule has its action listed");
    let mut object = Object::new(what, map, report);
    object.known("action");
    rules(&mut object);
    object.finish();
}

fn record(o: &mut Object<'_>) {
    o.optional("format", rule::one_of(&["mp3", "wav", "ogg"]));
    o.optional("split", rule::one_of(&["conversation"]));
    o.optional("channels", rule::count(limits::CHANNELS));
    if o.has("channels") && !o.has("split") {
        o.fault("channels", "needs 'split' to be 'conversation'");
    }
    o.optional(
        "endOnSilence",
        rule::whole_seconds(limits::RECORD_END_ON_SILENCE),
    );
    o.optional("endOnKey", key);
    o.optional("timeOut", rule::whole_seconds(limits::RECORD_TIME_OUT));
    o.optional("beepStart", rule::flag);
    o.optional("transcription", transcription);
    events(o);
}

fn conversation(o: &mut Object<'_>) {
    o.required("name", rule::filled);
    o.optional("musicOnHoldUrl", rule::one(rule::url));
    o.optional("startOnEnter", rule::flag);
    o.optional("endOnExit", rule::flag);
    o.optional("record", rule::flag);
    o.optional("canSpeak", rule::each(rule::leg));
    o.optional("canHear", rule::each(rule::leg));
    o.optional("mute", rule::flag);
    if o.is_true("mute") && o.has("canSpeak") {
        o.fault("mute", "excludes 'canSpeak'");
    }
    o.optional("transcription", transcription);
    if o.has("transcription") && !o.is_true("record") {
        o.fault("transcription", "needs 'record' to be true");
    }
    events(o);
}

fn connect(o: &mut Object<'_>) {
    o.required("endpoint", rule::one(endpoint::check));
    // Only the phone network insists on a number; Vonage's own examples show other endpoints words.
    if endpoint::is_phone(o.get("endpoint")) {
        o.optional("from", rule::phone);
    } else {
        o.optional("from", rule::any_caller);
    }
    o.optional("randomFromNumber", rule::flag);
    if o.is_true("randomFromNumber") && o.has("from") {
        o.fault("randomFromNumber", "excludes 'from'");
    }
    o.optional("eventType", rule::one_of(&["synchronous"]));
    o.optional("timeout", rule::whole_seconds(limits::CONNECT_TIMEOUT));
    o.optional("limit", rule::whole_seconds(limits::CONNECT_LIMIT));
    o.optional("machineDetection", rule::one_of(MACHINE));
    o.renamed(
        "advancedMachineDetection",
        "advanced_machine_detection",
        machine_detection,
    );
    let advanced = o.has("advancedMachineDetection") || o.has("advanced_machine_detection");
    if o.has("machineDetection") && advanced {
        o.warning(
            "machineDetection",
            "has no effect beside 'advancedMachineDetection'",
        );
    }
    o.optional("ringbackTone", rule::url_or_one);
    events(o);
}

fn talk(o: &mut Object<'_>) {
    o.required("text", spoken);
    o.optional("bargeIn", rule::flag);
    o.optional("loop", rule::count(limits::REPEAT));
    o.optional("level", rule::decimal(limits::LEVEL));
    o.optional("language", rule::filled);
    o.optional("style", rule::count(limits::STYLE));
    o.optional("premium", rule::flag);
    o.optional("provider", rule::one_of(&["ElevenLabs", "Google", "Polly"]));
    o.optional("providerOptions", rule::any_object);
    if o.has("voiceName") {
        o.warning("voiceName", "is deprecated: use 'language' and 'style'");
    }
    o.optional("voiceName", rule::text);
}

fn stream(o: &mut Object<'_>) {
    o.required("streamUrl", rule::one(rule::url));
    o.optional(
        "level",
        rule::stepped(limits::LEVEL, limits::STREAM_LEVEL_STEPS),
    );
    o.optional("bargeIn", rule::flag);
    o.optional("loop", rule::count(limits::REPEAT));
}

fn input(o: &mut Object<'_>) {
    o.required("type", input_type);
    o.optional("mode", rule::one_of(&["synchronous", "asynchronous"]));
    o.optional("dtmf", dtmf);
    o.optional("speech", speech);
    events(o);

    let takes = |o: &Object<'_>, kind: &str| match o.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|k| k == kind),
        // Already told of; nothing follows from it.
        _ => true,
    };
    if o.get("mode").is_some_and(|mode| mode == "asynchronous") {
        if o.has("type") && takes(o, "speech") {
            o.fault("mode", "takes digits only: 'type' must be 'dtmf' alone");
        }
        if o.get("dtmf")
            .and_then(Value::as_object)
            .is_some_and(|dtmf| !dtmf.is_empty())
        {
            o.fault("dtmf", "must be blank when 'mode' is 'asynchronous'");
        }
    }
    for kind in ["dtmf", "speech"] {
        if o.has(kind) && !takes(o, kind) {
            o.warning(kind, "has no effect: 'type' does not name it");
        }
    }
}

fn notify(o: &mut Object<'_>) {
    o.required("payload", rule::any_object);
    o.required("eventUrl", rule::one(rule::url));
    o.optional("eventMethod", rule::one_of(METHODS));
}

fn wait(o: &mut Object<'_>) {
    o.optional("timeout", rule::clamped_seconds(limits::WAIT_TIMEOUT));
}

fn transfer(o: &mut Object<'_>) {
    o.renamed("conversationId", "conversation_id", rule::conversation);
    if !o.has("conversationId") && !o.has("conversation_id") {
        o.report.fault("transfer needs 'conversationId'");
    }
    o.optional("canHear", rule::each(rule::leg));
    o.optional("canSpeak", rule::each(rule::leg));
    o.optional("mute", rule::flag);
}

// What actions are made of

fn events(o: &mut Object<'_>) {
    o.optional("eventUrl", rule::one(rule::url));
    o.optional("eventMethod", rule::one_of(METHODS));
}

fn within(
    what: &'static str,
    report: &mut Report,
    value: &Value,
    rules: impl FnOnce(&mut Object<'_>),
) {
    if let Some(map) = rule::object(report, value) {
        let mut object = Object::new(what, map, report);
        rules(&mut object);
        object.finish();
    }
}

fn transcription(report: &mut Report, value: &Value) {
    within("transcription", report, value, |o| {
        o.optional("language", rule::filled);
        events(o);
        o.optional("sentimentAnalysis", rule::flag);
    });
}

fn machine_detection(report: &mut Report, value: &Value) {
    within("advancedMachineDetection", report, value, |o| {
        o.optional("behavior", rule::one_of(MACHINE));
        o.optional("mode", rule::one_of(&["default", "detect", "detect_beep"]));
        let beep = rule::tolerant_seconds(limits::BEEP_TIMEOUT, limits::BEEP_TIMEOUT_TOLERATED);
        o.renamed("beep_timeout", "beepTimeout", beep);
    });
}

fn dtmf(report: &mut Report, value: &Value) {
    within("dtmf", report, value, |o| {
        o.optional("timeOut", rule::whole_seconds(limits::DTMF_TIME_OUT));
        o.optional("maxDigits", rule::count(limits::DTMF_MAX_DIGITS));
        o.optional("submitOnHash", rule::flag);
    });
}

fn speech(report: &mut Report, value: &Value) {
    within("speech", report, value, |o| {
        o.optional("uuid", rule::one(rule::leg));
        o.optional("endOnSilence", rule::seconds(limits::SPEECH_END_ON_SILENCE));
        o.optional("language", rule::filled);
        o.optional("context", rule::each(rule::text));
        o.optional(
            "startTimeout",
            rule::whole_seconds(limits::SPEECH_START_TIMEOUT),
        );
        o.optional(
            "maxDuration",
            rule::whole_seconds(limits::SPEECH_MAX_DURATION),
        );
        o.optional("saveAudio", rule::flag);
        let (inner, outer) = (
            limits::SPEECH_SENSITIVITY,
            limits::SPEECH_SENSITIVITY_TOLERATED,
        );
        o.optional("sensitivity", rule::tolerant_count(inner, outer));
        o.optional("provider", rule::one_of(&["deepgram", "google"]));
        o.optional("providerOptions", rule::any_object);
    });
}

fn input_type(report: &mut Report, value: &Value) {
    let Some(kinds) = rule::array(report, value) else {
        return;
    };
    if kinds.is_empty() {
        report.fault("must name 'dtmf', 'speech' or both");
    }
    let mut seen = Vec::new();
    for (position, kind) in kinds.iter().enumerate() {
        report.at(position, |report| {
            rule::one_of(&["dtmf", "speech"])(report, kind);
            match kind.as_str() {
                Some(kind) if seen.contains(&kind) => report.warning("is named twice"),
                // Others are faults already; kept out, `seen` stays as short as the list of kinds.
                Some(kind @ ("dtmf" | "speech")) => seen.push(kind),
                _ => {}
            }
        });
    }
}

fn key(report: &mut Report, value: &Value) {
    let Some(text) = rule::string(report, value) else {
        return;
    };
    if !matches!(text.as_bytes(), [b'0'..=b'9' | b'*' | b'#']) {
        report.fault("must be one key: a digit, '*' or '#'");
    }
}

fn spoken(report: &mut Report, value: &Value) {
    rule::filled(report, value);
    let length = value.as_str().map_or(0, spoken_length);
    if length > limits::TALK_TEXT_MAX {
        let max = limits::TALK_TEXT_MAX;
        report.fault(format_args!(
            "must have at most {max} characters besides tags, not {length}"
        ));
    }
}

/// Characters that are spoken: all of plain text, those outside tags of SSML.
fn spoken_length(text: &str) -> usize {
    if !text.trim_start().starts_with("<speak") {
        return text.chars().count();
    }
    let mut in_tag = false;
    text.chars()
        .filter(|c| match c {
            '<' => {
                in_tag = true;
                false
            }
            '>' if in_tag => {
                in_tag = false;
                false
            }
            _ => !in_tag,
        })
        .count()
}
