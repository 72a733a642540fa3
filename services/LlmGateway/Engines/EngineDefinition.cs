using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines;

/// <summary>A configured engine: what it is, what it costs, what it bears.</summary>
public sealed record EngineDefinition
{
    public required string Name { get; init; }

    /// <summary>One of <see cref="EngineKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>The model that is requested.</summary>
    public required string Model { get; init; }

    public required bool Simulated { get; init; }
    public required EnginePrices Prices { get; init; }

    /// <summary>The day the prices are from, where they come from a price list and not from the engine's own settings.</summary>
    public DateOnly? PricesFrom { get; init; }

    public required int MaxOutputTokens { get; init; }
    public required int MaxConcurrency { get; init; }
    public int? RequestsPerMinute { get; init; }
    public int? TokensPerMinute { get; init; }

    /// <summary>The limits as configured; an operator may set others.</summary>
    public EngineLimits Limits => new() { MaxConcurrency = MaxConcurrency, RequestsPerMinute = RequestsPerMinute, TokensPerMinute = TokensPerMinute };

    public required TimeSpan Timeout { get; init; }

    /// <summary>Tries of one call over all layers that were not billed, the first included.</summary>
    public required int MaxTries { get; init; }

    /// <summary>Further paid tries of an answer that was billed but unreadable.</summary>
    public required int InvalidRetries { get; init; }

    /// <summary>SHA-256 over everything that changes what is asked: kind, base address, model, parameters; lower-case hex.</summary>
    public required string ParametersHash { get; init; }

    public required IAnswerEngine Engine { get; init; }

    /// <summary>The most one try of this request can cost.</summary>
    public long WorstCaseMicroUsd(RenderedRequest request) => Prices.WorstCaseMicroUsd(request.InputBytes, request.MaxOutputTokens);

    /// <summary>What a try settles at: nothing when not billed, the worst case when in doubt or billed without usage data, else the real price.</summary>
    public long SettleMicroUsd(RenderedRequest request, EngineOutcome outcome) => outcome.Class switch
    {
        OutcomeClass.NotBilled => 0,
        OutcomeClass.Billed when Prices.CanPrice(outcome.InputTokens, outcome.OutputTokens) => Prices.ActualMicroUsd(outcome.InputTokens, outcome.OutputTokens, outcome.SearchUsed),
        _ => WorstCaseMicroUsd(request),
    };
}

/// <summary>The kinds of engine a name can be configured as.</summary>
public static class EngineKinds
{
    public const string OpenAI = "openai";
    public const string Anthropic = "anthropic";
    public const string Gemini = "gemini";
    public const string Scripted = "scripted";
    public const string Replay = "replay";
}

/// <summary>The engines that this process knows.</summary>
public interface IEngineCatalog
{
    IReadOnlyCollection<EngineDefinition> All { get; }

    /// <summary>The engine of that name, upper and lower case alike; null if there is none.</summary>
    EngineDefinition? Find(string name);
}
