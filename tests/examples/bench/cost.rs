//! What calls cost on AWS: measured per call on a board, times the prices AWS lists.

use super::report::Section;
use std::collections::BTreeMap;
use std::time::Duration;
use switchboard_cli::meter::{Meter, Trigger, Usage};
use switchboard_cli::simulate::{Played, Simulation, play};
use switchboard_phone::{Direction, LEGS_PER_SECOND, What};
use switchboard_shared::metric::Metric;
use switchboard_tests::scenario;
use switchboard_tests::template::{self, resources};

/// The flows: a scenario of each, with one caller.
const FLOWS: [(&str, &str); 7] = [
    ("closed", "a message"),
    ("masked", "put through, masked"),
    ("forwarded", "put through, recorded"),
    ("menu-key", "a menu, put through, recorded"),
    ("voicemail", "a voicemail, written down"),
    ("held", "held, then given to a free agent"),
    ("hotline", "a hotline that rings three"),
];

/// The flow of the tables by volume.
const TYPICAL: &str = "held";

/// Calls a month.
const VOLUMES: [f64; 3] = [1e3, 1e5, 1e7];

/// Plays of each, of which the one with the median time counts.
const PLAYS: usize = 5;

// Prices in dollars, of us-east-1, without the free tier unless said. See the page.
const API_REQUEST: f64 = 1.00 / 1e6;
const INVOCATION: f64 = 0.20 / 1e6;
const GB_SECOND: f64 = 0.000_013_333_4;
const WRITE_UNIT: f64 = 0.625 / 1e6;
const READ_UNIT: f64 = 0.125 / 1e6;
const QUEUE_REQUEST: f64 = 0.40 / 1e6;
const PUT: f64 = 5.0 / 1e6;
const GET: f64 = 0.4 / 1e6;
const LOG_GB: f64 = 0.50;
/// A month's table, with its backup.
const TABLE_GB: f64 = 0.25 + 0.20;
const BUCKET_GB: f64 = 0.023;
const METRIC: f64 = 0.30;
const ALARM: f64 = 0.10;
const SECRET: f64 = 0.40;

/// What a leg costs a minute at Vonage, unless `INBOUND` and `OUTBOUND` say otherwise.
const INBOUND: f64 = 0.0045;
const OUTBOUND: f64 = 0.0140;

// What a board cannot know, in milliseconds: requests within a region, and Vonage's REST.
const TABLE_MS: f64 = 5.0;
const QUEUE_MS: f64 = 10.0;
const BUCKET_MS: f64 = 30.0;
const VONAGE_MS: f64 = 200.0;

/// Memory at which a function has one processor whole, in MB.
///
/// See [AWS](https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
const WHOLE_PROCESSOR: f64 = 1769.0;

/// Log lines of an invocation, Lambda's own and the API's included, in bytes.
const LOGGED: f64 = 1500.0;

/// Lambda asks an idle queue by five connections, each for 20 s at a time.
///
/// See [AWS](https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html).
const POLLS_A_MONTH: f64 = 5.0 * 3.0 * 60.0 * 24.0 * 30.0;
const QUEUES: f64 = 2.0;
/// Requests to SQS that nobody pays.
const QUEUE_FREE: f64 = 1e6;

/// Writes in a second that one partition takes.
///
/// See [AWS](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html).
const PARTITION_WRITES: f64 = 1000.0;

/// Functions at work at once, in a new account.
///
/// See [AWS](https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const CONCURRENCY: f64 = 1000.0;

/// Write units of a caller's place in a queue: taking it and leaving it, in two transactions.
const PLACE_WRITES: f64 = 4.0;

/// A busy hour beside the month's mean.
const PEAK: f64 = 10.0;

/// One call of a flow.
#[derive(Debug, Default, Clone)]
struct Call {
    webhooks: f64,
    messages: f64,
    sends: f64,
    invocations: f64,
    table_requests: f64,
    read: f64,
    write: f64,
    listing: f64,
    puts: f64,
    gets: f64,
    /// Busy in functions, on this machine.
    busy: Duration,
    /// As long as Lambda would bill it.
    billed_ms: f64,
    gb_seconds: f64,
    legs: f64,
    inbound: Duration,
    outbound: Duration,
    recorded: u64,
}

pub(crate) async fn measure() -> Vec<Section> {
    let mut calls = Vec::new();
    for (name, title) in FLOWS {
        let mut plays = Vec::new();
        for _ in 0..PLAYS {
            plays.push(one(name).await);
        }
        plays.sort_by_key(|call| call.busy);
        calls.push((name, title, plays.swap_remove(PLAYS / 2)));
    }
    vec![
        counted(&calls),
        priced(&calls),
        by_volume(&calls),
        limits(&calls),
    ]
}

