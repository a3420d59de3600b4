//! Ports to the outside world.
