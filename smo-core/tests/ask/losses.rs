//! The certificate for single losses.

use proptest::prelude::*;
use smo_core::placement::ask::{Edit, LossOf, Redundancy, Survival, single_losses};
use smo_core::placement::{MilpPlacer, Outcome};

use crate::support::{Room, brussels, cluster, is_possible, problems, shop};

#[test]
fn a_fleet_that_survives_says_where_services_go() {
    let mut problem = shop();
    problem.clusters["milan"].capacity = problem.clusters["austin"].capacity.clone();
    let certificate = single_losses(&MilpPlacer::default(), &problem, LossOf::Cluster).unwrap();
    assert_eq!(certificate.redundancy(), Redundancy::Survives);
    assert_eq!(certificate.check(&problem).unwrap(), Vec::<String>::new());
    insta::assert_snapshot!(certificate);
    insta::assert_snapshot!(certificate.to_svg());
}

#[test]
fn a_loss_that_breaks_it_is_diagnosed() {
    let certificate = single_losses(&MilpPlacer::default(), &brussels(), LossOf::Cluster).unwrap();
    assert_eq!(certificate.redundancy(), Redundancy::Breaks);
    insta::assert_snapshot!(certificate);
    insta::assert_snapshot!(certificate.to_svg());
}

#[test]
fn what_is_impossible_to_begin_with_is_drawn_as_its_diagnosis() {
    let mut problem = brussels();
    problem.clusters.shift_remove(&cluster("edge-2"));
    let certificate = single_losses(&MilpPlacer::default(), &problem, LossOf::Cluster).unwrap();
    let Outcome::Infeasible(diagnosis) = &certificate.baseline else {
        panic!("{certificate}");
    };
    assert_eq!(certificate.to_svg(), diagnosis.to_svg());
    insta::assert_snapshot!(diagnosis.to_svg());
}

#[test]
fn regions_are_lost_as_a_whole() {
    let certificate = single_losses(&MilpPlacer::default(), &shop(), LossOf::Region).unwrap();
    let names: Vec<_> = certificate
        .losses
        .iter()
        .map(|loss| (loss.name.as_str(), loss.clusters.len()))
        .collect();
    assert_eq!(names, [("eu", 2), ("us", 1)]);
    insta::assert_snapshot!(certificate);
}

#[test]
fn a_forged_certificate_is_found_out() {
    let problem = shop();
    let mut certificate = single_losses(&MilpPlacer::default(), &problem, LossOf::Cluster).unwrap();
    assert_eq!(certificate.check(&problem).unwrap(), Vec::<String>::new());
    for loss in &mut certificate.losses {
        loss.survival = Survival::Untouched;
    }
    let gone = certificate.losses.pop().unwrap().name;
    let faults = certificate.check(&problem).unwrap();
    assert!(
        faults.iter().any(|fault| fault.contains("not ready (lost)")),
        "{faults:?}"
    );
    assert!(
        faults.contains(&format!("the loss of {gone} is not in it")),
        "{faults:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_certificate_says_what_trying_everything_says(problem in problems(Room::Some)) {
        let certificate = single_losses(&MilpPlacer::default(), &problem, LossOf::Cluster).unwrap();
        prop_assert_eq!(certificate.check(&problem).unwrap(), Vec::<String>::new());
        let base = is_possible(&problem);
        prop_assert_eq!(matches!(certificate.baseline, Outcome::Placed(_)), base);
        let ready: Vec<_> = problem.clusters.iter().filter(|(_, supply)| supply.readiness.is_ready()).map(|(name, _)| name).collect();
        prop_assert_eq!(certificate.losses.len(), if base { ready.len() } else { 0 });
        let mut all = base;
        for loss in &certificate.losses {
            let lost = problem.edited(&[Edit::Lose { cluster: cluster(&loss.name) }]).unwrap();
            let possible = is_possible(&lost);
            prop_assert_eq!(!matches!(loss.survival, Survival::Broken { .. }), possible, "{}", loss.name);
            all &= possible;
        }
        prop_assert_eq!(certificate.redundancy() == Redundancy::Survives, all);
        prop_assert!(certificate.redundancy() != Redundancy::Open);
    }
}
