//! What is known of news, as words can name it and as JSON has it.

use super::words::{Escape, Words};
use crate::call::Call;
use crate::id::{LegId, RecordingId};
use crate::news::{News, NewsId, Topic};
use crate::number::{PhoneNumber, mask};
use crate::plan::notify::Form;
use crate::plan::{AgentName, CallerShown, FlowName, Plan, Target};
use crate::recording::Recording;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};
use std::time::Duration;

/// Longest part of what a caller is called, in characters: room for any number, and for most SIP
/// addresses.
const CALLER_LENGTH_MAX: usize = 64;

/// What is known of news. Already without what its line does not show.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    id: NewsId,
    topic: Topic,
    at: Zoned,
    line: Option<PhoneNumber>,
    line_name: String,
    caller: String,
    call: Option<LegId>,
    agent: Option<AgentName>,
    flow: Option<FlowName>,
    recording: Option<RecordingId>,
    waited: Option<Duration>,
    duration: Option<Duration>,
    failures: Option<u32>,
}

impl Facts {
    /// Gathers what is known. `at`: when it happened; `plan`: the one in force.
    #[must_use]
    pub fn of(
        news: &News,
        at: Timestamp,
        plan: &Plan,
        call: Option<&Call>,
        recording: Option<&Recording>,
    ) -> Self {
        let number = call.and_then(|call| PhoneNumber::parse(&call.line).ok());
        let line = number.as_ref().and_then(|number| plan.line(number));
        let zone = plan.defaults().timezone.clone();
        let since = |call: &Call| Duration::try_from(at.duration_since(call.at)).ok();
        let facts = Self {
            id: news.id(),
            topic: news.topic(),
            at: at.to_zoned(zone.unwrap_or(TimeZone::UTC)),
            line_name: match line {
                Some(line) => line.name.clone(),
                None => "Unknown line".to_owned(),
            },
            // Of a line that is no longer in the plan nobody knows what it would show.
            caller: call.map_or_else(String::new, |call| {
                let shown = line.map_or(CallerShown::Mask, |line| line.caller);
                caller_shown(call.from.as_deref(), shown)
            }),
            line: number,
            call: call.map(|call| call.leg.clone()),
            agent: None,
            flow: None,
            recording: recording.map(|recording| recording.notice.recording.clone()),
            waited: None,
            duration: recording.and_then(length),
            failures: None,
        };
        match news {
            News::Started { .. } | News::Voicemail { .. } | News::Archived { .. } => facts,
            News::Answered { agent, .. } => Self {
                agent: Some(agent.clone()),
                waited: Some(call.and_then(since).unwrap_or_default()),
                ..facts
            },
            News::Missed { .. } => Self {
                waited: Some(call.and_then(since).unwrap_or_default()),
                ..facts
            },
            News::StaffFailing {
                agent, failures, ..
            } => Self {
                agent: Some(agent.clone()),
                failures: Some(*failures),
                ..facts
            },
            News::NobodyOnDuty { flow, .. } => Self {
                flow: Some(flow.clone()),
                ..facts
            },
        }
    }

    /// The line, where one is known.
    #[must_use]
    pub fn line(&self) -> Option<&PhoneNumber> {
        self.line.as_ref()
    }

    /// What a target is sent.
    #[must_use]
    pub fn body(&self, target: &Target) -> String {
        match target.form {
            Form::Slack => json!({ "text": self.text(target, Escape::Slack) }).to_string(),
            Form::Webhook => self.row(&self.text(target, Escape::Plain)).to_string(),
        }
    }

    fn text(&self, target: &Target, escape: Escape) -> String {
        let values = self.values();
        let words = target.words(self.topic);
        // Words were tried when the plan was read. Should they fail all the same, the news is not
        // lost.
        let written = words
            .write(&values, escape)
            .or_else(|_| Words::usual(self.topic).write(&values, escape));
        written.unwrap_or_else(|_| self.id.to_string())
    }

    /// What words may name: see [`Words::variables`].
    fn values(&self) -> Vec<(&'static str, String)> {
        let lasted = |time: Option<Duration>| time.map(lasting).unwrap_or_default();
        let value = |name: &str| match name {
            "at" => self.at.strftime("%a %-d %b %Y %H:%M %Z").to_string(),
            "line" => self
                .line
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            "line_name" => self.line_name.clone(),
            "caller" => self.caller.clone(),
            "call" => text(self.call.as_ref()),
            "agent" => text(self.agent.as_ref()),
            "flow" => text(self.flow.as_ref()),
            "recording" => text(self.recording.as_ref()),
            "waited" => lasted(self.waited),
            // A notice without times.
            "duration" if self.duration.is_none() => "unknown length".to_owned(),
            "duration" => lasted(self.duration),
            "failures" => text(self.failures.as_ref()),
            _ => String::new(),
        };
        let names = Words::variables(self.topic);
        names.iter().map(|name| (*name, value(name))).collect()
    }

