using Assay.LlmGateway.Engines;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.Restore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Assay.LlmGateway.Pump;

/// <summary>
/// Takes calls, lets each engine's lane ask them, and stops in order: takes nothing new, waits for the wire, gives the rest back. It stops
/// before the bus does, whatever order they started in: an answer that ends a batch is recorded together with the message that says so,
/// and a bus that has stopped can no longer tell where such a message goes – the answer, paid for, would be lost in doubt.
/// </summary>
sealed partial class CallPump(EngineLanes lanes, EngineSwitches switches, CallClaim claim, RememberedCalls remembered, LedgerWriter writer, GatewayOwner owner, LedgerContinuity continuity, OwnerSweep sweep, LedgerSignals signals,
    IOptions<LlmGatewayOptions> options, TimeProvider time, ILogger<CallPump> logger) : BackgroundService, IHostedLifecycleService
{
    readonly CancellationTokenSource _wire = new();

    /// <summary>Audits whose next call waits until open reservations settle.</summary>
    public IReadOnlyCollection<Guid> WaitingForMoney { get; private set; } = [];

    Task IHostedLifecycleService.StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppingAsync(CancellationToken cancellationToken) => StopAsync(cancellationToken);

    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            await RunAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped before it was an owner, or before the ledger was confirmed.
        }
    }

    async Task RunAsync(CancellationToken stoppingToken)
    {
        await UntilItWorksAsync(owner.IsRegistered ? _ => Task.CompletedTask : owner.RegisterAsync, "register as an owner", stoppingToken);
        signals.WakeSweep();
        using var flush = new CancellationTokenSource();
        var flushing = Task.Run(() => writer.RunAsync(flush.Token), CancellationToken.None);
        var lanesRunning = lanes.All.Select(lane => Task.Run(() => lane.RunAsync(stoppingToken, _wire.Token), CancellationToken.None)).ToList();
        var renewing = Task.Run(() => RenewAsync(stoppingToken), CancellationToken.None);
        try
        {
            await continuity.WaitUntilConfirmedAsync(stoppingToken);
            await ClaimAsync(stoppingToken);
        }
        finally
        {
            await Task.WhenAll(lanesRunning);
            await renewing;
            await DrainAsync();
            writer.Complete();
            await flush.CancelAsync();
            await ((Task)flushing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task ClaimAsync(CancellationToken stop)
    {
        for (var turn = 0; !stop.IsCancellationRequested; turn++)
        {
            var more = false;
            HashSet<Guid> waiting = [];
            foreach (var lane in lanes.All)
            {
                var (appetite, work) = (lane.Appetite, signals.Work);
                if (appetite == 0 || (lane.ExhaustedAt == work && !remembered.HasAny(lane.Engine.Name)))
                    continue;
                try
                {
                    var result = await claim.RunAsync(lane.Engine, appetite, mayLook: lane.ExhaustedAt != work, stop);
                    lane.Add(result.Calls);
                    waiting.UnionWith(result.WaitForMoney);
                    more |= result.Calls.Count > 0;
                    // Who waits for money is looked at again with every settlement; who has no calls, when there may be new ones.
                    if (result.HasLeft)
                        lane.ExhaustedAt = -1;
                    else if (result.HasSeenAll)
                        lane.ExhaustedAt = work;
                }
                catch (Exception exception) when (!stop.IsCancellationRequested)
                {
                    ClaimFailed(logger, lane.Engine.Name, exception);
                    lane.ExhaustedAt = -1;
                    await Task.Delay(options.Value.PollInterval, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                    return;
                }
            }

            WaitingForMoney = waiting;
            if (!more || turn % 16 == 15)
                await ((Task)signals.WaitForPumpAsync(options.Value.PollInterval, LookInterval, stop)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Alone, nobody else writes what this instance could take: a look is only for what was forgotten.</summary>
    TimeSpan LookInterval => (owner.Instances == 1 ? 8 : 1) * options.Value.PollInterval;

    /// <summary>Keeps the lease, well inside its length.</summary>
    async Task RenewAsync(CancellationToken stop)
    {
        var interval = TimeSpan.FromTicks(Math.Min(options.Value.Lease.Ticks / 6, TimeSpan.TicksPerSecond * 2));
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (!await owner.RenewAsync(lanes.AreWithinTheirShares, stop))
                    lanes.DropQueues();
                await switches.ApplyAsync(stop);
                await GiveBackStrandedAsync(stop);
                await GiveBackToOthersAsync(stop);
            }
            catch (Exception exception) when (!stop.IsCancellationRequested)
            {
                RenewFailed(logger, owner.Current, exception);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }

            lanes.Changed();
            await signals.WaitForRenewalAsync(interval, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Where a limit is smaller than the number of instances, some have no part of it: what they hold is another's to send.</summary>
    async Task GiveBackStrandedAsync(CancellationToken cancellationToken)
    {
        foreach (var lane in lanes.All)
        {
            if (lane.TakeStranded() is not { Count: > 0 } stranded)
                continue;
            try
            {
                await claim.GiveBackAsync(stranded, cancellationToken);
            }
            catch
            {
                // They are still this owner's: the lane keeps them, and the next renewal tries again.
                lane.Add(stranded);
                throw;
            }
        }
    }

    /// <summary>What was taken while nobody else was there is claimed a little at a time once somebody is.</summary>
    async Task GiveBackToOthersAsync(CancellationToken cancellationToken)
    {
        if (owner.Instances == 1 || remembered.TakeOwned() is not { Count: > 0 } owned)
            return;
        try
        {
            await claim.GiveBackAsync(owned, cancellationToken);
        }
        catch
        {
            remembered.Add(owned);
            throw;
        }

        signals.WakePump();
    }

    async Task DrainAsync()
    {
        lanes.DropQueues();
        var until = time.GetUtcNow() + options.Value.DrainTimeout;
        while (lanes.OnTheWire > 0 && time.GetUtcNow() < until)
            await Task.Delay(TimeSpan.FromMilliseconds(20), time);
        if (lanes.OnTheWire > 0)
        {
            LeftOnTheWire(logger, lanes.OnTheWire, options.Value.DrainTimeout);
            await _wire.CancelAsync();
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10), time);
        try
        {
            while (lanes.OnTheWire > 0 || !writer.IsIdle)
                await Task.Delay(TimeSpan.FromMilliseconds(10), time, limit.Token);
            await owner.RetireAsync(limit.Token);
            await sweep.RunAsync(limit.Token);
        }
        catch (Exception exception)
        {
            // Whatever could not be said now is found by the next sweep: this owner's lease ends by itself.
            GiveBackFailed(logger, owner.Current, exception);
        }
    }

    async Task UntilItWorksAsync(Func<CancellationToken, Task> work, string what, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await work(stop);
                return;
            }
            catch (Exception exception) when (!stop.IsCancellationRequested)
            {
                NotYet(logger, what, exception);
                await Task.Delay(TimeSpan.FromSeconds(1), time, stop);
            }
        }
    }

    public override void Dispose()
    {
        _wire.Dispose();
        base.Dispose();
    }

    [LoggerMessage(LogLevel.Error, "Cannot take calls of engine {Engine}; trying again. Check the gateway's database.")]
    static partial void ClaimFailed(ILogger logger, string engine, Exception exception);

    [LoggerMessage(LogLevel.Error, "Cannot renew the lease of owner {Owner}; nothing is sent once it has expired. Check the gateway's database.")]
    static partial void RenewFailed(ILogger logger, Guid owner, Exception exception);

    [LoggerMessage(LogLevel.Warning, "{Calls} calls did not end within {Timeout} of the stop; they are in doubt now")]
    static partial void LeftOnTheWire(ILogger logger, int calls, TimeSpan timeout);

    [LoggerMessage(LogLevel.Warning, "Owner {Owner} could not give its calls back while stopping; the next sweep does it when its lease ends")]
    static partial void GiveBackFailed(ILogger logger, Guid owner, Exception exception);

    [LoggerMessage(LogLevel.Warning, "The pump cannot {What} yet; trying again in a second. Check the gateway's database.")]
    static partial void NotYet(ILogger logger, string what, Exception exception);
}
