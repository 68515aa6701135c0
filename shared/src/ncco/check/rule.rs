//! What a single value must be.

use super::report::Report;
use crate::id::{ConversationId, LegId};
use crate::ncco::wire;
use crate::number::PhoneNumber;
use serde_json::Value;
use std::ops::RangeInclusive;
use std::time::Duration;
use url::Url;

/// Most characters of a foreign text that are repeated in a message: enough to know a misspelt
/// word by, too few for a token.
const SHOWN_MAX: usize = 24;

/// A foreign text, short and on one line.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(SHOWN_MAX).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("'{}{more}'", short.escape_debug())
}

fn wrong_type(report: &mut Report, value: &Value, wanted: &str) {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    report.fault(format_args!("must be {wanted}, not {found}"));
}

pub(super) fn array<'a>(report: &mut Report, value: &'a Value) -> Option<&'a Vec<Value>> {
    let array = value.as_array();
    if array.is_none() {
        wrong_type(report, value, "an array");
    }
    array
}

pub(super) fn object<'a>(
    report: &mut Report,
    value: &'a Value,
) -> Option<&'a serde_json::Map<String, Value>> {
    let object = value.as_object();
    if object.is_none() {
        wrong_type(report, value, "an object");
    }
    object
}

pub(super) fn string<'a>(report: &mut Report, value: &'a Value) -> Option<&'a str> {
    let text = value.as_str();
    if text.is_none() {
        wrong_type(report, value, "text");
    }
    text
}

pub(super) fn any_object(report: &mut Report, value: &Value) {
    object(report, value);
}

pub(super) fn text(report: &mut Report, value: &Value) {
    string(report, value);
}

pub(super) fn filled(report: &mut Report, value: &Value) {
    if string(report, value).is_some_and(|text| text.trim().is_empty()) {
        report.fault("must not be empty");
    }
}

pub(super) fn flag(report: &mut Report, value: &Value) {
    if !value.is_boolean() {
        wrong_type(report, value, "true or false");
    }
}

pub(super) fn one_of(words: &'static [&'static str]) -> impl Fn(&mut Report, &Value) {
    move |report, value| {
        if let Some(text) = string(report, value)
            && !words.contains(&text)
        {
            let all = words.join("', '");
            let only = if words.len() == 1 { "" } else { "one of " };
            report.fault(format_args!("must be {only}'{all}', not {}", shown(text)));
        }
    }
}

/// Every element of an array.
pub(super) fn each(rule: impl Fn(&mut Report, &Value)) -> impl Fn(&mut Report, &Value) {
    move |report, value| {
        for (position, element) in array(report, value).into_iter().flatten().enumerate() {
            report.at(position, |report| rule(report, element));
        }
    }
}

/// An array of exactly one element.
pub(super) fn one(rule: impl Fn(&mut Report, &Value)) -> impl Fn(&mut Report, &Value) {
    move |report, value| match array(report, value).map(Vec::as_slice) {
        None => {}
        Some([element]) => report.at(0, |report| rule(report, element)),
        Some(elements) => {
            report.fault(format_args!(
                "must hold exactly one element, not {}",
                elements.len()
            ));
        }
    }
}

// Numbers

fn number(report: &mut Report, value: &Value, wanted: &str) -> Option<f64> {
    let number = wire::number(value);
    match (value, number) {
        (Value::String(_), Some(_)) => report.warning("is a number written as text"),
        (Value::String(text), None) => {
            report.fault(format_args!("must be {wanted}, not {}", shown(text)));
        }
        (_, None) => wrong_type(report, value, wanted),
        _ => {}
    }
    number
}

fn whole_number(report: &mut Report, value: &Value) -> Option<f64> {
    let number = number(report, value, "a whole number")?;
    if number.fract() != 0.0 {
        report.fault("must be a whole number");
        return None;
    }
    Some(number)
}

fn outside(value: &Value, range: &RangeInclusive<f64>, unit: &str) -> String {
    let found = match value {
        Value::String(text) => shown(text),
        other => other.to_string(),
    };
    format!(
        "must be {} to {}{unit}, not {found}",
        range.start(),
        range.end()
    )
}

fn in_seconds(range: &RangeInclusive<Duration>) -> RangeInclusive<f64> {
    range.start().as_secs_f64()..=range.end().as_secs_f64()
}

/// A whole number in the range.
pub(super) fn count(range: RangeInclusive<u32>) -> impl Fn(&mut Report, &Value) {
    tolerant_count(range.clone(), range)
}

/// A whole number in the inner range; one in the outer range is only warned about.
pub(super) fn tolerant_count(
    inner: RangeInclusive<u32>,
    outer: RangeInclusive<u32>,
) -> impl Fn(&mut Report, &Value) {
    let decimal = |range: RangeInclusive<u32>| f64::from(*range.start())..=f64::from(*range.end());
    let (inner, outer) = (decimal(inner), decimal(outer));
    move |report, value| {
        if let Some(number) = whole_number(report, value) {
            within(report, value, number, (&inner, &outer), "");
        }
    }
}

/// Whole seconds in the range.
pub(super) fn whole_seconds(range: RangeInclusive<Duration>) -> impl Fn(&mut Report, &Value) {
    tolerant_seconds(range.clone(), range)
}

