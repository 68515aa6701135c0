//! People who are told what happens, by targets that are slow, failing or not what they seem; and the
//! calls meanwhile.

use crate::fixtures;
use crate::loopback::Loopback;
use crate::shell::{Dev, Shell};
use crate::webhook_signing::Signer;
use crate::world::{self, CALLER, PLAN, World, action, eventually, incoming, kinds, now, rings};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use switchboard_cli::cloud::Endpoints;
use switchboard_dispatch::Dispatch;
use switchboard_shared::aws::Waits;
use switchboard_shared::config::Lookup;
use switchboard_shared::job::Job;
use switchboard_shared::news::News;
use switchboard_shared::notify::{DELAYS, Notification, NotificationId, State as Told};
use switchboard_shared::store::{Home, Listing};
use tokio::sync::watch;

const CLOSED: &str = "447700900000";
const SUPPORT: &str = "447700900002";
const DIRECT: &str = "447700900003";

/// Longer than the word of an answer may be late, so that a caller who is gone was missed.
const UNHEARD: i64 = 11;

/// What a target does with what it is told.
#[derive(Debug, Clone)]
enum Reply {
    Status(u16),
    /// And asks to be left alone for so many seconds.
    Busy(u16, u64),
    Redirect(String),
    /// Says nothing until the test has it go on.
    Hang,
}

/// What a target was told.
#[derive(Debug, Clone)]
struct Heard {
    headers: HeaderMap,
    path: String,
    body: String,
}

impl Heard {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    fn key(&self) -> &str {
        self.header("idempotency-key")
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A target: keeps what it is told, and replies as it is bid.
struct Target {
    server: Loopback,
    stage: Arc<Stage>,
}

#[derive(Default)]
struct Stage {
    heard: Mutex<Vec<Heard>>,
    replies: Mutex<VecDeque<Reply>>,
    /// When there is no other.
    usual: Mutex<Option<Reply>>,
    goes_on: watch::Sender<bool>,
}

impl Target {
    fn open() -> Self {
        let stage = Arc::new(Stage::default());
        let router = Router::new().fallback(hear).with_state(stage.clone());
        Self {
            server: Loopback::serve(router),
            stage,
        }
    }

    /// Replies so to the next.
    fn next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.stage.replies.lock().unwrap().extend(replies);
    }

    /// Replies so where it was bid nothing else.
    fn always(&self, reply: Reply) {
        *self.stage.usual.lock().unwrap() = Some(reply);
    }

    fn goes_on(&self) {
        self.stage.goes_on.send_replace(true);
    }

    fn heard(&self) -> Vec<Heard> {
        self.stage.heard.lock().unwrap().clone()
    }

    /// Waits until it was told so often.
    async fn told(&self, times: usize) -> Vec<Heard> {
        eventually(|| async { (self.heard().len() >= times).then_some(()) }).await;
        self.heard()
    }

    /// The keys of all it was told, in order of the alphabet.
    fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = self
            .heard()
            .iter()
            .map(|one| one.key().to_owned())
            .collect();
        keys.sort();
        keys
    }

    fn url(&self) -> String {
        self.server.url()
    }
}

async fn hear(
    State(stage): State<Arc<Stage>>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    stage.heard.lock().unwrap().push(Heard {
        headers,
        path: uri.path().to_owned(),
        body,
    });
    let bid = stage.replies.lock().unwrap().pop_front();
    let reply = bid.or_else(|| stage.usual.lock().unwrap().clone());
    match reply.unwrap_or(Reply::Status(200)) {
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::Busy(status, seconds) => {
            let asked = [("retry-after", seconds.to_string())];
            (StatusCode::from_u16(status).unwrap(), asked).into_response()
        }
        Reply::Redirect(to) => (StatusCode::FOUND, [("location", to)]).into_response(),
        Reply::Hang => {
            let mut goes_on = stage.goes_on.subscribe();
            goes_on.wait_for(|on| *on).await.unwrap();
            StatusCode::OK.into_response()
        }
    }
}

/// The plan of these tests, with targets.
fn plan(targets: &str) -> String {
    format!("{PLAN}\n{targets}")
}

fn webhook(name: &str, target: &Target) -> String {
    format!(
        "[[notify]]\nname = \"{name}\"\nwebhook = \"{}/hook\"\n",
        target.url()
    )
}

