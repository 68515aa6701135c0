//! Flows of every type.

use super::calendar::{closed_on, timezone, windows};
use super::fields::{Fields, Item, text};
use super::hotline::Together;
use super::{Node, Reading, Reference, one_of, parts, read_language, word};
use crate::plan::duration::{show, within};
use crate::plan::fault::{Wrong, quoted};
use crate::plan::flow::{
    AGENTS_MAX, CALL_LENGTH_MAX, COOL_DOWN_DEFAULT, FREE_AFTER, KINDS, MAX_WAIT, MUSIC_MAX, REST,
    RING_TIMEOUT, RING_TIMEOUT_DEFAULT,
};
use crate::plan::{
    AgentName, Calendar, FlowKind, FlowName, Hours, Message, Queue, Ring, Strategy, Transfer, say,
};
use std::collections::HashSet;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;
use toml::de::DeTable;
use url::Url;

/// Reads a flow's language and kind, and fills its node.
pub(super) fn read(
    reading: &mut Reading<'_, '_>,
    name: &str,
    table: &DeTable<'_>,
    span: Range<usize>,
    mut node: Node,
) -> (Option<(String, FlowKind)>, Node) {
    let mut fields = Fields::new(format!("flow {}", quoted(name)), table, span);
    let kind = fields.required(reading, "type", "type = \"message\"", |reading, item| {
        let kind = text(reading, item, "a type of flow", Ok)?;
        if KINDS.contains(&kind.as_str()) {
            return Some(kind);
        }
        let message = format!("there is no type of flow {}", quoted(&kind));
        let advice = one_of(reading.faults, &kind, KINDS, "types");
        reading
            .faults
            .fault(item.span.clone(), message, Some(advice));
        // A slip of a type is read as that type, so that the faults below it are found as well.
        reading.faults.nearest(&kind, KINDS).map(str::to_owned)
    });
    let language = fields.optional(reading, "language", read_language);
    let default = reading.defaults.language.clone();
    let mut flow = Body {
        reading,
        fields,
        node: &mut node,
    };
    let kind = match kind.as_deref() {
        Some("message") => flow.message().map(FlowKind::Message),
        Some("hours") => flow.hours().map(FlowKind::Hours),
        Some("ring") => flow.any_ring(),
        Some("queue") => flow.queue().map(FlowKind::Queue),
        Some("hotline") => flow.together(Together::Hotline).map(FlowKind::Hotline),
        Some("menu") => flow.menu().map(FlowKind::Menu),
        Some("voicemail") => {
            let own = match &language {
                Some(Some(code)) => Some(code.as_str()),
                Some(None) => Some(default.as_str()),
                None => None,
            };
            flow.voicemail(own).map(FlowKind::Voicemail)
        }
        _ => {
            // Its keys cannot be judged, and it may lead anywhere and ring anybody.
            flow.node.exits_lost = true;
            flow.reading.graph.agents_lost = true;
            return (None, node);
        }
    };
    flow.fields.done(flow.reading);
    let language = language.map(|code| code.unwrap_or(default));
    (language.zip(kind), node)
}

pub(super) struct Body<'b, 'f, 't, 'd> {
    pub(super) reading: &'b mut Reading<'f, 't>,
    pub(super) fields: Fields<'d>,
    pub(super) node: &'b mut Node,
}

impl Body<'_, '_, '_, '_> {
    fn message(&mut self) -> Option<Message> {
        let say = self.say("say")?;
        Some(Message { say })
    }

    fn hours(&mut self) -> Option<Hours> {
        let example = "open = [\"Mon-Fri 09:00-17:30\"]";
        let open = self
            .fields
            .required(self.reading, "open", example, |reading, item| {
                let advice = format!("write {example}, or lead to the flow in `otherwise` instead");
                windows(reading, item, "the flow never opens", advice)
            });
        let closed_on = self.fields.optional(self.reading, "closed-on", closed_on);
        let timezone = timezone(self.reading, &mut self.fields);
        let then = self.exit("then");
        let otherwise = self.exit("otherwise");
        Some(Hours {
            calendar: Calendar {
                open: open?,
                closed_on: closed_on?.unwrap_or_default(),
                timezone: timezone?,
            },
            then: then?,
            otherwise: otherwise?,
        })
    }

