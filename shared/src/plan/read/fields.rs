//! The keys of one table.

use super::Reading;
use crate::plan::fault::{Wrong, quoted};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table that is read key by key. What nobody asked for in the end is unknown.
pub(super) struct Fields<'d> {
    /// How messages call the table: `flow "support"`.
    pub(super) owner: String,
    pub(super) span: Range<usize>,
    table: &'d DeTable<'d>,
    asked: Vec<&'static str>,
    forgiven: bool,
}

/// A value and its key.
#[derive(Clone)]
pub(super) struct Item<'d> {
    pub(super) key: &'static str,
    pub(super) key_span: Range<usize>,
    pub(super) value: &'d DeValue<'d>,
    pub(super) span: Range<usize>,
}

impl<'d> Item<'d> {
    /// One value of a list.
    pub(super) fn part(&self, value: &'d Spanned<DeValue<'d>>) -> Self {
        Self {
            value: value.get_ref(),
            span: value.span(),
            ..self.clone()
        }
    }
}

impl<'d> Fields<'d> {
    pub(super) fn new(
        owner: impl Into<String>,
        table: &'d DeTable<'d>,
        span: Range<usize>,
    ) -> Self {
        Self {
            owner: owner.into(),
            span,
            table,
            asked: Vec::new(),
            forgiven: false,
        }
    }

    /// The value of a key, if it is there.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Item<'d>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let (name, value) = self.table.get_key_value(key)?;
        // Where the TOML reader found no value at all, it puts one at the start of the text.
        let span = if value.span().is_empty() {
            name.span()
        } else {
            value.span()
        };
        Some(Item {
            key,
            key_span: name.span(),
            value: value.get_ref(),
            span,
        })
    }

    /// Reads a key that may be left out. `None` when it is there and wrong.
    #[allow(clippy::option_option)]
    pub(super) fn optional<T>(
        &mut self,
        reading: &mut Reading<'_, '_>,
        key: &'static str,
        read: impl FnOnce(&mut Reading<'_, '_>, &Item<'d>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.take(key) {
            None => Some(None),
            Some(item) => read(reading, &item).map(Some),
        }
    }

    /// Reads a key that has to be there. `None` when it is not, or is wrong.
    pub(super) fn required<T>(
        &mut self,
        reading: &mut Reading<'_, '_>,
        key: &'static str,
        example: &str,
        read: impl FnOnce(&mut Reading<'_, '_>, &Item<'d>) -> Option<T>,
    ) -> Option<T> {
        let Some(item) = self.take(key) else {
            self.missing(reading, key, "", example);
            return None;
        };
        read(reading, &item)
    }

    /// Says that a key is not there; `why` it is needed begins with a colon, or is empty.
    pub(super) fn missing(
        &self,
        reading: &mut Reading<'_, '_>,
        key: &str,
        why: &str,
        example: &str,
    ) {
        let message = format!("{} has no `{key}`{why}", self.owner);
        let advice = Some(format!("write {example}"));
        reading
            .faults
            .absent(key, self.span.clone(), message, advice);
    }

    /// Which keys there should be is not known: none is unknown.
    pub(super) fn forgive(&mut self) {
        self.forgiven = true;
    }

    /// Says which keys nobody asked for.
    pub(super) fn done(self, reading: &mut Reading<'_, '_>) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.forgiven || self.asked.contains(&name) {
                continue;
            }
            // A key that is there already was hardly meant a second time.
            let absent = self.asked.iter().copied();
            let open: Vec<&str> = absent.filter(|k| !self.table.contains_key(*k)).collect();
            let advice = match reading.faults.nearest(name, open.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("keys are {}", self.asked.join(", ")),
            };
            let message = format!("{} has no key {}", self.owner, quoted(name));
            reading.faults.fault(key.span(), message, Some(advice));
        }
    }
}

/// Reads text. `expected` says what the text is, for a value that is none.
pub(super) fn text<T>(
    reading: &mut Reading<'_, '_>,
    item: &Item<'_>,
    expected: &str,
    parse: impl FnOnce(String) -> Result<T, Wrong>,
) -> Option<T> {
    let DeValue::String(text) = item.value else {
        let advice = match item.value {
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => {
                Some("write it in quotes".to_owned())
            }
            _ => None,
        };
        reading.mismatch(item, expected, advice);
        return None;
    };
    match parse(text.clone().into_owned()) {
        Ok(read) => Some(read),
        Err(Wrong { message, advice }) => {
            reading.faults.fault(item.span.clone(), message, advice);
            None
        }
    }
}

/// A value's type with its article.
pub(super) fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