fn settings(allowed: &[&Target]) -> Vec<(String, String)> {
    let origins: Vec<_> = allowed.iter().map(|target| target.url()).collect();
    vec![("SWITCHBOARD_NOTIFY_ALLOW".to_owned(), origins.join(","))]
}

async fn world(targets: &str, allowed: &[&Target]) -> World {
    World::standing_with(&plan(targets), None, settings(allowed)).await
}

/// An event about the caller's own leg.
async fn caller_leg(world: &World, leg: &str, status: &str) {
    let body = json!({
        "uuid": leg,
        "conversation_uuid": format!("CON-{leg}"),
        "from": CALLER,
        "direction": "inbound",
        "status": status,
        "timestamp": now(),
    });
    assert_eq!(world.post("/webhooks/event", &body).await.status, 200);
}

/// A caller who calls a line and hangs up again.
async fn calls_and_goes(world: &World, line: &str, leg: &str) {
    world.call(line, leg).await;
    world.hang_up(leg).await;
}

/// The time is later, and all that is due by then is done.
async fn later(world: &World, seconds: i64) {
    world.board.idle().await;
    world.later(seconds);
    world.board.idle().await;
}

async fn notification(world: &World, id: &str) -> Notification {
    let id: NotificationId = id.parse().unwrap();
    let found = world.board.store().notification(&id).await.unwrap();
    found.unwrap_or_else(|| panic!("nobody keeps {id}"))
}

/// Hands a job over, as whoever finds something out does.
async fn hand_over(world: &World, job: &Job) {
    let url = world
        .board
        .environment()
        .get("SWITCHBOARD_DISPATCH_QUEUE_URL");
    let send = world.board.sqs().send_message().queue_url(url.unwrap());
    let body = serde_json::to_string(job).unwrap();
    send.message_body(body).send().await.unwrap();
}

#[tokio::test]
async fn a_caller_who_was_missed_is_told_of_once_per_target_however_often_the_webhooks_come() {
    let (team, sheet) = (Target::open(), Target::open());
    let targets = format!(
        "[[notify]]\nname = \"team\"\nslack = \"{}/T0/B0\"\nevents = [\"missed\"]\n\
         words.missed = \"<!here> *{{{{ line_name }}}}*: call {{{{ caller }}}} back\"\n{}",
        team.url(),
        webhook("sheet", &sheet)
    );
    let world = world(&targets, &[&team, &sheet]).await;
    world.call(SUPPORT, "leg-1").await;
    for _ in 0..3 {
        world.hang_up("leg-1").await;
    }
    later(&world, UNHEARD).await;
    world.hang_up("leg-1").await;
    later(&world, UNHEARD).await;
    let (slack, row) = (team.heard(), sheet.heard());
    assert_eq!((slack.len(), row.len()), (1, 1), "{slack:?} {row:?}");
    assert_eq!(slack[0].path, "/T0/B0");
    let text = format!("<!here> *Support*: call {CALLER} back");
    assert_eq!(slack[0].json(), json!({ "text": text }));
    assert_eq!(slack[0].key(), "missed:leg-1:team");
    assert_eq!(row[0].key(), "missed:leg-1:sheet");
    let row = row[0].json();
    let said = [
        "event",
        "id",
        "line",
        "line_name",
        "caller",
        "call",
        "agent",
    ]
    .map(|key| &row[key]);
    assert_eq!(
        said,
        [
            "missed",
            "missed:leg-1",
            SUPPORT,
            "Support",
            CALLER,
            "leg-1",
            ""
        ]
    );
    let told = notification(&world, "missed:leg-1:sheet").await;
    assert_eq!(
        (told.state, told.attempts, told.body),
        (Told::Told, 1, None)
    );
}

#[tokio::test]
async fn who_answered_is_told_and_no_caller_of_theirs_is_missed_in_any_order_of_the_events() {
    let sheet = Target::open();
    let world = world(&webhook("sheet", &sheet), &[&sheet]).await;
    let ncco = world.call(DIRECT, "leg-1").await;
    for _ in 0..2 {
        caller_leg(&world, "leg-1", "started").await;
        caller_leg(&world, "leg-1", "answered").await;
    }
    // The end overtakes the answer, and everything comes twice.
    for _ in 0..2 {
        world.hang_up("leg-1").await;
        let over = json!({ "duration": "7", "start_time": now() });
        world.connected_leg(&ncco, "completed", over).await;
        world.connected_leg(&ncco, "answered", Value::Null).await;
    }
    later(&world, UNHEARD).await;
    assert_eq!(
        sheet.keys(),
        ["answered:leg-1:alice:sheet", "started:leg-1:sheet"]
    );
    let heard = sheet.heard();
    let answered = heard.iter().find(|one| one.key().starts_with("answered"));
    let row = answered.unwrap().json();
    assert_eq!(
        (&row["agent"], &row["waited"]),
        (&json!("alice"), &json!(0))
    );
}

