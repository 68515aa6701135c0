//! The operator's commands, run as an operator runs them: the built binary, in a folder of its own.

use crate::platform::{Content, Platform, RecordingFault};
use crate::shell::{Dev, Shell, finished, ran};
use crate::world::{self, PATIENCE, PLAN, World, action, eventually, incoming, kinds};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::time::{Duration, Instant};

/// Words that say what to do next hold something to type.
fn advises(text: &str) -> bool {
    text.contains('`') || text.contains("--")
}

/// A plan with four faults: zone, number, flow, agent.
const FAULTY: &str = r#"[defaults]
language = "en-GB"
timezone = "Europe/Lodnon"

[[line]]
number = "0044"
name = "Front desk"
flow = "suport"

[[agent]]
name = "alice"
phone = "447700900011"

[flow.support]
type = "ring"
confirm = false
agents = ["alcie"]
otherwise = "closed"

[flow.closed]
type = "message"
say = "We are closed."
"#;

/// Where [`FAULTY`] is faulty: line, column, a part of the message, a part of the advice.
const FAULTS: [(u64, u64, &str, &str); 4] = [
    (3, 12, "Europe/Lodnon", "Europe/London"),
    (6, 10, "E.164", "447700900000"),
    (8, 8, "\"suport\"", "\"support\""),
    (17, 11, "\"alcie\"", "\"alice\""),
];

// Usage.

#[tokio::test]
async fn help_and_version_are_printed_and_nothing_is_wrong() {
    let shell = Shell::new();
    for arguments in [
        &["--help"][..],
        &["help"],
        &["--version"],
        &["dev", "--help"],
        &["plan", "check", "--help"],
        &["plan", "graph", "--help"],
        &["plan", "push", "--help"],
        &["plan", "rollback", "--help"],
        &["preview", "--help"],
        &["ncco", "check", "-h"],
        &["calls", "--help"],
        &["calls", "show", "--help"],
        &["queue", "--help"],
        &["agent", "--help"],
        &["recordings", "retry", "--help"],
        &["sign", "--help"],
        &["link", "--help"],
        &["token", "--help"],
    ] {
        let ran = shell.run(arguments).await.fine();
        assert!(!ran.out.is_empty() && ran.err.is_empty(), "{arguments:?}");
    }
    let all = shell.run(&["--help"]).await.out;
    for command in [
        "dev",
        "plan",
        "preview",
        "ncco",
        "calls",
        "queue",
        "agent",
        "recordings",
    ] {
        assert!(
            all.contains(&format!("\n  {command} ")),
            "{command} in {all}"
        );
    }
}

#[tokio::test]
async fn what_is_not_understood_ends_with_2_and_says_how_it_is_written() {
    let shell = Shell::new();
    for arguments in [
        &[][..],
        &["nonsense"],
        &["dev", "--port", "70000"],
        &["dev", "--port", "x"],
        &["dev", "extra"],
        &["plan"],
        &["plan", "nonsense"],
        &["plan", "check", "a", "b"],
        &["preview"],
        &["preview", "--line"],
        &["preview", "447700900000"],
        &["ncco"],
        &["ncco", "check", "a", "b"],
        &["calls", "nonsense"],
        &["calls", "show"],
        &["calls", "--nonsense"],
        &["queue", "nonsense"],
        &["agent"],
        &["agent", "free"],
        &["agent", "away", "Al ice"],
        &["agent", "free", "Alice"],
        &["recordings", "get"],
        &["recordings", "get", "a/b"],
        &["recordings", "retry"],
        &["recordings", "retry", "a", "--all"],
        &["sign", "--body", "{}", "--query", "a=b"],
        &["link"],
        &["link", "alice", "--days", "0"],
        &["link", "alice", "--days", "366"],
        &["token", "nonsense"],
        &["--data"],
    ] {
        let ran = shell.run(arguments).await;
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert_eq!(ran.out, "", "{arguments:?}");
        assert!(
            ran.err.contains("--help") || ran.err.contains("Usage:"),
            "{arguments:?}: {ran:?}"
        );
    }
    let left: Vec<_> = std::fs::read_dir(shell.path("")).unwrap().collect();
    assert!(left.is_empty(), "nothing was made: {left:?}");
}

#[tokio::test]
async fn a_time_that_does_not_read_is_answered_by_one_that_does() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    std::fs::create_dir(shell.path(".switchboard")).unwrap();
    for arguments in [
        ["preview", "--line=447700900000", "--at=Christmas"],
        ["preview", "--line=447700900000", "--at=2026-13-01T10:00"],
        ["preview", "--line=447700900000", "--at=25.12.2026 10:00"],
        ["preview", "--line=447700900000", "--at="],
        ["calls", "--json", "--since=yesterday"],
        ["calls", "--json", "--since=2026-02-30"],
    ] {
        let ran = shell.run(&arguments).await;
        assert_ne!(ran.code, Some(0), "{arguments:?}");
        assert_eq!(ran.out, "", "{arguments:?}");
        assert!(ran.err.contains("write it like 2026-"), "{ran:?}");
    }
}

#[tokio::test]
async fn a_time_that_does_not_read_ends_with_2_as_every_other_such_value() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    std::fs::create_dir(shell.path(".switchboard")).unwrap();
    let preview = shell
        .run(&["preview", "--line", "447700900000", "--at", "x"])
        .await;
    let calls = shell.run(&["calls", "--since", "x"]).await;
    assert_eq!((preview.code, calls.code), (Some(2), Some(2)));
}

// Errors.

#[tokio::test]
async fn a_file_that_is_missing_is_named() {
    let shell = Shell::new();
    for arguments in [
        &["plan", "check", "missing.toml"][..],
        &["plan", "check", "--json", "missing.toml"],
        &[
            "preview",
            "--line",
            "447700900000",
            "--plan",
            "missing.toml",
        ],
        &["dev", "--port", "0", "--plan", "missing.toml"],
        &["ncco", "check", "missing.toml"],
    ] {
        let ran = shell.run(arguments).await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(ran.err.starts_with("error: could not read"), "{ran:?}");
        assert!(ran.err.contains("missing.toml"), "{ran:?}");
    }
    for arguments in [
        &["plan", "check"][..],
        &["preview", "--line", "447700900000"],
        &["dev", "--port", "0"],
    ] {
        let ran = shell.run(arguments).await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(ran.err.contains("switchboard.toml"), "{ran:?}");
    }
    assert!(!shell.path(".switchboard").exists(), "no board, no folder");
}

#[tokio::test]
async fn without_a_data_folder_the_way_to_one_is_told_and_none_is_made() {
    let shell = Shell::new();
    for arguments in [
        &["calls"][..],
        &["calls", "show", "leg-1"],
        &["queue"],
        &["agent", "free", "alice"],
        &["agent", "away", "alice"],
        &["agent", "list"],
        &["recordings"],
        &["recordings", "get", "r"],
        &["recordings", "retry", "r"],
        &["recordings", "retry", "--all"],
        &["plan", "history"],
        &["plan", "rollback"],
        &["plan", "diff", "abcd", "abce"],
        &["plan", "show"],
    ] {
        for more in [&[][..], &["--json"], &["--data", "elsewhere"]] {
            let all: Vec<_> = arguments.iter().chain(more).copied().collect();
            let ran = shell.run(&all).await;
            assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{all:?}");
            let folder = more.get(1).unwrap_or(&".switchboard");
            assert!(ran.err.contains(folder), "{ran:?}");
            assert!(
                ran.err.contains("`switchboard dev`") && ran.err.contains("--data"),
                "{ran:?}"
            );
            assert!(!shell.path(folder).exists(), "{all:?}");
        }
    }
}

