//! Webhooks that want an NCCO: a call comes in, a waiting caller is fetched, or an agent's leg is
//! answered.
//!
//! Whatever can be said aloud is said: only a request that Vonage did not sign, or that does not
//! read, gets anything but a 200 with a script.

use aws_config::SdkConfig;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use switchboard_shared::call::Call;
use switchboard_shared::chain;
use switchboard_shared::clock::Clock;
use switchboard_shared::config::Lookup;
use switchboard_shared::cue::{Cue, Step};
use switchboard_shared::exchange::{self, Entry};
use switchboard_shared::id::{ConversationId, LegId};
use switchboard_shared::job::{Job, JobQueue};
use switchboard_shared::metric::{self, Metric};
use switchboard_shared::ncco::Ncco;
use switchboard_shared::news::News;
use switchboard_shared::number::mask;
use switchboard_shared::offer::{self, Found};
use switchboard_shared::plan::{AgentName, Flow, FlowName, Hotline, Plan, Queue};
use switchboard_shared::plans::Plans;
use switchboard_shared::script::room::{self, Door};
use switchboard_shared::script::{self, Next, screen};
use switchboard_shared::store::{Begun, Home, Store};
use switchboard_shared::vonage::{RegionUrl, Trust};
use switchboard_shared::web::{self, Failure, Received, Webhooks};
use switchboard_shared::webhook::{Answer as Asked, Event, Fields, Kind, Unreadable};

/// What the function works with; built once.
#[derive(Debug)]
pub struct Answer {
    webhooks: Webhooks,
    trust: Trust,
    store: Store,
    plans: Plans,
    jobs: JobQueue,
    clock: Clock,
}

impl Answer {
    /// Reads the settings.
    pub fn from_lookup(lookup: &mut Lookup, sdk: &SdkConfig) -> Option<Self> {
        let store = Store::from_lookup(lookup, sdk);
        Some(Self {
            webhooks: Webhooks::from_lookup(lookup),
            trust: Trust::from_lookup(lookup),
            plans: Plans::from_lookup(lookup, store.clone()),
            jobs: JobQueue::from_lookup(lookup, sdk, "SWITCHBOARD_DISPATCH_QUEUE_URL"),
            clock: lookup.clock(),
            store,
        })
    }

    /// Reads the plan ahead of the first call.
    pub async fn warm(&self) {
        if let Err(error) = self.plans.current().await {
            tracing::error!(error = %chain(&error), "no plan yet; calls hear an apology");
        }
    }
}

/// The routes.
pub fn router(answer: Answer) -> Router {
    Router::new()
        .route("/webhooks/answer", get(on_answer).post(on_answer))
        .route(
            "/webhooks/answer/agent/{conversation}/{leg}",
            get(on_agent).post(on_agent),
        )
        .route("/webhooks/ncco/{leg}", get(on_ncco).post(on_ncco))
        .with_state(Arc::new(answer))
}

async fn on_answer(
    State(answer): State<Arc<Answer>>,
    request: Request,
) -> Result<Response, Failure> {
    let received = answer.webhooks.receive(request).await?;
    let asked = match Asked::read(&received.fields) {
        Ok(asked) => asked,
        Err(error) => return answer.complaint(received.fields, error).await,
    };
    Ok(web::say(
        &answer.script(asked, received, answer.clock.now()).await,
    ))
}

impl Answer {
    /// Vonage says at the answer URL, too, what it could not do: into the ledger with it. Anything
    /// else that is no call does not read.
    async fn complaint(&self, fields: Fields, error: Unreadable) -> Result<Response, Failure> {
        let event = Event::read(fields)
            .ok()
            .filter(|event| matches!(event.kind, Kind::Error(_)));
        let Some((event, conversation)) =
            event.and_then(|event| event.conversation.clone().map(|id| (event, id)))
        else {
            return Err(Failure::Unreadable(error));
        };
        tracing::error!(call.conversation = %conversation, "Vonage reports an error");
        self.store
            .note(&Home::Conversation(conversation), &event, self.clock.now())
            .await?;
        Ok(web::noted())
    }

    /// Loads, decides, writes, and says something in any case and in time.
    async fn script(&self, asked: Asked, received: Received, now: Timestamp) -> Ncco {
        let (leg, by) = (asked.leg.clone(), received.by);
        let mut otherwise = script::sorry();
        let decided = self.decide(asked, received, now, &mut otherwise);
        match tokio::time::timeout_at(by, decided).await {
            Ok(ncco) => ncco,
            Err(_) => {
                tracing::error!(leg.id = %leg, "the caller is answered before all is done: something we need is slow");
                otherwise
            }
        }
    }