#[tokio::test]
async fn an_event_that_overtakes_the_call_is_told_when_the_call_is_there() {
    let sheet = Target::open();
    let world = world(&webhook("sheet", &sheet), &[&sheet]).await;
    caller_leg(&world, "leg-1", "started").await;
    // Of a call that never comes nobody is told, and nothing is left over.
    caller_leg(&world, "leg-2", "started").await;
    world.board.idle().await;
    world.call(CLOSED, "leg-1").await;
    later(&world, 6).await;
    later(&world, 6).await;
    assert_eq!(sheet.keys(), ["started:leg-1:sheet"]);
}

#[tokio::test]
async fn a_webhook_can_check_that_it_was_us() {
    let sheet = Target::open();
    let world = world(&webhook("sheet", &sheet), &[&sheet]).await;
    calls_and_goes(&world, CLOSED, "leg-1").await;
    later(&world, UNHEARD).await;
    let heard = &sheet.told(1).await[0];
    // As a receiver does, with the key that `notices key sheet` prints.
    let shell = Shell::new().with("VONAGE_SIGNATURE_SECRET", &world.signer.secret);
    let key = shell.run(&["notices", "key", "sheet"]).await.fine().out;
    let key = STANDARD.decode(key.trim().strip_prefix("whsec_").unwrap());
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key.unwrap());
    let (id, at) = (
        heard.header("webhook-id"),
        heard.header("webhook-timestamp"),
    );
    assert_eq!(id, heard.key());
    let signed = format!("{id}.{at}.{}", heard.body);
    let tag = heard.header("webhook-signature").strip_prefix("v1,");
    let tag = STANDARD.decode(tag.unwrap()).unwrap();
    hmac::verify(&key, signed.as_bytes(), &tag).unwrap();
    assert!(hmac::verify(&key, signed.replace("leg-1", "leg-2").as_bytes(), &tag).is_err());
}

/// A caller waits, hears music come round, is moved to Alice, talks and goes; another waits for her
/// and is hers when she is done. What they heard, and what the ledger has.
async fn story(world: &World) -> Vec<String> {
    let mut heard = Vec::new();
    let mut note = |ncco: &Value| heard.push(kinds(ncco).join(" "));
    let hold = world.call(SUPPORT, "leg-1").await;
    note(&hold);
    caller_leg(world, "leg-1", "answered").await;
    note(&world.call(SUPPORT, "leg-2").await);
    note(&world.notify(&hold).await.body);
    assert_eq!(
        world.says("alice", "free").await.body["outcome"],
        "transferred"
    );
    let connect = world.moved("leg-1").await;
    note(&connect);
    assert_eq!(rings(&connect), "447700900011");
    world.connected_leg(&connect, "answered", Value::Null).await;
    let over = json!({ "duration": "7", "start_time": now() });
    world.connected_leg(&connect, "completed", over).await;
    world.hang_up("leg-1").await;
    // By a job of the queue in which the notifications are.
    let connect = world.moved("leg-2").await;
    note(&connect);
    assert_eq!(rings(&connect), "447700900011");
    world.connected_leg(&connect, "answered", Value::Null).await;
    world.hang_up("leg-2").await;
    for leg in ["leg-1", "leg-2"] {
        let home = Home::Leg(leg.parse().unwrap());
        let events = world.board.store().events(&home).await.unwrap();
        let mut words: Vec<_> = events.into_iter().map(|event| event.word).collect();
        words.sort();
        heard.push(words.join(" "));
    }
    heard
}