#[tokio::test]
async fn a_folder_that_is_no_boards_is_refused_and_left_alone() {
    let shell = Shell::new();
    let folder = shell.path("photos");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("cat.jpg"), "a cat").unwrap();
    let ran = shell.run(&["calls", "--data", "photos"]).await;
    let left: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["cat.jpg"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("`switchboard dev`"), "{ran:?}");
}

#[tokio::test]
async fn a_faulty_plan_is_answered_by_how_to_see_its_faults() {
    let shell = Shell::new();
    shell.write("faulty.toml", FAULTY);
    let preview = shell
        .run(&["preview", "--line", "447700900000", "--plan", "faulty.toml"])
        .await;
    assert_eq!((preview.code, preview.out.as_str()), (Some(1), ""));
    assert!(
        preview.err.contains("`switchboard plan check faulty.toml`"),
        "{preview:?}"
    );
    // The board shows them at once, beside the data.
    let dev = shell
        .run(&["dev", "--port", "0", "--plan", "faulty.toml"])
        .await;
    assert_eq!((dev.code, dev.out.as_str()), (Some(1), ""));
    for (line, column, message, advice) in FAULTS {
        for part in [&format!("faulty.toml:{line}:{column}]"), message, advice] {
            assert!(dev.err.contains(part), "{part} in {}", dev.err);
        }
    }
    assert!(!shell.path(".switchboard").exists(), "no board, no folder");
}

#[tokio::test]
async fn whom_or_what_nobody_knows_is_refused_by_name_awake_and_asleep() {
    let shell = Shell::new();
    let world = on(&shell).await;
    let check = async |place: &str| {
        for arguments in [
            &["agent", "free", "zoe"][..],
            &["agent", "away", "zoe"],
            &["calls", "show", "leg-9"],
            &["calls", "show", "CON-9"],
            &["calls", "show", "no id"],
            &["recordings", "get", "r-9"],
            &["recordings", "retry", "r-9"],
        ] {
            for more in [&[][..], &["--json"]] {
                let all: Vec<_> = arguments.iter().chain(more).copied().collect();
                let ran = shell.run(&all).await;
                assert_eq!(ran.code, Some(1), "{place} {all:?}: {ran:?}");
                assert_eq!(ran.out, "", "{place} {all:?}");
                assert!(ran.err.starts_with("error: "), "{place} {all:?}: {ran:?}");
                let known = match arguments[0] {
                    "agent" => "no agent",
                    _ => arguments[2],
                };
                assert!(ran.err.contains(known), "{place} {all:?}: {ran:?}");
            }
        }
    };
    check("awake").await;
    world.board.stop().await;
    check("asleep").await;
}

