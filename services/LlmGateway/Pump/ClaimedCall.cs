using System.Runtime.InteropServices;
using Assay.LlmGateway.Engines;

namespace Assay.LlmGateway.Pump;

/// <summary>A call that this instance owns: planned, reserved, waiting to be sent.</summary>
sealed record ClaimedCall
{
    public required string CallKey { get; init; }
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required Guid Owner { get; init; }
    public required EngineDefinition Engine { get; init; }
    public required RenderedRequest Request { get; init; }
    public required long ReservedMicroUsd { get; init; }
    public required int TokenBound { get; init; }
    public required DateTime DeadlineAt { get; init; }

    /// <summary>The audit's trace; null if nobody traced it.</summary>
    public required string? TraceParent { get; init; }

    /// <summary>Sends so far, over all attempts.</summary>
    public required int Tries { get; init; }

    public required int InvalidTries { get; init; }

    /// <summary>Whether this is the one further paid try of a call in doubt that a policy or an operator permits.</summary>
    public required bool IsPermitted { get; init; }

    /// <summary>Whether the permission of this attempt is used up, this try included.</summary>
    public required bool PermissionUsed { get; init; }

    /// <summary>The batch whose calls were owned from the start, this one among them; null for a call that was claimed.</summary>
    public OwnedBatch? Batch { get; init; }
}

/// <summary>
/// How many of a batch's calls, owned from the start, are left to be decided here: while there are any, the ledger need not be asked whether
/// the batch has ended.
/// </summary>
/// <param name="batchId">The batch.</param>
/// <param name="calls">How many calls were owned.</param>
sealed class OwnedBatch(Guid batchId, int calls)
{
    int _left = calls;

    public Guid BatchId { get; } = batchId;

    /// <summary>Whether nothing may be left after so many more are decided.</summary>
    public bool MayEndWith(int decided) => Volatile.Read(ref _left) <= decided;

    /// <summary>Whether, by the count, so many more decided are the last ones.</summary>
    public bool EndsWith(int decided) => Volatile.Read(ref _left) is > 0 and var left && left <= decided;

    public void Decided() => Interlocked.Decrement(ref _left);

    /// <summary>A call of it is not this instance's any more, or is claimed like any other: what is left is for the ledger to say.</summary>
    public void LoseCount() => Volatile.Write(ref _left, int.MinValue / 2);
}

/// <summary>What the ledger says to an intent to send.</summary>
enum Verdict
{
    /// <summary>The call is <c>Sending</c>, durably: write the bytes now.</summary>
    Send,

    /// <summary>The call is not this instance's to send any more: its row moved.</summary>
    Gone,

    /// <summary>Its attempt was closed or its deadline has passed: neither it nor the others like it may be sent.</summary>
    Over,

    /// <summary>Spending is halted.</summary>
    Halted,

    /// <summary>This instance was taken for dead; what it had not sent belongs to others now.</summary>
    OwnerLost,

    /// <summary>Nobody knows whether the intent was stored; it has been taken back. Ask again.</summary>
    Again,
}

/// <param name="Verdict">The verdict.</param>
/// <param name="TryId">The try, where the verdict is <see cref="Verdict.Send"/>.</param>
/// <param name="StoredAt">Monotonic time stamp taken before the commit began.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct SendPermit(Verdict Verdict, Guid TryId, long StoredAt);
