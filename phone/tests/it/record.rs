//! Recordings and their events.

use crate::shape::check;
use crate::stage::{AGENT, Stage, connect, seconds, talk, url, wait};
use serde_json::{Value, json};
use switchboard_phone::{Manner, Method};

fn record(options: Value) -> Value {
    let mut action = json!({ "action": "record", "eventUrl": [url("/recording")] });
    let fields = action.as_object_mut().unwrap();
    fields.extend(options.as_object().unwrap().clone());
    action
}

#[test]
fn the_event_has_the_fields_of_real_ones_and_two_ids_that_differ() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([record(json!({})), wait(5)]));
    let conversation = stage.conversation(&leg);
    stage.settle();
    let body = stage.at("/recording")[0].body.clone();
    let shape = json!({
        "start_time": "second", "end_time": "second", "recording_url": "text", "size": "number",
        "recording_uuid": "text", "conversation_uuid": conversation, "timestamp": "moment",
    });
    check("record", &body, shape);
    let id = body["recording_uuid"].as_str().unwrap();
    let link = body["recording_url"].as_str().unwrap();
    let file = link.strip_prefix("https://vonage.test/v1/files/").unwrap();
    assert!(crate::shape::is_dashed(id) && crate::shape::is_dashed(file));
    assert_ne!(id, file);
    assert_eq!(body["start_time"], "2026-03-02T09:00:00Z");
    assert_eq!(body["end_time"], "2026-03-02T09:00:05Z");
}

#[test]
fn by_get_its_size_is_text_like_all_else() {
    let mut stage = Stage::new();
    stage.caller(json!([record(json!({ "eventMethod": "GET" })), wait(5)]));
    stage.settle();
    let seen = stage.at("/recording")[0];
    assert_eq!(seen.method, Method::Get);
    assert!(seen.body["size"].as_str().unwrap().parse::<u64>().is_ok());
}

#[test]
fn without_an_end_condition_the_script_goes_on_at_once_and_it_lasts_as_the_call() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([record(json!({})), talk("At once."), wait(20)]));
    assert_eq!(stage.heard(&leg), ["At once."]);
    stage.run(10.0);
    assert!(stage.at("/recording").is_empty());
    stage.platform.hang_up(&leg).unwrap();
    stage.settle();
    assert_eq!(stage.at("/recording").len(), 1);
}

/// What ends a recording, and after how many milliseconds of it.
#[track_caller]
fn ends(options: Value, act: impl FnOnce(&mut Stage, &str), wanted: i64) {
    let what = options.to_string();
    let mut stage = Stage::new();
    let leg = stage.caller(json!([
        record(options),
        { "action": "notify", "payload": {}, "eventUrl": [url("/after")] },
        wait(60),
    ]));
    act(&mut stage, &leg);
    stage.run(30.0);
    let after = stage.at("/after");
    assert_eq!(after.len(), 1, "{what}");
    assert_eq!(after[0].at - 288, wanted, "{what}");
    assert_eq!(stage.at("/recording").len(), 1, "{what}");
}

#[test]
fn each_end_condition_ends_it_and_lets_the_script_go_on() {
    ends(json!({ "timeOut": 3 }), |_, _| {}, 3000);
    ends(json!({ "endOnSilence": 3 }), |_, _| {}, 3000);
    ends(json!({ "endOnSilence": 10 }), |_, _| {}, 10_000);
    let key = |stage: &mut Stage, leg: &str| {
        stage.run(2.0);
        stage.platform.press(leg, "1").unwrap();
        stage.run(2.0);
        stage.platform.press(leg, "#").unwrap();
    };
    ends(json!({ "endOnKey": "#" }), key, 4212);
    ends(json!({ "endOnKey": "#", "timeOut": 4 }), key, 4000);
    let words = "This is a message of some length.";
    let length = i64::try_from(switchboard_phone::audio::speaking_time(words).as_millis()).unwrap();
    let say = |stage: &mut Stage, leg: &str| {
        stage.run(1.0);
        stage.platform.say(leg, words).unwrap();
    };
    let silence = json!({ "endOnSilence": 3 });
    ends(silence, say, 1212 + length + 3000);
}

/// A recording's format by its options: what is served, with how many channels.
#[track_caller]
fn kept(options: Value, kind: &str, channels: u16) {
    let what = options.to_string();
    let mut stage = Stage::new();
    stage.platform.set_manners(
        AGENT,
        vec![Manner::answers(seconds(1.0), Some(seconds(6.0)))],
    );
    stage.caller(json!([record(options), connect(AGENT, json!({}))]));
    stage.settle();
    let body = stage.at("/recording")[0].body.clone();
    let (served, bytes) = stage.file(body["recording_url"].as_str().unwrap()).unwrap();
    assert_eq!(served, kind, "{what}");
    assert_eq!(
        body["size"].as_u64().unwrap(),
        bytes.len() as u64,
        "{what}: size as served"
    );
    if kind == "audio/wav" {
        let wav = hound::WavReader::new(bytes.as_slice()).unwrap().spec();
        assert_eq!(
            (wav.sample_rate, wav.bits_per_sample),
            (16_000, 16),
            "{what}"
        );
        assert_eq!(wav.channels, channels, "{what}");
    } else {
        // 32 kbit/s constant: 4 kB for each of seven seconds.
        assert!(
            (24_000..=32_000).contains(&bytes.len()),
            "{what}: {}",
            bytes.len()
        );
    }
}