#[tokio::test]
async fn an_error_says_what_to_do_next() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    let world = on(&shell).await;
    announce(&world, "r-failed", "https://elsewhere.example/r").await;
    reaches(&world, "r-failed", "failed").await;
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    shell.run(&["token", "--data", "new"]).await.fine();
    let mut silent = Vec::new();
    for arguments in [
        &["plan", "check", "missing.toml"][..],
        &["preview", "--line=447700900000", "--plan=missing.toml"],
        &["dev", "--port=0", "--plan=missing.toml", "--data=other"],
        &["ncco", "check", "missing.json"],
        &["dev", "--port", &port, "--data", "other"],
        &["agent", "free", "zoe"],
        &["calls", "show", "leg-9"],
        &["recordings", "get", "r-9"],
        &["recordings", "get", "r-failed"],
        &["recordings", "retry", "r-9"],
        &["queue", "--data", "new"],
        &["agent", "list", "--data", "new"],
    ] {
        let ran = shell.run(arguments).await;
        assert_eq!(ran.code, Some(1), "{arguments:?}: {ran:?}");
        if !advises(&ran.err) {
            silent.push(format!("{arguments:?}: {}", ran.err.trim()));
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

#[tokio::test]
async fn settings_that_are_wrong_are_all_told_by_name_and_no_secret_with_them() {
    let shell = Shell::new()
        .with("VONAGE_PRIVATE_KEY", "not-a-key-but-secret")
        .with("VONAGE_API_URL", "nope")
        .with("SWITCHBOARD_ALLOW_UNSIGNED", "maybe");
    shell.write("switchboard.toml", PLAN);
    let ran = shell.run(&["dev", "--port", "0"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    for name in [
        "VONAGE_PRIVATE_KEY",
        "VONAGE_API_URL",
        "SWITCHBOARD_ALLOW_UNSIGNED",
    ] {
        assert!(ran.err.contains(name), "{name} in {}", ran.err);
    }
    assert!(!ran.err.contains("but-secret"), "{}", ran.err);
}

#[tokio::test]
async fn a_setting_that_is_wrong_is_told_once() {
    let shell = Shell::new()
        .with("VONAGE_API_URL", "nope")
        .with("SWITCHBOARD_ALLOW_UNSIGNED", "maybe");
    shell.write("switchboard.toml", PLAN);
    let ran = shell.run(&["dev", "--port", "0"]).await;
    assert_eq!(ran.err.matches("VONAGE_API_URL").count(), 1, "{}", ran.err);
    assert!(ran.err.contains("2 settings are"), "{}", ran.err);
}

#[tokio::test]
async fn a_variable_that_is_not_text_and_none_of_ours_does_no_harm() {
    let shell = Shell::new();
    let mut command = shell.command(&["sign", "--body", "{}"]);
    command.env("SOMEBODYS", OsStr::from_bytes(b"caf\xe9"));
    let ran = ran(command).await.fine();
    assert!(ran.out.starts_with("Bearer "), "{ran:?}");
}

#[tokio::test]
async fn a_reader_who_goes_away_is_no_error() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    let mut command = shell.command(&["preview", "--line", "447700900002"]);
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let ran = finished(child).await.fine();
    assert!(!ran.err.contains("panicked"), "{ran:?}");
}

// `plan check`.

#[tokio::test]
async fn a_plan_without_fault_is_said_to_be_so() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    shell.write("mine.toml", PLAN);
    for (file, arguments) in [
        ("switchboard.toml", &["plan", "check"][..]),
        ("mine.toml", &["plan", "check", "mine.toml"]),
    ] {
        let ran = shell.run(arguments).await.fine();
        assert_eq!(ran.out, "", "words are no data");
        let said = format!("{file}: 6 lines, 7 flows, 3 agents, no fault\n");
        assert_eq!(ran.err, said);
    }
    let ran = shell.run(&["plan", "check", "--json"]).await.fine();
    assert_eq!((ran.json(), ran.err.as_str()), (json!([]), ""));
}

#[tokio::test]
async fn the_example_plan_that_comes_with_it_has_no_fault() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../switchboard.toml");
    let ran = Shell::new().run(&["plan", "check", "--json", file]).await;
    assert_eq!(ran.fine().json(), json!([]));
}

#[tokio::test]
async fn every_fault_of_a_plan_has_line_column_and_advice() {
    let shell = Shell::new();
    shell.write("faulty.toml", FAULTY);
    let ran = shell.run(&["plan", "check", "faulty.toml", "--json"]).await;
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    let faults = ran.json();
    assert_eq!(faults.as_array().unwrap().len(), FAULTS.len(), "{faults}");
    for (index, (line, column, message, advice)) in FAULTS.into_iter().enumerate() {
        let fault = &faults[index];
        assert_eq!(fault["line"], line, "{fault}");
        assert_eq!(fault["column"], column, "{fault}");
        assert_eq!(fault["severity"], "fault", "{fault}");
        assert!(
            fault["message"].as_str().unwrap().contains(message),
            "{fault}"
        );
        assert!(
            fault["advice"].as_str().unwrap().contains(advice),
            "{fault}"
        );
    }
    // For a person, the same, drawn.
    let ran = shell.run(&["plan", "check", "faulty.toml"]).await;
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    for (line, column, message, advice) in FAULTS {
        for part in [&format!("faulty.toml:{line}:{column}]"), message, advice] {
            assert!(ran.out.contains(part), "{part} in {}", ran.out);
        }
    }
    assert!(!ran.out.contains('\u{1b}'), "no colour into a pipe");
}

#[tokio::test]
async fn a_plan_with_nothing_worse_than_warnings_may_be_used() {
    let shell = Shell::new();
    let plan =
        format!("{PLAN}\n[flow.forgotten]\ntype = \"message\"\nsay = \"Nobody hears me.\"\n");
    shell.write("switchboard.toml", &plan);
    let ran = shell.run(&["plan", "check", "--json"]).await.fine();
    let faults = ran.json();
    assert_eq!(faults.as_array().unwrap().len(), 1, "{faults}");
    assert_eq!(faults[0]["severity"], "warning");
    assert!(faults[0]["message"].as_str().unwrap().contains("forgotten"));
    let ran = shell.run(&["plan", "check"]).await.fine();
    assert!(ran.out.contains("forgotten"), "{ran:?}");
}

#[tokio::test]
async fn what_is_no_plan_at_all_is_told_without_a_panic() {
    let shell = Shell::new();
    for (text, line) in [
        ("[[[", 1),
        ("\n\nx", 3),
        ("a = \"", 1),
        ("[defaults]\nb = 1 2", 2),
    ] {
        shell.write("switchboard.toml", text);
        let ran = shell.run(&["plan", "check", "--json"]).await;
        assert_eq!(ran.code, Some(1), "{text:?}: {ran:?}");
        let faults = ran.json();
        let lines: Vec<_> = faults
            .as_array()
            .unwrap()
            .iter()
            .map(|f| &f["line"])
            .collect();
        assert!(lines.contains(&&json!(line)), "{text:?}: {faults}");
        assert_eq!(shell.run(&["plan", "check"]).await.code, Some(1));
    }
    std::fs::write(shell.path("switchboard.toml"), b"name = \"caf\xe9\"").unwrap();
    let ran = shell.run(&["plan", "check"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("switchboard.toml"), "{ran:?}");
}

#[tokio::test]
async fn a_plan_is_drawn_for_a_browser_or_for_mermaid() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    let drawn = shell.run(&["plan", "graph"]).await.fine();
    assert!(drawn.out.starts_with("<svg ") && drawn.out.ends_with("</svg>\n"));
    assert!(drawn.out.contains("switchboard.toml: "), "{}", drawn.out);
    let chart = shell.run(&["plan", "graph", "--format", "mermaid"]).await;
    assert!(chart.fine().out.starts_with("flowchart LR\n"));
    let json = shell.run(&["plan", "graph", "--json"]).await.fine().json();
    assert_eq!(json["svg"], drawn.out.trim_end());
    let written = shell
        .run(&["plan", "graph", "--output", "plan.svg"])
        .await
        .fine();
    assert_eq!(
        (written.out.as_str(), written.err.as_str()),
        ("", "plan.svg: written\n")
    );
    assert_eq!(
        std::fs::read_to_string(shell.path("plan.svg")).unwrap(),
        drawn.out
    );
}

#[tokio::test]
async fn a_drawing_that_cannot_be_made_or_kept_says_what_to_do() {
    let shell = Shell::new();
    shell.write("faulty.toml", FAULTY);
    shell.write("switchboard.toml", PLAN);
    let mut many = PLAN.to_owned();
    for n in 0..200 {
        many.push_str(&format!(
            "\n[flow.bye-{n}]\ntype = \"message\"\nsay = \"Bye.\"\n"
        ));
    }
    shell.write("many.toml", &many);
    for arguments in [
        &["plan", "graph", "faulty.toml"][..],
        &["plan", "graph", "missing.toml"],
        &["plan", "graph", "many.toml"],
        &["plan", "graph", "--output", "no/such/folder.svg"],
    ] {
        let ran = shell.run(arguments).await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
        assert!(
            ran.err.starts_with("error: ") && advises(&ran.err),
            "{ran:?}"
        );
    }
    shell
        .run(&["plan", "graph", "many.toml", "--format", "mermaid"])
        .await
        .fine();
}

// `preview`.

/// What a preview at this time has the caller hear, and why.
async fn heard(shell: &Shell, line: &str, at: &str) -> (Value, String) {
    let ran = shell
        .run(&["preview", "--line", line, "--at", at])
        .await
        .fine();
    assert_eq!(ran.err.lines().count(), 1, "one sentence: {ran:?}");
    (ran.json(), ran.err)
}

#[tokio::test]
async fn a_preview_prints_what_is_heard_and_says_why() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    shell.write(
        "other.toml",
        &PLAN.replace("We are closed.", "Nobody is here."),
    );
    let (ncco, why) = heard(&shell, "447700900000", "2026-12-25T10:00").await;
    let closed = json!([{ "action": "talk", "text": "We are closed.", "language": "en-GB" }]);
    assert_eq!(ncco, closed);
    assert!(
        why.contains("Front desk") && why.contains("2026-12-25 is a closed day"),
        "{why}"
    );
    assert!(why.contains("until Sun 27 Dec 2026 01:30 GMT"), "{why}");
    // However the number is written, and whoever calls.
    for line in ["+447700900000", "+44 7700 900000"] {
        let (ncco, _) = heard(&shell, line, "2026-12-25T10:00").await;
        assert_eq!(ncco, closed, "{line}");
    }
    let arguments = [
        "preview",
        "--line=447700900000",
        "--from=447700900123",
        "--at=2026-12-25T10:00",
        "--plan=other.toml",
        "--json",
    ];
    let ran = shell.run(&arguments).await.fine();
    assert_eq!(ran.json()[0]["text"], "Nobody is here.");
    // A number that is no line of the plan, and a moment that is now.
    let ran = shell.run(&["preview", "--line", "15550100"]).await.fine();
    assert_eq!(
        ran.json()[0]["text"],
        "This number is not in service. Goodbye."
    );
    assert!(ran.err.contains("no such line"), "{ran:?}");
}

