//! `switchboard plan push` and `rollback`: a plan is put in force.
//!
//! Over the one that was shown as in force, and no other: of two operators who push at once, one is told
//! what the other did.

use super::compared::{Compared, Text, named};
use super::faults;
use crate::command::desk::{Place, Shelf};
use crate::command::sentence::sentence;
use crate::command::{Found, Global, show};
use crate::environment::Environment;
use crate::plan_report;
use anyhow::{Context as _, bail};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::path::PathBuf;
use switchboard_shared::chain;
use switchboard_shared::plan::flow::AGENTS_MAX;
use switchboard_shared::plan::{AgentName, Flow, FlowKind, Plan};
use switchboard_shared::plans::FRESH;
use switchboard_shared::presence::State;
use switchboard_shared::store::{
    self, InForce, NOTE_MAX, Prefix, Pushed, Signed, Store, StoreError,
};

/// Put a plan file in force.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Push {
    /// The plan file.
    #[arg(default_value = "switchboard.toml")]
    file: PathBuf,
    #[command(flatten)]
    how: How,
}

/// Put an earlier version in force again.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Rollback {
    /// The version; without it, the one that was in force before.
    #[arg(value_name = "VERSION")]
    to: Option<Prefix>,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Args)]
struct How {
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Why, in a sentence for the history.
    #[arg(long, value_name = "TEXT", value_parser = note)]
    note: Option<String>,
    /// Only over this version: the one that was looked at. Refused where another is in force by now.
    #[arg(long, value_name = "VERSION")]
    over: Option<Prefix>,
}

fn note(text: &str) -> Result<String, String> {
    sentence(text, NOTE_MAX)
}

/// A plan that is to be put in force.
struct Wanted {
    plan: Plan,
    text: Text,
}

impl Push {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let text = Text {
            name: self.file.display().to_string(),
            text: plan_report::text(&self.file)?,
        };
        let Some(wanted) = checked(text, global) else {
            return Ok(Found::Problem);
        };
        let shelf = Shelf::open(global).await?;
        let done = put_file(&shelf, global, &wanted, self.how).await;
        shelf.close().await;
        done
    }
}

impl Rollback {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let shelf = Shelf::open(global).await?;
        let done = self.put(&shelf, global).await;
        shelf.close().await;
        done
    }

    async fn put(self, shelf: &Shelf, global: &Global) -> anyhow::Result<Found> {
        if let Some(file) = file_of(shelf) {
            bail!(
                "this board goes by its file {file}, and by nothing else: `switchboard plan show \
                 VERSION` prints what to put into it"
            );
        }
        // First: whatever is pushed after this is told, and not taken for the version before.
        let over = shelf.store.plan_in_force().await?;
        let text = match &self.to {
            Some(prefix) => named(&shelf.store, prefix).await?,
            None => before(&shelf.store).await?,
        };
        let Some(wanted) = checked(text, global) else {
            return Ok(Found::Problem);
        };
        let how = How {
            note: self.how.note.or(Some("rollback".to_owned())),
            ..self.how
        };
        put(shelf, global, &wanted, over, how).await
    }
}

async fn put_file(
    shelf: &Shelf,
    global: &Global,
    wanted: &Wanted,
    how: How,
) -> anyhow::Result<Found> {
    if let Some(file) = file_of(shelf) {
        bail!(
            "this board goes by its file {file}: change that, and it is in force within a second; \
             `--aws` pushes to a stack"
        );
    }
    let over = shelf.store.plan_in_force().await?;
    put(shelf, global, wanted, over, how).await
}

/// The file that a running board goes by.
fn file_of(shelf: &Shelf) -> Option<String> {
    match &shelf.board {
        Some(Place::Running { plan, .. }) => Some(plan.display().to_string()),
        _ => None,
    }
}

/// The version that was in force before the one that is.
async fn before(store: &Store) -> anyhow::Result<Text> {
    let pushes = store.pushes(2).await?;
    let [_, before] = pushes.as_slice() else {
        bail!("there is no version to go back to; `switchboard plan history` lists what there is");
    };
    let kept = store.plan(Some(&before.version)).await?;
    let kept = kept.with_context(|| {
        format!(
            "version {} is kept no more; `switchboard plan history` lists others",
            before.version
        )
    })?;
    Ok(Text {
        name: kept.version,
        text: kept.text,
    })
}

