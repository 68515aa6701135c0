//! How often something is played.

use super::Refused;
use super::object::Object;

/// `loop` of a talk or a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// So many times, at least once. Once by default.
    Count(u32),
    /// Until something ends it. The wire's 0.
    Forever,
}

impl Times {
    pub(super) fn read(object: &Object<'_>) -> Result<Self, Refused> {
        // No upper end is documented; four thousand million is where our number ends.
        let count = object.whole("loop", 0..=u64::from(u32::MAX))?.unwrap_or(1);
        Ok(
            match u32::try_from(count).expect("the range ends where the type does") {
                0 => Self::Forever,
                count => Self::Count(count),
            },
        )
    }

    /// The end of a summary: nothing for once.
    pub(super) fn ending(self) -> String {
        match self {
            Self::Count(1) => String::new(),
            Self::Count(count) => format!(", {count} times"),
            Self::Forever => ", for ever".to_owned(),
        }
    }
}
