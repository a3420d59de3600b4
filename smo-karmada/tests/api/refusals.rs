//! Users who may not do all of it: which verb on which resource they lack, and that nothing half done goes unreported.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smo_core::backend::{BackendError, ClusterBackend, ErrorKind, ReleaseBackend, ReleaseBackendExt, Scope};
use smo_core::plan::ReleaseSpec;
use smo_karmada::{Denied, KarmadaError, KarmadaFleet, permissions};

use crate::server::{Server, cause, image, on};

const USER: &str = "testbed-restricted";
const ROLE: &str = "api-suite";

/// Of the role, what only charts and Submariner need; and watching, which never ends.
const NOT_FOR_IMAGES: [&str; 4] = [
    "statefulsets",
    "replicasets",
    "clusterpropagationpolicies",
    "clusters/proxy",
];

impl Server {
    /// Lets the restricted user do what `role` says, and no more, from now on.
    fn allow(&self, role: &Value) {
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": ROLE},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ROLE},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}],
        });
        self.kubectl
            .apply(&json!({"apiVersion": "v1", "kind": "List", "items": [role, binding]}))
            .unwrap();
    }

    fn may(&self, verb: &str, resource: &str) -> bool {
        let asked = ["auth", "can-i", verb, resource, "--all-namespaces", "--as", USER];
        self.kubectl.run(&asked).is_ok()
    }

    /// The authoriser learns of a new role a moment later.
    async fn until_it_counts(&self, verb: &str, resource: &str, allowed: bool) {
        let began = Instant::now();
        while self.may(verb, resource) != allowed {
            assert!(began.elapsed() < Duration::from_secs(10), "{verb} {resource}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn allow_nothing(&self) {
        let all = [
            "delete",
            "clusterrole,clusterrolebinding",
            ROLE,
            "--ignore-not-found",
        ];
        self.kubectl.run(&all).unwrap();
    }
}

fn denied(error: &BackendError) -> &Denied {
    match cause(error) {
        KarmadaError::Denied(denied) => denied,
        _ => panic!("not a lack of a verb: {error}"),
    }
}

/// A service with every kind of object that is ever written for an image, and one with fewer.
fn large_and_small(namespace: &str) -> (ReleaseSpec, ReleaseSpec) {
    let values = json!({"ports": [{"port": 80}], "serviceImportClusters": ["m2"], "clusters": {"m1": {"env": {"A": "b"}}}});
    let service = format!("{namespace}/shop/web");
    let clusters = [("m1", 1)];
    (
        image(&service, values, &clusters),
        image(&service, json!({}), &clusters),
    )
}

/// Everything that is ever done with an image, and with a copy that Karmada forgets.
async fn whole_life(server: &Server, fleet: &KarmadaFleet, namespace: &str) -> Result<(), BackendError> {
    let (large, small) = large_and_small(namespace);
    fleet.inventory().await?;
    fleet.apply(&large).await?;
    fleet.observe(&Scope::Graph(large.service.graph.clone())).await?;
    fleet.scale(&large.service, &on(&[("m2", 2)])).await?;
    fleet.apply(&small).await?;
    fleet.remove(&small.service).await?;
    server.make_work(namespace, "web-deployment");
    server.later();
    // The first look deletes the Work, the second forgets the release.
    for _ in 0..2 {
        fleet.observe(&Scope::Graph(large.service.graph.clone())).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_rights_is_told_which() {
    let Some(server) = Server::take().await else {
        return;
    };
    server.set_clusters(&[]);
    server.allow_nothing();
    let fleet = server.restricted().await;
    let (spec, _) = large_and_small("rights");
    let errors = [
        fleet.inventory().await.unwrap_err(),
        fleet.observe(&Scope::All).await.unwrap_err(),
        fleet.apply(&spec).await.unwrap_err(),
        fleet.scale(&spec.service, &on(&[("m1", 1)])).await.unwrap_err(),
        fleet.remove(&spec.service).await.unwrap_err(),
    ];
    assert!(
        errors
            .iter()
            .all(|error| error.kind() == ErrorKind::Unauthenticated)
    );
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    inventory: testbed-restricted may not list clusters.cluster.karmada.io in the whole cluster (allow it: `kubectl create clusterrole NAME --verb=list --resource=clusters.cluster.karmada.io`, bound to them; `permissions` is a role with all that is needed)
    observe all: testbed-restricted may not list secrets in the whole cluster (allow it: `kubectl create clusterrole NAME --verb=list --resource=secrets`, bound to them; `permissions` is a role with all that is needed)
    apply rights/shop/web: testbed-restricted may not get secrets in namespace rights (allow it: `kubectl create role NAME --verb=get --resource=secrets -n rights`, bound to them; `permissions` is a role with all that is needed)
    scale rights/shop/web: testbed-restricted may not get secrets in namespace rights (allow it: `kubectl create role NAME --verb=get --resource=secrets -n rights`, bound to them; `permissions` is a role with all that is needed)
    remove rights/shop/web: testbed-restricted may not get secrets in namespace rights (allow it: `kubectl create role NAME --verb=get --resource=secrets -n rights`, bound to them; `permissions` is a role with all that is needed)
    ");
    assert_eq!(
        denied(&errors[2]),
        &Denied {
            user: USER.to_owned(),
            verb: "get".to_owned(),
            resource: "secrets".to_owned(),
            namespace: Some("rights".to_owned()),
        }
    );
}

/// The documented role is enough, and nothing in it is too much.
#[tokio::test(flavor = "multi_thread")]
async fn the_role_holds_what_is_needed_and_no_more() {
    let Some(server) = Server::take().await else {
        return;
    };
    server.set_clusters(&[]);
    let fleet = server.restricted().await;
    let role = permissions(ROLE);
    server.allow(&role);
    server
        .until_it_counts("list", "works.work.karmada.io", true)
        .await;
    let _absent = server
        .kubectl
        .run(&["delete", "namespace", "role", "--ignore-not-found"]);
    whole_life(&server, &fleet, "role").await.unwrap();
    assert_eq!(server.names("role"), [""; 0]);

    let mut tried = 0;
    for (index, rule) in role["rules"].as_array().unwrap().iter().enumerate() {
        let group = rule["apiGroups"][0].as_str().unwrap();
        let list = |key: &str| -> Vec<String> { serde_json::from_value(rule[key].clone()).unwrap() };
        for (resource, verb) in list("resources").iter().flat_map(|resource| {
            let verbs = list("verbs");
            verbs.into_iter().map(move |verb| (resource.clone(), verb))
        }) {
            if NOT_FOR_IMAGES.contains(&resource.as_str()) || verb == "watch" {
                continue;
            }
            // The rule without the verb, and the rule's other resources with it.
            let mut less = role.clone();
            let rules = less["rules"].as_array_mut().unwrap();
            let others: Vec<String> = list("resources")
                .into_iter()
                .filter(|other| *other != resource)
                .collect();
            let verbs: Vec<String> = list("verbs").into_iter().filter(|other| *other != verb).collect();
            rules[index]["resources"] = json!([resource]);
            rules[index]["verbs"] = json!(verbs);
            if verbs.is_empty() {
                rules.remove(index);
            }
            if !others.is_empty() {
                rules.push(json!({"apiGroups": [group], "resources": others, "verbs": list("verbs")}));
            }
            let full = if group.is_empty() {
                resource.clone()
            } else {
                format!("{resource}.{group}")
            };
            server.allow(&less);
            server.until_it_counts(&verb, &full, false).await;
            // Namespaces are written only where there are none yet.
            let namespace = if resource == "namespaces" {
                format!("role-{verb}")
            } else {
                "role".to_owned()
            };
            let error = whole_life(&server, &fleet, &namespace)
                .await
                .expect_err(&format!("{verb} {full} is not needed"));
            let denied = denied(&error);
            assert_eq!(
                (denied.verb.as_str(), denied.resource.as_str()),
                (verb.as_str(), full.as_str()),
                "{error}"
            );
            assert_eq!(denied.user, USER);
            reported_and_cleared(&server, &namespace, &error).await;
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
    server.allow_nothing();
    for namespace in ["role", "role-get", "role-create", "role-patch"] {
        let _absent = server.kubectl.run(&[
            "delete",
            "namespace",
            namespace,
            "--ignore-not-found",
            "--wait=false",
        ]);
    }
}

/// Whatever a failed call left is on record, so that somebody with all rights sees it and takes it away.
async fn reported_and_cleared(server: &Server, namespace: &str, error: &BackendError) {
    let (spec, _) = large_and_small(namespace);
    let left = server.names(namespace);
    if left.is_empty() {
        return;
    }
    match server.fleet.release(&spec.service).await {
        Ok(observed) => {
            assert_eq!(observed.chart, spec.chart);
            assert!(server.fleet.remove(&spec.service).await.unwrap().existed);
        }
        // It was taken back; what is left is word of that, until no copy can come any more.
        Err(missing) => assert_eq!(left, ["secret/smo.web"], "not reported ({missing}) after {error}"),
    }
    server.nothing_left(namespace, &error.to_string()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_apply_that_is_refused_in_the_middle_takes_back_what_it_wrote() {
    let Some(server) = Server::take().await else {
        return;
    };
    server.set_clusters(&[]);
    server.fresh_namespace("middle");
    let mut role = permissions(ROLE);
    let rules = role["rules"].as_array_mut().unwrap();
    rules.retain(|rule| rule["resources"] != json!(["services"]));
    rules.push(json!({"apiGroups": [""], "resources": ["services"], "verbs": ["get", "delete"]}));
    server.allow(&role);
    server.until_it_counts("create", "services", false).await;
    server.until_it_counts("create", "deployments.apps", true).await;
    let fleet = server.restricted().await;
    let (spec, _) = large_and_small("middle");
    let error = fleet.apply(&spec).await.unwrap_err();
    insta::assert_snapshot!(error, @"apply middle/shop/web: testbed-restricted may not patch services in namespace middle (allow it: `kubectl create role NAME --verb=patch --resource=services -n middle`, bound to them; `permissions` is a role with all that is needed)");
    assert_eq!(
        server.names("middle"),
        ["secret/smo.web"],
        "Karmada may have begun to spread it"
    );
    server.nothing_left("middle", &error.to_string()).await;
    server.allow_nothing();
    server.drop_namespace("middle");
}
