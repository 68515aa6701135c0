//! A board of its own, and somebody before its phone page.

use crate::driver::{Browser, Screen};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use switchboard_tests::shell::{Dev, Shell};
use thirtyfour::prelude::*;

/// How long anything may take, a message being heard included.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often the page is looked at meanwhile.
const TICK: Duration = Duration::from_millis(50);

/// The plan that a newcomer has, but for the agent who becomes free by himself.
const PLAN: &str = include_str!("../../switchboard.toml");

/// Somebody before the page.
pub(crate) struct Office {
    browser: Browser,
    shell: Shell,
    board: Option<Dev>,
    url: String,
}

impl Office {
    /// With the page open; none where tests go without a browser.
    pub(crate) async fn open(screen: Screen) -> Option<Self> {
        let browser = Browser::open(screen).await?;
        let shell = Shell::new();
        let plan = PLAN.lines().filter(|line| !line.starts_with("free-after"));
        shell.write("switchboard.toml", &plan.collect::<Vec<_>>().join("\n"));
        let board = Dev::start(&shell, &["--data", "state"]).await;
        let office = Self {
            url: board.url.clone(),
            browser,
            shell,
            board: Some(board),
        };
        let page = format!("{}/phone", office.url);
        office.browser.web.goto(page).await.unwrap();
        office.sees("#connection", "Connected").await;
        office
            .until("document.getElementById('to').length > 1")
            .await;
        // The line that is open at any hour.
        let lines = office.thing("#to").await.unwrap();
        lines.send_keys("Support").await.unwrap();
        Some(office)
    }

    /// Stops the board.
    pub(crate) async fn close_board(&mut self) {
        let board = self.board.take().unwrap();
        assert_eq!(board.interrupted().await.code, Some(0));
    }

    /// Starts it again, where it was.
    pub(crate) async fn open_board(&mut self) {
        let (_, port) = self.url.rsplit_once(':').unwrap();
        let arguments = ["dev", "--port", port, "--data", "state"];
        self.board = Some(Dev::start_as(&self.shell, &arguments).await);
    }

    /// Waits until something is seen where the selector says, with this in its text.
    pub(crate) async fn sees(&self, place: &str, text: &str) {
        let wanted = text.to_owned();
        let query = self.browser.web.query(By::Css(place));
        let query = query
            .with_text(move |shown: &str| shown.contains(&wanted))
            .and_displayed()
            .wait(PATIENCE, TICK);
        if !query.exists().await.unwrap_or(false) {
            self.fail(&format!("{text:?} is not seen at {place}")).await;
        }
    }

    /// Waits until it is true of the page.
    pub(crate) async fn until(&self, condition: &str) {
        let begun = Instant::now();
        while self.value(condition).await != Value::Bool(true) {
            if begun.elapsed() > PATIENCE {
                self.fail(&format!("not true: {condition}")).await;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// What an expression comes to on the page.
    pub(crate) async fn value(&self, expression: &str) -> Value {
        let script = format!("return {expression};");
        let web = &self.browser.web;
        web.execute(script, []).await.unwrap().json().clone()
    }

    /// Clicks something, once it is there.
    pub(crate) async fn click(&self, place: &str) {
        let clicks = async || {
            let thing = self.thing(place).await?;
            // As a person does; by itself it takes what lies below the head of the page as seen.
            thing.scroll_into_view().await?;
            thing.click().await
        };
        if let Err(fault) = clicks().await {
            self.fail(&format!("cannot click {place}: {fault}")).await;
        }
    }

    /// Types into a field, in place of what was in it.
    pub(crate) async fn types(&self, place: &str, text: &str) {
        let field = self.thing(place).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Presses keys, whatever has the focus.
    pub(crate) async fn presses(&self, keys: impl Into<TypingData>) {
        let web = &self.browser.web;
        web.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// Goes on from focus to focus, with the Tab key alone, until it is there.
    pub(crate) async fn tabs_to(&self, place: &str) {
        let there = format!("document.activeElement.matches({place:?})");
        for _ in 0..FOCUSES {
            if self.value(&there).await == Value::Bool(true) {
                return;
            }
            self.presses(Key::Tab).await;
        }
        self.fail(&format!("Tab does not lead to {place}")).await;
    }

    /// Calls the line that is chosen.
    pub(crate) async fn calls(&self) {
        self.click("#call").await;
    }

    /// Says that an agent is free.
    pub(crate) async fn frees(&self, agent: &str) {
        self.click(&format!("[data-agent={agent}] [data-do=free]"))
            .await;
    }

    /// What the page looks like now.
    pub(crate) async fn picture(&self, file: &Path) {
        self.browser.web.screenshot(file).await.unwrap();
    }

    /// Nothing was complained of on the browser's console.
    pub(crate) async fn is_fine(&self) {
        let log = self.browser.web.browser_log().await.unwrap();
        let severe: Vec<_> = log.iter().filter(|entry| entry.level == "SEVERE").collect();
        assert!(severe.is_empty(), "{severe:#?}");
    }

    async fn thing(&self, place: &str) -> WebDriverResult<WebElement> {
        let query = self.browser.web.query(By::Css(place)).and_displayed();
        query.wait(PATIENCE, TICK).first().await
    }

    async fn fail(&self, what: &str) -> ! {
        let shown = self.value("document.body.innerText").await;
        let log = self.board.as_ref().map(Dev::log).unwrap_or_default();
        panic!(
            "{what}\n\nthe page:\n{}\n\nthe board:\n{log}",
            shown.as_str().unwrap_or_default()
        );
    }
}

/// More than there are things on the page to go to.
const FOCUSES: usize = 60;
