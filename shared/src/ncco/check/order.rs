//! What actions ask of those around them.

use super::report::Report;
use serde_json::Value;

/// `bargeIn` needs an `input` as the next action that plays nothing, and nothing runs after a
/// `transfer`.
pub(super) fn check(report: &mut Report, actions: &[Value]) {
    // Read from the end, so that each action knows what comes after it at no further cost.
    let mut next = Next::End;
    let mut barges = Vec::new();
    for (position, action) in actions.iter().enumerate().rev() {
        let name = action.get("action").and_then(Value::as_str);
        match name {
            Some("talk" | "stream") => {
                if action.get("bargeIn") == Some(&Value::Bool(true)) {
                    barges.push((position, next));
                }
            }
            Some("input") => next = Next::Input,
            Some("record" | "conversation" | "connect" | "notify" | "wait" | "transfer") => {
                next = Next::Other(position);
            }
            // Told of already; nothing follows from it.
            _ => next = Next::Unknown,
        }
    }
    for (position, next) in barges.into_iter().rev() {
        report.at(position, |report| {
            report.at("bargeIn", |report| match next {
                Next::Input | Next::Unknown => {}
                Next::End => report.fault("needs an 'input' action after it"),
                Next::Other(at) => report.fault(format_args!(
                    "needs an 'input' before any action but 'talk' and 'stream': /{at} is in between"
                )),
            });
        });
    }

    let transfer = actions
        .iter()
        .position(|a| a.get("action").is_some_and(|a| a == "transfer"));
    if let Some(after) = transfer
        .map(|at| at + 1)
        .filter(|after| *after < actions.len())
    {
        report.at(after, |report| {
            report.warning("never runs: the 'transfer' before it takes the call away");
        });
    }
}

/// The next action that plays nothing.
#[derive(Clone, Copy)]
enum Next {
    Input,
    Other(usize),
    Unknown,
    End,
}
