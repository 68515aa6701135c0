//! What all parts stand on: a board's engines, and the functions to measure.

use super::subject::Subject;
use std::path::PathBuf;
use switchboard_tests::tls::{Roots, Tls};
use switchboard_tests::world::World;

/// The engines, the binaries, and the environment they are given.
pub(crate) struct Stage {
    pub(crate) world: World,
    folder: PathBuf,
    pub(crate) tls: Tls,
}

impl Stage {
    pub(crate) async fn open(folder: PathBuf) -> Self {
        let world = World::open().await;
        let tls = Tls::before(world.board.engines().dynamodb_url()).await;
        Self { world, folder, tls }
    }

    /// What a function is given to work on the board's table, bucket and queues.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        environment(&self.world)
    }

    /// One of our functions.
    pub(crate) fn function(&self, name: &'static str) -> Subject {
        Subject {
            name,
            program: self.folder.join(name),
            arguments: Vec::new(),
            environment: self.environment(),
        }
    }

    /// The bare Lambda.
    pub(crate) fn hello(&self) -> Subject {
        Subject {
            environment: Vec::new(),
            ..self.function("hello")
        }
    }

    /// The answer function with DynamoDB behind TLS, as in AWS.
    pub(crate) fn answer_over_tls(&self) -> Subject {
        self.over_tls("answer", "answer, TLS", Roots::All)
    }

    /// The same, given no more root certificates than it needs.
    pub(crate) fn answer_with_few_roots(&self) -> Subject {
        self.over_tls("answer", "answer, TLS, 6 roots", Roots::Few)
    }

    /// A function with DynamoDB behind TLS, under a name of its own.
    pub(crate) fn over_tls(
        &self,
        function: &'static str,
        name: &'static str,
        roots: Roots,
    ) -> Subject {
        let mut subject = self.function(function);
        subject.name = name;
        subject.environment.extend(self.tls.environment(roots));
        subject
    }

    /// The same job in Python, where `make bench` could install it.
    pub(crate) fn python(&self) -> Option<Subject> {
        let program = self.folder.parent()?.join("bench-python/bin/python");
        // Not resolved: Python finds its packages by the link it was started through.
        let program = std::path::absolute(program).ok()?;
        if !program.exists() {
            return None;
        }
        let code = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/python");
        let mut environment = self.environment();
        environment.extend([("PYTHONPATH".to_owned(), code.to_owned())]);
        Some(Subject {
            name: "Python",
            program,
            arguments: ["-m", "awslambdaric", "app.handler"]
                .map(str::to_owned)
                .to_vec(),
            environment,
        })
    }
}

/// The plan is read from the table, as in the cloud.
fn environment(world: &World) -> Vec<(String, String)> {
    let mut all: Vec<_> = world.board.environment().pairs().collect();
    all.retain(|(name, _)| name != "SWITCHBOARD_PLAN");
    all.extend(world.board.engines().environment());
    all
}
