using System.Collections.Concurrent;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway;

/// <summary>An engine that does what a test tells it to, and counts like a provider's bill.</summary>
public sealed class TestEngine : IAnswerEngine, IEngineCatalog
{
    public const int MaxTokens = 100;

    readonly EngineDefinition _definition;

    public TestEngine(int concurrency = 8, int maxTries = 3, EnginePrices? prices = null, string parameters = "p1")
    {
        _definition = new EngineDefinition
        {
            Name = "test",
            Kind = "test",
            Model = "test-1",
            Simulated = false,
            Prices = prices ?? new EnginePrices { InputUsdPerMTok = 1, OutputUsdPerMTok = 10 },
            MaxOutputTokens = MaxTokens,
            MaxConcurrency = concurrency,
            Timeout = TimeSpan.FromSeconds(30),
            MaxTries = maxTries,
            InvalidRetries = 1,
            ParametersHash = parameters,
            Engine = this,
        };
    }

    /// <summary>What the provider does with a try; the number is that of the try of this key, from 1.</summary>
    public Func<string, int, CancellationToken, Task<EngineOutcome>> Behaviour { get; set; } = (query, _, _) => Task.FromResult(Answer($"Answer to {query}"));

    public ConcurrentQueue<(string Key, string Query, DateTime At)> Received { get; } = new();
    public int MostAtOnce { get; private set; }

    readonly ConcurrentDictionary<string, int> _tries = new(StringComparer.Ordinal);

    public IReadOnlyCollection<EngineDefinition> All => [_definition];
    public EngineDefinition Definition => _definition;

    int _now;

    public EngineDefinition? Find(string name) => string.Equals(name, _definition.Name, StringComparison.OrdinalIgnoreCase) ? _definition : null;

    public RenderedRequest Render(EngineRequest request) => new()
    {
        Hash = CallKey.HashOfText($"{request.System}|{request.Text}|{request.Locale}"),
        InputBytes = System.Text.Encoding.UTF8.GetByteCount(request.Text),
        MaxOutputTokens = Math.Min(request.MaxOutputTokens ?? MaxTokens, MaxTokens),
        Request = request,
    };

    /// <summary>For long runs, whose calls would be most of the memory.</summary>
    public void Forget()
    {
        Received.Clear();
        _tries.Clear();
    }

    public async Task<EngineOutcome> AskAsync(RenderedRequest request, string idempotencyKey, CancellationToken ct)
    {
        Received.Enqueue((idempotencyKey, request.Request.Text, DateTime.UtcNow));
        MostAtOnce = Math.Max(MostAtOnce, Interlocked.Increment(ref _now));
        try
        {
            return await Behaviour(request.Request.Text, _tries.AddOrUpdate(idempotencyKey, 1, (_, tries) => tries + 1), ct);
        }
        finally
        {
            Interlocked.Decrement(ref _now);
        }
    }

    public static EngineOutcome Answer(string text, int inputTokens = 5, int outputTokens = 10) => new()
    {
        Class = OutcomeClass.Billed, State = CallStates.Answered, Text = text, InputTokens = inputTokens, OutputTokens = outputTokens, Surface = Surfaces.Api, HttpStatus = 200, ResponseTimeMs = 3,
    };

    public static EngineOutcome Busy(TimeSpan? retryAfter = null) => new()
    {
        Class = OutcomeClass.NotBilled, State = CallStates.Declined, Reason = "429", Retryable = true, RetryAfter = retryAfter, Surface = Surfaces.Api, HttpStatus = 429,
    };

    public static EngineOutcome Rejected { get; } = new()
    {
        Class = OutcomeClass.NotBilled, State = CallStates.Declined, Reason = CallReasons.ProviderRejected, Surface = Surfaces.Api, HttpStatus = 400,
    };

    public static EngineOutcome Unknown { get; } = new()
    {
        Class = OutcomeClass.Unknown, State = CallStates.InDoubt, Reason = CallReasons.Timeout, Surface = Surfaces.Api,
    };

    public static EngineOutcome Unreadable { get; } = new()
    {
        Class = OutcomeClass.Billed, State = CallStates.Empty, Reason = CallReasons.UnreadableAnswer, Invalid = true, InputTokens = 5, OutputTokens = 10, Surface = Surfaces.Api, HttpStatus = 200,
    };
}