    /// A flat object with the same keys whatever happened, so that a table's columns stay where they
    /// are. What does not apply is empty text.
    fn row(&self, text_: &str) -> Value {
        let seconds = |time: Option<Duration>| time.map_or(json!(""), |time| json!(time.as_secs()));
        json!({
            "event": self.topic.word(),
            "id": self.id,
            "at": self.at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            "line": text(self.line.as_ref()),
            "line_name": self.line_name,
            "caller": self.caller,
            "call": text(self.call.as_ref()),
            "agent": text(self.agent.as_ref()),
            "flow": text(self.flow.as_ref()),
            "recording": text(self.recording.as_ref()),
            "waited": seconds(self.waited),
            "duration": seconds(self.duration),
            "failures": self.failures.map_or(json!(""), |failures| json!(failures)),
            "text": text_,
        })
    }
}

fn text(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// How long a recording is, by its notice.
fn length(recording: &Recording) -> Option<Duration> {
    let moment = |text: &Option<String>| text.as_deref()?.parse::<Timestamp>().ok();
    let (start, end) = (
        moment(&recording.notice.start)?,
        moment(&recording.notice.end)?,
    );
    Duration::try_from(end.duration_since(start)).ok()
}

/// A caller as our people get to know them: the number, its mask, or that it is hidden. What came in
/// place of a number is cut down to what an address is written with: it is the caller's own text, and
/// ends up in messages and in cells of tables, where `=` may begin a formula.
#[must_use]
pub fn caller_shown(from: Option<&str>, shown: CallerShown) -> String {
    if shown == CallerShown::Hide {
        return "hidden".to_owned();
    }
    let from = from.unwrap_or_default();
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '_' | ':' | '-');
    let plain: String = from.chars().filter(fits).take(CALLER_LENGTH_MAX).collect();
    let plain = plain.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    if plain.is_empty() {
        return "withheld".to_owned();
    }
    match shown {
        CallerShown::Mask => mask(plain),
        CallerShown::Show | CallerShown::Hide => plain.to_owned(),
    }
}

