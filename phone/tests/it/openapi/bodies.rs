//! Bodies: each property at its bounds, past them, of every wrong type, and missing.

use crate::stage::{AGENT, LINE, url};
use serde_json::{Value, json};

/// A body, and whether the API takes it.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) json: Value,
    pub(crate) is_valid: bool,
}

/// What a property is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Whole,
    Flag,
    List,
    Object,
    /// Text or a number.
    Level,
}

struct Table {
    base: Value,
    bodies: Vec<Body>,
}

impl Table {
    fn of(base: Value) -> Self {
        let first = Body {
            json: base.clone(),
            is_valid: true,
        };
        Self {
            base,
            bodies: vec![first],
        }
    }

    fn add(&mut self, json: Value, is_valid: bool) {
        self.bodies.push(Body { json, is_valid });
    }

    /// A property by its JSON pointer: what is taken, what is refused, and every value of another type.
    fn property<const IN: usize, const OUT: usize>(
        &mut self,
        at: &str,
        kind: Kind,
        inside: [Value; IN],
        outside: [Value; OUT],
    ) -> &mut Self {
        for value in inside {
            self.add(with(&self.base, at, value), true);
        }
        for value in outside.into_iter().chain(others(kind)) {
            self.add(with(&self.base, at, value), false);
        }
        self
    }

    /// Those that may not be missing.
    fn required(&mut self, pointers: &[&str]) -> &mut Self {
        for at in pointers {
            self.add(without(&self.base, at), false);
        }
        self
    }

    fn done(&mut self) -> Vec<Body> {
        std::mem::take(&mut self.bodies)
    }
}

/// A value of every type that is another one.
fn others(kind: Kind) -> Vec<Value> {
    let all = [
        (Kind::Text, json!("nonsense")),
        (Kind::Whole, json!(7)),
        (Kind::Flag, json!(true)),
        (Kind::List, json!([7])),
        (Kind::Object, json!({ "nonsense": 7 })),
    ];
    let is_same = |other: Kind| {
        other == kind || kind == Kind::Level && matches!(other, Kind::Text | Kind::Whole)
    };
    all.into_iter()
        .filter(|(other, _)| !is_same(*other))
        .map(|(_, value)| value)
        .collect()
}

fn with(base: &Value, at: &str, value: Value) -> Value {
    let mut json = base.clone();
    let (parent, key) = at.rsplit_once('/').unwrap();
    json.pointer_mut(parent).unwrap()[key] = value;
    json
}

fn without(base: &Value, at: &str) -> Value {
    let mut json = base.clone();
    let (parent, key) = at.rsplit_once('/').unwrap();
    json.pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .remove(key);
    json
}

/// A list of one URL.
fn urls(table: &mut Table, at: &str) {
    table.property(
        at,
        Kind::List,
        [json!([url("/a?b=c")]), json!(["http://127.0.0.1:8080/"])],
        [
            json!(url("/a")),
            json!([]),
            json!([url("/a"), url("/b")]),
            json!([""]),
            json!(["/a"]),
            json!(["ftp://server.test/a"]),
        ],
    );
}

fn methods(table: &mut Table, at: &str) {
    table.property(
        at,
        Kind::Text,
        [json!("GET"), json!("POST")],
        [json!("PUT"), json!("get"), json!("")],
    );
}

fn scripts(table: &mut Table, at: &str) {
    table.property(
        at,
        Kind::List,
        [json!([]), json!([{ "action": "talk", "text": "Hello" }])],
        [
            json!([{ "action": "sing" }]),
            json!([[]]),
            json!([{ "action": "talk" }]),
        ],
    );
}

pub(crate) fn call() -> Value {
    json!({
        "to": [{ "type": "phone", "number": AGENT }],
        "from": { "type": "phone", "number": LINE },
        "ncco": [{ "action": "talk", "text": "Hello" }],
    })
}

fn call_to(endpoint: Value) -> Table {
    Table::of(with(&call(), "/to", json!([endpoint])))
}

