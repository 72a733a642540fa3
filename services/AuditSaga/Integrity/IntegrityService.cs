using Assay.AuditSaga.Alerts;
using Assay.AuditSaga.Database;
using Assay.AuditSaga.Transitions;
using Assay.Contracts.Internal.AuditSaga;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Extensions.Options;

namespace Assay.AuditSaga.Integrity;

/// <summary>Compares everything once a day, some minutes after the start first, and raises an alert for each kind of difference.</summary>
sealed partial class IntegrityService(IServiceScopeFactory scopes, IOptions<AuditSagaOptions> options, TimeProvider clock, AuditSagaMetrics metrics, ILogger<IntegrityService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Delay(options.Value.IntegrityDelay, clock, stoppingToken);
        using var timer = new PeriodicTimer(options.Value.IntegrityInterval, clock);
        do
        {
            try
            {
                await CompareAllAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // Nothing depends on it, and a row that cannot be read must not end the host; the next round will do.
                Postponed(logger, exception, options.Value.IntegrityInterval);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>One round.</summary>
    internal async Task CompareAllAsync(CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, (int Count, IntegrityDifference First)>(StringComparer.Ordinal);
        var unanswered = new SortedSet<string>(StringComparer.Ordinal);
        var compared = 0;
        string? cursor = null;
        do
        {
            await using var scope = scopes.CreateAsyncScope();
            var page = await scope.ServiceProvider.GetRequiredService<IntegrityComparison>().CompareAsync(cursor, CheckIntegrity.MaxPageSize, repair: true, cancellationToken);
            compared += page.Checked;
            unanswered.UnionWith(page.Unanswered);
            foreach (var difference in page.Differences)
                found[difference.Kind] = found.TryGetValue(difference.Kind, out var known) ? (known.Count + 1, known.First) : (1, difference);
            cursor = page.Next;
        }
        while (cursor is not null);

        Compared(logger, compared, found.Values.Sum(kind => kind.Count), unanswered.Count == 0 ? "all" : $"all but {string.Join(", ", unanswered)}");
        if (found.Count > 0)
            await RaiseAsync(found, cancellationToken);
    }

    async Task RaiseAsync(Dictionary<string, (int Count, IntegrityDifference First)> found, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var outbox = scope.ServiceProvider.GetRequiredService<IDbContextOutbox<AuditSagaDbContext>>();
        foreach (var (kind, (count, first)) in found)
        {
            var alert = AlertRules.Differences(kind, count, first, clock.GetUtcNow().UtcDateTime);
            Differs(logger, alert.Detail);
            metrics.Raised(alert);
            await outbox.Publish(alert, cancellationToken);
        }

        await outbox.SaveChangesAsync(cancellationToken);
    }

    [LoggerMessage(LogLevel.Information, "Compared {Count} ended audits between the services: {Differences} differences; services that answered: {Answered}")]
    static partial void Compared(ILogger logger, int count, int differences, string answered);

    [LoggerMessage(LogLevel.Error, "{Difference}")]
    static partial void Differs(ILogger logger, string difference);

    [LoggerMessage(LogLevel.Warning, "The comparison of the services could not be finished and is made again in {Interval}. Check the saga's database; `assay doctor --integrity` tells more")]
    static partial void Postponed(ILogger logger, Exception exception, TimeSpan interval);
}
