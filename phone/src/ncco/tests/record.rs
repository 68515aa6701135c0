//! Record.

use std::time::Duration;

use super::*;

fn record(fields: &Value) -> Record {
    let action = with(fields, "/action", json!("record"));
    match taken("record", action) {
        Action::Record(record) => record,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_record_is_an_mp3_of_all_that_follows_unless_told_otherwise() {
    let expected = Record {
        format: Format::Mp3,
        channels: None,
        split: false,
        end_on_silence: None,
        end_on_key: None,
        time_out: None,
        beep: false,
        hook: None,
        transcription: None,
    };
    assert_eq!(record(&json!({})), expected);
    assert_eq!(expected.summary(), "mp3, to the end");
}

#[test]
fn the_end_of_a_record_has_its_ranges() {
    let base = json!({"action": "record"});
    range(
        &base,
        "/endOnSilence",
        [json!(3), json!(10)],
        [json!(2), json!(11), json!(3.5), json!("3")],
    );
    range(
        &base,
        "/timeOut",
        [json!(3), json!(7200)],
        [json!(2), json!(7201), json!(60.5)],
    );
    let keys = ["0", "9", "*", "#"].map(|key| json!(key));
    let others = [
        json!(""),
        json!("A"),
        json!("12"),
        json!("##"),
        json!(1),
        json!("٣"),
    ];
    range(&base, "/endOnKey", keys, others);
    hook(&base, "");
    let read =
        record(&json!({"endOnSilence": 3, "endOnKey": "*", "timeOut": 90, "beepStart": true}));
    assert_eq!(read.end_on_silence, Some(Duration::from_secs(3)));
    assert_eq!(
        (read.end_on_key, read.time_out),
        (Some('*'), Some(Duration::from_secs(90)))
    );
    assert!(read.beep);
}

#[test]
fn channels_need_a_split_and_more_than_two_make_a_wav() {
    let split = json!({"action": "record", "split": "conversation"});
    range(
        &split,
        "/channels",
        [json!(1), json!(32)],
        [json!(0), json!(33), json!(1.5)],
    );
    range(
        &split,
        "/split",
        [json!("conversation")],
        [json!("none"), json!(""), json!(true)],
    );
    refused(
        "no split",
        json!({"action": "record", "channels": 2}),
        "/channels",
    );
    let rows = [
        (json!({}), Format::Mp3),
        (json!({"channels": 2}), Format::Mp3),
        (json!({"channels": 3}), Format::Wav),
        (json!({"channels": 3, "format": "ogg"}), Format::Ogg),
        (json!({"format": "wav"}), Format::Wav),
    ];
    for (mut fields, format) in rows {
        fields["split"] = json!("conversation");
        let read = record(&fields);
        assert_eq!((read.format, read.split), (format, true), "{fields}");
    }
    let formats = [json!("mp3"), json!("wav"), json!("ogg")];
    range(
        &split,
        "/format",
        formats,
        [json!("MP3"), json!("flac"), json!("")],
    );
}

#[test]
fn a_transcription_is_on_with_an_empty_object() {
    let off = Transcription {
        hook: None,
        language: None,
    };
    assert_eq!(
        record(&json!({"transcription": {}})).transcription,
        Some(off)
    );
    let base = json!({"action": "record", "transcription": {}});
    range(
        &base,
        "/transcription/language",
        [json!("en-GB")],
        [json!("British")],
    );
    range(
        &base,
        "/transcription/sentimentAnalysis",
        [json!(true)],
        [json!("true")],
    );
    hook(&base, "/transcription");
    let settings = json!({"language": "en-GB", "eventUrl": [URL], "eventMethod": "GET"});
    let expected = Transcription {
        hook: Some(Hook {
            url: URL.to_owned(),
            method: Method::Get,
        }),
        language: Some("en-GB".to_owned()),
    };
    assert_eq!(
        record(&json!({"transcription": settings})).transcription,
        Some(expected)
    );
}
