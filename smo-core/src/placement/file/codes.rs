//! Every kind of violation that reading a problem can give, beside those of [`crate::yaml`], [`crate::decode`] and
//! [`crate::cluster::codes`].

use crate::diagnostic::{Code, code_table};

code_table! {
    /// The document has no root key `problem`.
    NOT_A_PROBLEM = "P001";
    /// A service that is not called `project/graph/service`.
    BAD_SERVICE = "P002";
    /// Two services have one name.
    DUPLICATE_SERVICE = "P003";
    /// A service that the problem does not have.
    UNKNOWN_SERVICE = "P004";
    /// A number that is no number, has no place in 64 bits, or is negative where that makes no sense.
    BAD_NUMBER = "P005";
    /// A rule that does not exist or cannot be a wish.
    BAD_RULE = "P006";
    /// The problem contradicts itself.
    INCONSISTENT = "P007";
}
