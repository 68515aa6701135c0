//! Endpoints, of scripts and of REST.

use super::*;

/// In a connect, and where it stands there.
fn script(endpoint: &Value) -> Value {
    json!({"action": "connect", "endpoint": [endpoint]})
}

#[track_caller]
fn endpoint(rule: &str, value: &Value) -> Endpoint {
    match taken(rule, script(value)) {
        Action::Connect(connect) => connect.endpoint,
        other => panic!("{other:?}"),
    }
}

/// The same of REST and of a script.
#[track_caller]
fn both<const IN: usize, const OUT: usize>(
    base: &Value,
    key: &str,
    inside: [Value; IN],
    outside: [Value; OUT],
) {
    for value in &inside {
        let read = endpoint_of_rest(&with(base, key, value.clone()));
        assert!(read.is_ok(), "REST, {key} {value}: {read:?}");
    }
    for value in &outside {
        let read = endpoint_of_rest(&with(base, key, value.clone()));
        assert_eq!(read.expect_err(key).pointer, key, "REST, {value}");
    }
    in_script(base, key, inside, outside);
}

#[track_caller]
fn in_script<const IN: usize, const OUT: usize>(
    base: &Value,
    key: &str,
    inside: [Value; IN],
    outside: [Value; OUT],
) {
    for value in inside {
        endpoint(&format!("{key} {value}"), &with(base, key, value));
    }
    for value in outside {
        let place = format!("/endpoint/0{key}");
        refused(
            &format!("{key} {value}"),
            script(&with(base, key, value)),
            &place,
        );
    }
}

#[test]
fn an_endpoint_has_one_of_five_types_and_what_that_needs() {
    let base = json!({"number": "447700900001"});
    both(
        &base,
        "/type",
        [json!("phone")],
        [json!("fax"), json!("Phone"), json!("")],
    );
    let rows = [
        ("type", json!({"number": "447700900001"})),
        ("number", json!({"type": "phone"})),
        ("user", json!({"type": "app"})),
        ("uri", json!({"type": "sip"})),
        (
            "uri",
            json!({"type": "websocket", "content-type": "audio/l16;rate=8000"}),
        ),
        (
            "content-type",
            json!({"type": "websocket", "uri": "wss://example.org"}),
        ),
        ("extension", json!({"type": "vbc"})),
    ];
    for (key, value) in rows {
        refused("required", script(&value), &format!("/endpoint/0/{key}"));
        assert_eq!(
            endpoint_of_rest(&value).unwrap_err().pointer,
            format!("/{key}")
        );
    }
    let rows = [
        (
            "phone",
            "447700900001",
            json!({"type": "phone", "number": "447700900001"}),
        ),
        ("app", "alice", json!({"type": "app", "user": "alice"})),
        (
            "sip",
            "sips:alice@example.org",
            json!({"type": "sip", "uri": "sips:alice@example.org"}),
        ),
        (
            "websocket",
            "wss://example.org/ears",
            json!({"type": "websocket", "uri": "wss://example.org/ears", "content-type": "audio/l16;rate=24000"}),
        ),
        ("vbc", "123", json!({"type": "vbc", "extension": "123"})),
    ];
    for (kind, address, value) in rows {
        let read = endpoint(kind, &value);
        assert_eq!((read.kind(), read.address().as_str()), (kind, address));
        assert_eq!(endpoint_of_rest(&value), Ok(read), "REST says the same");
    }
}

#[test]
fn a_phone_has_7_to_15_digits() {
    let phone = json!({"type": "phone", "number": "447700900001"});
    both(
        &phone,
        "/number",
        [json!("1234567"), json!("123456789012345")],
        [
            json!("123456"),
            json!("1234567890123456"),
            json!("+447700900001"),
            json!("44 7700 900001"),
            json!("٤٤٧٧٠٠٩"),
            json!(447_700_900_001_u64),
        ],
    );
    both(
        &phone,
        "/dtmfAnswer",
        [json!("p*123#"), json!("0987654321"), json!("")],
        [json!("w1"), json!("1,2"), json!("P1"), json!(123)],
    );
}

