//! Flows that ring several phones at once: type `hotline`, and strategies of type `ring`.

use super::fields::{Fields, Item, text};
use super::flow::{Body, music};
use super::{parts, read_label};
use crate::plan::duration::within;
use crate::plan::flow::{AGENTS_MAX, RING_TIMEOUT};
use crate::plan::hotline::{HOTLINE_RING_DEFAULT, STAGE_AFTER, STAGES_MAX};
use crate::plan::{AgentName, Hotline, Stage};
use std::collections::HashSet;
use std::time::Duration;
use toml::de::DeTable;

/// What makes phones ring together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Together {
    /// Type `hotline`.
    Hotline,
    /// Strategy `all`.
    All,
    /// Strategy `staged`.
    Staged,
}

impl<'d> Body<'_, '_, '_, 'd> {
    /// Phones that ring together, under the keys of what makes them do so.
    pub(super) fn together(&mut self, how: Together) -> Option<Hotline> {
        let shared = how == Together::Hotline;
        let name = if shared {
            self.fields.optional(self.reading, "name", read_label)
        } else {
            Some(None)
        };
        let say = self.optional_say("say");
        let music = self.room_music();
        let stages = match how {
            Together::Hotline => self.one_stage("staff"),
            Together::All => self.one_stage("agents"),
            Together::Staged => self.stages(),
        };
        let confirm = self.yes_or_no("confirm", true);
        let timeout = self.duration("timeout", RING_TIMEOUT);
        let record = self.yes_or_no("record", false);
        let max_wait = self.max_wait();
        let keep_ringing = if shared {
            self.yes_or_no("keep-ringing", false)
        } else {
            Some(false)
        };
        let otherwise = self.exit("otherwise");
        Some(Hotline {
            name: name?,
            say: say?,
            music: music?,
            stages: stages?,
            confirm: confirm?,
            timeout: timeout?.unwrap_or(HOTLINE_RING_DEFAULT),
            record: record?,
            max_wait: max_wait?,
            keep_ringing: keep_ringing?,
            shared,
            otherwise: otherwise?,
        })
    }

    /// All at once.
    fn one_stage(&mut self, key: &'static str) -> Option<Vec<Stage>> {
        let agents = self.agents(key)?;
        Some(vec![Stage {
            after: Duration::ZERO,
            agents,
        }])
    }

    fn room_music(&mut self) -> Option<Vec<url::Url>> {
        let example = "music = \"https://example.com/music.mp3\"";
        self.fields.required(self.reading, "music", example, music)
    }

    fn stages(&mut self) -> Option<Vec<Stage>> {
        let example =
            "stages = [{ agents = [\"alice\"] }, { after = \"15s\", agents = [\"bob\"] }]";
        let read = self
            .fields
            .required(self.reading, "stages", example, |_, item| {
                Some(item.clone())
            });
        let stages = read.and_then(|item| self.read_stages(&item, example));
        self.reading.graph.agents_lost |= stages.is_none();
        stages
    }

    fn read_stages(&mut self, item: &Item<'d>, example: &str) -> Option<Vec<Stage>> {
        let all = parts(item);
        if all.is_empty() || all.len() > STAGES_MAX {
            let message = format!("`stages` has {} stages", all.len());
            let advice = format!("write 1 to {STAGES_MAX}, like {example}");
            self.fault(item, message, advice);
            return None;
        }
        let mut seen = HashSet::new();
        let mut last = None;
        let mut read = Vec::new();
        let mut whole = true;
        for (index, part) in all.iter().enumerate() {
            let Some(table) = part.value.as_table() else {
                let advice = Some(format!("write {example}"));
                self.reading.mismatch(part, "a stage", advice);
                whole = false;
                continue;
            };
            match self.stage(table, part, index, &mut last, &mut seen) {
                Some(stage) => read.push(stage),
                None => whole = false,
            }
        }
        whole.then_some(read)
    }

    /// One stage. `last` is when the one before begins, `seen` who was named already.
    fn stage(
        &mut self,
        table: &'d DeTable<'d>,
        part: &Item<'d>,
        index: usize,
        last: &mut Option<Duration>,
        seen: &mut HashSet<AgentName>,
    ) -> Option<Stage> {
        let owner = format!("stage {} of {}", index + 1, self.fields.owner);
        let mut fields = Fields::new(owner, table, part.span.clone());
        let parse = within(STAGE_AFTER);
        let after = fields.optional(self.reading, "after", |reading, item| {
            text(reading, item, "a duration", |text| {
                parse(&text).map_err(|wrong| crate::plan::Wrong {
                    message: format!("`after` cannot be used: {}", wrong.message),
                    ..wrong
                })
            })
        });
        let outer = std::mem::replace(&mut self.fields, fields);
        let agents = self.agents("agents");
        let fields = std::mem::replace(&mut self.fields, outer);
        fields.done(self.reading);
        let (after, agents) = (after?, agents?);
        let wrong = match (index, after) {
            (0, None) => None,
            (0, Some(_)) => Some(("the first stage begins at once", "take `after` out of it")),
            (_, None) => Some((
                "a later stage does not say when it begins",
                "write after = \"15s\"",
            )),
            (_, Some(after)) if Some(after) <= *last => Some((
                "a stage begins no later than the one before",
                "write them in order",
            )),
            _ => None,
        };
        if let Some((message, advice)) = wrong {
            self.fault(part, message.to_owned(), advice.to_owned());
            return None;
        }
        for agent in &agents {
            if !seen.insert(agent.clone()) {
                let message = format!("`stages` names \"{agent}\" twice");
                self.fault(part, message, "name each agent once".to_owned());
                return None;
            }
        }
        if seen.len() > AGENTS_MAX {
            let message = format!("`stages` has {} names", seen.len());
            self.fault(part, message, format!("write at most {AGENTS_MAX}"));
            return None;
        }
        let after = after.unwrap_or_default();
        *last = Some(after);
        Some(Stage { after, agents })
    }

    fn fault(&mut self, item: &Item<'_>, message: String, advice: String) {
        self.reading
            .faults
            .fault(item.span.clone(), message, Some(advice));
    }
}
