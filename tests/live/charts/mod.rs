//! The charts of the Brussels demo, as its values contract has them, and variations of them.

use std::collections::BTreeMap;
use std::path::Path;

/// A chart as files, to be changed and pushed.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    pub(crate) name: String,
    files: BTreeMap<String, String>,
}

impl Chart {
    /// Files that the caller gives.
    pub(crate) fn new(name: &str, version: &str) -> Self {
        let chart = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
        Self {
            name: name.to_owned(),
            files: BTreeMap::new(),
        }
        .with("Chart.yaml", &chart)
    }

    /// An application: Deployment, Service, export, import, monitor, and a policy for each.
    pub(crate) fn app(name: &str, version: &str) -> Self {
        Self::new(name, version)
            .with("values.yaml", include_str!("app/values.yaml"))
            .with(
                "templates/deployment.yaml",
                include_str!("app/templates/deployment.yaml"),
            )
            .with(
                "templates/service.yaml",
                include_str!("app/templates/service.yaml"),
            )
            .with(
                "templates/propagationpolicy.yaml",
                include_str!("app/templates/propagationpolicy.yaml"),
            )
            .with(
                "templates/serviceexport.yaml",
                include_str!("app/templates/serviceexport.yaml"),
            )
            .with(
                "templates/servicemonitor.yaml",
                include_str!("app/templates/servicemonitor.yaml"),
            )
    }

    /// A virtual object of the Web of Things, with a values schema that refuses every other key.
    pub(crate) fn virtual_object(name: &str, version: &str) -> Self {
        Self::new(name, version)
            .with("values.yaml", include_str!("vo/values.yaml"))
            .with("values.schema.json", include_str!("vo/values.schema.json"))
            .with("scripts/config.yaml", include_str!("vo/scripts/config.yaml"))
            .with(
                "templates/virtualobject.yaml",
                include_str!("vo/templates/virtualobject.yaml"),
            )
            .with(
                "templates/serviceexport.yaml",
                include_str!("vo/templates/serviceexport.yaml"),
            )
    }

    /// The same with this file.
    pub(crate) fn with(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    /// The same without this file.
    pub(crate) fn without(mut self, path: &str) -> Self {
        self.files.remove(path);
        self
    }

    /// The same with `from` replaced in a file, where it has to be.
    pub(crate) fn changed(mut self, path: &str, from: &str, to: &str) -> Self {
        let text = self.files.get_mut(path).unwrap();
        assert!(text.contains(from), "{path} has no `{from}`");
        *text = text.replace(from, to);
        self
    }

    /// Writes it into a folder.
    pub(crate) fn write(&self, folder: &Path) {
        for (path, text) in &self.files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }
}
