using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Assay.Analyzer.ReadAnswer;

namespace Assay.Analyzer.MeasureAccuracy;

internal sealed record RecordedLabel(string? Brand, string? Name, int? Rank);

internal sealed record RecordedSource(string? Url, string? Title);

/// <summary>One line of a file of recorded, labelled answers.</summary>
internal sealed record RecordedAnswer
{
    public string? Query { get; init; }
    public string? Engine { get; init; }
    public int Run { get; init; }
    public string? Answer { get; init; }
    public IReadOnlyList<RecordedSource>? Sources { get; init; }
    public IReadOnlyList<RecordedLabel>? Labels { get; init; }

    [JsonIgnore]
    public AnswerToRead ToRead => new()
    {
        Text = Answer ?? "",
        Query = Query ?? "",
        Sources = [.. (Sources ?? []).Where(s => s.Url is not null).Select(s => new AnswerSource(s.Url!, s.Title))],
    };

    public static async IAsyncEnumerable<RecordedAnswer> ReadAsync(string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        var number = 0;
        await foreach (var line in File.ReadLinesAsync(path, cancellationToken))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
                continue;
            RecordedAnswer? answer;
            try
            {
                answer = JsonSerializer.Deserialize<RecordedAnswer>(line, options);
            }
            catch (JsonException exception)
            {
                throw new InvalidDataException($"Measuring accuracy stopped at line {number} of {path}: it is not a recorded answer ({exception.Message}). Each line must be one JSON object with query, engine, answer and labels.", exception);
            }

            if (answer?.Answer is null || answer.Query is null || answer.Labels is null)
                throw new InvalidDataException($"Measuring accuracy stopped at line {number} of {path}: query, answer or labels are missing. Each line must be one JSON object with query, engine, answer and labels.");
            yield return answer;
        }
    }
}
