//! The board: all of Switchboard in one process, on embedded engines. `switchboard dev` runs it, and
//! every test of whole calls opens one.

use crate::cloud::Endpoints;
use crate::engines::dynamodb::Table;
use crate::engines::{Engines, EnginesError};
use crate::environment::Environment;
use crate::meter::{Begun, Function, Meter, Trigger};
use crate::poller::Poller;
use crate::reception::{self, Reception};
use crate::secrets::{Secrets, SecretsError};
use crate::serve::serve;
use crate::trial::{self, Trial};
use crate::work::Work;
use aws_config::SdkConfig;
use aws_sdk_sqs::types::QueueAttributeName;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use switchboard_archive::{Archiver, RECEIVES};
use switchboard_dispatch::Dispatch;
use switchboard_phone::Phone;
use switchboard_shared::archive::Archive;
use switchboard_shared::aws::{self, Waits};
use switchboard_shared::clock::Clock;
use switchboard_shared::config::{ConfigError, Lookup, token_hash};
use switchboard_shared::job::JobQueue;
use switchboard_shared::plan::Plan;
use switchboard_shared::plans::{PlanError, Plans};
use switchboard_shared::store::{self, Pushed, Signed, Store, StoreError};
use switchboard_shared::{chain, web};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long requests under way may take once the board is to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// How long a command may have the folder of a board that does not run.
const COMMAND: Duration = Duration::from_secs(3);

/// How often the plan file is looked at, to put a change into the table.
const PLAN_TICK: Duration = Duration::from_secs(1);

/// How often the sweep runs, as in the cloud.
const SWEEP_TICK: Duration = Duration::from_secs(300);

/// How long a message of the dispatch queue is hidden while in work, and before it comes again.
const DISPATCH_HIDDEN: u32 = 30;

/// The same for the archive queue, unless the function says otherwise. Longer than a download.
const ARCHIVE_HIDDEN: u32 = 960;

/// Messages of the dispatch queue in work at once: as many as targets are told at once, which may be
/// slow, and eight more, so that an agent is rung all the same.
const DISPATCH_AT_ONCE: usize = 24;

/// How often a dispatch job is tried before it goes to the dead letters.
const DISPATCH_ATTEMPTS: u32 = 8;

/// What a board is started with.
#[derive(Debug, Clone)]
pub struct BoardConfig {
    /// Where its state is kept; none for a board that forgets.
    pub data: Option<PathBuf>,
    /// Where it listens on 127.0.0.1; 0 picks a free port.
    pub port: u16,
    /// The plan file, unless `SWITCHBOARD_PLAN` names another.
    pub plan: PathBuf,
    /// The variables it goes by.
    pub environment: Environment,
    /// The time it goes by.
    pub clock: Clock,
    /// Waits between downloads of a recording, if other than in the cloud.
    pub delays: Option<Vec<Duration>>,
    /// The phone beside it, where `VONAGE_API_URL` names nobody. Without either it is Vonage itself.
    pub phone: Option<Trial>,
    /// Counts what its functions do, if somebody wants to know.
    pub meter: Option<Meter>,
}

