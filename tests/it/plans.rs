//! Versions of the plan: pushed, listed, compared and rolled back, by the built binary on a table.

use crate::loopback::Loopback;
use crate::platform::Platform;
use crate::shell::{Ran, Shell, finished};
use crate::wire::{Fault, Spoil, Wire};
use crate::world::{self, PATIENCE, PLAN, World};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use switchboard_cli::engines::Engines;
use switchboard_shared::clock::Clock;
use switchboard_shared::plan::{Plan, TEXT_MAX};
use switchboard_shared::store::{self, InForce, Pushed, Signed, Store, VERSIONS_KEEP};
use tokio::sync::Notify;

const TABLE: &str = "stack";

/// A stack as far as it has plans: a table, and nothing else.
struct Stack {
    engines: Engines,
    store: Store,
}

impl Stack {
    async fn open() -> Self {
        let engines = Engines::in_memory(Clock::default()).await.unwrap();
        let dynamodb = engines.dynamodb_client();
        store::create_table(&dynamodb, TABLE).await.unwrap();
        let store = Store::new(dynamodb, TABLE);
        Self { engines, store }
    }

    /// An operator's shell, in a folder with a plan file: it can ask the table, and knows no secret.
    fn operator(&self, name: &str, plan: &str) -> Shell {
        let shell = Shell::new()
            .with("USER", name)
            .with("SWITCHBOARD_TABLE", TABLE);
        let shell = self
            .engines
            .environment()
            .into_iter()
            .fold(shell, |shell, (name, value)| shell.with(&name, value));
        shell.write("switchboard.toml", plan);
        shell
    }

    /// The version in force.
    async fn in_force(&self) -> String {
        let in_force = self.store.plan_in_force().await.unwrap();
        in_force.map(|it| it.push.version).unwrap_or_default()
    }

    /// Puts a text in force over whatever is.
    async fn push(&self, text: &str) -> InForce {
        let over = self.store.plan_in_force().await.unwrap();
        let pushed = self.push_over(text, over.as_ref()).await;
        assert!(matches!(pushed, Pushed::Done(_)), "{pushed:?}");
        self.store.plan_in_force().await.unwrap().unwrap()
    }

    async fn push_over(&self, text: &str, over: Option<&InForce>) -> Pushed {
        let plan = plan(text);
        let signed = Signed::default();
        let now = Timestamp::now();
        let pushed = self.store.push_plan(&plan, over, signed, now).await;
        pushed.unwrap()
    }

    /// An item of the plans, as it lies in the table.
    async fn item(&self, sk: &str) -> Option<HashMap<String, AttributeValue>> {
        let found = self
            .engines
            .dynamodb_client()
            .get_item()
            .table_name(TABLE)
            .key("pk", AttributeValue::S("PLAN".to_owned()))
            .key("sk", AttributeValue::S(sk.to_owned()))
            .send();
        found.await.unwrap().item
    }
}

/// Runs `switchboard plan … --aws`.
async fn run(shell: &Shell, arguments: &[&str]) -> Ran {
    let all = [&["plan"], arguments, &["--aws"]].concat();
    shell.run(&all).await
}

fn plan(text: &str) -> Plan {
    let checked = Plan::parse(text);
    checked
        .plan
        .unwrap_or_else(|| panic!("{:?}", checked.faults))
}

fn version(text: &str) -> String {
    plan(text).version().to_owned()
}

/// [`PLAN`], in which another sentence is said at night.
fn other(say: &str) -> String {
    PLAN.replace("We are closed.", say)
}

// Pushing.

