using Assay.ServiceDefaults;
using FsCheck;
using FsCheck.Fluent;

namespace Assay.LlmGateway.Ledger;

/// <summary>Claims, flushes, crashes, duplicates, late outcomes, frozen owners, lost commits, halts, closes and retries, in any order: the invariants hold after each.</summary>
public sealed class AnyInterleaving
{
    static readonly Gen<StepKind> Kinds = Gen.Frequency(
        (4, Gen.Constant(StepKind.Open)), (1, Gen.Constant(StepKind.OpenAgain)), (5, Gen.Constant(StepKind.Ask)), (3, Gen.Constant(StepKind.AskOther)), (1, Gen.Constant(StepKind.AskAgain)),
        (7, Gen.Constant(StepKind.Claim)), (9, Gen.Constant(StepKind.Send)), (9, Gen.Constant(StepKind.Record)), (1, Gen.Constant(StepKind.RecordAgain)), (2, Gen.Constant(StepKind.UnknownCommit)),
        (2, Gen.Constant(StepKind.Crash)), (2, Gen.Constant(StepKind.Freeze)), (3, Gen.Constant(StepKind.Thaw)), (3, Gen.Constant(StepKind.Sweep)), (1, Gen.Constant(StepKind.Halt)), (2, Gen.Constant(StepKind.Close)));

    static readonly Gen<LedgerStep> Steps =
        from kind in Kinds
        from audit in Gen.Choose(0, LedgerWorld.Audits - 1)
        from worker in Gen.Choose(0, LedgerWorld.Workers - 1)
        from choice in Gen.Choose(0, 1000)
        select new LedgerStep(kind, audit, worker, choice);

    /// <summary>Whatever is random, the way to a first call on the wire is not: most sequences should get there.</summary>
    static readonly Gen<LedgerStep[]> Sequences =
        from steps in Gen.ArrayOf(Steps, 60)
        select (LedgerStep[])[new(StepKind.Open, 0, 0, 0), new(StepKind.Ask, 0, 0, 0), new(StepKind.Open, 2, 0, 1), new(StepKind.Ask, 2, 0, 0), .. steps];

    [Fact]
    public Task Should_keep_the_ledger_true_on_sqlite() => Task.Run(() => Check(GatewayHost.NewSqlite, atOnce: 1, runs: 30));

    [Fact]
    [Trait("Needs", "Servers")]
    public Task Should_keep_the_ledger_true_on_postgres_with_steps_at_the_same_time() => Task.Run(() => Check(null, atOnce: 4, runs: 20));

    static void Check(Func<AssayDatabase>? sqlite, int atOnce, int runs) =>
        Prop.ForAll(Arb.From(Sequences, Shrink), async steps =>
        {
            await using var world = await LedgerWorld.CreateAsync(sqlite?.Invoke() ?? await GatewayHost.NewPostgresAsync());
            foreach (var together in steps.Chunk(atOnce))
            {
                await Task.WhenAll(together.DistinctBy(step => atOnce == 1 ? 0 : step.Worker).Select(step => Task.Run(() => world.StepAsync(step))));
                await world.ShouldHoldAsync();
            }

            await world.EndAsync();
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(runs));

    /// <summary>Halves, then single steps: short counterexamples are read.</summary>
    static IEnumerable<LedgerStep[]> Shrink(LedgerStep[] steps)
    {
        for (var size = steps.Length / 2; size >= 1; size /= 2)
            for (var start = 0; start + size <= steps.Length; start += size)
                yield return [.. steps.Take(start), .. steps.Skip(start + size)];
    }
}
