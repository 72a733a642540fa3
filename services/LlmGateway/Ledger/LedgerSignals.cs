using System.Diagnostics;
using Assay.ServiceDefaults;

namespace Assay.LlmGateway.Ledger;

/// <summary>Wakes pump and sweep inside the process; both also poll, so a lost signal costs latency only.</summary>
sealed class LedgerSignals
{
    readonly Signal _pump = new();
    readonly Signal _sweep = new();

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

    public async Task WaitForPumpAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        var woken = await _pump.WaitAsync(atMost, TimeProvider.System, cancellationToken);
        // Another instance may have written what this one can take: it looks from time to time, also while it is woken for room only.
        var work = Work;
        if (work != _lookedFor)
            (_lookedFor, _lookedAt) = (work, Stopwatch.GetTimestamp());
        else if (!woken || Stopwatch.GetElapsedTime(_lookedAt) >= atMost)
            Interlocked.Increment(ref _work);
    }

    public Task WaitForSweepAsync(TimeSpan atMost, CancellationToken cancellationToken) => _sweep.WaitAsync(atMost, TimeProvider.System, cancellationToken);
}
