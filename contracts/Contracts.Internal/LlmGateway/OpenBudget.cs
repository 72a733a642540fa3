using Assay.Contracts;

namespace Assay.Contracts.Internal.LlmGateway;

/// <summary>
/// Asks the gateway to judge engines, prices, halt and money for an attempt and to allocate its budget from tree and day.
/// Closes every earlier attempt first. Answered by <see cref="BudgetOpened"/> or <see cref="BudgetRefused"/>; while others'
/// allocations stand in the way, <see cref="BatchAlive"/> without a batch id says so.
/// </summary>
public sealed record OpenBudget
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }

    /// <summary>The root's audit id: the scope <c>tree:…</c>.</summary>
    public required Guid TrackingId { get; init; }

    /// <summary>The request, from which the quote's own code counts calls and worst case.</summary>
    public required RequestAudit Request { get; init; }

    /// <summary>The audit's ceiling over all attempts; a retry may have raised it.</summary>
    public required long CeilingMicroUsd { get; init; }

    public required long TreeCeilingMicroUsd { get; init; }

    /// <summary>Whether the tree ceiling was defaulted from the ceiling, so that a retry that raises one raises the other.</summary>
    public required bool TreeCeilingDefaulted { get; init; }

    public required DateTime DeadlineAt { get; init; }

    /// <summary>The operator's permission for one further paid try of each call in doubt, in this attempt.</summary>
    public bool AskInDoubtAgain { get; init; }
}

/// <summary>The attempt has its budget; engines are pinned from the first attempt on.</summary>
public sealed record BudgetOpened
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required IReadOnlyList<EnginePin> Pins { get; init; }

    /// <summary>Paid calls planned, advisor calls included.</summary>
    public required int PlannedCalls { get; init; }

    public required long WorstCaseMicroUsd { get; init; }
    public required long AllocatedMicroUsd { get; init; }

    /// <summary>A number that only grows in the gateway's database; a lower one later means the database was restored to an earlier point.</summary>
    public required long LedgerSequence { get; init; }
}

/// <summary>What an engine name meant when the audit's budget was first opened.</summary>
public sealed record EnginePin
{
    public required string Engine { get; init; }
    public required string Kind { get; init; }
    public required string Model { get; init; }

    /// <summary>Whether the engine is a simulator (<c>scripted</c>).</summary>
    public required bool Simulated { get; init; }

    /// <summary>Hash over everything that changes what is asked: kind, base address, model, parameters.</summary>
    public required string ParametersHash { get; init; }
}

/// <summary>The attempt cannot have a budget; nothing was spent or kept.</summary>
public sealed record BudgetRefused
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }

    /// <summary>One of <see cref="RejectionReasons"/>.</summary>
    public required string Reason { get; init; }

    public required string Detail { get; init; }
}

/// <summary>Ends an attempt's spending: the fence. Declines what is planned, releases what is not on the wire. Sent on every terminal state.</summary>
public sealed record CloseBudget
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required string Reason { get; init; }
}

/// <summary>The audit's money as the ledger knows it, over all attempts; published when a batch ends, a budget closes or a late outcome settles.</summary>
public sealed record BudgetReported
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }

    /// <summary>Grows with every report of this audit; a reader keeps the highest.</summary>
    public required long Version { get; init; }

    public required long CeilingMicroUsd { get; init; }
    public required long ReservedMicroUsd { get; init; }
    public required long SpentMicroUsd { get; init; }
    public required long InDoubtMicroUsd { get; init; }
    public required long OverrunMicroUsd { get; init; }

    /// <summary>Distinct calls (keys) decided or on the wire.</summary>
    public required int Calls { get; init; }

    /// <summary>Tries that were or may have been billed.</summary>
    public required int PaidTries { get; init; }

    public required int InDoubt { get; init; }

    /// <summary>Calls answered from the ledger in this attempt, free.</summary>
    public required int Reused { get; init; }

    /// <summary>Whether the attempt's budget is closed and nothing is on the wire: these figures are final unless an operator acts.</summary>
    public required bool Final { get; init; }

    public required DateTime At { get; init; }
}