#[tokio::test]
async fn calls_go_their_way_while_a_target_says_nothing_and_another_is_told_meanwhile() {
    let undisturbed = story(&World::standing(PLAN).await).await;
    let (slow, quick) = (Target::open(), Target::open());
    slow.always(Reply::Hang);
    let targets = format!("{}{}", webhook("slow", &slow), webhook("quick", &quick));
    let world = world(&targets, &[&slow, &quick]).await;
    // More than are told at once.
    let missed = 20;
    for n in 0..missed {
        calls_and_goes(&world, CLOSED, &format!("leg-m{n}")).await;
    }
    world.board.idle().await;
    world.later(UNHEARD);
    slow.told(1).await;
    assert_eq!(story(&world).await, undisturbed);
    // All of the 20 who were missed, and of the story two answers, and one start. Those that found no
    // room come again in a second.
    eventually(|| async {
        world.later(1);
        (quick.heard().len() >= missed + 3).then_some(())
    })
    .await;
    let before = quick.keys();
    slow.goes_on();
    eventually(|| async {
        world.later(1);
        let untold = world.board.store().notifications_in(Listing::Untold).await;
        untold.unwrap().is_empty().then_some(())
    })
    .await;
    assert_eq!(quick.keys(), before);
    let mut told = slow.keys();
    told.dedup();
    let same: Vec<_> = before
        .iter()
        .map(|key| key.replace(":quick", ":slow"))
        .collect();
    assert_eq!(told, same, "nothing is lost");
}

#[tokio::test]
async fn a_batch_does_not_wait_for_the_target_in_it_that_says_nothing() {
    let slow = Target::open();
    slow.always(Reply::Hang);
    let world = world(&webhook("slow", &slow), &[&slow]).await;
    world.call(SUPPORT, "leg-1").await;
    let store = world.board.store();
    let alice = "alice".parse().unwrap();
    store.free(&alice, world.clock.now()).await.unwrap();
    let id: NotificationId = "missed:leg-0:slow".parse().unwrap();
    let kept = Notification::new(id.clone(), "{}".to_owned(), world.clock.now());
    store.keep_notification(&kept).await.unwrap();
    // As Lambda hands over what the board's own poller would take one by one.
    let environment = world.board.environment().clone();
    let endpoints = Endpoints::of(world.board.engines(), &environment);
    let sdk = endpoints.config(Waits::Nobody, &environment).await;
    let mut lookup = Lookup::new(move |name| environment.get(name));
    let dispatch = Dispatch::from_lookup(&mut lookup, &sdk);
    let dispatch = lookup.finish(dispatch).unwrap();
    let record = |n: usize, job: &Job| json!({ "messageId": format!("m-{n}"), "body": serde_json::to_string(job).unwrap() });
    let batch = json!({ "Records": [
        record(0, &Job::Notify { notification: id }),
        { "messageId": "m-1", "body": "no job of ours" },
        record(2, &Job::Look { agent: alice }),
    ]});
    let taken = tokio::spawn(async move { dispatch.take(batch).await.unwrap() });
    slow.told(1).await;
    // The agent is rung; and only then the target says that it has heard.
    world.moved("leg-1").await;
    assert!(!taken.is_finished());
    slow.goes_on();
    let taken = taken.await.unwrap();
    assert_eq!(
        taken["batchItemFailures"],
        json!([{ "itemIdentifier": "m-1" }])
    );
    assert_eq!(
        notification(&world, "missed:leg-0:slow").await.state,
        Told::Told
    );
}

#[tokio::test]
async fn a_target_that_takes_longer_than_an_attempt_is_tried_again_under_the_same_key() {
    let slow = Target::open();
    slow.next([Reply::Hang]);
    let world = world(&webhook("slow", &slow), &[&slow]).await;
    calls_and_goes(&world, CLOSED, "leg-1").await;
    later(&world, UNHEARD).await;
    let kept = notification(&world, "missed:leg-1:slow").await;
    assert_eq!((kept.state, kept.attempts), (Told::Pending, 1));
    assert_eq!(kept.reason.as_deref(), Some("no answer within 5 s"));
    later(&world, 1).await;
    let heard = slow.heard();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0].key(), heard[1].key());
    assert_eq!(heard[0].body, heard[1].body);
    assert_eq!(
        notification(&world, "missed:leg-1:slow").await.state,
        Told::Told
    );
}

