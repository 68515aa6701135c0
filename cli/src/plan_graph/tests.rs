use super::*;
use proptest::prelude::*;
use roxmltree::Document;

const OFFICE: &str = include_str!("../../../scenarios/plans/office.toml");

fn plan(text: &str) -> Plan {
    let checked = Plan::parse(text);
    let faults = checked.faults;
    checked.plan.unwrap_or_else(|| panic!("{faults:?}"))
}

fn svg(text: &str) -> String {
    PlanGraph::new(&plan(text)).svg("a plan").unwrap()
}

fn mermaid(text: &str) -> String {
    PlanGraph::new(&plan(text)).mermaid()
}

/// A plan whose line has this name.
fn named(label: &str) -> String {
    let label = toml::Value::String(label.to_owned());
    format!(
        "[[line]]\nnumber = \"447700900000\"\nname = {label}\nflow = \"end\"\n\
         [flow.end]\ntype = \"message\"\nsay = \"Bye.\"\n"
    )
}

/// A plan of so many rings one after the other, each of which rings so many agents.
fn chain(rings: usize, agents: usize) -> String {
    let mut text =
        String::from("[[line]]\nnumber = \"447700900000\"\nname = \"Line\"\nflow = \"ring-0\"\n");
    let names: Vec<String> = (0..agents).map(|n| format!("\"agent-{n}\"")).collect();
    for name in &names {
        writeln!(text, "[[agent]]\nname = {name}\napp = {name}").unwrap();
    }
    for ring in 0..rings {
        let (next, names) = (ring + 1, names.join(", "));
        writeln!(
            text,
            "[flow.ring-{ring}]\ntype = \"ring\"\nagents = [{names}]\ntimeout = \"1s\"\notherwise = \"ring-{next}\""
        )
        .unwrap();
    }
    writeln!(
        text,
        "[flow.ring-{rings}]\ntype = \"message\"\nsay = \"Bye.\""
    )
    .unwrap();
    text
}

/// A plan of so many rings, each of which rings all agents but one: each agent is a team.
fn teams(rings: usize) -> String {
    let mut text = chain(rings, rings);
    for ring in 0..rings {
        let (flow, agent) = (format!("[flow.ring-{ring}]"), format!("\"agent-{ring}\""));
        let (before, after) = text.split_once(&flow).unwrap();
        let after = after.replacen(&format!("{agent}, "), "", 1);
        let after = after.replacen(&format!(", {agent}]"), "]", 1);
        text = format!("{before}{flow}{after}");
    }
    text
}

