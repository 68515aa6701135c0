//! A person's shell, and the built `switchboard` in it.

use crate::binary::built;
use crate::world::PATIENCE;
use serde_json::Value;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

/// A person's shell: a folder to stand in, and variables that are set.
pub struct Shell {
    folder: TempDir,
    settings: Vec<(String, String)>,
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it said beside that.
    pub err: String,
}

impl Ran {
    /// What it printed, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|fault| panic!("{fault} in {self:?}"))
    }

    /// The same, of a command that found nothing wrong.
    pub fn fine(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

impl Shell {
    /// In an empty folder, with nothing set.
    #[allow(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            settings: Vec::new(),
        }
    }

    /// With a variable set.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.push((name.to_owned(), value.into()));
        self
    }

    /// Something in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file in the folder.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// A command with these arguments, not run yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(built("switchboard"));
        command.args(arguments);
        command
    }

    fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.settings.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments)).await
    }

    /// Runs a command with something on standard input.
    pub async fn run_on(&self, input: &str, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        finished(child).await
    }
}

/// Where `script` of util-linux can play a terminal.
#[cfg(target_os = "linux")]
impl Shell {
    /// Runs a command at a terminal, and types each answer when its question shows. Gives all that
    /// showed as what was printed.
    pub async fn at_a_terminal(&self, arguments: &[&str], answers: &[(&str, &str)]) -> Ran {
        let line = format!("{} {}", built("switchboard").display(), arguments.join(" "));
        let mut script = self.program("script");
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        let mut child = script.stdin(Stdio::piped()).spawn().unwrap();
        let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let plays = async {
            let mut shown = Vec::new();
            for (question, answer) in answers {
                while !String::from_utf8_lossy(&shown).contains(question) {
                    let read = screen.read_buf(&mut shown).await.unwrap();
                    assert!(read > 0, "nobody asked {question:?}: {shown:?}");
                }
                keys.write_all(format!("{answer}\n").as_bytes())
                    .await
                    .unwrap();
            }
            screen.read_to_end(&mut shown).await.unwrap();
            shown
        };
        let shown = tokio::time::timeout(PATIENCE, plays)
            .await
            .expect("it ends");
        let mut ran = finished(child).await;
        ran.out = String::from_utf8(shown).unwrap();
        ran
    }
}

/// Runs a command to its end.
pub async fn ran(mut command: Command) -> Ran {
    finished(command.spawn().unwrap()).await
}

/// Waits for the end of a command.
pub async fn finished(child: Child) -> Ran {
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .expect("the command ends")
        .unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A running `switchboard dev`. Killed when dropped.
pub struct Dev {
    /// Where it says it is ready.
    pub url: String,
    child: Child,
    out: BufReader<ChildStdout>,
    log: PathBuf,
}

impl Dev {
    /// Starts it on a free port and waits until it is ready.
    pub async fn start(shell: &Shell, more: &[&str]) -> Self {
        let mut arguments = vec!["dev", "--port", "0"];
        arguments.extend(more);
        Self::start_as(shell, &arguments).await
    }

    /// Starts it with these arguments and waits until it is ready.
    pub async fn start_as(shell: &Shell, arguments: &[&str]) -> Self {
        let log = shell.path(&format!("{}.log", crate::unique::uuid()));
        let mut command = shell.command(arguments);
        command.stderr(std::fs::File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        tokio::time::timeout(PATIENCE, out.read_line(&mut line))
            .await
            .expect("it is ready in time")
            .unwrap();
        let url = line
            .strip_prefix("ready ")
            .and_then(|rest| rest.strip_suffix('\n'));
        let Some(url) = url else {
            panic!("{line:?} is no ready line; it said: {}", read(&log));
        };
        Self {
            url: url.to_owned(),
            child,
            out,
            log,
        }
    }

    /// Its process, to look at its memory.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        read(&self.log)
    }

    /// Sends a signal, such as `INT`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end: exit code, what it printed after it was ready, what it logged.
    pub async fn ended(mut self) -> Ran {
        let mut out = String::new();
        let end = async {
            self.out.read_to_string(&mut out).await.unwrap();
            self.child.wait().await.unwrap()
        };
        let status = tokio::time::timeout(PATIENCE, end)
            .await
            .expect("the board ends");
        Ran {
            code: status.code(),
            out,
            err: read(&self.log),
        }
    }

    /// Ctrl-C, and wait.
    pub async fn interrupted(self) -> Ran {
        self.signal("INT");
        self.ended().await
    }
}

fn read(path: &PathBuf) -> String {
    std::fs::read_to_string(path).unwrap()
}
