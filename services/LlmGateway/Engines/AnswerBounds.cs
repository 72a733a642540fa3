using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines;

/// <summary>
/// Cuts an answer to what it may take in a message, whatever its engine: a batch of the longest answers must still fit the bus. What is cut
/// was paid, so the answer stays one, flagged <see cref="CallReasons.CutByLength"/>.
/// </summary>
internal static class AnswerBounds
{
    // A unit of UTF-16 in JSON at worst, as \u1234. What the writer of the message really escapes is its own affair.
    const int MostBytesPerUnit = 6;
    const string Plain = " !#$%()*,-./:;=?@[]^_{|}~";

    // {"url":"","title":"","cited":false},
    const int BytesAroundSource = 64;

    public static EngineOutcome Apply(EngineOutcome outcome, string purpose)
    {
        var most = BatchBounds.MaxAnswerBytes(purpose);
        // The text is what was asked for: the sources get a quarter, it gets what they leave.
        var sources = Fitting(outcome.Sources, most / 4, out var taken);
        var text = outcome.Text is { } whole ? Cut(whole, most - taken) : null;
        return text?.Length == outcome.Text?.Length && sources.Count == outcome.Sources.Count
            ? outcome
            : outcome with { Text = text, Sources = sources, Reason = outcome.Reason ?? CallReasons.CutByLength };
    }

    static IReadOnlyList<AnswerSource> Fitting(IReadOnlyList<AnswerSource> sources, int most, out int taken)
    {
        taken = 0;
        for (var i = 0; i < sources.Count; i++)
        {
            var bytes = BytesAroundSource + BytesOf(sources[i].Url) + BytesOf(sources[i].Title ?? "");
            if (taken + bytes > most)
                return [.. sources.Take(i)];
            taken += bytes;
        }
        return sources;
    }

    static string Cut(string text, int most)
    {
        if ((long)text.Length * MostBytesPerUnit <= most)
            return text;
        var bytes = 0;
        for (var i = 0; i < text.Length; i++)
        {
            bytes += BytesOf(text[i]);
            if (bytes > most)
                return SafeText.Cut(text, i);
        }
        return text;
    }

    static int BytesOf(string text) => text.Sum(BytesOf);

    static int BytesOf(char c) => char.IsAsciiLetterOrDigit(c) || Plain.Contains(c, StringComparison.Ordinal) ? 1 : MostBytesPerUnit;
}