/// Every text that is shown.
fn shown(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name("text"));
    texts
        .map(|node| node.text().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_plan_is_boxes_with_doors_and_arrows() {
    insta::assert_snapshot!(mermaid(OFFICE), @r#"
flowchart LR
  accTitle: A plan of 6 lines, 8 flows and 2 agents
  n0(["Front desk<br>447700900000"]):::line
  n1(["Support<br>447700900002"]):::line
  n2(["Direct<br>447700900003"]):::line
  n3(["Masked<br>447700900004"]):::line
  n4(["Moved by URL<br>447700900005"]):::line
  n5(["Trial<br>447700900006"]):::line
  n6["<b>by-url</b><br>queue"]:::flow
  n7["<b>closed</b><br>message"]:::flow
  n8["<b>direct</b><br>ring"]:::flow
  n9["<b>masked</b><br>ring"]:::flow
  n10["<b>nobody</b><br>message"]:::flow
  n11["<b>office-hours</b><br>hours"]:::flow
  n12["<b>support</b><br>queue"]:::flow
  n13["<b>trial</b><br>queue"]:::flow
  n14((("hangs up"))):::over
  n15((("hangs up"))):::over
  n16("alice"):::agents
  n17("bob"):::agents
  n0 --> n11
  n1 --> n12
  n2 --> n8
  n3 --> n9
  n4 --> n6
  n5 --> n13
  n6 -->|"otherwise"| n10
  n7 --> n14
  n8 -->|"otherwise"| n10
  n9 -->|"otherwise"| n10
  n10 --> n15
  n11 -->|"then"| n12
  n11 -->|"otherwise"| n7
  n12 -->|"otherwise"| n10
  n13 -->|"otherwise"| n10
  n6 -.->|"rings"| n16
  n8 -.->|"rings"| n16
  n9 -.->|"rings"| n16
  n12 -.->|"rings"| n16
  n13 -.->|"rings"| n16
  n8 -.->|"rings"| n17
  n12 -.->|"rings"| n17
  classDef line stroke:#2f6fb0,stroke-width:2px
  classDef flow stroke:#7d8590
  classDef agents stroke:#2e8b57,stroke-width:2px
  classDef over stroke:#c0566b
"#);
}

#[test]
fn both_drawings_have_every_name_and_key_of_the_plan() {
    let plan = plan(OFFICE);
    let (svg, mermaid) = (svg(OFFICE), mermaid(OFFICE));
    let shown = shown(&svg);
    let mut words: Vec<String> = Vec::new();
    for line in plan.lines() {
        words.extend([line.name.clone(), line.number.to_string()]);
    }
    for flow in plan.flows() {
        words.extend([flow.name.to_string(), flow.kind.word().to_owned()]);
        words.extend(flow.exits().iter().map(|(key, _)| key.to_string()));
    }
    words.extend(plan.agents().map(|agent| agent.name.to_string()));
    for word in words {
        assert!(shown.contains(&word), "{word} in the picture: {shown:?}");
        assert!(mermaid.contains(&word), "{word} in {mermaid}");
    }
}

#[test]
fn the_order_of_the_text_changes_nothing() {
    let (lines, flows) = OFFICE.split_at(OFFICE.find("[flow.office-hours]").unwrap());
    let (first, others) = flows.split_at(flows.find("[flow.direct]").unwrap());
    let turned = format!("{lines}{others}\n{first}");
    assert_ne!(turned, OFFICE);
    assert_eq!(mermaid(&turned), mermaid(OFFICE));
    let places = |svg: String| svg.split_once("<style>").unwrap().1.to_owned();
    assert_eq!(places(svg(&turned)), places(svg(OFFICE)));
}

#[test]
fn who_cannot_see_it_is_told_all_of_it() {
    let svg = svg(OFFICE);
    let document = Document::parse(&svg).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    let told = |tag: &str| {
        let node = root.children().find(|node| node.has_tag_name(tag)).unwrap();
        let ids = root.attribute("aria-labelledby").unwrap();
        assert!(ids.split(' ').any(|id| Some(id) == node.attribute("id")));
        node.text().unwrap().to_owned()
    };
    assert_eq!(told("title"), "a plan: 6 lines, 8 flows and 2 agents");
    let words = told("desc");
    for sentence in [
        "Line Front desk (447700900000) leads to office-hours.",
        "office-hours (hours): then leads to support, otherwise leads to closed.",
        "direct (ring): rings alice, bob; otherwise leads to nobody.",
        "closed (message): hangs up.",
    ] {
        assert!(words.contains(sentence), "{sentence} in {words}");
    }
}

#[test]
fn agents_of_the_same_flows_share_a_box_and_others_do_not() {
    let text = OFFICE.replace("agents = [\"alice\"]", "agents = [\"alice\", \"bob\"]");
    let of = |text: &str| {
        let plan = plan(text);
        let graph = PlanGraph::new(&plan);
        let teams = graph.boxes.iter().filter_map(|place| match place {
            Place::Agents(agents) => Some(agents.len()),
            _ => None,
        });
        teams.collect::<Vec<_>>()
    };
    assert_eq!(of(OFFICE), [1, 1]);
    assert_eq!(of(&text), [2]);
}

#[test]
fn keys_that_lead_to_the_same_flow_are_one_arrow() {
    let text = OFFICE.replace("then = \"support\"", "then = \"closed\"");
    assert!(mermaid(&text).contains("|\"then, otherwise\"|"));
    assert!(shown(&svg(&text)).contains(&"then, otherwise".to_owned()));
}

#[test]
fn a_team_too_large_to_be_read_is_counted_and_still_named_somewhere() {
    let svg = svg(&chain(1, 20));
    let shown = shown(&svg);
    assert!(shown.contains(&"and 8 more agents".to_owned()), "{shown:?}");
    assert!(!shown.contains(&"agent-9".to_owned()));
    assert!(svg.contains("agent-9"));
}

#[test]
fn boxes_lie_beside_one_another() {
    let svg = svg(OFFICE);
    let document = Document::parse(&svg).unwrap();
    let side = |node: &roxmltree::Node<'_, '_>, name: &str| -> f64 {
        node.attribute(name).unwrap().parse().unwrap()
    };
    let boxes: Vec<[f64; 4]> = document
        .descendants()
        .filter(|node| node.has_tag_name("rect") && node.attribute("class").is_none())
        .map(|node| {
            let (x, y) = (side(&node, "x"), side(&node, "y"));
            [x, y, x + side(&node, "width"), y + side(&node, "height")]
        })
        .collect();
    assert_eq!(boxes.len(), 16);
    for (at, one) in boxes.iter().enumerate() {
        for other in &boxes[at + 1..] {
            let apart =
                one[2] < other[0] || other[2] < one[0] || one[3] < other[1] || other[3] < one[1];
            assert!(apart, "{one:?} and {other:?}");
        }
    }
}

#[test]
fn a_name_is_text_whatever_it_holds() {
    let label = "</text><script>alert('1')</script> & \"x\" ]]> `1. a` #quot; \u{fffe}|";
    let svg = svg(&named(label));
    let text = shown(&svg).join(" ");
    assert!(
        text.contains("<script>") && text.contains("#quot; \u{fffd}|"),
        "{text}"
    );
    assert!(!svg.contains("<script"), "{svg}");
    let mermaid = mermaid(&named(label));
    assert!(
        mermaid.contains("n0([\"#60;#47;text#62;#60;script#62;alert#40;"),
        "{mermaid}"
    );
    assert!(
        mermaid.contains("#96;1#46; a#96; #35;quot#59; #65534;#124;<br>"),
        "{mermaid}"
    );
}

#[test]
fn a_flow_named_end_is_no_end_of_a_mermaid_chart() {
    assert!(mermaid(&named("Line")).contains("n1[\"<b>end</b><br>message\"]"));
}

#[test]
fn a_plan_that_nobody_could_read_in_one_picture_is_refused_and_has_a_chart_all_the_same() {
    // Too many boxes; too many arrows; few of both, but arrows that pass everything by.
    for text in [chain(BOXES_MAX, 1), teams(100), chain(BOXES_MAX - 10, 1)] {
        let plan = plan(&text);
        let refused = PlanGraph::new(&plan).svg("a plan").unwrap_err();
        assert!(refused.boxes > 100 && refused.arrows > 100, "{refused}");
        assert!(PlanGraph::new(&plan).mermaid().contains("ring-50"));
    }
}

#[test]
fn a_plan_as_large_as_can_be_is_drawn() {
    let shown = shown(&svg(&chain(60, 1)));
    assert!(shown.contains(&"ring-60".to_owned()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_name_breaks_a_drawing(label in "\\PC{1,64}") {
        prop_assume!(!label.trim().is_empty());
        let text = named(&label);
        let Some(plan) = Plan::parse(&text).plan else { return Ok(()) };
        let graph = PlanGraph::new(&plan);
        let svg = graph.svg("a plan").unwrap();
        Document::parse(&svg).unwrap();
        let mermaid = graph.mermaid();
        let line = mermaid.lines().find(|line| line.contains("n0(")).unwrap();
        prop_assert_eq!(line.matches('"').count(), 2);
        prop_assert_eq!(line.matches('<').count(), 1);
    }
}
