using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.AskEngine;

/// <summary>What to do about a question whose call may already be in the ledger.</summary>
enum Ask
{
    /// <summary>Not in the ledger: plan it.</summary>
    Insert,

    /// <summary>Was declined in an earlier attempt: plan it again.</summary>
    PlanAgain,

    /// <summary>In doubt, and one further paid try is permitted: plan it again, to fall back to in doubt.</summary>
    AskAgain,

    /// <summary>Planned or on the wire: its outcome answers this question too.</summary>
    Wait,

    /// <summary>Decided: the answer is taken from the ledger, free.</summary>
    Reuse,
}

/// <summary>Decisions about calls, over plain values.</summary>
static class CallDecision
{
    /// <param name="state">The call's state in the ledger; null if it is not there.</param>
    /// <param name="plannedAttempt">The attempt that planned it last.</param>
    /// <param name="permittedAttempt">The attempt whose permission for a further paid try is used up.</param>
    /// <param name="attempt">The attempt that asks.</param>
    /// <param name="permission">Whether the audit's policy or an operator permits a further paid try of calls in doubt.</param>
    public static Ask OnAsk(string? state, int plannedAttempt, int permittedAttempt, int attempt, bool permission) => state switch
    {
        null => Ask.Insert,
        CallStates.Declined when plannedAttempt < attempt => Ask.PlanAgain,
        CallStates.InDoubt when permission && permittedAttempt < attempt => Ask.AskAgain,
        CallStates.Planned or CallStates.Sending => Ask.Wait,
        _ => Ask.Reuse,
    };

    /// <summary>Whether one further paid try of calls in doubt is permitted in this attempt.</summary>
    public static bool MayAskAgain(BudgetView budget, int attempt) => budget.InDoubtPolicy == InDoubtPolicies.AskAgain || budget.AskAgainAttempt == attempt;
}
