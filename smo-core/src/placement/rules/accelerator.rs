//! A service may require that its cluster offers a resource at all, such as a GPU, without counting it.

use super::{Pair, Rule};
use crate::placement::Reason;

/// The cluster lists every resource that the service requires, even where nothing of it is left.
#[derive(Debug, Clone, Copy)]
pub struct Accelerator;

impl Rule for Accelerator {
    fn name(&self) -> &str {
        "accelerator"
    }

    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        let offered = |name: &str| pair.supply.capacity.listed(name).is_some();
        let resource = pair
            .demand
            .requires
            .iter()
            .find(|resource| !offered(resource.as_str()))?;
        Some(Reason::NotOffered {
            resource: resource.clone(),
        })
    }
}
