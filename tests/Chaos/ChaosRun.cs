using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Assay.TestServers;

namespace Assay.Chaos;

/// <summary>Runs seeds on one world, or on several side by side, appends a row for each and skips those that have one.</summary>
/// <param name="crowd">The size of a crowd, if not the whole.</param>
/// <param name="worlds">How many worlds, each with servers and ports of its own, take seeds at the same time: much of a seed is waiting.</param>
/// <param name="gateways">Instances of the gateway, if not as many as of the others.</param>
public sealed class ChaosRun(Profile profile, string folder, TextWriter output, Crowd? crowd = null, int worlds = 1, int? gateways = null)
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    readonly SemaphoreSlim _keeping = new(1);

    /// <summary>The file to which rows are appended.</summary>
    public string ResultsFile => Path.Combine(folder, $"{profile.ToString().ToLowerInvariant()}{(gateways is { } count ? string.Create(CultureInfo.InvariantCulture, $"-gateways-{count}") : "")}.jsonl");

    /// <summary>Rows of earlier runs.</summary>
    public IReadOnlyList<SeedRow> Done => File.Exists(ResultsFile)
        ? [.. File.ReadLines(ResultsFile).Where(line => line.EndsWith('}')).Select(line => JsonSerializer.Deserialize<SeedRow>(line, Json)!)]
        : [];

    /// <summary>Runs what is not done yet, until the time is up.</summary>
    /// <param name="again">Also seeds that have a row.</param>
    /// <param name="until">No seed is begun later.</param>
    public async Task<IReadOnlyList<SeedRow>> RunAsync(IEnumerable<int> seeds, bool again, DateTime until, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var done = again ? [] : Done.Select(row => row.Seed).ToHashSet();
        ConcurrentQueue<int> left = new(seeds.Where(seed => !done.Contains(seed)));
        ConcurrentQueue<SeedRow> rows = new();
        await output.WriteLineAsync(Table.Head);
        await Task.WhenAll(Enumerable.Range(0, Math.Min(worlds, left.Count)).Select(_ => RunOnOneWorldAsync(left, rows, until, cancellationToken)));
        return [.. rows.OrderBy(row => row.Seed)];
    }

    async Task RunOnOneWorldAsync(ConcurrentQueue<int> left, ConcurrentQueue<SeedRow> rows, DateTime until, CancellationToken cancellationToken)
    {
        ChaosWorld? world = null;
        try
        {
            while (DateTime.UtcNow < until && left.TryDequeue(out var seed))
            {
                world ??= await StartAsync(profile, Path.Combine(folder, $"{profile.ToString().ToLowerInvariant()}-{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}-{seed.ToString(CultureInfo.InvariantCulture)}"), cancellationToken, crowd, gateways);
                var row = await OneAsync(world, seed, cancellationToken);
                rows.Enqueue(row);
                await KeepAsync(row, cancellationToken);
                if (row.Holds)
                    continue;
                // What a broken seed left behind must not be counted against the next.
                await world.DisposeAsync();
                world = null;
            }
        }
        finally
        {
            if (world is not null)
                await world.DisposeAsync();
        }
    }

    /// <summary>One row at a time: worlds side by side share file and output.</summary>
    async Task KeepAsync(SeedRow row, CancellationToken cancellationToken)
    {
        await _keeping.WaitAsync(cancellationToken);
        try
        {
            await File.AppendAllTextAsync(ResultsFile, JsonSerializer.Serialize(row, Json) + "\n", cancellationToken);
            await output.WriteLineAsync(Table.Line(row));
            if (!row.Holds)
                await output.WriteLineAsync(Table.Findings(row));
        }
        finally
        {
            _keeping.Release();
        }
    }

    /// <summary>Starts a world and sends one seed without faults through it: cold processes are slow, and must be right all the same.</summary>
    public static async Task<ChaosWorld> StartAsync(Profile profile, string folder, CancellationToken cancellationToken, Crowd? crowd = null, int? gateways = null)
    {
        var world = await ChaosWorld.StartAsync(profile, folder, crowd, gateways);
        try
        {
            var work = WorkPlan.Of(Profile.Short, 0, world.Settings.Deadline);
            var audits = work.Audits.Take(3).Select(audit => world.Settings.Simulated ? audit with { Request = audit.Request with { Engines = ["simulated"] } } : audit);
            var row = await new SeedRun(world, new FaultPlan(Profile.Short, 0, []), work with { Audits = [.. audits], HaltAt = null }).RunAsync(cancellationToken);
            return row.Holds ? world : throw new InvalidOperationException($"Without any fault:\n{Table.Findings(row)}");
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>One seed on a running world.</summary>
    public static Task<SeedRow> OneAsync(ChaosWorld world, int seed, CancellationToken cancellationToken) =>
        new SeedRun(world, FaultPlan.Of(world.Profile, seed, world.Settings.Crowd), WorkPlan.Of(world.Profile, seed, world.Settings.Deadline, world.Settings.Crowd)).RunAsync(cancellationToken);
}

/// <summary>The table of results in text.</summary>
public static class Table
{
    public const string Head = "| seed | audits | terminal | completed | stuck | finished twice | unheard | calls | paid twice | in doubt | unexplained | ledger µ$ | bill µ$ | overshoot | after halt | contradictory | error queues | ended alone | s to done | s | plan |";

    public static string Line(SeedRow row)
    {
        var v = row.Verdict;
        return string.Create(CultureInfo.InvariantCulture,
            $"| {row.Seed} | {v.Audits} | {v.Terminal} | {v.Completed} | {v.Stuck} | {v.FinishedTwice} | {v.Unheard} | {v.Calls} | {v.DuplicatesPaid} | {v.InDoubt} | {v.InDoubtUnexplained} | {v.LedgerMicroUsd} | {v.BillMicroUsd} | {v.OvershootMicroUsd} | {v.SentAfterHalt} | {v.ContradictoryRows} | {v.InErrorQueues} | {v.EndedByThemselves} | {row.SecondsToDone:0.0} | {row.SecondsInAll:0.0} | {row.Plan} |");
    }

    public static string Findings(SeedRow row) =>
        $"  seed {row.Seed} broke {row.Verdict.Violations.Count} promises ({string.Join(", ", row.Ends)}):\n{string.Concat(row.Verdict.Violations.Take(20).Select(violation => $"    {violation}\n"))}  once more: {Replay(row)}";

    /// <summary>The one command that plays a seed again.</summary>
    public static string Replay(SeedRow row) =>
        string.Create(CultureInfo.InvariantCulture, $"./build.sh --target=Chaos --profile={row.Profile.ToString().ToLowerInvariant()} --seeds={row.Seed} --again{(row.Gateways is { } gateways ? $" --gateways={gateways}" : "")}");

    /// <summary>The sums of many rows.</summary>
    public static string Sum(IReadOnlyList<SeedRow> rows)
    {
        if (rows.Count == 0)
            return "no seed was run";
        var broken = rows.Where(row => !row.Holds).ToList();
        var toDone = rows.Select(row => row.SecondsToDone).Order().ToList();
        return string.Create(CultureInfo.InvariantCulture,
            $"{rows.Count} seeds, {rows.Sum(row => row.Verdict.Audits)} audits: {rows.Sum(row => row.Verdict.Terminal)} terminal ({rows.Sum(row => row.Verdict.Completed)} completed), {rows.Sum(row => row.Verdict.Stuck)} stuck, {rows.Sum(row => row.Verdict.FinishedTwice)} finished twice, {rows.Sum(row => row.Verdict.Unheard)} unheard; {rows.Sum(row => row.Verdict.Calls)} calls, {rows.Sum(row => row.Verdict.DuplicatesPaid)} paid twice, {rows.Sum(row => row.Verdict.InDoubt)} in doubt ({rows.Sum(row => row.Verdict.InDoubtUnexplained)} unexplained, {rows.Sum(row => row.Verdict.InDoubtLate)} late on connections from a half-open link), overshoot {rows.Sum(row => row.Verdict.OvershootMicroUsd)} µ$, {rows.Sum(row => row.Verdict.SentAfterHalt)} sent after a halt, {rows.Sum(row => row.Verdict.ContradictoryRows)} contradictory rows, {rows.Sum(row => row.Verdict.InErrorQueues)} in error queues, {rows.Sum(row => row.Verdict.EndedByThemselves)} processes ended by themselves and {rows.Sum(row => row.DeadConnections)} for a dead connection; last fault to all done: median {toDone[toDone.Count / 2]:0.0} s, worst {toDone[^1]:0.0} s; {broken.Count} seeds broke a promise{(broken.Count == 0 ? "" : ": " + string.Join(", ", broken.Select(row => row.Seed)))}");
    }
}
