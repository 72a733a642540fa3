using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines;

/// <summary>A configured answer source: one request, one outcome.</summary>
public interface IAnswerEngine
{
    /// <summary>What would be sent for this request: its hash (a part of the call's key) and the bounds its worst case is priced by. Pure; the run is not in the hash.</summary>
    RenderedRequest Render(EngineRequest request);

    /// <summary>
    /// Sends the request once. Faults of provider and wire come back as outcomes; the timeout is the engine's own.
    /// The request's bytes leave by <see cref="RenderedRequest.WriteBy"/>, without one within <see cref="EngineTiming.WriteWithin"/> of the call, or not at all (then <see cref="OutcomeClass.NotBilled"/>).
    /// </summary>
    /// <exception cref="OperationCanceledException">Only when <paramref name="ct"/> is cancelled; whether the provider billed is then unknown.</exception>
    Task<EngineOutcome> AskAsync(RenderedRequest request, string idempotencyKey, CancellationToken ct);
}

/// <summary>Times that the ledger's promises rest on.</summary>
public static class EngineTiming
{
    /// <summary>
    /// A request whose bytes have not left this long after <see cref="IAnswerEngine.AskAsync"/> was entered is given back unsent.
    /// Together with the moment between the commit and the call it stays below the one second after which a halt may count on silence.
    /// </summary>
    public static TimeSpan WriteWithin { get; } = TimeSpan.FromMilliseconds(800);
}

/// <summary>What is asked, before an engine gives it its own wire form.</summary>
public sealed record EngineRequest
{
    /// <summary>Instructions that precede the text.</summary>
    public string? System { get; init; }

    public required string Text { get; init; }

    /// <summary>Language and market, as a BCP 47 tag.</summary>
    public string Locale { get; init; } = "en-US";

    /// <summary>Repetition, from 1. Chooses the recorded or simulated run; never part of what is sent.</summary>
    public int Run { get; init; } = 1;

    /// <summary>Whether the answer must be a JSON object.</summary>
    public bool Json { get; init; }

    /// <summary>A lower output limit than the engine's own.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>One of <see cref="Purposes"/>.</summary>
    public required string Purpose { get; init; }
}

/// <summary>A request in the form it is sent, reduced to what the ledger needs.</summary>
public sealed record RenderedRequest
{
    /// <summary>SHA-256 over everything that is sent, lower-case hex.</summary>
    public required string Hash { get; init; }

    /// <summary>Bytes of the rendered request: no tokenizer makes more tokens than there are bytes.</summary>
    public required int InputBytes { get; init; }

    /// <summary>The output limit that is sent.</summary>
    public required int MaxOutputTokens { get; init; }

    public required EngineRequest Request { get; init; }

    /// <summary>The moment, as a <see cref="System.Diagnostics.Stopwatch"/> timestamp, after which no byte may leave any more: a second after the intent was committed.</summary>
    public long? WriteBy { get; init; }
}