#[tokio::test]
async fn a_target_that_fails_is_told_when_it_is_well_and_not_before_it_asks_for_it() {
    let target = Target::open();
    target.next([Reply::Status(500), Reply::Busy(429, 30), Reply::Status(503)]);
    let world = world(&webhook("sheet", &target), &[&target]).await;
    calls_and_goes(&world, CLOSED, "leg-1").await;
    for (seconds, attempts, reason) in [
        (UNHEARD, 1, Some("it answered 500")),
        (1, 2, Some("it answered 429")),
        // Its own wait would be over.
        (20, 2, Some("it answered 429")),
        (10, 3, Some("it answered 503")),
        (60, 4, None),
        (3_600, 4, None),
    ] {
        later(&world, seconds).await;
        let kept = notification(&world, "missed:leg-1:sheet").await;
        assert_eq!(
            (kept.attempts, kept.reason.as_deref()),
            (attempts, reason),
            "{seconds}"
        );
        assert_eq!(target.heard().len(), attempts as usize);
    }
    let heard = target.heard();
    assert!(
        heard
            .iter()
            .all(|one| one.key() == heard[0].key() && one.body == heard[0].body)
    );
}

#[tokio::test]
async fn what_was_given_up_after_a_day_is_listed_with_the_reason_and_told_when_an_operator_says_so()
{
    let target = Target::open();
    target.always(Reply::Status(502));
    let shell = Shell::new();
    let world = World::standing_with(
        &plan(&webhook("sheet", &target)),
        Some(shell.path(".switchboard")),
        settings(&[&target]),
    )
    .await;
    assert!(
        shell
            .run(&["notices"])
            .await
            .fine()
            .err
            .contains("everybody was told")
    );
    calls_and_goes(&world, CLOSED, "leg-1").await;
    later(&world, UNHEARD).await;
    let listed = shell.run(&["notices", "--json"]).await.fine().json();
    assert_eq!(
        (&listed[0]["state"], &listed[0]["attempts"]),
        (&json!("pending"), &json!(1))
    );
    assert_eq!(
        shell
            .run(&["notices", "--failed", "--json"])
            .await
            .fine()
            .json(),
        json!([])
    );
    for delay in DELAYS {
        // Those that the queue does not hold are found by a sweep.
        later(&world, i64::try_from(delay.as_secs()).unwrap() + 61).await;
    }
    assert_eq!(target.heard().len(), DELAYS.len() + 1);
    let listed = shell.run(&["notices", "--failed"]).await.fine().out;
    for part in ["failed", "10", "missed:leg-1:sheet", "it answered 502"] {
        assert!(listed.contains(part), "{part} in {listed}");
    }
    // It is left alone from now on.
    later(&world, 24 * 3_600).await;
    assert_eq!(target.heard().len(), DELAYS.len() + 1);
    target.always(Reply::Status(204));
    let ran = shell
        .run(&["notices", "retry", "missed:leg-1:sheet"])
        .await
        .fine();
    assert_eq!(ran.out, "missed:leg-1:sheet\n");
    target.told(DELAYS.len() + 2).await;
    world.board.idle().await;
    let heard = target.heard();
    assert!(heard.iter().all(|one| one.key() == "missed:leg-1:sheet"));
    assert_eq!(
        shell.run(&["notices", "--json"]).await.fine().json(),
        json!([])
    );
    let again = shell.run(&["notices", "retry", "missed:leg-1:sheet"]).await;
    assert!(
        again.code == Some(1) && again.err.contains("told already"),
        "{again:?}"
    );
    let unknown = shell.run(&["notices", "retry", "missed:leg-9:sheet"]).await;
    assert!(
        unknown.code == Some(1) && unknown.err.contains("`switchboard notices`"),
        "{unknown:?}"
    );
    let all = shell.run(&["notices", "retry", "--all"]).await.fine();
    assert!(all.err.contains("nothing was given up"), "{all:?}");
}

#[tokio::test]
async fn a_target_that_leads_elsewhere_is_not_followed_and_given_up_with_the_reason() {
    let elsewhere = Target::open();
    for to in [
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        format!("{}/internal", elsewhere.url()),
        "https://hooks.example.com/".to_owned(),
    ] {
        let target = Target::open();
        target.always(Reply::Redirect(to));
        let world = world(&webhook("sheet", &target), &[&target, &elsewhere]).await;
        calls_and_goes(&world, CLOSED, "leg-1").await;
        later(&world, UNHEARD).await;
        let kept = notification(&world, "missed:leg-1:sheet").await;
        assert_eq!((kept.state, kept.attempts), (Told::Failed, 1));
        let reason = kept.reason.unwrap();
        assert_eq!(reason, "it answered 302: redirects are not followed");
        later(&world, 3_600).await;
        assert_eq!((target.heard().len(), elsewhere.heard().len()), (1, 0));
    }
}

