using System.Text.Json;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines.Replay;

/// <summary>One recorded run of one query.</summary>
internal sealed record RecordedAnswer(string Engine, int Run, string Answer, string? Model, IReadOnlyList<AnswerSource> Sources, string Hash);

/// <summary>A file of recorded answers cannot be used; the message says where and why.</summary>
internal sealed class RecordedAnswersException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// A JSONL file of recorded answers, by query. Read when first asked, whole, and kept; a file that could not be read is read again
/// at the next question, so that mending it needs no restart.
/// </summary>
internal sealed class RecordedAnswers(string path, string? engine)
{
    const long MaxBytes = 256L << 20;
    const int MaxLine = 8 << 20;

    readonly SemaphoreSlim gate = new(1, 1);
    Dictionary<string, List<RecordedAnswer>>? byQuery;

    /// <summary>The recorded runs of a query, ordered by engine and run; empty when there is none.</summary>
    /// <exception cref="RecordedAnswersException">The file is missing, too large or malformed.</exception>
    public async Task<IReadOnlyList<RecordedAnswer>> FindAsync(string query, CancellationToken ct)
    {
        var loaded = Volatile.Read(ref byQuery) ?? await LoadOnceAsync(ct);
        return loaded.TryGetValue(query.Trim(), out var runs) ? runs : [];
    }

    async Task<Dictionary<string, List<RecordedAnswer>>> LoadOnceAsync(CancellationToken ct)
    {
        await gate.WaitAsync(ct);
        try
        {
            if (byQuery is { } already)
                return already;
            var loaded = await LoadAsync(ct);
            Volatile.Write(ref byQuery, loaded);
            return loaded;
        }
        finally
        {
            gate.Release();
        }
    }

    async Task<Dictionary<string, List<RecordedAnswer>>> LoadAsync(CancellationToken ct)
    {
        var found = new Dictionary<string, List<RecordedAnswer>>(StringComparer.OrdinalIgnoreCase);
        var known = new SortedSet<string>(StringComparer.OrdinalIgnoreCase);
        var number = 0;
        try
        {
            var size = new FileInfo(path).Length;
            if (size > MaxBytes)
                throw new RecordedAnswersException($"The recorded answers {path} are {size >> 20} MB; at most {MaxBytes >> 20} MB are read. Split the file by query.");
            using var reader = new StreamReader(path);
            while (await reader.ReadLineAsync(ct) is { } line)
            {
                number++;
                if (string.IsNullOrWhiteSpace(line))
                    continue;
                if (line.Length > MaxLine)
                    throw new RecordedAnswersException($"{path}, line {number}: {line.Length} characters; a recorded answer has at most {MaxLine}.");
                var (query, recorded) = Read(line, number);
                known.Add(recorded.Engine);
                if (!string.IsNullOrEmpty(engine) && !string.Equals(engine, recorded.Engine, StringComparison.OrdinalIgnoreCase))
                    continue;
                if (!found.TryGetValue(query, out var runs))
                    found.Add(query, runs = []);
                runs.Add(recorded);
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new RecordedAnswersException($"The recorded answers {path} cannot be read: {unreadable.Message} Set the engine's Path to a readable JSONL file.", unreadable);
        }
        if (found.Count == 0)
            throw new RecordedAnswersException(known.Count == 0
                ? $"The recorded answers {path} hold no line. Set the engine's Path to a JSONL file with one answer a line."
                : $"The recorded answers {path} hold nothing of engine '{engine}'. Set the engine's Model to one of {string.Join(", ", known)}, or leave it empty for all.");
        foreach (var runs in found.Values)
            runs.Sort((a, b) => string.CompareOrdinal(a.Engine, b.Engine) is var byEngine and not 0 ? byEngine : a.Run.CompareTo(b.Run));
        return found;
    }

    (string Query, RecordedAnswer Recorded) Read(string line, int number)
    {
        try
        {
            var row = JsonSerializer.Deserialize<Row>(line, JsonSerializerOptions.Web)
                ?? throw new RecordedAnswersException($"{path}, line {number}: null instead of a recorded answer.");
            if (string.IsNullOrWhiteSpace(row.Query))
                throw new RecordedAnswersException($"{path}, line {number}: \"query\" is missing or empty.");
            if (row.Answer is null)
                throw new RecordedAnswersException($"{path}, line {number}: \"answer\" is missing (query '{row.Query}').");
            var sources = new SourceList();
            foreach (var source in row.Sources ?? [])
                sources.Add(source.Url, source.Title, cited: null);
            return (row.Query.Trim(), new RecordedAnswer(row.Engine ?? "", row.Run ?? 1, row.Answer, SafeText.Short(row.Model), sources.Sources,
                Rendering.Sha256(System.Text.Encoding.UTF8.GetBytes(line))));
        }
        catch (JsonException malformed)
        {
            throw new RecordedAnswersException($"{path}, line {number}: not a recorded answer ({malformed.Message})", malformed);
        }
    }

    sealed record Row(string? Query, string? Engine, string? Model, int? Run, string? Answer, IReadOnlyList<RowSource>? Sources);

    sealed record RowSource(string? Url, string? Title);
}
