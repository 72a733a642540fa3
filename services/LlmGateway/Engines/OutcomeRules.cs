using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines;

/// <summary>How much of a response body arrived.</summary>
public enum BodyState
{
    None,
    Whole,

    /// <summary>The connection ended before the body did.</summary>
    Cut,

    /// <summary>More than any answer needs; reading stopped.</summary>
    TooLarge,
}

/// <summary>What is known for certain about one try, without interpretation.</summary>
public sealed record WireFacts
{
    /// <summary>Whether the first byte of the request's body was handed to the connection.</summary>
    public required bool BytesLeft { get; init; }

    /// <summary>Whether the engine's own timeout ended the try.</summary>
    public bool TimedOut { get; init; }

    /// <summary>The status, once a response began.</summary>
    public int? Status { get; init; }

    public BodyState Body { get; init; }

    /// <summary>The provider's own word for an error, for example <c>insufficient_quota</c>.</summary>
    public string? ErrorWord { get; init; }

    /// <summary>What a whole 2xx body says; null where it is no answer in the provider's format.</summary>
    public ProviderAnswer? Answer { get; init; }
}

/// <summary>A 2xx body, read.</summary>
public sealed record ProviderAnswer
{
    public required string? Text { get; init; }
    public bool Refused { get; init; }

    /// <summary>The provider's own word for the refusal.</summary>
    public string? RefusalWord { get; init; }

    /// <summary>Whether the answer ends at the output limit.</summary>
    public bool CutByLength { get; init; }

    public IReadOnlyList<AnswerSource> Sources { get; init; } = [];
    public bool? SearchUsed { get; init; }
    public string? ServedModel { get; init; }
    public int? InputTokens { get; init; }
    public int? OutputTokens { get; init; }
    public bool CacheHit { get; init; }
}

/// <summary>What a try means: for money, for the call's state, for asking again.</summary>
public readonly record struct OutcomeVerdict(OutcomeClass Class, string State, string? Reason, bool Retryable, bool Invalid);

/// <summary>The one place that decides what an outcome means; the table in README.md beside this file says the same in words.</summary>
public static class OutcomeRules
{
    static readonly IReadOnlySet<int> None = new HashSet<int>();

    /// <param name="facts">What is known about the try.</param>
    /// <param name="notBilledStatuses">Further 5xx statuses that this provider is known not to bill.</param>
    public static OutcomeVerdict Classify(WireFacts facts, IReadOnlySet<int>? notBilledStatuses = null) => facts.Status switch
    {
        null when !facts.BytesLeft => NotBilled(CallReasons.ConnectionLost, retryable: true),
        null => InDoubt(facts.TimedOut ? CallReasons.Timeout : CallReasons.ConnectionLost),
        >= 200 and <= 299 => Succeeded(facts),
        // Money is gone or the account is closed: waiting does not help.
        429 when facts.ErrorWord is "insufficient_quota" or "billing_hard_limit_reached" => NotBilled(CallReasons.ProviderRejected, retryable: false),
        408 or 409 or 425 or 429 => NotBilled(CallReasons.ProviderRejected, retryable: true),
        >= 400 and <= 499 => NotBilled(CallReasons.ProviderRejected, retryable: false),
        503 or 529 => NotBilled(CallReasons.ServerError, retryable: true),
        { } status when (notBilledStatuses ?? None).Contains(status) => NotBilled(CallReasons.ServerError, retryable: true),
        >= 500 => InDoubt(CallReasons.ServerError),
        // Redirects are never followed: a request that costs money goes where it was configured to go.
        _ => NotBilled(CallReasons.ProviderRejected, retryable: false),
    };

    static OutcomeVerdict Succeeded(WireFacts facts) => facts switch
    {
        { Body: BodyState.Cut or BodyState.None } => InDoubt(facts.TimedOut ? CallReasons.Timeout : CallReasons.ConnectionLost),
        { Body: BodyState.TooLarge } or { Answer: null } => Billed(CallStates.Empty, CallReasons.UnreadableAnswer, invalid: true),
        { Answer.Refused: true } => Billed(CallStates.Refused, facts.Answer.RefusalWord ?? "refusal"),
        { Answer.Text: var text } when string.IsNullOrWhiteSpace(text) => Billed(CallStates.Empty, CallReasons.EmptyAnswer),
        { Answer.CutByLength: true } => Billed(CallStates.Answered, CallReasons.CutByLength),
        _ => Billed(CallStates.Answered, reason: null),
    };

    static OutcomeVerdict NotBilled(string reason, bool retryable) => new(OutcomeClass.NotBilled, CallStates.Declined, reason, retryable, Invalid: false);

    static OutcomeVerdict Billed(string state, string? reason, bool invalid = false) => new(OutcomeClass.Billed, state, reason, Retryable: false, invalid);

    static OutcomeVerdict InDoubt(string reason) => new(OutcomeClass.Unknown, CallStates.InDoubt, reason, Retryable: false, Invalid: false);
}
