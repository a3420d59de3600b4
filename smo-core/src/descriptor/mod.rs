//! Reading descriptors.
