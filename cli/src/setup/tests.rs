use super::*;
use serde_json::{Value, json};
use std::sync::LazyLock;
use url::Url;

const LINE: &str = "447700900000";
const OTHER_LINE: &str = "447700900001";
const ID: &str = "5f2c1a34-0b7e-4d6c-9a51-1c3d5e7f9a0b";
const OTHER: &str = "00000000-0b7e-4d6c-9a51-1c3d5e7f9a0b";

/// Made once: it takes its time.
static KEY: LazyLock<SecretString> = LazyLock::new(|| key_pair::make().unwrap());

fn key() -> &'static str {
    KEY.expose_secret()
}

fn public_key() -> String {
    key_pair::public_pem(&PrivateKey::parse(key()).unwrap())
}

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap()
}

fn wanted() -> Wanted {
    let url = |path: &str| Url::parse(&format!("https://board.example/webhooks/{path}")).unwrap();
    Wanted {
        webhooks: Webhooks {
            answer: url("answer"),
            fallback: url("fallback"),
            event: url("event"),
        },
        name: None,
        otherwise: "switchboard".to_owned(),
        region: None,
        near: Region::EuWest,
        lines: vec![(number(LINE), "Front desk".to_owned())],
        take: Vec::new(),
        api_key: "abcd1234".to_owned(),
        signature: None,
        rotate: None,
    }
}

fn entries(changes: &[(&str, Value)]) -> Entries {
    let mut entries = Entries::default();
    for (name, value) in [
        (entry::APPLICATION_ID, json!(ID)),
        (entry::API_KEY, json!("abcd1234")),
        (entry::PRIVATE_KEY, json!(key())),
        (entry::SIGNATURE, json!("a secret")),
        (entry::TOKENS, json!([{ "name": "operator" }])),
    ] {
        entries.set(name, value);
    }
    for (name, value) in changes {
        entries.set(name, value.clone());
    }
    entries
}

fn application() -> Application {
    let mut application = Application::new(&wanted().voice(None, public_key()));
    application.id = ID.to_owned();
    application
}

fn owned(msisdn: &str, more: &Value) -> Number {
    let mut fields = json!({ "country": "GB", "msisdn": msisdn });
    let more = more.as_object().unwrap().clone();
    fields.as_object_mut().unwrap().extend(more);
    Number::read(fields).unwrap()
}

/// All is done.
fn found() -> Found {
    Found {
        entries: entries(&[]),
        application: Some(application()),
        numbers: vec![owned(LINE, &json!({ "app_id": ID }))],
    }
}

#[track_caller]
fn check(found: &Found, wanted: &Wanted, steps: &[Step], problems: &[Problem]) {
    let todo = todo(found, wanted);
    assert_eq!(todo.steps, steps);
    assert_eq!(todo.problems, problems);
}

fn change(key: bool) -> Step {
    Step::Change {
        id: ID.to_owned(),
        differences: Vec::new(),
        key,
    }
}

fn link(from: Option<&str>) -> Step {
    Step::Link {
        number: number(LINE),
        line: "Front desk".to_owned(),
        from: from.map(str::to_owned),
    }
}

#[test]
fn where_all_is_done_nothing_is_to_be_done() {
    check(&found(), &wanted(), &[], &[]);
}

#[test]
fn where_nothing_is_there_the_key_comes_first_and_the_numbers_last() {
    let nothing = Found {
        numbers: vec![owned(LINE, &json!({}))],
        ..Found::default()
    };
    let wanted = Wanted {
        signature: Some("a secret".into()),
        ..wanted()
    };
    let first = vec![
        Change::MakeKey,
        Change::ApiKey,
        Change::Signature,
        Change::MakeToken,
    ];
    let name = "switchboard".to_owned();
    let steps = [
        Step::Store(first),
        Step::Create { name },
        Step::StoreId,
        link(None),
    ];
    check(&nothing, &wanted, &steps, &[]);
}

#[test]
fn an_application_that_was_made_and_not_kept_is_kept_and_not_made_again() {
    let found = Found {
        entries: entries(&[(entry::APPLICATION_ID, Value::Null)]),
        numbers: vec![owned(LINE, &json!({}))],
        ..found()
    };
    check(&found, &wanted(), &[Step::StoreId, link(None)], &[]);
}

#[test]
fn an_application_that_is_gone_is_made_again() {
    let found = Found {
        application: None,
        numbers: vec![owned(LINE, &json!({}))],
        ..found()
    };
    let name = "switchboard".to_owned();
    check(
        &found,
        &wanted(),
        &[Step::Create { name }, Step::StoreId, link(None)],
        &[],
    );
}

#[test]
fn what_drifted_is_changed_back() {
    let mut drifted = found();
    let mut other = wanted();
    other.webhooks.answer = Url::parse("https://elsewhere.example/").unwrap();
    let mut application = application();
    application.bring(&other.voice(None, "another key".to_owned()));
    drifted.application = Some(application);
    let todo = todo(&drifted, &wanted());
    let [
        Step::Change {
            differences,
            key: true,
            ..
        },
    ] = todo.steps.as_slice()
    else {
        panic!("{todo:?}")
    };
    let [one] = differences.as_slice() else {
        panic!("{todo:?}")
    };
    assert_eq!(one.name, "answer_url.address");
}

