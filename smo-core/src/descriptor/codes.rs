//! Every kind of violation and note that reading a descriptor can give.
//!
//! A code is never reused for something else. `E` refuses the descriptor; `N` is a note about one that is accepted.

use crate::diagnostic::{Code, code_table};

pub use crate::decode::{MISSING_KEY, MORE, UNKNOWN_KEY, WRONG_TYPE};
pub use crate::yaml::{SYNTAX, TOO_LARGE};

code_table! {
    [
        (SYNTAX, "The text is no YAML, or holds several documents."),
        (TOO_LARGE, "The text is larger, deeper or expands to more than a reader accepts."),
        (WRONG_TYPE, "A value of the wrong type."),
        (MISSING_KEY, "A required key is missing."),
        (MORE, "More violations than are listed."),
        (UNKNOWN_KEY, "A key that the format does not know."),
    ]
    /// A name that is no DNS label.
    NOT_A_LABEL = "E004";
    /// The document is no descriptor: it has no root key `hdaGraph`.
    NOT_A_DESCRIPTOR = "E006";
    /// The graph's own version is no semantic version.
    BAD_VERSION = "E007";
    /// A version of the information model that is not known.
    UNKNOWN_IM_VERSION = "E008";
    /// The graph has no service.
    NO_SERVICES = "E009";
    /// The graph has more services than are accepted.
    TOO_MANY_SERVICES = "E010";
    /// Two services have one id.
    DUPLICATE_SERVICE = "E011";
    /// A reference to a service that the graph does not have.
    DANGLING_REFERENCE = "E012";
    /// A service links to itself.
    SELF_LINK = "E013";
    /// Services that wait for one another.
    START_CYCLE = "E014";
    /// A service id too long for the name of a Helm release.
    LONG_SERVICE_ID = "E015";
    /// One link with two latency classes.
    CONFLICTING_LATENCY = "E016";
    /// A name that is an empty text.
    EMPTY_NAME = "E017";
    /// A class that the catalogue does not have.
    UNKNOWN_CLASS = "E021";
    /// An amount that is no quantity, is negative, or is too large.
    BAD_QUANTITY = "E022";
    /// A latency class that is not known.
    UNKNOWN_QOS = "E023";
    /// Bounds on replicas that no number of replicas meets.
    BAD_REPLICA_BOUNDS = "E024";
    /// A trigger of a form that is not known.
    UNKNOWN_TRIGGER = "E030";
    /// A trigger that is automatic and waits for an event at once.
    AMBIGUOUS_TRIGGER = "E031";
    /// An event trigger without events.
    NO_EVENTS = "E032";
    /// Two events of a trigger, or two metrics of a service, have one id.
    DUPLICATE_ID = "E033";
    /// An event condition that is not known.
    UNKNOWN_CONDITION = "E034";
    /// An empty PromQL query.
    EMPTY_QUERY = "E035";
    /// A text that is no Prometheus duration.
    BAD_DURATION = "E036";
    /// An artifact reference that is no reference to a chart.
    BAD_ARTIFACT = "E040";
    /// An artifact reference that carries a password.
    CREDENTIALS_IN_ARTIFACT = "E041";
    /// Helm values that are no map.
    BAD_VALUES = "E042";
    /// A latency for no connection point, as templates leave it behind.
    UNUSED_PLACEHOLDER = "N002";
    /// Connection points below `network`, where the format does not have them; they are read.
    MISPLACED_CONNECTION_POINTS = "N003";
    /// A latency for a service that is no connection point.
    LATENCY_WITHOUT_LINK = "N004";
    /// An event source that names no service or metric of the graph.
    UNKNOWN_EVENT_SOURCE = "N005";
    /// The version of the information model is not given.
    NO_IM_VERSION = "N006";
    /// A boolean written as a text.
    BOOLEAN_AS_TEXT = "N007";
    /// Information model 0.3.0, which says less than 0.4.0.
    OLD_IM_VERSION = "N008";
    /// A latency class that `highPerformance` overrides.
    OVERRIDDEN_LATENCY = "N009";
    /// A connection point listed twice.
    REPEATED_CONNECTION_POINT = "N010";
    /// A reference to a service that the graph does not have, dropped as the host asked.
    DROPPED_REFERENCE = "N011";
    /// Amounts that are not said, so that the catalogue's default class counts.
    DEFAULT_CLASS = "N012";
    /// A chart that is fetched over plain HTTP.
    PLAIN_HTTP = "N013";
}
