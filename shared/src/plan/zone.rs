//! Time zones by their IANA names, from the database built into the program: a plan checks the same
//! on every machine.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::sync::LazyLock;

static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let names = TimeZoneDatabase::bundled();
    names
        .available()
        .map(|name| name.as_str().to_owned())
        .collect()
});

pub(super) fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// The zone's whole name, where only its city was written: `London`.
pub(super) fn of_city(city: &str) -> Option<&'static str> {
    let is_city = |name: &&str| {
        let last = name.rsplit('/').next().unwrap_or_default();
        last.eq_ignore_ascii_case(city.trim()) && name.contains('/')
    };
    names().find(is_city)
}

pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
    NAMES.iter().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_those_of_the_built_in_database() {
        assert_eq!(
            zone("Europe/London").unwrap().iana_name(),
            Some("Europe/London")
        );
        assert!(zone("Europe/Londno").is_none());
        assert!(zone("").is_none());
        assert_eq!(of_city("london"), Some("Europe/London"));
        assert!(names().count() > 400);
    }
}