pub(crate) fn create_call() -> Vec<Body> {
    let mut table = Table::of(call());
    numbers(&mut table, "/to/0/number");
    numbers(&mut table, "/from/number");
    scripts(&mut table, "/ncco");
    urls(&mut table, "/event_url");
    methods(&mut table, "/event_method");
    let seconds = |table: &mut Table, at: &str, most: u32| {
        let past = [json!(0), json!(-1), json!(most + 1), json!(1.5)];
        table.property(at, Kind::Whole, [json!(1), json!(most)], past);
    };
    seconds(&mut table, "/length_timer", 86_400);
    seconds(&mut table, "/ringing_timer", 120);
    let behaviors = [json!("continue"), json!("hangup")];
    table
        .property(
            "/machine_detection",
            Kind::Text,
            behaviors,
            [json!("ignore"), json!("")],
        )
        .property("/advanced_machine_detection", Kind::Object, [json!({})], [])
        .property(
            "/to/0/dtmfAnswer",
            Kind::Text,
            [json!("p*123#")],
            [json!("abc")],
        )
        .property("/to/0/type", Kind::Text, [], [json!("fax"), json!("")])
        .property("/from/type", Kind::Text, [], [json!("app"), json!("")])
        .property(
            "/to",
            Kind::List,
            [],
            [json!([]), json!([{}]), two_phones()],
        )
        .property("/from", Kind::Object, [], [json!({})])
        .required(&[
            "/to",
            "/to/0/type",
            "/to/0/number",
            "/from/type",
            "/from/number",
            "/ncco",
        ]);
    // Shown by a SIP address.
    let sip = with(
        &call(),
        "/from/number",
        json!("sip:switchboard@pbx.example.org"),
    );
    table.add(sip, true);
    let mut bodies = table.done();
    for mut table in [
        advanced(),
        by_url(),
        random(),
        sip_call(),
        socket(),
        extension(),
        app(),
    ] {
        bodies.append(&mut table.bodies);
    }
    bodies
}

fn two_phones() -> Value {
    json!([{ "type": "phone", "number": AGENT }, { "type": "phone", "number": LINE }])
}

fn numbers(table: &mut Table, at: &str) {
    table.property(
        at,
        Kind::Text,
        [json!("4477009"), json!("447700900123456")],
        [
            json!("447700"),
            json!("4477009001234567"),
            json!("+447700900123"),
            json!(""),
        ],
    );
}

fn advanced() -> Table {
    let mut table = Table::of(with(
        &call(),
        "/advanced_machine_detection",
        json!({ "behavior": "continue", "mode": "default", "beep_timeout": 45 }),
    ));
    let modes = [json!("default"), json!("detect"), json!("detect_beep")];
    let behaviors = [json!("continue"), json!("hangup")];
    let past = [json!(29), json!(121)];
    let within = [json!(30), json!(120)];
    table
        .property(
            "/advanced_machine_detection/behavior",
            Kind::Text,
            behaviors,
            [json!("x")],
        )
        .property(
            "/advanced_machine_detection/mode",
            Kind::Text,
            modes,
            [json!("x")],
        )
        .property(
            "/advanced_machine_detection/beep_timeout",
            Kind::Whole,
            within,
            past,
        );
    table
}

fn by_url() -> Table {
    let base = with(
        &without(&call(), "/ncco"),
        "/answer_url",
        json!([url("/answer")]),
    );
    let mut table = Table::of(base);
    urls(&mut table, "/answer_url");
    methods(&mut table, "/answer_method");
    table.required(&["/answer_url"]);
    table
}

fn random() -> Table {
    let mut table = Table::of(without(&call(), "/from"));
    let flags = [json!(true), json!(false)];
    table.property("/random_from_number", Kind::Flag, flags, []);
    table
}

fn sip_call() -> Table {
    let mut table = call_to(json!({ "type": "sip", "uri": "sip:rebekka@pbx.example.org" }));
    let longest = |length: usize| format!("sip:{}", "a".repeat(length - 4));
    let within = [json!(longest(50)), json!("sips:a@b.example.org")];
    let past = [
        json!(longest(51)),
        json!("a@b.example.org"),
        json!("sip:"),
        json!("sip:a b"),
    ];
    let headers = [json!({ "location": "Berlin" })];
    let standard = [json!({ "User-to-User": "a".repeat(256) })];
    let long = [json!({ "User-to-User": "a".repeat(257) })];
    table
        .property("/to/0/uri", Kind::Text, within, past)
        .property("/to/0/headers", Kind::Object, headers, [])
        .required(&["/to/0/uri"]);
    for value in standard {
        table.add(with(&table.base, "/to/0/standard_headers", value), true);
    }
    for value in long {
        table.add(with(&table.base, "/to/0/standard_headers", value), false);
    }
    // Headers are free: any object is one.
    table
        .bodies
        .retain(|body| body.is_valid || body.json["to"][0]["headers"].is_null());
    table
}

fn socket() -> Table {
    let mut table = call_to(json!({
        "type": "websocket", "uri": "wss://bot.example.org/a", "content-type": "audio/l16;rate=16000",
        "headers": { "customer_id": "ABC123" },
    }));
    let rates = [8000, 16_000, 24_000].map(|rate| json!(format!("audio/l16;rate={rate}")));
    let past = [
        json!("audio/l16;rate=44100"),
        json!("audio/mpeg"),
        json!(""),
    ];
    let schemes = [json!("ws://bot.example.org/a")];
    let wrong = [json!("https://bot.example.org/a"), json!("bot"), json!("")];
    table
        .property("/to/0/content-type", Kind::Text, rates, past)
        .property("/to/0/uri", Kind::Text, schemes, wrong)
        .required(&["/to/0/uri", "/to/0/content-type"]);
    table
}

