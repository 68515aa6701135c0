//! Where the wire differs from Rust: seconds for durations, arrays of one for single values.
//!
//! Reading forgives a number written as text, as some of Vonage's own SDKs write it.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::Value;
use std::time::Duration;

/// The number that a JSON value holds, be it written as a number or as text.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite())
}

/// The number, if it is whole and not negative.
pub(super) fn whole(number: f64) -> Option<u64> {
    (number >= 0.0 && number.fract() == 0.0 && number < u64::MAX as f64).then_some(number as u64)
}

/// Reads a count: a whole number that the field can hold.
pub(super) fn count<'de, D, N>(deserializer: D) -> Result<Option<N>, D::Error>
where
    D: Deserializer<'de>,
    N: TryFrom<u64>,
{
    optional(
        deserializer,
        "a whole number that is not negative",
        |value| {
            number(value)
                .and_then(whole)
                .and_then(|n| N::try_from(n).ok())
        },
    )
}

/// Reads a number that may have a fraction.
pub(super) fn decimal<'de, D: Deserializer<'de>>(d: D) -> Result<Option<f64>, D::Error> {
    optional(d, "a number", number)
}

/// Reads text that may also stand in an array of one.
pub(super) fn text_or_one<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    optional(d, "text", |value| match value {
        Value::Array(items) if items.len() == 1 => items[0].as_str().map(str::to_owned),
        _ => value.as_str().map(str::to_owned),
    })
}

/// Seconds without fractions. A fraction is rounded up, so that a short time does not become none.
pub(super) mod whole_seconds {
    use super::{Deserializer, Duration, number, optional, whole};
    use serde::{Serialize, Serializer};

    pub(in crate::ncco) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration
            .map(|d| d.as_secs().saturating_add(u64::from(d.subsec_nanos() > 0)))
            .serialize(serializer)
    }

    pub(in crate::ncco) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        optional(deserializer, "whole seconds", |value| {
            number(value).and_then(whole).map(Duration::from_secs)
        })
    }
}

/// Seconds with fractions. Reading goes to the nearest end of what a duration can be.
pub(super) mod seconds {
    use super::{Deserializer, Duration, number, optional};
    use serde::Serializer;

    pub(in crate::ncco) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            None => serializer.serialize_none(),
            Some(d) if d.subsec_nanos() == 0 => serializer.serialize_u64(d.as_secs()),
            Some(d) => serializer.serialize_f64(d.as_secs_f64()),
        }
    }

    pub(in crate::ncco) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        optional(deserializer, "seconds", |value| {
            let seconds = number(value)?.max(0.0);
            Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
        })
    }
}

/// A value that Vonage wants as an array of one.
pub(super) mod one {
    use serde::de::{Deserialize, Deserializer};
    use serde::{Serialize, Serializer};

    pub(in crate::ncco) fn serialize<T: Serialize, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        [value].serialize(serializer)
    }

    pub(in crate::ncco) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let [value] = <[T; 1]>::deserialize(deserializer)?;
        Ok(value)
    }
}

/// As [`one`], for what may be left out.
pub(super) mod one_if_any {
    use serde::de::{Deserialize, Deserializer};
    use serde::{Serialize, Serializer};

    pub(in crate::ncco) fn serialize<T: Serialize, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(|value| [value]).serialize(serializer)
    }

    pub(in crate::ncco) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        Ok(<Option<[T; 1]>>::deserialize(deserializer)?.map(|[value]| value))
    }
}

/// Reads through a JSON value; `null` is as good as left out.
fn optional<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    wanted: &str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(None);
    }
    let read = read(&value);
    read.map(Some)
        .ok_or_else(|| Error::custom(format_args!("is not {wanted}")))
}

/// Reads what it can and takes the rest for nothing: for values that Vonage lets pass, and shows
/// to nobody.
pub(super) fn if_readable<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use serde_json::json;

    #[derive(Debug, Default, PartialEq, Serialize, serde::Deserialize)]
    struct Times {
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            with = "whole_seconds"
        )]
        whole: Option<Duration>,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "seconds")]
        parts: Option<Duration>,
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "count"
        )]
        times: Option<u8>,
    }

    #[test]
    fn seconds_are_whole_where_vonage_takes_no_fractions() {
        let time = Some(Duration::from_millis(1400));
        let json = serde_json::to_value(Times {
            whole: time,
            parts: time,
            times: None,
        })
        .unwrap();
        assert_eq!(json, json!({"whole": 2, "parts": 1.4}));
        let time = Some(Duration::from_secs(3));
        let json = serde_json::to_value(Times {
            whole: time,
            parts: time,
            times: None,
        })
        .unwrap();
        assert_eq!(json, json!({"whole": 3, "parts": 3}));
    }

    #[test]
    fn a_number_as_text_is_read_and_nonsense_is_not() {
        let read = |json| serde_json::from_value::<Times>(json).ok();
        let times = |times| {
            Some(Times {
                times,
                ..Times::default()
            })
        };
        assert_eq!(read(json!({"times": "0"})), times(Some(0)));
        assert_eq!(read(json!({"times": 2.0})), times(Some(2)));
        assert_eq!(read(json!({"times": null})), times(None));
        for wrong in [
            json!(-1),
            json!(1.5),
            json!(256),
            json!("many"),
            json!("inf"),
            json!([1]),
        ] {
            assert_eq!(read(json!({ "times": wrong })), None);
        }
        let whole = read(json!({"whole": "20", "parts": "0.5"})).unwrap();
        assert_eq!(whole.whole, Some(Duration::from_secs(20)));
        assert_eq!(whole.parts, Some(Duration::from_millis(500)));
        let far = read(json!({"parts": 1e300})).unwrap();
        assert_eq!(far.parts, Some(Duration::MAX));
    }
}
