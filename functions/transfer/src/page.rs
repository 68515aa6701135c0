//! The page on an agent's phone: one button.

use switchboard_shared::exchange::Outcome;
use switchboard_shared::plan::AgentName;
use switchboard_shared::presence::State;

const STYLE: &str = "body{font:1.25rem/1.5 system-ui,sans-serif;max-width:24rem;margin:15vh auto;padding:0 1rem;text-align:center;color:#1c1c1e;background:#fff}\
button{font:inherit;font-weight:600;width:100%;padding:1.25rem;border:0;border-radius:.75rem;background:#0a6b3d;color:#fff}\
button:focus-visible,input:focus-visible{outline:3px solid #f5a623;outline-offset:2px}\
input{font:inherit;width:100%;box-sizing:border-box;padding:.75rem;margin:.25rem 0 1rem;border:1px solid #767676;border-radius:.5rem}\
@media(prefers-color-scheme:dark){body{background:#111;color:#eee}input{background:#222;color:#eee}}";

/// Agent names have letters, digits, dashes and underscores alone, so they need no escaping; what
/// else stands on the page is ours.
fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"referrer\" content=\"no-referrer\"><title>{title}</title>\
         <style>{STYLE}</style><main>{body}</main></html>"
    )
}

/// The button; with a field for the token where the link says nothing of who asks. The form posts
/// to the page's own address, signature and all.
pub(crate) fn button(agent: &AgentName, known: bool) -> String {
    let token = if known {
        ""
    } else {
        "<label>Your token<input name=\"token\" type=\"password\" autocomplete=\"current-password\" required></label>"
    };
    let body = format!(
        "<h1>Hello {agent}</h1><p>Press when you can take the next call.</p>\
         <form method=\"post\">{token}<button>I am free</button></form>"
    );
    page(&format!("{agent}: free?"), &body)
}

/// What happened.
pub(crate) fn told(agent: &str, outcome: &Outcome) -> String {
    page(
        agent,
        &format!("<h1 role=\"status\">{}</h1>", sentence(agent, outcome)),
    )
}

/// Not let in, or something is away.
pub(crate) fn refused(agent: &str) -> String {
    let name: String = agent
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .collect();
    let body = format!(
        "<h1 role=\"alert\">That did not work</h1><p>Ask for a new link, or check the token, then try again{}.</p>",
        if name.is_empty() {
            String::new()
        } else {
            format!(", {name}")
        }
    );
    page("That did not work", &body)
}

/// What happened, in a sentence.
#[must_use]
pub fn sentence(agent: &str, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Transferred { .. } => format!("{agent}'s phone rings: a caller was waiting."),
        Outcome::Free => format!("{agent} is free. Nobody waits; the next caller comes at once."),
        Outcome::Away { state: State::Away } => format!("{agent} is away."),
        Outcome::Away { .. } => format!("{agent} is away, as soon as this caller is served."),
        Outcome::Engaged {
            state: State::Resting { .. },
        } => format!("{agent} rests a moment, then gets the next caller."),
        Outcome::Engaged { .. } => format!("{agent} is with a caller, and free afterwards."),
    }
}