    /// What the caller hears, if there is time for it; `otherwise` is what they hear if not. Where
    /// this is given up halfway, Vonage's next question about the call finds how far it came.
    async fn decide(
        &self,
        asked: Asked,
        received: Received,
        now: Timestamp,
        otherwise: &mut Ncco,
    ) -> Ncco {
        let plan = match self.plans.current().await {
            Ok(plan) => plan,
            Err(error) => {
                tracing::error!(leg.id = %asked.leg, error = %chain(&error), "no plan to answer by");
                return script::sorry();
            }
        };
        let mut call = self.call(asked, received.base, &plan, now);
        let mut decision = script::answer(&plan, &call, now);
        let mut taken = None;
        if let Some(flow) = decision.by_turns {
            match self.store.take_turn(flow).await {
                Ok(turn) => {
                    taken = Some((flow, turn));
                    call.turn = Some(turn);
                    decision = script::answer(&plan, &call, now);
                }
                Err(error) => {
                    tracing::error!(leg.id = %call.leg, error = %chain(&error), "whose turn it is, is not known; the first is rung");
                }
            }
        }
        tracing::info!(
            leg.id = %call.leg, call.conversation = %call.conversation,
            line.number = %mask(&call.line), caller.masked = %call.masked(),
            "answering: {}", decision.why
        );
        if let Next::Mailbox(flow, _) = &decision.next {
            call.mailbox = Some(flow.name.clone());
        }
        if let Next::Say(ncco) | Next::Mailbox(_, ncco) = &decision.next {
            // Nothing of these scripts needs the store.
            otherwise.clone_from(ncco);
        }
        if let Next::Wait(flow, _) | Next::Gather(flow, _) = decision.next {
            call.place = Some(call.place_in(&flow.name, now));
        }
        let told = self.tell(&plan, decision.news(&call).collect(), now);
        let (begun, ()) = tokio::join!(self.store.begin(&call), told);
        if let Ok(Begun::First) = begun {
            metric::unstaffed(&decision, now);
        }
        match (begun, decision.next) {
            (Ok(Begun::Again(call)), next) => {
                tokio::join!(self.again(&call, next), self.give_back(taken)).0
            }
            (Ok(Begun::First), Next::Wait(flow, queue)) => {
                *otherwise = script::hold(flow, queue, &call, 0);
                let (ncco, found) = self.wait(&plan, flow, queue, &call).await;
                if found == Some(Found::NobodyThere) {
                    Metric::NobodyOnDuty.record(now);
                }
                ncco
            }
            (Ok(Begun::First), Next::Gather(flow, hotline)) => {
                *otherwise = room::room(&plan, flow, hotline, &call);
                self.gather(&plan, flow, hotline, &call).await
            }
            (Ok(Begun::First), Next::Say(ncco) | Next::Mailbox(_, ncco)) => ncco,
            // The caller is served, the ledger is not yet.
            (Err(error), Next::Say(ncco) | Next::Mailbox(_, ncco)) => {
                tracing::error!(leg.id = %call.leg, error = %chain(&error), "a call is not in the ledger");
                self.begin_later(call).await;
                ncco
            }
            (Err(error), Next::Wait(..) | Next::Gather(..)) => {
                tracing::error!(leg.id = %call.leg, error = %chain(&error), "no queue to wait in");
                call.place = None;
                self.begin_later(call).await;
                script::sorry()
            }
        }
    }

    /// A call that is told of again has its turn already; the next caller is not to lose theirs.
    async fn give_back(&self, taken: Option<(&FlowName, u32)>) {
        if let Some((flow, turn)) = taken
            && let Err(error) = self.store.give_back_turn(flow, turn).await
        {
            tracing::error!(flow = %flow, error = %chain(&error), "a turn is skipped");
        }
    }

    /// Has somebody told what the decision makes news, where the plan names anybody.
    async fn tell(&self, plan: &Plan, news: Vec<News>, now: Timestamp) {
        for news in news {
            let id = news.id();
            if let Err(error) = self.jobs.tell(plan, news, now).await {
                tracing::error!(news = %id, error = %chain(&error), "nobody is told");
            }
        }
    }

