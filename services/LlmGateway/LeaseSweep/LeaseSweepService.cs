using System.Diagnostics;
using Assay.LlmGateway.AskEngine;
using Assay.LlmGateway.Halt;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.OpenBudget;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Assay.LlmGateway.LeaseSweep;

/// <summary>
/// Runs the sweep at start and every two seconds and the guard, which adds up the tries of a whole minute, at start and every ten, and lets
/// the queue for money move then and whenever money has returned: what only time brings about is not looked for with every budget that opens
/// or closes.
/// </summary>
sealed partial class LeaseSweepService(OwnerSweep sweep, PhaseReturn phases, BudgetQueue queue, BurnRateGuard guard, LedgerSignals signals, IOptions<LlmGatewayOptions> options, ILogger<LeaseSweepService> logger) : BackgroundService
{
    /// <summary>Every opened and closed budget wakes the queue, which looks at all of them: many at once are one look.</summary>
    static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);

    /// <summary>How often the money of the last minute is looked at.</summary>
    static readonly TimeSpan GuardInterval = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var (swept, guarded) = (0L, 0L);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var isDue = swept == 0 || Stopwatch.GetElapsedTime(swept) >= options.Value.SweepInterval;
                if (isDue && await sweep.RunAsync(stoppingToken))
                    signals.WakePump();
                await phases.RunAsync(stoppingToken);
                await queue.MoveAsync(stoppingToken);
                if (isDue)
                    swept = Stopwatch.GetTimestamp();
                if (guarded == 0 || Stopwatch.GetElapsedTime(guarded) >= GuardInterval)
                {
                    await guard.WatchAsync(stoppingToken);
                    guarded = Stopwatch.GetTimestamp();
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                SweepFailed(logger, options.Value.SweepInterval, exception);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(ShortestPause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await ((Task)signals.WaitForSweepAsync(options.Value.SweepInterval, stoppingToken)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(LogLevel.Error, "The sweep of dead owners, overdue calls and waiting budgets failed; it runs again in {Interval}. Check the gateway's database.")]
    static partial void SweepFailed(ILogger logger, TimeSpan interval, Exception exception);
}
