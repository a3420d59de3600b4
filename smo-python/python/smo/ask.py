"""Questions about decisions: what if, trade-offs, losses, few moves and their order, repairs, reasons.

Each is a function from a `PlacementProblem` to an answer that prints as text, has `to_dict()`, and shows itself in a notebook.
They take any placer; every placement they give back was verified, and what they claim beyond it is proved or said not to be.
"""

from ._smo import (
    AskProgress,
    Edit,
    FewMoves,
    FullExplanation,
    LossCertificate,
    MoveCurve,
    MoveOrder,
    ParetoFront,
    Repairs,
    WhatIf,
    explain_in_full,
    move_curve,
    order_of_moves,
    pareto,
    repairs,
    single_losses,
    what_if,
    with_few_moves,
)

__all__ = [
    "AskProgress",
    "Edit",
    "FewMoves",
    "FullExplanation",
    "LossCertificate",
    "MoveCurve",
    "MoveOrder",
    "ParetoFront",
    "Repairs",
    "WhatIf",
    "explain_in_full",
    "move_curve",
    "order_of_moves",
    "pareto",
    "repairs",
    "single_losses",
    "what_if",
    "with_few_moves",
]
