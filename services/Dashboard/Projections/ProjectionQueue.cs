using Assay.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace Assay.Dashboard.Projections;

/// <summary>
/// Gathers what is told about audits, of every kind and from every consumer, and projects it in one transaction: an audit's many small
/// messages cost a few commits instead of one each. A message's consumer waits here, so that it is acknowledged after its commit.
/// </summary>
sealed partial class ProjectionQueue(IServiceScopeFactory scopes, TimeProvider time, IOptions<DashboardOptions> options, ILogger<ProjectionQueue> logger)
{
    /// <summary>Messages that are consumed at once, at most; all of them may wait here.</summary>
    public const int Capacity = 128;

    /// <summary>So many do not wait for more.</summary>
    const int Full = Capacity / 2;

    readonly Lock gate = new();
    List<Told> waiting = [];
    TaskCompletionSource hurry = New();
    bool running;

    /// <summary>Ends when the message is in the read model, together with what else was told at that time; fails if it cannot be projected.</summary>
    public Task ProjectAsync(Told told)
    {
        lock (gate)
        {
            waiting.Add(told);
            if (told.IsAwaited || waiting.Count >= Full)
                hurry.TrySetResult();
            if (!running)
            {
                running = true;
                // Not in the trace or scope of whoever happened to be first.
                using (ExecutionContext.SuppressFlow())
                    _ = Task.Run(RunAsync);
            }
        }

        return told.Projected;
    }

    /// <summary>Goes on until nothing waits. Ends by itself: whoever stops the host waits for the consumers, and they for this.</summary>
    async Task RunAsync()
    {
        while (true)
        {
            Task soon;
            lock (gate)
            {
                if (waiting.Count == 0)
                {
                    running = false;
                    return;
                }

                soon = hurry.Task;
            }

            await soon.WaitAsync(options.Value.ProjectionDelay, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            List<Told> all;
            lock (gate)
            {
                (all, waiting) = (waiting, []);
                if (hurry.Task.IsCompleted)
                    hurry = New();
            }

            await ProjectAsync(all);
        }
    }

    async Task ProjectAsync(List<Told> all)
    {
        var failure = await WriteAsync(all);
        if (failure is null)
            return;
        if (all.Count > 1 && !failure.IsTransient())
        {
            // One of them cannot be projected; the others must not share its fate.
            OneByOne(logger, failure, all.Count);
            all = await WriteOneByOneAsync(all);
        }

        // Each goes its own way from here: the endpoint's retries and redeliveries, then its error queue.
        foreach (var told in all)
            told.Fail(failure);
    }

    /// <summary>Gives back what was not tried, since the database is away.</summary>
    async Task<List<Told>> WriteOneByOneAsync(List<Told> all)
    {
        for (var i = 0; i < all.Count; i++)
        {
            if (await WriteAsync([all[i]]) is not { } failure)
                continue;
            all[i].Fail(failure);
            if (failure.IsTransient())
                return all[(i + 1)..];
        }

        return [];
    }

    async Task<Exception?> WriteAsync(List<Told> all)
    {
        try
        {
            await using (var scope = scopes.CreateAsyncScope())
                await scope.ServiceProvider.GetRequiredService<ProjectionTransaction>().RunAsync(all, CancellationToken.None);
        }
        catch (Exception exception)
        {
            // Thrown where the message is consumed.
            return exception;
        }

        foreach (var told in all)
            told.Succeed();
        return null;
    }

    static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(LogLevel.Warning, "{Count} messages could not be projected together; each is tried alone, so that the one at fault goes the way of redelivery by itself")]
    static partial void OneByOne(ILogger logger, Exception exception, int count);
}
