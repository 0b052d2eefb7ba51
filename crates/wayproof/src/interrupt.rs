//! What a signal does while something is being proven: what runs is ended, what was checked out and mounted goes, and
//! then the program ends as the signal says.

use std::{
    sync::{
        LazyLock, Once,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};
use wayproof_proof::Cancel;

/// The program was told to end.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("ended by {}; nothing of the proof that ran is left", .0.name)]
pub(crate) struct Interrupted(Kind);

impl Interrupted {
    /// The status of a program that a signal ends, as shells give it.
    pub(crate) const fn status(self) -> u8 {
        128 + self.0.number
    }
}

#[derive(Debug, Clone, Copy)]
struct Kind {
    name: &'static str,
    number: u8,
}

const HANGUP: Kind = Kind {
    name: "SIGHUP",
    number: 1,
};
const INTERRUPT: Kind = Kind {
    name: "SIGINT",
    number: 2,
};
const TERMINATE: Kind = Kind {
    name: "SIGTERM",
    number: 15,
};

/// Proofs that are under way.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
/// Said once, when the program has to end.
static CANCEL: LazyLock<Cancel> = LazyLock::new(Cancel::default);
/// The signal, once its proofs have let go of everything.
static ENDED: LazyLock<watch::Sender<Option<Interrupted>>> = LazyLock::new(watch::Sender::default);

/// How often proofs that were cancelled are looked after.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A proof that is under way, until this is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay(());

impl UnderWay {
    /// From the first proof on, signals are heard; before, they do what they do to any program.
    pub(crate) fn begin() -> Result<Self> {
        static LISTENING: Once = Once::new();
        let mut signals = None;
        if !LISTENING.is_completed() {
            signals = Some(Signals::hear().context("listening for signals")?);
        }
        LISTENING.call_once(|| {
            if let Some(signals) = signals {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "it listens as long as the program lives, and says its word through a channel"
                )]
                drop(tokio::spawn(signals.obey()));
            }
        });
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        Ok(Self(()))
    }

    /// What ends every proof from outside.
    pub(crate) fn cancel() -> Cancel {
        CANCEL.clone()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The signals that end programs.
struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn hear() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn obey(mut self) {
        let kind = tokio::select! {
            _ = self.hangup.recv() => HANGUP,
            _ = self.interrupt.recv() => INTERRUPT,
            _ = self.terminate.recv() => TERMINATE,
        };
        CANCEL.cancel();
        while UNDER_WAY.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        ENDED.send_replace(Some(Interrupted(kind)));
    }
}

/// Does work until it is done or a signal ends the program.
pub(crate) async fn until_ended<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut ended = ENDED.subscribe();
    tokio::select! {
        biased;
        done = work => done,
        // The sender is never dropped.
        Ok(ended) = ended.wait_for(Option::is_some) => match *ended {
            Some(interrupted) => Err(interrupted.into()),
            None => std::future::pending().await,
        },
    }
}
