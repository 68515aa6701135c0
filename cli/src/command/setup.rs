//! `switchboard setup`: a deployed stack and an account at Vonage are brought together.

use super::{Found as Outcome, Global, show};
use crate::account::{Account, Region};
use crate::plan_report;
use crate::setup::{Change, Done, Rotate, Step, Todo, Wanted, Work, entry, new_token, todo};
use crate::stack::Stack;
use anyhow::{Context as _, bail, ensure};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;
use switchboard_shared::number::PhoneNumber;
use switchboard_shared::secret::AGAIN_AFTER;

/// Set a deployed stack up at Vonage: application, numbers, secrets. Shows first what it would do, and
/// does again only what is not done yet.
///
/// Needs VONAGE_API_KEY and VONAGE_API_SECRET, and AWS credentials as every AWS tool reads them.
#[derive(Debug, clap::Args)]
pub(super) struct Setup {
    /// The plan file, whose lines' numbers are linked.
    #[arg(default_value = "switchboard.toml")]
    plan: PathBuf,
    /// What the application is called.
    #[arg(long)]
    name: Option<String>,
    /// Where calls live; near the stack, if the application does not say.
    #[arg(long, value_enum)]
    region: Option<Region>,
    /// Take this number from the application it is linked to. Several may be named.
    #[arg(long, value_name = "NUMBER")]
    take: Vec<PhoneNumber>,
    /// Exchange the key pair, or the signature secret.
    #[arg(long, value_enum, value_name = "WHAT")]
    rotate: Option<Rotated>,
    /// End the rotation of the signature secret: the one before is not let in any more.
    #[arg(long, requires = "rotate")]
    finish: bool,
    /// Seconds that functions are given to read a new key before Vonage goes by it.
    #[arg(long, value_name = "SECONDS", default_value_t = AGAIN_AFTER.as_secs())]
    settle: u64,
    /// Only show what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Do it without asking.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
}

/// What may be exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Rotated {
    /// The application's key pair.
    Key,
    /// The secret that webhooks are signed with.
    Signature,
}

impl Setup {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let rotate = match (self.rotate, self.finish) {
            (None, _) => None,
            (Some(Rotated::Key), false) => Some(Rotate::Key),
            (Some(Rotated::Signature), false) => Some(Rotate::Signature),
            (Some(Rotated::Signature), true) => Some(Rotate::FinishSignature),
            (Some(Rotated::Key), true) => {
                bail!("a key's rotation ends by itself: leave `--finish` out")
            }
        };
        let plan = plan_report::read(&self.plan)?;
        let stack = Stack::open(global.stack.as_deref()).await?;
        let account = Account::from_environment(&stack.environment)?;
        let webhooks = stack.webhooks()?;
        let secret = stack.secret().await?;
        let signed = secret.entries.get(entry::SIGNATURE).is_some();
        let asks = !self.dry_run && (!signed || rotate == Some(Rotate::Signature));
        let signature = signature(&stack, &account, asks)?;
        let region = stack.sdk.region().map_or("", |region| region.as_ref());
        let wanted = Wanted {
            webhooks,
            name: self.name.clone(),
            otherwise: stack.name().unwrap_or("switchboard").to_owned(),
            region: self.region,
            near: Region::near(region),
            lines: plan
                .lines()
                .map(|line| (line.number.clone(), line.name.clone()))
                .collect(),
            take: self.take.clone(),
            api_key: account.key().to_owned(),
            signature,
            rotate,
        };
        let named = stack.environment.get(entry::APPLICATION_ID);
        let mut work = Work::look(account, secret, wanted, named).await?;
        let todo = todo(&work.found(), work.wanted());
        let mut report = Report::of(&todo);
        if !global.json {
            report.show();
        }
        if !todo.steps.is_empty() && !self.dry_run {
            if !self.yes {
                confirm()?;
            }
            let worked = self.work(global, &mut work, &todo, &mut report).await;
            if global.json {
                report.print();
            }
            worked?;
            if !global.json {
                self.afterwards();
            }
        } else if global.json {
            report.print();
        }
        Ok(if todo.problems.is_empty() {
            Outcome::Fine
        } else {
            Outcome::Problem
        })
    }

    /// Does the steps, with a line each.
    async fn work(
        &self,
        global: &Global,
        work: &mut Work,
        todo: &Todo,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let token = new_token();
        for (index, step) in todo.steps.iter().enumerate() {
            // Before it is stored: afterwards nobody could read it anywhere.
            if let Step::Store(changes) = step
                && changes.contains(&Change::MakeToken)
            {
                if global.json {
                    report.token = Some(token.clone());
                } else {
                    show::say("the operator's token, which is shown this once:");
                    show::line(token.expose_secret());
                }
            }
            if exchanges_key(step, &todo.steps[index + 1..]) && self.settle > 0 {
                show::say(&format!(
                    "waiting {} s: a function that looked into the secret a moment ago looks again only then",
                    self.settle
                ));
                tokio::time::sleep(Duration::from_secs(self.settle)).await;
            }
            let words = plain(step);
            let done = work.take(step, &token).await.with_context(|| {
                format!("stopped at \"{words}\"; what is done stays done, and the next run goes on from there")
            })?;
            report.done = index + 1;
            if !global.json {
                match done {
                    Done::Plainly => show::say(&format!("done: {words}")),
                    Done::Application(id) => show::say(&format!("done: {words}: {id}")),
                }
            }
        }
        Ok(())
    }

    /// What a person has to do next.
    fn afterwards(&self) {
        if self.rotate == Some(Rotated::Signature) && !self.finish {
            show::say(
                "now set the new signature secret in Vonage's dashboard, API settings; then \
                 `switchboard doctor`, and `switchboard setup --rotate signature --finish`",
            );
        } else {
            show::say("`switchboard doctor` tells whether calls come through");
        }
    }
}

