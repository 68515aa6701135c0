//! Flows of type `menu`.

use super::fields::{Item, text};
use super::flow::{Body, read_say};
use super::{Node, Reading, parts, read_language_code};
use crate::plan::fault::quoted;
use crate::plan::menu::{
    ALSO_MAX, PHRASE_LENGTH_MAX, PHRASES_MAX, TIMEOUT, TIMEOUT_DEFAULT, TRIES, TRIES_DEFAULT, words,
};
use crate::plan::{FlowName, Key, Menu, Phrase};
use std::collections::{BTreeMap, BTreeSet};
use toml::de::DeTable;

const KEYS_EXAMPLE: &str = "write keys = { 1 = \"NAME\", 2 = \"NAME\" } with names of flows";
const SPEECH_EXAMPLE: &str = "write speech = { NAME = [\"word\", \"a few words\"] }";
const ALSO_EXAMPLE: &str = "write also-say = { fr-FR = \"…\" }";

impl Body<'_, '_, '_, '_> {
    pub(super) fn menu(&mut self) -> Option<Menu> {
        let say = self.say("say");
        let also_say = self.fields.optional(self.reading, "also-say", also_say);
        let (fields, node) = (&mut self.fields, &mut *self.node);
        let keys = fields.optional(self.reading, "keys", |reading, item| {
            keys(reading, node, item)
        });
        let speech = fields.optional(self.reading, "speech", |reading, item| {
            speech(reading, node, item)
        });
        self.node.exits_lost |= keys.is_none() || speech.is_none();
        let no_input = self.optional_say("no-input");
        let wrong_input = self.optional_say("wrong-input");
        let tries = self.fields.optional(self.reading, "tries", tries);
        let timeout = self.duration("timeout", TIMEOUT);
        let otherwise = self.exit("otherwise");
        if let (Some(None), Some(None)) = (&keys, &speech) {
            let why = " and no `speech`: there is nothing to choose";
            let example = "keys = { 1 = \"NAME\" }";
            self.fields.missing(self.reading, "keys", why, example);
        }
        Some(Menu {
            say: say?,
            also_say: also_say?.unwrap_or_default(),
            keys: keys?.unwrap_or_default(),
            speech: speech?.unwrap_or_default(),
            no_input: no_input?,
            wrong_input: wrong_input?,
            tries: tries?.unwrap_or(TRIES_DEFAULT),
            timeout: timeout?.unwrap_or(TIMEOUT_DEFAULT),
            otherwise: otherwise?,
        })
    }
}

/// A table inside a flow, with at least one entry; in the order of the text.
fn entries<'d>(
    reading: &mut Reading<'_, '_>,
    item: &Item<'d>,
    example: &str,
) -> Option<Vec<(&'d str, Item<'d>, Item<'d>)>> {
    let advice = || Some(example.to_owned());
    let Some(table): Option<&'d DeTable<'d>> = item.value.as_table() else {
        reading.mismatch(item, "a table", advice());
        return None;
    };
    if table.is_empty() {
        let message = format!("`{}` is empty", item.key);
        reading.faults.fault(item.span.clone(), message, advice());
        return None;
    }
    let mut entries: Vec<_> = table
        .iter()
        .map(|(name, value)| {
            let named = Item {
                span: name.span(),
                ..item.clone()
            };
            let name: &'d str = name.get_ref();
            (name, named, item.part(value))
        })
        .collect();
    entries.sort_by_key(|(_, named, _)| named.span.start);
    Some(entries)
}

