use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::engines::Engines;
use switchboard_shared::clock::Clock;

pub(super) const BUCKET: &str = "recordings";
const KEY: &str = "2026/01/01/CON-1/one.mp3";

/// Smallest part S3 takes, but for the last one.
const PART: usize = 5 * 1024 * 1024;

#[tokio::test]
async fn an_object_comes_back_with_its_type_and_what_was_noted_about_it() {
    let (_engines, client) = bucket().await;
    client
        .put_object()
        .bucket(BUCKET)
        .key(KEY)
        .content_type("audio/mpeg")
        .metadata("conversation", "CON-1")
        .body(ByteStream::from_static(b"sound"))
        .send()
        .await
        .unwrap();
    let head = client
        .head_object()
        .bucket(BUCKET)
        .key(KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(head.content_length(), Some(5));
    assert_eq!(head.content_type(), Some("audio/mpeg"));
    assert_eq!(head.metadata().unwrap()["conversation"], "CON-1");
    assert_eq!(get(&client, KEY).await, b"sound");
}

#[tokio::test]
async fn an_object_that_is_not_there_is_not_found() {
    let (_engines, client) = bucket().await;
    let head = client.head_object().bucket(BUCKET).key(KEY).send().await;
    assert!(head.unwrap_err().into_service_error().is_not_found());
    let get = client.get_object().bucket(BUCKET).key(KEY).send().await;
    assert!(get.unwrap_err().into_service_error().is_no_such_key());
}

#[tokio::test]
async fn an_object_whose_checksum_is_wrong_is_refused() {
    let (_engines, client) = bucket().await;
    let error = client
        .put_object()
        .bucket(BUCKET)
        .key(KEY)
        .checksum_sha256(sha256(b"other sound"))
        .body(ByteStream::from_static(b"sound"))
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(error.code(), Some("BadDigest"));
}

#[tokio::test]
async fn an_object_sent_in_parts_is_whole_and_keeps_its_type_and_notes() {
    let (_engines, client) = bucket().await;
    let upload = begin(&client).await;
    let parts = [vec![1; PART], vec![2; PART + 1], vec![3; 7]];
    let mut done = CompletedMultipartUpload::builder();
    for (number, part) in (1..).zip(&parts) {
        let sent = client
            .upload_part()
            .bucket(BUCKET)
            .key(KEY)
            .upload_id(&upload)
            .part_number(number)
            .checksum_sha256(sha256(part))
            .body(part.clone().into())
            .send()
            .await
            .unwrap();
        let part = CompletedPart::builder()
            .part_number(number)
            .e_tag(sent.e_tag().unwrap())
            .checksum_sha256(sha256(part));
        done = done.parts(part.build());
    }
    client
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key(KEY)
        .upload_id(&upload)
        .multipart_upload(done.build())
        .send()
        .await
        .unwrap();

    let head = client
        .head_object()
        .bucket(BUCKET)
        .key(KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(head.content_length(), Some(2 * PART as i64 + 8));
    assert_eq!(head.content_type(), Some("audio/mpeg"));
    assert_eq!(head.metadata().unwrap()["conversation"], "CON-1");
    assert!(head.e_tag().unwrap().ends_with("-3\""));
    assert!(get(&client, KEY).await == parts.concat());
}

#[tokio::test]
async fn an_upload_given_up_leaves_nothing_to_complete_or_to_list() {
    let (_engines, client) = bucket().await;
    let upload = begin(&client).await;
    let part = client
        .upload_part()
        .bucket(BUCKET)
        .key(KEY)
        .upload_id(&upload)
        .part_number(1)
        .body(ByteStream::from_static(b"sound"))
        .send()
        .await
        .unwrap();
    client
        .abort_multipart_upload()
        .bucket(BUCKET)
        .key(KEY)
        .upload_id(&upload)
        .send()
        .await
        .unwrap();
    let part = CompletedPart::builder()
        .part_number(1)
        .e_tag(part.e_tag().unwrap());
    client
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key(KEY)
        .upload_id(&upload)
        .multipart_upload(
            CompletedMultipartUpload::builder()
                .parts(part.build())
                .build(),
        )
        .send()
        .await
        .unwrap_err();
    assert_eq!(keys(&client, "").await, [""; 0]);
}

#[tokio::test]
async fn a_list_gives_the_keys_under_a_prefix_in_order() {
    let (_engines, client) = bucket().await;
    for key in ["2026/02/b", "2026/01/a", "2025/12/z", "2026/02/a"] {
        put(&client, key, b"sound").await;
    }
    assert_eq!(
        keys(&client, "2026/").await,
        ["2026/01/a", "2026/02/a", "2026/02/b"]
    );
}

/// Engines with a bucket in them.
async fn bucket() -> (Engines, Client) {
    let engines = Engines::in_memory(Clock::default()).await.unwrap();
    let client = engines.s3_client();
    create_bucket(&client).await;
    (engines, client)
}

pub(super) async fn create_bucket(client: &Client) {
    client.create_bucket().bucket(BUCKET).send().await.unwrap();
}

pub(super) async fn put(client: &Client, key: &str, body: &'static [u8]) {
    client
        .put_object()
        .bucket(BUCKET)
        .key(key)
        .body(ByteStream::from_static(body))
        .send()
        .await
        .unwrap();
}

pub(super) async fn get(client: &Client, key: &str) -> Vec<u8> {
    let answer = client
        .get_object()
        .bucket(BUCKET)
        .key(key)
        .send()
        .await
        .unwrap();
    answer.body.collect().await.unwrap().to_vec()
}

/// Begins an upload in parts of [`KEY`].
async fn begin(client: &Client) -> String {
    client
        .create_multipart_upload()
        .bucket(BUCKET)
        .key(KEY)
        .content_type("audio/mpeg")
        .metadata("conversation", "CON-1")
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .send()
        .await
        .unwrap()
        .upload_id
        .unwrap()
}

async fn keys(client: &Client, prefix: &str) -> Vec<String> {
    client
        .list_objects_v2()
        .bucket(BUCKET)
        .prefix(prefix)
        .send()
        .await
        .unwrap()
        .contents()
        .iter()
        .map(|object| object.key().unwrap().to_owned())
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(digest(&SHA256, bytes))
}
