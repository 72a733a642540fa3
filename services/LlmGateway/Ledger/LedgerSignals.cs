using System.Diagnostics;
using Assay.ServiceDefaults;

namespace Assay.LlmGateway.Ledger;

/// <summary>Wakes pump, sweep and renewal inside the process; each also comes by itself, so a lost signal costs latency only.</summary>
sealed class LedgerSignals
{
    readonly Signal _pump = new();
    readonly Signal _sweep = new();
    readonly Signal _renewal = new();

    long _work;
    long _lookedFor;
    long _lookedAt = Stopwatch.GetTimestamp();

    /// <summary>Grows whenever the ledger may hold calls that it did not hold before.</summary>
    public long Work => Interlocked.Read(ref _work);

    /// <summary>There may be calls to take: new ones, ones given back, or money for ones that waited.</summary>
    public void WakePump()
    {
        Interlocked.Increment(ref _work);
        _pump.Wake();
    }

    /// <summary>A lane has room, or calls are remembered for it; whether the ledger has others, it knows from before.</summary>
    public void WakePumpForRoom() => _pump.Wake();

    public void WakeSweep() => _sweep.Wake();

    /// <summary>Fewer share the engines' limits: this instance may use more of them.</summary>
    public void WakeRenewal() => _renewal.Wake();

    /// <param name="atMost">How long to wait for a signal.</param>
    /// <param name="lookEvery">How often the ledger is looked into for what nobody has signalled: what another instance has written, or a signal that was lost.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task WaitForPumpAsync(TimeSpan atMost, TimeSpan lookEvery, CancellationToken cancellationToken)
    {
        await _pump.WaitAsync(atMost, TimeProvider.System, cancellationToken);
        var work = Work;
        if (work != _lookedFor)
            (_lookedFor, _lookedAt) = (work, Stopwatch.GetTimestamp());
        else if (Stopwatch.GetElapsedTime(_lookedAt) >= lookEvery)
            Interlocked.Increment(ref _work);
    }

    public Task WaitForRenewalAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken) => _renewal.WaitAsync(atMost, time, cancellationToken);

    public Task WaitForSweepAsync(TimeSpan atMost, CancellationToken cancellationToken) => _sweep.WaitAsync(atMost, TimeProvider.System, cancellationToken);
}
