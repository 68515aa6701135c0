//! Rooms: rings the staff of a hotline for a caller who waits there, tells who comes in, and sees to
//! it that nobody is left alone in one.

use super::{Exchange, ExchangeError, in_doubt};
use crate::call::{Call, Helper, Place};
use crate::chain;
use crate::id::LegId;
use crate::job::{DELAY_MAX, Job, JobError, JobQueue};
use crate::metric::{self, Metric};
use crate::ncco::Ncco;
use crate::news::News;
use crate::number::PhoneNumber;
use crate::plan::{Agent, AgentName, Endpoint, Flow, FlowName, Hotline, Plan, Stage};
use crate::script::{self, Decision, Next, room};
use crate::store::{Rung, StaffTurn, Turn, Waiting};
use crate::vonage::{Caller, Leg, NewCall, RegionUrl, Script, Talk, To, VonageError};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use url::Url;

/// When a room is looked at again in which somebody has picked up and not decided yet.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// How long after a caller came their staff must have begun to be rung; else the sweep begins it.
const RINGS_WITHIN: Duration = Duration::from_secs(10);

/// How the staff of a hotline is set in motion for a caller who has just come into its room: the
/// first stage is rung, and the room looked at when the longest wait is over.
///
/// # Errors
/// When the queue of jobs does not answer. The sweep makes up for it.
pub async fn call_staff(
    jobs: &JobQueue,
    call: &LegId,
    flow: &Flow,
    hotline: &Hotline,
) -> Result<(), JobError> {
    let ring = Job::Ring {
        call: call.clone(),
        flow: flow.name.clone(),
        stage: 0,
    };
    let look = Job::Room {
        call: call.clone(),
        flow: flow.name.clone(),
    };
    let (ring, look) = tokio::join!(
        jobs.send(&ring, Duration::ZERO),
        jobs.send(&look, hotline.max_wait)
    );
    ring.and(look)
}

/// What a room comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Look {
    /// All is well, or it is no business of ours any more.
    Nothing,
    /// Somebody has picked up, and decides.
    Decides,
    /// The longest wait ends so much later.
    Waits(Duration),
    /// Everybody of the stages so far has given up, and this one comes next.
    Next(usize),
    /// Nobody came: on to what comes next.
    MoveOn,
    /// Whoever was to be moved on is still here.
    Moving,
    /// The last of the staff has left.
    Over,
}

/// What a room comes to. Pure: its call, the phones rung, the plan and the moment in.
fn look(
    plan: &Plan,
    flow: &Flow,
    hotline: &Hotline,
    call: &Call,
    rung: &[Rung],
    now: Timestamp,
) -> Look {
    if call.ended.is_some() || call.helpers_in(&flow.name).next().is_some() {
        return Look::Nothing;
    }
    if call.moving.as_ref() == Some(&flow.name) {
        return Look::Moving;
    }
    let Some(place) = call.place.as_ref().filter(|place| place.queue == flow.name) else {
        let talked = call.joined.iter().any(|one| one.flow == flow.name);
        return if talked { Look::Over } else { Look::Nothing };
    };
    let given_up = |agent: &AgentName| call.given_up.contains(&Helper::of(&flow.name, agent));
    let decides = rung.iter().any(|one| {
        let since = one.answered.filter(|_| one.flow == flow.name);
        since.is_some_and(|since| now.duration_since(since).unsigned_abs() < room::DECIDES_WITHIN)
            && !given_up(&one.agent)
    });
    // The stages so far are those of which somebody was rung.
    let begun = |stage: &Stage| {
        let of_it = |one: &Rung| one.flow == flow.name && stage.agents.contains(&one.agent);
        rung.iter().any(of_it)
    };
    let mut open = false;
    let mut next = None;
    for (index, stage) in hotline.stages.iter().enumerate() {
        let mut on_duty = room::on_duty(plan, stage, place.entered).peekable();
        if on_duty.peek().is_none() {
            continue;
        }
        if begun(stage) || (index == 0 && rung.is_empty()) {
            open |= on_duty.any(|agent| !given_up(&agent.name));
        } else if next.is_none() {
            next = Some(index);
        }
    }
    let waited = now.duration_since(place.entered).unsigned_abs();
    match hotline.max_wait.checked_sub(waited) {
        _ if decides => Look::Decides,
        None | Some(Duration::ZERO) => Look::MoveOn,
        Some(left) if open => Look::Waits(left),
        Some(_) => next.map_or(Look::MoveOn, Look::Next),
    }
}

