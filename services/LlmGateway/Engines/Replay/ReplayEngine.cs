using System.Diagnostics;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines.Replay;

/// <summary>Plays recorded answers by query text; run n plays the n-th recorded run. What was not recorded is declined, free.</summary>
internal sealed class ReplayEngine(RecordedAnswers answers, int maxOutputTokens) : IAnswerEngine
{
    public RenderedRequest Render(EngineRequest request)
    {
        var limit = Rendering.OutputLimit(request, maxOutputTokens);
        var body = Rendering.Body(json =>
        {
            json.WriteString("system", request.System);
            json.WriteString("query", request.Text);
            json.WriteBoolean("json", request.Json);
        });
        return Rendering.Of(request, body.Span, limit);
    }

    public async Task<EngineOutcome> AskAsync(RenderedRequest request, string idempotencyKey, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        IReadOnlyList<RecordedAnswer> runs;
        try
        {
            runs = await answers.FindAsync(request.Request.Text, ct);
        }
        catch (RecordedAnswersException unreadable)
        {
            return Declined(unreadable.Message, started);
        }
        var run = request.Request.Run;
        if (run < 1 || run > runs.Count)
            return Declined(CallReasons.NotRecorded, started);
        var recorded = runs[run - 1];
        var text = SafeText.Clean(recorded.Answer);
        var empty = string.IsNullOrWhiteSpace(text);
        return AnswerBounds.Apply(new EngineOutcome
        {
            Class = OutcomeClass.Billed,
            State = empty ? CallStates.Empty : CallStates.Answered,
            Reason = empty ? CallReasons.EmptyAnswer : null,
            Text = text,
            Sources = recorded.Sources,
            SearchUsed = recorded.Sources.Count > 0 ? true : null,
            ServedModel = recorded.Model ?? recorded.Engine,
            Surface = Surfaces.Recorded,
            InputTokens = 0,
            OutputTokens = 0,
            RawHash = recorded.Hash,
            ResponseTimeMs = Elapsed(started),
        }, request.Request.Purpose);
    }

    static EngineOutcome Declined(string reason, long started) => new()
    {
        Class = OutcomeClass.NotBilled,
        State = CallStates.Declined,
        Reason = reason,
        Surface = Surfaces.Recorded,
        ResponseTimeMs = Elapsed(started),
    };

    static int Elapsed(long started) => (int)Stopwatch.GetElapsedTime(started).TotalMilliseconds;
}