    fn any_ring(&mut self) -> Option<FlowKind> {
        let strategy = self
            .fields
            .optional(self.reading, "strategy", |reading, item| {
                word(reading, item, "a strategy", Strategy::WORDS)
            });
        let Some(strategy) = strategy else {
            // Which keys it should have is not known.
            self.fields.forgive();
            self.node.exits_lost = true;
            self.reading.graph.agents_lost = true;
            return None;
        };
        match strategy.unwrap_or_default() {
            Strategy::InOrder => self.ring(false).map(FlowKind::Ring),
            Strategy::RoundRobin => self.ring(true).map(FlowKind::Ring),
            Strategy::All => self.together(Together::All).map(FlowKind::Hotline),
            Strategy::Staged => self.together(Together::Staged).map(FlowKind::Hotline),
        }
    }

    fn ring(&mut self, by_turns: bool) -> Option<Ring> {
        let say = self.optional_say("say");
        let agents = self.agents("agents");
        let confirm = self.yes_or_no("confirm", true);
        let timeout = self.duration("timeout", RING_TIMEOUT);
        let record = self.record();
        let otherwise = self.exit("otherwise");
        let timeout = timeout.map(|given| given.unwrap_or(RING_TIMEOUT_DEFAULT));
        if let (Some(agents), Some(timeout)) = (&agents, timeout) {
            self.check_ring_length(agents.len(), timeout);
        }
        Some(Ring {
            say: say?,
            agents: agents?,
            by_turns,
            confirm: confirm?,
            timeout: timeout?,
            record: record?,
            otherwise: otherwise?,
        })
    }

    fn queue(&mut self) -> Option<Queue> {
        let say = self.say("say");
        let music = self.fields.optional(self.reading, "music", music);
        let agents = self.agents("agents");
        let confirm = self.yes_or_no("confirm", true);
        let connect_say = self.optional_say("connect-say");
        let record = self.record();
        let timeout = self.duration("timeout", RING_TIMEOUT);
        let free_after = self.duration("free-after", FREE_AFTER);
        let max_wait = self.max_wait();
        let cool_down = self.duration("cool-down", REST);
        let wrap_up = self.duration("wrap-up", REST);
        let transfer = self.fields.optional(self.reading, "transfer", transfer);
        let otherwise = self.exit("otherwise");
        Some(Queue {
            say: say?,
            music: music?.unwrap_or_default(),
            agents: agents?,
            confirm: confirm?,
            connect_say: connect_say?,
            record: record?,
            timeout: timeout?.unwrap_or(RING_TIMEOUT_DEFAULT),
            free_after: free_after?,
            max_wait: max_wait?,
            cool_down: cool_down?.unwrap_or(COOL_DOWN_DEFAULT),
            wrap_up: wrap_up?.unwrap_or_default(),
            transfer: transfer?.unwrap_or_default(),
            otherwise: otherwise?,
        })
    }

    pub(super) fn max_wait(&mut self) -> Option<Duration> {
        let given = self.duration("max-wait", MAX_WAIT)?;
        if given.is_none() {
            let why = ": a caller could wait for ever";
            self.fields
                .missing(self.reading, "max-wait", why, "max-wait = \"10m\"");
        }
        given
    }

    pub(super) fn yes_or_no(&mut self, key: &'static str, unless_given: bool) -> Option<bool> {
        let given = self.fields.optional(self.reading, key, |reading, item| {
            let given = item.value.as_bool();
            if given.is_none() {
                reading.mismatch(item, "true or false", None);
            }
            given
        })?;
        Some(given.unwrap_or(unless_given))
    }

    pub(super) fn say(&mut self, key: &'static str) -> Option<String> {
        let example = format!("{key} = \"…\"");
        self.fields.required(self.reading, key, &example, read_say)
    }

    #[allow(clippy::option_option)]
    pub(super) fn optional_say(&mut self, key: &'static str) -> Option<Option<String>> {
        self.fields.optional(self.reading, key, read_say)
    }

    /// Whether the talk is recorded. What callers are told of it, their line says.
    fn record(&mut self) -> Option<bool> {
        let record = self
            .fields
            .optional(self.reading, "record", |reading, item| {
                let record = item.value.as_bool();
                if record.is_none() {
                    reading.mismatch(item, "true or false", None);
                }
                record
            })?;
        Some(record.unwrap_or_default())
    }

    #[allow(clippy::option_option)]
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Option<Option<Duration>> {
        let parse = within(range);
        self.fields.optional(self.reading, key, |reading, item| {
            text(reading, item, "a duration", |text| {
                parse(&text).map_err(|wrong| Wrong {
                    message: format!("`{key}` cannot be used: {}", wrong.message),
                    ..wrong
                })
            })
        })
    }

