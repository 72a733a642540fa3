using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.Pump;

/// <summary>How a call goes on after a try.</summary>
enum Next
{
    /// <summary>It is decided.</summary>
    Decided,

    /// <summary>It keeps its owner and its reservation and is sent again after a pause: nothing was billed.</summary>
    Later,

    /// <summary>It is planned anew, needs a new reservation, and falls back to this outcome if it gets none.</summary>
    Replan,
}

/// <summary>What a try's outcome means for the try, the call and the money.</summary>
sealed record OutcomeDecision
{
    public required string TryState { get; init; }
    public required long ChargedMicroUsd { get; init; }
    public required Next Next { get; init; }

    /// <summary>The decided state, or the one to fall back to.</summary>
    public required string CallState { get; init; }

    public string? Reason { get; init; }
    public TimeSpan Pause { get; init; }

    /// <summary>Whether the try was or may have been billed.</summary>
    public bool MayBeBilled => TryState is not (TryStates.NotBilled or TryStates.NotSent);

    /// <summary>What the decision depends on besides the outcome.</summary>
    /// <param name="IsLive">Whether the attempt may still spend.</param>
    /// <param name="IsLate">Whether the try had been given up as in doubt before its outcome came.</param>
    /// <param name="Attempt">The attempt of the audit.</param>
    /// <param name="Tries">Sends of the call, this one included.</param>
    /// <param name="InvalidTries">Unreadable answers before this one.</param>
    /// <param name="IsPermitted">Whether this try repeated one in doubt.</param>
    /// <param name="MayAskAgain">Whether a try in doubt may be followed by one further paid try.</param>
    public readonly record struct Circumstances(bool IsLive, bool IsLate, int Attempt, int Tries, int InvalidTries, bool IsPermitted, bool MayAskAgain);

    /// <summary>Whether the decision is the same in all <see cref="Circumstances"/>: so it is for a readable answer that was paid for.</summary>
    public static bool DependsOnlyOn(EngineOutcome outcome) => outcome is { Class: OutcomeClass.Billed, Invalid: false };

    public static OutcomeDecision Of(EngineOutcome outcome, EngineDefinition engine, RenderedRequest request, Circumstances now, TimeSpan firstBackoff, TimeSpan longestBackoff)
    {
        var charged = engine.SettleMicroUsd(request, outcome);
        return outcome.Class switch
        {
            OutcomeClass.NotBilled => NotBilled(outcome, engine, now, firstBackoff, longestBackoff),
            OutcomeClass.Billed => Billed(outcome, engine, now, charged),
            _ => new()
            {
                TryState = TryStates.InDoubt,
                ChargedMicroUsd = charged,
                Next = now is { IsLive: true, IsLate: false, MayAskAgain: true } ? Next.Replan : Next.Decided,
                CallState = CallStates.InDoubt,
                Reason = outcome.Reason ?? CallReasons.ConnectionLost,
            },
        };
    }

    /// <summary>No byte was written: nothing happened. A live call simply goes on.</summary>
    public static OutcomeDecision NotSent(Circumstances now) => new()
    {
        TryState = TryStates.NotSent,
        ChargedMicroUsd = 0,
        Next = now is { IsLive: true, IsLate: false } ? Next.Later : Next.Decided,
        CallState = now.IsPermitted ? CallStates.InDoubt : CallStates.Declined,
        Reason = now.IsLive ? CallReasons.OwnerLost : CallReasons.AuditClosed,
    };

    static OutcomeDecision NotBilled(EngineOutcome outcome, EngineDefinition engine, Circumstances now, TimeSpan firstBackoff, TimeSpan longestBackoff)
    {
        // One cap over all layers: the ledger counts every send, and each attempt of the audit adds MaxTries to what a key may have.
        var mayTryAgain = outcome.Retryable && now.Tries < engine.MaxTries * now.Attempt;
        var goesOn = mayTryAgain && now is { IsLive: true, IsLate: false };
        var doubled = firstBackoff * Math.Pow(2, Math.Clamp((now.Tries - 1) % Math.Max(1, engine.MaxTries), 0, 16));
        return new()
        {
            TryState = TryStates.NotBilled,
            ChargedMicroUsd = 0,
            Next = goesOn ? Next.Later : Next.Decided,
            CallState = now.IsPermitted ? CallStates.InDoubt : CallStates.Declined,
            Reason = (outcome.Retryable, mayTryAgain) switch
            {
                (false, _) => outcome.Reason ?? CallReasons.ProviderRejected,
                (true, false) => CallReasons.TriesExhausted,
                _ => now.IsLive ? outcome.Reason ?? CallReasons.ProviderRejected : CallReasons.AuditClosed,
            },
            Pause = Max(outcome.RetryAfter ?? TimeSpan.Zero, doubled < longestBackoff ? doubled : longestBackoff),
        };
    }

    static OutcomeDecision Billed(EngineOutcome outcome, EngineDefinition engine, Circumstances now, long charged)
    {
        var state = outcome.State == CallStates.Answered && outcome.Text is null ? CallStates.Empty : outcome.State;
        return new()
        {
            TryState = state switch { CallStates.Answered => TryStates.Answered, CallStates.Refused => TryStates.Refused, _ => TryStates.Empty },
            ChargedMicroUsd = charged,
            Next = outcome.Invalid && now is { IsLive: true, IsLate: false } && now.InvalidTries < engine.InvalidRetries ? Next.Replan : Next.Decided,
            CallState = state is CallStates.Answered or CallStates.Refused ? state : CallStates.Empty,
            Reason = outcome.Reason ?? (state is CallStates.Answered or CallStates.Refused ? null : outcome.Invalid ? CallReasons.UnreadableAnswer : CallReasons.EmptyAnswer),
        };
    }

    static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
