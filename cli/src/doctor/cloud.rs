//! What is deployed: table and plan, bucket, queues.

use super::{ACCESS, Check, Doctor};
use aws_sdk_sqs::types::QueueAttributeName;
use switchboard_shared::plan::Plan;
use switchboard_shared::store::Store;
use switchboard_shared::{aws, chain};

/// The queues by the settings that name them.
const QUEUES: [(&str, &str); 2] = [
    ("archive queue", "SWITCHBOARD_ARCHIVE_QUEUE_URL"),
    ("dispatch queue", "SWITCHBOARD_DISPATCH_QUEUE_URL"),
];

impl Doctor<'_> {
    /// Looks at all of it.
    pub(super) async fn cloud(&self) -> Vec<Check> {
        let (table, bucket, archive, dispatch, dead) = tokio::join!(
            self.table(),
            self.bucket(),
            self.queue(QUEUES[0]),
            self.queue(QUEUES[1]),
            self.dead_letters(),
        );
        let mut checks = table;
        checks.extend([bucket, archive, dispatch, dead]);
        checks
    }

    /// The table, by what it is asked for most: the plan in force.
    async fn table(&self) -> Vec<Check> {
        let (name, plan) = ("table", "plan");
        let skipped = || Check::skipped(plan, "the table is not known");
        let table = match self.stack.setting("SWITCHBOARD_TABLE") {
            Ok(table) => table,
            Err(error) => {
                let todo = "name the stack by `--stack NAME`";
                return vec![Check::problem(name, format!("{error:#}"), todo), skipped()];
            }
        };
        let store = Store::new(aws_sdk_dynamodb::Client::new(&self.stack.sdk), &table);
        match store.plan(None).await {
            Err(error) => vec![Check::problem(name, chain(&error), ACCESS), skipped()],
            Ok(in_force) => {
                let text = in_force.map(|plan| plan.text);
                vec![Check::ok(name, table), self.plan(text.as_deref())]
            }
        }
    }

    fn plan(&self, in_force: Option<&str>) -> Check {
        let name = "plan";
        let push = "`switchboard plan push` puts your file in force";
        let Some(text) = in_force else {
            return Check::problem(name, "none was ever put in force", push);
        };
        let Some(in_force) = Plan::parse(text).plan else {
            return Check::problem(name, "the one in force has faults", push);
        };
        match &self.plan {
            Err(error) => {
                let todo = "name your plan file, as in `switchboard doctor FILE`";
                Check::problem(name, format!("{error:#}"), todo)
            }
            Ok(plan) if plan.version() == in_force.version() => Check::ok(
                name,
                format!("your file is in force, version {}", plan.version()),
            ),
            Ok(_) => Check::problem(name, "another than your file is in force", push),
        }
    }

    async fn bucket(&self) -> Check {
        let name = "bucket";
        let bucket = match self.stack.setting("SWITCHBOARD_BUCKET") {
            Ok(bucket) => bucket,
            Err(error) => return Check::skipped(name, format!("{error:#}")),
        };
        let head = aws::s3(&self.stack.sdk).head_bucket().bucket(&bucket);
        match head.send().await {
            Ok(_) => Check::ok(name, bucket),
            Err(error) => Check::problem(name, chain(&error), ACCESS),
        }
    }

    async fn queue(&self, (name, setting): (&str, &str)) -> Check {
        let url = match self.stack.setting(setting) {
            Ok(url) => url,
            Err(error) => return Check::skipped(name, format!("{error:#}")),
        };
        match self.messages(&url).await {
            Ok(messages) => Check::ok(name, format!("{messages} waiting")),
            Err(why) => Check::problem(name, why, ACCESS),
        }
    }

    async fn dead_letters(&self) -> Check {
        let name = "dead letters";
        let urls = self.stack.dead_letters();
        if urls.is_empty() {
            return Check::skipped(name, "the stack does not say where they are");
        }
        let mut dead = 0;
        for url in &urls {
            match self.messages(url).await {
                Ok(messages) => dead += messages,
                Err(why) => return Check::problem(name, why, ACCESS),
            }
        }
        match dead {
            0 => Check::ok(name, "none"),
            dead => Check::problem(
                name,
                format!("{dead} jobs were given up"),
                "`switchboard recordings retry --all` and `switchboard notices retry --all` take up \
                 what they are about",
            ),
        }
    }

    /// How many messages wait in a queue.
    async fn messages(&self, url: &str) -> Result<u64, String> {
        let waiting = QueueAttributeName::ApproximateNumberOfMessages;
        let asked = aws_sdk_sqs::Client::new(&self.stack.sdk)
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(waiting.clone())
            .send()
            .await
            .map_err(|error| chain(&error))?;
        let told = asked
            .attributes
            .and_then(|all| all.get(&waiting)?.parse().ok());
        told.ok_or_else(|| "SQS does not say how many messages wait".to_owned())
    }
}