impl Exchange {
    /// Rings one stage of a hotline's staff, each phone once.
    ///
    /// # Errors
    /// When something needed is away. Phones that did not ring are rung when the job comes again.
    pub async fn ring(
        &self,
        leg: &LegId,
        flow: &FlowName,
        stage: usize,
    ) -> Result<(), ExchangeError> {
        let Some(call) = self.store.call(leg).await? else {
            return Ok(());
        };
        let plan = self.plans.of(&call).await?;
        let (Some((flow, hotline)), Some(place)) = (plan.hotline(flow), &call.place) else {
            return Ok(());
        };
        let Some(this) = hotline.stages.get(stage) else {
            return Ok(());
        };
        if let Some(next) = hotline.stages.get(stage + 1) {
            let waited = self.clock.now().duration_since(place.entered);
            let ring = Job::Ring {
                call: leg.clone(),
                flow: flow.name.clone(),
                stage: stage + 1,
            };
            let left = next.after.saturating_sub(waited.unsigned_abs());
            self.jobs.send(&ring, left).await?;
        }
        let mut on_duty = room::on_duty(&plan, this, place.entered).peekable();
        // Where nobody of this stage is on duty, the next one need not be waited for.
        let mut refused = on_duty.peek().is_none();
        let mut wanted = true;
        for agent in on_duty {
            wanted = self.wants_staff(leg, flow, hotline).await?;
            if !wanted {
                break;
            }
            refused |= !self.ring_one(&plan, flow, hotline, agent, &call).await?;
        }
        // Whoever hung up, or came in, while the last phone was being rung.
        if !wanted || !self.wants_staff(leg, flow, hotline).await? {
            self.hush(leg, &plan).await?;
        }
        if refused {
            self.room(leg, &flow.name).await?;
        }
        Ok(())
    }

    /// Whether phones are still to ring for a caller.
    async fn wants_staff(
        &self,
        leg: &LegId,
        flow: &Flow,
        hotline: &Hotline,
    ) -> Result<bool, ExchangeError> {
        let call = self
            .store
            .call(leg)
            .await?
            .filter(|call| call.ended.is_none());
        Ok(call.is_some_and(|call| {
            let talks = call.helpers_in(&flow.name).next().is_some();
            call.waits_in(&flow.name) || (talks && hotline.keep_ringing)
        }))
    }

    /// Rings one phone, unless it was rung for this caller before. False when it cannot be rung.
    async fn ring_one(
        &self,
        plan: &Plan,
        flow: &Flow,
        hotline: &Hotline,
        agent: &Agent,
        call: &Call,
    ) -> Result<bool, ExchangeError> {
        let now = self.clock.now();
        let helper = Helper::of(&flow.name, &agent.name);
        if !self.store.ring_once(&call.leg, &helper, now).await? {
            return Ok(true);
        }
        let region = self.region(call);
        let made = match new_call(flow, hotline, agent, call) {
            Some(new) => self.vonage.create_call(&new, region.as_ref()).await,
            None => return Ok(true),
        };
        match made {
            Ok(created) => {
                tracing::info!(leg.id = %call.leg, agent.id = %agent.name, "{} is rung", agent.name);
                self.store
                    .rung_as(&call.leg, &helper, &created.uuid)
                    .await?;
                Ok(true)
            }
            // It may ring all the same: its events say.
            Err(error) if in_doubt(&error) => {
                tracing::warn!(leg.id = %call.leg, agent.id = %agent.name, error = %chain(&error), "whether a phone rings is not known");
                Ok(true)
            }
            Err(error) if is_final(&error) => {
                tracing::error!(leg.id = %call.leg, agent.id = %agent.name, error = %chain(&error), "a phone cannot be rung");
                let turn = Turn::Staff {
                    call: call.leg.clone(),
                    helper,
                    turn: StaffTurn::Over { failed: true },
                };
                self.store.make(&turn, now).await?;
                if let Some(news) = self.store.failing(&agent.name, &call.leg).await? {
                    Metric::StaffFailing.record(now);
                    self.jobs.tell(plan, news, now).await?;
                }
                Ok(false)
            }
            Err(error) => {
                self.store.not_rung(&call.leg, &helper).await?;
                Err(ExchangeError::Vonage(error))
            }
        }
    }

