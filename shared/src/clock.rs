//! The time that decisions go by: the system's, or one that a test sets.

use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock. Clones show the same time.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// How far it is ahead of the system's clock, in milliseconds.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed));
        let now = Timestamp::now();
        now.saturating_add(ahead).unwrap_or(now)
    }

    /// Moves the clock on, so that nobody has to wait for what happens later.
    pub fn advance(&self, by: SignedDuration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead.fetch_add(by, Ordering::Relaxed);
    }

    /// Sets the clock, from where it goes on.
    pub fn set(&self, to: Timestamp) {
        let ahead = to.as_millisecond() - Timestamp::now().as_millisecond();
        self.ahead.store(ahead, Ordering::Relaxed);
    }
}
