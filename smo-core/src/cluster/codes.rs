//! Every kind of violation and note that reading a fleet file can give, beside those of [`crate::yaml`] and
//! [`crate::decode`].

use crate::diagnostic::{Code, code_table};

code_table! {
    /// The document has no root key `fleet`.
    NOT_A_FLEET = "F001";
    /// The fleet has no cluster.
    NO_CLUSTERS = "F002";
    /// Two clusters have one name.
    DUPLICATE_CLUSTER = "F003";
    /// A cluster name that is no DNS label.
    BAD_NAME = "F004";
    /// A label or taint that Kubernetes would not take.
    BAD_LABEL = "F005";
    /// A value that is not one of the few that are known.
    UNKNOWN_VALUE = "F006";
    /// A text that is no moment in time.
    BAD_TIMESTAMP = "F007";
    /// A resource that is not known.
    UNKNOWN_RESOURCE = "F008";
    /// One resource under two names.
    REPEATED_RESOURCE = "F009";
    /// An amount that is no quantity, is negative, or is too large.
    BAD_QUANTITY = "F010";
    /// A cluster that does not say how much cpu or memory it offers.
    MISSING_AMOUNT = "F011";
    /// A price that is no amount of money, or is negative.
    BAD_PRICE = "F012";
    /// A carbon intensity that is negative, not finite, or too large.
    BAD_INTENSITY = "F013";
    /// A power usage effectiveness below 1.
    BAD_PUE = "F014";
    /// A power that is negative or not finite.
    BAD_POWER = "F015";
    /// A network entry that names a cluster the fleet does not have.
    UNKNOWN_CLUSTER = "F016";
    /// A network entry between a cluster and itself.
    SELF_PAIR = "F017";
    /// Two network entries for one pair of clusters.
    DUPLICATE_PAIR = "F018";
    /// A network entry that does not name two clusters.
    NOT_A_PAIR = "F019";
    /// A round trip that is negative or no number.
    BAD_RTT = "F020";
    /// A headroom that is no whole number of per cent from 0 to 100.
    BAD_PERCENT = "F021";
    /// More is allocated than is offered. A note.
    OVERCOMMITTED = "F101";
}
