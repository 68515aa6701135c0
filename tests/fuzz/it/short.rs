//! The fuzz targets in short, on a stable toolchain: every file of the corpus, then bytes made up and
//! files of the corpus changed, the same ones each time. `SWITCHBOARD_FUZZ_SEED` makes others.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod mutate;

use mutate::{Corpus, change};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use std::path::{Path, PathBuf};
use std::{env, fs};
use switchboard_fuzz::{TARGETS, Target};

/// Made-up inputs per target: few, since most are refused at the first byte.
const RAW: u32 = 500;

/// Changed files per target. The nine take about ten seconds together, in a build without
/// optimisation.
const CHANGED: u32 = 1_500;

/// Bytes of a failing input that are shown; all of them are in the file.
const SHOWN_MAX: usize = 2_000;

/// What an input is made of when nothing else is asked for.
const SEED: u64 = 0x5EED_0F5E_ED5E_ED05;

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(kind)
}

fn seed() -> u64 {
    let asked = env::var("SWITCHBOARD_FUZZ_SEED").ok();
    asked.map_or(SEED, |text| text.parse().expect("a seed is a number"))
}

/// Runs a target on inputs; what fails is made small, kept in a file, and told of.
#[track_caller]
fn drive(target: Target, cases: u32, inputs: &impl Strategy<Value = Vec<u8>>) {
    let config = Config {
        cases,
        failure_persistence: None,
        // Enough to see what matters, not to polish it.
        max_shrink_iters: 500,
        ..Config::default()
    };
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed().to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &key);
    let outcome = TestRunner::new_with_rng(config, rng).run(inputs, |data| {
        (target.run)(&data);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, data)) => fail(target, &data, &why.to_string()),
        Err(TestError::Abort(why)) => panic!("{}: {why}", target.name),
    }
}

fn fail(target: Target, data: &[u8], why: &str) -> ! {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-failed", target.name));
    fs::write(&file, data).unwrap();
    let name = target.name;
    panic!(
        "{name}: {why}\nseed {}, {} bytes, kept in {}:\n{}\nmend it, and put it into tests/fuzz/corpus/{name}",
        seed(),
        data.len(),
        file.display(),
        data[..data.len().min(SHOWN_MAX)].escape_ascii()
    );
}

fn short(name: &str) {
    let target = TARGETS
        .into_iter()
        .find(|target| target.name == name)
        .unwrap();
    let corpus = Corpus::read(&folder("corpus").join(name), &folder("dictionaries"), name);
    for (file, data) in corpus.files() {
        let run = || (target.run)(data);
        if std::panic::catch_unwind(run).is_err() {
            fail(target, data, &format!("it fails on {}", file.display()));
        }
    }
    drive(target, RAW, &prop::collection::vec(any::<u8>(), 0..512));
    let changed = corpus.changed();
    drive(
        target,
        CHANGED,
        &changed.prop_map(move |(file, changes)| change(&file, &changes)),
    );
}

/// A test for each target, so that they run beside one another and each says its name.
macro_rules! tests {
    ($($test:ident $name:literal)*) => {
        $(#[test] fn $test() { short($name); })*

        #[test]
        fn every_target_has_a_test_a_corpus_and_a_binary() {
            let tested = [$($name),*];
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(tested.as_slice(), names);
            for name in names {
                assert!(folder("corpus").join(name).read_dir().unwrap().count() > 3, "{name}");
                assert!(folder("fuzz_targets").join(format!("{name}.rs")).exists(), "{name}");
            }
        }
    };
}

tests! {
    no_address_but_vonages_is_trusted "address"
    no_batch_loses_a_message "batch"
    no_cue_comes_back_as_another "cue"
    no_request_gets_in_or_gets_an_answer_that_is_not_ours "gateway"
    no_message_of_a_queue_is_two_jobs "job"
    no_script_is_read_as_another "ncco"
    no_plan_is_accepted_that_says_what_vonage_refuses "plan"
    no_token_but_vonages_is_taken "token"
    no_webhook_reads_as_two "webhook"
}

#[test]
fn a_failure_is_found_made_small_and_told_with_its_bytes() {
    let target = Target {
        name: "none",
        run: |data| assert!(!data.contains(&b'x'), "it holds an x"),
    };
    let told = std::panic::catch_unwind(|| {
        drive(target, 10_000, &prop::collection::vec(any::<u8>(), 0..64));
    });
    let told = told.unwrap_err();
    let told = told.downcast_ref::<String>().unwrap();
    for part in [
        "none: ",
        "it holds an x",
        &format!("seed {}", seed()),
        "1 bytes",
        "\nx\n",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}
