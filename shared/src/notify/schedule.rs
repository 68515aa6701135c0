//! When somebody who could not be told is tried again.

use std::time::Duration;

/// Waits between attempts. A service that is deployed anew is back in a minute, an outage may last
/// the night. Together 22 hours and 21 minutes, after which the news is old.
pub const DELAYS: [Duration; 9] = [
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(3_600),
    Duration::from_secs(3 * 3_600),
    Duration::from_secs(6 * 3_600),
    Duration::from_secs(12 * 3_600),
];

/// Attempts before it is given up: one, and one after each wait.
pub const ATTEMPTS: u32 = DELAYS.len() as u32 + 1;

/// Longest wait that a target may ask for. What asks for more is taken for down.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);

/// How long to wait after so many attempts, or `None` where it is given up. A target that asks for a
/// longer wait gets it, up to [`RETRY_AFTER_MAX`].
#[must_use]
pub fn delay(attempts: u32, asked: Option<Duration>) -> Option<Duration> {
    let own = DELAYS.get(attempts.saturating_sub(1) as usize)?;
    let asked = asked.unwrap_or_default().min(RETRY_AFTER_MAX);
    Some(asked.max(*own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_until_it_is_given_up() {
        let waits: Vec<_> = (1..).map_while(|attempts| delay(attempts, None)).collect();
        assert_eq!(waits, DELAYS);
        assert!(waits.is_sorted_by(|a, b| a < b));
        assert_eq!(delay(ATTEMPTS, None), None);
        assert_eq!(delay(u32::MAX, None), None);
        let day = Duration::from_secs(24 * 3_600);
        assert!(waits.iter().sum::<Duration>() <= day);
    }

    #[test]
    fn a_target_may_ask_for_a_longer_wait_and_not_for_ever() {
        let seconds = Duration::from_secs;
        for (attempts, asked, wait) in [
            (1, 30, seconds(30)),
            (4, 30, seconds(300)),
            (1, 0, seconds(1)),
            (1, u64::MAX, RETRY_AFTER_MAX),
            (9, 1, seconds(12 * 3_600)),
        ] {
            assert_eq!(
                delay(attempts, Some(seconds(asked))),
                Some(wait),
                "{attempts} {asked}"
            );
        }
        assert_eq!(delay(ATTEMPTS, Some(seconds(1))), None);
    }
}
