//! What is set at Vonage: account, application, numbers.

use super::{Ahead, Check, Doctor, Secret, ahead};
use crate::account::{Account, Application, Difference, Number, Voice};
use crate::key_pair;
use crate::setup::entry;
use switchboard_shared::chain;
use switchboard_shared::number::PhoneNumber;
use switchboard_shared::plan::Plan;
use switchboard_shared::vonage::PrivateKey;

/// What puts most things right.
const SET_UP: &str = "`switchboard setup` puts it right";

impl Doctor<'_> {
    /// Looks at all of it; also how far Vonage's clock is ahead of ours.
    pub(super) async fn vonage(&self, secret: &Secret) -> (Vec<Check>, Option<Ahead>) {
        let name = "credentials";
        let unknown = |found: &str, todo: &str| {
            let why = "nobody may ask Vonage";
            let checks = vec![
                Check::problem(name, found, todo),
                Check::skipped("application", why),
                Check::skipped("numbers", why),
            ];
            (checks, None)
        };
        let account = match &self.account {
            Ok(account) => account,
            Err(error) => return unknown(&chain(error), "set both for this command"),
        };
        let (clock, application, numbers) = tokio::join!(
            account.clock(),
            self.application(account, secret),
            self.numbers(account, secret)
        );
        let vonage = match clock {
            Ok(told) => told.map(ahead),
            Err(error) => {
                let todo = "take key and secret from Vonage's dashboard, API settings";
                return unknown(&chain(&error), todo);
            }
        };
        let known = format!("Vonage knows the account {}", account.key());
        let mut checks = vec![Check::ok(name, known)];
        checks.extend(application);
        checks.extend(numbers);
        (checks, vonage)
    }

    async fn application(&self, account: &Account, secret: &Secret) -> Vec<Check> {
        let name = "application";
        let Ok(entries) = secret else {
            return vec![Check::skipped(name, "the secret is not known")];
        };
        let Some(id) = entries.get(entry::APPLICATION_ID) else {
            return vec![Check::problem(name, "the secret names none", SET_UP)];
        };
        let application = match account.application(&id).await {
            Ok(Some(application)) => application,
            Ok(None) => {
                let found = format!("{id} is gone");
                return vec![Check::problem(name, found, SET_UP)];
            }
            Err(error) => {
                return vec![Check::problem(name, chain(&error), "try again in a moment")];
            }
        };
        let mut checks = vec![Check::ok(name, format!("{:?}, {id}", application.name()))];
        let key = entries.get(entry::PRIVATE_KEY);
        let key = key.as_deref().map(PrivateKey::parse);
        checks.push(key_check(&application, key.as_ref()));
        let webhooks = match self.stack.webhooks() {
            Ok(webhooks) => webhooks,
            Err(error) => {
                let todo = "name the stack by `--stack NAME`";
                checks.push(Check::problem("webhooks", format!("{error:#}"), todo));
                return checks;
            }
        };
        let differences = application.differences(&Voice {
            answer: webhooks.answer,
            fallback: webhooks.fallback,
            event: webhooks.event,
            region: None,
            public_key: String::new(),
            name: None,
        });
        checks.extend(differences_checks(&differences));
        checks
    }

    async fn numbers(&self, account: &Account, secret: &Secret) -> Vec<Check> {
        let name = "numbers";
        let Ok(plan) = &self.plan else {
            return vec![Check::skipped(name, "there is no plan to take them from")];
        };
        let numbers = match account.numbers().await {
            Ok(numbers) => numbers,
            Err(error) => {
                return vec![Check::problem(name, chain(&error), "try again in a moment")];
            }
        };
        let id = secret
            .as_ref()
            .ok()
            .and_then(|entries| entries.get(entry::APPLICATION_ID));
        lines(plan, &numbers, id.as_deref())
    }
}

fn key_check(
    application: &Application,
    key: Option<&Result<PrivateKey, switchboard_shared::vonage::KeyError>>,
) -> Check {
    let name = "key";
    match key {
        None => Check::problem(name, "the secret has none", SET_UP),
        Some(Err(error)) => {
            let todo = "mend it in the secret, or take it out and run `switchboard setup`";
            Check::problem(name, chain(error), todo)
        }
        Some(Ok(key)) if application.has_key(&key_pair::public_pem(key)) => {
            Check::ok(name, "the application's is the secret's")
        }
        Some(Ok(_)) => Check::problem(name, "the application has another than the secret", SET_UP),
    }
}

/// Settings of an application that are looked at together: name, what belongs to it, and what is said
/// when all of it is right.
const TOGETHER: [(&str, &[&str], &str); 5] = [
    ("answer URL", &["answer_url."], "by POST to the stack"),
    (
        "fallback URL",
        &["fallback_answer_url."],
        "by POST to the stack",
    ),
    ("event URL", &["event_url."], "by POST to the stack"),
    ("signing", &["signed_callbacks"], "on"),
    ("privacy", &["improve_ai"], "nothing is learnt from callers"),
];

fn differences_checks(differences: &[Difference]) -> Vec<Check> {
    let checks = TOGETHER.iter().map(|(name, belongs, right)| {
        let wrong: Vec<_> = differences
            .iter()
            .filter(|one| belongs.iter().any(|start| one.name.starts_with(start)))
            .map(ToString::to_string)
            .collect();
        if wrong.is_empty() {
            Check::ok(*name, *right)
        } else {
            Check::problem(*name, wrong.join(", "), SET_UP)
        }
    });
    checks.collect()
}

/// What each line's number does when it is called.
fn lines(plan: &Plan, numbers: &[Number], id: Option<&str>) -> Vec<Check> {
    let find = |line: &PhoneNumber| numbers.iter().find(|number| number.number == *line);
    let checks = plan.lines().map(|line| {
        let name = format!("number {}", line.number);
        let Some(number) = find(&line.number) else {
            let todo = "rent it in Vonage's dashboard, or take its line out of the plan";
            return Check::problem(name, "the account does not rent it", todo);
        };
        if !number.takes_calls() {
            return Check::problem(name, "it takes no calls", "rent one that has VOICE");
        }
        if let Some(kind) = number.forwards() {
            let found = format!("it is forwarded ({kind}) before any application is asked");
            let todo = "in Vonage's dashboard, edit the number and clear its forwarding";
            return Check::problem(name, found, todo);
        }
        match number.application() {
            Some(linked) if Some(linked) == id => {
                Check::ok(name, format!("{:?}, linked", line.name))
            }
            Some(linked) => {
                let todo = format!("`switchboard setup --take {}` takes it", line.number);
                Check::problem(
                    name,
                    format!("linked to another application, {linked}"),
                    todo,
                )
            }
            None => Check::problem(name, "linked to no application", SET_UP),
        }
    });
    checks.collect()
}
