using System.Text.Json;
using Assay.Contracts.Internal;

namespace Assay.Analyzer.Database;

/// <summary>Columns that hold JSON as text, so that both databases keep it the same.</summary>
static class JsonColumn
{
    public static string Write<T>(T value) => JsonSerializer.Serialize(value, AssayJson.Options);

    /// <exception cref="InvalidOperationException">The column does not hold what this version writes.</exception>
    public static T Read<T>(string json, string what)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, AssayJson.Options) ?? throw new InvalidOperationException($"Cannot read {what}: the column holds null. Restore it from a backup, or delete the audit.");
        }
        catch (JsonException exception)
        {
            throw new InvalidOperationException($"Cannot read {what}: {exception.Message} Restore it from a backup, or delete the audit.", exception);
        }
    }
}
