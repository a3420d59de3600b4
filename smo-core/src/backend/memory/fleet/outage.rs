//! Clusters that die and return.

use std::time::Duration;

use super::world::{Event, Phase, WorkCopy, World};
use crate::id::{ClusterName, ServiceKey};

impl World {
    pub(super) fn kill(&mut self, name: &ClusterName) {
        let life = self.next();
        let Some(member) = self.members.get_mut(name).filter(|member| !member.dead) else {
            return;
        };
        member.dead = true;
        member.life = life;
        self.after(self.delays.not_ready, Event::LoseCluster(name.clone(), life));
    }

    pub(super) fn restore(&mut self, name: &ClusterName) {
        let life = self.next();
        let Some(member) = self.members.get_mut(name).filter(|member| member.dead) else {
            return;
        };
        member.dead = false;
        member.life = life;
        let was_ready = self
            .fleet
            .cluster(name.as_str())
            .is_some_and(|cluster| cluster.readiness.is_ready());
        let ready = if was_ready {
            Duration::ZERO
        } else {
            self.delays.ready_again
        };
        self.after(ready, Event::RegainCluster(name.clone(), life));
        self.after(
            ready.saturating_add(self.delays.stale_removed),
            Event::Collect(name.clone(), life),
        );
        let starting = |(_, copy): &(&(ServiceKey, ClusterName), &WorkCopy)| copy.phase != Phase::Leaving;
        let waiting: Vec<(ServiceKey, u64)> = self
            .copies
            .iter()
            .filter(|((_, cluster), _)| cluster == name)
            .filter(starting)
            .filter(|(_, copy)| copy.phase != Phase::Healthy)
            .map(|((service, _), copy)| (service.clone(), copy.generation))
            .collect();
        for (service, generation) in waiting {
            let delay = ready.saturating_add(self.delays.running);
            self.after(delay, Event::Run(service, name.clone(), generation));
        }
    }

    /// Lets members look again at objects that they refused.
    pub(super) fn retry_refused_copies(&mut self, cluster: &ClusterName) {
        let refused: Vec<(ServiceKey, u64)> = self
            .copies
            .iter()
            .filter(|((_, at), copy)| at == cluster && matches!(copy.phase, Phase::Refused(_)))
            .map(|((service, _), copy)| (service.clone(), copy.generation))
            .collect();
        for (service, generation) in refused {
            self.after(
                self.delays.running,
                Event::Run(service, cluster.clone(), generation),
            );
        }
    }
}
