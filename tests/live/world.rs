//! A chart as the world writes them: dependencies, hooks, a CRD, notes, a values schema, and no word of Karmada.

use serde_json::Value;
use smo_testbed::live::eventually;

use crate::charts::Chart;
use crate::stage::{LONG, SMALL, Stage, service};

const PARENT: &str = "
apiVersion: v2
name: shop
version: 2.3.1
appVersion: '7.1'
dependencies:
  - {name: cache, version: 1.x.x, repository: 'https://charts.example.com', condition: cache.enabled}
  - {name: db, version: ~3.2.0, repository: 'https://charts.example.com', alias: store}
  - {name: mailer, version: 0.1.0, repository: 'https://charts.example.com', condition: mailer.enabled}
";
const VALUES: &str = "
replicaCount: 2
image: {repository: registry.example.com/shop, tag: ''}
cache: {enabled: true}
mailer: {enabled: false}
store: {persistence: false}
global: {team: sales}
";
const SCHEMA: &str = r#"{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "properties": {"replicaCount": {"type": "integer", "minimum": 1}, "image": {"type": "object", "required": ["repository"]}}
}"#;
const HELPERS: &str = r#"{{- define "shop.name" -}}{{ .Release.Name }}-shop{{- end }}"#;
const DEPLOYMENT: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ include "shop.name" . }}, labels: {team: {{ .Values.global.team }}}}
spec:
  replicas: {{ .Values.replicaCount }}
  selector: {matchLabels: {app: {{ include "shop.name" . }}}}
  template:
    metadata: {labels: {app: {{ include "shop.name" . }}}}
    spec:
      serviceAccountName: {{ include "shop.name" . }}
      containers:
        - name: shop
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          envFrom: [{configMapRef: {name: {{ include "shop.name" . }}}}]
          resources: {requests: {cpu: 100m, memory: 64Mi}}
"#;
const OTHERS: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: {{ include "shop.name" . }}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ include "shop.name" . }}}
data: {store: "{{ .Release.Name }}-store"}
---
apiVersion: v1
kind: Service
metadata: {name: {{ include "shop.name" . }}}
spec: {selector: {app: {{ include "shop.name" . }}}, ports: [{name: http, port: 80}]}
---
apiVersion: shop.example.com/v1
kind: Till
metadata: {name: {{ include "shop.name" . }}}
spec: {currency: EUR}
"#;
const HOOK: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-migration
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: "-5"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
data: {step: "1"}
"#;
const TEST: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: "{{ .Release.Name }}-test", annotations: {helm.sh/hook: test}}
spec: {restartPolicy: Never, containers: [{name: test, image: registry.example.com/test:1}]}
"#;
const CRD: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tills.shop.example.com}
spec:
  group: shop.example.com
  scope: Namespaced
  names: {kind: Till, plural: tills, singular: till}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"#;
const CACHE: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-cache, labels: {team: {{ .Values.global.team }}}}
spec:
  selector: {matchLabels: {app: cache}}
  template:
    metadata: {labels: {app: cache}}
    spec: {containers: [{name: cache, image: "registry.example.com/cache:1"}]}
"#;
const STORE: &str = r#"
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: {{ .Release.Name }}-{{ .Chart.Name }}}
spec:
  serviceName: {{ .Release.Name }}-{{ .Chart.Name }}
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec: {containers: [{name: db, image: "registry.example.com/db:1"}]}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-{{ .Chart.Name }}}
stringData: {password: {{ .Release.Name | sha256sum | quote }}}
"#;

fn chart() -> Chart {
    Chart::new("shop", "2.3.1")
        .with("Chart.yaml", PARENT)
        .with("values.yaml", VALUES)
        .with("values.schema.json", SCHEMA)
        .with("crds/till.yaml", CRD)
        .with("templates/_helpers.tpl", HELPERS)
        .with(
            "templates/NOTES.txt",
            "{{ .Release.Name }} sells at http://{{ include \"shop.name\" . }}.\n",
        )
        .with("templates/deployment.yaml", DEPLOYMENT)
        .with("templates/others.yaml", OTHERS)
        .with("templates/hook.yaml", HOOK)
        .with("templates/tests/pod.yaml", TEST)
        .with(
            "charts/cache/Chart.yaml",
            "{apiVersion: v2, name: cache, version: 1.4.0}",
        )
        .with("charts/cache/templates/deployment.yaml", CACHE)
        .with(
            "charts/db/Chart.yaml",
            "{apiVersion: v2, name: db, version: 3.2.7}",
        )
        .with("charts/db/values.yaml", "persistence: true")
        .with("charts/db/templates/store.yaml", STORE)
        .with(
            "charts/mailer/Chart.yaml",
            "{apiVersion: v2, name: mailer, version: 0.1.0}",
        )
        .with(
            "charts/mailer/templates/broken.yaml",
            "{{ fail \"the mailer is switched off\" }}",
        )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_of_the_world_is_placed_untouched() {
    let Some(mut stage) = Stage::new("world").await else {
        return;
    };
    stage.push(&chart()).await;
    // Its schema refuses what the designer wrote: that is said, and nothing is installed.
    let wrong = service("sales", "SHELF/shop:2.3.1", SMALL, &[], "replicaCount: 0");
    let graph = stage.graph("world", &wrong).await;
    let report = stage.refused(&graph).await;
    assert!(report.headline().contains("replicaCount"), "{report}");
    stage.nothing_left().await;

    let graph = stage
        .graph("world", &service("sales", "SHELF/shop:2.3.1", SMALL, &[], ""))
        .await;
    stage.deploy(&graph).await;
    stage.is_running(&graph).await;
    stage.all_bindings_healthy(&[]);
    for (api, collection, name) in [
        ("/apis/apps/v1", "deployments", "sales-shop"),
        ("/apis/apps/v1", "deployments", "sales-cache"),
        ("/apis/apps/v1", "statefulsets", "sales-store"),
        ("/api/v1", "services", "sales-shop"),
        ("/api/v1", "configmaps", "sales-shop"),
        ("/api/v1", "secrets", "sales-store"),
        ("/api/v1", "serviceaccounts", "sales-shop"),
    ] {
        assert_eq!(
            stage.members_with(api, collection, name),
            ["m1"],
            "{collection} {name}"
        );
    }
    // Karmada looks for new kinds every 30 s.
    let till =
        || (stage.members_with("/apis/shop.example.com/v1", "tills", "sales-shop") == ["m1"]).then_some(());
    eventually("the object of the chart's own kind", LONG, till);
    stage.lap("all of it in m1 alone");
    let crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tills.shop.example.com";
    let with_crd = ["m1", "m2", "m3"].map(|member| stage.in_member(member, crd).is_some());
    assert_eq!(with_crd, [true, false, false], "its CRD goes where it goes");
    let kubectl = stage.testbed.kubectl();
    let policies = kubectl
        .get(&["propagationpolicies", "--namespace", "world"])
        .unwrap();
    let names: Vec<&Value> = policies["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| &policy["metadata"]["name"])
        .collect();
    assert_eq!(names, ["sales.smo"], "one policy for what travels together");
    stage.remove(&graph).await;
    // Helm leaves CRDs, since objects of others may need them.
    kubectl.run(&["delete", "crd", "tills.shop.example.com"]).unwrap();
}
