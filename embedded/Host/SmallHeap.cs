namespace Assay.Embedded.Host;

/// <summary>
/// Collects young garbage every few megabytes. The runtime sizes its youngest generation by the processor's last-level cache, which on a server
/// lets hundreds of megabytes of garbage lie before the first collection; its setting for that can be given by environment variable
/// only, and a command line has no say in its caller's environment.
/// </summary>
sealed class SmallHeap : BackgroundService
{
    const long Budget = 12L * 1024 * 1024;
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Look);
        var (allocated, collections) = (GC.GetTotalAllocatedBytes(), GC.CollectionCount(0));
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var now = GC.GetTotalAllocatedBytes();
            if (now - allocated < Budget && GC.CollectionCount(0) == collections)
                continue;
            if (GC.CollectionCount(0) == collections)
                GC.Collect(1, GCCollectionMode.Forced, blocking: true);
            (allocated, collections) = (now, GC.CollectionCount(0));
        }
    }
}
