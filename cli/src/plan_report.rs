//! The faults of a plan as an operator reads them at a terminal, or a program as JSON.

use anyhow::Context as _;
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report,
};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use switchboard_shared::plan::{Plan, PlanFault, Severity};

/// Faults that are drawn: more than anybody reads at once. Each is drawn by a walk over the whole
/// text, so that all of a hostile one's would take long.
pub const SHOWN_MAX: usize = 100;

/// Columns of the drawing: fits a terminal of usual width.
const WIDTH: usize = 100;

/// Reads the text of a plan. What is not UTF-8 is a fault of the file, not of the command.
///
/// # Errors
/// When the file cannot be read.
pub fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| {
        format!(
            "could not read {}; name the plan, as in `switchboard plan check FILE`",
            file.display()
        )
    })
}

/// Reads a plan that has to be without faults.
///
/// # Errors
/// When the file cannot be read, or has faults; says what shows them.
pub fn read(file: &Path) -> anyhow::Result<Plan> {
    let text = text(file)?;
    let file = file.display();
    Plan::parse(&text)
        .plan
        .with_context(|| format!("{file} has faults; `switchboard plan check {file}` shows them"))
}

/// Draws each fault with its line of the text underlined. `name` is what the file is called.
///
/// Empty when there are no faults. Shows the text as it is, phone numbers included: for the
/// operator's own terminal, not for a log. Only addresses of `[[notify]]` are hidden: terminals are
/// shared and recorded, and whoever knows such an address can write there.
#[must_use]
pub fn draw(name: &str, text: &str, faults: &[PlanFault], colour: bool) -> String {
    let theme = if colour {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH);
    let text = Arc::new(hidden(text));
    let mut drawn = String::new();
    for fault in faults.iter().take(SHOWN_MAX) {
        let source = NamedSource::new(name, Arc::clone(&text));
        let report = Report::new(diagnostic(&text, fault)).with_source_code(source);
        if handler.render_report(&mut drawn, report.as_ref()).is_err() {
            // Cannot be drawn, so it is told.
            drawn.push_str(&format!("{name}:{fault}\n"));
        }
        drawn.push('\n');
    }
    if faults.len() > SHOWN_MAX {
        let more = faults.len() - SHOWN_MAX;
        writeln!(drawn, "… and {more} more").expect("a String takes all text");
    }
    drawn
}

/// The text with an asterisk for each byte of what may be the address of a target, so that places in
/// it stay what they are: whatever is in quotes and has a slash, under `[[notify]]` or beside its keys.
pub(crate) fn hidden(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut under = false;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('[') {
            under = line.contains("notify");
        }
        if !under
            && !["notify", "slack", "webhook"]
                .iter()
                .any(|key| line.contains(key))
        {
            shown.push_str(line);
            continue;
        }
        // Whatever stands between quotes, and what follows one that does not end.
        for (n, part) in line.split_inclusive(['"', '\'', '\n']).enumerate() {
            let (inside, end) = match part.char_indices().next_back() {
                Some((at, '"' | '\'' | '\n')) => part.split_at(at),
                _ => (part, ""),
            };
            if n > 0 && inside.contains('/') {
                shown.push_str(&"*".repeat(inside.len()));
            } else {
                shown.push_str(inside);
            }
            shown.push_str(end);
        }
    }
    shown
}

/// All faults as a JSON list of `{line, column, severity, message, advice}`.
#[must_use]
pub fn json(faults: &[PlanFault]) -> String {
    serde_json::to_string_pretty(faults).expect("faults are text and numbers")
}

