//! `switchboard doctor`, run against a board that stands for a deployed stack, and an account beside it.

use crate::outside::{LINE, OTHER_LINE, Outside, PLAN, STACK};
use crate::shell::{Dev, Ran, Shell};
use crate::world::{CALLER, eventually, http};
use serde_json::{Value, json};

/// A board that Vonage rings, set up by `switchboard setup`.
struct Practice {
    outside: Outside,
    dev: Dev,
    /// Where the board's owner sits.
    office: Shell,
    shell: Shell,
    address: Value,
}

impl Practice {
    /// `more`: variables of the board.
    async fn open(more: &[(&str, &str)]) -> Self {
        // Until the board is there nobody is at the other end.
        let outside = Outside::start("http://127.0.0.1:1", &[LINE, OTHER_LINE]);
        let mut shell = Shell::new();
        for (name, value) in outside.variables() {
            shell = shell.with(&name, value);
        }
        shell.write("switchboard.toml", PLAN);
        let setup = ["setup", "--stack", STACK, "--yes"];
        shell.run(&setup).await.fine();
        let secret = outside.secret();
        let mut office = Shell::new().with("VONAGE_API_URL", outside.url());
        for name in [
            "VONAGE_APPLICATION_ID",
            "VONAGE_API_KEY",
            "VONAGE_PRIVATE_KEY",
            "VONAGE_SIGNATURE_SECRET",
        ] {
            office = office.with(name, secret[name].as_str().unwrap());
        }
        for (name, value) in more {
            office = office.with(name, *value);
        }
        office.write("switchboard.toml", PLAN);
        let dev = Dev::start(&office, &[]).await;
        let address = std::fs::read(office.path(".switchboard/board.json")).unwrap();
        let address: Value = serde_json::from_slice(&address).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        for engine in ["dynamodb", "s3", "sqs"] {
            let name = format!("AWS_ENDPOINT_URL_{}", engine.to_uppercase());
            shell = shell.with(&name, text(&address["endpoints"][engine]));
        }
        outside.stands_at(&dev.url);
        for (output, name) in [("Archive", "archive_queue"), ("Dispatch", "dispatch_queue")] {
            let url = text(&address[name]);
            outside.output(&format!("{output}QueueUrl"), &url);
            outside.output(&format!("{output}DeadLettersUrl"), &format!("{url}-dead"));
        }
        shell.run(&setup).await.fine();
        Self {
            outside,
            dev,
            office,
            shell,
            address,
        }
    }

    async fn doctor(&self, more: &[&str]) -> Ran {
        let all = [&["doctor", "--stack", STACK], more].concat();
        self.shell.run(&all).await
    }
}

