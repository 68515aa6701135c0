//! Call events, keypad input and `notify`: into the ledger, and on with the script where one is due.
//!
//! One write notes the event and makes the turn it stands for. Only then, where Vonage takes a
//! script in reply, is the next one decided.

mod chosen;
mod decide;
mod screen;
mod staff;
mod tell;
mod waiting;

use waiting::Playing;

pub use decide::{Asks, Promise, Silence, asks};

use aws_config::SdkConfig;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use switchboard_recording::Intake;
use switchboard_shared::call::{Call, Place};
use switchboard_shared::chain;
use switchboard_shared::clock::Clock;
use switchboard_shared::config::Lookup;
use switchboard_shared::cue::Cue;
use switchboard_shared::id::{ConversationId, LegId};
use switchboard_shared::job::{Job, JobQueue};
use switchboard_shared::metric::Metric;
use switchboard_shared::news::News;
use switchboard_shared::offer::{OfferId, TALK_MAX};
use switchboard_shared::plan::AgentName;
use switchboard_shared::plans::Plans;
use switchboard_shared::script;
use switchboard_shared::store::{Home, Noted, Store, Turn};
use switchboard_shared::web::{self, Failure, Webhooks};
use switchboard_shared::webhook::Event;
use tell::answered_at;

/// What the function works with; built once.
#[derive(Debug)]
pub struct Events {
    webhooks: Webhooks,
    store: Store,
    plans: Plans,
    jobs: JobQueue,
    recordings: Intake,
    clock: Clock,
}

impl Events {
    /// Reads the settings.
    pub fn from_lookup(lookup: &mut Lookup, sdk: &SdkConfig) -> Option<Self> {
        let store = Store::from_lookup(lookup, sdk);
        Some(Self {
            webhooks: Webhooks::from_lookup(lookup),
            plans: Plans::from_lookup(lookup, store.clone()),
            jobs: JobQueue::from_lookup(lookup, sdk, "SWITCHBOARD_DISPATCH_QUEUE_URL"),
            recordings: Intake::from_lookup(lookup, sdk, store.clone()),
            clock: lookup.clock(),
            store,
        })
    }

    /// Reads the plan ahead of the first event.
    pub async fn warm(&self) {
        if let Err(error) = self.plans.current().await {
            tracing::error!(error = %chain(&error), "no plan yet");
        }
    }
}

/// The routes.
pub fn router(events: Events) -> Router {
    Router::new()
        .route("/webhooks/event", get(on_event).post(on_event))
        .with_state(Arc::new(events))
}

async fn on_event(
    State(events): State<Arc<Events>>,
    request: Request,
) -> Result<Response, Failure> {
    let received = events.webhooks.receive(request).await?;
    let event = Event::read(received.fields).map_err(Failure::Unreadable)?;
    let cue = Cue::from_query(&received.query);
    let asks = asks(&event, cue.clone());
    let listened_to = asks.wants_script();
    let now = events.clock.now();
    let taken = events.take(&event, cue, asks, &received.base, now);
    // Given up halfway it is asked for again, and then goes on from how far it came.
    if listened_to {
        web::in_time(received.by, taken).await
    } else {
        taken.await
    }
}

impl Events {
    async fn take(
        &self,
        event: &Event,
        cue: Option<Cue>,
        asks: Asks,
        base: &str,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let call = match &asks {
            Asks::Script(cue) => Some(&cue.call),
            _ => cue.as_ref().map(|cue| &cue.call),
        };
        // `None` only for a recording, which is kept as an item of its own.
        let home = home(event, call);
        tracing::info!(
            leg.id = event.leg.as_ref().map(LegId::as_str),
            call.conversation = event.conversation.as_ref().map(ConversationId::as_str),
            leg.status = event.word(),
            "an event: {}",
            event.word()
        );
        let Some(home) = home else {
            if let Asks::Archive(notice) = asks {
                self.recordings
                    .take(notice, event, cue.as_ref(), now)
                    .await?;
            }
            return Ok(web::noted());
        };
        match asks {
            Asks::Nothing => {
                self.store.note(&home, event, now).await?;
                Ok(web::noted())
            }
            Asks::Started(call) => {
                self.store.note(&home, event, now).await?;
                self.tell(News::Started { call }, event.at.unwrap_or(now))
                    .await?;
                Ok(web::noted())
            }
            Asks::Archive(notice) => {
                self.recordings
                    .take(notice, event, cue.as_ref(), now)
                    .await?;
                Ok(web::noted())
            }
            Asks::Clear(call) => {
                let at = event.at.unwrap_or(now);
                self.store
                    .note_with(
                        &home,
                        event,
                        &Turn::CallerOver {
                            call: call.clone(),
                            at,
                        },
                        now,
                    )
                    .await?;
                self.jobs.send(&Job::Gone { call }, Duration::ZERO).await?;
                Ok(web::noted())
            }
            Asks::Script(cue) => {
                let noted = self.store.note(&home, event, now).await?;
                self.script(&cue, base, noted, now).await
            }
            Asks::Chosen(cue, input) => {
                let noted = self.store.note(&home, event, now).await?;
                self.chosen(&cue, Some(&input), base, noted, now).await
            }
            Asks::RingAnswered(cue, index) => {
                self.ring_answered(&home, event, &cue, index, now).await?;
                Ok(web::noted())
            }
            Asks::RingOver(cue, index) => self.ring_over(&home, event, &cue, index, now).await,
            Asks::RingFailed(cue, index) => {
                let noted = self.store.note(&home, event, now).await?;
                self.after_ring(&cue, index, base, noted, now).await
            }
            Asks::Answered(promise) => {
                self.answered(&home, event, promise, now).await?;
                Ok(web::noted())
            }
            Asks::Unanswered { promise, how } => {
                let heard = (how == Silence::Failed).then_some(Playing::Nothing);
                self.unanswered(&home, event, promise, how, heard, now)
                    .await
            }
            Asks::AgentOver(promise) => self.agent_over(&home, event, promise, now).await,
            Asks::StaffAnswered(cue, agent) => {
                self.staff_answered(&home, event, cue, agent, now).await
            }
            Asks::StaffOver { cue, agent, failed } => {
                self.staff_over(&home, event, cue, agent, failed, now).await
            }
            Asks::Pressed(cue, keys) => self.pressed(&home, event, &cue, &keys, now).await,
        }
    }

