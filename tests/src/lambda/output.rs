use super::locked;
use std::{
    fmt,
    io::Read,
    process::Child,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// How long the rest of an ended process's output is waited for. It is there at once, unless
/// somebody the process started holds the pipe.
const REST: Duration = Duration::from_secs(1);
/// How often it is looked for.
const REST_POLL: Duration = Duration::from_millis(2);

/// What a process has written, still growing while it runs. Reads as text in a failure message.
#[derive(Clone, Default)]
pub struct Output {
    stdout: Arc<Mutex<Vec<u8>>>,
    stderr: Arc<Mutex<Vec<u8>>>,
    /// How many pipes are still read.
    open: Arc<AtomicUsize>,
}

impl Output {
    /// Reads both pipes of a process, each on a thread: also while the test's runtime is busy.
    pub(super) fn of(child: &mut Child) -> Self {
        let output = Self::default();
        let pipes: [(Option<Box<dyn Read + Send>>, _); 2] = [
            (
                child.stdout.take().map(|pipe| Box::new(pipe) as _),
                &output.stdout,
            ),
            (
                child.stderr.take().map(|pipe| Box::new(pipe) as _),
                &output.stderr,
            ),
        ];
        for (pipe, text) in pipes {
            let mut pipe = pipe.expect("both pipes were asked for");
            let (text, open) = (Arc::clone(text), Arc::clone(&output.open));
            open.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || {
                let mut chunk = [0; 4096];
                while let Ok(length @ 1..) = pipe.read(&mut chunk) {
                    locked(&text).extend_from_slice(&chunk[..length]);
                }
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
        output
    }

    /// Waits until both pipes are closed, or [`REST`] is over.
    pub(super) async fn complete(&self) {
        let closed = async {
            while self.open.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(REST_POLL).await;
            }
        };
        // Not complete is still worth showing.
        let _ = tokio::time::timeout(REST, closed).await;
    }

    /// What was written to standard output.
    #[must_use]
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&locked(&self.stdout)).into_owned()
    }

    /// What was written to standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&locked(&self.stderr)).into_owned()
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "--- stdout\n{}\n--- stderr\n{}",
            self.stdout(),
            self.stderr()
        )
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