    /// Has a call written that could not be: its ledger is whole again when the store is back, and
    /// an agent of a `ring` flow who does not answer is followed by the next.
    async fn begin_later(&self, call: Call) {
        let leg = call.leg.clone();
        let begin = Job::Begin {
            call: Box::new(call),
        };
        if let Err(error) = self.jobs.send(&begin, Duration::ZERO).await {
            tracing::error!(leg.id = %leg, error = %chain(&error), "the ledger will have no beginning of a call");
        }
    }

    fn call(&self, asked: Asked, base: String, plan: &Plan, now: Timestamp) -> Call {
        let (region, refused) = match asked.region_url.as_deref() {
            None => (None, None),
            Some(url) => match RegionUrl::parse(url, &self.trust) {
                Ok(region) => (Some(region.as_str().to_owned()), None),
                Err(error) => {
                    let why = format!("region_url is not used: {}", chain(&error));
                    tracing::warn!(leg.id = %asked.leg, "{why}");
                    (None, Some(why))
                }
            },
        };
        Call {
            from: asked.from,
            region,
            refused,
            ..Call::new(asked.leg, asked.conversation, asked.to, now, base, plan)
        }
    }

    /// Vonage asks again about a call it did not get our answer to: the same answer, from how the
    /// call stands.
    async fn again(&self, call: &Call, decided: Next<'_>) -> Ncco {
        let plan = match self.plans.of(call).await {
            Ok(plan) => plan,
            Err(error) => {
                tracing::error!(leg.id = %call.leg, error = %chain(&error), "the plan of a call is away");
                return script::sorry();
            }
        };
        let place = call.place.as_ref();
        // Where they wait, or talk: who hears the room's script again is led into the same room.
        let room = call.helpers.iter().next().map(|helper| &helper.flow);
        let room = place.map(|place| &place.queue).or(room);
        if let Some((flow, hotline)) = room.and_then(|flow| plan.hotline(flow)) {
            return self.gather(&plan, flow, hotline, call).await;
        }
        let queue = place.and_then(|place| plan.queue(&place.queue));
        match (queue, &call.offer, decided) {
            (Some((flow, queue)), Some(offer), _) => {
                script::connect_offer(&plan, flow, queue, offer, call, false)
                    .unwrap_or_else(script::sorry)
            }
            (Some((flow, queue)), None, _) => self.wait(&plan, flow, queue, call).await.0,
            (None, _, Next::Say(ncco) | Next::Mailbox(_, ncco)) if call.turn.is_none() => ncco,
            // The same agent as before: by the turn that the call has taken.
            (None, _, Next::Say(_) | Next::Mailbox(..)) => {
                match script::answer(&plan, call, self.clock.now()).next {
                    Next::Say(ncco) | Next::Mailbox(_, ncco) => ncco,
                    Next::Wait(..) | Next::Gather(..) => script::goodbye(),
                }
            }
            // Waited before, and is served or gone since: nothing is left to say.
            (None, _, Next::Wait(..) | Next::Gather(..)) => script::goodbye(),
        }
    }

    /// The caller waits in a room, as is written, and the staff is rung. Each phone is rung once,
    /// however often we are asked; what fails here the sweep makes up for.
    async fn gather(&self, plan: &Plan, flow: &Flow, hotline: &Hotline, call: &Call) -> Ncco {
        if let Err(error) = exchange::call_staff(&self.jobs, &call.leg, flow, hotline).await {
            tracing::error!(leg.id = %call.leg, error = %chain(&error), "the staff is rung by the sweep");
        }
        room::room(plan, flow, hotline, call)
    }

    /// The caller waits, as is written: a free agent gets them at once, else they hold. What fails
    /// here is tried again when the music comes back to us. Gives what the look at the agents came to
    /// besides, where there was one.
    async fn wait(
        &self,
        plan: &Plan,
        flow: &Flow,
        queue: &Queue,
        call: &Call,
    ) -> (Ncco, Option<Found>) {
        if let Some(after) = queue.free_after {
            let pretend = Job::Pretend {
                call: call.leg.clone(),
            };
            if let Err(error) = self.jobs.send(&pretend, after).await {
                tracing::error!(leg.id = %call.leg, error = %chain(&error), "free-after waits for the sweep");
            }
        }
        let found = offer::claim_agent(&self.store, &self.jobs, queue, call, &self.clock).await;
        let ncco = match &found {
            Ok(Found::Agent(offer)) => {
                tracing::info!(leg.id = %call.leg, agent.id = %offer.agent, "{} is free", offer.agent);
                script::connect_offer(plan, flow, queue, offer, call, false)
                    .unwrap_or_else(script::sorry)
            }
            Ok(Found::NobodyFree | Found::NobodyThere) => script::hold(flow, queue, call, 0),
            Err(error) => {
                tracing::error!(leg.id = %call.leg, error = %chain(error), "holding without a look at the agents");
                script::hold(flow, queue, call, 0)
            }
        };
        (ncco, found.ok())
    }

