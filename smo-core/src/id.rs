//! Names of things, each of its own type, and the rule that Kubernetes puts on them.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A text that is no DNS label.
///
/// A label is what Kubernetes takes as the name of a namespace or a Service ([RFC 1123]): lower-case letters, digits and
/// `-`, at most 63, beginning and ending with a letter or digit.
///
/// [RFC 1123]: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a DNS label (lower-case letters, digits and `-`, 63 at most)")]
pub struct NotADnsLabel(pub String);

/// True when `text` is a DNS label.
#[must_use]
pub fn is_dns_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The DNS label nearest to `text`, if any letter or digit is left: `Image_Detection` gives `image-detection`.
#[must_use]
pub fn nearest_dns_label(text: &str) -> Option<String> {
    let mut label = String::new();
    for character in text.chars() {
        match character.to_ascii_lowercase() {
            lower @ ('a'..='z' | '0'..='9') => label.push(lower),
            _ if !label.is_empty() && !label.ends_with('-') => label.push('-'),
            _ => {}
        }
    }
    label.truncate(63);
    let label = label.trim_end_matches('-');
    (!label.is_empty()).then(|| label.to_owned())
}

/// The candidate that `found` was most likely meant to be: few edits away, the first of equals.
///
/// ```
/// use smo_core::id::did_you_mean;
/// assert_eq!(did_you_mean("noise-reductoin", ["image-detection", "noise-reduction"]), Some("noise-reduction"));
/// assert_eq!(did_you_mean("zzz", ["image-detection"]), None);
/// ```
#[must_use]
pub fn did_you_mean<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance =
        |candidate: &str| strsim::damerau_levenshtein(&found.to_lowercase(), &candidate.to_lowercase());
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(edits, candidate)| *edits * 3 <= candidate.chars().count().max(3))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// How a refusal of an unknown name ends: what was most likely meant, if anything is like it.
///
/// ```
/// use smo_core::id::suggestion;
/// assert_eq!(suggestion("clout", ["edge", "cloud"]), "; did you mean cloud?");
/// assert_eq!(suggestion("zzz", ["edge"]), "");
/// ```
#[must_use]
pub fn suggestion<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    did_you_mean(found, candidates).map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

macro_rules! dns_label {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        ///
        /// Copies share one text: cloning a name does not allocate.
        #[derive(Debug, Clone, Eq, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl PartialEq for $name {
            /// Copies are known to be equal without a look at the text.
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }

        impl $name {
            /// The name.
            ///
            /// # Errors
            /// When it is no DNS label.
            pub fn parse(text: impl AsRef<str> + Into<String>) -> Result<Self, NotADnsLabel> {
                let label = text.as_ref();
                if is_dns_label(label) { Ok(Self(label.into())) } else { Err(NotADnsLabel(text.into())) }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotADnsLabel;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

dns_label!(
    /// A tenant: the Kubernetes namespace that its graphs are installed in.
    Project
);
dns_label!(
    /// The id of an application graph, unique within a project.
    GraphId
);
dns_label!(
    /// The id of a service, unique within its graph; also the name of its Helm release.
    ServiceId
);
dns_label!(
    /// The name of a member cluster.
    ClusterName
);

impl Default for Project {
    /// The Kubernetes namespace `default`.
    fn default() -> Self {
        Self("default".into())
    }
}

/// A graph among all graphs: two projects may use the same graph id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GraphKey {
    /// The project it belongs to.
    pub project: Project,
    /// Its id within the project.
    pub graph: GraphId,
}

impl GraphKey {
    /// The graph `graph` of `project`.
    #[must_use]
    pub fn new(project: Project, graph: GraphId) -> Self {
        Self { project, graph }
    }

    /// The key of a service of this graph.
    #[must_use]
    pub fn service(&self, service: ServiceId) -> ServiceKey {
        ServiceKey {
            graph: self.clone(),
            service,
        }
    }
}

impl fmt::Display for GraphKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.project, self.graph)
    }
}

/// A service among all services of all graphs.
///
/// Printed and serialised as `project/graph/service`, so that it can be the key of a JSON map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceKey {
    /// The graph it belongs to.
    pub graph: GraphKey,
    /// Its id within the graph.
    pub service: ServiceId,
}

impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.graph, self.service)
    }
}

impl FromStr for ServiceKey {
    type Err = NotADnsLabel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('/');
        let (Some(project), Some(graph), Some(service), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotADnsLabel(text.to_owned()));
        };
        Ok(GraphKey::new(project.parse()?, graph.parse()?).service(service.parse()?))
    }
}

impl Serialize for ServiceKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ServiceKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_follow_rfc_1123() {
        for good in ["a", "0", "image-detection", &"x".repeat(63)] {
            assert!(is_dns_label(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a.b", "é", &"x".repeat(64)] {
            assert!(!is_dns_label(bad), "{bad}");
        }
    }

    #[test]
    fn the_nearest_label_is_a_label() {
        assert_eq!(
            nearest_dns_label("Image_Detection").as_deref(),
            Some("image-detection")
        );
        assert_eq!(nearest_dns_label("__").as_deref(), None);
        assert_eq!(nearest_dns_label("Größe 1").as_deref(), Some("gr-e-1"));
    }

    #[test]
    fn a_service_key_is_a_map_key() {
        let key: ServiceKey = "default/graph/web".parse().unwrap();
        assert_eq!(serde_json::to_string(&key).unwrap(), r#""default/graph/web""#);
        assert!("graph/web".parse::<ServiceKey>().is_err());
        assert!("a/b/c/d".parse::<ServiceKey>().is_err());
    }
}
