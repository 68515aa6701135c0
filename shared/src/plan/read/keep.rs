//! How long things are kept: `[keep]`.

use super::Reading;
use super::fields::{Fields, Item, text};
use crate::plan::keep::{Keep, time, time_or_forever};

/// Reads `[keep]`. What is wrong in it has its fault, and stands for what holds without it.
pub(super) fn read(reading: &mut Reading<'_, '_>, item: Option<Item<'_>>) -> Keep {
    let mut keep = Keep::default();
    let Some(item) = item else { return keep };
    let Some(table) = item.value.as_table() else {
        let advice = "write [keep] and the keys below it".to_owned();
        reading.mismatch(&item, "a table", Some(advice));
        return keep;
    };
    let mut fields = Fields::new("[keep]", table, item.span.clone());
    let ledger = fields.optional(reading, "ledger", |reading, item| {
        text(reading, item, "a time", |words| time(&words))
    });
    let recordings = fields.optional(reading, "recordings", |reading, item| {
        text(reading, item, "a time", |words| time_or_forever(&words))
    });
    fields.done(reading);
    if let Some(Some(ledger)) = ledger {
        keep.ledger = ledger;
    }
    if let Some(Some(recordings)) = recordings {
        keep.recordings = recordings;
    }
    keep
}
