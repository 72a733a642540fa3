using System.Threading.Channels;

namespace Assay.LlmGateway.Ledger;

/// <summary>Wakes pump and sweep inside the process; both also poll, so a lost signal costs latency only.</summary>
sealed class LedgerSignals
{
    readonly Channel<bool> _pump = NewSignal();
    readonly Channel<bool> _sweep = NewSignal();

    long _work;

    /// <summary>Grows whenever the ledger may hold calls that it did not hold before.</summary>
    public long Work => Interlocked.Read(ref _work);

    /// <summary>There may be calls to take: new ones, ones given back, or money for ones that waited.</summary>
    public void WakePump()
    {
        Interlocked.Increment(ref _work);
        _pump.Writer.TryWrite(true);
    }

    /// <summary>A lane has room; whether the ledger has calls for it, it knows from before.</summary>
    public void WakePumpForRoom() => _pump.Writer.TryWrite(true);

    public void WakeSweep() => _sweep.Writer.TryWrite(true);

    /// <summary>Wakes the pump when a consumer's transaction has ended.</summary>
    public void WakePumpAfter(Task completed) => _ = completed.ContinueWith(_ => WakePump(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Wakes the sweep when a consumer's transaction has ended.</summary>
    public void WakeSweepAfter(Task completed) => _ = completed.ContinueWith(_ => WakeSweep(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    public async Task WaitForPumpAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        // Without a signal the pump looks anyway: another instance may have written what it can take.
        if (!await WaitAsync(_pump, atMost, cancellationToken))
            Interlocked.Increment(ref _work);
    }

    public Task WaitForSweepAsync(TimeSpan atMost, CancellationToken cancellationToken) => WaitAsync(_sweep, atMost, cancellationToken);

    static async Task<bool> WaitAsync(Channel<bool> signal, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(atMost);
        try
        {
            return await signal.Reader.ReadAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    static Channel<bool> NewSignal() => Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
}