#[tokio::test]
async fn a_target_that_is_not_public_is_told_nothing_unless_the_settings_name_it() {
    let (target, other) = (Target::open(), Target::open());
    let named = target.url().replace("127.0.0.1", "localhost");
    let targets = format!(
        "{}[[notify]]\nname = \"named\"\nslack = \"{named}/hook\"\n",
        webhook("sheet", &target)
    );
    let world = world(&targets, &[&other]).await;
    calls_and_goes(&world, CLOSED, "leg-1").await;
    later(&world, UNHEARD).await;
    for id in ["missed:leg-1:sheet", "missed:leg-1:named"] {
        let kept = notification(&world, id).await;
        assert_eq!(kept.state, Told::Failed);
        assert_eq!(kept.reason.as_deref(), Some("its address is not public"));
    }
    assert!(target.heard().is_empty());
}

#[tokio::test]
async fn a_target_that_says_no_is_not_asked_again_and_one_that_is_no_more_in_the_plan_neither() {
    let target = Target::open();
    target.always(Reply::Status(410));
    let world = world(&webhook("sheet", &target), &[&target]).await;
    calls_and_goes(&world, CLOSED, "leg-1").await;
    later(&world, UNHEARD).await;
    let kept = notification(&world, "missed:leg-1:sheet").await;
    assert_eq!(
        (kept.state, kept.reason.as_deref()),
        (Told::Failed, Some("it answered 410"))
    );
    target.always(Reply::Status(500));
    calls_and_goes(&world, CLOSED, "leg-2").await;
    later(&world, UNHEARD).await;
    world.change_plan(&plan(&webhook("other", &target)));
    later(&world, 1).await;
    let kept = notification(&world, "missed:leg-2:sheet").await;
    let reason = kept.reason.unwrap();
    assert!(
        kept.state == Told::Failed && reason.contains("no [[notify]]"),
        "{reason}"
    );
    assert_eq!(target.keys(), ["missed:leg-1:sheet", "missed:leg-2:sheet"]);
}

