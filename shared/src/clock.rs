//! The time that decisions go by: the system's, or one that a test sets.

use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A clock. Clones show the same time, and know of the same sleepers.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// How far it is ahead of the system's clock, in milliseconds; of one that stands still, what it
    /// shows.
    ahead: Arc<AtomicI64>,
    still: bool,
    sleepers: Arc<Sleepers>,
}

/// Whoever waits for a moment of a clock.
#[derive(Debug, Default)]
struct Sleepers {
    /// What each alarm is set to.
    alarms: Mutex<BTreeMap<u64, Timestamp>>,
    last: AtomicU64,
    /// Changes when the clock was moved, or an alarm was set.
    moved: watch::Sender<()>,
}

impl Sleepers {
    fn alarms(&self) -> MutexGuard<'_, BTreeMap<u64, Timestamp>> {
        // Nothing in between can panic, so what another thread left is whole.
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock {
    /// A clock that stands still until it is moved or set: whoever goes by it does the same things
    /// whenever they are done.
    #[must_use]
    pub fn standing(at: Timestamp) -> Self {
        Self {
            ahead: Arc::new(AtomicI64::new(at.as_millisecond())),
            still: true,
            sleepers: Arc::default(),
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
        self.sleepers.moved.send_replace(());
    }

    /// Sets the clock, from where it goes on.
    pub fn set(&self, to: Timestamp) {
        let ahead = to.as_millisecond() - self.base().as_millisecond();
        self.ahead.store(ahead, Ordering::Relaxed);
        self.sleepers.moved.send_replace(());
    }

    /// Sleeps for a time of this clock.
    pub async fn sleep(&self, time: Duration) {
        self.sleep_until(self.after(time)).await;
    }

    /// Sleeps until the clock shows a moment: as long as the clock needs to get there, or until
    /// somebody moves it there.
    pub async fn sleep_until(&self, moment: Timestamp) {
        let alarm = self.alarm();
        alarm.set(Some(moment));
        alarm.rings().await;
    }

    /// The moment that comes after a time of this clock.
    #[must_use]
    pub fn after(&self, time: Duration) -> Timestamp {
        let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        self.now().saturating_add(time).unwrap_or(Timestamp::MAX)
    }

    /// An alarm of this clock, not set yet.
    #[must_use]
    pub fn alarm(&self) -> Alarm {
        Alarm {
            clock: self.clone(),
            id: self.sleepers.last.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The earliest moment that anybody sleeps towards. One that is not later than [`now`](Self::now)
    /// is of somebody who is about to wake.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.sleepers.alarms().values().min().copied()
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

/// An alarm of a clock. What it is set to counts for [`Clock::next`], also after it has rung, until
/// it is set anew or dropped: so whoever it woke is not overlooked before they have begun.
#[derive(Debug)]
pub struct Alarm {
    clock: Clock,
    id: u64,
}

impl Alarm {
    /// Sets it, or turns it off.
    pub fn set(&self, moment: Option<Timestamp>) {
        let sleepers = &self.clock.sleepers;
        let before = match moment {
            Some(moment) => sleepers.alarms().insert(self.id, moment),
            None => sleepers.alarms().remove(&self.id),
        };
        if before != moment {
            sleepers.moved.send_replace(());
        }
    }

    /// Waits for the moment it is set to, and for another where it is set anew meanwhile.
    pub async fn rings(&self) {
        let clock = &self.clock;
        let mut moved = clock.sleepers.moved.subscribe();
        loop {
            // Seen before looking: a move in between is looked at again.
            moved.mark_unchanged();
            let moment = clock.sleepers.alarms().get(&self.id).copied();
            let left = moment.map(|moment| moment.duration_since(clock.now()));
            match left.map(Duration::try_from) {
                Some(Ok(left)) if !left.is_zero() && !clock.still => {
                    // Too late is as good as moved: it is looked at again.
                    let _ = tokio::time::timeout(left, moved.changed()).await;
                }
                Some(Ok(left)) if !left.is_zero() => drop(moved.changed().await),
                Some(_) => return,
                None => drop(moved.changed().await),
            }
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.clock.sleepers.alarms().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    const MINUTE: Duration = Duration::from_secs(60);

    fn standing() -> Clock {
        Clock::standing("2026-03-02T10:00:00Z".parse().unwrap())
    }

    /// Whether it has come to its end by now.
    async fn is_over(waits: impl Future<Output = ()>) -> bool {
        tokio::time::timeout(Duration::ZERO, waits).await.is_ok()
    }

    #[tokio::test]
    async fn who_sleeps_on_a_standing_clock_wakes_when_it_is_moved_there_and_not_before() {
        let clock = standing();
        let mut sleeps = pin!(clock.sleep(MINUTE));
        assert!(!is_over(sleeps.as_mut()).await);
        clock.advance(SignedDuration::from_secs(59));
        assert!(!is_over(sleeps.as_mut()).await);
        clock.advance(SignedDuration::from_secs(1));
        assert!(is_over(sleeps.as_mut()).await);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sleeps_on_a_running_clock_wakes_at_once_when_it_is_moved_past_the_moment() {
        let clock = Clock::default();
        let mut sleeps = pin!(clock.sleep(MINUTE));
        assert!(!is_over(sleeps.as_mut()).await);
        clock.set(clock.after(2 * MINUTE));
        assert!(is_over(sleeps.as_mut()).await);
    }

    #[tokio::test]
    async fn who_sleeps_on_a_running_clock_wakes_by_themselves() {
        let clock = Clock::default();
        let before = clock.now();
        clock.sleep(Duration::from_millis(20)).await;
        assert!(clock.now().duration_since(before) >= SignedDuration::from_millis(20));
    }

    #[tokio::test]
    async fn the_earliest_sleeper_is_the_next_and_who_is_gone_is_forgotten() {
        let clock = standing();
        assert_eq!(clock.next(), None);
        {
            let (mut late, mut early) = (pin!(clock.sleep(2 * MINUTE)), pin!(clock.sleep(MINUTE)));
            assert!(!is_over(late.as_mut()).await && !is_over(early.as_mut()).await);
            assert_eq!(clock.next(), Some(clock.after(MINUTE)));
            clock.set(clock.after(MINUTE));
            assert!(is_over(early.as_mut()).await);
            assert_eq!(clock.next(), Some(clock.after(MINUTE)));
        }
        assert_eq!(clock.next(), None);
    }

    #[tokio::test]
    async fn an_alarm_can_be_set_anew_by_another_while_it_is_waited_for() {
        let clock = standing();
        let alarm = clock.alarm();
        let mut rings = pin!(alarm.rings());
        assert!(!is_over(rings.as_mut()).await);
        alarm.set(Some(clock.after(MINUTE)));
        assert!(!is_over(rings.as_mut()).await);
        alarm.set(Some(clock.now()));
        assert!(is_over(rings.as_mut()).await);
        // It has rung, and still counts: whoever it woke may not have begun.
        assert_eq!(clock.next(), Some(clock.now()));
        alarm.set(None);
        assert_eq!(clock.next(), None);
    }
}
