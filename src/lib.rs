//! smo
