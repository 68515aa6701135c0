//! `switchboard setup`, run as an operator runs it, between a stack and an account.

use crate::outside::{
    API_KEY, API_SECRET, Break, LINE, OTHER_LINE, Outside, PLAN, SECRET_ARN, SIGNATURE_SECRET,
    STACK,
};
use crate::shell::{Ran, Shell};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;

const BASE: &str = "https://abc123.execute-api.eu-west-1.amazonaws.com";
fn outside() -> Outside {
    Outside::start(BASE, &[LINE, OTHER_LINE])
}

fn shell(outside: &Outside) -> Shell {
    let variables = outside.variables().into_iter();
    let shell = variables.fold(Shell::new(), |shell, (name, value)| {
        shell.with(&name, value)
    });
    shell.write("switchboard.toml", PLAN);
    shell
}

async fn setup(shell: &Shell, more: &[&str]) -> Ran {
    let all = [&["setup", "--stack", STACK, "--settle", "0"], more].concat();
    shell.run(&all).await
}

/// All that is to be there in the end, whatever happened before.
#[track_caller]
fn is_whole(outside: &Outside) {
    let applications = outside.applications();
    let [application] = applications.as_slice() else {
        panic!("there is one application: {applications:?}")
    };
    let voice = &application["capabilities"]["voice"];
    for (webhook, path, socket_timeout) in [
        ("answer_url", "answer", 5000),
        ("fallback_answer_url", "fallback", 5000),
        ("event_url", "event", 5000),
    ] {
        assert_eq!(
            voice["webhooks"][webhook],
            json!({
                "address": format!("{BASE}/webhooks/{path}"), "http_method": "POST",
                "connect_timeout": 1000, "socket_timeout": socket_timeout,
            })
        );
    }
    assert_eq!(voice["signed_callbacks"], true);
    assert_eq!(voice["region"], "eu-west");
    assert_eq!(application["privacy"]["improve_ai"], false);
    let secret = outside.secret();
    assert_eq!(secret["VONAGE_APPLICATION_ID"], application["id"]);
    assert_eq!(secret["VONAGE_API_KEY"], API_KEY);
    assert_eq!(secret["VONAGE_SIGNATURE_SECRET"], SIGNATURE_SECRET);
    assert_eq!(secret["VONAGE_PRIVATE_KEY_PREVIOUS"], Value::Null);
    assert_eq!(public_half(&secret), application["keys"]["public_key"]);
    assert_eq!(secret["SWITCHBOARD_API_TOKENS"][0]["role"], "operator");
    for line in [LINE, OTHER_LINE] {
        assert_eq!(outside.number(line)["app_id"], application["id"], "{line}");
    }
}

/// Of the key that a secret holds.
fn public_half(secret: &Value) -> Value {
    let key = secret["VONAGE_PRIVATE_KEY"].as_str().unwrap();
    let key = switchboard_shared::vonage::PrivateKey::parse(key).unwrap();
    switchboard_cli::key_pair::public_pem(&key).into()
}

/// Steps and problems as `--json` prints them, a word for each step.
fn report(ran: &Ran) -> (Vec<String>, Vec<String>) {
    let json = ran.json();
    let list = |name: &str| json[name].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (
        list("steps")
            .iter()
            .map(|step| text(&step["step"]))
            .collect(),
        list("problems").iter().map(text).collect(),
    )
}

#[tokio::test]
async fn a_stack_that_was_just_deployed_takes_its_calls_after_one_command() {
    let outside = outside();
    let shell = shell(&outside);
    let ran = setup(&shell, &["--yes"]).await.fine();
    is_whole(&outside);
    // The token that was shown is the one whose hash is kept.
    let token = ran.out.lines().last().unwrap();
    let hash = switchboard_shared::config::token_hash(token);
    assert_eq!(
        outside.secret()["SWITCHBOARD_API_TOKENS"][0]["sha256"],
        hash
    );
    for words in [
        "create",
        "the application \"desk\"",
        "link",
        LINE,
        "Front desk",
    ] {
        assert!(ran.out.contains(words), "{words} in {ran:?}");
    }
}