#[test]
fn what_a_callee_hears_first_is_for_scripts_alone() {
    let phone = json!({"type": "phone", "number": "447700900001", "onAnswer": {"url": URL}});
    in_script(
        &phone,
        "/onAnswer/url",
        [json!(URL)],
        [json!([URL]), json!("a"), json!("")],
    );
    in_script(
        &phone,
        "/onAnswer/ringbackTone",
        [json!(URL)],
        [json!([URL]), json!("a")],
    );
    in_script(
        &phone,
        "/onAnswer/ringback",
        [json!(URL)],
        [json!([URL]), json!("a")],
    );
    refused(
        "url",
        script(&with(&phone, "/onAnswer", json!({}))),
        "/endpoint/0/onAnswer/url",
    );
    let tones = [
        (json!({"url": URL}), None),
        (
            json!({"url": URL, "ringback": "http://a.org/old"}),
            Some("http://a.org/old"),
        ),
        (
            json!({"url": URL, "ringback": "http://a.org/old", "ringbackTone": "http://a.org/new"}),
            Some("http://a.org/new"),
        ),
    ];
    for (on_answer, tone) in tones {
        let Endpoint::Phone {
            on_answer: Some(read),
            ..
        } = endpoint("tone", &with(&phone, "/onAnswer", on_answer))
        else {
            panic!();
        };
        assert_eq!((read.url.as_str(), read.ringback.as_deref()), (URL, tone));
    }
    let read = endpoint_of_rest(&phone);
    assert!(
        matches!(
            read,
            Ok(Endpoint::Phone {
                on_answer: None,
                ..
            })
        ),
        "{read:?}"
    );
}

#[test]
fn a_sip_endpoint_is_an_address_or_a_trunk_and_a_user() {
    let sip = json!({"type": "sip", "uri": "sip:alice@example.org"});
    both(
        &sip,
        "/uri",
        [json!("sip:a@b;transport=tls;media=srtp"), json!("sips:a@b")],
        [
            json!("alice@example.org"),
            json!("sip:"),
            json!("sip:a b@c"),
            json!("tel:1234567"),
            json!(""),
        ],
    );
    let long = |length: usize| json!(format!("sip:{}", "a".repeat(length - 4)));
    assert!(endpoint_of_rest(&with(&sip, "/uri", long(50))).is_ok());
    assert_eq!(
        endpoint_of_rest(&with(&sip, "/uri", long(51)))
            .unwrap_err()
            .pointer,
        "/uri"
    );
    in_script(&sip, "/uri", [long(51)], []);

    let trunk = json!({"type": "sip", "user": "alice", "domain": "office"});
    assert_eq!(endpoint("trunk", &trunk).address(), "sip:alice@office");
    assert_eq!(
        endpoint_of_rest(&trunk).unwrap_err().pointer,
        "/uri",
        "REST knows no trunks"
    );
    let rows = [
        ("no domain", json!({"type": "sip", "user": "alice"})),
        ("no user", json!({"type": "sip", "domain": "office"})),
        (
            "parts",
            json!({"type": "sip", "user": "alice@home", "domain": "office"}),
        ),
        ("both", with(&trunk, "/uri", json!("sip:alice@office"))),
    ];
    for (rule, value) in rows {
        refused(rule, script(&value), "/endpoint/0/uri");
    }
}

