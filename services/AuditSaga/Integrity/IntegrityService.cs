using Assay.AuditSaga.Alerts;
using Assay.AuditSaga.Database;
using Assay.AuditSaga.Transitions;
using Assay.Contracts.Internal.AuditSaga;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Extensions.Options;

namespace Assay.AuditSaga.Integrity;

/// <summary>Compares everything once a day, on whichever instance claims the round, and raises an alert for each kind of difference.</summary>
sealed partial class IntegrityService(IServiceScopeFactory scopes, IOptions<AuditSagaOptions> options, TimeProvider clock, AuditSagaMetrics metrics, ILogger<IntegrityService> logger) : BackgroundService
{
    static readonly TimeSpan LongestLook = TimeSpan.FromMinutes(5);

    /// <summary>How often an instance looks whether a round is due: the round of an instance that died is not left for a day.</summary>
    TimeSpan Look => options.Value.IntegrityInterval < LongestLook ? options.Value.IntegrityInterval : LongestLook;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Delay(options.Value.IntegrityDelay, clock, stoppingToken);
        using var timer = new PeriodicTimer(Look, clock);
        do
        {
            try
            {
                await CompareIfDueAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // Nothing depends on it, and a row that cannot be read must not end the host; the claim runs out, and the round is made again.
                Postponed(logger, exception, IntegrityRounds.Claim);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>One round, if it is due and no other instance has it.</summary>
    /// <returns>Whether this instance made it to its end.</returns>
    internal async Task<bool> CompareIfDueAsync(CancellationToken cancellationToken)
    {
        var claim = IntegrityRounds.NewClaim();
        if (!await OnRoundAsync(rounds => rounds.TakeAsync(claim, cancellationToken)))
            return false;
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
            if (!await scope.ServiceProvider.GetRequiredService<IntegrityRounds>().RenewAsync(claim, cancellationToken))
            {
                Lost(logger, compared, IntegrityRounds.Claim);
                return false;
            }
        }
        while (cursor is not null);

        Compared(logger, compared, found.Values.Sum(kind => kind.Count), unanswered.Count == 0 ? "all" : $"all but {string.Join(", ", unanswered)}");
        if (found.Count > 0)
            await RaiseAsync(found, cancellationToken);
        await OnRoundAsync(async rounds =>
        {
            await rounds.FinishAsync(claim, cancellationToken);
            return true;
        });
        return true;
    }

    async Task<bool> OnRoundAsync(Func<IntegrityRounds, Task<bool>> act)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await act(scope.ServiceProvider.GetRequiredService<IntegrityRounds>());
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

    [LoggerMessage(LogLevel.Warning, "The comparison of the services was left after {Count} ended audits: a page of it took longer than {Claim}, and another instance has begun the round anew. Look at the services that answer slowly; `assay doctor --integrity` tells more")]
    static partial void Lost(ILogger logger, int count, TimeSpan claim);

    [LoggerMessage(LogLevel.Warning, "The comparison of the services could not be finished and is made again in {Claim}. Check the saga's database; `assay doctor --integrity` tells more")]
    static partial void Postponed(ILogger logger, Exception exception, TimeSpan claim);
}