#[tokio::test]
async fn a_second_time_there_is_nothing_to_do() {
    let outside = outside();
    let shell = shell(&outside);
    setup(&shell, &["--yes"]).await.fine();
    let before = (outside.applications(), outside.secret());
    let _ = outside.asked();
    let again = setup(&shell, &[]).await.fine();
    assert!(again.err.contains("nothing to do"), "{again:?}");
    assert_eq!((outside.applications(), outside.secret()), before);
    let changes = ["POST", "PUT", "Put"];
    let asked = outside.asked();
    let changing = asked
        .iter()
        .filter(|it| changes.iter().any(|word| it.what.starts_with(word)));
    assert_eq!(changing.count(), 0, "{asked:?}");
}

#[tokio::test]
async fn what_would_be_done_is_shown_and_not_done() {
    let outside = outside();
    let shell = shell(&outside);
    let ran = setup(&shell, &["--dry-run", "--json"]).await.fine();
    assert_eq!(
        report(&ran),
        (
            ["store", "create", "store", "link", "link"]
                .map(str::to_owned)
                .into(),
            vec![]
        )
    );
    assert!(
        ran.json()["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["done"] == false)
    );
    assert!(outside.applications().is_empty());
    assert_eq!(outside.secret(), Value::Null);
    assert_eq!(outside.number(LINE)["app_id"], Value::Null);
}

#[tokio::test]
async fn where_nobody_can_be_asked_nothing_is_done_without_a_word_for_it() {
    let outside = outside();
    let ran = setup(&shell(&outside), &[]).await;
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("`--yes`") && ran.err.contains("`--dry-run`"),
        "{ran:?}"
    );
    assert_eq!(outside.secret(), Value::Null);
}

#[tokio::test]
async fn what_somebody_changed_by_hand_is_changed_back_and_nothing_else() {
    let outside = outside();
    let shell = shell(&outside);
    setup(&shell, &["--yes"]).await.fine();
    outside.rewrite(|body| {
        let voice = &mut body["capabilities"]["voice"];
        voice["webhooks"]["answer_url"]["address"] = "https://old.example/answer".into();
        voice["webhooks"]["event_url"]["http_method"] = "GET".into();
        voice["webhooks"]["fallback_answer_url"]["socket_timeout"] = 1000.into();
        voice["signed_callbacks"] = false.into();
        voice["conversations_ttl"] = 7.into();
        body["privacy"]["improve_ai"] = true.into();
        body["keys"]["public_key"] = crate::fixtures::PUBLIC_KEY.into();
        body["capabilities"]["messages"] = json!({ "webhooks": { "inbound_url": {} } });
    });
    let drifted = setup(&shell, &["--dry-run"]).await.fine();
    for words in [
        "answer_url.address https://old.example/answer → https://abc123",
        "event_url.http_method GET → POST",
        "fallback_answer_url.socket_timeout 1000 → 5000",
        "signed_callbacks false → true",
        "improve_ai true → false",
        "public key → ours",
    ] {
        // A table breaks its lines where they are full.
        let flat = |text: &str| text.split_whitespace().collect::<String>();
        assert!(
            flat(&drifted.out).contains(&flat(words)),
            "{words} in {drifted:?}"
        );
    }
    setup(&shell, &["--yes"]).await.fine();
    is_whole(&outside);
    let application = &outside.applications()[0];
    assert_eq!(application["capabilities"]["voice"]["conversations_ttl"], 7);
    assert_eq!(
        application["capabilities"]["messages"],
        json!({ "webhooks": { "inbound_url": {} } })
    );
}