    /// One of the staff came in: those who are in are told who, and the other phones stop ringing,
    /// unless the plan lets them. That somebody could not be told stops nothing.
    ///
    /// # Errors
    /// When the store or the plan is away.
    pub async fn joined(&self, leg: &LegId, helper: &Helper) -> Result<(), ExchangeError> {
        let Some(call) = self.store.call(leg).await? else {
            return Ok(());
        };
        let plan = self.plans.of(&call).await?;
        let Some((_, hotline)) = plan.hotline(&helper.flow) else {
            return Ok(());
        };
        let news = News::Answered {
            call: leg.clone(),
            agent: helper.agent.clone(),
        };
        self.jobs.tell(&plan, news, self.clock.now()).await?;
        if hotline.shared && self.store.announce_once(leg, helper).await? {
            let rung = self.store.rung(leg).await?;
            let others = rung.iter().filter(|one| {
                let other = one.helper();
                other != *helper && call.helpers.contains(&other)
            });
            let legs = others.filter_map(|one| one.leg.as_ref());
            let text = room::announcement(helper);
            for hears in std::iter::once(leg).chain(legs) {
                self.announce(&call, hears, &text).await;
            }
        }
        if !hotline.keep_ringing {
            self.hush(leg, &plan).await?;
        }
        Ok(())
    }

    async fn announce(&self, call: &Call, leg: &LegId, text: &str) {
        let talk = Talk {
            text: text.to_owned(),
            language: Some(script::OWN_LANGUAGE.to_owned()),
            ..Talk::default()
        };
        let region = self.region(call);
        if let Err(error) = self.vonage.talk(this(leg, region.as_ref()), &talk).await {
            tracing::warn!(leg.id = %leg, error = %chain(&error), "somebody was not told who is joining");
        }
    }

