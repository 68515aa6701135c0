//! ChromeDriver, one for each test, and the Chromium behind it.

use std::io::{Read as _, Write as _};
use std::mem::ManuallyDrop;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use switchboard_shared::crypto;
use tempfile::TempDir;
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities as _;
use thirtyfour::error::WebDriverResult;
use thirtyfour::{ChromeCapabilities, WebDriver};
use thirtyfour::{DesiredCapabilities, LoggingPrefsLogLevel};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

/// Set, it has the tests go without a browser.
const WITHOUT: &str = "SWITCHBOARD_NO_BROWSER";

/// How long ChromeDriver may take to stop its browsers.
const LAST: Duration = Duration::from_secs(10);

/// No sound before somebody has clicked is a rule for people, and nothing of this is asked of the network.
const FLAGS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
];

/// The size of what a page is shown on, in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// A phone's or a tablet's.
    pub(crate) touch: bool,
}

/// A desk's.
pub(crate) const DESK: Screen = Screen {
    width: 1280,
    height: 800,
    touch: false,
};

/// A desk's with room for a whole phone, and no scroll bars, which those of a tablet hide.
pub(crate) const PICTURE: Screen = Screen {
    width: 1280,
    height: 930,
    touch: true,
};

/// A small phone's.
pub(crate) const POCKET: Screen = Screen {
    width: 390,
    height: 844,
    touch: true,
};

/// A browser. Gone when dropped.
pub(crate) struct Browser {
    /// Never ended by itself: that would wait for a connection whose runtime is held up by the waiting.
    pub(crate) web: ManuallyDrop<WebDriver>,
    _driver: Driver,
}

impl Browser {
    /// Opens one; none where the tests are to go without.
    pub(crate) async fn open(screen: Screen) -> Option<Self> {
        if std::env::var_os(WITHOUT).is_some_and(|value| !value.is_empty()) {
            eprintln!("skipped, since {WITHOUT} is set");
            return None;
        }
        let chromium = found("chromium");
        let driver = Driver::start(found("chromedriver")).await;
        let wanted = driver.wanted(&chromium, screen).unwrap();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(crypto::tls().unwrap())
            .no_proxy()
            .build()
            .unwrap();
        let url = format!("http://127.0.0.1:{}", driver.port);
        let web = WebDriver::builder(url, wanted).client(http).connect().await;
        Some(Self {
            web: ManuallyDrop::new(web.unwrap()),
            _driver: driver,
        })
    }
}

struct Driver {
    port: u16,
    profile: TempDir,
    _child: Child,
    /// It says more than where it listens, and would end if nobody took it.
    _out: BufReader<ChildStdout>,
}

impl Driver {
    async fn start(path: PathBuf) -> Self {
        let mut child = Command::new(path)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let port = loop {
            line.clear();
            let read = out.read_line(&mut line).await.unwrap();
            assert!(read > 0, "chromedriver ended at once");
            let (_, rest) = line.split_once("successfully on port ").unwrap_or_default();
            if let Ok(port) = rest.trim().trim_end_matches('.').parse() {
                break port;
            }
        };
        Self {
            port,
            profile: tempfile::tempdir().unwrap(),
            _child: child,
            _out: out,
        }
    }

    fn wanted(
        &self,
        chromium: &std::path::Path,
        screen: Screen,
    ) -> WebDriverResult<ChromeCapabilities> {
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(&chromium.display().to_string())?;
        for flag in FLAGS {
            wanted.add_arg(flag)?;
        }
        wanted.add_arg(&format!(
            "--user-data-dir={}",
            self.profile.path().display()
        ))?;
        wanted.add_arg(&format!("--window-size={},{}", screen.width, screen.height))?;
        // A window is never narrower than 500 pixels; what it shows may be.
        wanted.add_experimental_option(
            "mobileEmulation",
            serde_json::json!({ "deviceMetrics": {
                "width": screen.width,
                "height": screen.height,
                "pixelRatio": 1.0,
                "mobile": screen.touch,
                "touch": screen.touch,
            } }),
        )?;
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        Ok(wanted)
    }
}

impl Drop for Driver {
    /// Asked to, it stops its browser too; killed, it leaves one behind.
    fn drop(&mut self) {
        let ask = || -> std::io::Result<()> {
            let mut driver = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            driver.set_read_timeout(Some(LAST))?;
            driver.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
            driver.read_exact(&mut [0])?;
            Ok(())
        };
        if let Err(error) = ask() {
            eprintln!("chromedriver did not stop: {error}");
        }
    }
}

/// Where a program is.
fn found(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| {
            panic!(
                "{program} is missing. `make browser` installs it, as does \
                 `apt-get install chromium chromium-driver`; {WITHOUT}=1 has the tests go without"
            )
        })
}