/// The signature secret that the operator gives, by a variable or at the terminal.
fn signature(stack: &Stack, account: &Account, asks: bool) -> anyhow::Result<Option<SecretString>> {
    let given = stack.environment.get(entry::SIGNATURE);
    let given = match given {
        None if asks && is_attended() => {
            let asked = rpassword::prompt_password(
                "signature secret (Vonage's dashboard, API settings; it is not shown): ",
            );
            Some(asked.context("could not ask for the signature secret")?)
        }
        given => given,
    };
    let given = given
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty());
    if let Some(text) = &given {
        ensure!(
            !account.is_secret(text),
            "{} is the account's API secret: the signature secret stands further down on the same page",
            entry::SIGNATURE
        );
    }
    Ok(given.map(Into::into))
}

/// Whether somebody sits at the terminal who can be asked.
fn is_attended() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn confirm() -> anyhow::Result<()> {
    ensure!(
        is_attended(),
        "nobody is here to be asked: `--yes` does it without asking, `--dry-run` only shows it"
    );
    let _ = write!(std::io::stderr(), "do this? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    ensure!(
        matches!(answer.trim(), "y" | "Y" | "yes"),
        "nothing was done"
    );
    Ok(())
}

/// Whether Vonage goes by another key from this step on. A key that was not the first is followed by
/// the removal of the one before.
fn exchanges_key(step: &Step, then: &[Step]) -> bool {
    let forgets =
        |step: &Step| matches!(step, Step::Store(changes) if changes.contains(&Change::ForgetKey));
    matches!(step, Step::Change { .. }) && then.iter().any(forgets)
}

/// A step in a line.
fn plain(step: &Step) -> String {
    format!("{} {step}", step.word()).replace('\n', "; ")
}

/// What was to be done, and what of it is.
struct Report {
    steps: Vec<(&'static str, String)>,
    problems: Vec<String>,
    done: usize,
    token: Option<SecretString>,
}

impl Report {
    fn of(todo: &Todo) -> Self {
        let steps = todo.steps.iter();
        Self {
            steps: steps.map(|step| (step.word(), step.to_string())).collect(),
            problems: todo.problems.iter().map(ToString::to_string).collect(),
            done: 0,
            token: None,
        }
    }

    fn show(&self) {
        let steps = self.steps.iter();
        let rows = steps.map(|(word, what)| [(*word).to_owned(), what.clone()]);
        show::table(["step", "what"], rows.collect(), "nothing to do");
        for problem in &self.problems {
            show::say(&format!("problem: {problem}"));
        }
    }

    fn print(&self) {
        let steps = self.steps.iter().enumerate();
        let steps: Vec<Value> = steps
            .map(|(index, (word, what))| {
                json!({ "step": word, "what": what, "done": index < self.done })
            })
            .collect();
        let mut report = json!({ "steps": steps, "problems": self.problems });
        if let Some(token) = &self.token {
            report["operator_token"] = token.expose_secret().into();
        }
        show::json(&report);
    }
}
