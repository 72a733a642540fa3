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
/// Runs the sweep as soon as this process is an owner and every two seconds, oftener while another owner seems to be gone, and the guard, which
/// adds up the tries of a whole minute, every ten, and lets the queue for money move then and whenever money has returned: what only time
/// brings about is not looked for with every budget that opens or closes.
/// </summary>
sealed partial class LeaseSweepService(OwnerSweep sweep, GatewayOwner owner, PhaseReturn phases, BudgetQueue queue, BurnRateGuard guard, LedgerSignals signals, IOptions<LlmGatewayOptions> options, ILogger<LeaseSweepService> logger) : BackgroundService
{
    /// <summary>Every opened and closed budget wakes the queue, which looks at all of them: many at once are one look.</summary>
    static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);

    /// <summary>How often an owner that seems to be gone is looked at: until it is swept, its share of the engines is nobody's.</summary>
    static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>How often the money of the last minute is looked at.</summary>
    static readonly TimeSpan GuardInterval = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        await WaitForOwnerAsync(stoppingToken);
        var (swept, guarded) = (0L, 0L);
        while (!stoppingToken.IsCancellationRequested)
        {
            TimeSpan pause;
            try
            {
                if (swept == 0 || Stopwatch.GetElapsedTime(swept) >= Interval)
                {
                    if (await sweep.RunAsync(stoppingToken))
                    {
                        signals.WakeRenewal();
                        signals.WakePump();
                    }

                    swept = Stopwatch.GetTimestamp();
                }

                await phases.RunAsync(stoppingToken);
                await queue.MoveAsync(stoppingToken);
                if (guarded == 0 || Stopwatch.GetElapsedTime(guarded) >= GuardInterval)
                {
                    await guard.WatchAsync(stoppingToken);
                    guarded = Stopwatch.GetTimestamp();
                }

                pause = Interval - Stopwatch.GetElapsedTime(swept);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                SweepFailed(logger, options.Value.SweepInterval, exception);
                (swept, pause) = (0, options.Value.SweepInterval);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(ShortestPause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (pause > ShortestPause)
                await signals.WaitForSweepAsync(pause - ShortestPause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Before it is an owner, this process cannot tell which others are gone. It is not waited for longer than a sweep is.</summary>
    async Task WaitForOwnerAsync(CancellationToken stoppingToken)
    {
        var since = Stopwatch.GetTimestamp();
        while (!owner.IsRegistered && !stoppingToken.IsCancellationRequested && options.Value.SweepInterval - Stopwatch.GetElapsedTime(since) is var left && left > TimeSpan.Zero)
            await signals.WaitForSweepAsync(left, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    TimeSpan Interval => sweep.IsWatching && WatchInterval < options.Value.SweepInterval ? WatchInterval : options.Value.SweepInterval;

    [LoggerMessage(LogLevel.Error, "The sweep of dead owners, overdue calls and waiting budgets failed; it runs again in {Interval}. Check the gateway's database.")]
    static partial void SweepFailed(ILogger logger, TimeSpan interval, Exception exception);
}
