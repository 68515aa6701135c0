//! The page of the stack: its parameters, what it puts out, its functions and its alarms.

use crate::page;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use switchboard_tests::template;

/// Entries of a part of the template, as they stand there.
fn entries<'a>(
    part: &'a Value,
    kind: Option<&'a str>,
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let all = part.as_object().unwrap().iter();
    let ours = all.filter(move |(_, one)| kind.is_none_or(|kind| one["Type"] == kind));
    ours.map(|(name, one)| (name.as_str(), one))
}

/// What is said of something, which must be something.
fn words<'a>(name: &str, value: &'a Value) -> &'a str {
    let text = value.as_str().unwrap_or_default();
    assert!(
        text.ends_with('.'),
        "{name} is not described by a sentence: {text:?}"
    );
    text
}

fn default(parameter: &Value) -> String {
    match &parameter["Default"] {
        Value::String(text) if text.is_empty() => "nothing".to_owned(),
        Value::String(text) => format!("`{text}`"),
        Value::Null => panic!("a deployment would ask for it"),
        other => format!("`{other}`"),
    }
}

#[test]
fn the_page_of_the_stack_is_what_the_template_says() {
    let template = template::read();
    let mut page = page::note("template.yaml");
    page.push_str(
        "# The stack\n\n\
         What `make deploy` makes of [template.yaml](../template.yaml). [Setup](setup.md) leads from nothing to the \
         first call; this page lists what there is.\n\n\
         ## Parameters\n\n\
         None must be given: `make deploy ARGS='--parameter-overrides AlarmEmail=you@example.com LogDays=90'`, or in \
         `samconfig.toml`.\n\n\
         | parameter | unless given | what |\n| --- | --- | --- |\n",
    );
    for (name, one) in entries(&template["Parameters"], None) {
        let says = words(name, &one["Description"]);
        writeln!(page, "| `{name}` | {} | {says} |", default(one)).unwrap();
    }
    page.push_str("\n## Outputs\n\n| output | what |\n| --- | --- |\n");
    for (name, one) in entries(&template["Outputs"], None) {
        writeln!(page, "| `{name}` | {} |", words(name, &one["Description"])).unwrap();
    }
    page.push_str("\n## Functions\n\n| function | what it does | memory | time | asked by |\n| --- | --- | --- | --- | --- |\n");
    for (name, one) in entries(&template["Resources"], Some("AWS::Serverless::Function")) {
        let properties = &one["Properties"];
        let events = entries(&properties["Events"], None).map(|(_, event)| {
            let asked = &event["Properties"];
            match event["Type"].as_str().unwrap() {
                "HttpApi" => format!("`{}`", asked["Path"].as_str().unwrap()),
                "SQS" => "its queue".to_owned(),
                "Schedule" => format!("the clock, {}", asked["Schedule"].as_str().unwrap()),
                other => panic!("{name} is asked by {other}"),
            }
        });
        let own = properties
            .get("FunctionUrlConfig")
            .map(|_| "an address of its own".to_owned());
        let events = events.chain(own).collect::<Vec<_>>().join(", ");
        writeln!(
            page,
            "| {} | {} | {} MB | {} s | {events} |",
            name.to_lowercase(),
            words(name, &properties["Description"]),
            properties["MemorySize"],
            properties["Timeout"],
        )
        .unwrap();
    }
    page.push_str(
        "\n## Alarms\n\nThey are published to the topic `AlarmsTopic`, and to `AlarmEmail` if it is given.\n\n\
         | alarm | what it says |\n| --- | --- |\n",
    );
    for (name, one) in entries(&template["Resources"], Some("AWS::CloudWatch::Alarm")) {
        let says = words(name, &one["Properties"]["AlarmDescription"]);
        writeln!(page, "| {name} | {says} |").unwrap();
    }
    let pages = BTreeMap::from([("docs/stack.md".to_owned(), page)]);
    page::keep(&pages, None);
}