#[tokio::test]
async fn a_preview_goes_by_the_clock_on_the_wall_where_the_plan_is() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    for (at, open, part) in [
        ("2026-11-23T08:59", false, "until Mon 23 Nov 2026 09:00 GMT"),
        ("2026-11-23T09:00", true, "until Mon 23 Nov 2026 17:30 GMT"),
        ("2026-06-22T09:00", true, "until Mon 22 Jun 2026 17:30 BST"),
        ("2026-06-22T08:00Z", true, "BST"),
        ("2026-06-22T10:00+02:00", true, "BST"),
        ("2026-06-22T04:00[America/New_York]", true, "BST"),
        ("2026-06-22", false, "until Mon 22 Jun 2026 09:00 BST"),
        // A closed day, and the night that would have begun on it.
        ("2026-12-25T10:00", false, "2026-12-25 is a closed day"),
        ("2026-12-26T01:00", false, "2026-12-25 is a closed day"),
        ("2026-12-26T03:00", false, "until Sun 27 Dec 2026 01:30 GMT"),
        // 29 March: the clock goes from 01:00 to 02:00.
        ("2026-03-29T00:59", false, "until Sun 29 Mar 2026 02:00 BST"),
        ("2026-03-29T02:00", true, "until Sun 29 Mar 2026 02:30 BST"),
        ("2026-03-29T02:30", false, "until Mon 30 Mar 2026 09:00 BST"),
        // 25 October: 01:00 to 02:00 comes twice, and the first is meant.
        ("2026-10-25T01:29", false, "until Sun 25 Oct 2026 01:30 BST"),
        ("2026-10-25T01:30", true, "until Sun 25 Oct 2026 02:30 GMT"),
        ("2026-10-25T01:15", false, "until Sun 25 Oct 2026 01:30 BST"),
        ("2026-10-25T01:15+00:00", true, "02:30 GMT"),
        ("2026-10-25T02:29", true, "02:30 GMT"),
        ("2026-10-25T02:30", false, "until Mon 26 Oct 2026 09:00 GMT"),
    ] {
        let (ncco, why) = heard(&shell, "447700900000", at).await;
        let text = action(&ncco, "talk")["text"].as_str().unwrap();
        let expected = if open {
            "Please hold."
        } else {
            "We are closed."
        };
        assert_eq!(text, expected, "{at}: {why}");
        assert!(why.contains(part), "{at}: {why}");
    }
    // Elsewhere, elsewhere's clock.
    let plan = PLAN.replace("Europe/London", "America/New_York");
    shell.write("switchboard.toml", &plan);
    let (ncco, why) = heard(&shell, "447700900000", "2026-11-23T09:00").await;
    assert_eq!(ncco[0]["text"], "Please hold.", "{why}");
    assert!(why.contains("17:30 EST"), "{why}");
}

#[tokio::test]
async fn a_time_that_the_clock_leaves_out_means_to_preview_what_it_means_to_the_plan() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    let (ncco, why) = heard(&shell, "447700900000", "2026-03-29T01:30").await;
    assert_eq!(ncco[0]["text"], "Please hold.", "{why}");
}

#[tokio::test]
async fn a_preview_shows_word_for_word_what_the_board_answers() {
    const BASE: &str = "https://board.example";
    let shell = Shell::new().with("SWITCHBOARD_BASE_URL", BASE);
    shell.write("switchboard.toml", PLAN);
    let settings = vec![("SWITCHBOARD_BASE_URL".to_owned(), BASE.to_owned())];
    let world = World::start(PLAN, None, settings, Platform::start()).await;
    for (index, (line, at)) in [
        ("447700900000", "2026-12-25T10:00:00Z"),
        ("447700900000", "2026-03-29T01:00:00Z"),
        ("447700900002", "2026-11-23T10:00:00Z"),
        ("447700900003", "2026-11-23T10:00:00Z"),
        ("447700900004", "2026-11-23T10:00:00Z"),
        ("15550100", "2026-11-23T10:00:00Z"),
    ]
    .into_iter()
    .enumerate()
    {
        let leg = format!("leg-{index}");
        world.clock.set(at.parse().unwrap());
        let answered = world.call(line, &leg).await.to_string();
        let (shown, _) = heard(&shell, line, at).await;
        let shown = shown.to_string().replace("preview-leg", &leg);
        assert_eq!(shown, answered, "{line} at {at}");
    }
}

// `ncco check`.

#[tokio::test]
async fn each_fault_of_an_ncco_is_a_line_with_its_pointer() {
    let shell = Shell::new();
    let ncco = json!([
        { "action": "talk" },
        { "action": "talk", "text": "hi", "loop": "2" },
        { "action": "teleport" },
        { "action": "connect", "endpoint": [{ "type": "phone", "number": "x" }] },
    ])
    .to_string();
    shell.write("ncco.json", &ncco);
    let mut all = Vec::new();
    for arguments in [
        &["ncco", "check"][..],
        &["ncco", "check", "-"],
        &["ncco", "check", "ncco.json"],
    ] {
        let ran = shell.run_on(&ncco, arguments).await;
        assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""), "{arguments:?}");
        all.push(ran.out);
    }
    assert!(all.iter().all(|out| *out == all[0]), "{all:?}");
    let lines: Vec<_> = all[0].lines().collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    for (line, start) in lines.iter().zip([
        "/0: ",
        "/1/loop: warning: ",
        "/2/action: ",
        "/3/endpoint/0/number: ",
    ]) {
        assert!(
            line.starts_with(start) && line.len() > start.len(),
            "{line}"
        );
    }
    let ran = shell.run_on(&ncco, &["ncco", "check", "--json"]).await;
    assert_eq!(ran.code, Some(1));
    let faults = ran.json();
    let pointers: Vec<_> = faults
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["pointer"])
        .collect();
    assert_eq!(
        pointers,
        ["/0", "/1/loop", "/2/action", "/3/endpoint/0/number"]
    );
    assert_eq!(faults[0]["severity"], "fault");
    assert_eq!(faults[1]["severity"], "warning");
}

#[tokio::test]
async fn an_ncco_with_warnings_alone_is_fine_and_one_without_is_silent() {
    let shell = Shell::new();
    let warned = r#"[{"action":"talk","text":"hi","loop":"2","colour":"red"}]"#;
    let ran = shell.run_on(warned, &["ncco", "check"]).await.fine();
    assert_eq!(ran.out.lines().count(), 2, "{ran:?}");
    assert!(
        ran.out.lines().all(|line| line.contains(": warning: ")),
        "{ran:?}"
    );
    let ran = shell
        .run_on(warned, &["ncco", "check", "--json"])
        .await
        .fine();
    assert_eq!(ran.json().as_array().unwrap().len(), 2);
    let clean = r#"[{"action":"talk","text":"hi"}]"#;
    let ran = shell.run_on(clean, &["ncco", "check"]).await.fine();
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    let ran = shell
        .run_on(clean, &["ncco", "check", "--json"])
        .await
        .fine();
    assert_eq!(ran.json(), json!([]));
}

#[tokio::test]
async fn what_is_no_ncco_is_said_to_be_none() {
    let shell = Shell::new();
    for (input, part) in [
        ("", "not JSON"),
        ("nonsense", "not JSON"),
        ("[{]", "not JSON"),
        ("{}", "must be an array"),
        ("null", "must be an array"),
    ] {
        let ran = shell.run_on(input, &["ncco", "check"]).await;
        assert_eq!(ran.code, Some(1), "{input:?}: {ran:?}");
        assert!(
            ran.out.starts_with(": ") && ran.out.contains(part),
            "{ran:?}"
        );
        let ran = shell.run_on(input, &["ncco", "check", "--json"]).await;
        assert_eq!((ran.code, &ran.json()[0]["pointer"]), (Some(1), &json!("")));
    }
}

#[tokio::test]
async fn what_preview_shows_ncco_check_has_nothing_against() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    for line in [
        "447700900000",
        "447700900002",
        "447700900003",
        "447700900004",
    ] {
        let shown = shell.run(&["preview", "--line", line]).await.fine().out;
        let ran = shell.run_on(&shown, &["ncco", "check"]).await.fine();
        assert_eq!(ran.out, "", "{line}");
    }
}

// The ledger, the queue and the recordings, while a board runs and when it does not.

/// A board on the shell's data folder.
async fn on(shell: &Shell) -> World {
    on_with(shell, Platform::start()).await
}

async fn on_with(shell: &Shell, platform: Platform) -> World {
    World::start(PLAN, Some(shell.path(".switchboard")), Vec::new(), platform).await
}

/// Vonage says that a recording lies somewhere.
async fn announce(world: &World, id: &str, url: &str) {
    announce_in(world, "CON-leg-d", id, url).await;
}