/// A time as people say it: `43 s`, `2 min 5 s`, `1 h 2 min`.
#[must_use]
pub fn lasting(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::Notice;
    use proptest::prelude::*;

    const PLAN: &str = r#"
[defaults]
timezone = "Europe/London"

[[line]]
number = "447700900000"
name = "Sales & Support"
flow = "closed"
caller = "SHOWN"

[flow.closed]
type = "message"
say = "Closed."

[[notify]]
name = "team"
slack = "https://hooks.slack.com/services/T0/B0/x"
words.missed = "<!here> {{ line_name }}: call {{ caller }} back"

[[notify]]
name = "sheet"
webhook = "https://example.com/row"
"#;

    fn plan(shown: &str) -> Plan {
        let checked = Plan::parse(&PLAN.replace("SHOWN", shown));
        checked
            .plan
            .unwrap_or_else(|| panic!("{:?}", checked.faults))
    }

    fn call(plan: &Plan, from: Option<&str>) -> Call {
        let line = "447700900000".to_owned();
        let at = "2026-07-01T11:00:00Z".parse().unwrap();
        let (leg, conversation) = ("leg".parse().unwrap(), "CON-1".parse().unwrap());
        let call = Call::new(leg, conversation, line, at, String::new(), plan);
        Call {
            from: from.map(ToOwned::to_owned),
            ..call
        }
    }

    fn bodies(plan: &Plan, call: &Call, news: &News, recording: Option<&Recording>) -> [Value; 2] {
        let at = "2026-07-01T11:02:05Z".parse().unwrap();
        let facts = Facts::of(news, at, plan, Some(call), recording);
        let bodies = plan.targets().map(|target| facts.body(target));
        let bodies: Vec<_> = bodies.map(|b| serde_json::from_str(&b).unwrap()).collect();
        bodies.try_into().unwrap()
    }

    fn missed() -> News {
        News::Missed {
            call: "leg".parse().unwrap(),
        }
    }

    #[test]
    fn slack_gets_the_operators_words_and_a_table_gets_a_row() {
        let plan = plan("show");
        let call = call(&plan, Some("447700900123"));
        let [slack, row] = bodies(&plan, &call, &missed(), None);
        assert_eq!(
            slack,
            json!({ "text": "<!here> Sales &amp; Support: call 447700900123 back" })
        );
        insta::assert_json_snapshot!(row, @r#"
        {
          "event": "missed",
          "id": "missed:leg",
          "at": "2026-07-01T12:02:05+01:00",
          "line": "447700900000",
          "line_name": "Sales & Support",
          "caller": "447700900123",
          "call": "leg",
          "agent": "",
          "flow": "",
          "recording": "",
          "waited": 125,
          "duration": "",
          "failures": "",
          "text": "Sales & Support: missed a call from 447700900123 at Wed 1 Jul 2026 12:02 BST, after 2 min 5 s."
        }
        "#);
    }

    #[test]
    fn every_kind_of_news_can_be_told_in_the_usual_words() {
        let plan = plan("show");
        let call = call(&plan, None);
        let notice = Notice {
            recording: "rec".parse().unwrap(),
            url: "https://api.nexmo.com/v1/files/x".to_owned(),
            size: None,
            start: Some("2026-07-01T11:00:00Z".to_owned()),
            end: Some("2026-07-01T11:00:43Z".to_owned()),
        };
        let recording = Recording::noticed(notice, String::new(), None, call.at);
        let leg = || "leg".parse::<LegId>().unwrap();
        let texts: Vec<String> = [
            News::Started { call: leg() },
            News::Answered {
                call: leg(),
                agent: "alice".parse().unwrap(),
            },
            missed(),
            News::Voicemail {
                call: leg(),
                recording: "rec".parse().unwrap(),
            },
            News::Archived {
                recording: "rec".parse().unwrap(),
            },
            News::StaffFailing {
                call: leg(),
                agent: "alice".parse().unwrap(),
                failures: 3,
            },
            News::NobodyOnDuty {
                call: leg(),
                flow: "hotline".parse().unwrap(),
            },
        ]
        .iter()
        .map(|news| bodies(&plan, &call, news, Some(&recording))[1]["text"].to_string())
        .collect();
        insta::assert_snapshot!(texts.join("\n"), @r#"
        "Sales & Support: a call from withheld."
        "Sales & Support: alice has the call from withheld, after 2 min 5 s."
        "Sales & Support: missed a call from withheld at Wed 1 Jul 2026 12:02 BST, after 2 min 5 s."
        "Sales & Support: withheld left a message of 43 s at Wed 1 Jul 2026 12:02 BST. Recording rec."
        "Sales & Support: recording rec of 43 s is archived."
        "alice's phone could not be rung 3 times in a row. Is the number right?"
        "Sales & Support: nobody is on duty in hotline. withheld called at Wed 1 Jul 2026 12:02 BST."
        "#);
    }

    #[test]
    fn a_line_that_masks_or_hides_its_callers_shows_no_number_anywhere() {
        for (shown, seen) in [("mask", "44•••••0123"), ("hide", "hidden")] {
            let plan = plan(shown);
            let call = call(&plan, Some("447700900123"));
            for body in bodies(&plan, &call, &missed(), None) {
                let text = body.to_string();
                assert!(
                    text.contains(seen) && !text.contains("447700900123"),
                    "{text}"
                );
            }
        }
        // Nor does a line that is no more.
        let plan = plan("show");
        let mut call = call(&plan, Some("447700900123"));
        "447700900999".clone_into(&mut call.line);
        let [_, row] = bodies(&plan, &call, &missed(), None);
        assert_eq!(row["caller"], "44•••••0123");
    }

    #[test]
    fn a_caller_is_shown_without_what_could_be_markup_or_a_formula() {
        for (from, shown) in [
            ("447700900123", "447700900123"),
            ("+447700900123", "447700900123"),
            ("sip:bob@example.com", "sip:bob@example.com"),
            ("<!channel>", "channel"),
            ("=HYPERLINK(\"x\")", "HYPERLINKx"),
            ("-1+cmd|' /C calc'!A0", "1cmdCcalcA0"),
            ("@here", "here"),
            ("a\r\nb", "ab"),
            ("", "withheld"),
            ("\u{202e}☎", "withheld"),
        ] {
            assert_eq!(caller_shown(Some(from), CallerShown::Show), shown, "{from}");
        }
        assert_eq!(caller_shown(None, CallerShown::Hide), "hidden");
        let long = caller_shown(Some(&"9".repeat(500)), CallerShown::Show);
        assert_eq!(long.len(), CALLER_LENGTH_MAX);
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        for (seconds, said) in [
            (0, "0 s"),
            (43, "43 s"),
            (120, "2 min"),
            (125, "2 min 5 s"),
            (3_600, "1 h"),
            (3_725, "1 h 2 min"),
        ] {
            assert_eq!(lasting(Duration::from_secs(seconds)), said);
        }
    }

    proptest! {
        #[test]
        fn whatever_a_caller_is_called_no_markup_comes_of_it(from in any::<String>()) {
            let plan = plan("show");
            let call = call(&plan, Some(&from));
            let [slack, row] = bodies(&plan, &call, &missed(), None);
            let text = slack["text"].as_str().unwrap().strip_prefix("<!here>").unwrap();
            prop_assert!(!text.contains(['<', '>']), "{}", text);
            let caller = row["caller"].as_str().unwrap();
            prop_assert!(caller.starts_with(|c: char| c.is_ascii_alphanumeric()), "{}", caller);
        }
    }
}
