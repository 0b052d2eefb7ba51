//! A circuit breaker for one provider, as a pure state machine.
//!
//! It is told what happened and when, and answers whether a provider is worth another try.
//! It holds no clock, no lock and no connection. It never forbids: the walk may still try a
//! provider whose breaker is open when nothing else is left.

/// How many faults open a breaker and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerLimits {
    /// Faults in a row that open the breaker.
    pub faults_to_open: u32,
    /// How long the first opening lasts; each further one doubles it.
    pub open_us: i64,
    /// The longest an opening may last.
    pub longest_open_us: i64,
}

impl Default for BreakerLimits {
    fn default() -> Self {
        Self {
            faults_to_open: 5,
            open_us: 5_000_000,
            longest_open_us: 60_000_000,
        }
    }
}

/// What a breaker says about one more try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The provider is believed to be well.
    Go,
    /// The opening has run out: one try may find out whether the provider is back.
    Probe,
    /// The provider failed repeatedly and is left alone until this time.
    Refuse {
        /// When the next probe is due, on the caller's time scale.
        until_us: i64,
    },
}

/// Whether a provider is worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    limits: BreakerLimits,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { faults: u32 },
    Open { until_us: i64, lasted_us: i64 },
}

impl Breaker {
    /// Makes a closed breaker.
    pub const fn new(limits: BreakerLimits) -> Self {
        Self {
            limits,
            state: State::Closed { faults: 0 },
        }
    }

    /// Asks for one more try at `now_us`.
    ///
    /// A probe moves the end of the opening forward, so that one caller probes and the others
    /// keep away until it is known how the probe went, or until as much time has passed again:
    /// a probe that is abandoned cannot lock the provider out.
    pub fn admit(&mut self, now_us: i64) -> Admission {
        match self.state {
            State::Closed { .. } => Admission::Go,
            State::Open { until_us, .. } if now_us < until_us => Admission::Refuse { until_us },
            State::Open { lasted_us, .. } => {
                self.state = State::Open {
                    until_us: now_us.saturating_add(lasted_us),
                    lasted_us,
                };
                Admission::Probe
            }
        }
    }

    /// Records that the provider answered.
    pub const fn succeeded(&mut self) {
        self.state = State::Closed { faults: 0 };
    }

    /// Records that the provider failed at `now_us`.
    pub fn failed(&mut self, now_us: i64) {
        self.state = match self.state {
            State::Closed { faults } if faults.saturating_add(1) < self.limits.faults_to_open => {
                State::Closed { faults: faults + 1 }
            }
            State::Closed { .. } => open(now_us, self.limits.open_us),
            State::Open { lasted_us, .. } => open(
                now_us,
                lasted_us.saturating_mul(2).min(self.limits.longest_open_us),
            ),
        };
    }

    /// Says whether the provider is believed to be well at `now_us`, without asking for a try.
    pub const fn is_healthy(&self, now_us: i64) -> bool {
        match self.state {
            State::Closed { .. } => true,
            State::Open { until_us, .. } => now_us >= until_us,
        }
    }
}

const fn open(now_us: i64, lasting_us: i64) -> State {
    State::Open {
        until_us: now_us.saturating_add(lasting_us),
        lasted_us: lasting_us,
    }
}