fn also_say(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<Vec<(String, String)>> {
    let entries = entries(reading, item, ALSO_EXAMPLE)?;
    if entries.len() > ALSO_MAX {
        let message = format!("`also-say` has {} languages", entries.len());
        let advice = format!("write at most {ALSO_MAX}: all of them are said to everybody");
        reading
            .faults
            .fault(item.span.clone(), message, Some(advice));
        return None;
    }
    let read: Vec<Option<_>> = entries
        .iter()
        .map(|(code, named, value)| {
            let language = read_language_code(reading, code, &named.span);
            let text = read_say(reading, value);
            language.zip(text)
        })
        .collect();
    read.into_iter().collect()
}

fn keys(
    reading: &mut Reading<'_, '_>,
    node: &mut Node,
    item: &Item<'_>,
) -> Option<BTreeMap<Key, FlowName>> {
    let entries = entries(reading, item, KEYS_EXAMPLE)?;
    let read: Vec<Option<_>> = entries
        .iter()
        .map(|(name, named, value)| {
            let key = Key::parse(name);
            if key.is_none() {
                let message = format!("{} is no key of a phone", quoted(name));
                let advice = "keys are 0 to 9, \"*\" and \"#\"".to_owned();
                reading
                    .faults
                    .fault(named.span.clone(), message, Some(advice));
            }
            key.zip(choice(reading, node, value))
        })
        .collect();
    read.into_iter().collect()
}

/// A flow to which a caller's choice leads.
fn choice(reading: &mut Reading<'_, '_>, node: &mut Node, value: &Item<'_>) -> Option<FlowName> {
    let (flow, reference) = reading.flow_name(value)?;
    node.choices.push(reference);
    flow
}

fn speech(reading: &mut Reading<'_, '_>, node: &mut Node, item: &Item<'_>) -> Option<Vec<Phrase>> {
    let entries = entries(reading, item, SPEECH_EXAMPLE)?;
    let mut phrases = Vec::new();
    let mut seen = BTreeSet::new();
    let mut sound = true;
    for (name, named, value) in &entries {
        let flow = FlowName::new(*name).ok();
        node.choices.push(super::Reference {
            to: (*name).to_owned(),
            span: named.span.clone(),
        });
        let spoken = parts(value);
        if spoken.is_empty() {
            let message = format!("{} has no words: nobody could say it", quoted(name));
            let advice = Some(SPEECH_EXAMPLE.to_owned());
            reading.faults.fault(value.span.clone(), message, advice);
            sound = false;
        }
        for part in spoken {
            let read = text(reading, &part, "a word or a few", Ok);
            let read = read.and_then(|text| phrase(reading, &part, &text, &mut seen));
            match (&flow, read) {
                (Some(flow), Some(words)) => phrases.push(Phrase {
                    words,
                    flow: flow.clone(),
                }),
                _ => sound = false,
            }
        }
    }
    if phrases.len() > PHRASES_MAX {
        let message = format!("`speech` has {} phrases", phrases.len());
        let advice = format!("write at most {PHRASES_MAX}");
        reading
            .faults
            .fault(item.span.clone(), message, Some(advice));
        return None;
    }
    sound.then_some(phrases)
}

fn phrase(
    reading: &mut Reading<'_, '_>,
    part: &Item<'_>,
    text: &str,
    seen: &mut BTreeSet<Vec<String>>,
) -> Option<Vec<String>> {
    let words = words(text);
    let (message, advice) = if words.is_empty() {
        let message = format!("{} is no word", quoted(text));
        (message, "write what people say, in letters".to_owned())
    } else if text.chars().count() > PHRASE_LENGTH_MAX {
        let message = format!("the phrase has {} characters", text.chars().count());
        (message, format!("write at most {PHRASE_LENGTH_MAX}"))
    } else if !seen.insert(words.clone()) {
        let message = format!("{} is there twice", quoted(text));
        (message, "let each word lead to one flow".to_owned())
    } else {
        return Some(words);
    };
    reading
        .faults
        .fault(part.span.clone(), message, Some(advice));
    None
}

fn tries(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<u8> {
    let expected = "a whole number";
    let Some(number) = item.value.as_integer() else {
        reading.mismatch(item, expected, None);
        return None;
    };
    let number = i64::from_str_radix(number.as_str(), number.radix()).ok();
    let tries = number.filter(|number| TRIES.contains(number));
    if tries.is_none() {
        let message = "`tries` is out of range";
        let advice = format!("write {} to {}", TRIES.start(), TRIES.end());
        reading
            .faults
            .fault(item.span.clone(), message, Some(advice));
    }
    tries.and_then(|tries| u8::try_from(tries).ok())
}
