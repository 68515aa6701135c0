//! What happens when engines end and begin again, and what a child process
//! sees of them. A test here starts its own binary anew for the child's part.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use aws_config::BehaviorVersion;
use aws_smithy_http_client::Builder as HttpClientBuilder;

use super::{dynamodb, s3, sqs};
use crate::engines::{Engines, EnginesError};
use switchboard_shared::clock::Clock;

/// Set for a child, to what it needs to know.
const CHILD: &str = "SWITCHBOARD_ENGINES_TEST_CHILD";

/// What a child says when its part is done.
const DONE: &str = "the child is done";

#[tokio::test]
async fn what_was_kept_is_there_after_a_close() {
    let data = tempfile::tempdir().unwrap();
    let engines = Engines::open(data.path(), Clock::default()).await.unwrap();
    write(&engines).await;
    engines.close().await;
    assert_kept(data.path()).await;
}

#[tokio::test]
async fn what_was_kept_is_there_after_a_drop() {
    let data = tempfile::tempdir().unwrap();
    let engines = Engines::open(data.path(), Clock::default()).await.unwrap();
    write(&engines).await;
    drop(engines);
    assert_kept(data.path()).await;
}

#[tokio::test]
async fn what_was_kept_is_there_after_a_kill() {
    if let Some(data) = std::env::var_os(CHILD) {
        let engines = Engines::open(Path::new(&data), Clock::default())
            .await
            .unwrap();
        write(&engines).await;
        println!("\n{DONE}");
        std::future::pending::<()>().await;
    }
    let data = tempfile::tempdir().unwrap();
    let mut child = child("what_was_kept_is_there_after_a_kill", data.path());
    let mut child = child.spawn().unwrap();
    let done = says_done(&mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(done);
    assert_kept(data.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_process_finds_the_engines_by_its_environment_alone() {
    if let Some(queue) = std::env::var_os(CHILD) {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(HttpClientBuilder::new().build_http())
            .load()
            .await;
        let table = aws_sdk_dynamodb::Client::new(&config);
        dynamodb::put(&table, dynamodb::item("CALL#1", "CALL", &[])).await;
        s3::put(&aws_sdk_s3::Client::new(&config), "one", b"sound").await;
        let queue = queue.to_str().unwrap();
        sqs::send(&aws_sdk_sqs::Client::new(&config), queue, "hello").await;
        println!("\n{DONE}");
        return;
    }
    let engines = Engines::in_memory(Clock::default()).await.unwrap();
    dynamodb::create_table(&engines.dynamodb_client()).await;
    s3::create_bucket(&engines.s3_client()).await;
    let queue = sqs::create(&engines.sqs_client(), "dispatch", &[]).await;
    let sent = engines.sqs_sent();

    let mut child = child(
        "a_child_process_finds_the_engines_by_its_environment_alone",
        Path::new(&queue),
    );
    child.env_clear().env(CHILD, &queue);
    child.envs(engines.environment());
    let mut child = child.spawn().unwrap();
    let done = tokio::task::spawn_blocking(move || {
        let done = says_done(&mut child);
        child.wait().unwrap();
        done
    });
    assert!(done.await.unwrap());
    let item = dynamodb::get(&engines.dynamodb_client(), "CALL#1", "CALL").await;
    assert!(item.is_some());
    assert_eq!(s3::get(&engines.s3_client(), "one").await, b"sound");
    assert!(sent.has_changed().unwrap());
}

#[tokio::test]
async fn the_temporary_objects_go_with_the_engines() {
    let engines = Engines::in_memory(Clock::default()).await.unwrap();
    let scratch: PathBuf = engines._scratch.as_ref().unwrap().path().to_owned();
    s3::create_bucket(&engines.s3_client()).await;
    assert!(scratch.join("bucket").join(s3::BUCKET).is_dir());
    drop(engines);
    assert!(!scratch.exists());
}

#[tokio::test]
async fn a_table_that_is_no_table_is_named() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("table.sqlite");
    std::fs::write(&path, "a letter, and a long one so that it fills a page").unwrap();
    let error = Engines::open(data.path(), Clock::default())
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&error, EnginesError::Table { path: named, .. } if *named == path),
        "{error:?}"
    );
}

async fn write(engines: &Engines) {
    let table = engines.dynamodb_client();
    dynamodb::create_table(&table).await;
    dynamodb::put(&table, dynamodb::item("CALL#1", "CALL", &[("kept", "yes")])).await;
    let objects = engines.s3_client();
    s3::create_bucket(&objects).await;
    s3::put(&objects, "2026/one", b"sound").await;
}

async fn assert_kept(data: &Path) {
    let engines = Engines::open(data, Clock::default()).await.unwrap();
    assert_eq!(
        dynamodb::get(&engines.dynamodb_client(), "CALL#1", "CALL").await,
        Some(dynamodb::item("CALL#1", "CALL", &[("kept", "yes")]))
    );
    assert_eq!(s3::get(&engines.s3_client(), "2026/one").await, b"sound");
}

/// This binary, to run `test` of this module alone in its child's part.
fn child(test: &str, value: &Path) -> Command {
    // The module's path as the harness spells it: without the crate.
    let (_, module) = module_path!().split_once("::").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", &format!("{module}::{test}"), "--nocapture"])
        .env(CHILD, value)
        .stdout(Stdio::piped());
    command
}

fn says_done(child: &mut Child) -> bool {
    BufReader::new(child.stdout.as_mut().unwrap())
        .lines()
        .any(|line| line.unwrap() == DONE)
}
