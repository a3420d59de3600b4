//! The TLS provider.

/// Makes *ring* the TLS provider of this process, unless the host has chosen one already.
///
/// HTTP clients built without any provider panic, even for plain HTTP. Everything in this crate that builds a client
/// calls this first; a host that builds clients of its own may call it too.
pub fn install_tls_provider() {
    // The error is the provider that is there already: the host's choice, which stands.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_second_time_is_no_fault() {
        super::install_tls_provider();
        super::install_tls_provider();
        assert!(rustls::crypto::CryptoProvider::get_default().is_some());
    }
}
