using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines;

/// <summary>What a try means for money; see README.md beside this file.</summary>
public enum OutcomeClass
{
    /// <summary>The provider charges nothing.</summary>
    NotBilled,

    /// <summary>The provider charges this try.</summary>
    Billed,

    /// <summary>Nobody here can know: in doubt, counted at its worst case.</summary>
    Unknown,
}

/// <summary>The outcome of one try.</summary>
public sealed record EngineOutcome
{
    public required OutcomeClass Class { get; init; }

    /// <summary>Answered, Refused, Empty, Declined or InDoubt; see <see cref="CallStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>One of <see cref="CallReasons"/>, or the provider's own word; also on a valid answer that was cut.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether the same request may succeed later, unbilled so far.</summary>
    public bool Retryable { get; init; }

    /// <summary>Billed but unreadable: may be asked <see cref="EngineDefinition.InvalidRetries"/> more times.</summary>
    public bool Invalid { get; init; }

    /// <summary>How long the provider asks to wait.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public int? HttpStatus { get; init; }

    /// <summary>The answer, without U+0000 and unpaired surrogates; null without one.</summary>
    public string? Text { get; init; }

    public IReadOnlyList<AnswerSource> Sources { get; init; } = [];

    /// <summary>Whether the engine searched the web; null where unknown.</summary>
    public bool? SearchUsed { get; init; }

    public string? ServedModel { get; init; }

    /// <summary><c>api</c>, <c>recorded web answer</c> or <c>simulated</c>; see <see cref="Surfaces"/>.</summary>
    public required string Surface { get; init; }

    /// <summary>As the provider counted; null where it did not say (then a billed try settles at its worst case).</summary>
    public int? InputTokens { get; init; }

    /// <summary>As the provider counted; null where it did not say (then a billed try settles at its worst case).</summary>
    public int? OutputTokens { get; init; }

    /// <summary>Whether the provider served part of the prompt from its cache.</summary>
    public bool CacheHit { get; init; }

    /// <summary>SHA-256 of the response body as received, lower-case hex; null without a whole body.</summary>
    public string? RawHash { get; init; }

    public int ResponseTimeMs { get; init; }
}

/// <summary>Where an answer comes from, for a reader.</summary>
public static class Surfaces
{
    public const string Api = "api";
    public const string Recorded = "recorded web answer";
    public const string Simulated = "simulated";
}
