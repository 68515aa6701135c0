//! The plan of the killed boards: each way a call can go, with pauses short enough to be lived through.

/// Staff who take calls from queues. Nobody else rings them.
pub(crate) const QUEUE_STAFF: [&str; 3] = ["alice", "bob", "carol"];

/// Everybody.
pub(crate) const STAFF: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];

/// All queues.
pub(crate) const QUEUES: [&str; 3] = ["support", "by-url", "trial"];

/// The lines, and how many of 16 calls go to each: support, direct, by URL, trial, closed.
pub(crate) const LINES: [(&str, u32); 5] = [
    ("447700900002", 6),
    ("447700900003", 4),
    ("447700900005", 2),
    ("447700900006", 3),
    ("447700900007", 1),
];

pub(crate) const PLAN: &str = r#"
[defaults]
language = "en-GB"
timezone = "Europe/London"

[[line]]
number = "447700900002"
name = "Support"
flow = "support"

[[line]]
number = "447700900003"
name = "Direct"
flow = "direct"

[[line]]
number = "447700900005"
name = "Moved by URL"
flow = "by-url"

[[line]]
number = "447700900006"
name = "Trial"
flow = "trial"

[[line]]
number = "447700900007"
name = "Closed"
flow = "closed"

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
name = "dave"
phone = "447700900014"

[[agent]]
name = "erin"
phone = "447700900015"

[flow.closed]
type = "message"
say = "We are closed."

[flow.direct]
type = "ring"
confirm = false
say = "Putting you through."
agents = ["dave", "erin"]
timeout = "15s"
otherwise = "trial"

[flow.support]
type = "queue"
confirm = false
say = "Please hold."
music = "https://example.com/a.mp3"
agents = ["alice", "bob", "carol"]
connect-say = "Here we go."
timeout = "1s"
cool-down = "1s"
max-wait = "10m"
otherwise = "closed"

[flow.by-url]
type = "queue"
confirm = false
say = "Please hold."
music = "https://example.com/a.mp3"
agents = ["alice", "bob"]
transfer = "url"
timeout = "1s"
cool-down = "0s"
wrap-up = "1s"
max-wait = "10m"
otherwise = "closed"

[flow.trial]
type = "queue"
confirm = false
say = "Please hold."
music = "https://example.com/a.mp3"
agents = ["carol"]
free-after = "1s"
timeout = "1s"
cool-down = "1s"
max-wait = "10m"
otherwise = "closed"
"#;
