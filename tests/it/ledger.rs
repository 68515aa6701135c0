//! The ledger: whole calls through the board, and what the operator's commands make of them; how long it
//! is all kept; recordings as files.

use crate::cli::audio;
use crate::fixtures;
use crate::platform::{Platform, RecordingFault, Stranger};
use crate::shell::Shell;
use crate::world::{CALLER, PLAN, World, eventually, incoming};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use switchboard_shared::id::LegId;
use switchboard_shared::recording::{Recording, State};
use switchboard_shared::store::Home;

/// Rings Alice at once.
const DIRECT: &str = "447700900003";

/// Puts callers on hold.
const SUPPORT: &str = "447700900002";

fn stamp(seconds: i64) -> String {
    let at = Timestamp::now() + SignedDuration::from_secs(seconds);
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Alice takes a call after 12 s and talks for 65 s; two callers on hold give up.
async fn a_day(shell: &Shell) -> World {
    let data = Some(shell.path(".switchboard"));
    let world = World::start(PLAN, data, Vec::new(), Platform::start()).await;
    let ncco = world.call(DIRECT, "leg-1").await;
    let answered = json!({ "timestamp": stamp(12) });
    world.connected_leg(&ncco, "answered", answered).await;
    let over = json!({ "timestamp": stamp(77), "duration": "65", "price": "0.01200000" });
    world.connected_leg(&ncco, "completed", over).await;
    for (leg, price) in [("leg-1", "0.00450000"), ("leg-2", "0.00100000")] {
        if leg != "leg-1" {
            world.call(SUPPORT, leg).await;
        }
        let body = json!({
            "uuid": leg,
            "conversation_uuid": format!("CON-{leg}"),
            "direction": "inbound",
            "status": "completed",
            "duration": "78",
            "price": price,
            "timestamp": stamp(78),
        });
        assert_eq!(world.post("/webhooks/event", &body).await.status, 200);
    }
    let mut hostile = incoming(SUPPORT, "leg-3");
    hostile["from"] = json!("=HYPERLINK(\"https://evil.example\",\"click\")");
    assert_eq!(world.post("/webhooks/answer", &hostile).await.status, 200);
    world
}

/// The rows of a CSV text, each as pairs of heading and cell.
fn rows(text: &str) -> Vec<Value> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let row = |row: csv::StringRecord| {
        let cells = headings.iter().zip(row.iter());
        let cells = cells.map(|(name, cell)| (name.to_owned(), json!(cell)));
        Value::Object(cells.collect())
    };
    reader.records().map(|one| row(one.unwrap())).collect()
}

#[tokio::test]
async fn calls_are_told_with_who_took_them_how_long_it_took_and_what_it_cost() {
    let shell = Shell::new();
    let world = a_day(&shell).await;
    let ran = shell.run(&["calls", "--format", "csv"]).await.fine();
    let found = rows(&ran.out);
    assert_eq!(found.len(), 3, "{}", ran.out);
    let taken = &found[0];
    for (column, cell) in [
        ("call", "leg-1"),
        ("conversation", "CON-leg-1"),
        ("line", DIRECT),
        ("from", CALLER),
        ("status", "completed"),
        ("outcome", "taken"),
        ("took", "alice"),
        ("talked_seconds", "65"),
        ("lasted_seconds", "78"),
        ("cost", "0.0165"),
        ("held_since", ""),
    ] {
        assert_eq!(taken[column], cell, "{column} in {taken}");
    }
    let waited: i64 = taken["waited_seconds"].as_str().unwrap().parse().unwrap();
    assert!((12..60).contains(&waited), "{waited}");
    assert_eq!(
        (&found[1]["outcome"], &found[1]["took"]),
        (&json!("missed"), &json!(""))
    );
    // A spreadsheet shows it, and runs nothing.
    assert_eq!(found[2]["outcome"], "ongoing");
    assert_eq!(
        found[2]["from"],
        "'=HYPERLINK(\"https://evil.example\",\"click\")"
    );
    assert!(
        !ran.out.contains("\n=") && !ran.out.contains(",="),
        "{}",
        ran.out
    );

    let by_format = shell
        .run(&["calls", "--format", "json"])
        .await
        .fine()
        .json();
    let by_flag = shell.run(&["calls", "--json"]).await.fine().json();
    assert_eq!(by_format, by_flag);
    assert_eq!(by_flag[0]["took"][0]["agent"], "alice");
    assert_eq!(by_flag[0]["took"][0]["talked_seconds"], 65);
    assert_eq!(by_flag[0]["cost"], "0.0165");
    assert_eq!(by_flag[0]["status"], "completed");
    let table = shell.run(&["calls"]).await.fine().out;
    let row = |leg: &str| table.lines().find(|line| line.contains(leg)).unwrap();
    assert!(
        row("leg-1").contains("with alice") && row("leg-1").contains("1:05"),
        "{table}"
    );
    assert!(row("leg-2").contains("missed"), "{table}");
    drop(world);
}

