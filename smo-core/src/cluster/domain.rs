//! What clusters may have in common, so that they fail together.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// What puts clusters into one domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum DomainKey {
    /// Every cluster is a domain of its own.
    #[default]
    Cluster,
    /// The region.
    Region,
    /// The zone. A cluster with several zones is in no single one.
    Zone,
    /// Who runs it.
    Provider,
    /// The value of a label.
    Label(String),
}

impl FromStr for DomainKey {
    type Err = Infallible;

    /// `cluster`, `region`, `zone`, `provider`, or else the key of a label.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "cluster" => Self::Cluster,
            "region" => Self::Region,
            "zone" => Self::Zone,
            "provider" => Self::Provider,
            key => Self::Label(key.to_owned()),
        })
    }
}

impl fmt::Display for DomainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cluster => "cluster",
            Self::Region => "region",
            Self::Zone => "zone",
            Self::Provider => "provider",
            Self::Label(key) => key,
        })
    }
}

impl Serialize for DomainKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
