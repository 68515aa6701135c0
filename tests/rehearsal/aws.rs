//! An AWS on this machine, and the tools that deploy to it.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const REGION: &str = "eu-west-1";

/// The account's owner. Whoever else asks is held to their policies.
const OWNER: &str = "test";

/// How long it may take to start: a second, and much more on a machine that builds meanwhile.
const STARTS_WITHIN: Duration = Duration::from_secs(120);

/// MiniStack. Ends with this value, or with the test that has it.
pub(crate) struct Aws {
    tools: PathBuf,
    folder: TempDir,
    port: u16,
    child: Child,
}

impl Aws {
    /// Starts it. `tools` is where `make` installs what deploys.
    pub(crate) async fn start(tools: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        // Ends when nobody holds the other end of its standard input any more.
        let until_left = r#""$0" & trap "kill $!" EXIT; read -r _"#;
        let child = Command::new("sh")
            .args(["-c", until_left])
            .arg(tools.join("ministack/bin/ministack"))
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            // Roles are enforced.
            .env("AUTH", "true")
            .env("GATEWAY_PORT", port.to_string())
            .env("MINISTACK_REGION", REGION)
            .env("AWS_DEFAULT_REGION", REGION)
            // Handed on to the functions.
            .env("AWS_ENDPOINT_URL", url(port))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("sh is there");
        let aws = Self {
            tools: tools.to_owned(),
            folder,
            port,
            child,
        };
        let until = Instant::now() + STARTS_WITHIN;
        let http = switchboard_tests::world::http();
        while http
            .get(format!("{}/health", aws.url()))
            .send()
            .await
            .is_err()
        {
            assert!(Instant::now() < until, "it does not start:\n{}", aws.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        aws
    }

    pub(crate) fn url(&self) -> String {
        url(self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it wrote itself.
    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// What the functions logged.
    pub(crate) fn logs(&self) -> String {
        self.python("logs.py", "")
    }

    /// Runs `sam`.
    pub(crate) fn sam(&self, arguments: &[&str]) -> String {
        self.run(&mut Command::new(self.tools.join("sam/bin/sam")), arguments)
    }

    /// Runs a script beside this file.
    pub(crate) fn python(&self, script: &str, argument: &str) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("rehearsal")
            .join(script);
        let script = script.to_str().unwrap();
        let mut python = Command::new(self.tools.join("sam/bin/python"));
        self.run(&mut python, &[script, argument])
    }

    fn run(&self, command: &mut Command, arguments: &[&str]) -> String {
        let Output {
            status,
            stdout,
            stderr,
        } = command
            .args(arguments)
            .envs(self.variables())
            .env("SAM_CLI_TELEMETRY", "0")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .output()
            .expect("the tools are installed");
        let (out, err) = (
            String::from_utf8_lossy(&stdout),
            String::from_utf8_lossy(&stderr),
        );
        assert!(status.success(), "{command:?}:\n{out}\n{err}");
        out.into_owned()
    }

    /// What leads a program to this AWS, as its owner.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", self.url().as_str()),
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", OWNER),
            ("AWS_SECRET_ACCESS_KEY", OWNER),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// The same for this process's own clients.
    pub(crate) async fn config(&self) -> SdkConfig {
        aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(self.url())
            .credentials_provider(Credentials::new(OWNER, OWNER, None, None, "rehearsal"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .load()
            .await
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