    /// The script that joins a caller to the agent who claimed them. Where the store is away, Vonage
    /// is asked to try again, since the promise will still be there.
    async fn joining(&self, leg: &LegId) -> Result<Ncco, Failure> {
        let Some(call) = self.store.call(leg).await? else {
            tracing::warn!(leg.id = %leg, "a script was asked for a call we do not know");
            return Ok(script::sorry());
        };
        let plan = self.plans.of(&call).await?;
        let queue = call
            .place
            .as_ref()
            .and_then(|place| plan.queue(&place.queue));
        let Some((flow, queue)) = queue else {
            return Ok(script::sorry());
        };
        let joined = call.offer.as_ref();
        let joined =
            joined.and_then(|offer| script::connect_offer(&plan, flow, queue, offer, &call, true));
        Ok(joined.unwrap_or_else(|| script::hold(flow, queue, &call, 1)))
    }

    /// One of the staff has picked up: asked for a key, let in, or told why not.
    async fn to_staff(
        &self,
        call: &Call,
        plan: &Plan,
        cue: &Cue,
        agent: &AgentName,
        phone: Option<LegId>,
    ) -> Result<Ncco, Failure> {
        let (Some((flow, hotline)), Some(person)) = (plan.hotline(&cue.flow), plan.agent(agent))
        else {
            return Ok(script::sorry());
        };
        match room::door(flow, hotline, agent, call) {
            Door::In => Ok(room::enter(plan, flow, hotline, call)),
            Door::Open if room::confirms(hotline, person) => {
                Ok(room::question(plan, flow, hotline, agent, call, cue))
            }
            Door::Open => {
                let entry = Entry {
                    plan,
                    flow,
                    hotline,
                    agent,
                    leg: phone.as_ref(),
                };
                let now = self.clock.now();
                Ok(entry
                    .come_in(&self.store, &self.jobs, call, None, now)
                    .await?)
            }
            door => Ok(room::turned_away(door)),
        }
    }

    /// What an agent hears before the caller joins.
    async fn to_agent(
        &self,
        leg: &LegId,
        cue: Option<Cue>,
        phone: Option<LegId>,
    ) -> Result<Ncco, Failure> {
        let call = self.store.call(leg).await?;
        let plan = match &call {
            Some(call) => self.plans.of(call).await?,
            None => self.plans.current().await?,
        };
        let up = call.as_ref().filter(|call| call.ended.is_none());
        if let (Some(call), Some(cue)) = (up, &cue) {
            if let Step::Staff { agent } = &cue.step {
                return self.to_staff(call, &plan, cue, agent, phone).await;
            }
            if let Some(agent) = cue.agent(&plan, Some(call)) {
                return Ok(screen::question(&plan, agent, call, cue));
            }
        }
        Ok(script::to_agent(&plan, up))
    }
}

async fn on_ncco(
    State(answer): State<Arc<Answer>>,
    leg: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    // The path after the signature: who is not let in learns nothing, not even that it is odd.
    let by = answer.webhooks.admit(request).await?.by;
    let leg = leg.ok().and_then(|Path(leg)| LegId::new(leg).ok());
    let leg = leg.ok_or(Failure::NotFound("such call"))?;
    Ok(web::say(&web::in_time(by, answer.joining(&leg)).await?))
}

async fn on_agent(
    State(answer): State<Arc<Answer>>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let received = answer.webhooks.admit(request).await?;
    let cue = Cue::from_query(&received.query);
    let fields = received.fields.ok();
    let phone = fields.and_then(|fields| LegId::new(fields.text("uuid")?).ok());
    let leg = path.ok().and_then(|Path((conversation, leg))| {
        ConversationId::new(conversation).ok()?;
        LegId::new(leg).ok()
    });
    let leg = leg.ok_or(Failure::NotFound("such call"))?;
    Ok(web::say(
        &web::in_time(received.by, answer.to_agent(&leg, cue, phone)).await?,
    ))
}