#[test]
fn a_region_is_set_where_there_is_none_and_changed_only_where_that_is_asked_for() {
    let mut voice = wanted().voice(None, public_key());
    voice.region = Some(Region::NaEast);
    let mut application = application();
    application.bring(&voice);
    let found = Found {
        application: Some(application),
        ..found()
    };
    check(&found, &wanted(), &[], &[]);
    let asked = Wanted {
        region: Some(Region::EuWest),
        ..wanted()
    };
    assert_eq!(todo(&found, &asked).steps.len(), 1);
}

#[test]
fn a_number_of_another_application_is_left_alone_unless_it_may_be_taken() {
    let found = Found {
        numbers: vec![owned(LINE, &json!({ "app_id": OTHER }))],
        ..found()
    };
    let taken = Problem::Taken(number(LINE), OTHER.to_owned());
    check(&found, &wanted(), &[], &[taken]);
    let take = Wanted {
        take: vec![number(LINE)],
        ..wanted()
    };
    check(&found, &take, &[link(Some(OTHER))], &[]);
}

#[test]
fn what_stands_in_the_way_of_one_line_keeps_no_other_from_being_linked() {
    let numbers = vec![
        owned(LINE, &json!({})),
        owned(
            "447700900002",
            &json!({ "app_id": ID, "voiceCallbackType": "sip", "voiceCallbackValue": "sip:a@b" }),
        ),
        owned(
            "447700900003",
            &json!({ "app_id": ID, "features": ["SMS"] }),
        ),
    ];
    let found = Found { numbers, ..found() };
    let lines = [OTHER_LINE, "447700900002", "447700900003"];
    let mut wanted = wanted();
    wanted
        .lines
        .extend(lines.map(|line| (number(line), "Another".to_owned())));
    let problems = [
        Problem::NotOwned(number(OTHER_LINE)),
        Problem::Forwarded(number("447700900002"), "sip".to_owned()),
        Problem::NoVoice(number("447700900003")),
    ];
    check(&found, &wanted, &[link(None)], &problems);
}

#[test]
fn a_key_that_does_not_read_stops_all_and_is_not_shown() {
    let found = Found {
        entries: entries(&[(entry::PRIVATE_KEY, json!("hush"))]),
        ..found()
    };
    let todo = todo(&found, &wanted());
    assert!(todo.steps.is_empty());
    let problem = todo.problems[0].to_string();
    assert!(
        problem.contains(entry::PRIVATE_KEY) && !problem.contains("hush"),
        "{problem}"
    );
}

#[test]
fn a_key_is_exchanged_and_the_one_before_is_kept_until_vonage_knows_the_new_one() {
    let rotate = Wanted {
        rotate: Some(Rotate::Key),
        ..wanted()
    };
    let steps = [
        Step::Store(vec![Change::RotateKey]),
        change(true),
        Step::Store(vec![Change::ForgetKey]),
    ];
    check(&found(), &rotate, &steps, &[]);
}

#[test]
fn a_rotation_that_was_broken_off_goes_on_whatever_is_asked_for_next() {
    let mut half = application();
    half.bring(&wanted().voice(None, "the key before".to_owned()));
    let before = [(entry::PREVIOUS_KEY, json!("the key before"))];
    for rotate in [None, Some(Rotate::Key)] {
        let wanted = Wanted { rotate, ..wanted() };
        let forget = Step::Store(vec![Change::ForgetKey]);
        let mut found = Found {
            entries: entries(&before),
            application: Some(half.clone()),
            ..found()
        };
        check(&found, &wanted, &[change(true), forget.clone()], &[]);
        found.application = Some(application());
        check(&found, &wanted, &[forget], &[]);
    }
}

#[test]
fn a_signature_secret_is_exchanged_in_two_runs() {
    let rotate = |rotate, given: Option<&str>| Wanted {
        rotate: Some(rotate),
        signature: given.map(Into::into),
        ..wanted()
    };
    let begin = |given| rotate(Rotate::Signature, given);
    let under_way = Found {
        entries: entries(&[(entry::PREVIOUS_SIGNATURE, json!("before"))]),
        ..found()
    };
    let change = |change| [Step::Store(vec![change])];
    check(&found(), &begin(None), &[], &[Problem::NoSignature]);
    check(
        &found(),
        &begin(Some("a secret")),
        &[],
        &[Problem::SameSignature],
    );
    check(
        &found(),
        &begin(Some("new")),
        &change(Change::RotateSignature),
        &[],
    );
    check(&under_way, &begin(Some("newer")), &[], &[Problem::UnderWay]);
    check(&under_way, &wanted(), &[], &[]);
    let finish = rotate(Rotate::FinishSignature, None);
    check(&under_way, &finish, &change(Change::ForgetSignature), &[]);
    check(&found(), &finish, &[], &[]);
}

#[test]
fn a_signature_secret_that_nobody_gave_is_asked_for_and_one_that_is_there_is_kept() {
    let unknown = Found {
        entries: entries(&[(entry::SIGNATURE, Value::Null)]),
        ..found()
    };
    check(&unknown, &wanted(), &[], &[Problem::NoSignature]);
    let given = Wanted {
        signature: Some("another".into()),
        ..wanted()
    };
    check(&found(), &given, &[], &[]);
}