/// A board could not be started.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each says it in its message")]
pub enum BoardError {
    #[error("could not make the folder {path}")]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("another board runs on {0}; stop it, or give this one another --data")]
    Running(PathBuf),
    #[error("could not open the engines")]
    Engines(#[from] EnginesError),
    #[error("could not open the secrets")]
    Secrets(#[from] SecretsError),
    #[error("could not use the settings")]
    Config(#[from] ConfigError),
    #[error("could not prepare the table")]
    Store(#[from] StoreError),
    #[error("could not prepare {what}")]
    Cloud {
        what: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("could not use the plan")]
    Plan(#[from] PlanError),
    #[error("could not listen on port {port}; choose another with --port, or 0 for a free one")]
    Listen {
        port: u16,
        #[source]
        source: std::io::Error,
    },
}

impl BoardError {
    pub(crate) fn cloud<E>(what: &'static str) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |source| Self::Cloud {
            what,
            source: Box::new(source),
        }
    }
}

/// Where a running board is reached, for the CLI's other commands: `board.json` in its data folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Address {
    /// Its HTTP.
    pub url: String,
    /// Its engines.
    pub endpoints: Endpoints,
    /// Its table.
    pub table: String,
    /// Its bucket.
    pub bucket: String,
    /// Its archive queue.
    pub archive_queue: String,
    /// Its dispatch queue.
    pub dispatch_queue: String,
    /// The plan file it goes by.
    pub plan: PathBuf,
}

/// A running board.
#[derive(Debug)]
pub struct Board {
    address: Address,
    secrets: Secrets,
    environment: Environment,
    store: Store,
    archive: Archive,
    archive_queue: JobQueue,
    sqs: aws_sdk_sqs::Client,
    engines: Engines,
    clock: Clock,
    work: Work,
    /// URLs of the queues it takes messages from.
    queues: [String; 2],
    phone: Option<Phone>,
    stop: watch::Sender<bool>,
    swept: watch::Receiver<bool>,
    tasks: JoinSet<()>,
    data: Option<PathBuf>,
    _lock: Option<std::fs::File>,
}

impl Board {
    /// Starts a board: engines, table, bucket, queues, functions; then finishes what an earlier one
    /// left undone.
    ///
    /// # Errors
    /// When something it needs cannot be opened, or a setting or the plan is wrong.
    pub async fn start(config: BoardConfig) -> Result<Self, BoardError> {
        let lock = match &config.data {
            Some(data) => Some(take(data).await?),
            None => None,
        };
        let (engines, secrets) = match &config.data {
            Some(data) => (
                Engines::open(data, config.clock.clone()).await?,
                Secrets::open(data)?,
            ),
            None => (
                Engines::in_memory(config.clock.clone()).await?,
                Secrets::in_passing()?,
            ),
        };
        let clock = config.clock;
        let work = Work::default();
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut environment = config.environment;
        let endpoints = Endpoints::of(&engines, &environment);
        settle(&mut environment, &secrets, &config.plan);
        let beside = match &config.phone {
            Some(trial) if environment.get("VONAGE_API_URL").is_none() => {
                Some(trial::open(trial, &mut environment, &clock).await?)
            }
            _ => None,
        };
        let patient = endpoints.config(Waits::Nobody, &environment).await;
        prepare(&mut environment, &patient).await?;
        let quick = endpoints.config(Waits::Caller, &environment).await;

        let mut lookup = lookup(&environment).with_clock(clock.clone());
        let lookup = &mut lookup;
        let meter = config.meter;
        let by = |function, sdk: &SdkConfig| match &meter {
            Some(meter) => meter.before(function, sdk),
            None => sdk.clone(),
        };
        let answer = switchboard_answer::Answer::from_lookup(lookup, &by("answer", &quick));
        let events = switchboard_event::Events::from_lookup(lookup, &by("event", &quick));
        let fallback = switchboard_fallback::Fallback::from_lookup(lookup);
        let recordings = by("recording", &quick);
        let recordings = switchboard_recording::Recordings::from_lookup(lookup, &recordings);
        let transfer = switchboard_transfer::Transfer::from_lookup(lookup, &by("transfer", &quick));
        let archiver = Archiver::from_lookup(lookup, &by("archive", &patient));
        let dispatch = Dispatch::from_lookup(lookup, &by("dispatch", &patient));
        let store = Store::from_lookup(lookup, &patient);
        let archive = Archive::from_lookup(lookup, &patient);
        let archive_queue =
            JobQueue::from_lookup(lookup, &patient, "SWITCHBOARD_ARCHIVE_QUEUE_URL");
        let plans = Arc::new(Plans::from_lookup(lookup, store.clone()));
        let all = answer
            .zip(events)
            .zip(recordings.zip(transfer))
            .zip(archiver.zip(dispatch));
        let faults = std::mem::replace(lookup, Lookup::new(|_| None));
        let (((answer, events), (recordings, transfer)), (archiver, dispatch)) =
            faults.finish(all)?;
        let archiver = match config.delays {
            Some(delays) => archiver.with_delays(delays),
            None => archiver,
        };

        // All of them read the plan that was checked, before somebody edits it.
        tokio::join!(
            answer.warm(),
            events.warm(),
            transfer.warm(),
            dispatch.warm()
        );
        push(plans.current().await?.as_ref(), &store, clock.now()).await?;
        let watched = watch_plan(plans.clone(), store.clone(), clock.clone(), stopped.clone());
        tasks.spawn(watched);
        let dispatch = Arc::new(dispatch);
        let archiver = Arc::new(archiver);
        let sqs = aws_sdk_sqs::Client::new(&patient);
        let of = |name: &str| environment.get(name).unwrap_or_default();
        let queues = [
            of("SWITCHBOARD_DISPATCH_QUEUE_URL"),
            of("SWITCHBOARD_ARCHIVE_QUEUE_URL"),
        ];
        let poller = |url: &str, at_once| Poller {
            sqs: sqs.clone(),
            url: url.to_owned(),
            at_once,
            sent: engines.sqs_sent(),
            work: work.clone(),
            stop: stopped.clone(),
        };
        let (jobs, counts) = (dispatch.clone(), meter.clone());
        tasks.spawn(poller(&queues[0], DISPATCH_AT_ONCE).run(move |event| {
            let (jobs, begun) = (jobs.clone(), begin(&counts, "dispatch", Trigger::Message));
            async move {
                let _begun = begun;
                jobs.take(event).await
            }
        }));
        let counts = meter.clone();
        tasks.spawn(poller(&queues[1], 4).run(move |event| {
            let (archiver, begun) = (
                archiver.clone(),
                begin(&counts, "archive", Trigger::Message),
            );
            async move {
                let _begun = begun;
                archiver.take(event).await
            }
        }));
        let (sweeping, swept) = watch::channel(false);
        tasks.spawn(sweep(
            dispatch,
            engines.table(),
            clock.clone(),
            meter.clone(),
            work.clone(),
            sweeping,
            stopped.clone(),
        ));

        let invoked = |function, router: Router| match meter.clone() {
            Some(meter) => router.layer(middleware::from_fn_with_state((meter, function), invoked)),
            None => router,
        };
        let agents = invoked("transfer", switchboard_transfer::router(transfer));
        let router = web::whole(merge([
            invoked("answer", switchboard_answer::router(answer)),
            invoked("event", switchboard_event::router(events)),
            invoked("fallback", switchboard_fallback::router(fallback)),
            invoked("recording", switchboard_recording::router(recordings)),
            agents.clone(),
        ]));
        let router = router.layer(middleware::from_fn_with_state(work.clone(), counted));
        let (listener, address) = listen(config.port).await?;
        let url = format!("http://{address}");
        let mut phone = None;
        let mut router = router;
        if let (Some(beside), Some(trial)) = (beside, &config.phone) {
            let (rest, here) = (beside.phone.rest_router(), stopped.clone());
            tasks.spawn(serve(beside.listener, rest, here));
            trial::ring(&beside.phone, &url);
            trial::know(
                &beside.phone,
                &beside.directory,
                plans.current().await?.as_ref(),
            );
            let page = beside.phone.page_router(beside.directory.subscribe());
            let reception = reception::router(Reception {
                store: store.clone(),
                archive: archive.clone(),
                plans: plans.clone(),
                clock: clock.clone(),
                agents,
                token: secrets.operator_token.clone(),
            });
            router = router.merge(reception::of_this_machine(page.merge(reception)));
            tasks.spawn(trial::follow(
                beside.phone.clone(),
                beside.directory,
                plans.clone(),
                stopped.clone(),
            ));
            if !trial.stepped {
                let (runs, mut stop) = (beside.phone.clone(), stopped.clone());
                tasks.spawn(async move {
                    runs.run(async move { drop(stop.wait_for(|stop| *stop).await) })
                        .await;
                });
            }
            phone = Some(beside.phone);
        }
        tasks.spawn(serve(listener, router, stopped));
        let address = Address {
            url,
            endpoints,
            table: of("SWITCHBOARD_TABLE"),
            bucket: of("SWITCHBOARD_BUCKET"),
            archive_queue: of("SWITCHBOARD_ARCHIVE_QUEUE_URL"),
            dispatch_queue: of("SWITCHBOARD_DISPATCH_QUEUE_URL"),
            plan: absolute(of("SWITCHBOARD_PLAN")),
        };
        if let Some(data) = &config.data {
            let json = serde_json::to_vec_pretty(&address).expect("an address is text");
            let path = data.join("board.json");
            std::fs::write(&path, json).map_err(|source| BoardError::Folder { path, source })?;
        }
        Ok(Self {
            address,
            secrets,
            environment,
            store,
            archive,
            archive_queue,
            sqs,
            engines,
            clock,
            work,
            queues,
            phone,
            stop,
            swept,
            tasks,
            data: config.data,
            _lock: lock,
        })
    }

    /// Where it is reached: `http://127.0.0.1:9000`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.address.url
    }

    /// The phone beside it, if there is one.
    #[must_use]
    pub fn phone(&self) -> Option<&Phone> {
        self.phone.as_ref()
    }

    /// The table it writes to.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The bucket it archives to.
    #[must_use]
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Where recordings wait to be archived.
    #[must_use]
    pub fn archive_queue(&self) -> &JobQueue {
        &self.archive_queue
    }

    /// Its SQS.
    #[must_use]
    pub fn sqs(&self) -> &aws_sdk_sqs::Client {
        &self.sqs
    }

    /// Its own secrets.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The variables it goes by, its own values included: what a function would be given to work on
    /// the same table, bucket and queues.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Its engines.
    #[must_use]
    pub fn engines(&self) -> &Engines {
        &self.engines
    }

    /// Waits until what an earlier board left undone has been looked at. Calls are answered
    /// meanwhile.
    pub async fn swept(&self) {
        // An error means that the board stops before it is done.
        let _ = self.swept.clone().wait_for(|swept| *swept).await;
    }

    /// Waits until nothing is left to do now: no request is being answered, no job is due or being
    /// done, no sweep either. What is delayed does not count, up to the moment of the board's clock
    /// at which it is due: [`Clock::next`] says when the first one is.
    ///
    /// Knows only of queues on the board's own engine.
    pub async fn idle(&self) {
        self.swept().await;
        let more = || {
            let due = self
                .clock
                .next()
                .is_some_and(|next| next <= self.clock.now());
            due || self.queues.iter().any(|url| self.engines.sqs_has_free(url))
        };
        self.work.rest(more).await;
    }

    /// Stops: no new requests, those under way finish, nothing acknowledged is lost.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let finished = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_REQUESTS, finished).await.is_err() {
            tracing::warn!("gave up a request that would not end");
            self.tasks.shutdown().await;
        }
        if let Some(data) = &self.data {
            let _ = std::fs::remove_file(data.join("board.json"));
        }
        self.engines.close().await;
    }
}