#[tokio::test]
async fn a_plan_is_pushed_with_who_and_why_and_the_next_shows_what_it_changes() {
    let stack = Stack::open().await;
    let shell = stack.operator("olga", PLAN);
    let ran = run(&shell, &["push"]).await.fine();
    assert_eq!(ran.out, "", "{ran:?}");
    assert!(ran.err.contains("6 lines, 7 flows, 3 agents"), "{ran:?}");
    assert_eq!(stack.in_force().await, version(PLAN));

    let new = PLAN
        .replace("We are closed.", "Good night.")
        .replace(
            "[[agent]]\nname = \"carol\"\nphone = \"447700900013\"\n",
            "",
        )
        .replace("\"alice\", \"bob\", \"carol\"", "\"alice\", \"bob\"");
    shell.write("switchboard.toml", &new);
    let ran = run(&shell, &["push", "--note", "Carol has left"])
        .await
        .fine();
    for part in [
        "removed agent carol\n",
        "changed flow closed (message): say\n",
        "changed flow support (queue): agents\n",
        &format!("{} is in force: within 30 seconds", version(&new)),
    ] {
        assert!(ran.err.contains(part), "{part} in {}", ran.err);
    }
    for part in [
        &format!("--- {}\n+++ switchboard.toml\n@@ ", version(PLAN)),
        "\n-say = \"We are closed.\"\n+say = \"Good night.\"\n",
    ] {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'), "no colours into a file");

    let listed = run(&shell, &["history"]).await.fine();
    let rows: Vec<_> = listed
        .out
        .lines()
        .filter(|row| row.contains("olga@"))
        .collect();
    assert_eq!(rows.len(), 2, "{listed:?}");
    for part in [&version(&new), "in force", "Carol has left"] {
        assert!(rows[0].contains(part), "{part} in {}", rows[0]);
    }
    assert!(rows[1].contains(&version(PLAN)) && !rows[1].contains("in force"));
    let listed = run(&shell, &["history", "--json"]).await.fine().json();
    let numbers = |row: &Value| [&row["number"], &row["lines"], &row["agents"]].map(Value::clone);
    assert_eq!(numbers(&listed[0]), [json!(2), json!(6), json!(2)]);
    assert_eq!(numbers(&listed[1]), [json!(1), json!(6), json!(3)]);
    assert_eq!(listed[0]["in_force"], true);
    assert_eq!(listed[1]["until"], listed[0]["pushed"]);
    let one = run(&shell, &["history", "--json", "--limit", "1"]).await;
    assert_eq!(one.fine().json(), json!([listed[0]]));
}

#[tokio::test]
async fn what_is_in_force_already_is_not_pushed_again() {
    let stack = Stack::open().await;
    let shell = stack.operator("olga", PLAN);
    run(&shell, &["push"]).await.fine();
    let before = stack.item("CURRENT").await;
    let again = run(&stack.operator("piet", PLAN), &["push"]).await.fine();
    assert!(again.err.contains("in force already"), "{again:?}");
    assert!(again.err.contains("olga@"), "{again:?}");
    assert_eq!(stack.item("CURRENT").await, before);
    let json = run(&shell, &["push", "--json"]).await.fine().json();
    assert_eq!(json["outcome"], "unchanged");
    assert_eq!(json["in_force"]["number"], 1);
}

#[tokio::test]
async fn a_plan_with_faults_is_shown_with_them_and_never_pushed() {
    let stack = Stack::open().await;
    let shell = stack.operator("olga", PLAN);
    shell.write(
        "faulty.toml",
        &PLAN.replace("agents = [\"alice\"]", "agents = [\"alcie\"]"),
    );
    let checked = shell.run(&["plan", "check", "faulty.toml"]).await;
    let pushed = run(&shell, &["push", "faulty.toml"]).await;
    assert_eq!(pushed.code, Some(1));
    assert_eq!(pushed.out, checked.out, "as `plan check` draws them");
    assert!(pushed.err.starts_with("error: not pushed"), "{pushed:?}");
    let missing = run(&shell, &["push", "missing.toml"]).await;
    assert_eq!(missing.code, Some(1));
    assert!(missing.err.contains("missing.toml"), "{missing:?}");
    assert_eq!(stack.in_force().await, "");
}

#[tokio::test]
async fn the_largest_plan_is_pushed_and_a_larger_one_refused_in_words() {
    let stack = Stack::open().await;
    let largest =
        |more: usize| format!("{PLAN}# {}\n", "x".repeat(TEXT_MAX + more - PLAN.len() - 3));
    let shell = stack.operator("olga", &largest(0));
    let note = "é".repeat(200);
    run(&shell, &["push", "--note", &note]).await.fine();
    shell.write("switchboard.toml", &largest(1));
    let refused = run(&shell, &["push"]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.out.contains("more than 256 KiB"), "{}", refused.err);
    assert_eq!(stack.in_force().await, version(&largest(0)));
}

#[tokio::test]
async fn a_dry_run_shows_all_and_changes_nothing() {
    let stack = Stack::open().await;
    let shell = stack.operator("olga", PLAN);
    let ran = run(&shell, &["push", "--dry-run"]).await.fine();
    assert!(ran.err.contains("nothing was pushed"), "{ran:?}");
    assert_eq!(stack.in_force().await, "");
    stack.push(PLAN).await;
    shell.write("switchboard.toml", &other("Good night."));
    let ran = run(&shell, &["push", "--dry-run"]).await.fine();
    assert!(ran.out.contains("+say = \"Good night.\""), "{ran:?}");
    let advised = format!("--over {}", version(PLAN));
    assert!(ran.err.contains(&advised), "{ran:?}");
    assert_eq!(stack.in_force().await, version(PLAN));
    assert_eq!(stack.store.pushes(10).await.unwrap().len(), 1);
    // What it says to type does it.
    let arguments: Vec<_> = advised.split(' ').collect();
    run(&shell, &[&["push"], &arguments[..]].concat())
        .await
        .fine();
    assert_eq!(stack.in_force().await, version(&other("Good night.")));
}

#[tokio::test]
async fn who_pushes_where_a_file_may_be_used_instead_is_told() {
    let stack = Stack::open().await;
    let shell = stack.operator("olga", PLAN);
    let shell = shell.with("SWITCHBOARD_PLAN", "/opt/plan.toml");
    let ran = run(&shell, &["push"]).await.fine();
    assert!(ran.err.contains("SWITCHBOARD_PLAN is set here"), "{ran:?}");
    assert_eq!(stack.in_force().await, version(PLAN));
}

#[tokio::test]
async fn an_address_of_a_target_is_in_no_diff() {
    let stack = Stack::open().await;
    let with = |secret: &str| {
        let slack = format!("https://hooks.slack.com/services/T0/B0/{secret}");
        format!("{PLAN}\n[[notify]]\nname = \"team\"\nslack = \"{slack}\"\n")
    };
    let shell = stack.operator("olga", &with("0ldsecret"));
    run(&shell, &["push"]).await.fine();
    shell.write("switchboard.toml", &with("newsecret"));
    for more in [
        &["--dry-run"][..],
        &["--dry-run", "--json"],
        &[],
        &["--json"],
    ] {
        let ran = run(&shell, &[&["push"], more].concat()).await.fine();
        for secret in ["0ldsecret", "newsecret"] {
            assert!(
                !ran.out.contains(secret) && !ran.err.contains(secret),
                "{ran:?}"
            );
        }
        let changes = ran.err.contains("changed notify team: slack");
        assert!(
            changes || more.contains(&"--json") || more.is_empty(),
            "{ran:?}"
        );
    }
}

// Two at once.

/// DynamoDB behind a gate: a transaction waits there until the test opens it.
struct Gate {
    server: Loopback,
    came: Arc<Notify>,
    open: Arc<Notify>,
}

#[derive(Clone)]
struct Behind {
    server: String,
    http: reqwest::Client,
    came: Arc<Notify>,
    open: Arc<Notify>,
}

impl Gate {
    fn before(server: &str) -> Self {
        let behind = Behind {
            server: server.to_owned(),
            http: world::http(),
            came: Arc::default(),
            open: Arc::default(),
        };
        let (came, open) = (behind.came.clone(), behind.open.clone());
        let router = Router::new().fallback(pass).with_state(behind);
        Self {
            server: Loopback::serve(router),
            came,
            open,
        }
    }
}

async fn pass(State(behind): State<Behind>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let target = head.headers.get("x-amz-target");
    if target.is_some_and(|target| target.as_bytes().ends_with(b".TransactWriteItems")) {
        behind.came.notify_one();
        behind.open.notified().await;
    }
    let sent = behind
        .http
        .request(head.method, format!("{}{}", behind.server, head.uri))
        .headers(head.headers)
        .body(to_bytes(body, usize::MAX).await.unwrap())
        .send();
    let answer = sent.await.unwrap();
    let response = Response::builder().status(answer.status());
    let body = Body::from(answer.bytes().await.unwrap());
    response.body(body).unwrap()
}

#[tokio::test]
async fn of_two_who_push_at_once_one_wins_and_the_other_is_told_what_the_first_changed() {
    let stack = Stack::open().await;
    stack.push(PLAN).await;
    let gate = Gate::before(stack.engines.dynamodb_url());
    let (mine, theirs) = (other("Good night."), other("Come back tomorrow."));
    let slow = stack
        .operator("olga", &mine)
        .with("AWS_ENDPOINT_URL_DYNAMODB", gate.server.url());
    let pushing = slow.command(&["plan", "push", "--aws"]).spawn().unwrap();
    // All is shown and checked, and the write on its way.
    let came = tokio::time::timeout(PATIENCE, gate.came.notified()).await;
    came.expect("the push comes to its write");
    let fast = stack.operator("piet", &theirs);
    run(&fast, &["push", "--note", "new words"]).await.fine();
    gate.open.notify_one();
    let told = finished(pushing).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert_eq!(stack.in_force().await, version(&theirs));
    for part in [
        "error: not pushed: piet@",
        &format!("put {} in force at ", version(&theirs)),
        "(new words)",
        &format!("push again with `--over {}`", version(&theirs)),
    ] {
        assert!(told.err.contains(part), "{part} in {}", told.err);
    }
    assert!(
        told.out.contains("+say = \"Come back tomorrow.\""),
        "{told:?}"
    );
    // Having seen it, they push over it.
    let slow = stack.operator("olga", &mine);
    run(&slow, &["push", "--over", &version(&theirs)])
        .await
        .fine();
    assert_eq!(stack.in_force().await, version(&mine));
}

#[tokio::test]
async fn of_six_who_push_over_one_version_one_wins() {
    let stack = Stack::open().await;
    stack.push(PLAN).await;
    let over = version(PLAN);
    let texts: Vec<_> = (0..6).map(|n| other(&format!("We are {n}."))).collect();
    let shells: Vec<_> = texts
        .iter()
        .map(|text| stack.operator("olga", text))
        .collect();
    let pushing = shells
        .iter()
        .map(async |shell| run(shell, &["push", "--over", &over]).await);
    let ran = futures_util::future::join_all(pushing).await;
    let won: Vec<_> = (0..6).filter(|n| ran[*n].code == Some(0)).collect();
    assert_eq!(won.len(), 1, "{ran:#?}");
    let winner = version(&texts[won[0]]);
    assert_eq!(stack.in_force().await, winner);
    for ran in ran.iter().filter(|ran| ran.code != Some(0)) {
        assert_eq!(ran.code, Some(1));
        assert!(
            ran.err.contains(&format!("put {winner} in force")),
            "{ran:?}"
        );
    }
    assert_eq!(stack.store.pushes(10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_push_over_a_version_that_went_is_refused_and_shows_what_came() {
    let stack = Stack::open().await;
    let shell = stack.operator("olga", &other("Mine."));
    let early = run(&shell, &["push", "--over", &version(PLAN)]).await;
    assert_eq!(early.code, Some(1), "{early:?}");
    assert!(early.err.contains("no plan is in force"), "{early:?}");
    stack.push(PLAN).await;
    stack.push(&other("Theirs.")).await;
    for (over, shows) in [(version(PLAN), true), ("0000".to_owned(), false)] {
        let ran = run(&shell, &["push", "--over", &over]).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.err.contains("error: not pushed: "), "{ran:?}");
        assert_eq!(ran.out.contains("+say = \"Theirs.\""), shows, "{ran:?}");
        assert!(!ran.out.contains("Mine."), "{ran:?}");
    }
    let ran = run(&shell, &["push", "--json", "--over", &version(PLAN)]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let json = ran.json();
    assert_eq!(json["outcome"], "refused");
    assert_eq!(json["in_force"]["version"], version(&other("Theirs.")));
    assert_eq!(json["change"]["changes"][0]["keys"], json!(["say"]));
    assert_eq!(stack.in_force().await, version(&other("Theirs.")));
}

#[tokio::test]
async fn what_went_and_came_back_was_replaced_all_the_same() {
    let stack = Stack::open().await;
    let shown = stack.push(PLAN).await;
    stack.push(&other("Theirs.")).await;
    stack.push(PLAN).await;
    let pushed = stack.push_over(&other("Mine."), Some(&shown)).await;
    let Pushed::Overtaken(Some(now)) = pushed else {
        panic!("{pushed:?}");
    };
    assert_eq!((now.push.version, now.push.number), (version(PLAN), 3));
    let pushed = stack.push_over(&other("Mine."), None).await;
    assert!(matches!(pushed, Pushed::Overtaken(Some(_))), "{pushed:?}");
    // The same plan of two operators is one plan.
    let pushed = stack.push_over(PLAN, None).await;
    assert!(matches!(pushed, Pushed::Already), "{pushed:?}");
}

// Rolling back.

#[tokio::test]
async fn a_rollback_goes_to_the_version_before_and_the_next_one_back_again() {
    let stack = Stack::open().await;
    let shell = stack.operator("olga", PLAN);
    let [first, second, third] = ["One.", "Two.", "Three."].map(other);
    for text in [&first, &second, &third] {
        stack.push(text).await;
    }
    let dry = run(&shell, &["rollback", "--dry-run"]).await.fine();
    assert!(
        dry.out.contains("-say = \"Three.\"\n+say = \"Two.\""),
        "{dry:?}"
    );
    assert_eq!(stack.in_force().await, version(&third));
    for expected in [&second, &third] {
        let ran = run(&shell, &["rollback"]).await.fine();
        assert!(ran.err.contains("is in force: within"), "{ran:?}");
        assert_eq!(stack.in_force().await, version(expected));
    }
    let prefix = version(&first)[..6].to_uppercase();
    let arguments = ["rollback", &prefix, "--note", "the old one was right"];
    run(&shell, &arguments).await.fine();
    assert_eq!(stack.in_force().await, version(&first));
    let again = run(&shell, &["rollback", &prefix]).await.fine();
    assert!(again.err.contains("in force already"), "{again:?}");
    // A rollback is a push: the history is what was in force, in its order.
    let listed = run(&shell, &["history", "--json"]).await.fine().json();
    let listed: Vec<_> = listed.as_array().unwrap().iter().rev().collect();
    let versions: Vec<_> = listed
        .iter()
        .map(|row| row["version"].as_str().unwrap())
        .collect();
    let order = [&first, &second, &third, &second, &third, &first];
    assert_eq!(versions, order.map(|text| version(text)));
    assert_eq!(listed[3]["note"], "rollback");
    assert_eq!(listed[5]["note"], "the old one was right");
}

#[tokio::test]
async fn a_version_that_is_not_there_or_is_several_is_told_so() {
    let stack = Stack::open().await;
    let shell = stack.operator("olga", PLAN);
    for arguments in [
        &["rollback"][..],
        &["diff"],
        &["show"],
        &["rollback", "abcd"],
    ] {
        let ran = run(&shell, arguments).await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
        assert!(ran.err.contains('`'), "{ran:?}");
    }
    stack.push(PLAN).await;
    let ran = run(&shell, &["rollback"]).await;
    assert!(ran.err.contains("no version to go back to"), "{ran:?}");
    // Two texts whose versions begin alike: some hundred are enough to find them.
    let mut seen: HashMap<String, String> = HashMap::new();
    let (prefix, both) = (0..)
        .find_map(|n| {
            let text = format!("[flow.closed]\ntype = \"message\"\nsay = \"{n}\"\n");
            let prefix = version(&text)[..4].to_owned();
            let other = seen.insert(prefix.clone(), text.clone())?;
            Some((prefix, [other, text]))
        })
        .unwrap();
    for text in &both {
        stack.push(text).await;
    }
    for arguments in [["rollback", &prefix], ["show", &prefix], ["diff", &prefix]] {
        let ran = run(&shell, &arguments).await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
        for text in &both {
            assert!(ran.err.contains(&version(text)), "{ran:?}");
        }
    }
    let ran = run(&shell, &["show", &version(&both[0])]).await.fine();
    assert_eq!(ran.out, both[0]);
}

#[tokio::test]
async fn what_can_be_no_version_note_or_number_ends_with_2() {
    let shell = Shell::new();
    for arguments in [
        &["rollback", "abc"][..],
        &["rollback", "xyzw"],
        &["rollback", "0123456789abc"],
        &["show", "VERSION#1"],
        &["push", "--over", "ab"],
        &["push", "--note", ""],
        &["push", "--note", "two\nlines"],
        &["push", "--note", &"x".repeat(201)],
        &["history", "--limit", "0"],
        &["history", "--limit", "1001"],
        &["diff", "abcd", "abce", "abcf"],
        &["diff", "abcd", "abce", "--file", "f"],
    ] {
        let ran = run(&shell, arguments).await;
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (Some(2), ""),
            "{arguments:?}: {ran:?}"
        );
    }
}

// Looking.

#[tokio::test]
async fn versions_and_the_file_are_compared_and_1_says_that_they_differ() {
    let stack = Stack::open().await;
    let [first, second] = ["One.", "Two."].map(other);
    let shell = stack.operator("olga", &second);
    stack.push(&first).await;
    stack.push(&second).await;
    let same = run(&shell, &["diff"]).await.fine();
    assert_eq!(same.out, "");
    assert!(same.err.contains("are the same"), "{same:?}");
    shell.write("switchboard.toml", &other("Three."));
    shell.write("first.toml", &first);
    let (a, b) = (version(&first), version(&second));
    for (arguments, from, to) in [
        (&["diff"][..], "Two.", "Three."),
        (&["diff", "--file", "first.toml"], "Two.", "One."),
        (&["diff", &a[..4]], "One.", "Two."),
        (
            &["diff", &a, "--file", "switchboard.toml"],
            "One.",
            "Three.",
        ),
        (&["diff", &b, &a], "Two.", "One."),
    ] {
        let ran = run(&shell, arguments).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(ran.err, "changed flow closed (message): say\n");
        let change = format!("\n-say = \"{from}\"\n+say = \"{to}\"\n");
        assert!(ran.out.contains(&change), "{change} in {}", ran.out);
        let json = run(&shell, &[arguments, &["--json"]].concat()).await;
        assert_eq!((json.code, &json.json()["same"]), (Some(1), &json!(false)));
        assert_eq!(json.json()["diff"], ran.out);
    }
    shell.write("switchboard.toml", &format!("# Mine.\n{second}"));
    let ran = run(&shell, &["diff"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("only comments"), "{ran:?}");
    shell.write("switchboard.toml", "[flow.closed]\ntype = 7\n");
    let ran = run(&shell, &["diff"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("`switchboard plan check`"), "{ran:?}");
    assert!(ran.out.contains("+type = 7\n"), "{ran:?}");
}

#[tokio::test]
async fn a_version_is_printed_as_the_file_it_was() {
    let stack = Stack::open().await;
    let text = format!("# Caf\u{e9}.\r\n{PLAN}# no end");
    stack.push(&text).await;
    stack.push(PLAN).await;
    let shell = stack.operator("olga", PLAN);
    let ran = run(&shell, &["show", &version(&text)[..8]]).await.fine();
    assert_eq!(ran.out, text);
    assert_eq!(run(&shell, &["show"]).await.fine().out, PLAN);
    let json = run(&shell, &["show", "--json"]).await.fine().json();
    assert_eq!(json, json!({ "version": version(PLAN), "text": PLAN }));
}

#[tokio::test]
async fn what_others_wrote_into_the_history_moves_nobodys_cursor() {
    let stack = Stack::open().await;
    let hostile = Signed {
        by: Some("\u{1b}[2Jroot".to_owned()),
        note: Some(format!("\u{9b}31m{}", "x".repeat(1000))),
    };
    let plan = plan(PLAN);
    let pushed = stack
        .store
        .push_plan(&plan, None, hostile, Timestamp::now());
    let Pushed::Done(push) = pushed.await.unwrap() else {
        panic!("nothing was in force");
    };
    assert_eq!(push.note.unwrap().chars().count(), 200);
    let shell = stack.operator("olga", PLAN);
    for arguments in [&["history"][..], &["push"]] {
        let ran = run(&shell, arguments).await.fine();
        let all = format!("{}{}", ran.out, ran.err);
        assert!(
            all.contains("root") && !all.contains(['\u{1b}', '\u{9b}']),
            "{all:?}"
        );
    }
}

// What is kept.

#[tokio::test]
async fn what_was_replaced_is_kept_for_its_time_and_what_is_in_force_for_ever() {
    let stack = Stack::open().await;
    let replaced = stack.push(PLAN).await;
    let before = Timestamp::now();
    stack.push(&other("New.")).await;
    let ttl = |item: &HashMap<String, AttributeValue>| {
        let ttl = item.get("ttl").map(|ttl| ttl.as_n().unwrap());
        ttl.map(|ttl| ttl.parse::<i64>().unwrap())
    };
    let current = stack.item("CURRENT").await.unwrap();
    assert_eq!(ttl(&current), None);
    let keeps = before.as_second() + VERSIONS_KEEP.as_secs();
    let text = format!("VERSION#{}", version(PLAN));
    let entry = format!("PUSH#{:020}", replaced.push.number);
    for sk in [text, entry] {
        let item = stack.item(&sk).await.unwrap();
        assert!(ttl(&item).unwrap() >= keeps, "{sk}: {item:?}");
    }
}

#[tokio::test]
async fn a_version_in_force_for_longer_than_any_is_kept_is_kept_when_it_is_replaced() {
    let stack = Stack::open().await;
    stack.push(PLAN).await;
    // Its own text has expired meanwhile, as DynamoDB does it.
    let dynamodb = stack.engines.dynamodb_client();
    let delete = dynamodb
        .delete_item()
        .table_name(TABLE)
        .key("pk", AttributeValue::S("PLAN".to_owned()))
        .key(
            "sk",
            AttributeValue::S(format!("VERSION#{}", version(PLAN))),
        );
    delete.send().await.unwrap();
    let shell = stack.operator("olga", &other("New."));
    let shown = run(&shell, &["show", &version(PLAN)[..4]]).await.fine();
    assert_eq!(shown.out, PLAN);
    run(&shell, &["push"]).await.fine();
    let kept = stack.store.plan(Some(&version(PLAN))).await.unwrap();
    assert_eq!(kept.unwrap().text, PLAN);
    run(&shell, &["rollback"]).await.fine();
    assert_eq!(stack.in_force().await, version(PLAN));
}

#[tokio::test]
async fn the_order_is_that_of_being_in_force_whatever_the_clocks_say() {
    let stack = Stack::open().await;
    let mut over = None;
    for (text, hours) in [
        (PLAN.to_owned(), 5),
        (other("Two."), -5),
        (other("Three."), 0),
    ] {
        let now = Timestamp::now() + SignedDuration::from_hours(hours);
        let (plan, signed) = (plan(&text), Signed::default());
        let pushed = stack.store.push_plan(&plan, over.as_ref(), signed, now);
        assert!(matches!(pushed.await.unwrap(), Pushed::Done(_)));
        over = stack.store.plan_in_force().await.unwrap();
    }
    let pushes = stack.store.pushes(10).await.unwrap();
    let versions: Vec<_> = pushes.into_iter().map(|push| push.version).collect();
    let order = [other("Three."), other("Two."), PLAN.to_owned()];
    assert_eq!(versions, order.map(|text| version(&text)));
}

#[tokio::test]
async fn a_plan_put_there_before_pushes_were_counted_is_pushed_over_like_any_other() {
    let stack = Stack::open().await;
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let dynamodb: Client = stack.engines.dynamodb_client();
    for sk in ["CURRENT".to_owned(), format!("VERSION#{}", version(PLAN))] {
        let put = dynamodb.put_item().table_name(TABLE);
        let put = put.item("pk", text("PLAN")).item("sk", text(&sk));
        let put = put.item("version", text(&version(PLAN)));
        let put = put.item("text", text(PLAN));
        let put = put.item("pushed", text("2026-11-01T10:00:00Z"));
        put.send().await.unwrap();
    }
    let shell = stack.operator("olga", &other("New."));
    run(&shell, &["push"]).await.fine();
    let listed = run(&shell, &["history", "--json"]).await.fine().json();
    assert_eq!(listed[0]["number"], 1);
    assert_eq!(listed[1]["version"], version(PLAN));
    run(&shell, &["rollback"]).await.fine();
    assert_eq!(stack.in_force().await, version(PLAN));
}

#[tokio::test]
async fn whatever_goes_wrong_on_the_way_what_is_in_force_has_its_text() {
    let stack = Stack::open().await;
    stack.push(PLAN).await;
    let late = Duration::from_millis(50);
    let wire = Wire::to(stack.engines.dynamodb_url(), late);
    let new = other("New.");
    let shell = stack
        .operator("olga", &new)
        .with("AWS_ENDPOINT_URL_DYNAMODB", wire.url());
    for (operation, nth) in [
        ("GetItem", 0),
        ("PutItem", 0),
        ("PutItem", 1),
        ("TransactWriteItems", 0),
    ] {
        wire.spoil(Spoil {
            operation: operation.to_owned(),
            nth,
            // More often than any client asks.
            times: 100,
            fault: Fault::Broken,
        });
        let ran = run(&shell, &["push"]).await;
        assert_eq!(ran.code, Some(1), "{operation}: {ran:?}");
        assert!(wire.spoilt() > 0, "{operation}");
        assert_eq!(stack.in_force().await, version(PLAN), "{operation}");
    }
    // Done, and nobody is told: asked again it is the same push.
    wire.spoil(Spoil {
        operation: "TransactWriteItems".to_owned(),
        nth: 0,
        times: 1,
        fault: Fault::Lost,
    });
    run(&shell, &["push"]).await.fine();
    assert_eq!(stack.in_force().await, version(&new));
    assert_eq!(stack.store.pushes(10).await.unwrap().len(), 2);
    for text in [PLAN, &new] {
        let kept = stack.store.plan(Some(&version(text))).await.unwrap();
        assert_eq!(kept.unwrap().text, text);
    }
}

// Boards.

#[tokio::test]
async fn a_board_that_runs_goes_by_its_file_and_can_be_looked_at() {
    let shell = Shell::new();
    let data = shell.path(".switchboard");
    let world = World::start(PLAN, Some(data), Vec::new(), Platform::start()).await;
    shell.write("switchboard.toml", &other("Mine."));
    let file = world.board.environment().get("SWITCHBOARD_PLAN").unwrap();
    for arguments in [
        &["plan", "push"][..],
        &["plan", "push", "--dry-run"],
        &["plan", "rollback"],
        &["plan", "rollback", "abcd"],
    ] {
        let ran = shell.run(arguments).await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
        assert!(ran.err.contains("goes by its file"), "{ran:?}");
        assert!(ran.err.contains(&file), "{ran:?}");
    }
    let listed = shell
        .run(&["plan", "history", "--json"])
        .await
        .fine()
        .json();
    assert_eq!(listed[0]["version"], version(PLAN));
    assert_eq!(listed[0]["by"], "the board");
    assert_eq!(shell.run(&["plan", "show"]).await.fine().out, PLAN);
    let ran = shell.run(&["plan", "diff"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("+say = \"Mine.\""), "{ran:?}");
    world.board.stop().await;
}

#[tokio::test]
async fn a_sleeping_board_takes_a_push_until_it_wakes_and_its_history_goes_on() {
    let shell = Shell::new();
    let data = || Some(shell.path(".switchboard"));
    let start = async |plan: &str| {
        let platform = Platform::start();
        World::start(plan, data(), Vec::new(), platform).await
    };
    start(PLAN).await.board.stop().await;
    // Started again on the same plan it has nothing to push.
    start(PLAN).await.board.stop().await;
    shell.write("switchboard.toml", &other("Mine."));
    let ran = shell.run(&["plan", "push"]).await.fine();
    assert!(ran.err.contains("the next `switchboard dev`"), "{ran:?}");
    let board = start(PLAN).await.board;
    let pushes = board.store().pushes(10).await.unwrap();
    let versions: Vec<_> = pushes.iter().map(|push| push.version.as_str()).collect();
    assert_eq!(
        versions,
        [&version(PLAN), &version(&other("Mine.")), &version(PLAN)]
    );
    board.stop().await;
    let ran = shell.run(&["plan", "rollback"]).await.fine();
    assert!(ran.out.contains("+say = \"Mine.\""), "{ran:?}");
}

#[tokio::test]
async fn whom_a_plan_leaves_behind_is_told_before_it_is_in_force() {
    let shell = Shell::new();
    let data = shell.path(".switchboard");
    let world = World::start(PLAN, Some(data), Vec::new(), Platform::start()).await;
    world.call("447700900002", "leg-b").await;
    world.says("bob", "free").await;
    let ncco = world.moved("leg-b").await;
    world.connected_leg(&ncco, "answered", Value::Null).await;
    world.call("447700900002", "leg-a").await;
    world.board.stop().await;
    // Support becomes a message, and Bob goes.
    let start = PLAN.find("[flow.support]").unwrap();
    let end = start + PLAN[start..].find("[flow.by-url]").unwrap();
    let new = format!(
        "{}[flow.support]\ntype = \"message\"\nsay = \"Write to us.\"\n\n{}",
        &PLAN[..start],
        &PLAN[end..]
    );
    let new = new.replace("\"alice\", \"bob\"", "\"alice\"");
    let new = new.replace("[[agent]]\nname = \"bob\"\nphone = \"447700900012\"\n", "");
    shell.write("switchboard.toml", &new);
    let ran = shell.run(&["plan", "push", "--dry-run"]).await.fine();
    assert!(ran.err.contains("1 callers wait in support"), "{ran:?}");
    assert!(
        ran.err.contains("bob, whom this plan does not have"),
        "{ran:?}"
    );
}
