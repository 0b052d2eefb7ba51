//! What pages are made from.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};
use wayproof_engine::{Catalog, Policy};
use wayproof_ledger::{Clock, Ledger};
use wayproof_receipt::Trust;

use crate::advice::{Adviser, LastAdvice};
use crate::demo::Demo;
use crate::figures::Figures;
use crate::guard::{Guard, SignIn, TrustedProxy};
use crate::live::Live;
use crate::reviews::Reviews;

/// A look at the gateway that serves the pages; the binary gives it.
pub trait House: Send + Sync + 'static {
    /// The policy in force; nothing once the gateway has stopped.
    fn policy(&self) -> Option<Arc<Policy>>;
    /// Who serves models.
    fn providers(&self) -> Vec<ProviderSeen>;
    /// Proofs of jobs that are under way.
    fn proofs(&self) -> Vec<ProofSeen>;
    /// What the user asked in a request that was kept, without what the agent wrapped around it.
    fn ask_in(&self, protocol: &str, agent: &str, body: &[u8]) -> Option<String>;
    /// Conversations in memory, and jobs opened by runs that are not closed.
    fn counts(&self) -> (usize, usize);
    /// Whether callers need a key, and so whether readers do.
    fn wants_key(&self) -> bool;
    /// The name of the key that this is, of those the gateway was started with.
    fn holder_of(&self, key: &[u8]) -> Option<String>;
    /// Resolves when the gateway stops, so that pages that stay open let go.
    fn stopping(&self) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// A provider as it is seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSeen {
    /// Its name.
    pub name: String,
    /// Its address.
    pub base: String,
    /// Whether it is asked at the moment.
    pub is_healthy: bool,
}

/// A proof that is under way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProofSeen {
    /// The job.
    pub job: String,
    /// Its steps so far, with when each began, in microseconds since 1970. The last one goes on.
    pub steps: Vec<(i64, String)>,
}

/// One line of the settings page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What is set.
    pub name: String,
    /// To what; never a secret.
    pub value: String,
    /// Where it comes from.
    pub source: String,
}

/// What the dashboard is made of.
pub struct Parts {
    /// Where everything is recorded.
    pub ledger: Ledger,
    /// What time it is.
    pub clock: Clock,
    /// The gateway.
    pub house: Arc<dyn House>,
    /// Who is believed when a receipt is verified.
    pub trust: Option<Trust>,
    /// What models cost.
    pub catalog: Arc<Catalog>,
    /// What the operator set, with secrets named and not shown.
    pub settings: Vec<Setting>,
    /// A proxy that says who asks.
    pub proxy: Option<TrustedProxy>,
    /// Where people sign in elsewhere.
    pub sign_in: Option<SignIn>,
    /// Changes that people decide on; nothing without a repository.
    pub reviews: Option<Box<dyn Reviews>>,
    /// Who advises on the policy.
    pub adviser: Option<Box<dyn Adviser>>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("ledger", &self.ledger)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Pages that are made at once; the ledger has more readers than this and the live page together.
const TURNS: usize = 2;

/// What every page shares. Cloning it gives another handle.
#[derive(Clone)]
pub(crate) struct Desk(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) guard: Arc<Guard>,
    pub(crate) live: Live,
    demo: Demo,
    figures: Figures,
    last_advice: LastAdvice,
    turns: Semaphore,
}

impl Desk {
    pub(crate) fn new(parts: Parts, guard: Guard) -> Self {
        Self::with(parts, Arc::new(guard))
    }

    /// A desk with other parts behind the same guard.
    pub(crate) fn beside(other: &Self, parts: Parts) -> Self {
        Self::with(parts, Arc::clone(&other.0.guard))
    }

    fn with(parts: Parts, guard: Arc<Guard>) -> Self {
        Self(Arc::new(Inner {
            parts,
            guard,
            live: Live::default(),
            demo: Demo::default(),
            figures: Figures::default(),
            last_advice: LastAdvice::default(),
            turns: Semaphore::new(TURNS),
        }))
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.0.parts.ledger
    }

    pub(crate) fn house(&self) -> &dyn House {
        self.0.parts.house.as_ref()
    }

    pub(crate) fn now_us(&self) -> i64 {
        self.0.parts.clock.now_us()
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// A turn at the ledger; it ends when it is dropped.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Nobody closes the semaphore, so there is always a turn in the end.
        self.0.turns.acquire().await.ok()
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.0.guard
    }

    pub(crate) fn demo(&self) -> &Demo {
        &self.0.demo
    }

    pub(crate) fn last_advice(&self) -> &LastAdvice {
        &self.0.last_advice
    }

    pub(crate) fn figures(&self) -> &Figures {
        &self.0.figures
    }

    pub(crate) fn live(&self) -> &Live {
        &self.0.live
    }
}
