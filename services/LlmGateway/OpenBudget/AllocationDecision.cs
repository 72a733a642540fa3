using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.OpenBudget;

enum Allocation
{
    /// <summary>Tree and day have the room: take it.</summary>
    Open,

    /// <summary>The room is there once others' open allocations return.</summary>
    Wait,

    /// <summary>What is spent already leaves no room, whatever returns.</summary>
    Refuse,
}

/// <summary>Whether a budget opens, waits or is refused. Only what is <em>spent</em> refuses; what is merely allocated to others is waited for.</summary>
readonly record struct AllocationDecision(Allocation Verdict, string? Scope)
{
    public static AllocationDecision Of(long needed, IReadOnlyCollection<SpendingView> scopes, IReadOnlySet<string> blocked)
    {
        foreach (var scope in scopes)
            if (needed > scope.FreeAtBest)
                return new(Allocation.Refuse, scope.Scope);
        if (needed == 0)
            return new(Allocation.Open, null);
        foreach (var scope in scopes)
            if (blocked.Contains(scope.Scope) || needed > scope.Free)
                return new(Allocation.Wait, scope.Scope);
        return new(Allocation.Open, null);
    }
}
