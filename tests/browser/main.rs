//! The phone page as a person has it: the built `switchboard dev`, and Chromium before it.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod driver;
mod office;

use driver::{DESK, PICTURE, POCKET};
use office::Office;
use std::path::Path;
use thirtyfour::Key;

/// What the page takes a caller to be unless told otherwise.
const CALLER: &str = "447700900123";

/// The card of a phone that is in use.
fn phone(number: &str) -> String {
    format!("[data-number=\"{number}\"][data-live=true]")
}

/// Where a card says how its phone stands.
fn status(card: &str) -> String {
    format!("{card} [data-part=status]")
}

const CALLER_STATUS: &str = "#callers [data-part=status]";
const AGENT_STATUS: &str = "#callees [data-part=status]";

#[tokio::test]
async fn a_caller_holds_talks_with_an_agent_and_the_talk_can_be_played_after() {
    let Some(office) = Office::open(DESK).await else {
        return;
    };
    office.calls().await;
    let message = "#callers .captions [data-kind=talk]";
    office.sees(message, "All of us are on the phone").await;
    office
        .sees("#callers .captions [data-kind=stream]", "♪")
        .await;
    office.sees(CALLER_STATUS, "On hold, music plays").await;

    office.frees("alice").await;
    office.sees(AGENT_STATUS, "Alice’s phone is ringing").await;
    office.click("#callees [data-do=answer]").await;
    office.click("#callees [data-do=press][value='1']").await;
    office.sees(CALLER_STATUS, "Talking with Alice").await;
    let talks = format!("Talking with {CALLER}");
    office.sees(AGENT_STATUS, &talks).await;

    let said = "Hello Alice, can you hear me?";
    let field = "#callers [data-part=say] input";
    office.types(field, &format!("{said}\n")).await;
    let heard = format!("{CALLER}: {said}");
    let voice = "#callees .captions [data-kind=voice]";
    office.sees(voice, &heard).await;

    office.click("#callers [data-do=hangup]").await;
    office
        .sees(CALLER_STATUS, "The call is over: hung up")
        .await;
    office.sees(AGENT_STATUS, "The call is over").await;
    office
        .sees("#recordings [data-part=state]", "archived")
        .await;
    let audio = "document.querySelector('#recordings audio')";
    office.until(&format!("{audio} !== null")).await;
    office.until(&format!("{audio}.duration > 0")).await;
    let play = format!("({audio}.muted = true, {audio}.play(), true)");
    office.until(&play).await;
    office.until(&format!("{audio}.currentTime > 0")).await;
    office.is_fine().await;
}

#[tokio::test]
async fn a_caller_whom_an_agent_declines_hears_music_again() {
    let Some(office) = Office::open(DESK).await else {
        return;
    };
    office.calls().await;
    office.sees(CALLER_STATUS, "On hold, music plays").await;
    office.frees("alice").await;
    office.click("#callees [data-do=decline]").await;
    office.sees(AGENT_STATUS, "Declined").await;
    office.sees(CALLER_STATUS, "On hold, music plays").await;
    office.is_fine().await;
}

#[tokio::test]
async fn keys_of_the_keyboard_are_pressed_on_the_phone_that_has_the_focus() {
    let Some(office) = Office::open(DESK).await else {
        return;
    };
    office.calls().await;
    office.sees(CALLER_STATUS, "Listening to a message").await;
    office.presses("1#").await;
    for key in ["1", "#"] {
        let words = format!("presses {key}");
        office.sees("#timeline [data-kind=person]", &words).await;
    }
    office.sees("#callers .captions", "You pressed 1#").await;
    office.is_fine().await;
}

#[tokio::test]
async fn two_callers_each_have_a_phone_and_an_agent() {
    let Some(office) = Office::open(DESK).await else {
        return;
    };
    let other = "447700900124";
    let (first, second) = (status(&phone(CALLER)), status(&phone(other)));
    office.calls().await;
    office.sees(&first, "Listening to a message").await;
    office.types("#from", other).await;
    office.calls().await;
    for waits in [&first, &second] {
        office.sees(waits, "On hold, music plays").await;
    }
    for (agent, number, caller, from) in [
        ("alice", "447700900001", &first, CALLER),
        ("bob", "447700900011", &second, other),
    ] {
        office.frees(agent).await;
        let rings = phone(number);
        office.click(&format!("{rings} [data-do=answer]")).await;
        office
            .click(&format!("{rings} [data-do=press][value='1']"))
            .await;
        let talks = format!("Talking with {from}");
        office.sees(&status(&rings), &talks).await;
        let name = if agent == "alice" { "Alice" } else { "Bob" };
        office.sees(caller, &format!("Talking with {name}")).await;
    }
    office.sees(&first, "Talking with Alice").await;
    office.is_fine().await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_said_to_be_and_found_when_it_is_back() {
    let Some(mut office) = Office::open(DESK).await else {
        return;
    };
    office.close_board().await;
    office.sees("#connection", "Connection lost").await;
    office.open_board().await;
    office.sees("#connection", "Connected").await;
    office.calls().await;
    office.sees(CALLER_STATUS, "Listening to a message").await;
}

#[tokio::test]
async fn the_page_fits_in_a_pocket() {
    let Some(office) = Office::open(POCKET).await else {
        return;
    };
    let fits = "document.documentElement.scrollWidth <= innerWidth";
    office.until("innerWidth === 390").await;
    office.until(fits).await;
    office.calls().await;
    office.sees(CALLER_STATUS, "Listening to a message").await;
    office.until(fits).await;
    office.frees("alice").await;
    office.click("#ringing").await;
    office.click("#callees [data-do=answer]").await;
    office.click("#callees [data-do=press][value='1']").await;
    office.sees(CALLER_STATUS, "Talking with Alice").await;
    office.until(fits).await;
    office.click("#callers [data-do=hangup]").await;
    office.sees(CALLER_STATUS, "The call is over").await;
    office.until(fits).await;
    office.is_fine().await;
}

#[tokio::test]
async fn a_call_is_placed_and_ended_with_tab_and_enter_alone() {
    let Some(office) = Office::open(DESK).await else {
        return;
    };
    office.tabs_to("#call").await;
    office.presses(Key::Enter).await;
    office.sees(CALLER_STATUS, "Listening to a message").await;
    office.tabs_to("[data-do=hangup]").await;
    office.presses(Key::Enter).await;
    office.sees(CALLER_STATUS, "The call is over").await;
    office.is_fine().await;
}

#[tokio::test]
#[ignore = "draws docs/phone.png: `make picture`"]
async fn picture_for_the_readme() {
    let Some(office) = Office::open(PICTURE).await else {
        return;
    };
    office.calls().await;
    office.sees(CALLER_STATUS, "On hold, music plays").await;
    office.frees("alice").await;
    office.sees(AGENT_STATUS, "Alice’s phone is ringing").await;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/phone.png");
    office.picture(&file).await;
}
