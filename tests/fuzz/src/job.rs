//! Messages of our queues.

use switchboard_shared::job::{ArchiveJob, Job};

/// Reads the bytes as a job of either queue.
///
/// # Panics
/// When one that is read is not written as it was.
pub fn target(data: &[u8]) {
    // A message of SQS is text.
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(job) = serde_json::from_str::<Job>(text) {
        let written = serde_json::to_string(&job).unwrap();
        assert_eq!(serde_json::from_str::<Job>(&written).unwrap(), job);
        // One carries a call, with whatever its webhook said; the others ids and names.
        let begins = matches!(job, Job::Begin { .. });
        assert!(begins || written.len() < 600, "a job is small: {written}");
    }
    if let Ok(job) = serde_json::from_str::<ArchiveJob>(text) {
        let written = serde_json::to_string(&job).unwrap();
        assert_eq!(serde_json::from_str::<ArchiveJob>(&written).unwrap(), job);
        // It becomes a part of a path and of a key.
        let id = job.recording.as_str();
        assert!(!id.contains(['#', '/']) && !id.starts_with('.'), "{id}");
    }
}