fn diagnostic(text: &str, fault: &PlanFault) -> MietteDiagnostic {
    // A place at the end has no character to underline; the drawing stays inside the text.
    let start = text.floor_char_boundary(fault.span.start.min(text.len()));
    let end = text
        .floor_char_boundary(fault.span.end.min(text.len()))
        .max(start);
    let severity = match fault.severity {
        Severity::Fault => miette::Severity::Error,
        Severity::Warning => miette::Severity::Warning,
    };
    let mut diagnostic = MietteDiagnostic::new(fault.message.clone())
        .with_severity(severity)
        .with_label(LabeledSpan::underline(start..end));
    diagnostic.help.clone_from(&fault.advice);
    diagnostic
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BAD: &str = "[flow.closed]\ntype = \"mesage\"\nsay = \"We are closed.\"\n";

    #[test]
    fn a_fault_is_drawn_with_its_line_underlined() {
        let faults = Plan::parse(BAD).faults;
        let drawn = draw("switchboard.toml", BAD, &faults, false);
        insta::assert_snapshot!(drawn, @r#"
  ⚠ the plan has no lines: it answers no call
   ╭─[switchboard.toml:1:1]
 1 │ [flow.closed]
   · ▲
 2 │ type = "mesage"
   ╰────
  help: add [[line]] with number, name and flow

  × there is no type of flow "mesage"
   ╭─[switchboard.toml:2:8]
 1 │ [flow.closed]
 2 │ type = "mesage"
   ·        ────────
 3 │ say = "We are closed."
   ╰────
  help: did you mean "message"? types here: "message", "hours", "ring", "queue", "hotline",
        "menu", "voicemail"
"#);
    }

    #[test]
    fn the_address_of_a_target_is_drawn_nowhere_however_it_is_written() {
        for (text, shown) in [
            (
                "[[notify]]\nslack = \"https://a/b\" # c/d\n",
                "slack = \"***********\"",
            ),
            ("[[notify]]\nslak = 'https://a/b'\n", "slak = '***********'"),
            ("[[notify]]\nslack = \"a.é/b", "slack = \"******"),
            (
                "notify = [{slack = \"https://a/b\"}]",
                "[{slack = \"***********\"}]",
            ),
            (
                "notify = [\n{webhook = \"https://a/b\"}]",
                "{webhook = \"***********\"}]",
            ),
            (
                "[notify]\nname = \"team\"\n[flow.x]\nmusic = \"https://a/b\"",
                "music = \"https://a/b\"",
            ),
        ] {
            let hidden = hidden(text);
            assert!(hidden.contains(shown), "{hidden}");
            assert_eq!(hidden.len(), text.len());
        }
        let text = "[[notify]]\nname = \"team\"\nslack = \"http://a.example/s3cret\"\n";
        let drawn = draw("p", text, &Plan::parse(text).faults, false);
        assert!(
            drawn.contains("it is not https") && !drawn.contains("s3cret"),
            "{drawn}"
        );
    }

    #[test]
    fn a_program_reads_faults_as_json() {
        let faults = Plan::parse(BAD).faults;
        insta::assert_snapshot!(json(&faults), @r#"
[
  {
    "line": 1,
    "column": 1,
    "severity": "warning",
    "message": "the plan has no lines: it answers no call",
    "advice": "add [[line]] with number, name and flow"
  },
  {
    "line": 2,
    "column": 8,
    "severity": "fault",
    "message": "there is no type of flow \"mesage\"",
    "advice": "did you mean \"message\"? types here: \"message\", \"hours\", \"ring\", \"queue\", \"hotline\", \"menu\", \"voicemail\""
  }
]
"#);
    }

    #[test]
    fn colours_are_drawn_only_where_they_are_asked_for() {
        let faults = Plan::parse(BAD).faults;
        assert!(!draw("p", BAD, &faults, false).contains('\u{1b}'));
        assert!(draw("p", BAD, &faults, true).contains('\u{1b}'));
    }

    #[test]
    fn so_many_faults_that_nobody_reads_them_are_counted() {
        let text: String = (0..150).map(|n| format!("key{n} = 1\n")).collect();
        let drawn = draw("p", &text, &Plan::parse(&text).faults, false);
        assert!(drawn.ends_with("… and 51 more\n"), "{drawn}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn no_text_makes_it_panic(text in "(\\PC|\n|\\[|\\]|=|\"|flow|line){0,60}") {
            let _ = draw("p", &text, &Plan::parse(&text).faults, false);
        }
    }
}
