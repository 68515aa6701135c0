//! What each handler does after which replies. A handler knows nothing but what it was asked and
//! answered, so each step is worked out once, by the handler itself.

use crate::office::{Ask, Office, Parked, Past, Reply, Stand};
use crate::task::Task;
use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

/// Gives equal things one number.
pub(crate) struct Numbers<T: ?Sized> {
    numbers: HashMap<Rc<T>, u32>,
    all: Vec<Rc<T>>,
}

impl<T: ?Sized> Default for Numbers<T> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            all: Vec::new(),
        }
    }
}

impl<T: Hash + Eq + ?Sized> Numbers<T> {
    pub(crate) fn of(&mut self, thing: Rc<T>) -> u32 {
        if let Some(number) = self.numbers.get(&thing) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap();
        self.all.push(thing.clone());
        self.numbers.insert(thing, number);
        number
    }

    pub(crate) fn get(&self, number: u32) -> &Rc<T> {
        &self.all[number as usize]
    }
}

/// A point in a handler's run.
struct Point {
    stand: Rc<Stand>,
    came: Option<(u32, Past)>,
    parked: Option<Parked>,
}

/// Every point any handler has come to.
pub(crate) struct Programs {
    office: Office,
    points: Vec<Point>,
    begun: HashMap<Rc<Task>, u32>,
    went: HashMap<(u32, Reply, i64), u32>,
    /// Handlers run, from their beginning to where they stand.
    pub(crate) runs: usize,
}

impl Programs {
    pub(crate) fn new() -> Self {
        Self {
            office: Office::open(),
            points: Vec::new(),
            begun: HashMap::new(),
            went: HashMap::new(),
            runs: 0,
        }
    }

    /// Where a handler stands at its first request.
    pub(crate) fn begin(&mut self, task: &Rc<Task>) -> u32 {
        if let Some(point) = self.begun.get(task) {
            return *point;
        }
        let point = self.add(task, None);
        self.begun.insert(task.clone(), point);
        point
    }

    /// Where it stands after a reply that came when the clock showed this.
    pub(crate) fn next(&mut self, task: &Rc<Task>, point: u32, reply: &Reply, at: i64) -> u32 {
        let step = (point, reply.clone(), at);
        if let Some(next) = self.went.get(&step) {
            return *next;
        }
        let Stand::Asks(ask) = self.stand(point) else {
            panic!("{} is done", task.words())
        };
        let past = Past {
            ask: ask.clone(),
            reply: reply.clone(),
            at,
        };
        let next = self.add(task, Some((point, past)));
        self.went.insert(step, next);
        next
    }

    pub(crate) fn stand(&self, point: u32) -> &Stand {
        &self.points[point as usize].stand
    }

    /// The same, to keep.
    pub(crate) fn stand_of(&self, point: u32) -> Rc<Stand> {
        self.points[point as usize].stand.clone()
    }

    /// Whether it has not been answered anything yet.
    pub(crate) fn is_fresh(&self, point: u32) -> bool {
        self.points[point as usize].came.is_none()
    }

    fn add(&mut self, task: &Rc<Task>, came: Option<(u32, Past)>) -> u32 {
        let (stand, parked) = self.go_on(came.as_ref()).unwrap_or_else(|| {
            let mut past = Vec::new();
            let mut back = &came;
            while let Some((point, step)) = back {
                past.push(step.clone());
                back = &self.points[*point as usize].came;
            }
            past.reverse();
            self.runs += 1;
            self.office.run(task, &past)
        });
        let stand = Rc::new(stand);
        self.points.push(Point {
            stand,
            came,
            parked,
        });
        u32::try_from(self.points.len() - 1).unwrap()
    }

    /// Goes on with the handler that waits at a point, if one still does.
    fn go_on(&mut self, came: Option<&(u32, Past)>) -> Option<(Stand, Option<Parked>)> {
        let (point, past) = came?;
        let parked = self.points[*point as usize].parked.take()?;
        self.office.go_on(parked, &past.reply, past.at).ok()
    }
}

