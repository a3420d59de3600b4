//! Reading what is installed for a service.

use std::collections::BTreeMap;

use super::codes;
use super::reader::Reader;
use crate::decode::Cursor;
use crate::diagnostic::quoted;
use crate::graph::{Artifact, Extensions, Implementer};
use crate::yaml::Value;

impl<'a> Reader<'a, '_> {
    /// The artifact at `at`; its unknown keys go to `extensions`.
    pub(super) fn artifact(
        &mut self,
        at: &Cursor<'a>,
        extensions: &mut BTreeMap<String, Extensions>,
    ) -> Option<Artifact> {
        let mut map = self.decoder.map(at)?;
        let reference = map
            .require(&mut self.decoder, "ociImage")
            .and_then(|at| self.reference(&at));
        let (mut kind, mut implementer) = (None, Implementer::Helm);
        if let Some(mut config) = map.get("ociConfig").and_then(|at| self.decoder.map(&at)) {
            kind = self.text_in(&mut config, "type");
            implementer = match self.text_in(&mut config, "implementer") {
                Some(name) if name.eq_ignore_ascii_case("WOT") => Implementer::Wot,
                Some(name) if name.eq_ignore_ascii_case("HELM") => Implementer::Helm,
                Some(name) => Implementer::Other(name),
                None => Implementer::Helm,
            };
            extensions.insert("artifact.ociConfig".to_owned(), config.finish(&mut self.decoder));
        }
        let (mut runner, mut runner_version) = (None, None);
        if let Some(mut run) = map.get("ociRun").and_then(|at| self.decoder.map(&at)) {
            runner = self.text_in(&mut run, "name");
            runner_version = self.text_in(&mut run, "version");
            extensions.insert("artifact.ociRun".to_owned(), run.finish(&mut self.decoder));
        }
        let values = map
            .get("valuesOverwrite")
            .map(|at| self.values(&at))
            .unwrap_or_default();
        extensions.insert("artifact".to_owned(), map.finish(&mut self.decoder));
        Some(Artifact {
            reference: reference?,
            kind,
            implementer,
            runner,
            runner_version,
            values: values.into(),
        })
    }

    /// A reference to a chart: `oci://`, `https://` or `http://` and host and path, or host and path alone; or to a plain
    /// container image, `docker://` and host and path.
    fn reference(&mut self, at: &Cursor<'a>) -> Option<String> {
        let text = self.decoder.text(at)?;
        let (scheme, address) = match text.split_once("://") {
            Some((scheme, address)) => (Some(scheme), address),
            None => (None, text),
        };
        if address.split('/').next().is_some_and(|host| host.contains('@')) {
            let message = "the reference carries a user name or password";
            self.decoder
                .report_hidden(at, codes::CREDENTIALS_IN_ARTIFACT, message)
                .hint =
                Some("leave it out; credentials belong to the configuration of the registry".to_owned());
            return None;
        }
        let fault = if text.trim().is_empty() {
            Some("an empty reference".to_owned())
        } else if let Some(scheme) = scheme
            && !["oci", "https", "http", "docker"].contains(&scheme)
        {
            Some(format!("{} has a scheme that is not known", quoted(text)))
        } else if address.contains(char::is_whitespace) || address.contains(char::is_control) {
            Some(format!(
                "{} has white space or control characters in it",
                quoted(text)
            ))
        } else if address.split('/').any(str::is_empty) || !address.contains('/') || address.starts_with('.')
        {
            Some(format!("{} does not say both registry and chart", quoted(text)))
        } else {
            None
        };
        if let Some(fault) = fault {
            self.decoder.report(at, codes::BAD_ARTIFACT, fault).hint = Some(
                "write oci://host/project/name, an https:// address or host/project/name for a chart, and \
                     docker://host/name:tag for a plain image"
                    .to_owned(),
            );
            return None;
        }
        if scheme == Some("http") {
            let message = "the chart is fetched over plain HTTP, where anybody on the way can change it";
            self.decoder.note(at, codes::PLAIN_HTTP, message).hint =
                Some("use https:// or oci://".to_owned());
        }
        Some(text.to_owned())
    }

    /// Helm values: free data, taken as they are and never shown.
    fn values(&mut self, at: &Cursor<'a>) -> Extensions {
        match (&at.node.value, at.node.to_json()) {
            (Value::Null, _) => Extensions::new(),
            (_, serde_json::Value::Object(values)) => values,
            _ => {
                let message = format!("{} where a map of Helm values is expected", at.node.kind());
                self.decoder.report_hidden(at, codes::BAD_VALUES, message);
                Extensions::new()
            }
        }
    }
}
