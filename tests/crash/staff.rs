//! The people who take calls.

use crate::life::Door;
use crate::vonage::Vonage;
use std::sync::Arc;
use std::time::Duration;

/// How long somebody thinks before saying something else.
const THINKS: std::ops::Range<u64> = 100..800;

/// Says "free" and "away" as moods go, and stays free once the last board is there. Whoever gets no
/// answer says it again.
pub(crate) async fn work(vonage: Arc<Vonage>, agent: &str, mut dice: fastrand::Rng) {
    let mut door = vonage.lives.door();
    loop {
        let open = door.wait_for(|door| *door != Door::Shut).await;
        let Ok(Door::Open { url, last }) = open.map(|door| door.clone()) else {
            return;
        };
        let word = if !last && dice.u8(..4) == 0 {
            "away"
        } else {
            "free"
        };
        match vonage.says(&url, agent, word).await {
            Some(200) if last => return,
            // 502 and 503 ask to say it again; no answer does so as well.
            Some(200 | 502 | 503) | None => {}
            Some(status) => vonage.fault(format!("{agent} said {word} and was told {status}")),
        }
        tokio::time::sleep(Duration::from_millis(dice.u64(THINKS))).await;
    }
}