    /// A flow that comes after this one.
    pub(super) fn exit(&mut self, key: &'static str) -> Option<FlowName> {
        let (fields, node) = (&mut self.fields, &mut *self.node);
        let Some(item) = fields.take(key) else {
            let example = format!("{key} = \"NAME\" with a flow's name");
            fields.missing(self.reading, key, ": a call would end nowhere", &example);
            node.exits_lost = true;
            return None;
        };
        let Some((name, reference)) = self.reading.flow_name(&item) else {
            node.exits_lost = true;
            return None;
        };
        node.exits.push(reference);
        name
    }

    /// The agents under a key.
    pub(super) fn agents(&mut self, key: &'static str) -> Option<Vec<AgentName>> {
        let node = &mut *self.node;
        let example = format!("{key} = [\"alice\"]");
        let agents = self
            .fields
            .required(self.reading, key, &example, |reading, item| {
                let parts = parts(item);
                let size = if parts.is_empty() {
                    Some((
                        format!("`{key}` is empty: nobody can be rung"),
                        example.clone(),
                    ))
                } else if parts.len() > AGENTS_MAX {
                    let message = format!("`{key}` has {} names", parts.len());
                    Some((
                        message,
                        format!("at most {AGENTS_MAX}, since all are looked at in one request"),
                    ))
                } else {
                    None
                };
                if let Some((message, advice)) = size {
                    let advice = Some(format!("write {advice}"));
                    reading.faults.fault(item.span.clone(), message, advice);
                    return None;
                }
                let mut seen = HashSet::new();
                let names: Vec<Option<AgentName>> = parts
                    .iter()
                    .map(|part| {
                        let to = text(reading, part, "the name of an agent", Ok)?;
                        if !seen.insert(to.clone()) {
                            let message = format!("`{key}` names {} twice", quoted(&to));
                            let advice = "name each agent once".to_owned();
                            reading
                                .faults
                                .fault(part.span.clone(), message, Some(advice));
                        }
                        let name = AgentName::new(to.as_str()).ok();
                        let span = part.span.clone();
                        node.agents.push(Reference { to, span });
                        name
                    })
                    .collect();
                names.into_iter().collect()
            });
        self.reading.graph.agents_lost |= agents.is_none();
        agents
    }

    fn check_ring_length(&mut self, agents: usize, timeout: Duration) {
        let rings = u32::try_from(agents).unwrap_or(u32::MAX);
        let whole = timeout.saturating_mul(rings);
        if whole > CALL_LENGTH_MAX {
            let message = format!(
                "{} rings for up to {}, and Vonage ends a call after {}",
                self.fields.owner,
                show(whole),
                show(CALL_LENGTH_MAX)
            );
            let advice = "name fewer agents or ring each for less".to_owned();
            self.reading
                .faults
                .fault(self.fields.span.clone(), message, Some(advice));
        }
    }
}

pub(super) fn read_say(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<String> {
    let key = item.key;
    text(reading, item, "text", |text| {
        say::parse(&text).map_err(|wrong| Wrong {
            message: format!("`{key}` cannot be said: {}", wrong.message),
            ..wrong
        })
    })
}

pub(super) fn music(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<Vec<Url>> {
    let parts = parts(item);
    if parts.is_empty() || parts.len() > MUSIC_MAX {
        let message = format!("`music` has {} addresses", parts.len());
        let advice = format!("write 1 to {MUSIC_MAX}, or leave the key out");
        reading
            .faults
            .fault(item.span.clone(), message, Some(advice));
        return None;
    }
    let urls: Vec<Option<Url>> = parts
        .iter()
        .map(|part| {
            let url = text(reading, part, "an https address", |text| address(&text))?;
            if url.scheme() == "http" {
                let message = "the music is fetched by http: anybody on the way can change it";
                let advice = "write https, if the server has it".to_owned();
                reading
                    .faults
                    .warning(part.span.clone(), message, Some(advice));
            }
            Some(url)
        })
        .collect();
    urls.into_iter().collect()
}

fn address(text: &str) -> Result<Url, Wrong> {
    let url = Url::parse(text).ok();
    url.filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
        .ok_or_else(|| {
            let message = format!("{} is no web address", quoted(text));
            Wrong::new(message, "write it like \"https://example.com/music.mp3\"")
        })
}

fn transfer(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<Transfer> {
    let way = text(reading, item, "\"inline\" or \"url\"", Ok)?;
    match way.as_str() {
        "inline" => Some(Transfer::Inline),
        "url" => Some(Transfer::Url),
        _ => {
            let message = format!("{} is no way to transfer", quoted(&way));
            let advice = one_of(reading.faults, &way, ["inline", "url"], "ways");
            reading
                .faults
                .fault(item.span.clone(), message, Some(advice));
            None
        }
    }
}
