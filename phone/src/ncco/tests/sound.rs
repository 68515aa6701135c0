//! Talk, stream, wait and notify.

use std::time::Duration;

use super::*;

#[test]
fn a_talk_is_once_in_american_english_unless_told_otherwise() {
    let expected = Talk {
        text: "Please hold.".to_owned(),
        language: "en-US".to_owned(),
        times: Times::Count(1),
        barge_in: false,
    };
    let talk = taken("plain", json!({"action": "talk", "text": "Please hold."}));
    assert_eq!(talk, Action::Talk(expected));
    assert_eq!(talk.summary(), "“Please hold.”");
}

#[test]
fn a_stream_is_once_unless_told_otherwise() {
    let url = "https://example.org/on-hold/music.mp3?v=2";
    let expected = Stream {
        url: url.to_owned(),
        times: Times::Count(1),
        barge_in: false,
    };
    let stream = taken("plain", json!({"action": "stream", "streamUrl": [url]}));
    assert_eq!(stream, Action::Stream(expected));
    assert_eq!(stream.summary(), "music.mp3");
    let rows = [
        ("https://example.org", "example.org"),
        ("https://example.org/", "https://example.org/"),
    ];
    for (url, summary) in rows {
        let stream = taken("no file", json!({"action": "stream", "streamUrl": [url]}));
        assert_eq!(stream.summary(), summary);
    }
}

#[test]
fn a_talk_says_something_and_1500_characters_at_most() {
    let base = json!({"action": "talk"});
    refused("text is required", base.clone(), "/text");
    let speech = |words: usize| format!("<speak>{}<break time='1s'/></speak>", "é".repeat(words));
    range(
        &base,
        "/text",
        [
            json!("a"),
            json!("a".repeat(1500)),
            json!("é".repeat(1500)),
            json!(speech(1500)),
            json!("<speak><break time='1s'/></speak>"),
        ],
        [
            json!(""),
            json!("  \n"),
            json!("a".repeat(1501)),
            json!(speech(1501)),
            // Tags are tags in SSML alone.
            json!(format!("<b>{}</b>", "a".repeat(1494))),
            json!(format!("<speak>{}<", "a".repeat(1500))),
        ],
    );
}

#[test]
fn a_long_text_is_told_by_its_beginning_and_without_tags() {
    let rows = [
        ("a".repeat(60), format!("“{}”", "a".repeat(60))),
        ("é".repeat(61), format!("“{}…”", "é".repeat(60))),
        (
            "<speak>One\n <emphasis>two</emphasis></speak>".to_owned(),
            "“One two”".to_owned(),
        ),
    ];
    for (text, summary) in rows {
        let talk = taken("a text", json!({"action": "talk", "text": text}));
        assert_eq!(talk.summary(), summary);
    }
}

#[test]
fn what_is_played_has_a_level_and_a_number_of_times() {
    let talk = json!({"action": "talk", "text": "Please hold."});
    let stream = json!({"action": "stream", "streamUrl": [URL]});
    for base in [&talk, &stream] {
        range(
            base,
            "/level",
            [json!(-1), json!(-1.0), json!(0.35), json!(1)],
            [json!(-1.1), json!(1.1), json!("0.5")],
        );
        range(
            base,
            "/loop",
            [json!(0), json!(1), json!(u32::MAX)],
            [json!(-1), json!(1.5), json!("0"), json!(1_u64 << 32)],
        );
        let rows = [
            (0, Times::Forever, ", for ever"),
            (1, Times::Count(1), ""),
            (3, Times::Count(3), ", 3 times"),
        ];
        for (count, expected, ending) in rows {
            let action = taken("loop", with(base, "/loop", json!(count)));
            let (Action::Talk(Talk { times, .. }) | Action::Stream(Stream { times, .. })) = &action
            else {
                panic!("{action:?}");
            };
            assert_eq!(*times, expected);
            assert!(action.summary().ends_with(ending), "{}", action.summary());
        }
    }
    range(
        &talk,
        "/style",
        [json!(0), json!(11)],
        [json!(-1), json!(0.5), json!("0")],
    );
    range(
        &talk,
        "/language",
        [
            json!("ar"),
            json!("en-GB-WLS"),
            json!("cmn-CN"),
            json!("fil-PH"),
            json!("lt-LT"),
        ],
        [
            json!(""),
            json!("English"),
            json!("en_GB"),
            json!("e"),
            json!("en-"),
            json!("en-GB "),
        ],
    );
}

#[test]
fn a_stream_has_one_web_address_in_an_array() {
    let base = json!({"action": "stream"});
    refused("streamUrl is required", base.clone(), "/streamUrl");
    range(
        &base,
        "/streamUrl",
        [json!([URL])],
        [
            json!(URL),
            json!([]),
            json!([URL, URL]),
            json!(["music.mp3"]),
            json!(["file:///music.mp3"]),
        ],
    );
}

#[test]
fn a_wait_is_made_to_fit_and_never_refused_for_its_length() {
    let rows = [
        (json!({}), 10_000),
        (json!({"timeout": 0.1}), 100),
        (json!({"timeout": 0.09}), 100),
        (json!({"timeout": 0}), 100),
        (json!({"timeout": -5}), 100),
        (json!({"timeout": 2.5}), 2_500),
        (json!({"timeout": 7200}), 7_200_000),
        (json!({"timeout": 7200.5}), 7_200_000),
        (json!({"timeout": 1e300}), 7_200_000),
    ];
    for (mut action, millis) in rows {
        action["action"] = json!("wait");
        let time = Duration::from_millis(millis);
        assert_eq!(
            taken("wait", action.clone()),
            Action::Wait(Wait { time }),
            "{action}"
        );
    }
    refused(
        "in seconds",
        json!({"action": "wait", "timeout": "5"}),
        "/timeout",
    );
}

#[test]
fn a_notify_has_an_object_to_send_and_somewhere_to_send_it() {
    let base = json!({"action": "notify", "payload": {}, "eventUrl": [URL]});
    hook(&base, "");
    range(
        &base,
        "/payload",
        [json!({}), json!({"a": [null, 1]})],
        [json!([]), json!("a"), json!(1)],
    );
    refused(
        "payload is required",
        json!({"action": "notify", "eventUrl": [URL]}),
        "/payload",
    );
    refused(
        "eventUrl is required",
        json!({"action": "notify", "payload": {}}),
        "/eventUrl",
    );
    let expected = Notify {
        payload: json!({"queue": "sales"}),
        hook: Hook {
            url: URL.to_owned(),
            method: Method::Post,
        },
    };
    let notify = taken(
        "POST by default",
        with(&base, "/payload", json!({"queue": "sales"})),
    );
    assert_eq!(notify, Action::Notify(expected));
}
