//! Not faster than Vonage allows.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// New outbound legs Vonage takes in a second, before it answers 429. `connect` actions count
/// towards the same limit and cannot be seen from here, so a 429 stays possible.
///
/// See [Vonage/Voice API/Calls per second](https://developer.vonage.com/en/voice/voice-api/concepts/calls-per-second).
pub(super) const NEW_LEGS: usize = 3;

/// Other requests Vonage takes in a second.
///
/// See [Vonage/Voice API/Troubleshooting](https://developer.vonage.com/en/voice/voice-api/troubleshooting).
pub(super) const OTHER_REQUESTS: usize = 15;

/// The second over which Vonage counts, and a little for requests that bunch up on their way.
pub(super) const WINDOW: Duration = Duration::from_millis(1050);

/// Which limit a request counts towards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    NewLeg,
    Other,
}

/// Gives requests their turn, in the order in which they ask.
pub(super) struct Pace {
    new_legs: Lately<NEW_LEGS>,
    others: Lately<OTHER_REQUESTS>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            new_legs: Lately::new(),
            others: Lately::new(),
        }
    }

    /// Waits for this request's turn. `false`, at once, where that comes only after the deadline;
    /// then nothing was used up.
    pub(super) async fn turn(&self, lane: Lane, deadline: Instant) -> bool {
        let now = Instant::now();
        let turn = match lane {
            Lane::NewLeg => self.new_legs.book(now, deadline),
            Lane::Other => self.others.book(now, deadline),
        };
        match turn {
            Some(turn) => {
                sleep_until(turn).await;
                true
            }
            None => false,
        }
    }
}

/// The last `N` turns given out, past or to come.
struct Lately<const N: usize>(Mutex<VecDeque<Instant>>);

impl<const N: usize> Lately<N> {
    fn new() -> Self {
        Self(Mutex::new(VecDeque::with_capacity(N)))
    }

    /// A turn is a window after the one `N` before it, so no window ever holds more than `N`.
    fn book(&self, now: Instant, deadline: Instant) -> Option<Instant> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = turns.len() == N;
        let turn = match turns.front() {
            Some(&oldest) if full => now.max(oldest + WINDOW),
            _ => now,
        };
        if turn > deadline {
            return None;
        }
        if full {
            turns.pop_front();
        }
        turns.push_back(turn);
        Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// When each of `count` requests made at once gets its turn, in milliseconds.
    async fn turns(lane: Lane, count: usize) -> Vec<u128> {
        let pace = Arc::new(Pace::new());
        let start = Instant::now();
        let tasks: Vec<_> = (0..count)
            .map(|_| {
                let pace = Arc::clone(&pace);
                tokio::spawn(async move {
                    assert!(pace.turn(lane, start + Duration::from_secs(60)).await);
                    start.elapsed().as_millis()
                })
            })
            .collect();
        let mut times = Vec::new();
        for task in tasks {
            times.push(task.await.unwrap());
        }
        times
    }

    #[tokio::test(start_paused = true)]
    async fn three_new_legs_go_out_in_a_second() {
        assert_eq!(
            turns(Lane::NewLeg, 8).await,
            [0, 0, 0, 1050, 1050, 1050, 2100, 2100]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn fifteen_other_requests_go_out_in_a_second() {
        let times = turns(Lane::Other, 31).await;
        assert_eq!(
            [times[14], times[15], times[29], times[30]],
            [0, 1050, 1050, 2100]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_window_rolls() {
        let pace = Pace::new();
        let start = Instant::now();
        let far = start + Duration::from_secs(60);
        let mut times = Vec::new();
        for _ in 0..6 {
            assert!(pace.turn(Lane::NewLeg, far).await);
            times.push(start.elapsed().as_millis());
            tokio::time::advance(Duration::from_millis(300)).await;
        }
        // 300 ms apart while there is room; then each waits for the third before it.
        assert_eq!(times, [0, 300, 600, 1050, 1350, 1650]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_wait_is_told_at_once_and_takes_no_turn() {
        let pace = Pace::new();
        let start = Instant::now();
        for _ in 0..NEW_LEGS {
            assert!(pace.turn(Lane::NewLeg, start).await);
        }
        for _ in 0..10 {
            assert!(!pace.turn(Lane::NewLeg, start + WINDOW / 2).await);
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(pace.turn(Lane::Other, start).await, "the lanes do not mix");
        assert!(pace.turn(Lane::NewLeg, start + WINDOW).await);
        assert_eq!(start.elapsed(), WINDOW);
    }
}
