using Microsoft.Extensions.Options;

namespace Assay.AuditSaga.Pruning;

/// <summary>Prunes once an hour, a batch at a time.</summary>
sealed partial class AuditPruningService(IServiceScopeFactory scopes, IOptions<AuditSagaOptions> options, TimeProvider clock, ILogger<AuditPruningService> logger) : BackgroundService
{
    const int Batch = 200;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromHours(1), clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                int pruned;
                do
                {
                    await using var scope = scopes.CreateAsyncScope();
                    pruned = await scope.ServiceProvider.GetRequiredService<AuditPruning>().PruneAsync(Batch, stoppingToken);
                    if (pruned > 0)
                        Pruned(logger, pruned, options.Value.Retention);
                }
                while (pruned == Batch);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Nothing depends on pruning; the next hour will do. (EF Core wraps what a dying database throws.)
                Postponed(logger, exception);
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "Pruned {Count} audits that ended more than {Retention} ago; a tombstone of each is kept")]
    static partial void Pruned(ILogger logger, int count, TimeSpan retention);

    [LoggerMessage(LogLevel.Warning, "Pruning is postponed to the next hour: the saga's database cannot be used. Check the server and ConnectionStrings__AuditSaga")]
    static partial void Postponed(ILogger logger, Exception exception);
}
