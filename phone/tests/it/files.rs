//! Recordings, as they are fetched.

use crate::stage::{Stage, url, wait};
use serde_json::{Value, json};
use switchboard_phone::KEPT;

fn recorded() -> (Stage, String) {
    let mut stage = Stage::new();
    stage.caller(json!([{ "action": "record", "eventUrl": [url("/recording")] }, wait(5)]));
    stage.run(10.0);
    let link = stage.at("/recording")[0].body["recording_url"]
        .as_str()
        .unwrap()
        .to_owned();
    (stage, link)
}

#[test]
fn a_file_is_kept_for_thirty_days() {
    assert_eq!(KEPT.as_hours(), 30 * 24);
    let (mut stage, link) = recorded();
    stage.run(30.0 * 86_400.0 - 60.0);
    assert!(stage.file(&link).is_ok());
    stage.run(60.0);
    assert_eq!(stage.file(&link), Err(404));
}

#[test]
fn it_has_two_addresses_and_needs_a_token() {
    let (mut stage, link) = recorded();
    let other = link.replace("/v1/", "/v3/");
    assert_eq!(stage.file(&other), stage.file(&link));
    let path = link.strip_prefix("https://vonage.test").unwrap().to_owned();
    assert_eq!(stage.ask("GET", &path, "", None, b"").status, 401);
    let (status, _) = stage.rest("PUT", &path, Value::Null);
    assert_eq!(status, 405);
}

#[test]
fn a_file_that_is_none_or_still_being_recorded_is_not_found() {
    let mut stage = Stage::new();
    let nowhere = "https://vonage.test/v1/files/00000000-0000-4000-8000-000000000000";
    assert_eq!(stage.file(nowhere), Err(404));
}

#[test]
fn an_event_precedes_no_file() {
    let (mut stage, link) = recorded();
    let (_, bytes) = stage.file(&link).unwrap();
    assert!(!bytes.is_empty());
}