#[tokio::test]
async fn a_line_that_masks_or_hides_its_callers_has_no_target_told_the_number() {
    for (shown, seen) in [("mask", "44•••••0123"), ("hide", "hidden")] {
        let (team, sheet) = (Target::open(), Target::open());
        let targets = format!(
            "[[notify]]\nname = \"team\"\nslack = \"{}/T0\"\n{}",
            team.url(),
            webhook("sheet", &sheet)
        );
        let plan = plan(&targets).replace(
            "name = \"Front desk\"\n",
            &format!("name = \"Front desk\"\ncaller = \"{shown}\"\n"),
        );
        let allowed = settings(&[&team, &sheet]);
        let world = World::standing_with(&plan, None, allowed).await;
        world.call(CLOSED, "leg-1").await;
        caller_leg(&world, "leg-1", "answered").await;
        world.hang_up("leg-1").await;
        later(&world, UNHEARD).await;
        for target in [&team, &sheet] {
            let heard = target.heard();
            assert_eq!(heard.len(), 2, "{heard:?}");
            for one in heard {
                let all = format!("{:?} {}", one.headers, one.body);
                assert!(one.body.contains(seen) && !all.contains(CALLER), "{all}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_caller_is_called_is_no_markup_in_a_message() {
    let team = Target::open();
    let targets = format!(
        "[[notify]]\nname = \"team\"\nslack = \"{}/T0\"\n",
        team.url()
    );
    let world = world(&targets, &[&team]).await;
    let mut body = incoming(CLOSED, "leg-1");
    body["from"] = json!("<!channel> &amp; <http://evil.example|Bank>");
    assert_eq!(world.post("/webhooks/answer", &body).await.status, 200);
    world.hang_up("leg-1").await;
    later(&world, UNHEARD).await;
    let text = team.told(1).await[0].json()["text"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(!text.contains(['<', '>', '&', '|', '!']), "{text}");
}

#[tokio::test]
async fn a_recording_is_told_of_when_it_is_archived_and_once() {
    let sheet = Target::open();
    let world = world(&webhook("sheet", &sheet), &[&sheet]).await;
    world.call(CLOSED, "leg-1").await;
    let url = world
        .platform
        .recording("file", crate::cli::audio(1_000), "audio/mpeg");
    let notice = json!({
        "conversation_uuid": "CON-leg-1",
        "recording_uuid": "rec-1",
        "recording_url": url,
        "start_time": "2026-03-01T23:58:04Z",
        "end_time": "2026-03-01T23:58:47Z",
        "timestamp": now(),
    });
    for _ in 0..2 {
        assert_eq!(world.post("/webhooks/recording", &notice).await.status, 200);
        world.board.idle().await;
    }
    let heard = sheet.heard();
    assert_eq!(sheet.keys(), ["archived:rec-1:sheet"]);
    let row = heard[0].json();
    let said = ["event", "recording", "call", "line_name", "caller"].map(|key| &row[key]);
    assert_eq!(said, ["archived", "rec-1", "leg-1", "Front desk", CALLER]);
    assert_eq!(row["duration"], 43);
    let recording = world
        .board
        .store()
        .recording(&"rec-1".parse().unwrap())
        .await;
    assert!(recording.unwrap().unwrap().key.is_some());
}

#[tokio::test]
async fn a_message_is_told_of_once_and_who_left_none_was_missed() {
    let sheet = Target::open();
    let targets = format!(
        "[[line]]\nnumber = \"447700900008\"\nname = \"Box\"\nflow = \"box\"\n\
         [flow.box]\ntype = \"voicemail\"\nsay = \"Speak.\"\n\
         {}events = [\"missed\", \"voicemail\"]\n",
        webhook("sheet", &sheet)
    );
    let world = world(&targets, &[&sheet]).await;
    calls_and_goes(&world, "447700900008", "leg-1").await;
    let ncco = world.call("447700900008", "leg-2").await;
    world.hang_up("leg-2").await;
    // Either might have left one that is still on its way.
    later(&world, UNHEARD).await;
    assert!(sheet.heard().is_empty());
    let url = world
        .platform
        .recording("file", crate::cli::audio(1_000), "audio/mpeg");
    let notice = json!({
        "conversation_uuid": "CON-leg-2",
        "recording_uuid": "rec-2",
        "recording_url": url,
        "start_time": "2026-03-01T23:58:04Z",
        "end_time": "2026-03-01T23:58:47Z",
        "timestamp": now(),
    });
    let record = action(&ncco, "record")["eventUrl"][0].as_str().unwrap();
    for _ in 0..2 {
        assert_eq!(world.post(record, &notice).await.status, 200);
    }
    later(&world, 60).await;
    assert_eq!(
        sheet.keys(),
        ["missed:leg-1:sheet", "voicemail:rec-2:sheet"]
    );
    let heard = sheet.heard();
    let left = heard
        .iter()
        .find(|one| one.key().starts_with("voicemail"))
        .unwrap();
    let row = left.json();
    assert_eq!(
        (&row["call"], &row["duration"]),
        (&json!("leg-2"), &json!(43))
    );
}

#[tokio::test]
async fn every_kind_of_news_can_be_handed_over_and_is_told_once() {
    let sheet = Target::open();
    let world = world(&webhook("sheet", &sheet), &[&sheet]).await;
    world.call(CLOSED, "leg-1").await;
    let call = || "leg-1".parse().unwrap();
    for news in [
        News::Voicemail {
            call: call(),
            recording: "rec-1".parse().unwrap(),
        },
        News::StaffFailing {
            call: call(),
            agent: "bob".parse().unwrap(),
            failures: 3,
        },
        News::NobodyOnDuty {
            call: call(),
            flow: "support".parse().unwrap(),
        },
        // Somebody who does not have the caller.
        News::Answered {
            call: call(),
            agent: "bob".parse().unwrap(),
        },
    ] {
        for _ in 0..2 {
            hand_over(&world, &Job::tell(news.clone(), world.clock.now())).await;
        }
    }
    sheet.told(3).await;
    world.board.idle().await;
    assert_eq!(
        sheet.keys(),
        [
            "nobody-on-duty:leg-1:support:sheet",
            "staff-failing:leg-1:bob:sheet",
            "voicemail:rec-1:sheet"
        ]
    );
}

#[tokio::test]
async fn a_target_is_told_of_its_own_lines_and_events_alone() {
    let sheet = Target::open();
    let targets = format!(
        "{}events = [\"missed\"]\nlines = [\"{SUPPORT}\"]\n",
        webhook("sheet", &sheet)
    );
    let world = world(&targets, &[&sheet]).await;
    calls_and_goes(&world, CLOSED, "leg-1").await;
    calls_and_goes(&world, SUPPORT, "leg-2").await;
    world.call(SUPPORT, "leg-3").await;
    caller_leg(&world, "leg-3", "answered").await;
    later(&world, UNHEARD).await;
    assert_eq!(sheet.keys(), ["missed:leg-2:sheet"]);
}

#[tokio::test]
async fn what_a_board_left_untold_is_told_by_the_next_one() {
    let target = Target::open();
    target.always(Reply::Status(503));
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(&webhook("sheet", &target));
    let start = || {
        let data = Some(folder.path().to_owned());
        World::standing_with(&plan, data, settings(&[&target]))
    };
    let world = start().await;
    calls_and_goes(&world, CLOSED, "leg-1").await;
    later(&world, UNHEARD).await;
    world.board.stop().await;
    let before = target.heard().len();
    target.always(Reply::Status(200));
    let world = start().await;
    later(&world, 60).await;
    let kept = notification(&world, "missed:leg-1:sheet").await;
    assert_eq!(kept.state, Told::Told);
    assert_eq!(target.heard().len(), before + 1);
    assert!(
        target
            .heard()
            .iter()
            .all(|one| one.key() == "missed:leg-1:sheet")
    );
}

#[tokio::test]
async fn nobody_is_told_where_telling_is_off() {
    let sheet = Target::open();
    let mut settings = settings(&[&sheet]);
    settings.push(("SWITCHBOARD_NOTIFY".to_owned(), "off".to_owned()));
    let plan = plan(&webhook("sheet", &sheet));
    let world = World::standing_with(&plan, None, settings).await;
    calls_and_goes(&world, CLOSED, "leg-1").await;
    later(&world, UNHEARD).await;
    let untold = world.board.store().notifications_in(Listing::Untold).await;
    assert!(untold.unwrap().is_empty() && sheet.heard().is_empty());
}

#[tokio::test]
async fn neither_the_address_of_a_target_nor_what_it_is_told_reaches_a_log_up_to_debug() {
    let target = Target::open();
    target.next([
        Reply::Status(500),
        Reply::Redirect("http://10.9.8.7/s3cret".to_owned()),
    ]);
    let signer = Signer {
        secret: "the secret of these tests, long enough".to_owned(),
        application_id: fixtures::APPLICATION_ID.to_owned(),
        api_key: "abcd1234".to_owned(),
    };
    let shell = Shell::new()
        .with("VONAGE_APPLICATION_ID", &signer.application_id)
        .with("VONAGE_API_KEY", &signer.api_key)
        .with("VONAGE_SIGNATURE_SECRET", &signer.secret)
        .with("SWITCHBOARD_NOTIFY_ALLOW", target.url())
        .with("RUST_LOG", "debug");
    let team = format!(
        "[[notify]]\nname = \"team\"\nslack = \"{}/s3cret\"\n",
        target.url()
    );
    shell.write("plan.toml", &plan(&team));
    let board = Dev::start(&shell, &["--plan", "plan.toml"]).await;
    let post = async |path: &str, body: Value| {
        let body = body.to_string();
        let token = signer.post(body.as_bytes());
        let request = world::http().post(format!("{}{path}", board.url));
        let answer = request.bearer_auth(token).body(body).send().await;
        assert_eq!(answer.unwrap().status(), 200);
    };
    post("/webhooks/answer", incoming(CLOSED, "leg-1")).await;
    let started = json!({
        "uuid": "leg-1",
        "conversation_uuid": "CON-leg-1",
        "direction": "inbound",
        "status": "started",
        "timestamp": now(),
    });
    post("/webhooks/event", started).await;
    let heard = target.told(2).await;
    assert!(heard[0].path == "/s3cret" && heard[0].body.contains(CALLER));
    eventually(|| async { board.log().contains("is given up").then_some(()) }).await;
    let log = board.interrupted().await.err;
    assert!(
        log.contains("is not told yet") && log.contains("it answered 500"),
        "{log}"
    );
    for secret in ["s3cret", CALLER] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}
