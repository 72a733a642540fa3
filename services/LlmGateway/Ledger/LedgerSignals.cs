using Assay.ServiceDefaults;

namespace Assay.LlmGateway.Ledger;

/// <summary>Wakes pump and sweep inside the process; both also poll, so a lost signal costs latency only.</summary>
sealed class LedgerSignals
{
    readonly Signal _pump = new();
    readonly Signal _sweep = new();

    long _work;

    /// <summary>Grows whenever the ledger may hold calls that it did not hold before.</summary>
    public long Work => Interlocked.Read(ref _work);

    /// <summary>There may be calls to take: new ones, ones given back, or money for ones that waited.</summary>
    public void WakePump()
    {
        Interlocked.Increment(ref _work);
        _pump.Wake();
    }

    /// <summary>A lane has room; whether the ledger has calls for it, it knows from before.</summary>
    public void WakePumpForRoom() => _pump.Wake();

    public void WakeSweep() => _sweep.Wake();

    /// <summary>Wakes the pump when a consumer's transaction has ended.</summary>
    public void WakePumpAfter(Task completed) => _ = completed.ContinueWith(_ => WakePump(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Wakes the sweep when a consumer's transaction has ended.</summary>
    public void WakeSweepAfter(Task completed) => _ = completed.ContinueWith(_ => WakeSweep(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    public async Task WaitForPumpAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        // Without a signal the pump looks anyway: another instance may have written what it can take.
        if (!await _pump.WaitAsync(atMost, TimeProvider.System, cancellationToken))
            Interlocked.Increment(ref _work);
    }

    public Task WaitForSweepAsync(TimeSpan atMost, CancellationToken cancellationToken) => _sweep.WaitAsync(atMost, TimeProvider.System, cancellationToken);
}