async fn announce_in(world: &World, conversation: &str, id: &str, url: &str) {
    let notice = json!({
        "conversation_uuid": conversation,
        "recording_uuid": id,
        "recording_url": url,
        "timestamp": world::now(),
    });
    let answered = world.post("/webhooks/recording", &notice).await;
    assert_eq!(answered.status, 200);
}

/// Waits until a recording is so far.
async fn reaches(world: &World, id: &str, state: &str) {
    eventually(|| async {
        let found = world.board.store().recording(&id.parse().unwrap()).await;
        let found = serde_json::to_value(found.unwrap()?.state).unwrap();
        (found == state).then_some(())
    })
    .await;
}

/// Bytes that begin as an MP3 does.
pub(crate) fn audio(length: usize) -> Vec<u8> {
    let mut bytes = b"ID3\x04\x00\x00\x00\x00\x00\x00".to_vec();
    bytes.extend((0..length).map(|at| u8::try_from(at % 251).unwrap()));
    bytes
}

/// Bob talks to leg-b; leg-a and leg-c wait; leg-d is over and was recorded three times.
async fn busy(shell: &Shell) -> World {
    let world = on(shell).await;
    world.call("447700900002", "leg-b").await;
    world.says("bob", "free").await;
    let ncco = world.moved("leg-b").await;
    world.connected_leg(&ncco, "answered", Value::Null).await;
    world.call("447700900002", "leg-a").await;
    world.call("447700900002", "leg-c").await;
    world.call("447700900003", "leg-d").await;
    world.hang_up("leg-d").await;
    let url = world.platform.recording("kept", audio(1000), "audio/mpeg");
    announce(&world, "r-kept", &url).await;
    announce(&world, "r-failed", "https://elsewhere.example/r").await;
    announce(&world, "r-empty", "").await;
    reaches(&world, "r-kept", "archived").await;
    reaches(&world, "r-failed", "failed").await;
    world
}

/// Commands that only look.
const LOOKS: [&[&str]; 9] = [
    &["calls"],
    &["calls", "--line", "447700900003"],
    &["calls", "--status", "completed"],
    &["calls", "show", "leg-d"],
    &["calls", "show", "CON-leg-d"],
    &["calls", "show", "leg-b"],
    &["queue"],
    &["agent", "list"],
    &["recordings"],
];

/// What [`LOOKS`] print, but for how long callers wait.
async fn look_at_everything(shell: &Shell) -> Vec<String> {
    let mut seen = Vec::new();
    for arguments in LOOKS {
        let text = shell.run(arguments).await.fine();
        let words: Vec<_> = text.out.split_whitespace().collect();
        let mut all = words.join(" ");
        if arguments == ["queue"] {
            for waited in 0..60 {
                all = all.replace(&format!(" {waited} s "), " # s ");
            }
        }
        seen.push(all);
        let json: Vec<_> = arguments.iter().chain(&["--json"]).copied().collect();
        let mut value = shell.run(&json).await.fine().json();
        let queues = value.get_mut("queues").and_then(Value::as_array_mut);
        for queue in queues.into_iter().flatten() {
            for caller in queue["waiting"].as_array_mut().unwrap() {
                assert!(caller["waited_seconds"].take().is_i64(), "{caller}");
            }
        }
        seen.push(value.to_string());
    }
    seen
}

#[tokio::test]
async fn commands_see_the_same_while_a_board_runs_and_when_it_does_not() {
    let shell = Shell::new();
    let world = busy(&shell).await;
    let awake = look_at_everything(&shell).await;
    world.board.stop().await;
    let asleep = look_at_everything(&shell).await;
    assert_eq!(awake, asleep);
}

/// The callers in a queue, of what `queue --json` prints.
pub(crate) fn waiting_in<'v>(shown: &'v Value, queue: &str) -> &'v Value {
    let queues = shown["queues"].as_array().unwrap();
    let found = queues.iter().find(|one| one["queue"] == queue);
    &found.unwrap_or_else(|| panic!("no queue {queue} in {shown}"))["waiting"]
}

