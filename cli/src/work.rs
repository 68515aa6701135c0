//! What a board has under way.

use std::sync::Arc;
use tokio::sync::watch;

/// Counts what is under way: requests, jobs, looks into a queue, sweeps. Clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Work(Arc<watch::Sender<usize>>);

/// Something under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Begun(Work);

impl Work {
    /// Something begins.
    pub(crate) fn begin(&self) -> Begun {
        self.0.send_modify(|count| *count += 1);
        Begun(self.clone())
    }

    /// Waits until nothing is under way, and `more` says that nothing is about to begin.
    pub(crate) async fn rest(&self, more: impl Fn() -> bool) {
        let mut count = self.0.subscribe();
        loop {
            // In this order: with nothing under way nothing new can come about, unless something
            // has begun since; and whatever begins changes the count, even if it has ended again.
            let nothing = *count.borrow_and_update() == 0;
            let more = more();
            if nothing && !more && !count.has_changed().unwrap_or(false) {
                return;
            }
            // We have a sender, so this is no error.
            let _ = count.changed().await;
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::pin::pin;
    use std::time::Duration;

    /// Whether it has come to its end by now.
    async fn is_over(waits: impl Future<Output = ()>) -> bool {
        tokio::time::timeout(Duration::ZERO, waits).await.is_ok()
    }

    #[tokio::test]
    async fn it_rests_when_the_last_of_all_has_ended() {
        let work = Work::default();
        assert!(is_over(work.rest(|| false)).await);
        let (one, other) = (work.begin(), work.begin());
        let mut rests = pin!(work.rest(|| false));
        assert!(!is_over(rests.as_mut()).await);
        drop(one);
        assert!(!is_over(rests.as_mut()).await);
        drop(other);
        assert!(is_over(rests.as_mut()).await);
    }

    #[tokio::test]
    async fn what_began_and_ended_while_it_was_looked_for_more_has_it_look_again() {
        let work = Work::default();
        let looks = Cell::new(0);
        let more = || {
            looks.set(looks.get() + 1);
            if looks.get() == 1 {
                drop(work.begin());
            }
            false
        };
        assert!(is_over(work.rest(more)).await);
        assert_eq!(looks.get(), 2);
    }

    #[tokio::test]
    async fn as_long_as_more_is_to_come_it_does_not_rest() {
        let work = Work::default();
        let more = Cell::new(true);
        let mut rests = pin!(work.rest(|| more.get()));
        assert!(!is_over(rests.as_mut()).await);
        let begun = work.begin();
        more.set(false);
        assert!(!is_over(rests.as_mut()).await);
        drop(begun);
        assert!(is_over(rests.as_mut()).await);
    }
}
