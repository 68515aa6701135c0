//! Telling people: from news to one notification per target, and from a notification to the target.
//!
//! A notification is written before it is told, and written again when it was: so nothing is lost, and
//! nothing is told twice unless we stop between the two. Then the target gets the same key again, and
//! can know.

use crate::{Dispatch, DispatchError};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use switchboard_shared::call::Call;
use switchboard_shared::config::Lookup;
use switchboard_shared::id::LegId;
use switchboard_shared::job::{DELAY_MAX, Job};
use switchboard_shared::metric::Metric;
use switchboard_shared::news::News;
use switchboard_shared::notify::{
    ATTEMPTS, Facts, Messenger, Notification, NotificationId, Outcome, State, delay,
};
use switchboard_shared::plan::{AgentName, TargetName};
use switchboard_shared::store::Listing;

/// How long an attempt may be at it before it is taken for lost: a target's five seconds, and three
/// writes of a slow store. Less than a message of the queue stays hidden, so that the one which comes
/// again finds it due.
const AT_WORK: SignedDuration = SignedDuration::from_secs(20);

/// Targets that are told at once in one process. Whatever else is in the queue has room beside them.
const AT_ONCE: usize = 16;

/// The same for one target: one that is slow leaves room for another.
const AT_ONCE_EACH: usize = 8;

/// How long a notification waits that found no room.
const NO_ROOM: Duration = Duration::from_secs(1);

/// A message may come so much too early: clocks differ, and the queue counts whole seconds.
const EARLY: Duration = Duration::from_secs(2);

/// How long a call may take to be written after the first event about it.
const CALL_SETTLES: Duration = Duration::from_secs(5);

/// How late a notification must be for the sweep to queue it. Until then its message may be on the
/// way; a message too many does nothing.
const LATE: SignedDuration = SignedDuration::from_mins(1);

/// What telling needs.
#[derive(Debug)]
pub(crate) struct Teller {
    messenger: Messenger,
    room: Room,
    /// Nobody is told anything.
    off: bool,
}

impl Teller {
    /// Reads the settings.
    pub(crate) fn from_lookup(lookup: &mut Lookup) -> Self {
        let off = lookup.read("SWITCHBOARD_NOTIFY", |text| match text {
            "on" => Ok(false),
            "off" => Ok(true),
            _ => Err("neither on nor off"),
        });
        Self {
            messenger: Messenger::from_lookup(lookup),
            room: Room::default(),
            off: off.unwrap_or_default(),
        }
    }
}

/// Who is being told at the moment.
#[derive(Debug, Default)]
struct Room(Mutex<HashMap<TargetName, usize>>);

/// A place in it, until it is dropped.
struct Place<'r> {
    room: &'r Room,
    target: &'r TargetName,
}

impl Room {
    /// A place for one more, if there is one.
    fn enter<'r>(&'r self, target: &'r TargetName) -> Option<Place<'r>> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_this = told.get(target).copied().unwrap_or(0);
        if of_this >= AT_ONCE_EACH || told.values().sum::<usize>() >= AT_ONCE {
            return None;
        }
        told.insert(target.clone(), of_this + 1);
        Some(Place { room: self, target })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut told = self.room.0.lock().unwrap_or_else(PoisonError::into_inner);
        match told.get_mut(self.target) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(told.remove(self.target)),
        }
    }
}