/// The legs of a list of calls.
pub(crate) fn legs(calls: &Value) -> Vec<&str> {
    let calls = calls.as_array().unwrap().iter();
    calls.map(|call| call["leg"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn calls_are_listed_by_line_day_and_status() {
    let shell = Shell::new();
    let world = busy(&shell).await;
    let tomorrow = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(49);
    let tomorrow = tomorrow.strftime("%Y-%m-%d").to_string();
    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(5)).to_string();
    let past = (jiff::Timestamp::now() - jiff::SignedDuration::from_mins(5)).to_string();
    let all = &["leg-b", "leg-a", "leg-c", "leg-d"][..];
    for (arguments, expected) in [
        (&[][..], all),
        (&["--line", "447700900003"], &["leg-d"]),
        (&["--line", "+44 7700 900003"], &["leg-d"]),
        (&["--line", "447700900004"], &[]),
        (&["--status", "completed"], &["leg-d"]),
        (&["--status", "started"], &["leg-b", "leg-a", "leg-c"]),
        (&["--status", "started", "--line", "447700900003"], &[]),
        (&["--since", &past], all),
        (&["--since", &soon], &[]),
        (&["--since", &tomorrow], &[]),
    ] {
        let mut both = vec!["calls", "--json"];
        both.extend(arguments);
        let listed = shell.run(&both).await.fine().json();
        assert_eq!(legs(&listed), expected, "{arguments:?}");
        both.remove(1);
        let table = shell.run(&both).await.fine();
        for leg in all {
            assert_eq!(table.out.contains(leg), expected.contains(leg), "{table:?}");
        }
        assert_eq!(table.out.is_empty(), expected.is_empty());
        assert_eq!(
            table.err.is_empty(),
            !expected.is_empty(),
            "nothing is said aloud"
        );
    }
    let table = shell.run(&["calls"]).await.out;
    let row = |leg: &str| table.lines().find(|line| line.contains(leg)).unwrap();
    assert!(row("leg-b").contains("with bob"), "{table}");
    assert!(row("leg-a").contains("waits in support"), "{table}");
    assert!(row("leg-d").contains("completed"), "{table}");
    assert!(row("leg-d").contains("447700900003"), "{table}");
    drop(world);
}

#[tokio::test]
async fn calls_since_long_ago_are_listed_at_once() {
    let shell = Shell::new();
    let world = on(&shell).await;
    world.call("447700900003", "leg-1").await;
    let mut command = shell.command(&["calls", "--json", "--since", "2000-01-01"]);
    let asked = command.spawn().unwrap().wait_with_output();
    let output = tokio::time::timeout(Duration::from_secs(3), asked).await;
    let output = output.expect("within three seconds").unwrap();
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(legs(&listed), ["leg-1"]);
}

#[tokio::test]
async fn a_call_is_shown_from_first_ring_to_last_hang_up() {
    let shell = Shell::new();
    let world = busy(&shell).await;
    for id in ["leg-d", "CON-leg-d"] {
        let text = shell.run(&["calls", "show", id]).await.fine();
        assert_eq!(text.err, "");
        for part in [
            "leg-d",
            "447700900003",
            world::CALLER,
            "completed",
            "duration=7",
            "r-kept",
        ] {
            assert!(text.out.contains(part), "{part} in {}", text.out);
        }
        let shown = shell
            .run(&["calls", "show", id, "--json"])
            .await
            .fine()
            .json();
        assert_eq!(shown["call"]["leg"], "leg-d");
        assert_eq!(shown["call"]["line"], "447700900003");
        assert_eq!(shown["call"]["status"], "completed");
        assert!(shown["call"]["ended"].is_string());
        let words: Vec<_> = shown["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| &e["word"])
            .collect();
        assert_eq!(words, ["completed"]);
        let mut states: Vec<_> = shown["recordings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|recording| recording["state"].as_str().unwrap())
            .collect();
        states.sort_unstable();
        assert_eq!(states, ["archived", "empty", "failed"]);
    }
    let shown = shell
        .run(&["calls", "show", "leg-b", "--json"])
        .await
        .json();
    assert_eq!(shown["call"]["served"], "bob");
    assert_eq!(shown["events"][0]["word"], "answered", "{shown}");
    drop(world);
}

#[tokio::test]
async fn the_queue_shows_who_waits_in_order_and_what_the_agents_do() {
    let shell = Shell::new();
    let world = busy(&shell).await;
    world.says("carol", "free").await;
    let ncco = world.moved("leg-a").await;
    world.connected_leg(&ncco, "busy", Value::Null).await;
    let ran = shell.run(&["queue", "--json"]).await.fine();
    assert_eq!(ran.err, "");
    let shown = ran.json();
    let waiting = waiting_in(&shown, "support");
    assert_eq!(legs(waiting), ["leg-a", "leg-c"], "the old place");
    assert_eq!(waiting[0]["from"], world::CALLER);
    assert_eq!(waiting[0]["line"], "447700900002");
    let states = |shown: &Value| -> Vec<String> {
        let agents = shown.as_array().unwrap().iter();
        agents
            .map(|agent| {
                let word = |name: &str| agent[name].as_str().unwrap_or_default().to_owned();
                format!("{} {} {}", word("agent"), word("state"), word("call"))
            })
            .collect()
    };
    let expected = ["alice away ", "bob talking leg-b", "carol resting "];
    assert_eq!(states(&shown["agents"]), expected);
    let agents = shell.run(&["agent", "list", "--json"]).await.fine().json();
    assert_eq!(states(&agents), expected);

    let text = shell.run(&["queue"]).await.fine().out;
    let lines = |text: &str, part: &str| text.lines().filter(|line| line.contains(part)).count();
    assert_eq!(lines(&text, "support"), 2, "{text}");
    for part in [
        "leg-a",
        "leg-c",
        "talking with leg-b",
        "resting until",
        "away",
    ] {
        assert_eq!(lines(&text, part), 1, "{part} in {text}");
    }
    let text = shell.run(&["agent", "list"]).await.fine().out;
    assert!(
        !text.contains("leg-a") && text.contains("talking with leg-b"),
        "{text}"
    );
}

#[tokio::test]
async fn an_empty_board_says_so_beside_the_data() {
    let shell = Shell::new();
    let world = on(&shell).await;
    for _ in ["awake", "asleep"] {
        for (arguments, words) in [
            (&["calls"][..], "no calls"),
            (&["queue"], "nobody waits"),
            (&["recordings"], "no recordings"),
            (&["recordings", "retry", "--all"], "nothing was given up"),
        ] {
            let ran = shell.run(arguments).await.fine();
            assert!(ran.err.contains(words), "{arguments:?}: {ran:?}");
            let json: Vec<_> = arguments.iter().chain(&["--json"]).copied().collect();
            let ran = shell.run(&json).await.fine();
            assert_eq!(ran.err, "", "{arguments:?}");
            if arguments == ["queue"] {
                assert_eq!(*waiting_in(&ran.json(), "support"), json!([]));
                assert_eq!(ran.json()["agents"].as_array().unwrap().len(), 3);
            } else {
                assert_eq!(ran.json(), json!([]), "{arguments:?}");
            }
        }
    }
    drop(world);
}

#[tokio::test]
async fn an_agent_said_to_be_free_gets_the_caller_who_waits() {
    let shell = Shell::new();
    let world = on(&shell).await;
    let ran = shell.run(&["agent", "free", "alice"]).await.fine();
    assert!(
        ran.out.contains("alice is free") && ran.err.is_empty(),
        "{ran:?}"
    );
    let ran = shell.run(&["agent", "away", "alice"]).await.fine();
    assert_eq!(
        (ran.out.as_str(), ran.err.as_str()),
        ("alice is away.\n", "")
    );
    world.call("447700900002", "leg-1").await;
    let told = shell
        .run(&["agent", "free", "alice", "--json"])
        .await
        .fine()
        .json();
    assert_eq!(
        (&told["outcome"], &told["call"], &told["agent"]),
        (&json!("transferred"), &json!("leg-1"), &json!("alice"))
    );
    assert_eq!(world.transfers(1).await[0].leg, "leg-1");
    world.call("447700900002", "leg-2").await;
    let ran = shell.run(&["agent", "free", "bob"]).await.fine();
    assert_eq!(ran.out, "bob's phone rings: a caller was waiting.\n");
}

#[tokio::test]
async fn an_agent_said_to_be_free_while_no_board_runs_gets_the_caller_from_the_next() {
    let shell = Shell::new();
    let world = on(&shell).await;
    world.call("447700900002", "leg-1").await;
    let World {
        board, platform, ..
    } = world;
    board.stop().await;
    let told = shell
        .run(&["agent", "free", "bob", "--json"])
        .await
        .fine()
        .json();
    assert_eq!(
        (&told["outcome"], &told["agent"]),
        (&json!("free"), &json!("bob"))
    );
    let ran = shell.run(&["agent", "away", "bob"]).await.fine();
    assert!(
        ran.out.contains("bob is away") && ran.out.contains("no board runs"),
        "{ran:?}"
    );
    let ran = shell.run(&["agent", "free", "alice"]).await.fine();
    assert!(
        ran.out.contains("alice is free") && ran.out.contains("no board runs"),
        "{ran:?}"
    );
    assert!(platform.transfers().is_empty());
    let world = on_with(&shell, platform).await;
    let ncco = world.moved("leg-1").await;
    assert_eq!(
        world::rings(&ncco),
        "447700900011",
        "alice, since bob is away"
    );
}

#[tokio::test]
async fn an_agent_who_goes_away_while_talking_is_not_told_to_be_free_afterwards() {
    let shell = Shell::new();
    let world = busy(&shell).await;
    let ran = shell.run(&["agent", "away", "bob"]).await.fine();
    assert!(!ran.out.contains("free"), "{}", ran.out);
    drop(world);
}

#[tokio::test]
async fn recordings_are_listed_with_how_far_they_got() {
    let shell = Shell::new();
    let world = busy(&shell).await;
    let listed = shell.run(&["recordings", "--json"]).await.fine().json();
    let mut states: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["recording"].as_str().unwrap(),
                one["state"].as_str().unwrap(),
            )
        })
        .collect();
    states.sort_unstable();
    assert_eq!(
        states,
        [
            ("r-empty", "empty"),
            ("r-failed", "failed"),
            ("r-kept", "archived")
        ]
    );
    let text = shell.run(&["recordings"]).await.fine().out;
    let row = |id: &str| text.lines().find(|line| line.contains(id)).unwrap();
    assert!(
        row("r-kept").contains("archived") && row("r-kept").contains("1010"),
        "{text}"
    );
    assert!(
        row("r-kept").contains("447700900003"),
        "the line of the call: {text}"
    );
    assert!(row("r-failed").contains("nexmo.com"), "why: {text}");
    assert!(row("r-empty").contains("nothing was recorded"), "{text}");
    drop(world);
}

#[tokio::test]
async fn a_recording_is_fetched_whole_awake_and_asleep() {
    let shell = Shell::new();
    let world = busy(&shell).await;
    let check = async |place: &str| {
        let ran = shell.run(&["recordings", "get", "r-kept"]).await.fine();
        assert_eq!(
            (ran.out.as_str(), ran.err.as_str()),
            ("./r-kept.mp3\n", ""),
            "{place}"
        );
        assert_eq!(
            std::fs::read(shell.path("r-kept.mp3")).unwrap(),
            audio(1000)
        );
        let folder = format!("{place}/new");
        let arguments = ["recordings", "get", "r-kept", "--out", &folder, "--json"];
        let told = shell.run(&arguments).await.fine().json();
        let file = format!("{folder}/r-kept.mp3");
        assert_eq!(
            (&told["recording"], &told["file"]),
            (&json!("r-kept"), &json!(file))
        );
        assert_eq!(told["bytes"], 1010);
        assert_eq!(told["sha256"], Content::from(audio(1000)).sha256());
        assert_eq!(std::fs::read(shell.path(&file)).unwrap(), audio(1000));
        let left = std::fs::read_dir(shell.path(&folder)).unwrap().count();
        assert_eq!(left, 1, "nothing half done is left");
        for (id, part) in [("r-failed", "failed"), ("r-empty", "empty")] {
            let ran = shell.run(&["recordings", "get", id]).await;
            assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{place}");
            assert!(ran.err.contains(id) && ran.err.contains(part), "{ran:?}");
        }
    };
    check("awake").await;
    world.board.stop().await;
    check("asleep").await;
}

#[tokio::test]
async fn a_recording_that_was_given_up_is_taken_up_again() {
    let shell = Shell::new();
    let world = on(&shell).await;
    for id in ["r-1", "r-2"] {
        let url = world.platform.recording(id, audio(100), "audio/mpeg");
        // The world's board downloads four times.
        world.platform.spoil(id, RecordingFault::Status(404), 4);
        announce(&world, id, &url).await;
    }
    reaches(&world, "r-1", "failed").await;
    reaches(&world, "r-2", "failed").await;
    for (id, arguments) in [
        ("r-1", &["recordings", "retry", "r-1"][..]),
        ("r-2", &["recordings", "retry", "--all"]),
    ] {
        let ran = shell.run(arguments).await.fine();
        assert_eq!(
            (ran.out, ran.err.as_str()),
            (format!("{id}\n"), "1 taken up\n")
        );
        reaches(&world, id, "archived").await;
    }
    let ran = shell.run(&["recordings", "retry", "r-1"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.contains("archived already"), "{ran:?}");
    let ran = shell.run(&["recordings", "retry", "--all", "--json"]).await;
    assert_eq!(ran.fine().json(), json!([]));
}

#[tokio::test]
async fn a_recording_taken_up_while_no_board_runs_is_archived_by_the_next() {
    let shell = Shell::new();
    let world = on(&shell).await;
    let url = world.platform.recording("r-1", audio(100), "audio/mpeg");
    world.platform.spoil("r-1", RecordingFault::Status(404), 4);
    announce(&world, "r-1", &url).await;
    reaches(&world, "r-1", "failed").await;
    let World {
        board, platform, ..
    } = world;
    board.stop().await;
    let listed = shell
        .run(&["recordings", "retry", "--all", "--json"])
        .await
        .fine()
        .json();
    assert_eq!(listed, json!(["r-1"]));
    let ran = shell.run(&["recordings", "retry", "r-1"]).await.fine();
    assert_eq!(ran.out, "r-1\n");
    assert!(ran.err.contains("`switchboard dev`"), "{ran:?}");
    let world = on_with(&shell, platform).await;
    reaches(&world, "r-1", "archived").await;
}

#[tokio::test]
async fn two_commands_at_once_do_not_get_into_one_anothers_way() {
    let shell = Shell::new();
    let world = on(&shell).await;
    world.call("447700900003", "leg-1").await;
    world.board.stop().await;
    let asked = [
        &["calls"][..],
        &["queue"],
        &["recordings"],
        &["calls", "show", "leg-1"],
    ];
    let mut running = Vec::new();
    for arguments in asked {
        running.push(shell.command(arguments).spawn().unwrap());
    }
    for child in running {
        finished(child).await.fine();
    }
}

// `dev`, and what is needed to try it by hand.

#[tokio::test]
async fn a_board_prints_one_line_and_listens_where_it_says() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let dev = Dev::start_as(&shell, &["dev", "--port", &port]).await;
    assert_eq!(dev.url, format!("http://127.0.0.1:{port}"));
    let health = world::http()
        .get(format!("{}/healthz", dev.url))
        .send()
        .await;
    assert_eq!(health.unwrap().status(), 200);
    assert!(
        shell.path(".switchboard").is_dir(),
        "the folder it makes of itself"
    );
    let ended = dev.interrupted().await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""), "{ended:?}");
}

