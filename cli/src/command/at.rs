//! A moment, as a person writes it.

use anyhow::Context as _;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::str::FromStr;
use switchboard_shared::plan::calendar;

/// With its offset or zone, or by the clock of the plan's zone.
#[derive(Debug, Clone)]
pub(super) enum At {
    Instant(Timestamp),
    Wall(DateTime),
}

impl FromStr for At {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let zoned = || text.parse::<Zoned>().map(|at| at.timestamp());
        if let Ok(at) = text.parse().or_else(|_| zoned()) {
            return Ok(Self::Instant(at));
        }
        text.parse()
            .map(Self::Wall)
            .map_err(|_| "write it like 2026-12-25T10:00")
    }
}

impl At {
    pub(super) fn moment(&self, zone: Option<&TimeZone>) -> anyhow::Result<Timestamp> {
        match self {
            Self::Instant(at) => Ok(*at),
            Self::Wall(wall) => calendar::instant(zone.unwrap_or(&TimeZone::UTC), *wall)
                .context("there is no such moment"),
        }
    }
}
