using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Assay.LlmGateway.Engines;

/// <summary>The engines' settings cannot be used; each line names a setting, what is wrong with it and what to do.</summary>
public sealed class EngineSettingsException(IReadOnlyList<string> problems)
    : Exception("The engines' settings cannot be used:" + Environment.NewLine + string.Join(Environment.NewLine, problems.Select(p => " - " + p))
        + Environment.NewLine + "As environment variables they are written with __ for each colon, for example Engines__chatgpt__Kind.")
{
    public IReadOnlyList<string> Problems { get; } = problems;
}

/// <summary>Reads one engine's section, collecting what is wrong instead of stopping at the first.</summary>
internal sealed class EngineSettings(string name, IConfigurationSection section, ICollection<string> problems, string prefix = "Engines:")
{
    static readonly string[] Known =
    [
        "Kind", "BaseUrl", "Model", "ApiKey", "ApiKeyFile", "InputUsdPerMTok", "OutputUsdPerMTok", "RequestUsd", "SearchUsd", "MaxOutputTokens",
        "MaxConcurrency", "RequestsPerMinute", "TokensPerMinute", "Timeout", "MaxTries", "InvalidRetries", "Path", "Search", "SearchInputTokens", "Temperature",
        "AllowPrivateNetwork", "NotBilledStatuses", "MinLatency", "MaxLatency",
    ];

    public string Name => name;

    public string Key(string setting) => $"{prefix}{name}:{setting}";

    public void Problem(string setting, string text) => problems.Add($"{Key(setting)} {text}");

    public bool Has(string setting) => Text(setting) is not null;

    public string? Text(string setting) => string.IsNullOrWhiteSpace(section[setting]) ? null : section[setting]!.Trim();

    public void RefuseUnknown() => RefuseUnknown(Known, "an engine");

    public void RefuseUnknown(IReadOnlyList<string> known, string of)
    {
        foreach (var child in section.GetChildren())
        {
            if (!known.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
                Problem(child.Key, $"is no setting of {of}. Known are {string.Join(", ", known)}.");
        }
    }

    public DateOnly? Day(string setting)
    {
        if (Text(setting) is not { } text)
            return null;
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
            return day;
        Problem(setting, $"is '{text}', not a day written yyyy-MM-dd, for example 2026-01-31.");
        return null;
    }

    public decimal? Money(string setting)
    {
        if (Text(setting) is not { } text)
            return null;
        if (decimal.TryParse(text, NumberStyles.Number, CultureInfo.InvariantCulture, out var value) && value is >= 0 and <= 1_000_000)
            return value;
        Problem(setting, $"is '{text}', not an amount of US dollars between 0 and 1000000, for example 2.50.");
        return null;
    }

    public double? Number(string setting, double least, double most)
    {
        if (Text(setting) is not { } text)
            return null;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
            return value;
        Problem(setting, string.Create(CultureInfo.InvariantCulture, $"is '{text}', not a number between {least} and {most}."));
        return null;
    }

    public int? Whole(string setting, int least, int most)
    {
        if (Text(setting) is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
            return value;
        Problem(setting, string.Create(CultureInfo.InvariantCulture, $"is '{text}', not a whole number between {least} and {most}."));
        return null;
    }

    public TimeSpan? Duration(string setting, TimeSpan least, TimeSpan most)
    {
        if (Text(setting) is not { } text)
            return null;
        // A bare number would be read as days, which nobody means.
        if (text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
            return value;
        Problem(setting, $"is '{text}', not a duration between {least:c} and {most:c}, written hh:mm:ss, for example 00:01:00.");
        return null;
    }

    public bool? Switch(string setting)
    {
        if (Text(setting) is not { } text)
            return null;
        if (bool.TryParse(text, out var value))
            return value;
        Problem(setting, $"is '{text}', neither true nor false.");
        return null;
    }

    /// <summary>HTTP statuses, as "500, 502" or as a list.</summary>
    public IReadOnlySet<int> Statuses(string setting)
    {
        var statuses = new HashSet<int>();
        var parts = section.GetSection(setting).GetChildren().Select(child => child.Value).Append(section[setting])
            .SelectMany(value => (value ?? "").Split([',', ' ', ';'], StringSplitOptions.RemoveEmptyEntries));
        foreach (var part in parts)
        {
            if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status is >= 500 and <= 599)
                statuses.Add(status);
            else
                Problem(setting, $"names '{part}', not an HTTP status from 500 to 599.");
        }
        return statuses;
    }

    /// <summary>The key, from the setting or from a file; never logged, never part of a message.</summary>
    public string? ApiKey()
    {
        if (Text("ApiKey") is { } key)
        {
            if (Has("ApiKeyFile"))
                Problem("ApiKeyFile", "is set beside ApiKey. Keep one of them.");
            return CheckKey("ApiKey", key);
        }
        if (Text("ApiKeyFile") is not { } path)
            return null;
        try
        {
            var text = File.ReadAllText(path).Trim();
            if (text.Length > 0)
                return CheckKey("ApiKeyFile", text);
            Problem("ApiKeyFile", $"is '{path}', which is empty. Write the provider's key into it.");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            Problem("ApiKeyFile", $"is '{path}', which cannot be read ({unreadable.GetType().Name}). Point it to a readable file that holds only the key.");
        }
        return null;
    }

    // A key that no header can carry would otherwise fail at the first paid call, in an exception that quotes it.
    string? CheckKey(string setting, string key)
    {
        if (key.Length <= 4096 && key.All(c => c is > ' ' and < '\x7f'))
            return key;
        Problem(setting, "holds characters that no HTTP header can carry (spaces, line breaks or letters beyond ASCII). Copy the key again.");
        return null;
    }
}