/// Posts a body with the header that `sign` prints.
async fn post_signed(dev: &Dev, path: &str, header: &str, body: &str) -> (u16, Value) {
    let request = world::http().post(format!("{}{path}", dev.url));
    let request = request
        .header("authorization", header.trim())
        .body(body.to_owned());
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn a_webhook_signed_by_hand_is_let_in() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    let dev = Dev::start(&shell, &[]).await;
    let body = incoming("447700900003", "leg-1").to_string();
    let signed = shell.run(&["sign", "--body", &body]).await.fine();
    assert_eq!((signed.out.lines().count(), signed.err.as_str()), (1, ""));
    let (status, ncco) = post_signed(&dev, "/webhooks/answer", &signed.out, &body).await;
    assert_eq!((status, kinds(&ncco)[0]), (200, "talk"));
    let other = body.replace("leg-1", "leg-2");
    let (status, _) = post_signed(&dev, "/webhooks/answer", &signed.out, &other).await;
    assert_eq!(status, 401, "a signature is for one body");
    let query = "to=447700900004&from=447700900123&uuid=leg-3&conversation_uuid=CON-3";
    let signed = shell.run(&["sign", "--query", query]).await.fine();
    let request = world::http().get(format!("{}/webhooks/answer?{query}", dev.url));
    let request = request.header("authorization", signed.out.trim());
    assert_eq!(request.send().await.unwrap().status(), 200);
    let calls = shell.run(&["calls", "--json"]).await.fine().json();
    assert_eq!(legs(&calls), ["leg-1", "leg-3"]);
}

#[tokio::test]
async fn a_webhook_is_signed_with_the_secret_that_is_set() {
    let shell = Shell::new()
        .with(
            "VONAGE_SIGNATURE_SECRET",
            "a secret of our own, and long enough",
        )
        .with("VONAGE_APPLICATION_ID", crate::fixtures::APPLICATION_ID)
        .with("VONAGE_API_KEY", "abcd1234");
    shell.write("switchboard.toml", PLAN);
    let dev = Dev::start(&shell, &[]).await;
    let signer = crate::webhook_signing::Signer {
        secret: "a secret of our own, and long enough".to_owned(),
        application_id: crate::fixtures::APPLICATION_ID.to_owned(),
        api_key: "abcd1234".to_owned(),
    };
    let body = incoming("447700900003", "leg-1").to_string();
    let header = format!("Bearer {}", signer.post(body.as_bytes()));
    assert_eq!(
        post_signed(&dev, "/webhooks/answer", &header, &body)
            .await
            .0,
        200
    );
    let header = shell.run(&["sign", "--body", &body]).await.fine().out;
    assert_eq!(
        post_signed(&dev, "/webhooks/answer", &header, &body)
            .await
            .0,
        200
    );
    // Somebody without those variables signs with the board's own, which do not count now.
    let mut command = shell.command(&["sign", "--body", &body]);
    command.env_clear();
    let header = ran(command).await.fine().out;
    assert_eq!(
        post_signed(&dev, "/webhooks/answer", &header, &body)
            .await
            .0,
        401
    );
}