#[tokio::test]
async fn credentials_that_are_wrong_are_said_to_be_and_change_nothing() {
    let outside = outside();
    let wrong = shell(&outside).with("VONAGE_API_SECRET", "another");
    let ran = setup(&wrong, &["--yes"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("VONAGE_API_KEY") && ran.err.contains("dashboard"),
        "{ran:?}"
    );
    assert_eq!(outside.secret(), Value::Null);
    let none = shell(&outside).with("VONAGE_API_KEY", "");
    let ran = setup(&none, &["--yes"]).await;
    assert!(ran.err.contains("not both set"), "{ran:?}");
}

#[tokio::test]
async fn the_accounts_secret_is_not_taken_for_the_signature_secret() {
    let outside = outside();
    let shell = shell(&outside).with("VONAGE_SIGNATURE_SECRET", API_SECRET);
    let ran = setup(&shell, &["--yes"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("is the account's API secret"), "{ran:?}");
}

#[tokio::test]
async fn a_signature_secret_that_nobody_gave_keeps_nothing_else_from_being_done() {
    let outside = outside();
    let shell = shell(&outside).with("VONAGE_SIGNATURE_SECRET", "");
    let ran = setup(&shell, &["--yes", "--json"]).await;
    assert_eq!(ran.code, Some(1));
    let (_, problems) = report(&ran);
    assert!(
        problems.len() == 1 && problems[0].contains("VONAGE_SIGNATURE_SECRET"),
        "{problems:?}"
    );
    assert_eq!(outside.applications().len(), 1);
    let shell = shell.with("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET);
    setup(&shell, &["--yes"]).await.fine();
    is_whole(&outside);
}

#[tokio::test]
async fn without_a_stacks_name_the_variables_say_where_it_is() {
    let outside = outside();
    let shell = shell(&outside);
    let ran = shell.run(&["setup", "--yes"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("SWITCHBOARD_BASE_URL") && ran.err.contains("--stack"),
        "{ran:?}"
    );
    let shell = shell
        .with("SWITCHBOARD_BASE_URL", format!("{BASE}/"))
        .with("SWITCHBOARD_SECRET_ARN", SECRET_ARN);
    shell.run(&["setup", "--yes"]).await.fine();
    is_whole(&outside);
}

#[tokio::test]
async fn a_stack_may_be_named_once_for_all_commands() {
    let outside = outside();
    let shell = shell(&outside).with("SWITCHBOARD_STACK", STACK);
    shell.run(&["setup", "--yes"]).await.fine();
    is_whole(&outside);
}

#[tokio::test]
async fn a_stack_that_is_not_there_is_named() {
    let outside = outside();
    let ran = shell(&outside)
        .run(&["setup", "--stack", "dsek", "--yes"])
        .await;
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("dsek") && ran.err.contains("eu-west-1"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn a_number_taken_by_another_application_is_left_alone_until_it_may_be_taken() {
    let outside = outside();
    let other = json!({ "name": "Other" }).as_object().unwrap().clone();
    outside.account(|account| {
        let id = "00000000-0000-4000-8000-000000000000".to_owned();
        account.put_application(switchboard_phone::Application { id, body: other });
    });
    outside.rent(
        "447700900003",
        json!({ "app_id": "00000000-0000-4000-8000-000000000000", "moHttpUrl": "https://sms.example/" }),
    );
    let shell = shell(&outside);
    let plan = PLAN.replace(OTHER_LINE, "447700900003");
    shell.write("switchboard.toml", &plan);
    let ran = setup(&shell, &["--yes", "--json"]).await;
    assert_eq!(ran.code, Some(1));
    let (steps, problems) = report(&ran);
    assert_eq!(steps, ["store", "create", "store", "link"]);
    assert!(problems[0].contains("--take 447700900003"), "{problems:?}");
    let taken = || outside.number("447700900003");
    assert_eq!(taken()["app_id"], "00000000-0000-4000-8000-000000000000");
    let ours = outside.secret()["VONAGE_APPLICATION_ID"].clone();
    assert_eq!(outside.number(LINE)["app_id"], ours);
    setup(&shell, &["--yes", "--take", "447700900003"])
        .await
        .fine();
    assert_eq!(taken()["app_id"], ours);
    // Messages go where they went.
    assert_eq!(taken()["moHttpUrl"], "https://sms.example/");
}

#[tokio::test]
async fn numbers_that_cannot_ring_are_problems_that_say_what_to_do() {
    let outside = outside();
    let forwards = json!({ "voiceCallbackType": "tel", "voiceCallbackValue": "447700900999" });
    outside.rent("447700900003", forwards);
    outside.rent("447700900004", json!({ "features": ["SMS"] }));
    let shell = shell(&outside);
    let line = |number: &str| {
        format!("[[line]]\nnumber = \"{number}\"\nname = \"x\"\nflow = \"closed\"\n")
    };
    let more: String = ["447700900003", "447700900004", "447700900005"]
        .map(line)
        .concat();
    shell.write("switchboard.toml", &format!("{PLAN}\n{more}"));
    let ran = setup(&shell, &["--yes", "--json"]).await;
    assert_eq!(ran.code, Some(1));
    let (_, problems) = report(&ran);
    assert_eq!(problems.len(), 3, "{problems:?}");
    for (problem, words) in problems.iter().zip([
        ["447700900003", "clear its forwarding"],
        ["447700900004", "takes no calls"],
        ["447700900005", "does not rent"],
    ]) {
        assert!(words.iter().all(|word| problem.contains(word)), "{problem}");
    }
    // What is forwarded stays so, and nothing of it is lost.
    assert_eq!(
        outside.number("447700900003")["voiceCallbackValue"],
        "447700900999"
    );
}

/// Every request fails once, and all after it: before it is done, or after. What is left is gone on
/// from by the next run, and comes out the same.
#[tokio::test(flavor = "multi_thread")]
async fn broken_off_anywhere_it_goes_on_from_there() {
    let clean = outside();
    setup(&shell(&clean), &["--yes"]).await.fine();
    let requests = clean.asked().len();
    assert!(requests >= 8, "{requests} requests");
    let mut runs = JoinSet::new();
    let turns = Arc::new(tokio::sync::Semaphore::new(4));
    for at in 0..requests {
        for is_done in [false, true] {
            let turns = turns.clone();
            runs.spawn(async move {
                let _turn = turns.acquire().await.unwrap();
                let outside = outside();
                let shell = shell(&outside);
                outside.breaks(Some(Break { at, is_done }));
                let broken = setup(&shell, &["--yes"]).await;
                let last = is_done && at + 1 == requests;
                assert!(broken.code == Some(1) || last, "{at} {is_done}: {broken:?}");
                outside.breaks(None);
                setup(&shell, &["--yes"]).await.fine();
                is_whole(&outside);
                let again = setup(&shell, &[]).await.fine();
                assert!(
                    again.err.contains("nothing to do"),
                    "{at} {is_done}: {again:?}"
                );
            });
        }
    }
    while let Some(run) = runs.join_next().await {
        run.unwrap();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn at_a_terminal_the_signature_secret_is_asked_for_and_nothing_is_done_without_a_yes() {
    let outside = outside();
    let shell = shell(&outside).with("VONAGE_SIGNATURE_SECRET", "");
    let arguments = ["setup", "--stack", STACK];
    let secret = ("signature secret", SIGNATURE_SECRET);
    let ran = shell
        .at_a_terminal(&arguments, &[secret, ("do this?", "n")])
        .await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("nothing was done"), "{ran:?}");
    assert_eq!(outside.applications(), [Value::Null; 0]);
    let ran = shell
        .at_a_terminal(&arguments, &[secret, ("do this?", "yes")])
        .await;
    ran.fine();
    is_whole(&outside);
    let kept = outside.secret();
    assert_eq!(kept["VONAGE_SIGNATURE_SECRET"], SIGNATURE_SECRET);
}

#[tokio::test]
async fn the_private_key_goes_to_the_stacks_secret_and_nowhere_else() {
    let outside = outside();
    let shell = shell(&outside);
    let first = setup(&shell, &["--yes"]).await.fine();
    let key = |secret: &Value| secret["VONAGE_PRIVATE_KEY"].as_str().unwrap().to_owned();
    let mut keys = vec![key(&outside.secret())];
    let rotated = setup(&shell, &["--yes", "--rotate", "key"]).await.fine();
    keys.push(key(&outside.secret()));
    let again = setup(&shell, &["--dry-run", "--json"]).await.fine();
    assert_ne!(keys[0], keys[1]);
    let asked = outside.asked();
    for key in &keys {
        // A line of it, since what is printed may break it elsewhere.
        let line = key.lines().nth(5).unwrap();
        for ran in [&first, &rotated, &again] {
            assert!(!ran.out.contains(line) && !ran.err.contains(line));
        }
        let told: Vec<_> = asked.iter().filter(|it| it.body.contains(line)).collect();
        assert!(!told.is_empty());
        assert!(
            told.iter().all(|it| it.what == "PutSecretValue"),
            "{told:?}"
        );
    }
    for secret in [API_SECRET, SIGNATURE_SECRET] {
        let said = [&first, &rotated, &again]
            .iter()
            .any(|ran| ran.out.contains(secret) || ran.err.contains(secret));
        assert!(!said);
    }
}

#[tokio::test]
async fn what_the_secret_holds_of_others_is_kept() {
    let outside = outside();
    let ours =
        json!({ "SWITCHBOARD_NOTIFY_URLS": "{}", "SWITCHBOARD_API_TOKENS": [{ "name": "a" }] });
    outside.set_secret(&ours);
    setup(&shell(&outside), &["--yes"]).await.fine();
    let secret = outside.secret();
    assert_eq!(secret["SWITCHBOARD_NOTIFY_URLS"], "{}");
    assert_eq!(secret["SWITCHBOARD_API_TOKENS"], json!([{ "name": "a" }]));
    assert_eq!(secret["VONAGE_API_KEY"], API_KEY);
}

#[tokio::test]
async fn another_key_takes_the_place_of_the_one_before_at_vonage_too() {
    let outside = outside();
    let shell = shell(&outside);
    setup(&shell, &["--yes"]).await.fine();
    let before = outside.secret();
    let ran = setup(&shell, &["--yes", "--rotate", "key", "--json"])
        .await
        .fine();
    assert_eq!(report(&ran).0, ["store", "change", "store"]);
    is_whole(&outside);
    let after = outside.secret();
    assert_ne!(after["VONAGE_PRIVATE_KEY"], before["VONAGE_PRIVATE_KEY"]);
    assert_eq!(
        after["VONAGE_APPLICATION_ID"],
        before["VONAGE_APPLICATION_ID"]
    );
}

#[tokio::test]
async fn vonage_goes_by_another_key_when_every_function_may_have_read_it() {
    let outside = outside();
    let shell = shell(&outside);
    let first = ["setup", "--stack", STACK, "--yes", "--settle", "1"];
    let ran = shell.run(&first).await.fine();
    assert!(!ran.err.contains("waiting"), "nobody has a key: {ran:?}");
    let rotates = [&first[..], &["--rotate", "key"]].concat();
    let ran = shell.run(&rotates).await.fine();
    let lines: Vec<_> = ran.err.lines().collect();
    let at = |words: &str| lines.iter().position(|line| line.contains(words));
    let waits = at("waiting 1 s").expect("it says why nothing happens");
    assert!(at("done: store").unwrap() < waits, "{ran:?}");
    assert!(waits < at("done: change").unwrap(), "{ran:?}");
}

#[tokio::test]
async fn a_key_whose_exchange_was_broken_off_is_exchanged_by_the_next_run() {
    let outside = outside();
    let shell = shell(&outside);
    setup(&shell, &["--yes"]).await.fine();
    let before = outside.secret()["VONAGE_PRIVATE_KEY"].clone();
    // The new key is kept, and Vonage is not told of it.
    outside.breaks(Some(Break {
        at: 6,
        is_done: false,
    }));
    let broken = setup(&shell, &["--yes", "--rotate", "key"]).await;
    assert_eq!(broken.code, Some(1));
    let half = outside.secret();
    assert_eq!(half["VONAGE_PRIVATE_KEY_PREVIOUS"], before);
    assert_ne!(
        public_half(&half),
        outside.applications()[0]["keys"]["public_key"]
    );
    outside.breaks(None);
    setup(&shell, &["--yes"]).await.fine();
    is_whole(&outside);
    assert_eq!(
        outside.secret()["VONAGE_PRIVATE_KEY"],
        half["VONAGE_PRIVATE_KEY"]
    );
}

#[tokio::test]
async fn a_signature_secret_is_exchanged_without_a_time_at_which_neither_is_known() {
    let outside = outside();
    let shell = shell(&outside);
    setup(&shell, &["--yes"]).await.fine();
    let shell = shell.with("VONAGE_SIGNATURE_SECRET", "another secret, long enough");
    let begun = setup(&shell, &["--yes", "--rotate", "signature"])
        .await
        .fine();
    assert!(
        begun.err.contains("--rotate signature --finish"),
        "{begun:?}"
    );
    let both = outside.secret();
    assert_eq!(
        both["VONAGE_SIGNATURE_SECRET"],
        "another secret, long enough"
    );
    assert_eq!(both["VONAGE_SIGNATURE_SECRET_PREVIOUS"], SIGNATURE_SECRET);
    // Twice would forget the one that Vonage still signs with.
    let newer = shell.with("VONAGE_SIGNATURE_SECRET", "a third one");
    let twice = setup(&newer, &["--yes", "--rotate", "signature"]).await;
    assert_eq!(twice.code, Some(1));
    assert!(twice.err.contains("--finish"), "{twice:?}");
    assert_eq!(outside.secret(), both);
    setup(&newer, &["--yes", "--rotate", "signature", "--finish"])
        .await
        .fine();
    let one = outside.secret();
    assert_eq!(
        one["VONAGE_SIGNATURE_SECRET"],
        "another secret, long enough"
    );
    assert_eq!(one["VONAGE_SIGNATURE_SECRET_PREVIOUS"], Value::Null);
}
