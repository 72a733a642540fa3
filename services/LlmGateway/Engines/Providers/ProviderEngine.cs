using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines.Providers;

/// <summary>A provider's wire format: how a request is written, sent and read.</summary>
internal interface IProviderFormat
{
    /// <summary>The body as it is sent.</summary>
    ReadOnlyMemory<byte> Body(EngineRequest request, int maxOutputTokens);

    /// <summary>Sends the body through the provider's client. What came back is in the <see cref="CallOnWire"/>; an exception adds nothing to it.</summary>
    Task SendAsync(ReadOnlyMemory<byte> body, CancellationToken ct);

    /// <summary>Reads a 2xx body; null when it is no answer in this format.</summary>
    ProviderAnswer? Read(JsonElement body);

    /// <summary>The provider's own word for an error; null without one.</summary>
    string? ErrorWord(JsonElement body);
}

/// <summary>Asks a provider over HTTP: one request, its own timeout, and an outcome that rests on what happened on the wire.</summary>
internal sealed partial class ProviderEngine(string name, IProviderFormat format, int maxOutputTokens, int hiddenInputTokens, TimeSpan timeout, IReadOnlySet<int> notBilledStatuses, ILogger logger) : IAnswerEngine
{
    public RenderedRequest Render(EngineRequest request)
    {
        var limit = Rendering.OutputLimit(request, maxOutputTokens);
        var rendered = Rendering.Of(request, format.Body(request, limit).Span, limit);
        return hiddenInputTokens > 0 && request.Purpose == Purposes.Answer ? rendered with { InputBytes = rendered.InputBytes + hiddenInputTokens } : rendered;
    }

    public async Task<EngineOutcome> AskAsync(RenderedRequest request, string idempotencyKey, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        var writeBy = request.WriteBy ?? started + (long)(EngineTiming.WriteWithin.TotalSeconds * Stopwatch.Frequency);
        var call = new CallOnWire(idempotencyKey, writeBy);
        var timedOut = false;
        using (var ending = CancellationTokenSource.CreateLinkedTokenSource(ct))
        {
            ending.CancelAfter(timeout);
            // What has not left in time must never leave: a halt has been told that it will not.
            await using var writing = new Timer(_ => GiveBack(call, ending), state: null, writeBy > started ? Stopwatch.GetElapsedTime(started, writeBy) : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            CallOnWire.Current = call;
            try
            {
                await format.SendAsync(format.Body(request.Request, request.MaxOutputTokens), ending.Token);
            }
            catch (Exception fault)
            {
                timedOut = fault is OperationCanceledException or TimeoutException && !ct.IsCancellationRequested;
                LogFault(name, idempotencyKey, fault.GetType().Name, call.BytesLeft, call.Status);
            }
            finally
            {
                CallOnWire.Current = null;
            }
        }
        var neverLeft = call.TryGiveBack();
        // Once a whole response is here it counts, whoever has lost interest meanwhile.
        if (!neverLeft && call.BodyState is BodyState.None or BodyState.Cut)
            ct.ThrowIfCancellationRequested();
        return AnswerBounds.Apply(Bounded(Outcome(call, neverLeft, timedOut, (int)Stopwatch.GetElapsedTime(started).TotalMilliseconds), request.MaxOutputTokens), request.Request.Purpose);
    }

    /// <summary>Takes a request through SDK and reading without sending it: the first real one must not spend its time to write on compiling.</summary>
    public async Task WarmUpAsync(CancellationToken ct)
    {
        var request = new EngineRequest { System = "-", Text = "-", Purpose = Purposes.Answer };
        var call = new CallOnWire("warm-up") { Rehearsal = true };
        CallOnWire.Current = call;
        try
        {
            await format.SendAsync(format.Body(request, maxOutputTokens), ct);
        }
        catch (Exception fault) when (!ct.IsCancellationRequested)
        {
            // An SDK may dislike the empty answer of a rehearsal; what counts is that its code has run.
            LogFault(name, call.IdempotencyKey, fault.GetType().Name, call.BytesLeft, call.Status);
        }
        finally
        {
            CallOnWire.Current = null;
        }
        Outcome(call, neverLeft: false, timedOut: false, elapsed: 0);
    }

    static void GiveBack(CallOnWire call, CancellationTokenSource ending)
    {
        if (!call.TryGiveBack())
            return;
        try
        {
            ending.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The try ended at the same moment: there is nothing left to stop.
        }
    }

    /// <summary>A text far beyond the output limit that was sent is a provider's mistake: it is cut and flagged.</summary>
    static EngineOutcome Bounded(EngineOutcome outcome, int maxOutputTokens)
    {
        var most = Math.Max(64 << 10, (int)Math.Min(32L * maxOutputTokens, int.MaxValue));
        return outcome.Text is { } text && text.Length > most
            ? outcome with { Text = SafeText.Cut(text, most), Reason = outcome.Reason ?? CallReasons.CutByLength }
            : outcome;
    }

    EngineOutcome Outcome(CallOnWire call, bool neverLeft, bool timedOut, int elapsed)
    {
        var (answer, errorWord) = Parse(call);
        var verdict = OutcomeRules.Classify(new WireFacts
        {
            BytesLeft = !neverLeft,
            TimedOut = timedOut,
            Status = call.Status,
            Body = call.BodyState,
            ErrorWord = errorWord,
            Answer = answer,
        }, notBilledStatuses);
        if (call.Status is { } status and not (>= 200 and <= 299))
            LogRejected(name, call.IdempotencyKey, status, errorWord ?? "-", verdict.Class);
        return new EngineOutcome
        {
            Class = verdict.Class,
            State = verdict.State,
            Reason = verdict.Reason,
            Retryable = verdict.Retryable,
            Invalid = verdict.Invalid,
            RetryAfter = call.RetryAfter,
            HttpStatus = call.Status,
            Text = answer?.Text,
            Sources = answer?.Sources ?? [],
            SearchUsed = answer?.SearchUsed,
            ServedModel = answer?.ServedModel,
            Surface = Surfaces.Api,
            InputTokens = answer?.InputTokens,
            OutputTokens = answer?.OutputTokens,
            CacheHit = answer?.CacheHit ?? false,
            RawHash = call.BodyState == BodyState.Whole ? Rendering.Sha256(call.Body) : null,
            ResponseTimeMs = elapsed,
        };
    }

    (ProviderAnswer? Answer, string? ErrorWord) Parse(CallOnWire call)
    {
        if (call.BodyState != BodyState.Whole || call.Status is not { } status)
            return default;
        try
        {
            // An answer that was paid is not thrown away for one byte that is not UTF-8.
            var body = Utf8.IsValid(call.Body) ? call.Body : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(call.Body));
            using var json = JsonDocument.Parse(body);
            return status is >= 200 and <= 299 ? (format.Read(json.RootElement), null) : (null, Word(format.ErrorWord(json.RootElement)));
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException or FormatException)
        {
            return default;
        }
    }

    /// <summary>Only what looks like a word: an error text may quote the prompt or the key.</summary>
    static string? Word(string? word) =>
        word is { Length: > 0 and <= 64 } && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.') ? word : null;

    [LoggerMessage(Level = LogLevel.Debug, Message = "Engine {Engine}, call {CallKey}: the try ended with {Fault}; bytes left: {BytesLeft}, status: {Status}")]
    partial void LogFault(string engine, string callKey, string fault, bool bytesLeft, int? status);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Engine {Engine}, call {CallKey}: the provider answered {Status} ({ErrorWord}), {Class}")]
    partial void LogRejected(string engine, string callKey, int status, string errorWord, OutcomeClass @class);
}
