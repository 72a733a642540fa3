using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Assay.ServiceDefaults;

/// <summary>How often and when a message is tried again (section <c>Messaging</c>).</summary>
public sealed class MessagingOptions
{
    /// <summary>Immediate retries inside one delivery.</summary>
    public int ImmediateRetries { get; init; } = 3;

    /// <summary>Delays of scheduled redeliveries; already shortened so that their sum stays below the stall timeout.</summary>
    public IReadOnlyList<TimeSpan> Redelivery { get; init; } = [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2)];

    /// <summary>Delays that were cut because they would have outlived the stall timeout; logged at start.</summary>
    public IReadOnlyList<TimeSpan> CutRedelivery { get; init; } = [];

    /// <summary>Reads <c>Messaging:ImmediateRetries</c>, <c>Messaging:Redelivery</c> (comma-separated) and <c>AuditSaga:StallTimeout</c>.</summary>
    /// <exception cref="FormatException">A value is not a time span.</exception>
    public static MessagingOptions From(IConfiguration configuration)
    {
        var steps = configuration["Messaging:Redelivery"] is { Length: > 0 } text
            ? [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(s => Parse("Messaging__Redelivery", s))]
            : new MessagingOptions().Redelivery;
        var stall = configuration["AuditSaga:StallTimeout"] is { Length: > 0 } value ? Parse("AuditSaga__StallTimeout", value) : TimeSpan.FromMinutes(5);
        var kept = Shorten(steps, stall);
        return new MessagingOptions
        {
            ImmediateRetries = configuration.GetValue("Messaging:ImmediateRetries", 3),
            Redelivery = kept,
            CutRedelivery = [.. steps.Skip(kept.Count)],
        };
    }

    /// <summary>The leading steps whose sum stays below the stall timeout: a message must fault before its audit is called stalled.</summary>
    internal static IReadOnlyList<TimeSpan> Shorten(IReadOnlyList<TimeSpan> steps, TimeSpan stallTimeout)
    {
        var sum = TimeSpan.Zero;
        return [.. steps.TakeWhile(step => (sum += step) < stallTimeout)];
    }

    static TimeSpan Parse(string setting, string text) =>
        TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var value) && value > TimeSpan.Zero
            ? value
            : throw new FormatException($"The setting {setting} holds '{text}', which is not a positive time span; write it as hh:mm:ss, for example 00:00:05.");
}