/// Plays a scenario with one caller, and counts what it takes.
async fn one(name: &str) -> Call {
    let file = scenario::folder().join(name).with_extension("toml");
    let (scenario, how) = scenario::read(&file);
    assert_eq!(scenario.calls.len(), 1, "{name}");
    let meter = Meter::default();
    let how = Simulation {
        meter: Some(meter.clone()),
        ..how
    };
    let mut begun = false;
    let played = play(&scenario, &how, |_, _| {
        // What the board does at its start is no part of a call.
        if !begun {
            drop(meter.take());
            begun = true;
        }
    });
    let played = played.await.unwrap();
    assert!(played.is_well(), "{name}");
    count(&played, &meter.take())
}

fn count(played: &Played, usage: &Usage) -> Call {
    let memory = memory();
    let mut call = Call::default();
    let mut waited = BTreeMap::<&str, f64>::new();
    for request in &usage.requests {
        let (service, operation) = request.operation.split_once(':').unwrap();
        *waited.entry(request.function).or_default() += match service {
            "dynamodb" => TABLE_MS,
            "sqs" => QUEUE_MS,
            _ => BUCKET_MS,
        };
        match service {
            "dynamodb" => call.table_requests += 1.0,
            "sqs" => call.sends += 1.0,
            _ if operation.starts_with("Get") || operation.starts_with("Head") => call.gets += 1.0,
            _ => call.puts += 1.0,
        }
        call.read += request.read;
        call.write += request.write;
        call.listing += request
            .indexes
            .get("by-listing")
            .copied()
            .unwrap_or_default();
    }
    for invocation in &usage.invocations {
        call.invocations += 1.0;
        match invocation.trigger {
            Trigger::Http => call.webhooks += 1.0,
            Trigger::Message => call.messages += 1.0,
            Trigger::Schedule => {}
        }
        call.busy += invocation.took;
        let megabytes = memory[invocation.function];
        let share = (megabytes / WHOLE_PROCESSOR).min(1.0);
        let ms = invocation.took.as_secs_f64() * 1e3 / share;
        call.bill(ms.ceil(), megabytes);
    }
    for entry in &played.entries {
        match &entry.what {
            // Agents are rung and callers moved by dispatch and transfer, which have the same memory. A
            // recording's one request is the archive's, which has twice as much; it counts as one of theirs.
            What::Request { .. } => call.bill(VONAGE_MS, memory["dispatch"]),
            What::Recorded { bytes, .. } => call.recorded += bytes,
            _ => {}
        }
    }
    for (function, ms) in waited {
        call.bill(ms, memory[function]);
    }
    for leg in &played.legs {
        let (Some(answered), Some((ended, _))) = (leg.answered(), leg.ended()) else {
            continue;
        };
        let time = Duration::try_from(ended.duration_since(answered)).unwrap();
        match leg.direction() {
            Direction::Inbound => call.inbound += time,
            Direction::Outbound => call.outbound += time,
        }
    }
    let outbound = played.legs.iter();
    let outbound = outbound.filter(|leg| leg.direction() == Direction::Outbound);
    call.legs = outbound.count() as f64;
    call
}

/// Megabytes of each function, by its binary.
fn memory() -> BTreeMap<String, f64> {
    let functions = resources(&template::read(), "AWS::Serverless::Function");
    functions
        .into_iter()
        .map(|(name, function)| {
            (
                name.to_lowercase(),
                function["MemorySize"].as_f64().unwrap(),
            )
        })
        .collect()
}

impl Call {
    fn bill(&mut self, ms: f64, megabytes: f64) {
        self.billed_ms += ms;
        self.gb_seconds += ms / 1e3 * megabytes / 1024.0;
    }

