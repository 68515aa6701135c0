//! A store that can be taken away: a door between the board and its table, open or shut.

use crate::engines::{Engines, EnginesError};
use std::net::Ipv4Addr;
use std::sync::Arc;
use switchboard_shared::clock::Clock;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The door.
#[derive(Debug)]
pub(super) struct Door {
    open: Arc<watch::Sender<bool>>,
    url: String,
    engines: Engines,
    served: JoinSet<()>,
}

impl Door {
    /// A store of its own behind an open door.
    pub(super) async fn build(clock: Clock) -> Result<Self, EnginesError> {
        let engines = Engines::in_memory(clock).await?;
        let behind = engines
            .dynamodb_url()
            .trim_start_matches("http://")
            .to_owned();
        let listen = |source| EnginesError::Listen {
            engine: "DynamoDB",
            source,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(listen)?;
        let url = format!("http://{}", listener.local_addr().map_err(listen)?);
        let open = Arc::new(watch::channel(true).0);
        let door = open.clone();
        let mut served = JoinSet::new();
        served.spawn(async move {
            let mut through = JoinSet::new();
            while let Ok((outside, _)) = listener.accept().await {
                let (door, behind) = (door.subscribe(), behind.clone());
                through.spawn(pass(outside, behind, door));
                while through.try_join_next().is_some() {}
            }
        });
        Ok(Self {
            open,
            url,
            engines,
            served,
        })
    }

    /// Where the board finds its store.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Opens or shuts it. Shut, it hangs up on whoever is under way.
    pub(super) fn set(&self, open: bool) {
        self.open.send_replace(open);
    }

    pub(super) async fn close(mut self) {
        self.served.shutdown().await;
        self.engines.close().await;
    }
}

async fn pass(mut outside: TcpStream, behind: String, mut open: watch::Receiver<bool>) {
    if !*open.borrow() {
        return;
    }
    let Ok(mut inside) = TcpStream::connect(behind).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut outside, &mut inside) => {}
        _ = open.wait_for(|open| !*open) => {}
    }
}