    async fn answered(
        &self,
        home: &Home,
        event: &Event,
        promise: Promise,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let news = News::Answered {
            call: promise.call.clone(),
            agent: promise.agent.clone(),
        };
        let call = self.store.call(&promise.call).await?;
        let place = call.and_then(|call| call.place);
        let turn = Turn::Answered {
            place: place.clone(),
            call: promise.call,
            agent: promise.agent,
            offer: promise.id,
            until: later(now, TALK_MAX),
            leg: event.leg.clone(),
        };
        let noted = self.store.note_with(home, event, &turn, now).await?;
        let at = answered_at(event, now);
        waited(noted, place.as_ref(), at, now);
        self.tell(news, at).await?;
        Ok(())
    }

    async fn ring_answered(
        &self,
        home: &Home,
        event: &Event,
        cue: &Cue,
        index: u32,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let (_, Some(agent)) = self.ring_agent(cue).await? else {
            self.store.note(home, event, now).await?;
            return Ok(());
        };
        let call = cue.call.clone();
        let news = News::Answered {
            call: call.clone(),
            agent: agent.clone(),
        };
        let turn = Turn::RingAnswered {
            call,
            agent,
            offer: OfferId::of_ring(&cue.call, &cue.flow, index),
            until: later(now, TALK_MAX),
            leg: event.leg.clone(),
        };
        self.store.note_with(home, event, &turn, now).await?;
        self.tell(news, answered_at(event, now)).await?;
        Ok(())
    }

    async fn ring_over(
        &self,
        home: &Home,
        event: &Event,
        cue: &Cue,
        index: u32,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let (call, Some(agent)) = self.ring_agent(cue).await? else {
            self.store.note(home, event, now).await?;
            return Ok(web::noted());
        };
        let served = call.is_some_and(|call| call.served.as_ref() == Some(&agent));
        if cue.asked.is_some() && !served {
            // Nobody took the call: a mailbox, as a rule. The caller's script rings the next one.
            self.store.note(home, event, now).await?;
            return Ok(web::noted());
        }
        let look = Job::Look {
            agent: agent.clone(),
        };
        let call = cue.call.clone();
        let news = News::Answered {
            call: call.clone(),
            agent: agent.clone(),
        };
        let turn = Turn::RingOver {
            call,
            agent,
            offer: OfferId::of_ring(&cue.call, &cue.flow, index),
            free_from: now,
        };
        self.store.note_with(home, event, &turn, now).await?;
        self.jobs.send(&look, Duration::ZERO).await?;
        self.tell(news, answered_at(event, now)).await?;
        Ok(web::noted())
    }

    /// The call of a `ring` flow, and whose phone it is, in the plan that the call keeps; in the one in
    /// force, where the store was away when the call began.
    async fn ring_agent(&self, cue: &Cue) -> Result<(Option<Call>, Option<AgentName>), Failure> {
        let call = self.store.call(&cue.call).await?;
        let plan = match &call {
            Some(call) => self.plans.of(call).await?,
            None => self.plans.current().await?,
        };
        let agent = cue.agent(&plan, call.as_ref()).cloned();
        Ok((call, agent))
    }

