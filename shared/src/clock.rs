//! The time that decisions go by: the system's, or one that a test sets.

use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock. Clones show the same time.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// How far it is ahead of the system's clock, in milliseconds; of one that stands still, what it
    /// shows.
    ahead: Arc<AtomicI64>,
    still: bool,
}

impl Clock {
    /// A clock that stands still until it is moved or set: whoever goes by it does the same things
    /// whenever they are done.
    #[must_use]
    pub fn standing(at: Timestamp) -> Self {
        Self {
            ahead: Arc::new(AtomicI64::new(at.as_millisecond())),
            still: true,
        }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed));
        let now = self.base();
        now.saturating_add(ahead).unwrap_or(now)
    }

    /// Moves the clock on, so that nobody has to wait for what happens later.
    pub fn advance(&self, by: SignedDuration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead.fetch_add(by, Ordering::Relaxed);
    }

    /// Sets the clock, from where it goes on.
    pub fn set(&self, to: Timestamp) {
        let ahead = to.as_millisecond() - self.base().as_millisecond();
        self.ahead.store(ahead, Ordering::Relaxed);
    }

    /// What it is ahead of.
    fn base(&self) -> Timestamp {
        if self.still {
            Timestamp::UNIX_EPOCH
        } else {
            Timestamp::now()
        }
    }
}