/// Names of the checks with this verdict.
fn with(ran: &Ran, verdict: &str) -> Vec<String> {
    let json = ran.json();
    let checks = json["checks"].as_array().unwrap().iter();
    let such = checks.filter(|check| check["verdict"] == verdict);
    such.map(|check| check["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_stack_that_is_set_up_is_well_and_stays_as_it_was() {
    let practice = Practice::open(&[]).await;
    let _ = practice.outside.asked();
    let ran = practice.doctor(&["--json"]).await.fine();
    assert_eq!(
        with(&ran, "ok"),
        [
            "secret",
            "credentials",
            "application",
            "key",
            "answer URL",
            "fallback URL",
            "event URL",
            "signing",
            "privacy",
            "number 447700900000",
            "number 447700900002",
            "table",
            "plan",
            "bucket",
            "archive queue",
            "dispatch queue",
            "dead letters",
            "test call",
            "fallback",
            "unsigned",
            "clocks",
        ]
    );
    assert_eq!(ran.json()["checks"].as_array().unwrap().len(), 21);
    let asked = practice.outside.asked();
    let looks = |what: &str| {
        what.starts_with("GET ") || what.starts_with("Get") || what.starts_with("Describe")
    };
    assert!(asked.iter().all(|it| looks(&it.what)), "{asked:?}");
    let calls = practice.office.run(&["calls", "--json"]).await.fine();
    assert_eq!(calls.json(), json!([]));
    let said = practice.doctor(&[]).await.fine();
    assert!(said.err.contains("calls come through"), "{said:?}");
    assert!(said.out.contains(" ms"), "{said:?}");
}

#[tokio::test]
async fn each_fault_is_found_by_its_name() {
    let practice = Practice::open(&[]).await;
    let outside = &practice.outside;
    let base = practice.dev.url.as_str();
    let secret = outside.secret();
    let application = outside.applications()[0].clone();
    let keys: Vec<_> = ["name", "capabilities", "keys", "privacy"].into();
    let mend = || {
        outside.set_secret(&secret);
        outside.stands_at(base);
        outside.output("Table", "switchboard");
        outside.output("Bucket", "switchboard-recordings");
        outside.output(
            "ArchiveQueueUrl",
            practice.address["archive_queue"].as_str().unwrap(),
        );
        let id = application["id"].as_str().unwrap();
        let body = keys
            .iter()
            .map(|key| ((*key).to_owned(), application[*key].clone()));
        outside.account(|account| {
            account.put_application(switchboard_phone::Application {
                id: id.to_owned(),
                body: body.collect(),
            });
            for line in [LINE, OTHER_LINE] {
                let number = account.number_mut("GB", line).unwrap();
                number.insert("app_id".to_owned(), id.into());
                number.remove("voiceCallbackType");
                number.insert("features".to_owned(), json!(["VOICE"]));
            }
        });
    };
    let voice = |change: &dyn Fn(&mut Value)| {
        outside.rewrite(|body| change(&mut body["capabilities"]["voice"]));
    };
    let line = format!("number {LINE}");
    let other_line = format!("number {OTHER_LINE}");
    type Spoil<'s> = Box<dyn Fn() + 's>;
    let faults: Vec<(Vec<&str>, Spoil<'_>)> = vec![
        (
            vec!["application", &line, &other_line],
            Box::new(|| {
                let id = application["id"].as_str().unwrap();
                assert!(outside.account(|account| account.remove_application(id)));
            }),
        ),
        (
            vec!["key"],
            Box::new(|| {
                outside.rewrite(|body| {
                    body["keys"]["public_key"] = crate::fixtures::PUBLIC_KEY.into();
                });
            }),
        ),
        (
            vec!["answer URL"],
            Box::new(|| {
                voice(&|it| it["webhooks"]["answer_url"]["address"] = "https://a.example/".into());
            }),
        ),
        (
            vec!["fallback URL"],
            Box::new(|| {
                voice(&|it| {
                    let webhooks = it["webhooks"].as_object_mut().unwrap();
                    webhooks.remove("fallback_answer_url");
                });
            }),
        ),
        (
            vec!["event URL"],
            Box::new(|| voice(&|it| it["webhooks"]["event_url"]["http_method"] = "GET".into())),
        ),
        (
            vec!["signing"],
            Box::new(|| voice(&|it| it["signed_callbacks"] = false.into())),
        ),
        (
            vec!["privacy"],
            Box::new(|| outside.rewrite(|body| body["privacy"]["improve_ai"] = true.into())),
        ),
        (
            vec![&line],
            Box::new(|| outside.set_number(LINE, "app_id", "00000000")),
        ),
        (
            vec![&other_line],
            Box::new(|| outside.set_number(OTHER_LINE, "voiceCallbackType", "tel")),
        ),
        (
            vec!["table"],
            Box::new(|| outside.output("Table", "nothing")),
        ),
        (
            vec!["bucket"],
            Box::new(|| outside.output("Bucket", "nothing-here")),
        ),
        (
            vec!["archive queue"],
            Box::new(|| {
                let url = practice.address["archive_queue"].as_str().unwrap();
                outside.output("ArchiveQueueUrl", &format!("{url}-which-is-not-there"));
            }),
        ),
        (
            vec!["test call"],
            Box::new(|| {
                let mut other = secret.clone();
                other["VONAGE_SIGNATURE_SECRET"] = "another secret".into();
                outside.set_secret(&other);
            }),
        ),
        (
            vec![
                "answer URL",
                "fallback URL",
                "event URL",
                "test call",
                "fallback",
                "unsigned",
            ],
            Box::new(|| outside.stands_at("http://127.0.0.1:1")),
        ),
    ];
    for (names, spoil) in faults {
        spoil();
        let ran = practice.doctor(&["--json"]).await;
        assert_eq!(with(&ran, "problem"), names, "{ran:?}");
        assert_eq!(ran.code, Some(1));
        mend();
    }
    let well = practice.doctor(&["--json"]).await.fine();
    assert_eq!(with(&well, "problem"), [""; 0]);
    // Another plan than the one in force, with a number that nobody rents.
    let plan =
        format!("{PLAN}\n[[line]]\nnumber = \"447700900009\"\nname = \"x\"\nflow = \"closed\"\n");
    practice.shell.write("other.toml", &plan);
    let ran = practice.doctor(&["--json", "other.toml"]).await;
    assert_eq!(with(&ran, "problem"), ["number 447700900009", "plan"]);
    let gone = practice.doctor(&["--json", "gone.toml"]).await;
    assert_eq!(with(&gone, "problem"), ["plan"]);
    assert_eq!(with(&gone, "skipped"), ["numbers"]);
    // A job that was given up.
    let dead = format!(
        "{}-dead",
        practice.address["dispatch_queue"].as_str().unwrap()
    );
    let sent = http()
        .post(practice.address["endpoints"]["sqs"].as_str().unwrap())
        .header("x-amz-target", "AmazonSQS.SendMessage")
        .header("content-type", "application/x-amz-json-1.0")
        .body(json!({ "QueueUrl": dead, "MessageBody": "{}" }).to_string())
        .send()
        .await
        .unwrap();
    assert!(sent.status().is_success());
    let ran = practice.doctor(&["--json"]).await;
    assert_eq!(with(&ran, "problem"), ["dead letters"]);
}

#[tokio::test]
async fn wrong_credentials_are_one_problem_and_what_needs_them_is_skipped() {
    let Practice {
        outside,
        dev,
        shell,
        office,
        address,
    } = Practice::open(&[]).await;
    let shell = shell.with("VONAGE_API_SECRET", "another");
    let practice = Practice {
        outside,
        dev,
        office,
        shell,
        address,
    };
    let ran = practice.doctor(&["--json"]).await;
    assert_eq!(ran.code, Some(1));
    assert_eq!(with(&ran, "problem"), ["credentials"]);
    assert_eq!(with(&ran, "skipped"), ["application", "numbers"]);
    let said = practice.doctor(&[]).await;
    assert!(
        said.out.contains("dashboard") && said.err.contains("1 problem"),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_stack_that_lets_anybody_in_is_found_out() {
    let practice = Practice::open(&[("SWITCHBOARD_ALLOW_UNSIGNED", "true")]).await;
    let ran = practice.doctor(&["--json"]).await;
    assert_eq!(with(&ran, "problem"), ["unsigned"]);
    let calls = practice.office.run(&["calls", "--json"]).await.fine();
    assert_eq!(calls.json(), json!([]));
}

#[tokio::test]
async fn a_stack_that_was_never_set_up_is_told_so() {
    let outside = Outside::start("http://127.0.0.1:1", &[]);
    let variables = outside.variables().into_iter();
    let shell = variables.fold(Shell::new(), |shell, (name, value)| {
        shell.with(&name, value)
    });
    shell.write("switchboard.toml", PLAN);
    // Nobody is there either.
    let shell = shell.with("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let ran = shell.run(&["doctor", "--stack", STACK]).await;
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out.contains("`switchboard setup` puts it right"),
        "{ran:?}"
    );
    assert!(
        ran.out.contains("none") && ran.out.contains("no answer came"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn the_other_commands_work_on_a_stack_by_its_name() {
    let practice = Practice::open(&[]).await;
    let run = async |what: &[&str]| {
        let all = [what, &["--stack", STACK]].concat();
        practice.shell.run(&all).await.fine().out
    };
    assert_eq!(run(&["calls", "--json"]).await.trim(), "[]");
    assert_eq!(run(&["recordings", "--json"]).await.trim(), "[]");
    let url = practice.dev.url.as_str();
    // As its functions sign, and where they are.
    let signed = run(&["sign", "--body", "{}"]).await;
    let asked = http().post(format!("{url}/webhooks/ncco/leg")).body("{}");
    let asked = asked.header("authorization", signed.trim()).send().await;
    assert_eq!(asked.unwrap().status(), 200);
    let link = run(&["link", "alice"]).await;
    assert!(
        link.starts_with(&format!("{url}/agentfree?agent=alice")),
        "{link}"
    );
}

#[tokio::test]
async fn after_setup_a_call_is_answered() {
    let practice = Practice::open(&[]).await;
    let phone = practice.outside.phone().clone();
    let id = practice.outside.applications()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(phone.with(|platform| platform.take_calls_for(&id)));
    let runs = phone.clone();
    let ring = tokio::spawn(async move { runs.run(std::future::pending()).await });
    let leg = phone.with(|platform| platform.call(CALLER, LINE)).unwrap();
    let hears = || {
        phone.look(|platform| {
            let mut journal = platform.journal();
            journal.any(|entry| {
                entry.leg.as_ref() == Some(&leg)
                    && format!("{:?}", entry.what).contains("We are closed.")
            })
        })
    };
    eventually(async || hears().then_some(())).await;
    ring.abort();
}