fn extension() -> Table {
    let mut table = call_to(json!({ "type": "vbc", "extension": "1234" }));
    table
        .property("/to/0/extension", Kind::Text, [json!("1")], [json!("")])
        .required(&["/to/0/extension"]);
    // Whatever is text may be one.
    table
}

fn app() -> Table {
    let mut table = call_to(json!({ "type": "app", "user": "jamie" }));
    table
        .property("/to/0/user", Kind::Text, [json!("j")], [json!("")])
        .required(&["/to/0/user"]);
    table
}

pub(crate) fn update_call() -> Vec<Body> {
    let mut bodies = Vec::new();
    for action in ["hangup", "mute", "unmute", "earmuff", "unearmuff"] {
        let mut table = Table::of(json!({ "action": action }));
        table
            .property(
                "/action",
                Kind::Text,
                [],
                [json!("sing"), json!(""), json!("transfer")],
            )
            .required(&["/action"]);
        bodies.append(&mut table.bodies);
    }
    let destination = json!({ "type": "ncco", "ncco": [{ "action": "talk", "text": "Hello" }] });
    let mut table = Table::of(json!({ "action": "transfer", "destination": destination }));
    scripts(&mut table, "/destination/ncco");
    table
        .property(
            "/destination",
            Kind::Object,
            [],
            [json!({}), json!({ "type": "ncco" })],
        )
        .property(
            "/destination/type",
            Kind::Text,
            [],
            [json!("url"), json!("")],
        )
        .required(&[
            "/action",
            "/destination",
            "/destination/type",
            "/destination/ncco",
        ]);
    bodies.append(&mut table.bodies);
    let destination = json!({ "type": "ncco", "url": [url("/script")] });
    let mut table = Table::of(json!({ "action": "transfer", "destination": destination }));
    urls(&mut table, "/destination/url");
    table.required(&["/destination/type", "/destination/url"]);
    bodies.append(&mut table.bodies);
    bodies
}

/// What talk and stream have in common.
fn playing(table: &mut Table) {
    let levels = [
        json!("-1"),
        json!("0.4"),
        json!("1"),
        json!(-1),
        json!(0.4),
        json!(1),
    ];
    let past = [
        json!("1.1"),
        json!("-1.1"),
        json!("loud"),
        json!(""),
        json!(2),
        json!(-2),
    ];
    let times = [json!(0), json!(1), json!(1000)];
    table
        .property("/level", Kind::Level, levels, past)
        .property(
            "/loop",
            Kind::Whole,
            times,
            [json!(-1), json!(1.5), json!("1")],
        );
    // Seven is a number, and too loud.
    table.add(with(&table.base, "/level", json!(7)), false);
}

pub(crate) fn start_stream() -> Vec<Body> {
    let mut table = Table::of(json!({ "stream_url": [url("/waiting.mp3")] }));
    urls(&mut table, "/stream_url");
    playing(&mut table);
    table.required(&["/stream_url"]).done()
}

pub(crate) fn start_talk() -> Vec<Body> {
    let mut table = Table::of(json!({ "text": "Hello. How are you today?" }));
    let texts = [json!("a".repeat(1500)), json!("<speak>Hello</speak>")];
    let languages = [json!("en-GB-WLS"), json!("cmn-CN"), json!("ar")];
    let flags = [json!(true), json!(false)];
    table
        .property(
            "/text",
            Kind::Text,
            texts,
            [json!(""), json!(" "), json!("a".repeat(1501))],
        )
        .property(
            "/language",
            Kind::Text,
            languages,
            [json!(""), json!("x"), json!("en_GB")],
        )
        .property(
            "/style",
            Kind::Whole,
            [json!(0), json!(11)],
            [json!(-1), json!(0.5)],
        )
        .property("/premium", Kind::Flag, flags, []);
    playing(&mut table);
    // Deprecated, and of no effect.
    table.add(with(&table.base, "/voice_name", json!("Amy")), true);
    table.required(&["/text"]).done()
}

pub(crate) fn start_dtmf() -> Vec<Body> {
    let mut table = Table::of(json!({ "digits": "1713" }));
    let keys = [json!("0123456789*#p"), json!("1")];
    let past = [json!(""), json!("A"), json!("1 2"), json!("+1")];
    table
        .property("/digits", Kind::Text, keys, past)
        .required(&["/digits"])
        .done()
}

pub(crate) fn subscribe() -> Vec<Body> {
    let mut table = Table::of(json!({ "event_url": [url("/keys")] }));
    urls(&mut table, "/event_url");
    table.required(&["/event_url"]).done()
}
