//! Two plans beside one another: in words, and line by line.

use crate::command::show;
use crate::plan_change::{PlanChange, changes};
use crate::plan_diff::{Side, draw};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use switchboard_shared::plan::Plan;
use switchboard_shared::store::{InForce, Named, Prefix, Store};

/// The text of a plan, and what it is called.
pub(super) struct Text {
    /// A file, or a version.
    pub(super) name: String,
    /// The TOML.
    pub(super) text: String,
}

impl Text {
    fn side(&self) -> Side<'_> {
        Side {
            name: &self.name,
            text: &self.text,
        }
    }
}

impl From<&InForce> for Text {
    fn from(in_force: &InForce) -> Self {
        Self {
            name: in_force.push.version.clone(),
            text: in_force.text.clone(),
        }
    }
}

/// The plan in force.
pub(super) async fn in_force(store: &Store) -> anyhow::Result<Text> {
    let in_force = store.plan_in_force().await?;
    let in_force = in_force.context(
        "no plan was ever put in force here; `switchboard plan push --aws` does it on a stack, \
         `switchboard dev` on a board",
    )?;
    Ok(Text::from(&in_force))
}

/// A version that is kept.
pub(super) async fn named(store: &Store, prefix: &Prefix) -> anyhow::Result<Text> {
    match store.plan_named(prefix).await? {
        Named::One(plan) => Ok(Text {
            name: plan.version,
            text: plan.text,
        }),
        Named::None => bail!(
            "no version {prefix} is kept; `switchboard plan history` lists what was put in force"
        ),
        Named::Several(versions) => bail!(
            "{prefix} may be {}; write more of it, as `switchboard plan history` lists them",
            versions.join(" or ")
        ),
    }
}

/// What leads from one to the other.
pub(super) struct Compared<'t> {
    old: &'t Text,
    new: &'t Text,
    /// What callers and agents may notice; `None` where either is no plan to be answered by.
    changes: Option<Vec<PlanChange>>,
}

impl<'t> Compared<'t> {
    pub(super) fn of(old: &'t Text, new: &'t Text) -> Self {
        let plan = |text: &Text| Plan::parse(&text.text).plan;
        let plans = plan(old).zip(plan(new));
        Self {
            old,
            new,
            changes: plans.map(|(old, new)| changes(&old, &new)),
        }
    }

    /// Not a letter differs.
    pub(super) fn same(&self) -> bool {
        self.old.text == self.new.text
    }

    /// Prints it: the words beside the data.
    pub(super) fn print(&self) {
        match self.changes.as_deref() {
            Some([]) => {
                show::say("only comments, order or layout differ: calls are answered alike");
            }
            Some(changes) => changes
                .iter()
                .for_each(|change| show::say(&change.to_string())),
            None => show::say(
                "one of the two has faults, so it is compared by its lines alone; \
                 `switchboard plan check` shows those of a file",
            ),
        }
        show::text(&self.diff(show::colour()));
    }

    /// The same for a program.
    pub(super) fn json(&self) -> Value {
        json!({
            "old": self.old.name,
            "new": self.new.name,
            "same": self.same(),
            "changes": self.changes,
            "diff": self.diff(false),
        })
    }

    fn diff(&self, colour: bool) -> String {
        draw(self.old.side(), self.new.side(), colour)
    }
}