    /// Dollars at AWS by service, for what comes with the call.
    fn prices(&self) -> [(&'static str, f64); 6] {
        // A message is sent, received and deleted.
        let queue = self.sends + 2.0 * self.messages;
        let logs = LOGGED * self.invocations / 1e9 * LOG_GB;
        // A write unit is 1 kB at most: no more than that is kept, a transaction's half.
        let kept = self.write * 1e3 / 1e9 * TABLE_GB + self.recorded as f64 / 1e9 * BUCKET_GB;
        [
            ("API", self.webhooks * API_REQUEST),
            (
                "Lambda",
                self.invocations * INVOCATION + self.gb_seconds * GB_SECOND,
            ),
            ("DynamoDB", self.write * WRITE_UNIT + self.read * READ_UNIT),
            ("SQS", queue * QUEUE_REQUEST),
            ("S3", self.puts * PUT + self.gets * GET),
            ("logs, a month kept", logs + kept),
        ]
    }

    fn price(&self) -> f64 {
        self.prices().iter().map(|(_, price)| price).sum()
    }

    /// Dollars at Vonage.
    fn telephony(&self) -> f64 {
        let minutes = |time: Duration| time.as_secs_f64() / 60.0;
        minutes(self.inbound) * rate("INBOUND", INBOUND)
            + minutes(self.outbound) * rate("OUTBOUND", OUTBOUND)
    }
}

fn rate(name: &str, otherwise: f64) -> f64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

type Calls = [(&'static str, &'static str, Call)];

fn counted(calls: &Calls) -> Section {
    let head = [
        "one call",
        "webhooks",
        "jobs",
        "DynamoDB requests",
        "read units",
        "write units",
        "S3",
        "ms here",
        "ms billed",
    ];
    let mut section = Section::new("What a call takes", &head);
    for (_, title, call) in calls {
        section.row(&[
            (*title).to_owned(),
            call.webhooks.to_string(),
            call.messages.to_string(),
            call.table_requests.to_string(),
            call.read.to_string(),
            call.write.to_string(),
            (call.puts + call.gets).to_string(),
            format!("{:.1}", call.busy.as_secs_f64() * 1e3),
            format!("{:.0}", call.billed_ms),
        ]);
    }
    section
}

fn priced(calls: &Calls) -> Section {
    let services = calls[0].2.prices().map(|(service, _)| service);
    let mut head = vec!["a thousand calls"];
    head.extend(services);
    head.extend(["AWS in all", "Vonage", "AWS of both"]);
    let mut section = Section::new("What a thousand calls cost, in dollars", &head);
    for (_, title, call) in calls {
        let mut row = vec![(*title).to_owned()];
        row.extend(
            call.prices()
                .map(|(_, price)| format!("{:.4}", price * 1e3)),
        );
        let (ours, theirs) = (call.price(), call.telephony());
        row.push(format!("{:.3}", ours * 1e3));
        row.push(format!("{:.2}", theirs * 1e3));
        row.push(format!("{:.1} %", 100.0 * ours / (ours + theirs)));
        section.row(&row);
    }
    section
}

/// What a month costs without a call.
fn standing() -> f64 {
    let alarms = resources(&template::read(), "AWS::CloudWatch::Alarm");
    let polls = (QUEUES * POLLS_A_MONTH - QUEUE_FREE).max(0.0) * QUEUE_REQUEST;
    Metric::NAMES.len() as f64 * METRIC + alarms.len() as f64 * ALARM + SECRET + polls
}

fn by_volume(calls: &Calls) -> Section {
    let (_, title, call) = calls.iter().find(|(name, ..)| *name == TYPICAL).unwrap();
    let head = [
        "calls a month",
        "standing",
        "by calls",
        "AWS in all",
        "Vonage",
        "AWS of both",
    ];
    let mut section = Section::new(
        &format!("A month of calls that are {title}, in dollars"),
        &head,
    );
    for volume in VOLUMES {
        let (standing, ours, theirs) =
            (standing(), volume * call.price(), volume * call.telephony());
        let all = standing + ours;
        section.row(&[
            format!("{volume}"),
            format!("{standing:.2}"),
            format!("{ours:.2}"),
            format!("{all:.2}"),
            format!("{theirs:.2}"),
            format!("{:.1} %", 100.0 * all / (all + theirs)),
        ]);
    }
    section.note(format!(
        "Standing: {} metrics, the alarms, the secret, and what Lambda asks two idle queues beyond the free \
         million. A call holds the caller's leg for {:.0} s and an agent's for {:.0} s.",
        Metric::NAMES.len(),
        call.inbound.as_secs_f64(),
        call.outbound.as_secs_f64(),
    ));
    section
}

/// Calls that may begin in a second before something says no.
fn limits(calls: &Calls) -> Section {
    let head = [
        "calls a second",
        "Vonage's legs",
        "one queue",
        "the day's list",
        "Lambda",
        "API",
    ];
    let mut section = Section::new("Where each limit is met", &head);
    let api = template::read()["Parameters"]["RequestsPerSecond"]["Default"]
        .as_f64()
        .unwrap();
    for (name, title, call) in calls {
        let per = |limit: f64, each: f64| {
            if each > 0.0 {
                format!("{:.1}", limit / each)
            } else {
                "–".to_owned()
            }
        };
        let waits = if *name == "held" { PLACE_WRITES } else { 0.0 };
        section.row(&[
            (*title).to_owned(),
            per(LEGS_PER_SECOND as f64, call.legs),
            per(PARTITION_WRITES, waits),
            per(PARTITION_WRITES, call.listing),
            per(CONCURRENCY, call.billed_ms / 1e3),
            per(api, call.webhooks),
        ]);
    }
    let mean = VOLUMES[2] / (30.0 * 86400.0);
    section.note(format!(
        "Ten million calls a month are {mean:.1} a second on average, and {:.0} in an hour {PEAK} times as busy.",
        mean * PEAK
    ));
    section
}