/// One board per data folder: two on one database would lose what the other writes.
pub(crate) fn lock(data: &Path) -> Result<std::fs::File, BoardError> {
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |source| BoardError::Folder { path, source }
    };
    std::fs::create_dir_all(data).map_err(fail(data))?;
    let path = data.join("lock");
    let file = std::fs::File::create(&path).map_err(fail(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(BoardError::Running(data.to_owned())),
        Err(std::fs::TryLockError::Error(source)) => Err(fail(&path)(source)),
    }
}

/// The address of the board that runs on a folder: one that takes connections, not what a crash left
/// behind.
pub(crate) async fn running(data: &Path) -> Option<Address> {
    let bytes = std::fs::read(data.join("board.json")).ok()?;
    let address: Address = serde_json::from_slice(&bytes).ok()?;
    let host = address.url.strip_prefix("http://")?;
    tokio::net::TcpStream::connect(host).await.ok()?;
    Some(address)
}

/// Takes the folder for a board. Another command may have it for a moment; another board keeps it.
async fn take(data: &Path) -> Result<std::fs::File, BoardError> {
    let until = tokio::time::Instant::now() + COMMAND;
    loop {
        match lock(data) {
            Err(BoardError::Running(_))
                if tokio::time::Instant::now() < until && running(data).await.is_none() =>
            {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            taken => return taken,
        }
    }
}

/// The board's own values for what the environment leaves open.
pub(crate) fn settle(environment: &mut Environment, secrets: &Secrets, plan: &Path) {
    environment.or_set("SWITCHBOARD_TABLE", "switchboard");
    environment.or_set("SWITCHBOARD_BUCKET", "switchboard-recordings");
    environment.or_set("SWITCHBOARD_PLAN", plan.display().to_string());
    if environment.get("VONAGE_APPLICATION_ID").is_none() {
        environment.set("VONAGE_APPLICATION_ID", &secrets.application_id);
        // Who sets the secret of a real account alone means every application of it.
        environment.or_set("SWITCHBOARD_ANY_APPLICATION", "true");
    }
    environment.or_set("VONAGE_SIGNATURE_SECRET", &secrets.signature_secret);
    environment.or_set("VONAGE_PRIVATE_KEY", &secrets.private_key);
    // The board's owner may act as operator, besides whoever the environment names.
    let tokens = environment.get("SWITCHBOARD_API_TOKENS");
    let tokens = tokens.map_or_else(|| Ok(json!([])), |text| serde_json::from_str(&text));
    if let Ok(serde_json::Value::Array(mut tokens)) = tokens {
        let sha256 = token_hash(&secrets.operator_token);
        tokens.push(json!({ "name": "board", "role": "operator", "sha256": sha256 }));
        environment.set(
            "SWITCHBOARD_API_TOKENS",
            serde_json::Value::Array(tokens).to_string(),
        );
    }
}

pub(crate) fn lookup(environment: &Environment) -> Lookup {
    let environment = environment.clone();
    Lookup::new(move |name| environment.get(name))
}

/// Creates what is not there: table, bucket, queues with their dead letters.
async fn prepare(environment: &mut Environment, sdk: &SdkConfig) -> Result<(), BoardError> {
    let table = environment.get("SWITCHBOARD_TABLE").unwrap_or_default();
    store::create_table(&aws_sdk_dynamodb::Client::new(sdk), &table).await?;
    let bucket = environment.get("SWITCHBOARD_BUCKET").unwrap_or_default();
    if let Err(error) = aws::s3(sdk).create_bucket().bucket(&bucket).send().await {
        let there = error
            .as_service_error()
            .is_some_and(|e| e.is_bucket_already_owned_by_you() || e.is_bucket_already_exists());
        if !there {
            return Err(BoardError::cloud("the bucket")(error));
        }
    }
    let sqs = aws_sdk_sqs::Client::new(sdk);
    for (name, queue, hidden, attempts) in [
        (
            "SWITCHBOARD_ARCHIVE_QUEUE_URL",
            "archive",
            ARCHIVE_HIDDEN,
            RECEIVES,
        ),
        (
            "SWITCHBOARD_DISPATCH_QUEUE_URL",
            "dispatch",
            DISPATCH_HIDDEN,
            DISPATCH_ATTEMPTS,
        ),
    ] {
        if environment.get(name).is_none() {
            environment.set(
                name,
                queue_with_dead_letters(&sqs, queue, hidden, attempts).await?,
            );
        }
    }
    Ok(())
}

async fn queue_with_dead_letters(
    sqs: &aws_sdk_sqs::Client,
    name: &str,
    hidden: u32,
    attempts: u32,
) -> Result<String, BoardError> {
    let dead = format!("{name}-dead");
    let dead = sqs.create_queue().queue_name(dead).send().await;
    let dead = dead
        .map_err(BoardError::cloud("the queues"))?
        .queue_url
        .unwrap_or_default();
    let arn = sqs
        .get_queue_attributes()
        .queue_url(dead)
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await
        .map_err(BoardError::cloud("the queues"))?
        .attributes
        .and_then(|mut attributes| attributes.remove(&QueueAttributeName::QueueArn))
        .unwrap_or_default();
    let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": attempts.to_string() });
    let queue = sqs
        .create_queue()
        .queue_name(name)
        .attributes(QueueAttributeName::VisibilityTimeout, hidden.to_string())
        .attributes(QueueAttributeName::RedrivePolicy, redrive.to_string())
        .send()
        .await
        .map_err(BoardError::cloud("the queues"))?;
    Ok(queue.queue_url.unwrap_or_default())
}

/// Puts the plan file into the table: running calls keep their version, and the CLI reads it there.
/// The board goes by its file, so whatever is in force gives way.
async fn push(plan: &Plan, store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let mut over = store.plan_in_force().await?;
    loop {
        let signed = Signed {
            by: Some("the board".to_owned()),
            note: None,
        };
        match store.push_plan(plan, over.as_ref(), signed, now).await? {
            Pushed::Done(_) | Pushed::Already => return Ok(()),
            // Another board on the same table.
            Pushed::Overtaken(other) => over = other.map(|other| *other),
        }
    }
}

async fn watch_plan(
    plans: Arc<Plans>,
    store: Store,
    clock: Clock,
    mut stop: watch::Receiver<bool>,
) {
    let mut version = plans
        .current()
        .await
        .map(|plan| plan.version().to_owned())
        .ok();
    while !wait(&mut stop, PLAN_TICK).await {
        let Ok(plan) = plans.current().await else {
            continue;
        };
        if version.as_deref() == Some(plan.version()) {
            continue;
        }
        match push(&plan, &store, clock.now()).await {
            Ok(()) => {
                tracing::info!(
                    plan.version = plan.version(),
                    "the changed plan is in force"
                );
                version = Some(plan.version().to_owned());
            }
            Err(error) => tracing::error!(error = %chain(&error), "the changed plan is not kept"),
        }
    }
}

/// The same path from wherever a command is run.
fn absolute(path: String) -> PathBuf {
    std::path::absolute(&path).unwrap_or_else(|_| PathBuf::from(path))
}

/// At the start everything pending is queued again, since the queue began empty; then as in the
/// cloud.
async fn sweep(
    dispatch: Arc<Dispatch>,
    table: Table,
    clock: Clock,
    meter: Option<Meter>,
    work: Work,
    swept: watch::Sender<bool>,
    mut stop: watch::Receiver<bool>,
) {
    let mut overdue = SignedDuration::ZERO;
    let next = clock.alarm();
    loop {
        let begun = work.begin();
        next.set(Some(clock.after(SWEEP_TICK)));
        let counted = begin(&meter, "dispatch", Trigger::Schedule);
        if let Err(error) = dispatch.sweep(overdue).await {
            tracing::error!(error = %chain(&error), "the sweep did not end");
        }
        drop(counted);
        // After it, so that what is held was looked after.
        if let Err(error) = table.expire().await {
            tracing::error!(error = %chain(&error), "nothing expires this time");
        }
        overdue = switchboard_dispatch::OVERDUE;
        swept.send_replace(true);
        drop(begun);
        tokio::select! {
            () = next.rings() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Waits; true when the board stops.
async fn wait(stop: &mut watch::Receiver<bool>, time: Duration) -> bool {
    let stopped = stop.wait_for(|stop| *stop);
    tokio::time::timeout(time, stopped).await.is_ok()
}

/// Has a request count as under way until it is answered.
async fn counted(State(work): State<Work>, request: Request, next: Next) -> Response {
    let _begun = work.begin();
    next.run(request).await
}

/// Has a request count as an invocation of a function until it is answered.
async fn invoked(
    State((meter, function)): State<(Meter, Function)>,
    request: Request,
    next: Next,
) -> Response {
    let _begun = meter.begin(function, Trigger::Http);
    next.run(request).await
}

fn begin(meter: &Option<Meter>, function: Function, trigger: Trigger) -> Option<Begun> {
    meter.as_ref().map(|meter| meter.begin(function, trigger))
}

fn merge<const N: usize>(routers: [Router; N]) -> Router {
    routers.into_iter().fold(Router::new(), Router::merge)
}

async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), BoardError> {
    let fail = move |source| BoardError::Listen { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(fail)?;
    let address = listener.local_addr().map_err(fail)?;
    Ok((listener, address))
}