    /// `heard`: what the caller hears unless our reply says something, where one is listened to.
    async fn unanswered(
        &self,
        home: &Home,
        event: &Event,
        promise: Promise,
        how: Silence,
        heard: Option<Playing>,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let Some(call) = self.store.call(&promise.call).await? else {
            self.store.note(home, event, now).await?;
            return Ok(web::noted());
        };
        let plan = self.plans.of(&call).await?;
        let queue = plan.queue(&promise.flow).map(|(_, queue)| queue);
        let rest = match (queue, how) {
            (Some(queue), Silence::Failed) => rest(queue.cool_down),
            _ => SignedDuration::ZERO,
        };
        let free_from = later(now, rest);
        let noted = match call.place {
            Some(place) => {
                let turn = Turn::Unanswered {
                    call: promise.call.clone(),
                    place,
                    agent: promise.agent.clone(),
                    offer: promise.id,
                    free_from,
                };
                self.store.note_with(home, event, &turn, now).await?
            }
            None => self.store.note(home, event, now).await?,
        };
        let look = Job::Look {
            agent: promise.agent,
        };
        self.jobs.send(&look, rest.unsigned_abs()).await?;
        let Some(playing) = heard else {
            return Ok(web::noted());
        };
        tracing::info!(leg.id = %promise.call, "the agent did not answer; the caller keeps the place");
        self.resume(&promise.call, &promise.flow, playing, noted, now)
            .await
    }

    async fn agent_over(
        &self,
        home: &Home,
        event: &Event,
        promise: Promise,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let call = self.store.call(&promise.call).await?;
        let served = call.as_ref().and_then(|call| call.served.as_ref()) == Some(&promise.agent);
        if promise.screened && !served && call.is_some() {
            // Whoever picked up did not take the call. The caller's script comes back to us.
            let how = Silence::Failed;
            return self.unanswered(home, event, promise, how, None, now).await;
        }
        let plan = self.plans.current().await?;
        let wrap_up = plan
            .queue(&promise.flow)
            .map_or(Duration::ZERO, |(_, queue)| queue.wrap_up);
        let look = Job::Look {
            agent: promise.agent.clone(),
        };
        let news = News::Answered {
            call: promise.call.clone(),
            agent: promise.agent.clone(),
        };
        let place = call.and_then(|call| call.place);
        let turn = Turn::AgentOver {
            place: place.clone(),
            call: promise.call,
            agent: promise.agent,
            offer: promise.id,
            free_from: later(now, rest(wrap_up)),
        };
        let noted = self.store.note_with(home, event, &turn, now).await?;
        let at = answered_at(event, now);
        // Where they still had the place, nobody had said before that the two talk.
        waited(noted, place.as_ref(), at, now);
        self.jobs.send(&look, wrap_up).await?;
        self.tell(news, at).await?;
        Ok(web::noted())
    }

    /// The call of a caller whose script comes back to us, and is to be gone on with; or the answer, where
    /// there is nothing to decide.
    async fn still_here(
        &self,
        cue: &Cue,
        base: &str,
    ) -> Result<ControlFlow<Response, Call>, Failure> {
        let Some(call) = self.store.call(&cue.call).await? else {
            // The store was away when it began. It is about to be written: then we are asked again.
            let again = script::ask_again(cue.clone(), base);
            return Ok(ControlFlow::Break(web::say(&again)));
        };
        if call.ended.is_some() {
            return Ok(ControlFlow::Break(web::noted()));
        }
        if call.served.is_some() {
            return Ok(ControlFlow::Break(web::say(&script::goodbye())));
        }
        Ok(ControlFlow::Continue(call.come_to(cue)))
    }

    /// What a caller of a `ring` flow hears after the n-th agent did not answer.
    async fn after_ring(
        &self,
        cue: &Cue,
        index: u32,
        base: &str,
        noted: Noted,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let call = match self.still_here(cue, base).await? {
            ControlFlow::Continue(call) => call,
            ControlFlow::Break(answer) => return Ok(answer),
        };
        let plan = self.plans.of(&call).await?;
        let decision = script::after_ring(&plan, &cue.flow, index as usize, &call, now);
        tracing::info!(leg.id = %call.leg, "{}", decision.why);
        self.follow(&plan, &call, decision, noted, now).await
    }
}

/// What an event is kept with: the call our cue names, the leg, or the conversation.
fn home(event: &Event, call: Option<&LegId>) -> Option<Home> {
    let leg = call
        .or(event.leg.as_ref())
        .map(|leg| Home::Leg(leg.clone()));
    leg.or_else(|| event.conversation.clone().map(Home::Conversation))
}

/// Counts how long a caller waited whom an agent has, if we are told for the first time.
fn waited(noted: Noted, place: Option<&Place>, until: Timestamp, now: Timestamp) {
    if let (Noted::First, Some(place)) = (noted, place) {
        Metric::Wait(until.duration_since(place.entered)).record(now);
    }
}

fn rest(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::ZERO)
}

fn later(now: Timestamp, duration: SignedDuration) -> Timestamp {
    now.saturating_add(duration).unwrap_or(now)
}