/// A request to the table, in words.
pub(crate) fn words(ask: &Ask) -> String {
    match ask {
        Ask::Job { body, delay: 0 } => format!("hands over {body}"),
        Ask::Job { body, delay } => format!("hands over {body} for {delay} s later"),
        Ask::Vonage { method, leg, body } if method == "PUT" => {
            let what = if body.contains("\"connect\"") {
                "a connect"
            } else {
                "a script"
            };
            format!("has Vonage move {leg} to {what}")
        }
        Ask::Vonage { leg, .. } => format!("asks Vonage about {leg}"),
        Ask::Table { operation, body } => table_words(operation, body),
    }
}

fn table_words(operation: &str, body: &str) -> String {
    let request: serde_json::Value = serde_json::from_str(body).unwrap();
    let write = |kind: &str, write: &serde_json::Value| {
        let key = write.get("Key").or_else(|| write.get("Item")).unwrap();
        let sk = key["sk"]["S"].as_str().unwrap();
        let sk = if sk.starts_with("WAIT") || sk.starts_with("EVENT") {
            sk
        } else {
            ""
        };
        let text = |name: &str| write[name].as_str().unwrap_or_default().to_owned();
        let (mut update, condition) = (text("UpdateExpression"), text("ConditionExpression"));
        if update.contains("#conversation") {
            "SET everything".clone_into(&mut update);
        }
        let values = write["ExpressionAttributeValues"][":offer"].to_string();
        let values = if values == "null" {
            String::new()
        } else {
            format!(" ({values})")
        };
        let condition = if condition.is_empty() {
            condition
        } else {
            format!(" IF {condition}")
        };
        let pk = key["pk"]["S"].as_str().unwrap();
        format!("{kind} {pk} {sk}{update}{condition}{values}")
    };
    match operation {
        "TransactWriteItems" => {
            let writes = request["TransactItems"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| {
                    let (kind, inner) = one.as_object().unwrap().iter().next().unwrap();
                    write(kind, inner)
                });
            format!("writes together {}", writes.collect::<Vec<_>>().join("; "))
        }
        "GetItem" => format!("reads {}", request["Key"]["pk"]["S"].as_str().unwrap()),
        "BatchGetItem" => format!(
            "reads {}",
            request["RequestItems"][crate::table::TABLE]["Keys"]
        ),
        "Query" => format!(
            "reads who waits in {}",
            request["ExpressionAttributeValues"][":pk"]["S"]
        ),
        other => write(other, &request),
    }
}

/// A reply, in words.
pub(crate) fn reply_words(ask: &Ask, reply: &Reply) -> String {
    match (ask, reply) {
        (_, Reply::NoAnswer) => "no answer".to_owned(),
        (Ask::Table { operation, .. }, Reply::Http(200, body)) => {
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            match operation.as_str() {
                "GetItem" => brief(&body["Item"]),
                "Query" => body["Items"].as_array().map_or_else(String::new, |all| {
                    all.iter().map(brief).collect::<Vec<_>>().join(", ")
                }),
                "BatchGetItem" => body["Responses"][crate::table::TABLE]
                    .as_array()
                    .map_or_else(String::new, |all| {
                        all.iter().map(brief).collect::<Vec<_>>().join(", ")
                    }),
                _ => "done".to_owned(),
            }
        }
        (_, Reply::Http(200 | 204, _)) => "done".to_owned(),
        (_, Reply::Http(status, _)) => format!("refused ({status})"),
    }
}

/// What matters of an item.
fn brief(item: &serde_json::Value) -> String {
    let Some(item) = item.as_object() else {
        return "nothing".to_owned();
    };
    let kept = [
        "leg",
        "name",
        "present",
        "free_from",
        "call",
        "offer",
        "place",
        "served",
        "lost",
        "ended",
    ];
    let fields = kept.iter().filter_map(|name| {
        let value = crate::table::plain(item.get(*name)?);
        Some(format!("{name} {}", crate::table::plain_deep(&value)))
    });
    format!("[{}]", fields.collect::<Vec<_>>().join(", "))
}
