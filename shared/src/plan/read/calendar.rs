//! Windows, closed days and zones: when somebody is there.

use super::fields::{Fields, Item, text};
use super::{Reading, parts, read_zone};
use crate::plan::fault::quoted;
use crate::plan::window::overlaps;
use crate::plan::{DateRange, Window};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use toml::de::DeValue;

/// Reads windows. `never` says what comes of an empty list, `advice` what to do about it.
pub(super) fn windows(
    reading: &mut Reading<'_, '_>,
    item: &Item<'_>,
    never: &str,
    advice: String,
) -> Option<Vec<Window>> {
    let parts = parts(item);
    if parts.is_empty() {
        let message = format!("`{}` is empty: {never}", item.key);
        reading
            .faults
            .fault(item.span.clone(), message, Some(advice));
        return None;
    }
    let read = |part: &Item<'_>| text(reading, part, "a window", |text| text.parse::<Window>());
    let windows: Vec<Option<Window>> = parts.iter().map(read).collect();
    let (places, read): (Vec<&Item<'_>>, Vec<Window>) = parts
        .iter()
        .zip(&windows)
        .filter_map(|(p, w)| Some((p, (*w)?)))
        .unzip();
    for (later, earlier) in overlaps(&read) {
        let words = |item: &Item<'_>| quoted(item.value.as_str().unwrap_or_default());
        let (one, other) = (words(places[later]), words(places[earlier]));
        let message = format!("the window {one} overlaps with {other}");
        let advice = "let one end where the other begins".to_owned();
        reading
            .faults
            .fault(places[later].span.clone(), message, Some(advice));
    }
    windows.into_iter().collect()
}

/// Reads the zone of windows: its own, or the plan's.
pub(super) fn timezone(reading: &mut Reading<'_, '_>, fields: &mut Fields<'_>) -> Option<TimeZone> {
    let zone = fields.optional(reading, "timezone", read_zone)?;
    let zone = zone.or_else(|| reading.defaults.timezone.clone());
    if zone.is_none() {
        let why = ", and [defaults] has none";
        let example = "timezone = \"Europe/London\" here or under [defaults]";
        fields.missing(reading, "timezone", why, example);
    }
    zone
}

/// Reads days on which nobody is there.
pub(super) fn closed_on(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<Vec<DateRange>> {
    let parts = parts(item);
    let days: Vec<Option<DateRange>> = parts
        .iter()
        .map(|part| {
            let days = match date_of(part.value) {
                Some(day) => DateRange::from(day),
                None => text(reading, part, "a date", |text| text.parse())?,
            };
            if reading.today.is_some_and(|today| days.last() < today) {
                let message = format!("{} is past", days.last());
                let advice = "write next year's date, or take it out".to_owned();
                reading
                    .faults
                    .warning(part.span.clone(), message, Some(advice));
            }
            Some(days)
        })
        .collect();
    days.into_iter().collect()
}

/// A date as TOML itself writes it, without quotes.
fn date_of(value: &DeValue<'_>) -> Option<Date> {
    let time = value.as_datetime()?;
    if time.time.is_some() || time.offset.is_some() {
        return None;
    }
    let date = time.date?;
    let year = i16::try_from(date.year).ok()?;
    let (month, day) = (i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
    Date::new(year, month, day).ok()
}
