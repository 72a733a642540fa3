using Xunit.Abstractions;

namespace Assay.Chaos;

/// <summary>A few seeds of the wide run, so that every test run meets faults: <c>./build.sh --target=Chaos</c> runs hundreds.</summary>
[Trait("Needs", "Servers")]
[Trait("Needs", "Shared")]
public sealed class TheShortProfile(ITestOutputHelper output)
{
    /// <summary>Between them: a killed and a terminated gateway, a frozen saga, a provider that hangs, a killed database, broken links.</summary>
    static readonly int[] Seeds = [2, 4, 7];

    /// <param name="gateways">Null for two, as of the other services: they claim calls. One alone owns them from the start.</param>
    [Theory, InlineData(null), InlineData(1)]
    public async Task Should_keep_every_promise(int? gateways)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "chaos", Guid.NewGuid().ToString("N"));
        await using var world = await ChaosRun.StartAsync(Profile.Short, folder, CancellationToken.None, gateways: gateways);
        List<SeedRow> rows = [];
        output.WriteLine(Table.Head);
        foreach (var seed in Seeds)
        {
            var row = await ChaosRun.OneAsync(world, seed, CancellationToken.None);
            output.WriteLine(Table.Line(row));
            rows.Add(row);
            if (!row.Holds)
                break;
        }

        rows.ShouldAllBe(row => row.Holds, string.Join('\n', rows.Where(row => !row.Holds).Select(Table.Findings)) + $"\nThe logs are in {folder}.");
        rows.Sum(row => row.Verdict.Completed).ShouldBeGreaterThan(0, "a run in which nothing completes proves little");
        Directory.Delete(folder, recursive: true);
    }
}
