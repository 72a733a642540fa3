using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Assay.Analyzer.ReadAnswer;

namespace Assay.Analyzer.AnalyzeAnswers;

/// <summary>A reading as a column: facts only, what follows from them is left out.</summary>
static class ReadingColumn
{
    static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        IgnoreReadOnlyProperties = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static string Write(AnswerReading reading) => JsonSerializer.Serialize(reading, Options);

    /// <exception cref="InvalidOperationException">The column does not hold a reading of this version's shape.</exception>
    public static AnswerReading Read(string json, Guid auditId, string callKey)
    {
        try
        {
            return JsonSerializer.Deserialize<AnswerReading>(json, Options) ?? throw new JsonException("it holds null.");
        }
        catch (JsonException exception)
        {
            throw new InvalidOperationException($"Cannot read the stored reading of answer {callKey} of audit {auditId}: {exception.Message} Re-derive the audit from its answers.", exception);
        }
    }
}
