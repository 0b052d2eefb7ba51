//! What upstream promises, over real sockets.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod breaker;
#[cfg(test)]
mod cross;
#[cfg(test)]
mod google;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod walking;