#[tokio::test]
async fn a_day_is_summed_up() {
    let shell = Shell::new();
    let world = a_day(&shell).await;
    for span in [&["--day"][..], &["--week"], &[]] {
        let arguments: Vec<_> = ["summary", "--json"].iter().chain(span).copied().collect();
        let sum = shell.run(&arguments).await.fine().json();
        for (name, value) in [
            ("calls", json!(3)),
            ("taken", json!(1)),
            ("missed", json!(1)),
            ("ongoing", json!(1)),
            ("voicemails", json!(0)),
            ("talked_seconds", json!(65)),
            ("took", json!({ "alice": 1 })),
            ("cost", json!("0.0175")),
        ] {
            assert_eq!(sum[name], value, "{name} in {sum}");
        }
        assert!(sum["longest_wait_seconds"].as_i64().unwrap() >= 77, "{sum}");
        assert!(sum["mean_wait_seconds"].as_i64().unwrap() >= 12, "{sum}");
    }
    let text = shell.run(&["summary"]).await.fine().out;
    for part in ["missed", "1 (33 %)", "talk time", "1:05", "taken by alice"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let sheet = shell.run(&["summary", "--format", "csv"]).await.fine().out;
    assert_eq!(rows(&sheet)[0]["took"], "alice 1");
    let none = ["summary", "--json", "--day", "2020-01-01"];
    let sum = shell.run(&none).await.fine().json();
    assert_eq!(
        (&sum["calls"], &sum["mean_wait_seconds"]),
        (&json!(0), &json!(null))
    );
    let ran = shell
        .run(&["summary", "--day", "2026-11-28", "--week"])
        .await;
    assert_eq!(ran.code, Some(2));
    drop(world);
}

#[tokio::test]
async fn the_ledger_is_exported_with_a_row_to_each_call_and_each_event() {
    let shell = Shell::new();
    let world = a_day(&shell).await;
    let ran = shell.run(&["export", "--out", "sheets"]).await.fine();
    assert_eq!(ran.out, "sheets/calls.csv\nsheets/events.csv\n");
    let read = |name: &str| std::fs::read_to_string(shell.path(name)).unwrap();
    let (calls, events) = (read("sheets/calls.csv"), read("sheets/events.csv"));
    assert_eq!(std::fs::read_dir(shell.path("sheets")).unwrap().count(), 2);
    assert_eq!(shell.run(&["export", "calls"]).await.fine().out, calls);
    assert_eq!(shell.run(&["export", "events"]).await.fine().out, events);
    assert_eq!(rows(&calls).len(), 3);
    let events = rows(&events);
    let told: Vec<_> = events
        .iter()
        .map(|row| ["call", "event", "agent"].map(|column| row[column].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ["leg-1", "answered", "alice"],
            ["leg-1", "completed", "alice"],
            ["leg-1", "completed", ""],
            ["leg-2", "completed", ""],
        ]
    );
    assert_eq!(events[1]["price"], "0.01200000");
    let whole = shell.run(&["export", "--json"]).await.fine().json();
    assert_eq!(whole[0]["events"].as_array().unwrap().len(), 3);
    assert_eq!(whole[0]["outcome"], "taken");
    for (arguments, left) in [
        (&["--line", DIRECT][..], 1),
        (&["--until", "2020-01-01"], 0),
        (&["--since", "2020-01-01"], 3),
    ] {
        let arguments: Vec<_> = ["export", "calls"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let sheet = shell.run(&arguments).await.fine().out;
        assert_eq!(rows(&sheet).len(), left, "{arguments:?}");
    }
    drop(world);
}

// How long things are kept.

/// [`PLAN`], keeping things so long.
pub(crate) fn keeping(ledger: &str, recordings: &str) -> String {
    format!("[keep]\nledger = \"{ledger}\"\nrecordings = \"{recordings}\"\n{PLAN}")
}

/// A caller who gave up, and their recording `r-1`.
pub(crate) async fn recorded(world: &World) {
    world.call(SUPPORT, "leg-1").await;
    world.hang_up("leg-1").await;
    let url = world
        .platform
        .recording("file-1", audio(1000), "audio/mpeg");
    let notice = json!({
        "conversation_uuid": "CON-leg-1",
        "recording_uuid": "r-1",
        "recording_url": url,
        "timestamp": stamp(0),
    });
    assert_eq!(world.post("/webhooks/recording", &notice).await.status, 200);
    is(world, State::Archived).await;
}

async fn item(world: &World) -> Option<Recording> {
    let id = "r-1".parse().unwrap();
    world.board.store().recording(&id).await.unwrap()
}

async fn objects(world: &World) -> usize {
    let listed = world.board.engines().s3_client().list_objects_v2();
    let listed = listed.bucket("switchboard-recordings").send().await;
    listed.unwrap().contents().len()
}

/// Waits until the recording is so far. Never is an item without its object, nor one without the
/// other.
async fn is(world: &World, state: State) {
    eventually(|| async {
        let before = item(world).await?;
        let objects = objects(world).await;
        let after = item(world).await?;
        if before.state == State::Archived && after.state == State::Archived {
            assert_eq!(objects, 1, "an item without its object");
        }
        if before.state == State::Deleted {
            assert_eq!(objects, 0, "an object of what is deleted");
        }
        (after.state == state).then_some(())
    })
    .await;
}

/// Waits until the item is gone; its object must be before.
pub(crate) async fn gone(world: &World) {
    eventually(|| async {
        if item(world).await.is_some() {
            return None;
        }
        assert_eq!(objects(world).await, 0, "an object without its item");
        Some(())
    })
    .await;
}

/// The call, and how many events there are of it.
async fn call(world: &World) -> (bool, usize) {
    let store = world.board.store();
    let leg: LegId = "leg-1".parse().unwrap();
    let events = store.events(&Home::Leg(leg.clone())).await.unwrap();
    (store.call(&leg).await.unwrap().is_some(), events.len())
}

/// Moves the clock on by days, a day at a time, and lets all come about that comes about meanwhile.
pub(crate) async fn days(world: &World, days: i64) {
    for _ in 0..days {
        world.later(24 * 3600);
        world.board.idle().await;
    }
}

#[tokio::test]
async fn a_call_goes_when_its_time_is_over_and_its_recording_when_its_own_is() {
    let world = World::standing(&keeping("2d", "5d")).await;
    recorded(&world).await;
    days(&world, 1).await;
    assert_eq!(call(&world).await, (true, 1));
    days(&world, 2).await;
    assert_eq!(call(&world).await, (false, 0));
    is(&world, State::Archived).await;
    days(&world, 1).await;
    is(&world, State::Archived).await;
    days(&world, 2).await;
    gone(&world).await;
}

#[tokio::test]
async fn a_recording_that_goes_before_its_call_is_said_to_be_deleted_until_the_call_goes() {
    let world = World::standing(&keeping("6d", "1d")).await;
    recorded(&world).await;
    days(&world, 2).await;
    is(&world, State::Deleted).await;
    assert_eq!(objects(&world).await, 0);
    let deleted = item(&world).await.unwrap();
    assert_eq!((deleted.key, deleted.bytes), (None, Some(1010)));
    assert_eq!(deleted.reason.as_deref(), Some("its time was over"));
    assert_eq!(call(&world).await, (true, 1));
    days(&world, 5).await;
    gone(&world).await;
    assert_eq!(call(&world).await, (false, 0));
}

#[tokio::test]
async fn without_a_word_in_the_plan_no_recording_is_ever_deleted() {
    let world = World::standing(PLAN).await;
    recorded(&world).await;
    for _ in 0..10 {
        days(&world, 1).await;
        world.later(39 * 24 * 3600);
        world.board.idle().await;
    }
    is(&world, State::Archived).await;
    assert_eq!(call(&world).await, (false, 0));
}

#[tokio::test]
async fn a_plan_that_keeps_recordings_for_less_reaches_those_that_are_there() {
    let world = World::standing(PLAN).await;
    recorded(&world).await;
    days(&world, 2).await;
    is(&world, State::Archived).await;
    world.change_plan(&keeping("120d", "1d"));
    days(&world, 31).await;
    is(&world, State::Deleted).await;
}

#[tokio::test]
async fn of_a_held_call_nothing_goes_until_it_is_released() {
    let world = World::standing(&keeping("2d", "3d")).await;
    recorded(&world).await;
    let leg: LegId = "leg-1".parse().unwrap();
    let store = world.board.store();
    let why = Some("a complaint".to_owned());
    let held = store.hold(&leg, why.clone(), world.clock.now()).await;
    let since = held.unwrap().unwrap().hold.unwrap().since;
    // Told late, and held as the rest.
    let late = json!({
        "uuid": "leg-1",
        "conversation_uuid": "CON-leg-1",
        "status": "answered",
        "direction": "inbound",
        "timestamp": stamp(1),
    });
    assert_eq!(world.post("/webhooks/event", &late).await.status, 200);
    days(&world, 12).await;
    assert_eq!(call(&world).await, (true, 2));
    is(&world, State::Archived).await;
    // Held again it is held since then, and a reason stays.
    let again = store.hold(&leg, None, world.clock.now()).await.unwrap();
    let again = again.unwrap().hold.unwrap();
    assert_eq!((again.since, again.reason), (since, why));

    assert!(store.let_go(&leg).await.unwrap().is_some());
    assert!(store.let_go(&leg).await.unwrap().is_none());
    assert!(store.held().await.unwrap().is_empty());
    days(&world, 3).await;
    assert_eq!(call(&world).await, (false, 0));
    gone(&world).await;
}

#[tokio::test]
async fn a_hold_is_laid_on_and_lifted_by_command() {
    let shell = Shell::new();
    let world = a_day(&shell).await;
    let ran = shell
        .run(&["calls", "hold", "leg-1", "--reason", "file 12/26"])
        .await;
    assert_eq!(ran.fine().out, "held leg-1\n");
    let told = shell
        .run(&["calls", "hold", "CON-leg-2", "--json"])
        .await
        .fine()
        .json();
    assert_eq!(told["call"], "leg-2");
    assert!(told["hold"]["since"].is_string(), "{told}");
    let listed = shell
        .run(&["calls", "--held", "--json"])
        .await
        .fine()
        .json();
    assert_eq!(crate::cli::legs(&listed), ["leg-1", "leg-2"]);
    assert_eq!(listed[0]["hold"]["reason"], "file 12/26");
    let shown = shell.run(&["calls", "show", "leg-1"]).await.fine().out;
    assert!(shown.contains("file 12/26"), "{shown}");
    let sheet = shell.run(&["calls", "--format", "csv"]).await.fine().out;
    assert_eq!(rows(&sheet)[0]["held_because"], "file 12/26");

    let ran = shell.run(&["calls", "release", "leg-1"]).await.fine();
    assert_eq!(ran.out, "released leg-1\n");
    let listed = shell
        .run(&["calls", "--held", "--json"])
        .await
        .fine()
        .json();
    assert_eq!(crate::cli::legs(&listed), ["leg-2"]);
    let ran = shell.run(&["calls", "release", "leg-1"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("is not held"), "{ran:?}");
    let ran = shell.run(&["calls", "hold", "leg-9"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("nothing is known of leg-9"), "{ran:?}");
    for reason in ["", " ", "two\nlines", &"x".repeat(501)] {
        let ran = shell
            .run(&["calls", "hold", "leg-1", "--reason", reason])
            .await;
        assert_eq!(ran.code, Some(2), "{reason:?}");
    }
    drop(world);
}

// Recordings as files.

/// A shell that may ask this Vonage, and has no board.
fn asking(platform: &Platform) -> Shell {
    Shell::new()
        .with("VONAGE_API_URL", platform.url())
        .with("VONAGE_APPLICATION_ID", fixtures::APPLICATION_ID)
        .with("VONAGE_PRIVATE_KEY", fixtures::PRIVATE_KEY)
}

/// The ranges that the downloads so far asked for.
fn ranges(platform: &Platform) -> Vec<Option<String>> {
    let requests = platform.requests();
    let range = |one: &crate::platform::Request| one.header("range").map(str::to_owned);
    requests.iter().map(range).collect()
}

#[tokio::test]
async fn recordings_are_fetched_from_vonage_by_address_several_at_once() {
    let platform = Platform::start();
    let shell = asking(&platform);
    let urls: Vec<_> = (0..6)
        .map(|n| platform.recording(&format!("file-{n}"), audio(1000 + n), "audio/mpeg"))
        .collect();
    let mut arguments = vec!["recordings", "get", "--out", "calls"];
    arguments.extend(urls.iter().map(String::as_str));
    // Twice the same is once.
    arguments.push(&urls[0]);
    let ran = shell.run(&arguments).await.fine();
    assert_eq!(ran.err, "", "quiet where nobody looks");
    let files: Vec<_> = (0..6).map(|n| format!("calls/file-{n}.mp3")).collect();
    assert_eq!(ran.out.lines().collect::<Vec<_>>(), files);
    for (n, file) in files.iter().enumerate() {
        assert_eq!(std::fs::read(shell.path(file)).unwrap(), audio(1000 + n));
    }
    assert_eq!(std::fs::read_dir(shell.path("calls")).unwrap().count(), 6);
    assert_eq!(platform.requests().len(), 6);
    assert!(platform.tokens_seen().len() >= 6);
    // What is there is left.
    assert_eq!(shell.run(&arguments).await.fine().out, ran.out);
    assert_eq!(platform.requests().len(), 6);
}

#[tokio::test]
async fn an_address_that_is_not_vonages_is_asked_nothing_and_gets_no_token() {
    let (platform, stranger) = (Platform::start(), Stranger::start());
    let shell = asking(&platform);
    let good = platform.recording("file-1", audio(100), "audio/mpeg");
    let user = platform.url().replace("http://", "http://someone@");
    for url in [
        format!("{}/v1/files/secret-path", stranger.url()),
        format!("{}/v1/files/secret-path", stranger.url_by_name()),
        "https://evilnexmo.com/v1/files/secret-path".to_owned(),
        "https://api.nexmo.com.evil.example/secret-path".to_owned(),
        "https://api.nexmo.com@evil.example/secret-path".to_owned(),
        "http://api.nexmo.com/secret-path".to_owned(),
        "https://evil.example\\.nexmo.com/secret-path".to_owned(),
        "file:///secret-path".to_owned(),
        format!("{user}/v1/files/secret-path"),
    ] {
        let ran = shell.run(&["recordings", "get", &url, &good]).await;
        assert_eq!(ran.code, Some(1), "{url}");
        assert!(ran.err.contains("no token"), "{ran:?}");
        assert!(!ran.err.contains("secret-path"), "{ran:?}");
        // The others are fetched all the same.
        assert_eq!(ran.out, "./file-1.mp3\n", "{url}");
    }
    // Nor does one that Vonage sends us to.
    let bad = platform.recording("file-2", audio(100), "audio/mpeg");
    platform.spoil("file-2", RecordingFault::Redirect(stranger.url()), 9);
    let ran = shell.run(&["recordings", "get", &bad]).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    assert!(stranger.requests().is_empty());
}

#[tokio::test]
async fn no_name_of_a_file_leaves_the_folder() {
    let platform = Platform::start();
    let shell = asking(&platform);
    for id in [
        "../r-1",
        "..",
        "a/b",
        "/etc/passwd",
        ".profile",
        "a\\..\\b",
        "",
    ] {
        let ran = shell.run(&["recordings", "get", id]).await;
        assert_eq!(ran.code, Some(2), "{id:?}");
    }
    // The last part of an address is no name for a file, unless it is an id.
    for path in ["..%2f..%2fetc%2fpasswd", ".hidden", "a%00b", "x%20y"] {
        let url = format!("{}/v1/files/{path}", platform.url());
        let ran = shell
            .run(&["recordings", "get", &url, "--out", "calls"])
            .await;
        assert_eq!(ran.code, Some(1), "{path}: nobody has it");
    }
    let left = std::fs::read_dir(shell.path("calls")).unwrap().count();
    assert_eq!(left, 0, "nothing half done is left of nothing");
}

#[tokio::test]
async fn a_download_that_broke_off_goes_on_where_it_was() {
    let platform = Platform::start();
    let shell = asking(&platform);
    let bytes = audio(300_000);
    let url = platform.recording("file-1", bytes.clone(), "audio/mpeg");
    platform.spoil("file-1", RecordingFault::Cut(131_072), 3);
    let get = ["recordings", "get", &url];
    let ran = shell.run(&get).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.contains("goes on from there"), "{ran:?}");
    assert!(!ran.err.contains("127.0.0.1"), "{ran:?}");
    assert!(!shell.path("file-1.mp3").exists());
    let ran = shell.run(&get).await.fine();
    assert_eq!(ran.out, "./file-1.mp3\n");
    assert!(std::fs::read(shell.path("file-1.mp3")).unwrap() == bytes);
    assert!(!shell.path(".file-1.part").exists());
    let asked = ranges(&platform);
    assert_eq!(asked[0], None);
    assert!(asked.last().unwrap().is_some(), "{asked:?}");
}

#[tokio::test]
async fn what_is_there_of_other_audio_is_begun_again() {
    let platform = Platform::start();
    let shell = asking(&platform);
    let bytes = audio(300_000);
    let mut other = bytes[..200_000].to_vec();
    other[199_000] ^= 1;
    let longer = [bytes.as_slice(), b"more"].concat();
    for (name, partial) in [
        ("other", other),
        ("longer", longer),
        ("short", b"xyz".to_vec()),
        ("empty", Vec::new()),
        ("same", bytes[..200_000].to_vec()),
        ("all", bytes.clone()),
    ] {
        let url = platform.recording(name, bytes.clone(), "audio/mpeg");
        std::fs::write(shell.path(&format!(".{name}.part")), partial).unwrap();
        let told = shell.run(&["recordings", "get", &url, "--json"]).await;
        let told = told.fine().json();
        assert_eq!(told["bytes"], bytes.len(), "{name}");
        let file = shell.path(&format!("{name}.mp3"));
        assert!(std::fs::read(file).unwrap() == bytes, "{name}");
    }
}

#[tokio::test]
async fn a_recording_from_the_archive_is_whole_whatever_was_there_of_it() {
    let shell = Shell::new();
    let data = Some(shell.path(".switchboard"));
    let world = World::start(PLAN, data, Vec::new(), Platform::start()).await;
    recorded(&world).await;
    let bytes = audio(1000);
    let mut other = bytes[..500].to_vec();
    other[3] ^= 1;
    for partial in [
        bytes[..500].to_vec(),
        other,
        bytes.clone(),
        vec![0; 1010],
        vec![0; 5000],
    ] {
        std::fs::write(shell.path(".r-1.part"), partial).unwrap();
        let ran = shell.run(&["recordings", "get", "r-1"]).await.fine();
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("./r-1.mp3\n", ""));
        assert_eq!(std::fs::read(shell.path("r-1.mp3")).unwrap(), bytes);
        assert!(!shell.path(".r-1.part").exists());
        std::fs::remove_file(shell.path("r-1.mp3")).unwrap();
    }
    // Somebody's own file is left alone.
    shell.write("r-1.mp3", "mine");
    let ran = shell.run(&["recordings", "get", "r-1"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.contains("--out"), "{ran:?}");
    assert_eq!(std::fs::read(shell.path("r-1.mp3")).unwrap(), b"mine");
    // All of a day, and an id of it besides.
    let today = jiff::Zoned::now()
        .with_time_zone(jiff::tz::TimeZone::UTC)
        .date();
    let days = [today.yesterday().unwrap(), today, today.tomorrow().unwrap()];
    let mut arguments = vec!["recordings".to_owned(), "get".to_owned(), "r-1".to_owned()];
    arguments.extend(days.map(|day| day.to_string()));
    arguments.extend(["--out", "day", "--json"].map(str::to_owned));
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let told = shell.run(&arguments).await.fine().json();
    assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told[0]["file"], "day/r-1.mp3");
    let ran = shell.run(&["recordings", "get", "2020-01-01"]).await.fine();
    assert_eq!(ran.out, "");
    drop(world);
}
