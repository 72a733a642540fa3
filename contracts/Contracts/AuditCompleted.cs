namespace Assay.Contracts;

/// <summary>An audit ended with a complete report. Published in the transaction that writes state, time and scores.</summary>
public sealed record AuditCompleted
{
    /// <summary>The audit.</summary>
    public required Guid AuditId { get; init; }

    /// <summary>The attempt that completed, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>The brand's name.</summary>
    public required string Brand { get; init; }

    /// <summary>Version of the metric definitions, for example <c>metrics-v1</c>.</summary>
    public required string MetricsVersion { get; init; }

    /// <summary>Headline scores by metric name, for example <c>visibility</c>.</summary>
    public required IReadOnlyDictionary<string, ScoreValue> Scores { get; init; }

    /// <summary>Share of planned calls that are valid answers, 0–1.</summary>
    public required double Coverage { get; init; }

    /// <summary>Whether any engine of this audit is a simulator.</summary>
    public required bool Simulated { get; init; }

    /// <summary>Spent over all attempts, in US dollars.</summary>
    public required decimal SpentUsd { get; init; }

    /// <summary>When it completed (UTC).</summary>
    public required DateTime CompletedAt { get; init; }
}

/// <summary>A measured value with its 95 % interval. All null where there is nothing to measure: never 0.</summary>
public sealed record ScoreValue
{
    /// <summary>The point estimate, a fraction 0–1 unless the metric says otherwise.</summary>
    public double? Value { get; init; }

    /// <summary>Lower end of the 95 % interval.</summary>
    public double? Low { get; init; }

    /// <summary>Upper end of the 95 % interval.</summary>
    public double? High { get; init; }

    /// <summary>Observations the value rests on.</summary>
    public int N { get; init; }
}
