//! What may happen to webhooks on their way: late, twice, swapped, or only at the second attempt.

use fastrand::Rng;
use std::time::Duration;

/// Longest delay of an event. Long enough that events of one call overtake one another, short beside
/// a call.
const DELAY_MAX: Duration = Duration::from_secs(4);

/// Mishandles webhooks by a seed: the same seed, the same mishaps.
///
/// Every event does arrive in the end: Vonage makes two attempts, and here the second one succeeds.
#[derive(Debug, Clone)]
pub struct Disorder {
    random: Rng,
}

/// What happens to one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mishap {
    /// It sets out so much later. What sets out after it may overtake it.
    pub(crate) delay: Duration,
    /// The first attempt gets lost: the second follows when the reply is overdue.
    pub(crate) lost: bool,
    /// It arrives again so much later.
    pub(crate) again: Option<Duration>,
}

impl Disorder {
    /// By this seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
        }
    }

    /// What happens to the next event: one in three is late, one in seven comes twice, one in ten
    /// gets lost at first.
    pub(crate) fn of_event(&mut self) -> Mishap {
        let late = self.random.u8(..3) == 0;
        let delay = if late { self.time() } else { Duration::ZERO };
        let again = (self.random.u8(..7) == 0).then(|| self.time());
        let lost = self.random.u8(..10) == 0;
        Mishap { delay, lost, again }
    }

    /// Whether the reply to a webhook that wants a script gets lost, so that it is asked again: one in
    /// eight.
    pub(crate) fn loses_reply(&mut self) -> bool {
        self.random.u8(..8) == 0
    }

    fn time(&mut self) -> Duration {
        let most = u64::try_from(DELAY_MAX.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.random.u64(1..=most))
    }
}
