using System.Threading.Channels;

namespace Assay.LlmGateway.Ledger;

/// <summary>Wakes pump and sweep inside the process; both also poll, so a lost signal costs latency only.</summary>
sealed class LedgerSignals
{
    readonly Channel<bool> _pump = NewSignal();
    readonly Channel<bool> _sweep = NewSignal();

    public void WakePump() => _pump.Writer.TryWrite(true);
    public void WakeSweep() => _sweep.Writer.TryWrite(true);

    /// <summary>Wakes the pump when a consumer's transaction has ended.</summary>
    public void WakePumpAfter(Task completed) => _ = completed.ContinueWith(_ => WakePump(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Wakes the sweep when a consumer's transaction has ended.</summary>
    public void WakeSweepAfter(Task completed) => _ = completed.ContinueWith(_ => WakeSweep(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    public Task WaitForPumpAsync(TimeSpan atMost, CancellationToken cancellationToken) => WaitAsync(_pump, atMost, cancellationToken);
    public Task WaitForSweepAsync(TimeSpan atMost, CancellationToken cancellationToken) => WaitAsync(_sweep, atMost, cancellationToken);

    static async Task WaitAsync(Channel<bool> signal, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(atMost);
        try
        {
            await signal.Reader.ReadAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The wait is over without a signal: the caller looks anyway.
        }
    }

    static Channel<bool> NewSignal() => Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
}
