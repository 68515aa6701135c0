use switchboard_cli::simulate::Scenario;

/// What is said of a scenario that does not read.
fn fault(text: &str) -> String {
    Scenario::read(text).expect_err(text).to_string()
}

#[test]
fn a_scenario_that_does_not_read_says_where_and_what_to_write() {
    let call = "[[call]]\nto = \"447700900002\"\n";
    for (text, words) in [
        ("titel = \"x\"", "unknown field `titel`"),
        ("[[call]]\n", "missing field `to`"),
        (
            &format!("{call}at = \"soon\""),
            "`soon` is no time; write it like 40s, 1m30s or 2h",
        ),
        (&format!("{call}at = \"4h\""), "longer than a scenario"),
        (&format!("{call}at = \"-3s\""), "is no time"),
        (
            &format!("{call}does = [\"10s dance\"]"),
            "is nothing a caller does",
        ),
        (
            &format!("{call}does = [\"10s press x\"]"),
            "is nothing a caller does",
        ),
        (
            "[agent.alice]\nsays = [\"10s hello\"]",
            "is nothing an agent says",
        ),
        (
            "[agent.alice]\nphone = \"explodes\"",
            "`explodes` is nothing a phone does; write answers",
        ),
        ("[store]\naway = [\"10s\"]", "is no interval"),
        ("[store]\naway = [\"10s to 5s\"]", "is no interval"),
    ] {
        let said = fault(text);
        assert!(said.contains(words), "{text}: {said}");
        assert!(said.contains("line "), "{said}");
    }
}
