using System.Diagnostics;
using System.Text;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines.Scripted;

/// <summary>
/// A simulated provider: believable answers, the same ones for the same engine name, query and run on every machine. It sees only
/// what a real engine would see, the prompt. Nothing it says is a measurement; it is labelled simulated wherever it appears.
/// </summary>
internal sealed class ScriptedEngine(string name, string model, int maxOutputTokens, TimeSpan minLatency, TimeSpan maxLatency, TimeProvider time) : IAnswerEngine
{
    const double RefusalRate = 0.02;
    const double EmptyRate = 0.01;
    const double CutRate = 0.015;
    const int CharactersPerToken = 4;

    public RenderedRequest Render(EngineRequest request)
    {
        var limit = Rendering.OutputLimit(request, maxOutputTokens);
        var body = Rendering.Body(json =>
        {
            json.WriteString("model", model);
            json.WriteString("system", request.System);
            json.WriteString("text", request.Text);
            json.WriteString("locale", request.Locale);
            json.WriteString("purpose", request.Purpose);
            json.WriteBoolean("json", request.Json);
            json.WriteNumber("max_tokens", limit);
        });
        return Rendering.Of(request, body.Span, limit);
    }

    public async Task<EngineOutcome> AskAsync(RenderedRequest request, string idempotencyKey, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        var asked = request.Request;
        var random = new SeededRandom(name, Normalized(asked), asked.Run.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var latency = minLatency + (maxLatency - minLatency) * random.Next();
        if (latency > TimeSpan.Zero)
            await Task.Delay(latency, time, ct);
        var outcome = asked.Json || asked.Purpose is Purposes.Plan or Purposes.Insight or Purposes.Judge
            ? Answered(request, AdvisorWriter.Write(asked, random, request.MaxOutputTokens * CharactersPerToken / 2))
            : Answer(request, random);
        return AnswerBounds.Apply(outcome, asked.Purpose) with { ResponseTimeMs = Math.Max((int)latency.TotalMilliseconds, (int)Stopwatch.GetElapsedTime(started).TotalMilliseconds) };
    }

    EngineOutcome Answer(RenderedRequest request, SeededRandom random)
    {
        var fate = random.Next();
        if (fate < RefusalRate)
        {
            var refusal = Phrases.For(request.Request.Locale).Refusals;
            return Answered(request, random.Pick(refusal)) with { State = CallStates.Refused, Reason = "refusal" };
        }
        if (fate < RefusalRate + EmptyRate)
            return Answered(request, "") with { State = CallStates.Empty, Reason = CallReasons.EmptyAnswer };
        var written = new AnswerWriter(name, request.Request, random).Write();
        var outcome = Answered(request, written.Text) with { Sources = written.Sources, SearchUsed = written.Searched };
        // A cut answer ends in the middle of a word, as it does when a provider's output limit is reached.
        return fate < RefusalRate + EmptyRate + CutRate ? Cut(outcome, written.Text.Length * 3 / 5) : outcome;
    }

    EngineOutcome Answered(RenderedRequest request, string text)
    {
        var outcome = new EngineOutcome
        {
            Class = OutcomeClass.Billed,
            State = CallStates.Answered,
            Text = text,
            SearchUsed = false,
            ServedModel = model,
            Surface = Surfaces.Simulated,
            InputTokens = Math.Max(1, request.InputBytes / CharactersPerToken),
            OutputTokens = Tokens(text),
            RawHash = Rendering.Sha256(Encoding.UTF8.GetBytes(text)),
        };
        return outcome.OutputTokens > request.MaxOutputTokens ? Cut(outcome, Math.Max(1, request.MaxOutputTokens * CharactersPerToken / 2)) : outcome;
    }

    static EngineOutcome Cut(EngineOutcome outcome, int length)
    {
        var text = SafeText.Cut(outcome.Text!, length);
        return outcome with { Text = text, Reason = CallReasons.CutByLength, OutputTokens = Tokens(text) };
    }

    static int Tokens(string text) => (Encoding.UTF8.GetByteCount(text) + CharactersPerToken - 1) / CharactersPerToken;

    static string Normalized(EngineRequest request) => $"{request.System?.Trim()}\n{request.Text.Trim().ToLowerInvariant()}";
}