/// Reads a plan, and shows what is wrong with it; `None` where it cannot be put in force.
fn checked(text: Text, global: &Global) -> Option<Wanted> {
    let checked = Plan::parse_on(&text.text, Some(jiff::Zoned::now().date()));
    let Some(plan) = checked.plan else {
        faults(&text.name, &text.text, &checked.faults, global);
        show::complain(&format!("not pushed: {} has faults", text.name));
        return None;
    };
    if !checked.faults.is_empty() {
        let colour = show::colour();
        let drawn = plan_report::draw(&text.name, &text.text, &checked.faults, colour);
        show::say(&drawn);
    }
    Some(Wanted { plan, text })
}

/// Shows what a plan changes, and puts it in force over the one that is.
async fn put(
    shelf: &Shelf,
    global: &Global,
    wanted: &Wanted,
    over: Option<InForce>,
    how: How,
) -> anyhow::Result<Found> {
    let store = &shelf.store;
    let is = |version: &str| over.as_ref().is_some_and(|it| it.push.version == version);
    if let (Some(over), true) = (&over, is(wanted.plan.version())) {
        return Ok(already(global, &over.push));
    }
    if let Some(looked_at) = &how.over
        && !over
            .as_ref()
            .is_some_and(|over| looked_at.is_of(&over.push.version))
    {
        let before = named(store, looked_at).await.ok();
        return Ok(overtaken(global, before.as_ref(), over.as_ref()));
    }
    let old = over.as_ref().map(Text::from);
    let change = shown(global, wanted, old.as_ref());
    // Words to the operator, which stand in the way of nothing.
    if let Some(over) = &over
        && let Err(error) = left_behind(store, over, &wanted.plan).await
    {
        let why = chain(&error);
        show::say(&format!("could not look who is left behind: {why}"));
    }
    if shelf.board.is_none() && Environment::of_process().get("SWITCHBOARD_PLAN").is_some() {
        show::say(
            "SWITCHBOARD_PLAN is set here: a function for which it is set, too, goes by that file, \
             whatever is in force",
        );
    }
    if how.dry_run {
        if global.json {
            let in_force = over.as_ref().map(|over| &over.push);
            show::json(&outcome("dry-run", in_force, &change));
        }
        show::say(&match &over {
            Some(over) => format!(
                "nothing was pushed; with `--over {}` in place of `--dry-run` it is, over this version \
                 and no other",
                over.push.version
            ),
            None => "nothing was pushed; without `--dry-run` it is".to_owned(),
        });
        return Ok(Found::Fine);
    }
    let signed = Signed {
        by: by(),
        note: how.note,
    };
    let pushed = store.push_plan(&wanted.plan, over.as_ref(), signed, Timestamp::now());
    match pushed.await? {
        Pushed::Done(push) => {
            if global.json {
                show::json(&outcome("pushed", Some(&push), &change));
            }
            let from_now_on = match shelf.board {
                None => format!(
                    "within {} seconds calls are answered by it, and running calls keep the version \
                     they began with",
                    FRESH.as_secs()
                ),
                Some(_) => "until the next `switchboard dev`, which goes by its file".to_owned(),
            };
            show::say(&format!("{} is in force: {from_now_on}", push.version));
            Ok(Found::Fine)
        }
        Pushed::Already => {
            let same = store.plan_in_force().await?;
            Ok(same.map_or(Found::Fine, |same| already(global, &same.push)))
        }
        Pushed::Overtaken(other) => Ok(overtaken(global, old.as_ref(), other.as_deref())),
    }
}

/// Shows what a plan changes; to a program it is given.
fn shown(global: &Global, wanted: &Wanted, old: Option<&Text>) -> Value {
    let Some(old) = old else {
        let plan = &wanted.plan;
        show::say(&format!(
            "no plan was in force here before; this one has {} lines, {} flows, {} agents",
            plan.lines().count(),
            plan.flows().count(),
            plan.agents().count()
        ));
        return Value::Null;
    };
    let compared = Compared::of(old, &wanted.text);
    if global.json {
        return compared.json();
    }
    compared.print();
    Value::Null
}

