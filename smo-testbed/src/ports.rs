//! Free ports on loopback.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};

use crate::error::TestbedError;

/// Below what operating systems give to outgoing connections: a port of a killed server must stay free until it is
/// started again.
const FIRST: u16 = 20_000;
const LAST: u16 = 29_999;

/// The ports of one testbed: held until their server is started, and claimed as long as this lives.
///
/// Between the release of a port and the moment its server binds it, another testbed would find it free. So each claims
/// the UDP port of that number too, which no server here uses and which the system frees with the process.
#[derive(Debug)]
pub(crate) struct Ports {
    next: u16,
    held: BTreeMap<u16, TcpListener>,
    claimed: Vec<UdpSocket>,
}

impl Ports {
    /// Processes begin at different places, so that testbeds started together rarely meet.
    pub(crate) fn new() -> Self {
        let spread = u32::from(LAST - FIRST) + 1;
        let offset = u16::try_from(std::process::id().wrapping_mul(97) % spread).unwrap_or_default();
        Self {
            next: FIRST + offset,
            held: BTreeMap::new(),
            claimed: Vec::new(),
        }
    }

    /// Takes a free port that no running testbed has claimed, and holds it.
    pub(crate) fn take(&mut self) -> Result<u16, TestbedError> {
        for _ in FIRST..=LAST {
            let port = self.next;
            self.next = if port == LAST { FIRST } else { port + 1 };
            let address = (Ipv4Addr::LOCALHOST, port);
            // what another has claimed is not touched: its server may be about to bind it
            if let Ok(claim) = UdpSocket::bind(address)
                && let Ok(listener) = TcpListener::bind(address)
            {
                self.claimed.push(claim);
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
    fn a_port_is_given_once_while_its_testbed_lives_and_its_server_can_bind_it() {
        let (mut one, mut other) = (Ports::new(), Ports::new());
        let first = one.take().expect("a port");
        let second = other.take().expect("another port");
        assert_ne!(first, second);
        one.release(&[first]);
        let third = Ports::new().take().expect("a third port");
        assert!(third != first && third != second, "{third}");
        // a child that another test starts holds all that is open until it becomes its program
        let binds = |_| {
            let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).is_ok();
            if !bound {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            bound
        };
        assert!((0..500).any(binds), "{first} stays taken");
    }

    #[test]
    fn the_search_goes_round() {
        let mut ports = Ports {
            next: LAST,
            ..Ports::new()
        };
        ports.take().expect("the last, or one after it");
        let next = ports.take().expect("one from the beginning");
        assert!((FIRST..LAST).contains(&next));
    }
}