    /// Lets phones be that ring for a caller who needs nobody more. Who has picked up already hears
    /// why, or may still come in.
    ///
    /// # Errors
    /// When the store is away.
    async fn hush(&self, leg: &LegId, plan: &Plan) -> Result<(), ExchangeError> {
        let Some(call) = self.store.call(leg).await? else {
            return Ok(());
        };
        let region = self.region(&call);
        for one in self.store.rung(leg).await? {
            let helper = one.helper();
            // Who is in is left alone: when the caller leaves, their call ends as well. But one may have
            // come in since, for the word of it was late.
            let since = match (one.joined, call.ended) {
                (Some(joined), Some(ended)) => joined > ended,
                _ => false,
            };
            let alone = call.helpers.contains(&helper) && !since;
            let done_with = alone || call.given_up.contains(&helper);
            let (Some(phone), Some((flow, hotline))) = (
                one.leg.as_ref().filter(|_| !done_with),
                plan.hotline(&one.flow),
            ) else {
                continue;
            };
            let phone = this(phone, region.as_ref());
            let done = match room::door(flow, hotline, &one.agent, &call) {
                room::Door::In => continue,
                // Waited for, or free to come in beside the others.
                room::Door::Open if one.answered.is_some() || call.waits_in(&flow.name) => continue,
                // Who listens to our question hears the answer to it.
                door if one.answered.is_some() => {
                    self.vonage.transfer(phone, &room::turned_away(door)).await
                }
                _ => self.vonage.hang_up(phone).await.map(drop),
            };
            match done {
                Err(error) if !error.is_gone() => {
                    tracing::warn!(leg.id = %phone.id, error = %chain(&error), "a phone may ring on");
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Looks at a caller's room: whether anybody is still to be waited for, or the talk is over.
    ///
    /// # Errors
    /// When something needed is away.
    pub async fn room(&self, leg: &LegId, flow: &FlowName) -> Result<(), ExchangeError> {
        let Some(call) = self.store.call(leg).await? else {
            return Ok(());
        };
        let plan = self.plans.of(&call).await?;
        let Some((flow, hotline)) = plan.hotline(flow) else {
            return Ok(());
        };
        let rung = self.store.rung(leg).await?;
        let again = Job::Room {
            call: leg.clone(),
            flow: flow.name.clone(),
        };
        match look(&plan, flow, hotline, &call, &rung, self.clock.now()) {
            Look::Nothing => {}
            Look::Decides => self.jobs.send(&again, LOOK_AGAIN).await?,
            // The job that looks when the longest wait is over is under way. One that SQS could not hold
            // for so long has come early, or by a clock that is a little behind, and goes on from here.
            Look::Waits(left) => {
                if left <= hotline.max_wait.saturating_sub(DELAY_MAX).max(LOOK_AGAIN) {
                    self.jobs.send(&again, left).await?;
                }
            }
            Look::Next(stage) => {
                Box::pin(self.ring(leg, &flow.name, stage)).await?;
            }
            Look::MoveOn => {
                if let Some(place) = &call.place
                    && self.store.begin_to_move(leg, place).await?
                {
                    self.leave_room(&plan, flow, hotline, &call, Some(place))
                        .await?;
                }
            }
            Look::Moving => self.leave_room(&plan, flow, hotline, &call, None).await?,
            Look::Over => {
                self.go_on(&call, &script::goodbye()).await?;
            }
        }
        Ok(())
    }

    /// Moves a caller to whom nobody came on to what comes next. Where Vonage was away it is tried
    /// again, by the job or the sweep.
    async fn leave_room(
        &self,
        plan: &Plan,
        flow: &Flow,
        hotline: &Hotline,
        call: &Call,
        place: Option<&Place>,
    ) -> Result<(), ExchangeError> {
        let now = self.clock.now();
        tracing::info!(leg.id = %call.leg, "nobody joined; on to {}", hotline.otherwise);
        let call = Call {
            place: None,
            ..call.clone()
        };
        let decision = script::follow(plan, &hotline.otherwise, &call, now);
        if place.is_some() {
            // Tried for the first time.
            metric::unstaffed(&decision, now);
        }
        let ncco = self.enter(plan, &call, decision, now).await?;
        self.go_on(&call, &ncco).await?;
        self.store.moved(&call.leg, &flow.name).await?;
        if let Some(place) = place {
            let waiting = Waiting {
                leg: call.leg.clone(),
                since: place.since,
            };
            self.store.forget_waiting(&place.queue, &waiting).await?;
        }
        self.hush(&call.leg, plan).await
    }

    /// Enters what a decision leads to, and gives the script to move the caller there with.
    pub(super) async fn enter(
        &self,
        plan: &Plan,
        call: &Call,
        decision: Decision<'_>,
        now: Timestamp,
    ) -> Result<Ncco, ExchangeError> {
        for news in decision.news(call) {
            self.jobs.tell(plan, news, now).await?;
        }
        Ok(match decision.next {
            Next::Say(ncco) => ncco,
            Next::Mailbox(flow, ncco) => {
                self.store.enter_mailbox(&call.leg, &flow.name).await?;
                ncco
            }
            Next::Wait(flow, queue) => {
                let place = call.place_in(&flow.name, now);
                self.store.enter(call, &place).await?;
                script::hold(flow, queue, call, 0)
            }
            Next::Gather(flow, hotline) => {
                let place = call.place_in(&flow.name, now);
                self.store.enter(call, &place).await?;
                call_staff(&self.jobs, &call.leg, flow, hotline).await?;
                room::room(plan, flow, hotline, call)
            }
        })
    }

    /// Has the caller's leg go on with a script. A leg that is over needs none.
    async fn go_on(&self, call: &Call, ncco: &Ncco) -> Result<(), ExchangeError> {
        let region = self.region(call);
        match self
            .vonage
            .transfer(this(&call.leg, region.as_ref()), ncco)
            .await
        {
            Err(error) if !error.is_gone() => Err(ExchangeError::Vonage(error)),
            _ => Ok(()),
        }
    }

    /// Hangs up on who picked up and did not take the call.
    ///
    /// # Errors
    /// When the store or Vonage is away.
    pub async fn hang_up(&self, call: &LegId, leg: &LegId) -> Result<(), ExchangeError> {
        let call = self.store.call(call).await?;
        let region = call.and_then(|call| self.region(&call));
        match self.vonage.hang_up(this(leg, region.as_ref())).await {
            Ok(_) => Ok(()),
            Err(error) => Err(ExchangeError::Vonage(error)),
        }
    }

    /// The caller has hung up: their phones stop ringing.
    pub(super) async fn empty_rooms(&self, call: &Call) -> Result<(), ExchangeError> {
        let plan = self.plans.of(call).await?;
        if plan.flows().any(|flow| plan.hotline(&flow.name).is_some()) {
            self.hush(&call.leg, &plan).await?;
        }
        Ok(())
    }

    /// A caller whom the sweep found in a room.
    pub(super) async fn sweep_room(
        &self,
        flow: &Flow,
        hotline: &Hotline,
        call: &Call,
        now: Timestamp,
    ) -> Result<(), ExchangeError> {
        if let Some(place) = &call.place {
            let waited = now.duration_since(place.entered);
            let within = SignedDuration::try_from(RINGS_WITHIN).unwrap_or(SignedDuration::MAX);
            if waited > within && self.store.rung(&call.leg).await?.is_empty() {
                call_staff(&self.jobs, &call.leg, flow, hotline).await?;
            }
        }
        self.room(&call.leg, &flow.name).await
    }
}

fn this<'a>(id: &'a LegId, region: Option<&'a RegionUrl>) -> Leg<'a> {
    Leg {
        id,
        region,
        started: None,
    }
}

/// Whether trying again would end the same way: this number is not rung.
fn is_final(error: &VonageError) -> bool {
    matches!(error.reply(), Some(reply) if matches!(reply.status, 400 | 403 | 404 | 422))
}

/// The leg to one of the staff. `None` where our own URLs do not read.
fn new_call<'a>(flow: &Flow, hotline: &Hotline, agent: &Agent, call: &Call) -> Option<NewCall<'a>> {
    let cue = room::staff_cue(call, flow, &agent.name);
    let answer = script::agent_url(call, &cue);
    let event = format!("{}/webhooks/event?{}", call.base, cue.to_query());
    let line = PhoneNumber::parse(&call.line).ok();
    Some(NewCall {
        to: match &agent.endpoint {
            Endpoint::Phone(number) => To::Phone {
                number: number.clone(),
                dtmf_answer: None,
            },
            Endpoint::Sip(uri) => To::Sip {
                uri: uri.clone(),
                headers: serde_json::Map::new(),
            },
            Endpoint::App(user) => To::App { user: user.clone() },
        },
        from: line.map_or(Caller::Random, Caller::Number),
        script: Script::Url(Url::parse(&answer).ok()?),
        event_url: Some(Url::parse(&event).ok()?),
        ring: Some(hotline.timeout),
        length: None,
        machine: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::room::DECIDES_WITHIN;
    use std::collections::BTreeSet;

    const PLAN: &str = r#"
[[line]]
number = "447700900000"
name = "Line"
flow = "h"

[[agent]]
name = "alice"
phone = "447700900011"

[[agent]]
name = "bob"
phone = "447700900012"

[[agent]]
name = "carol"
phone = "447700900013"

[[agent]]
name = "dan"
phone = "447700900014"
on-duty = ["Sun 00:00-00:01"]
timezone = "UTC"

[flow.h]
type = "ring"
strategy = "staged"
music = "https://example.com/a.mp3"
stages = [
    { agents = ["alice", "bob"] },
    { after = "10s", agents = ["dan"] },
    { after = "20s", agents = ["carol"] },
]
max-wait = "1m"
otherwise = "end"

[flow.end]
type = "message"
say = "Bye."
"#;

    /// A Monday.
    fn at(seconds: i64) -> Timestamp {
        let began: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        began + SignedDuration::from_secs(seconds)
    }

    /// What a room comes to, `now` seconds after the caller came. `rung` names who was rung, each with
    /// the second in which they picked up, if they did.
    fn looked(
        now: i64,
        rung: &[(&str, Option<i64>)],
        given_up: &[&str],
        change: impl FnOnce(&mut Call),
    ) -> Look {
        let plan = Plan::parse(PLAN).plan.unwrap();
        let (flow, hotline) = plan.hotline(&"h".parse().unwrap()).unwrap();
        let mut call = Call::new(
            "leg".parse().unwrap(),
            "CON-1".parse().unwrap(),
            "447700900000".to_owned(),
            at(0),
            "https://example.com".to_owned(),
            &plan,
        );
        call.place = Some(call.place_in(&flow.name, at(0)));
        let helper = |name: &&str| format!("h/{name}").parse::<Helper>().unwrap();
        call.given_up = given_up.iter().map(helper).collect();
        change(&mut call);
        let rung: Vec<_> = rung
            .iter()
            .map(|(name, answered)| Rung {
                agent: name.parse().unwrap(),
                flow: flow.name.clone(),
                at: at(0),
                leg: None,
                answered: answered.map(at),
                joined: None,
            })
            .collect();
        look(&plan, flow, hotline, &call, &rung, at(now))
    }

    #[test]
    fn a_room_waits_for_those_who_may_still_come_and_for_nobody_else() {
        let seconds = Duration::from_secs;
        let decides = i64::try_from(DECIDES_WITHIN.as_secs()).unwrap();
        for (now, rung, given_up, expected) in [
            (0, &[][..], &[][..], Look::Waits(seconds(60))),
            (5, &[("alice", None)], &["alice"], Look::Waits(seconds(55))),
            (
                5,
                &[("alice", None), ("bob", None)],
                &["alice"],
                Look::Waits(seconds(55)),
            ),
            // Dan is off duty, so his stage is no stage.
            (
                5,
                &[("alice", None), ("bob", None)],
                &["alice", "bob"],
                Look::Next(2),
            ),
            (
                25,
                &[("alice", None), ("bob", None), ("carol", None)],
                &["alice", "bob", "carol"],
                Look::MoveOn,
            ),
            (60, &[("alice", None)], &[], Look::MoveOn),
            (59, &[("alice", Some(58))], &[], Look::Decides),
            (61, &[("alice", Some(58))], &[], Look::Decides),
            (61, &[("alice", Some(58))], &["alice"], Look::MoveOn),
            (58 + decides, &[("alice", Some(58))], &[], Look::MoveOn),
        ] {
            let found = looked(now, rung, given_up, |_| {});
            assert_eq!(found, expected, "{now} s, {rung:?}, {given_up:?}");
        }
    }

    #[test]
    fn a_room_that_needs_nobody_is_left_alone_and_an_empty_one_is_closed() {
        let alice: Helper = "h/alice".parse().unwrap();
        let talked = |call: &mut Call| {
            call.place = None;
            call.joined = BTreeSet::from([alice.clone()]);
        };
        assert_eq!(looked(90, &[], &[], talked), Look::Over);
        let talks = |call: &mut Call| {
            talked(call);
            call.helpers = call.joined.clone();
        };
        assert_eq!(looked(90, &[], &[], talks), Look::Nothing);
        let gone = |call: &mut Call| {
            talked(call);
            call.ended = Some(at(80));
        };
        assert_eq!(looked(90, &[], &[], gone), Look::Nothing);
        let moves = |call: &mut Call| {
            call.place = None;
            call.moving = Some("h".parse().unwrap());
        };
        assert_eq!(looked(90, &[], &[], moves), Look::Moving);
        let elsewhere = |call: &mut Call| call.place = None;
        assert_eq!(looked(90, &[], &[], elsewhere), Look::Nothing);
    }
}
