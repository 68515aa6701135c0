//! The board's lives: a process each, ended by SIGKILL when its moment comes; the last one in this
//! process, where the clock can be moved on.

use crate::plan::PLAN;
use crate::{fixtures, webhook_signing::Signer};
use serde_json::json;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use switchboard_cli::board::{Board, BoardConfig};
use switchboard_cli::environment::Environment;
use switchboard_shared::clock::Clock;
use switchboard_shared::config::token_hash;
use switchboard_tests::binary::built;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, watch};

/// What the board calls itself in its scripts: the same in each life, while its port is not.
pub(crate) const BASE: &str = "https://board.example";

/// The operator's token.
pub(crate) const OPERATOR: &str = "the operator's token of these tests";

/// How long a board may take to start. Guards against a hang; a busy machine is no fault.
const START: Duration = Duration::from_secs(60);

/// Where the board is to be found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Door {
    /// No board runs.
    Shut,
    /// It listens here. `last`: it will not be killed.
    Open { url: String, last: bool },
}

/// When and how a life ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Death {
    /// The moment, counted from the start: something is sent to the board, acknowledged by it, asked
    /// by it of Vonage.
    pub(crate) moment: u32,
    /// So long after that moment, to be in the middle of what it began.
    pub(crate) delay: Duration,
    /// Before it is ready to be called at all.
    pub(crate) unborn: bool,
}

#[derive(Default)]
struct Life {
    number: u32,
    child: Option<Child>,
    moments: u32,
    death: Option<Death>,
}

/// All lives on one folder.
pub(crate) struct Lives {
    folder: TempDir,
    settings: Vec<(String, String)>,
    door: watch::Sender<Door>,
    life: Mutex<Life>,
    slain: Notify,
}

impl Lives {
    pub(crate) fn new(signer: &Signer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("plan.toml"), PLAN).unwrap();
        let tokens =
            json!([{ "name": "tests", "role": "operator", "sha256": token_hash(OPERATOR) }]);
        let settings = [
            ("VONAGE_APPLICATION_ID", signer.application_id.clone()),
            ("VONAGE_API_KEY", signer.api_key.clone()),
            ("VONAGE_SIGNATURE_SECRET", signer.secret.clone()),
            ("VONAGE_PRIVATE_KEY", fixtures::PRIVATE_KEY.to_owned()),
            ("SWITCHBOARD_BASE_URL", BASE.to_owned()),
            ("SWITCHBOARD_API_TOKENS", tokens.to_string()),
        ];
        Self {
            folder,
            settings: settings
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            door: watch::channel(Door::Shut).0,
            life: Mutex::default(),
            slain: Notify::new(),
        }
    }

    pub(crate) fn door(&self) -> watch::Receiver<Door> {
        self.door.subscribe()
    }

    fn life(&self) -> std::sync::MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happens between the board and the world. Where that is this life's last moment: how
    /// long it has left, and which life it is.
    pub(crate) fn moment(&self) -> Option<(Duration, u32)> {
        let mut life = self.life();
        life.moments += 1;
        let moments = life.moments;
        let death = life.death.take_if(|death| death.moment <= moments)?;
        Some((death.delay, life.number))
    }

    /// `kill -9`, if that life is not over yet.
    pub(crate) fn kill(&self, number: u32) {
        let mut life = self.life();
        if life.number != number {
            return;
        }
        life.death = None;
        if let Some(child) = &mut life.child {
            child.start_kill().unwrap();
        }
        drop(life);
        self.door.send_replace(Door::Shut);
        self.slain.notify_one();
    }

    /// One life, from its start to its end by `death`, or at `over` if nothing more happens.
    pub(crate) async fn live(&self, vonage: &str, death: Death, over: impl Future<Output = ()>) {
        let mut command = Command::new(built("switchboard"));
        let mut child = command
            .args(["dev", "--port=0", "--data=state", "--plan=plan.toml"])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("VONAGE_API_URL", vonage)
            .envs(self.settings.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.log())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let number = {
            let mut life = self.life();
            let number = life.number + 1;
            *life = Life {
                number,
                child: Some(child),
                ..Life::default()
            };
            number
        };
        if death.unborn {
            tokio::time::sleep(death.delay).await;
        } else {
            let line = tokio::time::timeout(START, out.next_line()).await;
            let line = line.expect("a board starts").unwrap().unwrap_or_default();
            let url = line.strip_prefix("ready ");
            let url = url.unwrap_or_else(|| panic!("not ready: {line:?}: {}", self.said()));
            self.life().death = Some(death);
            self.door.send_replace(Door::Open {
                url: url.to_owned(),
                last: false,
            });
            tokio::select! {
                () = self.slain.notified() => {}
                () = over => {}
            }
        }
        self.kill(number);
        // Its own permit, which is one, however often it was killed.
        self.slain.notified().await;
        let child = {
            let mut life = self.life();
            life.number += 1;
            life.child.take()
        };
        let mut child = child.expect("only here it is taken");
        tokio::time::timeout(START, child.wait())
            .await
            .expect("a killed process ends")
            .unwrap();
    }

    /// The last life, with a clock to be moved on.
    pub(crate) async fn last(&self, vonage: &str) -> (Board, Clock) {
        let clock = Clock::default();
        let mut environment: Environment = self.settings.iter().cloned().collect();
        environment.set("VONAGE_API_URL", vonage);
        let board = Board::start(BoardConfig {
            data: Some(self.folder.path().join("state")),
            port: 0,
            plan: self.folder.path().join("plan.toml"),
            environment,
            clock: clock.clone(),
            phone: None,
            meter: None,
            delays: Some(vec![
                Duration::from_millis(100);
                switchboard_archive::DELAYS.len()
            ]),
        });
        let board = board.await.unwrap();
        self.door.send_replace(Door::Open {
            url: board.url().to_owned(),
            last: true,
        });
        (board, clock)
    }

    fn log(&self) -> std::fs::File {
        let mut file = std::fs::File::options();
        let file = file.create(true).append(true);
        file.open(self.folder.path().join("log")).unwrap()
    }

    /// What the killed boards logged.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}