#[tokio::test]
async fn the_token_lets_its_owner_act_and_is_there_before_the_first_start() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    let before = shell.run(&["token"]).await.fine();
    assert_eq!((before.out.lines().count(), before.err.as_str()), (1, ""));
    let dev = Dev::start(&shell, &[]).await;
    assert_eq!(shell.run(&["token"]).await.fine(), before);
    for (token, status) in [(before.out.trim(), 200), ("another", 401)] {
        let request = world::http().post(format!("{}/agents/alice/free", dev.url));
        let answer = request.bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), status);
    }
}

#[tokio::test]
async fn a_link_lets_one_agent_say_free_and_names_the_board_that_runs() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    let dev = Dev::start(&shell, &[]).await;
    let ran = shell.run(&["link", "alice"]).await.fine();
    assert_eq!((ran.out.lines().count(), ran.err.as_str()), (1, ""));
    let link = ran.out.trim();
    assert!(
        link.starts_with(&format!("{}/agentfree?agent=alice&", dev.url)),
        "{link}"
    );
    let http = world::http();
    assert_eq!(http.get(link).send().await.unwrap().status(), 200);
    let looked = shell.run(&["agent", "list"]).await.fine().out;
    assert!(
        !looked.contains("free"),
        "a look at the page does nothing: {looked}"
    );
    assert_eq!(http.post(link).send().await.unwrap().status(), 200);
    let said = shell.run(&["agent", "list"]).await.fine().out;
    assert!(said.contains("free"), "{said}");
    let others = link.replace("alice", "bob");
    assert_eq!(http.post(others).send().await.unwrap().status(), 401);

    let expires = |link: &str| -> i64 {
        let (_, rest) = link.split_once("expires=").unwrap();
        rest.split('&').next().unwrap().parse().unwrap()
    };
    let day = shell.run(&["link", "alice", "--days", "1"]).await.fine();
    let left = expires(&day.out) - jiff::Timestamp::now().as_second();
    assert!((86_300..=86_400).contains(&left), "{left} s");

    dev.interrupted().await;
    let ran = shell.run(&["link", "alice"]).await.fine();
    assert!(
        ran.out.starts_with("http://127.0.0.1:9000/agentfree?"),
        "{ran:?}"
    );
    let shell = shell.with("SWITCHBOARD_BASE_URL", "https://board.example/");
    let ran = shell.run(&["link", "alice"]).await.fine();
    assert!(
        ran.out.starts_with("https://board.example/agentfree?"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn whatever_prints_data_prints_json_when_asked() {
    let shell = Shell::new();
    for arguments in [
        &["token", "--json"][..],
        &["link", "alice", "--json"],
        &["sign", "--body", "{}", "--json"],
    ] {
        let ran = shell.run(arguments).await.fine();
        let read: Result<Value, _> = serde_json::from_str(&ran.out);
        assert!(read.is_ok(), "{arguments:?} printed {:?}", ran.out);
    }
}

#[tokio::test]
async fn a_board_works_on_the_engines_that_are_named_to_it() {
    let world = World::open().await;
    let mut shell = Shell::new();
    for (name, value) in world.board.engines().environment() {
        shell = shell.with(&name, value);
    }
    shell.write("switchboard.toml", PLAN);
    let dev = Dev::start(&shell, &[]).await;
    let body = incoming("447700900003", "leg-1").to_string();
    let header = shell.run(&["sign", "--body", &body]).await.fine().out;
    assert_eq!(
        post_signed(&dev, "/webhooks/answer", &header, &body)
            .await
            .0,
        200
    );
    let call = world.board.store().call(&"leg-1".parse().unwrap()).await;
    assert_eq!(call.unwrap().unwrap().line, "447700900003");
}

#[tokio::test]
async fn somebody_who_has_credentials_for_aws_can_run_a_board() {
    let shell = Shell::new()
        .with("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .with(
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        )
        .with("AWS_REGION", "eu-west-1");
    shell.write("switchboard.toml", PLAN);
    let dev = Dev::start(&shell, &[]).await;
    assert!(dev.url.starts_with("http://127.0.0.1:"));
}

#[tokio::test]
async fn commands_work_beside_a_board_of_another_process() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    let dev = Dev::start(&shell, &["--data", "state"]).await;
    let started = Instant::now();
    let called = world::http()
        .post(format!("{}/phone/calls", dev.url))
        .json(&json!({ "from": world::CALLER, "to": "447700900002" }))
        .send()
        .await
        .unwrap();
    let called: Value = called.json().await.unwrap();
    let leg = called["leg"].as_str().unwrap();
    // The platform picks up in a moment, and asks.
    eventually(|| async {
        let queue = shell.run(&["queue", "--json", "--data", "state"]).await;
        let queue = queue.fine().json();
        (legs(waiting_in(&queue, "support")) == [leg]).then_some(())
    })
    .await;
    // The option may stand before or behind the command.
    let calls = shell
        .run(&["--data", "state", "--json", "calls"])
        .await
        .fine()
        .json();
    assert_eq!(legs(&calls), [leg]);
    let told = shell
        .run(&["agent", "free", "alice", "--json", "--data", "state"])
        .await;
    assert_eq!(told.fine().json()["outcome"], "transferred");
    assert!(started.elapsed() < PATIENCE);
    assert!(!shell.path(".switchboard").exists());
    let ended = dev.interrupted().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let calls = shell.run(&["calls", "--data", "state"]).await.fine();
    assert!(calls.out.contains("rings alice"), "{calls:?}");
}

#[tokio::test]
async fn a_live_board_says_what_it_needs_and_from_where() {
    let shell = Shell::new();
    shell.write("switchboard.toml", PLAN);
    let refused = shell.run(&["dev", "--port", "0", "--live"]).await;
    assert_eq!(refused.code, Some(1));
    for name in [
        "SWITCHBOARD_BASE_URL",
        "VONAGE_APPLICATION_ID",
        "VONAGE_PRIVATE_KEY",
        "VONAGE_SIGNATURE_SECRET",
    ] {
        assert!(refused.err.contains(name), "{refused:?}");
    }
    let live = Shell::new()
        .with(
            "VONAGE_APPLICATION_ID",
            "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
        )
        .with("VONAGE_PRIVATE_KEY", crate::fixtures::PRIVATE_KEY)
        .with("VONAGE_SIGNATURE_SECRET", "the secret of an account");
    live.write("switchboard.toml", PLAN);
    let plain = live
        .with("SWITCHBOARD_BASE_URL", "http://example.com")
        .run(&["dev", "--port", "0", "--live"])
        .await;
    assert!(plain.err.contains("https"), "{plain:?}");
}

#[tokio::test]
async fn a_live_board_has_no_phone_and_says_where_vonage_is_to_call() {
    let shell = Shell::new()
        .with(
            "VONAGE_APPLICATION_ID",
            "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
        )
        .with("VONAGE_PRIVATE_KEY", crate::fixtures::PRIVATE_KEY)
        .with("VONAGE_SIGNATURE_SECRET", "the secret of an account")
        .with("SWITCHBOARD_BASE_URL", "https://tunnel.example");
    shell.write("switchboard.toml", PLAN);
    let dev = Dev::start(&shell, &["--live"]).await;
    let page = world::http().get(format!("{}/phone", dev.url));
    assert_eq!(page.send().await.unwrap().status(), 404);
    let ended = dev.interrupted().await;
    assert!(
        ended.err.contains("https://tunnel.example/webhooks/answer"),
        "{ended:?}"
    );
}
