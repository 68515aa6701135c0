//! What a warm answer asks of DynamoDB, per flow.

use super::counting::Counting;
use super::report::{Section, at_most};
use super::stage::Stage;
use super::subject;

/// Lines of the plan, and what a caller meets there.
const FLOWS: [(&str, &str); 3] = [
    ("447700900004", "an agent is rung"),
    ("447700900003", "a sentence, then agents are rung"),
    ("447700900002", "a queue, nobody free"),
];

pub(crate) async fn measure(stage: &Stage) -> Section {
    let title = "DynamoDB requests of an answer";
    let head = ["", "requests", "which", "units", "aim"];
    let mut section = Section::new(title, &head);
    let counting = Counting::before(stage.world.board.engines().dynamodb_url());
    let mut answer = stage.function("answer");
    let endpoint = ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), counting.url());
    answer.environment.push(endpoint);
    let function = answer.start();
    // The plan is read at the start.
    subject::answer(&function, subject::call(stage)).await;
    for (line, what) in FLOWS {
        counting.take();
        subject::answer(&function, subject::call_to(stage, line)).await;
        row(&mut section, what, &counting);
    }
    let free = stage.world.says("alice", "free").await;
    assert_eq!(free.status, 200, "{:?}", free.body);
    stage.world.transfers(1).await;
    for agent in ["bob", "carol"] {
        stage.world.says(agent, "free").await;
    }
    counting.take();
    subject::answer(&function, subject::call_to(stage, "447700900002")).await;
    row(&mut section, "a queue, an agent free", &counting);
    section
}

fn row(section: &mut Section, what: &str, counting: &Counting) {
    let bill = counting.take();
    let requests = bill.operations.len();
    section.row(&[
        what.to_owned(),
        requests.to_string(),
        bill.operations.join(", "),
        bill.units.to_string(),
        at_most(2.0, "", requests as f64),
    ]);
}
