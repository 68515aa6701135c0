//! Vonage's part, played on this machine: the phone beside the board.

use crate::board::BoardError;
use crate::environment::Environment;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use switchboard_phone::audio::Voice;
use switchboard_phone::{
    CONNECT_TIMEOUT, Directory, Disorder, LEGS_PER_SECOND, Phone, Platform, PublicKey, Settings,
    Webhook,
};
use switchboard_shared::clock::Clock;
use switchboard_shared::crypto;
use switchboard_shared::plan::{Endpoint, Plan};
use switchboard_shared::plans::Plans;
use switchboard_shared::vonage::PrivateKey;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// An account like those of the documents.
const API_KEY: &str = "abcd1234";

/// How long Vonage is to wait for our reply to an event before it tells us once more, of the 1 to 10 s
/// it allows. Ours take 1.5 s at most; an event that was lost is noticed by nobody until then, and a
/// caller whom it leaves alone in a room hears silence.
///
/// See [Vonage/Application API](https://developer.vonage.com/en/api/application.v2).
pub const EVENT_REPLY: Duration = Duration::from_secs(5);

/// How often the plan is looked at for other lines and agents.
const PLAN_TICK: Duration = Duration::from_secs(1);

/// How the phone beside a board behaves.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Its ids are made from it.
    pub seed: u64,
    /// Mishandles webhooks by this seed.
    pub disorder: Option<u64>,
    /// What recordings are spoken by.
    pub voice: Voice,
    /// Entries of its journal that are kept.
    pub journal: usize,
    /// Outbound legs that may begin in a second.
    pub legs_per_second: usize,
    /// Does nothing by itself: whoever has the board moves its clock and delivers its webhooks.
    pub stepped: bool,
}

impl Default for Trial {
    fn default() -> Self {
        Self {
            seed: 1,
            disorder: None,
            voice: Voice::Espeak,
            // A page shows some hundred; a few more for who has been away.
            journal: 2000,
            legs_per_second: LEGS_PER_SECOND,
            stepped: false,
        }
    }
}

/// A phone that is ready to be called on.
pub(crate) struct Line {
    pub(crate) phone: Phone,
    /// Where its REST API is to be served.
    pub(crate) listener: TcpListener,
    pub(crate) directory: watch::Sender<Arc<Directory>>,
}

/// Makes a phone, and has the environment lead to it.
pub(crate) async fn open(
    trial: &Trial,
    environment: &mut Environment,
    clock: &Clock,
) -> Result<Line, BoardError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(|source| BoardError::Listen { port: 0, source })?;
    let address = listener
        .local_addr()
        .map_err(|source| BoardError::Listen { port: 0, source })?;
    let base = format!("http://{address}");
    environment.set("VONAGE_API_URL", &base);
    let of = |name: &str| environment.get(name).unwrap_or_default();
    // A key that does not read is complained of by whoever signs with it.
    let public_key = PrivateKey::parse(&of("VONAGE_PRIVATE_KEY"))
        .map(|key| key.public_key())
        .unwrap_or_default();
    let settings = Settings {
        application_id: of("VONAGE_APPLICATION_ID"),
        api_key: environment
            .get("VONAGE_API_KEY")
            .unwrap_or_else(|| API_KEY.to_owned()),
        signature_secret: of("VONAGE_SIGNATURE_SECRET"),
        public_key: PublicKey::pkcs1(public_key),
        legs_per_second: trial.legs_per_second,
        seed: trial.seed,
        disorder: trial.disorder.map(Disorder::of),
        journal: trial.journal,
        ..Settings::default()
    };
    let http = reqwest::Client::builder()
        .tls_backend_preconfigured(crypto::tls().map_err(BoardError::cloud("the phone"))?)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .build()
        .map_err(BoardError::cloud("the phone"))?;
    let platform = Platform::new(settings, base, clock.now());
    let time = clock.clone();
    let phone = Phone::new(platform, http, trial.voice, move || time.now());
    let (directory, _) = watch::channel(Arc::default());
    Ok(Line {
        phone,
        listener,
        directory,
    })
}

/// Has the phone ring a board.
pub(crate) fn ring(phone: &Phone, board: &str) {
    let at = |path: &str| format!("{board}/webhooks/{path}");
    phone.with(|platform| {
        let settings = platform.settings_mut();
        settings.answer = Webhook::script(at("answer"));
        settings.fallback = Some(Webhook::script(at("fallback")));
        settings.event = Webhook {
            socket_timeout: EVENT_REPLY,
            ..Webhook::event(at("event"))
        };
    });
}

/// The phone knows the lines and the agents of a plan.
pub(crate) fn know(phone: &Phone, directory: &watch::Sender<Arc<Directory>>, plan: &Plan) {
    let known = Directory {
        lines: plan
            .lines()
            .map(|line| (line.number.to_string(), line.name.clone()))
            .collect(),
        contacts: plan
            .agents()
            .map(|agent| (address(&agent.endpoint), agent.name.to_string()))
            .collect(),
    };
    let numbers = known
        .lines
        .iter()
        .map(|(number, _)| number.clone())
        .collect();
    let changed = directory.send_if_modified(|old| {
        let changed = **old != known;
        *old = Arc::new(known);
        changed
    });
    if changed {
        phone.with(|platform| platform.settings_mut().numbers = numbers);
    }
}

/// Where an agent is rung, as the platform knows it.
pub(crate) fn address(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Phone(number) => number.to_string(),
        Endpoint::Sip(address) | Endpoint::App(address) => address.clone(),
    }
}

/// Follows the plan, for as long as the board runs.
pub(crate) async fn follow(
    phone: Phone,
    directory: watch::Sender<Arc<Directory>>,
    plans: Arc<Plans>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        if let Ok(plan) = plans.current().await {
            know(&phone, &directory, &plan);
        }
        let stopped = stop.wait_for(|stop| *stop);
        if tokio::time::timeout(PLAN_TICK, stopped).await.is_ok() {
            return;
        }
    }
}
