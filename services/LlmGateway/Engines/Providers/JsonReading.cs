using System.Text.Json;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Engines.Providers;

/// <summary>Reads providers' JSON without trusting it: a wrong kind is an absent value.</summary>
internal static class JsonReading
{
    public static JsonElement Get(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;

    public static string? Text(this JsonElement element, string name) =>
        element.Get(name) is { ValueKind: JsonValueKind.String } value ? Unescaped(value) : null;

    /// <summary>A token count: a whole number, not negative; anything else is unknown.</summary>
    public static int? Count(this JsonElement element, string name) =>
        element.Get(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var count) && count >= 0 ? count : null;

    public static IEnumerable<JsonElement> Each(this JsonElement element, string name) =>
        element.Get(name) is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray() : [];

    public static JsonElement First(this JsonElement element, string name) =>
        element.Get(name) is { ValueKind: JsonValueKind.Array } array && array.GetArrayLength() > 0 ? array[0] : default;

    /// <summary>The string, also where an escape names half a character, which <see cref="JsonElement.GetString"/> refuses.</summary>
    public static string? Unescaped(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return LoneSurrogates.Unescape(value.GetRawText());
        }
    }

    /// <summary>A sum of counts; unknown when none is known.</summary>
    public static int? Sum(params ReadOnlySpan<int?> counts)
    {
        long? sum = null;
        foreach (var count in counts)
        {
            if (count is { } known)
                sum = (sum ?? 0) + known;
        }
        return sum is { } total ? (int)Math.Min(total, int.MaxValue) : null;
    }
}

/// <summary>Reads a JSON string literal whose escapes leave half a surrogate pair alone.</summary>
internal static class LoneSurrogates
{
    public static string Unescape(string literal)
    {
        var text = new System.Text.StringBuilder(literal.Length);
        for (var i = 1; i < literal.Length - 1; i++)
        {
            var c = literal[i];
            if (c != '\\')
            {
                text.Append(c);
                continue;
            }
            c = literal[++i];
            if (c == 'u')
            {
                text.Append((char)Convert.ToUInt16(literal.Substring(i + 1, 4), 16));
                i += 4;
                continue;
            }
            text.Append(c switch { 'n' => '\n', 'r' => '\r', 't' => '\t', 'b' => '\b', 'f' => '\f', _ => c });
        }
        return text.ToString();
    }
}
