using Assay.Analyzer.Database;
using Assay.Analyzer.Score.Metrics;
using Assay.Analyzer.ScoreAudit;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using MassTransit;
using Command = Assay.Contracts.Internal.Analyzer.CompareAudits;

namespace Assay.Analyzer.CompareAudits;

/// <summary>Compares two audits of the same panel on the queries both have.</summary>
sealed class CompareAuditsConsumer(AnalyzerDbContext db) : IConsumer<Command>
{
    public async Task Consume(ConsumeContext<Command> context)
    {
        var message = context.Message;
        var later = await ScoredPanel.ReadLatestAsync(db, message.AuditId, context.CancellationToken);
        var earlier = await ScoredPanel.ReadLatestAsync(db, message.EarlierAuditId, context.CancellationToken);
        await context.RespondAsync(Compare(message, earlier, later));
    }

    internal static AuditsCompared Compare(Command message, ScoredPanel? earlier, ScoredPanel? later)
    {
        AuditsCompared Nothing(string reason) => new() { AuditId = message.AuditId, EarlierAuditId = message.EarlierAuditId, SharedQueries = 0, Reason = reason, Changes = [] };

        if (later is null || earlier is null)
            return Nothing($"Audit {(later is null ? message.AuditId : message.EarlierAuditId)} has no scores here. Compare audits that have completed.");
        if (earlier.Scored.Simulated != later.Scored.Simulated)
            return Nothing("One of the audits is simulated and the other is not: a change between them would mean nothing.");
        if (!string.Equals(earlier.Scored.MetricsVersion, later.Scored.MetricsVersion, StringComparison.Ordinal))
            return Nothing($"The audits were scored under {earlier.Scored.MetricsVersion} and {later.Scored.MetricsVersion}. Re-derive the older one first.");

        var comparisons = AuditScorer.Compare([.. earlier.Answers.Select(a => a.Scored)], [.. later.Answers.Select(a => a.Scored)]);
        var shared = comparisons.Count == 0 ? 0 : comparisons.Max(c => c.Queries);
        if (shared == 0)
            return Nothing("The audits have no unbranded query with a valid answer in common.");
        return new()
        {
            AuditId = message.AuditId,
            EarlierAuditId = message.EarlierAuditId,
            SharedQueries = shared,
            Changes = [.. comparisons.Select(comparison => Change(comparison, earlier.Scored, later.Scored))],
        };
    }

    static MetricChange Change(Comparison comparison, AuditScored earlier, AuditScored later)
    {
        var metric = ScoreCalculation.ContractName(comparison.Metric);
        return new()
        {
            Metric = metric,
            Before = earlier.Scores.GetValueOrDefault(metric) ?? new ScoreValue(),
            After = later.Scores.GetValueOrDefault(metric) ?? new ScoreValue(),
            Difference = new() { Value = comparison.Difference, Low = comparison.Low, High = comparison.High, N = comparison.Queries },
            Detectable = comparison.Detectable,
            Verdict = comparison.Verdict,
        };
    }
}

/// <summary>Only reads: no outbox, no redelivery – whoever asked has given up waiting by then.</summary>
sealed class CompareAuditsConsumerDefinition : ConsumerDefinition<CompareAuditsConsumer>;