#[test]
fn headers_are_kept_and_user_to_user_is_256_characters_at_most() {
    let sip = json!({"type": "sip", "uri": "sip:a@b", "headers": {"place": "Hull"}});
    both(
        &sip,
        "/headers",
        [json!({})],
        [json!([]), json!("a"), json!(null)],
    );
    let Endpoint::Sip { headers, .. } = endpoint("headers", &sip) else {
        panic!()
    };
    assert_eq!(Value::from(headers), json!({"place": "Hull"}));

    let edge = |length: usize| json!({"User-to-User": "a".repeat(length)});
    endpoint(
        "standardHeaders",
        &with(&sip, "/standardHeaders", edge(256)),
    );
    assert!(endpoint_of_rest(&with(&sip, "/standard_headers", edge(256))).is_ok());
    for bad in [edge(257), json!({"User-to-User": 7}), json!({})] {
        let place = "/endpoint/0/standardHeaders/User-to-User";
        refused(
            "standardHeaders",
            script(&with(&sip, "/standardHeaders", bad.clone())),
            place,
        );
        let read = endpoint_of_rest(&with(&sip, "/standard_headers", bad));
        assert_eq!(read.unwrap_err().pointer, "/standard_headers/User-to-User");
    }
}

#[test]
fn a_websocket_is_sent_samples_at_one_of_three_rates() {
    let socket = json!({
        "type": "websocket", "uri": "ws://example.org", "content-type": "audio/l16;rate=8000",
        "headers": {"caller": 7}, "authorization": {},
    });
    both(
        &socket,
        "/content-type",
        [
            json!("audio/l16;rate=8000"),
            json!("audio/l16;rate=16000"),
            json!("audio/l16;rate=24000"),
        ],
        [
            json!("audio/l16;rate=48000"),
            json!("audio/l16; rate=8000"),
            json!("audio/wav"),
            json!(""),
        ],
    );
    both(
        &socket,
        "/uri",
        [json!("ws://a.org"), json!("wss://a.org/b?c=d")],
        [
            json!("https://a.org"),
            json!("a.org"),
            json!("wss://"),
            json!(""),
        ],
    );
    both(
        &socket,
        "/authorization/type",
        [json!("vonage")],
        [json!("bearer"), json!("")],
    );
    let custom = with(
        &socket,
        "/authorization",
        json!({"type": "custom", "value": "Bearer a"}),
    );
    both(
        &custom,
        "/authorization/value",
        [json!("a"), json!("~ ".repeat(4095) + "a")],
        [
            json!(""),
            json!("a".repeat(8192)),
            json!("a\nb"),
            json!("é"),
            json!(7),
        ],
    );
    let missing = with(&socket, "/authorization", json!({"type": "custom"}));
    refused("value", script(&missing), "/endpoint/0/authorization/value");
    let Endpoint::Websocket { headers, .. } = endpoint("headers", &socket) else {
        panic!()
    };
    assert_eq!(Value::from(headers), json!({"caller": 7}));
}

#[test]
fn users_and_extensions_are_not_blank() {
    both(
        &json!({"type": "app"}),
        "/user",
        [json!("alice")],
        [json!(""), json!(" "), json!(7)],
    );
    both(
        &json!({"type": "vbc"}),
        "/extension",
        [json!("123")],
        [json!(""), json!(123)],
    );
}

#[test]
fn a_caller_of_rest_is_a_number_or_a_sip_address() {
    let from = |number: Value| caller_of_rest(&json!({"type": "phone", "number": number}));
    for number in ["447700900001", "sip:alice@example.org"] {
        assert_eq!(from(json!(number)).as_deref(), Ok(number));
    }
    for number in [
        json!("+447700900001"),
        json!("123456"),
        json!("alice"),
        json!(447_700_900_001_u64),
    ] {
        assert_eq!(from(number).unwrap_err().pointer, "/number");
    }
    let rows = [
        ("", json!("447700900001")),
        ("/type", json!({"number": "447700900001"})),
        ("/type", json!({"type": "sip", "number": "447700900001"})),
        ("/number", json!({"type": "phone"})),
    ];
    for (pointer, value) in rows {
        assert_eq!(
            caller_of_rest(&value).unwrap_err().pointer,
            pointer,
            "{value}"
        );
    }
}