/// Who pushes, as this machine calls them.
fn by() -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    let user = set("USER").or_else(|| set("USERNAME"))?;
    let host = gethostname::gethostname();
    Some(show::plain(&format!("{user}@{}", host.to_string_lossy())))
}

/// Who put what in force, and when.
fn stands(push: &store::Push) -> String {
    let by = push.by.as_deref().unwrap_or("somebody");
    let note = push.note.as_deref();
    let note = note.map_or_else(String::new, |note| format!(" ({note})"));
    show::plain(&format!(
        "{by} put {} in force at {}{note}",
        push.version,
        show::local(push.pushed)
    ))
}

/// What came of it, for a program.
fn outcome(outcome: &str, in_force: Option<&store::Push>, change: &Value) -> Value {
    json!({ "outcome": outcome, "in_force": in_force, "change": change })
}

fn already(global: &Global, in_force: &store::Push) -> Found {
    if global.json {
        show::json(&outcome("unchanged", Some(in_force), &Value::Null));
    }
    show::say(&format!(
        "nothing to push: {} is in force already; {}",
        in_force.version,
        stands(in_force)
    ));
    Found::Fine
}

/// Tells that another plan is in force than the one that was looked at, and what it changed.
fn overtaken(global: &Global, before: Option<&Text>, other: Option<&InForce>) -> Found {
    let Some(other) = other else {
        if global.json {
            show::json(&outcome("refused", None, &Value::Null));
        }
        show::complain("not pushed: no plan is in force here; without `--over` this one is then");
        return Found::Problem;
    };
    let now = Text::from(other);
    let compared = before.map(|before| Compared::of(before, &now));
    if global.json {
        let change = compared.as_ref().map_or(Value::Null, Compared::json);
        show::json(&outcome("refused", Some(&other.push), &change));
    }
    show::complain(&format!("not pushed: {}", stands(&other.push)));
    if let (Some(compared), false) = (&compared, global.json) {
        show::say("what that changed:");
        compared.print();
    }
    show::say(&format!(
        "look at it, take over what should stay, and push again with `--over {}`",
        other.push.version
    ));
    Found::Problem
}

/// Tells whom the new plan leaves behind: callers who wait where it has no queue, and agents in a call
/// whom it does not have. They go on by the version that the call began with.
async fn left_behind(store: &Store, old: &InForce, new: &Plan) -> Result<(), StoreError> {
    // One that this version of the program does not read has nobody to ask about.
    let Some(old) = Plan::parse(&old.text).plan else {
        return Ok(());
    };
    let waits = |flow: &Flow| matches!(flow.kind, FlowKind::Queue(_) | FlowKind::Hotline(_));
    let gone = |flow: &&Flow| waits(flow) && !new.flow(&flow.name).is_some_and(waits);
    for flow in old.flows().filter(gone) {
        let mut count = 0;
        let mut last = None;
        loop {
            let page = store.waiting(&flow.name, last.as_ref()).await?;
            count += page.len();
            last = page.last().cloned();
            if last.is_none() {
                break;
            }
        }
        if count > 0 {
            show::say(&format!(
                "{count} callers wait in {}, which this plan does not have: they go on by the version \
                 they began with, but who says \"free\" does not get them at once",
                flow.name
            ));
        }
    }
    let gone: Vec<AgentName> = old
        .agents()
        .filter(|agent| new.agent(&agent.name).is_none())
        .map(|agent| agent.name.clone())
        .collect();
    let now = Timestamp::now();
    for gone in gone.chunks(AGENTS_MAX) {
        for presence in store.agents(gone).await? {
            if let State::Ringing { call } | State::Talking { call } = presence.state(now) {
                show::say(&format!(
                    "{}, whom this plan does not have, is in call {call}, which goes on",
                    presence.name
                ));
            }
        }
    }
    Ok(())
}
