//! DynamoDB behind TLS, as it is in the cloud.

use super::{Cloud, DIRECT, Lambda};
use crate::world::PLAN;
use switchboard_shared::script::SORRY;
use switchboard_tests::tls::{Roots, Tls};

/// Functions behind which somebody waits who hears nothing meanwhile.
const WAITED_FOR: [&str; 4] = ["answer", "event", "transfer", "dispatch"];

async fn behind_tls() -> (Cloud, Tls) {
    let cloud = Cloud::open().await;
    let shell = cloud.shell();
    shell.write("switchboard.toml", PLAN);
    shell.run(&["plan", "push", "--aws"]).await.fine();
    let tls = Tls::before(cloud.world.board.engines().dynamodb_url()).await;
    (cloud, tls)
}

fn start(cloud: &Cloud, tls: &Tls, roots: Roots, function: &str) -> Lambda {
    let environment = tls.environment(roots);
    let [endpoint, certificates] = environment.each_ref();
    let changes = [endpoint, certificates].map(|(name, value)| (name.as_str(), value.as_str()));
    let from_table = [("SWITCHBOARD_PLAN", "")];
    cloud.start_with(function, &[&changes[..], &from_table].concat())
}

#[tokio::test]
async fn the_connection_to_the_table_is_open_before_anybody_waits_for_it() {
    let (cloud, tls) = behind_tls().await;
    for (before, function) in WAITED_FOR.into_iter().enumerate() {
        let started = start(&cloud, &tls, Roots::All, function);
        started.ready().await.unwrap();
        assert_eq!(tls.opened(), before + 1, "{function}");
        if function == "answer" {
            let heard = cloud.call(&started, DIRECT, "a").await;
            assert_ne!(heard[0]["text"], SORRY);
            assert_eq!(
                tls.opened(),
                before + 1,
                "the caller waited for another one"
            );
        }
    }
}

#[tokio::test]
async fn a_table_whose_certificate_nobody_vouches_for_is_told_nothing() {
    let (cloud, tls) = behind_tls().await;
    let answer = start(&cloud, &tls, Roots::Strangers, "answer");
    let heard = cloud.call(&answer, DIRECT, "a").await;
    assert_eq!(heard[0]["text"], SORRY);
    assert_eq!(tls.opened(), 0);
}
