using System.Text.Json;

namespace Assay.Analyzer.Advisor;

/// <summary>Reads what an advisor answered. It is a model's text: nothing in it is trusted to have the right shape.</summary>
static class AdvisorAnswer
{
    const int MaxLength = 400_000;

    /// <summary>The JSON object of an answer, also inside a code fence or a sentence; null if there is none.</summary>
    public static JsonDocument? Parse(string? answer)
    {
        if (answer is null || answer.Length > MaxLength)
            return null;
        var start = answer.IndexOf('{');
        var end = answer.LastIndexOf('}');
        if (start < 0 || end <= start)
            return null;
        try
        {
            return JsonDocument.Parse(answer.AsMemory(start, end - start + 1), new JsonDocumentOptions { AllowTrailingCommas = true, MaxDepth = 32 });
        }
        catch (JsonException)
        {
            // Not JSON: the caller treats it as an unusable answer, which is an expected outcome.
            return null;
        }
    }

    /// <summary>A string property; null if it is absent, of another kind, or holds half a surrogate pair.</summary>
    public static string? Text(JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String)
            return null;
        return AsString(value);
    }

    /// <summary>The strings of an array property; null if it is present and something else.</summary>
    public static IReadOnlyList<string>? Texts(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return [];
        if (value.ValueKind != JsonValueKind.Array)
            return null;
        var result = new List<string>();
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String || AsString(item) is not { } text)
                return null;
            result.Add(text);
        }

        return result;
    }

    static string? AsString(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // An escaped lone surrogate cannot become a string.
            return null;
        }
    }
}