impl Dispatch {
    /// News: one notification for each target that wants it, and a job for each.
    pub(crate) async fn tell(
        &self,
        news: News,
        at: Timestamp,
        again: bool,
    ) -> Result<(), DispatchError> {
        let exchange = &self.exchange;
        let plan = exchange.plans.current().await?;
        if self.teller.off || !plan.tells(news.topic()) {
            return Ok(());
        }
        let recording = match &news {
            News::Voicemail { recording, .. } | News::Archived { recording } => {
                exchange.store.recording(recording).await?
            }
            _ => None,
        };
        let of_recording = || recording.as_ref().and_then(|one| one.call.as_ref());
        let call = match news.call().or_else(of_recording) {
            Some(leg) => exchange.store.call(leg).await?,
            None => None,
        };
        if news.call().is_some() && call.is_none() {
            if again {
                tracing::warn!(news = %news.id(), "news of a call that nobody knows");
                return Ok(());
            }
            // An event may overtake the question how to answer.
            let again = true;
            let job = Job::Tell { news, at, again };
            exchange.jobs.send(&job, CALL_SETTLES).await?;
            return Ok(());
        }
        if let (News::Answered { agent, .. }, Some(call)) = (&news, &call)
            && !spoke(call, agent)
        {
            // Their phone was picked up, but the caller was somebody else's by then.
            return Ok(());
        }
        let facts = Facts::of(&news, at, &plan, call.as_ref(), recording.as_ref());
        let now = exchange.clock.now();
        let wanting = plan
            .targets()
            .filter(|target| target.wants(news.topic(), facts.line()));
        for target in wanting {
            let id = NotificationId {
                news: news.id(),
                target: target.name.clone(),
            };
            let notification = Notification::new(id.clone(), facts.body(target), now);
            exchange.store.keep_notification(&notification).await?;
            // Of news heard again as well: whoever kept it first may have stopped here.
            self.notify_in(id, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// A caller is gone to whom nobody had spoken a while ago.
    pub(crate) async fn missed(&self, call: &LegId) -> Result<(), DispatchError> {
        let Some(call) = self.exchange.store.call(call).await? else {
            return Ok(());
        };
        match call.ended {
            Some(ended) if call.served.is_none() && call.voicemail.is_none() => {
                self.tell(News::Missed { call: call.leg }, ended, false)
                    .await
            }
            _ => Ok(()),
        }
    }

    /// Tells a target once, if that is due.
    pub(crate) async fn notify(&self, id: NotificationId) -> Result<(), DispatchError> {
        let exchange = &self.exchange;
        let Some(mut notification) = exchange.store.notification(&id).await? else {
            tracing::error!(news = %id.news, notify.target = %id.target, "a job names a notification that nobody kept");
            return Ok(());
        };
        let now = exchange.clock.now();
        let left = left(&notification, now);
        if notification.state != State::Pending || left > EARLY {
            // Done with; or another job is at it, and goes on with it.
            return Ok(());
        }
        if !left.is_zero() {
            return self.notify_in(id, left).await;
        }
        let Some(_place) = self.teller.room.enter(&id.target) else {
            return self.notify_in(id, NO_ROOM).await;
        };
        let until = now.saturating_add(AT_WORK).unwrap_or(now);
        if !exchange
            .store
            .begin_telling(&mut notification, until)
            .await?
        {
            return Ok(());
        }
        let outcome = self.attempt(&notification, now).await?;
        let wait = self.came_to(&mut notification, outcome);
        if !exchange.store.end_telling(&notification).await? {
            return Ok(());
        }
        if notification.state == State::Failed {
            Metric::NotificationsFailed.record(now);
        }
        match wait {
            // The queue does not hold a message for longer: the sweep finds it when it is due.
            Some(wait) if wait <= DELAY_MAX => self.notify_in(notification.id, wait).await,
            _ => Ok(()),
        }
    }

    async fn attempt(
        &self,
        notification: &Notification,
        now: Timestamp,
    ) -> Result<Outcome, DispatchError> {
        let never = |reason: &str| Outcome::Never {
            reason: reason.to_owned(),
        };
        if notification.attempts > ATTEMPTS {
            return Ok(never("no attempt ever ended, well or badly"));
        }
        let plans = &self.exchange.plans;
        let plan = plans.current().await?;
        let id = &notification.id;
        Ok(match (plan.target(&id.target), &notification.body) {
            (Some(target), Some(body)) => self.teller.messenger.tell(target, id, body, now).await,
            (None, _) => never("the plan has no [[notify]] of its name any more"),
            (_, None) => never("what was to be sent is gone"),
        })
    }

    /// Puts down what came of an attempt; the wait until the next, where there is one.
    fn came_to(&self, notification: &mut Notification, outcome: Outcome) -> Option<Duration> {
        let (reason, wait) = match outcome {
            Outcome::Told => {
                tracing::info!(
                    news = %notification.id.news,
                    notify.target = %notification.id.target,
                    "{} is told",
                    notification.id.target
                );
                notification.state = State::Told;
                notification.reason = None;
                notification.body = None;
                return None;
            }
            Outcome::Later { reason, asked } => (reason, delay(notification.attempts, asked)),
            Outcome::Never { reason } => (reason, None),
        };
        if let Some(wait) = wait {
            tracing::warn!(
                news = %notification.id.news,
                notify.target = %notification.id.target,
                reason,
                "{} is not told yet",
                notification.id.target
            );
            notification.due = self.exchange.clock.after(wait);
        } else {
            tracing::error!(
                news = %notification.id.news,
                notify.target = %notification.id.target,
                reason,
                "telling {} is given up",
                notification.id.target
            );
            notification.state = State::Failed;
        }
        notification.reason = Some(reason);
        wait
    }

    /// Queues what is late, or was left to the sweep because it was not due for long. `all`: at the
    /// start of a board, whose queue is empty.
    pub(crate) async fn sweep_notifications(&self, all: bool) -> Result<(), DispatchError> {
        let now = self.exchange.clock.now();
        let pending = self.exchange.store.notifications_in(Listing::Untold);
        for notification in pending.await? {
            let late = now.duration_since(notification.due) >= LATE;
            let left = left(&notification, now);
            if late || (all && left <= DELAY_MAX) {
                self.notify_in(notification.id, left).await?;
            }
        }
        Ok(())
    }

    async fn notify_in(
        &self,
        notification: NotificationId,
        wait: Duration,
    ) -> Result<(), DispatchError> {
        let job = Job::Notify { notification };
        self.exchange.jobs.send(&job, wait).await?;
        Ok(())
    }
}

/// Whether the caller and an agent have spoken: alone, or in the caller's room.
fn spoke(call: &Call, agent: &AgentName) -> bool {
    call.served.as_ref() == Some(agent) || call.joined.iter().any(|helper| helper.agent == *agent)
}

/// How long until it is due; zero where it is.
fn left(notification: &Notification, now: Timestamp) -> Duration {
    Duration::try_from(notification.due.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard_shared::call::Helper;
    use switchboard_shared::plan::Plan;

    #[test]
    fn whoever_was_with_a_caller_spoke_to_them_and_nobody_else() {
        let plan = Plan::parse("").plan.unwrap();
        let (leg, conversation) = ("leg".parse().unwrap(), "CON-1".parse().unwrap());
        let at = Timestamp::UNIX_EPOCH;
        let mut call = Call::new(leg, conversation, String::new(), at, String::new(), &plan);
        let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| name.parse().unwrap());
        assert!(!spoke(&call, &alice));
        call.served = Some(alice);
        call.joined.insert(Helper {
            flow: "hotline".parse().unwrap(),
            agent: bob,
        });
        let spoke = |name: &AgentName| spoke(&call, name);
        assert!(spoke(&"alice".parse().unwrap()) && spoke(&"bob".parse().unwrap()));
        assert!(!spoke(&carol));
    }

    #[test]
    fn one_target_does_not_fill_the_room_and_who_leaves_makes_room() {
        let room = Room::default();
        let names: Vec<TargetName> = ["a", "b", "c"].map(|n| n.parse().unwrap()).into();
        let mut places: Vec<_> = (0..AT_ONCE_EACH)
            .map(|_| room.enter(&names[0]).unwrap())
            .collect();
        assert!(room.enter(&names[0]).is_none());
        places.extend((0..AT_ONCE - AT_ONCE_EACH).map(|_| room.enter(&names[1]).unwrap()));
        assert!(room.enter(&names[2]).is_none());
        places.truncate(AT_ONCE_EACH - 1);
        assert!(room.enter(&names[2]).is_some());
        drop(places);
        assert!(room.0.lock().unwrap().is_empty());
    }
}