#[test]
fn formats_and_channels_are_as_asked_for() {
    kept(json!({}), "audio/mpeg", 1);
    kept(json!({ "format": "wav" }), "audio/wav", 1);
    kept(
        json!({ "format": "wav", "split": "conversation", "channels": 2 }),
        "audio/wav",
        2,
    );
    kept(
        json!({ "split": "conversation", "channels": 3 }),
        "audio/wav",
        3,
    );
    kept(
        json!({ "split": "conversation", "channels": 32 }),
        "audio/wav",
        32,
    );
    // One for each side.
    kept(
        json!({ "format": "wav", "split": "conversation" }),
        "audio/wav",
        2,
    );
}

#[test]
fn split_puts_each_side_on_a_channel_of_its_own() {
    let mut stage = Stage::new();
    stage
        .platform
        .set_manners(AGENT, vec![Manner::answers(seconds(1.0), None)]);
    let split = record(json!({ "format": "wav", "split": "conversation", "channels": 2 }));
    let caller = stage.caller(json!([split, connect(AGENT, json!({}))]));
    stage.run(2.0);
    let callee = stage.leg_to(AGENT);
    stage
        .platform
        .say(&caller, "The caller speaks first.")
        .unwrap();
    stage.run(4.0);
    stage
        .platform
        .say(&callee, "And then the agent does.")
        .unwrap();
    stage.run(4.0);
    stage.platform.hang_up(&caller).unwrap();
    stage.settle();
    let link = stage.at("/recording")[0].body["recording_url"]
        .as_str()
        .unwrap()
        .to_owned();
    let (_, bytes) = stage.file(&link).unwrap();
    let samples: Vec<i16> = hound::WavReader::new(bytes.as_slice())
        .unwrap()
        .into_samples()
        .map(Result::unwrap)
        .collect();
    let loud = |channel: usize, from: f64, to: f64| {
        let frames = samples.chunks(2).skip((from * 16_000.0) as usize);
        let frames = frames.take(((to - from) * 16_000.0) as usize);
        frames
            .map(|frame| i32::from(frame[channel]).abs())
            .max()
            .unwrap()
            > 500
    };
    assert!(
        loud(0, 2.0, 5.0) && !loud(1, 2.0, 5.0),
        "first the caller alone"
    );
    assert!(
        !loud(0, 6.3, 9.0) && loud(1, 6.3, 9.0),
        "then the agent alone"
    );
}

#[test]
fn a_conversation_records_itself_and_tells_its_own_url() {
    let mut stage = Stage::new();
    let room = json!([{
        "action": "conversation", "name": "room", "record": true, "eventUrl": [url("/room")],
    }]);
    let first = stage.caller(room.clone());
    let second = stage.caller(room);
    stage.run(5.0);
    stage.platform.hang_up(&first).unwrap();
    stage.run(5.0);
    assert!(
        stage.at("/room").is_empty(),
        "the conversation goes on, and so does its recording"
    );
    stage.platform.hang_up(&second).unwrap();
    stage.settle();
    assert_eq!(
        stage.at("/room").len(),
        1,
        "it is told of the recording, and of nothing else"
    );
    assert!(stage.at("/room")[0].body.get("recording_url").is_some());
}

#[test]
fn a_recording_goes_on_in_the_room_that_the_script_leads_into() {
    let mut stage = Stage::new();
    let room = json!({ "action": "conversation", "name": "room" });
    let leg = stage.caller(json!([record(json!({ "format": "wav" })), wait(5), room]));
    let began = stage.conversation(&leg);
    let other = stage.caller(json!([room]));
    stage.run(10.0);
    stage.platform.say(&other, "Hello.").unwrap();
    stage.run(10.0);
    assert!(stage.at("/recording").is_empty());
    stage.platform.hang_up(&leg).unwrap();
    stage.run(2.0);
    let body = stage.at("/recording")[0].body.clone();
    assert_eq!(
        body["conversation_uuid"], began,
        "it is told where it began"
    );
    let (_, bytes) = stage.file(body["recording_url"].as_str().unwrap()).unwrap();
    let wav = hound::WavReader::new(bytes.as_slice()).unwrap();
    assert_eq!(wav.duration() / 16_000, 20);
}

#[test]
fn a_transcription_is_told_where_it_asks_and_has_the_words() {
    let mut stage = Stage::new();
    let hook = json!({ "transcription": { "eventUrl": [url("/words")] } });
    let leg = stage.caller(json!([record(hook), wait(10)]));
    stage.platform.say(&leg, "My boiler is cold.").unwrap();
    stage.settle();
    let body = stage.at("/words")[0].body.clone();
    let recording = stage.at("/recording")[0].body["recording_uuid"].clone();
    let shape = json!({
        "conversation_uuid": "conversation", "recording_uuid": recording,
        "status": "transcribed", "type": "record", "transcription_url": "text",
        "timestamp": "moment",
    });
    check("transcribed", &body, shape);
    let path = body["transcription_url"].as_str().unwrap();
    let path = path.strip_prefix("https://vonage.test").unwrap().to_owned();
    let (status, words) = stage.rest("GET", &path, Value::Null);
    assert_eq!(status, 200);
    let shape = json!({ "ver": "text", "request_id": "text", "channels": words["channels"] });
    check("transcript", &words, shape);
    let sentence = &words["channels"][0]["transcript"][0];
    let shape = json!({
        "sentence": "My boiler is cold.", "raw_sentence": "text", "duration": "number",
        "timestamp": "number", "words": sentence["words"],
    });
    check("sentence", sentence, shape);
}
