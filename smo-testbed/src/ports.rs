//! Free ports on loopback.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use crate::error::TestbedError;

/// Below what operating systems give to outgoing connections: a port of a killed server must stay free until it is
/// started again.
const FIRST: u16 = 20_000;
const LAST: u16 = 29_999;

/// Ports held for servers that are still to be started.
#[derive(Debug)]
pub(crate) struct Ports {
    next: u16,
    held: BTreeMap<u16, TcpListener>,
}

impl Ports {
    /// Processes begin at different places, so that testbeds started together rarely meet.
    pub(crate) fn new() -> Self {
        let spread = u32::from(LAST - FIRST) + 1;
        let offset = u16::try_from(std::process::id().wrapping_mul(97) % spread).unwrap_or_default();
        Self {
            next: FIRST + offset,
            held: BTreeMap::new(),
        }
    }

    /// Takes a free port and holds it, so that nobody else is given it.
    pub(crate) fn take(&mut self) -> Result<u16, TestbedError> {
        for _ in FIRST..=LAST {
            let port = self.next;
            self.next = if port == LAST { FIRST } else { port + 1 };
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                self.held.insert(port, listener);
                return Ok(port);
            }
        }
        Err(TestbedError::Ports {
            first: FIRST,
            last: LAST,
        })
    }

    /// Lets a server bind its ports: call it immediately before the start.
    pub(crate) fn release(&mut self, ports: &[u16]) {
        for port in ports {
            self.held.remove(port);
        }
    }
}

/// Whether something listens there.
pub(crate) fn answers(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_port_is_given_once_and_is_free_after_its_release() {
        let (mut one, mut other) = (Ports::new(), Ports::new());
        let first = one.take().expect("a port");
        let second = other.take().expect("another port");
        assert_ne!(first, second);
        one.release(&[first]);
        TcpListener::bind((Ipv4Addr::LOCALHOST, first)).expect("it is free");
    }

    #[test]
    fn the_search_goes_round() {
        let mut ports = Ports {
            next: LAST,
            held: BTreeMap::new(),
        };
        ports.take().expect("the last, or one after it");
        let next = ports.take().expect("one from the beginning");
        assert!((FIRST..LAST).contains(&next));
    }
}
