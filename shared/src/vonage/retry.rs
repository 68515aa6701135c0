//! Whether to try again, and when.

use std::time::Duration;

/// Tries after the first. A caller listens to silence meanwhile, so two and no more.
pub const RETRIES_MAX: u32 = 2;

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// The request never left: no connection was made.
    NotSent,
    /// It was sent, and no whole answer came. It may have been carried out.
    NoAnswer,
    /// Vonage answered with this status.
    Status(u16),
    /// A 400 about a leg so young that Vonage may still be building it.
    ///
    /// See [Vonage support, 10359615124380](https://api.support.vonage.com/hc/en-us/articles/10359615124380).
    Unsettled,
}

/// Whether doing it twice does harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The second time changes nothing: a look-up, a transfer, a hang-up.
    Safe,
    /// The second time shows: another phone rings, a key is pressed twice.
    Unsafe,
}

/// How long to wait before trying again, or `None` where one should not. `n` counts the retries made.
///
/// What was not sent, or was turned away, may always be tried again; what may have been carried out
/// only if a repetition is safe. Each wait is twice the one before.
#[must_use]
pub fn wait_before_retry(attempt: Attempt, repeat: Repeat, n: u32) -> Option<Duration> {
    if n >= RETRIES_MAX {
        return None;
    }
    let first = match (attempt, repeat) {
        // Another address or a name server's second answer is worth trying at once.
        (Attempt::NotSent, _) => 100,
        // Vonage counts over a rolling second, which both waits together outlast.
        (Attempt::Status(429), _) => 400,
        // A leg settles within two seconds, which both waits together outlast.
        (Attempt::Unsettled, _) => 700,
        (Attempt::NoAnswer | Attempt::Status(500..=599), Repeat::Safe) => 200,
        _ => return None,
    };
    Some(Duration::from_millis(first << n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(attempt: Attempt, repeat: Repeat, milliseconds: [Option<u64>; 3]) {
        for (n, expected) in (0..).zip(milliseconds) {
            let wait = wait_before_retry(attempt, repeat, n);
            assert_eq!(
                wait,
                expected.map(Duration::from_millis),
                "{attempt:?} {repeat:?} {n}"
            );
        }
    }

    #[test]
    fn what_was_not_carried_out_is_tried_again() {
        for repeat in [Repeat::Safe, Repeat::Unsafe] {
            check(Attempt::NotSent, repeat, [Some(100), Some(200), None]);
            check(Attempt::Status(429), repeat, [Some(400), Some(800), None]);
            check(Attempt::Unsettled, repeat, [Some(700), Some(1400), None]);
        }
    }

    #[test]
    fn what_may_have_been_carried_out_is_tried_again_only_where_that_is_safe() {
        for attempt in [
            Attempt::NoAnswer,
            Attempt::Status(500),
            Attempt::Status(503),
            Attempt::Status(599),
        ] {
            check(attempt, Repeat::Safe, [Some(200), Some(400), None]);
            check(attempt, Repeat::Unsafe, [None, None, None]);
        }
    }

    #[test]
    fn what_would_fail_again_is_not_tried_again() {
        for status in [200, 302, 400, 401, 403, 404, 409, 422, 428, 430, 499, 600] {
            check(Attempt::Status(status), Repeat::Safe, [None, None, None]);
            check(Attempt::Status(status), Repeat::Unsafe, [None, None, None]);
        }
    }

    #[test]
    fn the_waits_outlast_what_they_wait_for() {
        let sum = |attempt| -> Duration {
            (0..)
                .map_while(|n| wait_before_retry(attempt, Repeat::Unsafe, n))
                .sum()
        };
        assert!(sum(Attempt::Status(429)) > super::super::pace::WINDOW);
        assert!(sum(Attempt::Unsettled) > super::super::LEG_SETTLES_WITHIN);
    }
}