/// Whole seconds in the inner range; those in the outer range are only warned about.
pub(super) fn tolerant_seconds(
    inner: RangeInclusive<Duration>,
    outer: RangeInclusive<Duration>,
) -> impl Fn(&mut Report, &Value) {
    let (inner, outer) = (in_seconds(&inner), in_seconds(&outer));
    move |report, value| {
        if let Some(number) = whole_number(report, value) {
            within(report, value, number, (&inner, &outer), " seconds");
        }
    }
}

/// Seconds, which may have a fraction, in the range.
pub(super) fn seconds(range: RangeInclusive<Duration>) -> impl Fn(&mut Report, &Value) {
    let range = in_seconds(&range);
    move |report, value| {
        if let Some(number) = number(report, value, "a number") {
            within(report, value, number, (&range, &range), " seconds");
        }
    }
}

/// As [`seconds`], where Vonage takes the nearer end for what is outside.
pub(super) fn clamped_seconds(range: RangeInclusive<Duration>) -> impl Fn(&mut Report, &Value) {
    let range = in_seconds(&range);
    let any = f64::MIN..=f64::MAX;
    move |report, value| {
        if let Some(number) = number(report, value, "a number") {
            within(report, value, number, (&range, &any), " seconds");
        }
    }
}

/// A number, which may have a fraction, in the range.
pub(super) fn decimal(range: RangeInclusive<f64>) -> impl Fn(&mut Report, &Value) {
    move |report, value| {
        if let Some(number) = number(report, value, "a number") {
            within(report, value, number, (&range, &range), "");
        }
    }
}

/// As [`decimal`], in steps: so many of them in 1.
pub(super) fn stepped(range: RangeInclusive<f64>, steps: f64) -> impl Fn(&mut Report, &Value) {
    let in_range = decimal(range);
    move |report, value| {
        in_range(report, value);
        // The tolerance is that of 0.1 itself, which a binary number cannot hold.
        if wire::number(value).is_some_and(|n| ((n * steps) - (n * steps).round()).abs() > 1e-9) {
            report.warning(format_args!(
                "is finer than the steps of {} that count",
                1.0 / steps
            ));
        }
    }
}

fn within(
    report: &mut Report,
    value: &Value,
    number: f64,
    (inner, outer): (&RangeInclusive<f64>, &RangeInclusive<f64>),
    unit: &str,
) {
    if !outer.contains(&number) {
        report.fault(outside(value, inner, unit));
    } else if !inner.contains(&number) {
        report.warning(outside(value, inner, unit));
    }
}

// Addresses

/// An absolute http(s) URL. Its text is never repeated: it may carry a token.
pub(super) fn url(report: &mut Report, value: &Value) {
    let Some(text) = string(report, value) else {
        return;
    };
    match Url::parse(text).ok().as_ref().map(Url::scheme) {
        Some("https") => {}
        Some("http") => report.warning("is not encrypted: use https"),
        _ => report.fault("must be an absolute http or https URL"),
    }
}

/// As [`url()`], for what has also been sent as an array of one.
pub(super) fn url_or_one(report: &mut Report, value: &Value) {
    match value.as_array().map(Vec::as_slice) {
        Some([element]) => {
            report.warning("is an array: write the URL alone");
            report.at(0, |report| url(report, element));
        }
        _ => url(report, value),
    }
}

/// The address of a websocket.
pub(super) fn websocket(report: &mut Report, value: &Value) {
    let Some(text) = string(report, value) else {
        return;
    };
    match Url::parse(text).ok().as_ref().map(Url::scheme) {
        Some("wss") => {}
        Some("ws") => report.warning("is not encrypted: use wss"),
        _ => report.fault("must be an absolute ws or wss URL"),
    }
}

/// A SIP address.
pub(super) fn sip(report: &mut Report, value: &Value) {
    let Some(text) = string(report, value) else {
        return;
    };
    let rest = text.split_once(':').filter(|(scheme, _)| {
        scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips")
    });
    if rest.is_none_or(|(_, address)| address.trim().is_empty()) {
        report.fault("must be an address that starts with 'sip:' or 'sips:'");
    }
}

/// A phone number as Vonage writes it. Its digits are never repeated.
pub(super) fn phone(report: &mut Report, value: &Value) {
    if let Some(text) = string(report, value)
        && let Some(wrong) = not_a_number(text)
    {
        report.fault(wrong);
    }
}

/// The number shown to someone who is not rung at a phone: any text passes there.
pub(super) fn any_caller(report: &mut Report, value: &Value) {
    if let Some(text) = string(report, value)
        && let Some(wrong) = not_a_number(text)
    {
        report.warning(wrong);
    }
}

fn not_a_number(text: &str) -> Option<String> {
    match PhoneNumber::parse(text) {
        Ok(number) if number.as_str() == text => None,
        // What our own reading forgives, Vonage does not.
        Ok(_) => Some("a phone number has digits only, without + and spaces".into()),
        Err(wrong) => Some(wrong.to_string()),
    }
}

pub(super) fn leg(report: &mut Report, value: &Value) {
    if let Some(text) = string(report, value)
        && let Err(wrong) = LegId::new(text)
    {
        report.fault(wrong);
    }
}

pub(super) fn conversation(report: &mut Report, value: &Value) {
    if let Some(text) = string(report, value)
        && let Err(wrong) = ConversationId::new(text)
    {
        report.fault(wrong);
    }
}
